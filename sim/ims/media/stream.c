#include "ims/media/stream.h"
#include "ims/media/rtp.h"

#include <srtp2/srtp.h>
#include <stdlib.h>
#include <string.h>

struct media_stream {
    media_config config;
    srtp_t send_context, receive_context; /* NULL: plain RTP */
    unsigned samples;                     /* in a packet */
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

static ibk_err error_of(srtp_err_status_t status) {
    switch (status) {
    case srtp_err_status_ok:
        return IBK_OK;
    case srtp_err_status_auth_fail:
        return IBK_ERR_BAD_MAC;
    case srtp_err_status_replay_fail:
    case srtp_err_status_replay_old:
        return IBK_ERR_REPLAYED;
    case srtp_err_status_bad_param:
    case srtp_err_status_parse_err:
        return IBK_ERR_BAD_VALUE;
    case srtp_err_status_key_expired:
        return IBK_ERR_LIMIT;
    case srtp_err_status_alloc_fail:
        return IBK_ERR_NO_MEMORY;
    default:
        return IBK_ERR_INTERNAL;
    }
}

/* AES_CM_128_HMAC_SHA1_80 for SRTP and SRTCP, RFC 3711's and this profile's default; SRTP's tag may be
 * shorter. */
static ibk_err open_context(srtp_t *context, const media_keys *keys, srtp_ssrc_type_t direction,
                            unsigned tag_len) {
    uint8_t master[SRTP_AES_ICM_128_KEY_LEN_WSALT];
    srtp_policy_t policy = {.ssrc.type = direction, .key = master, .window_size = 128};
    _Static_assert(sizeof master == sizeof keys->key + sizeof keys->salt, "RFC 3711 §5.2");
    memcpy(master, keys->key, sizeof keys->key);
    memcpy(master + sizeof keys->key, keys->salt, sizeof keys->salt);
    if (tag_len == 4)
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp);
    else
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
    srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
    ibk_err err = error_of(srtp_create(context, &policy));
    ibk_wipe(master, sizeof master);
    return err;
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
    stream->config.send_keys = stream->config.receive_keys = NULL; /* the caller wipes them after this call */
    media_source_retain(config->source);
    media_source_retain(config->expected);
    stream->samples = config->ptime_ms * (MEDIA_RATE / 1000);
    stream->next_sequence = config->first_sequence;
    stream->next_timestamp = config->first_timestamp;
    ibk_err err = IBK_OK;
    if (config->send_keys) {
        err = open_context(&stream->send_context, config->send_keys, ssrc_any_outbound, config->tag_len);
        if (!err)
            err = open_context(&stream->receive_context, config->receive_keys, ssrc_any_inbound,
                               config->tag_len);
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
    if (stream->receive_context)
        srtp_dealloc(stream->receive_context);
    media_source_free(stream->config.source);
    media_source_free(stream->config.expected);
    free(stream);
}

ibk_err media_stream_send(media_stream *stream, uint8_t out[MEDIA_PACKET_MAX], size_t *len) {
    rtp_header header = {.payload_type = (uint8_t)media_source_codec(stream->config.source),
                         .marker = stream->stats.sent == 0, /* start of a talkspurt, RFC 3551 §4.1 */
                         .sequence = stream->next_sequence,
                         .timestamp = stream->next_timestamp,
                         .ssrc = stream->config.ssrc};
    rtp_write(out, &header);
    media_source_read(stream->config.source, header.timestamp, out + RTP_HEADER_LEN, stream->samples);
    int octets = (int)(RTP_HEADER_LEN + stream->samples);
    if (stream->send_context) {
        ibk_err err = error_of(srtp_protect(stream->send_context, out, &octets));
        if (err)
            return err;
    }
    *len = (size_t)octets;
    stream->next_sequence++;
    stream->next_timestamp += stream->samples;
    stream->sent_octets += stream->samples;
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
        ibk_err err = error_of(srtp_protect_rtcp(stream->send_context, out, &octets));
        if (err)
            return err;
    }
    *len = (size_t)octets;
    stream->stats.rtcp_sent++;
    return IBK_OK;
}

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
    uint32_t transit = (uint32_t)(now_ns / (1000000000 / MEDIA_RATE)) - timestamp; /* both wrap at 2^32 */
    if (stream->stats.received > 1) {
        int32_t change = (int32_t)(transit - stream->transit);
        stream->jitter += ((change < 0 ? -(double)change : change) - stream->jitter) / 16;
        stream->stats.jitter_ns = (uint64_t)(stream->jitter * 1e9 / MEDIA_RATE);
    }
    stream->transit = transit;
}

static void compare(media_stream *stream, uint32_t timestamp, const uint8_t *payload, size_t len) {
    uint8_t frame[MEDIA_FRAME_MAX];
    if (!stream->config.expected)
        return;
    stream->stats.compared++;
    if (len <= sizeof frame) {
        media_source_read(stream->config.expected, timestamp, frame, len);
        if (len > 0 && memcmp(frame, payload, len) == 0)
            return;
    }
    stream->stats.mismatches++;
}

ibk_err media_stream_receive(media_stream *stream, uint64_t now_ns, const uint8_t *packet, size_t len) {
    uint32_t aligned[(MEDIA_PACKET_MAX + 3) / 4]; /* libsrtp works in place, on words */
    uint8_t *copy = (uint8_t *)aligned;
    rtp_header header;
    if (len < RTP_HEADER_LEN || len > MEDIA_PACKET_MAX)
        return refuse(stream, IBK_ERR_BAD_LENGTH);
    memcpy(copy, packet, len);
    int octets = (int)len;
    if (stream->receive_context) {
        ibk_err err = error_of(srtp_unprotect(stream->receive_context, copy, &octets));
        if (err)
            return refuse(stream, err);
    }
    if (!rtp_read(&header, copy, (size_t)octets) ||
        header.payload_type != (uint8_t)media_source_codec(stream->config.source))
        return refuse(stream, IBK_ERR_BAD_VALUE);
    size_t payload_len = (size_t)octets - RTP_HEADER_LEN;
    if (stream->stats.received == 0)
        stream->stats.first_accepted_ns = now_ns;
    count_sequence(stream, &header);
    measure_jitter(stream, now_ns, header.timestamp);
    compare(stream, header.timestamp, copy + RTP_HEADER_LEN, payload_len);
    stream->stats.octets += payload_len;
    return IBK_OK;
}

ibk_err media_stream_receive_rtcp(media_stream *stream, uint64_t now_ns, const uint8_t *packet, size_t len) {
    uint32_t aligned[(MEDIA_PACKET_MAX + 3) / 4];
    uint8_t *copy = (uint8_t *)aligned;
    rtcp_report report;
    ibk_err err = IBK_OK;
    if (len < 8 || len > MEDIA_PACKET_MAX) {
        stream->stats.rtcp_refused++;
        return IBK_ERR_BAD_LENGTH;
    }
    memcpy(copy, packet, len);
    int octets = (int)len;
    if (stream->receive_context)
        err = error_of(srtp_unprotect_rtcp(stream->receive_context, copy, &octets));
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
