/* Transactions one by one, the transport's rules, and the proxy's decisions. */
#include "ims/sip/world_fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- a client and a server that count
 * ----------------------------------------------------------------------- */

typedef struct counts {
    int provisional, final, terminated, requests, last;
    sip_cause cause;
    int reply; /* what the server answers; 0: nothing */
    sip_server *server;
} counts;

static void on_response(void *user, sip_client *client, const sip_msg *response) {
    counts *c = user;
    (void)client;
    c->last = response->status;
    if (response->status < 200)
        c->provisional++;
    else
        c->final++;
}

static void on_terminated(void *user, sip_client *client, sip_cause cause) {
    counts *c = user;
    (void)client;
    c->terminated++;
    c->cause = cause;
}

static const sip_client_ops client_ops = {on_response, on_terminated};
static counts server_counts;

static void on_request(void *user, sip_server *server, const sip_msg *request) {
    (void)user;
    (void)request;
    server_counts.requests++;
    server_counts.server = server;
    if (server_counts.reply)
        (void)sip_server_reply(server, server_counts.reply, NULL);
}

static world *two_nodes(unsigned loss) {
    world *w = world_new(loss, 11);
    sip_core core = {.user = NULL, .request = on_request};
    server_counts = (counts){0};
    world_add(w, "a", &core, NULL);
    world_add(w, "b", &core, NULL);
    return w;
}

static sip_msg *new_request(const char *method, const char *target) {
    sip_arena arena = {0};
    sip_name_addr a = world_party(&arena, "sip:a@a"), b = world_party(&arena, target);
    sip_param_set(&arena, &a.params, "tag", "t1");
    sip_msg *msg = sip_request_new(method, &b.uri, &a, &b, "call", 1);
    if (strcmp(method, "INVITE") == 0)
        sip_contact_add(msg, &a);
    sip_arena_free(&arena);
    return msg;
}

static void timers_e_f_of_a_request_without_answer(void **state) {
    (void)state;
    world *w = two_nodes(0);
    counts c = {0};
    w->node[1].deaf = true;
    assert_int_equal(
        sip_client_start(w->node[0].stack, NULL, new_request("OPTIONS", "sip:b@b"), NULL, &client_ops, &c),
        IBK_OK);
    world_run(w, 100 * SIP_S);
    assert_int_equal(c.cause, SIP_CAUSE_TIMEOUT);
    assert_int_equal(w->now, 32 * SIP_S);
    // E at 0.5 1.5 3.5 7.5 and every 4 s
    assert_int_equal(sip_stack_stats(w->node[0].stack)->retransmissions_sent, 10);
    assert_int_equal(c.terminated, 1);
    world_free(w);
}

static void request_answered_over_a_losing_wire(void **state) {
    (void)state;
    world *w = two_nodes(40);
    for (int i = 0; i < 50; i++) {
        counts c = {0};
        server_counts.reply = 200;
        server_counts.requests = 0;
        assert_int_equal(sip_client_start(w->node[0].stack, NULL, new_request("OPTIONS", "sip:b@b"), NULL,
                                          &client_ops, &c),
                         IBK_OK);
        world_run(w, w->now + 200 * SIP_S);
        assert_int_equal(c.final, 1);
        assert_int_equal(server_counts.requests, 1); // retransmissions never reach the core
        assert_int_equal(c.cause, SIP_CAUSE_NONE);
    }
    assert_int_equal(sip_stack_stats(w->node[1].stack)->servers, 0);
    world_free(w);
}

static void trying_goes_out_by_itself(void **state) {
    (void)state;
    world *w = two_nodes(0);
    counts c = {0};
    assert_int_equal(
        sip_client_start(w->node[0].stack, NULL, new_request("INVITE", "sip:b@b"), NULL, &client_ops, &c),
        IBK_OK);
    world_run(w, SIP_S);
    assert_int_equal(c.last, 100);
    assert_int_equal(sip_stack_stats(w->node[0].stack)->retransmissions_sent, 0);
    assert_int_equal(sip_server_reply(server_counts.server, 404, NULL), IBK_OK);
    assert_int_equal(sip_server_reply(server_counts.server, 404, NULL), IBK_ERR_STATE);
    world_run(w, 100 * SIP_S);
    assert_int_equal(c.last, 404);
    assert_int_equal(c.final, 1);
    assert_null(w->timers);
    world_free(w);
}

