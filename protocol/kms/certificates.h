/* ibakelab: X.509 certificates of users and of KMSs (RFC 3830 §4.3, RFC 5280), offline. */
#ifndef KMS_CERTIFICATES_H
#define KMS_CERTIFICATES_H

#include <ibake/kms.h>

typedef struct trust trust; /* a set of trust anchors */

/* Anchors are X.509 in DER, self-signed or not: whatever stands here is trusted. BAD_CERTIFICATE. */
ibk_err trust_new(trust **out, const ibk_span *anchors, size_t n);
void trust_free(trust *t);

typedef enum cert_use { CERT_USE_SIGNATURE, CERT_USE_ENVELOPE } cert_use;

/* Verifies chain[0] with the help of chain[1..n) at a time: path, dates, basic constraints, name constraints,
 * key usage, at most `max_intermediates` between chain[0] and the anchor, no key or signature of less than
 * 112 bits of strength, and an RSA key of the permitted size in chain[0]. Nothing is fetched and no
 * revocation is asked for. Appends chain[0]'s SubjectPublicKeyInfo to `public_key`. BAD_CERTIFICATE, LIMIT,
 * UNSUPPORTED. Reports a public RSA operation to env->work for each RSA signature that was verified. */
ibk_err chain_verify(ibk_buf *public_key, const trust *t, const ibk_env *env, cert_use use,
                     const ibk_span *chain, size_t n, int64_t utc_ns, unsigned max_intermediates,
                     ibk_diag *diag);

/* Its public key, RSA of the permitted size, without verifying anything. */
ibk_err cert_rsa_key(ibk_buf *public_key, ibk_span certificate, ibk_diag *diag);

/* Does subjectAltName hold this identity, octet by octet? URI and byte string (without its date): a
 * uniformResourceIdentifier; NAI and byte string: an rfc822Name. */
bool cert_names_user(ibk_span certificate, uint8_t id_type, ibk_span id);
/* …or this KMS: a uniformResourceIdentifier, or a dNSName without regard to case. */
bool cert_names_kms(ibk_span certificate, ibk_span id);

/* The hash of a certificate as CHASH holds it. UNSUPPORTED: another function. */
ibk_err cert_hash(uint8_t out[32], size_t *len, uint8_t hash_alg, ibk_span certificate);

#endif
