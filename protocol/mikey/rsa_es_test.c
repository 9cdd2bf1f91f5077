/* Envelopes: our paddings against OpenSSL's own, both ways; what does not open is not to be told apart. */
#include "mikey/rsa_es.h"
#include "mikey/rsa_key.h"
#include "mikey/samples.h"

#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

typedef struct key_pair {
    ibk_buf private_key, public_key;
    EVP_PKEY *pkey;
} key_pair;

static key_pair pairs[3]; /* 1024, 1031 (an odd length), 2048 bits */

static void make_pair(key_pair *k, unsigned bits) {
    unsigned char *der = NULL;
    k->pkey = EVP_RSA_gen(bits);
    int len = i2d_PrivateKey(k->pkey, &der);
    assert_int_equal(ibk_buf_append(&k->private_key, der, (size_t)len), IBK_OK);
    OPENSSL_free(der);
    der = NULL;
    len = i2d_PUBKEY(k->pkey, &der);
    assert_int_equal(ibk_buf_append(&k->public_key, der, (size_t)len), IBK_OK);
    OPENSSL_free(der);
}

static int setup(void **state) {
    (void)state;
    static const unsigned bits[] = {1024, 1031, 2048};
    for (size_t i = 0; i < 3; i++)
        make_pair(&pairs[i], bits[i]);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        EVP_PKEY_free(pairs[i].pkey);
        ibk_buf_free(&pairs[i].private_key);
        ibk_buf_free(&pairs[i].public_key);
    }
    return 0;
}

/* OpenSSL's own padding, or none (padding RSA_NO_PADDING). */
static void pad_as(EVP_PKEY_CTX *ctx, int padding, const EVP_MD *md) {
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, padding), 1);
    if (md) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md), 1);
    }
}

static int padding_of(uint8_t rsaes) {
    return rsaes == IBK_RSAES_PKCS1 ? RSA_PKCS1_PADDING : RSA_PKCS1_OAEP_PADDING;
}

static const EVP_MD *md_of(uint8_t rsaes) {
    return rsaes == IBK_RSAES_OAEP ? EVP_sha1() : rsaes == IBK_RSAES_OAEP_SHA256 ? EVP_sha256() : NULL;
}

static size_t openssl_opens(const key_pair *k, uint8_t rsaes, ibk_span cipher, uint8_t *out, size_t room) {
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k->pkey, NULL);
    assert_int_equal(EVP_PKEY_decrypt_init(ctx), 1);
    pad_as(ctx, padding_of(rsaes), md_of(rsaes));
    assert_int_equal(EVP_PKEY_decrypt(ctx, out, &room, cipher.data, cipher.len), 1);
    EVP_PKEY_CTX_free(ctx);
    return room;
}

static ibk_buf openssl_seals(const key_pair *k, int padding, const EVP_MD *md, ibk_span plain) {
    ibk_buf out = {0};
    size_t len = (size_t)EVP_PKEY_get_size(k->pkey);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k->pkey, NULL);
    assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
    pad_as(ctx, padding, md);
    assert_int_equal(ibk_buf_resize(&out, len), IBK_OK);
    assert_int_equal(EVP_PKEY_encrypt(ctx, out.data, &len, plain.data, plain.len), 1);
    EVP_PKEY_CTX_free(ctx);
    return out;
}

static bool opens_to(const key_pair *k, uint8_t rsaes, ibk_span cipher, ibk_span want) {
    ibk_buf got = {0};
    assert_int_equal(ibk_rsa_decrypt(&got, rsaes, ibk_buf_span(&k->private_key), cipher), IBK_OK);
    bool same = ibk_span_equal(ibk_buf_span(&got), want);
    ibk_buf_free(&got);
    return same;
}

