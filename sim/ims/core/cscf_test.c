/* The IMS core over the simulated network: P-, I- and S-CSCF and HSS, and UEs whose requests are made by
 * hand. */
#include "ims/core/cscf.h"
#include "ims/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOME "home.example"
enum { ALICE, BOB, MALLORY, PHONES };
static const char *const phone_names[PHONES] = {"alice", "bob", "mallory"};

/* A UE's SIP stack and what it saw. */
typedef struct phone {
    ims_host *host;
    int status;        /* of the last final response */
    sip_msg *response; /* that response */
    int requests;      /* that arrived */
    int answer;        /* status with which requests are answered */
    sip_msg *request;  /* the last one that arrived */
    sip_cause cause;   /* with which the last client transaction ended */
    uint32_t cseq;
} phone;

typedef struct core {
    stage stage;
    pcscf *p;
    icscf *i;
    scscf *s;
    hss *h;
    phone phone[PHONES];
} core;

static void on_request(void *user, sip_server *server, const sip_msg *request) {
    phone *ue = user;
    ue->requests++;
    sip_msg_free(ue->request);
    ue->request = sip_msg_clone(request);
    sip_server_reply(server, ue->answer, NULL);
}

static void on_response(void *user, sip_client *client, const sip_msg *response) {
    phone *ue = user;
    (void)client;
    if (response->status < 200)
        return;
    ue->status = response->status;
    sip_msg_free(ue->response);
    ue->response = sip_msg_clone(response);
}

static void on_terminated(void *user, sip_client *client, sip_cause cause) {
    (void)client;
    ((phone *)user)->cause = cause;
}

static cscf_config config_of(core *c, const char *name, const char *next_hop) {
    return (cscf_config){.host = stage_host(&c->stage, name),
                         .domain = HOME,
                         .hss = stage_address(&c->stage, "hss." HOME, DIAMETER_PORT),
                         .hss_name = "hss." HOME,
                         .next_hop = next_hop};
}

static int set_up(void **state) {
    static const char *const names[] = {"pcscf." HOME, "icscf." HOME, "scscf." HOME, "hss." HOME,
                                        "alice",       "bob",         "mallory"};
    static const hss_subscriber users[] = {{"sip:alice@" HOME, "alice@" HOME, "open sesame"},
                                           {"sip:bob@" HOME, "bob@" HOME, "tell nobody"}};
    core *c = calloc(1, sizeof *c);
    assert_non_null(c);
    assert_int_equal(sip_init(), IBK_OK);
    stage_open(&c->stage, names, sizeof names / sizeof names[0], 1);
    ims_host_config host = stage_host(&c->stage, "hss." HOME);
    assert_int_equal(hss_new(&c->h, &host, HOME), IBK_OK);
    for (size_t i = 0; i < sizeof users / sizeof users[0]; i++)
        assert_int_equal(hss_add(c->h, &users[i]), IBK_OK);
    cscf_config config = config_of(c, "scscf." HOME, NULL);
    assert_int_equal(scscf_new(&c->s, &config), IBK_OK);
    config = config_of(c, "icscf." HOME, "scscf." HOME);
    assert_int_equal(icscf_new(&c->i, &config), IBK_OK);
    config = config_of(c, "pcscf." HOME, "icscf." HOME);
    config.hss = (sip_addr){0};
    assert_int_equal(pcscf_new(&c->p, &config), IBK_OK);
    for (size_t i = 0; i < PHONES; i++) {
        sip_core ue = {.user = &c->phone[i], .request = on_request};
        host = stage_host(&c->stage, phone_names[i]);
        c->phone[i].answer = 486;
        assert_int_equal(ims_host_new(&c->phone[i].host, &host, &ue), IBK_OK);
    }
    *state = c;
    return 0;
}

static int tear_down(void **state) {
    core *c = *state;
    for (size_t i = 0; i < PHONES; i++) {
        ims_host_free(c->phone[i].host);
        sip_msg_free(c->phone[i].response);
        sip_msg_free(c->phone[i].request);
    }
    pcscf_free(c->p);
    icscf_free(c->i);
    scscf_free(c->s);
    hss_free(c->h);
    stage_close(&c->stage);
    free(c);
    return 0;
}

