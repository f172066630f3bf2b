/* Versions of Calico: their text, the table of rules, the fields that came later. */
#include "calico_version.h"

#include "calico_test.h"

static const struct {
    const char *text;
    uint32_t version; /* 0: refused */
} texts[] = {
    {"v3.28", CALICO_VERSION(3, 28, 99)},
    {"3.28", CALICO_VERSION(3, 28, 99)},
    {"v3.30.2", CALICO_VERSION(3, 30, 2)},
    {"v3.34", CALICO_VERSION(3, 34, 99)},
    {"v3.22.0", CALICO_VERSION(3, 22, 0)},
    {"v3.21", 0},
    {"v3.35", 0},
    {"v4.0", 0},
    {"3", 0},
    {"v3.", 0},
    {"v3.28.", 0},
    {"v3.28x", 0},
    {"v3.280", 0},
    {"", 0},
    {"latest", 0},
};

static void test_texts(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint32_t version = 0;
        assert_int_equal(calico_version_parse(texts[i].text, &version), texts[i].version != 0);
        assert_int_equal(version, texts[i].version);
    }
    char text[CALICO_VERSION_TEXT_MAX];
    assert_string_equal(calico_version_format(CALICO_VERSION(3, 28, 99), text), "v3.28");
    assert_string_equal(calico_version_format(CALICO_VERSION(3, 30, 2), text), "v3.30.2");
    assert_string_equal(calico_version_format(0, text), "v3.34");
}

static void test_rules(void **state) {
    (void)state;
    struct calico_rules old = calico_rules_of(CALICO_VERSION(3, 31, 99));
    struct calico_rules between = calico_rules_of(CALICO_VERSION(3, 32, 99));
    struct calico_rules today = calico_rules_of(0);
    assert_true(old.mesh_peer_global_as && !between.mesh_peer_global_as);
    assert_true(!old.priorities && between.priorities);
    assert_int_equal(between.program_routes, CALICO_PROGRAM_ALL);
    assert_int_equal(today.program_routes, CALICO_PROGRAM_NO_ENCAP);
    assert_true(!between.reflector_external && today.reflector_external);
    assert_true(!between.status_headings_left && today.status_headings_left);
    assert_true(old.lb_aggregation);
    assert_false(calico_rules_of(CALICO_VERSION(3, 30, 99)).lb_aggregation);
}

static void test_fields(void **state) {
    (void)state;
    assert_int_equal(calico_field_since("BGPPeer.nextHopMode"), CALICO_VERSION(3, 30, 2));
    assert_int_equal(calico_field_since("BGPPeer.peerIP"), 0);
    for (size_t i = 1; i < calico_field_count; i++)
        assert_true(strcmp(calico_fields[i - 1].name, calico_fields[i].name) < 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
