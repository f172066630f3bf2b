/* `ribcage scale`: series of real runs, refused, interrupted, gone on with, compared. */

#include "cli_fixture.h"

#include <dirent.h>

static int setup(void **state) {
    if (world_enter(state) != 0)
        return -1;
    fixture_scenario("mesh", "  - name: up\n    expect: {sessions: mesh, converged: true}\n");
    fixture_scenario("wrong", "  - name: up\n    expect: {sessions: 99}\n    deadline: 100ms\n");
    return 0;
}

static int clean(void **state) {
    (void)state;
    fixture_remove(fixture_path("runs"));
    return 0;
}

/* The only entry of runs/, or of a folder below it that begins with `prefix`; counts them too. */
static size_t entries(const char *path, const char *prefix, char *ret_last, size_t size) {
    DIR *d = opendir(path);
    size_t n = 0;
    for (struct dirent *e; d && (e = readdir(d));) {
        if (strncmp(e->d_name, prefix, strlen(prefix)) != 0 || e->d_name[0] == '.')
            continue;
        n++;
        if (ret_last)
            snprintf(ret_last, size, "%s/%s", path, e->d_name);
    }
    if (d)
        closedir(d);
    return n;
}

static json_t *series_of(const char *folder) {
    char path[400];
    snprintf(path, sizeof path, "%s/series.json", folder);
    json_t *j = json_load_file(path, 0, NULL);
    assert_non_null(j);
    return j;
}

static void assert_runs(const char *folder, size_t wanted) {
    json_t *j = series_of(folder);
    assert_int_equal(json_array_size(json_object_get(j, "runs")), wanted);
    json_decref(j);
}

static struct run scale(const char *sizes, const char *repeat) {
    return run_words(WORDS("scale", fixture_path("mesh"), "--set", sizes, "--repeat", repeat,
                           "--runs", fixture_path("runs"), "--allow-noise"));
}

static void drop_last_run(const char *folder) {
    char path[400];
    json_t *j = series_of(folder), *runs = json_object_get(j, "runs");
    json_array_remove(runs, json_array_size(runs) - 1);
    snprintf(path, sizeof path, "%s/series.json", folder);
    assert_int_equal(json_dump_file(j, path, 0), 0);
    json_decref(j);
}

static void test_series(void **state) {
    char folder[300], path[400];
    struct stat st;
    (void)state;
    struct run r = scale("nodes=2,3", "2");
    if (r.status != 0)
        fail_msg("%d: %s %s", r.status, written(r.out), written(r.err));
    assert_says(r.out, "nodes=3 2/2: passed, 3 sessions");
    run_close(&r);
    assert_int_equal(entries(fixture_path("runs"), "scale-", folder, sizeof folder), 1);
    assert_int_equal(entries(folder, "2", NULL, 0), 4);
    assert_runs(folder, 4);
    static const char *const files[] = {"series.csv", "series.svg"};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_true(st.st_size > 100);
    }

    /* Only what is missing is run again. */
    drop_last_run(folder);
    r = run_words(WORDS("scale", "--resume", folder, "--allow-noise"));
    assert_int_equal(r.status, 0);
    run_close(&r);
    assert_runs(folder, 4);
    assert_int_equal(entries(folder, "2", NULL, 0), 5);

    r = run_words(WORDS("scale", "--resume", folder, "--allow-noise", "--compare", folder));
    assert_int_equal(r.status, 0);
    assert_says(r.out, ": 0 worse");
    run_close(&r);
    assert_int_equal(entries(folder, "2", NULL, 0), 5);
}

static void refused(const char *const *words, const char *what) {
    struct run r = run_words(words);
    assert_int_equal(r.status, 2);
    assert_says(r.err, what);
    run_close(&r);
    assert_int_equal(entries(fixture_path("runs"), "", NULL, 0), 0);
}

static void test_refused(void **state) {
    (void)state;
    const char *mesh = fixture_path("mesh"), *runs = fixture_path("runs");
    refused(WORDS("scale", mesh, "--runs", runs), "which sizes?");
    refused(WORDS("scale", mesh, "--set", "nodes=2,,3", "--runs", runs), "separated by commas");
    refused(WORDS("scale", mesh, "--set", "nodes=2,3", "--set", "x=1,2", "--runs", runs),
            "one parameter is varied");
    refused(WORDS("scale", mesh, "--set", "nodes=2,many", "--runs", runs), "many");
    refused(WORDS("scale", mesh, "--set", "size=2,3", "--runs", runs), "no such parameter");
    refused(WORDS("scale", "--resume", runs), "series.json");
}

/* A failing run does not end the series, and is not counted. */
static void test_failed_runs(void **state) {
    char folder[300];
    (void)state;
    struct run r = run_words(WORDS("scale", fixture_path("wrong"), "--set", "nodes=2,3", "--repeat",
                                   "1", "--runs", fixture_path("runs"), "--allow-noise"));
    assert_true(r.status == 1 || r.status == 7);
    run_close(&r);
    assert_int_equal(entries(fixture_path("runs"), "scale-", folder, sizeof folder), 1);
    json_t *j = series_of(folder);
    json_t *cell = json_array_get(json_object_get(j, "cells"), 0);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(cell, "set_up_s"), "runs")),
                     0);
    assert_int_equal(json_array_size(json_object_get(j, "runs")), 2);
    json_decref(j);
}

