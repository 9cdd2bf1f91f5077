#include "cli/conform_options.h"

#include "cli/cli.h"
#include "cli/report_file.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help_text[] =
    "ibakelab conform judges an implementation of MIKEY-IBAKE, requirement by requirement.\n\n"
    "Usage: ibakelab conform [OPTIONS]\n\n"
    "The implementation sits behind a program that obeys conformance/IUT.md; without --iut it is our own.\n\n"
    "Options:\n"
    "  --iut CMD          how to start that program (by the shell); default: ibakelab iut\n"
    "  --role ROLE        only cases for initiator, responder, mailbox, kms, user or parser; may stand "
    "several times\n"
    "  --level LEVEL      must, should, or profile (default): only cases of requirements of that level and "
    "above\n"
    "  --filter GLOB      only cases whose names match, 'deviation/r-message-1/*'; may stand several times\n"
    "  --strength N       1, 2 (default) or 3: how many values are combined with each other; 3 adds size "
    "7680\n"
    "  --list             tell the cases and the requirements that each tests, and play none\n"
    "  --jobs N           cases at once; default: the number of processors\n"
    "  --timeout SECONDS  for an answer; default: 10, with parameters of 7680 bits and more 300\n"
    "  --json F           write the result; 'ibakelab report' makes every other format of it "
    "(docs/results.md)\n"
    "  --junit F, --tap F the same as reports at once; '-' is standard output\n"
    "  --baseline F       failures that are known (docs/conformance.md)\n"
    "  --update-baseline  write today's failures into that file\n"
    "  --keep DIR         leave transcript, capture and key log of every case that was played\n"
    "  --mutants[=GLOB]   let the suite judge broken variants of our own implementation, and print which "
    "case finds which\n"
    "  --data DIR         the folder with conformance/requirements and data/ibe-params\n"
    "  --quiet            tell the end alone\n"
    "  --verbose          tell every case\n\n"
    "Exit status: 0 if something was played and every verdict is what the baseline says (without one: no "
    "failure),\n"
    "1 if not, 2 for wrong usage, an adapter that is refused as dishonest, or a filter that nothing matches, "
    "3 for a\n"
    "defect of ibakelab.\n";

enum {
    OPT_IUT = 256,
    OPT_ROLE,
    OPT_LEVEL,
    OPT_FILTER,
    OPT_STRENGTH,
    OPT_LIST,
    OPT_JOBS,
    OPT_TIMEOUT,
    OPT_JUNIT,
    OPT_JSON,
    OPT_TAP,
    OPT_BASELINE,
    OPT_UPDATE,
    OPT_KEEP,
    OPT_DATA,
    OPT_QUIET,
    OPT_VERBOSE,
    OPT_MUTANTS
};

static const struct option options[] = {{"iut", required_argument, NULL, OPT_IUT},
                                        {"role", required_argument, NULL, OPT_ROLE},
                                        {"level", required_argument, NULL, OPT_LEVEL},
                                        {"filter", required_argument, NULL, OPT_FILTER},
                                        {"strength", required_argument, NULL, OPT_STRENGTH},
                                        {"list", no_argument, NULL, OPT_LIST},
                                        {"jobs", required_argument, NULL, OPT_JOBS},
                                        {"timeout", required_argument, NULL, OPT_TIMEOUT},
                                        {"junit", required_argument, NULL, OPT_JUNIT},
                                        {"json", required_argument, NULL, OPT_JSON},
                                        {"tap", required_argument, NULL, OPT_TAP},
                                        {"baseline", required_argument, NULL, OPT_BASELINE},
                                        {"update-baseline", no_argument, NULL, OPT_UPDATE},
                                        {"keep", required_argument, NULL, OPT_KEEP},
                                        {"data", required_argument, NULL, OPT_DATA},
                                        {"quiet", no_argument, NULL, OPT_QUIET},
                                        {"verbose", no_argument, NULL, OPT_VERBOSE},
                                        {"mutants", optional_argument, NULL, OPT_MUTANTS},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};

