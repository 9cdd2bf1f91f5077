/* The KMS's side of REQUEST_KEY_PKE: whose request it is, and its envelope. */
#include "kms/certificates.h"
#include "kms/kms_internal.h"
#include "mikey/rsa_key.h"

#include <stdlib.h>

typedef struct key_pair {
    ibk_buf certificate, private_key;
    uint8_t rsaes;
    unsigned bits;
} key_pair;

struct kms_pke {
    key_pair pairs[IBK_PKE_MAX_CERTIFICATES];
    size_t n_pairs;
    trust *anchors;
};

/* ---- making one -----------------------------------------------------------------------------------------
 */

static ibk_err take_pair(key_pair *out, const ibk_kms_key_pair *in) {
    ibk_buf public_key = {0};
    ibk_err err = cert_rsa_key(&public_key, in->certificate, NULL);
    if (!err && !ibk_rsa_pair(in->private_key, ibk_buf_span(&public_key))) {
        err = IBK_ERR_MISMATCH;
    }
    out->rsaes = in->rsaes;
    out->bits = ibk_rsa_public_bits(ibk_buf_span(&public_key));
    ibk_buf_free(&public_key);
    err = err ? err : ibk_buf_append_span(&out->certificate, in->certificate);
    return err ? err : ibk_buf_append_span(&out->private_key, in->private_key);
}

ibk_err kms_pke_new(kms_pke **out, const ibk_kms_pke *c) {
    if (c->n_key_pairs == 0 || c->n_key_pairs > IBK_PKE_MAX_CERTIFICATES || c->n_anchors == 0) {
        return IBK_ERR_USAGE;
    }
    kms_pke *pke = calloc(1, sizeof *pke);
    if (!pke) {
        return IBK_ERR_NO_MEMORY;
    }
    ibk_err err = trust_new(&pke->anchors, c->anchors, c->n_anchors);
    for (size_t i = 0; !err && i < c->n_key_pairs; i++) {
        pke->n_pairs++;
        err = c->key_pairs[i].rsaes <= IBK_RSAES_OAEP_SHA256 ? take_pair(&pke->pairs[i], &c->key_pairs[i])
                                                             : IBK_ERR_USAGE;
    }
    if (err) {
        kms_pke_free(pke);
        return err;
    }
    *out = pke;
    return IBK_OK;
}

void kms_pke_free(kms_pke *pke) {
    if (pke) {
        for (size_t i = 0; i < pke->n_pairs; i++) {
            ibk_buf_free(&pke->pairs[i].certificate);
            ibk_buf_free(&pke->pairs[i].private_key);
        }
        trust_free(pke->anchors);
        free(pke);
    }
}

/* ---- whose request it is --------------------------------------------------------------------------------
 */

/* The chain of the message, or the certificate that the KMS knows of this user. */
static ibk_err find_chain(ibk_span *chain, size_t *n, ibk_buf *known, const ibk_kms_config *c,
                          const key_request *r, const ibk_identity *first, ibk_diag *diag) {
    *n = r->n_chain;
    for (size_t i = 0; i < r->n_chain; i++) {
        chain[i] = r->chain[i];
    }
    if (*n > 0) {
        return IBK_OK;
    }
    if (!c->pke.certificate || !c->pke.certificate(c->user, first, known)) {
        return ibk_fail(diag, IBK_ERR_MISSING_PAYLOAD, "CERT", 0,
                        "no certificate in the request, and none known");
    }
    chain[0] = ibk_buf_span(known);
    *n = 1;
    return IBK_OK;
}

/* SIGN does not say which hash it was made with: SHA-256 is tried, then RFC 3830's default. */
static ibk_err check_sign(const key_request *r, const ibk_kms_config *c, const ibk_env *env,
                          ibk_span public_key, ibk_diag *diag) {
    static const uint8_t hashes[] = {IBK_HASH_SHA256, IBK_HASH_SHA1};
    ibk_span ids[IBK_KMS_MAX_USERS + 1];
    size_t n = parties_covered(&r->who, ids);
    ibk_err err = IBK_ERR_BAD_SIGNATURE;
    for (size_t i = 0; i < (c->pke.refuse_sha1 ? 1 : 2) && err == IBK_ERR_BAD_SIGNATURE; i++) {
        err = ibk_msg_check_sign(r->msg, hashes[i], public_key, ids, n, diag);
        report_work(env, IBK_WORK_RSA_PUBLIC, ibk_rsa_public_bits(public_key));
    }
    return err;
}

