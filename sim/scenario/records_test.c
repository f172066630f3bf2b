/*
 * Records to the command in front, and which verdict explains a run; no lab is needed for them.
 */

#include "engine.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
// clang-format on

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- an engine with a front that listens ---- */

struct stage {
    struct engine e;
    int front;
    struct text lines;
};

static int stage_begin(void **state) {
    struct stage *s = calloc(1, sizeof *s);
    int pair[2];
    if (!s || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    s->front = pair[0];
    s->e = (struct engine){.arena = arena_new(),
                           .diags = diag_list_new(),
                           .front_fd = pair[1],
                           .wait_fd = -1,
                           .started = lab_now()};
    s->e.result = (struct run_result){
        .verdict = RUN_INCOMPLETE, .error = "", .profile = "fast", .fabric = "l2"};
    *state = s;
    return s->e.arena ? 0 : -1;
}

static int stage_end(void **state) {
    struct stage *s = *state;
    if (s->front >= 0)
        close(s->front);
    if (s->e.front_fd >= 0)
        close(s->e.front_fd);
    text_deinit(&s->lines);
    diag_list_free(s->e.diags);
    arena_free(s->e.arena);
    free(s);
    return 0;
}

/* The records sent since the last call, as an array; each line must be whole JSON. */
static json_t *records(struct stage *s) {
    char buffer[65536];
    ssize_t n;
    json_t *list = json_array();
    text_clear(&s->lines);
    while ((n = recv(s->front, buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
        text_put(&s->lines, buffer, (size_t)n);
        record_flush(&s->e);
    }
    const char *at = text_str(&s->lines);
    while (*at) {
        const char *end = strchr(at, '\n');
        assert_non_null(end);
        json_t *record = json_loadb(at, (size_t)(end - at), JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(record);
        json_array_append_new(list, record);
        at = end + 1;
    }
    return list;
}

static const char *member(const json_t *list, size_t index, const char *name) {
    const char *s = json_string_value(json_object_get(json_array_get(list, index), name));
    return s ? s : "(none)";
}

/* ---- lines ---- */

static void a_phase(void **state) {
    struct stage *s = *state;
    record_phase_begin(&s->e, "build");
    record_check(&s->e, "sessions", CHECK_TIMEOUT, 0, "kube-1 - kube-2");
    record_check(&s->e, "routes", CHECK_PASSED, 0, NULL);
    record_phase_end(&s->e, "%d nodes", 7);
    json_t *list = records(s);
    assert_int_equal(json_array_size(list), 5);
    assert_string_equal(member(list, 0, "record"), "begin");
    assert_string_equal(member(list, 0, "phase"), "build");
    assert_string_equal(member(list, 1, "record"), "check");
    assert_string_equal(member(list, 1, "phase"), "build");
    assert_string_equal(member(list, 1, "verdict"), "timeout");
    assert_string_equal(member(list, 1, "reason"), "kube-1 - kube-2");
    assert_string_equal(member(list, 2, "reason"), "");
    assert_string_equal(member(list, 3, "record"), "phase");
    assert_string_equal(member(list, 3, "summary"), "7 nodes");
    assert_string_equal(member(list, 4, "record"), "partial");
    json_decref(list);
    assert_true(s->e.result.phases[0].done);
    assert_int_equal(s->e.result.check_count, 2);
}

/* Partial results are incomplete and say what was going on; the final one has its verdict. */
static void partial_and_final(void **state) {
    struct stage *s = *state;
    enum run_verdict v = RUN_PASSED;
    record_phase_begin(&s->e, "step 1");
    record_verdict(&s->e, RUN_FAILED, "no route");
    record_result(&s->e, false);
    record_result(&s->e, true);
    json_t *list = records(s);
    json_t *partial = json_object_get(json_array_get(list, 1), "result");
    json_t *final = json_object_get(json_array_get(list, 2), "result");
    assert_true(report_verdict(partial, &v));
    assert_int_equal(v, RUN_INCOMPLETE);
    assert_string_equal(json_string_value(json_object_get(partial, "partial_of")), "step 1");
    assert_string_equal(member(list, 2, "record"), "result");
    assert_true(report_verdict(final, &v));
    assert_int_equal(v, RUN_FAILED);
    assert_null(json_object_get(final, "partial_of"));
    assert_string_equal(json_string_value(json_object_get(final, "error")), "no route");
    json_decref(list);
}

static void hostile_texts(void **state) {
    struct stage *s = *state;
    static const char bad[] = "a\nb\"\x01\xff\xc3";
    record_phase_begin(&s->e, bad);
    record_live(&s->e, "%s", bad);
    record_check(&s->e, bad, CHECK_FAILED, 0, bad);
    record_phase_end(&s->e, "%s", bad);
    json_t *list = records(s);
    assert_int_equal(json_array_size(list), 5); /* none is lost */
    assert_string_equal(member(list, 0, "phase"), "a\\nb\"\\x01\\xff\\xc3");
    assert_string_equal(member(list, 1, "record"), "live");
    assert_string_equal(member(list, 2, "reason"), "a\\nb\"\\x01\\xff\\xc3");
    json_decref(list);
}

/* The lists outgrow their first room; nothing is moved wrongly. */
static void many_of_each(void **state) {
    struct stage *s = *state;
    char name[32];
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "step %d", i);
        record_phase_begin(&s->e, name);
        record_check(&s->e, name, CHECK_PASSED, 0, "");
        record_check(&s->e, name, CHECK_SKIPPED, 0, "");
        json_decref(records(s));
    }
    assert_int_equal(s->e.result.phase_count, 500);
    assert_int_equal(s->e.result.check_count, 1000);
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "step %d", i);
        assert_string_equal(s->e.result.phases[i].name, name);
        assert_string_equal(s->e.result.checks[2 * i + 1].phase, name);
        assert_int_equal(s->e.result.checks[2 * i + 1].verdict, CHECK_SKIPPED);
    }
}

