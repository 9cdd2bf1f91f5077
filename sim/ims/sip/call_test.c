/* Calls between user agents and through proxies, over a wire that loses. */
#include "ims/sip/world_fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What a party does and what happened to it. */
typedef struct party {
    node *n;
    /* orders */
    bool reliable, reject, never_answer, update, no_prack, silent_ack;
    size_t body; /* octets in 183 and PRACK */
    /* history */
    sip_call *call;
    int progress, answered, acked, pracks, updates, responses, cancelled, ended, reinvites;
    int last_status;
    sip_cause cause;
} party;

static ibk_span filler(size_t len) {
    static uint8_t text[8000];
    memset(text, 'x', sizeof text);
    return ibk_span_of(text, len);
}

/* ---- callee
 * ------------------------------------------------------------------------------------------------- */

static void incoming(void *user, sip_call *call, const sip_msg *invite) {
    party *p = user;
    (void)invite;
    p->call = call;
    if (p->reject) {
        assert_int_equal(sip_call_reply(call, 486, false, NULL, (ibk_span){0}), IBK_OK);
        return;
    }
    if (p->reliable)
        assert_int_equal(sip_call_reply(call, 183, true, "application/sdp", filler(p->body ? p->body : 10)),
                         IBK_OK);
    else
        assert_int_equal(sip_call_reply(call, 180, false, NULL, (ibk_span){0}), IBK_OK);
    if (!p->reliable && !p->never_answer)
        assert_int_equal(sip_call_reply(call, 200, false, "application/sdp", filler(10)), IBK_OK);
}

static void request(void *user, sip_call *call, sip_leg *leg, sip_server *server, const sip_msg *msg) {
    party *p = user;
    assert_int_equal(
        sip_leg_reply(leg, server, 200, NULL, msg->body.len ? "application/sdp" : NULL, msg->body), IBK_OK);
    if (sip_is(msg, "PRACK")) {
        p->pracks++;
        if (!p->never_answer)
            assert_int_equal(sip_call_reply(call, 200, false, "application/sdp", filler(10)), IBK_OK);
    }
    if (sip_is(msg, "UPDATE"))
        p->updates++;
    if (sip_is(msg, "INVITE"))
        p->reinvites++;
}

static void acked(void *user, sip_call *call, sip_leg *leg, const sip_msg *ack) {
    (void)call;
    (void)leg;
    (void)ack;
    ((party *)user)->acked++;
}

static void cancelled(void *user, sip_call *call) {
    (void)call;
    ((party *)user)->cancelled++;
}

/* ---- caller
 * --------------------------------------------------------------------------------------------------- */

static void progress(void *user, sip_call *call, sip_leg *leg, const sip_msg *response, bool reliable) {
    party *p = user;
    (void)call;
    p->progress++;
    p->last_status = response->status;
    if (reliable && !p->no_prack)
        assert_int_equal(sip_leg_prack(leg, response, "application/sdp", filler(p->body ? p->body : 10)),
                         IBK_OK);
}

static void answered(void *user, sip_call *call, sip_leg *leg, const sip_msg *response) {
    party *p = user;
    (void)call;
    p->answered++;
    p->last_status = response->status;
    if (!p->silent_ack)
        assert_int_equal(sip_leg_ack(leg, NULL, (ibk_span){0}), IBK_OK);
}

static void response(void *user, sip_call *call, sip_leg *leg, const char *method, const sip_msg *msg,
                     sip_cause cause) {
    party *p = user;
    (void)call;
    (void)cause;
    if (msg && msg->status >= 200)
        p->responses++;
    if (msg && msg->status / 100 == 2 && strcmp(method, "INVITE") == 0)
        assert_int_equal(sip_leg_ack(leg, NULL, (ibk_span){0}), IBK_OK);
}

static void ended(void *user, sip_call *call, sip_cause cause, const sip_msg *last) {
    party *p = user;
    (void)call;
    p->call = NULL;
    p->ended++;
    p->cause = cause;
    if (last && !last->is_request)
        p->last_status = last->status;
}

static const sip_ua_ops ops = {.incoming = incoming,
                               .cancelled = cancelled,
                               .acked = acked,
                               .progress = progress,
                               .answered = answered,
                               .request = request,
                               .response = response,
                               .ended = ended};

/* ---- scenery
 * ------------------------------------------------------------------------------------------------ */

typedef struct scene {
    world *w;
    party alice, bob;
} scene;

