/* The UE's key store: looked up by date, bounded, and empty of what has lapsed. */
#include "ims/ue/key_store.h"
#include "run/params.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE (60 * INT64_C(1000000000))
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define SKEW   (5 * MINUTE)
#define START  INT64_C(1772409600000000000) /* 2026-03-02T00:00:00Z */

typedef struct lab {
    ibk_ibe_params *params;
    ibk_ibe_master *master;
    ibk_buf der; /* of a key: it is the store that is tried, not the keys */
} lab;

static int set_up(void **state) {
    static const scn_kms kms = {.parameters = 1024};
    lab *l = calloc(1, sizeof *l);
    ibk_ibe_key *key;
    assert_non_null(l);
    assert_int_equal(run_params_load(&l->params, &l->master, &kms, NULL), IBK_OK);
    assert_int_equal(ibk_ibe_extract(l->params, l->master, ibk_span_str("alice"), &key), IBK_OK);
    assert_int_equal(ibk_ibe_key_encode(key, &l->der), IBK_OK);
    ibk_ibe_key_free(key);
    *state = l;
    return 0;
}

static int tear_down(void **state) {
    lab *l = *state;
    ibk_buf_free(&l->der);
    ibk_ibe_master_free(l->master);
    ibk_ibe_params_free(l->params);
    free(l);
    return 0;
}

static void name_of(ibk_buf *out, const char *id, ibk_granularity granularity, int64_t utc_ns) {
    ibk_buf_clear(out);
    assert_int_equal(ibk_ibe_identity(out, ibk_span_str(id), granularity, utc_ns), IBK_OK);
}

/* A list of keys of one identity, for `count` periods from utc_ns on. */
static ibk_key_list issue(const lab *l, const char *id, ibk_granularity granularity, int64_t utc_ns,
                          size_t count) {
    ibk_key_list list = {.items = calloc(count, sizeof *list.items), .count = count};
    size_t len = strlen(id) + ibk_granularity_digits(granularity);
    ibk_buf name = {0};
    assert_non_null(list.items);
    for (size_t i = 0; i < count; i++) {
        name_of(&name, id, granularity, utc_ns);
        assert_int_equal(ibk_buf_append_span(&list.octets, ibk_buf_span(&name)), IBK_OK);
        assert_int_equal(ibk_ibe_key_parse(&list.items[i].key, l->params, ibk_buf_span(&l->der), NULL),
                         IBK_OK);
        utc_ns = ibk_period_end(granularity, utc_ns);
    }
    for (size_t i = 0; i < count; i++)
        list.items[i].ibe_identity = ibk_span_of(list.octets.data + i * len, len);
    ibk_buf_free(&name);
    return list;
}

static bool has(const key_store *s, const char *id, ibk_granularity granularity, int64_t utc_ns) {
    const ibk_ibe_params *params = NULL;
    ibk_buf name = {0};
    name_of(&name, id, granularity, utc_ns);
    bool found = key_store_find(s, ibk_buf_span(&name), &params) != NULL;
    assert_true(!found || params != NULL);
    ibk_buf_free(&name);
    return found;
}

static void give(key_store *s, const lab *l, ibk_key_list list, ibk_err expected) {
    size_t refused = 99;
    assert_int_equal(key_store_add(s, &list, l->params, &refused), expected);
    assert_int_equal(refused, 0);
    ibk_key_list_free(&list);
}

static void test_by_date(void **state) {
    const lab *l = *state;
    key_store *s;
    assert_int_equal(key_store_new(&s, IBK_GRANULARITY_DAY, SKEW), IBK_OK);
    assert_int_equal(key_store_next_lapse(s), INT64_MAX);
    assert_int_equal(key_store_covered_until(s, ibk_span_str("sip:a@b"), START + HOUR), START + HOUR);
    give(s, l, issue(l, "sip:a@b", IBK_GRANULARITY_DAY, START, 3), IBK_OK);
    give(s, l, issue(l, "tel:+4930", IBK_GRANULARITY_DAY, START, 1), IBK_OK);
    give(s, l, issue(l, "sip:a@b", IBK_GRANULARITY_DAY, START + 4 * DAY, 1), IBK_OK); /* a gap before it */
    assert_int_equal(key_store_count(s), 5);
    for (int day = -1; day <= 5; day++)
        assert_int_equal(has(s, "sip:a@b", IBK_GRANULARITY_DAY, START + day * DAY + HOUR),
                         (day >= 0 && day <= 2) || day == 4);
    assert_true(has(s, "tel:+4930", IBK_GRANULARITY_DAY, START));
    assert_false(has(s, "tel:+4931", IBK_GRANULARITY_DAY, START));
    assert_false(has(s, "tel:+4930", IBK_GRANULARITY_DAY, START + DAY));
    assert_int_equal(key_store_covered_until(s, ibk_span_str("sip:a@b"), START + HOUR), START + 3 * DAY);
    assert_int_equal(key_store_covered_until(s, ibk_span_str("tel:+4930"), START + HOUR), START + DAY);
    give(s, l, issue(l, "sip:a@b", IBK_GRANULARITY_DAY, START, 4), IBK_OK); /* three again, and the gap */
    assert_int_equal(key_store_count(s), 6);
    assert_int_equal(key_store_covered_until(s, ibk_span_str("sip:a@b"), START + HOUR), START + 5 * DAY);
    key_store_free(s);
}