/* About twenty a second: a thousand at once are one or two. */
static void live_lines_are_few(void **state) {
    struct stage *s = *state;
    struct nanotime start = lab_now();
    for (int i = 0; i < 1000; i++)
        record_live(&s->e, "%d", i);
    uint64_t took_ms = nanotime_since(lab_now(), start) / NANOS_PER_MS;
    json_t *list = records(s);
    assert_true(json_array_size(list) <= took_ms / 50 + 1);
    json_decref(list);
}

static void front_is_gone(void **state) {
    struct stage *s = *state;
    close(s->front);
    s->front = -1;
    record_phase_begin(&s->e, "build");
    assert_true(s->e.front_gone);
    record_check(&s->e, "sessions", CHECK_PASSED, 0, "");
    record_phase_end(&s->e, "done");
    record_result(&s->e, true);
    record_drain(&s->e);                          /* for nobody */
    assert_int_equal(s->e.result.check_count, 1); /* known all the same */
}

#define MANY 300
#define LONG_BYTES 4096 /* MANY of them are more than a socket takes */

static void record_many(struct engine *e) {
    static char reason[LONG_BYTES];
    char name[32];
    memset(reason, 'r', sizeof reason - 1);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "%d", i);
        record_phase_begin(e, name);
        record_check(e, name, CHECK_PASSED, 0, reason);
        record_phase_end(e, "done");
    }
    record_result(e, true);
}

/* Every check and every phase in order, and the result behind them. */
static void assert_all_there(json_t *list) {
    size_t checks = 0, phases = 0, index;
    char name[32];
    json_t *record;
    json_array_foreach(list, index, record) {
        const char *kind = member(list, index, "record");
        bool check = strcmp(kind, "check") == 0, phase = strcmp(kind, "phase") == 0;
        snprintf(name, sizeof name, "%zu", check ? checks : phases);
        if (check || phase)
            assert_string_equal(member(list, index, "name"), name);
        checks += check;
        phases += phase;
    }
    assert_int_equal(checks, MANY);
    assert_int_equal(phases, MANY);
    assert_string_equal(member(list, json_array_size(list) - 1, "record"), "result");
}

/* It is stopped, or its own output is full: when it goes on it hears all that it has to know. */
static void front_does_not_read(void **state) {
    struct stage *s = *state;
    record_many(&s->e);
    assert_true(s->e.front_stalled);
    json_t *list = records(s);
    assert_false(s->e.front_stalled);
    assert_all_there(list);
    size_t size = json_array_size(list);
    json_decref(list);
    assert_true(size < 5 * MANY); /* what is said again does not wait */
    record_phase_begin(&s->e, "again");
    list = records(s);
    assert_int_equal(json_array_size(list), 1);
    json_decref(list);
}

/* A supervisor that ends does so when the last record is with the command. */
static void the_end_is_waited_for(void **state) {
    struct stage *s = *state;
    char buffer[65536];
    ssize_t n;
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        s->e.front_stalled = true; /* no patience: it has been waited for already */
        record_many(&s->e);
        record_drain(&s->e);
        _exit(0);
    }
    close(s->e.front_fd);
    s->e.front_fd = -1;
    while ((n = recv(s->front, buffer, sizeof buffer, 0)) > 0)
        text_put(&s->lines, buffer, (size_t)n);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    json_t *last = json_loads(strstr(text_str(&s->lines), "{\"record\":\"result\""),
                              JSON_DISABLE_EOF_CHECK, NULL);
    assert_non_null(last);
    json_decref(last);
}

