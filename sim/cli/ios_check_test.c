/*
 * ios check: every line of a file has its outcome, in both forms, and the exit status follows.
 */

#include "cli_fixture.h"

#define GOOD                                                                                       \
    "hostname R1\ninterface Loopback0\n ip address 10.255.0.1 255.255.255.255\n!\n"                \
    "router bgp 64512\n neighbor 10.0.0.2 remote-as 65001\n"

static const char MIXED[] = GOOD " network 0.0.0.0 0.0.0.0\n neighbor 10.0.0.2 remote-as\n"
                                 "ip cef\nrouter ospf 1\n network 10.0.0.0 0.0.0.255 area 0\n"
                                 "banner motd #\nhello\n#\nno such thing\r\n";
static const char FLAT[] = "! one line router bgp 64512 bgp router-id 1.1.1.1 neighbor 10.0.0.2 "
                           "remote-as 64512\n";

static int setup(void **state) {
    if (world_enter(state) != 0)
        return -1;
    fixture_text("good.ios", GOOD);
    fixture_text("mixed.ios", MIXED);
    fixture_text("flat.ios", FLAT);
    fixture_text("undefined.ios", GOOD " neighbor 10.0.0.2 route-map NONE in\n");
    return 0;
}

static struct run check(const char *const *words, int status) {
    struct run r = run_words(words);
    if (r.status != status)
        fail_msg("status %d, not %d: %s %s", r.status, status, written(r.out), written(r.err));
    return r;
}

static void test_text(void **state) {
    (void)state;
    char refused[9000];
    const char *path = fixture_path("mixed.ios");
    struct run r = check(WORDS("ios", "check", path), 3);
    assert_says(r.out, "mixed.ios:6: applied:  neighbor 10.0.0.2 remote-as 65001");
    /* The caret stands below the second 0.0.0.0. */
    snprintf(refused, sizeof refused,
             "%s:7:18: refused:  network 0.0.0.0 0.0.0.0\n%*s^\n"
             "%% Invalid input detected at '^' marker.\n",
             path, (int)strlen(path) + (int)strlen(":7:18: refused:  network 0.0.0.0 "), "");
    assert_says(r.out, refused);
    assert_says(r.out, "% Incomplete command.");
    assert_says(r.out, "mixed.ios:9: ignored: ip cef (kept; no session and no route");
    assert_says(r.out, "mixed.ios:11: ignored:  network 10.0.0.0 0.0.0.255 area 0 (inside of");
    assert_says(r.out, "mixed.ios:12: applied: banner motd #");
    assert_says(r.out, "refused: no such thing\n");
    assert_says(r.out, "6 applied, 3 ignored, 3 refused, 3 empty");
    run_close(&r);
}

/* Blocks of a whole configuration end at their own lines; beside a plan they are one note. */
static void test_whole(void **state) {
    (void)state;
    static const char whole[] =
        GOOD "!\naaa new-model\naaa group server tacacs+ T\n server-private 10.0.0.9 key 7 08\n"
             " ip vrf forwarding M\n!\naaa session-id common\nrouter ospf 1\n router-id 1.1.1.1\n"
             "track 1 ip sla 1\n delay down 10\n!\nspanning-tree mode pvst\nend\n";
    fixture_text("whole.ios", whole);
    fixture_text("node.yaml", "apiVersion: projectcalico.org/v3\nkind: Node\nmetadata: {name: n}\n"
                              "spec: {bgp: {ipv4Address: 10.0.0.2/24}}\n");
    struct run r = check(WORDS("ios", "check", "--strict", fixture_path("whole.ios")), 0);
    assert_says(r.out, "server-private 10.0.0.9 key 7 08 (inside of a block");
    assert_says(r.out, " 0 refused");
    run_close(&r);
    r = check(WORDS("plan", fixture_path("node.yaml"), "--cisco", fixture_path("whole.ios")), 0);
    assert_says(r.err, "lines have no effect here; ribcage ios check ");
    assert_null(strstr(written(r.err), "router ospf"));
    run_close(&r);
}