static bool one_of(const char *word, const char *const *words, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

static int take_word(conform_options *o, int option) {
    static const char *const levels[] = {"must", "should", "profile"};
    static const char *const roles[] = {"initiator", "responder", "mailbox", "kms", "user", "parser"};
    if (option == OPT_LEVEL && !one_of(o->level = optarg, levels, 3))
        return cli_usage(CONFORM_COMMAND, "--level '%s': must, should or profile is wanted", optarg);
    if (option == OPT_ROLE && !one_of(optarg, roles, 6))
        return cli_usage(CONFORM_COMMAND,
                         "--role '%s': initiator, responder, mailbox, kms, user or parser is wanted", optarg);
    if ((option == OPT_ROLE ? o->n_roles : o->n_filters) == CONFORM_FILTERS_MAX)
        return cli_usage(CONFORM_COMMAND, "too many filters");
    if (option == OPT_ROLE)
        o->roles[o->n_roles++] = optarg;
    if (option == OPT_FILTER)
        o->filters[o->n_filters++] = optarg;
    return CLI_OK;
}

static int take_number(conform_options *o, int option) {
    if (option == OPT_STRENGTH && !cli_number(optarg, 1, 3, &o->strength))
        return cli_usage(CONFORM_COMMAND, "--strength '%s': 1, 2 or 3 is wanted", optarg);
    if (option == OPT_JOBS && !cli_number(optarg, 1, 64, &o->jobs))
        return cli_usage(CONFORM_COMMAND, "--jobs '%s': a number from 1 to 64 is wanted", optarg);
    if (option == OPT_TIMEOUT && !cli_number(optarg, 1, 86400, &o->timeout))
        return cli_usage(CONFORM_COMMAND, "--timeout '%s': seconds from 1 to 86400 are wanted", optarg);
    return CLI_OK;
}

static int take_option(conform_options *o, int option) {
    switch (option) {
    case OPT_ROLE:
    case OPT_LEVEL:
    case OPT_FILTER:
        return take_word(o, option);
    case OPT_STRENGTH:
    case OPT_JOBS:
    case OPT_TIMEOUT:
        return take_number(o, option);
    case OPT_LIST:
        o->list = true;
        return CLI_OK;
    case OPT_UPDATE:
        o->update = true;
        return CLI_OK;
    case OPT_MUTANTS:
        o->mutants = optarg ? optarg : "*";
        return CLI_OK;
    case OPT_QUIET:
        o->quiet = true;
        return CLI_OK;
    case OPT_VERBOSE:
        o->verbose = true;
        return CLI_OK;
    default:
        break;
    }
    const char **const texts[] = {[0] = &o->iut,
                                  [OPT_JUNIT - OPT_IUT] = &o->junit,
                                  [OPT_JSON - OPT_IUT] = &o->json,
                                  [OPT_TAP - OPT_IUT] = &o->tap,
                                  [OPT_BASELINE - OPT_IUT] = &o->baseline,
                                  [OPT_KEEP - OPT_IUT] = &o->keep,
                                  [OPT_DATA - OPT_IUT] = &o->data};
    if (option < OPT_IUT || option > OPT_DATA)
        return cli_usage(CONFORM_COMMAND, "unknown option");
    *texts[option - OPT_IUT] = optarg;
    return CLI_OK;
}

static int read_line(conform_options *o, int argc, char **argv, bool *help) {
    int option, status = CLI_OK;
    while (!status && !*help && (option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        *help = option == 'h';
        if (option == '?')
            return CLI_BAD;
        status = *help ? CLI_OK : take_option(o, option);
    }
    return status;
}

/* Whether what each says alone fits together. */
static int check(const conform_options *o, int argc, char **argv) {
    if (optind < argc)
        return cli_usage(CONFORM_COMMAND, "it takes options alone, and '%s' is none", argv[optind]);
    if (o->update && !o->baseline)
        return cli_usage(CONFORM_COMMAND, "--update-baseline needs --baseline");
    const char *const reports[] = {o->json, o->junit, o->tap};
    int status = report_files_check(CONFORM_COMMAND, reports, 3);
    return !status && o->update ? report_files_check(CONFORM_COMMAND, &o->baseline, 1) : status;
}

int conform_options_take(conform_options *o, int argc, char **argv, bool *help) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    const char *data = getenv("IBAKELAB_DATA");
    *o = (conform_options){.level = "profile",
                           .strength = 2,
                           .jobs = processors > 0 && processors <= 64 ? (uint64_t)processors : 2,
                           .data = data && *data ? data : IBAKELAB_DATA_DIR};
    *help = false;
    int status = read_line(o, argc, argv, help);
    if (status)
        return status;
    if (*help)
        fputs(help_text, stdout);
    return *help ? CLI_OK : check(o, argc, argv);
}

bool conform_options_piped(const conform_options *o) {
    const char *const reports[] = {o->junit, o->json, o->tap};
    for (size_t i = 0; i < 3; i++)
        if (reports[i] && strcmp(reports[i], "-") == 0)
            return true;
    return false;
}
