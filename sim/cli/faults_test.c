/*
 * What goes wrong around a run: speakers that die, hang or freeze, no room, no rights, no
 * descriptors, company.
 *
 * The real program runs real labs. Where a speaker has to misbehave, this test program itself is
 * the speaker, told by $FAULTS_SPEAKER what to do at slot 3; at the others it executes the real
 * one.
 */

#include "cli_fixture.h"

#include <net/if.h>

/* ---- the double ---- */

static int speaker_double(int argc, char **argv) {
    const char *how = getenv("FAULTS_SPEAKER"), *slot = "";
    const char *real = getenv("FAULTS_REAL_SPEAKER");

    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], "--slot") == 0)
            slot = argv[i + 1];
    bool all = how && strncmp(how, "all-", 4) == 0;
    if (!how || (!all && strcmp(slot, "2") != 0)) {
        execv(real, argv);
        return 126;
    }
    how += all ? 4 : 0;
    if (strcmp(how, "mute") == 0)
        for (;;)
            pause();
    if (strcmp(how, "noisy") == 0)
        (void)!write(2, "\033[31mowned\xff\n", 12);
    if (strcmp(how, "crash") == 0) {
        (void)signal(SIGSEGV, SIG_DFL);
        (void)raise(SIGSEGV);
    }
    return 1;
}

static const char *real_speaker(void) {
    const char *chosen = getenv("FAULTS_REAL_SPEAKER");

    return chosen ? chosen : program_path("ribcage-speaker");
}

static void use_double(const char *how) {
    char self[512] = "";

    assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    setenv("RIBCAGE_SPEAKER", self, 1);
    setenv("FAULTS_SPEAKER", how, 1);
}

static void use_real(void) {
    setenv("RIBCAGE_SPEAKER", real_speaker(), 1);
    unsetenv("FAULTS_SPEAKER");
}

/* ---- set-up ---- */

static const char scenario_up[] = "  - name: up\n    expect: {sessions: mesh, converged: true}\n";
/* Goes on until end_long has made the route, and ends with a check that fails. */
static const char scenario_long[] = "  - name: up\n    expect: {sessions: mesh, converged: true}\n"
                                    "  - name: forever\n    deadline: 1h\n"
                                    "    expect: {fib: {prefix: 203.0.113.0/24, at: kube-1}}\n"
                                    "  - name: end\n    deadline: 200ms\n"
                                    "    expect: {log: {node: kube-1, contains: never-said}}\n";
static const char scenario_held[] = "  - name: up\n    expect: {sessions: mesh, converged: true}\n"
                                    "  - hold: {for: 1h}\n";

static int setup(void **state) {
    const char *given = getenv("RIBCAGE_SPEAKER");

    if (given && *given)
        setenv("FAULTS_REAL_SPEAKER", given, 1);
    else
        setenv("FAULTS_REAL_SPEAKER", program_path("ribcage-speaker"), 1);
    if (world_enter(state) != 0)
        return -1;
    fixture_scenario("mesh", scenario_up);
    fixture_scenario("short", "  - name: up\n    deadline: 1s\n    expect: {sessions: mesh}\n");
    fixture_scenario("long", scenario_long);
    fixture_scenario("held", scenario_held);
    return 0;
}

static int fresh(void **state) {
    (void)state;
    fixture_remove(fixture_path("runs"));
    use_real();
    return 0;
}

static struct run run_scenario(const char *name) {
    return run_words(
        WORDS("run", fixture_path(name), "--runs", fixture_path("runs"), "--allow-noise"));
}

static void expect_end(const char *scenario, int status, const char *verdict, const char *error) {
    struct run r = run_scenario(scenario);
    json_t *result = assert_result(&r, status, verdict);

    if (!strstr(text_in(result, "error"), error))
        fail_msg("no \"%s\" in \"%s\"", error, text_in(result, "error"));
    assert_says(r.out, error);
    json_decref(result);
    run_close(&r);
    assert_nothing_left();
}

