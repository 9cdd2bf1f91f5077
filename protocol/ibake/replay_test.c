/* The replay cache: skew, memory, limits, NTP's wrap. */
#include <ibake/exchange.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define S    INT64_C(1000000000)
#define NOON (INT64_C(1795521600) * S)

static ibk_t t_at(uint8_t type, int64_t utc_ns) {
    ibk_t t;
    assert_int_equal(ibk_t_from_utc(&t, type, utc_ns), IBK_OK);
    return t;
}

static ibk_span number(uint32_t *n) {
    return ibk_span_of(n, sizeof *n);
}

static void test_skew(void **state) {
    (void)state;
    ibk_replay_cache *cache;
    ibk_replay_config config = {.skew_ns = 10 * S};
    uint32_t n = 1;
    assert_int_equal(ibk_replay_cache_new(&cache, &config), IBK_OK);
    for (uint8_t type = 0; type < 4; type++) {
        if (type == IBK_TS_COUNTER) {
            continue;
        }
        ibk_t t = t_at(type, NOON);
        assert_int_equal(ibk_replay_check(cache, &t, number(&n), NOON + 9 * S), IBK_OK);
        assert_int_equal(ibk_replay_check(cache, &t, number(&n), NOON - 9 * S), IBK_OK);
        assert_int_equal(ibk_replay_check(cache, &t, number(&n), NOON + 11 * S), IBK_ERR_CLOCK_SKEW);
        assert_int_equal(ibk_replay_check(cache, &t, number(&n), NOON - 11 * S), IBK_ERR_CLOCK_SKEW);
        assert_int_equal(ibk_replay_check(cache, &t, number(&n), NOON + 86400 * 400 * S), IBK_ERR_CLOCK_SKEW);
    }
    ibk_t counter = {.ts_type = IBK_TS_COUNTER, .value = 5};
    assert_int_equal(ibk_replay_check(cache, &counter, number(&n), 0), IBK_OK);
    ibk_replay_cache_free(cache);
    ibk_replay_cache_free(NULL);
}

static void test_wrap(void **state) {
    (void)state;
    ibk_replay_cache *cache;
    int64_t wrap = INT64_C(2085978496) * S;
    uint32_t n = 1;
    assert_int_equal(ibk_replay_cache_new(&cache, NULL), IBK_OK);
    ibk_t before = t_at(IBK_TS_NTP_UTC, wrap - 1 * S), after = t_at(IBK_TS_NTP_UTC, wrap + 1 * S);
    assert_true(after.value < before.value);
    assert_int_equal(ibk_replay_add(cache, &before, number(&n), wrap + 5 * S), IBK_OK);
    assert_int_equal(ibk_replay_check(cache, &before, number(&n), wrap + 6 * S), IBK_ERR_REPLAYED);
    n = 2;
    assert_int_equal(ibk_replay_check(cache, &after, number(&n), wrap - 5 * S), IBK_OK);
    ibk_replay_cache_free(cache);
}

/* Whatever is accepted once is refused until its T refuses it; then the entry is gone. */
static void test_life(void **state) {
    (void)state;
    ibk_replay_cache *cache;
    ibk_replay_config config = {.skew_ns = 10 * S, .max_entries = 100};
    assert_int_equal(ibk_replay_cache_new(&cache, &config), IBK_OK);
    for (uint32_t n = 0; n < 100; n++) {
        ibk_t t = t_at(IBK_TS_NTP_UTC, NOON + n * S / 10);
        assert_int_equal(ibk_replay_add(cache, &t, number(&n), NOON), IBK_OK);
        assert_int_equal(ibk_replay_add(cache, &t, number(&n), NOON), IBK_ERR_REPLAYED);
    }
    uint32_t more = 1000;
    ibk_t t = t_at(IBK_TS_NTP_UTC, NOON);
    assert_int_equal(ibk_replay_add(cache, &t, number(&more), NOON), IBK_ERR_CACHE_FULL);
    for (int64_t now = NOON; now < NOON + 25 * S; now += S / 2) {
        for (uint32_t n = 0; n < 100; n++) {
            t = t_at(IBK_TS_NTP_UTC, NOON + n * S / 10);
            ibk_err err = ibk_replay_check(cache, &t, number(&n), now);
            assert_true(err == IBK_ERR_REPLAYED || err == IBK_ERR_CLOCK_SKEW);
        }
    }
    t = t_at(IBK_TS_NTP_UTC, NOON + 30 * S);
    assert_int_equal(ibk_replay_add(cache, &t, number(&more), NOON + 30 * S), IBK_OK);
    assert_int_equal(ibk_replay_cache_count(cache), 1);
    ibk_replay_cache_free(cache);
}

/* RFC 3830 §5.4: what may have been accepted before the memory was lost is refused, for as long as its T
 * would let it pass; then the cache is as good as new. */
