/* What is put into a wallet comes out of it: once, with its origin, and a master secret gives every key. */
#include "adversary/analyst_lab.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define BOB "sip:bob@away.example"

static void test_keys(void **state) {
    (void)state;
    lab_adversary m;
    ibk_buf identity = {0}, der = {0};
    ibk_ibe_key *key = lab_key(&lab_away, BOB, 0, &identity);
    ibk_span name = ibk_buf_span(&identity);
    wallet_origin origin = wallet_from(LEDGER_HELD, 42, "given");
    lab_adversary_init(&m);
    assert_null(wallet_key(m.w, lab_away.params, name));
    assert_int_equal(ibk_ibe_key_encode(key, &der), IBK_OK);
    assert_int_equal(wallet_add_key_der(m.w, NULL, name, ibk_buf_span(&der), &origin), IBK_OK);
    assert_int_equal(wallet_add_key(m.w, lab_away.params, name, key, &origin), IBK_OK); /* is there already */
    assert_null(wallet_key_at(m.w, 1));
    assert_int_equal(ibk_ibe_key_verify(lab_away.params, wallet_key(m.w, lab_away.params, name), name),
                     IBK_OK);
    assert_null(wallet_key(m.w, lab_home.params, name)); /* another KMS's */
    const wallet_ibe_key *item = wallet_find_key(m.w, lab_away.params, name);
    assert_int_equal(item->origin.since_ns, 42);
    assert_false(item->extracted);
    ibk_span garbage = ibk_span_of("garbage", 7);
    assert_int_equal(wallet_add_key_der(m.w, NULL, name, garbage, &origin), IBK_ERR_MISMATCH);
    lab_adversary_free(&m);
    ibk_ibe_key_free(key);
    ibk_buf_free(&identity);
    ibk_buf_free(&der);
}

static void test_master_secret(void **state) {
    (void)state;
    lab_adversary m;
    ibk_buf identity = {0};
    ibk_ibe_key *key = lab_key(&lab_away, BOB, 3, &identity);
    ibk_span name = ibk_buf_span(&identity);
    wallet_origin origin = wallet_from(LEDGER_BROKEN_IN, 9, "taken");
    lab_adversary_init(&m);
    assert_int_equal(wallet_add_master(m.w, lab_away.params, lab_away.master, &origin), IBK_OK);
    assert_int_equal(wallet_add_master(m.w, lab_away.params, lab_away.master, &origin), IBK_OK);
    assert_null(wallet_master_at(m.w, 1));
    const wallet_ibe_key *item = wallet_find_key(m.w, lab_away.params, name);
    assert_non_null(item);
    assert_true(item->extracted);
    assert_int_equal(item->origin.how, LEDGER_COMPUTED);
    assert_int_equal(item->origin.since_ns, 9);
    assert_int_equal(ibk_ibe_key_verify(lab_away.params, item->key, name), IBK_OK);
    assert_ptr_equal(wallet_find_key(m.w, lab_away.params, name), item); /* kept */
    assert_null(wallet_find_key(m.w, lab_home.params, name));
    lab_adversary_free(&m);
    ibk_ibe_key_free(key);
    ibk_buf_free(&identity);
}

static void test_octets_and_scalars(void **state) {
    (void)state;
    wallet *w = wallet_new();
    uint8_t scalar[32] = {[31] = 5}, zero[32] = {0};
    wallet_origin origin = wallet_from(LEDGER_HELD, 0, "%s", "");
    ibk_keylog_record x = {.kind = IBK_KEYLOG_X, .csb_id = 3, .value = ibk_span_of(scalar, sizeof scalar)};
    assert_int_equal(wallet_add_record(w, &x, true, &origin), IBK_OK);
    assert_int_equal(wallet_add_record(w, &x, true, &origin), IBK_OK);
    assert_null(wallet_scalar_at(w, 1));
    assert_true(wallet_scalar_at(w, 0)->own);
    assert_false(wallet_scalar_at(w, 0)->responders);
    assert_int_equal(wallet_scalar_at(w, 0)->key.pub.len, 65);
    x.value = ibk_span_of(zero, sizeof zero);
    assert_int_equal(wallet_add_record(w, &x, true, &origin), IBK_ERR_BAD_SCALAR);
    ibk_keylog_record tgk = {
        .kind = IBK_KEYLOG_TGK, .csb_id = 3, .value = ibk_span_of(scalar, sizeof scalar)};
    assert_int_equal(wallet_add_record(w, &tgk, true, &origin), IBK_OK);
    tgk.csb_id = 4;
    assert_int_equal(wallet_add_record(w, &tgk, true, &origin), IBK_OK);
    assert_int_equal(wallet_tgk_at(w, 0)->csb_id, 3);
    assert_int_equal(wallet_tgk_at(w, 1)->csb_id, 4);
    assert_int_equal(wallet_add_psk(w, ibk_span_str("psk"), &origin), IBK_OK);
    assert_int_equal(wallet_add_sk(w, ibk_span_str("sk"), &origin), IBK_OK);
    assert_int_equal(wallet_psk_at(w, 0)->octets.len, 3);
    assert_int_equal(wallet_sk_at(w, 0)->octets.len, 2);
    assert_null(wallet_sk_at(w, 1));
    wallet_free(w);
    wallet_free(NULL);
}

/* A generator's seed serves to speak for whom it belongs to, under each of the identities. */
static void test_generators(void **state) {
    (void)state;
    wallet *w = wallet_new();
    const char *further[] = {"tel:+4930901820"};
    const scn_user alice = {.identity = "sip:alice@home.example", .identities = further, .identity_count = 1};
    const scn_user bob = {.identity = "sip:bob@home.example"};
    wallet_origin origin = wallet_from(LEDGER_BROKEN_IN, 0, "a seed");
    assert_int_equal(wallet_add_generator(w, &alice, ibk_span_str("hers"), &origin), IBK_OK);
    assert_int_equal(wallet_add_generator(w, &bob, ibk_span_str("his"), &origin), IBK_OK);
    assert_memory_equal(wallet_generator_of(w, ibk_span_str("sip:alice@home.example"))->octets.data, "hers",
                        4);
    assert_memory_equal(wallet_generator_of(w, ibk_span_str("tel:+4930901820"))->octets.data, "hers", 4);
    assert_memory_equal(wallet_generator_of(w, ibk_span_str("sip:bob@home.example"))->octets.data, "his", 3);
    assert_null(wallet_generator_of(w, ibk_span_str("sip:carol@home.example")));
    wallet_free(w);
}

/* Two KMSs may have one set of parameters, and keys for different times. */
static void test_parameters(void **state) {
    (void)state;
    wallet *w = wallet_new();
    assert_int_equal(wallet_add_params(w, lab_home.params, IBK_GRANULARITY_DAY), IBK_OK);
    assert_int_equal(wallet_add_params(w, lab_home.params, IBK_GRANULARITY_DAY), IBK_OK);
    assert_int_equal(wallet_add_params(w, lab_home.params, IBK_GRANULARITY_HOUR), IBK_OK);
    assert_int_equal(wallet_params_at(w, 0)->granularity, IBK_GRANULARITY_DAY);
    assert_int_equal(wallet_params_at(w, 1)->granularity, IBK_GRANULARITY_HOUR);
    assert_null(wallet_params_at(w, 2));
    wallet_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parameters), cmocka_unit_test(test_keys), cmocka_unit_test(test_master_secret),
        cmocka_unit_test(test_octets_and_scalars), cmocka_unit_test(test_generators)};
    return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
