#include "mikey/ecdh_careless.h"
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

/* Made by plain affine arithmetic from the curves' parameters: k, l, [k]G, [l][k]G. */
static const struct {
    uint8_t curve;
    const char *k, *l, *kg, *lkg;
} multiples[] = {
    {IBK_EC_P192, "fd068360f343eedaa6836723bbdc8ef2bb28386af0cd71e9",
     "761d81c71983a45168a2c081cc8aad6f93f696fade49aa61",
     "04e14eb116c46ab2794dfa8cb8c05fba24523d89f42c903f8384d8ce42268bcd1121699d84e8c1dbec233c97e3e70e7771",
     "043cbddacd9837b6c20cf2e648d1dd55a087b82f7fe54ef0b7abd5c0362bf34d92389fec85620dba335ecca45a5adf202d"},
    {IBK_EC_P224, "48501329c5336d8e7ec0951b87d931365fe6b45debebe5f50874a9f0",
     "c82d6fd568a3410216330a20c721151a765b1452548a8aa1867168ea",
     "045abde2db86fa58623f8d1157d4797ce70f9cceedd43139e6645fc917b6874db2318a57e34ba2b034385e220939d7c00a56a8d"
     "d75ddbf8ed5",
     "04c74b4cc3ed2099c08ae4adf634c8b4ec57dc07c1b15de34cff738f15459b4df25c2f0e7b91bb977932e4f2b681b5ca01545a1"
     "c8631db9afe"},
    {IBK_EC_P256, "c0389d30572fd1b6a076c830b3d35d08106c1cb3964901adc96388def0dbb7d4",
     "3222cb7ce8e7fdfb8df5f7c1968e0c128ca3420c8c20fdbe3006024b5775d260",
     "047c68d16b24304ea23e7a1f81517457f0c2826d65fd2657f6e4813dcfe430aefcf703a79ee2d2d4ff21d9fb8c9cf67974a8dc5"
     "c09372a8c2df53a4c22397195f2",
     "04bf9b10dc639ee35dd0e33eb3f68b74dce66246465af5a7a8c9ba185d8fa007137a97ea3f88965e91d8ce32f085b4cd7cc173b"
     "476dc726deedbc9a2ba0df8f5ca"},
    {IBK_EC_P384,
     "1aacfeae315b257c7c4a28fab3dda28e3310551a70f6eaadaa2112e2589402a42c40a8d37bdc30d508c33bc5a5bcb469",
     "68e0761eadfbd299630eb5d10a6ab71fbf6aa2b64dcb1fe56fbebb331b33e8b77be956651064384465d1c216ce10842b",
     "04d48eb2b0a09c96bc12a31009687ee0ff195c6f20eda3e603ce51500bf83fa6c90aabb3bad91b8a52990ae79ca581f82e09d1a"
     "a218847c0c7f1862d35ad3cb8fe14e21f69d90698eac662828999415727e9f76c4d0bdfc0f25196722eaa0bc89b",
     "048626d56af292dbd015251c5a8e0bc260e56b4425165cdc696e9269053f3f482f3a761591d541afd77b6d93352ae495c0cf88e"
     "d830cf4346d1cd3459e64327ab4e1ae447a7fbccd3b87ab91b3a1dddeb59af6d4df85d015fee77fd7e8cb7676c3"},
    {IBK_EC_P521,
     "005987bb7302a07d04672b98795b662fe0c43cffdd17c8553e34164dfb3d3a64106066277188d8727dc06ae644204294cf9908e"
     "8fb1bc1faa9f2868c4a2cc4f71af2",
     "01db50698d4db3c93f94f9c15a44a2e52c633b5dd101604986d28c908fd6af54ddc06be6c87224ccfc9827d31b30d38f006c1b3"
     "f21d1df833db126a4906d32bb2219",
     "0401581b9574cc6f79d7e3081ad808310894b1fb9fe9212a3015169a6b7e92209b32fc6bbbf3b2307240bd21dc71ccb8db969f9"
     "7cc6b0c91ad01093568cbb7ae2d3c2e01bfe909a59a9158208638a48617e4f45184f14159e4a62edcc0d027207e03ccbd82e0b8"
     "7980b3abeb3d65688d758d6ccd637efc697bbca0017fc9571c28ee6b8e2e",
     "040005d0e605c3a189a123b899a7c54b6c1543baa191ad89d25183755ae71d9ffaeb70d4e23227489200aae60886279b114fb60"
     "00e4d7ae31ee4b7cfe1cd986549903e01b17bc04b375fe3eda1610ff1951e776a05b361bb0a17b51a796882d29617c32f69d9e2"
     "46f38caa5ef1657dc3c8d19903564534d1c857675cf766b0c1c25a8eb8c2"},
};

