/* The user's side of REQUEST_KEY_PKE: certificates, keys, the envelope. */
#include "kms/certificates.h"
#include "kms/kms_internal.h"
#include "mikey/rsa_key.h"

#include <stdlib.h>

#define ENVELOPE_LEN IBK_ENVELOPE_MAX /* a block of the PRF's key (RFC 3830 §4.1.2) */

struct user_pke {
    ibk_key_request_pke config; /* its spans point into `octets` */
    ibk_buf octets;
    ibk_span chain[IBK_PKE_MAX_CERTIFICATES], kms[IBK_PKE_MAX_CERTIFICATES],
        anchors[IBK_PKE_MAX_CERTIFICATES];
};

static bool list_sound(const ibk_span *list, size_t n) {
    if (n > IBK_PKE_MAX_CERTIFICATES) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (list[i].len == 0 || list[i].len > IBK_PKE_CERTIFICATE_MAX) {
            return false;
        }
    }
    return true;
}

static bool config_sound(const ibk_key_request_pke *c) {
    return list_sound(c->chain, c->n_chain) && list_sound(c->kms_certificates, c->n_kms_certificates) &&
           list_sound(c->anchors, c->n_anchors) && c->kms_certificate < c->n_kms_certificates &&
           c->private_key.len > 0 && c->sig_type <= IBK_SIG_RSA_PSS && c->rsaes <= IBK_RSAES_OAEP_SHA256 &&
           c->cache <= IBK_PKE_CACHE_CSB;
}

static ibk_err append_list(ibk_buf *octets, const ibk_span *list, size_t n) {
    ibk_err err = IBK_OK;
    for (size_t i = 0; !err && i < n; i++) {
        err = ibk_buf_append_span(octets, list[i]);
    }
    return err;
}

/* The places of a list's copies, which were appended in turn. */
static void place_list(ibk_span *out, const ibk_span *list, size_t n, const ibk_buf *octets, size_t *at) {
    for (size_t i = 0; i < n; i++) {
        out[i] = ibk_span_of(octets->data + *at, list[i].len);
        *at += list[i].len;
    }
}

static ibk_err copy(user_pke *u, const ibk_key_request_pke *c) {
    u->config = *c;
    ibk_err err = append_list(&u->octets, &c->private_key, 1);
    err = err ? err : append_list(&u->octets, c->chain, c->n_chain);
    err = err ? err : append_list(&u->octets, c->kms_certificates, c->n_kms_certificates);
    err = err ? err : append_list(&u->octets, c->anchors, c->n_anchors);
    if (err) {
        return err;
    }
    size_t at = 0;
    place_list(&u->config.private_key, &c->private_key, 1, &u->octets, &at);
    place_list(u->chain, c->chain, c->n_chain, &u->octets, &at);
    place_list(u->kms, c->kms_certificates, c->n_kms_certificates, &u->octets, &at);
    place_list(u->anchors, c->anchors, c->n_anchors, &u->octets, &at);
    u->config.chain = u->chain;
    u->config.kms_certificates = u->kms;
    u->config.anchors = u->anchors;
    return IBK_OK;
}

ibk_err user_pke_new(user_pke **out, const ibk_key_request_pke *config) {
    if (!config_sound(config)) {
        return IBK_ERR_USAGE;
    }
    user_pke *u = calloc(1, sizeof *u);
    ibk_err err = u ? copy(u, config) : IBK_ERR_NO_MEMORY;
    if (err) {
        user_pke_free(u);
        return err;
    }
    *out = u;
    return IBK_OK;
}

void user_pke_free(user_pke *u) {
    if (u) {
        ibk_buf_free(&u->octets);
        free(u);
    }
}