/* ---- requests of a UE ------------------------------------------------------------------------------- */

static sip_msg *new_request(core *c, int who, const char *method, const char *uri, const char *to) {
    phone *ue = &c->phone[who];
    sip_arena arena = {0};
    sip_uri target;
    sip_name_addr from = {0}, called = {0};
    char self[64], call_id[64];
    snprintf(self, sizeof self, "sip:%s@" HOME, phone_names[who]);
    snprintf(call_id, sizeof call_id, "%s-of-%s", method, phone_names[who]);
    assert_int_equal(sip_uri_parse(&arena, &target, uri, NULL), IBK_OK);
    assert_int_equal(sip_uri_parse(&arena, &from.uri, self, NULL), IBK_OK);
    assert_int_equal(sip_uri_parse(&arena, &called.uri, to, NULL), IBK_OK);
    sip_param_set(&arena, &from.params, "tag", "tag-of-caller");
    sip_msg *request = sip_request_new(method, &target, &from, &called, call_id, ++ue->cseq);
    assert_non_null(request);
    char ip[SIP_TEXT_ADDR_MAX];
    sip_addr_ip(ip, &ue->host->addr);
    sip_name_addr contact = {.uri =
                                 sip_uri_make(&arena, phone_names[who], ip, SIP_PORT, SIP_PROTO_NONE, false)};
    sip_name_addr door = {.uri = sip_uri_make(&arena, NULL, "pcscf." HOME, 0, SIP_PROTO_NONE, true)};
    sip_contact_add(request, &contact);
    sip_route_push(request, &door);
    sip_arena_free(&arena);
    return request;
}

/* Sends it, plays 40 s (longer than every time-out), and returns the final status; 0: none. */
static int send_and_wait(core *c, int who, sip_msg *request) {
    static const sip_client_ops ops = {.response = on_response, .terminated = on_terminated};
    phone *ue = &c->phone[who];
    ue->status = 0;
    ue->cause = SIP_CAUSE_NONE;
    assert_int_equal(sip_client_start(ue->host->stack, NULL, request, NULL, &ops, ue), IBK_OK);
    stage_play(&c->stage, 40 * SIP_S);
    return ue->status;
}

static sip_msg *new_register(core *c, int who, unsigned expires) {
    char self[64];
    snprintf(self, sizeof self, "sip:%s@" HOME, phone_names[who]);
    sip_msg *request = new_request(c, who, "REGISTER", "sip:" HOME, self);
    sip_header_addf(request, "Expires", "%u", expires);
    sip_header_add(request, "Supported", "path");
    return request;
}

static int ask_for_challenge(core *c, int who, unsigned expires, const char *impi) {
    sip_msg *request = new_register(c, who, expires);
    sip_auth challenge = {.realm = HOME};
    assert_int_equal(sip_auth_answer(request, "Authorization", &challenge, impi, NULL, NULL, 0), IBK_OK);
    return send_and_wait(c, who, request);
}

static int answer_challenge(core *c, int who, unsigned expires, const char *impi, const char *password) {
    sip_auth challenge;
    sip_msg *request = new_register(c, who, expires);
    assert_int_equal(sip_auth_get(c->phone[who].response, &challenge, "WWW-Authenticate", HOME, NULL),
                     IBK_OK);
    assert_int_equal(sip_auth_answer(request, "Authorization", &challenge, impi, password, "cnonce", 1),
                     IBK_OK);
    return send_and_wait(c, who, request);
}

static void register_phone(core *c, int who, unsigned expires, const char *password) {
    char impi[64];
    snprintf(impi, sizeof impi, "%s@" HOME, phone_names[who]);
    assert_int_equal(ask_for_challenge(c, who, expires, impi), 401);
    assert_int_equal(answer_challenge(c, who, expires, impi, password), 200);
}

static int invite(core *c, int who, const char *called) {
    return send_and_wait(c, who, new_request(c, who, "INVITE", called, called));
}

/* ---- registration -------------------------------------------------------------------------------------- */

