/* Forked calls: a proxy with several branches, and a caller with several dialogs. */
#include "ims/sip/world_fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct party {
    node *n;
    int rings;   /* callee: sends 180 and waits this many seconds before its 200; < 0: for ever; 0: at once */
    int rejects; /* callee: final status instead */
    bool drops;  /* caller: ends the first dialog that shows up */
    sip_call *call;
    sip_leg *dropped;
    int progress, answered, ended, cancelled, acked;
    int last_status;
    sip_cause cause;
} party;

/* What the proxy does when the branches have failed. */
static struct {
    bool fork_at_first;        /* to bob and carol at once; else to bob */
    bool sequential, redirect; /* then to carol; then 302 */
    uint64_t withdraw_after;   /* ns; 0: never */
    sip_msg *request;          /* a copy, for the next branch */
    sip_forward *forward;
    int exhausted, best, done;
} plan;

/* ---- callees and caller ------------------------------------------------------------------------------- */

static void answer_now(void *arg) {
    party *p = arg;
    if (p->call)
        (void)sip_call_reply(p->call, 200, false, NULL, (ibk_span){0});
}

static void incoming(void *user, sip_call *call, const sip_msg *invite) {
    party *p = user;
    (void)invite;
    p->call = call;
    if (p->rejects) {
        assert_int_equal(sip_call_reply(call, p->rejects, false, NULL, (ibk_span){0}), IBK_OK);
        return;
    }
    assert_int_equal(sip_call_reply(call, 180, false, NULL, (ibk_span){0}), IBK_OK);
    if (p->rings == 0)
        answer_now(p);
    else if (p->rings > 0)
        p->n->env.timer_start(p->n->env.user, (uint64_t)p->rings * SIP_S, answer_now, p);
}

static void acked(void *user, sip_call *call, sip_leg *leg, const sip_msg *ack) {
    (void)call, (void)leg, (void)ack;
    ((party *)user)->acked++;
}

static void cancelled(void *user, sip_call *call) {
    (void)call;
    ((party *)user)->cancelled++;
}

static void progress(void *user, sip_call *call, sip_leg *leg, const sip_msg *response, bool reliable) {
    party *p = user;
    (void)call, (void)response, (void)reliable;
    p->progress++;
    if (!p->drops || p->dropped)
        return;
    p->dropped = leg;
    assert_int_equal(sip_leg_end(leg, "MIKEY;cause=0"), IBK_OK);
    assert_int_equal(sip_leg_end(leg, NULL), IBK_ERR_STATE); /* once */
}

static void answered(void *user, sip_call *call, sip_leg *leg, const sip_msg *response) {
    party *p = user;
    (void)call;
    p->answered++;
    p->last_status = response->status;
    assert_int_equal(sip_leg_ack(leg, NULL, (ibk_span){0}), IBK_OK);
    assert_int_equal(sip_leg_end(leg, NULL), IBK_ERR_STATE); /* that is for sip_call_hangup */
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
                               .ended = ended};

/* ---- the proxy ------------------------------------------------------------------------------------------
 */

static sip_msg *copy_to(const char *host) {
    sip_msg *copy = sip_msg_clone(plan.request);
    copy->uri.host = sip_arena_str(&copy->arena, host);
    return copy;
}

static void withdraw(void *arg) {
    (void)arg;
    if (plan.forward)
        sip_proxy_withdraw(plan.forward);
}

static void proxy_request(void *user, sip_server *server, const sip_msg *request) {
    node *n = user;
    sip_proxy_target target = {.record_route = false};
    if (!sip_proxy_check(n->proxy, server))
        return;
    sip_msg *copy = sip_proxy_copy(n->proxy, request, NULL);
    if (!sip_is(request, "INVITE") || sip_to_tag(request)) {
        (void)sip_proxy_forward(n->proxy, NULL, server, copy, &target, NULL);
        return;
    }
    plan.request = copy;
    assert_int_equal(sip_proxy_forward(n->proxy, &plan.forward, server, copy_to("bob"), &target, &plan),
                     IBK_OK);
    if (plan.fork_at_first)
        assert_int_equal(sip_proxy_fork(plan.forward, copy_to("carol"), &target), IBK_OK);
    if (plan.withdraw_after)
        n->env.timer_start(n->env.user, plan.withdraw_after, withdraw, NULL);
}

static void on_exhausted(void *user, sip_forward *forward, const sip_msg *best) {
    sip_proxy_target target = {.record_route = false};
    if (!user)
        return;
    plan.exhausted++;
    plan.best = best ? best->status : 0;
    if (plan.sequential) {
        plan.sequential = false;
        assert_int_equal(sip_proxy_fork(forward, copy_to("carol"), &target), IBK_OK);
    } else if (plan.redirect) {
        sip_server *server = sip_forward_server(forward);
        sip_msg *response = sip_response_new(sip_server_request(server), 302, NULL, sip_server_tag(server));
        assert_int_equal(sip_proxy_answer(forward, response), IBK_OK);
        response = sip_response_new(sip_server_request(server), 181, NULL, NULL);
        assert_int_equal(sip_proxy_answer(forward, response), IBK_ERR_STATE); /* too late */
    }
}

