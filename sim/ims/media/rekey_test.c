/* New keys in the middle of a stream: nothing is lost, and nothing old is accepted afterwards. */
#include "ims/media/rtp.h"
#include "ims/media/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { ALICE = 0xA11CE, FRAME = 20000000 };

typedef struct packet {
    uint8_t octets[MEDIA_PACKET_MAX];
    size_t len;
} packet;

typedef struct pair {
    media_source *tone;
    media_stream *alice, *bob;
    uint64_t now;
} pair;

static media_keys keys_number(unsigned n) {
    media_keys keys = {.key = "key of a to b ..", .salt = "salt of a to b"};
    keys.key[0] = (uint8_t)n;
    return keys;
}

static pair pair_new(uint16_t first_sequence, media_source *source, unsigned ptime_ms) {
    pair p = {.tone = source};
    media_keys ab = keys_number(0), ba = keys_number(200);
    media_config alice = {.source = p.tone,
                          .expected = p.tone,
                          .ptime_ms = ptime_ms,
                          .ssrc = ALICE,
                          .peer_ssrc = 0xB0B,
                          .cname = "alice",
                          .first_sequence = first_sequence,
                          .send_keys = &ab,
                          .receive_keys = &ba};
    media_config bob = alice;
    bob.ssrc = 0xB0B;
    bob.peer_ssrc = ALICE;
    bob.send_keys = &ba;
    bob.receive_keys = &ab;
    assert_int_equal(media_stream_new(&p.alice, &alice), IBK_OK);
    assert_int_equal(media_stream_new(&p.bob, &bob), IBK_OK);
    return p;
}

static void pair_free(pair *p) {
    media_stream_free(p->alice);
    media_stream_free(p->bob);
    media_source_free(p->tone);
}

static packet next(pair *p) {
    packet out;
    assert_int_equal(media_stream_send(p->alice, out.octets, &out.len), IBK_OK);
    return out;
}

static ibk_err arrive(pair *p, const packet *in) {
    p->now += FRAME;
    return media_stream_receive(p->bob, p->now, in->octets, in->len);
}

static void pass(pair *p, unsigned packets) {
    while (packets-- > 0) {
        packet sent = next(p);
        assert_int_equal(arrive(p, &sent), IBK_OK);
    }
}

static void alice_sends_under(pair *p, unsigned n) {
    media_keys keys = keys_number(n);
    assert_int_equal(media_stream_send_keys(p->alice, &keys), IBK_OK);
}

static void bob_accepts(pair *p, unsigned n) {
    media_keys keys = keys_number(n);
    assert_int_equal(media_stream_receive_keys(p->bob, &keys), IBK_OK);
}

static void intact(const pair *p, uint64_t received) {
    const media_stats *stats = media_stream_stats(p->bob);
    assert_int_equal(stats->received, received);
    assert_int_equal(stats->compared, received);
    assert_int_equal(stats->mismatches + stats->lost + stats->auth_failures + stats->malformed, 0);
}

/* Packets that overtake each other around the switch are accepted under the keys they were made with. */
static void old_and_new_overlap(void **state) {
    (void)state;
    pair p = pair_new(100, media_source_tone(MEDIA_PCMU, 440), 20);
    pass(&p, 10);
    bob_accepts(&p, 1);
    assert_false(media_stream_newest_heard(p.bob));
    pass(&p, 5); /* still the old ones */
    assert_false(media_stream_newest_heard(p.bob));
    packet late = next(&p);
    alice_sends_under(&p, 1);
    pass(&p, 3);
    assert_true(media_stream_newest_heard(p.bob));
    assert_int_equal(arrive(&p, &late), IBK_OK);
    assert_int_equal(arrive(&p, &late), IBK_ERR_REPLAYED);
    assert_int_equal(media_stream_stats(p.bob)->replays, 1);
    intact(&p, 19);
    pair_free(&p);
}

static void old_keys_are_refused_after_the_grace_period(void **state) {
    (void)state;
    pair p = pair_new(100, media_source_tone(MEDIA_PCMU, 440), 20);
    pass(&p, 2);
    packet late = next(&p);
    bob_accepts(&p, 1);
    alice_sends_under(&p, 1);
    pass(&p, 2);
    assert_int_equal(media_stream_keys_held(p.bob), 2);
    media_stream_retire(p.bob);
    assert_int_equal(media_stream_keys_held(p.bob), 1);
    assert_int_equal(arrive(&p, &late), IBK_ERR_BAD_MAC);
    assert_int_equal(media_stream_stats(p.bob)->auth_failures, 1);
    pair_free(&p);
}

/* A sender that switches before the receiver has the keys is not heard: that is what the order of the switch
 * prevents, and what the counters show. */
static void a_hasty_switch_is_counted(void **state) {
    (void)state;
    pair p = pair_new(100, media_source_tone(MEDIA_PCMU, 440), 20);
    pass(&p, 2);
    alice_sends_under(&p, 1);
    packet early = next(&p);
    assert_int_equal(arrive(&p, &early), IBK_ERR_BAD_MAC);
    bob_accepts(&p, 1);
    pass(&p, 1);
    assert_int_equal(media_stream_stats(p.bob)->auth_failures, 1);
    assert_int_equal(media_stream_stats(p.bob)->lost, 1);
    pair_free(&p);
}

