/* Dates, periods, timestamps. */
#include <ibake/exchange.h>

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define S INT64_C(1000000000)

static void expect_identity(ibk_granularity granularity, int64_t utc_ns, const char *want) {
    ibk_buf out = {0};
    ibk_span base;
    int64_t start;
    assert_int_equal(ibk_ibe_identity(&out, ibk_span_str("sip:a@b"), granularity, utc_ns), IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&out), ibk_span_str(want)));
    assert_int_equal(ibk_ibe_identity_split(&base, &start, ibk_buf_span(&out), granularity), IBK_OK);
    assert_true(ibk_span_equal(base, ibk_span_str("sip:a@b")));
    assert_true(start == ibk_period_start(granularity, utc_ns));
    assert_true(start <= utc_ns && utc_ns < ibk_period_end(granularity, utc_ns));
    ibk_buf_free(&out);
}

static void test_dates(void **state) {
    (void)state;
    expect_identity(IBK_GRANULARITY_DAY, 0, "sip:a@b19700101");
    expect_identity(IBK_GRANULARITY_DAY, 951782399 * S, "sip:a@b20000228");
    expect_identity(IBK_GRANULARITY_DAY, 951782400 * S, "sip:a@b20000229");
    expect_identity(IBK_GRANULARITY_DAY, 951868800 * S, "sip:a@b20000301");
    expect_identity(IBK_GRANULARITY_DAY, 1795521599 * S + 999999999, "sip:a@b20261124");
    expect_identity(IBK_GRANULARITY_HOUR, 1795521600 * S, "sip:a@b2026112412");
    expect_identity(IBK_GRANULARITY_MONTH, 1795521600 * S, "sip:a@b202611");
    expect_identity(IBK_GRANULARITY_DAY, 4107542399 * S, "sip:a@b21000228");
    expect_identity(IBK_GRANULARITY_DAY, 4107542400 * S, "sip:a@b21000301"); /* 2100 is no leap year */
    expect_identity(IBK_GRANULARITY_DAY, 1798761599 * S, "sip:a@b20261231");
    expect_identity(IBK_GRANULARITY_MONTH, 1798761600 * S, "sip:a@b202701");
}

static void test_dates_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"20261124",        "sip:a@b20261301", "sip:a@b20260229",
                                      "sip:a@b2026112x", "sip:a@b20260010", "sip:a@b20260100",
                                      "sip:a@b19691231", "sip:a@b22620101", "",
                                      "sip:a@b20260431"};
    ibk_span base;
    int64_t start;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(ibk_ibe_identity_split(&base, &start, ibk_span_str(bad[i]), IBK_GRANULARITY_DAY),
                         IBK_ERR_BAD_VALUE);
    }
    assert_int_equal(ibk_ibe_identity_split(&base, &start, ibk_span_str("a2026010124"), IBK_GRANULARITY_HOUR),
                     IBK_ERR_BAD_VALUE);
    ibk_buf out = {0};
    uint8_t lengthy[IBK_IDENTITY_MAX + 1] = {0};
    assert_int_equal(ibk_ibe_identity(&out, ibk_span_of(lengthy, sizeof lengthy), IBK_GRANULARITY_DAY, 0),
                     IBK_ERR_LIMIT);
    assert_int_equal(ibk_ibe_identity(&out, ibk_span_str("a"), IBK_GRANULARITY_DAY, -1), IBK_ERR_USAGE);
    assert_int_equal(ibk_ibe_identity(&out, ibk_span_str(""), IBK_GRANULARITY_DAY, 0), IBK_ERR_USAGE);
    assert_int_equal(out.len, 0);
}

