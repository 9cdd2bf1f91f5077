/* The IMS core over the simulated network: P-, I- and S-CSCF and HSS, and UEs whose requests are made by
 * hand. */
#include "ims/core/core_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- registration -------------------------------------------------------------------------------------- */

static void test_registration(void **state) {
    core *c = *state;
    core_register(c, ALICE, 3600, "open sesame");
    assert_int_equal(scscf_registered(c->s), 1);
    const sip_msg *ok = c->phone[ALICE].response;
    assert_string_equal(sip_header_get(ok, "Service-Route"), "<sip:orig@scscf." HOME ";lr>");
    assert_string_equal(sip_header_get(ok, "Path"), "<sip:term@pcscf." HOME ";lr>");
    assert_string_equal(sip_header_get(ok, "P-Associated-URI"), "<sip:alice@" HOME ">");
    assert_int_equal(ok->contact_count, 1);
    assert_string_equal(sip_param_get(&ok->contact[0].params, "expires"), "3600");
    core_register(c, ALICE, 3600, "open sesame"); /* again: a refresh */
    assert_int_equal(scscf_registered(c->s), 1);
    core_register(c, BOB, 3600, "tell nobody");
    assert_int_equal(scscf_registered(c->s), 2);
    core_register(c, ALICE, 0, "open sesame"); /* and away */
    assert_int_equal(scscf_registered(c->s), 1);
}

static void test_registration_expires(void **state) {
    core *c = *state;
    core_register(c, ALICE, 100, "open sesame");
    assert_int_equal(scscf_registered(c->s), 1);
    stage_play(&c->stage, 100 * SIP_S);
    assert_int_equal(scscf_registered(c->s), 0);
    assert_int_equal(core_invite(c, ALICE, "sip:bob@" HOME), 403);
}

static const char *registered_for(core *c, const char *expires) {
    sip_auth challenge;
    assert_int_equal(core_ask_for_challenge(c, ALICE, 3600, "alice@" HOME), 401);
    sip_msg *request = core_new_register(c, ALICE, "sip:alice@" HOME, 3600);
    sip_param_set(&request->arena, &request->contact[0].params, "expires", expires);
    assert_int_equal(sip_auth_get(c->phone[ALICE].response, &challenge, "WWW-Authenticate", HOME, NULL),
                     IBK_OK);
    assert_int_equal(
        sip_auth_answer(request, "Authorization", &challenge, "alice@" HOME, "open sesame", "cnonce", 1),
        IBK_OK);
    assert_int_equal(core_send(c, ALICE, request), 200);
    assert_int_equal(scscf_registered(c->s), 1);
    return sip_param_get(&c->phone[ALICE].response->contact[0].params, "expires");
}

/* A time beyond 32 bits is a long one, not what is left of it: 2^32 s would be a deregistration. */
static void test_registration_for_ever(void **state) {
    assert_string_equal(registered_for(*state, "4294967296"), "600000");
    assert_string_equal(registered_for(*state, "99999999999999999999"), "600000");
}

/* RFC 3261 §20.10: what is malformed is 3600 s, and no deregistration. */
static void test_registration_for_no_number(void **state) {
    assert_string_equal(registered_for(*state, "soon"), "3600");
    assert_string_equal(registered_for(*state, "-1"), "3600");
}

static void test_wrong_password(void **state) {
    core *c = *state;
    assert_int_equal(core_ask_for_challenge(c, ALICE, 3600, "alice@" HOME), 401);
    assert_int_equal(core_answer_challenge(c, ALICE, 3600, "alice@" HOME, "open barley"), 403);
    assert_int_equal(scscf_registered(c->s), 0);
    core_register(c, ALICE, 3600, "open sesame"); /* a new challenge, the right answer */
}

/* The nonce is good for one answer: a recorded REGISTER is challenged again, not accepted. */
static void test_replayed_credentials(void **state) {
    core *c = *state;
    assert_int_equal(core_ask_for_challenge(c, ALICE, 3600, "alice@" HOME), 401);
    sip_msg *challenge = sip_msg_clone(c->phone[ALICE].response);
    assert_int_equal(core_answer_challenge(c, ALICE, 3600, "alice@" HOME, "open sesame"), 200);
    sip_msg_free(c->phone[ALICE].response);
    c->phone[ALICE].response = challenge;
    assert_int_equal(core_answer_challenge(c, ALICE, 0, "alice@" HOME, "open sesame"), 401);
    assert_int_equal(scscf_registered(c->s), 1);
}

