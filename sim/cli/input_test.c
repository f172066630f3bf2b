/*
 * Input that means harm or nonsense: what is refused, how, and at what cost.
 *
 * The real program reads each; it must end with status 2 (bad input) and a word, within seconds and
 * a bounded memory, having opened nothing it should not and shown no control character.
 */

#include "cli_fixture.h"

#define MEMORY_MAX (UINT64_C(3) << 30)

static int setup(void **state) {
    if (world_enter(state) != 0)
        return -1;
    fixture_scenario("mesh", "  - name: up\n    expect: {sessions: mesh}\n");
    return 0;
}

static void bound(void *argument) {
    struct rlimit memory = {MEMORY_MAX, MEMORY_MAX}, cpu = {30, 30}, core = {0, 0};

    (void)argument;
#ifndef __SANITIZE_ADDRESS__ /* its shadow needs the room */
    if (setrlimit(RLIMIT_AS, &memory) != 0)
        _exit(124);
#endif
    (void)memory;
    if (setrlimit(RLIMIT_CPU, &cpu) != 0 || setrlimit(RLIMIT_CORE, &core) != 0)
        _exit(124);
}

static void assert_harmless(const char *text) {
    for (const char *p = text; *p; p++)
        if (((unsigned char)*p < ' ' && *p != '\n') || *p == 0x7f)
            fail_msg("control character %#x in: %s", *p, text);
}

static struct run run_bound(const char *const *words) {
    struct run_options o = {.prepare = bound};
    struct run r = run_start_with(&o, words);

    run_end(&r);
    return r;
}

/* Refused with status 2 and `word`; never a crash, never silence. */
static void refused(const char *const *words, const char *word) {
    struct run r = run_bound(words);

    if (r.status != 2)
        fail_msg("%s %s: %d: %s %s", words[0], words[1], r.status, written(r.out), written(r.err));
    assert_says(r.err, word);
    assert_harmless(written(r.err));
    assert_harmless(written(r.out));
    run_close(&r);
}

/* ---- YAML ---- */

struct bad_text {
    const char *name, *text, *word;
    size_t size; /* 0: strlen */
};

#define ONE_STEP "steps: [{expect: {sessions: mesh}}]\n"
#define NUL_TEXT "name: a\0b\n" ONE_STEP

static const struct bad_text scenarios[] = {
    {"empty", "", "scenario.yaml", 0},
    {"garbage", "\x01\x02\x03", "scenario.yaml", 0},
    {"nul", NUL_TEXT, "scenario.yaml", sizeof NUL_TEXT - 1},
    {"not UTF-8", "name: \xff\xfe\xfd\n", "scenario.yaml", 0},
    {"a list", "- 1\n- 2\n", "scenario.yaml:1", 0},
    {"duplicate key", "name: a\nname: b\ntopology: topology.yaml\n" ONE_STEP, "name", 0},
    {"unknown key", "nam: a\ntopology: topology.yaml\n" ONE_STEP, "did you mean", 0},
    {"tab", "name: a\n\ttopology: b\n", "scenario.yaml:2", 0},
    {"unclosed", "steps: [{expect: {", "scenario.yaml", 0},
    {"anchor bomb",
     "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
     "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
     "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"
     "g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nh: &h [*g,*g,*g,*g,*g,*g,*g,*g,*g]\n",
     "scenario.yaml", 0},
    {"cyclic anchor", "a: &a [*a]\n", "scenario.yaml:1", 0},
    {"huge number",
     "name: a\nparameters: {nodes: 99999999999999999999}\ntopology: topology.yaml\n" ONE_STEP,
     "99999999999999999999", 0},
    {"negative", "name: a\nparameters: {nodes: -1}\ntopology: topology.yaml\n" ONE_STEP, "-1", 0},
    {"too many nodes",
     "name: a\nparameters: {nodes: 4294967295}\ntopology: topology.yaml\n" ONE_STEP, "4294967295",
     0},
    {"endless deadline",
     "name: a\nparameters: {nodes: 2}\ntopology: topology.yaml\ndeadline: "
     "99999999999999h\n" ONE_STEP,
     "deadline", 0},
    {"control characters",
     "name: \"\\e[31mred\\a\"\n\"\\e[2Jkey\": 1\ntopology: topology.yaml\n" ONE_STEP, "x1b", 0},
    {"unknown anchor", "name: *nobody\n", "scenario.yaml:1", 0},
};

