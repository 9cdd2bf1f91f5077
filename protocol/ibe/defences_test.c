/* Defences of identity-based encryption: what each refuses, what goes through without it, and that nothing
 * comes of it but wrong values: whatever the set, every operation ends and stays inside its memory (run with
 * ASan). */
#include "ibe/der.h"
#include "ibe/testing.h"

#include <openssl/bn.h>

#define BOB "sip:bob@b.example20261124"

/* ---- sets of parameters ------------------------------------------------------------------------------ */

/* As hexadecimal text; x and y of P and P_pub. */
typedef struct set {
    const char *name, *p, *q, *px, *py, *sx, *sy;
    ibk_err reason;
    bool impossible; /* refused whatever is off: it has not the form that the arithmetic is made for */
} set;

static void put_hex(ibk_buf *out, const char *hex) {
    BIGNUM *n = NULL;
    uint8_t octets[IBK_IBE_FIELD_MAX];
    assert_true(BN_hex2bn(&n, hex) > 0);
    int len = BN_bn2bin(n, octets);
    assert_int_equal(ibk_der_put_natural(out, ibk_span_of(octets, (size_t)len)), IBK_OK);
    BN_free(n);
}

static void put_point(ibk_buf *out, const char *x, const char *y) {
    size_t from = out->len;
    put_hex(out, x);
    put_hex(out, y);
    assert_int_equal(ibk_der_wrap(out, from), IBK_OK);
}

static ibk_buf der_of(const set *s) {
    static const uint8_t version = 2, curve[] = {0x60, 0x86, 0x48, 0x01, 0x86, 0xfd, 0x1e, 1, 1, 1, 1},
                         sha1[] = {0x2b, 0x0e, 0x03, 0x02, 0x1a};
    ibk_buf out = {NULL, 0, 0};
    assert_int_equal(ibk_der_put_natural(&out, ibk_span_of(&version, 1)), IBK_OK);
    assert_int_equal(ibk_der_put(&out, IBK_DER_OID, ibk_span_of(curve, sizeof curve)), IBK_OK);
    put_hex(&out, s->p);
    put_hex(&out, s->q);
    put_point(&out, s->px, s->py);
    put_point(&out, s->sx, s->sy);
    assert_int_equal(ibk_der_put(&out, IBK_DER_OID, ibk_span_of(sha1, sizeof sha1)), IBK_OK);
    assert_int_equal(ibk_der_wrap(&out, 0), IBK_OK);
    return out;
}

/* p and q of a sound set, and its P. */
static struct { char p[200], q[80], x[200], y[200]; } sound;

static void to_hex(char *out, const uint8_t *octets, size_t len) {
    for (size_t i = 0; i < len; i++)
        sprintf(out + 2 * i, "%02x", octets[i]);
}

static int read_sound(void **state) {
    (void)state;
    ibk_ibe_params *params = test_params(1024, false);
    ibk_buf p = {NULL, 0, 0}, q = {NULL, 0, 0};
    uint8_t point[128];
    ibk_ibe_params_p(params, &p);
    ibk_ibe_params_q(params, &q);
    ibk_ibe_params_generator(params, point);
    to_hex(sound.p, p.data, p.len);
    to_hex(sound.q, q.data, q.len);
    to_hex(sound.x, point, 64);
    to_hex(sound.y, point + 64, 64);
    ibk_buf_free(&p);
    ibk_buf_free(&q);
    ibk_ibe_params_free(params);
    return 0;
}

/* Everything that can be done with a set, with strange keys and ciphertexts too. What comes out is not looked
 * at. */
