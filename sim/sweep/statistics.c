#include "sweep/statistics.h"

#include <math.h>
#include <stdlib.h>

/* Neumaier's sum: the error does not grow with the number of values. */
double statistics_sum(const double *values, size_t count) {
    double sum = 0, lost = 0;
    for (size_t i = 0; i < count; i++) {
        double next = sum + values[i];
        lost += fabs(sum) >= fabs(values[i]) ? (sum - next) + values[i] : (values[i] - next) + sum;
        sum = next;
    }
    return sum + lost;
}

static int ascending(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

double statistics_percentile(double *values, size_t count, double percent) {
    qsort(values, count, sizeof *values, ascending);
    double place = percent / 100 * (double)(count - 1);
    size_t below = (size_t)place;
    if (below >= count - 1)
        return values[count - 1];
    return values[below] + (place - (double)below) * (values[below + 1] - values[below]);
}

/* ---- Student's t
 * ------------------------------------------------------------------------------------------------ */

/* The continued fraction of the incomplete beta function, by Lentz's method (DLMF 8.17.22). */
static double beta_fraction(double x, double a, double b) {
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double result = d;
    for (int m = 1; m <= 500; m++) {
        for (int odd = 0; odd < 2; odd++) {
            double k = odd ? -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
                           : m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
            d = 1 + k * d;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = 1 + k / c;
            c = fabs(c) < tiny ? tiny : c;
            result *= d * c;
        }
        if (fabs(d * c - 1) < 1e-15)
            break;
    }
    return result;
}

/* The regularised incomplete beta function I_x(a, b). */
static double beta_part(double x, double a, double b) {
    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(x, a, b) / a;
    return 1 - front * beta_fraction(1 - x, b, a) / b;
}

/* What is above t > 0 of the distribution: half of I_{v/(v+t^2)}(v/2, 1/2). */
static double above(double t, double freedom) {
    return 0.5 * beta_part(freedom / (freedom + t * t), freedom / 2, 0.5);
}

double statistics_student(double probability, double freedom) {
    double wanted = 1 - probability, low = 0, high = 1;
    while (above(high, freedom) > wanted)
        high *= 2;
    for (int i = 0; i < 200 && high - low > 1e-14 * high; i++) {
        double middle = (low + high) / 2;
        if (above(middle, freedom) > wanted)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

/* ---- a sample
 * ------------------------------------------------------------------------------------------------ */

/* Student's quantile at 97.5 %, kept: a summary asks for few numbers of values many times. */
static double quantile(size_t n) {
    enum { KEPT = 64 };
    static double known[KEPT];
    if (n >= KEPT)
        return statistics_student(0.975, (double)(n - 1));
    if (known[n] == 0)
        known[n] = statistics_student(0.975, (double)(n - 1));
    return known[n];
}

statistics statistics_of(const double *values, size_t count) {
    statistics s = {0, NAN, NAN, NAN, NAN};
    double *kept = calloc(count + 1, sizeof *kept);
    for (size_t i = 0; kept != NULL && i < count; i++)
        if (!isnan(values[i]))
            kept[s.n++] = values[i];
    if (s.n > 0) {
        s.min = statistics_percentile(kept, s.n, 0); /* sorted from here on */
        s.max = kept[s.n - 1];
        s.mean =
            s.min < s.max ? statistics_sum(kept, s.n) / (double)s.n : s.min; /* equal ones have no spread */
        for (size_t i = 0; i < s.n; i++)
            kept[i] = (kept[i] - s.mean) * (kept[i] - s.mean);
        if (s.n > 1)
            s.half_width = quantile(s.n) * sqrt(statistics_sum(kept, s.n) / (double)(s.n - 1) / (double)s.n);
    }
    free(kept);
    return s;
}
