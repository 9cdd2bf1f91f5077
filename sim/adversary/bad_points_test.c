/* The bad points are what they say they are: checked with plain arithmetic modulo p, no curve code. */
#include "adversary/bad_points.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static ibk_ec_point base_point(uint8_t curve) {
    uint8_t scalar[IBK_EC_SCALAR_MAX] = {0};
    ibk_ec_key key;
    size_t len = ibk_ec_field_len(curve);
    scalar[len - 1] = 7;
    assert_int_equal(ibk_ec_key_from_scalar(&key, curve, ibk_span_of(scalar, len)), IBK_OK);
    return key.pub;
}

/* ---- arithmetic modulo P-256's p, with the affine formulas as every textbook has them; b does not occur
 * ---- */

typedef struct field {
    BN_CTX *ctx;
    BIGNUM *p, *t, *u, *slope;
} field;

typedef struct affine {
    BIGNUM *x, *y;
    bool infinity;
} affine;

static field field_open(void) {
    field f = {BN_CTX_new(), NULL, BN_new(), BN_new(), BN_new()};
    assert_true(BN_hex2bn(
        &f.p, "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff")); /* FIPS 186-4 D.1.2.3 */
    return f;
}

static void field_close(field *f) {
    BN_free(f->slope);
    BN_free(f->u);
    BN_free(f->t);
    BN_free(f->p);
    BN_CTX_free(f->ctx);
}

/* slope = numerator / denominator */
static void divide(field *f, BIGNUM *numerator, BIGNUM *denominator) {
    assert_non_null(BN_mod_inverse(denominator, denominator, f->p, f->ctx));
    assert_true(BN_mod_mul(f->slope, numerator, denominator, f->p, f->ctx));
}

static void find_slope(field *f, const affine *a, const affine *b, bool doubling) {
    if (doubling) { /* (3x^2 - 3) / 2y */
        assert_true(BN_mod_sqr(f->t, a->x, f->p, f->ctx) && BN_sub_word(f->t, 1) && BN_mul_word(f->t, 3));
        assert_true(BN_mod_lshift1(f->u, a->y, f->p, f->ctx));
    } else {
        assert_true(BN_mod_sub(f->t, b->y, a->y, f->p, f->ctx) && BN_mod_sub(f->u, b->x, a->x, f->p, f->ctx));
    }
    divide(f, f->t, f->u);
}

/* a += b */
static void add(field *f, affine *a, const affine *b) {
    if (a->infinity) {
        assert_true(BN_copy(a->x, b->x) && BN_copy(a->y, b->y));
        a->infinity = false;
        return;
    }
    bool same_x = BN_cmp(a->x, b->x) == 0;
    if (same_x && BN_cmp(a->y, b->y) != 0) {
        a->infinity = true;
        return;
    }
    find_slope(f, a, b, same_x);
    BIGNUM *x = BN_new();
    assert_true(BN_mod_sqr(x, f->slope, f->p, f->ctx) && BN_mod_sub(x, x, a->x, f->p, f->ctx) &&
                BN_mod_sub(x, x, b->x, f->p, f->ctx));
    assert_true(BN_mod_sub(f->t, a->x, x, f->p, f->ctx) && BN_mod_mul(f->t, f->t, f->slope, f->p, f->ctx) &&
                BN_mod_sub(a->y, f->t, a->y, f->p, f->ctx));
    BN_free(a->x);
    a->x = x;
}

static void the_point_of_small_order_has_order_571(void **state) {
    (void)state;
    field f = field_open();
    ibk_buf octets = {0};
    ibk_ec_point base = base_point(IBK_EC_P256), got;
    assert_int_equal(bad_point_make(&octets, BAD_POINT_SMALL_ORDER, &base), IBK_OK);
    assert_int_equal(octets.len, 65);
    affine q = {BN_bin2bn(octets.data + 1, 32, NULL), BN_bin2bn(octets.data + 33, 32, NULL), false};
    affine sum = {BN_new(), BN_new(), true};
    for (int k = 1; k < 571; k++) {
        add(&f, &sum, &q);
        assert_false(sum.infinity); /* a prime order: nothing shorter */
    }
    add(&f, &sum, &q);
    assert_true(sum.infinity);
    assert_int_equal(ibk_ec_decode(&got, IBK_EC_P256, ibk_buf_span(&octets)), IBK_ERR_NOT_ON_CURVE);
    BN_free(q.x);
    BN_free(q.y);
    BN_free(sum.x);
    BN_free(sum.y);
    ibk_buf_free(&octets);
    field_close(&f);
}

/* What libibake says of each: the twist and the point off the curve lie on no curve of ours, the compressed
 * one is `base`. */
static void every_curve_has_bad_points(void **state) {
    static const uint8_t curves[] = {IBK_EC_P256, IBK_EC_P384, IBK_EC_P521};
    (void)state;
    for (size_t i = 0; i < sizeof curves; i++) {
        ibk_ec_point base = base_point(curves[i]), got;
        static const struct {
            bad_point kind;
            ibk_err verdict;
        } cases[] = {{BAD_POINT_OFF_CURVE, IBK_ERR_NOT_ON_CURVE},
                     {BAD_POINT_INFINITY, IBK_ERR_INFINITY},
                     {BAD_POINT_TWIST, IBK_ERR_NOT_ON_CURVE},
                     {BAD_POINT_COMPRESSED, IBK_OK}};
        for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
            ibk_buf octets = {0};
            assert_int_equal(bad_point_make(&octets, cases[k].kind, &base), IBK_OK);
            assert_int_equal(ibk_ec_decode(&got, curves[i], ibk_buf_span(&octets)), cases[k].verdict);
            if (!cases[k].verdict)
                assert_true(ibk_ec_point_equal(&got, &base));
            ibk_buf_free(&octets);
        }
        ibk_buf none = {0};
        assert_int_equal(bad_point_make(&none, BAD_POINT_SMALL_ORDER, &base),
                         curves[i] == IBK_EC_P256 ? IBK_OK : IBK_ERR_UNSUPPORTED);
        ibk_buf_free(&none);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_point_of_small_order_has_order_571),
        cmocka_unit_test(every_curve_has_bad_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
