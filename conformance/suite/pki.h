/* Certificates for the public-key method of key requests: a root, a KMS and users of home.example; RSA of
 * 2048 bits. */
#ifndef CONFORMANCE_SUITE_PKI_H
#define CONFORMANCE_SUITE_PKI_H

#include <ibake/base.h>

/* Everybody's key pair is made when first asked for, once for each process. */
typedef struct suite_holder {
    ibk_buf certificate, private_key; /* DER */
} suite_holder;

/* "root", "kms", "alice" … of the root; "stranger": of a root of its own. The subjectAltName is the URI
 * sip:<name>@home.example, valid from 2026 to 2046. NULL: libcrypto failed. */
const suite_holder *suite_holder_of(const char *name);
void suite_holders_free(void);

#endif
