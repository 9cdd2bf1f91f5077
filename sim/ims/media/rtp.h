/* RTP and RTCP packets (RFC 3550) of a G.711 stream: headers only, the rest is media/stream. */
#ifndef IMS_MEDIA_RTP_H
#define IMS_MEDIA_RTP_H

#include <ibake/base.h>

#define RTP_HEADER_LEN 12

typedef struct rtp_header {
    uint8_t payload_type;
    bool marker;
    uint16_t sequence;
    uint32_t timestamp, ssrc;
} rtp_header;

void rtp_write(uint8_t out[RTP_HEADER_LEN], const rtp_header *header);
/* Version 2, no CSRC, extension or padding, which nobody here sends; false otherwise. */
bool rtp_read(rtp_header *header, const uint8_t *packet, size_t len);
/* RFC 5761 §4: with RTP and RTCP of one session on two ports this tells a stray from the other. */
bool rtp_is_rtcp(const uint8_t *packet, size_t len);

/* A compound packet: sender report (with one report block if `reports`), then SDES with CNAME. RFC 3550 §6.
 */
typedef struct rtcp_report {
    uint32_t ssrc;
    uint64_t ntp;           /* 64-bit NTP time of this report */
    uint32_t rtp_timestamp; /* the same moment on the RTP clock */
    uint32_t packets, octets;
    bool reports; /* the block about the peer follows */
    uint32_t peer_ssrc, peer_highest_sequence, peer_jitter, last_sr, delay_since_last_sr;
    uint8_t peer_fraction_lost;
    int32_t peer_lost; /* cumulative, 24 bits signed */
    const char *cname;
} rtcp_report;

#define RTCP_MAX_LEN 400

/* Returns the length, a multiple of 4; 0 if the CNAME is over 255 octets. */
size_t rtcp_write(uint8_t out[RTCP_MAX_LEN], const rtcp_report *report);
/* Reads a sender report's first packet; false if it is none or its lengths do not fit. */
bool rtcp_read_sender_report(rtcp_report *report, const uint8_t *packet, size_t len);

#endif
