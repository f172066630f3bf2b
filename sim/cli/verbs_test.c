/*
 * A lab that stays: up, status, wait, exec, rib, apply, down, gc, in order and out of it.
 */

#include "cli_fixture.h"

#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>

static int setup(void **state) {
    if (world_enter(state) != 0)
        return -1;
    fixture_scenario("mesh", "  - name: up\n    expect: {sessions: mesh, converged: true}\n");
    fixture_text("as.yaml", "apiVersion: projectcalico.org/v3\nkind: BGPConfiguration\n"
                            "metadata:\n  name: default\nspec:\n  asNumber: 64999\n"
                            "  nodeToNodeMeshEnabled: true\n");
    fixture_text("nobody.yaml", "apiVersion: projectcalico.org/v3\nkind: BGPPeer\n"
                                "metadata:\n  name: nobody\nspec:\n  peerIP: 10.0.99.99\n"
                                "  asNumber: 65001\n");
    fixture_text("bad.yaml", "apiVersion: projectcalico.org/v3\nkind: BGPConfiguration\n"
                             "metadata:\n  name: default\nspec:\n  asNumbr: 1\n");
    return 0;
}

static int down_all(void **state) {
    (void)state;
    struct run r = run_words(WORDS("down", "--all"));

    run_close(&r);
    r = run_words(WORDS("gc"));
    run_close(&r);
    fixture_remove(fixture_path("runs"));
    return 0;
}

static struct run start_up(void) {
    return run_start(WORDS("up", fixture_path("mesh"), "--runs", fixture_path("runs")));
}

static void up(void) {
    struct run r = start_up();

    run_end(&r);
    if (r.status != 0)
        fail_msg("up: %d: %s %s", r.status, written(r.out), written(r.err));
    run_close(&r);
}

/* One command: its exit status, and what it says on either stream (NULL: anything). */
static void says(const char *const *words, int status, const char *what) {
    struct run r = run_words(words);

    if (r.status != status)
        fail_msg("%s: %d, not %d: %s %s", words[0], r.status, status, written(r.out),
                 written(r.err));
    if (what && !strstr(written(r.out), what) && !strstr(written(r.err), what))
        fail_msg("%s: no \"%s\" in: %s %s", words[0], what, written(r.out), written(r.err));
    run_close(&r);
}

/* ---- the manual ---- */

/* sim/ribcage.1 with its hyphens plain. */
static void read_manual(char *out, size_t size) {
    FILE *f = fopen("sim/ribcage.1", "r");
    size_t n = 0;
    assert_non_null(f);
    for (int c; (c = fgetc(f)) != EOF && n + 1 < size;)
        if (c != '\\')
            out[n++] = (char)c;
    out[n] = '\0';
    assert_true(feof(f));
    fclose(f);
}

/* Is `name` there as a word of its own, behind `before`? */
static bool has_entry(const char *manual, const char *before, const char *name) {
    char wanted[128];
    snprintf(wanted, sizeof wanted, "%s%s", before, name);
    for (const char *at = manual; (at = strstr(at, wanted)) != NULL; at++) {
        char next = at[strlen(wanted)];
        if (next != '-' && !(next >= 'a' && next <= 'z'))
            return true;
    }
    return false;
}

static void check_options(const char *manual, const char *verb) {
    struct run r = run_words(WORDS("help", verb));
    char help[16384], name[64];
    assert_int_equal(r.status, 0);
    snprintf(help, sizeof help, "%s", written(r.out));
    for (char *rest = help, *line; (line = strsep(&rest, "\n")) != NULL;) {
        bool option = sscanf(line, "  --%60[a-z0-9-]", name) == 1 ||
                      sscanf(line, "  -%*c, --%60[a-z0-9-]", name) == 1;
        if (option && !has_entry(manual, "--", name))
            fail_msg("ribcage.1 has no --%s, an option of %s", name, verb);
    }
    run_close(&r);
}

/* Every verb and every option that the program knows is in the manual. */
static void test_manual(void **state) {
    static const char *const marks[] = {".B ", ".BI ", ".BR ", ".BI \"", ".BR \""};
    static char manual[32768], verbs[8192];
    char verb[64];
    size_t count = 0;
    (void)state;
    read_manual(manual, sizeof manual);
    struct run r = run_words(WORDS("help"));
    snprintf(verbs, sizeof verbs, "%s", written(r.out));
    run_close(&r);
    for (char *rest = verbs, *line; (line = strsep(&rest, "\n")) != NULL;) {
        bool found = false;
        if (sscanf(line, "  %60[a-z]", verb) != 1 || strncmp(line, "  ", 2) != 0)
            continue;
        for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
            found |= has_entry(manual, marks[i], verb);
        if (!found)
            fail_msg("ribcage.1 has no verb %s", verb);
        check_options(manual, verb);
        count++;
    }
    assert_true(count > 15);
}

