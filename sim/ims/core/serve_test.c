/* How an S-CSCF serves calls for its users: several contacts, diversions, application servers. */
#include "ims/core/core_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void register_all(core *c, const char *q_of_device) {
    core_register(c, ALICE, 3600, "open sesame");
    core_register(c, BOB, 3600, "tell nobody");
    core_register_device(c, 3600, q_of_device);
    core_register(c, CAROL, 3600, "never mind");
}

static void divert_bob(core *c, cdiv_when when, cdiv_how how) {
    const cdiv_service service = {.impu = "sip:bob@" HOME,
                                  .target = "sip:carol@" HOME,
                                  .when = when,
                                  .how = how,
                                  .after_ns = 3 * SIP_S};
    assert_int_equal(scscf_add_service(c->s, &service), IBK_OK);
}

/* ---- several contacts -----------------------------------------------------------------------------------
 */

static void test_contacts_are_listed(void **state) {
    core *c = *state;
    register_all(c, "0.25");
    const sip_msg *ok = c->phone[MALLORY].response;
    assert_int_equal(scscf_registered(c->s), 4);
    assert_int_equal(ok->contact_count, 2); /* its own first */
    assert_string_equal(ok->contact[0].uri.user, "mallory");
    assert_string_equal(ok->contact[1].uri.user, "bob");
    assert_string_equal(sip_param_get(&ok->contact[1].params, "q"), "1.000");
    core_register(c, BOB, 0, "tell nobody"); /* the other device stays */
    assert_int_equal(scscf_registered(c->s), 3);
    assert_int_equal(core_invite(c, ALICE, "sip:bob@" HOME), 486);
    assert_int_equal(c->phone[MALLORY].requests, 1);
    assert_int_equal(c->phone[BOB].requests, 0);
}

static void test_parallel_fork(void **state) {
    core *c = *state;
    register_all(c, NULL);
    c->phone[MALLORY].answer = 603;
    assert_int_equal(core_invite(c, ALICE, "sip:bob@" HOME), 603); /* RFC 3261 §16.7: 6xx before all */
    assert_int_equal(c->phone[BOB].requests, 1);
    assert_int_equal(c->phone[MALLORY].requests, 1);
    assert_string_equal(sip_header_get(c->phone[MALLORY].request, "P-Called-Party-ID"), "<sip:bob@" HOME ">");
    c->phone[MALLORY].answer = 404;
    assert_int_equal(core_invite(c, ALICE, "sip:bob@" HOME), 404);
}

static void test_first_answer_cancels_the_rest(void **state) {
    core *c = *state;
    register_all(c, NULL);
    c->phone[MALLORY].answer = 180;
    c->phone[BOB].answer = 200;
    assert_int_equal(core_invite(c, ALICE, "sip:bob@" HOME), 200);
    assert_int_equal(c->phone[MALLORY].cancels, 1);
    assert_int_equal(c->phone[BOB].cancels, 0);
}

static void test_decline_cancels_the_rest(void **state) {
    core *c = *state;
    register_all(c, NULL);
    c->phone[MALLORY].answer = 180;
    c->phone[BOB].answer = 603;
    assert_int_equal(core_invite(c, ALICE, "sip:bob@" HOME), 603);
    assert_int_equal(c->phone[MALLORY].cancels, 1);
}

static void test_sequential_fork(void **state) {
    core *c = *state;
    register_all(c, "0.5");
    c->phone[BOB].answer = 180; /* rings until its time is over */
    c->phone[MALLORY].answer = 200;
    assert_int_equal(core_invite(c, ALICE, "sip:bob@" HOME), 200);
    assert_int_equal(c->phone[BOB].cancels, 1);
    assert_int_equal(c->phone[MALLORY].requests, 1);
    assert_int_equal(c->phone[MALLORY].cancels, 0);
    c->phone[BOB].answer = 200; /* the highest q is called first, and nobody else if it answers */
    assert_int_equal(core_invite(c, ALICE, "sip:bob@" HOME), 200);
    assert_int_equal(c->phone[BOB].requests, 2);
    assert_int_equal(c->phone[MALLORY].requests, 1);
    c->phone[BOB].answer = 603; /* that speaks for the user, not for the device */
    assert_int_equal(core_invite(c, ALICE, "sip:bob@" HOME), 603);
    assert_int_equal(c->phone[MALLORY].requests, 1);
    c->phone[BOB].answer = c->phone[MALLORY].answer = 180; /* nobody answers: 408, not our own 487 */
    assert_int_equal(core_invite(c, ALICE, "sip:bob@" HOME), 408);
    assert_int_equal(c->phone[BOB].cancels, 2);
    assert_int_equal(c->phone[MALLORY].cancels, 1);
}

