/* ibakelab sweep: which points are still to be played, and what comes back from them. Whoever owns the
 * database has one of these, whether the points are played by itself or by others. */
#ifndef CLI_SWEEP_CAMPAIGN_H
#define CLI_SWEEP_CAMPAIGN_H

#include "reports/terminal.h"
#include "sweep/store.h"

#define SWEEP_COMMAND "sweep"

/* How progress is told on standard error. */
enum {
    SWEEP_TELL_NOTHING = -2,
    SWEEP_TELL_FITTING =
        -1, /* on a terminal in place; under MPI, where nobody knows what reads it, now and then a line */
    /* Else a line after a row, when so many seconds have gone by since the last. */
};

typedef struct sweep_campaign {
    const sweep *sweep;
    sweep_store *store;
    size_t shard, shards; /* points with index % shards == shard */
    size_t at;            /* where the search for the next one goes on */
    unsigned char *took;  /* by point: its row came since the beginning */
    size_t *returned;     /* points whose worker was lost; they come first */
    size_t returned_count, returned_room;
    size_t total, before; /* points of the shard; those that were in the database at the beginning */
    size_t taken, errors; /* rows since then; of these without a result */
    term t;               /* of the progress */
    double begun, told;   /* the progress, last */
    int tell;
    bool shown; /* in place: there is something to clear */
} sweep_campaign;

bool sweep_campaign_begin(sweep_campaign *c, const sweep *s, sweep_store *store, size_t shard, size_t shards,
                          int tell); /* false: out of memory */
/* The next point that nobody has; false: all have been handed out. */
bool sweep_campaign_next(sweep_campaign *c, size_t *point);
/* A point comes back unplayed. False: out of memory. */
bool sweep_campaign_return(sweep_campaign *c, size_t point);
/* Puts a row into the database; one that came before is left out. CLI_OK, or a status after a message. */
int sweep_campaign_take(sweep_campaign *c, const sweep_row *row);
/* Have all points of the shard a row? */
bool sweep_campaign_done(const sweep_campaign *c);
void sweep_campaign_end(sweep_campaign *c); /* clears the progress, frees; legal on the zero value */

/* Plays all that is left with processes of this machine, `jobs` at a time. A status. */
int sweep_campaign_play(sweep_campaign *c, const char *keep, size_t jobs);

#endif
