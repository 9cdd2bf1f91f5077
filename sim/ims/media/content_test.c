/* Content under SK: encoded beforehand, carried over one hop, stored, carried over another, opened. */
#include "ims/media/content.h"
#include "ims/media/rtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { PACKETS = 50 };
static const media_keys first_hop = {.key = "key of 1st hop .", .salt = "salt of 1st ho"};
static const media_keys second_hop = {.key = "key of 2nd hop .", .salt = "salt of 2nd ho"};
static const char *const secret = "thirty-two octets of a secret key";

static ibk_span sk_of(const char *text) {
    return ibk_span_of(text, CONTENT_SK_LEN);
}

static media_config shape_of(media_source *source, media_source *expected) {
    return (media_config){.source = source,
                          .expected = expected,
                          .ptime_ms = 20,
                          .ssrc = 0x5EC7E7,
                          .first_sequence = 0x7FF0,
                          .first_timestamp = 160,
                          .cname = "content"};
}

static content_store encode(unsigned hertz, const char *sk) {
    content_store store = {0};
    media_source *tone = media_source_tone(MEDIA_PCMU, hertz);
    media_config shape = shape_of(tone, NULL);
    assert_int_equal(content_encode(&store, sk_of(sk), &shape, PACKETS), IBK_OK);
    assert_int_equal(store.count, PACKETS);
    media_source_free(tone);
    return store;
}

static media_stream *reader_with(const media_keys *keys, unsigned hertz) {
    media_stream *out;
    media_source *tone = media_source_tone(MEDIA_PCMU, hertz);
    media_config shape = shape_of(tone, hertz ? tone : NULL);
    assert_int_equal(content_stream_new(&out, keys, &shape), IBK_OK);
    media_source_free(tone);
    return out;
}

static media_stream *reader(const char *sk, unsigned hertz) {
    media_keys keys;
    assert_int_equal(content_keys(&keys, sk_of(sk)), IBK_OK);
    return reader_with(&keys, hertz);
}

/* ---- one hop --------------------------------------------------------------------------------------------
 */

typedef struct hop_end {
    const content_store *sends;
    size_t next;
    content_store stores;
} hop_end;

static bool next(void *user, uint8_t out[MEDIA_PACKET_MAX], size_t *len) {
    hop_end *end = user;
    ibk_span packet = content_store_at(end->sends, end->next);
    if (packet.len == 0)
        return false;
    end->next++;
    memcpy(out, packet.data, packet.len);
    *len = packet.len;
    return true;
}

static media_verdict take(void *user, ibk_span payload) {
    assert_int_equal(content_store_add(&((hop_end *)user)->stores, payload), IBK_OK);
    return MEDIA_UNREAD;
}

static media_stream *hop_stream(const media_keys *keys, const media_content *content) {
    media_stream *out;
    media_source *tone = media_source_tone(MEDIA_PCMU, 660);
    media_config config = shape_of(tone, tone);
    config.content = content;
    config.send_keys = config.receive_keys = keys;
    assert_int_equal(media_stream_new(&out, &config), IBK_OK);
    media_source_free(tone);
    return out;
}

static content_store carry(const content_store *store, const media_keys *keys) {
    hop_end sender = {.sends = store}, receiver = {.sends = NULL};
    media_content sends = {.user = &sender, .payload_type = CONTENT_PAYLOAD_TYPE, .next = next};
    media_content takes = {.user = &receiver, .payload_type = CONTENT_PAYLOAD_TYPE, .take = take};
    media_stream *from = hop_stream(keys, &sends), *to = hop_stream(keys, &takes);
    uint8_t packet[MEDIA_PACKET_MAX];
    size_t len;
    for (size_t i = 0; i < store->count; i++) {
        assert_int_equal(media_stream_send(from, packet, &len), IBK_OK);
        assert_int_equal(packet[1] & 0x7F, CONTENT_PAYLOAD_TYPE);
        assert_int_equal(len, RTP_HEADER_LEN + content_store_at(store, i).len + 10);
        assert_int_equal(media_stream_receive(to, 0, packet, len), IBK_OK);
    }
    assert_int_equal(media_stream_send(from, packet, &len), IBK_ERR_STATE); /* that was all */
    assert_int_equal(media_stream_stats(from)->sent, store->count);
    assert_int_equal(media_stream_stats(to)->received, store->count);
    assert_int_equal(media_stream_stats(to)->compared, 0); /* nobody could tell what it is */
    media_stream_free(from);
    media_stream_free(to);
    return receiver.stores;
}

