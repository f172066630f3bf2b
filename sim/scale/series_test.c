/* Series: results taken in, medians, what counts, kept and read back, compared. */

#include "series.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/text.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int sizes[] = {10, 100, 200, 400};
#define SIZES 4

static struct scale_series *series_new(uint32_t repeat) {
    struct scale_series *s = alloc_zero(1, sizeof *s);
    char value[16];
    assert_non_null(s);
    s->parameter = strdup("nodes");
    s->profile = strdup("");
    s->repeat = repeat;
    assert_true(scale_texts_add(&s->scenarios, &s->scenario_count, "scenarios/scale/mesh"));
    assert_true(scale_texts_add(&s->fixed, &s->fixed_count, "pods=1"));
    for (int i = 0; i < SIZES; i++) {
        snprintf(value, sizeof value, "%d", sizes[i]);
        assert_true(scale_texts_add(&s->values, &s->value_count, value));
    }
    return s;
}

static json_t *result(int nodes, double session_s, int status, const char *spoiled) {
    return json_pack(
        "{s:s, s:i, s:i, s:[{s:s, s:I}, {s:s, s:I}, {s:s, s:I}], s:{s:I, s:I}, "
        "s:{s:I, s:I, s:I}, s:{s:I, s:s}, s:{s:I}}",
        "id", "20261121-000000-abcd", "exit_status", status, "nodes", nodes, "phases", "name",
        "build", "duration_ns", (json_int_t)1000000000, "name", "start", "duration_ns",
        (json_int_t)500000000, "name", "teardown", "duration_ns", (json_int_t)250000000,
        "convergence", "last_session_ns", (json_int_t)(session_s * 1e9), "last_fib_ns",
        (json_int_t)(session_s * 1e9) + 1000000, "speakers", "cpu_ns", (json_int_t)2000000000,
        "pss_bytes", (json_int_t)1048576 * nodes, "updates", (json_int_t)nodes * nodes, "host",
        "kernel_bytes", (json_int_t)-1048576, "spoiled", spoiled, "sessions", "expected",
        (json_int_t)nodes * (nodes - 1) / 2);
}

static void take(struct scale_series *s, uint32_t value, uint32_t repeat, double session_s,
                 int status, const char *spoiled) {
    json_t *r = result(sizes[value], session_s, status, spoiled);
    assert_non_null(r);
    assert_true(scale_take(s, 0, value, repeat, r));
    json_decref(r);
}

/* 1e-4 n^2, each size three times around it. */
static struct scale_series *full_series(double factor) {
    static const double around[] = {1.02, 0.98, 1};
    struct scale_series *s = series_new(3);
    for (uint32_t v = 0; v < SIZES; v++)
        for (uint32_t k = 0; k < 3; k++)
            take(s, v, k, factor * 1e-4 * sizes[v] * sizes[v] * around[k], 0, "");
    return s;
}

static void test_figures(void **state) {
    struct scale_series *s = series_new(1);
    (void)state;
    take(s, 1, 0, 0.5, 3, "");
    const struct scale_run *r = scale_find(s, 0, 1, 0);
    assert_non_null(r);
    static const double wanted[SCALE_FIGURES] = {1.5, 0.5, 0.501, 0.25, 2, 100, -1, 10000};
    for (int f = 0; f < SCALE_FIGURES; f++)
        assert_true(fabs(r->figures[f] - wanted[f]) < 1e-9);
    assert_int_equal(r->sessions, 4950);
    assert_true(scale_counts(r, false));
    json_t *none = json_object();
    assert_false(scale_take(s, 0, 0, 0, none));
    json_decref(none);
    scale_series_free(s);
}

static void test_median_and_what_counts(void **state) {
    struct scale_series *s = series_new(5);
    (void)state;
    assert_int_equal(scale_cell(s, 0, 0, SCALE_LAST_SESSION, false).runs, 0);
    take(s, 0, 0, 4, 0, "");
    take(s, 0, 1, 1, 0, "");
    struct scale_range two = scale_cell(s, 0, 0, SCALE_LAST_SESSION, false);
    assert_true(two.runs == 2 && fabs(two.median - 2.5) < 1e-9);
    take(s, 0, 2, 2, 0, "");
    take(s, 0, 3, 99, 1, "");        /* failed */
    take(s, 0, 4, 50, 0, "others…"); /* spoiled */
    struct scale_range r = scale_cell(s, 0, 0, SCALE_LAST_SESSION, false);
    assert_true(r.runs == 3 && fabs(r.median - 2) < 1e-9 && r.low < 1.1 && r.high > 3.9);
    assert_int_equal(scale_cell(s, 0, 0, SCALE_LAST_SESSION, true).runs, 4);
    take(s, 0, 3, 3, 0, ""); /* run again */
    assert_int_equal(s->run_count, 5);
    assert_int_equal(scale_cell(s, 0, 0, SCALE_LAST_SESSION, false).runs, 4);
    scale_series_free(s);
}