static void envelopes_open(void **state) {
    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (uint8_t rsaes = 0; rsaes < 3; rsaes++)
            for (size_t len = IBK_ENVELOPE_MIN; len <= IBK_ENVELOPE_MAX; len++) {
                const key_pair *k = &pairs[i];
                uint64_t counter = len, again = len, other = 1000 + len;
                ibk_env env = counting_env(&counter), env2 = counting_env(&again),
                        env3 = counting_env(&other);
                ibk_buf a = {0}, b = {0}, c = {0};
                uint8_t opened[256];
                ibk_span plain = pattern(5, len), public_key = ibk_buf_span(&k->public_key);
                assert_int_equal(ibk_rsa_encrypt(&a, &env, rsaes, public_key, plain), IBK_OK);
                assert_int_equal(ibk_rsa_encrypt(&b, &env2, rsaes, public_key, plain), IBK_OK);
                assert_int_equal(ibk_rsa_encrypt(&c, &env3, rsaes, public_key, plain), IBK_OK);
                assert_true(ibk_span_equal(ibk_buf_span(&a), ibk_buf_span(&b)));
                assert_false(ibk_span_equal(ibk_buf_span(&a), ibk_buf_span(&c)));
                assert_true(opens_to(k, rsaes, ibk_buf_span(&a), plain));
                assert_true(opens_to(k, rsaes, ibk_buf_span(&c), plain));
                assert_int_equal(openssl_opens(k, rsaes, ibk_buf_span(&a), opened, sizeof opened), len);
                assert_memory_equal(opened, plain.data, len);
                ibk_buf theirs = openssl_seals(k, padding_of(rsaes), md_of(rsaes), plain);
                assert_true(opens_to(k, rsaes, ibk_buf_span(&theirs), plain));
                ibk_buf_free(&theirs);
                ibk_buf_free(&a);
                ibk_buf_free(&b);
                ibk_buf_free(&c);
            }
}

/* What stands in: always the same for a ciphertext, another for another, never what was sealed. */
static void stands_in(const key_pair *k, uint8_t rsaes, ibk_span block) {
    ibk_buf cipher = openssl_seals(k, RSA_NO_PADDING, NULL, block), one = {0}, two = {0}, three = {0};
    ibk_span private_key = ibk_buf_span(&k->private_key);
    assert_int_equal(ibk_rsa_decrypt(&one, rsaes, private_key, ibk_buf_span(&cipher)), IBK_OK);
    assert_int_equal(ibk_rsa_decrypt(&two, rsaes, private_key, ibk_buf_span(&cipher)), IBK_OK);
    assert_int_equal(one.len, IBK_ENVELOPE_MAX);
    assert_true(ibk_span_equal(ibk_buf_span(&one), ibk_buf_span(&two)));
    assert_null(memmem(block.data, block.len, one.data, IBK_ENVELOPE_MIN));
    cipher.data[cipher.len - 1] ^= 1;
    assert_int_equal(ibk_rsa_decrypt(&three, rsaes, private_key, ibk_buf_span(&cipher)), IBK_OK);
    assert_false(ibk_span_equal(ibk_buf_span(&one), ibk_buf_span(&three)));
    ibk_buf_free(&cipher);
    ibk_buf_free(&one);
    ibk_buf_free(&two);
    ibk_buf_free(&three);
}

/* 00 02, n octets of padding, 00, the rest message; then one octet changed. */
static void pkcs1_block(uint8_t block[128], size_t padding) {
    memcpy(block, pattern(1, 128).data, 128);
    for (size_t i = 0; i < 128; i++)
        block[i] |= 1; /* no zero anywhere */
    block[0] = 0;
    block[1] = 2;
    block[2 + padding] = 0;
}

