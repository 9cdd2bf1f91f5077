/* ibakelab: inside of page_run: which MIKEY message of the captures belongs to which row of a ladder.
 */
#ifndef REPORTS_PAGE_MESSAGES_H
#define REPORTS_PAGE_MESSAGES_H

#include "reports/name_index.h"
#include "reports/page_run.h"

/* A row that waits for its message. */
typedef struct page_wish {
    char *cseq;
    const char *name; /* borrowed from the row */
    size_t from, to;  /* nodes */
    uint64_t utc_ns;
    unsigned copies, taken; /* taken: of this capture */
    bool attack;            /* what an adversary did: the message as it went on */
    size_t message;         /* index, NAME_INDEX_NONE: not found yet */
    size_t next;            /* in its group */
    json_t *row;            /* a reference */
} page_wish;

typedef struct page_group { /* of one conversation */
    size_t first, last;
} page_group;

typedef struct page_messages {
    page_wish *wishes; /* in the order of the rows: of time, within a group */
    size_t wish_count, wish_capacity;
    page_group *groups;
    size_t group_count, group_capacity;
    name_index by_call_id;       /* to groups; what has no Call-ID is the group "-" */
    name_index by_octets;        /* messages */
    const name_index *addresses; /* to nodes; borrowed */
    json_t *list;                /* the page's "messages"; owned */
    bool failed;                 /* out of memory: sticky */
} page_messages;

ibk_err page_messages_begin(page_messages *m, const name_index *addresses);
void page_messages_end(page_messages *m);

/* Notes a row whose message is to be found; `wish` gives name, nodes, time, copies, attack and row, of which
 * a reference is taken. */
void page_messages_wish(page_messages *m, ibk_span call_id, ibk_span cseq, const page_wish *wish);

/* Another capture begins, which may hold again what those before it held. */
void page_messages_next_capture(page_messages *m);
/* A page_sink for the messages of a capture; user: the page_messages. */
bool page_messages_wanted(void *user, const page_frame *frame);
void page_messages_found(void *user, ibk_span json);

/* Writes the index of its message, or null, into each row. */
void page_messages_tell(page_messages *m);

#endif