static void refused_tcp_is_a_transport_error(void **state) {
    (void)state;
    world *w = two_nodes(0);
    counts c = {0};
    w->node[1].no_tcp = true;
    assert_int_equal(sip_client_start(w->node[0].stack, NULL, new_request("OPTIONS", "sip:b@b;transport=tcp"),
                                      NULL, &client_ops, &c),
                     IBK_OK);
    world_run(w, 100 * SIP_S);
    assert_int_equal(c.cause, SIP_CAUSE_TRANSPORT);
    c = (counts){0};
    assert_int_equal(
        sip_client_start(w->node[0].stack, NULL, new_request("OPTIONS", "sip:b@b"), NULL, &client_ops, &c),
        IBK_OK);
    sip_dest dest = {.proto = SIP_UDP, .addr = w->node[1].addr};
    sip_stack_unreachable(w->node[0].stack, &dest);
    world_run(w, w->now + 5 * SIP_MS);
    assert_int_equal(c.cause, SIP_CAUSE_TRANSPORT);
    world_free(w);
}

/* ---- raw octets at a node
 * ------------------------------------------------------------------------------------- */

static void inject(world *w, size_t to, const char *text) {
    sip_dest source = {.proto = SIP_UDP};
    sip_addr_parse(&source.addr, "10.0.0.1", 5099);
    sip_stack_receive(w->node[to].stack, &source, ibk_span_str(text));
}

#define REST                                                                                                 \
    "From: <sip:a@a>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: raw\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n"

static void malformed_requests_are_answered_400(void **state) {
    (void)state;
    world *w = two_nodes(0);
    inject(w, 1,
           "OPTIONS sip:b@b SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\n" REST
           "\r\n"); // no Max-Forwards
    assert_int_equal(sip_stack_stats(w->node[1].stack)->malformed, 1);
    assert_int_equal(w->packets, 1);
    inject(w, 1, "ACK sip:b@b SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\n" REST "\r\n");
    inject(w, 1, "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP b;branch=1\r\n" REST "\r\n");
    inject(w, 1, "\x16\x03\x01");
    assert_int_equal(sip_stack_stats(w->node[1].stack)->malformed, 4);
    assert_int_equal(w->packets, 1); // these are not
    inject(w, 1, "\r\n\r\n");        // keep-alive
    assert_int_equal(sip_stack_stats(w->node[1].stack)->malformed, 4);
    assert_int_equal(server_counts.requests, 0);
    world_free(w);
}

static void source_is_noted_and_used(void **state) {
    (void)state;
    world *w = two_nodes(0);
    sip_dest dest;
    inject(w, 1,
           "OPTIONS sip:b@b SIP/2.0\r\nVia: SIP/2.0/UDP "
           "a.example:5070;branch=z9hG4bK1;rport;received=6.6.6.6\r\n"
           "Max-Forwards: 70\r\n" REST "\r\n");
    const sip_msg *request = sip_server_request(server_counts.server);
    assert_string_equal(sip_param_get(&request->via[0].params, "received"), "10.0.0.1");
    assert_string_equal(sip_param_get(&request->via[0].params, "rport"), "5099");
    assert_int_equal(sip_stack_response_dest(w->node[1].stack, &dest, request, NULL), IBK_OK);
    assert_int_equal(dest.addr.port, 5099);
    inject(w, 1,
           "OPTIONS sip:b@b SIP/2.0\r\nVia: SIP/2.0/UDP a.example:5070;branch=z9hG4bK2\r\nMax-Forwards: "
           "70\r\n" REST "\r\n");
    request = sip_server_request(server_counts.server);
    assert_int_equal(sip_stack_response_dest(w->node[1].stack, &dest, request, NULL), IBK_OK);
    assert_int_equal(dest.addr.port, 5070);
    inject(w, 1,
           "OPTIONS sip:b@b SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK3\r\nMax-Forwards: 70\r\n" REST
           "\r\n");
    request = sip_server_request(server_counts.server);
    assert_null(sip_param_get(&request->via[0].params, "received"));
    world_free(w);
}