static void test_interrupted(void **state) {
    char folder[300];
    (void)state;
    struct run r = run_start(WORDS("scale", fixture_path("mesh"), "--set", "nodes=2,3", "--repeat",
                                   "50", "--runs", fixture_path("runs"), "--allow-noise"));
    while (!strstr(written(r.out), "nodes=3 1/50: passed"))
        assert_false(await_exit(r.pidfd, 1));
    assert_int_equal(kill(r.pid, SIGINT), 0);
    run_end(&r);
    assert_int_equal(r.status, 130);
    assert_says(r.err, "goes on"); /* wherever the signal met it */
    run_close(&r);
    assert_int_equal(entries(fixture_path("runs"), "scale-", folder, sizeof folder), 1);
    json_t *j = series_of(folder);
    assert_true(json_array_size(json_object_get(j, "runs")) >= 2);
    json_decref(j);
    assert_true(await_no_children());
    assert_int_equal(count_places(), 0);
}

static void test_doctor(void **state) {
    (void)state;
    struct run r = run_words(WORDS("doctor", fixture_path("mesh"), "--set", "nodes=5"));
    assert_int_equal(r.status, 0);
    assert_says(r.out, "5 nodes and routers, 10 sessions, ");
    assert_says(r.out, "fits here");
    assert_says(r.out, "memory free, MiB ");
    assert_says(r.out, "the kernel has           veth, ");
    run_close(&r);
    r = run_words(WORDS("doctor", fixture_path("mesh"), "--set", "size=5"));
    assert_int_equal(r.status, 2);
    run_close(&r);
}

/* Forty million sessions: refused from their number, for the plan itself would not fit. The report
 * is there all the same. */
static void test_too_large(void **state) {
    struct rusage used;
    char folder[300], path[400];
    (void)state;
    struct run r = run_words(WORDS("doctor", fixture_path("mesh"), "--set", "nodes=9000"));
    assert_int_equal(r.status, 4);
    assert_says(r.out, "9000 nodes and routers, 40495500 sessions, ");
    assert_says(r.out, "does not fit here");
    assert_says(r.err, "MiB are needed");
    run_close(&r);
    r = run_words(
        WORDS("run", fixture_path("mesh"), "--set", "nodes=9000", "--runs", fixture_path("large")));
    assert_int_equal(r.status, 4);
    run_close(&r);
    assert_int_equal(entries(fixture_path("large"), "2", folder, sizeof folder), 1);
    snprintf(path, sizeof path, "%s/result.json", folder);
    json_t *j = json_load_file(path, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(j, "verdict")), "host");
    assert_non_null(strstr(json_string_value(json_object_get(j, "error")), "MiB are needed"));
    json_decref(j);
    assert_int_equal(getrusage(RUSAGE_CHILDREN, &used), 0);
    assert_true(used.ru_maxrss < 1024L << 10); /* KiB */
    assert_int_equal(count_places(), 0);
}

/* ---- a folder that others may write to ---- */

/* The series' folder, once its first run has one; true: in time. */
static bool await_first_run(const struct run *r, char *ret_folder, size_t size) {
    struct timespec now, end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += FIXTURE_DEADLINE_MS / 1000;
    do {
        if (entries(fixture_path("runs"), "scale-", ret_folder, size) == 1 &&
            entries(ret_folder, "2", NULL, 0) == 1)
            return true;
        sched_yield();
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec < end.tv_sec && !has_ended(r->pid));
    return false;
}

/* A link in the place of the series' folder, while it runs: nothing is made where it leads. */
static void test_moved_away(void **state) {
    char folder[300];
    (void)state;
    assert_int_equal(mkdir(fixture_path("theirs"), 0755), 0);
    struct run r = run_start(WORDS("scale", fixture_path("mesh"), "--set", "nodes=2,3", "--repeat",
                                   "2", "--runs", fixture_path("runs"), "--allow-noise"));
    assert_true(await_first_run(&r, folder, sizeof folder));
    assert_int_equal(rename(folder, fixture_path("runs/moved")), 0);
    assert_int_equal(symlink(fixture_path("theirs"), folder), 0);
    run_end(&r);
    assert_int_equal(entries(fixture_path("theirs"), "", NULL, 0), 0);
    if (r.status != 0)
        fail_msg("%d: %s %s", r.status, written(r.out), written(r.err));
    assert_int_equal(entries(fixture_path("runs/moved"), "2", NULL, 0), 4);
    assert_runs(fixture_path("runs/moved"), 4);
    run_close(&r);
    assert_int_equal(rmdir(fixture_path("theirs")), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_doctor),
        cmocka_unit_test_teardown(test_too_large, clean),
        cmocka_unit_test_teardown(test_series, clean),
        cmocka_unit_test_teardown(test_refused, clean),
        cmocka_unit_test_teardown(test_failed_runs, clean),
        cmocka_unit_test_teardown(test_interrupted, clean),
        cmocka_unit_test_teardown(test_moved_away, clean),
    };
    return cmocka_run_group_tests(tests, setup, world_leave);
}
