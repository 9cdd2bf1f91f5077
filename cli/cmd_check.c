/* ibakelab check: are these scenario files sound? ibakelab show: a scenario with every default filled in. */
#include "cli/scenario_options.h"

#include <getopt.h>
#include <string.h>

static const char check_help[] =
    "Usage: ibakelab check FILE… [--seed N] [--set path=value]…\n"
    "\n"
    "Reads scenario files without playing them and tells everything that is wrong, with line and column.\n"
    "\n"
    "Exit status: 0 all are sound, 2 one is not, 3 internal.\n";

static const char show_help[] = "Usage: ibakelab show FILE [--seed N] [--set path=value]…\n"
                                "       ibakelab show --reference\n"
                                "\n"
                                "Prints the resolved configuration: the scenario as YAML with every default "
                                "filled in and every override\n"
                                "applied. It can be run again as it stands. --reference explains every key "
                                "that a scenario may have, with\n"
                                "type, unit, default and range.\n"
                                "\n"
                                "Exit status: 0 done, 2 the file or an option is wrong, 3 internal.\n";

typedef struct options {
    scenario_options scenario;
    bool reference;
} options;

/* -1: help was printed. */
static int read_options(options *o, const char *command, const char *help, int argc, char **argv) {
    static const struct option names[] = {{"seed", required_argument, NULL, 's'},
                                          {"set", required_argument, NULL, 'S'},
                                          {"reference", no_argument, NULL, 'r'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    int c, status = CLI_OK;
    *o = (options){0};
    while (!status && (c = getopt_long(argc, argv, "h", names, NULL)) != -1) {
        if (c == 'h') {
            fputs(help, stdout);
            return -1;
        }
        if (c == 's')
            status = scenario_options_seed(&o->scenario, command, optarg);
        else if (c == 'S')
            status = scenario_options_set(&o->scenario, command, optarg);
        else if (c == 'r' && strcmp(command, "show") == 0)
            o->reference = true;
        else
            status = cli_usage(command, "see the options");
    }
    return status;
}

int cmd_check_main(int argc, char **argv) {
    options o;
    int status = read_options(&o, "check", check_help, argc, argv);
    if (status < 0)
        return cli_finish("check", CLI_OK);
    if (!status && optind == argc)
        status = cli_usage("check", "a scenario file is missing");
    if (status)
        return status;
    for (int i = optind; i < argc; i++) {
        scn_scenario *scenario;
        int one = scenario_options_load(&o.scenario, "check", argv[i], &scenario);
        if (one == CLI_OK) {
            printf("%s: sound: %zu users, %zu calls, %zu expectations\n", argv[i], scenario->user_count,
                   scenario->call_count, scenario->expectation_count);
            scn_free(scenario);
        }
        status = one > status ? one : status;
    }
    return cli_finish("check", status);
}

static int print(ibk_err err, ibk_buf *text) {
    if (!err)
        fwrite(text->data, 1, text->len, stdout);
    ibk_buf_free(text);
    return err ? cli_fail("show", "output", err, NULL) : cli_finish("show", CLI_OK);
}

int cmd_show_main(int argc, char **argv) {
    options o;
    ibk_buf text = {0};
    int status = read_options(&o, "show", show_help, argc, argv);
    if (status < 0)
        return cli_finish("show", CLI_OK);
    if (status)
        return status;
    if (o.reference && optind == argc) {
        ibk_err err = scn_reference_text(&text);
        return print(err, &text);
    }
    if (o.reference || argc - optind != 1)
        return cli_usage("show", "one scenario file is needed");
    scn_scenario *scenario;
    status = scenario_options_load(&o.scenario, "show", argv[optind], &scenario);
    if (status)
        return status;
    ibk_err err = scn_write_resolved(&text, scenario);
    scn_free(scenario);
    return print(err, &text);
}
