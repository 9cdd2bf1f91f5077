/* Multiples computed without the curve's b: on the curve they are OpenSSL's, off it they go round in small
 * groups. */
#include "adversary/analyst_internal.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

typedef struct seen_multiples {
    size_t count, stop_at;
    uint8_t last[IBK_EC_POINT_MAX], first[IBK_EC_POINT_MAX];
    size_t len;
} seen_multiples;

static bool count(void *user, ibk_span multiple) {
    seen_multiples *s = user;
    if (s->count == 0)
        memcpy(s->first, multiple.data, multiple.len);
    memcpy(s->last, multiple.data, multiple.len);
    s->len = multiple.len;
    return ++s->count == s->stop_at;
}

static void test_on_the_curve(void **state) {
    (void)state;
    const uint8_t curves[] = {IBK_EC_P256, IBK_EC_P384, IBK_EC_P521};
    for (size_t i = 0; i < sizeof curves; i++) {
        uint8_t one[IBK_EC_SCALAR_MAX] = {0}, ten[IBK_EC_SCALAR_MAX] = {0};
        size_t len = ibk_ec_field_len(curves[i]);
        ibk_ec_key base, multiple;
        one[len - 1] = 1;
        ten[len - 1] = 10;
        assert_int_equal(ibk_ec_key_from_scalar(&base, curves[i], ibk_span_of(one, len)), IBK_OK);
        assert_int_equal(ibk_ec_key_from_scalar(&multiple, curves[i], ibk_span_of(ten, len)), IBK_OK);
        seen_multiples s = {.stop_at = 10};
        assert_int_equal(an_multiples(&base.pub, count, &s), IBK_OK);
        assert_int_equal(s.count, 10);
        assert_int_equal(s.len, multiple.pub.len);
        assert_memory_equal(s.first, base.pub.octets, s.len);
        assert_memory_equal(s.last, multiple.pub.octets, s.len);
    }
}

/* 3x⁴ + 6ax² + 12b'x - a² = 0 holds for x of points of order 3: b' follows from x, and y from both. */
static bool of_order_three(ibk_ec_point *out, BN_ULONG x_value) {
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    BN_CTX *ctx = BN_CTX_new();
    BN_CTX_start(ctx);
    BIGNUM *p = BN_CTX_get(ctx), *a = BN_CTX_get(ctx), *x = BN_CTX_get(ctx), *x2 = BN_CTX_get(ctx),
           *t = BN_CTX_get(ctx), *b = BN_CTX_get(ctx), *y = BN_CTX_get(ctx);
    assert_int_equal(EC_GROUP_get_curve(group, p, a, NULL, ctx), 1);
    BN_set_word(x, x_value);
    BN_mod_sqr(x2, x, p, ctx);
    BN_mod_sqr(b, a, p, ctx); /* (a² - 3x⁴ - 6ax²) / 12x */
    BN_mod_sqr(t, x2, p, ctx);
    BN_mul_word(t, 3);
    BN_mod_sub(b, b, t, p, ctx);
    BN_mod_mul(t, a, x2, p, ctx);
    BN_mul_word(t, 6);
    BN_mod_sub(b, b, t, p, ctx);
    BN_copy(t, x);
    BN_mul_word(t, 12);
    BN_mod_inverse(t, t, p, ctx);
    BN_mod_mul(b, b, t, p, ctx);
    BN_mod_add(t, x2, a, p, ctx); /* x³ + ax + b' */
    BN_mod_mul(t, t, x, p, ctx);
    BN_mod_add(t, t, b, p, ctx);
    bool square = BN_mod_sqrt(y, t, p, ctx) != NULL;
    *out = (ibk_ec_point){.curve = IBK_EC_P256, .len = 65, .octets = {4}};
    BN_bn2binpad(x, out->octets + 1, 32);
    BN_bn2binpad(y, out->octets + 33, 32);
    BN_CTX_end(ctx);
    BN_CTX_free(ctx);
    EC_GROUP_free(group);
    return square;
}

static void test_off_the_curve(void **state) {
    (void)state;
    ibk_ec_point two = {.curve = IBK_EC_P256, .len = 65, .octets = {4, [32] = 5}}, three, decoded;
    seen_multiples s = {0};
    assert_int_equal(an_multiples(&two, count, &s), IBK_OK); /* y = 0: its own inverse */
    assert_int_equal(s.count, 1);
    size_t found = 0;
    for (BN_ULONG x = 2; x < 20; x++) {
        if (!of_order_three(&three, x))
            continue;
        s = (seen_multiples){0};
        assert_int_equal(ibk_ec_decode(&decoded, IBK_EC_P256, ibk_ec_point_span(&three)),
                         IBK_ERR_NOT_ON_CURVE);
        assert_int_equal(an_multiples(&three, count, &s), IBK_OK);
        assert_int_equal(s.count, 2);
        assert_memory_equal(s.first + 1, s.last + 1, 32); /* [2]Q = -Q: the same x … */
        assert_memory_not_equal(s.first + 33, s.last + 33, 32);
        found++;
    }
    assert_true(found > 0);
}

static void test_what_is_no_point(void **state) {
    (void)state;
    seen_multiples s = {0};
    ibk_ec_point infinity = {.curve = IBK_EC_P256, .len = 1},
                 large = {.curve = IBK_EC_P256, .len = 65, .octets = {4}},
                 unknown = {.curve = 2, .len = 65, .octets = {4}};
    memset(large.octets + 1, 0xFF, 64);
    assert_int_equal(an_multiples(&infinity, count, &s), IBK_ERR_USAGE);
    assert_int_equal(an_multiples(&unknown, count, &s), IBK_ERR_USAGE);
    assert_int_not_equal(an_multiples(&large, count, &s), IBK_OK); /* coordinates beyond p */
    assert_int_equal(s.count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_on_the_curve),
                                       cmocka_unit_test(test_off_the_curve),
                                       cmocka_unit_test(test_what_is_no_point)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