static void exercise(const ibk_ibe_params *params) {
    static const uint8_t one_point[] = {0x30, 0x0b, 2, 1, 2, 0x30, 6, 2, 1, 1, 2, 1, 1}; /* (1, 1) */
    TEST_RANDOM(env, 3);
    ibk_buf cipher = {NULL, 0, 0}, plain = {NULL, 0, 0}, again = {NULL, 0, 0};
    ibk_ibe_peer *peer = NULL;
    ibk_ibe_key *key = NULL;
    ibk_ibe_params_prepare(params);
    assert_int_equal(ibk_ibe_params_encode(params, &again), IBK_OK);
    if (ibk_ibe_peer_new(&peer, params, ibk_span_str(BOB)) == IBK_OK)
        ibk_ibe_peer_encrypt(&env, peer, ibk_span_str("a message"), &cipher);
    ibk_buf_clear(&cipher);
    ibk_err sealed = ibk_ibe_encrypt(&env, params, ibk_span_str(BOB), ibk_span_str("a message"), &cipher);
    if (ibk_ibe_key_parse(&key, params, ibk_span_of(one_point, sizeof one_point), NULL) == IBK_OK) {
        ibk_ibe_key_verify(params, key, ibk_span_str(BOB));
        if (sealed == IBK_OK)
            ibk_ibe_decrypt(params, key, ibk_buf_span(&cipher), &plain, NULL);
    }
    ibk_ibe_key_free(key);
    ibk_ibe_peer_free(peer);
    ibk_buf_free(&cipher);
    ibk_buf_free(&plain);
    ibk_buf_free(&again);
}

static void degenerate_sets(void **state) {
    (void)state;
    const set sets[] = {
        {"s = 1", sound.p, sound.q, sound.x, sound.y, sound.x, sound.y, IBK_ERR_BAD_PARAMS, false},
        {"P off the curve", sound.p, sound.q, "1", "1", sound.x, sound.y, IBK_ERR_NOT_ON_CURVE, false},
        {"P_pub off the curve", sound.p, sound.q, sound.x, sound.y, "1", "1", IBK_ERR_NOT_ON_CURVE, false},
        {"P of order 3", sound.p, sound.q, "0", "1", sound.x, sound.y, IBK_ERR_BAD_ORDER, false},
        {"P_pub of order 3", sound.p, sound.q, sound.x, sound.y, "0", "1", IBK_ERR_BAD_ORDER, false},
        {"P_pub of order 6", sound.p, sound.q, sound.x, sound.y, "2", "3", IBK_ERR_BAD_ORDER, false},
        {"both of order 3", sound.p, sound.q, "0", "1", "0", "1", IBK_ERR_BAD_ORDER, false},
        /* q = 2^159 + 2^2 + 1 = 3 * …, p = 60 q - 1 */
        {"q composite", "1e000000000000000000000000000000000000012b",
         "8000000000000000000000000000000000000005", "2", "3", "0", "1", IBK_ERR_BAD_PARAMS, false},
        {"q = 7, p = 83", "53", "7", "2", "3", "0", "1", IBK_ERR_BAD_PARAMS, false},
        {"q = 5, p = 59, (0, 0)", "3b", "5", "0", "0", "0", "0", IBK_ERR_BAD_PARAMS, false},
        {"q = 9, p = 107", "6b", "9", "2", "3", "2", "3", IBK_ERR_BAD_PARAMS, false},
        {"p = 3", "3", "3", "0", "1", "0", "1", IBK_ERR_BAD_PARAMS, true},
        {"p = 1", "1", "7", "0", "0", "0", "0", IBK_ERR_BAD_PARAMS, true},
        {"p = 0", "0", "0", "0", "0", "0", "0", IBK_ERR_BAD_PARAMS, true},
        {"p even", "54", "7", "2", "3", "2", "3", IBK_ERR_BAD_PARAMS, true},
        {"q no Solinas number", "1037", "ad", "2", "3", "2", "3", IBK_ERR_BAD_PARAMS, true},
    };
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        ibk_buf der = der_of(&sets[i]);
        ibk_ibe_params *params;
        ibk_diag diag = {0};
        if (ibk_ibe_params_parse(&params, ibk_buf_span(&der), NULL, &diag) != sets[i].reason)
            fail_msg("%s: %s (%s)", sets[i].name, ibk_err_name(diag.err), diag.detail);
        for (int all = 0; all < 2; all++) {
            uint32_t without = all ? UINT32_MAX : IBK_DEFENCE_PARAMETERS_CHECK;
            ibk_err err = ibk_ibe_params_parse_without(&params, ibk_buf_span(&der), NULL, without, &diag);
            if ((err == IBK_OK) == sets[i].impossible)
                fail_msg("%s: %s (%s)", sets[i].name, ibk_err_name(err), diag.detail);
            if (err == IBK_OK)
                exercise(params);
            ibk_ibe_params_free(params);
        }
        ibk_buf_free(&der);
    }
}

