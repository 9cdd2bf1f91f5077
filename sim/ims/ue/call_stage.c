#include "ims/ue/call_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char text[] = "ibakelab: 1\n"
                           "title: stage\n"
                           "domains: [{name: home.example, kms: {parameters: 1024}}]\n"
                           "users: [{name: alice}, {name: bob}]\n"
                           "calls: [{name: first, from: alice, to: bob, ring-time: 100 ms, duration: 9 min,\n"
                           "  actions: [{at: 8 min, by: callee, do: update, count: 4}]}]\n"
                           "expect: {calls: {established: all}}\n";

static int up(void **state, const char *const *sets, size_t count) {
    call_stage *s = calloc(1, sizeof *s);
    scn_errors errors = {0};
    ibk_diag diag = {0};
    assert_non_null(s);
    assert_int_equal(sip_init(), IBK_OK);
    assert_true(media_library_start());
    if (scn_load_text(&s->scenario, &errors, "stage.yaml", ibk_span_str(text), sets, count))
        scn_errors_print(&errors, stderr, false);
    assert_non_null(s->scenario);
    s->log = trace_new();
    s->events = trace_memory_new(100000);
    assert_int_equal(trace_add_sink(s->log, TRACE_MASK(TRACE_SIP), trace_memory_event, s->events), IBK_OK);
    const world_outputs outputs = {.log = s->log};
    assert_int_equal(world_new(&s->world, s->scenario, &outputs, &diag), IBK_OK);
    s->alice = s->world->users[0];
    s->bob = s->world->users[1];
    call_stage_play(s, 5000);
    assert_int_equal(s->alice->call_count, 1);
    assert_int_equal(s->bob->call_count, 1);
    s->caller = s->alice->calls[0];
    s->callee = s->bob->calls[0];
    assert_true(s->caller->midcall && s->callee->midcall);
    *state = s;
    return 0;
}

int call_stage_up(void **state) {
    return up(state, NULL, 0);
}

int call_stage_up_slow(void **state) {
    static const char *const sets[] = {"users.bob.cpu=phone"};
    return up(state, sets, 1);
}

int call_stage_down(void **state) {
    call_stage *s = *state;
    world_free(s->world);
    trace_memory_free(s->events);
    trace_free(s->log);
    scn_free(s->scenario);
    media_library_stop();
    free(s);
    return 0;
}

void call_stage_play(call_stage *s, uint64_t ms) {
    s->now_ns += ms * SIP_MS;
    assert_int_equal(n3_run_until(s->world->ims.sim, s->now_ns), N3_OK);
}

void call_stage_send(call_stage *s, const char *method, const char *sdp) {
    sip_leg *leg = s->caller->leg->sip;
    sip_msg *request = sip_leg_new_request(leg, method);
    assert_non_null(request);
    if (sdp)
        sip_msg_set_body(request, UE_SDP_TYPE, ibk_span_str(sdp));
    assert_int_equal(sip_leg_send(leg, request), IBK_OK);
    call_stage_play(s, 3000);
}

const char *call_stage_sdp(const char *first, const char *rest) {
    static char out[2000];
    static unsigned version = 100;
    snprintf(out, sizeof out,
             "v=0\r\no=- 1 %u IN IP4 10.1.0.1\r\ns=-\r\nc=IN IP4 10.1.0.1\r\nt=0 0\r\n"
             "m=audio 20000 RTP/SAVP 0\r\na=rtpmap:0 PCMU/8000\r\n%s%s",
             version++, first, rest);
    return out;
}

const char *call_stage_heard(const call_stage *s, const char *node) {
    static char label[80];
    label[0] = 0;
    for (size_t i = 0; i < trace_memory_count(s->events); i++) {
        const trace_event *e = trace_memory_at(s->events, i);
        ibk_span at = trace_event_text(e, "label");
        if (strcmp(e->node, node) == 0 && strcmp(e->event, "received") == 0)
            snprintf(label, sizeof label, "%.*s", (int)at.len, (const char *)at.data);
    }
    return label;
}

const ue_update *call_stage_last(const ue_call *call) {
    assert_true(call->view.update_count > 0);
    return &call->view.updates[call->view.update_count - 1];
}