static void false_pkcs1_is_not_told(void **state) {
    (void)state;
    const key_pair *k = &pairs[0];
    uint8_t block[128] = {0};
    ibk_span whole = ibk_span_of(block, sizeof block);
    pkcs1_block(block, 125 - IBK_ENVELOPE_MAX);
    ibk_buf good = openssl_seals(k, RSA_NO_PADDING, NULL, whole);
    assert_true(opens_to(k, 0, ibk_buf_span(&good), ibk_span_of(block + 96, 32)));
    ibk_buf_free(&good);
    block[1] = 1; /* block type */
    stands_in(k, 0, whole);
    pkcs1_block(block, 125 - IBK_ENVELOPE_MAX);
    block[0] = 1;
    stands_in(k, 0, whole);
    pkcs1_block(block, 7); /* padding too short, and a message too long */
    stands_in(k, 0, whole);
    for (size_t message = 0; message < 60; message++) {
        pkcs1_block(block, 125 - message);
        if (message < IBK_ENVELOPE_MIN || message > IBK_ENVELOPE_MAX)
            stands_in(k, 0, whole);
    }
    pkcs1_block(block, 93);
    block[95] = 1; /* no zero at all */
    stands_in(k, 0, whole);
    pkcs1_block(block, 93);
    block[9] = 0; /* an early zero: the message would be 118 octets */
    stands_in(k, 0, whole);
}

static void false_oaep_is_not_told(void **state) {
    (void)state;
    const key_pair *k = &pairs[2];
    for (uint8_t rsaes = IBK_RSAES_OAEP; rsaes <= IBK_RSAES_OAEP_SHA256; rsaes++) {
        uint64_t counter = 3;
        ibk_env env = counting_env(&counter);
        uint8_t block[256], fresh[256] = {0};
        assert_int_equal(ibk_rsaes_pad(fresh, sizeof fresh, &env, rsaes, pattern(5, 32)), IBK_OK);
        for (size_t i = 0; i < sizeof block; i += 5) { /* any octet: seed, label's hash, zeros, the 01 */
            memcpy(block, fresh, sizeof block);
            block[i] ^= i ? 0x40 : 1;
            /* a changed seed or a changed masked DB changes the other half of it, so nothing comes out right
             */
            stands_in(k, rsaes, ibk_span_of(block, sizeof block));
        }
    }
    /* Another label, and messages of another length, by OpenSSL. */
    for (size_t len = 0; len < 60; len++) {
        ibk_buf sealed = openssl_seals(k, RSA_PKCS1_OAEP_PADDING, EVP_sha1(), pattern(5, len));
        bool fits = len >= IBK_ENVELOPE_MIN && len <= IBK_ENVELOPE_MAX;
        assert_int_equal(opens_to(k, IBK_RSAES_OAEP, ibk_buf_span(&sealed), pattern(5, len)), fits);
        assert_false(opens_to(k, IBK_RSAES_OAEP_SHA256, ibk_buf_span(&sealed), pattern(5, len)));
        assert_false(opens_to(k, IBK_RSAES_PKCS1, ibk_buf_span(&sealed), pattern(5, len)));
        ibk_buf_free(&sealed);
    }
}

/* Each of the places where OAEP can be wrong alone: the octets under the mask. */
static void oaep_is_judged_whole(void **state) {
    (void)state;
    enum { H = 20, LEN = 128, DB = LEN - 1 - H };
    static const uint8_t instead[IBK_ENVELOPE_MAX] = "stands in: thirty-two octets...";
    for (int wrong = -1; wrong < DB - 16; wrong++) {
        uint8_t em[LEN] = {0}, out[IBK_ENVELOPE_MAX];
        uint8_t *db = em + 1 + H;
        size_t out_len;
        assert_int_equal(EVP_Digest("", 0, db, NULL, EVP_sha1(), NULL), 1);
        db[DB - 17] = 1;
        memcpy(db + DB - 16, "sixteen octets..", 16);
        if (wrong >= 0)
            db[wrong] ^= 0x80;
        memset(em + 1, 0x5a, H);
        assert_int_equal(ibk_mgf1_xor(db, DB, EVP_sha1(), ibk_span_of(em + 1, H)), IBK_OK);
        assert_int_equal(ibk_mgf1_xor(em + 1, H, EVP_sha1(), ibk_span_of(db, DB)), IBK_OK);
        assert_int_equal(ibk_rsaes_unpad(out, &out_len, em, LEN, IBK_RSAES_OAEP, instead), IBK_OK);
        if (wrong < 0) {
            assert_int_equal(out_len, 16);
            assert_memory_equal(out, "sixteen octets..", 16);
        } else {
            assert_int_equal(out_len, IBK_ENVELOPE_MAX);
            assert_memory_equal(out, instead, IBK_ENVELOPE_MAX);
        }
    }
}

