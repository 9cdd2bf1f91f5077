/* ibakelab sweep: points that are played in processes of their own. */
#ifndef CLI_SWEEP_CREW_H
#define CLI_SWEEP_CREW_H

#include "cli/children.h"
#include "sweep/sweep.h"

typedef struct sweep_crew {
    const sweep *sweep;
    const char *keep; /* the folder in which each point leaves its run; NULL: none does */
    children children;
    unsigned char *tries; /* by point: how often its process was ended by a signal */
} sweep_crew;

bool sweep_crew_begin(sweep_crew *c, const sweep *s, const char *keep, size_t jobs); /* false: no memory */
static inline bool sweep_crew_has_room(const sweep_crew *c) {
    return c->children.running < c->children.max;
}
/* Starts a point; there must be room. False: errno says why. */
bool sweep_crew_start(sweep_crew *c, size_t point);
/* The row of a point that has ended; false: none (with `wait`: nothing runs). A point whose process was ended
 * by a signal, by lack of memory or from outside, is played a second time; if that one ends so as well, its
 * row says it. */
bool sweep_crew_next(sweep_crew *c, sweep_row *row, bool wait);
void sweep_crew_end(sweep_crew *c); /* ends what still runs; legal on the zero value */

#endif
