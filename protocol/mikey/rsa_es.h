/* ibakelab: the paddings of RSAES-PKCS1-v1_5 and RSAES-OAEP, apart from the RSA operation. */
#ifndef MIKEY_RSA_ES_H
#define MIKEY_RSA_ES_H

#include <ibake/mikey.h>

/* Fills em[0..len), len the octets of the modulus. UNSUPPORTED: unknown scheme, or the modulus is too short.
 */
ibk_err ibk_rsaes_pad(uint8_t *em, size_t len, const ibk_env *env, uint8_t rsaes, ibk_span plain);

/* Takes the padding off em[0..len), which is overwritten. If it is right and leaves IBK_ENVELOPE_MIN to
 * IBK_ENVELOPE_MAX octets, they are out[0..*out_len); else `instead` is, all of it. Neither a branch nor an
 * address depends on the content of em. UNSUPPORTED as above. */
ibk_err ibk_rsaes_unpad(uint8_t out[IBK_ENVELOPE_MAX], size_t *out_len, uint8_t *em, size_t len,
                        uint8_t rsaes, const uint8_t instead[IBK_ENVELOPE_MAX]);

#endif