static void on_done(void *user, sip_forward *forward) {
    (void)forward;
    if (!user)
        return;
    plan.done++;
    plan.forward = NULL;
}

/* ---- scenery --------------------------------------------------------------------------------------------
 */

typedef struct scene {
    world *w;
    party alice, bob, carol;
    node *p;
} scene;

static scene *scene_new(void) {
    static const sip_proxy_ops proxy_ops = {.exhausted = on_exhausted, .done = on_done};
    scene *s = calloc(1, sizeof *s);
    s->w = world_new(0, 3);
    party *parties[] = {&s->alice, &s->bob, &s->carol};
    static const char *const names[] = {"alice", "bob", "carol"};
    for (size_t i = 0; i < 3; i++) {
        sip_core core = world_ua_core(s->w);
        parties[i]->n = world_add(s->w, names[i], &core, NULL);
        world_make_ua(parties[i]->n, &ops, parties[i]);
    }
    sip_core core = world_proxy_core(s->w, proxy_request);
    s->p = world_add(s->w, "p", &core, NULL);
    sip_uri self = {.scheme = "sip", .host = "p"};
    sip_proxy_config config = {.self = &self, .self_count = 1};
    assert_int_equal(sip_proxy_new(&s->p->proxy, s->p->stack, &config, &proxy_ops), IBK_OK);
    sip_msg_free(plan.request);
    memset(&plan, 0, sizeof plan);
    return s;
}

static void scene_free(scene *s) {
    assert_int_equal(sip_proxy_context_count(s->p->proxy), 0);
    world_free(s->w);
    sip_msg_free(plan.request);
    plan.request = NULL;
    free(s);
}

static void call_bob(scene *s, uint64_t play_ns) {
    sip_arena arena = {0};
    sip_name_addr alice = world_party(&arena, "sip:alice@alice"), bob = world_party(&arena, "sip:bob@bob");
    sip_name_addr route = world_party(&arena, "sip:p;lr");
    sip_msg *invite = sip_ua_request(s->alice.n->ua, "INVITE", &bob.uri, &alice, &bob);
    sip_route_append(invite, &route);
    assert_int_equal(sip_call_invite(s->alice.n->ua, &s->alice.call, invite, NULL, NULL), IBK_OK);
    sip_arena_free(&arena);
    world_run(s->w, play_ns);
}

/* ---- the caller's dialogs -------------------------------------------------------------------------------
 */

/* The first dialog is ended by BYE; the other one becomes the call. */
static void one_dialog_ends_the_call_goes_on(void **state) {
    (void)state;
    scene *s = scene_new();
    plan.fork_at_first = s->alice.drops = true;
    s->bob.rings = -1;
    s->carol.rings = 3;
    call_bob(s, 30 * SIP_S);
    assert_int_equal(s->bob.ended, 1);
    assert_int_equal(s->bob.cause, SIP_CAUSE_BYE);
    assert_int_equal(s->alice.answered, 1);
    assert_int_equal(s->alice.ended, 0);
    assert_int_equal(s->carol.acked, 1);
    assert_ptr_not_equal(sip_call_active_leg(s->alice.call), s->alice.dropped);
    assert_int_equal(sip_call_hangup(s->alice.call, NULL), IBK_OK);
    world_run(s->w, 200 * SIP_S);
    assert_int_equal(s->alice.ended, 1);
    assert_int_equal(s->carol.cause, SIP_CAUSE_BYE);
    scene_free(s);
}

/* The only dialog is ended: 487 is what remains of the INVITE. */
static void the_last_dialog_ends(void **state) {
    (void)state;
    scene *s = scene_new();
    s->alice.drops = true;
    s->bob.rings = -1;
    call_bob(s, 200 * SIP_S);
    assert_int_equal(s->alice.ended, 1);
    assert_int_equal(s->alice.last_status, 487);
    assert_int_equal(s->alice.answered, 0);
    assert_int_equal(s->bob.ended, 1);
    scene_free(s);
}

/* A 2xx crosses the BYE of its dialog: acknowledged, ended, no call. */
static void answer_of_an_ended_dialog(void **state) {
    (void)state;
    scene *s = scene_new();
    s->alice.drops = true; /* BYE upon the 180, which the 200 follows at once */
    call_bob(s, 200 * SIP_S);
    assert_int_equal(s->alice.answered, 0);
    assert_int_equal(s->alice.ended, 1);
    assert_int_equal(s->bob.ended, 1);
    scene_free(s);
}

