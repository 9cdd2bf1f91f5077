/* A rogue KMS in another's place: who believes it, who does not, and what goes on to the true one. */
#include "adversary/rogue_kms.h"
#include "ims/stage.h"
#include "kms/key_client.h"
#include "kms/kms_node.h"
#include "kms/parameters.h"
#include "run/params.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NAME    "kms.away.example" /* leads to the rogue */
#define GENUINE "genuine"

static const char scenario_text[] = "ibakelab: 1\n"
                                    "title: a rogue KMS\n"
                                    "domains:\n"
                                    "  - {name: home.example, kms: {parameters: 1024}}\n"
                                    "  - {name: away.example, kms: {parameters: 1024, issue: current}}\n"
                                    "users:\n"
                                    "  - {name: alice, domain: home.example}\n"
                                    "  - {name: bob, domain: away.example, kms: kms@away.example,\n"
                                    "     psk: 00112233445566778899aabbccddeeff}\n"
                                    "expect:\n"
                                    "  users: {registered: all}\n";

typedef struct lab {
    scn_scenario *scenario;
    ibk_ibe_params *genuine_params;
    ibk_ibe_master *genuine_master;
    stage stage;
    pki *certificates;
    pki_credential genuine_tls;
    tls_context *trust;
    ims_host *mallory, *alice;
    kms_node *genuine;
    rogue_kms *rogue;
    parameters_source sources[2];
    parameters_client *parameters;
    key_client *keys;
    ibk_timestamps timestamps;
    bool done;
    key_client_result result;
    size_t n_keys;
    /* the plan under test */
    scn_rogue_kms kms;
    scn_holding holding;
    scn_adversary plan;
} lab;

static int load(void **state) {
    lab *l = calloc(1, sizeof *l);
    scn_errors errors = {0};
    assert_non_null(l);
    if (scn_load_text(&l->scenario, &errors, "rogue.yaml", ibk_span_str(scenario_text), NULL, 0))
        fail_msg("%u: %s", errors.list[0].line, errors.list[0].message);
    assert_int_equal(
        run_params_load(&l->genuine_params, &l->genuine_master, &l->scenario->domains[1].kms, NULL), IBK_OK);
    *state = l;
    return 0;
}

static int unload(void **state) {
    lab *l = *state;
    ibk_ibe_master_free(l->genuine_master);
    ibk_ibe_params_free(l->genuine_params);
    scn_free(l->scenario);
    free(l);
    return 0;
}

static void fetched(void *user) {
    (void)user;
}

static void start_genuine(lab *l) {
    kms_node_config config = {.host = stage_host(&l->stage, GENUINE),
                              .scenario = l->scenario,
                              .domain = &l->scenario->domains[1],
                              .params = l->genuine_params,
                              .master = l->genuine_master};
    assert_int_equal(kms_node_new(&l->genuine, &config), IBK_OK);
}

static void start_client(lab *l) {
    for (size_t i = 0; i < 2; i++)
        l->sources[i] = (parameters_source){&l->scenario->domains[i], l->genuine_params};
    parameters_client_config client = {.host = l->alice,
                                       .tls = l->trust,
                                       .home = &l->scenario->domains[0],
                                       .sources = l->sources,
                                       .n_sources = 2,
                                       .fetched = fetched,
                                       .user = l};
    assert_int_equal(parameters_client_new(&l->parameters, &client), IBK_OK);
}

static int set_up(void **state) {
    static const char *const names[] = {NAME, GENUINE, "alice"};
    lab *l = *state;
    stage_open(&l->stage, names, 3, 1);
    ims_host_config mallory = stage_host(&l->stage, NAME), alice = stage_host(&l->stage, "alice");
    mallory.quiet = alice.quiet = true;
    assert_int_equal(ims_host_new(&l->mallory, &mallory, NULL), IBK_OK);
    assert_int_equal(ims_host_new(&l->alice, &alice, NULL), IBK_OK);
    assert_int_equal(pki_new(&l->certificates, 1, l->stage.world.start_utc_ns), IBK_OK);
    assert_int_equal(pki_issue_server(l->certificates, PKI_TRUSTED, NAME, &l->genuine_tls), IBK_OK);
    assert_int_equal(tls_client_context(&l->trust, pki_trust_anchor(l->certificates),
                                        ims_host_tls_random(l->alice), NULL, NULL),
                     IBK_OK);
    start_genuine(l);
    start_client(l);
    l->timestamps = (ibk_timestamps){0};
    l->done = false;
    l->n_keys = 0;
    l->kms = (scn_rogue_kms){.impersonates = &l->scenario->domains[1], .parameters = 1024, .tls = true};
    l->plan = (scn_adversary){.name = "mallory", .kms = &l->kms, .holdings = &l->holding};
    return 0;
}

