/* ibakelab: inside of the ladder diagram: rows collected from events (ladder_rows.c), then drawn (ladder.c).
 */
#ifndef REPORTS_LADDER_H
#define REPORTS_LADDER_H

#include "reports/terminal.h"

#define LADDER_MAX_LANES   16
#define LADDER_MAX_DIALOGS 8

typedef struct ladder_row {
    const trace_event *event; /* the first sending, or a note (ladder_is_note); borrowed */
    int from, to;             /* lanes */
    unsigned sent, received;  /* copies */
    uint64_t arrived_ns;      /* the first copy; with received */
} ladder_row;

typedef struct ladder {
    const ladder_options *options; /* borrowed until ladder_free() */
    ibk_span call;                 /* empty: all conversations */
    ibk_span lanes[LADDER_MAX_LANES];
    bool logs[LADDER_MAX_LANES]; /* only such a node's silence means that a message was lost */
    bool any_received;
    /* Early dialogs that an INVITE made, by the tag and lane of who answered: more than one if it was forked.
     */
    ibk_span dialogs[LADDER_MAX_DIALOGS];
    ibk_span dialog_calls[LADDER_MAX_DIALOGS]; /* Call-IDs */
    int dialog_lanes[LADDER_MAX_DIALOGS];
    size_t dialog_count;
    size_t lane_count;
    ladder_row *rows;
    size_t row_count, row_capacity, max_rows;
    uint64_t hidden; /* messages beyond a limit */
} ladder;

ibk_err ladder_collect(ladder *l, const trace_memory *events, const ladder_options *options);
/* The lane of a node, or -1. */
int ladder_lane(const ladder *l, ibk_span name);
/* What a node did with the call between two messages: forked, diverted, redirected it; or what an adversary
 * did to a message on its way. */
bool ladder_is_note(const trace_event *event);
bool ladder_is_attack(const trace_event *event);
/* The number of a row's dialog, from 1; 0: none, or its conversation has only one. */
size_t ladder_row_dialog(const ladder *l, const ladder_row *row);
bool ladder_dialog_is_one_of_several(const ladder *l, size_t dialog); /* from 0 */
/* "diverts to carol@home.example (busy, notify)", "mallory: modify SP x2": what a note says, written to
 * `out`. */
ibk_span ladder_row_note(const ladder_row *row, char *out, size_t size);
bool ladder_row_lost(const ladder *l, const ladder_row *row);
void ladder_free(ladder *l);

#endif
