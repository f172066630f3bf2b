/*
 * Nodes run by another program: BIRD 1.6.8 in two namespaces, through the driver's interface only.
 *
 * Skipped where the program is missing: .ci/peers fetches it.
 */
#include "lab_fixture.h"

#include "../../speaker/base/diag.h"

#include <signal.h>
#include <sys/stat.h>

static struct daemon_root root;

/* ---- configurations ---- */

static char *config_of(uint32_t host, bool more) {
    struct text c;
    text_init(&c);
    text_printf(&c,
                "router id 10.0.0.%u;\nprotocol device { scan time 2; }\n"
                "protocol kernel { learn; persist; scan time 2; import all; export all; }\n"
                "protocol static { route 10.24%u.0.0/26 blackhole; %s }\n"
                "protocol bgp Mesh_%u {\n  local as 64512;\n  neighbor 10.0.0.%u as 64512;\n"
                "  source address 10.0.0.%u;\n  multihop;\n  graceful restart on;\n"
                "  gateway recursive;\n  connect delay time 1;\n  connect retry time 1;\n"
                "  import all;\n  export where source = RTS_STATIC;\n}\n",
                host + 1, host, more ? "route 10.99.0.0/16 blackhole;" : "", 1 - host, 2 - host,
                host + 1);
    return text_take(&c);
}

static bool start(struct lab *lab, uint32_t host, struct diag_list *diags) {
    char *config = config_of(host, false);
    struct lab_daemon_spec spec = {.driver = &daemon_bird,
                                   .root = &root,
                                   .configs = {config, "router id 1.1.1.1; protocol device {}"}};
    bool ok = lab_daemon_start(lab, host, &spec, diags);
    alloc_free(config);
    return ok;
}

/* ---- asking ---- */

static json_t *ask(struct lab *lab, uint32_t host, const char *request) {
    const char *error = "";
    json_t *r = json_loads(request, 0, NULL);
    json_t *answer = lab_request(lab, host, r, FIXTURE_DEADLINE_MS, &error);
    json_decref(r);
    return answer;
}

static size_t count(struct lab *lab, uint32_t host, const char *request, const char *array) {
    json_t *answer = ask(lab, host, request);
    size_t n = json_array_size(json_object_get(answer, array));
    json_decref(answer);
    return n;
}

static bool wait_count(struct lab *lab, uint32_t host, const char *request, const char *array,
                       size_t want) {
    struct nanotime end = nanotime_add_ms(lab_now(), FIXTURE_DEADLINE_MS);
    while (count(lab, host, request, array) != want) {
        if (!nanotime_before(lab_now(), end))
            return false;
        (void)lab_wait(lab, nanotime_add_ms(lab_now(), 20), -1);
    }
    return true;
}

static bool says(struct lab *lab, uint32_t host, const char *request, const char *member,
                 const char *words) {
    json_t *answer = ask(lab, host, request);
    const char *text = json_string_value(json_object_get(answer, member));
    bool has = text && strstr(text, words);
    if (!has)
        fprintf(stderr, "%s: \"%s\" expected in \"%s\"\n", request, words, text ? text : "");
    json_decref(answer);
    return has;
}

static bool wait_ended(struct lab *lab, uint32_t host) {
    struct nanotime end = nanotime_add_ms(lab_now(), FIXTURE_DEADLINE_MS);
    while (lab_speaker_state(lab, host).kind == LAB_RUNNING && nanotime_before(lab_now(), end))
        (void)lab_wait(lab, end, -1);
    return lab_speaker_state(lab, host).kind != LAB_RUNNING;
}

static bool in_kernel(struct lab *lab, uint32_t host, const char *prefix) {
    struct nanotime end = nanotime_add_ms(lab_now(), FIXTURE_DEADLINE_MS);
    struct ip_prefix p;
    bool found = false;
    while (ip_prefix_parse(prefix, &p) && !found && nanotime_before(lab_now(), end)) {
        struct lab_route *list = NULL;
        ssize_t n = lab_routes(lab, host, &list);
        for (ssize_t i = 0; i < n; i++)
            found = found || (ip_prefix_equal(list[i].prefix, p) && list[i].protocol == 12);
        alloc_free(list);
        if (!found)
            (void)lab_wait(lab, nanotime_add_ms(lab_now(), 20), -1);
    }
    return found;
}

