/* ibakelab: the folder that a run leaves behind, read for drawings and reports: its result, its
 * conversations, and of its events those that are asked for, within bounds.
 *
 *     run_folder f;
 *     if (run_folder_open(&f, "out/first-call", NULL, NULL, NULL, &diag) == IBK_OK &&
 *         run_folder_events(&f, events, run_folder_of_call, &call, &diag) == IBK_OK)
 *         …
 *     run_folder_close(&f);
 */
#ifndef REPORTS_RUN_FOLDER_H
#define REPORTS_RUN_FOLDER_H

#include "reports/conversations.h"
#include "reports/result_read.h"

typedef struct run_folder {
    char dir[4096], where[4200]; /* after a failure: the file at fault, with its line where it has one */
    json_t *json;                /* result.json */
    result r;
    conversations c;
    int64_t start_utc_ns; /* what moment 0 of virtual time is */
} run_folder;

/* Reads result.json, or takes `json` (borrowed, may be NULL), and goes through all events once; `sink` (may
 * be NULL) is given each of them. On failure diag->detail says what is wrong with f->where: IBK_ERR_REFUSED
 * for what the folder lacks or has wrong, or IBK_ERR_NO_MEMORY. run_folder_close() is legal in any case. */
ibk_err run_folder_open(run_folder *f, const char *dir, const json_t *json,
                        void (*sink)(void *user, const trace_event *e), void *user, ibk_diag *diag);
void run_folder_close(run_folder *f);

/* Goes through the events once more and keeps those that are wanted; `part` is NULL for an event of
 * no call. Same errors. */
typedef bool run_folder_wanted(void *user, const conversation *part, const trace_event *e);
ibk_err run_folder_events(run_folder *f, trace_memory *out, run_folder_wanted *wanted, void *user,
                          ibk_diag *diag);

/* A filter: what belongs to the call whose index `user` points to; with LADDER_NO_CALL the messages of no
 * call, registrations and key requests. */
bool run_folder_of_call(void *user, const conversation *part, const trace_event *e);

#endif
