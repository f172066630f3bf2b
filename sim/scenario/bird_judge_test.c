/*
 * Real BIRD as the judge: every shipped scenario with Calico nodes (at most NODES_MAX of them) runs
 * twice, once with our speaker and once with BIRD 1.6.8 fed with the planner's files. After each
 * expectation, when things have settled, both networks are written down line by line: sessions that
 * are up, every path every node has learned with its attributes, the kernel's routes; routers are
 * the mock Cisco in both. The two texts must be the same but for the differences that are explained
 * here (and in sim/calico/JUDGE.md, which JUDGE_WRITE=1 writes from a run).
 *
 * Scenarios run side by side: nearly all of the time is waiting for BIRD's timers of seconds.
 * JUDGE_SCENARIO=text runs those whose path contains it. Skipped where BIRD is missing: .ci/peers.
 */
#include "bird_judge_fixture.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
// clang-format on

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NODES_MAX 10
#define SCENARIOS_MAX 64
#define RUNNING_MAX 48 /* labs at the same time */

static struct daemon_root root;

/* ---- which scenarios ---- */

static const struct {
    const char *path, *reason;
} skipped[] = {
    {"/dataplane/ipip", "stock BIRD has no krt_tunnel"},
};

/* With -R, BIRD writes nothing to the kernel for 240 s while a session is missing, not even the way
 * to the peer. */
static const char *const without_recovery[] = {"/tor/reachable-by", "/trouble/password"};

/* Behind this step a session waits for its hold time with a peer that nobody can reach. */
static const struct {
    const char *path;
    size_t last_step;
} short_ones[] = {{"/tor/reachable-by", 1}};

static size_t last_step_of(const char *path) {
    for (size_t i = 0; i < sizeof short_ones / sizeof short_ones[0]; i++)
        if (strstr(path, short_ones[i].path))
            return short_ones[i].last_step;
    return 0;
}

static bool is_without_recovery(const char *path) {
    for (size_t i = 0; i < sizeof without_recovery / sizeof without_recovery[0]; i++)
        if (strstr(path, without_recovery[i]))
            return true;
    return false;
}

static const char *skip_reason(const char *path) {
    for (size_t i = 0; i < sizeof skipped / sizeof skipped[0]; i++)
        if (strstr(path, skipped[i].path))
            return skipped[i].reason;
    return NULL;
}

/* Node numbers are parameters of many scenarios: what they say is what is run. */
static bool is_ours(const char *path, struct arena *arena) {
    struct diag_list *diags = diag_list_new();
    const char *only = getenv("JUDGE_SCENARIO");
    struct scenario *s = scenario_read(path, NULL, 0, arena, diags);
    bool ok = s && !s->no_lab && s->topology && s->topology->node_count > 0 &&
              s->topology->node_count <= NODES_MAX && (!only || strstr(path, only));
    if (s)
        scenario_close(s);
    diag_list_free(diags);
    return ok;
}

static size_t find_scenarios(struct arena *arena, struct judged *list) {
    struct diag_list *diags = diag_list_new();
    const char **paths = NULL;
    size_t count = 0, n = 0;
    assert_true(scenario_list("scenarios", arena, diags, &paths, &count));
    for (size_t i = 0; i < count && n < SCENARIOS_MAX; i++) {
        if (!is_ours(paths[i], arena))
            continue;
        list[n] = (struct judged){.path = paths[i],
                                  .skipped = skip_reason(paths[i]),
                                  .without_recovery = is_without_recovery(paths[i]),
                                  .last_step = last_step_of(paths[i])};
        n++;
    }
    diag_list_free(diags);
    return n;
}

/* ---- running ---- */

static void start(struct judged *j, int side) {
    struct supervisor_options o = {0};
    struct diag_list *diags = diag_list_new();
    struct judge_run *r = &j->runs[side];
    *r = (struct judge_run){.scenario = j->path,
                            .bird = side == JUDGE_BIRD ? &root : NULL,
                            .without_recovery = j->without_recovery,
                            .last_step = j->last_step,
                            .started = lab_now(),
                            .out = tmpfile(),
                            .target = side == JUDGE_BIRD ? j->runs[JUDGE_OURS].out : NULL,
                            .fd = -1,
                            .pidfd = -1,
                            .status = -1};
    assert_non_null(r->out);
    fflush(NULL);
    r->pid = supervise(&o, judge_body, r, &r->fd, &r->pidfd, diags);
    if (r->pid < 0)
        printf("%s: no supervisor: %s\n", j->path,
               diag_count(diags) ? diag_at(diags, 0)->message : "?");
    diag_list_free(diags);
    assert_true(r->pid > 0);
}