/* ---- speakers ---- */

static void test_speaker_exits(void **state) {
    (void)state;
    use_double("exit");
    expect_end("mesh", 6, "crashed", "kube-3's speaker left with status 1");
}

static void test_all_speakers_exit(void **state) {
    (void)state;
    use_double("all-exit");
    expect_end("mesh", 6, "crashed", "speaker left with status 1");
}

static void test_speaker_crashes(void **state) {
    (void)state;
    use_double("crash");
    expect_end("mesh", 6, "crashed", "kube-3's speaker was ended by signal 11");
}

static void test_speaker_missing(void **state) {
    (void)state;
    setenv("RIBCAGE_SPEAKER", "/no/such/speaker", 1);
    expect_end("mesh", 4, "host", "/no/such/speaker");
}

static void test_speaker_never_answers(void **state) {
    (void)state;
    use_double("mute");
    struct run r = run_scenario("short");
    json_t *result = assert_result(&r, 5, "not-converged");

    assert_non_null(strstr(text_in(result, "error"), "kube-3"));
    json_decref(result);
    run_close(&r);
    assert_nothing_left();
}

/* The standard ones and the four that the command line names. */
static bool has_only_its_own(pid_t pid) {
    char path[64];
    unsigned seen = 0, count = 0;

    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        long fd = strtol(e->d_name, NULL, 10);
        seen |= fd < 7 ? 1U << fd : 0;
        count++;
    }
    if (d)
        closedir(d);
    return count == 7 && seen == 0x7f;
}

static pid_t find_speaker(const char *slot);

/* The double opens nothing that it keeps, but needs a moment to begin. */
static void test_speaker_inherits_little(void **state) {
    (void)state;
    use_double("mute");
    struct run r = run_start(WORDS("run", fixture_path("mesh"), "--runs", fixture_path("runs")));
    bool clean = false;

    while (!clean && !await_exit(r.pidfd, 0)) {
        pid_t pid = find_speaker("2");
        clean = pid > 0 && has_only_its_own(pid);
    }
    assert_true(clean);
    (void)kill(r.pid, SIGINT); /* it would wait for the mute one until the deadline */
    run_end(&r);
    assert_int_equal(r.status, 130);
    run_close(&r);
    assert_nothing_left();
}

static void test_last_words_are_escaped(void **state) {
    (void)state;
    use_double("noisy");
    struct run r = run_scenario("mesh");
    json_t *result = assert_result(&r, 6, "crashed");
    const char *out = written(r.out);

    assert_non_null(strstr(out, "owned"));
    for (const char *p = out; *p; p++)
        assert_true((unsigned char)*p >= ' ' || *p == '\n');
    json_decref(result);
    run_close(&r);
}

/* ---- in mid-run ---- */

/* A process whose command line has "--slot", <slot>; of this world, for others are in other
 * user namespaces. */
static pid_t find_speaker(const char *slot) {
    DIR *d = opendir("/proc");
    pid_t found = 0;
    struct stat ours, theirs;

    assert_int_equal(stat("/proc/self/ns/user", &ours), 0);
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        char path[300], line[1024] = "";
        snprintf(path, sizeof path, "/proc/%.20s/cmdline", e->d_name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t size = fd < 0 ? 0 : read(fd, line, sizeof line - 1);
        if (fd >= 0)
            close(fd);
        snprintf(path, sizeof path, "/proc/%.20s/ns/user", e->d_name);
        char *at = size > 0 ? memmem(line, (size_t)size, "--slot", 7) : NULL;
        if (at && strcmp(at + 7, slot) == 0 && stat(path, &theirs) == 0 &&
            theirs.st_ino == ours.st_ino)
            found = (pid_t)strtol(e->d_name, NULL, 10);
    }
    if (d)
        closedir(d);
    return found;
}

static struct run start_scenario(const char *name) {
    struct run r = run_start(
        WORDS("run", fixture_path(name), "--runs", fixture_path("runs"), "--allow-noise"));