static void test_cycle(void **state) {
    (void)state;
    says(WORDS("status"), 2, "no lab runs");
    up();
    says(WORDS("wait", "sessions"), 0, "sessions");
    says(WORDS("wait", "converged"), 0, "converged");
    says(WORDS("status"), 0, "kube-4");
    says(WORDS("status", "--node", "kube-2"), 0, "Established");
    says(WORDS("sessions"), 0, "6 sessions expected");
    says(WORDS("rib", "kube-1"), 0, "10.244.0.");
    says(WORDS("exec", "kube-1", "birdcl", "show", "protocols"), 0, "Established");
    says(WORDS("exec", "kube-1", "ip", "-4", "addr"), 0, "10.0.0.");
    says(WORDS("exec", "kube-9", "ip", "link"), 2, "no such node: kube-9 (did you mean");
    says(WORDS("exec", "kube-1", "/no/such/program"), 127, "/no/such/program");
    says(WORDS("logs", "kube-1"), 0, NULL);
    says(WORDS("logs", "kube-11"), 2, "no such node: kube-11 (did you mean \"kube-1\"?)");
    says(WORDS("rib", "kube-1", "--table", "tin"), 2, "table");
    says(WORDS("rib", "kube-1", "10.244.0.65"), 0,
         "kube-1 has no 10.244.0.65 there; ribcage rib kube-1 10.244.0.65 --why says more");
    says(WORDS("rib", "kube-1", "nonsense"), 2, "nonsense is no prefix like 10.244.0.0/26");
    says(WORDS("rib", "kube-1", "--table", "out", "--peer", "10.0.0.3"), 0, "10.244.0.0/26");
    says(WORDS("rib", "kube-1", "--table", "out", "--peer", "10.9.9.9"), 2, "no such peer");
    says(WORDS("apply", fixture_path("bad.yaml")), 2, "asNumber");
    says(WORDS("apply", fixture_path("as.yaml")), 0, "applied");
    says(WORDS("apply", fixture_path("nobody.yaml")), 0, "4 session ends do not come up");
    says(WORDS("wait", "converged"), 0, "converged");
    says(WORDS("status", "--lab", "../../etc"), 2, "no lab ../../etc runs");
    says(WORDS("down"), 0, "is down");
    says(WORDS("down"), 2, "no lab runs");
    assert_nothing_left();
}

static void test_two_labs(void **state) {
    (void)state;
    up();
    fixture_remove(fixture_path("runs"));
    up();
    says(WORDS("status"), 2, "several labs run");
    says(WORDS("status"), 2, "(up mesh), ");
    says(WORDS("list"), 0, "running  up       mesh");
    says(WORDS("gc"), 0, "0 dead, 2 running");
    says(WORDS("down", "--all"), 0, "is down");
    assert_nothing_left();
}

/* A run beside it does not make the lab that stays hard to name. */
static void test_up_beside_a_run(void **state) {
    (void)state;
    up();
    fixture_remove(fixture_path("runs"));
    fixture_scenario("held", "  - expect: {converged: true}\n  - hold: {for: 1h}\n");
    struct run r = run_start(WORDS("run", fixture_path("held"), "--runs", fixture_path("runs")));
    bool there = false;
    for (int asked = 0; !there && asked < 5000; asked++) {
        struct run l = run_words(WORDS("list"));
        there = strstr(written(l.out), "running  run      held") != NULL;
        run_close(&l);
    }
    assert_true(there);
    says(WORDS("status"), 0, "kube-1");
    says(WORDS("down"), 0, "is down");
    assert_int_equal(kill(r.pid, SIGINT), 0);
    run_end(&r);
    assert_int_equal(r.status, 130);
    run_close(&r);
    assert_nothing_left();
}

/* A wait that cannot end by itself, for a route stands in a kernel table that belongs to nobody;
 * returns when the lab has begun it, which a second one finds out by being refused. Where the
 * second came first, the first is refused and made again. */
static struct run start_wait(void) {
    struct run first, second;

