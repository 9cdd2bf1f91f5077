/* ibakelab: RSA keys out of DER, for signatures and envelopes. */
#ifndef MIKEY_RSA_KEY_H
#define MIKEY_RSA_KEY_H

#include <ibake/mikey.h>
#include <openssl/evp.h>

enum { IBK_RSA_BITS_MIN = 1024, IBK_RSA_BITS_MAX = 16384 };

/* NULL: no key of that kind, not RSA, or of another size. EVP_PKEY_free. */
EVP_PKEY *ibk_rsa_load_private(ibk_span der); /* PKCS#8 or RSAPrivateKey */
EVP_PKEY *ibk_rsa_load_public(ibk_span der);  /* SubjectPublicKeyInfo */

/* Bits of the modulus; 0: no usable key. */
unsigned ibk_rsa_private_bits(ibk_span private_key);
unsigned ibk_rsa_public_bits(ibk_span public_key);
/* Is this private key that of this public key? */
bool ibk_rsa_pair(ibk_span private_key, ibk_span public_key);

/* XORs MGF1(seed) into block[0..len) (RFC 8017 §B.2.1). */
ibk_err ibk_mgf1_xor(uint8_t *block, size_t len, const EVP_MD *md, ibk_span seed);

#endif