static size_t dashed_lines(const char *svg) {
    size_t count = 0;
    while ((svg = strstr(svg, "stroke-dasharray"))) {
        svg++;
        count++;
    }
    return count;
}

/* A size of 10 would bend the line; three larger ones are there, so it is left out. */
static void test_growth(void **state) {
    struct scale_series *s = full_series(1);
    struct fit fit;
    struct text out;
    (void)state;
    take(s, 0, 0, 5, 0, "");
    assert_true(scale_fit(s, 0, SCALE_LAST_SESSION, false, &fit));
    assert_int_equal(fit.points, 9);
    assert_true(fabs(fit.exponent - 2) < 0.02 && fit.exponent_error < 0.05);
    assert_false(scale_fit(s, 0, SCALE_KERNEL, false, &fit)); /* below 0: no logarithm */
    text_init(&out);
    scale_growth(s, false, &out);
    assert_non_null(strstr(text_str(&out), "extrapolated"));
    assert_non_null(strstr(text_str(&out), "last session"));
    assert_null(strstr(text_str(&out), "too few sizes"));
    text_clear(&out);
    scale_svg(s, false, &out);
    size_t with_law = dashed_lines(text_str(&out));
    text_deinit(&out);
    scale_series_free(s);
    s = series_new(1);
    for (uint32_t v = 0; v < SIZES; v++)
        take(s, v, 0, v % 2 ? 50 : 0.1, 0, "");
    text_init(&out);
    scale_growth(s, false, &out);
    assert_non_null(strstr(text_str(&out), "2000: too few sizes to say"));
    text_clear(&out);
    scale_svg(s, false, &out);
    assert_int_equal(dashed_lines(text_str(&out)), with_law - 2); /* last session, last FIB */
    text_deinit(&out);
    scale_series_free(s);
}

static void test_kept_and_read_back(void **state) {
    struct scale_series *s = full_series(1);
    (void)state;
    take(s, 3, 1, 77, 7, "others took it");
    json_t *j = scale_json(s, false);
    assert_non_null(j);
    struct scale_series *again = scale_read(j);
    assert_non_null(again);
    json_t *j2 = scale_json(again, false);
    assert_true(json_equal(j, j2));
    json_array_append(json_object_get(j, "runs"), json_array_get(json_object_get(j, "runs"), 0));
    assert_null(scale_read(j)); /* one place, two runs */
    json_object_set_new(j, "runs", json_array());
    json_object_set_new(j, "values", json_pack("[i]", 3));
    assert_null(scale_read(j));
    json_decref(j);
    json_decref(j2);
    scale_series_free(again);
    scale_series_free(s);
}

static void test_forms(void **state) {
    struct scale_series *s = full_series(1);
    struct text csv, table, svg;
    size_t lines = 0;
    (void)state;
    text_init(&csv), text_init(&table), text_init(&svg);
    scale_csv(s, &csv);
    for (const char *at = text_str(&csv); (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, 1 + 3 * SIZES);
    assert_non_null(strstr(text_str(&csv), "\"scenarios/scale/mesh\",\"400\",3,"));
    scale_table(s, false, &table);
    assert_non_null(strstr(text_str(&table), "nodes=400"));
    assert_non_null(strstr(text_str(&table), "16 [15.7-16.3]"));
    scale_svg(s, false, &svg);
    assert_non_null(strstr(text_str(&svg), "scale/mesh"));
    text_deinit(&csv), text_deinit(&table), text_deinit(&svg);
    scale_series_free(s);
}

static void test_compare(void **state) {
    struct scale_series *before = full_series(1), *same = full_series(1.05),
                        *worse = full_series(1.5);
    struct text out;
    (void)state;
    text_init(&out);
    assert_int_equal(scale_compare(before, same, false, &out), 0);
    assert_string_equal(text_str(&out), "");
    /* Last session and, a millisecond later, last route: at each size. */
    assert_int_equal(scale_compare(before, worse, false, &out), 2 * SIZES);
    assert_non_null(strstr(text_str(&out), "nodes=400: last session worse: 16 "));
    text_clear(&out);
    assert_int_equal(scale_compare(worse, before, false, &out), 0);
    assert_non_null(strstr(text_str(&out), "better"));
    text_deinit(&out);
    scale_series_free(before);
    scale_series_free(same);
    scale_series_free(worse);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures), cmocka_unit_test(test_median_and_what_counts),
        cmocka_unit_test(test_growth),  cmocka_unit_test(test_kept_and_read_back),
        cmocka_unit_test(test_forms),   cmocka_unit_test(test_compare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
