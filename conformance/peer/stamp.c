/* T payloads (RFC 3830 §6.6, RFC 6043 §6.3). A moment is seconds since 1970 << 32 | fraction, which is good
 * until 2106; NTP's seconds are the same ones plus a constant, modulo 2^32. */
#include "peer/internal.h"

#include <string.h>

enum { NTP_UTC = 0, NTP = 1, COUNTER = 2, NTP_UTC_32 = 3 };
static const uint32_t ntp_1970 = 2208988800U;

static uint64_t moment_of(uint64_t utc_ms) {
    return (utc_ms / 1000) << 32 | ((utc_ms % 1000) << 32) / 1000;
}

ibk_err px_stamp_new(peer *p, px_octets *body) {
    uint8_t type = p->c.timestamp;
    px_clear(body);
    px_put8(body, type);
    if (type == COUNTER) {
        px_put32(body, ++p->counter);
        return body->err;
    }
    uint64_t step = type == NTP_UTC_32 ? (uint64_t)1 << 32 : 1, moment = moment_of(p->c.utc_ms);
    if (type == NTP_UTC_32)
        moment &= ~(step - 1);
    if (moment <= p->newest)
        moment = p->newest + step;
    p->newest = moment;
    px_put32(body, (uint32_t)(moment >> 32) + ntp_1970);
    if (type != NTP_UTC_32)
        px_put32(body, (uint32_t)moment);
    return body->err;
}

bool px_stamp_read(const px_octets *body, uint64_t *stamp) {
    px_cursor c = px_read(px_span(body));
    uint8_t type = px_take8(&c);
    uint32_t high = px_take32(&c), low = type == NTP || type == NTP_UTC ? px_take32(&c) : 0;
    *stamp = type == COUNTER ? high : (uint64_t)(high - ntp_1970) << 32 | low;
    return !c.over && c.left == 0 && type <= NTP_UTC_32;
}

uint64_t px_stamp_seconds(const peer *p, const px_octets *body) {
    uint64_t stamp;
    bool clock = px_stamp_read(body, &stamp) && px_span(body).data[0] != COUNTER;
    return clock ? stamp >> 32 : p->c.utc_ms / 1000;
}

void px_stamp_64(const px_octets *body, uint8_t out[8], bool turned) {
    ibk_span s = px_span(body);
    memset(out, 0, 8);
    if (s.len == 9)
        memcpy(out, s.data + 1, 8);
    else if (s.len == 5) /* COUNTER is padded on the left, NTP-UTC-32 on the right */
        memcpy(out + ((s.data[0] == COUNTER) != turned ? 4 : 0), s.data + 1, 4);
}