static void forward_to_route(void *user, sip_server *server, const sip_msg *msg) {
    node *n = user;
    sip_uri own;
    if (!sip_proxy_check(n->proxy, server))
        return;
    sip_msg *copy = sip_proxy_copy(n->proxy, msg, &own);
    sip_proxy_target target = {.record_route = sip_is(msg, "INVITE") && !sip_to_tag(msg), .rr_user = "mid"};
    (void)sip_proxy_forward(n->proxy, NULL, server, copy, &target, NULL);
}

/* alice, bob and `proxies` proxies between them: p0, p1. */
static scene *scene_new(unsigned loss, uint32_t seed, size_t proxies, const sip_config *config) {
    static const char *const names[] = {"p0", "p1", "p2"};
    scene *s = calloc(1, sizeof *s);
    s->w = world_new(loss, seed);
    sip_core core = world_ua_core(s->w);
    s->alice.n = world_add(s->w, "alice", &core, config);
    core = world_ua_core(s->w);
    s->bob.n = world_add(s->w, "bob", &core, config);
    world_make_ua(s->alice.n, &ops, &s->alice);
    world_make_ua(s->bob.n, &ops, &s->bob);
    for (size_t i = 0; i < proxies; i++) {
        core = world_proxy_core(s->w, forward_to_route);
        world_make_proxy(world_add(s->w, names[i], &core, config));
    }
    return s;
}

static void scene_free(scene *s) {
    world_free(s->w);
    free(s);
}

static void call_bob(scene *s, size_t proxies, size_t body) {
    sip_arena arena = {0};
    sip_name_addr alice = world_party(&arena, "sip:alice@alice"), bob = world_party(&arena, "sip:bob@bob");
    sip_msg *invite = sip_ua_request(s->alice.n->ua, "INVITE", &bob.uri, &alice, &bob);
    for (size_t i = 0; i < proxies; i++) {
        sip_name_addr route = world_party(&arena, i == 0 ? "sip:p0;lr" : "sip:p1;lr");
        sip_route_append(invite, &route);
    }
    if (body)
        sip_msg_set_body(invite, "application/sdp", filler(body));
    assert_int_equal(sip_call_invite(s->alice.n->ua, &s->alice.call, invite, NULL, NULL), IBK_OK);
    sip_arena_free(&arena);
}

/* ---- tests
 * ----------------------------------------------------------------------------------------------------- */

static void plain_call_and_bye(void **state) {
    (void)state;
    scene *s = scene_new(0, 1, 0, NULL);
    call_bob(s, 0, 100);
    world_run(s->w, 2 * SIP_S);
    assert_int_equal(s->alice.answered, 1);
    assert_int_equal(s->bob.acked, 1);
    assert_int_equal(sip_call_hangup(s->alice.call, NULL), IBK_OK);
    world_run(s->w, 100 * SIP_S);
    assert_int_equal(s->alice.ended, 1);
    assert_int_equal(s->alice.cause, SIP_CAUSE_LOCAL);
    assert_int_equal(s->bob.ended, 1);
    assert_int_equal(s->bob.cause, SIP_CAUSE_BYE);
    assert_string_equal(s->alice.n->log, ">INVITE <180 Ringing <200 OK >ACK >BYE <200 OK ");
    assert_int_equal(sip_stack_stats(s->alice.n->stack)->clients, 0);
    assert_int_equal(sip_stack_stats(s->bob.n->stack)->servers, 0);
    assert_null(s->w->timers);
    scene_free(s);
}

static void reliable_call_with_prack(void **state) {
    (void)state;
    scene *s = scene_new(0, 1, 0, NULL);
    s->bob.reliable = true;
    call_bob(s, 0, 100);
    world_run(s->w, 2 * SIP_S);
    assert_int_equal(s->alice.progress, 1);
    assert_int_equal(s->bob.pracks, 1);
    assert_int_equal(s->alice.answered, 1);
    assert_string_equal(s->alice.n->log, ">INVITE <183 Session Progress >PRACK <200 OK <200 OK >ACK ");
    // UPDATE and re-INVITE, both ways
    assert_int_equal(
        sip_leg_request(sip_call_active_leg(s->alice.call), "UPDATE", "application/sdp", filler(9)), IBK_OK);
    assert_int_equal(
        sip_leg_request(sip_call_active_leg(s->bob.call), "INVITE", "application/sdp", filler(9)), IBK_OK);
    world_run(s->w, 20 * SIP_S);
    assert_int_equal(s->bob.updates, 1);
    assert_int_equal(s->alice.reinvites, 1);
    assert_int_equal(s->alice.acked, 1);
    assert_int_equal(sip_call_hangup(s->bob.call, "SIP;cause=200"), IBK_OK);
    world_run(s->w, 100 * SIP_S);
    assert_int_equal(s->alice.cause, SIP_CAUSE_BYE);
    assert_int_equal(s->bob.ended, 1);
    scene_free(s);
}

