/*
 * Fitting a power law.
 *
 * Pure arithmetic: no state. Points at which nothing was measured (0 or less) have no logarithm and
 * are left out.
 */
#include "fit.h"

#include <math.h>
#include <stdint.h>

static bool usable(const struct fit_point *p) {
    return p->n > 0 && p->value > 0 && isfinite(p->n) && isfinite(p->value);
}

static double sum_of_squares(const struct fit_point *points, size_t count, const struct fit *f) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (!usable(&points[i]))
            continue;
        double line = log(f->factor) + f->exponent * log(points[i].n);
        sum += pow(log(points[i].value) - line, 2);
    }
    return sum;
}

bool fit_power(const struct fit_point *points, size_t count, struct fit *ret_fit) {
    double n_sum = 0, value_sum = 0, product = 0;
    struct fit f = {0};
    for (size_t i = 0; i < count; i++) {
        if (!usable(&points[i]))
            continue;
        f.points++;
        n_sum += log(points[i].n);
        value_sum += log(points[i].value);
    }
    if (f.points < 2)
        return false;
    f.mean_log_n = n_sum / (double)f.points;
    double mean_value = value_sum / (double)f.points;
    for (size_t i = 0; i < count; i++) {
        if (!usable(&points[i]))
            continue;
        double d = log(points[i].n) - f.mean_log_n;
        f.spread_log_n += d * d;
        product += d * (log(points[i].value) - mean_value);
    }
    if (f.spread_log_n < 1e-12)
        return false; /* one n only */
    f.exponent = product / f.spread_log_n;
    f.factor = exp(mean_value - f.exponent * f.mean_log_n);
    if (f.points > 2) {
        f.residual = sqrt(sum_of_squares(points, count, &f) / (double)(f.points - 2));
        f.exponent_error = f.residual / sqrt(f.spread_log_n);
    }
    *ret_fit = f;
    return true;
}

/* Student's t for 95 % on both sides; beyond the table the normal distribution is near enough. */
static double student_95(size_t degrees) {
    static const double table[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306,
                                   2.262,  2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
                                   2.110,  2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064};
    size_t rows = sizeof table / sizeof table[0];
    return degrees == 0 ? 0 : degrees <= rows ? table[degrees - 1] : 1.96;
}

struct fit_forecast fit_at(const struct fit *f, double n) {
    double line = log(f->factor) + f->exponent * log(n);
    double width = 0;
    if (f->points > 2) {
        double d = log(n) - f->mean_log_n;
        width = student_95(f->points - 2) * f->residual *
                sqrt(1 + 1 / (double)f->points + d * d / f->spread_log_n);
    }
    return (struct fit_forecast){exp(line), exp(line - width), exp(line + width)};
}
