/* ibakelab: which Call-ID belongs to which call of a result: its own; those that adversaries began beside it
 * (a replayed INVITE in a dialog of its own, a flood); and the mailbox's calls that deliver what was left in
 * it.
 *
 *     conversations c;
 *     conversations_begin(&c, &result);
 *     for each event, in order: conversations_event(&c, event);
 *     …
 *     conversations_end(&c);
 */
#ifndef REPORTS_CONVERSATIONS_H
#define REPORTS_CONVERSATIONS_H

#include "reports/name_index.h"
#include "reports/result.h"
#include "trace/trace.h"

typedef struct conversation {
    char *call_id;
    char *name;  /* as the knowledge of the result names it: "first", "delivery of first"; NULL: not at all */
    size_t call; /* index of the call beside which it is shown */
    bool own;    /* it is that call itself */
    bool adversary; /* an adversary began it */
} conversation;

typedef struct conversations {
    const result *r;
    conversation *items; /* those of the calls first, in their order */
    size_t count, capacity;
    name_index by_call_id, calls_by_name, adversaries;
    size_t begun;       /* calls that have begun so far */
    bool *attacked;     /* by index of a call: an adversary acted on it */
    bool out_of_memory; /* sticky */
} conversations;

/* `r` is borrowed until the end. IBK_ERR_NO_MEMORY, or IBK_OK; conversations_end() is legal in both cases. */
ibk_err conversations_begin(conversations *c, const result *r);
void conversations_event(conversations *c, const trace_event *e);
void conversations_end(conversations *c);

/* The conversation of a Call-ID, or NULL: a registration, or of nobody who is shown. */
const conversation *conversations_find(const conversations *c, ibk_span call_id);

/* What ladder_options.along takes: the other conversations of a call, at most `max`; *left_out counts the
 * rest. */
size_t conversations_beside(const conversations *c, size_t call, const conversation **out, size_t max,
                            size_t *left_out);

#endif
