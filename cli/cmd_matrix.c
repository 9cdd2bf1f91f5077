/* ibakelab matrix: who knew what in a run, from its folder, as text or SVG. */
#include "cli/cli.h"
#include "cli/drawing.h"
#include "cli/report_file.h"
#include "reports/matrix.h"
#include "reports/result_read.h"
#include "reports/terminal.h"

#include <getopt.h>
#include <string.h>

#define COMMAND  "matrix"
#define MAX_ROWS 100 /* of a picture */

static const char help_text[] = "Usage: ibakelab matrix DIR [--text] [--svg F]\n"
                                "\n"
                                "Shows who knew what in a run: a row for each adversary and each party that "
                                "knew something, a column for\n"
                                "each thing that somebody knew (docs/knowledge.md). DIR is the folder that "
                                "the run left. Without --svg it\n"
                                "prints what the run prints at its end. An F of '-' is standard output.\n"
                                "\n"
                                "  --text    on the terminal, also beside a picture\n"
                                "  --svg F   a picture that stands alone, for light and dark; each cell "
                                "tells by which step it came about\n"
                                "\n"
                                "Examples:\n"
                                "  ibakelab matrix out/first-call\n"
                                "  ibakelab matrix out/active-kms-man-in-the-middle --svg matrix.svg\n"
                                "\n"
                                "Exit status: 0 drawn, 2 DIR or an option is wrong, 3 internal.\n";

static bool draw(FILE *out, const void *what) {
    return matrix_svg(out, what, MAX_ROWS);
}

static int show(const char *dir, const char *svg, bool text) {
    json_t *json = NULL;
    result r = {0};
    ibk_diag diag = {0};
    char path[4200];
    snprintf(path, sizeof path, "%s/result.json", dir);
    ibk_err err = result_load(&json, dir, &diag);
    if (!err)
        err = result_from_json(&r, json, &diag);
    int status = err ? cli_fail(COMMAND, path, err, &diag) : CLI_OK;
    if (!status && text) {
        term t;
        term_probe(&t, stdout);
        report_matrix(&t, &r);
    }
    if (!status && svg)
        status = drawing_write(COMMAND, svg, draw, &r);
    result_free(&r);
    json_decref(json);
    return status;
}

int cmd_matrix_main(int argc, char **argv) {
    static const struct option names[] = {{"text", no_argument, NULL, 't'},
                                          {"svg", required_argument, NULL, 's'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    const char *svg = NULL;
    bool text = false;
    for (int c; (c = getopt_long(argc, argv, "h", names, NULL)) != -1;) {
        switch (c) {
        case 't':
            text = true;
            break;
        case 's':
            svg = optarg;
            break;
        case 'h':
            fputs(help_text, stdout);
            return cli_finish(COMMAND, CLI_OK);
        default:
            return cli_usage(COMMAND, "see the options");
        }
    }
    if (argc - optind != 1)
        return cli_usage(COMMAND, optind == argc ? "the folder of a run is missing" : "one folder at a time");
    const char *const outputs[] = {svg, text || !svg ? "-" : NULL};
    int status = report_files_check(COMMAND, outputs, 2);
    return status ? status : cli_finish(COMMAND, show(argv[optind], svg, text || !svg));
}