/* RFC 3711 §3.3.1: the ROC goes on. The switches lie right before, on and right after a roll-over. */
static void the_rollover_counter_goes_on(void **state) {
    (void)state;
    for (unsigned before = 0; before < 4; before++) {
        pair p = pair_new(0x7000, media_source_tone(MEDIA_PCMU, 440), 10);
        pass(&p, 0x10000 - 0x7000 + 0x10000 - 2 + before); /* the second roll-over is near */
        bob_accepts(&p, 1);
        packet old = next(&p);
        alice_sends_under(&p, 1);
        pass(&p, 6);
        assert_int_equal(arrive(&p, &old), IBK_OK);
        media_stream_retire(p.bob);
        pass(&p, 6);
        intact(&p, 0x10000 - 0x7000 + 0x10000 - 2 + before + 13);
        pair_free(&p);
    }
}

static void many_keys_at_once(void **state) {
    (void)state;
    pair p = pair_new(0, media_source_tone(MEDIA_PCMU, 440), 20);
    packet old[MEDIA_KEYS_MAX + 1];
    pass(&p, 1);
    for (unsigned n = 0; n <= MEDIA_KEYS_MAX; n++) {
        old[n] = next(&p);
        bob_accepts(&p, n + 1);
        alice_sends_under(&p, n + 1);
    }
    assert_int_equal(media_stream_keys_held(p.bob), MEDIA_KEYS_MAX);
    assert_int_equal(arrive(&p, &old[0]), IBK_ERR_BAD_MAC); /* displaced */
    assert_int_equal(arrive(&p, &old[1]), IBK_ERR_BAD_MAC);
    for (unsigned n = 2; n <= MEDIA_KEYS_MAX; n++)
        assert_int_equal(arrive(&p, &old[n]), IBK_OK);
    pass(&p, 1);
    pair_free(&p);
}

static uint32_t srtcp_index(const packet *in) { /* before the tag of 10 octets */
    const uint8_t *at = in->octets + in->len - 14;
    return ((uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]) & 0x7FFFFFFF;
}

/* RFC 3711 §3.4: the SRTCP index goes on. A held stream shows its new keys by RTCP alone. */
static void rtcp_goes_on(void **state) {
    (void)state;
    pair p = pair_new(0, media_source_tone(MEDIA_PCMU, 440), 20);
    packet report;
    for (unsigned i = 1; i <= 4; i++) {
        if (i == 3) {
            bob_accepts(&p, 1);
            alice_sends_under(&p, 1);
        }
        assert_int_equal(media_stream_send_rtcp(p.alice, p.now, 0, report.octets, &report.len), IBK_OK);
        assert_int_equal(srtcp_index(&report), i);
        assert_int_equal(media_stream_receive_rtcp(p.bob, p.now, report.octets, report.len), IBK_OK);
        assert_int_equal(media_stream_newest_heard(p.bob), true);
    }
    assert_int_equal(media_stream_stats(p.bob)->rtcp_received, 4);
    pair_free(&p);
}

static void pictures_arrive(void **state) {
    (void)state;
    pair p = pair_new(0, media_source_picture(7), MEDIA_VIDEO_PTIME);
    packet first = next(&p), second = next(&p);
    assert_int_equal(first.len, RTP_HEADER_LEN + MEDIA_VIDEO_LEN + 10);
    assert_int_equal(second.octets[7] | second.octets[6] << 8, MEDIA_VIDEO_RATE / 25); /* timestamp, from 0 */
    assert_int_equal(arrive(&p, &first), IBK_OK);
    assert_int_equal(arrive(&p, &second), IBK_OK);
    bob_accepts(&p, 1);
    alice_sends_under(&p, 1);
    pass(&p, 5);
    intact(&p, 7);
    uint8_t a[MEDIA_VIDEO_LEN], b[MEDIA_VIDEO_LEN];
    media_source *other = media_source_picture(8);
    media_source_read(p.tone, 3600, a, sizeof a);
    media_source_read(other, 3600, b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a); /* or a mix-up would not show */
    assert_int_equal(a[0] & 0x9F, 1);        /* a NAL unit of type 1 */
    media_source_free(other);
    pair_free(&p);
}

static void another_ssrc_is_refused(void **state) {
    (void)state;
    pair p = pair_new(0, media_source_tone(MEDIA_PCMU, 440), 20);
    packet sent = next(&p);
    sent.octets[11] ^= 1;
    assert_int_equal(arrive(&p, &sent), IBK_ERR_BAD_VALUE);
    assert_int_equal(media_stream_stats(p.bob)->malformed, 1);
    pair_free(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_and_new_overlap),
        cmocka_unit_test(old_keys_are_refused_after_the_grace_period),
        cmocka_unit_test(a_hasty_switch_is_counted),
        cmocka_unit_test(the_rollover_counter_goes_on),
        cmocka_unit_test(many_keys_at_once),
        cmocka_unit_test(rtcp_goes_on),
        cmocka_unit_test(pictures_arrive),
        cmocka_unit_test(another_ssrc_is_refused),
    };
    if (!media_library_start())
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    media_library_stop();
    return failed;
}