static void test_unknown_users(void **state) {
    core *c = *state;
    assert_int_equal(core_ask_for_challenge(c, MALLORY, 3600, "mallory@" HOME), 403);
    assert_int_equal(core_ask_for_challenge(c, ALICE, 3600, "bob@" HOME),
                     403); /* another's private identity */
    assert_int_equal(core_send(c, ALICE, core_new_register(c, ALICE, "sip:alice@" HOME, 3600)),
                     400); /* none at all */
    assert_int_equal(scscf_registered(c->s), 0);
}

/* Mallory knows her own password and no other: she cannot register Alice's identity from her terminal. */
static void test_others_identity(void **state) {
    core *c = *state;
    sip_auth challenge = {.realm = HOME};
    sip_msg *request = core_request(c, MALLORY, "REGISTER", "sip:" HOME, "sip:alice@" HOME); /* To: Alice */
    assert_int_equal(sip_auth_answer(request, "Authorization", &challenge, "bob@" HOME, NULL, NULL, 0),
                     IBK_OK);
    assert_int_equal(core_send(c, MALLORY, request), 403);
    assert_int_equal(scscf_registered(c->s), 0);
}

static void test_silent_hss(void **state) {
    core *c = *state;
    stage_cut(&c->stage, "hss." HOME, true);
    assert_int_equal(core_ask_for_challenge(c, ALICE, 3600, "alice@" HOME),
                     500); /* the I-CSCF's 503, RFC 3261 §16.7 */
    stage_cut(&c->stage, "hss." HOME, false);
    core_register(c, ALICE, 3600, "open sesame"); /* it connects anew */
}

/* ---- calls
 * -------------------------------------------------------------------------------------------------- */

static void test_call_arrives(void **state) {
    core *c = *state;
    core_register(c, ALICE, 3600, "open sesame");
    core_register(c, BOB, 3600, "tell nobody");
    sip_msg *request = core_request(c, ALICE, "INVITE", "sip:bob@" HOME, "sip:bob@" HOME);
    sip_header_add(request, "P-Asserted-Identity", "<sip:bob@" HOME ">"); /* a UE asserts nothing */
    assert_int_equal(core_send(c, ALICE, request), 486);
    const phone *bob = &c->phone[BOB];
    assert_int_equal(bob->requests, 1);
    assert_string_equal(sip_header_get(bob->request, "P-Asserted-Identity"), "<sip:alice@" HOME ">");
    assert_null(sip_header_at(bob->request, "P-Asserted-Identity", 1));
    assert_string_equal(sip_header_get(bob->request, "P-Called-Party-ID"), "<sip:bob@" HOME ">");
    assert_string_equal(bob->request->uri.user, "bob");
    assert_int_equal(bob->request->record_route_count, 4); /* P and S on the way out, S and P on the way in */
    assert_int_equal(bob->request->via_count, 6);          /* UE, P, S, I, S, P */
    assert_int_equal(c->phone[ALICE].requests, 0);
}

static void test_unregistered_caller(void **state) {
    core *c = *state;
    core_register(c, BOB, 3600, "tell nobody");
    assert_int_equal(core_invite(c, ALICE, "sip:bob@" HOME), 403);
    assert_int_equal(c->phone[BOB].requests, 0);
}

/* A request past the P-CSCF, straight to the S-CSCF's originating side. */
static void test_caller_past_the_door(void **state) {
    core *c = *state;
    core_register(c, BOB, 3600, "tell nobody");
    sip_arena arena = {0};
    sip_msg *request = core_request(c, MALLORY, "INVITE", "sip:bob@" HOME, "sip:bob@" HOME);
    sip_name_addr route = {.uri = sip_uri_make(&arena, "orig", "scscf." HOME, 0, SIP_PROTO_NONE, true)};
    sip_route_clear(request);
    sip_route_push(request, &route);
    sip_arena_free(&arena);
    assert_int_equal(core_send(c, MALLORY, request), 403);
    assert_int_equal(c->phone[BOB].requests, 0);
}

