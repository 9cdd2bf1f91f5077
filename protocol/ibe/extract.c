/* Identities as points, private keys. */
#include "ibe/der.h"
#include "ibe/objects.h"

#include <stdlib.h>
#include <string.h>

ibk_err ibk_identity_point(ibk_limb *point, ibk_limb *inverse_x, ibk_hasher *h, ibk_span identity,
                           const ibk_group *g) {
    uint8_t octets[2 * IBK_IBE_HASH_MAX];
    ibk_limb y[IBK_FP_MAX];
    if (identity.len > IBK_IBE_IDENTITY_MAX)
        return IBK_ERR_LIMIT;
    ibk_err err = ibk_hash_range_octets(h, octets, identity, (ibk_span){NULL, 0});
    if (err != IBK_OK)
        return err;
    ibk_fp_from_wide(y, octets, 2 * h->len, &g->fp);
    return ibk_curve_from_y(point, inverse_x, y, g) ? IBK_OK : IBK_ERR_INFINITY;
}

/* The whole of HashToPoint1. */
static ibk_err identity_in_group(ibk_limb *point, const ibk_ibe_params *params, ibk_span identity) {
    const ibk_group *g = &params->group;
    ibk_hasher h;
    ibk_limb whole[IBK_POINT_MAX], inverse_x[IBK_FP_MAX];
    ibk_err err = ibk_hasher_init(&h, params->size->hash);
    if (err == IBK_OK)
        err = ibk_identity_point(whole, inverse_x, &h, identity, g);
    ibk_hasher_free(&h);
    if (err == IBK_OK && !ibk_curve_mul_vartime(point, whole, g->cofactor, g->cofactor_limbs, g))
        err = IBK_ERR_INFINITY;
    return err;
}

ibk_err ibk_ibe_hash_to_point(const ibk_ibe_params *params, ibk_span identity, uint8_t *out) {
    ibk_limb point[IBK_POINT_MAX];
    ibk_err err = identity_in_group(point, params, identity);
    if (err == IBK_OK)
        ibk_curve_to_octets(out, point, &params->group);
    return err;
}

/* ---- keys ------------------------------------------------------------------------------------ */

ibk_err ibk_key_new(ibk_ibe_key **key, const ibk_ibe_params *params, const ibk_limb *s_id) {
    const ibk_group *g = &params->group;
    ibk_limb half[IBK_POINT_MAX];
    *key = NULL;
    ibk_ibe_key *made = calloc(1, sizeof *made);
    if (made == NULL)
        return IBK_ERR_NO_MEMORY;
    memcpy(made->s_id, s_id, 2 * (size_t)g->fp.n * sizeof *s_id);
    made->params = ibk_params_share(params);
    bool any_order =
        !ibk_guards(params->without, IBK_DEFENCE_KEY_VERIFICATION | IBK_DEFENCE_PARAMETERS_CHECK);
    bool has_half = ibk_curve_half(half, s_id, g);
    ibk_err err = has_half || any_order ? ibk_lines_init(&made->lines, half, g) : IBK_ERR_BAD_ORDER;
    ibk_wipe(half, sizeof half);
    if (err != IBK_OK) {
        ibk_ibe_key_free(made);
        return err;
    }
    *key = made;
    return IBK_OK;
}

void ibk_ibe_key_free(ibk_ibe_key *key) {
    if (key == NULL)
        return;
    ibk_lines_free(&key->lines);
    ibk_ibe_params_free(key->params);
    ibk_wipe(key, sizeof *key);
    free(key);
}

/* RFC 5091 §5.3.1. The cofactor is public, s is not. */
ibk_err ibk_ibe_extract(const ibk_ibe_params *params, const ibk_ibe_master *master, ibk_span identity,
                        ibk_ibe_key **key) {
    const ibk_group *g = &params->group;
    ibk_limb point[IBK_POINT_MAX], s[IBK_FP_MAX];
    *key = NULL;
    if (master->len != g->fq.octets)
        return IBK_ERR_USAGE;
    ibk_err err = identity_in_group(point, params, identity);
    if (err != IBK_OK)
        return err;
    ibk_master_limbs(s, master, g);
    err = ibk_curve_mul_secret(point, point, s, g) != 0 ? ibk_key_new(key, params, point) : IBK_ERR_INFINITY;
    ibk_wipe(s, sizeof s);
    ibk_wipe(point, sizeof point);
    return err;
}