static void arrives_intact_over_two_hops(void **state) {
    (void)state;
    content_store made = encode(440, secret), stored = carry(&made, &first_hop),
                  delivered = carry(&stored, &second_hop);
    media_stream *bob = reader(secret, 440);
    ibk_err why;
    assert_int_equal(delivered.count, PACKETS);
    for (size_t i = 0; i < PACKETS; i++) {
        assert_true(ibk_span_equal(content_store_at(&made, i), content_store_at(&delivered, i)));
        assert_int_equal(content_open(bob, content_store_at(&delivered, i), &why), MEDIA_SAME);
    }
    assert_int_equal(content_open(bob, content_store_at(&delivered, 7), &why), MEDIA_REFUSED);
    assert_int_equal(why, IBK_ERR_REPLAYED);
    media_stream_free(bob);
    content_store_free(&made);
    content_store_free(&stored);
    content_store_free(&delivered);
}

static void keys_of_hops_do_not_open_it(void **state) {
    (void)state;
    content_store made = encode(440, secret);
    media_stream *tries[] = {reader_with(&first_hop, 440), reader_with(&second_hop, 440),
                             reader("another secret key, of 32 octets", 440)};
    ibk_err why;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(content_open(tries[i], content_store_at(&made, 0), &why), MEDIA_REFUSED);
        assert_int_equal(why, IBK_ERR_BAD_MAC);
        media_stream_free(tries[i]);
    }
    content_store_free(&made);
}

static void a_changed_octet_is_noticed(void **state) {
    (void)state;
    content_store made = encode(440, secret);
    size_t len = content_store_at(&made, 0).len;
    ibk_err why;
    media_stream *bob = reader(secret, 440);
    for (size_t octet = 0; octet < len; octet++) {
        uint8_t copy[MEDIA_PACKET_MAX];
        memcpy(copy, made.octets.data, len);
        copy[octet] ^= 0x10;
        assert_int_equal(content_open(bob, ibk_span_of(copy, len), &why), MEDIA_REFUSED);
    }
    assert_int_equal(content_open(bob, content_store_at(&made, 0), &why), MEDIA_SAME);
    media_stream_free(bob);
    content_store_free(&made);
}

static void other_content_is_noticed(void **state) {
    (void)state;
    content_store made = encode(441, secret);
    media_stream *bob = reader(secret, 440);
    ibk_err why;
    assert_int_equal(content_open(bob, content_store_at(&made, 0), &why), MEDIA_OTHER);
    media_stream_free(bob);
    content_store_free(&made);
}

static void a_container_is_refused_where_none_is_awaited(void **state) {
    (void)state;
    content_store made = encode(440, secret);
    hop_end sender = {.sends = &made};
    media_content sends = {.user = &sender, .payload_type = CONTENT_PAYLOAD_TYPE, .next = next};
    media_stream *from = hop_stream(&first_hop, &sends), *to = hop_stream(&first_hop, NULL);
    uint8_t packet[MEDIA_PACKET_MAX];
    size_t len;
    assert_int_equal(media_stream_send(from, packet, &len), IBK_OK);
    assert_int_equal(media_stream_receive(to, 0, packet, len), IBK_ERR_BAD_VALUE);
    assert_int_equal(media_stream_stats(to)->malformed, 1);
    media_stream_free(from);
    media_stream_free(to);
    content_store_free(&made);
}

static void a_store_has_limits(void **state) {
    (void)state;
    content_store store = {0};
    uint8_t packet[MEDIA_PACKET_MAX + 1] = {0};
    assert_int_equal(content_store_add(&store, (ibk_span){0}), IBK_ERR_LIMIT);
    assert_int_equal(content_store_add(&store, ibk_span_of(packet, sizeof packet)), IBK_ERR_LIMIT);
    for (size_t i = 0; i < CONTENT_MAX_PACKETS; i++)
        assert_int_equal(content_store_add(&store, ibk_span_of(packet, 1 + i % 3)), IBK_OK);
    assert_int_equal(content_store_add(&store, ibk_span_of(packet, 1)), IBK_ERR_LIMIT);
    assert_int_equal(content_store_at(&store, 5).len, 3);
    assert_int_equal(content_store_at(&store, CONTENT_MAX_PACKETS).len, 0);
    content_store_free(&store);
    assert_int_equal(store.count, 0);
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
        cmocka_unit_test(arrives_intact_over_two_hops),
        cmocka_unit_test(keys_of_hops_do_not_open_it),
        cmocka_unit_test(a_changed_octet_is_noticed),
        cmocka_unit_test(other_content_is_noticed),
        cmocka_unit_test(a_container_is_refused_where_none_is_awaited),
        cmocka_unit_test(a_store_has_limits),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
