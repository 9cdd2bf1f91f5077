#define _GNU_SOURCE // strcasestr
/* Challenges and credentials as header fields: RFC 2617 §3.2, RFC 3261 §22. */
#include "ims/sip/digest.h"
#include "ims/sip/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* ---- reading ------------------------------------------------------------------------------------------- */

/* name=value or name="value" at *text; false at the end or if it is none. The value is unescaped. */
static bool next_param(sip_arena *arena, const char **text, const char **name, const char **value) {
    const char *at = *text + strspn(*text, " ,");
    size_t len = strcspn(at, " =,");
    const char *equals = at + len + strspn(at + len, " ");
    if (!sip_is_token(at, len) || *equals != '=')
        return false;
    *name = sip_arena_strn(arena, at, len);
    at = equals + 1;
    at += strspn(at, " ");
    if (*at != '"') {
        len = strcspn(at, " ,");
        *value = sip_arena_strn(arena, at, len);
        *text = at + len;
        return true;
    }
    char *out = sip_arena_alloc(arena, strlen(at) + 1), *end = out;
    if (!out)
        return false;
    for (at++; *at && *at != '"'; at++) {
        if (*at == '\\' && at[1])
            at++;
        *end++ = *at;
    }
    *end = 0;
    *value = out;
    *text = *at ? at + 1 : at;
    return *at == '"';
}

static bool list_has(const char *list, const char *token) {
    size_t want = strlen(token);
    while (*list) {
        list += strspn(list, " ,");
        size_t len = strcspn(list, " ,");
        if (len == want && strncasecmp(list, token, len) == 0)
            return true;
        list += len;
    }
    return false;
}

/* One parameter into its member; false if its value cannot be. */
static bool take(sip_auth *out, const char *name, const char *value, bool *known_alg) {
    const struct {
        const char *name;
        const char **member;
    } texts[] = {{"realm", &out->realm},       {"nonce", &out->nonce},  {"opaque", &out->opaque},
                 {"domain", &out->domain},     {"uri", &out->uri},      {"username", &out->username},
                 {"response", &out->response}, {"cnonce", &out->cnonce}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcasecmp(name, texts[i].name) == 0) {
            bool first = *texts[i].member == NULL;
            *texts[i].member = value;
            return first;
        }
    if (strcasecmp(name, "qop") == 0)
        out->qop_auth = list_has(value, "auth");
    else if (strcasecmp(name, "stale") == 0)
        out->stale = strcasecmp(value, "true") == 0;
    else if (strcasecmp(name, "algorithm") == 0) {
        out->alg = strcasecmp(value, "SHA-256") == 0 ? SIP_DIGEST_SHA256 : SIP_DIGEST_MD5;
        *known_alg = out->alg == SIP_DIGEST_SHA256 || strcasecmp(value, "MD5") == 0;
    } else if (strcasecmp(name, "nc") == 0) { // eight hex digits, and not what else strtoul() takes
        out->nc = (uint32_t)strtoul(value, NULL, 16);
        return strlen(value) == 8 && strspn(value, "0123456789abcdefABCDEF") == 8;
    }
    return true;
}

static ibk_err read_value(sip_arena *arena, sip_auth *out, const char *text, const char *field,
                          ibk_diag *diag) {
    const char *name, *value;
    bool known_alg = true;
    *out = (sip_auth){0};
    if (strncasecmp(text, "Digest ", 7) != 0)
        return ibk_fail(diag, IBK_ERR_UNSUPPORTED, field, 0, "not the scheme Digest");
    text += 7;
    for (;;) {
        text += strspn(text, " ,");
        if (*text == 0)
            break;
        if (!next_param(arena, &text, &name, &value) || !take(out, name, value, &known_alg))
            return ibk_fail(diag, IBK_ERR_BAD_TEXT, field, 0, "malformed Digest parameters");
        text += strspn(text, " ");
        if (*text && *text != ',')
            return ibk_fail(diag, IBK_ERR_BAD_TEXT, field, 0, "malformed Digest parameters");
    }
    if (!known_alg)
        return ibk_fail(diag, IBK_ERR_UNSUPPORTED, field, 0, "unknown digest algorithm");
    if (!out->realm || !out->nonce)
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, field, 0, "no %s", out->realm ? "nonce" : "realm");
    bool credentials = strcasestr(field, "Authorization") != NULL;
    if (credentials && (!out->username || !out->uri || !out->response))
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, field, 0, "no username, uri or response");
    if (credentials && out->qop_auth && (!out->cnonce || out->nc == 0))
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, field, 0, "qop without cnonce and nc");
    return IBK_OK;
}

