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

/* Ten seconds of two processors, in seconds: used by all, by the lab, its waiting; a timer in a
 * hundred 2^lag ns late. */
#define LATE(busy, own, wait, lag)                                                                 \
    {                                                                                              \
        .cpus = 2, .wall_ns = 10 * SECOND, .busy_cpu_ns = (busy)*SECOND,                           \
        .own_cpu_ns = (own)*SECOND, .wait_ns = (wait)*SECOND, .wait_known = true,                  \
        .timer_lag_p99_ns = UINT64_C(1) << (lag)                                                   \
    }
#define RAN(busy, own, wait) LATE(busy, own, wait, 20)

static void test_verdicts(void **state) {
    static const struct {
        struct fidelity f;
        const char *why; /* NULL: fine */
    } rows[] = {
        /* Nobody else; others beside us, whom we did not have to wait for; others who took a third
         * of what was used while we waited as long as we ran. */
        {RAN(8, 8, 4), NULL},
        {RAN(18, 8, 1), NULL},
        {RAN(12, 8, 8), NULL},
        {RAN(18, 8, 8), "others ran for 28 % of the time in which the lab wanted to (limit 20 %)"},
        /* 4,000 speakers on two processors wait for each other: 98 % of their time, and timers are
         * late. With a fifth taken by others nearly a fifth of that waiting is theirs. */
        {LATE(19, 19, 950, 31), NULL},
        {LATE(19, 18, 950, 28), NULL},
        {LATE(19, 14, 950, 20),
         "others ran for 26 % of the time in which the lab wanted to (limit 20 %)"},
        /* The lab wanted little and got it; its timers are late because of others. */
        {LATE(16, 1, 0, 27), "one timer in a hundred was 67 ms late or more (limit 50 ms)"},
        {LATE(0, 0, 0, 25), NULL},
        {LATE(0, 0, 0, 27), "one timer in a hundred was 67 ms late or more (limit 50 ms)"},
        {{.cpus = 2, .wall_ns = 10 * SECOND, .stolen_cpu_ns = 5 * SECOND, .wait_known = true},
         "the hypervisor took 25 % of the processors (limit 20 %)"},
        /* This kernel does not count waiting: what others took decides. */
        {{.cpus = 2, .wall_ns = 10 * SECOND, .busy_cpu_ns = 12 * SECOND, .own_cpu_ns = 8 * SECOND},
         NULL}, /* 20 %: the limit itself */
        {{.cpus = 2, .wall_ns = 10 * SECOND, .busy_cpu_ns = 14 * SECOND, .own_cpu_ns = 8 * SECOND},
         "others took 30 % of the processors (limit 20 %)"},
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

/* `count` lags of one size and `more` of another. */
static uint64_t p99_of(uint64_t count, uint64_t lag_ns, uint64_t more, uint64_t more_ns) {
    struct fidelity_lags l = {0};
    for (uint64_t i = 0; i < count; i++)
        fidelity_lag_note(&l, lag_ns);
    for (uint64_t i = 0; i < more; i++)
        fidelity_lag_note(&l, more_ns);
    assert_int_equal(l.count, count + more);
    assert_int_equal(l.max_ns, more_ns > lag_ns ? more_ns : lag_ns);
    return fidelity_lag_p99(&l);
}

/* By nearest rank: of 100 lags it is the 99th, of 101 the 100th, of fewer than 100 the largest. */
static void test_percentile(void **state) {
    (void)state;
    assert_int_equal(p99_of(0, 0, 0, 0), 0);
    assert_int_equal(p99_of(1, 5000, 0, 0), 8192);
    assert_int_equal(p99_of(98, 3, 1, 5000), 8192); /* the largest of 99 */
    assert_int_equal(p99_of(99, 3, 1, 5000), 4);    /* one in a hundred may be later */
    assert_int_equal(p99_of(98, 3, 2, 5000), 8192); /* two may not */
    assert_int_equal(p99_of(100, 3, 1, 5000), 4);   /* the 100th of 101 */
    assert_int_equal(p99_of(99, 3, 2, 5000), 8192);
    assert_int_equal(p99_of(198, 3, 2, 5000), 4);
    assert_int_equal(p99_of(197, 3, 3, 5000), 8192);
    assert_int_equal(p99_of(100, 700, 0, 0), 1024); /* all equal */
    assert_int_equal(p99_of(101, 0, 0, 0), 1);
}

/* Where one class ends and the next begins; never less than what was measured. */
static void test_classes(void **state) {
    (void)state;
    for (unsigned bit = 0; bit < FIDELITY_LAG_CLASSES - 1; bit++) {
        uint64_t ns = UINT64_C(1) << bit;
        assert_int_equal(p99_of(1, ns - 1, 0, 0), ns);
        if (bit + 2 < FIDELITY_LAG_CLASSES)
            assert_int_equal(p99_of(1, ns, 0, 0), 2 * ns);
    }
    assert_int_equal(p99_of(1, 1000 * SECOND, 0, 0), 1000 * SECOND);
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
    fidelity_end(p, 7, SECOND, &f);
    assert_true(f.cpus >= 1);
    assert_true(f.wall_ns >= SECOND / 4);
    assert_true(f.own_cpu_ns >= SECOND / 2);
    assert_true(!f.wait_known || f.wait_ns >= SECOND);
    assert_true(fidelity_delayed_ns(&f) <= f.wait_ns);
    assert_true(f.ticks > 0);
    assert_true(f.timer_lag_p99_ns > 0 && f.timer_lag_max_ns * 2 >= f.timer_lag_p99_ns);
    assert_true(f.busy_cpu_ns >= SECOND / 4); /* counted in ticks of the clock */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_percentile),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
