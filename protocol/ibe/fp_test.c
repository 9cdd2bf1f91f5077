/* Field arithmetic against OpenSSL's BIGNUM, on every multiplier, with random and edge values. */
#include "ibe/fp2.h"
#include "ibe/testing.h"

#include <openssl/bn.h>

static const int BITS[] = {132, 160, 192, 224, 256, 384, 511, 512, 1023, 1024, 1536, 3840, 7680};

typedef struct fixture {
    ibk_fp f;
    BIGNUM *p, *a, *b, *r, *t;
    BN_CTX *ctx;
    const char *what;
} fixture;

static void random_odd(BIGNUM *out, int bits, test_random *random) {
    uint8_t octets[960];
    test_draw(random, IBK_DRAW_PARAMS, octets, sizeof octets);
    BN_bin2bn(octets, (bits + 7) / 8, out);
    BN_mask_bits(out, bits);
    BN_set_bit(out, bits - 1);
    BN_set_bit(out, 0);
}

static void load(ibk_limb *r, const BIGNUM *a, const ibk_fp *f) {
    uint8_t octets[960];
    BN_bn2binpad(a, octets, (int)f->octets);
    assert_true(ibk_fp_from(r, octets, f->octets, f));
}

static void same(const fixture *x, const ibk_limb *value, const BIGNUM *expected, const char *what) {
    uint8_t got[960], want[960];
    ibk_fp_to(got, value, &x->f);
    BN_bn2binpad(expected, want, (int)x->f.octets);
    if (memcmp(got, want, x->f.octets) != 0)
        fail_msg("%s is wrong: %s, %u bits", what, x->f.ops->name, x->f.bits);
}

static void check_products(fixture *x, const ibk_limb *a, const ibk_limb *b) {
    const ibk_fp *f = &x->f;
    ibk_limb r[IBK_FP_MAX], w[2 * IBK_FP_MAX], v[2 * IBK_FP_MAX];
    ibk_fp_mul(r, a, b, f);
    BN_mod_mul(x->r, x->a, x->b, x->p, x->ctx);
    same(x, r, x->r, "product");
    ibk_fp_copy(r, a, f);
    ibk_fp_mul(r, r, b, f);
    same(x, r, x->r, "product in place");
    f->ops->mul_wide(w, a, b, f);
    f->ops->sqr_wide(v, a, f);
    f->ops->redc(r, v, f);
    BN_mod_sqr(x->t, x->a, x->p, x->ctx);
    same(x, r, x->t, "wide square");
    ibk_fp_sqr(r, a, f);
    same(x, r, x->t, "square");
    f->ops->sqr_wide(v, a, f);
    f->ops->add_wide(w, w, v, f);
    f->ops->redc(r, w, f);
    BN_mod_add(x->t, x->t, x->r, x->p, x->ctx);
    same(x, r, x->t, "wide sum");
    f->ops->mul_wide(w, a, b, f);
    f->ops->sqr_wide(v, b, f);
    f->ops->sub_wide(w, w, v, f);
    f->ops->sub_wide(w, w, v, f);
    f->ops->redc(r, w, f);
    BN_mod_sqr(x->t, x->b, x->p, x->ctx);
    BN_mod_lshift1(x->t, x->t, x->p, x->ctx);
    BN_mod_sub(x->t, x->r, x->t, x->p, x->ctx);
    same(x, r, x->t, "wide difference");
}

static void check_rest(fixture *x, const ibk_limb *a, const ibk_limb *b) {
    const ibk_fp *f = &x->f;
    ibk_limb r[IBK_FP_MAX];
    ibk_fp_add(r, a, b, f);
    BN_mod_add(x->r, x->a, x->b, x->p, x->ctx);
    same(x, r, x->r, "sum");
    ibk_fp_sub(r, a, b, f);
    BN_mod_sub(x->r, x->a, x->b, x->p, x->ctx);
    same(x, r, x->r, "difference");
    ibk_fp_neg(r, a, f);
    BN_zero(x->t);
    BN_mod_sub(x->r, x->t, x->a, x->p, x->ctx);
    same(x, r, x->r, "negative");
    assert_int_equal(ibk_fp_is_zero(a, f) != 0, BN_is_zero(x->a));
    assert_int_equal(ibk_fp_equal(a, b, f) != 0, BN_cmp(x->a, x->b) == 0);
}

static void check_inverse(fixture *x, const ibk_limb *a) {
    ibk_limb r[IBK_FP_MAX];
    ibk_fp_inv(r, a, &x->f);
    if (BN_is_zero(x->a))
        assert_true(ibk_fp_is_zero(r, &x->f) != 0);
    else if (BN_mod_inverse(x->r, x->a, x->p, x->ctx) != NULL) // p need not be prime here
        same(x, r, x->r, "inverse");
}

/* Edge values at the first rounds, random ones later. */
static void choose(BIGNUM *out, int round, const BIGNUM *p, test_random *random, BN_CTX *ctx) {
    uint8_t octets[960];
    if (round < 4) {
        BN_set_word(out, (BN_ULONG)round);
    } else if (round < 8) {
        BN_copy(out, p);
        BN_sub_word(out, (BN_ULONG)(round - 3));
    } else if (round < 12) { // a run of ones
        BN_set_word(out, 0);
        BN_set_bit(out, BN_num_bits(p) * (round - 7) / 5);
        BN_sub_word(out, 1);
    } else {
        test_draw(random, IBK_DRAW_PARAMS, octets, sizeof octets);
        BN_bin2bn(octets, sizeof octets, out);
        BN_mod(out, out, p, ctx);
    }
}

