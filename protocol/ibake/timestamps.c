/* Timestamps of our own messages: each one is used once (RFC 3830 §5.2), and is one that others accept
 * (P-27). */
#include <ibake/exchange.h>

#define SECOND_NS   INT64_C(1000000000)
#define SET_BACK_NS (60 * SECOND_NS)

/* By how much the last value lies ahead of the clock's, ns; negative: behind it. NTP seconds wrap in 2036, so
 * the distance is taken modulo their width (RFC 3830 §4.2.8, N23). */
static int64_t ahead_of(const ibk_t *clock, uint64_t last) {
    if (clock->ts_type == IBK_TS_NTP_UTC_32) {
        return (int64_t)(int32_t)(uint32_t)(last - clock->value) * SECOND_NS;
    }
    int64_t distance = (int64_t)(last - clock->value), seconds = distance >> 32;
    int64_t fraction = (int64_t)(((uint64_t)distance & UINT32_MAX) * (uint64_t)SECOND_NS >> 32);
    return seconds * SECOND_NS + fraction;
}

/* The value that the clock gives, unless it was used: then the one after the last. */
static ibk_err make_unused(const ibk_timestamps *timestamps, ibk_t *t, bool set_back) {
    uint64_t last = timestamps->last[t->ts_type];
    bool narrow = t->ts_type == IBK_TS_NTP_UTC_32;
    int64_t ahead_ns = ahead_of(t, last);
    int64_t limit_ns = timestamps->ahead_ns ? timestamps->ahead_ns : IBK_REPLAY_DEFAULT_SKEW_NS / 2;
    if (!timestamps->used[t->ts_type] || ahead_ns < 0 || set_back) {
        return IBK_OK;
    }
    if (ahead_ns + (narrow ? SECOND_NS : 1) > limit_ns) {
        return IBK_ERR_LIMIT;
    }
    t->value = (last + 1) & (narrow ? UINT32_MAX : UINT64_MAX);
    return IBK_OK;
}

static ibk_err next_count(const ibk_timestamps *timestamps, ibk_t *t) {
    uint64_t last = timestamps->last[IBK_TS_COUNTER];
    bool used = timestamps->used[IBK_TS_COUNTER];
    t->value = used ? last + 1 : 1;
    return used && last >= UINT32_MAX ? IBK_ERR_LIMIT : IBK_OK;
}

static ibk_err next_time(const ibk_timestamps *timestamps, ibk_t *t, int64_t utc_ns, bool set_back) {
    ibk_err err = ibk_t_from_utc(t, t->ts_type, utc_ns);
    return err ? err : make_unused(timestamps, t, set_back);
}

ibk_err ibk_timestamps_next(ibk_timestamps *timestamps, ibk_t *out, uint8_t ts_type, int64_t utc_ns) {
    if (ts_type > IBK_TS_NTP_UTC_32) {
        return IBK_ERR_UNSUPPORTED;
    }
    ibk_t t = {.ts_type = ts_type};
    bool counter = ts_type == IBK_TS_COUNTER;
    bool set_back = !counter && timestamps->clock_ns - SET_BACK_NS > utc_ns;
    ibk_err err = counter ? next_count(timestamps, &t) : next_time(timestamps, &t, utc_ns, set_back);
    if (err) {
        return err;
    }
    if (!counter && (set_back || utc_ns > timestamps->clock_ns)) {
        timestamps->clock_ns = utc_ns;
    }
    timestamps->last[ts_type] = t.value;
    timestamps->used[ts_type] = true;
    *out = t;
    return IBK_OK;
}
