/* In the place of OpenSSL's header: what base/bytes.c uses of it. */
#ifndef PROVE_CRYPTO_H
#define PROVE_CRYPTO_H

#include <stddef.h>

void OPENSSL_cleanse(void *ptr, size_t len);
int CRYPTO_memcmp(const void *a, const void *b, size_t len);

#endif