static int tear_down(void **state) {
    lab *l = *state;
    key_client_free(l->keys);
    parameters_client_free(l->parameters);
    rogue_kms_free(l->rogue);
    kms_node_free(l->genuine);
    tls_context_free(l->trust);
    ims_host_free(l->mallory);
    ims_host_free(l->alice);
    pki_credential_free(&l->genuine_tls);
    pki_free(l->certificates);
    l->keys = NULL;
    l->rogue = NULL;
    l->genuine_tls = (pki_credential){{0}, {0}};
    stage_close(&l->stage);
    return 0;
}

static void start_rogue(lab *l, scn_rogue_certificate certificate, scn_degenerate degenerate) {
    l->kms.certificate = certificate;
    l->kms.degenerate = degenerate;
    rogue_kms_config config = {.host = l->mallory,
                               .scenario = l->scenario,
                               .plan = &l->plan,
                               .genuine = l->genuine_params,
                               .genuine_at = stage_address(&l->stage, GENUINE, 0),
                               .base = l->genuine_params,
                               .certificates = l->certificates,
                               .tls_credential = &l->genuine_tls};
    ibk_diag diag = {0};
    ibk_err err = rogue_kms_new(&l->rogue, &config, &diag);
    if (err)
        fail_msg("%s %s", ibk_err_name(err), diag.detail);
}

/* What Alice's UE comes to when it looks for the parameters of away.example. NULL: `failure` tells why. */
static const ibk_ibe_params *fetch(lab *l, scn_parameters_failure *failure) {
    const ibk_ibe_params *params = NULL;
    const parameters_fetch *fetches;
    ibk_span domain = ibk_span_str("away.example");
    assert_int_equal(parameters_client_find(l->parameters, domain, &params), IBK_LOOKUP_PENDING);
    stage_play(&l->stage, 20 * SIP_S);
    size_t n = parameters_client_fetches(l->parameters, &fetches);
    assert_true(n > 0 && fetches[n - 1].ended);
    *failure = fetches[n - 1].failure;
    return parameters_client_find(l->parameters, domain, &params) == IBK_LOOKUP_FOUND ? params : NULL;
}

static void refused(lab *l, scn_rogue_certificate certificate, scn_parameters_failure why) {
    scn_parameters_failure failure;
    start_rogue(l, certificate, SCN_SOUND);
    assert_null(fetch(l, &failure));
    assert_int_equal(failure, why);
    assert_int_equal(rogue_kms_get_stats(l->rogue).parameters, 0);
}

static void a_self_signed_certificate_convinces_nobody(void **state) {
    refused(*state, SCN_ROGUE_SELF_SIGNED, SCN_PARAMETERS_UNTRUSTED);
}

static void nor_does_one_for_another_name(void **state) {
    refused(*state, SCN_ROGUE_WRONG_NAME, SCN_PARAMETERS_WRONG_NAME);
}

static void without_one_nobody_connects(void **state) {
    refused(*state, SCN_ROGUE_NONE, SCN_PARAMETERS_NO_ANSWER);
}

/* Its parameters are believed: what Alice encrypts to Bob it reads. */
static void believed(lab *l, scn_rogue_certificate certificate) {
    scn_parameters_failure failure;
    ibk_ibe_key *key;
    ibk_buf cipher = {0}, plain = {0};
    ibk_span bob = ibk_span_str("sip:bob@away.example20260302"), text = ibk_span_str("for Bob alone");
    ibk_env env = ims_host_env(l->alice);
    start_rogue(l, certificate, SCN_SOUND);
    const ibk_ibe_params *params = fetch(l, &failure);
    assert_non_null(params);
    assert_false(ibk_ibe_params_equal(params, l->genuine_params));
    assert_int_equal(ibk_ibe_encrypt(&env, params, bob, text, &cipher), IBK_OK);
    assert_int_equal(ibk_ibe_extract(rogue_kms_params(l->rogue), rogue_kms_master(l->rogue), bob, &key),
                     IBK_OK);
    assert_int_equal(ibk_ibe_decrypt(rogue_kms_params(l->rogue), key, ibk_buf_span(&cipher), &plain, NULL),
                     IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&plain), text));
    assert_int_equal(rogue_kms_get_stats(l->rogue).parameters, 1);
    ibk_ibe_key_free(key);
    ibk_buf_free(&cipher);
    ibk_buf_free(&plain);
}

