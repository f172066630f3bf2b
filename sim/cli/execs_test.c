/*
 * A scenario executes nothing, whatever stands in it: every program that the command and all it
 * starts become is listed by ptrace, for `run`, `validate` and `plan` on hostile scenarios. A run
 * starts its speakers, by their path, once each; the other verbs start nothing. What looks like a
 * command for a shell would leave a file behind.
 *
 * The verb `exec` runs programs, because its user says which: it shows that the list is one.
 */
#include "cli_fixture.h"

#include <limits.h>
#include <sys/ptrace.h>

#define EXECS_MAX 64
#define TOUCH "touch /run/test/owned"

/* ---- tracing ---- */

struct trace {
    struct run run;
    int go[2];      /* the child begins when it is traced */
    bool lab_stays; /* the test has children beside */
    size_t count;
    char programs[EXECS_MAX][PATH_MAX];
};

static void await_tracer(void *argument) {
    const struct trace *t = argument;
    char byte;
    /* LeakSanitizer traces as well, and there is one tracer for each. */
    setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
    if (read(t->go[0], &byte, 1) != 1)
        _exit(124);
}

static void note_exec(struct trace *t, pid_t pid) {
    char path[64];
    assert_true(t->count < EXECS_MAX);
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    char *program = t->programs[t->count++];
    ssize_t size = readlink(path, program, PATH_MAX - 1);
    assert_true(size > 0);
    program[size] = '\0';
}

/* A stop of any of them; it goes on. A signal on its way is let through. */
static void pass_stop(struct trace *t, pid_t pid, int status) {
    int event = status >> 16, signal = event ? 0 : WSTOPSIG(status);
    if (event == PTRACE_EVENT_EXEC)
        note_exec(t, pid);
    bool stays = event == PTRACE_EVENT_STOP && WSTOPSIG(status) != SIGTRAP;
    (void)ptrace(stays ? PTRACE_LISTEN : PTRACE_CONT, pid, NULL, (long)signal);
}

/* Until nobody is left, or the command has ended that started nobody. Whoever stops, or ends, is
 * told by SIGCHLD. */
static void follow(struct trace *t) {
    struct timespec patience = {.tv_sec = FIXTURE_DEADLINE_MS / 1000};
    sigset_t set;
    int status;
    pid_t pid;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    while ((pid = waitpid(-1, &status, __WALL | WNOHANG)) >= 0) {
        if (pid == 0 && sigtimedwait(&set, NULL, &patience) < 0 && errno == EAGAIN)
            fail_msg("nothing happens any more: %s", written(t->run.out));
        if (pid > 0 && WIFSTOPPED(status))
            pass_stop(t, pid, status);
        else if (pid == t->run.pid)
            t->run.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        if (t->run.status >= 0 && t->lab_stays)
            return;
    }
    assert_int_equal(errno, ECHILD);
}

static void trace_run(struct trace *t, const char *const *words) {
    const long options = PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                         PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
    const struct run_options o = {.prepare = await_tracer, .argument = t};
    t->count = 0;
    assert_int_equal(pipe2(t->go, O_CLOEXEC), 0);
    t->run = run_start_with(&o, words);
    assert_int_equal(ptrace(PTRACE_SEIZE, t->run.pid, NULL, options), 0);
    assert_int_equal(write(t->go[1], "", 1), 1);
    follow(t);
    close(t->run.pidfd);
    close(t->go[0]);
    close(t->go[1]);
}

/* The command itself, then `count` times `program` and nothing else. */
static void assert_programs(const struct trace *t, size_t count, const char *program) {
    char own[PATH_MAX], other[PATH_MAX];
    assert_non_null(realpath(ribcage_path(), own));
    assert_true(!program || realpath(program, other));
    for (size_t i = 0; i < t->count; i++) {
        if (strcmp(t->programs[i], i ? other : own) != 0 || (i > 0 && !program))
            fail_msg("executed: %s; %s", t->programs[i], written(t->run.err));
    }
    if (t->count != count + 1)
        fail_msg("%zu executed, not %zu: %s %s", t->count, count + 1, written(t->run.out),
                 written(t->run.err));
    assert_int_equal(access("/run/test/owned", F_OK), -1);
}

static const char *speaker_path(void) {
    const char *chosen = getenv("RIBCAGE_SPEAKER");
    return chosen && *chosen ? chosen : program_path("ribcage-speaker");
}

