/* Offers and answers in the middle of a call: what scenarios do not come to, because both parties behave
 * there. */
#include "ims/ue/call_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { MS = 1000000 };

static void assert_begins(const char *text, const char *beginning) {
    if (strncmp(text, beginning, strlen(beginning)) != 0)
        fail_msg("'%s' does not begin with '%s'", text, beginning);
}

/* ---- by itself ------------------------------------------------------------------------------------------
 */

/* RFC 3261 §14.1: 2.1 to 4 s for the owner of the Call-ID, 0 to 2 s for the other, in units of 10 ms.
 * Whatever is drawn, the owner comes second: the two do not meet again. */
static void glare_timers(void **state) {
    (void)state;
    uint64_t least[2] = {UINT64_MAX, UINT64_MAX}, most[2] = {0, 0};
    for (uint64_t random = 0; random < 20000; random++)
        for (int owner = 0; owner < 2; owner++) {
            uint64_t delay = ue_glare_delay_ns(random * UINT64_C(0x9E3779B97F4A7C15), owner);
            assert_int_equal(delay % (10 * MS), 0);
            least[owner] = delay < least[owner] ? delay : least[owner];
            most[owner] = delay > most[owner] ? delay : most[owner];
        }
    assert_int_equal(least[0], 0);
    assert_int_equal(most[0], UINT64_C(2000) * MS);
    assert_int_equal(least[1], UINT64_C(2100) * MS);
    assert_int_equal(most[1], UINT64_C(4000) * MS);
}

static void names_are_those_of_scenarios(void **state) {
    (void)state;
    assert_string_equal(ue_update_name(SCN_DO_UPDATE), "update");
    assert_string_equal(ue_update_name(SCN_DO_REMOVE_VIDEO), "remove-video");
    assert_string_equal(ue_update_name((scn_do)0), "none");
}

/* ---- what the other party offers ------------------------------------------------------------------------
 */

static void hold_and_resume(void **state) {
    call_stage *s = *state;
    call_stage_send(s, "UPDATE", call_stage_sdp("a=sendonly\r\n", ""));
    const ue_update *u = call_stage_last(s->callee);
    assert_true(u->done && u->ok && !u->by_us && !u->csb && u->what == SCN_DO_HOLD);
    ue_media_observe(s->callee);
    uint64_t sent = s->callee->view.stats.sent;
    call_stage_play(s, 1000);
    ue_media_observe(s->callee);
    assert_int_equal(s->callee->view.stats.sent, sent); /* who is held says nothing */
    call_stage_send(s, "UPDATE", call_stage_sdp("", ""));
    assert_int_equal(call_stage_last(s->callee)->what, SCN_DO_RESUME);
    ue_media_observe(s->callee);
    assert_true(s->callee->view.stats.sent > sent);
}

/* RFC 3264 §8: m-lines stay where they are and are never fewer; what we do not know is refused in its place.
 */
static void lines_keep_their_places(void **state) {
    call_stage *s = *state;
    ue_leg *leg = s->callee->leg;
    ibk_buf offer = {0};
    call_stage_send(s, "UPDATE", call_stage_sdp("", "m=audio 4002 RTP/SAVP 0\r\nm=image 4004 udptl t38\r\n"));
    assert_int_equal(call_stage_last(s->callee)->sip_status, 200);
    assert_int_equal(leg->lines, 3);
    assert_int_equal(leg->line[UE_AUDIO], 1);
    assert_int_equal(leg->line[UE_VIDEO], 0);
    ue_sdp_give_line(leg, UE_VIDEO);
    assert_int_equal(leg->line[UE_VIDEO], 4);
    assert_int_equal(ue_cs_id(leg, UE_VIDEO, true), 7); /* RFC 4567 §7.1 */
    assert_int_equal(ue_cs_id(leg, UE_VIDEO, false), 8);
    leg->line[UE_VIDEO] = 0;
    assert_int_equal(ue_sdp_write(leg, &offer, false, (ibk_span){0}), IBK_OK);
    assert_int_equal(ibk_buf_append(&offer, "", 1), IBK_OK);
    const char *lines = strstr((char *)offer.data, "m=audio 20000 ");
    assert_non_null(lines);
    assert_non_null(lines = strstr(lines + 1, "\r\nm=audio 0 RTP/SAVP 0\r\n"));
    assert_non_null(lines = strstr(lines + 1, "\r\nm=image 0 udptl 0\r\n"));
    assert_null(strstr(lines + 4, "m="));
    ibk_buf_free(&offer);
    call_stage_send(s, "UPDATE", call_stage_sdp("", "")); /* two of them are gone */
    assert_int_equal(call_stage_last(s->callee)->sip_status, 488);
    assert_int_equal(leg->lines, 3);
    assert_int_equal(leg->remote->media_count, 3);
}

