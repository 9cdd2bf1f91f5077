/* ibakelab: inside of the ladder diagram: rows collected from events (ladder_rows.c), then drawn (ladder.c).
 */
#ifndef REPORTS_LADDER_H
#define REPORTS_LADDER_H

#include "reports/terminal.h"

#define LADDER_MAX_LANES 16

typedef struct ladder_row {
    const trace_event *event; /* the first sending; borrowed */
    int from, to;             /* lanes */
    unsigned sent, received;  /* copies */
} ladder_row;

typedef struct ladder {
    ibk_span call; /* empty: all conversations */
    ibk_span lanes[LADDER_MAX_LANES];
    bool logs[LADDER_MAX_LANES]; /* only such a node's silence means that a message was lost */
    bool any_received;
    size_t lane_count;
    ladder_row *rows;
    size_t row_count, row_capacity, max_rows;
    uint64_t hidden; /* messages beyond a limit */
} ladder;

ibk_err ladder_collect(ladder *l, const trace_memory *events, const ladder_options *options);
bool ladder_row_lost(const ladder *l, const ladder_row *row);
void ladder_free(ladder *l);

#endif
