/* Session descriptions of a UE: the first offer orders the m-lines, and streams are found by what they are.
 */
#include "ims/ue/call_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define HEAD    "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define AUDIO   "m=audio 4000 RTP/SAVP 0\r\n"
#define VIDEO   "m=video 5000 RTP/SAVP 96\r\na=rtpmap:96 H264/90000\r\n"
#define REFUSED "m=audio 6000 RTP/AVP 0\r\n"

static sip_msg *message_with(const char *sdp) {
    sip_arena arena = {0};
    sip_name_addr self = {0};
    assert_int_equal(sip_uri_parse(&arena, &self.uri, "sip:a@home.example", NULL), IBK_OK);
    sip_msg *msg = sip_request_new("INVITE", &self.uri, &self, &self, "x", 1);
    assert_non_null(msg);
    sip_msg_set_body(msg, UE_SDP_TYPE, ibk_span_str(sdp));
    sip_arena_free(&arena);
    return msg;
}

static ibk_err read_as(ue_leg *leg, const char *sdp, bool offer) {
    sip_msg *msg = message_with(sdp);
    ibk_buf mikey = {0};
    ibk_diag diag = {0};
    ibk_err err =
        offer ? ue_sdp_read_offer(leg, msg, &mikey, &diag) : ue_sdp_read_answer(leg, msg, &mikey, &diag);
    ibk_buf_free(&mikey);
    sip_msg_free(msg);
    return err;
}

/* The m-lines of our description as "video:0 audio:20002". */
static void lines_of(ue_leg *leg, bool answer, char out[200]) {
    ibk_buf text = {0};
    sip_sdp *sdp = NULL;
    assert_int_equal(ue_sdp_write(leg, &text, answer, (ibk_span){0}), IBK_OK);
    assert_int_equal(sip_sdp_parse(&sdp, ibk_buf_span(&text), NULL), IBK_OK);
    out[0] = 0;
    for (size_t i = 0; i < sdp->media_count; i++)
        snprintf(out + strlen(out), 200 - strlen(out), "%s%s:%s", i ? " " : "", sdp->media[i].type,
                 sdp->media[i].port ? "open" : "0");
    sip_sdp_free(sdp);
    ibk_buf_free(&text);
}

static ue_leg *new_leg(call_stage *s, bool caller) {
    ue_call *call = ue_call_new(s->bob, NULL, caller);
    assert_non_null(call);
    call->view.ended.set = true; /* it has no SIP call */
    ue_leg *leg = ue_leg_new(call, NULL);
    assert_non_null(leg);
    return leg;
}

/* RFC 3264 §6, RFC 4567 §7.1: lines and crypto sessions are counted as the offer counts them. */
static void the_answer_follows_the_order_of_the_offer(void **state) {
    call_stage *s = *state;
    char lines[200];
    ue_leg *leg = new_leg(s, false);
    assert_int_equal(read_as(leg, HEAD VIDEO REFUSED AUDIO, true), IBK_OK);
    assert_int_equal(leg->line[UE_AUDIO], 3);
    assert_int_equal(leg->line[UE_VIDEO], 1);
    assert_int_equal(ue_sdp_media(leg, UE_AUDIO)->port, 4000);
    assert_int_equal(ue_sdp_media(leg, UE_VIDEO)->port, 5000);
    assert_int_equal(ue_cs_id(leg, UE_AUDIO, true), 5);
    assert_int_equal(ue_cs_id(leg, UE_AUDIO, false), 6);
    assert_int_equal(ue_cs_id(leg, UE_VIDEO, true), 1);
    lines_of(leg, true, lines);
    assert_string_equal(lines, "video:0 audio:0 audio:open"); /* pictures when there is an action for them */
    leg->video = true;
    ue_call_have_stream(leg->call, UE_VIDEO);
    lines_of(leg, true, lines);
    assert_string_equal(lines, "video:open audio:0 audio:open");
    leg->video = false;
    lines_of(leg, false, lines); /* an offer of ours, later */
    assert_string_equal(lines, "video:0 audio:0 audio:open");
}

