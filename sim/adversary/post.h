/* A MIKEY message to a KMS as an HTTP POST of its own (P-18), from the adversary's node, to an address: sent
 * once, and forgotten when an answer has come or the connection has ended. */
#ifndef SIM_ADVERSARY_POST_H
#define SIM_ADVERSARY_POST_H

#include "ims/host.h"

typedef struct post_office post_office;

struct http_message;

/* `host` is borrowed. */
ibk_err post_office_new(post_office **out, ims_host *host);
void post_office_free(post_office *p); /* open connections end */

/* `at`: port 0 is the KMS's. Octets are copied. IBK_ERR_LIMIT: too many are open. */
ibk_err post_mikey(post_office *p, const sip_addr *at, ibk_span mikey);
/* What came of a whole HTTP request, as it is; NULL: nothing (also from post_office_free).
 * Not called after an error. */
typedef void post_done(void *user, const struct http_message *response);
/* `done` may be NULL, and is never called inside this call. */
ibk_err post_octets(post_office *p, const sip_addr *at, ibk_span request, post_done *done, void *user);

typedef struct post_stats {
    uint64_t sent, answered, failed; /* answered: an HTTP response of whatever status; failed: none came */
    uint64_t accepted;               /* answered 200 */
} post_stats;

post_stats post_get_stats(const post_office *p);
bool post_is_idle(const post_office *p);

#endif
