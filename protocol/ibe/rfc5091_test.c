/* The test data of RFC 5091 §7 that holds (profile §4 item 7), on both multipliers. */
#include "ibe/objects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Hex to octets, right-aligned in len octets. */
static ibk_span hex(uint8_t *out, size_t len, const char *text) {
    memset(out, 0, len);
    size_t digits = strlen(text);
    for (size_t i = 0; i < digits; i++) {
        char c = text[digits - 1 - i];
        unsigned v = (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
        out[len - 1 - i / 2] |= (uint8_t)(v << (4 * (i % 2)));
    }
    return ibk_span_of(out, len);
}

static ibk_group *group(const char *p, const char *q, const ibk_fp_ops *ops) {
    static ibk_group g;
    uint8_t p_octets[32], q_octets[32];
    assert_true(ibk_group_init(&g, hex(p_octets, 32, p), hex(q_octets, 32, q), ops));
    assert_int_equal(ibk_group_is_prime(&g), IBK_OK);
    return &g;
}

static void set_point(ibk_limb *point, const char *x, const char *y, const ibk_group *g) {
    uint8_t octets[64];
    hex(octets, g->fp.octets, x);
    hex(octets + g->fp.octets, g->fp.octets, y);
    assert_true(ibk_curve_from_octets(point, octets, g));
}

static void assert_point(const ibk_limb *point, const char *x, const char *y, const ibk_group *g) {
    ibk_limb expected[IBK_POINT_MAX];
    set_point(expected, x, y, g);
    assert_memory_equal(point, expected, 2 * g->fp.n * sizeof *point);
}

static const ibk_fp_ops *multiplier(int path) {
    return path == 0 ? NULL : ibk_fp_ops_portable();
}

#define P1  "bffffffffffffffffffffffffffcffff3"
#define Q1  "fffffffffffffffffffffffffffbffff"
#define A_X "489a03c58dcf7fcfc97e99ffef0bb4634"
#define A_Y "510c6972d795ec0c2b081b81de767f808"

/* 7.1; the point has order q, the scalar is larger than q. */
static void point_multiply(void **state) {
    (void)state;
    for (int path = 0; path < 2; path++) {
        ibk_group *g = group(P1, Q1, multiplier(path));
        ibk_limb a[IBK_POINT_MAX], r[IBK_POINT_MAX], k[IBK_FP_MAX];
        uint8_t l[17];
        set_point(a, A_X, A_Y, g);
        hex(l, 17, "b8bbbc0089098f2769b32373ade8f0daf");
        assert_true(ibk_limbs_from_octets(k, IBK_FP_MAX, l, 17));
        assert_true(ibk_curve_mul_vartime(r, a, k, IBK_FP_MAX, g));
        assert_point(r, "073734b32a882cc97956b9f7e54a2d326", "9c4b891aab199741a44a5b6b632b949f7", g);
        // the same through the constant-time ways, with l mod q
        ibk_limb s[IBK_FP_MAX];
        ibk_fp_from_wide(s, l, 17, &g->fq);
        ibk_fp_to_limbs(s, s, &g->fq);
        ibk_limb half[IBK_POINT_MAX], again[IBK_POINT_MAX];
        if (ibk_curve_half(half, a, g)) {
            assert_true(ibk_curve_mul_secret(again, a, s, g) != 0);
            assert_memory_equal(again, r, 2 * g->fp.n * sizeof *r);
            ibk_comb comb;
            assert_int_equal(ibk_comb_init(&comb, a, g), IBK_OK);
            assert_true(ibk_comb_mul(again, &comb, s, g) != 0);
            assert_memory_equal(again, r, 2 * g->fp.n * sizeof *r);
            ibk_comb_free(&comb);
        }
    }
}

/* 7.2, with SHA-1's true OID. */
static void hash_to_range(void **state) {
    (void)state;
    uint8_t n[22], out[22], expected[22];
    ibk_span s = ibk_span_str("This ASCII string without null-terminator");
    assert_int_equal(
        ibk_ibe_hash_to_range(IBK_IBE_SHA1, s, hex(n, 22, "ffffffffffffffffffffefffffffffffffffffff"), out),
        IBK_OK);
    hex(expected, 22, "79317c1610c1fc018e9c53d89d59c108cd518608");
    assert_memory_equal(out, expected, 22);
}

/* 7.3, through the variable and the precomputed way. */
static void pairing(void **state) {
    (void)state;
    static const char *const RE = "8b2cac13cbd422658f9e5757b85493818",
                             *const IM = "bc6af59f54d0a5d83c8efd8f5214fad3c";
    for (int path = 0; path < 2; path++) {
        ibk_group *g = group(P1, Q1, multiplier(path));
        ibk_limb a[IBK_POINT_MAX], b[IBK_POINT_MAX], image[IBK_POINT_MAX], inverse[IBK_FP_MAX],
            e[IBK_FP2_MAX];
        set_point(a, A_X, A_Y, g);
        set_point(b, "40e98b9382e0b1fa6747dcb1655f54f75", "b497a6a02e7611511d0db2ff133b32a3f", g);
        ibk_fp_inv(inverse, b, &g->fp);
        ibk_pairing_image(image, b, inverse, g);
        ibk_miller(e, a, image, g);
        ibk_final_exp_signed(e, e, g);
        assert_point(e, RE, IM, g);
        ibk_limb half[IBK_POINT_MAX];
        ibk_lines lines;
        assert_true(ibk_curve_half(half, a, g));
        assert_int_equal(ibk_lines_init(&lines, half, g), IBK_OK);
        ibk_lines_eval(e, &lines, image, g);
        ibk_final_exp(e, e, g->cofactor, g->cofactor_bits, g);
        assert_point(e, RE, IM, g);
        ibk_lines_free(&lines);
    }
}

#define P2 "a6a0ffd016103ffffffffff595f002fe9ef195f002fe9efb"
#define Q2 "ffffffffffffffffffffffeffffffffffff"

/* 7.4 ("Bob" is 42 6f 62) and 7.5 (whose "Q_id" is S_id). */
static void derive_and_extract(void **state) {
    (void)state;
    for (int path = 0; path < 2; path++) {
        ibk_group *g = group(P2, Q2, multiplier(path));
        ibk_limb p[IBK_POINT_MAX], q_id[IBK_POINT_MAX], r[IBK_POINT_MAX], inverse[IBK_FP_MAX], s[IBK_FP_MAX];
        uint8_t octets[24];
        ibk_hasher h;
        assert_int_equal(ibk_hasher_init(&h, IBK_IBE_SHA1), IBK_OK);
        assert_int_equal(ibk_identity_point(q_id, inverse, &h, ibk_span_str("Bob"), g), IBK_OK);
        ibk_hasher_free(&h);
        assert_true(ibk_curve_mul_vartime(q_id, q_id, g->cofactor, g->cofactor_limbs, g));
        assert_point(q_id, "22fa1207e0d19e1a4825009e0e88e35eb57ba79391498f59",
                     "982d29acf942127e0f01c881b5ec1b5fe23d05269f538836", g);
        hex(octets, 24, "749e52ddb807e0220054417e514742b05a0");
        assert_true(ibk_limbs_from_octets(s, IBK_FP_MAX, octets, 24));
        set_point(p, "6924c354256acf5a0ff7f61be4f0495b54540a5bf6395b3d",
                  "024fd8e2eb7c09104bca116f41c035219955237c0eac19ab", g);
        assert_true(ibk_curve_mul_secret(r, p, s, g) != 0);
        assert_point(r, "a68412ae960d1392701066664d20b2f4a76d6ee715621108",
                     "9e7644e75c9a131d075752e143e3f0435ff231b6745a486f", g);
        assert_true(ibk_curve_mul_secret(r, q_id, s, g) != 0);
        assert_point(r, "8212b74ea75c841a9d1accc914ca140f4032d191b5ce5501",
                     "950643d940aba68099bdcb40082532b6130c88d317958657", g);
    }
}

/* 7.8 (Boneh-Boyen, whose parameters stand in 7.7) as a known answer for powers in F_p^2, Canonical and
 * HashBytes: psi = Canonical(v^s, order 1), zeta = hash(psi), xi = hash(zeta || psi), y = HashBytes(|m|, xi
 * || zeta) XOR m (section 6.4.1). C_0 = [s]P beside. */
static void hash_bytes_and_canonical(void **state) {
    (void)state;
    ibk_group *g = group("91bbe2be1c8950750784befffffffffffff6e441d41e12fb",
                         "fffffffffbfffffffffffffffffffffffff", NULL);
    ibk_limb point[IBK_POINT_MAX], s[IBK_FP_MAX], r[IBK_FP2_MAX];
    uint8_t scalar[24], w[48], psi[48], seed[40], joined[68], y[9], expected[9];
    hex(scalar, 24, "62759e95ce1af248040e220263fb41b965e");
    assert_true(ibk_limbs_from_octets(s, IBK_FP_MAX, scalar, 24));
    set_point(point, "13cc538fe950411218d7f5c17ae58a15e58f0877b29f2fe1",
              "8cf7bab1a748d323cc601fabd8b479f54a60be11e28e18cf", g);
    assert_true(ibk_curve_mul_secret(r, point, s, g) != 0);
    assert_point(r, "79f8f35904579f1aaf51897b1e8f1d84e1c927b8994e81f9",
                 "1cf77bb2516606681aba2e2dc14764aa1b55a45836014c62", g);

    set_point(point, "38f91032de6847a89fc3c83e663ed0c21c8f30ce65c0d7d3",
              "44b9aa10849cc8d8987ef2421770a340056745da8b99fba2", g); // v, in F_p^2
    ibk_gt_pow(r, point, s, g->fq.bits, g);
    ibk_curve_to_octets(w, r, g);
    memcpy(psi, w + 24, 24); // order 1
    memcpy(psi + 24, w, 24);
    assert_int_equal(ibk_ibe_digest(IBK_IBE_SHA1, ibk_span_of(psi, 48), seed + 20), IBK_OK);
    memcpy(joined, seed + 20, 20);
    memcpy(joined + 20, psi, 48);
    assert_int_equal(ibk_ibe_digest(IBK_IBE_SHA1, ibk_span_of(joined, 68), seed), IBK_OK);
    assert_int_equal(ibk_ibe_hash_bytes(IBK_IBE_SHA1, ibk_span_of(seed, 40), y, 9), IBK_OK);
    for (int i = 0; i < 9; i++)
        y[i] ^= (uint8_t) "Hi there!"[i];
    hex(expected, 9, "82a642b9bbe982c457");
    assert_memory_equal(y, expected, 9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(point_multiply),
        cmocka_unit_test(hash_to_range),
        cmocka_unit_test(pairing),
        cmocka_unit_test(derive_and_extract),
        cmocka_unit_test(hash_bytes_and_canonical),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