/* ---- diversion ------------------------------------------------------------------------------------------
 */

static void test_silent_diversion(void **state) {
    core *c = *state;
    register_all(c, NULL);
    divert_bob(c, CDIV_ALWAYS, CDIV_SILENT);
    assert_int_equal(core_invite(c, ALICE, "sip:bob@" HOME), 486); /* carol's answer */
    assert_int_equal(c->phone[BOB].requests + c->phone[MALLORY].requests, 0);
    assert_int_equal(c->phone[CAROL].requests, 1);
    assert_int_equal(c->phone[ALICE].provisional, 0);
    const sip_msg *invite = c->phone[CAROL].request;
    assert_string_equal(invite->to.uri.user, "bob");
    assert_string_equal(sip_header_get(invite, "P-Called-Party-ID"), "<sip:carol@" HOME ">");
    assert_null(sip_header_get(invite, "History-Info"));
}

static void test_notified_diversion(void **state) {
    core *c = *state;
    static const char *const history[] = {"<sip:bob@" HOME ">;index=1",
                                          "<sip:carol@" HOME ";cause=302>;index=1.1;mp=1"};
    register_all(c, NULL);
    divert_bob(c, CDIV_ALWAYS, CDIV_NOTIFY);
    c->phone[CAROL].answer = 200;
    assert_int_equal(core_invite(c, ALICE, "sip:bob@" HOME), 200);
    assert_int_equal(c->phone[ALICE].provisional, 181);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(sip_header_at(c->phone[CAROL].request, "History-Info", i), history[i]);
        assert_string_equal(sip_header_at(c->phone[ALICE].informed, "History-Info", i), history[i]);
    }
    assert_null(sip_header_at(c->phone[CAROL].request, "History-Info", 2));
}

static void test_redirection(void **state) {
    core *c = *state;
    register_all(c, NULL);
    divert_bob(c, CDIV_ALWAYS, CDIV_REDIRECT);
    assert_int_equal(core_invite(c, ALICE, "sip:bob@" HOME), 302);
    assert_int_equal(c->phone[ALICE].response->contact_count, 1);
    assert_string_equal(c->phone[ALICE].response->contact[0].uri.user, "carol");
    assert_int_equal(c->phone[BOB].requests + c->phone[CAROL].requests, 0);
}

static void test_busy(void **state) {
    core *c = *state;
    register_all(c, NULL);
    divert_bob(c, CDIV_BUSY, CDIV_NOTIFY);
    c->phone[CAROL].answer = 200;
    c->phone[BOB].answer = 404; /* that is not busy */
    c->phone[MALLORY].answer = 404;
    assert_int_equal(core_invite(c, ALICE, "sip:bob@" HOME), 404);
    assert_int_equal(c->phone[CAROL].requests, 0);
    c->phone[BOB].answer = c->phone[MALLORY].answer = 486;
    assert_int_equal(core_invite(c, ALICE, "sip:bob@" HOME), 200);
    assert_int_equal(c->phone[BOB].requests, 2);
    assert_non_null(strstr(sip_header_at(c->phone[CAROL].request, "History-Info", 1), ";cause=486>"));
}

