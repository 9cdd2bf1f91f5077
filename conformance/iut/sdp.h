/* The exchange in session descriptions (IUT.md §6, RFC 4567): finding and writing a=key-mgmt. */
#ifndef CONFORMANCE_IUT_SDP_H
#define CONFORMANCE_IUT_SDP_H

#include "conformance/iut/request.h"

typedef struct iut_sdp {
    bool used;
    ibk_span body;   /* our own description, without key management */
    uint8_t level;   /* enum iut_level */
    ibk_span others; /* whole lines of further protocols, for offers */
    ibk_span ids;    /* "mikey;other": the protocols that we offer (RFC 4567 §4.1.4) */
} iut_sdp;

/* The member `sdp` of "open"; everything is kept in the store. */
void iut_sdp_read(const iut_place *at, iut_store *store, iut_sdp *out);
/* Our description with a message, and as an offer with the other protocols. */
ibk_err iut_sdp_write(ibk_buf *out, const iut_sdp *sdp, bool offer, ibk_span message);
/* The MIKEY message of a description that arrived, and the protocols in its order, "mikey;other". Media level
 * goes before session level (RFC 4567 §3.1). MISSING_PAYLOAD: there is none. UNSUPPORTED: another message for
 * each stream. BAD_TEXT. */
ibk_err iut_sdp_find(ibk_buf *message, ibk_buf *ids, ibk_span description, ibk_diag *diag);

#endif