static int traced(struct trace *t, const char *const *words, size_t speakers) {
    fixture_remove(fixture_path("runs"));
    trace_run(t, words);
    assert_programs(t, speakers, speakers ? speaker_path() : NULL);
    run_close(&t->run);
    return t->run.status;
}

/* ---- a scenario that runs ---- */

static const char head[] =
    "name: \"$(" TOUCH ")\"\ndescription: \"; " TOUCH " | `" TOUCH "`\"\n"
    "parameters: {what: \"$(" TOUCH ")\"}\n"
    "topology:\n  name: \"`" TOUCH "`\"\n  segments:\n    - {name: rack, subnet: 10.0.1.0/24}\n"
    "  nodes:\n    - count: 2\n      name: \"node%d\"\n      address: 10.0.1.10\n"
    "      labels: {run: \"$(" TOUCH ")\"}\n"
    "  routers:\n    - name: tor\n      kind: ios\n      config: tor.ios\n      interfaces:\n"
    "        GigabitEthernet0/0: {segment: rack, address: 10.0.1.1}\n"
    "manifests: pool.yaml\ndeadline: 60s\nsteps:\n"
    "  - name: \"; " TOUCH "\"\n    expect: {sessions: \"1 + 2\", converged: true}\n"
    "  - name: lines\n    ios:\n      router: tor\n      lines: |\n"
    "        alias exec show " TOUCH "\n        do " TOUCH "\n"
    "        interface GigabitEthernet0/0\n         description $(" TOUCH ")\n"
    "  - name: \"started again, $(" TOUCH ")\"\n    fault: {restart: node1}\n"
    "    expect: {converged: true}\n"
    "  - name: commands\n    expect:\n      exec:\n";

/* Each at a router and at a node: it prints something, an error as a rule. */
static const char *const commands[] = {
    "; " TOUCH,
    "$(" TOUCH ")",
    "`" TOUCH "`",
    "/usr/bin/touch /run/test/owned",
    "do shell " TOUCH,
    "tclsh exec " TOUCH,
    "show " TOUCH,
    "show bgp | " TOUCH,
    "show bgp | redirect /run/test/owned",
    "show bgp > /run/test/owned",
    "show ip bgp",
    "show status",
};

static void write_scenario(void) {
    char text[8192];
    size_t size = (size_t)snprintf(text, sizeof text, "%s", head);
    for (size_t i = 0; i < 2 * sizeof commands / sizeof commands[0]; i++)
        size += (size_t)snprintf(text + size, sizeof text - size,
                                 "      - {node: %s, command: \"%s\", matches: \".\"}\n",
                                 i % 2 ? "node1" : "tor", commands[i / 2]);
    assert_true(size < sizeof text);
    fixture_text("hostile/scenario.yaml", text);
}

static const char manifests[] =
    "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata:\n  name: pool\n"
    "  annotations: {run: \"$(" TOUCH ")\"}\nspec:\n  cidr: 10.244.0.0/16\n  ipipMode: Never\n"
    "  vxlanMode: Never\n  nodeSelector: all()\n---\n"
    "apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: tor}\n"
    "spec: {peerIP: 10.0.1.1, asNumber: 65001}\n";

static const char router[] =
    "hostname tor\nbanner motd # $(" TOUCH ") #\nalias exec show " TOUCH "\n"
    "event manager applet own\n event none\n action 1 cli command \"" TOUCH "\"\n"
    "kron policy-list own\n cli " TOUCH "\n"
    "router bgp 65001\n bgp router-id 10.0.1.1\n"
    " neighbor 10.0.1.10 remote-as 64512\n neighbor 10.0.1.10 advertisement-interval 0\n"
    " neighbor 10.0.1.10 description `" TOUCH "`\n"
    " neighbor 10.0.1.11 remote-as 64512\n neighbor 10.0.1.11 advertisement-interval 0\n"
    " neighbor 10.0.1.11 description $(" TOUCH ")\n"
    " neighbor 10.0.1.10 route-map $(touch/run/test/owned) in\n"
    "route-map $(touch/run/test/owned) permit 10\n";

/* Three speakers, and the one that is started again. */
static void test_a_run_executes_its_speakers(void **state) {
    struct trace *t = *state;
    const char *path = fixture_path("hostile");
    int status = traced(t, WORDS("run", path, "--runs", fixture_path("runs"), "--allow-noise"), 4);
    json_t *result = only_result("runs");
    if (status != 0)
        fail_msg("%d: %s", status, text_in(result, "error"));
    json_decref(result);
    assert_true(await_no_namespaces());
}

