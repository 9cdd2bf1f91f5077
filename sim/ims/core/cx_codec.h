/* The messages of Cx as octets: questions of a CSCF, answers of the HSS, and the capabilities exchange before
 * them (RFC 6733 §5.3). */
#ifndef IMS_CORE_CX_CODEC_H
#define IMS_CORE_CX_CODEC_H

#include "ims/core/cx.h"

/* Who speaks to whom. */
typedef struct cx_ends {
    const char *origin, *realm, *destination; /* destination NULL: the realm alone */
    sip_addr address;                         /* of the origin, Host-IP-Address */
} cx_ends;

ibk_err cx_write_question(ibk_buf *out, const cx_ends *ends, const cx_request *request, uint32_t id);
void cx_read_answer(cx_answer *out, const diameter_message *message);

/* CER (answer NULL) or CEA to that CER. */
ibk_err cx_write_capabilities(ibk_buf *out, const cx_ends *ends, const diameter_header *request);

/* User-Data (TS 29.228 annex B): the private identity, and the public ones of one service profile. */
ibk_err cx_write_profile(ibk_buf *out, const char *impi, const char *const *identities, size_t n);

/* An answer to `request`: begins it with Session-Id, result, Auth-Session-State and origin; the caller adds
 * AVPs and ends it. `result` from 5001 to 5999 and 2001, 2002 as experimental when `experimental`. */
void cx_begin_answer(diameter_writer *w, ibk_buf *out, const cx_ends *ends, const diameter_message *request,
                     uint32_t result, bool experimental);

#endif
