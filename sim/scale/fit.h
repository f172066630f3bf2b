#ifndef RIBCAGE_SCALE_FIT_H
#define RIBCAGE_SCALE_FIT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * How a figure grows: value = factor * n^exponent, by least squares on the logarithms. On a double
 * logarithmic plot that is a straight line through the points.
 */

struct fit_point {
    double n, value; /* both above 0; other points are left out */
};

struct fit {
    size_t points; /* used */
    double factor, exponent;
    double exponent_error; /* standard error; 0 with two points: there is nothing to tell it by */
    double residual;       /* standard deviation of the logarithms around the line */
    double mean_log_n, spread_log_n; /* sum of squares of log n around its mean */
};

/* False: fewer than two different n. */
bool fit_power(const struct fit_point *points, size_t count, struct fit *ret_fit);

/* What the fit says of another n, with the interval in which 95 % of measurements would lie
 * (Student's t). With two points low and high are the value itself. */
struct fit_forecast {
    double value, low, high;
};
struct fit_forecast fit_at(const struct fit *f, double n);

#endif