static ibk_err broken_draw(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    (void)user;
    (void)label;
    (void)out;
    (void)len;
    return IBK_ERR_RANDOM;
}

static ibk_err zero_draw(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    (void)user;
    (void)label;
    memset(out, 0, len);
    return IBK_OK;
}

static void failures(void **state) {
    (void)state;
    uint64_t counter = 0;
    ibk_env env = counting_env(&counter), broken = {.draw = broken_draw}, zeros = {.draw = zero_draw};
    ibk_span public_key = ibk_buf_span(&pairs[0].public_key), plain = pattern(0, 32);
    ibk_span private_key = ibk_buf_span(&pairs[0].private_key);
    ibk_buf out = {0};
    for (uint8_t rsaes = 0; rsaes < 2; rsaes++)
        assert_int_equal(ibk_rsa_encrypt(&out, &broken, rsaes, public_key, plain), IBK_ERR_RANDOM);
    assert_int_equal(ibk_rsa_encrypt(&out, &zeros, 0, public_key, plain), IBK_ERR_RANDOM);
    assert_int_equal(ibk_rsa_encrypt(&out, &env, 3, public_key, plain), IBK_ERR_UNSUPPORTED);
    assert_int_equal(ibk_rsa_encrypt(&out, &env, 0, plain, plain), IBK_ERR_UNSUPPORTED);
    assert_int_equal(ibk_rsa_encrypt(&out, &env, 0, public_key, pattern(0, 15)), IBK_ERR_USAGE);
    assert_int_equal(ibk_rsa_encrypt(&out, &env, 0, public_key, pattern(0, 33)), IBK_ERR_USAGE);
    assert_int_equal(ibk_rsa_decrypt(&out, 0, plain, plain), IBK_ERR_UNSUPPORTED);
    assert_int_equal(ibk_rsa_decrypt(&out, 3, private_key, pattern(0, 128)), IBK_ERR_UNSUPPORTED);
    assert_int_equal(ibk_rsa_decrypt(&out, 0, private_key, pattern(0, 127)), IBK_ERR_BAD_LENGTH);
    assert_int_equal(ibk_rsa_decrypt(&out, 0, private_key, pattern(0, 129)), IBK_ERR_BAD_LENGTH);
    uint8_t large[128];
    memset(large, 0xff, sizeof large);
    assert_int_equal(ibk_rsa_decrypt(&out, 0, private_key, ibk_span_of(large, sizeof large)),
                     IBK_ERR_BAD_VALUE);
    assert_int_equal(out.len, 0);
    memset(large, 0, sizeof large); /* c = 0: opens to nothing, is not told */
    assert_int_equal(ibk_rsa_decrypt(&out, 0, private_key, ibk_span_of(large, sizeof large)), IBK_OK);
    assert_int_equal(out.len, IBK_ENVELOPE_MAX);
    assert_true(ibk_rsa_pair(private_key, public_key));
    assert_false(ibk_rsa_pair(private_key, ibk_buf_span(&pairs[1].public_key)));
    assert_int_equal(ibk_rsa_private_bits(private_key), 1024);
    assert_int_equal(ibk_rsa_public_bits(ibk_buf_span(&pairs[1].public_key)), 1031);
    assert_int_equal(ibk_rsa_public_bits(plain), 0);
    ibk_buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(envelopes_open),
        cmocka_unit_test(false_pkcs1_is_not_told),
        cmocka_unit_test(false_oaep_is_not_told),
        cmocka_unit_test(oaep_is_judged_whole),
        cmocka_unit_test(failures),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
