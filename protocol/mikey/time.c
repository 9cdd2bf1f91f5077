/* Timestamp values: RFC 3830 §4.2.8 and §6.6, RFC 6043 §6.3. */
#include "mikey/time_text.h"

#include <stdio.h>

static const int64_t ns_per_s = 1000000000;
static const int64_t ntp_to_unix = 2208988800;                /* seconds from 1900 to 1970 */
static const int64_t era = (int64_t)1 << 32;                  /* seconds until NTP wraps: 2036, 2172, … */
static const int64_t middle_2036 = 2085978496LL * 1000000000; /* 2036-02-07T06:28:16Z, start of era 1 */

/* Quotient towards minus infinity, so that times before 1970 work. */
static int64_t floor_div(int64_t a, int64_t b) {
    int64_t q = a / b;
    return q * b > a ? q - 1 : q;
}

ibk_err ibk_t_from_utc(ibk_t *out, uint8_t ts_type, int64_t utc_ns) {
    if (ts_type != IBK_TS_NTP_UTC && ts_type != IBK_TS_NTP && ts_type != IBK_TS_NTP_UTC_32)
        return IBK_ERR_UNSUPPORTED;
    int64_t s = floor_div(utc_ns, ns_per_s);
    uint64_t ns = (uint64_t)(utc_ns - s * ns_per_s);
    uint64_t ntp = (uint64_t)(s + ntp_to_unix) & UINT32_MAX;
    out->ts_type = ts_type;
    if (ts_type == IBK_TS_NTP_UTC_32)
        out->value = ntp;
    else
        out->value = ntp << 32 | (ns << 32) / (uint64_t)ns_per_s;
    return IBK_OK;
}

ibk_err ibk_t_to_utc(int64_t *utc_ns, const ibk_t *t, int64_t reference_ns) {
    if (t->ts_type != IBK_TS_NTP_UTC && t->ts_type != IBK_TS_NTP && t->ts_type != IBK_TS_NTP_UTC_32)
        return IBK_ERR_UNSUPPORTED;
    uint64_t ntp64 = ibk_t_64(t);
    int64_t ntp = (int64_t)(ntp64 >> 32);
    /* The fraction was cut, not rounded: the nearest ns gives back what was put in. */
    int64_t ns = (int64_t)(((ntp64 & UINT32_MAX) * (uint64_t)ns_per_s + ((uint64_t)1 << 31)) >> 32);
    int64_t reference = floor_div(reference_ns, ns_per_s) + ntp_to_unix;
    /* The congruent value in [reference - era/2, reference + era/2). */
    int64_t low = reference - era / 2;
    int64_t s = low + (int64_t)((uint64_t)(ntp - low) & UINT32_MAX) - ntp_to_unix;
    if (__builtin_mul_overflow(s, ns_per_s, utc_ns) || __builtin_add_overflow(*utc_ns, ns, utc_ns))
        return IBK_ERR_BAD_VALUE; /* past the years 1678 to 2262 */
    return IBK_OK;
}

uint64_t ibk_t_64(const ibk_t *t) {
    return t->ts_type == IBK_TS_NTP_UTC_32 ? t->value << 32 : t->value;
}

bool ibk_t_equal(const ibk_t *a, const ibk_t *b) {
    return a->ts_type == b->ts_type && a->value == b->value;
}

/* Days since 1970-01-01 to a date of the Gregorian calendar. */
static void civil(int64_t days, int *year, int *month, int *day) {
    int64_t z = days + 719468; /* from 0000-03-01 */
    int64_t cycle = floor_div(z, 146097), doe = z - cycle * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *day = (int)(doy - (153 * mp + 2) / 5 + 1);
    *month = (int)(mp < 10 ? mp + 3 : mp - 9);
    *year = (int)(yoe + cycle * 400 + (*month <= 2));
}

void ibk_time_text(char text[IBK_TIME_TEXT_MAX], const ibk_t *t) {
    int64_t ns;
    if (ibk_t_to_utc(&ns, t, middle_2036) != IBK_OK) {
        snprintf(text, IBK_TIME_TEXT_MAX, "%llu", (unsigned long long)t->value);
        return;
    }
    int64_t s = floor_div(ns, ns_per_s), days = floor_div(s, 86400);
    int year, month, day, second = (int)(s - days * 86400);
    civil(days, &year, &month, &day);
    snprintf(text, IBK_TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ", year, month, day, second / 3600,
             second / 60 % 60, second % 60, (int)(ns - s * ns_per_s));
}