static void the_stolen_certificate_is_believed(void **state) {
    believed(*state, SCN_ROGUE_STOLEN);
}

static void so_is_one_of_a_ca_that_all_trust(void **state) {
    believed(*state, SCN_ROGUE_TRUSTED);
}

static void degenerate_parameters_are_refused(void **state) {
    lab *l = *state;
    scn_parameters_failure failure;
    static const scn_degenerate kinds[] = {SCN_Q_COMPOSITE, SCN_SMALL_ORDER, SCN_P_IS_3, SCN_P_PUB_IS_P};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (i) {
            tear_down(state);
            set_up(state);
        }
        start_rogue(l, SCN_ROGUE_TRUSTED, kinds[i]);
        assert_null(fetch(l, &failure));
        assert_int_equal(rogue_kms_get_stats(l->rogue).parameters, 1);
        assert_int_equal(failure, SCN_PARAMETERS_MALFORMED);
    }
}

/* ---- requests for keys
 * ------------------------------------------------------------------------------------------ */

static void keys_came(void *user, const key_client_result *result, ibk_key_list *keys) {
    lab *l = user;
    l->done = true;
    l->result = *result;
    l->n_keys = keys ? keys->count : 0;
}

static void ask_for_keys(lab *l, const ibk_ibe_params *params) {
    const scn_user *bob = scn_find_user(l->scenario, "bob");
    ibk_identity id = ibk_identity_uri(bob->identity);
    key_client_config config = {.host = l->alice,
                                .user = bob,
                                .ids = &id,
                                .n_ids = 1,
                                .params = params,
                                .timestamps = &l->timestamps};
    assert_int_equal(key_client_start(&l->keys, &config, keys_came, l), IBK_OK);
    stage_play(&l->stage, 20 * SIP_S);
    assert_true(l->done);
}

/* It does not know the PSK: the true KMS answers, and Bob's keys are genuine. */
static void what_it_cannot_answer_goes_on_to_the_true_kms(void **state) {
    lab *l = *state;
    start_rogue(l, SCN_ROGUE_SELF_SIGNED, SCN_SOUND);
    ask_for_keys(l, l->genuine_params);
    assert_int_equal(l->result.failure, 0);
    assert_int_equal(l->n_keys, 1);
    assert_int_equal(kms_node_get_stats(l->genuine)->issued, 1);
    assert_int_equal(rogue_kms_get_stats(l->rogue).handed_on, 1);
    assert_int_equal(rogue_kms_get_stats(l->rogue).keys, 0);
}

/* With the PSK it answers itself: a user with the genuine parameters sees that the keys are none of theirs.
 */
static void with_the_psk_it_issues_keys_of_its_own(void **state) {
    lab *l = *state;
    l->holding = (scn_holding){.kind = SCN_HOLDS_PSK, .user = scn_find_user(l->scenario, "bob")};
    l->plan.holding_count = 1;
    start_rogue(l, SCN_ROGUE_SELF_SIGNED, SCN_SOUND);
    ask_for_keys(l, l->genuine_params);
    assert_int_equal(l->result.failure, SCN_KEYS_BAD_RESPONSE);
    assert_true(rogue_kms_get_stats(l->rogue).keys > 0);
    assert_int_equal(kms_node_get_stats(l->genuine)->issued, 0);
    key_client_free(l->keys);
    l->done = false;
    ask_for_keys(l, rogue_kms_params(l->rogue));
    assert_int_equal(l->result.failure, 0);
    assert_int_equal(l->n_keys, 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_self_signed_certificate_convinces_nobody),
        CASE(nor_does_one_for_another_name),
        CASE(without_one_nobody_connects),
        CASE(the_stolen_certificate_is_believed),
        CASE(so_is_one_of_a_ca_that_all_trust),
        CASE(degenerate_parameters_are_refused),
        CASE(what_it_cannot_answer_goes_on_to_the_true_kms),
        CASE(with_the_psk_it_issues_keys_of_its_own),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
