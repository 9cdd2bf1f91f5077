#include "ims/media/stream.h"
#include "ims/media/rtp.h"
#include "ims/media/srtp.h"

#include <stdlib.h>
#include <string.h>

/* Receive keys: a context of their own each, for libsrtp decides by one key alone (or by an MKI in every
 * packet). */
typedef struct receiver {
    srtp_t context;
    bool heard; /* it has accepted something, and knows the ROC by itself */
} receiver;

struct media_stream {
    media_config config;
    media_content content;              /* zero value: none */
    srtp_t send_context;                /* NULL: plain RTP */
    receiver receivers[MEDIA_KEYS_MAX]; /* newest first */
    unsigned receiver_count;            /* 0: plain RTP */
    unsigned frame_len, frame_time;     /* octets and RTP clock units of a packet */
    uint16_t next_sequence;
    uint32_t next_timestamp, sent_octets;
    media_stats stats;

    /* RFC 3550 appendix A.1, A.8: what was received */
    bool heard;
    uint32_t peer_ssrc, base_sequence, highest_sequence; /* extended */
    uint32_t transit;
    double jitter; /* in RTP clock units */
    uint64_t expected_before, received_before;
    uint32_t last_sr;
    uint64_t last_sr_ns;
};

bool media_library_start(void) {
    return srtp_init() == srtp_err_status_ok;
}

void media_library_stop(void) {
    srtp_shutdown();
}

const char *media_library_version(void) {
    const char *version = srtp_get_version_string(); /* "libsrtp2 2.5.0" */
    const char *space = strrchr(version, ' ');
    return space ? space + 1 : version;
}

static bool config_is_sound(const media_config *config) {
    return config->source && config->cname && config->ptime_ms >= 10 && config->ptime_ms <= 60 &&
           config->ptime_ms % 10 == 0 && config->first_sequence < 0x8000 &&
           (config->tag_len == 0 || config->tag_len == 4 || config->tag_len == 10) &&
           !config->send_keys == !config->receive_keys;
}

ibk_err media_stream_new(media_stream **out, const media_config *config) {
    *out = NULL;
    if (!config_is_sound(config))
        return IBK_ERR_USAGE;
    media_stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return IBK_ERR_NO_MEMORY;
    stream->config = *config;
    if (config->content)
        stream->content = *config->content;
    stream->config.content = NULL;
    stream->config.send_keys = stream->config.receive_keys = NULL; /* the caller wipes them after this call */
    media_source_retain(config->source);
    media_source_retain(config->expected);
    media_codec codec = media_source_codec(config->source);
    stream->frame_time = config->ptime_ms * (media_codec_rate(codec) / 1000);
    stream->frame_len = codec == MEDIA_H264 ? MEDIA_VIDEO_LEN : stream->frame_time;
    stream->next_sequence = config->first_sequence;
    stream->next_timestamp = config->first_timestamp;
    ibk_err err = IBK_OK;
    if (config->send_keys) {
        err = media_srtp_weak_context(&stream->send_context, config->send_keys,
                                      (srtp_ssrc_t){ssrc_any_outbound, 0}, config->tag_len, config->weakness);
        if (!err)
            err = media_stream_receive_keys(stream, config->receive_keys);
    }
    if (err)
        media_stream_free(stream);
    else
        *out = stream;
    return err;
}

void media_stream_free(media_stream *stream) {
    if (!stream)
        return;
    if (stream->send_context)
        srtp_dealloc(stream->send_context);
    for (unsigned i = 0; i < stream->receiver_count; i++)
        srtp_dealloc(stream->receivers[i].context);
    media_source_free(stream->config.source);
    media_source_free(stream->config.expected);
    free(stream);
}

/* ---- rekeying
 * ------------------------------------------------------------------------------------------------ */

ibk_err media_stream_send_keys(media_stream *stream, const media_keys *keys) {
    if (!stream->send_context)
        return IBK_ERR_USAGE;
    return media_srtp_weak_context(&stream->send_context, keys, (srtp_ssrc_t){ssrc_any_outbound, 0},
                                   stream->config.tag_len, stream->config.weakness);
}

static void drop_receivers(media_stream *stream, unsigned from) {
    while (stream->receiver_count > from)
        srtp_dealloc(stream->receivers[--stream->receiver_count].context);
}

