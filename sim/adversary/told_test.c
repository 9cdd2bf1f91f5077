/* A TGK and what passes in clear make the keys of a stream: they open the very packets of that stream. */
#include "adversary/analyst_lab.h"
#include "adversary/told.h"
#include "ims/media/opener.h"
#include "ims/media/rtp.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

typedef struct scene {
    lab_call call;
    lab_adversary m;
    told *t;
} scene;

static void note(const scene *s, size_t message) {
    ibk_msg msg = {0};
    assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&s->call.messages[message]), NULL), IBK_OK);
    told_note(s->t, &msg);
    ibk_msg_free(&msg);
}

static void scene_open(scene *s, size_t messages) {
    const lab_options options = {.seed = 5, .update = true};
    lab_play(&s->call, &options);
    lab_adversary_init(&s->m);
    s->t = told_new(s->m.w);
    assert_non_null(s->t);
    for (size_t i = 0; i < messages; i++)
        note(s, i);
}

static void scene_close(scene *s) {
    told_free(s->t);
    lab_adversary_free(&s->m);
    lab_free(&s->call);
}

static void tell(const scene *s, uint32_t csb_id, const ibk_buf *tgk) {
    wallet_origin origin = wallet_from(LEDGER_BROKEN_IN, 0, "told");
    assert_int_equal(wallet_add_tgk(s->m.w, csb_id, ibk_buf_span(tgk), &origin), IBK_OK);
}

static ibk_err look_up(const scene *s, uint32_t ssrc) {
    told_stream keys;
    return told_stream_of(s->t, ssrc, &keys);
}

/* How many packets of this stream the keys open. */
static size_t opened(const scene *s, uint32_t ssrc) {
    told_stream stream;
    media_opener *o = NULL;
    size_t count = 0;
    assert_int_equal(told_stream_of(s->t, ssrc, &stream), IBK_OK);
    assert_int_equal(stream.tag_len, 4); /* what SP says, not the default */
    assert_int_equal(media_opener_new(&o, &stream.keys, ssrc, stream.tag_len), IBK_OK);
    for (size_t i = 0; i < s->call.packet_count; i++) {
        uint8_t out[MEDIA_PACKET_MAX];
        size_t len;
        ibk_span packet = ibk_buf_span(&s->call.packets[i].octets);
        count += media_opener_open(o, packet, 0, out, &len) == IBK_OK;
    }
    media_opener_free(o);
    return count;
}

static void the_newest_key_of_each_stream(void **state) {
    (void)state;
    scene s;
    scene_open(&s, 6);
    tell(&s, s.call.csb_id, &s.call.bob.tgk);
    size_t before = opened(&s, LAB_CALLER_SSRC);
    assert_true(before > 0);
    assert_int_equal(opened(&s, LAB_CALLEE_SSRC), before);
    tell(&s, s.call.csb_id, &s.call.bob.later_tgk);
    assert_true(opened(&s, LAB_CALLER_SSRC) > 0);
    assert_int_equal(before + opened(&s, LAB_CALLER_SSRC), s.call.packet_count / 2);
    scene_close(&s);
}

static void nothing_without_a_key_or_the_messages(void **state) {
    (void)state;
    scene s;
    scene_open(&s, 1); /* I_MESSAGE_1 alone: the responder's SSRC is not known yet */
    assert_int_equal(look_up(&s, LAB_CALLER_SSRC), IBK_ERR_NO_KEY);
    tell(&s, s.call.csb_id + 1, &s.call.bob.tgk); /* of another call */
    assert_int_equal(look_up(&s, LAB_CALLER_SSRC), IBK_ERR_NO_KEY);
    tell(&s, s.call.csb_id, &s.call.bob.tgk);
    assert_int_equal(look_up(&s, LAB_CALLER_SSRC), IBK_OK);
    assert_int_equal(look_up(&s, LAB_CALLEE_SSRC), IBK_ERR_NO_KEY);
    note(&s, 1);
    assert_int_equal(look_up(&s, LAB_CALLEE_SSRC), IBK_OK);
    scene_close(&s);
    scene_open(&s, 0);
    tell(&s, s.call.csb_id, &s.call.bob.tgk);
    note(&s, 1); /* R_MESSAGE_1 has no RAND */
    assert_int_equal(look_up(&s, LAB_CALLEE_SSRC), IBK_ERR_NO_KEY);
    scene_close(&s);
    told_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_newest_key_of_each_stream),
                                       cmocka_unit_test(nothing_without_a_key_or_the_messages)};
    return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
