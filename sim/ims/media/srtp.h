/* What the users of libsrtp2 share: its errors, and a context under keys of ours. */
#ifndef IMS_MEDIA_SRTP_H
#define IMS_MEDIA_SRTP_H

#include "ims/media/stream.h"

#include <srtp2/srtp.h>

ibk_err media_srtp_error(srtp_err_status_t status);

/* AES_CM_128_HMAC_SHA1_80 for SRTP and SRTCP, RFC 3711's and this profile's default; SRTP's tag may be
 * shorter. Changes the keys of a context that exists: libsrtp's ROC and SRTCP index then go on. */
ibk_err media_srtp_context(srtp_t *context, const media_keys *keys, srtp_ssrc_t ssrc, unsigned tag_len);
/* The same with what a policy that nobody refused leaves out of SRTP (not of SRTCP). */
ibk_err media_srtp_weak_context(srtp_t *context, const media_keys *keys, srtp_ssrc_t ssrc, unsigned tag_len,
                                media_weakness weakness);

#endif
