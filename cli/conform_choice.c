#include "cli/conform_choice.h"

#include "cli/cli.h"
#include "conformance/cases/cases.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static bool level_fits(const conform_choice *c, const conform_options *o, const suite_case *k) {
    cr_level highest = strcmp(o->level, "must") == 0     ? CR_MUST
                       : strcmp(o->level, "should") == 0 ? CR_SHOULD
                                                         : CR_PROFILE;
    if (highest == CR_PROFILE)
        return true;
    for (const char *at = k->requirements; *at; at += strcspn(at, " "), at += *at == ' ') {
        char id[32];
        snprintf(id, sizeof id, "%.*s", (int)strcspn(at, " "), at);
        const cr_requirement *q = cr_find(c->requirements, id);
        if (q && q->level <= highest)
            return true;
    }
    return false;
}

static bool role_fits(const conform_options *o, const suite_case *k) {
    for (size_t i = 0; i < o->n_roles; i++) {
        const char *at = strstr(k->wants, "roles:");
        size_t len = at ? strcspn(at, " ") : 0;
        const char *found = at ? strstr(at, o->roles[i]) : NULL;
        if (found && found < at + len)
            return true;
    }
    return o->n_roles == 0;
}

static bool fits(const conform_choice *c, const conform_options *o, const suite_case *k) {
    bool matches = o->n_filters == 0;
    for (size_t i = 0; i < o->n_filters && !matches; i++)
        matches = fnmatch(o->filters[i], k->name, 0) == 0;
    return matches && level_fits(c, o, k) && role_fits(o, k);
}

static int choose(conform_choice *c, const conform_options *o) {
    size_t all = suite_list_count(c->cases);
    c->results = calloc(all ? all : 1, sizeof *c->results);
    if (!c->results)
        return cli_fail(CONFORM_COMMAND, "cases", IBK_ERR_NO_MEMORY, NULL);
    for (size_t i = 0; i < all; i++)
        if (fits(c, o, suite_list_at(c->cases, i)))
            c->results[c->n++].c = suite_list_at(c->cases, i);
    return c->n > 0
               ? CLI_OK
               : cli_error(CONFORM_COMMAND, "no case fits --filter, --role and --level: nothing was judged");
}

int conform_choose(conform_choice *out, const conform_options *o) {
    char path[4200], error[512];
    *out = (conform_choice){0};
    snprintf(path, sizeof path, "%s/conformance/requirements", o->data);
    out->requirements = cr_load(path, error, sizeof error);
    if (!out->requirements)
        return cli_error(CONFORM_COMMAND, "%s", error);
    out->cases = suite_list_new((unsigned)o->strength);
    if (!out->cases)
        return cli_fail(CONFORM_COMMAND, "cases", IBK_ERR_NO_MEMORY, NULL);
    cases_all(out->cases);
    const char *trouble = suite_list_trouble(out->cases);
    if (trouble) {
        cli_error(CONFORM_COMMAND, "%s", trouble);
        return CLI_INTERNAL;
    }
    return choose(out, o);
}

void conform_choice_free(conform_choice *choice) {
    suite_results_free(choice->results, choice->n);
    suite_list_free(choice->cases);
    cr_free(choice->requirements);
    *choice = (conform_choice){0};
}
