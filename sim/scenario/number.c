#include "scenario/number.h"
#include <stdio.h>
#include <string.h>

#define S UINT64_C(1000000000)

const scn_quantity scn_time_quantity = {"a time",
                                        "20 ms",
                                        "ns, us, ms, s, min, h, d",
                                        "1 ns",
                                        (const scn_unit[]){{"ns", 1},
                                                           {"us", 1000},
                                                           {"ms", 1000000},
                                                           {"s", S},
                                                           {"min", 60 * S},
                                                           {"h", 3600 * S},
                                                           {"d", 86400 * S},
                                                           {NULL, 0}},
                                        false};
const scn_quantity scn_rate_quantity = {
    "a data rate",
    "10 Mbit/s",
    "bit/s, kbit/s, Mbit/s, Gbit/s",
    "1 bit/s",
    (const scn_unit[]){
        {"bit/s", 1}, {"kbit/s", 1000}, {"Mbit/s", 1000000}, {"Gbit/s", 1000000000}, {NULL, 0}},
    false};
const scn_quantity scn_share_quantity = {"a share",
                                         "0.5 %",
                                         "%, ppm",
                                         "0.0000001 %",
                                         (const scn_unit[]){{"ppm", 1000}, {"%", 10000000}, {NULL, 0}},
                                         true};
const scn_quantity scn_packets_quantity = {"a number of packets",
                                           "100 packets",
                                           "packets",
                                           "1 packet",
                                           (const scn_unit[]){{"packet", 1}, {"packets", 1}, {NULL, 0}},
                                           false};
const scn_quantity scn_octets_quantity = {
    "a size", "1500 bytes", "bytes", "1 byte", (const scn_unit[]){{"byte", 1}, {"bytes", 1}, {NULL, 0}},
    false};
const scn_quantity scn_hertz_quantity = {
    "a frequency", "440 Hz", "Hz, kHz", "1 Hz", (const scn_unit[]){{"Hz", 1}, {"kHz", 1000}, {NULL, 0}},
    false};
const scn_quantity scn_priority_quantity = {
    "a q-value", "0.5", "", "0.001", (const scn_unit[]){{"", 1000}, {NULL, 0}}, false};

/* ---- numbers ------------------------------------------------------------------------------------------- */

typedef struct decimal {
    unsigned __int128 mantissa;
    unsigned scale; /* digits behind the point */
    bool negative, too_long;
} decimal;

/* Reads the number at the start; the rest of the text, or NULL if there is none. */
static const char *decimal_read(decimal *out, const char *text, bool signed_) {
    const char *at = text;
    *out = (decimal){0};
    if (signed_ && (*at == '-' || *at == '+'))
        out->negative = *at++ == '-';
    unsigned digits = 0;
    bool point = false;
    for (;; at++) {
        if (*at == '.' && !point && digits > 0 && at[1] >= '0' && at[1] <= '9') {
            point = true;
        } else if (*at >= '0' && *at <= '9') {
            out->too_long |= ++digits > 24;
            if (out->too_long)
                continue;
            out->mantissa = out->mantissa * 10 + (unsigned)(*at - '0');
            out->scale += point;
        } else {
            return digits == 0 ? NULL : at;
        }
    }
}

scn_number_result scn_number_read(int64_t *out, const char **unit, const char *text,
                                  const scn_quantity *quantity, bool signed_) {
    decimal number;
    const char *rest = decimal_read(&number, text, signed_);
    if (rest == NULL)
        return SCN_NUMBER_NONE;
    while (*rest == ' ')
        rest++;
    *unit = rest;
    if (*rest == '\0' && quantity->units[0].name[0] != '\0')
        return SCN_NUMBER_NO_UNIT;
    const scn_unit *u = quantity->units;
    while (u->name != NULL && strcmp(u->name, rest) != 0)
        u++;
    if (u->name == NULL)
        return SCN_NUMBER_BAD_UNIT;
    unsigned __int128 divisor = 1;
    for (unsigned i = 0; i < number.scale; i++)
        divisor *= 10;
    if (number.too_long || number.mantissa > ((unsigned __int128)1 << 80)) /* times 2^47 (a day): 127 bits */
        return SCN_NUMBER_TOO_LARGE;
    unsigned __int128 product = number.mantissa * u->factor;
    if (product % divisor != 0)
        return SCN_NUMBER_TOO_FINE;
    if (product / divisor > INT64_MAX)
        return SCN_NUMBER_TOO_LARGE;
    *out = number.negative ? -(int64_t)(product / divisor) : (int64_t)(product / divisor);
    return SCN_NUMBER_OK;
}

