#include "ims/media/g711.h"
#include "ims/media/rtp.h"
#include "ims/media/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void g711_known_codes(void **state) {
    (void)state;
    /* ITU-T G.711 tables 1 and 2, scaled to 16 bits: the ends, zero and a segment border. */
    assert_int_equal(g711_ulaw_encode(0), 0xFF);
    assert_int_equal(g711_ulaw_encode(-1), 0x7F);
    assert_int_equal(g711_ulaw_encode(32767), 0x80);
    assert_int_equal(g711_ulaw_encode(-32768), 0x00);
    assert_int_equal(g711_ulaw_decode(0x80), 32124);
    assert_int_equal(g711_ulaw_decode(0x00), -32124);
    assert_int_equal(g711_alaw_encode(0), 0xD5);
    assert_int_equal(g711_alaw_encode(-1), 0x55);
    assert_int_equal(g711_alaw_encode(32767), 0xAA);
    assert_int_equal(g711_alaw_encode(-32768), 0x2A);
    assert_int_equal(g711_alaw_decode(0xAA), 32256);
    assert_int_equal(g711_alaw_decode(0xD5), 8);
}

static void g711_codes_are_fixed_points(void **state) {
    (void)state;
    for (unsigned code = 0; code < 256; code++) {
        uint8_t ulaw = g711_ulaw_encode(g711_ulaw_decode((uint8_t)code));
        assert_true(ulaw == code || (code == 0x7F && ulaw == 0xFF)); /* minus zero becomes plus zero */
        assert_int_equal(g711_alaw_encode(g711_alaw_decode((uint8_t)code)), code);
    }
    for (int sample = -32768; sample <= 32767;
         sample++) { /* a step is at most 1/16 of the segment, plus the clip */
        int magnitude = abs(sample);
        assert_in_range(abs(g711_ulaw_decode(g711_ulaw_encode((int16_t)sample)) - sample), 0,
                        magnitude / 16 + 644);
        assert_in_range(abs(g711_alaw_decode(g711_alaw_encode((int16_t)sample)) - sample), 0,
                        magnitude / 16 + 512);
    }
}

typedef struct pair {
    media_source *tone, *other;
    media_stream *alice, *bob;
} pair;

static const media_keys keys_ab = {.key = "key of a to b ..", .salt = "salt of a to b"};
static const media_keys keys_ba = {.key = "key of b to a ..", .salt = "salt of b to a"};

static pair pair_new(const media_keys *bob_receives) {
    pair p = {.tone = media_source_tone(MEDIA_PCMU, 440), .other = media_source_tone(MEDIA_PCMU, 1000)};
    media_config alice = {.source = p.tone,
                          .expected = p.other,
                          .ptime_ms = 20,
                          .ssrc = 0xA11CE,
                          .cname = "alice",
                          .first_sequence = 0x7FFE,
                          .first_timestamp = 0xFFFFFF00,
                          .send_keys = bob_receives ? &keys_ab : NULL,
                          .receive_keys = bob_receives ? &keys_ba : NULL};
    media_config bob = {.source = p.other,
                        .expected = p.tone,
                        .ptime_ms = 20,
                        .ssrc = 0xB0B,
                        .cname = "bob",
                        .send_keys = bob_receives ? &keys_ba : NULL,
                        .receive_keys = bob_receives};
    assert_int_equal(media_stream_new(&p.alice, &alice), IBK_OK);
    assert_int_equal(media_stream_new(&p.bob, &bob), IBK_OK);
    return p;
}

static void pair_free(pair *p) {
    media_stream_free(p->alice);
    media_stream_free(p->bob);
    media_source_free(p->tone);
    media_source_free(p->other);
}

static void protected_media_arrives_as_it_was_sent(void **state) {
    (void)state;
    pair p = pair_new(&keys_ab);
    uint8_t packet[MEDIA_PACKET_MAX], last[MEDIA_PACKET_MAX];
    size_t len = 0, last_len = 0;
    for (unsigned i = 0; i < 200; i++) {
        assert_int_equal(media_stream_send(p.alice, packet, &len), IBK_OK);
        assert_int_equal(len, RTP_HEADER_LEN + 160 + 10);
        if (i == 50 || i == 60)
            continue; /* lost on the way */
        assert_int_equal(media_stream_receive(p.bob, 1000 + i * 20000000ull, packet, len), IBK_OK);
        memcpy(last, packet, len);
        last_len = len;
    }
    assert_int_equal(media_stream_receive(p.bob, 0, last, last_len), IBK_ERR_REPLAYED);
    assert_int_equal(media_stream_send(p.alice, packet, &len), IBK_OK);
    packet[30] ^= 1;
    assert_int_equal(media_stream_receive(p.bob, 0, packet, len), IBK_ERR_BAD_MAC);
    const media_stats *stats = media_stream_stats(p.bob);
    assert_int_equal(stats->received, 198);
    assert_int_equal(stats->lost, 2);
    assert_int_equal(stats->compared, 198);
    assert_int_equal(stats->mismatches, 0);
    assert_int_equal(stats->replays, 1);
    assert_int_equal(stats->auth_failures, 1);
    assert_int_equal(stats->octets, 198 * 160);
    assert_int_equal(stats->first_accepted_ns, 1000);
    assert_int_equal(stats->jitter_ns, 0);
    pair_free(&p);
}

static void other_keys_hear_nothing(void **state) {
    (void)state;
    media_keys wrong = keys_ab;
    wrong.salt[13] ^= 1;
    pair p = pair_new(&wrong);
    uint8_t packet[MEDIA_PACKET_MAX];
    size_t len;
    assert_int_equal(media_stream_send(p.alice, packet, &len), IBK_OK);
    assert_int_equal(media_stream_receive(p.bob, 0, packet, len), IBK_ERR_BAD_MAC);
    assert_int_equal(media_stream_send_rtcp(p.alice, 0, 0, packet, &len), IBK_OK);
    assert_int_equal(media_stream_receive_rtcp(p.bob, 0, packet, len), IBK_ERR_BAD_MAC);
    assert_int_equal(media_stream_stats(p.bob)->received, 0);
    pair_free(&p);
}

