/* REQUEST_KEY_PKE = HDR, T, RAND, (IDRi/r)+, {CERT}, IDRkms, [KEMAC], [CHASH], PKE, SIGN (RFC 6267 §4.2.1.1,
 * §4.2.1.1.2; RFC 3830 §3.2). */
#include "kms/certificates.h"
#include "kms/kms_internal.h"

#include <string.h>

ibk_err request_key_pke_write(ibk_buf *out, const ibk_env *env, const ibk_hdr *hdr, const parties *who,
                              const ibk_t *t, ibk_span rand, const pke_parts *p) {
    ibk_msg msg = {.hdr = *hdr};
    ibk_span ids[IBK_KMS_MAX_USERS + 1];
    uint8_t hash[32];
    size_t n = parties_covered(who, ids), hash_len = 0;
    ibk_buf sealed = {0};
    ibk_add_t(&msg.chain, t); /* §4.2.1.1 (N2) */
    ibk_add_rand(&msg.chain, rand);
    parties_add_users(who, &msg);
    for (size_t i = 0; i < p->n_chain; i++) { /* §4.2.1.1.2 (N13, N14): each in a payload of its own */
        ibk_add_cert(&msg.chain, IBK_CERT_X509, p->chain[i]);
    }
    parties_add_kms(who, &msg); /* (N8) */
    /* No KEMAC: which dates are wanted stands in IDRi/r (P-10; N9, N10) */
    ibk_err err = IBK_OK;
    if (p->chash) { /* RFC 3830 §6.8 */
        err = cert_hash(hash, &hash_len, p->chash_alg, p->kms_certificate);
        ibk_chash chash = {.hash_alg = p->chash_alg, .hash = ibk_span_of(hash, hash_len)};
        ibk_chain_add(&msg.chain, &(ibk_payload){.type = IBK_PL_CHASH, .chash = chash});
    }
    err = err ? err : ibk_rsa_encrypt(&sealed, env, p->rsaes, p->kms_public_key, p->envelope_key);
    ibk_add_pke(&msg.chain, p->cache, ibk_buf_span(&sealed));
    ibk_add_sign(&msg.chain, p->sig_type, (ibk_span){0});
    /* The whole message but the signature, then the identities (§5.4, P-8) */
    err = err ? err : ibk_msg_write_sign(&msg, out, env, p->sig_hash, p->private_key, ids, n);
    ibk_buf_free(&sealed);
    ibk_msg_free(&msg);
    return err;
}

/* {CERT}: the user's first. Those for encryption are of no use here. */
static ibk_err read_chain(key_request *out, const ibk_msg *msg, int *error_no, ibk_diag *diag) {
    const ibk_payload *p;
    for (size_t i = 0; (p = ibk_msg_find(msg, IBK_PL_CERT, i)) != NULL; i++) {
        *error_no = IBK_ERRNO_CERT;
        if (i == IBK_PKE_MAX_CERTIFICATES) {
            return ibk_fail(diag, IBK_ERR_LIMIT, "CERT", p->offset, "more than %d certificates",
                            IBK_PKE_MAX_CERTIFICATES);
        }
        if (p->cert.data.len > IBK_PKE_CERTIFICATE_MAX) {
            return ibk_fail(diag, IBK_ERR_LIMIT, "CERT", p->offset, "a certificate of %zu octets, limit %d",
                            p->cert.data.len, IBK_PKE_CERTIFICATE_MAX);
        }
        if (p->cert.cert_type == IBK_CERT_X509 || p->cert.cert_type == IBK_CERT_X509_SIGN) {
            out->chain[out->n_chain++] = p->cert.data;
        } else if (p->cert.cert_type != IBK_CERT_X509_ENCR) { /* a URL: nothing is fetched for strangers */
            return ibk_fail(diag, IBK_ERR_UNSUPPORTED, "CERT", p->offset, "%s",
                            ibk_cert_type_name(p->cert.cert_type));
        }
    }
    *error_no = NO_ERROR_NO;
    return IBK_OK;
}

ibk_err request_key_pke_read(key_request *out, const ibk_msg *msg, int *error_no, ibk_diag *diag) {
    ibk_err err = request_read(out, msg, IBK_PL_SIGN, error_no, diag);
    if (err) {
        return err;
    }
    out->pke = request_only(msg, IBK_PL_PKE, &err, diag);
    if (ibk_chain_count(&msg->chain, IBK_PL_CHASH) > 0) {
        out->chash = request_only(msg, IBK_PL_CHASH, &err, diag);
    }
    err = err ? err : read_chain(out, msg, error_no, diag);
    if (err) {
        return err;
    }
    if (out->last->sign.sig_type > IBK_SIG_RSA_PSS) {
        *error_no = IBK_ERRNO_AUTH;
        return ibk_fail(diag, IBK_ERR_UNSUPPORTED, "SIGN", out->last->offset, "signature type %u",
                        out->last->sign.sig_type);
    }
    if (out->pke->pke.cache != IBK_PKE_NO_CACHE) { /* RFC 3830 §6.3: it would have to be cached */
        *error_no = IBK_ERRNO_UNSPECIFIED;
        return ibk_fail(diag, IBK_ERR_UNSUPPORTED, "PKE", out->pke->offset,
                        "C is %u: no envelope key is cached", out->pke->pke.cache);
    }
    return IBK_OK;
}