/* With s = 1 the private key of an identity is its public point: anybody reads what is encrypted to it. */
static void everybody_reads_with_s_1(void **state) {
    (void)state;
    const set s = {.p = sound.p, .q = sound.q, .px = sound.x, .py = sound.y, .sx = sound.x, .sy = sound.y};
    TEST_RANDOM(env, 4);
    ibk_buf der = der_of(&s), cipher = {NULL, 0, 0}, plain = {NULL, 0, 0}, key_der = {NULL, 0, 0};
    ibk_ibe_params *params;
    ibk_ibe_key *key;
    uint8_t q_id[128];
    assert_int_equal(
        ibk_ibe_params_parse_without(&params, ibk_buf_span(&der), NULL, IBK_DEFENCE_PARAMETERS_CHECK, NULL),
        IBK_OK);
    assert_int_equal(ibk_ibe_encrypt(&env, params, ibk_span_str(BOB), ibk_span_str("for Bob"), &cipher),
                     IBK_OK);
    assert_int_equal(ibk_ibe_hash_to_point(params, ibk_span_str(BOB), q_id), IBK_OK);
    assert_int_equal(ibk_der_put_version(&key_der), IBK_OK);
    assert_int_equal(ibk_der_put_point(&key_der, ibk_span_of(q_id, 64), ibk_span_of(q_id + 64, 64)), IBK_OK);
    assert_int_equal(ibk_der_wrap(&key_der, 0), IBK_OK);
    assert_int_equal(ibk_ibe_key_parse(&key, params, ibk_buf_span(&key_der), NULL), IBK_OK);
    assert_int_equal(ibk_ibe_decrypt(params, key, ibk_buf_span(&cipher), &plain, NULL), IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&plain), ibk_span_str("for Bob")));
    ibk_ibe_key_free(key);
    ibk_ibe_params_free(params);
    ibk_buf_free(&der);
    ibk_buf_free(&cipher);
    ibk_buf_free(&plain);
    ibk_buf_free(&key_der);
}

/* ---- ciphertexts and keys under a sound set ------------------------------------------------------------ */

static ibk_ibe_params *lax_params(uint32_t without) {
    ibk_ibe_params *known = test_params(1024, false), *out;
    ibk_buf der = test_file(1024, "params");
    assert_int_equal(ibk_ibe_params_parse_without(&out, ibk_buf_span(&der), known, without, NULL), IBK_OK);
    assert_true(ibk_ibe_params_equal(out, known));
    ibk_ibe_params_free(known);
    ibk_buf_free(&der);
    return out;
}

/* What decryption makes of "for Bob" after `change`; the plaintext is left in `plain`. */
typedef void change_fn(ibk_ibe_ciphertext *parts, uint8_t *storage);

static ibk_err decrypt_changed(uint32_t without, change_fn *change, ibk_buf *plain) {
    TEST_RANDOM(env, 5);
    ibk_ibe_params *params = lax_params(without);
    ibk_ibe_master *master = test_master(params);
    ibk_ibe_key *key;
    ibk_ibe_ciphertext parts;
    ibk_buf der = {NULL, 0, 0}, changed = {NULL, 0, 0};
    uint8_t storage[128];
    assert_int_equal(ibk_ibe_extract(params, master, ibk_span_str(BOB), &key), IBK_OK);
    assert_int_equal(ibk_ibe_encrypt(&env, params, ibk_span_str(BOB), ibk_span_str("for Bob"), &der), IBK_OK);
    assert_int_equal(ibk_ibe_ciphertext_parse(&parts, ibk_buf_span(&der), NULL), IBK_OK);
    change(&parts, storage);
    assert_int_equal(ibk_ibe_ciphertext_encode(&parts, &changed), IBK_OK);
    ibk_buf_clear(plain);
    ibk_err err = ibk_ibe_decrypt(params, key, ibk_buf_span(&changed), plain, NULL);
    ibk_buf_free(&der);
    ibk_buf_free(&changed);
    ibk_ibe_key_free(key);
    ibk_ibe_master_free(master);
    ibk_ibe_params_free(params);
    return err;
}