    says(WORDS("wait", "converged"), 0, "converged");
    says(WORDS("exec", "kube-1", "ip", "route", "add", "blackhole", "10.244.99.0/24", "proto",
               "bird"),
         0, NULL);
    for (;;) {
        first = run_start(WORDS("wait", "converged", "--timeout", "3600"));
        do {
            second = run_words(WORDS("wait", "converged", "--timeout", "0"));
            run_close(&second);
        } while (second.status == 5 && !await_exit(first.pidfd, 0));
        if (!await_exit(first.pidfd, 0))
            return first;
        run_end(&first);
        assert_int_equal(first.status, 2);
        run_close(&first);
    }
}

static void test_down_while_waiting(void **state) {
    (void)state;
    up();
    struct run r = start_wait();

    says(WORDS("status"), 0, "kube-1");
    says(WORDS("down"), 0, "is down");
    assert_true(await_exit(r.pidfd, FIXTURE_DEADLINE_MS));
    run_end(&r);
    assert_int_equal(r.status, 5);
    assert_says(r.err, "taken down meanwhile");
    run_close(&r);
    assert_nothing_left();
}

static void test_waiter_goes_away(void **state) {
    (void)state;
    up();
    struct run r = start_wait(), second;

    assert_int_equal(kill(r.pid, SIGKILL), 0);
    run_end(&r);
    run_close(&r);
    do { /* the lab hears of it in its own time, which is not an hour */
        second = run_words(WORDS("wait", "converged", "--timeout", "0"));
        run_close(&second);
    } while (second.status == 2);
    assert_int_equal(second.status, 5);
    says(WORDS("down"), 0, "is down");
    assert_nothing_left();
}

static void test_up_killed(void **state) {
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct run r = start_up();
        struct pollfd p = {.fd = r.pidfd, .events = POLLIN};
        struct timespec t = {.tv_nsec = i * 2000000L};
        (void)ppoll(&p, 1, &t, NULL);
        (void)kill(r.pid, SIGKILL);
        run_end(&r);
        run_close(&r);
        /* Either it was up by then and obeys, or it goes by itself; gc removes a place that was
         * only just made. */
        says(WORDS("down", "--all"), 0, NULL);
        assert_true(await_no_children());
        says(WORDS("gc"), 0, "0 running");
        assert_nothing_left();
        fixture_remove(fixture_path("runs"));
    }
}

/* A lock is there before the socket is; who was killed in between lets go of it. `down` looks at
 * the lock to find the lab, and again when it has found no socket: then it waits. */
