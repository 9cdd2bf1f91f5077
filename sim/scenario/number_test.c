#include "scenario/number.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define S INT64_C(1000000000)

static void reads(const char *text, const scn_quantity *quantity, int64_t expected, const char *canonical) {
    int64_t value = 0;
    const char *unit;
    char out[SCN_NUMBER_MAX];
    assert_int_equal(scn_number_read(&value, &unit, text, quantity, true), SCN_NUMBER_OK);
    assert_int_equal(value, expected);
    scn_number_write(out, value, quantity);
    assert_string_equal(out, canonical);
    int64_t again = 0;
    assert_int_equal(scn_number_read(&again, &unit, out, quantity, true), SCN_NUMBER_OK);
    assert_int_equal(again, value);
}

static void units_are_exact(void **state) {
    (void)state;
    reads("20 ms", &scn_time_quantity, 20000000, "20 ms");
    reads("20ms", &scn_time_quantity, 20000000, "20 ms");
    reads("0.1 s", &scn_time_quantity, 100000000, "100 ms");
    reads("1.5 min", &scn_time_quantity, 90 * S, "90 s");
    reads("120 s", &scn_time_quantity, 120 * S, "2 min");
    reads("-2 min", &scn_time_quantity, -120 * S, "-2 min");
    reads("+30 s", &scn_time_quantity, 30 * S, "30 s");
    reads("0 h", &scn_time_quantity, 0, "0 s");
    reads("0.000000001 s", &scn_time_quantity, 1, "1 ns");
    reads("400 d", &scn_time_quantity, 400 * 86400 * S, "400 d");
    reads("10 Mbit/s", &scn_rate_quantity, 10000000, "10 Mbit/s");
    reads("0.064 Mbit/s", &scn_rate_quantity, 64000, "64 kbit/s");
    reads("1234567 bit/s", &scn_rate_quantity, 1234567, "1234567 bit/s");
    reads("5 %", &scn_share_quantity, 50000000, "5 %");
    reads("0.5%", &scn_share_quantity, 5000000, "0.5 %");
    reads("0.0000001 %", &scn_share_quantity, 1, "0.0000001 %");
    reads("100 %", &scn_share_quantity, 1000000000, "100 %");
    reads("3 ppm", &scn_share_quantity, 3000, "0.0003 %");
    reads("0 %", &scn_share_quantity, 0, "0 %");
    reads("1 packet", &scn_packets_quantity, 1, "1 packet");
    reads("1 packets", &scn_packets_quantity, 1, "1 packet");
    reads("100 packets", &scn_packets_quantity, 100, "100 packets");
    reads("1500 bytes", &scn_octets_quantity, 1500, "1500 bytes");
    reads("0.44 kHz", &scn_hertz_quantity, 440, "440 Hz");
}

static void refuses(const char *text, const scn_quantity *quantity, scn_number_result expected) {
    int64_t value = 0;
    const char *unit;
    assert_int_equal(scn_number_read(&value, &unit, text, quantity, false), expected);
}

static void wrong_numbers_are_told_apart(void **state) {
    (void)state;
    refuses("", &scn_time_quantity, SCN_NUMBER_NONE);
    refuses("ms", &scn_time_quantity, SCN_NUMBER_NONE);
    refuses("-1 s", &scn_time_quantity, SCN_NUMBER_NONE);
    refuses(".5 s", &scn_time_quantity, SCN_NUMBER_NONE);
    refuses("5", &scn_time_quantity, SCN_NUMBER_NO_UNIT);
    refuses("0", &scn_time_quantity, SCN_NUMBER_NO_UNIT);
    refuses("5 ", &scn_time_quantity, SCN_NUMBER_NO_UNIT);
    refuses("5. s", &scn_time_quantity, SCN_NUMBER_BAD_UNIT);
    refuses("5 S", &scn_time_quantity, SCN_NUMBER_BAD_UNIT);
    refuses("5e3 s", &scn_time_quantity, SCN_NUMBER_BAD_UNIT);
    refuses("1.2.3 s", &scn_time_quantity, SCN_NUMBER_BAD_UNIT);
    refuses("5 s s", &scn_time_quantity, SCN_NUMBER_BAD_UNIT);
    refuses("0.5 ns", &scn_time_quantity, SCN_NUMBER_TOO_FINE);
    refuses("0.5 packets", &scn_packets_quantity, SCN_NUMBER_TOO_FINE);
    refuses("9223372036854775808 ns", &scn_time_quantity, SCN_NUMBER_TOO_LARGE);
    refuses("999999999999999999999999 d", &scn_time_quantity, SCN_NUMBER_TOO_LARGE);
    refuses("9999999999999999999999999999999999999999 d", &scn_time_quantity, SCN_NUMBER_TOO_LARGE);
}

static void digits_do_not_overflow(void **state) {
    (void)state;
    uint64_t value;
    assert_true(scn_digits_read(&value, "18446744073709551615"));
    assert_true(value == UINT64_MAX);
    assert_false(scn_digits_read(&value, "18446744073709551616"));
    assert_false(scn_digits_read(&value, ""));
    assert_false(scn_digits_read(&value, "-1"));
    assert_false(scn_digits_read(&value, "0x10"));
}

static void date(const char *text, int64_t seconds, int64_t ns) {
    int64_t value;
    char out[SCN_NUMBER_MAX];
    assert_true(scn_date_read(&value, text));
    assert_int_equal(value, seconds * S + ns);
    scn_date_write(out, value);
    assert_string_equal(out, text);
}

static void dates_are_rfc_3339(void **state) {
    (void)state;
    date("1970-01-01T00:00:00Z", 0, 0);
    date("2000-02-29T12:34:56Z", 951827696, 0);
    date("2026-03-02T09:00:00Z", 1772442000, 0);
    date("2026-12-31T23:59:59.5Z", 1798761599, 500000000);
    date("2035-12-31T23:59:59.000000001Z", 2082758399, 1);
    static const char *const bad[] = {"2026-03-02",
                                      "2026-03-02T09:00:00",
                                      "2026-03-02T09:00:00+01:00",
                                      "2026-02-29T00:00:00Z",
                                      "2026-13-01T00:00:00Z",
                                      "2026-00-01T00:00:00Z",
                                      "2026-01-00T00:00:00Z",
                                      "2026-01-01T24:00:00Z",
                                      "2026-01-01T00:60:00Z",
                                      "2026-01-01T00:00:60Z",
                                      "2026-01-01T00:00:00.Z",
                                      "2026-01-01 00:00:00Z",
                                      "26-01-01T00:00:00Z",
                                      "2026-01-01T00:00:00.1234567891Z",
                                      "2100-02-29T00:00:00Z",
                                      "2026-01-01T00:00:00Zx"};
    int64_t value;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(scn_date_read(&value, bad[i]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_are_exact),
        cmocka_unit_test(wrong_numbers_are_told_apart),
        cmocka_unit_test(digits_do_not_overflow),
        cmocka_unit_test(dates_are_rfc_3339),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
