/* Fits of known laws. */

#include "fit.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_near(double seen, double wanted, double part) {
    if (fabs(seen - wanted) > fabs(wanted) * part)
        fail_msg("%g, wanted %g", seen, wanted);
}

static void test_exact_law(void **state) {
    struct fit_point points[5];
    struct fit f;
    (void)state;
    for (int i = 0; i < 5; i++) {
        double n = 10 << i;
        points[i] = (struct fit_point){n, 3e-4 * n * n};
    }
    assert_true(fit_power(points, 5, &f));
    assert_near(f.exponent, 2, 1e-9);
    assert_near(f.factor, 3e-4, 1e-9);
    assert_true(f.exponent_error < 1e-9);
    assert_near(fit_at(&f, 1000).value, 300, 1e-6);
}

/* y = 0.15 + 0.91 x on the logarithms, by hand. */
static void test_error_of_exponent(void **state) {
    struct fit_point points[4] = {
        {exp(1), exp(1)}, {exp(2), exp(2.2)}, {exp(3), exp(2.6)}, {exp(4), exp(3.9)}};
    struct fit f;
    (void)state;
    assert_true(fit_power(points, 4, &f));
    assert_near(f.exponent, 0.91, 1e-9);

    double sum = pow(1 - (0.15 + 0.91), 2) + pow(2.2 - (0.15 + 1.82), 2) +
                 pow(2.6 - (0.15 + 2.73), 2) + pow(3.9 - (0.15 + 3.64), 2);
    assert_near(f.exponent_error, sqrt(sum / 2 / 5), 1e-6);
    struct fit_forecast far = fit_at(&f, exp(8)), near = fit_at(&f, exp(2.5));
    assert_true(far.low < far.value && far.value < far.high);
    assert_true(far.high / far.low > near.high / near.low);
}

static void test_too_little(void **state) {
    struct fit_point same[3] = {{10, 1}, {10, 2}, {10, 3}}, zero[2] = {{10, 0}, {20, 1}};
    struct fit_point two[2] = {{10, 1}, {100, 10}};
    struct fit f;
    (void)state;
    assert_false(fit_power(same, 3, &f));
    assert_false(fit_power(zero, 2, &f));
    assert_false(fit_power(NULL, 0, &f));
    assert_true(fit_power(two, 2, &f));
    assert_near(f.exponent, 1, 1e-9);
    struct fit_forecast at = fit_at(&f, 1000);
    assert_near(at.value, 100, 1e-9);
    assert_near(at.low, at.high, 1e-9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact_law),
        cmocka_unit_test(test_error_of_exponent),
        cmocka_unit_test(test_too_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
