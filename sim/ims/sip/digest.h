/* SIP: digest authentication (RFC 2617, RFC 3261 §22; SHA-256 as in RFC 8760), client and server side. */
#ifndef IMS_SIP_DIGEST_H
#define IMS_SIP_DIGEST_H

#include "ims/sip/message.h"

typedef enum sip_digest_alg { SIP_DIGEST_MD5 = 0, SIP_DIGEST_SHA256 } sip_digest_alg;

#define SIP_DIGEST_HEX_MAX 65 /* hex of SHA-256 with its zero */

/* What the response is computed from. qop false: the form of RFC 2069, nc and cnonce unused. */
typedef struct sip_digest {
    sip_digest_alg alg;
    const char *username, *realm, *password;
    const char *ha1; /* H(A1) in hex; then the line above is not needed */
    const char *nonce, *method, *uri;
    bool qop; /* qop=auth */
    const char *cnonce;
    uint32_t nc;
} sip_digest;

/* H(A1) = H(user:realm:password), lower-case hex: what an HSS hands to an S-CSCF in the password's stead. */
ibk_err sip_digest_ha1(char out[SIP_DIGEST_HEX_MAX], sip_digest_alg alg, const char *username,
                       const char *realm, const char *password);
/* RFC 2617 §3.2.2.1, lower-case hex. */
ibk_err sip_digest_response(char out[SIP_DIGEST_HEX_MAX], const sip_digest *in);

/* WWW-Authenticate or Proxy-Authenticate, and Authorization or Proxy-Authorization, as parsed; all text lives
 * in the message's arena, without quotes; absent members are NULL. */
typedef struct sip_auth {
    sip_digest_alg alg;
    const char *realm, *nonce, *opaque, *domain;
    const char *username, *uri, *response, *cnonce;
    bool qop_auth; /* challenge: offers auth; credentials: uses it */
    bool stale;
    uint32_t nc;
} sip_auth;

/* The first Digest value of the header `name` whose algorithm is known (and realm matches, unless realm is
 * NULL). IBK_ERR_MISSING_PAYLOAD if there is none, IBK_ERR_BAD_TEXT, IBK_ERR_UNSUPPORTED (algorithm, scheme).
 */
ibk_err sip_auth_get(sip_msg *msg, sip_auth *out, const char *name, const char *realm, ibk_diag *diag);

/* Server: adds the challenge; qop="auth" always, opaque and stale optional. */
void sip_auth_challenge(sip_msg *response, const char *name, const sip_auth *challenge);
/* Server: does the response in `credentials` fit this password and method? Constant time in the digest. The
 * caller checks nonce, nonce count (nc) and that `uri` fits the request. */
bool sip_auth_verify(const sip_auth *credentials, const char *method, const char *password);
/* The same from H(A1), which must be of the credentials' algorithm. */
bool sip_auth_verify_ha1(const sip_auth *credentials, const char *method, const char *ha1_hex);
/* Client: adds credentials for `challenge` (from a 401 or 407). nc counts uses of one nonce, from 1. Without
 * response (password NULL) as in the first REGISTER of IMS (3GPP TS 24.229): empty nonce and response. */
ibk_err sip_auth_answer(sip_msg *request, const char *name, const sip_auth *challenge, const char *username,
                        const char *password, const char *cnonce, uint32_t nc);

#endif