static void planned(struct trace *t, const char *const *words) {
    trace_run(t, words);
    if (t->run.status != 0)
        fail_msg("%d: %s", t->run.status, written(t->run.err));
    assert_programs(t, 0, NULL);
    run_close(&t->run);
}

static void test_others_execute_nothing(void **state) {
    struct trace *t = *state;
    const char *path = fixture_path("hostile");
    assert_int_equal(traced(t, WORDS("validate", path), 0), 3); /* lines that IOS would take */
    const char *pool = fixture_path("hostile/pool.yaml"), *ios = fixture_path("hostile/tor.ios");
    static const char *const forms[] = {"table", "wide", "json", "yaml", "dot", "bird"};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        planned(t, WORDS("plan", pool, "-o", forms[i]));
    planned(t, WORDS("plan", pool, "--cisco", ios));
    planned(t, WORDS("plan", "--diff", pool, pool));
}

/* ---- scenarios that are refused ---- */

static void test_refused_execute_nothing(void **state) {
    static const char *const lines[] = {
        "run: " TOUCH "\n",
        "hooks: {before: " TOUCH "}\n",
        "backend: /usr/bin/touch\n",
        "speaker: /usr/bin/touch\n",
        "steps: [{shell: " TOUCH "}]\n",
        "steps: [{exec: {node: kube-1, command: " TOUCH "}}]\n",
        "steps: [{expect: {exec: {command: " TOUCH ", contains: a}}}]\n",
        "steps: !!python/object/apply:os.system [\"" TOUCH "\"]\n",
        "steps: !ruby/object:Gem::Installer {i: \"" TOUCH "\"}\n",
        "topology: \"|" TOUCH "\"\n",
        "topology: \"$(" TOUCH ")\"\n",
        "manifests: [\"`" TOUCH "`\", \"|" TOUCH "\"]\n",
        "topology: {name: a, nodes: [{count: 1, name: \"$(" TOUCH ")\"}]}\n",
        "topology: {name: a, nodes: [{count: 1, name: \"a;" TOUCH "\"}]}\n",
    };
    struct trace *t = *state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        fixture_scenario("refused", "  - expect: {sessions: mesh}\n");
        char text[1024] = "name: refused\n";
        strncat(text, lines[i], sizeof text - strlen(text) - 1);
        fixture_text("refused/scenario.yaml", text);
        const char *path = fixture_path("refused");
        assert_int_equal(traced(t, WORDS("validate", path), 0), 2);
        assert_int_equal(traced(t, WORDS("run", path, "--runs", fixture_path("runs")), 0), 2);
    }
}

/* ---- what the user says ---- */

static void test_the_verb_exec_executes(void **state) {
    struct trace *t = *state;
    fixture_scenario("mesh", "  - expect: {sessions: mesh}\n");
    struct run up = run_words(WORDS("up", fixture_path("mesh"), "--runs", fixture_path("runs")));
    assert_int_equal(up.status, 0);
    run_close(&up);
    t->lab_stays = true;
    trace_run(t, WORDS("exec", "kube-1", "/usr/bin/env", "true"));
    assert_int_equal(t->run.status, 0);
    assert_int_equal(t->count, 3);
    assert_non_null(strstr(t->programs[1], "/env"));
    assert_non_null(strstr(t->programs[2], "/true"));
    run_close(&t->run);
    t->lab_stays = false;
    struct run down = run_words(WORDS("down"));
    assert_int_equal(down.status, 0);
    run_close(&down);
}

static int leave_no_lab(void **state) {
    (void)state;
    struct run r = run_words(WORDS("down", "--all"));
    run_close(&r);
    return 0;
}

static int setup(void **state) {
    if (world_enter(state) != 0 || mkdir(fixture_path("hostile"), 0755) != 0)
        return -1;
    write_scenario();
    fixture_text("hostile/pool.yaml", manifests);
    fixture_text("hostile/tor.ios", router);
    *state = calloc(1, sizeof(struct trace));
    return *state ? 0 : -1;
}

static int finish(void **state) {
    free(*state);
    return world_leave(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_run_executes_its_speakers),
        cmocka_unit_test(test_others_execute_nothing),
        cmocka_unit_test(test_refused_execute_nothing),
        cmocka_unit_test_teardown(test_the_verb_exec_executes, leave_no_lab),
    };
    return cmocka_run_group_tests(tests, setup, finish);
}
