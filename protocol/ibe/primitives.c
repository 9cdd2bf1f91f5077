/* The primitives on octets, for vectors, conformance cases and independent checks. */
#include "ibe/objects.h"

#include <string.h>

ibk_err ibk_ibe_canonical(const ibk_ibe_params *params, unsigned order, const uint8_t *value, uint8_t *out) {
    const ibk_group *g = &params->group;
    size_t len = g->fp.octets;
    uint8_t copy[2 * IBK_IBE_FIELD_MAX];
    ibk_limb v[IBK_FP2_MAX];
    if (order > 1)
        return IBK_ERR_USAGE;
    if (!ibk_curve_from_octets(v, value, g))
        return IBK_ERR_BAD_VALUE;
    memcpy(copy, value, 2 * len);
    memcpy(out, order ? copy + len : copy, len);
    memcpy(out + len, order ? copy : copy + len, len);
    return IBK_OK;
}

static ibk_err read_point(ibk_limb *point, const uint8_t *octets, const ibk_group *g) {
    if (!ibk_curve_from_octets(point, octets, g))
        return IBK_ERR_BAD_VALUE;
    return ibk_curve_on(point, g) ? IBK_OK : IBK_ERR_NOT_ON_CURVE;
}

ibk_err ibk_ibe_point_check(const ibk_ibe_params *params, const uint8_t *point) {
    ibk_limb p[IBK_POINT_MAX], half[IBK_POINT_MAX];
    ibk_err err = read_point(p, point, &params->group);
    if (err == IBK_OK && !ibk_curve_half(half, p, &params->group))
        err = IBK_ERR_BAD_ORDER;
    return err;
}

ibk_err ibk_ibe_pairing(const ibk_ibe_params *params, const uint8_t *a, const uint8_t *b, uint8_t *out) {
    const ibk_group *g = &params->group;
    ibk_limb pa[IBK_POINT_MAX], pb[IBK_POINT_MAX], inverse_x[IBK_FP_MAX], image[IBK_POINT_MAX],
        f2[IBK_FP2_MAX];
    ibk_err err = read_point(pa, a, g);
    if (err == IBK_OK)
        err = read_point(pb, b, g);
    if (err != IBK_OK)
        return err;
    if (ibk_fp_is_zero(pb, &g->fp)) { // order 3, of which the part of order q is infinity
        ibk_fp2_one(f2, &g->fp);
    } else {
        ibk_fp_inv(inverse_x, pb, &g->fp);
        ibk_pairing_image(image, pb, inverse_x, g);
        ibk_miller(f2, pa, image, g);
        ibk_final_exp_signed(f2, f2, g);
    }
    ibk_curve_to_octets(out, f2, g);
    return IBK_OK;
}

/* A scalar of at most q's length, reduced modulo q. */
static bool read_scalar(ibk_limb *k, ibk_span octets, const ibk_group *g) {
    if (octets.len > g->fq.octets)
        return false;
    ibk_fp_from_wide(k, octets.data, octets.len, &g->fq);
    ibk_fp_to_limbs(k, k, &g->fq);
    return true;
}

ibk_err ibk_ibe_gt_exp(const ibk_ibe_params *params, const uint8_t *theta, ibk_span k, uint8_t *out) {
    const ibk_group *g = &params->group;
    ibk_limb value[IBK_FP2_MAX], norm[IBK_FP_MAX], square[IBK_FP_MAX], e[IBK_FP_MAX];
    if (!ibk_curve_from_octets(value, theta, g))
        return IBK_ERR_BAD_VALUE;
    ibk_fp_sqr(norm, value, &g->fp);
    ibk_fp_sqr(square, value + g->fp.n, &g->fp);
    ibk_fp_add(norm, norm, square, &g->fp);
    if (ibk_fp_equal(norm, g->fp.one, &g->fp) == 0 || !read_scalar(e, k, g))
        return IBK_ERR_BAD_VALUE;
    ibk_gt_pow(value, value, e, g->fq.bits, g);
    ibk_curve_to_octets(out, value, g);
    ibk_wipe(e, sizeof e);
    ibk_wipe(value, sizeof value);
    return IBK_OK;
}

ibk_err ibk_ibe_base_mul(const ibk_ibe_params *params, ibk_span k, uint8_t *out) {
    const ibk_group *g = &params->group;
    const ibk_tables *tables;
    ibk_limb e[IBK_FP_MAX], point[IBK_POINT_MAX];
    ibk_err err = ibk_params_tables(params, &tables);
    if (err != IBK_OK)
        return err;
    if (!read_scalar(e, k, g))
        return IBK_ERR_BAD_SCALAR;
    err = ibk_comb_mul(point, &tables->comb, e, g) != 0 ? IBK_OK : IBK_ERR_INFINITY;
    if (err == IBK_OK)
        ibk_curve_to_octets(out, point, g);
    ibk_wipe(e, sizeof e);
    return err;
}

ibk_err ibk_ibe_point_mul(const ibk_ibe_params *params, const uint8_t *a, ibk_span k, uint8_t *out) {
    const ibk_group *g = &params->group;
    ibk_limb point[IBK_POINT_MAX], e[IBK_FP_MAX];
    ibk_err err = read_point(point, a, g);
    if (err == IBK_OK && !ibk_limbs_from_octets(e, IBK_FP_MAX, k.data, k.len))
        err = IBK_ERR_BAD_SCALAR;
    if (err == IBK_OK && !ibk_curve_mul_vartime(point, point, e, IBK_FP_MAX, g))
        err = IBK_ERR_INFINITY;
    if (err == IBK_OK)
        ibk_curve_to_octets(out, point, g);
    return err;
}

static ibk_err put_modulus(const ibk_fp *f, ibk_buf *out) {
    size_t from = out->len;
    ibk_err err = ibk_buf_resize(out, from + f->octets);
    if (err == IBK_OK)
        ibk_limbs_to_octets(out->data + from, f->octets, f->p, f->n);
    return err;
}

ibk_err ibk_ibe_params_p(const ibk_ibe_params *params, ibk_buf *out) {
    return put_modulus(&params->group.fp, out);
}

ibk_err ibk_ibe_params_q(const ibk_ibe_params *params, ibk_buf *out) {
    return put_modulus(&params->group.fq, out);
}

ibk_err ibk_ibe_params_generator(const ibk_ibe_params *params, uint8_t *point) {
    ibk_curve_to_octets(point, params->p, &params->group);
    return IBK_OK;
}

ibk_err ibk_ibe_params_public(const ibk_ibe_params *params, uint8_t *point) {
    ibk_curve_to_octets(point, params->pub, &params->group);
    return IBK_OK;
}
