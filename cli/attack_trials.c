#include "cli/attack_trials.h"
#include "run/run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* One trial that runs, or has run. */
typedef struct slot {
    pid_t pid; /* 0: it has ended */
    int pipe;
    size_t index;
    attack attack;
    trial result;
} slot;

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

static ibk_err begin(const trials *t, slot *s) {
    int ends[2];
    if (pipe(ends))
        return IBK_ERR_IO;
    fflush(NULL);
    s->pid = fork();
    if (s->pid < 0) {
        close(ends[0]);
        close(ends[1]);
        s->pid = 0;
        return IBK_ERR_NO_MEMORY;
    }
    if (s->pid == 0) {
        close(ends[0]);
        alarm(TRIAL_SECONDS);
        trial outcome = try_one(t, &s->attack);
        ssize_t wrote = write(ends[1], &outcome, sizeof outcome); /* fits a pipe */
        _exit(wrote == (ssize_t)sizeof outcome ? CLI_OK : CLI_INTERNAL);
    }
    close(ends[1]);
    s->pipe = ends[0];
    return IBK_OK;
}

static void end(slot *s, int status) {
    bool whole = read(s->pipe, &s->result, sizeof s->result) == (ssize_t)sizeof s->result;
    close(s->pipe);
    s->pid = 0;
    if (whole && WIFEXITED(status) && WEXITSTATUS(status) == CLI_OK)
        return;
    s->result = (trial){.broken = TRIAL_CRASHED};
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(s->result.detail, sizeof s->result.detail, "the run did not end within %d s", TRIAL_SECONDS);
    else if (WIFSIGNALED(status))
        snprintf(s->result.detail, sizeof s->result.detail, "the run was ended by signal %d (%s)",
                 WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(s->result.detail, sizeof s->result.detail, "the run left with status %d",
                 WEXITSTATUS(status));
}

static size_t running(const slot *slots, size_t jobs) {
    size_t count = 0;
    for (size_t i = 0; i < jobs; i++)
        count += slots[i].pid != 0;
    return count;
}

static slot *free_slot(slot *slots, size_t jobs) {
    for (size_t i = 0; i < jobs; i++)
        if (!slots[i].pid)
            return &slots[i];
    return NULL;
}

static slot *wait_one(slot *slots, size_t jobs) {
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, 0)) < 0 && errno == EINTR) {
    }
    for (size_t i = 0; i < jobs; i++)
        if (pid > 0 && slots[i].pid == pid) {
            end(&slots[i], status);
            return &slots[i];
        }
    return NULL;
}

bool trials_first(const trials *t, trials_next *next, void *from, uint64_t wanted, size_t *index,
                  attack *found, trial *what, size_t *tried, ibk_err *err) {
    size_t best = SIZE_MAX;
    bool more = true;
    slot *slots = calloc(t->jobs, sizeof *slots);
    *tried = 0;
    *err = slots ? IBK_OK : IBK_ERR_NO_MEMORY;
    while (slots && ((more && !*err) || running(slots, t->jobs))) {
        slot *s = more && !*err && best == SIZE_MAX ? free_slot(slots, t->jobs) : NULL;
        if (s) {
            s->index = *tried;
            more = next(from, s->index, &s->attack);
            if (more)
                *err = begin(t, s);
            if (more && !*err && t->progress)
                t->progress(t->user, *tried);
            *tried += more && !*err;
            continue;
        }
        if (!running(slots, t->jobs))
            break;
        s = wait_one(slots, t->jobs);
        if (s && (s->result.broken & wanted) && s->index < best) { /* earlier ones may still run */
            best = s->index;
            *found = s->attack;
            *what = s->result;
        }
    }
    free(slots);
    if (best != SIZE_MAX)
        *tried = best + 1; /* what others began beyond it does not count */
    *index = best;
    return best != SIZE_MAX;
}
