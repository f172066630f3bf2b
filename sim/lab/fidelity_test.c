/* What the host did to a measurement: judged from given figures, and measured for real. */

#include "fidelity.h"

#include "../../speaker/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)

static void test_verdicts(void **state) {
    static const struct {
        struct fidelity f;
        const char *why; /* NULL: fine */
    } rows[] = {
        {{.cpus = 2, .wall_ns = 10 * SECOND, .busy_cpu_ns = 8 * SECOND, .own_cpu_ns = 8 * SECOND},
         NULL},
        {{.cpus = 2, .wall_ns = 10 * SECOND, .busy_cpu_ns = 12 * SECOND, .own_cpu_ns = 8 * SECOND},
         NULL}, /* 20 %: the limit itself */
        {{.cpus = 2, .wall_ns = 10 * SECOND, .busy_cpu_ns = 14 * SECOND, .own_cpu_ns = 8 * SECOND},
         "others took 30 % of the processors (limit 20 %)"},
        {{.cpus = 2, .wall_ns = 10 * SECOND, .stolen_cpu_ns = 5 * SECOND},
         "others took 25 % of the processors (limit 20 %)"},
        {{.cpus = 2, .wall_ns = 10 * SECOND, .timer_lag_p99_ns = 1 << 25}, NULL},
        {{.cpus = 2, .wall_ns = 10 * SECOND, .timer_lag_p99_ns = 1 << 27},
         "one timer in a hundred was 67 ms late or more (limit 50 ms)"},
        {{.cpus = 1,
          .wall_ns = SECOND,
          .busy_cpu_ns = SECOND,
          .timer_lag_p99_ns = UINT64_C(1) << 31},
         "others took 100 % of the processors (limit 20 %); "
         "one timer in a hundred was 1074 ms late or more (limit 50 ms)"},
        {{.cpus = 1, .wall_ns = SECOND / 10, .busy_cpu_ns = SECOND / 10}, NULL}, /* too short */
        {{.cpus = 2, .wall_ns = SECOND, .busy_cpu_ns = 0, .own_cpu_ns = SECOND}, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text why;
        text_init(&why);
        bool spoiled = fidelity_spoiled(&rows[i].f, &why);
        assert_string_equal(text_str(&why), rows[i].why ? rows[i].why : "");
        assert_int_equal(spoiled, rows[i].why != NULL);
        text_deinit(&why);
    }
}

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

/* Until this process has used as much of a processor as it wants to find again. */
static void compute(uint64_t cpu_ns) {
    struct timespec t = {0};
    uint64_t until = now_ns() + 60 * SECOND;
    while ((uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec < cpu_ns && now_ns() < until)
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
}

static void test_measured(void **state) {
    struct fidelity f;
    (void)state;
    struct fidelity_probe *p = fidelity_begin();
    assert_non_null(p);
    compute(SECOND / 2);
    fidelity_end(p, 7, &f);
    assert_true(f.cpus >= 1);
    assert_true(f.wall_ns >= SECOND / 4);
    assert_true(f.own_cpu_ns >= SECOND / 2);
    assert_true(f.ticks > 0);
    assert_true(f.timer_lag_max_ns * 2 >= f.timer_lag_p99_ns);
    assert_true(f.busy_cpu_ns >= SECOND / 4); /* counted in ticks of the clock */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