static void test_scenarios(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        const struct bad_text *b = &scenarios[i];
        print_message("  %s\n", b->name);
        fixture_write("mesh/scenario.yaml", b->text, b->size ? b->size : strlen(b->text));
        fixture_remove(fixture_path("runs"));
        refused(WORDS("validate", fixture_path("mesh")), b->word);
        refused(WORDS("run", fixture_path("mesh"), "--runs", fixture_path("runs")), b->word);
    }
}

static const struct bad_text manifests[] = {
    {"nul", NUL_TEXT, "pool.yaml", sizeof NUL_TEXT - 1},
    {"nonsense", "{{{{", "pool.yaml", 0},
    {"AS number",
     "apiVersion: projectcalico.org/v3\nkind: BGPConfiguration\nmetadata:\n"
     "  name: default\nspec: {asNumber: 99999999999999999999}\n",
     "asNumber", 0},
    {"duplicate", "apiVersion: projectcalico.org/v3\nkind: IPPool\nkind: IPPool\n", "kind", 0},
    {"control characters",
     "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata:\n"
     "  name: \"\\e[31mred\\a\\x07\"\nspec: {cidr: \"\\e]0;x\\a\"}\n",
     "pool.yaml", 0},
};

static void test_manifests(void **state) {
    (void)state;
    fixture_scenario("mesh", "  - name: up\n    expect: {sessions: mesh}\n");
    for (size_t i = 0; i < sizeof manifests / sizeof manifests[0]; i++) {
        const struct bad_text *b = &manifests[i];
        print_message("  %s\n", b->name);
        fixture_write("mesh/pool.yaml", b->text, b->size ? b->size : strlen(b->text));
        fixture_remove(fixture_path("runs"));
        refused(WORDS("plan", fixture_path("mesh/pool.yaml")), b->word);
        refused(WORDS("validate", fixture_path("mesh/pool.yaml")), b->word);
        refused(WORDS("run", fixture_path("mesh"), "--runs", fixture_path("runs")), b->word);
    }
}

/* ---- size ---- */

static void write_repeated(const char *name, const char *head, char c, size_t count) {
    size_t size = strlen(head) + count;
    char *data = malloc(size);

    assert_non_null(data);
    memcpy(data, head, strlen(head));
    memset(data + strlen(head), c, count);
    fixture_write(name, data, size);
    free(data);
}

static void test_deep(void **state) {
    (void)state;
    fixture_scenario("mesh", "  - name: up\n    expect: {sessions: mesh}\n");
    write_repeated("mesh/scenario.yaml", "name: ", '[', 1000000);
    refused(WORDS("validate", fixture_path("mesh")), "deep");
    write_repeated("mesh/pool.yaml", "a: ", '[', 1000000);
    refused(WORDS("validate", fixture_path("mesh/pool.yaml")), "deep");
}

static void test_large(void **state) {
    (void)state;
    write_repeated("mesh/scenario.yaml", "name: a\n#", 'x', (64U << 20));
    refused(WORDS("validate", fixture_path("mesh")), "larger than 64 MiB");
    /* One that is just within the limit is read, and refused for what it says. */
    write_repeated("mesh/scenario.yaml", "nam: a\n#", 'x', (63U << 20));
    refused(WORDS("validate", fixture_path("mesh")), "did you mean");
}

static void test_sparse(void **state) {
    (void)state;
    fixture_text("mesh/scenario.yaml", "name: a\n");
    assert_int_equal(truncate(fixture_path("mesh/scenario.yaml"), INT64_C(10) << 30), 0);
    refused(WORDS("validate", fixture_path("mesh")), "larger than 64 MiB");
    refused(WORDS("run", fixture_path("mesh"), "--runs", fixture_path("runs")),
            "larger than 64 MiB");
    fixture_remove(fixture_path("mesh/scenario.yaml"));
}

