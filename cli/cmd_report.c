/* ibakelab report: results of any kind, in the formats that others read. */
#include "cli/cli.h"
#include "cli/decode.h"
#include "cli/report_file.h"
#include "reports/html.h"
#include "reports/terminal.h"

#include <getopt.h>
#include <string.h>
#include <unistd.h>

#define COMMAND "report"

static const char help_text[] =
    "Usage: ibakelab report DIR… [--html F] [--markdown F] [--junit F] [--tap F] [--sarif F] [--csv F]\n"
    "\n"
    "Tells what is in result folders: those of run, attack, conform, sweep, bench and fuzz/run, which all "
    "leave a\n"
    "result.json (docs/results.md). DIR is such a folder, a result.json, or a folder below which there are "
    "some.\n"
    "Without an option: a short summary here.\n"
    "\n"
    "  --html F      one page to look at, with everything in it (docs/reports.md)\n"
    "  --markdown F  for people: the summary of a CI job, a comment\n"
    "  --junit F     JUnit XML: one case for each check; CI servers show it\n"
    "  --tap F       TAP 14\n"
    "  --sarif F     SARIF 2.1.0: what failed, by requirement, for code scanning\n"
    "  --csv F       every number and text of every result, one a line:\n"
    "                item,kind,table,row,name,value,unit\n"
    "\n"
    "F '-' is standard output. Several options may stand together. It reports and does not judge: the exit "
    "status\n"
    "does not depend on the verdicts.\n"
    "\n"
    "Examples:\n"
    "  ibakelab report out/first-call\n"
    "  ibakelab report out/first-call --html first-call.html\n"
    "  ibakelab run scenarios/basic/*.yaml --quiet --out out/basic; ibakelab report out/basic --junit "
    "basic.xml\n"
    "  ibakelab conform --json conform.json; ibakelab report conform.json --sarif conform.sarif\n"
    "  ibakelab report out --markdown - >>\"$GITHUB_STEP_SUMMARY\"\n"
    "  ibakelab report out --csv - | grep ',calls,.*,setup_ns,'\n"
    "\n"
    "Exit status: 0 it was written, 2 an option or a result is wrong, 3 internal.\n";

/* A format is a row here and a line in the help. */
enum { HTML };
static const struct {
    const char *name;
    report_writer *write;
} FORMATS[] = {{"html", report_write_html},   {"markdown", report_write_markdown},
               {"junit", report_write_junit}, {"tap", report_write_tap},
               {"sarif", report_write_sarif}, {"csv", report_write_csv}};
#define N_FORMATS (sizeof FORMATS / sizeof *FORMATS)

/* -1: help was asked for. */
static int read_options(const char *paths[N_FORMATS], int argc, char **argv) {
    struct option options[N_FORMATS + 2] = {{0}};
    for (size_t i = 0; i < N_FORMATS; i++)
        options[i] = (struct option){FORMATS[i].name, required_argument, NULL, 256 + (int)i};
    options[N_FORMATS] = (struct option){"help", no_argument, NULL, 'h'};
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (c == 'h')
            return -1;
        if (c < 256)
            return cli_usage(COMMAND, "see the options");
        if (paths[c - 256])
            return cli_usage(COMMAND, "--%s stands twice", FORMATS[c - 256].name);
        paths[c - 256] = optarg;
    }
    return optind < argc ? report_files_check(COMMAND, paths, N_FORMATS)
                         : cli_usage(COMMAND, "a result folder is missing");
}

static int load(report_items *items, char **paths, size_t count) {
    char error[800];
    for (size_t i = 0; i < count; i++) {
        ibk_err err = report_load(items, paths[i], error, sizeof error);
        if (!err)
            continue;
        int status = cli_error(COMMAND, "%s", error);
        return err == IBK_ERR_NO_MEMORY ? CLI_INTERNAL : status;
    }
    return CLI_OK;
}

/* What the page shows of a run's messages. A result.json that was kept alone has none: that is said, and no
 * fault. */
static int load_run(report_item *item) {
    char path[4096];
    ibk_diag diag = {0};
    snprintf(path, sizeof path, "%s/events.jsonl", item->dir);
    if (access(path, R_OK) != 0) {
        cli_error(COMMAND, "%s cannot be read: the page shows no messages of this run", path);
        return CLI_OK;
    }
    ibk_err err = page_run(&item->run, item->dir, item->result, decode_for_page, NULL, &diag);
    if (!err)
        return CLI_OK;
    int status = cli_error(COMMAND, "%s: %s", item->dir, diag.detail);
    return err == IBK_ERR_REFUSED ? status : CLI_INTERNAL;
}

static int load_runs(report_items *items) {
    int status = CLI_OK;
    for (size_t i = 0; !status && i < items->count; i++)
        if (items->list[i].dir && strcmp(report_kind(&items->list[i]), "run") == 0)
            status = load_run(&items->list[i]);
    return status;
}

int cmd_report_main(int argc, char **argv) {
    const char *paths[N_FORMATS] = {NULL};
    report_items items = {0};
    bool any = false;
    int status = read_options(paths, argc, argv);
    if (status < 0) {
        fputs(help_text, stdout);
        return cli_finish(COMMAND, CLI_OK);
    }
    if (!status)
        status = load(&items, argv + optind, (size_t)(argc - optind));
    if (!status && paths[HTML])
        status = load_runs(&items);
    for (size_t i = 0; i < N_FORMATS && !status; i++) {
        any |= paths[i] != NULL;
        status = report_file(COMMAND, paths[i], FORMATS[i].write, items.list, items.count);
    }
    if (!status && !any) {
        term t;
        term_probe(&t, stdout);
        report_text(&t, items.list, items.count);
    }
    report_items_free(&items);
    return cli_finish(COMMAND, status);
}
