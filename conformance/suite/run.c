/* The supervisor: forks workers, hands them one case at a time, takes their outcomes. A worker that dies or
 * hangs costs the case that it was at, and is replaced. */
#include "conformance/suite/run.h"

#include "conformance/suite/pki.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { JOBS_MAX = 64, CASE_LIMIT = 1800 /* seconds for a whole case, whatever its adapter does */ };

typedef struct crew_member {
    pid_t pid;
    int fd;       /* -1: none */
    FILE *in;     /* of fd */
    size_t at;    /* the case that it plays */
    double since; /* when it began */
    bool busy;
} crew_member;

typedef struct crew {
    const suite_run_options *options;
    suite_result *results;
    size_t n, next, done;
    crew_member members[JOBS_MAX];
    char *ended;
    size_t ended_size;
    bool stopped;
} crew;

/* ---- outcomes between processes ---- */

static const char *const texts[] = {"requirement", "permitted", "reason", "sent", "came", "transcript"};

static char **text_at(suite_outcome *o, size_t i) {
    char **const at[] = {&o->requirement, &o->permitted, &o->reason, &o->sent, &o->came, &o->transcript};
    return at[i];
}

static json_t *pack(suite_outcome *o) {
    json_t *json = json_pack("{s:i, s:f, s:f, s:b}", "verdict", (int)o->verdict, "seconds", o->seconds,
                             "slowest", o->slowest, "slow", o->slow);
    for (size_t i = 0; json && i < sizeof texts / sizeof texts[0]; i++)
        if (*text_at(o, i))
            json_object_set_new(json, texts[i],
                                json_string(*text_at(o, i))); /* NULL for what is no UTF-8: left out */
    return json;
}

static bool unpack(suite_outcome *o, const json_t *json) {
    int verdict, slow;
    if (json_unpack((json_t *)json, "{s:i, s:F, s:F, s:b}", "verdict", &verdict, "seconds", &o->seconds,
                    "slowest", &o->slowest, "slow", &slow) != 0)
        return false;
    o->verdict = (suite_verdict)verdict;
    o->slow = slow;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *text = json_string_value(json_object_get(json, texts[i]));
        *text_at(o, i) = text ? strdup(text) : NULL;
    }
    return true;
}

/* ---- a worker ---- */

static bool bad(const suite_outcome *o) {
    return o->verdict != SUITE_PASS && o->verdict != SUITE_SKIPPED && o->verdict != SUITE_ERROR;
}

