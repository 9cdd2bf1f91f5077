/* Timestamps of our own messages: each one is used once (RFC 3830 §5.2). */
#include <ibake/exchange.h>

#define SET_BACK_SECONDS 60

/* The value that the clock gives, unless it was used: then the one after the last. NTP seconds wrap in 2036,
 * so the distance is taken modulo their width (RFC 3830 §4.2.8, N23). */
static uint64_t unused(uint64_t value, uint64_t last, bool narrow) {
    uint64_t mask = narrow ? UINT32_MAX : UINT64_MAX;
    uint64_t behind = (last - value) & mask;
    uint64_t limit = narrow ? SET_BACK_SECONDS : (uint64_t)SET_BACK_SECONDS << 32;
    return behind <= limit ? (last + 1) & mask : value;
}

ibk_err ibk_timestamps_next(ibk_timestamps *timestamps, ibk_t *out, uint8_t ts_type, int64_t utc_ns) {
    if (ts_type > IBK_TS_NTP_UTC_32) {
        return IBK_ERR_UNSUPPORTED;
    }
    uint64_t last = timestamps->last[ts_type];
    bool used = timestamps->used[ts_type];
    ibk_t t = {.ts_type = ts_type};
    if (ts_type == IBK_TS_COUNTER) {
        if (used && last >= UINT32_MAX) {
            return IBK_ERR_LIMIT;
        }
        t.value = used ? last + 1 : 1;
    } else {
        ibk_err err = ibk_t_from_utc(&t, ts_type, utc_ns);
        if (err) {
            return err;
        }
        if (used) {
            t.value = unused(t.value, last, ts_type == IBK_TS_NTP_UTC_32);
        }
    }
    timestamps->last[ts_type] = t.value;
    timestamps->used[ts_type] = true;
    *out = t;
    return IBK_OK;
}
