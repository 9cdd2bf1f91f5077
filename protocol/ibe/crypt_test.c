/* Encryption and decryption: round trips, refusals, failing random sources. */
#include "ibe/testing.h"

typedef struct world {
    ibk_ibe_params *params;
    ibk_ibe_master *master;
    ibk_ibe_key *bob;
    ibk_ibe_peer *peer;
} world;

#define BOB "sip:bob@b.example20261124"

static world open_world(unsigned n) {
    world w = {.params = test_params(n, false)};
    w.master = test_master(w.params);
    assert_int_equal(ibk_ibe_extract(w.params, w.master, ibk_span_str(BOB), &w.bob), IBK_OK);
    assert_int_equal(ibk_ibe_peer_new(&w.peer, w.params, ibk_span_str(BOB)), IBK_OK);
    return w;
}

static void close_world(world *w) {
    ibk_ibe_peer_free(w->peer);
    ibk_ibe_key_free(w->bob);
    ibk_ibe_master_free(w->master);
    ibk_ibe_params_free(w->params);
}

static void round_trip(const world *w, size_t len, uint64_t seed) {
    TEST_RANDOM(one, seed);
    TEST_RANDOM(two, seed);
    uint8_t m[4000];
    ibk_buf first = {NULL, 0, 0}, second = {NULL, 0, 0}, back = {NULL, 0, 0};
    ibk_diag diag = {0};
    for (size_t i = 0; i < len; i++)
        m[i] = (uint8_t)(i * 37 + len);
    assert_int_equal(ibk_buf_append(&back, "kept", 4), IBK_OK);
    assert_int_equal(ibk_ibe_encrypt(&one, w->params, ibk_span_str(BOB), ibk_span_of(m, len), &first),
                     IBK_OK);
    assert_int_equal(ibk_ibe_peer_encrypt(&two, w->peer, ibk_span_of(m, len), &second), IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&first), ibk_buf_span(&second))); // same draws, same ciphertext
    assert_int_equal(ibk_ibe_decrypt(w->params, w->bob, ibk_buf_span(&first), &back, &diag), IBK_OK);
    assert_int_equal(back.len, len + 4);
    assert_memory_equal(back.data, "kept", 4);
    if (len > 0)
        assert_memory_equal(back.data + 4, m, len);
    ibk_buf_free(&back); // and into a buffer that has no storage yet
    assert_int_equal(ibk_ibe_decrypt(w->params, w->bob, ibk_buf_span(&first), &back, &diag), IBK_OK);
    assert_int_equal(back.len, len);
    ibk_buf_free(&first);
    ibk_buf_free(&second);
    ibk_buf_free(&back);
}

static void round_trips(unsigned n, size_t lengths) {
    static const size_t LENGTHS[] = {33, 0, 1, 20, 32, 500, 4000};
    world w = open_world(n);
    assert_int_equal(ibk_ibe_master_check(w.params, w.master), IBK_OK);
    assert_int_equal(ibk_ibe_key_verify(w.params, w.bob, ibk_span_str(BOB)), IBK_OK);
    for (size_t i = 0; i < lengths; i++)
        round_trip(&w, LENGTHS[i], n + i);
    close_world(&w);
}

static void round_trips_1024(void **state) {
    (void)state;
    round_trips(1024, 7);
}

static void round_trips_2048(void **state) {
    (void)state;
    round_trips(2048, 7);
}

static void round_trips_3072(void **state) {
    (void)state;
    round_trips(3072, 7);
}

static void round_trip_7680(void **state) {
    (void)state;
    round_trips(7680, 1);
}

static void round_trip_15360(void **state) {
    (void)state;
    round_trips(15360, 1);
}

static void refused(const world *w, ibk_span ciphertext, ibk_err expected) {
    ibk_buf out = {NULL, 0, 0};
    ibk_diag diag = {0};
    assert_int_equal(ibk_ibe_decrypt(w->params, w->bob, ciphertext, &out, &diag), expected);
    assert_int_equal(out.len, 0);
    assert_int_equal(diag.err, expected);
    assert_string_equal(diag.payload, "BFCiphertextBlock");
    ibk_buf_free(&out);
}

