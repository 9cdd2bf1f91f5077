/* What the opaque objects of ibake/ibe.h hold. */
#ifndef IBE_OBJECTS_H
#define IBE_OBJECTS_H

#include "ibe/comb.h"
#include "ibe/hash.h"
#include "ibe/pairing.h"
#include <ibake/ibe.h>
#include <stdatomic.h>

/* What encryption and the check of decryption need: a comb for P, lines for half of P_pub. */
typedef struct ibk_tables {
    ibk_comb comb;
    ibk_lines pub;
} ibk_tables;

struct ibk_ibe_params {
    atomic_uint refs;
    uint32_t without; /* defences that are off */
    const ibk_ibe_size *size;
    ibk_group group;
    ibk_limb p[IBK_POINT_MAX], pub[IBK_POINT_MAX];
    _Atomic(ibk_tables *) tables; /* NULL until first needed; published once, never changed */
};

struct ibk_ibe_master {
    size_t len; /* octets of q */
    uint8_t s[IBK_IBE_HASH_MAX];
};

struct ibk_ibe_key {
    ibk_ibe_params *params;
    ibk_limb s_id[IBK_POINT_MAX];
    ibk_lines lines; /* of half of S_id */
};

struct ibk_ibe_peer {
    ibk_ibe_params *params;
    ibk_limb theta[IBK_FP2_MAX];
};

/* A set from its parts, not yet checked for primality; NULL pointers on failure. */
ibk_err ibk_params_new(ibk_ibe_params **params, const ibk_ibe_size *size, ibk_span p, ibk_span q);
ibk_err ibk_params_tables(const ibk_ibe_params *params, const ibk_tables **tables);
ibk_ibe_params *ibk_params_share(const ibk_ibe_params *params); /* one more owner */
/* A key from S_id, of order q: IBK_ERR_BAD_ORDER otherwise, unless the defences against that are off. */
ibk_err ibk_key_new(ibk_ibe_key **key, const ibk_ibe_params *params, const ibk_limb *s_id);
/* s as plain limbs of fq's length. */
void ibk_master_limbs(ibk_limb *s, const ibk_ibe_master *master, const ibk_group *g);

/* The point of an identity before the cofactor (RFC 5091 §4.4.2 steps 1-3), with 1/x. IBK_ERR_INFINITY for x
 * = 0. */
ibk_err ibk_identity_point(ibk_limb *point, ibk_limb *inverse_x, ibk_hasher *h, ibk_span identity,
                           const ibk_group *g);
/* e'(P_pub, Q_id)^k without multiplying by the cofactor: k < q in fq's Montgomery form, or NULL for 1. */
ibk_err ibk_identity_theta(ibk_limb *theta, const ibk_ibe_params *params, ibk_hasher *h, ibk_span identity,
                           const ibk_limb *k);
/* l = HashToRange(rho || hash(m), q) in fq's Montgomery form (RFC 5091 §5.4.1 steps 4, 5). Constant time. */
ibk_err ibk_session_scalar(ibk_limb *l, ibk_hasher *h, const uint8_t *rho, ibk_span m, const ibk_group *g);

#endif