ibk_err media_stream_receive_keys(media_stream *stream, const media_keys *keys) {
    srtp_ssrc_t ssrc = {ssrc_any_inbound, 0};
    receiver added = {0};
    if (!stream->send_context)
        return IBK_ERR_USAGE;
    if (stream->config.peer_ssrc)
        ssrc = (srtp_ssrc_t){ssrc_specific, stream->config.peer_ssrc};
    ibk_err err =
        media_srtp_weak_context(&added.context, keys, ssrc, stream->config.tag_len, stream->config.weakness);
    if (err)
        return err;
    drop_receivers(stream, MEDIA_KEYS_MAX - 1);
    memmove(&stream->receivers[1], &stream->receivers[0], stream->receiver_count * sizeof added);
    stream->receivers[0] = added;
    stream->receiver_count++;
    return IBK_OK;
}

bool media_stream_newest_heard(const media_stream *stream) {
    return stream->receiver_count > 0 && stream->receivers[0].heard;
}

void media_stream_retire(media_stream *stream) {
    if (stream->receiver_count > 1)
        drop_receivers(stream, 1);
}

unsigned media_stream_keys_held(const media_stream *stream) {
    return stream->receiver_count;
}

/* ---- sending
 * ------------------------------------------------------------------------------------------------- */

/* Content that is larger than what a packet holds besides header and tag is the caller's fault. */
static ibk_err next_payload(media_stream *stream, uint32_t timestamp, uint8_t out[MEDIA_PACKET_MAX],
                            size_t *len) {
    if (!stream->content.next) {
        media_source_read(stream->config.source, timestamp, out + RTP_HEADER_LEN, stream->frame_len);
        *len = stream->frame_len;
        return IBK_OK;
    }
    uint8_t payload[MEDIA_PACKET_MAX];
    if (!stream->content.next(stream->content.user, payload, len))
        return IBK_ERR_STATE;
    if (*len > MEDIA_PACKET_MAX - RTP_HEADER_LEN - SRTP_MAX_TRAILER_LEN)
        return IBK_ERR_LIMIT;
    memcpy(out + RTP_HEADER_LEN, payload, *len);
    return IBK_OK;
}

ibk_err media_stream_send(media_stream *stream, uint8_t out[MEDIA_PACKET_MAX], size_t *len) {
    rtp_header header = {.payload_type = stream->content.next
                                             ? stream->content.payload_type
                                             : (uint8_t)media_source_codec(stream->config.source),
                         .marker = stream->stats.sent == 0, /* start of a talkspurt, RFC 3551 §4.1 */
                         .sequence = stream->next_sequence,
                         .timestamp = stream->next_timestamp,
                         .ssrc = stream->config.ssrc};
    size_t payload_len;
    ibk_err none = next_payload(stream, header.timestamp, out, &payload_len);
    if (none)
        return none;
    rtp_write(out, &header);
    int octets = (int)(RTP_HEADER_LEN + payload_len);
    if (stream->send_context) {
        ibk_err err = media_srtp_error(srtp_protect(stream->send_context, out, &octets));
        if (err)
            return err;
    }
    *len = (size_t)octets;
    stream->next_sequence++;
    stream->next_timestamp += stream->frame_time;
    stream->sent_octets += (uint32_t)payload_len;
    stream->stats.sent++;
    return IBK_OK;
}

static uint64_t ntp_of(int64_t utc_ns) {
    uint64_t seconds = (uint64_t)(utc_ns / 1000000000) + 2208988800u; /* 1900 to 1970 */
    uint64_t fraction = ((uint64_t)(utc_ns % 1000000000) << 32) / 1000000000;
    return seconds << 32 | fraction;
}

static uint64_t expected_packets(const media_stream *stream) {
    return stream->heard ? stream->highest_sequence - stream->base_sequence + 1 : 0;
}