/* Pictures without crypto sessions are refused, and the call goes on. */
static void pictures_need_keys(void **state) {
    call_stage *s = *state;
    const ue_leg *leg = s->callee->leg;
    call_stage_send(s, "UPDATE",
                    call_stage_sdp("", "m=video 4002 RTP/SAVP 96\r\na=rtpmap:96 H264/90000\r\n"));
    assert_int_equal(call_stage_last(s->callee)->sip_status, 200);
    assert_false(leg->video);
    assert_int_equal(leg->line[UE_VIDEO], 2);
    assert_false(midcall_has_crypto_sessions(leg, UE_VIDEO));
    assert_true(midcall_has_crypto_sessions(leg, UE_AUDIO));
    assert_false(s->callee->view.ended.set);
}

static void what_cannot_be_read_changes_nothing(void **state) {
    call_stage *s = *state;
    static const char video[] =
        "m=video 4002 RTP/SAVP 96\r\na=rtpmap:96 H264/90000\r\na=key-mgmt:mikey AAAA\r\n";
    static const char *const bad[] = {"nonsense", "v=0\r\n", ""};
    const sip_sdp *agreed = s->callee->leg->remote;
    for (size_t i = 0; i < 3; i++) {
        const char *sdp = i < 2 ? bad[i] : call_stage_sdp("a=key-mgmt:mikey AAAA\r\n", video);
        call_stage_send(s, "UPDATE", sdp);
        const ue_update *u = call_stage_last(s->callee);
        assert_true(u->done && !u->ok && u->sip_status == 488 && u->reason);
        assert_begins(call_stage_heard(s, "alice"), "488 ");
        assert_ptr_equal(s->callee->leg->remote, agreed);
        assert_null(s->callee->midcall->agreed);
        assert_int_equal(s->callee->leg->line[UE_VIDEO], 0);
        assert_int_equal(s->callee->leg->lines, 1);
        assert_int_equal(s->callee->midcall->message.len, 0);
    }
    assert_int_equal(s->callee->view.update_count, 3);
    call_stage_send(s, "UPDATE", call_stage_sdp("", ""));
    assert_int_equal(call_stage_last(s->callee)->sip_status, 200); /* it still answers */
}

static void other_requests(void **state) {
    call_stage *s = *state;
    call_stage_send(s, "UPDATE", NULL); /* a refresh, RFC 4028 §7.4 */
    assert_begins(call_stage_heard(s, "alice"), "200 ");
    call_stage_send(s, "INFO", NULL);
    assert_begins(call_stage_heard(s, "alice"), "488 ");
    assert_int_equal(s->callee->view.update_count, 0);
}

/* What belongs into mid call and overtakes the ACK is in order, but too early: a 488 would end the caller's
 * rekeying. */
static void before_the_ack_it_is_too_early(void **state) {
    call_stage *s = *state;
    ue_midcall *m = s->callee->midcall;
    s->callee->midcall = NULL;
    call_stage_send(s, "UPDATE", call_stage_sdp("", ""));
    assert_begins(call_stage_heard(s, "alice"), "500 ");
    s->callee->midcall = m;
    s->caller->midcall = (m = s->caller->midcall, NULL);
    sip_leg *leg = s->callee->leg->sip;
    assert_int_equal(sip_leg_request(leg, "UPDATE", UE_SDP_TYPE, ibk_span_str(call_stage_sdp("", ""))),
                     IBK_OK);
    call_stage_play(s, 3000);
    assert_begins(call_stage_heard(s, "bob"), "500 ");
    s->caller->midcall = m;
}

/* With `reinvite` the INVITE is answered before the exchange is complete: when that fails, there is nothing
 * left to refuse, and BYE ends the call on both sides. */
static void an_exchange_that_fails_after_the_answer_ends_the_call(void **state) {
    call_stage *s = *state;
    const ibk_step step = {.kind = IBK_STEP_CLOSED, .reason = IBK_ERR_TIMEOUT};
    ue_callee_step(s->callee->leg, &step);
    call_stage_play(s, 3000);
    assert_true(s->callee->view.ended.set && s->caller->view.ended.set);
    assert_int_equal(s->callee->view.reason, IBK_ERR_TIMEOUT);
    assert_null(s->callee->leg->session); /* and its secrets are gone */
}