/* ---- tests ---- */

#define ESTABLISHED "{\"op\":\"established\"}"
#define LEARNED "{\"op\":\"rib\",\"table\":\"in\"}"

static int talk(struct lab *lab) {
    CHECK(wait_count(lab, 0, ESTABLISHED, "remote", 1));
    CHECK(wait_count(lab, 1, ESTABLISHED, "remote", 1));
    CHECK(wait_count(lab, 1, LEARNED, "routes", 1));
    CHECK(count(lab, 1, "{\"op\":\"rib\",\"table\":\"loc\",\"prefix\":\"10.240.0.0/26\"}",
                "routes") == 1);
    CHECK(count(lab, 0, "{\"op\":\"rib\",\"table\":\"out\",\"peer\":\"Mesh_1\"}", "routes") == 1);
    CHECK(count(lab, 0, "{\"op\":\"rib\",\"table\":\"in\",\"peer\":\"None\"}", "routes") == 0);
    CHECK(count(lab, 0, "{\"op\":\"peers\",\"name\":\"Mesh_1\"}", "peers") == 1);
    CHECK(count(lab, 0, "{\"op\":\"peers\",\"name\":\"Mesh_0\"}", "peers") == 0);
    CHECK(in_kernel(lab, 1, "10.240.0.0/26"));
    CHECK(
        says(lab, 0, "{\"op\":\"exec\",\"command\":\"show protocols\"}", "output", "Established"));
    CHECK(says(lab, 0, "{\"op\":\"counters\"}", "error", "has no answer"));
    CHECK(says(lab, 0, "{\"op\":\"rib\",\"table\":\"fib\"}", "error", "ip route"));
    CHECK(says(lab, 0, "{\"op\":\"rib\",\"table\":\"out\"}", "error", "which peer"));
    CHECK(says(lab, 0, "{\"op\":\"rib\",\"prefix\":\"\\nconfigure\"}", "error", "not a prefix"));
    CHECK(says(lab, 0, "{\"op\":\"exec\",\"command\":\"show\\ndown\"}", "error", "one line"));
    return 0;
}

static int change(struct lab *lab, struct diag_list *diags) {
    char *more = config_of(0, true);
    const char *const configs[DAEMON_PROGRAMS_MAX] = {more};
    const char *const bad[DAEMON_PROGRAMS_MAX] = {"router id ;"};
    bool ok = lab_daemon_reconfigure(lab, 0, configs, FIXTURE_DEADLINE_MS, diags);

    alloc_free(more);
    CHECK(ok);
    CHECK(wait_count(lab, 1, LEARNED, "routes", 2));
    CHECK(strstr(text_str(lab_speaker_log(lab, 0)), "Reconfigured")); /* not in syslog */
    CHECK(!lab_daemon_reconfigure(lab, 0, bad, FIXTURE_DEADLINE_MS, diags));
    CHECK(strstr(diag_at(diags, diag_count(diags) - 1)->message, "syntax error"));
    CHECK(count(lab, 1, LEARNED, "routes") == 2); /* the old one stays in force */
    return 0;
}