static void modified(void **state) {
    (void)state;
    world w = open_world(1024);
    TEST_RANDOM(env, 5);
    ibk_buf der = {NULL, 0, 0}, changed = {NULL, 0, 0};
    uint8_t octets[64], point[128];
    assert_int_equal(
        ibk_ibe_encrypt(&env, w.params, ibk_span_str(BOB), ibk_span_str("a short message"), &der), IBK_OK);
    ibk_ibe_ciphertext parts, other;
    assert_int_equal(ibk_ibe_ciphertext_parse(&parts, ibk_buf_span(&der), NULL), IBK_OK);
    // V, W: any bit
    for (size_t bit = 0; bit < 8 * (parts.v.len + parts.w.len); bit += 7) {
        size_t at = bit / 8 < parts.v.len ? parts.v_offset + bit / 8 : parts.w_offset + bit / 8 - parts.v.len;
        der.data[at] ^= (uint8_t)(1u << (bit % 8));
        refused(&w, ibk_buf_span(&der), IBK_ERR_DECRYPT);
        der.data[at] ^= (uint8_t)(1u << (bit % 8));
    }
    // U: off the curve, another point of the group, its negative, not below p, points of small order
    size_t y_end = (size_t)(parts.uy.data + parts.uy.len - der.data);
    der.data[y_end - 1] ^= 1;
    refused(&w, ibk_buf_span(&der), IBK_ERR_NOT_ON_CURVE);
    der.data[y_end - 1] ^= 1;
    ibk_ibe_params_generator(w.params, point);
    other = parts;
    other.ux = ibk_span_of(point, 64);
    other.uy = ibk_span_of(point + 64, 64);
    assert_int_equal(ibk_ibe_ciphertext_encode(&other, &changed), IBK_OK);
    refused(&w, ibk_buf_span(&changed), IBK_ERR_DECRYPT);
    memset(octets, 0xff, 64);
    other.uy = ibk_span_of(octets, 64);
    ibk_buf_clear(&changed);
    assert_int_equal(ibk_ibe_ciphertext_encode(&other, &changed), IBK_OK);
    refused(&w, ibk_buf_span(&changed), IBK_ERR_BAD_VALUE);
    other.ux = ibk_span_of(NULL, 0);
    other.uy = ibk_span_of("\x01", 1);
    ibk_buf_clear(&changed);
    assert_int_equal(ibk_ibe_ciphertext_encode(&other, &changed), IBK_OK);
    refused(&w, ibk_buf_span(&changed), IBK_ERR_BAD_ORDER);
    other.ux = ibk_span_of("\x02", 1);
    other.uy = ibk_span_of("\x03", 1);
    ibk_buf_clear(&changed);
    assert_int_equal(ibk_ibe_ciphertext_encode(&other, &changed), IBK_OK);
    refused(&w, ibk_buf_span(&changed), IBK_ERR_DECRYPT);
    // V of another length
    other = parts;
    other.v = ibk_span_of(parts.v.data, parts.v.len - 1);
    ibk_buf_clear(&changed);
    assert_int_equal(ibk_ibe_ciphertext_encode(&other, &changed), IBK_OK);
    refused(&w, ibk_buf_span(&changed), IBK_ERR_DER_STRUCTURE);
    // every truncation
    for (size_t len = 0; len < der.len; len++) {
        ibk_buf out = {NULL, 0, 0};
        ibk_err err = ibk_ibe_decrypt(w.params, w.bob, ibk_span_of(der.data, len), &out, NULL);
        assert_int_equal(ibk_err_category(err), IBK_CAT_DER);
    }
    ibk_buf_free(&der);
    ibk_buf_free(&changed);
    close_world(&w);
}