static void against_bignum(const ibk_fp_ops *(*multiplier)(unsigned)) {
    test_random random = {1, -1, 0};
    for (size_t s = 0; s < sizeof BITS / sizeof *BITS; s++) {
        fixture x = {
            .p = BN_new(), .a = BN_new(), .b = BN_new(), .r = BN_new(), .t = BN_new(), .ctx = BN_CTX_new()};
        uint8_t octets[960];
        random_odd(x.p, BITS[s], &random);
        if (s % 3 == 1) { // p close to a power of two
            BN_set_word(x.p, 0);
            BN_set_bit(x.p, BITS[s]);
            BN_sub_word(x.p, 1);
        }
        int len = BN_bn2bin(x.p, octets);
        unsigned n = ((unsigned)BITS[s] + 511) / 512 * 8;
        const ibk_fp_ops *ops = multiplier(n);
        if (ops == NULL)
            skip();
        assert_true(ibk_fp_init(&x.f, ibk_span_of(octets, (size_t)len), ops));
        assert_int_equal(x.f.n, n);
        for (int i = 0; i < (BITS[s] > 2000 ? 20 : 60); i++) {
            ibk_limb a[IBK_FP_MAX], b[IBK_FP_MAX];
            choose(x.a, i, x.p, &random, x.ctx);
            choose(x.b, i < 20 ? (i * 7) % 16 : i, x.p, &random, x.ctx);
            load(a, x.a, &x.f);
            load(b, x.b, &x.f);
            check_products(&x, a, b);
            check_rest(&x, a, b);
            check_inverse(&x, a);
        }
        BIGNUM *all[] = {x.p, x.a, x.b, x.r, x.t};
        for (size_t i = 0; i < 5; i++)
            BN_free(all[i]);
        BN_CTX_free(x.ctx);
    }
}

static const ibk_fp_ops *portable(unsigned n) {
    (void)n;
    return ibk_fp_ops_portable();
}

static void portable_multiplier(void **state) {
    (void)state;
    against_bignum(portable);
}

static void adx_multiplier(void **state) {
    (void)state;
    against_bignum(ibk_fp_ops_adx);
}

static void conversions(void **state) {
    (void)state;
    test_random random = {2, -1, 0};
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *p = BN_new(), *v = BN_new();
    ibk_fp f;
    uint8_t octets[128], big[400], got[64], want[64];
    random_odd(p, 512, &random);
    BN_bn2bin(p, octets);
    assert_true(ibk_fp_init(&f, ibk_span_of(octets, 64), NULL));
    ibk_limb a[IBK_FP_MAX];
    assert_false(ibk_fp_from(a, octets, 64, &f)); // p itself
    octets[63] = (uint8_t)(octets[63] - 1);
    assert_true(ibk_fp_from(a, octets, 64, &f));
    memset(got, 0xff, 64);
    assert_false(ibk_fp_from(a, got, 64, &f));
    for (size_t len = 0; len <= sizeof big; len += 13) {
        test_draw(&random, IBK_DRAW_PARAMS, big, len);
        ibk_fp_from_wide(a, big, len, &f);
        ibk_fp_to(got, a, &f);
        BN_bin2bn(big, (int)len, v);
        BN_mod(v, v, p, ctx);
        BN_bn2binpad(v, want, 64);
        assert_memory_equal(got, want, 64);
    }
    octets[63] = 4; // even
    assert_false(ibk_fp_init(&f, ibk_span_of(octets, 64), NULL));
    BN_free(p);
    BN_free(v);
    BN_CTX_free(ctx);
}

static void powers_and_many_inverses(void **state) {
    (void)state;
    test_random random = {3, -1, 0};
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *p = BN_new(), *a = BN_new(), *e = BN_new(), *r = BN_new();
    BN_set_bit(p, 521);
    BN_sub_word(p, 1); // 2^521 - 1 is prime
    uint8_t octets[66], got[66], want[66];
    BN_bn2bin(p, octets);
    ibk_fp f;
    assert_true(ibk_fp_init(&f, ibk_span_of(octets, 66), NULL));
    ibk_limb base[IBK_FP_MAX], limbs[IBK_FP_MAX], power[IBK_FP_MAX];
    for (int i = 0; i < 40; i++) {
        choose(a, i, p, &random, ctx);
        choose(e, (i * 3) % 40, p, &random, ctx);
        load(base, a, &f);
        BN_bn2binpad(e, octets, 66);
        assert_true(ibk_limbs_from_octets(limbs, IBK_FP_MAX, octets, 66));
        ibk_fp_pow_public(power, base, limbs, IBK_FP_MAX, &f);
        BN_mod_exp(r, a, e, p, ctx);
        BN_bn2binpad(r, want, 66);
        ibk_fp_to(got, power, &f);
        assert_memory_equal(got, want, 66);
    }
    ibk_limb many[5 * 32], kept[5 * 32], scratch[5 * 16]; // two limbs' worth of stride between elements
    for (int i = 0; i < 5; i++) {
        choose(a, 20, p, &random, ctx);
        load(many + i * 32, a, &f);
    }
    memcpy(kept, many, sizeof many);
    ibk_fp_inv_many(many, 5, 32, scratch, &f);
    for (int i = 0; i < 5; i++) {
        ibk_fp_mul(power, many + i * 32, kept + i * 32, &f);
        assert_true(ibk_fp_equal(power, f.one, &f) != 0);
    }
    BN_free(p);
    BN_free(a);
    BN_free(e);
    BN_free(r);
    BN_CTX_free(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(portable_multiplier),
        cmocka_unit_test(adx_multiplier),
        cmocka_unit_test(conversions),
        cmocka_unit_test(powers_and_many_inverses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