    assert_true(await_file_says(r.out, " up  ", r.pid));
    return r;
}

static void end_long(void) {
    struct run r = run_words(WORDS("exec", "kube-1", "ip", "route", "add", "blackhole",
                                   "203.0.113.0/24", "proto", "bird"));

    if (r.status != 0)
        fail_msg("exec: %d: %s %s", r.status, written(r.out), written(r.err));
    run_close(&r);
}

static void test_killed_in_mid_run(void **state) {
    (void)state;
    struct run r = start_scenario("long");
    pid_t pid = find_speaker("2");

    assert_true(pid > 0);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_true(await_file_says(r.out, "kube-3's speaker was ended by signal 9", r.pid));
    assert_true(find_speaker("0") > 0); /* the others go on */
    end_long();
    run_end(&r);
    json_t *result = assert_result(&r, 6, "crashed");
    /* Three nodes' sessions are up and wanted at the end. */
    json_t *sessions = json_object_get(result, "sessions");
    assert_int_equal(json_integer_value(json_object_get(sessions, "expected")), 3);
    assert_int_equal(json_integer_value(json_object_get(sessions, "speakers")), 3);
    json_decref(result);
    run_close(&r);
    assert_nothing_left();
}

/* The hold ends when it is broken, not an hour later. */
static void test_killed_while_held(void **state) {
    (void)state;
    struct run r = start_scenario("held");
    pid_t pid = find_speaker("2");

    assert_true(pid > 0);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_true(await_file_says(r.out, "held for 3600 s", r.pid));
    run_end(&r);
    assert_non_null(strstr(written(r.out), "FAIL  held for 3600 s"));
    json_decref(assert_result(&r, 6, "crashed"));
    run_close(&r);
    assert_nothing_left();
}

/* A frozen speaker holds its sessions until the hold time ends; the end must not wait for it. */
static void test_frozen_in_mid_run(void **state) {
    (void)state;
    struct run r = start_scenario("long");
    pid_t pid = find_speaker("2");

    assert_true(pid > 0);
    assert_int_equal(kill(pid, SIGSTOP), 0);
    end_long();
    run_end(&r);
    assert_int_equal(r.status, 1); /* the line that is never logged */
    run_close(&r);
    assert_nothing_left();
}

/* ---- reports that cannot be written ---- */

static void test_runs_is_no_directory(void **state) {
    (void)state;
    fixture_text("file", "");
    struct run r = run_words(WORDS("run", fixture_path("mesh"), "--runs", fixture_path("file")));

    assert_int_equal(r.status, 4);
    assert_says(r.err, "Not a directory");
    run_close(&r);
    assert_nothing_left();
}

static void test_runs_is_read_only(void **state) {
    (void)state;
    assert_int_equal(mkdir(fixture_path("runs"), 0755), 0);
    assert_int_equal(mount("tmpfs", fixture_path("runs"), "tmpfs", MS_RDONLY, NULL), 0);
    struct run r = run_scenario("mesh");

    assert_int_equal(umount(fixture_path("runs")), 0);
    assert_int_equal(r.status, 4);
    assert_says(r.err, "Read-only file system");
    run_close(&r);
    assert_nothing_left();
}

/* From a disk on which nothing fits to one with room: what stands under the final names is whole,
 * and the exit status says when it is not all. */
static void test_disk_full(void **state) {
    unsigned full = 0, enough = 0;

    (void)state;
    for (unsigned pages = 1; pages <= 16; pages++) {
        char options[64];
        snprintf(options, sizeof options, "size=%u", pages * 4096);
        (void)mkdir(fixture_path("runs"), 0755);
        assert_int_equal(mount("tmpfs", fixture_path("runs"), "tmpfs", 0, options), 0);
        struct run r = run_scenario("mesh");
        json_t *result = only_result("runs"); /* whole or not there */
        if (r.status == 4) {
            assert_says(r.err, "No space left on device");
            full++;
        } else {
            assert_int_equal(r.status, 0);
            assert_string_equal(text_in(result, "verdict"), "passed");
            enough++;
        }
        json_decref(result);
        run_close(&r);
        assert_int_equal(umount(fixture_path("runs")), 0);
    }
    assert_true(full > 0 && enough > 0);
    assert_nothing_left();
}