static void strays_reach_nobody(void **state) {
    (void)state;
    world *w = two_nodes(0);
    inject(w, 1, "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP b;branch=z9hG4bKnone\r\n" REST "\r\n");
    inject(w, 1,
           "CANCEL sip:b@b SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKq\r\nMax-Forwards: 70\r\n"
           "From: <sip:a@a>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: raw\r\nCSeq: 1 CANCEL\r\n\r\n");
    assert_non_null(strstr(w->node[1].log, ">481 "));
    assert_int_equal(server_counts.requests, 0);
    world_free(w);
}

static void too_many_transactions(void **state) {
    (void)state;
    world *w = world_new(0, 3);
    sip_core core = {.request = on_request};
    sip_config config = {.max_transactions = 1};
    server_counts = (counts){0};
    world_add(w, "a", &core, NULL);
    world_add(w, "b", &core, &config);
    inject(w, 1,
           "OPTIONS sip:b@b SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n" REST
           "\r\n");
    inject(w, 1,
           "OPTIONS sip:b@b SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK2\r\nMax-Forwards: 70\r\n" REST
           "\r\n");
    assert_int_equal(server_counts.requests, 1);
    assert_non_null(strstr(w->node[1].log, ">503 "));
    world_free(w);
}

static void any_octets_at_a_stack(void **state) {
    (void)state;
    static const char seed[] =
        "INVITE sip:b@b SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;rport\r\nMax-Forwards: 70\r\n"
        "Contact: <sip:a@a>\r\nFrom: <sip:a@a>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: raw\r\n"
        "CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n";
    world *w = two_nodes(0);
    uint32_t random = 5;
    server_counts.reply = 486;
    for (int round = 0; round < 5000; round++) {
        char text[sizeof seed];
        memcpy(text, seed, sizeof seed);
        for (int edits = round % 5; edits >= 0; edits--) {
            random = random * 1664525u + 1013904223u;
            text[(random >> 8) % (sizeof seed - 1)] =
                (char)(random & 16 ? random >> 24 : '0' + (random >> 25) % 60);
        }
        sip_dest source = {.proto = SIP_UDP, .addr = w->node[0].addr};
        sip_stack_receive(w->node[1].stack, &source, ibk_span_of(text, sizeof seed - 1));
        if (round % 100 == 0)
            world_run(w, w->now + SIP_S);
    }
    world_run(w, w->now + 300 * SIP_S);
    assert_int_equal(sip_stack_stats(w->node[1].stack)->servers, 0);
    world_free(w);
}

/* ---- proxy
 * -------------------------------------------------------------------------------------------------------- */

static struct {
    size_t targets; /* forks to c, d */
    bool loop;      /* sends back to itself */
    char own[16];   /* user of the own Route entry that was removed */
    int checked;
} plan;

static void proxy_request(void *user, sip_server *server, const sip_msg *request) {
    node *n = user;
    sip_forward *forward = NULL;
    sip_proxy_target target = {.record_route = false};
    static const char *const hosts[] = {"b", "c", "d"};
    if (!sip_proxy_check(n->proxy, server))
        return;
    plan.checked++;
    for (size_t i = 0; i < (plan.targets ? plan.targets : 1); i++) {
        sip_uri own;
        sip_msg *copy = sip_proxy_copy(n->proxy, request, &own);
        snprintf(plan.own, sizeof plan.own, "%s", own.user ? own.user : "");
        sip_dest dest = {.proto = SIP_UDP, .addr = n->addr};
        if (plan.targets)
            copy->uri.host = hosts[i];
        target.dest = plan.loop ? &dest : NULL;
        if (i == 0)
            (void)sip_proxy_forward(n->proxy, &forward, server, copy, &target, NULL);
        else
            (void)sip_proxy_fork(forward, copy, &target);
    }
}

static int statuses[4];

