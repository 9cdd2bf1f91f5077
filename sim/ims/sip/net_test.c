/* Calls over the simulated network: real UDP and TCP, fragments, loss, refused connections. */
#include "ims/sip/call.h"
#include "ims/sip/net.h"
#include "ims/sip/proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct host {
    n3_sim *sim;
    n3_node *node;
    const char *name;
    uint32_t random;
    sip_env env;
    sip_stack *stack;
    sip_net *net;
    sip_ua *ua;
    sip_proxy *proxy;
    sip_call *call;
    int answered, acked, ended;
    sip_cause cause;
    char log[2000];
} host;

typedef struct stage {
    n3_sim *sim;
    n3_link *link[3];
    host host[3]; /* alice, proxy, bob */
} stage;

static stage *the_stage; /* for name resolution */

/* ---- environment -----------------------------------------------------------------------------------------
 */

static uint64_t now(void *user) {
    return n3_now(((host *)user)->sim);
}

static uint64_t timer_start(void *user, uint64_t delay, void (*fire)(void *arg), void *arg) {
    n3_timer timer = 0;
    return n3_schedule(((host *)user)->sim, &timer, delay, fire, arg) == N3_OK ? timer : 0;
}

static void timer_cancel(void *user, uint64_t timer) {
    n3_cancel(((host *)user)->sim, timer);
}

static ibk_err draw(void *user, uint8_t *out, size_t len) {
    host *h = user;
    for (size_t i = 0; i < len; i++) {
        h->random = h->random * 1664525u + 1013904223u;
        out[i] = (uint8_t)(h->random >> 24);
    }
    return IBK_OK;
}

static sip_addr address_of(const host *h) {
    n3_addr addr;
    sip_addr out = {.family = 4, .port = SIP_PORT};
    assert_int_equal(n3_node_address(h->node, &addr, N3_IPV4), N3_OK);
    memcpy(out.octets, addr.octets, 4);
    return out;
}

static ibk_err resolve(void *user, sip_addr *out, const char *name) {
    (void)user;
    for (size_t i = 0; i < 3; i++)
        if (strcmp(the_stage->host[i].name, name) == 0) {
            *out = address_of(&the_stage->host[i]);
            return IBK_OK;
        }
    return IBK_ERR_NO_PARAMS;
}

static void trace(void *user, const sip_trace *event) {
    host *h = user;
    size_t len = strlen(h->log);
    if (!event->retransmission)
        snprintf(h->log + len, sizeof h->log - len, "%s%s%s", event->sent ? ">" : "<", event->label,
                 event->peer.proto == SIP_TCP ? "/t " : " ");
}

/* ---- roles
 * --------------------------------------------------------------------------------------------------- */

static void on_request(void *user, sip_server *server, const sip_msg *request) {
    host *h = user;
    if (h->ua) {
        sip_ua_on_request(h->ua, server, request);
        return;
    }
    if (!sip_proxy_check(h->proxy, server))
        return;
    sip_proxy_target target = {.record_route = true};
    (void)sip_proxy_forward(h->proxy, NULL, server, sip_proxy_copy(h->proxy, request, NULL), &target, NULL);
}

static void on_ack(void *user, const sip_msg *ack, const sip_dest *source) {
    host *h = user;
    (void)source;
    if (h->ua)
        sip_ua_on_ack(h->ua, ack);
    else
        (void)sip_proxy_forward_ack(h->proxy, sip_proxy_copy(h->proxy, ack, NULL), NULL);
}

static void incoming(void *user, sip_call *call, const sip_msg *invite) {
    static const uint8_t body[2500] = {'x'};
    host *h = user;
    (void)invite;
    h->call = call;
    (void)sip_call_reply(call, 183, true, "application/sdp", ibk_span_of(body, sizeof body));
}

static void progress(void *user, sip_call *call, sip_leg *leg, const sip_msg *response, bool reliable) {
    (void)user;
    (void)call;
    if (reliable)
        (void)sip_leg_prack(leg, response, NULL, (ibk_span){0});
}

static void in_dialog(void *user, sip_call *call, sip_leg *leg, sip_server *server, const sip_msg *request) {
    (void)user;
    (void)sip_leg_reply(leg, server, 200, NULL, NULL, (ibk_span){0});
    if (sip_is(request, "PRACK"))
        (void)sip_call_reply(call, 200, false, NULL, (ibk_span){0});
}

static void answered(void *user, sip_call *call, sip_leg *leg, const sip_msg *response) {
    (void)call;
    (void)response;
    ((host *)user)->answered++;
    (void)sip_leg_ack(leg, NULL, (ibk_span){0});
}

static void acked(void *user, sip_call *call, sip_leg *leg, const sip_msg *ack) {
    (void)call;
    (void)leg;
    (void)ack;
    ((host *)user)->acked++;
}

static void ended(void *user, sip_call *call, sip_cause cause, const sip_msg *last) {
    host *h = user;
    (void)call;
    (void)last;
    h->call = NULL;
    h->ended++;
    h->cause = cause;
}