static void test_forgotten(void **state) {
    (void)state;
    ibk_replay_cache *cache;
    ibk_replay_config config = {.skew_ns = 10 * S, .counter_life_ns = 100 * S};
    uint32_t old = 1;
    assert_int_equal(ibk_replay_cache_new(&cache, &config), IBK_OK);
    for (int ahead = -9; ahead <= 10; ahead++) { /* accepted just before, by a peer whose clock differs */
        ibk_t t = t_at(IBK_TS_NTP_UTC, NOON + ahead * S);
        assert_int_equal(ibk_replay_add(cache, &t, number(&old), NOON), IBK_OK);
        ibk_replay_cache_forget(cache, NOON);
        assert_int_equal(ibk_replay_cache_count(cache), 0);
        for (int64_t now = NOON; now <= NOON + 40 * S; now += S) {
            ibk_err err = ibk_replay_check(cache, &t, number(&old), now);
            assert_true(err == IBK_ERR_REPLAYED || err == IBK_ERR_CLOCK_SKEW);
            assert_int_equal(ibk_replay_add(cache, &t, number(&old), now), err);
        }
        ibk_replay_cache_free(cache);
        assert_int_equal(ibk_replay_cache_new(&cache, &config), IBK_OK);
    }
    ibk_replay_cache_forget(cache, NOON);
    ibk_replay_cache_forget(cache, NOON - 50 * S); /* the later loss counts */
    ibk_t t = t_at(IBK_TS_NTP_UTC, NOON + 11 * S); /* new, and still refused until the skew has passed */
    assert_int_equal(ibk_replay_check(cache, &t, number(&old), NOON + 10 * S), IBK_ERR_REPLAYED);
    assert_int_equal(ibk_replay_add(cache, &t, number(&old), NOON + 11 * S), IBK_OK);
    ibk_t counter = {.ts_type = IBK_TS_COUNTER, .value = 1};
    assert_int_equal(ibk_replay_check(cache, &counter, number(&old), NOON + 100 * S), IBK_ERR_REPLAYED);
    assert_int_equal(ibk_replay_check(cache, &counter, number(&old), NOON + 101 * S), IBK_OK);
    ibk_replay_cache_forget(cache, INT64_MAX - S);
    t = t_at(IBK_TS_NTP_UTC, NOON);
    assert_int_equal(ibk_replay_check(cache, &t, number(&old), NOON), IBK_ERR_REPLAYED);
    ibk_replay_cache_free(cache);
}

static void test_counter(void **state) {
    (void)state;
    ibk_replay_cache *cache;
    ibk_replay_config config = {.counter_life_ns = 100 * S};
    ibk_t t = {.ts_type = IBK_TS_COUNTER, .value = 1};
    uint32_t n = 1;
    assert_int_equal(ibk_replay_cache_new(&cache, &config), IBK_OK);
    assert_int_equal(ibk_replay_add(cache, &t, number(&n), NOON), IBK_OK);
    assert_int_equal(ibk_replay_check(cache, &t, number(&n), NOON + 99 * S), IBK_ERR_REPLAYED);
    assert_int_equal(ibk_replay_check(cache, &t, number(&n), NOON + 101 * S), IBK_OK);
    ibk_replay_cache_free(cache);
}

/* Many entries come and go; none is lost, none stays. */
static void test_churn(void **state) {
    (void)state;
    ibk_replay_cache *cache;
    ibk_replay_config config = {.skew_ns = S, .max_entries = 5000};
    assert_int_equal(ibk_replay_cache_new(&cache, &config), IBK_OK);
    for (uint32_t n = 0; n < 20000; n++) {
        int64_t now = NOON + n * (S / 1000);
        ibk_t t = t_at(IBK_TS_NTP_UTC, now);
        assert_int_equal(ibk_replay_add(cache, &t, number(&n), now), IBK_OK);
        uint32_t old = n > 500 ? n - 500 : 0;
        ibk_t then = t_at(IBK_TS_NTP_UTC, NOON + old * (S / 1000));
        assert_int_equal(ibk_replay_check(cache, &then, number(&old), now), IBK_ERR_REPLAYED);
        assert_true(ibk_replay_cache_count(cache) <= 1100);
    }
    ibk_replay_cache_free(cache);
}

static void test_config(void **state) {
    (void)state;
    ibk_replay_cache *cache;
    ibk_replay_config bad[] = {
        {.max_entries = IBK_REPLAY_MAX_ENTRIES + 1}, {.skew_ns = -1}, {.counter_life_ns = -1}};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ibk_replay_cache_new(&cache, &bad[i]), IBK_ERR_USAGE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_skew),    cmocka_unit_test(test_wrap),
                                       cmocka_unit_test(test_life),    cmocka_unit_test(test_forgotten),
                                       cmocka_unit_test(test_counter), cmocka_unit_test(test_churn),
                                       cmocka_unit_test(test_config)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