static void test_down_comes_early(void **state) {
    static const char lock[] = "/run/ribcage/20200101-000000-soon/lock";
    size_t looks = 0;
    (void)state;
    (void)mkdir("/run/ribcage", 0700);
    assert_int_equal(mkdir("/run/ribcage/20200101-000000-soon", 0700), 0);
    int fd = open(lock, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    assert_true(fd >= 0 && watch >= 0 && inotify_add_watch(watch, lock, IN_OPEN) >= 0);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    struct run r = run_start(WORDS("down", "20200101-000000-soon"));
    while (looks < 2) {
        struct inotify_event e[16];
        struct pollfd p[] = {{.fd = watch, .events = POLLIN}, {.fd = r.pidfd, .events = POLLIN}};
        assert_true(poll(p, 2, FIXTURE_DEADLINE_MS) > 0);
        assert_int_equal(p[1].revents, 0); /* it has not given up */
        ssize_t size = read(watch, e, sizeof e);
        looks += size > 0 ? (size_t)size / sizeof e[0] : 0;
    }
    close(watch);
    close(fd);
    run_end(&r);
    assert_int_equal(r.status, 0);
    assert_says(r.out, "is down");
    run_close(&r);
    assert_nothing_left();
}

static void test_supervisor_killed(void **state) {
    (void)state;
    char line[256] = "";
    up();
    /* It is our child now: the only one. */
    int fd = open("/proc/self/task/self/children", O_RDONLY);
    if (fd < 0) {
        snprintf(line, sizeof line, "/proc/self/task/%d/children", getpid());
        fd = open(line, O_RDONLY | O_CLOEXEC);
    }
    assert_true(fd >= 0 && read(fd, line, sizeof line - 1) > 0);
    close(fd);
    assert_int_equal(kill((pid_t)strtol(line, NULL, 10), SIGKILL), 0);
    assert_true(await_no_children());
    says(WORDS("status"), 2, "no lab runs");
    says(WORDS("list"), 0, "dead");
    says(WORDS("gc"), 0, "1 dead, 0 running");
    assert_nothing_left();
}

/* What a dead lab or a stranger left in the place where labs are. */
static void test_stale_places(void **state) {
    (void)state;
    up();
    assert_int_equal(mkdir("/run/ribcage/20200101-000000-dead", 0700), 0);
    fixture_text("canary", "alive");
    assert_int_equal(mkdir("/run/ribcage/20200101-000000-link", 0700), 0);
    assert_int_equal(symlink(fixture_path("canary"), "/run/ribcage/20200101-000000-link/lock"), 0);
    int canary = open(fixture_path("canary"), O_RDONLY | O_CLOEXEC);
    assert_int_equal(flock(canary, LOCK_EX | LOCK_NB), 0); /* no lab's, though a link leads to it */
    fixture_text("lock", "of nobody");
    assert_int_equal(symlink(fixture_root, "/run/ribcage/20200101-000000-away"), 0);
    says(WORDS("gc"), 0, "3 dead, 1 running");
    assert_int_equal(access(fixture_path("canary"), F_OK), 0);
    assert_int_equal(unlink(fixture_path("lock")), 0); /* it is there still */
    close(canary);
    (void)unlink("/run/ribcage/20200101-000000-away");
    says(WORDS("down"), 0, "is down");
    assert_nothing_left();
}

/* The next lab takes the places of dead ones away, and no other's. */
static void test_up_tidies(void **state) {
    (void)state;
    (void)mkdir("/run/ribcage", 0700);
    assert_int_equal(mkdir("/run/ribcage/20200101-000000-dead", 0700), 0);
    up();
    assert_int_equal(access("/run/ribcage/20200101-000000-dead", F_OK), -1);
    says(WORDS("run", fixture_path("mesh"), "--runs", fixture_path("runs")), 0, "");
    says(WORDS("gc"), 0, "0 dead, 1 running");
    says(WORDS("down"), 0, "is down");
    assert_nothing_left();
}

static bool open_to_all(const char *path) {
    return mkdir(path, 0777) == 0 && chmod(path, 0777) == 0;
}

static bool of_another_user(const char *path) {
    return mkdir(path, 0700) == 0 && chown(path, 65534, 65534) == 0;
}

/* The link is all there is to hold against it: the folder it leads to is ours. */
static bool a_link(const char *path) {
    return mkdir(fixture_path("ours"), 0700) == 0 && symlink(fixture_path("ours"), path) == 0;
}

static void test_place_of_somebody_else(void **state) {
    static bool (*const makers[])(const char *) = {open_to_all, of_another_user, a_link};
    (void)state;
    assert_true(rmdir("/run/ribcage") == 0 || errno == ENOENT);
    for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++) {
        if (!makers[i]("/run/ribcage"))
            fail_msg("place %zu: %s", i, strerror(errno));
        struct run r = start_up();
        run_end(&r);
        assert_int_equal(r.status, 4);
        assert_says(r.err, "Operation not permitted");
        run_close(&r);
        assert_int_equal(remove("/run/ribcage"), 0);
    }
    assert_int_equal(rmdir(fixture_path("ours")), 0); /* nothing was made in it */
}

static void assert_unseen(const char *const *words, int status) {
    struct run r = run_words(words);
    if (r.status != status || strstr(written(r.out), "planted"))
        fail_msg("%s: %d: %s %s", words[0], r.status, written(r.out), written(r.err));
    assert_null(strstr(written(r.err), "planted"));
    run_close(&r);
}

/* Labs that stand there are nobody's: not shown, not asked, not tidied away. */
static void test_labs_of_somebody_else(void **state) {
    static bool (*const makers[])(const char *) = {open_to_all, of_another_user, a_link};
    (void)state;
    assert_true(rmdir("/run/ribcage") == 0 || errno == ENOENT);
    for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++) {
        if (!makers[i]("/run/ribcage") || mkdir("/run/ribcage/planted", 0755) != 0)
            fail_msg("place %zu: %s", i, strerror(errno));
        int lock = open("/run/ribcage/planted/lock", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        assert_true(lock >= 0);
        assert_unseen(WORDS("list"), 0);
        assert_unseen(WORDS("gc"), 0);
        assert_int_equal(flock(lock, LOCK_EX), 0); /* one that seems to run */
        assert_unseen(WORDS("list"), 0);
        assert_unseen(WORDS("down"), 2);
        assert_unseen(WORDS("status"), 2);
        close(lock);
        assert_int_equal(unlink("/run/ribcage/planted/lock"), 0);
        assert_int_equal(rmdir("/run/ribcage/planted"), 0);
        assert_int_equal(remove("/run/ribcage"), 0);
    }
    assert_int_equal(rmdir(fixture_path("ours")), 0);
}