/* ---- limits and rights ---- */

static void limit_descriptors(void *argument) {
    struct rlimit limit = {*(rlim_t *)argument, *(rlim_t *)argument};

    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        _exit(124);
}

static void test_few_descriptors(void **state) {
    unsigned refused = 0, passed = 0;

    (void)state;
    for (rlim_t n = 10; n <= 256; n += n < 60 ? 2 : 49) {
        struct run_options o = {.prepare = limit_descriptors, .argument = &n};
        struct run r =
            run_start_with(&o, WORDS("run", fixture_path("mesh"), "--runs", fixture_path("runs")));
        run_end(&r);
        if (r.status != 0) {
            if (r.status != 4 && r.status != 2)
                fail_msg("%lu descriptors: %d: %s %s", (unsigned long)n, r.status, written(r.out),
                         written(r.err));
            if (!strstr(written(r.err), "oo many open files") &&
                !strstr(written(r.out), "oo many open files"))
                fail_msg("%lu descriptors: no word: %s %s", (unsigned long)n, written(r.out),
                         written(r.err));
            refused++;
        } else {
            passed++;
        }
        run_close(&r);
        fixture_remove(fixture_path("runs"));
        assert_true(await_no_children());
    }
    assert_true(refused > 0 && passed > 0);
    assert_nothing_left();
}

static void test_few_namespaces(void **state) {
    (void)state;
    assert_true(await_no_namespaces());
    for (unsigned n = 1; n < 7; n++) { /* ours, the supervisor's, the fabric's, four nodes' */
        char limit[8];
        snprintf(limit, sizeof limit, "%u", n);
        assert_true(set_namespaces_max(limit));
        struct run r = run_scenario("mesh");
        assert_true(set_namespaces_max("1000"));
        json_decref(assert_result(&r, 4, "host"));
        assert_says(r.out, "max_net_namespaces");
        run_close(&r);
        fixture_remove(fixture_path("runs"));
        assert_nothing_left();
    }
}

#define NOBODY 65534

static void become_nobody(void *argument) {
    (void)argument;
    setenv("XDG_RUNTIME_DIR", fixture_path("home"), 1);
    if (setresgid(NOBODY, NOBODY, NOBODY) != 0 || setresuid(NOBODY, NOBODY, NOBODY) != 0)
        _exit(124);
}

static bool can_become_nobody(void) {
    char map[64] = "";
    int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
    unsigned inside, outside, count = 0;

    (void)!read(fd, map, sizeof map - 1);
    close(fd);
    return sscanf(map, "%u %u %u", &inside, &outside, &count) == 3 && count > NOBODY;
}

static struct run run_as_nobody(void) {
    struct run_options o = {.prepare = become_nobody};

    (void)mkdir(fixture_path("home"), 0700);
    (void)mkdir(fixture_path("runs"), 0755);
    assert_int_equal(chown(fixture_path("home"), NOBODY, NOBODY), 0);
    assert_int_equal(chown(fixture_path("runs"), NOBODY, NOBODY), 0);
    struct run r =
        run_start_with(&o, WORDS("run", fixture_path("mesh"), "--runs", fixture_path("runs")));
    run_end(&r);
    return r;
}

static void test_unprivileged(void **state) {
    (void)state;
    if (!can_become_nobody()) {
        print_message("skipped: only root may become another user here\n");
        skip();
    }
    struct run r = run_as_nobody();
    json_decref(assert_result(&r, 0, "passed"));
    run_close(&r);
    assert_nothing_left();
}

