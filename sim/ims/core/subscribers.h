/* The HSS's data and its answers, without sockets (3GPP TS 29.228 §6). */
#ifndef IMS_CORE_SUBSCRIBERS_H
#define IMS_CORE_SUBSCRIBERS_H

#include "ims/core/cx_codec.h"

typedef struct subscribers subscribers;

subscribers *subscribers_new(void);
void subscribers_free(subscribers *s); /* wipes the credentials */
/* See hss_add. `realm` is the digest realm: the home domain. */
ibk_err subscribers_add(subscribers *s, const hss_subscriber *subscriber, const char *realm);
ibk_err subscribers_add_identity(subscribers *s, const char *impu,
                                 const char *further); /* hss_add_identity */
/* Appends the answer to a parsed request. */
ibk_err subscribers_answer(subscribers *s, ibk_buf *out, const cx_ends *ends,
                           const diameter_message *request);

#endif
