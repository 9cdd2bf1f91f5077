/* Statistics of repeated runs. */
#ifndef SWEEP_STATISTICS_H
#define SWEEP_STATISTICS_H

#include <stddef.h>

double statistics_sum(const double *values, size_t count);
/* Sorts the values. Between two of them linearly (the definition that NumPy and R take by default); count >
 * 0.
 */
double statistics_percentile(double *values, size_t count, double percent);
/* The number that a variable with Student's t distribution stays below with this probability (above 0.5 and
 * below 1); freedom >= 1. */
double statistics_student(double probability, double freedom);

typedef struct statistics {
    size_t n;
    double mean, min, max;
    double half_width; /* of the 95 % confidence interval of the mean; NaN with less than two values */
} statistics;

/* Of the values that are no NaN; with none of them n is 0 and the rest NaN. */
statistics statistics_of(const double *values, size_t count);

#endif