static void test_no_user_namespaces(void **state) {
    (void)state;
    if (!can_become_nobody()) {
        print_message("skipped: only root may become another user here\n");
        skip();
    }
    assert_true(write_proc("/proc/sys/user/max_user_namespaces", "0"));
    struct run r = run_as_nobody();
    assert_true(write_proc("/proc/sys/user/max_user_namespaces", "1000"));
    json_t *result = assert_result(&r, 4, "host");
    assert_says(r.out, "user namespaces are switched off");
    assert_says(r.out, "user.max_user_namespaces");
    json_decref(result);
    run_close(&r);
    assert_nothing_left();
}

static void pretend_sudo(void *argument) {
    (void)argument;
    setenv("SUDO_UID", "1234", 1);
    setenv("SUDO_GID", "1235", 1);
}

static void assert_owner(const char *path, uid_t uid, gid_t gid) {
    struct stat s;
    assert_int_equal(lstat(path, &s), 0);
    assert_int_equal(s.st_uid, uid);
    assert_int_equal(s.st_gid, gid);
}

static void run_with_sudo(void) {
    struct run_options o = {.prepare = pretend_sudo};
    struct run r = run_start_with(
        &o, WORDS("run", "--mrt", fixture_path("mesh"), "--runs", fixture_path("runs")));
    run_end(&r);
    json_decref(assert_result(&r, 0, "passed"));
    run_close(&r);
}

static void test_reports_belong_to_the_user(void **state) {
    static const char *const files[] = {"", "/result.json", "/junit.xml", "/kube-1.mrt"};

    (void)state;
    if (!can_become_nobody()) {
        print_message("skipped: only root may give files away\n");
        skip();
    }
    fixture_remove(fixture_path("runs"));
    run_with_sudo();
    assert_owner(fixture_path("runs"), 1234, 1235);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[700];
        snprintf(path, sizeof path, "%s%s", only_run("runs"), files[i]);
        assert_owner(path, 1234, 1235);
    }
}

/* `--runs /etc`, or a link to it, is no way to own /etc. */
static void test_folders_keep_their_owner(void **state) {
    (void)state;
    if (!can_become_nobody()) {
        print_message("skipped: only root may give files away\n");
        skip();
    }
    fixture_remove(fixture_path("runs"));
    assert_int_equal(mkdir(fixture_path("elsewhere"), 0755), 0);
    assert_int_equal(symlink(fixture_path("elsewhere"), fixture_path("runs")), 0);
    run_with_sudo();
    assert_owner(fixture_path("elsewhere"), 0, 0);
    assert_owner(only_run("elsewhere"), 1234, 1235);
    assert_int_equal(unlink(fixture_path("runs")), 0);
    fixture_remove(fixture_path("elsewhere"));
}

/* What would be written is read again by its path: a part of one is nobody's. */
static void test_folder_too_deep(void **state) {
    char runs[500];
    (void)state;
    fixture_remove(fixture_path("runs"));
    assert_int_equal(mkdir(fixture_path("runs"), 0755), 0);
    int size = snprintf(runs, sizeof runs, "%s", fixture_path("runs"));
    for (int i = 0; i < 150; i++) /* the same folder, in many words */
        size += snprintf(runs + size, sizeof runs - (size_t)size, "/.");
    struct run r = run_words(WORDS("run", fixture_path("mesh"), "--runs", runs));
    assert_int_equal(r.status, 4);
    assert_says(r.err, "too long");
    run_close(&r);
    r = run_words(WORDS("scale", fixture_path("mesh"), "--set", "nodes=2,", "--runs", runs));
    assert_int_equal(r.status, 2);
    assert_says(r.err, "too long");
    run_close(&r);
    assert_int_equal(rmdir(fixture_path("runs")), 0); /* nothing was made in it */
}

/* ---- company ---- */