/* RFC 3550 §6.4.1 and appendix A.3 */
static void report_on_peer(media_stream *stream, uint64_t now_ns, rtcp_report *report) {
    uint64_t expected = expected_packets(stream), received = stream->stats.received;
    uint64_t expected_now = expected - stream->expected_before,
             received_now = received - stream->received_before;
    stream->expected_before = expected;
    stream->received_before = received;
    report->reports = true;
    report->peer_ssrc = stream->peer_ssrc;
    report->peer_highest_sequence = stream->highest_sequence;
    report->peer_jitter = (uint32_t)stream->jitter;
    report->peer_lost = (int32_t)(expected - received);
    if (expected_now > received_now)
        report->peer_fraction_lost = (uint8_t)(((expected_now - received_now) << 8) / expected_now);
    if (stream->last_sr_ns) {
        report->last_sr = stream->last_sr;
        report->delay_since_last_sr = (uint32_t)((now_ns - stream->last_sr_ns) * 65536 / 1000000000);
    }
}

ibk_err media_stream_send_rtcp(media_stream *stream, uint64_t now_ns, int64_t utc_ns,
                               uint8_t out[MEDIA_PACKET_MAX], size_t *len) {
    rtcp_report report = {.ssrc = stream->config.ssrc,
                          .ntp = ntp_of(utc_ns),
                          .rtp_timestamp = stream->next_timestamp,
                          .packets = (uint32_t)stream->stats.sent,
                          .octets = stream->sent_octets,
                          .cname = stream->config.cname};
    if (stream->heard)
        report_on_peer(stream, now_ns, &report);
    int octets = (int)rtcp_write(out, &report);
    if (octets == 0)
        return IBK_ERR_LIMIT;
    if (stream->send_context) {
        ibk_err err = media_srtp_error(srtp_protect_rtcp(stream->send_context, out, &octets));
        if (err)
            return err;
    }
    *len = (size_t)octets;
    stream->stats.rtcp_sent++;
    return IBK_OK;
}

/* ---- receiving
 * ----------------------------------------------------------------------------------------------- */

static ibk_err refuse(media_stream *stream, ibk_err err) {
    if (err == IBK_ERR_BAD_MAC)
        stream->stats.auth_failures++;
    else if (err == IBK_ERR_REPLAYED)
        stream->stats.replays++;
    else
        stream->stats.malformed++;
    return err;
}

static void count_sequence(media_stream *stream, const rtp_header *header) {
    if (!stream->heard) {
        stream->heard = true;
        stream->peer_ssrc = header->ssrc;
        stream->base_sequence = stream->highest_sequence = header->sequence;
    }
    int16_t ahead = (int16_t)(header->sequence - (uint16_t)stream->highest_sequence);
    if (ahead > 0)
        stream->highest_sequence += (uint32_t)ahead;
    stream->stats.received++;
    uint64_t expected = expected_packets(stream);
    stream->stats.lost = expected > stream->stats.received ? expected - stream->stats.received : 0;
}

static void measure_jitter(media_stream *stream, uint64_t now_ns, uint32_t timestamp) {
    uint32_t rate = media_codec_rate(media_source_codec(stream->config.source));
    uint64_t clock = now_ns / 1000000000 * rate + now_ns % 1000000000 * rate / 1000000000;
    uint32_t transit = (uint32_t)clock - timestamp; /* both wrap at 2^32 */
    if (stream->stats.received > 1) {
        int32_t change = (int32_t)(transit - stream->transit);
        stream->jitter += ((change < 0 ? -(double)change : change) - stream->jitter) / 16;
        stream->stats.jitter_ns = (uint64_t)(stream->jitter * 1e9 / rate);
    }
    stream->transit = transit;
}

static media_verdict compare(const media_stream *stream, uint32_t timestamp, const uint8_t *payload,
                             size_t len) {
    uint8_t frame[MEDIA_FRAME_MAX];
    if (!stream->config.expected)
        return MEDIA_UNREAD;
    if (len == 0 || len > sizeof frame)
        return MEDIA_OTHER;
    media_source_read(stream->config.expected, timestamp, frame, len);
    return memcmp(frame, payload, len) == 0 ? MEDIA_SAME : MEDIA_OTHER;
}

static void count_verdict(media_stream *stream, media_verdict verdict) {
    stream->stats.compared += verdict != MEDIA_UNREAD;
    stream->stats.mismatches += verdict == MEDIA_OTHER || verdict == MEDIA_REFUSED;
}

/* RFC 3711 §3.3.1: new keys do not reset the ROC. A context that has accepted nothing would guess 0, so it is
 * told the ROC that this packet must have by what was received before. */
