#include <ibake/mikey.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const int64_t second = 1000000000;

static ibk_t stamp(uint8_t type, int64_t ns) {
    ibk_t t = {0};
    assert_int_equal(ibk_t_from_utc(&t, type, ns), IBK_OK);
    return t;
}

static int64_t back(ibk_t t, int64_t reference) {
    int64_t ns = -1;
    assert_int_equal(ibk_t_to_utc(&ns, &t, reference), IBK_OK);
    return ns;
}

static void known_values(void **state) {
    (void)state;
    assert_int_equal(stamp(IBK_TS_NTP_UTC, 0).value, (uint64_t)0x83AA7E80 << 32); /* RFC 868: 2208988800 */
    assert_int_equal(stamp(IBK_TS_NTP, second / 2).value, (uint64_t)0x83AA7E80 << 32 | 0x80000000);
    assert_int_equal(stamp(IBK_TS_NTP_UTC_32, 999999999).value, 0x83AA7E80);
    assert_int_equal(stamp(IBK_TS_NTP_UTC_32, -1).value, 0x83AA7E7F);
    /* 2036-02-07T06:28:16Z: the seconds wrap */
    assert_int_equal(stamp(IBK_TS_NTP_UTC_32, 2085978496 * second).value, 0);
    assert_int_equal(stamp(IBK_TS_NTP_UTC, 2085978495 * second).value, (uint64_t)0xFFFFFFFF << 32);
}

static void every_nanosecond_comes_back(void **state) {
    (void)state;
    static const int64_t times[] = {0,          1,  999999999, 1763950385123456789, -1,
                                    -987654321, 17, 333333333, 2085978496000000001, 4102444799999999999};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        for (int64_t skew = -60; skew <= 60; skew += 60) {
            int64_t reference = times[i] + skew * 365 * 86400 * second;
            assert_int_equal(back(stamp(IBK_TS_NTP_UTC, times[i]), reference), times[i]);
            assert_int_equal(back(stamp(IBK_TS_NTP, times[i]), reference), times[i]);
        }
}

static void the_era_is_the_nearest(void **state) {
    (void)state;
    int64_t wrap = 2085978496 * second;
    for (int64_t d = -2; d <= 2; d++) {
        ibk_t t = stamp(IBK_TS_NTP_UTC_32, wrap + d * second);
        assert_int_equal(back(t, wrap + 5 * second), wrap + d * second);
        assert_int_equal(back(t, wrap - 5 * second), wrap + d * second);
    }
    ibk_t t = {IBK_TS_NTP_UTC_32, 5};
    assert_int_equal(back(t, 0), wrap + 5 * second); /* 66 years ahead; 1900 is 70 behind */
    assert_int_equal(back(t, -315360000 * second), (5 - 2208988800) * second);
    assert_int_equal(back(t, 2000000000 * second), wrap + 5 * second);
    int64_t ns;
    assert_int_equal(ibk_t_to_utc(&ns, &(ibk_t){IBK_TS_NTP, 0}, INT64_MAX), IBK_ERR_BAD_VALUE);
    assert_int_equal(ibk_t_to_utc(&ns, &(ibk_t){IBK_TS_NTP, 0}, INT64_MIN), IBK_ERR_BAD_VALUE);
}

static void a_counter_is_no_time(void **state) {
    (void)state;
    int64_t ns;
    ibk_t t = {IBK_TS_COUNTER, 7};
    assert_int_equal(ibk_t_from_utc(&t, IBK_TS_COUNTER, 0), IBK_ERR_UNSUPPORTED);
    assert_int_equal(ibk_t_to_utc(&ns, &t, 0), IBK_ERR_UNSUPPORTED);
}

static void sixty_four_bits(void **state) {
    (void)state;
    assert_int_equal(ibk_t_64(&(ibk_t){IBK_TS_COUNTER, 7}), 7);
    assert_int_equal(ibk_t_64(&(ibk_t){IBK_TS_NTP_UTC_32, 7}), (uint64_t)7 << 32);
    assert_int_equal(ibk_t_64(&(ibk_t){IBK_TS_NTP, 7}), 7);
    assert_true(ibk_t_equal(&(ibk_t){IBK_TS_NTP, 7}, &(ibk_t){IBK_TS_NTP, 7}));
    assert_false(ibk_t_equal(&(ibk_t){IBK_TS_NTP, 7}, &(ibk_t){IBK_TS_NTP_UTC, 7}));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),           cmocka_unit_test(every_nanosecond_comes_back),
        cmocka_unit_test(the_era_is_the_nearest), cmocka_unit_test(a_counter_is_no_time),
        cmocka_unit_test(sixty_four_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