/* The SSRC of the callee's stream goes to the crypto sessions of its m-line. */
static void the_session_knows_the_line(void **state) {
    call_stage *s = *state;
    ue_leg *leg = new_leg(s, false);
    assert_int_equal(ue_leg_open_session(leg, NULL, ibk_span_str(UE_MIKEY)),
                     IBK_ERR_MISMATCH); /* no line yet */
    assert_int_equal(read_as(leg, HEAD VIDEO AUDIO, true), IBK_OK);
    assert_int_equal(ue_leg_open_session(leg, NULL, ibk_span_str(UE_MIKEY)), IBK_OK);
    ue_leg *none = new_leg(s, false);
    assert_int_equal(read_as(none, HEAD VIDEO REFUSED, true), IBK_OK); /* nothing that we could say */
    assert_int_equal(none->line[UE_AUDIO], 0);
    assert_int_equal(ue_leg_open_session(none, NULL, ibk_span_str(UE_MIKEY)), IBK_ERR_MISMATCH);
}

/* RFC 3264 §6: as many m-lines as the offer, each for its own. */
static void the_answer_to_us_has_our_lines(void **state) {
    call_stage *s = *state;
    char lines[200];
    ue_leg *leg = new_leg(s, true);
    ue_sdp_give_line(leg, UE_AUDIO);
    lines_of(leg, false, lines);
    assert_string_equal(lines, "audio:open");
    assert_int_equal(read_as(leg, HEAD AUDIO VIDEO, false), IBK_ERR_MISMATCH);
    assert_int_equal(read_as(leg, HEAD, false), IBK_ERR_MISMATCH);
    assert_int_equal(read_as(leg, HEAD VIDEO, false), IBK_ERR_MISMATCH);
    assert_null(leg->remote); /* none of them counts */
    assert_int_equal(read_as(leg, HEAD AUDIO, false), IBK_OK);
    ue_sdp_give_line(leg, UE_VIDEO);
    leg->video = true;
    ue_call_have_stream(leg->call, UE_VIDEO);
    lines_of(leg, false, lines);
    assert_string_equal(lines, "audio:open video:open");
    assert_int_equal(read_as(leg, HEAD AUDIO VIDEO, false), IBK_OK);
    assert_int_equal(ue_sdp_media(leg, UE_VIDEO)->port, 5000);
}

/* A line that was refused, or whose stream has gone, is used again by a stream of its type. */
static void refused_lines_are_used_again(void **state) {
    call_stage *s = *state;
    ue_leg *leg = new_leg(s, false);
    assert_int_equal(read_as(leg, HEAD AUDIO "m=video 0 RTP/SAVP 96\r\n", true), IBK_OK);
    assert_int_equal(leg->line[UE_VIDEO], 0); /* nobody wants one */
    ue_sdp_give_line(leg, UE_VIDEO);
    assert_int_equal(leg->line[UE_VIDEO], 2);
    ue_sdp_give_line(leg, UE_VIDEO); /* it has one */
    assert_int_equal(leg->line[UE_VIDEO], 2);
}

static void too_many_lines(void **state) {
    call_stage *s = *state;
    ibk_buf text = {0};
    ue_leg *leg = new_leg(s, false);
    assert_int_equal(read_as(leg, HEAD AUDIO REFUSED REFUSED REFUSED REFUSED REFUSED REFUSED REFUSED, true),
                     IBK_OK);
    ue_sdp_give_line(leg, UE_VIDEO);
    assert_int_equal(leg->line[UE_VIDEO], 0); /* there is no room for a ninth */
    assert_int_equal(ue_sdp_write(leg, &text, false, (ibk_span){0}), IBK_OK);
    ibk_buf_free(&text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, call_stage_up, call_stage_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_answer_follows_the_order_of_the_offer),
        TEST(the_session_knows_the_line),
        TEST(the_answer_to_us_has_our_lines),
        TEST(refused_lines_are_used_again),
        TEST(too_many_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
