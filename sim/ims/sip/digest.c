/* The digest itself. Challenges and credentials: digest_auth.c. */
#include "ims/sip/digest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

/* H(parts joined by ':'), hex. */
static ibk_err hash_of(char out[SIP_DIGEST_HEX_MAX], sip_digest_alg alg, const char *const *part,
                       size_t count) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!ctx)
        return IBK_ERR_NO_MEMORY;
    bool good = EVP_DigestInit_ex(ctx, alg == SIP_DIGEST_SHA256 ? EVP_sha256() : EVP_md5(), NULL) == 1;
    for (size_t i = 0; good && i < count; i++) {
        good = i == 0 || EVP_DigestUpdate(ctx, ":", 1) == 1;
        good = good && EVP_DigestUpdate(ctx, part[i], strlen(part[i])) == 1;
    }
    good = good && EVP_DigestFinal_ex(ctx, digest, &len) == 1;
    EVP_MD_CTX_free(ctx);
    if (!good)
        return IBK_ERR_INTERNAL;
    for (unsigned int i = 0; i < len; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
    ibk_wipe(digest, sizeof digest);
    return IBK_OK;
}

ibk_err sip_digest_ha1(char out[SIP_DIGEST_HEX_MAX], sip_digest_alg alg, const char *username,
                       const char *realm, const char *password) {
    const char *const user[] = {username, realm, password};
    if (!username || !realm || !password)
        return IBK_ERR_USAGE;
    return hash_of(out, alg, user, 3);
}

ibk_err sip_digest_response(char out[SIP_DIGEST_HEX_MAX], const sip_digest *in) {
    char a1[SIP_DIGEST_HEX_MAX] = "", a2[SIP_DIGEST_HEX_MAX], nc[12];
    const char *const what[] = {in->method, in->uri};
    if (!in->nonce || !in->method || !in->uri || (in->qop && !in->cnonce) ||
        (in->ha1 && strlen(in->ha1) >= sizeof a1))
        return IBK_ERR_USAGE;
    ibk_err err = IBK_OK;
    if (in->ha1)
        strcpy(a1, in->ha1);
    else
        err = sip_digest_ha1(a1, in->alg, in->username, in->realm, in->password);
    if (!err)
        err = hash_of(a2, in->alg, what, 2);
    snprintf(nc, sizeof nc, "%08x", in->nc);
    const char *const plain[] = {a1, in->nonce, a2}; // RFC 2617 §3.2.2.1
    const char *const with_qop[] = {a1, in->nonce, nc, in->cnonce, "auth", a2};
    if (!err)
        err = in->qop ? hash_of(out, in->alg, with_qop, 6) : hash_of(out, in->alg, plain, 3);
    ibk_wipe(a1, sizeof a1);
    return err;
}