/* `up` of a lab whose socket could not be made. */
static void a_lab_that_nobody_can_ask(void **state) {
    struct stage *s = *state;
    enum run_verdict v = RUN_PASSED;
    diag_add(s->e.diags, DIAG_ERROR, (struct diag_place){0}, "lab-place", "no place");
    assert_int_equal(engine_serve(&s->e), run_verdict_exit(RUN_HOST));
    json_t *list = records(s), *result = NULL;
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(member(list, i, "record"), "result") == 0)
            result = json_object_get(json_array_get(list, i), "result");
    assert_true(report_verdict(result, &v));
    assert_int_equal(v, RUN_HOST);
    assert_string_equal(json_string_value(json_object_get(result, "error")), "no place");
    json_decref(list);
}

/* ---- which verdict ---- */

/* From what explains least to what explains most. */
static const enum run_verdict ranked[] = {RUN_PASSED,        RUN_WARNINGS, RUN_FAILED,
                                          RUN_NOT_CONVERGED, RUN_VOID,     RUN_REFUSED,
                                          RUN_HOST,          RUN_CRASHED,  RUN_INTERRUPTED};
#define RANKED (sizeof ranked / sizeof ranked[0])

static void worse_replaces_better(void **state) {
    struct stage *s = *state;
    assert_int_equal(RANKED, RUN_INTERRUPTED); /* all but RUN_INCOMPLETE */
    for (size_t a = 0; a < RANKED; a++) {
        for (size_t b = 0; b < RANKED; b++) {
            s->e.result.verdict = RUN_INCOMPLETE;
            s->e.result.error = "";
            record_verdict(&s->e, ranked[a], "first");
            record_verdict(&s->e, ranked[b], "second");
            assert_int_equal(s->e.result.verdict, ranked[a > b ? a : b]);
            assert_string_equal(s->e.result.error, b > a ? "second" : "first");
        }
    }
}

static void without_words_the_old_ones_stay(void **state) {
    struct stage *s = *state;
    record_verdict(&s->e, RUN_FAILED, "first");
    record_verdict(&s->e, RUN_CRASHED, NULL);
    assert_int_equal(s->e.result.verdict, RUN_CRASHED);
    assert_string_equal(s->e.result.error, "first");
}

/* Only what time decides can be doubted; one failure that is certain is enough. */
static void certain_failures_are_remembered(void **state) {
    struct stage *s = *state;
    record_late_verdict(&s->e, RUN_NOT_CONVERGED, "no session");
    assert_int_equal(s->e.result.verdict, RUN_NOT_CONVERGED);
    assert_false(s->e.failed_for_certain);
    record_verdict(&s->e, RUN_FAILED, "refused");
    assert_true(s->e.failed_for_certain);
    record_late_verdict(&s->e, RUN_FAILED, "a packet was lost");
    assert_true(s->e.failed_for_certain);
    assert_string_equal(s->e.result.error, "no session");
}

/* ---- reasons ---- */

static void reasons_are_joined_and_end(void **state) {
    (void)state;
    struct expectation x = {0};
    reason_add(&x, "%s is %d", "one", 1);
    assert_string_equal(x.reason, "one is 1");
    reason_add(&x, "two");
    assert_string_equal(x.reason, "one is 1; two");
    for (int i = 0; i < 2000; i++)
        reason_add(&x, "reason number %d", i);
    assert_memory_equal(x.reason, "one is 1; two; reason number 0; reason", 38);
    assert_non_null(strstr(x.reason, "; reason number 21"));
    assert_null(strstr(x.reason, "reason number 22"));
    assert_int_equal(x.reasons_left_out, 2000 - 22);
}

/* Long ones leave room for the number of those left out. */
static void long_reasons_end_in_time(void **state) {
    (void)state;
    struct expectation x = {0};
    char *word = alloc_zero(2, sizeof x.reason);
    assert_non_null(word);
    memset(word, 'w', 2 * sizeof x.reason - 1);
    reason_add(&x, "%s", word);
    reason_add(&x, "%s", word);
    assert_int_equal(x.reasons_left_out, 1);
    assert_true(strlen(x.reason) < sizeof x.reason - strlen("; and 4294967295 more"));
    alloc_free(word);
}

#define STAGED(test) cmocka_unit_test_setup_teardown(test, stage_begin, stage_end)

int main(void) {
    const struct CMUnitTest tests[] = {
        STAGED(a_phase),
        STAGED(partial_and_final),
        STAGED(hostile_texts),
        STAGED(many_of_each),
        STAGED(live_lines_are_few),
        STAGED(front_is_gone),
        STAGED(front_does_not_read),
        STAGED(the_end_is_waited_for),
        STAGED(a_lab_that_nobody_can_ask),
        STAGED(worse_replaces_better),
        STAGED(without_words_the_old_ones_stay),
        STAGED(certain_failures_are_remembered),
        cmocka_unit_test(reasons_are_joined_and_end),
        cmocka_unit_test(long_reasons_end_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
