/* IBEIdentityInfo and IBEPrivateKeyReply (RFC 5408 §3, §5.6.1). */
#include "kms/der_items.h"

static const char INFO[] = "IBEIdentityInfo", REPLY[] = "IBEPrivateKeyReply";

static ibk_err take_info(ibk_der *d, ibk_identity_info *out, ibk_diag *diag) {
    ibk_err err = take_uri(d, &out->district, "district", diag);
    err = err ? err : take_serial(d, &out->serial, "serial", diag);
    err = err ? err : take_oid(d, &out->type, "identityType", diag);
    size_t at = ibk_der_offset(d);
    err = err ? err : ibk_der_take(d, &out->data, IBK_DER_OCTETS, "identityData", diag);
    if (!err && out->data.len > IBK_IBE_IDENTITY_MAX) {
        err = ibk_fail(diag, IBK_ERR_LIMIT, d->name, at, "identityData: %zu octets", out->data.len);
    }
    return err ? err : ibk_der_close(d, diag);
}

ibk_err ibk_identity_info_parse(ibk_identity_info *out, ibk_span der, ibk_diag *diag) {
    ibk_der d;
    *out = (ibk_identity_info){0};
    ibk_err err = ibk_der_open(&d, der, INFO, diag);
    err = err ? err : take_info(&d, out, diag);
    if (err) {
        *out = (ibk_identity_info){0};
    }
    return err;
}

ibk_err ibk_identity_info_write(ibk_buf *out, const ibk_identity_info *in) {
    size_t from = out->len;
    if (!uri_sound(in->district) || !oid_sound(in->type) || in->data.len > IBK_IBE_IDENTITY_MAX) {
        return IBK_ERR_USAGE;
    }
    ibk_err err = ibk_der_put(out, DER_IA5, in->district);
    err = err ? err : put_serial(out, in->serial);
    err = err ? err : ibk_der_put(out, IBK_DER_OID, in->type);
    err = err ? err : ibk_der_put(out, IBK_DER_OCTETS, in->data);
    return finish_structure(out, from, err);
}

bool ibk_identity_info_equal(const ibk_identity_info *a, const ibk_identity_info *b) {
    return ibk_span_equal(a->district, b->district) && a->serial == b->serial &&
           ibk_span_equal(a->type, b->type) && ibk_span_equal(a->data, b->data);
}

ibk_identity_info ibk_identity_info_of(const ibk_sysparams *params, ibk_span ibe_identity) {
    return (ibk_identity_info){.district = params->district,
                               .serial = params->serial,
                               .type = params->identity_type,
                               .data = ibe_identity};
}

ibk_err ibk_identity_info_check(const ibk_identity_info *info, const ibk_sysparams *params, ibk_diag *diag) {
    const char *what = !ibk_span_equal(info->district, params->district)    ? "district"
                       : info->serial != params->serial                     ? "serial"
                       : !ibk_span_equal(info->type, params->identity_type) ? "identityType"
                                                                            : NULL;
    return what ? ibk_fail(diag, IBK_ERR_MISMATCH, INFO, 0, "%s: not this district's", what) : IBK_OK;
}

/* ---- the reply ------------------------------------------------------------------------------------------
 */

ibk_err ibk_key_reply_parse(ibk_key_reply *out, ibk_span der, ibk_diag *diag) {
    ibk_der d, info;
    *out = (ibk_key_reply){0};
    if (der.len > IBK_SYSPARAMS_MAX) {
        return ibk_fail(diag, IBK_ERR_LIMIT, REPLY, 0, "%zu octets", der.len);
    }
    ibk_err err = ibk_der_open(&d, der, REPLY, diag);
    err = err ? err : ibk_der_enter(&d, &info, "pkgIdentity", diag);
    err = err ? err : take_info(&info, &out->identity, diag);
    err = err ? err : take_oid(&d, &out->algorithm, "pkgAlgorithm", diag);
    err = err ? err : ibk_der_take(&d, &out->key, IBK_DER_OCTETS, "pkgKeyData", diag);
    if (!err && d.at != d.end) {
        err = take_items(&d, out->options, &out->n_options, 1, "pkgOptions", diag);
    }
    err = err ? err : ibk_der_close(&d, diag);
    if (err) {
        *out = (ibk_key_reply){0};
    }
    return err;
}

ibk_err ibk_key_reply_write(ibk_buf *out, const ibk_key_reply *in) {
    size_t from = out->len;
    if (!oid_sound(in->algorithm)) {
        return IBK_ERR_USAGE;
    }
    ibk_err err = ibk_identity_info_write(out, &in->identity);
    err = err ? err : ibk_der_put(out, IBK_DER_OID, in->algorithm);
    err = err ? err : ibk_der_put(out, IBK_DER_OCTETS, in->key);
    if (!err && in->n_options > 0) {
        err = put_items(out, in->options, in->n_options);
    }
    return finish_structure(out, from, err);
}

ibk_err ibk_key_reply_check(const ibk_key_reply *reply, const ibk_identity_info *asked, ibk_diag *diag) {
    if (!ibk_identity_info_equal(&reply->identity, asked)) {
        return ibk_fail(diag, IBK_ERR_MISMATCH, REPLY, 0, "pkgIdentity: not the identity asked for");
    }
    if (!ibk_span_equal(reply->algorithm, ibk_oid_bf())) {
        return ibk_fail(diag, IBK_ERR_UNSUPPORTED, REPLY, 0, "pkgAlgorithm: not Boneh-Franklin");
    }
    return reply->n_options == 0 ? IBK_OK
                                 : ibk_fail(diag, IBK_ERR_UNSUPPORTED, REPLY, 0, "pkgOptions: none is known");
}