static void test_timestamps_differ(void **state) {
    (void)state;
    for (uint8_t type = 0; type < 4; type++) {
        ibk_timestamps ts = {0};
        ibk_t a, b, c;
        assert_int_equal(ibk_timestamps_next(&ts, &a, type, 1795521600 * S), IBK_OK);
        assert_int_equal(ibk_timestamps_next(&ts, &b, type, 1795521600 * S), IBK_OK);
        assert_int_equal(ibk_timestamps_next(&ts, &c, type, 1795521590 * S), IBK_OK);
        assert_true(b.value == a.value + 1 && c.value == a.value + 2);
        int64_t far = 1795521600 * S - 7200 * S;
        assert_int_equal(ibk_timestamps_next(&ts, &c, type, far), IBK_OK);
        assert_true(type == IBK_TS_COUNTER ? c.value == a.value + 3 : c.value < a.value);
    }
    ibk_timestamps ts = {0};
    ibk_t t;
    assert_int_equal(ibk_timestamps_next(&ts, &t, 4, 0), IBK_ERR_UNSUPPORTED);
    ts.used[IBK_TS_COUNTER] = true;
    ts.last[IBK_TS_COUNTER] = UINT32_MAX;
    assert_int_equal(ibk_timestamps_next(&ts, &t, IBK_TS_COUNTER, 0), IBK_ERR_LIMIT);
    ts.used[IBK_TS_NTP_UTC_32] = true; /* the era's last second was used */
    ts.last[IBK_TS_NTP_UTC_32] = UINT32_MAX;
    assert_int_equal(ibk_timestamps_next(&ts, &t, IBK_TS_NTP_UTC_32, (INT64_C(2085978496) - 1) * S), IBK_OK);
    assert_true(t.value == 0);
}

/* P-27: in a burst every T is another one and none leaves the skew; when there is none left, that is said. */
static void test_bursts(void **state) {
    (void)state;
    static const int64_t now = 1795521600 * S;
    ibk_timestamps wide = {0}, narrow = {0}, tight = {.ahead_ns = 5 * S};
    ibk_t t, before = {0};
    for (int i = 0; i < 100000; i++, before = t) {
        assert_int_equal(ibk_timestamps_next(&wide, &t, IBK_TS_NTP_UTC, now), IBK_OK);
        assert_true(i == 0 || t.value == before.value + 1);
        assert_int_equal(ibk_replay_check(NULL, &t, ibk_span_str("m"), now), IBK_OK);
    }
    for (int i = 0; i <= 150; i++, before = t) { /* half of the skew: the rest is for clocks that differ */
        assert_int_equal(ibk_timestamps_next(&narrow, &t, IBK_TS_NTP_UTC_32, now), IBK_OK);
        assert_true(i == 0 || t.value == before.value + 1);
        assert_int_equal(ibk_replay_check(NULL, &t, ibk_span_str("m"), now - 150 * S), IBK_OK);
    }
    assert_int_equal(ibk_timestamps_next(&narrow, &t, IBK_TS_NTP_UTC_32, now + S - 1), IBK_ERR_LIMIT);
    assert_int_equal(ibk_timestamps_next(&narrow, &t, IBK_TS_NTP_UTC_32, now + S), IBK_OK);
    assert_true(t.value == before.value + 1);
    for (int i = 0; i < 6; i++)
        assert_int_equal(ibk_timestamps_next(&tight, &t, IBK_TS_NTP_UTC_32, now), IBK_OK);
    assert_int_equal(ibk_timestamps_next(&tight, &t, IBK_TS_NTP_UTC_32, now), IBK_ERR_LIMIT);
    assert_int_equal(ibk_timestamps_next(&tight, &t, IBK_TS_NTP_UTC_32, now - 60 * S), IBK_ERR_LIMIT);
    assert_int_equal(ibk_timestamps_next(&tight, &t, IBK_TS_NTP_UTC_32, now - 61 * S), IBK_OK); /* set back */
    assert_int_equal(ibk_timestamps_next(&tight, &t, IBK_TS_NTP_UTC_32, now - 61 * S), IBK_OK);
    assert_int_equal(ibk_replay_check(NULL, &t, ibk_span_str("m"), now - 61 * S), IBK_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_dates), cmocka_unit_test(test_dates_refused),
                                       cmocka_unit_test(test_timestamps_differ),
                                       cmocka_unit_test(test_bursts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
