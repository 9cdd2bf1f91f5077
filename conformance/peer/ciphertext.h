/* Faults of a BFCiphertextBlock (RFC 5091 §8.2, P-2). */
#ifndef CONFORMANCE_PEER_CIPHERTEXT_H
#define CONFORMANCE_PEER_CIPHERTEXT_H

#include "peer/octets.h"
#include "peer/peer.h"

typedef enum px_ciphertext_fault {
    PX_FAULT_NO_DER,       /* no DER at all */
    PX_FAULT_VERSION,      /* version 3 */
    PX_FAULT_LONG_INTEGER, /* the version with a zero in front */
    PX_FAULT_LONG_LENGTH,  /* the outer length with a zero in front */
    PX_FAULT_INDEFINITE,   /* BER */
    PX_FAULT_TRAILING,
    PX_FAULT_TRUNCATED,
    PX_FAULT_U_OFF_CURVE,
    PX_FAULT_U_ORDER, /* on the curve, of another order than q */
    PX_FAULT_U_NEGATED,
    PX_FAULT_U_ZERO,
    PX_FAULT_U_LARGE, /* x + p */
    PX_FAULT_V,
    PX_FAULT_V_SHORT,
    PX_FAULT_V_LONG, /* by an octet */
    PX_FAULT_W,
    PX_FAULT_W_EMPTY
} px_ciphertext_fault;

/* The ciphertext with the fault; appended. */
ibk_err px_ciphertext(const ibk_ibe_params *params, px_ciphertext_fault fault, ibk_span der, px_octets *out);

#endif
