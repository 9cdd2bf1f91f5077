/* Parameters of an adversary: the sound ones work, and each of the others breaks one rule and no more. */
#include "adversary/bad_params.h"
#include "ibake/lab.h"

#include <openssl/bn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static lab_user mallory;

static void its_own_parameters_work_and_differ(void **state) {
    (void)state;
    ibk_ibe_params *params;
    ibk_ibe_master *master;
    ibk_ibe_key *key;
    ibk_env env = lab_env(&mallory);
    ibk_buf cipher = {0}, plain = {0};
    ibk_span id = ibk_span_str("sip:bob@away.example20261124"), text = ibk_span_str("secret");
    assert_int_equal(bad_params_own(&params, &master, lab_away.params, &env), IBK_OK);
    assert_int_equal(ibk_ibe_master_check(params, master), IBK_OK);
    assert_false(ibk_ibe_params_equal(params, lab_away.params));
    assert_int_equal(ibk_ibe_extract(params, master, id, &key), IBK_OK);
    assert_int_equal(ibk_ibe_key_verify(params, key, id), IBK_OK);
    assert_int_equal(ibk_ibe_encrypt(&env, params, id, text, &cipher), IBK_OK);
    assert_int_equal(ibk_ibe_decrypt(params, key, ibk_buf_span(&cipher), &plain, NULL), IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&plain), text));
    ibk_buf_free(&cipher);
    ibk_buf_free(&plain);
    ibk_ibe_key_free(key);
    ibk_ibe_master_free(master);
    ibk_ibe_params_free(params);
}

static ibk_err verdict(scn_degenerate kind, ibk_diag *diag) {
    ibk_buf der = {0};
    ibk_ibe_params *params;
    assert_int_equal(bad_params_make(&der, kind, lab_away.params), IBK_OK);
    ibk_err err = ibk_ibe_params_parse(&params, ibk_buf_span(&der), NULL, diag);
    ibk_ibe_params_free(params);
    ibk_buf_free(&der);
    return err;
}

static void each_breaks_the_rule_that_it_is_made_for(void **state) {
    (void)state;
    ibk_diag diag = {0};
    assert_int_equal(verdict(SCN_Q_COMPOSITE, &diag), IBK_ERR_BAD_PARAMS);
    assert_string_equal(diag.detail, "p or q is not prime"); /* sizes, form, points hold: only that is left */
    assert_int_equal(verdict(SCN_SMALL_ORDER, &diag), IBK_ERR_BAD_ORDER);
    assert_int_equal(verdict(SCN_P_IS_3, &diag), IBK_ERR_BAD_PARAMS);
    assert_int_equal(verdict(SCN_P_PUB_IS_P, &diag), IBK_ERR_BAD_PARAMS);
    assert_string_equal(diag.detail, "pointPpub: is pointP: s = 1");
    ibk_buf der = {0};
    assert_int_equal(bad_params_make(&der, SCN_SOUND, lab_away.params), IBK_ERR_USAGE);
    assert_int_equal(der.len, 0);
}

/* The p of the composite q is prime: the check above did not stumble over p. */
static void the_composite_q_is_the_only_composite(void **state) {
    (void)state;
    ibk_buf der = {0};
    assert_int_equal(bad_params_make(&der, SCN_Q_COMPOSITE, NULL), IBK_OK);
    /* SEQUENCE (4 octets of head), version (3), curve (13), then INTEGER p of 64 octets with a leading zero
     */
    const uint8_t *p = der.data + 4 + 3 + 13;
    assert_int_equal(p[0], 0x02);
    assert_int_equal(p[1], 65);
    BIGNUM *bn = BN_bin2bn(p + 2, 65, NULL);
    BN_CTX *ctx = BN_CTX_new();
    assert_int_equal(BN_check_prime(bn, ctx, NULL), 1);
    BN_CTX_free(ctx);
    BN_free(bn);
    ibk_buf_free(&der);
}

/* Who does not look: with P_pub = P everybody has every private key. */
static void p_pub_is_p_gives_every_key_away(void **state) {
    (void)state;
    ibk_buf der = {0}, key_der = {0}, cipher = {0}, plain = {0};
    ibk_ibe_params *params;
    ibk_ibe_key *key;
    ibk_env env = lab_env(&mallory);
    ibk_span id = ibk_span_str("sip:bob@away.example20261124"), text = ibk_span_str("secret");
    assert_int_equal(bad_params_make(&der, SCN_P_PUB_IS_P, lab_away.params), IBK_OK);
    assert_int_equal(
        ibk_ibe_params_parse_without(&params, ibk_buf_span(&der), NULL, IBK_DEFENCE_PARAMETERS_CHECK, NULL),
        IBK_OK);
    assert_int_equal(bad_params_trivial_key(&key_der, params, id), IBK_OK);
    assert_int_equal(ibk_ibe_key_parse(&key, params, ibk_buf_span(&key_der), NULL), IBK_OK);
    assert_int_equal(ibk_ibe_key_verify(params, key, id), IBK_OK);
    assert_int_equal(ibk_ibe_encrypt(&env, params, id, text, &cipher), IBK_OK);
    assert_int_equal(ibk_ibe_decrypt(params, key, ibk_buf_span(&cipher), &plain, NULL), IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&plain), text));
    ibk_ibe_key_free(key);
    ibk_ibe_params_free(params);
    ibk_buf_free(&der);
    ibk_buf_free(&key_der);
    ibk_buf_free(&cipher);
    ibk_buf_free(&plain);
}

static int setup(void **state) {
    lab_group_setup(state);
    lab_user_init(&mallory, "sip:mallory@away.example", &lab_away, 5);
    return 0;
}

static int teardown(void **state) {
    lab_user_free(&mallory);
    return lab_group_teardown(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_own_parameters_work_and_differ),
        cmocka_unit_test(each_breaks_the_rule_that_it_is_made_for),
        cmocka_unit_test(the_composite_q_is_the_only_composite),
        cmocka_unit_test(p_pub_is_p_gives_every_key_away),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
