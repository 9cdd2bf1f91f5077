#include "ims/media/rtp.h"

#include <string.h>

enum { RTCP_SR = 200, RTCP_SDES = 202, RTCP_APP_MAX = 204, SDES_CNAME = 1, SR_LEN = 28, BLOCK_LEN = 24 };

static void put16(uint8_t *at, unsigned value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value) {
    put16(at, value >> 16);
    put16(at + 2, value & 0xFFFF);
}

static uint32_t get32(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

void rtp_write(uint8_t out[RTP_HEADER_LEN], const rtp_header *header) {
    out[0] = 2 << 6;
    out[1] = (uint8_t)((header->marker ? 0x80 : 0) | (header->payload_type & 0x7F));
    put16(out + 2, header->sequence);
    put32(out + 4, header->timestamp);
    put32(out + 8, header->ssrc);
}

bool rtp_read(rtp_header *header, const uint8_t *packet, size_t len) {
    if (len < RTP_HEADER_LEN || packet[0] != 2 << 6)
        return false;
    header->marker = packet[1] >> 7;
    header->payload_type = packet[1] & 0x7F;
    header->sequence = (uint16_t)(packet[2] << 8 | packet[3]);
    header->timestamp = get32(packet + 4);
    header->ssrc = get32(packet + 8);
    return true;
}

bool rtp_is_rtcp(const uint8_t *packet, size_t len) {
    return len >= 8 && packet[0] >> 6 == 2 && packet[1] >= RTCP_SR && packet[1] <= RTCP_APP_MAX;
}

static size_t write_sender_report(uint8_t *out, const rtcp_report *report) {
    size_t len = SR_LEN + (report->reports ? BLOCK_LEN : 0);
    out[0] = (uint8_t)(2 << 6 | (report->reports ? 1 : 0));
    out[1] = RTCP_SR;
    put16(out + 2, (unsigned)(len / 4 - 1));
    put32(out + 4, report->ssrc);
    put32(out + 8, (uint32_t)(report->ntp >> 32));
    put32(out + 12, (uint32_t)report->ntp);
    put32(out + 16, report->rtp_timestamp);
    put32(out + 20, report->packets);
    put32(out + 24, report->octets);
    if (report->reports) {
        uint8_t *block = out + SR_LEN;
        put32(block, report->peer_ssrc);
        put32(block + 4,
              (uint32_t)report->peer_fraction_lost << 24 | ((uint32_t)report->peer_lost & 0xFFFFFF));
        put32(block + 8, report->peer_highest_sequence);
        put32(block + 12, report->peer_jitter);
        put32(block + 16, report->last_sr);
        put32(block + 20, report->delay_since_last_sr);
    }
    return len;
}

static size_t write_cname(uint8_t *out, uint32_t ssrc, const char *cname, size_t cname_len) {
    /* Item list: type, length, text, at least one zero octet, padded to a word. RFC 3550 §6.5. */
    size_t len = (8 + 2 + cname_len + 1 + 3) & ~(size_t)3;
    memset(out, 0, len);
    out[0] = 2 << 6 | 1;
    out[1] = RTCP_SDES;
    put16(out + 2, (unsigned)(len / 4 - 1));
    put32(out + 4, ssrc);
    out[8] = SDES_CNAME;
    out[9] = (uint8_t)cname_len;
    memcpy(out + 10, cname, cname_len);
    return len;
}

size_t rtcp_write(uint8_t out[RTCP_MAX_LEN], const rtcp_report *report) {
    size_t cname_len = strlen(report->cname);
    if (cname_len > 255)
        return 0;
    size_t len = write_sender_report(out, report);
    return len + write_cname(out + len, report->ssrc, report->cname, cname_len);
}

bool rtcp_read_sender_report(rtcp_report *report, const uint8_t *packet, size_t len) {
    if (len < SR_LEN || packet[0] >> 6 != 2 || packet[1] != RTCP_SR)
        return false;
    size_t said = 4 * ((size_t)(packet[2] << 8 | packet[3]) + 1), blocks = packet[0] & 0x1F;
    if (said > len || said < SR_LEN + blocks * BLOCK_LEN)
        return false;
    *report = (rtcp_report){.ssrc = get32(packet + 4),
                            .ntp = (uint64_t)get32(packet + 8) << 32 | get32(packet + 12),
                            .rtp_timestamp = get32(packet + 16),
                            .packets = get32(packet + 20),
                            .octets = get32(packet + 24),
                            .reports = blocks > 0};
    if (blocks > 0) {
        const uint8_t *block = packet + SR_LEN;
        report->peer_ssrc = get32(block);
        report->peer_fraction_lost = block[4];
        report->peer_lost = (int32_t)(get32(block + 4) << 8) / 256;
        report->peer_highest_sequence = get32(block + 8);
        report->peer_jitter = get32(block + 12);
        report->last_sr = get32(block + 16);
        report->delay_since_last_sr = get32(block + 20);
    }
    return true;
}