static void test_no_answer(void **state) {
    core *c = *state;
    register_all(c, NULL);
    divert_bob(c, CDIV_NO_ANSWER, CDIV_SILENT);
    c->phone[CAROL].answer = 200;
    c->phone[BOB].answer = c->phone[MALLORY].answer = 180;
    assert_int_equal(core_invite(c, ALICE, "sip:bob@" HOME), 200);
    assert_int_equal(c->phone[BOB].cancels, 1);
    assert_int_equal(c->phone[MALLORY].cancels, 1);
    assert_int_equal(c->phone[CAROL].requests, 1);
    c->phone[BOB].answer = 200; /* answered in time */
    assert_int_equal(core_invite(c, ALICE, "sip:bob@" HOME), 200);
    assert_int_equal(c->phone[CAROL].requests, 1);
}

static void test_redirection_of_unanswered(void **state) {
    core *c = *state;
    register_all(c, NULL);
    divert_bob(c, CDIV_NO_ANSWER, CDIV_REDIRECT);
    c->phone[BOB].answer = c->phone[MALLORY].answer = 180;
    assert_int_equal(core_invite(c, ALICE, "sip:bob@" HOME), 302);
    assert_int_equal(c->phone[BOB].cancels, 1);
}

/* Carol's HSS record says that her calls are to be served while she is away. */
static void test_unregistered(void **state) {
    core *c = *state;
    const cdiv_service service = {
        .impu = "sip:carol@" HOME, .target = "sip:bob@" HOME, .when = CDIV_UNREGISTERED, .how = CDIV_NOTIFY};
    assert_int_equal(scscf_add_service(c->s, &service), IBK_OK);
    core_register(c, ALICE, 3600, "open sesame");
    core_register(c, BOB, 3600, "tell nobody");
    assert_int_equal(core_invite(c, ALICE, "sip:carol@" HOME), 486); /* bob's */
    assert_int_equal(c->phone[BOB].requests, 1);
    assert_non_null(strstr(sip_header_at(c->phone[BOB].request, "History-Info", 1), ";cause=404>"));
    core_register(c, CAROL, 3600, "never mind");
    c->phone[CAROL].answer = 600;
    assert_int_equal(core_invite(c, ALICE, "sip:carol@" HOME), 600);
    assert_int_equal(c->phone[BOB].requests, 1);
}

/* … and by whichever of her identities: of the second one the S-CSCF knows only what the HSS tells when it
 * asks (TS 29.228 §6.1.2), after she has left as well as before she came. */
static void test_unregistered_by_another_identity(void **state) {
    core *c = *state;
    static const char second[] = "sip:desk@" HOME;
    const cdiv_service service = {
        .impu = "sip:carol@" HOME, .target = "sip:bob@" HOME, .when = CDIV_UNREGISTERED, .how = CDIV_SILENT};
    assert_int_equal(scscf_add_service(c->s, &service), IBK_OK);
    assert_int_equal(hss_add_identity(c->h, "sip:carol@" HOME, second), IBK_OK);
    core_register(c, ALICE, 3600, "open sesame");
    core_register(c, BOB, 3600, "tell nobody");
    assert_int_equal(core_invite(c, ALICE, second), 486); /* bob's */
    assert_int_equal(c->phone[BOB].requests, 1);
    assert_int_equal(scscf_registered(c->s), 2); /* that is no registration */
    core_register(c, CAROL, 3600, "never mind");
    c->phone[CAROL].answer = 600;
    assert_int_equal(core_invite(c, ALICE, second), 600);
    assert_int_equal(c->phone[BOB].requests, 1);
    core_register(c, CAROL, 0, "never mind");
    assert_int_equal(core_invite(c, ALICE, second), 486);
    assert_int_equal(c->phone[BOB].requests, 2);
    assert_int_equal(core_invite(c, ALICE, "sip:nobody@" HOME), 404);
}

/* Bob to Carol, Carol to Bob: the request comes back as it was, RFC 3261 §16.3. */
static void test_loop(void **state) {
    core *c = *state;
    register_all(c, NULL);
    divert_bob(c, CDIV_ALWAYS, CDIV_SILENT);
    const cdiv_service back = {
        .impu = "sip:carol@" HOME, .target = "sip:bob@" HOME, .when = CDIV_ALWAYS, .how = CDIV_SILENT};
    assert_int_equal(scscf_add_service(c->s, &back), IBK_OK);
    assert_int_equal(core_invite(c, ALICE, "sip:bob@" HOME), 482);
    assert_int_equal(c->phone[BOB].requests + c->phone[CAROL].requests, 0);
}

