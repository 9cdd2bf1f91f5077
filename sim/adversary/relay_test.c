/* Media through a man in the middle: what one end sends, the other opens under keys of its own. */
#include "adversary/relay.h"
#include "ibake/lab.h"
#include "ims/media/rtp.h"
#include "ims/media/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define CALL "call-1"

/* Alice and Bob, each established with the adversary, who has both masters. */
typedef struct scene {
    lab_pair pair;
    lab_user self;
    ibk_ibe_key *kept[16];
    size_t n_kept;
    craft *craft;
    relay *relay;
    media_source *tone;
    media_stream *alice, *bob;
} scene;

static ibk_time now(void *user) {
    return lab_now(&((scene *)user)->self);
}

static const lab_domain *domain_of(ibk_span identity) {
    return memmem(identity.data, identity.len, "@away", 5) ? &lab_away : &lab_home;
}

static const ibk_ibe_params *params(void *user, ibk_span identity, const scn_domain *of, size_t nth) {
    (void)user, (void)of;
    return nth ? NULL : domain_of(identity)->params;
}

static ibk_granularity granularity(void *user, ibk_span identity) {
    (void)user, (void)identity;
    return IBK_GRANULARITY_DAY;
}

static const ibk_ibe_key *key(void *user, const ibk_ibe_params *of, ibk_span ibe_identity) {
    scene *s = user;
    (void)of;
    const lab_domain *d = domain_of(ibe_identity);
    assert_true(s->n_kept < sizeof s->kept / sizeof *s->kept);
    assert_int_equal(ibk_ibe_extract(d->params, d->master, ibe_identity, &s->kept[s->n_kept]), IBK_OK);
    return s->kept[s->n_kept++];
}

static void pass(scene *s, ibk_span octets, ibk_buf *on) {
    ibk_msg msg = {0};
    assert_int_equal(ibk_msg_parse(&msg, octets, NULL), IBK_OK);
    ibk_buf_clear(on);
    assert_int_equal(craft_impersonate(s->craft, CALL, &msg, NULL, on, NULL), IBK_OK);
    assert_true(on->len > 0);
    ibk_msg_free(&msg);
}

static media_stream *open_stream(scene *s, bool caller) {
    ibk_session *session = caller ? s->pair.a : s->pair.b;
    lab_keys own = lab_keys_of(session, caller ? 1 : 2), other = lab_keys_of(session, caller ? 2 : 1);
    media_keys send, receive;
    media_stream *stream;
    memcpy(&send, own.octets, sizeof send);
    memcpy(&receive, other.octets, sizeof receive);
    media_config config = {.source = s->tone,
                           .expected = s->tone,
                           .ptime_ms = 20,
                           .ssrc = caller ? 0x11111111 : 0x22222222,
                           .peer_ssrc = caller ? 0x22222222 : 0x11111111,
                           .cname = caller ? "alice" : "bob",
                           .send_keys = &send,
                           .receive_keys = &receive};
    assert_int_equal(media_stream_new(&stream, &config), IBK_OK);
    return stream;
}

static void scene_open(scene *s) {
    ibk_buf on = {0};
    *s = (scene){0};
    lab_pair_init(&s->pair);
    lab_user_init(&s->self, "sip:mallory@home.example", &lab_home, 99);
    craft_config config = {.env = lab_env(&s->self),
                           .user = s,
                           .now = now,
                           .params = params,
                           .granularity = granularity,
                           .key = key};
    assert_int_equal(craft_new(&s->craft, &config), IBK_OK);
    assert_int_equal(relay_new(&s->relay, s->craft, NULL), IBK_OK);
    lab_pair_sessions(&s->pair);
    assert_int_equal(ibk_session_start(s->pair.a, lab_now(&s->pair.alice), &s->pair.step), IBK_OK);
    ibk_buf_append_span(&s->pair.m[0], s->pair.step.message);
    for (int i = 0; i < 4; i++) {
        pass(s, ibk_buf_span(&s->pair.m[i]), &on);
        lab_deliver(&s->pair, i, ibk_buf_span(&on));
    }
    ibk_buf_free(&on);
    s->tone = media_source_tone(MEDIA_PCMU, 440);
    s->alice = open_stream(s, true);
    s->bob = open_stream(s, false);
}

static void scene_close(scene *s) {
    media_stream_free(s->alice);
    media_stream_free(s->bob);
    media_source_free(s->tone);
    relay_free(s->relay);
    craft_free(s->craft);
    for (size_t i = 0; i < s->n_kept; i++)
        ibk_ibe_key_free(s->kept[i]);
    lab_user_free(&s->self);
    lab_pair_free(&s->pair);
}

static ibk_span send(media_stream *from, uint8_t packet[MEDIA_PACKET_MAX]) {
    size_t len;
    assert_int_equal(media_stream_send(from, packet, &len), IBK_OK);
    return ibk_span_of(packet, len);
}