static void tell_roc(media_stream *stream, const receiver *r, const uint8_t *packet) {
    if (r->heard || !stream->heard || !stream->config.peer_ssrc)
        return;
    uint16_t sequence = (uint16_t)(packet[2] << 8 | packet[3]);
    int16_t ahead = (int16_t)(sequence - (uint16_t)stream->highest_sequence);
    uint32_t index = stream->highest_sequence + (uint32_t)(int32_t)ahead;
    (void)srtp_set_stream_roc(r->context, stream->config.peer_ssrc, index >> 16);
}

/* Takes the packet into `copy` and opens it there under the newest keys that fit. */
static ibk_err unprotect(media_stream *stream, uint8_t *copy, int *octets, const uint8_t *packet, size_t len,
                         bool rtcp) {
    ibk_err first = IBK_OK;
    memcpy(copy, packet, len);
    *octets = (int)len;
    for (unsigned i = 0; i < stream->receiver_count; i++) {
        receiver *r = &stream->receivers[i];
        memcpy(copy, packet, len);
        *octets = (int)len;
        if (!rtcp)
            tell_roc(stream, r, packet);
        ibk_err err = media_srtp_error(rtcp ? srtp_unprotect_rtcp(r->context, copy, octets)
                                            : srtp_unprotect(r->context, copy, octets));
        if (!err) {
            r->heard = true;
            return IBK_OK;
        }
        if (!first || err == IBK_ERR_REPLAYED) /* seen before, under the keys it was made with */
            first = err;
    }
    return first;
}

ibk_err media_stream_receive(media_stream *stream, uint64_t now_ns, const uint8_t *packet, size_t len) {
    uint32_t aligned[(MEDIA_PACKET_MAX + 3) / 4]; /* libsrtp works in place, on words */
    uint8_t *copy = (uint8_t *)aligned;
    rtp_header header;
    int octets;
    if (len < RTP_HEADER_LEN || len > MEDIA_PACKET_MAX)
        return refuse(stream, IBK_ERR_BAD_LENGTH);
    ibk_err err = unprotect(stream, copy, &octets, packet, len, false);
    if (err)
        return refuse(stream, err);
    if (!rtp_read(&header, copy, (size_t)octets))
        return refuse(stream, IBK_ERR_BAD_VALUE);
    bool content = stream->content.take && header.payload_type == stream->content.payload_type;
    if (!content && header.payload_type != (uint8_t)media_source_codec(stream->config.source))
        return refuse(stream, IBK_ERR_BAD_VALUE);
    size_t payload_len = (size_t)octets - RTP_HEADER_LEN;
    if (stream->stats.received == 0)
        stream->stats.first_accepted_ns = now_ns;
    count_sequence(stream, &header);
    measure_jitter(stream, now_ns, header.timestamp);
    const uint8_t *payload = copy + RTP_HEADER_LEN;
    count_verdict(stream, content
                              ? stream->content.take(stream->content.user, ibk_span_of(payload, payload_len))
                              : compare(stream, header.timestamp, payload, payload_len));
    stream->stats.octets += payload_len;
    return IBK_OK;
}

ibk_err media_stream_receive_rtcp(media_stream *stream, uint64_t now_ns, const uint8_t *packet, size_t len) {
    uint32_t aligned[(MEDIA_PACKET_MAX + 3) / 4];
    uint8_t *copy = (uint8_t *)aligned;
    rtcp_report report;
    int octets;
    if (len < 8 || len > MEDIA_PACKET_MAX) {
        stream->stats.rtcp_refused++;
        return IBK_ERR_BAD_LENGTH;
    }
    ibk_err err = unprotect(stream, copy, &octets, packet, len, true);
    if (!err && !rtcp_read_sender_report(&report, copy, (size_t)octets))
        err = IBK_ERR_BAD_VALUE;
    if (err) {
        stream->stats.rtcp_refused++;
        return err;
    }
    stream->last_sr = (uint32_t)(report.ntp >> 16);
    stream->last_sr_ns = now_ns;
    stream->stats.rtcp_received++;
    return IBK_OK;
}

const media_stats *media_stream_stats(const media_stream *stream) {
    return &stream->stats;
}
