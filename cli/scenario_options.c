#include "cli/scenario_options.h"
#include "reports/terminal.h"

#include <string.h>

int scenario_options_set(scenario_options *o, const char *command, const char *text) {
    if (!strchr(text, '='))
        return cli_usage(command, "--set takes path=value, not '%s'", text);
    if (o->set_count == CLI_SETS_MAX)
        return cli_usage(command, "more than %d --set", CLI_SETS_MAX);
    o->sets[o->set_count++] = text;
    return CLI_OK;
}

int scenario_options_seed(scenario_options *o, const char *command, const char *text) {
    uint64_t seed;
    if (!cli_number(text, 0, INT64_MAX, &seed))
        return cli_usage(command, "--seed takes a number from 0 to 2^63 - 1, not '%s'", text);
    bool first = !o->seed[0];
    snprintf(o->seed, sizeof o->seed, "seed=%llu", (unsigned long long)seed);
    return first ? scenario_options_set(o, command, o->seed) : CLI_OK;
}

int scenario_options_load(const scenario_options *o, const char *command, const char *path,
                          scn_scenario **out) {
    scn_errors errors = {0};
    ibk_err err = scn_load_file(out, &errors, path, o->sets, o->set_count);
    if (!err)
        return CLI_OK;
    if (errors.count == 0)
        return cli_fail(command, path, err, NULL);
    term t;
    term_probe(&t, stderr);
    scn_errors_print(&errors, stderr, t.colour);
    return err == IBK_ERR_NO_MEMORY ? CLI_INTERNAL : CLI_BAD;
}

void scenario_options_name(char *out, size_t size, const char *path) {
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *dot = strrchr(base, '.');
    snprintf(out, size, "%.*s", dot && dot != base ? (int)(dot - base) : (int)strlen(base), base);
}