/* The key that the envelope is for, from a certificate that is trusted as it is, or through the anchors. */
static ibk_err find_kms_key(ibk_buf *public_key, const ibk_key_request_pke *c, const ibk_env *env,
                            const ibk_identity *kms, int64_t utc_ns) {
    ibk_span path[IBK_PKE_MAX_CERTIFICATES] = {c->kms_certificates[c->kms_certificate]};
    if (c->n_anchors == 0) {
        return cert_rsa_key(public_key, path[0], NULL);
    }
    if (!cert_names_kms(path[0], kms->id)) {
        return IBK_ERR_BAD_CERTIFICATE;
    }
    size_t n = 1;
    for (size_t i = 0; i < c->n_kms_certificates; i++) {
        if (i != c->kms_certificate) {
            path[n++] = c->kms_certificates[i];
        }
    }
    trust *anchors;
    ibk_err err = trust_new(&anchors, c->anchors, c->n_anchors);
    if (!err) {
        err = chain_verify(public_key, anchors, env, CERT_USE_ENVELOPE, path, n, utc_ns, 0, NULL);
        trust_free(anchors);
    }
    return err;
}

/* The private key is RSA of a permitted size and, if a certificate goes along, that certificate's. */
static ibk_err check_own_key(const ibk_key_request_pke *c) {
    unsigned bits = ibk_rsa_private_bits(c->private_key);
    if (bits < IBK_PKE_RSA_BITS_MIN || bits > IBK_PKE_RSA_BITS_MAX) {
        return IBK_ERR_UNSUPPORTED;
    }
    if (c->n_chain == 0) {
        return IBK_OK;
    }
    ibk_buf public_key = {0};
    ibk_err err = cert_rsa_key(&public_key, c->chain[0], NULL);
    if (!err && !ibk_rsa_pair(c->private_key, ibk_buf_span(&public_key))) {
        err = IBK_ERR_MISMATCH;
    }
    ibk_buf_free(&public_key);
    return err;
}

static ibk_err draw_envelope(ibk_buf *envelope_key, const ibk_env *env) {
    size_t from = envelope_key->len;
    ibk_err err = ibk_buf_resize(envelope_key, from + ENVELOPE_LEN);
    return err ? err : env->draw(env->user, IBK_DRAW_ENVELOPE, envelope_key->data + from, ENVELOPE_LEN);
}

ibk_err user_pke_write(ibk_buf *out, ibk_buf *envelope_key, const user_pke *u, const ibk_env *env,
                       const ibk_hdr *hdr, const parties *who, const ibk_t *t, ibk_span rand, ibk_time now) {
    const ibk_key_request_pke *c = &u->config;
    ibk_buf kms_key = {0};
    ibk_err err = check_own_key(c);
    err = err ? err : find_kms_key(&kms_key, c, env, &who->kms, now.utc_ns);
    err = err ? err : draw_envelope(envelope_key, env);
    pke_parts parts = {.chain = c->chain,
                       .n_chain = c->n_chain,
                       .private_key = c->private_key,
                       .sig_type = c->sig_type,
                       .sig_hash = c->sign_with_sha1 ? IBK_HASH_SHA1 : IBK_HASH_SHA256,
                       .chash = c->chash || c->n_kms_certificates > 1,
                       .chash_alg = c->chash_with_sha1 ? IBK_HASH_SHA1 : IBK_HASH_SHA256,
                       .kms_certificate = c->kms_certificates[c->kms_certificate],
                       .kms_public_key = ibk_buf_span(&kms_key),
                       .rsaes = c->rsaes,
                       .cache = c->cache,
                       .envelope_key = ibk_buf_span(envelope_key)};
    err = err ? err : request_key_pke_write(out, env, hdr, who, t, rand, &parts);
    if (!err) {
        report_work(env, IBK_WORK_RSA_PUBLIC, ibk_rsa_public_bits(parts.kms_public_key));
        report_work(env, IBK_WORK_RSA_PRIVATE, ibk_rsa_private_bits(c->private_key));
    }
    ibk_buf_free(&kms_key);
    return err;
}