/* A pipe behind `up` must end with `up`, though the lab goes on. */
static void test_up_lets_go_of_output(void **state) {
    (void)state;
    int pipes[2];
    char data[4096];
    ssize_t size;

    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    struct run r =
        run_start_with(&(struct run_options){.out = pipes[1]},
                       WORDS("up", fixture_path("mesh"), "--runs", fixture_path("runs")));
    close(pipes[1]);
    run_end(&r);
    assert_int_equal(r.status, 0);
    struct pollfd p = {.fd = pipes[0], .events = POLLIN};
    do {
        assert_int_equal(poll(&p, 1, FIXTURE_DEADLINE_MS), 1);
        size = read(pipes[0], data, sizeof data);
    } while (size > 0);
    assert_int_equal(size, 0);
    close(pipes[0]);
    run_close(&r);
    says(WORDS("down"), 0, "is down");
    assert_nothing_left();
}

/* ---- what reaches the socket ---- */

/* What a stranger gets from a lab: 0 no answer, 1 an answer, 2 no connection. */
static int ask_as_stranger(void) {
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        char answer[64];
        struct sockaddr_un a = lab_address();
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0)
            _exit(3);
        if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
            _exit(2);
        (void)!send(fd, "{\"op\":\"down\"}\n", 14, MSG_NOSIGNAL);
        _exit(recv(fd, answer, sizeof answer, 0) > 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

static void test_strangers(void **state) {
    (void)state;
    up();
    struct sockaddr_un a = lab_address();
    int got = ask_as_stranger();
    if (got == 3) {
        print_message("skipped: only root may become another user here\n");
        skip();
    }
    assert_int_equal(got, 2);
    /* With every door open the lab itself looks who asks. */
    assert_int_equal(chmod(a.sun_path, 0777), 0);
    *strrchr(a.sun_path, '/') = '\0';
    assert_int_equal(chmod(a.sun_path, 0777), 0);
    assert_int_equal(chmod("/run/ribcage", 0755), 0);
    assert_int_equal(ask_as_stranger(), 0);
    says(WORDS("wait", "converged"), 0, "converged");
    says(WORDS("down"), 0, "is down");
    assert_nothing_left();
}

static void test_scenario_gone(void **state) {
    (void)state;
    up();
    fixture_remove(fixture_path("mesh"));
    says(WORDS("status"), 0, "kube-1");
    says(WORDS("down"), 0, "is down");
    assert_nothing_left();
    fixture_scenario("mesh", "  - name: up\n    expect: {sessions: mesh, converged: true}\n");
}

static void test_hostile_requests(void **state) {
    static const char *const lines[] = {
        "\n",
        "{}\n",
        "[]\n",
        "null\n",
        "{\"op\":1}\n",
        "{\"op\":\"nothing\"}\n",
        "{\"op\":\"rm\",\"op\":\"down\"}\n",
        "{\"op\":\"speaker\",\"node\":\"kube-1\"}\n",
        "{\"op\":\"speaker\",\"node\":\"kube-1\",\"request\":7}\n",
        "{\"op\":\"why\",\"node\":\"kube-1\",\"prefix\":\"x\"}\n",
        "{\"op\":\"apply\"}\n",
        "{\"op\":\"wait\",\"for\":\"ever\"}\n",
        "{\"op\":\"logs\",\"node\":\"\xff\"}\n",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n",
    };
    char answer[4096];

    (void)state;
    up();
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        int fd = connect_lab();
        size_t size = strlen(lines[i]);
        assert_int_equal(send(fd, lines[i], size, MSG_NOSIGNAL), size);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&p, 1, FIXTURE_DEADLINE_MS), 1);
        ssize_t got = recv(fd, answer, sizeof answer - 1, 0);
        answer[got > 0 ? got : 0] = '\0';
        if (!strstr(answer, "\"ok\":false"))
            fail_msg("%s: %s", lines[i], answer);
        close(fd);
    }
    says(WORDS("wait", "converged"), 0, "converged");
    says(WORDS("down"), 0, "is down");
    assert_nothing_left();
}

#define TEST(f) cmocka_unit_test_teardown(f, down_all)