static void branch_request(void *user, sip_server *server, const sip_msg *request) {
    (void)request;
    int status = statuses[(size_t)(uintptr_t)user];
    if (status)
        (void)sip_server_reply(server, status, NULL);
    else
        (void)sip_server_reply(server, 180, NULL);
}

static void branch_cancel(void *user, sip_server *invite, const sip_msg *cancel) {
    (void)user;
    (void)cancel;
    (void)sip_server_reply(invite, 487, NULL);
}

/* a, the proxy p, and b c d that answer as `statuses` tell. */
static world *fork_world(int b, int c, int d) {
    world *w = world_new(0, 9);
    sip_core core = {.request = on_request};
    memset(&plan, 0, sizeof plan);
    statuses[0] = b;
    statuses[1] = c;
    statuses[2] = d;
    world_add(w, "a", &core, NULL);
    core = world_proxy_core(w, proxy_request);
    world_make_proxy(world_add(w, "p", &core, NULL));
    static const char *const names[] = {"b", "c", "d"};
    for (uintptr_t i = 0; i < 3; i++) {
        sip_core branch = {(void *)i, branch_request, NULL, branch_cancel, NULL};
        world_add(w, names[i], &branch, NULL);
    }
    return w;
}

static counts through_proxy(world *w, const char *method, const char *target) {
    counts c = {0};
    sip_dest dest = {.proto = SIP_UDP, .addr = w->node[1].addr};
    assert_int_equal(
        sip_client_start(w->node[0].stack, NULL, new_request(method, target), &dest, &client_ops, &c),
        IBK_OK);
    world_run(w, 400 * SIP_S);
    assert_int_equal(c.terminated, 1);
    assert_int_equal(sip_proxy_context_count(w->node[1].proxy), 0);
    return c;
}

static void best_response_of_a_fork(void **state) {
    (void)state;
    static const struct {
        int b, c, d, want;
    } cases[] = {{404, 486, 503, 404}, {500, 401, 404, 401}, {603, 486, 0, 603}, {486, 200, 0, 200},
                 {503, 503, 503, 500}, {302, 486, 500, 302}, {0, 0, 200, 200}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        world *w = fork_world(cases[i].b, cases[i].c, cases[i].d);
        plan.targets = 3;
        counts c = through_proxy(w, "INVITE", "sip:x@b");
        assert_int_equal(c.last, cases[i].want);
        assert_int_equal(c.final, 1);
        assert_null(w->timers);
        world_free(w);
    }
}

static void timer_c_ends_a_ringing_call(void **state) {
    (void)state;
    world *w = fork_world(0, 0, 0);
    counts c = through_proxy(w, "INVITE", "sip:x@b");
    assert_int_equal(c.last, 487);
    assert_true(w->now > 181 * SIP_S);
    world_free(w);
}

static void hops_loops_and_extensions(void **state) {
    (void)state;
    world *w = fork_world(200, 0, 0);
    plan.loop = true;
    counts c = through_proxy(w, "OPTIONS", "sip:x@b");
    assert_int_equal(c.last, 482);
    assert_int_equal(plan.checked, 1);
    world_free(w);
    w = fork_world(200, 0, 0);
    sip_dest dest = {.proto = SIP_UDP, .addr = w->node[1].addr};
    sip_msg *request = new_request("OPTIONS", "sip:x@b");
    c = (counts){0};
    request->max_forwards = 0;
    assert_int_equal(sip_client_start(w->node[0].stack, NULL, request, &dest, &client_ops, &c), IBK_OK);
    world_run(w, w->now + 100 * SIP_S);
    assert_int_equal(c.last, 483);
    request = new_request("OPTIONS", "sip:x@b");
    sip_header_add(request, "Proxy-Require", "foo");
    assert_int_equal(sip_client_start(w->node[0].stack, NULL, request, &dest, &client_ops, &c), IBK_OK);
    world_run(w, w->now + 100 * SIP_S);
    assert_int_equal(c.last, 420);
    request = new_request("OPTIONS", "urn:service:sos");
    assert_int_equal(sip_client_start(w->node[0].stack, NULL, request, &dest, &client_ops, &c), IBK_OK);
    world_run(w, w->now + 100 * SIP_S);
    assert_int_equal(c.last, 416);
    world_free(w);
}

