/* SIP: messages out of a TCP stream by Content-Length (RFC 3261 §18.3), with bounded buffers. */
#ifndef IMS_SIP_FRAMING_H
#define IMS_SIP_FRAMING_H

#include "ims/sip/message.h"

/* The zero value is an empty stream. */
typedef struct sip_framer {
    ibk_buf buf;
    size_t scanned; /* octets in which the end of the header is known not to be */
    size_t whole;   /* octets of the message at the beginning, once its header has been read; 0: not yet */
    size_t taken;   /* octets of the message that was given out last */
} sip_framer;

/* Appends what the connection delivered. IBK_ERR_LIMIT when more than one message's limit would wait. */
ibk_err sip_framer_push(sip_framer *framer, ibk_span octets);
/* The next complete message: borrowed until the next call on this framer. IBK_OK with an empty span: not
 * there yet. CRLF keep-alives between messages are skipped. IBK_ERR_MISSING_PAYLOAD (no Content-Length),
 * IBK_ERR_BAD_LENGTH, IBK_ERR_LIMIT: the stream cannot be resynchronised, close the connection. */
ibk_err sip_framer_next(sip_framer *framer, ibk_span *message, ibk_diag *diag);
void sip_framer_free(sip_framer *framer);

#endif