static const sip_ua_ops ops = {.incoming = incoming,
                               .acked = acked,
                               .progress = progress,
                               .answered = answered,
                               .request = in_dialog,
                               .ended = ended};

/* ---- stage
 * ------------------------------------------------------------------------------------------------------ */

static void open_host(host *h, n3_sim *sim, const char *name) {
    h->sim = sim;
    h->name = name;
    h->random = (uint32_t)name[0];
    assert_int_equal(n3_node_new(&h->node, sim, name), N3_OK);
}

static void open_stack(host *h) {
    sip_arena arena = {0};
    sip_config config = {.host = h->name};
    sip_core core = {h, on_request, on_ack, NULL, NULL};
    h->env = (sip_env){h, now, timer_start, timer_cancel, draw, resolve, trace};
    assert_int_equal(sip_stack_new(&h->stack, &h->env, &config, &core), IBK_OK);
    sip_net_config net = {.local = address_of(h)};
    assert_int_equal(sip_net_new(&h->net, h->node, h->stack, &net), IBK_OK);
    sip_uri self = sip_uri_make(&arena, NULL, h->name, 0, SIP_PROTO_NONE, true);
    if (strcmp(h->name, "proxy") == 0) {
        assert_int_equal(
            sip_proxy_new(&h->proxy, h->stack, &(sip_proxy_config){.self = &self, .self_count = 1}, NULL),
            IBK_OK);
    } else {
        sip_ua_config ua = {.contact.uri = sip_uri_make(&arena, h->name, h->name, 0, SIP_PROTO_NONE, false)};
        assert_int_equal(sip_ua_new(&h->ua, h->stack, &ua, &ops, h), IBK_OK);
    }
    sip_arena_free(&arena);
}

static stage *stage_new(uint32_t loss_ppb) {
    static const char *const names[] = {"alice", "proxy", "bob"};
    stage *s = the_stage = calloc(1, sizeof *s);
    n3_path path = {.delay_ns = 10 * SIP_MS, .rate_bps = 10000000, .loss_ppb = loss_ppb};
    n3_link_config config = {.ab = path, .ba = path};
    assert_int_equal(n3_sim_new(&s->sim, &(n3_sim_config){.seed = 7}), N3_OK);
    for (size_t i = 0; i < 3; i++)
        open_host(&s->host[i], s->sim, names[i]);
    assert_int_equal(n3_link_new(&s->link[0], s->host[0].node, s->host[1].node, &config), N3_OK);
    assert_int_equal(n3_link_new(&s->link[1], s->host[1].node, s->host[2].node, &config), N3_OK);
    assert_int_equal(n3_routes_build(s->sim), N3_OK);
    for (size_t i = 0; i < 3; i++)
        open_stack(&s->host[i]);
    return s;
}

static void stage_free(stage *s) {
    for (size_t i = 0; i < 3; i++) {
        sip_ua_free(s->host[i].ua);
        sip_proxy_free(s->host[i].proxy);
        sip_net_free(s->host[i].net);
        sip_stack_free(s->host[i].stack);
    }
    assert_int_equal(n3_sim_free(s->sim), N3_OK);
    free(s);
}

static sip_msg *new_invite(stage *s, size_t body, const char *route) {
    static const uint8_t octets[8000] = {'x'};
    sip_arena arena = {0};
    sip_name_addr alice = {.uri = sip_uri_make(&arena, "alice", "alice", 0, SIP_PROTO_NONE, false)};
    sip_name_addr bob = {.uri = sip_uri_make(&arena, "bob", "bob", 0, SIP_PROTO_NONE, false)};
    sip_name_addr hop = {.uri = sip_uri_make(&arena, NULL, route, 0, SIP_PROTO_NONE, true)};
    sip_msg *invite = sip_ua_request(s->host[0].ua, "INVITE", &bob.uri, &alice, &bob);
    sip_route_append(invite, &hop);
    if (body)
        sip_msg_set_body(invite, "application/sdp", ibk_span_of(octets, body));
    sip_arena_free(&arena);
    return invite;
}

/* ---- tests
 * ----------------------------------------------------------------------------------------------------- */

static void call_over(uint32_t loss_ppb, size_t body) {
    stage *s = stage_new(loss_ppb);
    host *alice = &s->host[0], *bob = &s->host[2];
    assert_int_equal(sip_call_invite(alice->ua, &alice->call, new_invite(s, body, "proxy"), NULL, NULL),
                     IBK_OK);
    assert_int_equal(n3_run_until(s->sim, 60 * SIP_S), N3_OK);
    assert_int_equal(alice->answered, 1);
    assert_int_equal(bob->acked, 1);
    if (loss_ppb == 0)
        assert_string_equal(
            alice->log, body > 1000
                            ? ">INVITE/t <100 Trying/t <183 Session Progress/t >PRACK <200 OK <200 OK/t >ACK "
                            : ">INVITE <100 Trying <183 Session Progress >PRACK <200 OK <200 OK >ACK ");
    assert_int_equal(sip_call_hangup(alice->call, NULL), IBK_OK);
    assert_int_equal(n3_run_until(s->sim, 400 * SIP_S), N3_OK);
    assert_int_equal(alice->ended, 1);
    assert_int_equal(bob->ended, 1);
    assert_int_equal(bob->cause, SIP_CAUSE_BYE);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(sip_stack_stats(s->host[i].stack)->clients, 0);
        assert_int_equal(sip_stack_stats(s->host[i].stack)->servers, 0);
    }
    assert_int_equal(sip_proxy_context_count(s->host[1].proxy), 0);
    stage_free(s);
}