/* What looks right and is not ASCII is pointed at; an editor's byte order mark is no statement. */
static void test_pasted(void **state) {
    (void)state;
    fixture_text("pasted.ios", "\xef\xbb\xbf" GOOD " neighbor 10.0.0.3 remote\xe2\x80\x93"
                               "as 65001\n\xc2\xa0network 10.0.0.0\n");
    struct run r = check(WORDS("ios", "check", fixture_path("pasted.ios")), 3);
    assert_says(r.out, "pasted.ios:1: applied: hostname R1\n");
    assert_says(r.out, "(column 26 has a character that is no ASCII");
    assert_says(r.out, "(column 1 has a character that is no ASCII");
    run_close(&r);
}

static void test_statuses(void **state) {
    (void)state;
    struct run r = check(WORDS("ios", "check", fixture_path("good.ios")), 0);
    run_close(&r);
    r = check(WORDS("ios", "check", "--strict", fixture_path("good.ios")), 0);
    run_close(&r);
    r = check(WORDS("ios", "check", "--strict", fixture_path("mixed.ios")), 2);
    run_close(&r);
    r = check(WORDS("ios", "check", "-o", "sarif", fixture_path("good.ios")), 2);
    assert_says(r.err, "-o is text or json");
    run_close(&r);
    r = check(WORDS("ios", "check", fixture_path("mixed.ios"), fixture_path("none.ios")), 2);
    assert_says(r.err, "none.ios: No such file");
    run_close(&r);
    r = check(WORDS("ios", "check", fixture_path("undefined.ios")), 3);
    assert_says(r.err, "route-map NONE is not defined: it denies everything");
    run_close(&r);
    r = check(WORDS("ios", "check", "--strict", fixture_path("undefined.ios")), 2);
    run_close(&r);
    r = check(WORDS("ios", "check", fixture_path("flat.ios")), 3);
    assert_says(r.err, "statements stand on one line");
    assert_says(r.out, "3 applied");
    run_close(&r);
    r = check(WORDS("ios", "mend", fixture_path("good.ios")), 2);
    run_close(&r);
}

static void test_quiet(void **state) {
    (void)state;
    struct run r = check(WORDS("ios", "check", "--quiet", fixture_path("mixed.ios")), 3);
    if (strstr(written(r.out), "applied:"))
        fail_msg("%s", written(r.out));
    assert_says(r.out, ": refused: ");
    run_close(&r);
}

/* No line is missing, and the counts are those of the lines. */
static void test_json(void **state) {
    (void)state;
    json_error_t error;
    struct run r = check(WORDS("ios", "check", "-o", "json", fixture_path("mixed.ios")), 3);
    json_t *all = json_loads(written(r.out), 0, &error);
    assert_non_null(all);
    const json_t *file = json_array_get(all, 0), *lines = json_object_get(file, "lines");
    const json_t *counts = json_object_get(file, "counts");
    assert_int_equal(json_array_size(lines), 15);
    json_int_t sum = 0;
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)counts, name, value) {
        json_int_t n = 0;
        for (size_t i = 0; i < json_array_size(lines); i++)
            n += strcmp(text_in(json_array_get(lines, i), "outcome"), name) == 0;
        assert_int_equal(n, json_integer_value(value));
        sum += n;
    }
    assert_int_equal(sum, 15);
    json_t *refused = json_array_get(lines, 6);
    assert_string_equal(text_in(refused, "outcome"), "refused");
    assert_string_equal(text_in(refused, "text"), " network 0.0.0.0 0.0.0.0");
    assert_int_equal(json_integer_value(json_object_get(refused, "column")), 18);
    assert_true(json_is_array(json_object_get(json_object_get(file, "findings"), "findings")));
    json_decref(all);
    run_close(&r);
}

/* Pasted onto one line, which is a finding of the whole text. */
static void test_json_of_findings(void **state) {
    (void)state;
    fixture_text("pasted.ios", "router bgp 64512 neighbor 10.0.0.2 remote-as 64512 "
                               "neighbor 10.0.0.3 remote-as 64512\n");
    struct run r = check(WORDS("ios", "check", "-o", "json", fixture_path("pasted.ios")), 3);
    json_t *all = json_loads(written(r.out), 0, NULL);
    const json_t *said = json_object_get(json_array_get(all, 0), "findings");
    json_t *first = json_array_get(json_object_get(said, "findings"), 0);
    assert_string_equal(text_in(first, "id"), "ios-unflattened");
    assert_true(json_is_null(json_object_get(first, "cure")));
    json_decref(all);
    run_close(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_pasted),
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_quiet),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_json_of_findings),
    };
    return cmocka_run_group_tests_name("ios check", tests, setup, world_leave);
}
