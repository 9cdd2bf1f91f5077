/* Keys, MACs, ECDH and RSA with every allocation failing in turn, OpenSSL's own included: each operation
 * either fails or gives what it gives otherwise; it never gives something else (a zero key, half a MAC). */
#include "fixture.h"
#include "world/accounts.h"

#include <openssl/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TRIES_MAX = 20000 };

static const uint8_t octets[64] = {4, 7, 1, 1};

static ibk_env env_of(fuzz_random *random) {
    *random = (fuzz_random){0};
    return fuzz_env(random);
}

static ibk_err derive(ibk_buf *out) {
    ibk_err err = ibk_buf_resize(out, 64);
    err = err ? err
              : ibk_derive(out->data, 32, IBK_PRF_MIKEY_1, IBK_DERIVE_TGK, ibk_span_of(octets, 64), 0, 0,
                           ibk_span_of(octets, 16));
    return err ? err
               : ibk_derive(out->data + 32, 32, IBK_PRF_HMAC_SHA256, IBK_DERIVE_TEK, ibk_span_of(octets, 64),
                            1, 2, ibk_span_of(octets, 16));
}

static ibk_err mac(ibk_buf *out) {
    uint8_t made[IBK_MAC_MAX];
    ibk_span data = ibk_span_of(octets, 40);
    ibk_err err = ibk_mac_compute(made, IBK_MAC_HMAC_SHA256_256, ibk_span_of(octets, 32), &data, 1);
    return err ? err : ibk_buf_append(out, made, sizeof made);
}

static ibk_err kemac(ibk_buf *out) {
    static const uint8_t algs[] = {IBK_ENCR_AES_CM_128, IBK_ENCR_AES_KW_128, IBK_ENCR_AES_CM_256};
    ibk_t t = {.value = 5};
    ibk_err err = IBK_OK;
    for (size_t i = 0; i < sizeof algs && !err; i++) {
        ibk_msg_keys keys = {0};
        ibk_buf cipher = {0};
        err = ibk_msg_keys_derive(&keys, 0, ibk_span_of(octets, 32), 7, ibk_span_of(octets, 16), algs[i], 1);
        err = err ? err : ibk_kemac_encrypt(&cipher, algs[i], &keys, 7, &t, ibk_span_of(octets, 24));
        err = err ? err : ibk_kemac_decrypt(out, algs[i], &keys, 7, &t, ibk_buf_span(&cipher));
        ibk_buf_free(&cipher);
    }
    return err;
}

static ibk_err ecdh(ibk_buf *out) {
    static const uint8_t curves[] = {IBK_EC_P256, IBK_EC_P521};
    fuzz_random random;
    ibk_env env = env_of(&random);
    ibk_err err = IBK_OK;
    for (size_t i = 0; i < sizeof curves && !err; i++) {
        ibk_ec_key x, y;
        ibk_ec_point shared, decoded;
        uint8_t compressed[67];
        err = ibk_ec_keygen(&x, &env, IBK_DRAW_X, curves[i]);
        err = err ? err : ibk_ec_keygen(&y, &env, IBK_DRAW_Y, curves[i]);
        err = err ? err : ibk_ec_shared(&shared, &x, &y.pub);
        err = err ? err : ibk_buf_append_span(out, ibk_ec_point_span(&shared));
        if (err)
            return err;
        size_t field = ibk_ec_field_len(curves[i]);
        compressed[0] = 2 | (x.pub.octets[2 * field] & 1);
        for (size_t j = 1; j <= field; j++)
            compressed[j] = x.pub.octets[j];
        err = ibk_ec_decode(&decoded, curves[i], ibk_span_of(compressed, 1 + field));
        err = err ? err : ibk_buf_append_span(out, ibk_ec_point_span(&decoded));
    }
    return err;
}

