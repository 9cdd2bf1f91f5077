/* One run of a scenario: build the world, play it, judge it, write what happened. */
#ifndef SIM_RUN_RUN_H
#define SIM_RUN_RUN_H

#include "reports/result.h"
#include "scenario/model.h"
#include "trace/trace.h"

typedef struct run_options {
    const char *out_dir; /* made if it does not exist; NULL: nothing is written */
    bool keylog;         /* write keys.log */
    /* Called now and then with the virtual time; may be NULL. */
    void (*progress)(void *user, uint64_t virtual_ns);
    void *user;
    size_t max_events; /* events kept in memory for the ladder; 0: none */
} run_options;

typedef struct run_outcome {
    result result;        /* freed by run_outcome_free */
    trace_memory *events; /* SIP, HTTP and MIKEY messages, states, attacks;
                             NULL unless max_events */
    uint64_t sim_events;  /* simulator events executed */
} run_outcome;

/* Plays the scenario. IBK_OK: outcome->result has a verdict, and every file in out_dir is complete. Else
 * *diag tells what kept it from running (files, memory, an internal error) and the outcome is empty. Files:
 * result.json, events.jsonl, scenario.resolved.yaml, capture/<link>.pcap, capture/all.pcap, keys.log. */
ibk_err run_scenario(run_outcome *outcome, const scn_scenario *scenario, const run_options *options,
                     ibk_diag *diag);
void run_outcome_free(run_outcome *outcome);

/* mkdir -p for what is written; IBK_ERR_REFUSED: such a folder cannot be had or written to, *diag says why.
 */
ibk_err run_make_folder(const char *path, ibk_diag *diag);

#endif
