/*
 * Nothing that decides reads the wall clock: a clock that jumps by a day, to and fro, each time the
 * command, the supervisor or a speaker reads it changes no verdict.
 *
 * The real program runs shipped scenarios (tests run in the tree's root) with a library that makes
 * the clock jump (preload/). Speakers have the environment of the command, so they have it too;
 * what the library counts says so. They are those of this test's own tree, whatever
 * $RIBCAGE_SPEAKER says: a program that is linked statically, as a released one is, loads nothing.
 */
#include "preload/moving_clock.h"
#include "preload/preload.h"

#define ROUNDS 3

static struct moving_clock *counts;
static int setup(void **state) {
    if (world_enter(state) != 0)
        return -1;
    int fd = open(fixture_path("counts"), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof *counts) != 0)
        return -1;
    counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return counts == MAP_FAILED ? -1 : 0;
}

static void with_moving_clock(void *library) {
    preload(library);
    unsetenv("RIBCAGE_SPEAKER");
    setenv("MOVING_CLOCK_COUNTS", fixture_path("counts"), 1);
}

static void run_moving(const char *scenario, uint64_t speakers) {
    const struct run_options o = {.prepare = with_moving_clock,
                                  .argument = (char *)(uintptr_t)preload_path("moving_clock")};
    memset(counts, 0, sizeof *counts);
    struct run r = run_start_with(
        &o, WORDS("run", scenario, "--runs", fixture_path("runs"), "--allow-noise", "--mrt"));
    run_end(&r);
    if (r.status != 0)
        fail_msg("%s: %d: %s %s", scenario, r.status, written(r.out), written(r.err));
    assert_int_equal(counts->of[0].processes, 1); /* the supervisor is its fork */
    assert_true(counts->of[0].reads >= 2);
    assert_int_equal(counts->of[1].processes, speakers);
    assert_true(counts->of[1].reads >= speakers);
    run_close(&r);
    assert_true(await_no_children() && await_no_namespaces());
    assert_int_equal(count_places(), 0);
}

static void test_mesh(void **state) {
    (void)state;
    for (int i = 0; i < ROUNDS; i++)
        run_moving("scenarios/mesh/full-mesh", 10);
}

static void test_migration(void **state) {
    (void)state;
    run_moving("scenarios/migration/mesh-to-rr", 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mesh),
        cmocka_unit_test(test_migration),
    };
    return cmocka_run_group_tests(tests, setup, world_leave);
}
