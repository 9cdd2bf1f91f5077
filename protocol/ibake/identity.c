/* Identities, and the IBE identities made of them: ID data octets || date (P-9). */
#include "base/calendar.h"

#include <ibake/exchange.h>

#include <string.h>

#define NS_PER_SECOND   INT64_C(1000000000)
#define SECONDS_PER_DAY IBK_SECONDS_PER_DAY

ibk_identity ibk_identity_uri(const char *uri) {
    return (ibk_identity){.id_type = IBK_ID_URI, .id = ibk_span_str(uri)};
}

bool ibk_identity_equal(const ibk_identity *a, const ibk_identity *b) {
    return a->id_type == b->id_type && ibk_span_equal(a->id, b->id);
}

size_t ibk_granularity_digits(ibk_granularity granularity) {
    switch (granularity) {
    case IBK_GRANULARITY_HOUR:
        return 10;
    case IBK_GRANULARITY_MONTH:
        return 6;
    default:
        return 8;
    }
}

/* ---- IBE identities ------------------------------------------------------------------------------- */

/* ns since 1970 on the calendar. */
static ibk_civil civil_of(int64_t utc_ns) {
    return ibk_civil_of(ibk_floor_div(utc_ns, NS_PER_SECOND));
}

static void put_digits(char *out, size_t n, int64_t value) {
    for (size_t i = n; i-- > 0; value /= 10) {
        out[i] = (char)('0' + value % 10);
    }
}

ibk_err ibk_ibe_identity(ibk_buf *out, ibk_span id, ibk_granularity granularity, int64_t utc_ns) {
    if (id.len > IBK_IDENTITY_MAX) {
        return IBK_ERR_LIMIT;
    }
    ibk_civil c = civil_of(utc_ns);
    if (utc_ns < 0 || id.len == 0) {
        return IBK_ERR_USAGE;
    }
    char date[IBK_DATE_MAX];
    put_digits(date, 4, c.year);
    put_digits(date + 4, 2, c.month);
    put_digits(date + 6, 2, c.day);
    put_digits(date + 8, 2, c.hour);
    ibk_err err = ibk_buf_append_span(out, id);
    return err ? err : ibk_buf_append(out, date, ibk_granularity_digits(granularity));
}

static int64_t digits_value(const uint8_t *digits, size_t n) {
    int64_t value = 0;
    for (size_t i = 0; i < n; i++) {
        value = value * 10 + (digits[i] - '0');
    }
    return value;
}

ibk_err ibk_ibe_identity_split(ibk_span *id, int64_t *start_ns, ibk_span ibe_identity,
                               ibk_granularity granularity) {
    size_t n = ibk_granularity_digits(granularity);
    if (ibe_identity.len <= n || ibe_identity.len - n > IBK_IDENTITY_MAX) {
        return IBK_ERR_BAD_VALUE;
    }
    const uint8_t *date = ibe_identity.data + ibe_identity.len - n;
    for (size_t i = 0; i < n; i++) {
        if (date[i] < '0' || date[i] > '9') {
            return IBK_ERR_BAD_VALUE;
        }
    }
    int64_t year = digits_value(date, 4), month = digits_value(date + 4, 2);
    int64_t day = n >= 8 ? digits_value(date + 6, 2) : 1;
    int64_t hour = n >= 10 ? digits_value(date + 8, 2) : 0;
    /* 2262 is where ns since 1970 leave 63 bits. */
    if (year < 1970 || year > 2261 || month < 1 || month > 12 || day < 1 ||
        day > ibk_month_days(year, (int)month) || hour > 23) {
        return IBK_ERR_BAD_VALUE;
    }
    *id = ibk_span_of(ibe_identity.data, ibe_identity.len - n);
    int64_t days = ibk_days_to_month(year, (int)month) + day - 1;
    *start_ns = (days * SECONDS_PER_DAY + hour * 3600) * NS_PER_SECOND;
    return IBK_OK;
}

int64_t ibk_period_start(ibk_granularity granularity, int64_t utc_ns) {
    if (granularity == IBK_GRANULARITY_MONTH) {
        ibk_civil c = civil_of(utc_ns);
        return ibk_days_to_month(c.year, c.month) * SECONDS_PER_DAY * NS_PER_SECOND;
    }
    int64_t length = (granularity == IBK_GRANULARITY_HOUR ? 3600 : SECONDS_PER_DAY) * NS_PER_SECOND;
    return ibk_floor_div(utc_ns, length) * length;
}

int64_t ibk_period_end(ibk_granularity granularity, int64_t utc_ns) {
    int64_t start = ibk_period_start(granularity, utc_ns);
    if (granularity == IBK_GRANULARITY_MONTH) {
        ibk_civil c = civil_of(utc_ns);
        return start + ibk_month_days(c.year, c.month) * SECONDS_PER_DAY * NS_PER_SECOND;
    }
    return start + (granularity == IBK_GRANULARITY_HOUR ? 3600 : SECONDS_PER_DAY) * NS_PER_SECOND;
}
