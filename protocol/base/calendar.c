#include "base/calendar.h"

#include <stdbool.h>

int64_t ibk_floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

static bool leap_year(int64_t year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int ibk_month_days(int64_t year, int month) {
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && leap_year(year));
}

/* Years are counted from March, so that the leap day comes last. */
int64_t ibk_days_to_month(int64_t year, int month) {
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t m = month <= 2 ? month + 9 : month - 3; /* 0 is March */
    return 365 * y + ibk_floor_div(y, 4) - ibk_floor_div(y, 100) + ibk_floor_div(y, 400) + (153 * m + 2) / 5 -
           719468;
}

ibk_civil ibk_civil_of(int64_t seconds) {
    int64_t days = ibk_floor_div(seconds, IBK_SECONDS_PER_DAY);
    int in_day = (int)(seconds - days * IBK_SECONDS_PER_DAY);
    ibk_civil c = {.hour = in_day / 3600, .minute = in_day / 60 % 60, .second = in_day % 60};
    c.year = 1970 + ibk_floor_div(days, 366); /* never too late in our range; some years early at its end */
    while (ibk_days_to_month(c.year + 1, 1) <= days) {
        c.year++;
    }
    c.month = 1;
    int64_t left = days - ibk_days_to_month(c.year, 1);
    while (left >= ibk_month_days(c.year, c.month)) {
        left -= ibk_month_days(c.year, c.month);
        c.month++;
    }
    c.day = (int)left + 1;
    return c;
}

int64_t ibk_civil_seconds(const ibk_civil *c) {
    int64_t days = ibk_days_to_month(c->year, c->month) + c->day - 1;
    return days * IBK_SECONDS_PER_DAY + c->hour * 3600 + c->minute * 60 + c->second;
}