static void both_hear_each_other_through_it_alone(void **state) {
    (void)state;
    scene s;
    ibk_buf on = {0};
    uint8_t packet[MEDIA_PACKET_MAX];
    scene_open(&s);
    ibk_span direct = send(s.alice, packet);
    assert_int_equal(media_stream_receive(s.bob, 1, direct.data, direct.len), IBK_ERR_BAD_MAC);
    for (int i = 0; i < 50; i++)
        for (int way = 0; way < 2; way++) {
            media_stream *from = way ? s.bob : s.alice, *to = way ? s.alice : s.bob;
            ibk_span sent = send(from, packet);
            ibk_buf_clear(&on);
            assert_int_equal(relay_media(s.relay, sent, &on), IBK_OK);
            assert_int_equal(on.len, sent.len);
            assert_int_equal(media_stream_receive(to, 1, on.data, on.len), IBK_OK);
        }
    assert_int_equal(media_stream_stats(s.bob)->mismatches, 0);
    assert_int_equal(media_stream_stats(s.bob)->compared, 50);
    assert_int_equal(relay_get_stats(s.relay)->relayed, 100);
    ibk_buf_free(&on);
    scene_close(&s);
}

static void reports_go_through_as_well(void **state) {
    (void)state;
    scene s;
    ibk_buf on = {0};
    uint8_t packet[MEDIA_PACKET_MAX];
    size_t len;
    scene_open(&s);
    assert_int_equal(media_stream_send_rtcp(s.alice, 1, LAB_NOON, packet, &len), IBK_OK);
    assert_int_equal(relay_media(s.relay, ibk_span_of(packet, len), &on), IBK_OK);
    assert_int_equal(media_stream_receive_rtcp(s.bob, 1, on.data, on.len), IBK_OK);
    ibk_buf_free(&on);
    scene_close(&s);
}

/* At a second seat the packet is under the receiver's keys already; a copy was seen before. Strangers are
 * nobody's. */
static void what_it_cannot_open_passes(void **state) {
    (void)state;
    scene s;
    ibk_buf on = {0}, again = {0};
    uint8_t packet[MEDIA_PACKET_MAX], stranger[RTP_HEADER_LEN + 20] = {0x80, 0};
    scene_open(&s);
    ibk_span sent = send(s.alice, packet);
    assert_int_equal(relay_media(s.relay, sent, &on), IBK_OK);
    assert_int_equal(relay_media(s.relay, ibk_buf_span(&on), &again), IBK_OK);
    assert_int_equal(again.len, 0);
    assert_int_equal(relay_media(s.relay, sent, &again), IBK_OK);
    assert_int_equal(again.len, 0);
    assert_int_equal(relay_media(s.relay, ibk_span_of(stranger, sizeof stranger), &again), IBK_OK);
    assert_int_equal(relay_media(s.relay, ibk_span_of(stranger, 3), &again), IBK_OK);
    assert_int_equal(again.len, 0);
    ibk_buf_free(&on);
    ibk_buf_free(&again);
    scene_close(&s);
}

static void what_it_says_itself_is_heard(void **state) {
    (void)state;
    scene s;
    ibk_buf on = {0}, forged = {0};
    uint8_t packet[MEDIA_PACKET_MAX], payload[160], stranger[RTP_HEADER_LEN + 20] = {0x80, 0};
    memset(payload, 0x2a, sizeof payload);
    scene_open(&s);
    ibk_span sent = send(s.alice, packet);
    assert_int_equal(relay_media(s.relay, sent, &on), IBK_OK);
    assert_int_equal(media_stream_receive(s.bob, 1, on.data, on.len), IBK_OK);
    relay_speech speech = {.last = sent, .ahead = 1, .payload = {payload, sizeof payload}};
    assert_int_equal(relay_forge(s.relay, &speech, &forged), IBK_OK);
    assert_int_equal(media_stream_receive(s.bob, 1, forged.data, forged.len), IBK_OK);
    assert_int_equal(media_stream_stats(s.bob)->mismatches, 1); /* it is not what Alice says */
    speech.last = ibk_span_of(stranger, sizeof stranger);
    assert_int_equal(relay_forge(s.relay, &speech, &forged), IBK_ERR_NO_KEY);
    speech.last = ibk_span_of(stranger, 5);
    assert_int_equal(relay_forge(s.relay, &speech, &forged), IBK_ERR_BAD_LENGTH);
    ibk_buf_free(&on);
    ibk_buf_free(&forged);
    scene_close(&s);
}

static int setup(void **state) {
    return media_library_start() ? lab_group_setup(state) : -1;
}

static int teardown(void **state) {
    media_library_stop();
    return lab_group_teardown(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_hear_each_other_through_it_alone),
        cmocka_unit_test(reports_go_through_as_well),
        cmocka_unit_test(what_it_cannot_open_passes),
        cmocka_unit_test(what_it_says_itself_is_heard),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
