/* Curve and pairing on the shipped sets: bilinearity, the two ways to compute, degenerate inputs. */
#include "ibe/testing.h"

static void random_scalar(uint8_t *out, size_t len, test_random *random) {
    test_draw(random, IBK_DRAW_PARAMS, out, len);
    out[0] = 0; // below q
}

/* e(A, B) by both ways, which have to agree. */
static void pair(uint8_t *out, const ibk_ibe_params *params, const uint8_t *a, const uint8_t *b) {
    const ibk_group *g = &params->group;
    ibk_limb pa[IBK_POINT_MAX], pb[IBK_POINT_MAX], half[IBK_POINT_MAX], image[IBK_POINT_MAX], e[IBK_FP2_MAX];
    ibk_limb inverse[IBK_FP_MAX];
    uint8_t again[2 * IBK_IBE_FIELD_MAX];
    ibk_lines lines;
    assert_int_equal(ibk_ibe_pairing(params, a, b, out), IBK_OK);
    assert_true(ibk_curve_from_octets(pa, a, g) && ibk_curve_from_octets(pb, b, g));
    assert_true(ibk_curve_half(half, pa, g));
    assert_int_equal(ibk_lines_init(&lines, half, g), IBK_OK);
    ibk_fp_inv(inverse, pb, &g->fp);
    ibk_pairing_image(image, pb, inverse, g);
    ibk_lines_eval(e, &lines, image, g);
    ibk_final_exp(e, e, g->cofactor, g->cofactor_bits, g);
    ibk_curve_to_octets(again, e, g);
    assert_memory_equal(out, again, 2 * g->fp.octets);
    ibk_lines_free(&lines);
}

static void bilinear(unsigned n) {
    ibk_ibe_params *params = test_params(n, false);
    test_random random = {n, -1, 0};
    size_t len = 2 * ibk_ibe_params_field_len(params), k_len = ibk_ibe_params_q_bits(params) / 8;
    uint8_t p[1920], q[1920], kp[1920], kq[1920], e[1920], left[1920], right[1920], power[1920], k[64];
    assert_int_equal(ibk_ibe_params_generator(params, p), IBK_OK);
    assert_int_equal(ibk_ibe_hash_to_point(params, ibk_span_str("sip:bob@b.example"), q), IBK_OK);
    assert_int_equal(ibk_ibe_point_check(params, q), IBK_OK);
    pair(e, params, p, q);
    random_scalar(k, k_len, &random);
    ibk_span scalar = ibk_span_of(k, k_len);
    assert_int_equal(ibk_ibe_point_mul(params, p, scalar, kp), IBK_OK);
    assert_int_equal(ibk_ibe_base_mul(params, scalar, left), IBK_OK);
    assert_memory_equal(kp, left, len); // the comb agrees with the windows
    assert_int_equal(ibk_ibe_point_mul(params, q, scalar, kq), IBK_OK);
    pair(left, params, kp, q);
    pair(right, params, p, kq);
    assert_int_equal(ibk_ibe_gt_exp(params, e, scalar, power), IBK_OK);
    assert_memory_equal(left, right, len);
    assert_memory_equal(left, power, len);
    pair(left, params, q, p); // symmetric
    assert_memory_equal(left, e, len);
    pair(e, params, p, p); // not degenerate
    memset(right, 0, len);
    right[len / 2 - 1] = 1;
    assert_memory_not_equal(e, right, len);
    ibk_buf order = {NULL, 0, 0};
    assert_int_equal(ibk_ibe_params_q(params, &order), IBK_OK);
    assert_int_equal(ibk_ibe_gt_exp(params, e, ibk_buf_span(&order), power), IBK_OK);
    assert_memory_equal(power, right, len); // e^q = 1
    ibk_buf_free(&order);
    ibk_ibe_params_free(params);
}

static void bilinear_512(void **state) {
    (void)state;
    bilinear(1024);
}

static void bilinear_1024(void **state) {
    (void)state;
    bilinear(2048);
}

static void bilinear_1536(void **state) {
    (void)state;
    bilinear(3072);
}

static void bilinear_3840(void **state) {
    (void)state;
    bilinear(7680);
}

/* A whole point is paired as its part of order q: e(A, B)^(12 r) = e(A, [12 r]B). */
static void points_of_other_order(void **state) {
    (void)state;
    ibk_ibe_params *params = test_params(1024, false);
    const ibk_group *g = &params->group;
    ibk_hasher h;
    ibk_limb whole[IBK_POINT_MAX], inverse[IBK_FP_MAX], e[IBK_FP2_MAX], cofactor[IBK_FP_MAX];
    uint8_t p[128], b[128], part[128], left[128], right[128];
    assert_int_equal(ibk_hasher_init(&h, IBK_IBE_SHA1), IBK_OK);
    assert_int_equal(ibk_identity_point(whole, inverse, &h, ibk_span_str("carol"), g), IBK_OK);
    ibk_hasher_free(&h);
    ibk_curve_to_octets(b, whole, g);
    assert_int_equal(ibk_ibe_point_check(params, b), IBK_ERR_BAD_ORDER);
    assert_int_equal(ibk_ibe_hash_to_point(params, ibk_span_str("carol"), part), IBK_OK);
    ibk_ibe_params_generator(params, p);
    pair(left, params, p, b);
    assert_true(ibk_curve_from_octets(e, left, g));
    ibk_fp_to_limbs(cofactor, g->cofactor_q, &g->fq);
    ibk_gt_pow(e, e, cofactor, g->fq.bits, g);
    ibk_curve_to_octets(left, e, g);
    pair(right, params, p, part);
    assert_memory_equal(left, right, 128);
    ibk_ibe_params_free(params);
}

