/* Test support: certificate authorities and certificates. Linked into tests only. */
#ifndef KMS_PKI_LAB_H
#define KMS_PKI_LAB_H

#include <ibake/base.h>

typedef struct pki_cert {
    ibk_buf der, private_key; /* DER X.509; DER RSAPrivateKey */
} pki_cert;

typedef struct pki_request {
    const char *name;       /* common name */
    unsigned bits;          /* of a new RSA key; 0: 2048 */
    bool ec;                /* a P-256 key in its place */
    const pki_cert *key_of; /* takes over that key in place of a new one */
    const pki_cert *issuer; /* NULL: self-signed */
    bool ca;
    const char *sans;      /* "URI:sip:alice@home.example,email:alice@home.example"; NULL: none */
    const char *key_usage; /* "critical,digitalSignature"; NULL: left out, but for a CA */
    const char *ext_usage; /* "clientAuth"; NULL: left out */
    int64_t from_s, to_s;  /* validity, seconds since 1970; both 0: a year around LAB_NOON */
    size_t padding;        /* octets of a comment that makes the certificate longer */
    bool sha1;             /* signed with SHA-1 */
} pki_request;

pki_cert pki_make(const pki_request *request); /* fails the test if it cannot be made */
void pki_free(pki_cert *cert);
ibk_span pki_der(const pki_cert *cert);
ibk_span pki_key(const pki_cert *cert);

#endif