/* Every call comes up and goes down although one datagram of five is lost. */
static void lossy_wire(void **state) {
    (void)state;
    for (uint32_t seed = 1; seed <= 40; seed++) {
        size_t proxies = seed % 3;
        scene *s = scene_new(20, seed * 7919, proxies, NULL);
        s->bob.reliable = seed % 2;
        call_bob(s, proxies, 100);
        world_run(s->w, 40 * SIP_S);
        if (s->alice.answered != 1 || s->bob.acked != 1)
            print_message("seed %u:\n%s\n%s\n", seed, s->alice.n->log, s->bob.n->log);
        assert_int_equal(s->alice.answered, 1);
        assert_int_equal(s->bob.acked, 1);
        assert_true(!s->bob.reliable || s->alice.progress == 1);
        assert_int_equal(sip_call_hangup(seed % 4 < 2 ? s->alice.call : s->bob.call, NULL), IBK_OK);
        world_run(s->w, 300 * SIP_S);
        assert_int_equal(s->alice.ended, 1);
        assert_int_equal(s->bob.ended, 1);
        for (size_t i = 0; i < s->w->count; i++) {
            const sip_stats *stats = sip_stack_stats(s->w->node[i].stack);
            assert_int_equal(stats->clients, 0);
            assert_int_equal(stats->servers, 0);
            assert_true(!s->w->node[i].proxy || sip_proxy_context_count(s->w->node[i].proxy) == 0);
        }
        assert_null(s->w->timers);
        scene_free(s);
    }
}

static void large_invite_goes_by_tcp(void **state) {
    (void)state;
    scene *s = scene_new(0, 1, 1, NULL);
    s->bob.reliable = true;
    call_bob(s, 1, 3000);
    world_run(s->w, 5 * SIP_S);
    assert_int_equal(s->alice.answered, 1);
    assert_int_equal(sip_stack_stats(s->alice.n->stack)->tcp_by_size, 1);
    assert_non_null(strstr(s->alice.n->log, ">INVITE/t <100 Trying/t <183 Session Progress/t >PRACK "));
    assert_non_null(strstr(s->bob.n->log, "<INVITE/t "));
    scene_free(s);
}

static void tcp_by_size_falls_back_to_udp(void **state) {
    (void)state;
    scene *s = scene_new(0, 1, 0, NULL);
    s->bob.n->no_tcp = true;
    call_bob(s, 0, 3000);
    world_run(s->w, 5 * SIP_S);
    assert_int_equal(s->alice.answered, 1);
    assert_int_equal(sip_stack_stats(s->alice.n->stack)->tcp_fallbacks, 1);
    scene_free(s);
}

static void proxies_record_their_route(void **state) {
    (void)state;
    scene *s = scene_new(0, 1, 2, NULL);
    s->bob.reliable = true;
    call_bob(s, 2, 100);
    world_run(s->w, 5 * SIP_S);
    const sip_dialog *a = sip_leg_dialog(sip_call_active_leg(s->alice.call));
    const sip_dialog *b = sip_leg_dialog(sip_call_active_leg(s->bob.call));
    assert_int_equal(a->route_count, 2);
    assert_string_equal(a->route[0].uri.host, "p0");
    assert_string_equal(a->route[1].uri.host, "p1");
    assert_string_equal(a->route[0].uri.user, "mid");
    assert_int_equal(b->route_count, 2);
    assert_string_equal(b->route[0].uri.host, "p1");
    assert_string_equal(s->w->node[2].log,
                        "<INVITE >100 Trying >INVITE <100 Trying <183 Session Progress >183 Session Progress "
                        "<PRACK >PRACK <200 OK >200 OK <200 OK >200 OK <ACK >ACK ");
    assert_int_equal(sip_call_hangup(s->bob.call, NULL), IBK_OK);
    world_run(s->w, 100 * SIP_S);
    assert_int_equal(s->alice.cause, SIP_CAUSE_BYE);
    scene_free(s);
}

