#include "cli/attack_result.h"

#include "reports/model.h"
#include "run/run.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#define COMMAND "attack"

enum { NAME_LEN = 300 };

/* ---- the runs that show it --------------------------------------------------------------------------- */

/* Plays a scenario file of c->out into the folder of its name. False: it is no scenario without what was
 * --set, or it cannot be played; that is no failure of the campaign. */
static bool play(const attack_campaign *c, const char *name, bool with_sets) {
    char path[PATH_MAX], dir[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s.yaml", c->out, name);
    snprintf(dir, sizeof dir, "%s/%s", c->out, name);
    scn_errors errors = {0};
    scn_scenario *scenario = NULL;
    run_outcome outcome;
    ibk_diag diag;
    run_options options = {.out_dir = dir, .keylog = true};
    if (scn_load_file(&scenario, &errors, path, c->options->sets, with_sets ? c->options->set_count : 0))
        return false;
    bool played = run_scenario(&outcome, scenario, &options, &diag) == IBK_OK;
    run_outcome_free(&outcome);
    scn_free(scenario);
    return played;
}

static bool write_twin(const attack_campaign *c, const char *name) {
    char path[PATH_MAX], title[200], expect[80], comment[400];
    const char *property = trial_name(c->what->broken);
    ibk_buf yaml = {0};
    ibk_diag diag;
    snprintf(path, sizeof path, "%s/%s.yaml", c->out, name);
    snprintf(title, sizeof title, "%.120s: %s holds", c->scenario->title, property);
    snprintf(expect, sizeof expect, "  security: {holds: [%s]}\n", property);
    snprintf(comment, sizeof comment, "The attack of %s, with nothing overridden.", c->kept);
    attack_file file = {.base = c->base,
                        .title = title,
                        .comment = comment,
                        .adversary = attack_adversary(c->scenario),
                        .expect = expect};
    bool good = !attack_write(&yaml, c->found, &file) &&
                !cli_write_file(path, ibk_buf_span(&yaml), 0644, true, &diag);
    ibk_buf_free(&yaml);
    return good;
}

/* The folders' names, or "". */
static void play_both(const attack_campaign *c, char run[NAME_LEN], char twin[NAME_LEN]) {
    int len = (int)(strlen(c->kept) - strlen(".yaml"));
    snprintf(run, NAME_LEN, "%.*s", len, c->kept);
    snprintf(twin, NAME_LEN, "%.*s-twin", len, c->kept);
    bool crashed = c->what->broken & TRIAL_CRASHED; /* and would take us along */
    if (crashed || !play(c, run, true))
        *run = '\0';
    if (crashed || c->options->set_count == 0 || !write_twin(c, twin) || !play(c, twin, false))
        *twin = '\0';
}

/* ---- the result -------------------------------------------------------------------------------------- */

/* Of all attacks that were tried. Composed again, since those that ran beside the one that broke something,
 * but later, do not count. */
static uint64_t rules_tried(const attack_campaign *c) {
    attack a;
    uint64_t rules = 0;
    for (size_t round = 1; round <= c->rounds && !attack_compose(&a, c->scenario, c->seed, round); round++)
        rules += a.rule_count;
    return rules;
}

static void add_checks(result_model *m, const attack_campaign *c) {
    char path[PATH_MAX], id[80], text[120];
    uint64_t broken = c->found ? c->what->broken : 0;
    snprintf(path, sizeof path, "%s/%s", c->out, c->found ? c->kept : "");
    bool told = false; /* the detail is that of the first one */
    for (unsigned i = 0; i < SCN_PROPERTIES; i++) {
        bool fails = broken >> i & 1;
        snprintf(id, sizeof id, "security/%s", scn_property_name((scn_property)i));
        snprintf(text, sizeof text, "the security property %s holds, whatever the adversary does",
                 scn_property_name((scn_property)i));
        model_check(m, &(model_check_row){.id = id,
                                          .text = text,
                                          .outcome = fails ? MODEL_FAIL : MODEL_PASS,
                                          .detail = fails && !told ? c->what->detail : NULL,
                                          .file = fails ? path : NULL});
        told |= fails;
    }
    bool crashed = broken & TRIAL_CRASHED;
    model_check(m, &(model_check_row){.id = "run/crash",
                                      .text = "no run crashes, fails by itself, or goes on for ever",
                                      .outcome = crashed ? MODEL_FAIL : MODEL_PASS,
                                      .detail = crashed ? c->what->detail : NULL,
                                      .file = crashed ? path : NULL});
}

static json_t *broken_json(uint64_t broken, bool *ok) {
    json_t *list = json_array();
    for (unsigned i = 0; i < SCN_PROPERTIES; i++)
        if (broken >> i & 1)
            jb_append(list, json_string(scn_property_name((scn_property)i)), ok);
    if (broken & TRIAL_CRASHED)
        jb_append(list, json_string(trial_name(TRIAL_CRASHED)), ok);
    return list;
}

static json_t *rules_json(const attack *a, bool *ok) {
    json_t *rules = json_array();
    for (size_t i = 0; i < a->rule_count; i++) {
        json_t *rule = json_object();
        for (size_t k = 0; k < a->rules[i].count; k++)
            jb_set(rule, a->rules[i].keys[k].key, jb_text(a->rules[i].keys[k].value), ok);
        jb_append(rules, rule, ok);
    }
    return rules;
}

static json_t *found_json(const attack_campaign *c, bool *ok) {
    char run[NAME_LEN], twin[NAME_LEN];
    if (!c->found)
        return json_null();
    play_both(c, run, twin);
    json_t *found = json_object();
    jb_set(found, "round", jb_count(c->round), ok);
    jb_set(found, "property", jb_text(trial_name(c->what->broken)), ok);
    jb_set(found, "broken", broken_json(c->what->broken, ok), ok);
    jb_set(found, "detail", jb_text(c->what->detail), ok);
    jb_set(found, "rules_before", jb_count(c->rules_before), ok);
    jb_set(found, "tries", jb_count(c->tries), ok);
    jb_set(found, "rules", rules_json(c->found, ok), ok);
    jb_set(found, "file", jb_text(c->kept), ok);
    jb_set(found, "run", jb_text(*run ? run : NULL), ok);
    jb_set(found, "twin", jb_text(*twin ? twin : NULL), ok);
    return found;
}

int attack_result_write(const attack_campaign *c) {
    result_model m;
    char title[300], path[PATH_MAX];
    json_t *sets = json_array();
    uint64_t rules = rules_tried(c);
    snprintf(title, sizeof title, "A random adversary against: %.200s", c->scenario->title);
    model_begin(&m, "attack", title, c->file);
    model_version(&m, "ibakelab", IBAKELAB_VERSION);
    add_checks(&m, c);
    model_measure(&m, "rounds", (double)c->rounds, "attacks");
    model_measure(&m, "rules", (double)rules, "rules");
    model_set(&m, "seed", jb_decimal(c->seed));
    model_set(&m, "adversary", jb_text(attack_adversary(c->scenario)));
    for (size_t i = 0; i < c->options->set_count; i++)
        jb_append(sets, jb_text(c->options->sets[i]), &m.ok);
    model_set(&m, "set", sets);
    model_set(&m, "rounds_planned", jb_count(c->rounds_planned));
    model_set(&m, "rounds", jb_count(c->rounds));
    model_set(&m, "rules", jb_count(rules));
    model_set(&m, "found", found_json(c, &m.ok));
    ibk_diag diag = {0};
    ibk_err err = run_make_folder(c->out, &diag);
    snprintf(path, sizeof path, "%s/result.json", c->out);
    err = err ? err : model_write(&m, path, &diag);
    model_free(&m);
    return err ? cli_fail(COMMAND, c->out, err, &diag) : CLI_OK;
}

void attack_result_clear(const char *out) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/result.json", out);
    unlink(path);
}
