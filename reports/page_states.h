/* ibakelab: inside of page_run: the changes of state in the calls that are shown, for their time lines.
 */
#ifndef REPORTS_PAGE_STATES_H
#define REPORTS_PAGE_STATES_H

#include "reports/page_nodes.h"
#include "reports/page_run.h"

typedef struct page_state {
    size_t call, node; /* call LADDER_NO_CALL: not known yet */
    uint64_t ns;
    char what[48];
} page_state;

/* The last SIP message or state of a call at a node. */
typedef struct page_seen {
    bool any;
    size_t call; /* LADDER_NO_CALL: of none that is shown */
    uint64_t ns;
} page_seen;

typedef struct page_states {
    const page_nodes *nodes;
    page_state *items;
    size_t count, capacity;
    page_seen *seen; /* by node */
    uint64_t hidden; /* beyond the limit */
    bool failed;     /* out of memory: sticky */
} page_states;

/* `nodes` is borrowed, and gets no further node until the end. */
void page_states_begin(page_states *s, const page_nodes *nodes);
void page_states_end(page_states *s);
/* Each event, in order, with the call it belongs to if that is shown, else LADDER_NO_CALL. */
void page_states_event(page_states *s, const trace_event *e, size_t call);
json_t *page_states_json(const page_states *s); /* NULL: out of memory */

#endif