static void wrong_key(void **state) {
    (void)state;
    world w = open_world(1024);
    TEST_RANDOM(env, 6);
    ibk_buf der = {NULL, 0, 0}, out = {NULL, 0, 0};
    ibk_ibe_key *carol;
    assert_int_equal(ibk_ibe_extract(w.params, w.master, ibk_span_str("carol"), &carol), IBK_OK);
    assert_int_equal(ibk_ibe_key_verify(w.params, carol, ibk_span_str(BOB)), IBK_ERR_MISMATCH);
    assert_int_equal(ibk_ibe_key_verify(w.params, carol, ibk_span_str("carol")), IBK_OK);
    assert_int_equal(ibk_ibe_encrypt(&env, w.params, ibk_span_str(BOB), ibk_span_str("for Bob"), &der),
                     IBK_OK);
    assert_int_equal(ibk_ibe_decrypt(w.params, carol, ibk_buf_span(&der), &out, NULL), IBK_ERR_DECRYPT);
    assert_int_equal(out.len, 0);
    // a key of other parameters
    world big = open_world(2048);
    assert_int_equal(ibk_ibe_decrypt(w.params, big.bob, ibk_buf_span(&der), &out, NULL), IBK_ERR_USAGE);
    assert_int_equal(ibk_ibe_key_verify(w.params, big.bob, ibk_span_str(BOB)), IBK_ERR_USAGE);
    close_world(&big);
    ibk_ibe_key_free(carol);
    ibk_buf_free(&der);
    ibk_buf_free(&out);
    close_world(&w);
}

static void random_failure(void **state) {
    (void)state;
    world w = open_world(1024);
    test_random source = {1, 0, 0};
    ibk_env env = {.user = &source, .draw = test_draw};
    ibk_buf out = {NULL, 0, 0};
    assert_int_equal(ibk_ibe_encrypt(&env, w.params, ibk_span_str(BOB), ibk_span_str("x"), &out),
                     IBK_ERR_RANDOM);
    assert_int_equal(ibk_ibe_peer_encrypt(&env, w.peer, ibk_span_str("x"), &out), IBK_ERR_RANDOM);
    assert_int_equal(out.len, 0);
    for (int after = 0; after < 4; after++) { // q, p, P, s
        ibk_ibe_params *params;
        ibk_ibe_master *master;
        source = (test_random){1, after, 0};
        assert_int_equal(ibk_ibe_setup(&env, 1024, &params, &master, NULL, NULL), IBK_ERR_RANDOM);
        assert_null(params);
        assert_null(master);
    }
    ibk_buf_free(&out);
    close_world(&w);
}

static void limits(void **state) {
    (void)state;
    world w = open_world(1024);
    TEST_RANDOM(env, 7);
    ibk_buf out = {NULL, 0, 0};
    uint8_t *large = calloc(1, IBK_IBE_PLAINTEXT_MAX + 1);
    assert_non_null(large);
    assert_int_equal(ibk_ibe_encrypt(&env, w.params, ibk_span_str(BOB),
                                     ibk_span_of(large, IBK_IBE_PLAINTEXT_MAX + 1), &out),
                     IBK_ERR_LIMIT);
    assert_int_equal(ibk_ibe_encrypt(&env, w.params, ibk_span_of(large, IBK_IBE_IDENTITY_MAX + 1),
                                     ibk_span_str("x"), &out),
                     IBK_ERR_LIMIT);
    assert_int_equal(out.len, 0);
    // an empty identity is a string like any other
    assert_int_equal(ibk_ibe_encrypt(&env, w.params, ibk_span_of(NULL, 0), ibk_span_str("x"), &out), IBK_OK);
    free(large);
    ibk_buf_free(&out);
    close_world(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips_1024), cmocka_unit_test(round_trips_2048),
        cmocka_unit_test(round_trips_3072), cmocka_unit_test(round_trip_7680),
        cmocka_unit_test(round_trip_15360), cmocka_unit_test(modified),
        cmocka_unit_test(wrong_key),        cmocka_unit_test(random_failure),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
