/* A node's processor in virtual time: some cores, one queue in order of arrival. A job is the sum of the
 * operations that were carried out for one step of the protocol; the step leaves the node when its job has
 * been done. */
#ifndef CPU_CPU_H
#define CPU_CPU_H

#include "cpu/model.h"
#include "ns3shim/n3.h"

typedef struct cpu cpu;
typedef struct cpu_job cpu_job;

typedef struct cpu_job_times {
    uint64_t submitted_ns, started_ns, ended_ns; /* virtual time */
} cpu_job_times;

/* The job is over and freed. */
typedef void cpu_done(void *arg, const cpu_job_times *times);

#define CPU_ABOUT_MAX 128

typedef struct cpu_config {
    n3_sim *sim;
    const cpu_model *model; /* copied */
    unsigned cores;         /* 1 to CPU_MAX_CORES */
    /* Told of every job that ends, before its `done`; may be NULL. */
    void (*ended)(void *user, const char *what, const char *about, const cpu_job_times *times);
    void *user;
} cpu_config;

ibk_err cpu_new(cpu **out, const cpu_config *config); /* IBK_ERR_USAGE, IBK_ERR_NO_MEMORY */
void cpu_free(cpu *c);                                /* jobs end without a word; NULL is legal */

/* Adds an operation to the account of the step that is being carried out. One for which the model has no time
 * counts nothing and is remembered: cpu_missing. */
void cpu_charge(cpu *c, ibk_work what, unsigned size);
/* Closes the account: what was charged since the last call. */
uint64_t cpu_take(cpu *c);
/* The first operation for which the model has no time. False: there was none. */
bool cpu_missing(const cpu *c, ibk_work *what, unsigned *size);

/* What a job is for: `what` is static, `about` (a Call-ID, or "") is copied, up to CPU_ABOUT_MAX octets. */
typedef struct cpu_work {
    uint64_t cost_ns;
    const char *what, *about;
} cpu_work;

/* Hands in a job; `done` (may be NULL) runs when it is over, never inside this call. NULL: out of memory. The
 * pointer is valid until then. */
cpu_job *cpu_submit(cpu *c, const cpu_work *work, cpu_done *done, void *arg);
/* `done` will not run. The work is done all the same: nobody takes it out of the queue. */
void cpu_forget(cpu_job *job);

typedef struct cpu_stats {
    uint64_t operations, jobs;                      /* charged; jobs that ended */
    uint64_t busy_ns;                               /* of all cores together, up to now */
    uint64_t queue_max;                             /* jobs that waited for a core at once */
    uint64_t waited;                                /* jobs that began, of which: */
    uint64_t wait_min_ns, wait_max_ns, wait_sum_ns; /* from being handed in to the beginning */
} cpu_stats;

cpu_stats cpu_get_stats(const cpu *c);
unsigned cpu_cores(const cpu *c);
const cpu_model *cpu_get_model(const cpu *c);

#endif