static void call_over_udp(void **state) {
    (void)state;
    call_over(0, 500);
}

static void call_over_tcp(void **state) {
    (void)state;
    call_over(0, 6000);
}

static void call_over_udp_that_loses_a_fifth(void **state) {
    (void)state;
    call_over(200000000, 500);
}

static void call_over_tcp_that_loses(void **state) {
    (void)state;
    call_over(50000000, 6000);
}

/* Nobody listens for TCP at the next hop: UDP takes over, in fragments. */
static void refused_connection_falls_back(void **state) {
    (void)state;
    stage *s = stage_new(0);
    host *alice = &s->host[0], *bob = &s->host[2];
    sip_net_free(bob->net);
    bob->net = NULL;
    assert_int_equal(sip_call_invite(alice->ua, &alice->call, new_invite(s, 6000, "bob"), NULL, NULL),
                     IBK_OK);
    assert_int_equal(n3_run_until(s->sim, 20 * SIP_S), N3_OK);
    assert_int_equal(sip_stack_stats(alice->stack)->tcp_by_size, 1);
    assert_int_equal(sip_stack_stats(alice->stack)->tcp_fallbacks, 1);
    assert_int_equal(n3_run_until(s->sim, 100 * SIP_S), N3_OK);
    assert_int_equal(alice->cause, SIP_CAUSE_TIMEOUT);
    stage_free(s);
}

static void idle_connections_are_closed(void **state) {
    (void)state;
    stage *s = stage_new(0);
    host *alice = &s->host[0];
    assert_int_equal(sip_call_invite(alice->ua, &alice->call, new_invite(s, 6000, "proxy"), NULL, NULL),
                     IBK_OK);
    assert_int_equal(n3_run_until(s->sim, 300 * SIP_S), N3_OK);
    assert_int_equal(alice->answered, 1);
    // A dialog's request opens a new one.
    static const uint8_t octets[3000] = {'x'};
    assert_int_equal(sip_leg_request(sip_call_active_leg(alice->call), "UPDATE", "application/sdp",
                                     ibk_span_of(octets, sizeof octets)),
                     IBK_OK);
    assert_int_equal(n3_run_until(s->sim, 310 * SIP_S), N3_OK);
    assert_non_null(strstr(alice->log, ">UPDATE/t <200 OK/t "));
    stage_free(s);
}

/* Garbage on a connection closes it, and the listener lives on. */
static void on_garbage_end(void *user, n3_tcp *tcp, n3_tcp_end why) {
    (void)tcp;
    (void)why;
    *(bool *)user = true;
}

static void garbage_closes_the_connection(void **state) {
    (void)state;
    stage *s = stage_new(0);
    bool over = false;
    n3_tcp *tcp = NULL;
    sip_addr proxy = address_of(&s->host[1]);
    n3_endpoint remote = {.addr.family = N3_IPV4, .port = SIP_PORT};
    memcpy(remote.addr.octets, proxy.octets, 4);
    n3_tcp_config config = {.handlers.ended = on_garbage_end, .user = &over};
    assert_int_equal(n3_tcp_connect(&tcp, s->host[0].node, NULL, &remote, &config), N3_OK);
    static const char text[] = "INVITE sip:x SIP/2.0\r\nNo-Length: 1\r\n\r\n";
    assert_int_equal(n3_tcp_send(tcp, text, sizeof text - 1), N3_OK);
    assert_int_equal(n3_run_until(s->sim, 10 * SIP_S), N3_OK);
    assert_true(over);
    n3_tcp_free(tcp);
    host *alice = &s->host[0];
    assert_int_equal(sip_call_invite(alice->ua, &alice->call, new_invite(s, 6000, "proxy"), NULL, NULL),
                     IBK_OK);
    assert_int_equal(n3_run_until(s->sim, 30 * SIP_S), N3_OK);
    assert_int_equal(alice->answered, 1);
    stage_free(s);
}

static int setup(void **state) {
    (void)state;
    return sip_init() == IBK_OK ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(call_over_udp),
        cmocka_unit_test(call_over_tcp),
        cmocka_unit_test(call_over_udp_that_loses_a_fifth),
        cmocka_unit_test(call_over_tcp_that_loses),
        cmocka_unit_test(refused_connection_falls_back),
        cmocka_unit_test(idle_connections_are_closed),
        cmocka_unit_test(garbage_closes_the_connection),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
