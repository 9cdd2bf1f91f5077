/* What a careless implementation of ECDH does: it multiplies the two coordinates that it is given, without
 * asking whether they are a point of the curve. The formulas of y^2 = x^3 + ax + b do not use b, so they work
 * on every other curve with the same a, and among those are some of small order: [y]P' then takes few values,
 * and tells y modulo that order (Biehl, Meyer and Müller 2000). Used where IBK_DEFENCE_POINT_ON_CURVE is off,
 * and nowhere else; not in constant time. */
#ifndef MIKEY_ECDH_CARELESS_H
#define MIKEY_ECDH_CARELESS_H

#include <ibake/mikey.h>

/* The OpenSSL NID of a curve (ecdh.c); 0: unknown. */
int ibk_ec_nid(uint8_t curve);

/* As ibk_ec_decode and ibk_ec_shared, but that an uncompressed point is taken as it is. */
ibk_err ibk_ec_decode_careless(ibk_ec_point *out, uint8_t curve, ibk_span octets);
ibk_err ibk_ec_shared_careless(ibk_ec_point *out, const ibk_ec_key *key, const ibk_ec_point *peer);

#endif
