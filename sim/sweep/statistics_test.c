/* Statistics, against values of printed tables. */
#include "sweep/statistics.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_near(double got, double wanted, double within) {
    if (!(fabs(got - wanted) <= within))
        fail_msg("%.12g instead of %.12g", got, wanted);
}

/* NIST/SEMATECH e-Handbook, section 1.3.6.7.2: 97.5 %, three decimals. */
static void test_student(void **state) {
    static const struct {
        double freedom, quantile;
    } table[] = {{1, 12.706}, {2, 4.303},  {3, 3.182},  {4, 2.776},  {5, 2.571},  {9, 2.262},
                 {10, 2.228}, {20, 2.086}, {30, 2.042}, {60, 2.000}, {100, 1.984}};
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        assert_near(statistics_student(0.975, table[i].freedom), table[i].quantile, 0.0005);
    /* In closed form: of one degree tan(pi (p - 1/2)), of two (2p - 1) / sqrt(2 p (1 - p)). */
    assert_near(statistics_student(0.975, 1), tan(acos(-1) * 0.475), 1e-10);
    assert_near(statistics_student(0.9, 2), 0.8 / sqrt(2 * 0.9 * 0.1), 1e-10);
    assert_near(statistics_student(0.975, 1e6), 1.95996636, 1e-7);
}

static void test_of(void **state) {
    const double values[] = {2, 4, NAN, 4, 4, 5, 5, 7, 9}; /* mean 5, sum of squares of differences 32 */
    (void)state;
    statistics s = statistics_of(values, 9);
    assert_int_equal(s.n, 8);
    assert_near(s.mean, 5, 0);
    assert_near(s.min, 2, 0);
    assert_near(s.max, 9, 0);
    assert_near(s.half_width, 2.3646242510 * sqrt(32.0 / 7 / 8), 1e-9);
}

static void test_few(void **state) {
    const double one[] = {3}, none[] = {NAN, NAN}, same[] = {0.1, 0.1, 0.1};
    (void)state;
    statistics s = statistics_of(one, 1);
    assert_int_equal(s.n, 1);
    assert_near(s.mean, 3, 0);
    assert_true(isnan(s.half_width));
    s = statistics_of(none, 2);
    assert_int_equal(s.n, 0);
    assert_true(isnan(s.mean) && isnan(s.min) && isnan(s.max) && isnan(s.half_width));
    s = statistics_of(same, 3);
    assert_true(s.mean == 0.1 && s.half_width == 0);
}

static void test_percentile(void **state) {
    double values[] = {9, 1, 3, 7, 5};
    (void)state;
    assert_near(statistics_percentile(values, 5, 50), 5, 0);
    assert_near(statistics_percentile(values, 5, 0), 1, 0);
    assert_near(statistics_percentile(values, 5, 100), 9, 0);
    assert_near(statistics_percentile(values, 5, 90), 8.2, 1e-12);
    assert_near(statistics_percentile(values, 1, 90), 1, 0);
}

static void test_sum(void **state) {
    const double values[] = {1, 1e100, 1, -1e100};
    (void)state;
    assert_near(statistics_sum(values, 4), 2, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_student), cmocka_unit_test(test_of),
                                       cmocka_unit_test(test_few), cmocka_unit_test(test_percentile),
                                       cmocka_unit_test(test_sum)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
