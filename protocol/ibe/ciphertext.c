/* BFCiphertextBlock (RFC 5091 §8; P-2). */
#include "ibe/der.h"
#include <ibake/ibe.h>

#include <string.h>

ibk_err ibk_ibe_ciphertext_parse(ibk_ibe_ciphertext *ct, ibk_span der, ibk_diag *diag) {
    static const char NAME[] = "BFCiphertextBlock";
    ibk_der d;
    memset(ct, 0, sizeof *ct);
    ibk_err err = ibk_der_open(&d, der, NAME, diag);
    if (err == IBK_OK)
        err = ibk_der_version(&d, diag);
    if (err == IBK_OK) {
        ct->u_offset = ibk_der_offset(&d);
        err = ibk_der_point(&d, &ct->ux, &ct->uy, IBK_IBE_FIELD_MAX, "u", diag);
    }
    if (err == IBK_OK)
        err = ibk_der_take(&d, &ct->v, IBK_DER_OCTETS, "v", diag);
    if (err == IBK_OK)
        err = ibk_der_take(&d, &ct->w, IBK_DER_OCTETS, "w", diag);
    if (err == IBK_OK)
        err = ibk_der_close(&d, diag);
    if (err != IBK_OK)
        return err;
    ct->v_offset = (size_t)(ct->v.data - der.data);
    ct->w_offset = (size_t)(ct->w.data - der.data);
    if (ct->v.len > IBK_IBE_HASH_MAX)
        return ibk_fail(diag, IBK_ERR_LIMIT, NAME, ct->v_offset, "v: %zu octets, no hash is that long",
                        ct->v.len);
    if (ct->w.len > IBK_IBE_PLAINTEXT_MAX)
        return ibk_fail(diag, IBK_ERR_LIMIT, NAME, ct->w_offset, "w: %zu octets, limit %zu", ct->w.len,
                        IBK_IBE_PLAINTEXT_MAX);
    return IBK_OK;
}

ibk_err ibk_ibe_ciphertext_encode(const ibk_ibe_ciphertext *ct, ibk_buf *out) {
    size_t from = out->len;
    ibk_err err = ibk_der_put_version(out);
    if (err == IBK_OK)
        err = ibk_der_put_point(out, ct->ux, ct->uy);
    if (err == IBK_OK)
        err = ibk_der_put(out, IBK_DER_OCTETS, ct->v);
    if (err == IBK_OK)
        err = ibk_der_put(out, IBK_DER_OCTETS, ct->w);
    return err == IBK_OK ? ibk_der_wrap(out, from) : err;
}
