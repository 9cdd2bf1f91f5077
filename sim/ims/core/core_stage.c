#include "ims/core/core_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const phone_names[PHONES] = {"alice", "bob", "mallory", "carol"};

static void on_request(void *user, sip_server *server, const sip_msg *request) {
    phone *ue = user;
    ue->requests++;
    sip_msg_free(ue->request);
    ue->request = sip_msg_clone(request);
    sip_server_reply(server, ue->answer, NULL);
}

static void on_cancel(void *user, sip_server *invite, const sip_msg *cancel) {
    phone *ue = user;
    (void)cancel;
    ue->cancels++;
    sip_server_reply(invite, 487, NULL);
}

static void on_response(void *user, sip_client *client, const sip_msg *response) {
    phone *ue = user;
    (void)client;
    if (response->status < 200) {
        if (response->status == 100)
            return;
        ue->provisional = response->status;
        sip_msg_free(ue->informed);
        ue->informed = sip_msg_clone(response);
        return;
    }
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

static int open_core(void **state, bool sequential) {
    static const char *const names[] = {"pcscf." HOME, "icscf." HOME, "scscf." HOME, "hss." HOME,
                                        "alice",       "bob",         "mallory",     "carol"};
    static const hss_subscriber users[] = {{"sip:alice@" HOME, "alice@" HOME, "open sesame", false},
                                           {"sip:bob@" HOME, "bob@" HOME, "tell nobody", false},
                                           {"sip:bob@" HOME, "mallory@" HOME, "what else", false},
                                           {"sip:carol@" HOME, "carol@" HOME, "never mind", true}};
    core *c = calloc(1, sizeof *c);
    assert_non_null(c);
    assert_int_equal(sip_init(), IBK_OK);
    stage_open(&c->stage, names, sizeof names / sizeof names[0], 1);
    ims_host_config host = stage_host(&c->stage, "hss." HOME);
    assert_int_equal(hss_new(&c->h, &host, HOME), IBK_OK);
    for (size_t i = 0; i < sizeof users / sizeof users[0]; i++)
        assert_int_equal(hss_add(c->h, &users[i]), IBK_OK);
    sip_addr door = stage_address(&c->stage, "icscf." HOME, SIP_PORT);
    assert_int_equal(ims_names_add(c->stage.world.names, HOME, &door), IBK_OK);
    cscf_config config = config_of(c, "scscf." HOME, NULL);
    config.fork_sequentially = sequential;
    config.contact_timeout_ns = 5 * SIP_S;
    assert_int_equal(scscf_new(&c->s, &config), IBK_OK);
    config = config_of(c, "icscf." HOME, "scscf." HOME);
    assert_int_equal(icscf_new(&c->i, &config), IBK_OK);
    config = config_of(c, "pcscf." HOME, "icscf." HOME);
    config.hss = (sip_addr){0};
    assert_int_equal(pcscf_new(&c->p, &config), IBK_OK);
    for (size_t i = 0; i < PHONES; i++) {
        sip_core ue = {.user = &c->phone[i], .request = on_request, .cancel = on_cancel};
        host = stage_host(&c->stage, phone_names[i]);
        c->phone[i].answer = 486;
        assert_int_equal(ims_host_new(&c->phone[i].host, &host, &ue), IBK_OK);
    }
    *state = c;
    return 0;
}

int core_set_up(void **state) {
    return open_core(state, false);
}

int core_set_up_sequential(void **state) {
    return open_core(state, true);
}

const char *core_phone_name(int who) {
    return phone_names[who];
}

int core_tear_down(void **state) {
    core *c = *state;
    for (size_t i = 0; i < PHONES; i++) {
        ims_host_free(c->phone[i].host);
        sip_msg_free(c->phone[i].response);
        sip_msg_free(c->phone[i].request);
        sip_msg_free(c->phone[i].informed);
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

sip_msg *core_request(core *c, int who, const char *method, const char *uri, const char *to) {
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

int core_send(core *c, int who, sip_msg *request) {
    static const sip_client_ops ops = {.response = on_response, .terminated = on_terminated};
    phone *ue = &c->phone[who];
    ue->status = ue->provisional = 0;
    ue->cause = SIP_CAUSE_NONE;
    assert_int_equal(sip_client_start(ue->host->stack, NULL, request, NULL, &ops, ue), IBK_OK);
    stage_play(&c->stage, 40 * SIP_S);
    return ue->status;
}

sip_msg *core_new_register(core *c, int who, const char *impu, unsigned expires) {
    sip_msg *request = core_request(c, who, "REGISTER", "sip:" HOME, impu);
    sip_header_addf(request, "Expires", "%u", expires);
    sip_header_add(request, "Supported", "path");
    return request;
}

static const char *impu_of(char out[64], int who) {
    snprintf(out, 64, "sip:%s@" HOME, phone_names[who]);
    return out;
}

int core_ask_for_challenge(core *c, int who, unsigned expires, const char *impi) {
    char impu[64];
    sip_msg *request = core_new_register(c, who, impu_of(impu, who), expires);
    sip_auth challenge = {.realm = HOME};
    assert_int_equal(sip_auth_answer(request, "Authorization", &challenge, impi, NULL, NULL, 0), IBK_OK);
    return core_send(c, who, request);
}

static int answer(core *c, int who, sip_msg *request, const char *impi, const char *password) {
    sip_auth challenge;
    assert_int_equal(sip_auth_get(c->phone[who].response, &challenge, "WWW-Authenticate", HOME, NULL),
                     IBK_OK);
    assert_int_equal(sip_auth_answer(request, "Authorization", &challenge, impi, password, "cnonce", 1),
                     IBK_OK);
    return core_send(c, who, request);
}

int core_answer_challenge(core *c, int who, unsigned expires, const char *impi, const char *password) {
    char impu[64];
    return answer(c, who, core_new_register(c, who, impu_of(impu, who), expires), impi, password);
}

void core_register(core *c, int who, unsigned expires, const char *password) {
    char impi[64];
    snprintf(impi, sizeof impi, "%s@" HOME, phone_names[who]);
    assert_int_equal(core_ask_for_challenge(c, who, expires, impi), 401);
    assert_int_equal(core_answer_challenge(c, who, expires, impi, password), 200);
}

void core_register_device(core *c, unsigned expires, const char *q) {
    sip_auth challenge = {.realm = HOME};
    sip_msg *request = core_new_register(c, MALLORY, "sip:bob@" HOME, expires);
    assert_int_equal(sip_auth_answer(request, "Authorization", &challenge, "mallory@" HOME, NULL, NULL, 0),
                     IBK_OK);
    assert_int_equal(core_send(c, MALLORY, request), 401);
    request = core_new_register(c, MALLORY, "sip:bob@" HOME, expires);
    if (q)
        sip_param_set(&request->arena, &request->contact[0].params, "q", q);
    assert_int_equal(answer(c, MALLORY, request, "mallory@" HOME, "what else"), 200);
}

int core_invite(core *c, int who, const char *called) {
    return core_send(c, who, core_request(c, who, "INVITE", called, called));
}