static bool same_text(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* A failure that does not come again is a verdict of its own. */
static void play_again(suite_worker *w, const suite_case *c, suite_outcome *first) {
    char how[128];
    suite_outcome again;
    suite_worker_stop(w, how, sizeof how);
    suite_trial_play(w, c, &again);
    if (again.verdict != first->verdict || !same_text(again.requirement, first->requirement)) {
        char *reason = NULL;
        size_t size;
        FILE *out = open_memstream(&reason, &size);
        if (out) {
            fprintf(out, "first %s (%s), then %s (%s)", suite_verdict_name(first->verdict),
                    first->reason ? first->reason : "", suite_verdict_name(again.verdict),
                    again.reason ? again.reason : "");
            fclose(out);
        }
        free(first->reason);
        first->reason = reason;
        first->verdict = SUITE_NONDETERMINISTIC;
    }
    suite_outcome_free(&again);
}

/* hello is asked for once, by the probe; a worker asks for its own. */
static void greet(suite_trial *t, const void *arg) {
    (void)arg;
    suite_do(t, SUITE_A, NULL, "parse", suite_json(t, "{'what': 'message', 'octets': ''}"));
}

static void get_hello(suite_worker *w) {
    static const suite_case c = {.name = "hello/hello", .wants = "", .run = greet};
    suite_outcome outcome;
    suite_trial_force(w, &c, &outcome); /* refused, most likely: what counts is that it was greeted */
    suite_outcome_free(&outcome);
}

static _Noreturn void work(const crew *c, int fd) {
    suite_worker w = {.command = c->options->command, .data = c->options->data, .limit = c->options->limit};
    FILE *in = fdopen(fd, "r"), *out = fdopen(dup(fd), "w");
    char line[32], how[256] = "";
    while (in && out && fgets(line, sizeof line, in)) {
        unsigned long index = strtoul(line, NULL, 10); /* of the supervisor's own making */
        suite_outcome outcome;
        if (!w.hello)
            get_hello(&w);
        suite_trial_play(&w, c->results[index].c, &outcome);
        if (bad(&outcome) && !c->options->once)
            play_again(&w, c->results[index].c, &outcome);
        json_t *json = pack(&outcome);
        json_dumpf(json, out, JSON_COMPACT);
        fputc('\n', out);
        fflush(out);
        json_decref(json);
        suite_outcome_free(&outcome);
    }
    suite_worker_stop(&w, how, sizeof how);
    if (out && *how)
        fprintf(out, "%s\n", how);
    if (in)
        fclose(in);
    if (out)
        fclose(out);
    json_decref(w.hello);
    suite_world_free(w.world);
    suite_holders_free();
    fflush(NULL);
    _exit(0);
}

/* ---- the crew ---- */

static bool hire(crew *c, crew_member *m) {
    int fds[2];
    *m = (crew_member){.fd = -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        return false;
    fflush(NULL);
    m->pid = fork();
    if (m->pid == 0) {
        close(fds[0]);
        for (size_t i = 0; i < JOBS_MAX; i++) /* or the others would not see the end of their input */
            if (c->members[i].fd >= 0)
                close(c->members[i].fd);
        work(c, fds[1]);
    }
    close(fds[1]);
    if (m->pid < 0) {
        close(fds[0]);
        return false;
    }
    m->fd = fds[0];
    m->in = fdopen(fds[0], "r");
    return m->in != NULL;
}

static void dismiss(crew_member *m, bool by_force) {
    if (m->fd < 0)
        return;
    if (by_force)
        kill(m->pid, SIGKILL); /* our own child, not yet waited for */
    if (m->in)
        fclose(m->in);
    else
        close(m->fd);
    waitpid(m->pid, NULL, 0);
    *m = (crew_member){.fd = -1};
}

static void give_work(crew *c, crew_member *m) {
    char line[32];
    if (m->fd < 0 || m->busy || c->next >= c->n || c->stopped)
        return;
    int n = snprintf(line, sizeof line, "%zu\n", c->next);
    m->at = c->next++;
    m->since = suite_clock();
    m->busy = true;
    if (write(m->fd, line, (size_t)n) != n)
        kill(m->pid, SIGKILL); /* it is seen when its answer does not come */
}

static void settle(crew *c, crew_member *m) {
    c->done++;
    m->busy = false;
    if (c->options->progress && !c->options->progress(c->options->user, &c->results[m->at]))
        c->stopped = true;
}

/* The worker ended or hangs in the middle of a case. */
static void lose(crew *c, crew_member *m, const char *why) {
    suite_outcome *o = &c->results[m->at].outcome;
    suite_outcome_free(o);
    o->verdict = SUITE_ERROR;
    o->reason = strdup(why);
    bool busy = m->busy;
    size_t at = m->at;
    dismiss(m, true);
    m->at = at;
    if (busy)
        settle(c, m);
    hire(c, m);
}

static void take_outcome(crew *c, crew_member *m) {
    char *line = NULL;
    size_t size = 0;
    ssize_t n = getline(&line, &size, m->in);
    json_t *json = n > 0 ? json_loads(line, 0, NULL) : NULL;
    if (json && m->busy && unpack(&c->results[m->at].outcome, json))
        settle(c, m);
    else
        lose(c, m, "the suite itself broke down in this case");
    json_decref(json);
    free(line);
}

static void watch(crew *c, unsigned jobs) {
    struct pollfd fds[JOBS_MAX];
    for (unsigned i = 0; i < jobs; i++)
        fds[i] = (struct pollfd){.fd = c->members[i].busy ? c->members[i].fd : -1, .events = POLLIN};
    if (poll(fds, jobs, 1000) < 0 && errno != EINTR)
        return;
    for (unsigned i = 0; i < jobs; i++) {
        crew_member *m = &c->members[i];
        if (m->busy && fds[i].revents)
            take_outcome(c, m);
        else if (m->busy && suite_clock() - m->since > CASE_LIMIT)
            lose(c, m, "the case did not end");
    }
}

/* Sends a worker home and hears how its adapters ended. */
static void send_home(crew *c, crew_member *m) {
    char line[256];
    if (m->fd < 0)
        return;
    shutdown(m->fd, SHUT_WR);
    while (fgets(line, sizeof line, m->in)) {
        line[strcspn(line, "\n")] = '\0';
        snprintf(c->ended, c->ended_size, "%s", line);
    }
    dismiss(m, false);
}

bool suite_run(const suite_run_options *options, suite_result *results, size_t n, char *ended,
               size_t ended_size, char *error, size_t error_size) {
    crew c = {.options = options, .results = results, .n = n, .ended = ended, .ended_size = ended_size};
    unsigned jobs = options->jobs < JOBS_MAX ? options->jobs : JOBS_MAX, hired = 0;
    *ended = '\0';
    for (size_t i = 0; i < JOBS_MAX; i++)
        c.members[i].fd = -1;
    for (unsigned i = 0; i < jobs && i < n; i++)
        hired += hire(&c, &c.members[i]);
    if (n > 0 && hired == 0) {
        snprintf(error, error_size, "no worker could be started: %s", strerror(errno));
        return false;
    }
    bool working = true;
    while (working) {
        working = false;
        for (unsigned i = 0; i < jobs; i++) {
            give_work(&c, &c.members[i]);
            working |= c.members[i].busy;
        }
        if (working)
            watch(&c, jobs);
    }
    for (unsigned i = 0; i < jobs; i++)
        send_home(&c, &c.members[i]);
    for (size_t i = c.next; i < n; i++) {
        results[i].outcome.verdict = c.stopped ? SUITE_SKIPPED : SUITE_ERROR;
        results[i].outcome.reason = strdup("it was not played any more");
    }
    return true;
}

void suite_results_free(suite_result *results, size_t n) {
    for (size_t i = 0; results && i < n; i++)
        suite_outcome_free(&results[i].outcome);
    free(results);
}