ibk_err kms_pke_authenticate(pke_proof *out, const kms_pke *pke, const ibk_kms_config *c, const ibk_env *env,
                             const key_request *r, const ibk_identity *first, int64_t utc_ns, int *error_no,
                             ibk_diag *diag) {
    ibk_span chain[IBK_PKE_MAX_CERTIFICATES] = {{0}};
    size_t n = 0;
    ibk_buf known = {0}, public_key = {0};
    *error_no = IBK_ERRNO_CERT;
    ibk_err err = find_chain(chain, &n, &known, c, r, first, diag);
    if (!err && ibk_guards(c->without, IBK_DEFENCE_USER_CERTIFICATE)) {
        err = chain_verify(&public_key, pke->anchors, env, CERT_USE_SIGNATURE, chain, n, utc_ns,
                           c->pke.max_intermediates, diag);
    } else if (!err) {
        err = cert_rsa_key(&public_key, chain[0], diag);
    }
    if (!err && ibk_guards(c->without, IBK_DEFENCE_KMS_SIGNATURE)) {
        *error_no = IBK_ERRNO_AUTH; /* RFC 3830 §5.3 (N40) */
        err = check_sign(r, c, env, ibk_buf_span(&public_key), diag);
    }
    if (!err && c->pke.holder && !c->pke.holder(c->user, chain[0], first, &out->owner)) {
        err = ibk_fail(diag, IBK_ERR_NOT_AUTHORIZED, "CERT", 0, "the holder of this certificate is excluded");
    }
    err = err ? err : ibk_buf_append_span(&out->certificate, chain[0]);
    if (!err) {
        *error_no = NO_ERROR_NO;
    }
    ibk_buf_free(&known);
    ibk_buf_free(&public_key);
    return err;
}

/* ---- the envelope ----------------------------------------------------------------------------------------
 */

/* The key pair that CHASH names (RFC 3830 §6.8), or the first one. */
static ibk_err find_pair(const key_pair **out, const kms_pke *pke, const key_request *r, int *error_no,
                         ibk_diag *diag) {
    *out = &pke->pairs[0];
    if (!r->chash) {
        return IBK_OK;
    }
    for (size_t i = 0; i < pke->n_pairs; i++) {
        uint8_t hash[32];
        size_t len;
        ibk_err err =
            cert_hash(hash, &len, r->chash->chash.hash_alg, ibk_buf_span(&pke->pairs[i].certificate));
        if (err) {
            *error_no = IBK_ERRNO_HA;
            return ibk_fail(diag, err, "CHASH", r->chash->offset, "%s",
                            ibk_hash_name(r->chash->chash.hash_alg));
        }
        if (ibk_span_equal(ibk_span_of(hash, len), r->chash->chash.hash)) {
            *out = &pke->pairs[i];
            return IBK_OK;
        }
    }
    *error_no = IBK_ERRNO_CERT;
    return ibk_fail(diag, IBK_ERR_MISMATCH, "CHASH", r->chash->offset, "no certificate of this KMS");
}

ibk_err kms_pke_open(ibk_buf *envelope_key, const kms_pke *pke, const ibk_env *env, const key_request *r,
                     int *error_no, ibk_diag *diag) {
    const key_pair *pair;
    ibk_err err = find_pair(&pair, pke, r, error_no, diag);
    if (err) {
        return err;
    }
    err = ibk_rsa_decrypt(envelope_key, pair->rsaes, ibk_buf_span(&pair->private_key), r->pke->pke.data);
    if (err) { /* not of the modulus's length, or not below it: anybody can see that */
        *error_no = IBK_ERRNO_UNSPECIFIED;
        return ibk_fail(diag, err, "PKE", r->pke->offset, "not encrypted for this key");
    }
    report_work(env, IBK_WORK_RSA_PRIVATE, pair->bits);
    return IBK_OK;
}