/* RFC 4028: an interval of the network's is no reason to end the call at once, or to count for ever. */
static void session_intervals(void **state) {
    call_stage *s = *state;
    static const char *const values[] = {"18446744074;refresher=uac", "1", "99999999999999999999"};
    for (size_t i = 0; i < 3; i++) {
        sip_msg *msg = sip_leg_new_request(s->callee->leg->sip, "UPDATE");
        assert_non_null(msg);
        sip_header_set(msg, "Session-Expires", values[i]);
        ue_session_timer_start(s->callee, msg);
        assert_non_null(s->callee->refresh);
        call_stage_play(s, 5000);
        assert_false(s->callee->view.ended.set);
        ue_session_timer_free(s->callee);
        sip_msg_free(msg);
    }
    sip_msg *msg = sip_leg_new_request(s->callee->leg->sip, "UPDATE");
    assert_non_null(msg);
    ue_session_timer_start(s->callee, msg); /* no interval, no timer */
    assert_null(s->callee->refresh);
    sip_header_set(msg, "Session-Expires", "1");
    ue_session_timer_start(s->callee, msg); /* counts as the least, 90 s, less a third */
    call_stage_play(s, 70000);
    assert_true(s->callee->view.ended.set);
    sip_msg_free(msg);
}

/* ---- one at a time --------------------------------------------------------------------------------------
 */

static const scn_action rekey = {
    .by = SCN_CALLEE, .what = SCN_DO_REKEY, .carrier = SCN_CARRIER_UPDATE, .mki = "k"};

static void want(ue_midcall *m, const scn_action *action) {
    m->queue[m->queued++] = action;
}

static void who_has_asked_answers_491(void **state) {
    call_stage *s = *state;
    ue_midcall *m = s->callee->midcall;
    want(m, &rekey);
    for (int i = 0; i < 2; i++) {
        m->phase = i ? MIDCALL_COMPUTING : MIDCALL_SENT;
        assert_true(ue_midcall_is_busy(s->callee));
        call_stage_send(s, "UPDATE", call_stage_sdp("a=sendonly\r\n", ""));
        assert_begins(call_stage_heard(s, "alice"), "491 ");
    }
    assert_int_equal(s->callee->view.update_count, 0);
}

static void actions_are_done_in_turn(void **state) {
    call_stage *s = *state;
    static const scn_action hold = {.by = SCN_CALLEE, .what = SCN_DO_HOLD, .carrier = SCN_CARRIER_UPDATE};
    ue_midcall *m = s->callee->midcall;
    want(m, &rekey);
    midcall_proceed(m);
    assert_int_equal(m->phase, MIDCALL_SENT);
    want(m, &hold);
    call_stage_play(s, 3000);
    assert_int_equal(m->phase, MIDCALL_IDLE);
    assert_int_equal(m->queued, 0);
    assert_int_equal(s->callee->view.update_count, 2);
    const ue_update *u = &s->callee->view.updates[0], *theirs = &s->caller->view.updates[0];
    assert_true(u->ok && u->by_us && u->new_dh && theirs->ok && !theirs->by_us);
    assert_memory_equal(u->key_digest, theirs->key_digest, sizeof u->key_digest);
    assert_true(u->mki_len == 1 && theirs->mki_len == 1 && u->mki[0] == 'k' &&
                theirs->mki[0] == 'k'); /* P-35 */
    assert_true(u[1].ok && u[1].what == SCN_DO_HOLD);
    assert_int_equal(s->callee->leg->wish, SIP_SENDONLY);
}

/* The keys for our update come while we answer theirs: it is made afterwards, not forgotten. */
static void an_offer_that_waited_for_keys_is_made(void **state) {
    call_stage *s = *state;
    ue_midcall *m = s->callee->midcall;
    const ue_update update = {.by_us = true, .csb = true, .new_dh = true, .what = SCN_DO_REKEY};
    want(m, &rekey);
    assert_int_equal(midcall_add_record(m, &m->record, &update), IBK_OK);
    m->csb = true;
    m->phase = MIDCALL_PREPARING;
    m->leg->pending = UE_PENDING_MIDCALL;
    midcall_proceed(m); /* not before they are there */
    assert_int_equal(m->phase, MIDCALL_PREPARING);
    m->leg->pending = UE_PENDING_NONE;
    call_stage_send(s, "UPDATE", call_stage_sdp("a=sendonly\r\n", ""));
    call_stage_play(s, 3000);
    assert_int_equal(m->phase, MIDCALL_IDLE);
    assert_true(s->callee->view.updates[0].ok && s->callee->view.updates[0].sip_status == 200);
}