static void cancel_of_an_early_call(void **state) {
    (void)state;
    for (size_t proxies = 0; proxies < 3; proxies++) {
        scene *s = scene_new(proxies ? 10 : 0, 3, proxies, NULL);
        s->bob.never_answer = true;
        call_bob(s, proxies, 100);
        world_run(s->w, 5 * SIP_S);
        assert_int_equal(s->alice.progress, 1);
        assert_int_equal(sip_call_hangup(s->alice.call, "SIP;cause=487"), IBK_OK);
        world_run(s->w, 200 * SIP_S);
        assert_int_equal(s->bob.cancelled, 1);
        assert_int_equal(s->bob.cause, SIP_CAUSE_CANCELLED);
        assert_int_equal(s->alice.last_status, 487);
        assert_int_equal(s->alice.cause, SIP_CAUSE_LOCAL);
        assert_null(s->w->timers);
        scene_free(s);
    }
}

/* CANCEL is held back until the first provisional response. */
static void cancel_before_any_response(void **state) {
    (void)state;
    scene *s = scene_new(0, 1, 0, NULL);
    s->bob.never_answer = true;
    call_bob(s, 0, 100);
    assert_int_equal(sip_call_hangup(s->alice.call, NULL), IBK_OK);
    world_run(s->w, 100 * SIP_S);
    assert_string_equal(s->alice.n->log,
                        ">INVITE <180 Ringing >CANCEL <200 OK <487 Request Terminated >ACK ");
    assert_int_equal(s->alice.ended, 1);
    scene_free(s);
}

static void rejection(void **state) {
    (void)state;
    scene *s = scene_new(20, 5, 1, NULL);
    s->bob.reject = true;
    call_bob(s, 1, 100);
    world_run(s->w, 200 * SIP_S);
    assert_int_equal(s->alice.last_status, 486);
    assert_int_equal(s->alice.cause, SIP_CAUSE_RESPONSE);
    assert_int_equal(s->bob.ended, 1);
    assert_int_equal(s->bob.cause, SIP_CAUSE_LOCAL);
    assert_null(s->w->timers);
    scene_free(s);
}

static void timer_b(void **state) {
    (void)state;
    scene *s = scene_new(0, 1, 0, NULL);
    s->bob.n->deaf = true;
    call_bob(s, 0, 100);
    world_run(s->w, 100 * SIP_S);
    assert_int_equal(s->alice.cause, SIP_CAUSE_TIMEOUT);
    assert_int_equal(sip_stack_stats(s->alice.n->stack)->retransmissions_sent,
                     6); // at 0.5 1.5 3.5 7.5 15.5 31.5 s
    assert_int_equal(s->w->now, 32 * SIP_S);
    scene_free(s);
}

static void timer_b_at_a_proxy_is_408(void **state) {
    (void)state;
    scene *s = scene_new(0, 1, 1, NULL);
    s->bob.n->deaf = true;
    call_bob(s, 1, 100);
    world_run(s->w, 200 * SIP_S);
    assert_int_equal(s->alice.cause, SIP_CAUSE_RESPONSE);
    assert_int_equal(s->alice.last_status, 408);
    scene_free(s);
}

static void timer_h(void **state) {
    (void)state;
    scene *s = scene_new(0, 1, 0, NULL);
    s->bob.reject = true;
    call_bob(s, 0, 100);
    world_run(s->w, 15 * SIP_MS);
    s->alice.n->deaf = true;
    world_run(s->w, 100 * SIP_S);
    assert_int_equal(s->bob.ended, 1);
    assert_int_equal(sip_stack_stats(s->bob.n->stack)->timeouts, 1);
    // G at 0.5 1.5 3.5 7.5 s and every 4 s: 10; and one for each of the 6 INVITEs that timer A repeats
    assert_int_equal(sip_stack_stats(s->bob.n->stack)->retransmissions_sent, 16);
    scene_free(s);
}

/* No PRACK in 64*T1: 504. No ACK in 64*T1: BYE. */
static void nobody_acknowledges(void **state) {
    (void)state;
    scene *s = scene_new(0, 1, 0, NULL);
    s->bob.reliable = s->alice.no_prack = true;
    call_bob(s, 0, 100);
    world_run(s->w, 200 * SIP_S);
    assert_int_equal(s->alice.last_status, 504);
    assert_int_equal(s->alice.progress, 1);
    assert_int_equal(s->bob.cause, SIP_CAUSE_TIMEOUT);
    scene_free(s);
    s = scene_new(0, 1, 0, NULL);
    s->alice.silent_ack = true;
    call_bob(s, 0, 100);
    world_run(s->w, 200 * SIP_S);
    assert_int_equal(s->alice.cause, SIP_CAUSE_BYE);
    assert_int_equal(s->bob.ended, 1);
    assert_int_equal(s->alice.answered, 1);
    scene_free(s);
}

