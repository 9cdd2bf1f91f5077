/* A listener with a key opens what a stream sends, from the middle of it too; with another key it opens
 * nothing. */
#include "ims/media/opener.h"
#include "ims/media/rtp.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SSRC 0x51525354u

static const media_keys right = {.key = {1, 2, 3}, .salt = {4, 5, 6}},
                        wrong = {.key = {1, 2, 4}, .salt = {4, 5, 6}};

static media_stream *talker(media_source *source, unsigned tag_len, uint16_t first_sequence) {
    media_stream *stream;
    media_config config = {.source = source,
                           .ptime_ms = 20,
                           .ssrc = SSRC,
                           .first_sequence = first_sequence,
                           .cname = "talker",
                           .tag_len = tag_len,
                           .send_keys = &right,
                           .receive_keys = &right};
    assert_int_equal(media_stream_new(&stream, &config), IBK_OK);
    return stream;
}

static void test_opens_with_the_key_alone(void **state) {
    (void)state;
    const unsigned tags[] = {4, 10};
    media_source *source = media_source_tone(MEDIA_PCMU, 440);
    for (size_t i = 0; i < 2; i++) {
        media_stream *stream = talker(source, tags[i], 7);
        media_opener *good, *bad, *any;
        assert_int_equal(media_opener_new(&good, &right, SSRC, tags[i]), IBK_OK);
        assert_int_equal(media_opener_new(&bad, &wrong, SSRC, tags[i]), IBK_OK);
        assert_int_equal(media_opener_new(&any, &right, 0, tags[i]), IBK_OK);
        for (int n = 0; n < 5; n++) {
            uint8_t packet[MEDIA_PACKET_MAX], out[MEDIA_PACKET_MAX], said[160];
            size_t len, plain;
            rtp_header header;
            assert_int_equal(media_stream_send(stream, packet, &len), IBK_OK);
            ibk_span sent = ibk_span_of(packet, len);
            assert_int_equal(media_opener_open(bad, sent, 0, out, &plain), IBK_ERR_BAD_MAC);
            assert_int_equal(media_opener_open(good, sent, 0, out, &plain), IBK_OK);
            assert_int_equal(plain, RTP_HEADER_LEN + 160);
            assert_true(rtp_read(&header, out, plain));
            media_source_read(source, header.timestamp, said, sizeof said);
            assert_memory_equal(out + RTP_HEADER_LEN, said, sizeof said);
            assert_int_equal(media_opener_open(good, sent, 0, out, &plain), IBK_ERR_REPLAYED);
            packet[len - 1] ^= 1;
            assert_int_equal(media_opener_open(any, sent, 0, out, &plain), IBK_ERR_BAD_MAC);
            packet[len - 1] ^= 1;
            assert_int_equal(media_opener_open(any, sent, 0, out, &plain), IBK_OK);
        }
        media_opener_free(good);
        media_opener_free(bad);
        media_opener_free(any);
        media_stream_free(stream);
    }
    media_source_free(source);
}

/* Who comes later has to know the ROC: after 2^16 packets it is 1. */
static void test_from_the_middle(void **state) {
    (void)state;
    media_source *source = media_source_tone(MEDIA_PCMU, 440);
    media_stream *stream = talker(source, 10, 0x7FFF);
    uint8_t packet[MEDIA_PACKET_MAX], out[MEDIA_PACKET_MAX];
    size_t len, plain;
    for (int n = 0; n < 0x8001 + 10; n++)
        assert_int_equal(media_stream_send(stream, packet, &len), IBK_OK);
    media_opener *o;
    assert_int_equal(media_opener_new(&o, &right, SSRC, 10), IBK_OK);
    assert_int_equal(media_opener_open(o, ibk_span_of(packet, len), 0, out, &plain), IBK_ERR_BAD_MAC);
    assert_int_equal(media_opener_open(o, ibk_span_of(packet, len), 1, out, &plain), IBK_OK);
    assert_int_equal(media_stream_send(stream, packet, &len), IBK_OK);
    assert_int_equal(media_opener_open(o, ibk_span_of(packet, len), 0, out, &plain), IBK_OK);
    media_opener_free(o);
    media_stream_free(stream);
    media_source_free(source);
}

static void test_what_is_no_packet(void **state) {
    (void)state;
    media_opener *o;
    uint8_t packet[MEDIA_PACKET_MAX + 1] = {0x80}, out[MEDIA_PACKET_MAX];
    size_t plain;
    assert_int_equal(media_opener_new(&o, &right, SSRC, 10), IBK_OK);
    assert_int_equal(media_opener_open(o, ibk_span_of(packet, 11), 0, out, &plain), IBK_ERR_BAD_LENGTH);
    assert_int_equal(media_opener_open(o, ibk_span_of(packet, sizeof packet), 0, out, &plain),
                     IBK_ERR_BAD_LENGTH);
    assert_int_equal(media_opener_open(o, ibk_span_of(packet, 100), 0, out, &plain), IBK_ERR_BAD_VALUE);
    media_opener_free(o);
    media_opener_free(NULL);
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
        cmocka_unit_test(test_opens_with_the_key_alone),
        cmocka_unit_test(test_from_the_middle),
        cmocka_unit_test(test_what_is_no_packet),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