/* ---- paths ---- */

static void refused_topology(const char *path, const char *word) {
    char text[512];

    snprintf(text, sizeof text,
             "name: a\nparameters: {nodes: 2}\ntopology: %s\nmanifests: pool.yaml\n" ONE_STEP,
             path);
    fixture_text("mesh/scenario.yaml", text);
    refused(WORDS("validate", fixture_path("mesh")), word);
    snprintf(text, sizeof text,
             "name: a\nparameters: {nodes: 2}\ntopology: topology.yaml\nmanifests: [%s]\n" ONE_STEP,
             path);
    fixture_text("mesh/scenario.yaml", text);
    refused(WORDS("validate", fixture_path("mesh")), word);
}

/* Each is named by a scenario as its topology and as a manifest. */
static void test_paths(void **state) {
    (void)state;
    fixture_scenario("mesh", "  - name: up\n    expect: {sessions: mesh}\n");
    fixture_text("outside.yaml", "secret: 42\n");
    assert_int_equal(mkfifo(fixture_path("mesh/fifo"), 0644), 0);
    assert_int_equal(symlink("../outside.yaml", fixture_path("mesh/out.yaml")), 0);
    assert_int_equal(symlink("/etc/passwd", fixture_path("mesh/passwd.yaml")), 0);
    assert_int_equal(symlink("loop.yaml", fixture_path("mesh/loop.yaml")), 0);
    assert_int_equal(symlink("/proc/self/fd/0", fixture_path("mesh/magic.yaml")), 0);
    assert_int_equal(symlink("..", fixture_path("mesh/up")), 0);
    fixture_text("mesh/sparse.yaml", "a: 1\n");
    assert_int_equal(truncate(fixture_path("mesh/sparse.yaml"), INT64_C(10) << 30), 0);
    static const char *const outside[] = {
        "../../etc/shadow",
        "../../../../../../../../etc/shadow",
        "/etc/passwd",
        "/proc/self/mem",
        "/proc/self/environ",
        "/dev/zero",
        "/dev/stdin",
        "../outside.yaml",
        "out.yaml",
        "passwd.yaml",
        "up/outside.yaml",
        "magic.yaml",
        "./.././outside.yaml",
    };
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++)
        refused_topology(outside[i], "cannot read");
    refused_topology("fifo", "not a regular file");
    refused_topology("loop.yaml", "cannot read");
    refused_topology("sparse.yaml", "larger than 64 MiB");
    refused_topology("missing.yaml", "No such file");
    refused_topology("\"\\0\"", "scenario.yaml");
}

/* On the command line the user may name any file, but no file may hold the command up. */
static void test_arguments(void **state) {
    (void)state;
    refused(WORDS("run", "/no/such/scenario"), "/no/such/scenario");
    refused(WORDS("validate", "/dev/zero"), "not a regular file");
    refused(WORDS("validate", fixture_path("mesh/fifo")), "not a regular file");
    refused(WORDS("plan", fixture_path("mesh/fifo")), "not a regular file");
    refused(WORDS("validate", "/proc/self/mem"), "cannot read");
    refused(WORDS("run", "\033[31m"), "cannot read");
    refused(WORDS("plan", fixture_path("mesh/pool.yaml"), "--cisco", "/dev/zero"),
            "not a regular file");
    refused(WORDS("ru\033[31mn"), "unknown verb");
    refused(WORDS("run", "--nodse", "3"), "nodse");
    refused(WORDS("run", fixture_path("mesh"), "--repeat", "-1"), "repeat");
    refused(WORDS("run"), "which scenario");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scenarios), cmocka_unit_test(test_manifests),
        cmocka_unit_test(test_deep),      cmocka_unit_test(test_large),
        cmocka_unit_test(test_sparse),    cmocka_unit_test(test_paths),
        cmocka_unit_test(test_arguments),
    };
    return cmocka_run_group_tests(tests, setup, world_leave);
}