static void plain_media_is_refused_where_srtp_is_due(void **state) {
    (void)state;
    pair plain = pair_new(NULL), protected_ = pair_new(&keys_ab);
    uint8_t packet[MEDIA_PACKET_MAX];
    size_t len;
    assert_int_equal(media_stream_send(plain.alice, packet, &len), IBK_OK);
    assert_int_equal(media_stream_receive(plain.bob, 0, packet, len), IBK_OK);
    assert_int_equal(media_stream_stats(plain.bob)->mismatches, 0);
    assert_int_equal(media_stream_receive(protected_.bob, 0, packet, len), IBK_ERR_BAD_MAC);
    pair_free(&plain);
    pair_free(&protected_);
}

static void other_content_is_noticed(void **state) {
    (void)state;
    pair p = pair_new(NULL);
    uint8_t packet[MEDIA_PACKET_MAX];
    size_t len;
    assert_int_equal(media_stream_send(p.alice, packet, &len), IBK_OK);
    packet[100] ^= 1;
    assert_int_equal(media_stream_receive(p.bob, 0, packet, len), IBK_OK);
    assert_int_equal(media_stream_stats(p.bob)->mismatches, 1);
    pair_free(&p);
}

static void rtcp_reports_what_was_heard(void **state) {
    (void)state;
    pair p = pair_new(&keys_ab);
    uint8_t packet[MEDIA_PACKET_MAX];
    size_t len;
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(media_stream_send(p.alice, packet, &len), IBK_OK);
        if (i != 4)
            assert_int_equal(media_stream_receive(p.bob, i, packet, len), IBK_OK);
    }
    assert_int_equal(media_stream_send_rtcp(p.alice, 1, 1000000000, packet, &len), IBK_OK);
    assert_int_equal(media_stream_receive_rtcp(p.bob, 2, packet, len), IBK_OK);
    assert_int_equal(media_stream_send_rtcp(p.bob, 3, 1000000000, packet, &len), IBK_OK);
    assert_int_equal(media_stream_receive_rtcp(p.alice, 4, packet, len), IBK_OK);
    assert_int_equal(media_stream_receive_rtcp(p.alice, 5, packet, len), IBK_ERR_REPLAYED);
    pair_free(&p);
    p = pair_new(NULL);
    rtcp_report report;
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(media_stream_send(p.alice, packet, &len), IBK_OK);
        if (i != 4)
            assert_int_equal(media_stream_receive(p.bob, i, packet, len), IBK_OK);
    }
    assert_int_equal(media_stream_send_rtcp(p.bob, 3, 1500000000, packet, &len), IBK_OK);
    assert_true(rtp_is_rtcp(packet, len));
    assert_true(rtcp_read_sender_report(&report, packet, len));
    assert_true(report.reports);
    assert_int_equal(report.ntp, ((uint64_t)2208988801u << 32) + 0x80000000u);
    assert_int_equal(report.peer_ssrc, 0xA11CE);
    assert_int_equal(report.peer_lost, 1);
    assert_int_equal(report.peer_fraction_lost, 256 / 10);
    assert_int_equal(report.peer_highest_sequence, 0x7FFE + 9);
    for (size_t cut = 0; cut < 28; cut++)
        assert_false(rtcp_read_sender_report(&report, packet, cut));
    pair_free(&p);
}

static void bad_packets_and_settings_are_refused(void **state) {
    (void)state;
    pair p = pair_new(NULL);
    uint8_t packet[MEDIA_PACKET_MAX + 1] = {0};
    assert_int_equal(media_stream_receive(p.bob, 0, packet, 11), IBK_ERR_BAD_LENGTH);
    assert_int_equal(media_stream_receive(p.bob, 0, packet, sizeof packet), IBK_ERR_BAD_LENGTH);
    assert_int_equal(media_stream_receive(p.bob, 0, packet, 200), IBK_ERR_BAD_VALUE);
    assert_int_equal(media_stream_stats(p.bob)->malformed, 3);
    media_stream *none;
    media_config config = {.source = p.tone, .cname = "x", .ptime_ms = 25};
    assert_int_equal(media_stream_new(&none, &config), IBK_ERR_USAGE);
    config.ptime_ms = 20;
    config.send_keys = &keys_ab;
    assert_int_equal(media_stream_new(&none, &config), IBK_ERR_USAGE);
    assert_null(none);
    assert_null(media_source_tone(MEDIA_PCMA, 4000));
    media_source *source;
    ibk_diag diag;
    assert_int_equal(media_source_file(&source, MEDIA_PCMA, "/nonexistent.wav", &diag), IBK_ERR_IO);
    assert_non_null(strstr(diag.detail, "nonexistent"));
    pair_free(&p);
}

static int start(void **state) {
    (void)state;
    return media_library_start() ? 0 : -1;
}

static int stop(void **state) {
    (void)state;
    media_library_stop();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(g711_known_codes),
        cmocka_unit_test(g711_codes_are_fixed_points),
        cmocka_unit_test(protected_media_arrives_as_it_was_sent),
        cmocka_unit_test(other_keys_hear_nothing),
        cmocka_unit_test(plain_media_is_refused_where_srtp_is_due),
        cmocka_unit_test(other_content_is_noticed),
        cmocka_unit_test(rtcp_reports_what_was_heard),
        cmocka_unit_test(bad_packets_and_settings_are_refused),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