static void callee_hangs_up(void **state) {
    (void)state;
    scene *s = scene_new(0, 1, 0, NULL);
    s->bob.never_answer = true;
    call_bob(s, 0, 100);
    world_run(s->w, SIP_S);
    assert_int_equal(sip_call_hangup(s->bob.call, NULL), IBK_OK);
    world_run(s->w, 100 * SIP_S);
    assert_int_equal(s->alice.last_status, 603);
    assert_int_equal(s->bob.ended, 1);
    scene_free(s);
}

static void refuses_what_it_cannot_do(void **state) {
    (void)state;
    scene *s = scene_new(0, 1, 0, NULL);
    sip_arena arena = {0};
    sip_name_addr alice = world_party(&arena, "sip:alice@alice"), bob = world_party(&arena, "sip:bob@bob");
    sip_msg *invite = sip_ua_request(s->alice.n->ua, "INVITE", &bob.uri, &alice, &bob);
    sip_header_add(invite, "Require", "100rel, precondition");
    assert_int_equal(sip_call_invite(s->alice.n->ua, &s->alice.call, invite, NULL, NULL), IBK_OK);
    world_run(s->w, 100 * SIP_S);
    assert_int_equal(s->alice.last_status, 420);
    sip_name_addr nobody = world_party(&arena, "sip:x@unknown.example");
    invite = sip_ua_request(s->alice.n->ua, "INVITE", &nobody.uri, &alice, &nobody);
    assert_int_equal(sip_call_invite(s->alice.n->ua, NULL, invite, NULL, NULL), IBK_ERR_NO_PARAMS);
    assert_int_equal(sip_ua_call_count(s->alice.n->ua), 0);
    sip_arena_free(&arena);
    scene_free(s);
}

/* Either side hangs up at any moment, on a wire that loses: both sides come to an end and nothing is left
 * running. */
static void hung_up_at_any_moment(void **state) {
    (void)state;
    for (uint32_t seed = 1; seed <= 120; seed++) {
        size_t proxies = seed % 3;
        scene *s = scene_new(seed % 5 ? 15 : 0, seed * 104729, proxies, NULL);
        s->bob.reliable = seed % 2;
        s->bob.never_answer = seed % 7 == 0;
        call_bob(s, proxies, seed % 4 ? 100 : 2000);
        world_run(s->w, seed * 5 * SIP_MS);
        if (s->alice.call && seed % 3)
            (void)sip_call_hangup(s->alice.call, NULL);
        if (s->bob.call && seed % 3 != 1)
            (void)sip_call_hangup(s->bob.call, NULL);
        world_run(s->w, 600 * SIP_S);
        if (s->bob.call) // a ringing callee whose caller's CANCEL never came by: it hangs up at last
            (void)sip_call_hangup(s->bob.call, NULL);
        if (s->alice.call)
            (void)sip_call_hangup(s->alice.call, NULL);
        world_run(s->w, 1200 * SIP_S);
        assert_int_equal(s->alice.ended, 1);
        assert_null(s->bob.call);
        assert_null(s->w->timers);
        for (size_t i = 0; i < s->w->count; i++)
            assert_int_equal(sip_stack_stats(s->w->node[i].stack)->servers +
                                 sip_stack_stats(s->w->node[i].stack)->clients,
                             0);
        scene_free(s);
    }
}

/* Freeing everything in the middle of a call leaves nothing behind (LeakSanitizer judges). */
static void freed_at_any_moment(void **state) {
    (void)state;
    for (uint64_t at = 0; at < 120; at += 5) {
        scene *s = scene_new(0, 1, 1, NULL);
        s->bob.reliable = true;
        call_bob(s, 1, 100);
        world_run(s->w, at * SIP_MS);
        scene_free(s);
    }
}

static int setup(void **state) {
    (void)state;
    return sip_init() == IBK_OK ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_call_and_bye),
        cmocka_unit_test(reliable_call_with_prack),
        cmocka_unit_test(lossy_wire),
        cmocka_unit_test(large_invite_goes_by_tcp),
        cmocka_unit_test(tcp_by_size_falls_back_to_udp),
        cmocka_unit_test(proxies_record_their_route),
        cmocka_unit_test(cancel_of_an_early_call),
        cmocka_unit_test(cancel_before_any_response),
        cmocka_unit_test(rejection),
        cmocka_unit_test(timer_b),
        cmocka_unit_test(timer_b_at_a_proxy_is_408),
        cmocka_unit_test(timer_h),
        cmocka_unit_test(nobody_acknowledges),
        cmocka_unit_test(callee_hangs_up),
        cmocka_unit_test(refuses_what_it_cannot_do),
        cmocka_unit_test(hung_up_at_any_moment),
        cmocka_unit_test(freed_at_any_moment),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
