/* Recorded TCP messages sent once more, from the adversary's own node over connections of its own. What comes
 * back is logged as TRACE_ATTACK "answer" and shown to whom it may concern. */
#ifndef SIM_ADVERSARY_RESEND_H
#define SIM_ADVERSARY_RESEND_H

#include "adversary/seen.h"
#include "trace/trace.h"

typedef struct resend resend;

typedef struct resend_config {
    const char *name; /* of the adversary, for the log; borrowed, as the rest */
    n3_node *node;
    trace *log; /* may be NULL */
    seen_world world;
    void (*answered)(void *user, const seen *s); /* may be NULL */
    void *user;
} resend_config;

resend *resend_new(const resend_config *config); /* NULL: out of memory */
void resend_free(resend *r);                     /* closes what is open; legal on NULL */

/* Connects to the receiver of `what` and sends its octets; what answers within RESEND_WAIT_NS is read. Errors
 * of the network come later, and to the log. */
#define RESEND_WAIT_NS UINT64_C(10000000000)
ibk_err resend_send(resend *r, const seen_record *what, ibk_diag *diag);
bool resend_is_idle(const resend *r);

#endif