static void flip_w(ibk_ibe_ciphertext *parts, uint8_t *storage) { /* B becomes R */
    memcpy(storage, parts->w.data, parts->w.len);
    storage[4] ^= 'B' ^ 'R';
    parts->w.data = storage;
}

static void leave_curve(ibk_ibe_ciphertext *parts, uint8_t *storage) {
    memcpy(storage, parts->uy.data, parts->uy.len);
    storage[parts->uy.len - 1] ^= 1;
    parts->uy.data = storage;
}

static void order_3(ibk_ibe_ciphertext *parts, uint8_t *storage) {
    storage[0] = 1;
    parts->ux = ibk_span_of(NULL, 0);
    parts->uy = ibk_span_of(storage, 1);
}

static void changed_ciphertexts(void **state) {
    (void)state;
    ibk_buf plain = {NULL, 0, 0};
    const uint32_t u = IBK_DEFENCE_U_IN_GROUP, integrity = IBK_DEFENCE_IBE_INTEGRITY;
    assert_int_equal(decrypt_changed(0, flip_w, &plain), IBK_ERR_DECRYPT);
    assert_int_equal(decrypt_changed(u, flip_w, &plain), IBK_ERR_DECRYPT);
    assert_int_equal(decrypt_changed(integrity, flip_w, &plain), IBK_OK); /* malleable */
    assert_true(ibk_span_equal(ibk_buf_span(&plain), ibk_span_str("for Rob")));
    assert_int_equal(decrypt_changed(0, leave_curve, &plain), IBK_ERR_NOT_ON_CURVE);
    assert_int_equal(decrypt_changed(integrity, leave_curve, &plain), IBK_ERR_NOT_ON_CURVE);
    assert_int_equal(decrypt_changed(u, leave_curve, &plain),
                     IBK_ERR_DECRYPT); /* integrity stands behind it */
    assert_int_equal(decrypt_changed(u | integrity, leave_curve, &plain), IBK_OK);
    assert_int_equal(decrypt_changed(0, order_3, &plain), IBK_ERR_BAD_ORDER);
    assert_int_equal(decrypt_changed(u, order_3, &plain), IBK_ERR_DECRYPT);
    assert_int_equal(decrypt_changed(u | integrity, order_3, &plain), IBK_OK);
    ibk_buf_free(&plain);
}

static void strange_keys(void **state) {
    (void)state;
    static const uint8_t off_curve[] = {0x30, 0x0b, 2, 1, 2, 0x30, 6, 2, 1, 1, 2, 1, 1};
    static const uint8_t order_6[] = {0x30, 0x0b, 2, 1, 2, 0x30, 6, 2, 1, 2, 2, 1, 3};
    for (int off = 0; off < 2; off++) {
        ibk_ibe_params *params = lax_params(off ? IBK_DEFENCE_KEY_VERIFICATION : 0);
        ibk_ibe_master *master = test_master(params);
        ibk_ibe_key *key;
        assert_int_equal(ibk_ibe_extract(params, master, ibk_span_str("carol"), &key), IBK_OK);
        assert_int_equal(ibk_ibe_key_verify(params, key, ibk_span_str(BOB)), off ? IBK_OK : IBK_ERR_MISMATCH);
        ibk_ibe_key_free(key);
        assert_int_equal(ibk_ibe_key_parse(&key, params, ibk_span_of(off_curve, sizeof off_curve), NULL),
                         off ? IBK_OK : IBK_ERR_NOT_ON_CURVE);
        ibk_ibe_key_free(key);
        assert_int_equal(ibk_ibe_key_parse(&key, params, ibk_span_of(order_6, sizeof order_6), NULL),
                         off ? IBK_OK : IBK_ERR_BAD_ORDER);
        ibk_ibe_key_free(key);
        ibk_ibe_master_free(master);
        ibk_ibe_params_free(params);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(degenerate_sets),
        cmocka_unit_test(everybody_reads_with_s_1),
        cmocka_unit_test(changed_ciphertexts),
        cmocka_unit_test(strange_keys),
    };
    return cmocka_run_group_tests(tests, read_sound, NULL);
}
