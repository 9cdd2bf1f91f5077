/* Public parameters (RFC 5091 §8, BFPublicParameters) that an adversary publishes: sound ones with a master
 * secret of its own, and degenerate ones, under which nothing is secret. Written octet by octet, for libibake
 * writes none of the latter.
 */
#ifndef SIM_ADVERSARY_BAD_PARAMS_H
#define SIM_ADVERSARY_BAD_PARAMS_H

#include "scenario/model.h"

/* p, q and P of `base` with a fresh master secret s (drawn as IBK_DRAW_MASTER) and P_pub = [s]P: as good as
 * any. Both are the caller's. */
ibk_err bad_params_own(ibk_ibe_params **params, ibk_ibe_master **master, const ibk_ibe_params *base,
                       const ibk_env *env);

/* Appends DER BFPublicParameters:
 *   P_PUB_IS_P    p, q, P of `base` and P_pub = P: the master secret is 1, so that S_id = Q_id, which anybody
 * computes Q_COMPOSITE   n = 1024: q = 2^159 + 2^b + 1 is no prime, all else holds (p is prime, P and P_pub
 * lie in the group of order q): discrete logarithms fall apart into those of q's factors (Pohlig, Hellman)
 *   SMALL_ORDER   p, q of `base`, P = (0, 1) and P_pub = (0, p - 1): of order 3
 *   P_IS_3        p = 3, q = 2, P = P_pub = (0, 1)
 * IBK_ERR_USAGE: SCN_SOUND. */
ibk_err bad_params_make(ibk_buf *der, scn_degenerate kind, const ibk_ibe_params *base);

/* The private key of an identity if P_pub = P: DER BFPrivateKeyBlock with Q_id, appended. */
ibk_err bad_params_trivial_key(ibk_buf *der, const ibk_ibe_params *params, ibk_span ibe_identity);

#endif
