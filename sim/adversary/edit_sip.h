/* Edits of SIP and HTTP messages as text: what is not meant stays octet by octet as it was. Content-Length
 * says what the body has become. Each appends the whole new message to `out`.
 *
 * IBK_ERR_MISSING_PAYLOAD: what is to be changed is not there; IBK_ERR_NO_MEMORY; `out` is then as it was. */
#ifndef SIM_ADVERSARY_EDIT_SIP_H
#define SIM_ADVERSARY_EDIT_SIP_H

#include "adversary/seen.h"

/* A range of the message's octets is replaced. */
ibk_err edit_range(ibk_buf *out, const seen *s, seen_range range, ibk_span with);

/* The value of a header field; it is added if there is none, and further ones of its name are dropped. Here
 * Content-Length stays what it is told to be. */
ibk_err edit_header(ibk_buf *out, const seen *s, const char *name, const char *value);

/* Each `find`, in header and body; none is MISSING_PAYLOAD. */
ibk_err edit_text(ibk_buf *out, const seen *s, const char *find, const char *with);

/* Every a=key-mgmt line of the SDP goes. */
ibk_err edit_strip_key_mgmt(ibk_buf *out, const seen *s);

/* The URI of the first Contact. */
ibk_err edit_contact(ibk_buf *out, const seen *s, const char *uri);

/* The first MIKEY message becomes `mikey` (its octets, not base64). */
ibk_err edit_put_mikey(ibk_buf *out, const seen *s, ibk_span mikey);

#endif