static void test_registration(void **state) {
    core *c = *state;
    register_phone(c, ALICE, 3600, "open sesame");
    assert_int_equal(scscf_registered(c->s), 1);
    const sip_msg *ok = c->phone[ALICE].response;
    assert_string_equal(sip_header_get(ok, "Service-Route"), "<sip:orig@scscf." HOME ";lr>");
    assert_string_equal(sip_header_get(ok, "Path"), "<sip:term@pcscf." HOME ";lr>");
    assert_string_equal(sip_header_get(ok, "P-Associated-URI"), "<sip:alice@" HOME ">");
    assert_int_equal(ok->contact_count, 1);
    assert_string_equal(sip_param_get(&ok->contact[0].params, "expires"), "3600");
    register_phone(c, ALICE, 3600, "open sesame"); /* again: a refresh */
    assert_int_equal(scscf_registered(c->s), 1);
    register_phone(c, BOB, 3600, "tell nobody");
    assert_int_equal(scscf_registered(c->s), 2);
    register_phone(c, ALICE, 0, "open sesame"); /* and away */
    assert_int_equal(scscf_registered(c->s), 1);
}

static void test_registration_expires(void **state) {
    core *c = *state;
    register_phone(c, ALICE, 100, "open sesame");
    assert_int_equal(scscf_registered(c->s), 1);
    stage_play(&c->stage, 100 * SIP_S);
    assert_int_equal(scscf_registered(c->s), 0);
    assert_int_equal(invite(c, ALICE, "sip:bob@" HOME), 403);
}

static void test_wrong_password(void **state) {
    core *c = *state;
    assert_int_equal(ask_for_challenge(c, ALICE, 3600, "alice@" HOME), 401);
    assert_int_equal(answer_challenge(c, ALICE, 3600, "alice@" HOME, "open barley"), 403);
    assert_int_equal(scscf_registered(c->s), 0);
    register_phone(c, ALICE, 3600, "open sesame"); /* a new challenge, the right answer */
}

/* The nonce is good for one answer: a recorded REGISTER is challenged again, not accepted. */
static void test_replayed_credentials(void **state) {
    core *c = *state;
    assert_int_equal(ask_for_challenge(c, ALICE, 3600, "alice@" HOME), 401);
    sip_msg *challenge = sip_msg_clone(c->phone[ALICE].response);
    assert_int_equal(answer_challenge(c, ALICE, 3600, "alice@" HOME, "open sesame"), 200);
    sip_msg_free(c->phone[ALICE].response);
    c->phone[ALICE].response = challenge;
    assert_int_equal(answer_challenge(c, ALICE, 0, "alice@" HOME, "open sesame"), 401);
    assert_int_equal(scscf_registered(c->s), 1);
}

static void test_unknown_users(void **state) {
    core *c = *state;
    assert_int_equal(ask_for_challenge(c, MALLORY, 3600, "mallory@" HOME), 403);
    assert_int_equal(ask_for_challenge(c, ALICE, 3600, "bob@" HOME), 403); /* another's private identity */
    assert_int_equal(send_and_wait(c, ALICE, new_register(c, ALICE, 3600)), 400); /* none at all */
    assert_int_equal(scscf_registered(c->s), 0);
}

/* Mallory knows her own password and no other: she cannot register Alice's identity from her terminal. */
static void test_others_identity(void **state) {
    core *c = *state;
    sip_auth challenge = {.realm = HOME};
    sip_msg *request = new_request(c, MALLORY, "REGISTER", "sip:" HOME, "sip:alice@" HOME); /* To: Alice */
    assert_int_equal(sip_auth_answer(request, "Authorization", &challenge, "bob@" HOME, NULL, NULL, 0),
                     IBK_OK);
    assert_int_equal(send_and_wait(c, MALLORY, request), 403);
    assert_int_equal(scscf_registered(c->s), 0);
}

static void test_silent_hss(void **state) {
    core *c = *state;
    stage_cut(&c->stage, "hss." HOME, true);
    assert_int_equal(ask_for_challenge(c, ALICE, 3600, "alice@" HOME),
                     500); /* the I-CSCF's 503, RFC 3261 §16.7 */
    stage_cut(&c->stage, "hss." HOME, false);
    register_phone(c, ALICE, 3600, "open sesame"); /* it connects anew */
}

