#include "cpu/cpu.h"

#include <stdio.h>
#include <stdlib.h>

struct cpu_job {
    cpu *c;
    uint64_t cost_ns;
    const char *what;
    char about[CPU_ABOUT_MAX];
    cpu_job_times times;
    cpu_done *done;
    void *arg;
    n3_timer timer; /* 0: it waits */
    cpu_job *next, **link;
};

struct cpu {
    n3_sim *sim;
    cpu_config config;
    cpu_model model;
    unsigned cores, busy;
    cpu_job *running; /* in no order */
    cpu_job *queue, **queue_end;
    uint64_t queued;
    uint64_t account_ns;
    ibk_work missing; /* 0: nothing is */
    unsigned missing_size;
    cpu_stats stats;
};

ibk_err cpu_new(cpu **out, const cpu_config *config) {
    *out = NULL;
    if (config->cores < 1 || config->cores > CPU_MAX_CORES)
        return IBK_ERR_USAGE;
    cpu *c = calloc(1, sizeof *c);
    if (!c)
        return IBK_ERR_NO_MEMORY;
    *c = (cpu){.sim = config->sim, .config = *config, .model = *config->model, .cores = config->cores};
    c->config.model = &c->model;
    c->queue_end = &c->queue;
    *out = c;
    return IBK_OK;
}

static void free_jobs(cpu *c, cpu_job *job) {
    for (cpu_job *next; job; job = next) {
        next = job->next;
        n3_cancel(c->sim, job->timer);
        free(job);
    }
}

void cpu_free(cpu *c) {
    if (!c)
        return;
    free_jobs(c, c->running);
    free_jobs(c, c->queue);
    free(c);
}

/* ---- the account
 * -------------------------------------------------------------------------------------------- */

void cpu_charge(cpu *c, ibk_work what, unsigned size) {
    uint64_t ns;
    c->stats.operations++;
    if (cpu_model_cost(&c->model, what, size, &ns)) {
        c->account_ns += ns;
    } else if (!c->missing) {
        c->missing = what;
        c->missing_size = size;
    }
}

uint64_t cpu_take(cpu *c) {
    uint64_t taken = c->account_ns;
    c->account_ns = 0;
    return taken;
}

bool cpu_missing(const cpu *c, ibk_work *what, unsigned *size) {
    *what = c->missing;
    *size = c->missing_size;
    return c->missing != 0;
}

/* ---- jobs
 * --------------------------------------------------------------------------------------------------- */

static void ended(void *arg);

static void start(cpu_job *job) {
    cpu *c = job->c;
    cpu_stats *s = &c->stats;
    uint64_t now = n3_now(c->sim), wait = now - job->times.submitted_ns;
    job->times.started_ns = now;
    s->wait_min_ns = s->waited == 0 || wait < s->wait_min_ns ? wait : s->wait_min_ns;
    s->wait_max_ns = wait > s->wait_max_ns ? wait : s->wait_max_ns;
    s->wait_sum_ns += wait;
    s->waited++;
    c->busy++;
    job->next = c->running;
    job->link = &c->running;
    if (job->next)
        job->next->link = &job->next;
    c->running = job;
    n3_schedule(c->sim, &job->timer, job->cost_ns, ended, job);
}

static void start_waiting(cpu *c) {
    while (c->queue && c->busy < c->cores) {
        cpu_job *job = c->queue;
        c->queue = job->next;
        if (!c->queue)
            c->queue_end = &c->queue;
        c->queued--;
        start(job);
    }
}

static void ended(void *arg) {
    cpu_job *job = arg;
    cpu *c = job->c;
    cpu_done *done = job->done;
    void *user = job->arg;
    cpu_job_times times = job->times;
    times.ended_ns = n3_now(c->sim);
    *job->link = job->next;
    if (job->next)
        job->next->link = job->link;
    c->busy--;
    c->stats.jobs++;
    c->stats.busy_ns += times.ended_ns - times.started_ns;
    if (c->config.ended)
        c->config.ended(c->config.user, job->what, job->about, &times);
    free(job);
    start_waiting(c);
    if (done)
        done(user, &times);
}

cpu_job *cpu_submit(cpu *c, const cpu_work *work, cpu_done *done, void *arg) {
    cpu_job *job = calloc(1, sizeof *job);
    if (!job)
        return NULL;
    *job = (cpu_job){.c = c, .cost_ns = work->cost_ns, .what = work->what, .done = done, .arg = arg};
    snprintf(job->about, sizeof job->about, "%s", work->about);
    job->times.submitted_ns = n3_now(c->sim);
    *c->queue_end = job;
    c->queue_end = &job->next;
    c->queued++;
    start_waiting(c);
    if (c->queued > c->stats.queue_max)
        c->stats.queue_max = c->queued;
    return job;
}

void cpu_forget(cpu_job *job) {
    if (job)
        job->done = NULL;
}

/* ---- what is known
 * ------------------------------------------------------------------------------------------ */

cpu_stats cpu_get_stats(const cpu *c) {
    cpu_stats stats = c->stats;
    for (const cpu_job *job = c->running; job; job = job->next)
        stats.busy_ns += n3_now(c->sim) - job->times.started_ns;
    return stats;
}

unsigned cpu_cores(const cpu *c) {
    return c->cores;
}

const cpu_model *cpu_get_model(const cpu *c) {
    return &c->model;
}
