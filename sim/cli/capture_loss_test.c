/*
 * A run whose captures lose packets says so, at each expectation that looks at the wire: what was
 * not seen may have been there. libpcap is made to count more losses than there are (preload/).
 */
#include "preload/preload.h"

struct losses {
    const char *library, *count;
};

static void with_losses(void *argument) {
    const struct losses *l = argument;
    preload(l->library);
    setenv("CAPTURE_LOSS", l->count, 1);
}

/* What is said of each check whose name begins so; all must say it, one must be there. */
static void assert_each_says(json_t *result, const char *name, const char *says, bool said) {
    size_t i, found = 0;
    json_t *check;
    json_array_foreach(json_object_get(result, "checks"), i, check) {
        const char *reason = text_in(check, "reason");
        if (strncmp(text_in(check, "name"), name, strlen(name)) != 0)
            continue;
        found++;
        if ((strstr(reason, says) != NULL) != said)
            fail_msg("%s: %s", text_in(check, "name"), reason);
    }
    if (!found)
        fail_msg("no check \"%s\"", name);
}

static void run_with(const char *count, bool said) {
    struct losses losses = {preload_path("capture_loss"), count};
    const struct run_options o = {.prepare = with_losses, .argument = &losses};
    struct run r = run_start_with(&o, WORDS("run", "scenarios/dataplane/overhead", "--runs",
                                            fixture_path("runs"), "--allow-noise"));
    run_end(&r);
    if (r.status != 0) /* all that is asked for was seen */
        fail_msg("%d: %s %s", r.status, written(r.out), written(r.err));
    json_t *result = only_result("runs");
    assert_non_null(result);
    assert_each_says(result, "sessions", "the capture lost 5 packets", said);
    assert_each_says(result, "packets of pool", "the capture lost 5 frames", said);
    json_decref(result);
    run_close(&r);
    fixture_remove(fixture_path("runs"));
    assert_true(await_no_children() && await_no_namespaces());
}

static void test_losses_are_said(void **state) {
    (void)state;
    run_with("0", false);
    run_with("5", true);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_losses_are_said)};
    return cmocka_run_group_tests(tests, world_enter, world_leave);
}