/* Both answer in the same moment: the first 2xx is the call, the other is acknowledged and ended by BYE. */
static void two_answers(void **state) {
    (void)state;
    scene *s = scene_new();
    plan.fork_at_first = true;
    s->bob.rings = s->carol.rings = 2;
    call_bob(s, 30 * SIP_S);
    assert_int_equal(s->alice.answered, 1);
    assert_int_equal(s->alice.ended, 0); /* the BYE of the other does not end the call */
    assert_int_equal(s->bob.acked, 1);
    assert_int_equal(s->carol.acked, 1);
    assert_int_equal(s->bob.ended + s->carol.ended, 1);
    assert_int_equal(sip_call_hangup(s->alice.call, NULL), IBK_OK);
    world_run(s->w, 200 * SIP_S);
    assert_int_equal(s->bob.ended + s->carol.ended, 2);
    assert_int_equal(s->alice.ended, 1);
    scene_free(s);
}

/* ---- the proxy's branches --------------------------------------------------------------------------------
 */

static void the_others_are_cancelled(void **state) {
    (void)state;
    scene *s = scene_new();
    plan.fork_at_first = true;
    s->bob.rings = -1;
    s->carol.rings = 1;
    call_bob(s, 30 * SIP_S);
    assert_int_equal(s->alice.answered, 1);
    assert_int_equal(s->bob.cancelled, 1);
    assert_int_equal(s->carol.cancelled, 0);
    assert_int_equal(plan.exhausted, 0);
    (void)sip_call_hangup(s->alice.call, NULL);
    world_run(s->w, 400 * SIP_S);
    assert_int_equal(plan.done, 1);
    scene_free(s);
}

static void next_branch_when_one_fails(void **state) {
    (void)state;
    scene *s = scene_new();
    plan.sequential = true;
    s->bob.rejects = 486;
    call_bob(s, 30 * SIP_S);
    assert_int_equal(plan.exhausted, 1);
    assert_int_equal(plan.best, 486);
    assert_int_equal(s->alice.answered, 1);
    assert_int_equal(s->carol.acked, 1);
    (void)sip_call_hangup(s->alice.call, NULL);
    world_run(s->w, 400 * SIP_S);
    scene_free(s);
}

static void the_node_answers_itself(void **state) {
    (void)state;
    scene *s = scene_new();
    plan.redirect = true;
    s->bob.rejects = 480;
    call_bob(s, 400 * SIP_S);
    assert_int_equal(s->alice.ended, 1);
    assert_int_equal(s->alice.last_status, 302);
    assert_int_equal(plan.done, 1);
    scene_free(s);
}

/* A branch whose time is over counts as 408, and the next one is tried. */
static void a_branch_is_withdrawn(void **state) {
    for (int then = 0; then < 2; then++) {
        (void)state;
        scene *s = scene_new();
        plan.withdraw_after = 5 * SIP_S;
        plan.sequential = then;
        s->bob.rings = -1;
        call_bob(s, 100 * SIP_S);
        assert_int_equal(s->bob.cancelled, 1);
        assert_int_equal(plan.best, 408);
        assert_int_equal(s->alice.last_status, then ? 200 : 408);
        if (then)
            (void)sip_call_hangup(s->alice.call, NULL);
        world_run(s->w, 400 * SIP_S);
        scene_free(s);
    }
}

/* 6xx speaks for the user: nobody else is tried (RFC 3261 §16.7 step 5). The same after a CANCEL. */
static void nobody_else_is_tried(void **state) {
    (void)state;
    scene *s = scene_new();
    plan.sequential = true;
    s->bob.rejects = 603;
    call_bob(s, 400 * SIP_S);
    assert_int_equal(s->alice.last_status, 603);
    assert_int_equal(plan.exhausted, 0);
    scene_free(s);
    s = scene_new();
    plan.sequential = true;
    s->bob.rings = -1;
    call_bob(s, 2 * SIP_S);
    assert_int_equal(sip_call_hangup(s->alice.call, NULL), IBK_OK);
    world_run(s->w, 400 * SIP_S);
    assert_int_equal(s->alice.last_status, 487);
    assert_int_equal(plan.exhausted, 0);
    assert_int_equal(s->carol.progress, 0);
    scene_free(s);
}

static int set_up(void **state) {
    (void)state;
    return sip_init() == IBK_OK ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_dialog_ends_the_call_goes_on),
        cmocka_unit_test(the_last_dialog_ends),
        cmocka_unit_test(answer_of_an_ended_dialog),
        cmocka_unit_test(two_answers),
        cmocka_unit_test(the_others_are_cancelled),
        cmocka_unit_test(next_branch_when_one_fails),
        cmocka_unit_test(the_node_answers_itself),
        cmocka_unit_test(a_branch_is_withdrawn),
        cmocka_unit_test(nobody_else_is_tried),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