static void degenerate_inputs(void **state) {
    (void)state;
    ibk_ibe_params *params = test_params(1024, false);
    uint8_t p[128], out[128], one[128] = {0}, point[128] = {0}, zero[1] = {0};
    one[63] = 1;
    ibk_ibe_params_generator(params, p);
    point[127] = 1; // (0, 1), of order 3
    assert_int_equal(ibk_ibe_point_check(params, point), IBK_ERR_BAD_ORDER);
    assert_int_equal(ibk_ibe_pairing(params, p, point, out), IBK_OK);
    assert_memory_equal(out, one, 128);
    assert_int_equal(ibk_ibe_point_mul(params, point, ibk_span_of("\x03", 1), out), IBK_ERR_INFINITY);
    assert_int_equal(ibk_ibe_point_mul(params, point, ibk_span_of("\x04", 1), out), IBK_OK);
    assert_memory_equal(out, point, 128);
    // (2, 3), of order 6: its image has y'' = 0
    point[63] = 2;
    point[127] = 3;
    assert_int_equal(ibk_ibe_pairing(params, p, point, out), IBK_OK);
    assert_memory_equal(out, one, 128);
    assert_int_equal(ibk_ibe_point_mul(params, point, ibk_span_of("\x06", 1), out), IBK_ERR_INFINITY);
    assert_int_equal(ibk_ibe_point_mul(params, point, ibk_span_of("\x01\x05", 2), out),
                     IBK_OK); // 261 = 3 mod 6
    point[127] = 4;
    assert_int_equal(ibk_ibe_pairing(params, p, point, out), IBK_ERR_NOT_ON_CURVE);
    memset(point, 0xff, 128);
    assert_int_equal(ibk_ibe_pairing(params, point, p, out), IBK_ERR_BAD_VALUE);
    assert_int_equal(ibk_ibe_point_check(params, point), IBK_ERR_BAD_VALUE);
    // scalars
    assert_int_equal(ibk_ibe_base_mul(params, ibk_span_of(zero, 1), out), IBK_ERR_INFINITY);
    assert_int_equal(ibk_ibe_base_mul(params, ibk_span_of("\x01", 1), out), IBK_OK);
    assert_memory_equal(out, p, 128);
    ibk_buf q = {NULL, 0, 0};
    ibk_ibe_params_q(params, &q);
    assert_int_equal(ibk_ibe_base_mul(params, ibk_buf_span(&q), out), IBK_ERR_INFINITY);
    q.data[q.len - 1] = (uint8_t)(q.data[q.len - 1] - 1); // q - 1: -P
    assert_int_equal(ibk_ibe_base_mul(params, ibk_buf_span(&q), out), IBK_OK);
    assert_memory_equal(out, p, 64);
    assert_memory_not_equal(out + 64, p + 64, 64);
    ibk_buf_free(&q);
    // powers of 1 and -1, and what has no norm 1
    assert_int_equal(ibk_ibe_gt_exp(params, one, ibk_span_of("\x07", 1), out), IBK_OK);
    assert_memory_equal(out, one, 128);
    assert_int_equal(ibk_ibe_gt_exp(params, p, ibk_span_of("\x07", 1), out), IBK_ERR_BAD_VALUE);
    ibk_ibe_params_free(params);
}

/* Scalars that are all edges of windows and combs, against each other. */
static void scalar_ways_agree(void **state) {
    (void)state;
    ibk_ibe_params *params = test_params(1024, false);
    const ibk_group *g = &params->group;
    uint8_t p[128], left[128], right[128], k[20];
    ibk_limb limbs[IBK_FP_MAX], point[IBK_POINT_MAX];
    ibk_ibe_params_generator(params, p);
    for (unsigned i = 0; i < 200; i++) {
        memset(k, 0, sizeof k);
        if (i < 155) { // 2^i, 2^i + 2^(i/2)
            k[19 - i / 8] |= (uint8_t)(1u << (i % 8));
            if (i % 2)
                k[19 - i / 16] |= (uint8_t)(1u << (i / 2 % 8));
        } else {
            k[19] = (uint8_t)(i - 150);
        }
        ibk_span scalar = ibk_span_of(k, sizeof k);
        assert_int_equal(ibk_ibe_point_mul(params, p, scalar, left), IBK_OK);
        assert_int_equal(ibk_ibe_base_mul(params, scalar, right), IBK_OK);
        assert_memory_equal(left, right, 128);
        assert_true(ibk_limbs_from_octets(limbs, g->fq.n, k, sizeof k));
        assert_true(ibk_curve_mul_secret(point, params->p, limbs, g) != 0);
        ibk_curve_to_octets(right, point, g);
        assert_memory_equal(left, right, 128);
    }
    ibk_ibe_params_free(params);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bilinear_512),          cmocka_unit_test(bilinear_1024),
        cmocka_unit_test(bilinear_1536),         cmocka_unit_test(bilinear_3840),
        cmocka_unit_test(points_of_other_order), cmocka_unit_test(degenerate_inputs),
        cmocka_unit_test(scalar_ways_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
