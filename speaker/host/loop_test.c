/*
 * Turns of the loop: one that takes long ends in the middle of the round, the next ones go on with
 * it, and what is removed meanwhile is not called.
 */
#include "loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#define SOURCES 6

struct counted {
    struct loop_source source; /* first */
    int calls;
    bool slow;
};

static struct loop loop;
static struct counted sources[SOURCES];
static struct counted *victim; /* removed by the first that is called */

static void ready(struct loop_source *source, uint32_t events) {
    struct counted *c = (struct counted *)source;
    struct nanotime end = nanotime_add_ms(loop_now(), LOOP_SLICE_MS);
    assert_int_equal(events, EPOLLIN);
    c->calls++;
    if (victim)
        loop_remove(&loop, &victim->source);
    victim = NULL;
    while (c->slow && nanotime_before(loop_now(), end))
        ;
}

/* All are ready, and stay so. */
static void begin(bool slow) {
    assert_true(loop_init(&loop));
    for (int i = 0; i < SOURCES; i++) {
        sources[i] = (struct counted){.source = {.ready = ready}, .slow = slow};
        sources[i].source.fd = eventfd(1, EFD_CLOEXEC);
        assert_true(sources[i].source.fd >= 0);
        assert_true(loop_add(&loop, &sources[i].source, EPOLLIN));
    }
}

static void end(void) {
    for (int i = 0; i < SOURCES; i++)
        close(sources[i].source.fd);
    loop_deinit(&loop);
}

static int turn(void) {
    return loop_turn(&loop, nanotime_add_ms(loop_now(), 10000));
}

static void test_slow_ones_take_a_turn_each(void **state) {
    (void)state;
    begin(true);
    for (int n = 0; n < 2 * SOURCES; n++)
        assert_int_equal(turn(), 1);
    for (int i = 0; i < SOURCES; i++)
        assert_int_equal(sources[i].calls, 2);
    end();
}

static void test_removed_in_the_middle(void **state) {
    (void)state;
    begin(true);
    victim = &sources[SOURCES - 1];
    for (int n = 0; n < SOURCES - 1; n++)
        assert_int_equal(turn(), 1);
    for (int i = 0; i < SOURCES; i++)
        assert_int_equal(sources[i].calls, i < SOURCES - 1);
    end();
}

/* Without waiting: the deadline is over, nothing is ready. */
static void test_nothing_ready(void **state) {
    (void)state;
    begin(false);
    for (int i = 0; i < SOURCES; i++)
        loop_remove(&loop, &sources[i].source);
    assert_int_equal(loop_turn(&loop, loop_now()), 0);
    end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slow_ones_take_a_turn_each),
        cmocka_unit_test(test_removed_in_the_middle),
        cmocka_unit_test(test_nothing_ready),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
