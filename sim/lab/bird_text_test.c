/*
 * BIRD's answers as text: what ends one, what is in it, and what a broken one must not do.
 */
#include "bird_text.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <stdlib.h>
#include <string.h>

static void check_json(bool (*read)(const struct text *, json_t *), const char *answer,
                       const char *expected) {
    struct text in;
    json_t *list = json_array(), *want = json_loads(expected, 0, NULL);
    text_init(&in);
    text_puts(&in, answer);
    assert_true(read(&in, list));
    assert_non_null(want);
    char *seen = json_dumps(list, JSON_COMPACT | JSON_SORT_KEYS);
    if (!json_equal(list, want))
        fail_msg("expected %s\nseen %s", expected, seen);
    free(seen);
    json_decref(list);
    json_decref(want);
    text_deinit(&in);
}

/* ---- ends and codes ---- */

static void ends(void **state) {
    static const struct {
        const char *in;
        bool complete;
        unsigned code;
    } cases[] = {
        {"", false, 0},
        {"0001 BIRD 1.6.8 ready.\n", true, 1},
        {"0001 BIRD 1.6.8 ready.", false, 1},
        {"0002-Reading\n0003 Reconfigured\n", true, 3},
        {"0002-Reading\n", false, 0},
        {"1007-10.0.0.0/8 via\n 0000 not an end\n", false, 0},
        {"1007-10.0.0.0/8 via\n0000 \n", true, 0},
        {"8002 x.conf, line 1: syntax error\n", true, 8002},
        {"0000\n", false, 0},
        {"abcd \n", false, 0},
        {"\n", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text in;
        text_init(&in);
        text_puts(&in, cases[i].in);
        if (bird_complete(&in) != cases[i].complete || bird_code(&in) != cases[i].code)
            fail_msg("\"%s\": complete %d, code %u", cases[i].in, bird_complete(&in),
                     bird_code(&in));
        text_deinit(&in);
    }
}

static void plain_text(void **state) {
    struct text in, out;
    (void)state;
    text_init(&in);
    text_init(&out);
    text_puts(&in, "2002-name     proto\n1002-k1       Kernel\n   Routes: 1\n+more\n0000 \n");
    bird_plain(&in, &out);
    assert_string_equal(text_str(&out), "name     proto\nk1       Kernel\n  Routes: 1\nmore\n");
    text_deinit(&in);
    text_deinit(&out);
}

/* ---- sessions ---- */

static void sessions(void **state) {
    (void)state;
    check_json(bird_read_sessions,
               "2002-name     proto    table    state  since       info\n"
               "1002-kernel1  Kernel   master   up     05:30:26    \n"
               "1006-  Preference:     10\n"
               "   BGP state:          Established\n \n"
               "1002-Mesh_a   BGP      master   up     05:30:28    Established   \n"
               "1006-  Preference:     100\n"
               "   Routes:         1 imported, 3 exported, 1 preferred\n"
               "   BGP state:          Established\n"
               "     Neighbor address: 10.9.0.2\n"
               "     Neighbor AS:      64512\n"
               "     Neighbor ID:      10.0.0.2\n"
               "     Hold timer:       184/240\n"
               "     Keepalive timer:  68/80\n \n"
               "1002-Mesh_c   BGP      master   start  05:30:26    Idle          BGP Error: Bad "
               "peer AS\n"
               "   BGP state:          Idle\n"
               "     Neighbor address: fe80::2%eth0\n \n"
               "1002-Mesh_d   BGP      master   start  05:30:26    Passive       \n"
               "   BGP state:          Passive\n"
               "0000 \n",
               "[{\"name\":\"Mesh_a\",\"state\":\"Established\",\"passive\":false,"
               "\"waiting\":false,\"hold_time_s\":240,\"keepalive_s\":80,"
               "\"last_reason\":\"Established\",\"remote\":\"10.9.0.2\",\"remote_as\":64512,"
               "\"remote_id\":\"10.0.0.2\"},"
               "{\"name\":\"Mesh_c\",\"state\":\"Idle\",\"passive\":false,\"waiting\":false,"
               "\"hold_time_s\":0,\"keepalive_s\":0,"
               "\"last_reason\":\"Idle          BGP Error: Bad peer AS\",\"remote\":\"fe80::2\"},"
               "{\"name\":\"Mesh_d\",\"state\":\"Active\",\"passive\":true,\"waiting\":false,"
               "\"hold_time_s\":0,\"keepalive_s\":0,\"last_reason\":\"Passive\"}]");
}

/* ---- routes ---- */

static bool read_marked(const struct text *in, json_t *list) {
    return bird_read_routes(in, false, list);
}

static bool read_primary(const struct text *in, json_t *list) {
    return bird_read_routes(in, true, list);
}

static void routes(void **state) {
    (void)state;
    check_json(read_marked,
               "1007-10.9.0.0/24        dev v0 [direct1 05:30:26] * (240)\n"
               "1008-\tType: device unicast univ\n"
               "1007-10.246.0.0/26      via 10.9.0.2 on v0 [Mesh_a 05:30:28 from 10.9.0.3] * "
               "(100/0) [AS65001i]\n"
               "1008-\tType: BGP unicast univ\n"
               "1012-\tBGP.origin: Incomplete\n"
               " \tBGP.as_path: 65001 {64512 64513}\n"
               " \tBGP.next_hop: 10.9.0.2\n"
               " \tBGP.med: 4\n"
               " \tBGP.local_pref: 100\n"
               " \tBGP.atomic_aggr: \n"
               " \tBGP.aggregator: 10.0.0.1 AS64512\n"
               " \tBGP.community: (64512,3) (65535,65281)\n"
               " \tBGP.originator_id: 10.0.0.9\n"
               " \tBGP.cluster_list: 10.0.0.7 10.0.0.8\n"
               " \tBGP.large_community: (64512, 3, 4) (1, 2, 3)\n"
               "1007-                   via 10.9.0.4 on v0 [Mesh_b 05:30:28] (100/0) [i]\n"
               "1008-\tType: BGP unicast univ\n"
               "1012-\tBGP.origin: IGP\n \tBGP.as_path: \n"
               "1007-10.244.0.0/26      blackhole [static1 05:30:26] * (200)\n"
               "1008-\tType: static unicast univ\n"
               "0000 \n",
               "[{\"prefix\":\"10.9.0.0/24\",\"peer\":\"\",\"best\":true,\"source\":\"direct\","
               "\"attrs\":{}},"
               "{\"prefix\":\"10.246.0.0/26\",\"peer\":\"Mesh_a\",\"best\":true,"
               "\"source\":\"bgp\",\"attrs\":{\"origin\":\"incomplete\","
               "\"as_path\":\"65001 {64512 64513}\",\"next_hop\":\"10.9.0.2\",\"med\":4,"
               "\"local_pref\":100,\"atomic_aggregate\":true,\"aggregator\":\"64512:10.0.0.1\","
               "\"communities\":[\"64512:3\",\"65535:65281\"],\"originator_id\":\"10.0.0.9\","
               "\"cluster_list\":[\"10.0.0.7\",\"10.0.0.8\"],"
               "\"large_communities\":[\"64512:3:4\",\"1:2:3\"]}},"
               "{\"prefix\":\"10.246.0.0/26\",\"peer\":\"Mesh_b\",\"best\":false,"
               "\"source\":\"bgp\",\"attrs\":{\"origin\":\"igp\",\"as_path\":\"\"}},"
               "{\"prefix\":\"10.244.0.0/26\",\"peer\":\"\",\"best\":true,\"source\":\"static\","
               "\"attrs\":{}}]");
    check_json(read_primary, "8001 Network not in table\n", "[]");
    check_json(read_primary,
               "1007-fd00::/64          via fd01::2 on v0 [M 05:30:28] (100) [i]\n"
               "1008-\tType: BGP unicast univ\n \tBGP.next_hop: fd01::2 fe80::2\n0000 \n",
               "[{\"prefix\":\"fd00::/64\",\"peer\":\"M\",\"best\":true,\"source\":\"bgp\","
               "\"attrs\":{\"next_hop\":\"fd01::2\"}}]");
}

/* Every beginning of an answer, and every octet of it changed, is read without harm. */
static void broken(void **state) {
    static const char whole[] = "1002-M BGP master up 1 Established\n   Hold timer:  1/240\n"
                                "1007-10.0.0.0/8 via 10.0.0.1 on v [M 1 from 10.0.0.2] * (1) [i]\n"
                                "1008-\tType: BGP x\n \tBGP.community: (1,2) (3,4)\n0000 \n";
    (void)state;
    for (size_t i = 0; i < 2 * sizeof whole; i++) {
        struct text in;
        json_t *list = json_array();
        text_init(&in);
        if (i < sizeof whole) {
            text_put(&in, whole, i);
        } else {
            text_put(&in, whole, sizeof whole - 1);
            in.data[(i - sizeof whole) % (sizeof whole - 1)] = i % 3 ? '\n' : ' ';
        }
        assert_true(bird_read_sessions(&in, list));
        (void)bird_read_routes(&in, false, list);
        (void)bird_complete(&in);
        json_decref(list);
        text_deinit(&in);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends),   cmocka_unit_test(plain_text), cmocka_unit_test(sessions),
        cmocka_unit_test(routes), cmocka_unit_test(broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
