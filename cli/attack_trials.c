#include "cli/attack_trials.h"
#include "cli/children.h"
#include "run/run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The trial that is being started: its process has a copy of it. */
typedef struct start {
    const trials *t;
    attack attack;
} start;

const char *trial_name(uint64_t broken) {
    for (unsigned i = 0; i < SCN_PROPERTIES; i++)
        if (broken >> i & 1)
            return scn_property_name((scn_property)i);
    return broken & TRIAL_CRASHED ? "crash" : "nothing";
}

/* ---- in the process of the trial
 * -------------------------------------------------------------------------------------- */

static void take_properties(trial *out, const result *r) {
    for (size_t i = r->property_count; i-- > 0;) {
        if (r->properties[i].holds)
            continue;
        out->broken |= UINT64_C(1) << i;
        snprintf(out->detail, sizeof out->detail, "%s", r->properties[i].detail);
    }
}

static void play(trial *out, const scn_scenario *scenario) {
    run_outcome outcome;
    ibk_diag diag;
    run_options options = {0};
    ibk_err err = run_scenario(&outcome, scenario, &options, &diag);
    if (err) {
        out->broken = TRIAL_CRASHED;
        snprintf(out->detail, sizeof out->detail, "the run failed: %s (%s)", ibk_err_text(err), diag.detail);
    } else {
        take_properties(out, &outcome.result);
        run_outcome_free(&outcome);
    }
}

static trial try_one(const trials *t, const attack *a) {
    trial out = {0};
    ibk_buf yaml = {0};
    scn_errors errors;
    scn_scenario *scenario = NULL;
    attack_file file = {.base = t->base,
                        .title = "an attack",
                        .adversary = attack_adversary(t->scenario),
                        .expect = "  users: {registered: all}\n"};
    ibk_err err = attack_write(&yaml, a, &file);
    if (!err)
        err = scn_load_text(&scenario, &errors, "attack", ibk_buf_span(&yaml), t->options->sets,
                            t->options->set_count);
    if (err) {
        out.refused = true;
        snprintf(out.detail, sizeof out.detail, "%.190s", errors.count ? errors.list[0].message : "");
    } else {
        play(&out, scenario);
    }
    scn_free(scenario);
    ibk_buf_free(&yaml);
    return out;
}

/* ---- around it
 * ---------------------------------------------------------------------------------------------------- */

/* In the process of the trial. */
static int work(void *user, size_t index, FILE *output) {
    const start *s = user;
    (void)index;
    alarm(TRIAL_SECONDS);
    trial outcome = try_one(s->t, &s->attack);
    return fwrite(&outcome, sizeof outcome, 1, output) == 1 ? CLI_OK : CLI_INTERNAL;
}

static trial outcome_of(const child_end *end) {
    trial got;
    int status = end->status;
    bool whole = fread(&got, sizeof got, 1, end->output) == 1;
    fclose(end->output);
    if (whole && WIFEXITED(status) && WEXITSTATUS(status) == CLI_OK)
        return got;
    got = (trial){.broken = TRIAL_CRASHED};
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(got.detail, sizeof got.detail, "the run did not end within %d s", TRIAL_SECONDS);
    else if (WIFSIGNALED(status))
        snprintf(got.detail, sizeof got.detail, "the run was ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(got.detail, sizeof got.detail, "the run left with status %d", WEXITSTATUS(status));
    return got;
}

bool trials_first(const trials *t, trials_next *next, void *from, uint64_t wanted, size_t *index,
                  attack *found, trial *what, size_t *tried, ibk_err *err) {
    size_t best = SIZE_MAX;
    bool more = true;
    start next_one = {.t = t};
    children c;
    child_end ended;
    *tried = 0;
    *err = children_begin(&c, t->jobs) ? IBK_OK : IBK_ERR_NO_MEMORY;
    while ((more && !*err) || c.running) {
        if (more && !*err && best == SIZE_MAX && c.running < c.max) {
            more = next(from, *tried, &next_one.attack);
            if (more && !children_start(&c, *tried, work, &next_one))
                *err = errno == EMFILE || errno == ENFILE ? IBK_ERR_IO : IBK_ERR_NO_MEMORY;
            if (more && !*err && t->progress)
                t->progress(t->user, *tried);
            *tried += more && !*err;
            continue;
        }
        if (!children_next(&c, &ended, true))
            break;
        trial got = outcome_of(&ended);
        if ((got.broken & wanted) && ended.index < best) { /* earlier ones may still run */
            best = ended.index;
            *what = got;
        }
    }
    children_end(&c);
    if (best != SIZE_MAX) {
        next(from, best, found);
        *tried = best + 1; /* what others began beyond it does not count */
    }
    *index = best;
    return best != SIZE_MAX;
}