/* P-27: an update that finds no unused T is put off, and does not end the call. */
static void an_offer_waits_for_a_timestamp(void **state) {
    call_stage *s = *state;
    ue_midcall *m = s->callee->midcall;
    ibk_t now;
    assert_int_equal(ibk_t_from_utc(&now, IBK_TS_NTP_UTC, ims_host_time(s->bob->host).utc_ns), IBK_OK);
    s->bob->timestamps.used[IBK_TS_NTP_UTC] = true;
    s->bob->timestamps.last[IBK_TS_NTP_UTC] = now.value + (UINT64_C(153) << 32); /* of a long burst */
    want(m, &rekey);
    midcall_proceed(m);
    assert_int_equal(m->phase, MIDCALL_RETRYING);
    call_stage_play(s, 1500);
    assert_int_equal(m->phase, MIDCALL_RETRYING);
    assert_false(s->callee->view.ended.set);
    call_stage_play(s, 4000);
    assert_int_equal(m->phase, MIDCALL_IDLE);
    assert_true(call_stage_last(s->callee)->ok && call_stage_last(s->caller)->ok);
    assert_int_equal(s->callee->view.update_count, 1); /* it is one attempt */
}

/* P-32: an answer that takes too long reaches nobody: the keys are those of before, and the next update finds
 * them. */
static void an_answer_that_comes_too_late_is_taken_back(void **state) {
    call_stage *s = *state;
    ue_midcall *m = s->callee->midcall;
    want(s->caller->midcall, &rekey);
    midcall_proceed(s->caller->midcall);
    for (int i = 0; i < 1000 && !m->server; i++)
        call_stage_play(s, 1);
    assert_non_null(m->leg->held); /* the processor is at work */
    ue_midcall_not_now(s->callee, m->leg->sip, midcall_release_server(m));
    midcall_keep(m->leg, m->agreed); /* as when a transaction ends */
    m->agreed = NULL;
    for (int i = 0; i < 1000 && m->leg->held; i++)
        call_stage_play(s, 1);
    assert_null(m->leg->held);
    assert_false(ibk_session_update_unconfirmed(m->leg->session));
    assert_int_equal(ibk_session_updates(m->leg->session), 0);
    call_stage_play(s, 15000); /* Retry-After is up to 10 s */
    assert_true(call_stage_last(s->callee)->ok && call_stage_last(s->caller)->ok);
    assert_memory_equal(call_stage_last(s->callee)->key_digest, call_stage_last(s->caller)->key_digest, 32);
}

/* What we wished for comes back if the offer is refused. */
static void a_refused_offer_is_taken_back(void **state) {
    call_stage *s = *state;
    static const scn_action add = {.by = SCN_CALLEE, .what = SCN_DO_ADD_VIDEO, .carrier = SCN_CARRIER_UPDATE};
    ue_midcall *m = s->callee->midcall;
    s->caller->midcall->phase = MIDCALL_SENT; /* alice answers 491 */
    want(m, &add);
    midcall_proceed(m);
    assert_int_equal(m->leg->line[UE_VIDEO], 2);
    assert_int_equal(m->leg->lines, 2);
    call_stage_play(s, 50);
    for (int i = 0; i < 100 && m->phase == MIDCALL_SENT; i++)
        call_stage_play(s, 10);
    assert_int_equal(m->phase, MIDCALL_RETRYING);
    assert_true(call_stage_last(s->callee)->glare);
    assert_int_equal(m->leg->line[UE_VIDEO], 0);
    assert_int_equal(m->leg->lines, 1);
    assert_false(m->leg->video);
    s->caller->midcall->phase = MIDCALL_IDLE;
    call_stage_play(s, 5000);
    assert_true(call_stage_last(s->callee)->ok);
    assert_true(m->leg->video && s->caller->leg->video);
    assert_int_equal(ibk_session_header(m->leg->session)->n_cs, 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, call_stage_up, call_stage_down)
#define SLOW(name) cmocka_unit_test_setup_teardown(name, call_stage_up_slow, call_stage_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(glare_timers),
        cmocka_unit_test(names_are_those_of_scenarios),
        TEST(hold_and_resume),
        TEST(lines_keep_their_places),
        TEST(pictures_need_keys),
        TEST(what_cannot_be_read_changes_nothing),
        TEST(other_requests),
        TEST(before_the_ack_it_is_too_early),
        TEST(an_exchange_that_fails_after_the_answer_ends_the_call),
        TEST(session_intervals),
        TEST(who_has_asked_answers_491),
        TEST(actions_are_done_in_turn),
        TEST(an_offer_that_waited_for_keys_is_made),
        TEST(an_offer_waits_for_a_timestamp),
        SLOW(an_answer_that_comes_too_late_is_taken_back),
        TEST(a_refused_offer_is_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
