/* What a listener on the core could read, and what was sent again. */
#include "ims/media/rtp.h"
#include "ims/media/stream.h"
#include "run/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One call: the caller says 440 Hz, the callee 660 Hz. */
static const scn_call calls[] = {
    {.media = {.caller = {.tone_hz = 440}, .callee = {.tone_hz = 660}, .codec = SCN_PCMU, .ptime_ms = 20}}};
static const scn_scenario scenario = {.calls = (scn_call *)calls, .call_count = 1};

/* An RTP packet of a tone, protected if `keys`, in UDP over IPv4 or IPv6. */
typedef struct packet {
    uint8_t octets[MEDIA_PACKET_MAX + 48];
    size_t len, rtp_at;
} packet;

static void make_packet(packet *p, int family, unsigned hertz, media_codec codec, const media_keys *keys) {
    media_source *tone = media_source_tone(codec, hertz);
    media_config config = {.source = tone,
                           .ptime_ms = 20,
                           .ssrc = 7,
                           .first_timestamp = 1600,
                           .cname = "x",
                           .send_keys = keys,
                           .receive_keys = keys};
    media_stream *stream;
    uint8_t rtp[MEDIA_PACKET_MAX];
    size_t len;
    assert_int_equal(media_stream_new(&stream, &config), IBK_OK);
    assert_int_equal(media_stream_send(stream, rtp, &len), IBK_OK);
    n3_endpoint from = {.port = 4000}, to = {.port = 4002};
    assert_int_equal(n3_addr_parse(&from.addr, family == 6 ? "fd00::1" : "10.0.0.1"), N3_OK);
    assert_int_equal(n3_addr_parse(&to.addr, family == 6 ? "fd00::2" : "10.0.0.2"), N3_OK);
    p->len = sizeof p->octets;
    p->rtp_at = family == 6 ? 48 : 28;
    assert_int_equal(n3_packet_udp(p->octets, &p->len, &from, &to, rtp, len), N3_OK);
    media_stream_free(stream);
    media_source_free(tone);
}

static void test_plain_rtp_is_counted(void **state) {
    (void)state;
    tally *t = tally_new(&scenario);
    packet p;
    uint64_t counted = 0;
    for (int family = 4; family <= 6; family += 2)
        for (unsigned hertz = 440; hertz <= 660; hertz += 220) {
            make_packet(&p, family, hertz, MEDIA_PCMU, NULL);
            assert_true(tally_packet(t, p.octets, p.len));
            assert_int_equal(tally_plaintext(t), ++counted);
        }
    tally_free(t);
}

static void test_srtp_is_not_counted(void **state) {
    (void)state;
    static const media_keys keys = {.key = "0123456789abcde", .salt = "0123456789abc"};
    tally *t = tally_new(&scenario);
    packet p;
    make_packet(&p, 4, 440, MEDIA_PCMU, &keys);
    assert_false(tally_packet(t, p.octets, p.len));
    make_packet(&p, 6, 660, MEDIA_PCMU, &keys);
    assert_false(tally_packet(t, p.octets, p.len));
    /* Sound that nobody says in this scenario. */
    make_packet(&p, 4, 500, MEDIA_PCMU, NULL);
    assert_false(tally_packet(t, p.octets, p.len));
    make_packet(&p, 4, 440, MEDIA_PCMA, NULL);
    assert_false(tally_packet(t, p.octets, p.len));
    assert_int_equal(tally_plaintext(t), 0);
    tally_free(t);
}

/* The payload of another place in the tone, one changed octet, packets cut at every length. */
static void test_damaged_packets(void **state) {
    (void)state;
    tally *t = tally_new(&scenario);
    packet p;
    make_packet(&p, 4, 440, MEDIA_PCMU, NULL);
    p.octets[p.rtp_at + 12 + 79] ^= 1;
    assert_false(tally_packet(t, p.octets, p.len));
    p.octets[p.rtp_at + 12 + 79] ^= 1;
    p.octets[9] = 6; /* TCP */
    assert_false(tally_packet(t, p.octets, p.len));
    p.octets[9] = 17;
    for (size_t len = 0; len < p.rtp_at + 12 + 80; len++) {
        uint8_t *copy = malloc(len ? len : 1);
        assert_non_null(copy);
        memcpy(copy, p.octets, len);
        assert_false(tally_packet(t, copy, len));
        free(copy);
    }
    assert_true(tally_packet(t, p.octets, p.len));
    tally_free(t);
}

static void log_message(trace *t, bool sent, const char *call, bool again) {
    trace_message message = {.kind = TRACE_SIP,
                             .node = "alice",
                             .sent = sent,
                             .peer = "10.0.0.1",
                             .label = "INVITE",
                             .call = call,
                             .retransmission = again};
    trace_message_begin(t, &message);
    trace_end(t);
}

static void test_retransmissions(void **state) {
    (void)state;
    tally *t = tally_new(&scenario);
    trace *log = trace_new();
    assert_int_equal(trace_add_sink(log, TRACE_MASK(TRACE_SIP), tally_event, t), IBK_OK);
    log_message(log, true, "a", false);
    assert_int_equal(tally_retransmissions(t, NULL), 0);
    log_message(log, true, "a", true);
    log_message(log, true, "a", true);
    log_message(log, false, "a", true); /* what arrives again was counted when it was sent */
    log_message(log, true, "b", true);
    log_message(log, true, NULL, true); /* a message without Call-ID belongs to no call */
    assert_int_equal(tally_retransmissions(t, "a"), 2);
    assert_int_equal(tally_retransmissions(t, "b"), 1);
    assert_int_equal(tally_retransmissions(t, "c"), 0);
    assert_int_equal(tally_retransmissions(t, NULL), 4);
    trace_free(log);
    tally_free(t);
}

static void test_missing_sound_file(void **state) {
    (void)state;
    scn_call call = calls[0];
    call.media.callee = (scn_source){.file = "/nowhere/sound.wav"};
    scn_scenario broken = {.calls = &call, .call_count = 1};
    assert_null(tally_new(&broken));
    tally_free(NULL);
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
        cmocka_unit_test(test_plain_rtp_is_counted), cmocka_unit_test(test_srtp_is_not_counted),
        cmocka_unit_test(test_damaged_packets),      cmocka_unit_test(test_retransmissions),
        cmocka_unit_test(test_missing_sound_file),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
