#include "mikey/samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t curves[] = {IBK_EC_P192, IBK_EC_P224, IBK_EC_P256, IBK_EC_P384, IBK_EC_P521};

static ibk_ec_key key_of(uint8_t curve, const char *hex) {
    ibk_ec_key key;
    ibk_buf scalar = unhex(hex);
    assert_int_equal(ibk_ec_key_from_scalar(&key, curve, ibk_buf_span(&scalar)), IBK_OK);
    ibk_buf_free(&scalar);
    return key;
}

static void is_point(const ibk_ec_point *p, const char *hex) {
    ibk_buf want = unhex(hex);
    assert_true(ibk_span_equal(ibk_ec_point_span(p), ibk_buf_span(&want)));
    ibk_buf_free(&want);
}

/* RFC 5903 §8.1: 256-bit random ECP group */
static void the_exchange_of_rfc_5903(void **state) {
    (void)state;
    ibk_ec_key i = key_of(IBK_EC_P256, "C88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433");
    ibk_ec_key r = key_of(IBK_EC_P256, "C6EF9C5D78AE012A011164ACB397CE2088685D8F06BF9BE0B283AB46476BEE53");
    is_point(&i.pub, "04DAD0B65394221CF9B051E1FECA5787D098DFE637FC90B9EF945D0C3772581180"
                     "5271A0461CDB8252D61F1C456FA3E59AB1F45B33ACCF5F58389E0577B8990BB3");
    is_point(&r.pub, "04D12DFB5289C8D4F81208B70270398C342296970A0BCCB74C736FC7554494BF63"
                     "56FBF3CA366CC23E8157854C13C58D6AAC23F046ADA30F8353E74F33039872AB");
    ibk_ec_point a, b;
    assert_int_equal(ibk_ec_shared(&a, &i, &r.pub), IBK_OK);
    assert_int_equal(ibk_ec_shared(&b, &r, &i.pub), IBK_OK);
    assert_true(ibk_ec_point_equal(&a, &b));
    is_point(&a, "04D6840F6B42F6EDAFD13116E0E12565202FEF8E9ECE7DCE03812464D04B9442DE"
                 "522BDE0AF0D8585B8DEF9C183B5AE38F50235206A8674ECB5D98EDB20EB153A2");
}

static void every_curve_agrees_with_itself(void **state) {
    (void)state;
    uint64_t counter = 0;
    ibk_env env = counting_env(&counter);
    for (size_t i = 0; i < sizeof curves; i++) {
        ibk_ec_key x, y;
        ibk_ec_point a, b, back;
        assert_int_equal(ibk_ec_keygen(&x, &env, IBK_DRAW_X, curves[i]), IBK_OK);
        assert_int_equal(ibk_ec_keygen(&y, &env, IBK_DRAW_Y, curves[i]), IBK_OK);
        assert_int_equal(x.scalar_len, ibk_ec_field_len(curves[i]));
        assert_int_equal(x.pub.len, ibk_ec_point_len(curves[i]));
        assert_int_equal(ibk_ec_shared(&a, &x, &y.pub), IBK_OK);
        assert_int_equal(ibk_ec_shared(&b, &y, &x.pub), IBK_OK);
        assert_true(ibk_ec_point_equal(&a, &b) && !ibk_ec_point_equal(&a, &x.pub));

        uint8_t compressed[1 + IBK_EC_SCALAR_MAX];
        size_t field = ibk_ec_field_len(curves[i]);
        memcpy(compressed, x.pub.octets, 1 + field);
        compressed[0] = 0x02 | (x.pub.octets[2 * field] & 1);
        assert_int_equal(ibk_ec_decode(&back, curves[i], ibk_span_of(compressed, 1 + field)), IBK_OK);
        assert_true(ibk_ec_point_equal(&back, &x.pub));
    }
}