/* A spiral comes by with another Route and is no loop. */
static void spiral_is_no_loop(void **state) {
    (void)state;
    world *w = fork_world(200, 0, 0);
    sip_arena arena = {0};
    sip_name_addr orig = world_party(&arena, "sip:orig@p;lr"), term = world_party(&arena, "sip:term@p;lr");
    sip_msg *request = new_request("OPTIONS", "sip:x@b");
    sip_via via = {.proto = SIP_UDP, .host = "p"};
    sip_uri own;
    sip_route_append(request, &orig);
    // What the proxy makes of it carries the mark of the first passage.
    sip_msg *copy = sip_proxy_copy(w->node[1].proxy, request, &own);
    assert_string_equal(own.user, "orig");
    sip_param_set(&arena, &via.params, "branch", sip_arena_printf(&arena, "z9hG4bKabc%s", copy->branch_mark));
    sip_via_push(request, &via);
    sip_route_clear(request);
    sip_route_append(request, &term);
    sip_dest dest = {.proto = SIP_UDP, .addr = w->node[1].addr};
    counts c = {0};
    assert_int_equal(sip_client_start(w->node[0].stack, NULL, request, &dest, &client_ops, &c), IBK_OK);
    world_run(w, w->now + 100 * SIP_S);
    assert_int_equal(c.last, 200);
    assert_string_equal(plan.own, "term");
    sip_msg_free(copy);
    sip_arena_free(&arena);
    world_free(w);
}

static void strict_routers(void **state) {
    (void)state;
    world *w = fork_world(200, 0, 0);
    sip_arena arena = {0};
    sip_proxy *proxy = w->node[1].proxy;
    sip_name_addr last = world_party(&arena, "sip:x@b"), strict = world_party(&arena, "sip:old@c"),
                  self = world_party(&arena, "sip:term@p;lr");
    sip_msg *request = new_request("BYE", "sip:orig@p;lr"); // a strict router before us
    sip_route_append(request, &last);
    sip_uri own;
    sip_msg *copy = sip_proxy_copy(proxy, request, &own);
    assert_string_equal(own.user, "orig");
    assert_string_equal(copy->uri.user, "x");
    assert_int_equal(copy->route_count, 0);
    sip_msg_free(copy);
    sip_msg_free(request);
    request = new_request("BYE", "sip:x@b"); // a strict router after us
    sip_route_append(request, &self);
    sip_route_append(request, &strict);
    copy = sip_proxy_copy(proxy, request, &own);
    assert_string_equal(copy->uri.user, "old");
    assert_int_equal(copy->route_count, 1);
    assert_string_equal(copy->route[0].uri.user, "x");
    sip_dest dest;
    assert_int_equal(sip_stack_next_hop(w->node[1].stack, &dest, copy, NULL), IBK_OK);
    assert_true(sip_addr_equal(&dest.addr, &w->node[3].addr));
    sip_msg_free(copy);
    sip_msg_free(request);
    sip_arena_free(&arena);
    world_free(w);
}

static int setup(void **state) {
    (void)state;
    return sip_init() == IBK_OK ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_e_f_of_a_request_without_answer),
        cmocka_unit_test(request_answered_over_a_losing_wire),
        cmocka_unit_test(trying_goes_out_by_itself),
        cmocka_unit_test(refused_tcp_is_a_transport_error),
        cmocka_unit_test(malformed_requests_are_answered_400),
        cmocka_unit_test(source_is_noted_and_used),
        cmocka_unit_test(strays_reach_nobody),
        cmocka_unit_test(too_many_transactions),
        cmocka_unit_test(any_octets_at_a_stack),
        cmocka_unit_test(best_response_of_a_fork),
        cmocka_unit_test(timer_c_ends_a_ringing_call),
        cmocka_unit_test(hops_loops_and_extensions),
        cmocka_unit_test(spiral_is_no_loop),
        cmocka_unit_test(strict_routers),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