ibk_err ibk_ibe_key_parse(ibk_ibe_key **key, const ibk_ibe_params *params, ibk_span der, ibk_diag *diag) {
    static const char NAME[] = "BFPrivateKeyBlock";
    const ibk_group *g = &params->group;
    ibk_der d;
    ibk_span x = {NULL, 0}, y = {NULL, 0};
    size_t at = 0;
    *key = NULL;
    ibk_err err = ibk_der_open(&d, der, NAME, diag);
    if (err == IBK_OK)
        err = ibk_der_version(&d, diag);
    if (err == IBK_OK) {
        at = ibk_der_offset(&d);
        err = ibk_der_point(&d, &x, &y, IBK_IBE_FIELD_MAX, "privateKey", diag);
    }
    if (err == IBK_OK)
        err = ibk_der_close(&d, diag);
    if (err != IBK_OK)
        return err;
    ibk_limb point[IBK_POINT_MAX];
    if (!ibk_fp_from(point, x.data, x.len, &g->fp) || !ibk_fp_from(point + g->fp.n, y.data, y.len, &g->fp))
        return ibk_fail(diag, IBK_ERR_BAD_VALUE, NAME, at, "privateKey: a coordinate is not below p");
    bool checks = ibk_guards(params->without, IBK_DEFENCE_KEY_VERIFICATION);
    err = !checks || ibk_curve_on(point, g) ? ibk_key_new(key, params, point) : IBK_ERR_NOT_ON_CURVE;
    ibk_wipe(point, sizeof point);
    return err == IBK_OK ? IBK_OK : ibk_fail(diag, err, NAME, at, "privateKey: %s", ibk_err_text(err));
}

ibk_err ibk_ibe_key_encode(const ibk_ibe_key *key, ibk_buf *out) {
    const ibk_group *g = &key->params->group;
    uint8_t octets[2 * IBK_IBE_FIELD_MAX];
    size_t from = out->len, len = g->fp.octets;
    ibk_curve_to_octets(octets, key->s_id, g);
    ibk_err err = ibk_der_put_version(out);
    if (err == IBK_OK)
        err = ibk_der_put_point(out, ibk_span_of(octets, len), ibk_span_of(octets + len, len));
    ibk_wipe(octets, sizeof octets);
    return err == IBK_OK ? ibk_der_wrap(out, from) : err;
}

ibk_err ibk_ibe_key_point(const ibk_ibe_key *key, uint8_t *point) {
    ibk_curve_to_octets(point, key->s_id, &key->params->group);
    return IBK_OK;
}

/* e'(S_id, P) against e'(P_pub, Q_id): both have their lines; the pairing is symmetric. */
ibk_err ibk_ibe_key_verify(const ibk_ibe_params *params, const ibk_ibe_key *key, ibk_span identity) {
    const ibk_group *g = &params->group;
    const ibk_fp *f = &g->fp;
    ibk_limb left[IBK_FP2_MAX], right[IBK_FP2_MAX], image[IBK_POINT_MAX], inverse_x[IBK_FP_MAX];
    ibk_hasher h;
    if (!ibk_ibe_params_equal(params, key->params))
        return IBK_ERR_USAGE;
    if (!ibk_guards(params->without, IBK_DEFENCE_KEY_VERIFICATION))
        return IBK_OK;
    ibk_err err = ibk_hasher_init(&h, params->size->hash);
    if (err == IBK_OK)
        err = ibk_identity_theta(right, params, &h, identity, NULL);
    ibk_hasher_free(&h);
    if (err != IBK_OK)
        return err;
    ibk_fp_inv(inverse_x, params->p, f);
    ibk_pairing_image(image, params->p, inverse_x, g);
    ibk_lines_eval(left, &key->lines, image, g);
    ibk_final_exp(left, left, g->cofactor, g->cofactor_bits, g);
    return ibk_fp2_equal(left, right, f) != 0 ? IBK_OK : IBK_ERR_MISMATCH;
}