/* Waits for a run to end; BIRD's follows on ours. True: that one was the scenario's last. */
static bool take_one(struct judged *list, size_t count) {
    int status = 0;
    pid_t pid = waitpid(-1, &status, 0);
    assert_true(pid > 0);
    for (size_t i = 0; i < 2 * count; i++) {
        struct judge_run *r = &list[i / 2].runs[i % 2];
        if (r->pid != pid)
            continue;
        r->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        r->duration_ns = nanotime_since(lab_now(), r->started);
        r->pid = 0;
        close(r->fd);
        close(r->pidfd);
        if (i % 2 == JUDGE_BIRD)
            return true;
        start(&list[i / 2], JUDGE_BIRD);
        return false;
    }
    return false;
}

static void run_all(struct judged *list, size_t count) {
    size_t running = 0;
    for (size_t i = 0; i < count; i++) {
        if (list[i].skipped)
            continue;
        while (running == RUNNING_MAX)
            running -= take_one(list, count);
        start(&list[i], JUDGE_OURS);
        running++;
    }
    while (running > 0)
        running -= take_one(list, count);
}

/* ---- the verdict ---- */

static void judge(void **state) {
    static struct judged list[SCENARIOS_MAX];
    struct arena *arena = arena_new();
    const char *write = getenv("JUDGE_WRITE");
    size_t unexplained = 0;
    (void)state;
    size_t count = find_scenarios(arena, list);
    assert_true(count > 0);
    run_all(list, count);
    for (size_t i = 0; i < count; i++) {
        if (!list[i].skipped)
            judge_compare(&list[i]);
        unexplained += list[i].unexplained;
        printf("%-34s %5.1f s %5.1f s  %s\n", list[i].path,
               (double)list[i].runs[JUDGE_OURS].duration_ns / 1e9,
               (double)list[i].runs[JUDGE_BIRD].duration_ns / 1e9,
               list[i].skipped       ? list[i].skipped
               : list[i].unexplained ? "differs"
                                     : list[i].verdict);
    }
    if (write && *write == '1')
        assert_true(judge_write("sim/calico/JUDGE.md", list, count));
    for (size_t i = 0; i < count; i++)
        judge_free(&list[i]);
    arena_free(arena);
    assert_int_equal(unexplained, 0);
}

/* ---- the comparison itself can fail ---- */

static void comparison(void **state) {
    static const struct {
        const char *ours, *bird;
        size_t unexplained;
        const char *verdict;
    } cases[] = {
        {"a\nb\n", "a\nb\n", 0, "the same"},
        {"a\nb\n", "a\nc\n", 2, ""},
        {"a\n", "a\nb\n", 1, ""},
        {"", "", 2, ""}, /* nothing was compared */
        {"1 n path 10.0.0.0/26 p best {}\n",
         "1 n path 10.0.0.0/26 p best {}\n1 n path-felix 10.0.0.0/26 p {}\n", 0, "felix-learned"},
        {"1 n path 10.0.0.0/26 p best {}\n1 n path-felix 10.0.0.0/26 p {}\n",
         "1 n path 10.0.0.0/26 p best {}\n", 1, ""}, /* the other way round it is no explanation */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct judged j = {.path = "case", .quiet = true};
        const char *texts[] = {cases[i].ours, cases[i].bird};
        for (int side = 0; side < 2; side++) {
            j.runs[side].out = tmpfile();
            assert_non_null(j.runs[side].out);
            fputs(texts[side], j.runs[side].out);
        }
        judge_compare(&j);
        if (j.unexplained != cases[i].unexplained ||
            (!j.unexplained && !strstr(j.verdict, cases[i].verdict)))
            fail_msg("case %zu: %zu unexplained, \"%s\"", i, j.unexplained, j.verdict);
        judge_free(&j);
    }
}

static void judged_scenarios(void **state) {
    struct diag_list *diags = diag_list_new();
    bool found = daemon_locate(&daemon_bird, NULL, &root, diags);
    if (!found)
        printf("skipped: %s\n", diag_at(diags, 0)->message);
    diag_list_free(diags);
    if (!found)
        skip();
    judge(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparison),
        cmocka_unit_test(judged_scenarios),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