static void run_together(size_t count) {
    struct run runs[8];
    char names[8][32];

    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], "runs%zu", i);
        fixture_remove(fixture_path(names[i]));
        runs[i] = run_start(WORDS("run", fixture_path("mesh"), "--runs", fixture_path(names[i])));
    }
    for (size_t i = 0; i < count; i++) {
        run_end(&runs[i]);
        json_t *result = only_result(names[i]);
        assert_int_equal(runs[i].status, 0);
        assert_string_equal(text_in(result, "verdict"), "passed");
        assert_int_equal(json_array_size(json_object_get(result, "checks")), 2);
        json_decref(result);
        run_close(&runs[i]);
        fixture_remove(fixture_path(names[i]));
    }
    assert_nothing_left();
}

static void test_two_at_once(void **state) {
    (void)state;
    run_together(2);
}

static void test_eight_at_once(void **state) {
    (void)state;
    run_together(8);
}

/* ---- the host ---- */

/* What `ip`, `nft` and /proc/sys/net say of the namespace the command runs in. */
static void snapshot(const char *name) {
    static const char *const looks[][6] = {
        {"ip", "-o", "link"},
        {"ip", "-o", "addr"},
        {"ip", "-4", "route", "show", "table", "all"},
        {"ip", "-6", "route", "show", "table", "all"},
        {"ip", "rule"},
        {"ip", "-6", "rule"},
        {"ip", "neigh"},
        {"nft", "list", "ruleset"},
        {"grep", "-rs", "", "/proc/sys/net"},
    };
    int fd = open(fixture_path(name), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
    int status;

    assert_true(fd >= 0);
    for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
        char *argv[7] = {NULL};
        for (size_t k = 0; k < 6 && looks[i][k]; k++)
            argv[k] = (char *)(uintptr_t)looks[i][k];
        pid_t pid = fork();
        if (pid == 0) {
            (void)dup2(fd, 1);
            execvp(argv[0], argv);
            _exit(strcmp(argv[0], "nft") == 0 ? 0 : 127); /* not everybody has nft */
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 127);
    }
    close(fd);
}

static char *whole_file(const char *name, size_t *ret_size) {
    int fd = open(fixture_path(name), O_RDONLY | O_CLOEXEC);
    struct stat s;

    assert_true(fd >= 0 && fstat(fd, &s) == 0);
    char *data = malloc((size_t)s.st_size + 1);
    assert_non_null(data);
    assert_int_equal(read(fd, data, (size_t)s.st_size), s.st_size);
    close(fd);
    data[s.st_size] = '\0';
    *ret_size = (size_t)s.st_size;
    return data;
}

static void test_host_untouched(void **state) {
    size_t before_size, after_size;

    (void)state;
    snapshot("before");
    struct run r = run_scenario("mesh");
    assert_int_equal(r.status, 0);
    run_close(&r);
    use_double("crash");
    fixture_remove(fixture_path("runs"));
    r = run_scenario("mesh");
    assert_int_equal(r.status, 6);
    run_close(&r);
    snapshot("after");
    char *before = whole_file("before", &before_size), *after = whole_file("after", &after_size);
    assert_true(before_size > 1000);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

#define TEST(f) cmocka_unit_test_setup(f, fresh)

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        TEST(test_speaker_exits),
        TEST(test_all_speakers_exit),
        TEST(test_speaker_crashes),
        TEST(test_speaker_missing),
        TEST(test_speaker_never_answers),
        TEST(test_last_words_are_escaped),
        TEST(test_killed_in_mid_run),
        TEST(test_killed_while_held),
        TEST(test_frozen_in_mid_run),
        TEST(test_runs_is_no_directory),
        TEST(test_runs_is_read_only),
        TEST(test_disk_full),
        TEST(test_few_descriptors),
        TEST(test_unprivileged),
        TEST(test_no_user_namespaces),
        TEST(test_two_at_once),
        TEST(test_eight_at_once),
        TEST(test_host_untouched),
        TEST(test_few_namespaces),
        TEST(test_reports_belong_to_the_user),
        TEST(test_folders_keep_their_owner),
        TEST(test_folder_too_deep),
        TEST(test_speaker_inherits_little),
    };

    if (argc > 1)
        return speaker_double(argc, argv);
    return cmocka_run_group_tests(tests, setup, world_leave);
}