ibk_err sip_auth_get(sip_msg *msg, sip_auth *out, const char *name, const char *realm, ibk_diag *diag) {
    const char *value;
    ibk_err first = IBK_OK;
    *out = (sip_auth){0};
    for (size_t i = 0; (value = sip_header_at(msg, name, i)); i++) {
        sip_auth auth;
        ibk_err err = read_value(&msg->arena, &auth, value, name, diag);
        if (!err && (!realm || (auth.realm && strcmp(realm, auth.realm) == 0))) {
            *out = auth;
            return msg->arena.failed ? IBK_ERR_NO_MEMORY : IBK_OK;
        }
        first = first ? first : err;
    }
    return first ? first : ibk_fail(diag, IBK_ERR_MISSING_PAYLOAD, name, 0, "no Digest value for this realm");
}

/* ---- writing ---------------------------------------------------------------------------------------------
 */

static const char *alg_name(sip_digest_alg alg) {
    return alg == SIP_DIGEST_SHA256 ? "SHA-256" : "MD5";
}

void sip_auth_challenge(sip_msg *response, const char *name, const sip_auth *challenge) {
    sip_arena *arena = &response->arena;
    sip_header_addf(response, name, "Digest realm=%s, nonce=%s, algorithm=%s, qop=\"auth\"%s%s%s",
                    sip_arena_quoted(arena, challenge->realm), sip_arena_quoted(arena, challenge->nonce),
                    alg_name(challenge->alg), challenge->opaque ? ", opaque=" : "",
                    challenge->opaque ? sip_arena_quoted(arena, challenge->opaque) : "",
                    challenge->stale ? ", stale=true" : "");
}

static bool verify(const sip_auth *credentials, const char *method, const char *password, const char *ha1) {
    char want[SIP_DIGEST_HEX_MAX];
    sip_digest digest = {.alg = credentials->alg,
                         .username = credentials->username,
                         .realm = credentials->realm,
                         .password = password,
                         .ha1 = ha1,
                         .nonce = credentials->nonce,
                         .method = method,
                         .uri = credentials->uri,
                         .qop = credentials->qop_auth,
                         .cnonce = credentials->cnonce,
                         .nc = credentials->nc};
    if (!credentials->response || sip_digest_response(want, &digest))
        return false;
    return ibk_span_equal_ct(ibk_span_str(want), ibk_span_str(credentials->response));
}

bool sip_auth_verify(const sip_auth *credentials, const char *method, const char *password) {
    return verify(credentials, method, password, NULL);
}

bool sip_auth_verify_ha1(const sip_auth *credentials, const char *method, const char *ha1_hex) {
    return ha1_hex && verify(credentials, method, NULL, ha1_hex);
}

ibk_err sip_auth_answer(sip_msg *request, const char *name, const sip_auth *challenge, const char *username,
                        const char *password, const char *cnonce, uint32_t nc) {
    sip_arena *arena = &request->arena;
    const char *uri = sip_uri_text(arena, &request->uri);
    char response[SIP_DIGEST_HEX_MAX] = "";
    sip_digest digest = {.alg = challenge->alg,
                         .username = username,
                         .realm = challenge->realm,
                         .password = password,
                         .nonce = challenge->nonce,
                         .method = request->method,
                         .uri = uri,
                         .qop = challenge->qop_auth && password,
                         .cnonce = cnonce,
                         .nc = nc};
    ibk_err err = password ? sip_digest_response(response, &digest) : IBK_OK;
    if (err)
        return err;
    const char *extra = "";
    if (digest.qop)
        extra =
            sip_arena_printf(arena, ", qop=auth, nc=%08x, cnonce=%s", nc, sip_arena_quoted(arena, cnonce));
    sip_header_drop(request, name);
    sip_header_addf(
        request, name, "Digest username=%s, realm=%s, nonce=%s, uri=%s, response=\"%s\", algorithm=%s%s%s%s",
        sip_arena_quoted(arena, username), sip_arena_quoted(arena, challenge->realm),
        sip_arena_quoted(arena, challenge->nonce ? challenge->nonce : ""), sip_arena_quoted(arena, uri),
        response, alg_name(challenge->alg), extra, challenge->opaque ? ", opaque=" : "",
        challenge->opaque ? sip_arena_quoted(arena, challenge->opaque) : "");
    return arena->failed ? IBK_ERR_NO_MEMORY : IBK_OK;
}
