/* ibakelab: the civil calendar, UTC, proleptic Gregorian. */
#ifndef BASE_CALENDAR_H
#define BASE_CALENDAR_H

#include <stdint.h>

#define IBK_SECONDS_PER_DAY INT64_C(86400)

typedef struct ibk_civil {
    int64_t year;
    int month, day, hour, minute, second; /* from 1, 1, 0, 0, 0 */
} ibk_civil;

int64_t ibk_floor_div(int64_t a, int64_t b); /* b > 0 */
int ibk_month_days(int64_t year, int month); /* month from 1 to 12 */
/* Days from 1970-01-01 to the first of a month. */
int64_t ibk_days_to_month(int64_t year, int month);
/* From seconds since 1970-01-01T00:00:00Z, not before 1969 and not after the year 9999. */
ibk_civil ibk_civil_of(int64_t seconds);
/* Back again, for a date that exists. */
int64_t ibk_civil_seconds(const ibk_civil *civil);

#endif
