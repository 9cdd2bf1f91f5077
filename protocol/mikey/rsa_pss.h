/* ibakelab: EMSA-PSS with a salt from the injected environment. */
#ifndef MIKEY_RSA_PSS_H
#define MIKEY_RSA_PSS_H

#include <ibake/base.h>
#include <openssl/evp.h>

/* RFC 8017 §9.1.1: fills block[0..len), len the octets of a modulus of `modulus_bits`; the salt is as long as
 * the hash. IBK_ERR_UNSUPPORTED: the modulus is too short. */
ibk_err ibk_pss_encode(uint8_t *block, size_t len, size_t modulus_bits, const ibk_env *env, const EVP_MD *md,
                       ibk_span digest);

/* Octets of a signature by this private key (DER). */
ibk_err ibk_rsa_signature_len(size_t *len, ibk_span private_key);

#endif