static void multiples_computed_otherwise(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof multiples / sizeof multiples[0]; i++) {
        ibk_ec_key k = key_of(multiples[i].curve, multiples[i].k),
                   l = key_of(multiples[i].curve, multiples[i].l);
        ibk_ec_point shared;
        is_point(&k.pub, multiples[i].kg);
        assert_int_equal(ibk_ec_shared(&shared, &l, &k.pub), IBK_OK);
        is_point(&shared, multiples[i].lkg);
    }
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

/* On the curves themselves the careless ladder computes the same. */
static void carelessness_agrees_on_the_curve(void **state) {
    (void)state;
    uint64_t counter = 0;
    ibk_env env = counting_env(&counter);
    for (size_t i = 0; i < sizeof curves; i++) {
        ibk_ec_key a, b;
        ibk_ec_point one, two, taken;
        assert_int_equal(ibk_ec_keygen(&a, &env, IBK_DRAW_X, curves[i]), IBK_OK);
        assert_int_equal(ibk_ec_keygen(&b, &env, IBK_DRAW_Y, curves[i]), IBK_OK);
        assert_int_equal(ibk_ec_shared(&one, &a, &b.pub), IBK_OK);
        assert_int_equal(ibk_ec_shared_careless(&two, &b, &a.pub), IBK_OK);
        assert_true(ibk_ec_point_equal(&one, &two));
        assert_int_equal(ibk_ec_decode_careless(&taken, curves[i], ibk_ec_point_span(&a.pub)), IBK_OK);
        assert_true(ibk_ec_point_equal(&taken, &a.pub));
    }
}

/* (3, 4) has order 3 on y^2 = x^3 - 3x - 2 over the field of P-256: [k](3, 4) tells k modulo 3. */
static void carelessness_tells_the_scalar(void **state) {
    (void)state;
    ibk_ec_point strange = {.curve = IBK_EC_P256, .len = 65, .octets = {0x04}}, decoded, shared;
    strange.octets[32] = 3;
    strange.octets[64] = 4;
    assert_int_equal(ibk_ec_decode(&decoded, IBK_EC_P256, ibk_ec_point_span(&strange)), IBK_ERR_NOT_ON_CURVE);
    assert_int_equal(ibk_ec_decode_careless(&decoded, IBK_EC_P256, ibk_ec_point_span(&strange)), IBK_OK);
    for (uint8_t k = 1; k < 40; k++) {
        uint8_t scalar[32] = {[31] = k};
        ibk_ec_key key;
        assert_int_equal(ibk_ec_key_from_scalar(&key, IBK_EC_P256, ibk_span_of(scalar, sizeof scalar)),
                         IBK_OK);
        assert_int_equal(ibk_ec_shared(&shared, &key, &decoded), IBK_ERR_NOT_ON_CURVE);
        ibk_err err = ibk_ec_shared_careless(&shared, &key, &decoded);
        assert_int_equal(err, k % 3 ? IBK_OK : IBK_ERR_INFINITY);
        if (k % 3)
            assert_true(ibk_ec_point_equal(&shared, &decoded) == (k % 3 == 1));
    }
}

/* Any two coordinates, those of no curve at all, (0, 0), and numbers beyond p. */
static void carelessness_ends(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof curves; i++) {
        for (unsigned fill = 0; fill < 256; fill += 51) {
            ibk_ec_point any = {.curve = curves[i], .len = ibk_ec_point_len(curves[i])}, shared;
            uint8_t scalar[IBK_EC_SCALAR_MAX] = {0};
            ibk_ec_key key;
            memset(any.octets, (int)fill, any.len);
            any.octets[0] = 0x04;
            memset(scalar + 1, 0x5A, ibk_ec_field_len(curves[i]) - 1);
            assert_int_equal(
                ibk_ec_key_from_scalar(&key, curves[i], ibk_span_of(scalar, ibk_ec_field_len(curves[i]))),
                IBK_OK);
            ibk_err err = ibk_ec_shared_careless(&shared, &key, &any);
            assert_true(err == IBK_OK || err == IBK_ERR_INFINITY);
        }
    }
    ibk_ec_point shared, none = {.curve = IBK_EC_P256};
    ibk_ec_key key = key_of(IBK_EC_P256, "C88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433");
    assert_int_equal(ibk_ec_shared_careless(&shared, &key, &none), IBK_ERR_MISMATCH);
    assert_int_equal(ibk_ec_decode_careless(&none, IBK_EC_P256, (ibk_span){0}), IBK_ERR_BAD_LENGTH);
    assert_int_equal(ibk_ec_decode_careless(&none, 99, (ibk_span){0}), IBK_ERR_UNSUPPORTED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_exchange_of_rfc_5903),
        cmocka_unit_test(multiples_computed_otherwise),
        cmocka_unit_test(every_curve_agrees_with_itself),
        cmocka_unit_test(bad_points_are_refused),
        cmocka_unit_test(scalars_lie_between_1_and_n),
        cmocka_unit_test(keys_are_drawn_by_rejection),
        cmocka_unit_test(carelessness_agrees_on_the_curve),
        cmocka_unit_test(carelessness_tells_the_scalar),
        cmocka_unit_test(carelessness_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