bool scn_digits_read(uint64_t *out, const char *text) {
    uint64_t value = 0;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        unsigned digit = (unsigned)(*text - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

static void decimals_write(char out[SCN_NUMBER_MAX], uint64_t value, uint64_t one, int digits,
                           const char *unit) {
    int len = snprintf(out, SCN_NUMBER_MAX, "%llu.%0*llu", (unsigned long long)(value / one), digits,
                       (unsigned long long)(value % one));
    while (out[len - 1] == '0')
        len--;
    len -= out[len - 1] == '.';
    strcpy(out + len, unit);
}

void scn_number_write(char out[SCN_NUMBER_MAX], int64_t value, const scn_quantity *quantity) {
    uint64_t size = value < 0 ? -(uint64_t)value : (uint64_t)value;
    if (quantity->is_share) {
        decimals_write(out, size, 10000000, 7, " %");
        return;
    }
    if (quantity->units[0].name[0] == '\0') {
        decimals_write(out, size, 1000, 3, "");
        return;
    }
    const scn_unit *units = quantity->units, *best = units;
    for (const scn_unit *u = units; u->name != NULL; u++) {
        if (size >= u->factor && size % u->factor == 0)
            best = u;
    }
    if (units[0].factor == units[1].factor) /* "1 packet", "2 packets" */
        best = &units[size != 1];
    else if (size == 0 && quantity == &scn_time_quantity)
        best = &units[3]; /* "0 s" */
    snprintf(out, SCN_NUMBER_MAX, "%s%llu %s", value < 0 ? "-" : "",
             (unsigned long long)(size / best->factor), best->name);
}

/* ---- dates -----------------------------------------------------------------------------------------------
 */

/* Days from 1970-01-01 to a date of the Gregorian calendar. */
static int64_t days_from_civil(int64_t y, unsigned m, unsigned d) {
    y -= m <= 2;
    int64_t era = y / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static bool digits_at(const char **at, unsigned count, unsigned *out) {
    *out = 0;
    for (unsigned i = 0; i < count; i++) {
        if (**at < '0' || **at > '9')
            return false;
        *out = *out * 10 + (unsigned)(*(*at)++ - '0');
    }
    return true;
}

static bool char_at(const char **at, char c) {
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

bool scn_date_read(int64_t *utc_ns, const char *text) {
    static const unsigned char days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned y, mo, d, h, mi, s, fraction = 0;
    const char *at = text;
    if (!digits_at(&at, 4, &y) || !char_at(&at, '-') || !digits_at(&at, 2, &mo) || !char_at(&at, '-') ||
        !digits_at(&at, 2, &d) || !char_at(&at, 'T') || !digits_at(&at, 2, &h) || !char_at(&at, ':') ||
        !digits_at(&at, 2, &mi) || !char_at(&at, ':') || !digits_at(&at, 2, &s))
        return false;
    if (char_at(&at, '.')) {
        unsigned digits = 0;
        for (; *at >= '0' && *at <= '9'; at++) {
            if (++digits > 9)
                return false;
            fraction = fraction * 10 + (unsigned)(*at - '0');
        }
        if (digits == 0)
            return false;
        for (; digits < 9; digits++)
            fraction *= 10;
    }
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    if (!char_at(&at, 'Z') || *at != '\0' || y < 1970 || y > 2200 || mo < 1 || mo > 12 || d < 1 ||
        d > days[mo - 1] || (mo == 2 && d == 29 && !leap) || h > 23 || mi > 59 || s > 59)
        return false;
    int64_t seconds = ((days_from_civil(y, mo, d) * 24 + h) * 60 + mi) * 60 + s;
    *utc_ns = seconds * (int64_t)S + fraction;
    return true;
}

void scn_date_write(char out[SCN_NUMBER_MAX], int64_t utc_ns) {
    int64_t seconds = utc_ns / (int64_t)S, left = seconds % 86400, day = seconds / 86400;
    unsigned fraction = (unsigned)(utc_ns % (int64_t)S), y = 1970, mo = 1;
    while (days_from_civil(y + 1, 1, 1) <= day)
        y++;
    while (mo < 12 && days_from_civil(y, mo + 1, 1) <= day)
        mo++;
    unsigned d = (unsigned)(day - days_from_civil(y, mo, 1)) + 1;
    int len = snprintf(out, SCN_NUMBER_MAX, "%04u-%02u-%02uT%02u:%02u:%02u", y, mo, d,
                       (unsigned)(left / 3600), (unsigned)(left / 60 % 60), (unsigned)(left % 60));
    if (fraction != 0) {
        len += snprintf(out + len, SCN_NUMBER_MAX - (size_t)len, ".%09u", fraction);
        while (out[len - 1] == '0')
            len--;
    }
    memcpy(out + len, "Z", 2);
}