static void test_too_many_diversions(void **state) {
    core *c = *state;
    register_all(c, NULL);
    divert_bob(c, CDIV_ALWAYS, CDIV_NOTIFY);
    sip_msg *invite = core_request(c, ALICE, "INVITE", "sip:bob@" HOME, "sip:bob@" HOME);
    sip_header_add(invite, "History-Info", "<sip:x@" HOME ">;index=1");
    for (int i = 1; i <= 5; i++)
        sip_header_addf(invite, "History-Info", "<sip:x%d@" HOME ">;index=1.%d;mp=1", i, i);
    assert_int_equal(core_send(c, ALICE, invite), 486); /* bob's own answer: no sixth diversion */
    assert_int_equal(c->phone[BOB].requests, 1);
    assert_int_equal(c->phone[CAROL].requests, 0);
}

/* ---- application servers: TS 24.229 §5.4.1.7 -------------------------------------------------------------
 */

static void test_third_party_registration(void **state) {
    core *c = *state;
    sip_arena arena = {0};
    char ip[SIP_TEXT_ADDR_MAX];
    phone *box = &c->phone[MALLORY];
    sip_addr_ip(ip, &box->host->addr);
    sip_uri server = sip_uri_make(&arena, "box", ip, SIP_PORT, SIP_PROTO_NONE, false);
    assert_int_equal(scscf_add_server(c->s, &server), IBK_OK);
    sip_arena_free(&arena);
    box->answer = 200;
    core_register(c, BOB, 3600, "tell nobody");
    assert_int_equal(box->requests, 1);
    assert_string_equal(box->request->method, "REGISTER");
    assert_string_equal(box->request->uri.user, "box");
    assert_string_equal(box->request->to.uri.user, "bob");
    assert_string_equal(box->request->from.uri.host, "scscf." HOME);
    assert_string_equal(box->request->contact[0].uri.host, "scscf." HOME);
    assert_string_equal(sip_header_get(box->request, "Expires"), "3600");
    core_register(c, BOB, 0, "tell nobody");
    assert_int_equal(box->requests, 2);
    assert_string_equal(sip_header_get(box->request, "Expires"), "0");
}

/* An S-CSCF that goes away while phones ring leaves nothing behind: ASan watches. */
static void test_teardown_while_ringing(void **state) {
    core *c = *state;
    static const sip_client_ops ops = {.response = NULL};
    register_all(c, NULL);
    divert_bob(c, CDIV_NO_ANSWER, CDIV_SILENT);
    c->phone[BOB].answer = c->phone[MALLORY].answer = 180;
    sip_msg *invite = core_request(c, ALICE, "INVITE", "sip:bob@" HOME, "sip:bob@" HOME);
    assert_int_equal(sip_client_start(c->phone[ALICE].host->stack, NULL, invite, NULL, &ops, NULL), IBK_OK);
    stage_play(&c->stage, SIP_S);
    assert_int_equal(c->phone[BOB].requests, 1);
}

#define TEST(name)       cmocka_unit_test_setup_teardown(name, core_set_up, core_tear_down)
#define SEQUENTIAL(name) cmocka_unit_test_setup_teardown(name, core_set_up_sequential, core_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_contacts_are_listed),
        TEST(test_parallel_fork),
        TEST(test_first_answer_cancels_the_rest),
        TEST(test_decline_cancels_the_rest),
        SEQUENTIAL(test_sequential_fork),
        TEST(test_silent_diversion),
        TEST(test_notified_diversion),
        TEST(test_redirection),
        TEST(test_busy),
        TEST(test_no_answer),
        TEST(test_redirection_of_unanswered),
        TEST(test_unregistered),
        TEST(test_unregistered_by_another_identity),
        TEST(test_loop),
        TEST(test_too_many_diversions),
        TEST(test_third_party_registration),
        TEST(test_teardown_while_ringing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