static void test_unregistered_callee(void **state) {
    core *c = *state;
    core_register(c, ALICE, 3600, "open sesame");
    assert_int_equal(core_invite(c, ALICE, "sip:bob@" HOME), 480);
    core_register(c, BOB, 3600, "tell nobody");
    assert_int_equal(core_invite(c, ALICE, "sip:bob@" HOME), 486);
    core_register(c, BOB, 0, "tell nobody");
    assert_int_equal(core_invite(c, ALICE, "sip:bob@" HOME), 480);
}

/* TS 24.229: the originating S-CSCF makes a routable URI of a number, the I-CSCF the number of that URI
 * again. */
static void test_number(void **state) {
    core *c = *state;
    assert_int_equal(hss_add_identity(c->h, "sip:bob@" HOME, "tel:+4930901820"), IBK_OK);
    assert_int_equal(ims_names_add_number(c->stage.world.names, "+4930901820", HOME), IBK_OK);
    assert_int_equal(ims_names_add_number(c->stage.world.names, "+4930901821", HOME), IBK_OK);
    core_register(c, ALICE, 3600, "open sesame");
    assert_int_equal(core_invite(c, ALICE, "tel:+4930901820"), 480); /* bob is not registered */
    core_register(c, BOB, 3600, "tell nobody");
    const char *also = sip_header_at(c->phone[BOB].response, "P-Associated-URI", 1);
    assert_non_null(also);
    assert_string_equal(also, "<tel:+4930901820>");
    assert_int_equal(core_invite(c, ALICE, "tel:+4930901820"), 486);
    assert_int_equal(c->phone[BOB].requests, 1);
    assert_string_equal(sip_header_get(c->phone[BOB].request, "P-Called-Party-ID"), "<tel:+4930901820>");
    assert_int_equal(core_invite(c, ALICE, "tel:+4930901821"), 404); /* the HSS knows nobody by it */
    assert_int_equal(core_invite(c, ALICE, "tel:+4930901822"), 404); /* nor ENUM any network */
    assert_int_equal(c->phone[BOB].requests, 1);
}

static void test_unknown_callee(void **state) {
    core *c = *state;
    core_register(c, ALICE, 3600, "open sesame");
    assert_int_equal(core_invite(c, ALICE, "sip:nobody@" HOME), 404);
}

static void test_unknown_domain(void **state) {
    core *c = *state;
    core_register(c, ALICE, 3600, "open sesame");
    int status = core_invite(c, ALICE, "sip:bob@nowhere.example");
    assert_true(status >= 400 && status < 700);
}

/* Whoever waits for the HSS when everything ends is let go: ASan and valgrind watch. */
static void test_teardown_with_open_questions(void **state) {
    static const sip_client_ops ops = {.response = NULL};
    core *c = *state;
    for (int who = ALICE; who <= BOB; who++) {
        char impi[64], impu[64];
        sip_auth challenge = {.realm = HOME};
        snprintf(impu, sizeof impu, "sip:%s@" HOME, core_phone_name(who));
        sip_msg *request = core_new_register(c, who, impu, 3600);
        snprintf(impi, sizeof impi, "%s@" HOME, core_phone_name(who));
        assert_int_equal(sip_auth_answer(request, "Authorization", &challenge, impi, NULL, NULL, 0), IBK_OK);
        assert_int_equal(
            sip_client_start(c->phone[who].host->stack, NULL, request, NULL, &ops, &c->phone[who]), IBK_OK);
    }
    stage_play(&c->stage, 32 * SIP_MS); /* the I-CSCF is asking the HSS */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, core_set_up, core_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_registration),
        TEST(test_registration_expires),
        TEST(test_registration_for_ever),
        TEST(test_registration_for_no_number),
        TEST(test_wrong_password),
        TEST(test_replayed_credentials),
        TEST(test_unknown_users),
        TEST(test_others_identity),
        TEST(test_silent_hss),
        TEST(test_call_arrives),
        TEST(test_unregistered_caller),
        TEST(test_caller_past_the_door),
        TEST(test_unregistered_callee),
        TEST(test_unknown_callee),
        TEST(test_number),
        TEST(test_unknown_domain),
        TEST(test_teardown_with_open_questions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