/* A pool becomes VXLAN while the lab runs, and one of Felix's routes is lost. */
static void test_felix_routes(void **state) {
    static const char pool[] = "apiVersion: projectcalico.org/v3\nkind: IPPool\n"
                               "metadata:\n  name: pool\nspec:\n  cidr: 10.244.0.0/16\n"
                               "  ipipMode: Never\n  vxlanMode: Always\n";
    (void)state;
    fixture_text("vxlan.yaml", pool);
    up();
    says(WORDS("wait", "converged"), 0, "converged");
    says(WORDS("apply", fixture_path("vxlan.yaml")), 0, "applied");
    says(WORDS("wait", "converged"), 0, "converged");
    says(WORDS("exec", "kube-1", "ip", "route"), 0,
         "10.244.0.64/26 via 10.244.0.64 dev vxlan.calico proto 80 metric 1024 onlink");
    says(WORDS("exec", "kube-1", "ip", "route", "del", "10.244.0.64/26", "proto", "80"), 0, NULL);
    says(WORDS("wait", "converged", "--timeout", "1"), 5,
         "kube-1: kernel has not Felix's route to 10.244.0.64/26");
    says(WORDS("down"), 0, "is down");
    assert_nothing_left();
}

/* The end of the list is what there was before it: in one change nothing would happen. */
static void test_apply_one_by_one(void **state) {
#define MESH(on)                                                                                   \
    "- apiVersion: projectcalico.org/v3\n  kind: BGPConfiguration\n"                               \
    "  metadata: {name: default}\n  spec: {nodeToNodeMeshEnabled: " on "}\n"
    (void)state;
    fixture_text("list.yaml", "apiVersion: projectcalico.org/v3\nkind: BGPConfigurationList\n"
                              "items:\n" MESH("false") MESH("true"));
    up();
    says(WORDS("wait", "converged"), 0, "converged");
    says(WORDS("apply", fixture_path("list.yaml")), 0, "applied");
    says(WORDS("wait", "converged"), 0, "converged");
    says(WORDS("logs", "kube-1"), 0, "Cease/Peer De-configured");
    says(WORDS("down"), 0, "is down");
    assert_nothing_left();
}

/* Of what is refused the rest is in force, and told by name. */
static void test_apply_in_part(void **state) {
#define TYPO "spec: {peerip: 10.0.0.9}\n---\n"
#define REFUSED "spec: {peerIP: nowhere, asNumber: 1}\n---\n"
#define PEER_THEN_OFF(spec)                                                                        \
    "apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: p}\n" spec                  \
    "apiVersion: projectcalico.org/v3\nkind: BGPConfiguration\n"                                   \
    "metadata: {name: default}\nspec: {nodeToNodeMeshEnabled: false}\n"
    (void)state;
    fixture_text("typo.yaml", PEER_THEN_OFF(TYPO));
    fixture_text("refused.yaml", PEER_THEN_OFF(REFUSED));
    up();
    says(WORDS("wait", "converged"), 0, "converged");
    says(WORDS("apply", fixture_path("typo.yaml")), 2,
         "typo.yaml:7: BGPConfiguration default: refused");
    says(WORDS("sessions"), 0, "6 sessions expected");
    says(WORDS("apply", fixture_path("refused.yaml")), 2,
         "refused.yaml:7: BGPConfiguration default: applied");
    says(WORDS("wait", "converged"), 0, "converged");
    says(WORDS("apply", fixture_path("typo.yaml"), "--tool", "kubectl"), 2,
         "typo.yaml:2: BGPPeer p: refused");
    says(WORDS("down"), 0, "is down");
    assert_nothing_left();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_manual),
        TEST(test_cycle),
        TEST(test_felix_routes),
        TEST(test_apply_one_by_one),
        TEST(test_apply_in_part),
        TEST(test_two_labs),
        TEST(test_up_beside_a_run),
        TEST(test_down_while_waiting),
        TEST(test_waiter_goes_away),
        TEST(test_up_killed),
        TEST(test_down_comes_early),
        TEST(test_supervisor_killed),
        TEST(test_stale_places),
        TEST(test_up_tidies),
        TEST(test_place_of_somebody_else),
        TEST(test_labs_of_somebody_else),
        TEST(test_up_lets_go_of_output),
        TEST(test_hostile_requests),
        TEST(test_strangers),
        TEST(test_scenario_gone),
    };
    return cmocka_run_group_tests(tests, setup, world_leave);
}