/* ---- calls
 * -------------------------------------------------------------------------------------------------- */

static void test_call_arrives(void **state) {
    core *c = *state;
    register_phone(c, ALICE, 3600, "open sesame");
    register_phone(c, BOB, 3600, "tell nobody");
    sip_msg *request = new_request(c, ALICE, "INVITE", "sip:bob@" HOME, "sip:bob@" HOME);
    sip_header_add(request, "P-Asserted-Identity", "<sip:bob@" HOME ">"); /* a UE asserts nothing */
    assert_int_equal(send_and_wait(c, ALICE, request), 486);
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
    register_phone(c, BOB, 3600, "tell nobody");
    assert_int_equal(invite(c, ALICE, "sip:bob@" HOME), 403);
    assert_int_equal(c->phone[BOB].requests, 0);
}

/* A request past the P-CSCF, straight to the S-CSCF's originating side. */
static void test_caller_past_the_door(void **state) {
    core *c = *state;
    register_phone(c, BOB, 3600, "tell nobody");
    sip_arena arena = {0};
    sip_msg *request = new_request(c, MALLORY, "INVITE", "sip:bob@" HOME, "sip:bob@" HOME);
    sip_name_addr route = {.uri = sip_uri_make(&arena, "orig", "scscf." HOME, 0, SIP_PROTO_NONE, true)};
    sip_route_clear(request);
    sip_route_push(request, &route);
    sip_arena_free(&arena);
    assert_int_equal(send_and_wait(c, MALLORY, request), 403);
    assert_int_equal(c->phone[BOB].requests, 0);
}

static void test_unregistered_callee(void **state) {
    core *c = *state;
    register_phone(c, ALICE, 3600, "open sesame");
    assert_int_equal(invite(c, ALICE, "sip:bob@" HOME), 480);
    register_phone(c, BOB, 3600, "tell nobody");
    assert_int_equal(invite(c, ALICE, "sip:bob@" HOME), 486);
    register_phone(c, BOB, 0, "tell nobody");
    assert_int_equal(invite(c, ALICE, "sip:bob@" HOME), 480);
}

static void test_unknown_callee(void **state) {
    core *c = *state;
    register_phone(c, ALICE, 3600, "open sesame");
    assert_int_equal(invite(c, ALICE, "sip:nobody@" HOME), 404);
}

static void test_unknown_domain(void **state) {
    core *c = *state;
    register_phone(c, ALICE, 3600, "open sesame");
    int status = invite(c, ALICE, "sip:bob@nowhere.example");
    assert_true(status >= 400 && status < 700);
}

/* Whoever waits for the HSS when everything ends is let go: ASan and valgrind watch. */
static void test_teardown_with_open_questions(void **state) {
    static const sip_client_ops ops = {.response = on_response, .terminated = on_terminated};
    core *c = *state;
    for (int who = ALICE; who <= BOB; who++) {
        char impi[64];
        sip_auth challenge = {.realm = HOME};
        sip_msg *request = new_register(c, who, 3600);
        snprintf(impi, sizeof impi, "%s@" HOME, phone_names[who]);
        assert_int_equal(sip_auth_answer(request, "Authorization", &challenge, impi, NULL, NULL, 0), IBK_OK);
        assert_int_equal(
            sip_client_start(c->phone[who].host->stack, NULL, request, NULL, &ops, &c->phone[who]), IBK_OK);
    }
    stage_play(&c->stage, 32 * SIP_MS); /* the I-CSCF is asking the HSS */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_registration),        TEST(test_registration_expires),
        TEST(test_wrong_password),      TEST(test_replayed_credentials),
        TEST(test_unknown_users),       TEST(test_others_identity),
        TEST(test_silent_hss),          TEST(test_call_arrives),
        TEST(test_unregistered_caller), TEST(test_caller_past_the_door),
        TEST(test_unregistered_callee), TEST(test_unknown_callee),
        TEST(test_unknown_domain),      TEST(test_teardown_with_open_questions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