static void bad_points_are_refused(void **state) {
    (void)state;
    uint64_t counter = 0;
    ibk_env env = counting_env(&counter);
    for (size_t i = 0; i < sizeof curves; i++) {
        ibk_ec_key x;
        ibk_ec_point out, bad;
        uint8_t c = curves[i];
        assert_int_equal(ibk_ec_keygen(&x, &env, IBK_DRAW_X, c), IBK_OK);
        bad = x.pub;
        bad.octets[bad.len - 1] ^= 1;
        assert_int_equal(ibk_ec_decode(&out, c, ibk_ec_point_span(&bad)), IBK_ERR_NOT_ON_CURVE);
        assert_int_equal(ibk_ec_shared(&out, &x, &bad), IBK_ERR_NOT_ON_CURVE);
        assert_int_equal(out.len, 0);
        memset(bad.octets + 1, 0xFF, bad.len - 1); /* coordinates above p */
        assert_int_equal(ibk_ec_decode(&out, c, ibk_ec_point_span(&bad)), IBK_ERR_NOT_ON_CURVE);
        bad = x.pub;
        assert_int_equal(ibk_ec_decode(&out, c, ibk_span_of(bad.octets, bad.len - 1)), IBK_ERR_BAD_LENGTH);
        assert_int_equal(ibk_ec_decode(&out, c, (ibk_span){0}), IBK_ERR_BAD_LENGTH);
        bad.octets[0] = 0x06; /* hybrid */
        assert_int_equal(ibk_ec_decode(&out, c, ibk_ec_point_span(&bad)), IBK_ERR_BAD_VALUE);
        bad.octets[0] = 0x00;
        assert_int_equal(ibk_ec_decode(&out, c, ibk_span_of(bad.octets, 1)), IBK_ERR_INFINITY);
        bad = x.pub;
        bad.curve = c == IBK_EC_P256 ? IBK_EC_P384 : IBK_EC_P256;
        assert_int_equal(ibk_ec_shared(&out, &x, &bad), IBK_ERR_MISMATCH);
    }
    ibk_ec_point out;
    assert_int_equal(ibk_ec_decode(&out, 2, pattern(4, 10)), IBK_ERR_UNSUPPORTED);
    assert_int_equal(ibk_ec_point_len(2), 0);
}

static const char p256_order[] = "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";

static void scalars_lie_between_1_and_n(void **state) {
    (void)state;
    ibk_buf n = unhex(p256_order);
    ibk_ec_key key, one;
    uint8_t scalar[32] = {0};
    assert_int_equal(ibk_ec_key_from_scalar(&key, IBK_EC_P256, ibk_span_of(scalar, 32)), IBK_ERR_BAD_SCALAR);
    assert_int_equal(ibk_ec_key_from_scalar(&key, IBK_EC_P256, ibk_buf_span(&n)), IBK_ERR_BAD_SCALAR);
    assert_int_equal(ibk_ec_key_from_scalar(&key, IBK_EC_P256, ibk_span_of(scalar, 31)), IBK_ERR_BAD_SCALAR);
    scalar[31] = 1;
    assert_int_equal(ibk_ec_key_from_scalar(&one, IBK_EC_P256, ibk_span_of(scalar, 32)), IBK_OK);
    n.data[31]--; /* [n-1]G = -G: the same x */
    assert_int_equal(ibk_ec_key_from_scalar(&key, IBK_EC_P256, ibk_buf_span(&n)), IBK_OK);
    assert_memory_equal(key.pub.octets, one.pub.octets, 33);
    assert_false(ibk_ec_point_equal(&key.pub, &one.pub));
    assert_int_equal(ibk_ec_key_from_scalar(&key, 3, ibk_buf_span(&n)), IBK_ERR_UNSUPPORTED);
    ibk_buf_free(&n);
}

/* First the order itself, then zero, then 5. */
static ibk_err stubborn_draw(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    int *draws = user;
    assert_int_equal(label, IBK_DRAW_Y);
    assert_int_equal(len, 32);
    ibk_buf n = unhex(p256_order);
    memset(out, 0, len);
    if (*draws == 0)
        memcpy(out, n.data, len);
    else if (*draws == 2)
        out[31] = 5;
    ++*draws;
    ibk_buf_free(&n);
    return IBK_OK;
}

static ibk_err failing_draw(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    (void)user;
    (void)label;
    memset(out, 7, len);
    return IBK_ERR_IO;
}

static ibk_err zero_draw(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    (void)user;
    (void)label;
    memset(out, 0, len);
    return IBK_OK;
}

static void keys_are_drawn_by_rejection(void **state) {
    (void)state;
    int draws = 0;
    ibk_ec_key key;
    ibk_env env = {.user = &draws, .draw = stubborn_draw};
    assert_int_equal(ibk_ec_keygen(&key, &env, IBK_DRAW_Y, IBK_EC_P256), IBK_OK);
    assert_int_equal(draws, 3);
    assert_int_equal(key.scalar[31], 5);
    env.draw = failing_draw;
    assert_int_equal(ibk_ec_keygen(&key, &env, IBK_DRAW_Y, IBK_EC_P256), IBK_ERR_IO);
    assert_true(key.scalar_len == 0 && key.pub.len == 0 && key.scalar[31] == 0);
    env.draw = zero_draw;
    assert_int_equal(ibk_ec_keygen(&key, &env, IBK_DRAW_Y, IBK_EC_P521), IBK_ERR_RANDOM);
    assert_int_equal(ibk_ec_keygen(&key, &env, IBK_DRAW_Y, 16), IBK_ERR_UNSUPPORTED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_exchange_of_rfc_5903),    cmocka_unit_test(every_curve_agrees_with_itself),
        cmocka_unit_test(bad_points_are_refused),      cmocka_unit_test(scalars_lie_between_1_and_n),
        cmocka_unit_test(keys_are_drawn_by_rejection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