static void test_lapse(void **state) {
    const lab *l = *state;
    key_store *s;
    assert_int_equal(key_store_new(&s, IBK_GRANULARITY_DAY, SKEW), IBK_OK);
    give(s, l, issue(l, "sip:a@b", IBK_GRANULARITY_DAY, START, 3), IBK_OK);
    give(s, l, issue(l, "tel:+4930", IBK_GRANULARITY_DAY, START, 3), IBK_OK);
    assert_int_equal(key_store_next_lapse(s), START + DAY + SKEW);
    assert_int_equal(key_store_drop_lapsed(s, START + DAY + SKEW - 1), 0); /* a peer's clock may be behind */
    assert_true(has(s, "sip:a@b", IBK_GRANULARITY_DAY, START));
    assert_int_equal(key_store_drop_lapsed(s, START + DAY + SKEW), 2);
    assert_false(has(s, "sip:a@b", IBK_GRANULARITY_DAY, START));
    assert_false(has(s, "tel:+4930", IBK_GRANULARITY_DAY, START));
    assert_true(has(s, "sip:a@b", IBK_GRANULARITY_DAY, START + DAY));
    assert_int_equal(key_store_next_lapse(s), START + 2 * DAY + SKEW);
    assert_int_equal(key_store_drop_lapsed(s, START + 9 * DAY), 4);
    assert_int_equal(key_store_count(s), 0);
    assert_int_equal(key_store_next_lapse(s), INT64_MAX);
    key_store_free(s);
}

static void test_hours_and_months(void **state) {
    const lab *l = *state;
    key_store *s;
    assert_int_equal(key_store_new(&s, IBK_GRANULARITY_HOUR, SKEW), IBK_OK);
    give(s, l, issue(l, "sip:a@b", IBK_GRANULARITY_HOUR, START + 23 * HOUR, 2), IBK_OK);
    assert_int_equal(key_store_covered_until(s, ibk_span_str("sip:a@b"), START + 23 * HOUR),
                     START + 25 * HOUR);
    assert_int_equal(key_store_next_lapse(s), START + DAY + SKEW);
    give(s, l, issue(l, "sip:a@b", IBK_GRANULARITY_MONTH, START, 1),
         IBK_ERR_BAD_VALUE); /* no date of an hour */
    assert_int_equal(key_store_count(s), 2);
    key_store_free(s);
    assert_int_equal(key_store_new(&s, IBK_GRANULARITY_MONTH, SKEW), IBK_OK);
    give(s, l, issue(l, "sip:a@b", IBK_GRANULARITY_MONTH, START, 2), IBK_OK);
    assert_int_equal(key_store_covered_until(s, ibk_span_str("sip:a@b"), START),
                     START + 60 * DAY); /* to May */
    assert_int_equal(key_store_drop_lapsed(s, START + 30 * DAY + SKEW), 1);
    key_store_free(s);
}

/* What is too much is that of the latest periods: the store goes on serving today. */
static void test_bound(void **state) {
    const lab *l = *state;
    key_store *s;
    size_t refused = 0;
    assert_int_equal(key_store_new(&s, IBK_GRANULARITY_HOUR, SKEW), IBK_OK);
    ibk_key_list late = issue(l, "sip:a@b", IBK_GRANULARITY_HOUR, START + DAY, KEY_STORE_MAX);
    assert_int_equal(key_store_add(s, &late, l->params, &refused), IBK_OK);
    assert_int_equal(refused, 0);
    ibk_key_list_free(&late);
    ibk_key_list early = issue(l, "sip:a@b", IBK_GRANULARITY_HOUR, START, 24);
    assert_int_equal(key_store_add(s, &early, l->params, &refused), IBK_OK);
    ibk_key_list_free(&early);
    assert_int_equal(refused, 24);
    assert_int_equal(key_store_count(s), KEY_STORE_MAX);
    assert_true(has(s, "sip:a@b", IBK_GRANULARITY_HOUR, START));
    assert_int_equal(key_store_covered_until(s, ibk_span_str("sip:a@b"), START),
                     START + KEY_STORE_MAX * HOUR);
    key_store_free(s);
    key_store_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_date),
        cmocka_unit_test(test_lapse),
        cmocka_unit_test(test_hours_and_months),
        cmocka_unit_test(test_bound),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