static ibk_err rsa(uint8_t sig_type, uint8_t rsaes, ibk_buf *out) {
    fuzz_random random;
    ibk_env env = env_of(&random);
    ibk_kms_key_pair pair = fuzz_kms_pair();
    ibk_buf public_key = {0}, signature = {0}, cipher = {0};
    ibk_span data = ibk_span_of(octets, 32);
    ibk_err err = ibk_cert_public_key(&public_key, pair.certificate);
    err = err ? err : ibk_rsa_sign(&signature, &env, sig_type, IBK_HASH_SHA256, pair.private_key, data);
    err = err ? err
              : ibk_rsa_verify(sig_type, IBK_HASH_SHA256, ibk_buf_span(&public_key), data,
                               ibk_buf_span(&signature));
    err = err ? err : ibk_rsa_encrypt(&cipher, &env, rsaes, ibk_buf_span(&public_key), data);
    err = err ? err : ibk_rsa_decrypt(out, rsaes, pair.private_key, ibk_buf_span(&cipher));
    err = err ? err : ibk_buf_append_span(out, ibk_buf_span(&signature));
    ibk_buf_free(&public_key);
    ibk_buf_free(&signature);
    ibk_buf_free(&cipher);
    return err;
}

static ibk_err rsa_pkcs1(ibk_buf *out) {
    return rsa(IBK_SIG_RSA_PKCS1, IBK_RSAES_PKCS1, out);
}

static ibk_err rsa_pss_oaep(ibk_buf *out) {
    return rsa(IBK_SIG_RSA_PSS, IBK_RSAES_OAEP_SHA256, out);
}

/* What the cache took is a replay from then on (RFC 3830 §5.4): found by this test, which SHA256() made fail.
 */
static void test_replay(void **state) {
    (void)state;
    ibk_t t;
    assert_int_equal(ibk_t_from_utc(&t, IBK_TS_NTP_UTC, fuzz_now().utc_ns), IBK_OK);
    for (size_t nth = 1; nth < 64; nth++) {
        ibk_replay_cache *cache = fuzz_replay_cache();
        accounts_fail(nth);
        ibk_err err = ibk_replay_add(cache, &t, ibk_span_of(octets, 64), fuzz_now().utc_ns);
        accounts_fail(0);
        ibk_err again = ibk_replay_check(cache, &t, ibk_span_of(octets, 64), fuzz_now().utc_ns);
        assert_int_equal(again, err ? IBK_OK : IBK_ERR_REPLAYED);
        assert_int_equal(ibk_replay_add(cache, &t, ibk_span_of(octets, 64), fuzz_now().utc_ns),
                         err ? IBK_OK : IBK_ERR_REPLAYED);
        accounts_fail(nth);
        again = ibk_replay_check(cache, &t, ibk_span_of(octets, 64), fuzz_now().utc_ns);
        accounts_fail(0);
        assert_int_not_equal(again, IBK_OK);
        ibk_replay_cache_free(cache);
    }
}

/* `step`: every how many allocations; RSA makes thousands. */
static void each_allocation(ibk_err (*operation)(ibk_buf *), size_t step) {
    ibk_buf want = {0};
    size_t failed = 0;
    assert_int_equal(operation(&want), IBK_OK);
    for (size_t nth = 1; nth < TRIES_MAX; nth += step) {
        ibk_buf got = {0};
        accounts_fail(nth);
        ibk_err err = operation(&got);
        bool over = accounts_fail(0) > 0;
        failed += err != IBK_OK;
        if (!err)
            assert_true(ibk_span_equal(ibk_buf_span(&want), ibk_buf_span(&got)));
        ibk_buf_free(&got);
        if (over)
            break;
    }
    assert_true(failed > 0);
    ibk_buf_free(&want);
}

static void test_all(void **state) {
    (void)state;
    each_allocation(derive, 1);
    each_allocation(mac, 1);
    each_allocation(kemac, 1);
    each_allocation(ecdh, 1);
    (void)fuzz_kms_pair();
    each_allocation(rsa_pkcs1, 61);
    each_allocation(rsa_pss_oaep, 61);
}

static void *take(size_t size, const char *file, int line) {
    (void)file;
    (void)line;
    return malloc(size);
}

static void *take_again(void *p, size_t size, const char *file, int line) {
    (void)file;
    (void)line;
    return realloc(p, size);
}

static void give(void *p, const char *file, int line) {
    (void)file;
    (void)line;
    free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all), cmocka_unit_test(test_replay)};
    if (CRYPTO_set_mem_functions(take, take_again, give) != 1)
        return 2; /* OpenSSL has allocated already */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