static int end(struct lab *lab, struct diag_list *diags) {
    pid_t first = lab_speaker_state(lab, 0).pid;

    CHECK(lab_speaker_usage(lab, 0).rss_bytes > 0);
    CHECK(lab_speaker_stop(lab, 0, FIXTURE_DEADLINE_MS));
    CHECK(lab_speaker_state(lab, 0).kind == LAB_EXITED);
    CHECK(lab_speaker_state(lab, 0).expected);
    CHECK(ask(lab, 0, ESTABLISHED) == NULL);
    CHECK(wait_count(lab, 1, ESTABLISHED, "remote", 0));
    CHECK(start(lab, 0, diags));
    CHECK(lab_speaker_state(lab, 0).pid != first);
    CHECK(wait_count(lab, 1, ESTABLISHED, "remote", 1));
    /* One of its two processes ends: the node has ended, and not because it was told to. */
    CHECK(kill(lab_speaker_state(lab, 0).pid, SIGTERM) == 0);
    CHECK(wait_ended(lab, 0));
    CHECK(!lab_speaker_state(lab, 0).expected);
    CHECK(lab_fault(lab, LAB_FAULT_KILL, 1, UINT32_MAX, 0, diags));
    CHECK(wait_ended(lab, 1));
    CHECK(lab_speaker_state(lab, 1).kind == LAB_KILLED);
    return 0;
}

static int refused(struct lab *lab, struct diag_list *diags) {
    struct lab_daemon_spec spec = {
        .driver = &daemon_bird, .root = &root, .configs = {"router id ;"}};

    CHECK(lab_daemon_start(lab, 0, &spec, diags));
    CHECK(wait_ended(lab, 0));
    CHECK(lab_speaker_state(lab, 0).kind == LAB_EXITED && lab_speaker_state(lab, 0).code != 0);
    CHECK(strstr(text_str(lab_speaker_log(lab, 0)), "syntax error"));
    return 0;
}

static int bird_body(int fd, void *argument) {
    struct diag_list *diags = diag_list_new();
    struct network n;
    struct lab *lab;
    int failed;

    (void)fd;
    (void)argument;
    network_make(&n, 2, LAB_FABRIC_L2, false);
    lab = build_network(&n);
    CHECK(lab != NULL && diags != NULL);
    CHECK(lab_daemon_driver(lab, 0) == NULL);
    CHECK(start(lab, 0, diags) && start(lab, 1, diags));
    CHECK(lab_daemon_driver(lab, 0) == &daemon_bird);
    CHECK(!start(lab, 0, diags)); /* it runs already */
    failed = talk(lab) || change(lab, diags) || end(lab, diags) || refused(lab, diags);
    lab_teardown(lab);
    network_free(&n);
    diag_list_free(diags);
    return failed;
}

static void test_bird(void **state) {
    struct diag_list *diags = diag_list_new();
    (void)state;
    if (!daemon_locate(&daemon_bird, NULL, &root, diags)) {
        printf("skipped: %s\n", diag_at(diags, 0)->message);
        diag_list_free(diags);
        skip();
    }
    diag_list_free(diags);
    assert_int_equal(run_supervised(bird_body, NULL), 0);
}

/* ---- finding a program ---- */

static void test_locate(void **state) {
    char folder[] = "/tmp/daemon-test-XXXXXX", path[128];
    struct diag_list *diags = diag_list_new();
    struct daemon_root found;
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_false(daemon_locate(&daemon_bird, folder, &found, diags));
    assert_non_null(strstr(diag_at(diags, 0)->message, folder));
    for (const char *const *name = (const char *const[]){"bird6", "bird", NULL}; *name; name++) {
        snprintf(path, sizeof path, "%s/%s", folder, *name);
        assert_false(daemon_locate(&daemon_bird, folder, &found, diags)); /* one is not enough */
        FILE *f = fopen(path, "we");
        assert_non_null(f);
        assert_int_equal(fclose(f), 0);
        assert_int_equal(chmod(path, 0755), 0);
    }
    assert_true(daemon_locate(&daemon_bird, folder, &found, diags));
    assert_true(daemon_locate(&daemon_bird, path, &found, diags));
    assert_string_equal(found.programs[0], path);
    assert_string_equal(found.libraries, "");
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof path, "%s/bird6", folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    diag_list_free(diags);
}

static void test_driver_names(void **state) {
    (void)state;
    assert_ptr_equal(daemon_driver_find("bird"), &daemon_bird);
    assert_null(daemon_driver_find("birds"));
    assert_non_null(strstr(daemon_driver_names(), "bird"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_driver_names),
        cmocka_unit_test(test_locate),
        cmocka_unit_test(test_bird),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
