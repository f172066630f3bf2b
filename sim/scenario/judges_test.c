/*
 * The judges, with observations made up for them: sessions as a witness would see them, kernel
 * tables of a speaker's and of Felix's routes, what a hold costs. Each of them must be able to say
 * no, to what is there too much as well as to what is missing, and name it.
 *
 * What should be is that of shipped scenarios (tests run in the tree's root); no lab is needed.
 */

#include "../lab/wire.h"
#include "engine.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
// clang-format on

#include <stdlib.h>
#include <string.h>

#define ROUTES_MAX 16

struct stage {
    struct engine e;
    struct scenario *scenario;
    struct scenario_expect asked;
    struct expectation x;
    struct lab_route have[ROUTES_MAX];
    size_t count;
};

static int stage_begin(void **state, const char *path) {
    struct stage *s = calloc(1, sizeof *s);
    struct yaml_parameter nodes = {"nodes", "4"};
    if (!s)
        return -1;
    *state = s;
    s->e = (struct engine){
        .arena = arena_new(), .diags = diag_list_new(), .front_fd = -1, .wait_fd = -1};
    s->scenario = scenario_read(path, &nodes, 1, s->e.arena, s->e.diags);
    s->e.scenario = s->scenario;
    s->asked = (struct scenario_expect){.kind = EXPECT_CONVERGED, .hold_time_s = -1};
    s->x = (struct expectation){.e = &s->e, .x = &s->asked};
    return s->scenario && engine_prepare(&s->e, s->e.diags) ? 0 : -1;
}

static int mesh(void **state) {
    return stage_begin(state, "scenarios/mesh/full-mesh");
}

static int vxlan(void **state) {
    return stage_begin(state, "scenarios/dataplane/vxlan");
}

static int stage_end(void **state) {
    struct stage *s = *state;
    engine_release(&s->e);
    scenario_close(s->scenario);
    diag_list_free(s->e.diags);
    arena_free(s->e.arena);
    free(s);
    return 0;
}

static struct ip_addr addr(const char *text) {
    struct ip_addr a;
    assert_true(ip_parse(text, &a));
    return a;
}

static struct ip_prefix prefix(const char *text) {
    struct ip_prefix p;
    assert_true(ip_prefix_parse(text, &p));
    return p;
}

/* ---- kernel tables ---- */

static struct lab_route *add(struct stage *s, const char *to, uint8_t protocol) {
    struct lab_route *r = &s->have[s->count++];
    assert_true(s->count <= ROUTES_MAX);
    *r = (struct lab_route){.prefix = prefix(to), .protocol = protocol, .interface = "eth0"};
    return r;
}

static struct lab_route *find(struct stage *s, const char *to) {
    for (size_t i = 0; i < s->count; i++) {
        if (ip_prefix_equal(s->have[i].prefix, prefix(to)))
            return &s->have[i];
    }
    fail_msg("%s is not there", to);
    return NULL;
}

static int compare_routes(const void *a, const void *b) {
    const struct lab_route *x = a, *y = b;
    return ip_prefix_compare(x->prefix, y->prefix);
}

typedef bool routes_fn(struct expectation *x, uint32_t node, const struct lab_route *have,
                       size_t count, bool final);

/* Asked twice, as a step does: the last time with words. */
static void assert_judged(struct stage *s, routes_fn *judge, const char *name, const char *says) {
    qsort(s->have, s->count, sizeof *s->have, compare_routes);
    s->x.reason[0] = '\0';
    bool first = judge(&s->x, 0, s->have, s->count, false);
    assert_string_equal(s->x.reason, "");
    bool last = judge(&s->x, 0, s->have, s->count, true);
    if (first != last || last != !*says || strcmp(s->x.reason, says) != 0)
        fail_msg("%s: %d %d: \"%s\" expected, \"%s\" said", name, first, last, says, s->x.reason);
}

/* kube-1 has its own block as a blackhole and those of the others by their addresses. */
static void fill_bird(struct stage *s) {
    const struct oracle_route *want = NULL;
    size_t n = oracle_loc_rib(s->e.state->oracle, 0, &want);
    s->count = 0;
    for (size_t i = 0; i < n; i++) {
        char text[IP_PREFIX_TEXT_MAX];
        if (!want[i].in_fib)
            continue;
        struct lab_route *r = add(s, ip_prefix_format(want[i].prefix, text), PROTOCOL_BIRD);
        r->gateway = want[i].gateway;
        r->blackhole = want[i].blackhole;
        r->metric = want[i].metric;
    }
    assert_int_equal(s->count, 4);
}

static void nothing(struct stage *s) {
    (void)s;
}
static void no_table(struct stage *s) {
    s->count = 0;
}
static void one_less(struct stage *s) {
    *find(s, "10.244.0.64/26") = s->have[--s->count];
}
static void one_more(struct stage *s) {
    add(s, "203.0.113.0/24", PROTOCOL_BIRD)->gateway = addr("10.0.0.3");
}
static void one_more_in_front(struct stage *s) {
    add(s, "0.0.0.0/0", PROTOCOL_BIRD)->gateway = addr("10.0.0.3");
}
static void not_for_the_kernel(struct stage *s) {
    add(s, "10.0.0.0/16", PROTOCOL_BIRD); /* in the Loc-RIB: the segment */
}
static void two_more_of_others(struct stage *s) {
    add(s, "203.0.113.0/24", LAB_FELIX_PROTOCOL);
    add(s, "198.51.100.0/24", 2); /* the kernel's own */
}
static void of_another(struct stage *s) {
    find(s, "10.244.0.64/26")->protocol = LAB_FELIX_PROTOCOL;
}
static void other_gateway(struct stage *s) {
    find(s, "10.244.0.64/26")->gateway = addr("10.0.0.5");
}
static void second_gateway(struct stage *s) {
    struct lab_route *r = add(s, "10.244.0.64/26", PROTOCOL_BIRD);
    r->gateway = addr("10.0.0.5");
    r->metric = find(s, "10.244.0.64/26")->metric;
}
static void other_metric(struct stage *s) {
    find(s, "10.244.0.64/26")->metric++;
}
static void no_way(struct stage *s) {
    find(s, "10.244.0.64/26")->blackhole = true;
}
static void hole_closed(struct stage *s) {
    struct lab_route *r = find(s, "10.244.0.0/26");
    r->blackhole = false;
    r->gateway = addr("10.0.0.5");
}

struct table_row {
    const char *name;
    void (*change)(struct stage *s);
    const char *says;
};

static void tables_of_speakers(void **state) {
    static const struct table_row rows[] = {
        {"as computed", nothing, ""},
        {"others' routes are theirs", two_more_of_others, ""},
        {"one missing", one_less, "kube-1: kernel has no route to 10.244.0.64/26"},
        {"one too many", one_more, "kube-1: kernel has an unexpected route to 203.0.113.0/24"},
        {"one too many in front", one_more_in_front,
         "kube-1: kernel has an unexpected route to 0.0.0.0/0"},
        {"one that is in the Loc-RIB only", not_for_the_kernel,
         "kube-1: kernel has an unexpected route to 10.0.0.0/16"},
        {"written by another", of_another, "kube-1: kernel has no route to 10.244.0.64/26"},
        {"another gateway", other_gateway,
         "kube-1: kernel differs at 10.244.0.64/26: expected via 10.0.0.3 metric 1024, seen via "
         "10.0.0.5 metric 1024"},
        {"a second gateway", second_gateway,
         "kube-1: kernel differs at 10.244.0.64/26: expected via 10.0.0.3 metric 1024, seen via "
         "10.0.0.3 10.0.0.5 metric 1024"},
        {"another metric", other_metric,
         "kube-1: kernel differs at 10.244.0.64/26: expected via 10.0.0.3 metric 1024, seen via "
         "10.0.0.3 metric 1025"},
        {"a blackhole instead", no_way,
         "kube-1: kernel differs at 10.244.0.64/26: expected via 10.0.0.3 metric 1024, seen "
         "blackhole metric 1024"},
        {"the blackhole leads somewhere", hole_closed,
         "kube-1: kernel differs at 10.244.0.0/26: expected blackhole, seen via 10.0.0.5 metric 0"},
        {"nothing at all", no_table,
         "kube-1: kernel has no route to 10.244.0.0/26; kube-1: kernel has no route to "
         "10.244.0.64/26; kube-1: kernel has no route to 10.244.0.128/26; kube-1: kernel has no "
         "route to 10.244.0.192/26"},
    };
    struct stage *s = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fill_bird(s);
        rows[i].change(s);
        assert_judged(s, bird_routes_match, rows[i].name, rows[i].says);
    }
}

/* kube-1 of the VXLAN pool: its block as a blackhole, the others' through the tunnel. */
static void fill_felix(struct stage *s) {
    struct lab_overlay o;
    assert_true(network_overlay(&s->e, 0, s->e.arena, &o));
    s->count = 0;
    for (size_t i = 0; i < o.route_count; i++) {
        char text[IP_PREFIX_TEXT_MAX];
        const struct lab_overlay_route *w = &o.routes[i];
        struct lab_route *r = add(s, ip_prefix_format(w->prefix, text), LAB_FELIX_PROTOCOL);
        r->gateway = w->gateway;
        r->metric = w->metric;
        r->blackhole = w->via == LAB_VIA_BLACKHOLE;
        snprintf(r->interface, sizeof r->interface, "vxlan.calico");
    }
    assert_int_equal(s->count, 4);
}

static void surplus_workload(struct stage *s) {
    add(s, "10.244.0.7/32", LAB_FELIX_PROTOCOL);
}
static void surplus_blackhole(struct stage *s) {
    add(s, "10.244.9.0/26", LAB_FELIX_PROTOCOL)->blackhole = true;
}
static void surplus_tunnel_route(struct stage *s) {
    struct lab_route *r = add(s, "9.9.9.0/24", LAB_FELIX_PROTOCOL);
    r->gateway = addr("10.244.0.64");
    snprintf(r->interface, sizeof r->interface, "vxlan.calico");
}
static void same_route_twice(struct stage *s) {
    struct lab_route *r = add(s, "10.244.0.64/26", LAB_FELIX_PROTOCOL);
    *r = *find(s, "10.244.0.64/26");
    r->metric++;
}
static void surplus_of_bird(struct stage *s) {
    add(s, "203.0.113.0/24", PROTOCOL_BIRD);
}
static void other_device(struct stage *s) {
    snprintf(find(s, "10.244.0.64/26")->interface, 16, "eth0");
}

static void tables_of_felix(void **state) {
    static const struct table_row rows[] = {
        {"as planned", nothing, ""},
        {"others' routes are theirs", surplus_of_bird, ""},
        {"a workload's that is gone", surplus_workload,
         "kube-1: kernel still has Felix's route to 10.244.0.7/32"},
        {"a blackhole behind the last", surplus_blackhole,
         "kube-1: kernel still has Felix's route to 10.244.9.0/26"},
        {"a tunnel route in front", surplus_tunnel_route,
         "kube-1: kernel still has Felix's route to 9.9.9.0/24"},
        {"one twice", same_route_twice, "kube-1: kernel still has Felix's route to 10.244.0.64/26"},
        {"one missing", one_less, "kube-1: kernel has not Felix's route to 10.244.0.64/26"},
        {"another gateway", other_gateway,
         "kube-1: kernel differs at Felix's route to 10.244.0.64/26"},
        {"another metric", other_metric,
         "kube-1: kernel differs at Felix's route to 10.244.0.64/26"},
        {"another device", other_device,
         "kube-1: kernel differs at Felix's route to 10.244.0.64/26"},
        {"a blackhole instead", no_way,
         "kube-1: kernel differs at Felix's route to 10.244.0.64/26"},
        {"the blackhole leads somewhere", hole_closed,
         "kube-1: kernel differs at Felix's route to 10.244.0.0/26"},
        {"nothing at all", no_table,
         "kube-1: kernel has not Felix's route to 10.244.0.0/26; kube-1: kernel has not Felix's "
         "route to 10.244.0.64/26; kube-1: kernel has not Felix's route to 10.244.0.128/26; "
         "kube-1: kernel has not Felix's route to 10.244.0.192/26"},
    };
    struct stage *s = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fill_felix(s);
        rows[i].change(s);
        assert_judged(s, felix_routes_match, rows[i].name, rows[i].says);
    }
}

/* A pool that Felix does not program: whatever has its number is too much. */
static void tables_without_felix(void **state) {
    struct stage *s = *state;
    s->count = 0;
    assert_judged(s, felix_routes_match, "nothing", "");
    add(s, "10.244.0.64/26", LAB_FELIX_PROTOCOL)->gateway = addr("10.0.0.3");
    assert_judged(s, felix_routes_match, "one",
                  "kube-1: kernel still has Felix's route to 10.244.0.64/26");
}

/* ---- sessions ---- */

struct ends {
    struct witness_set expected, seen;
};

static struct ends ends_of_plan(const struct stage *s) {
    struct ends ends = {0};
    const struct oracle_session *list = NULL;
    size_t n = oracle_sessions(s->e.state->oracle, &list);
    assert_int_equal(n, 6);
    for (size_t i = 0; i < n; i++) {
        assert_true(witness_add(&ends.expected, list[i].a, list[i].addr_b) &&
                    witness_add(&ends.expected, list[i].b, list[i].addr_a) &&
                    witness_add(&ends.seen, list[i].a, list[i].addr_b) &&
                    witness_add(&ends.seen, list[i].b, list[i].addr_a));
    }
    witness_sort(&ends.expected);
    return ends;
}

static void ends_free(struct ends *ends) {
    witness_free(&ends->expected);
    witness_free(&ends->seen);
}

struct session_row {
    const char *name;
    const char *of; /* only this node's sessions are asked for */
    const char *more[2];
    uint32_t at[2];
    size_t less; /* so many of the seen are not */
    bool fits, fits_wire;
    const char *says, *wire_says;
};

static const struct session_row session_rows[] = {
    {"as planned", NULL, {NULL}, {0}, 0, true, true, "", ""},
    {"one too many",
     NULL,
     {"10.0.0.9"},
     {1},
     0,
     false,
     false,
     "kernel: unexpected: kube-2 - ? (10.0.0.9)",
     "wire: OPEN without a configured session: kube-2 - ? (10.0.0.9)"},
    {"between nodes, by an address that has no session",
     NULL,
     {"10.244.0.65", "10.244.0.1"},
     {0, 1},
     0,
     false,
     false,
     "kernel: unexpected: kube-1 - ? (10.244.0.65); kernel: unexpected: kube-2 - ? (10.244.0.1)",
     "wire: OPEN without a configured session: kube-1 - ? (10.244.0.65); wire: OPEN without a "
     "configured session: kube-2 - ? (10.244.0.1)"},
    {"with itself",
     NULL,
     {"10.0.0.3"},
     {1},
     0,
     false,
     false,
     "kernel: unexpected: kube-2 - kube-2 (10.0.0.3)",
     "wire: OPEN without a configured session: kube-2 - kube-2 (10.0.0.3)"},
    {"another node's is not asked for", "kube-1", {"10.0.0.9"}, {1}, 0, true, true, "", ""},
    {"the asked node's is",
     "kube-2",
     {"10.0.0.9"},
     {1},
     0,
     false,
     false,
     "kernel: unexpected: kube-2 - ? (10.0.0.9)",
     "wire: OPEN without a configured session: kube-2 - ? (10.0.0.9)"},
    {"one end less: named elsewhere", NULL, {NULL}, {0}, 1, false, false, "", ""},
    {"none", NULL, {NULL}, {0}, 12, false, false, "", ""},
};

static void judge_sessions(struct stage *s, const struct session_row *row) {
    struct ends ends = ends_of_plan(s);
    s->asked.session_node = row->of;
    ends.seen.count -= row->less;
    for (size_t i = 0; i < 2 && row->more[i]; i++)
        assert_true(witness_add(&ends.seen, row->at[i], addr(row->more[i])));
    witness_sort(&ends.seen);
    for (int final = 0; final < 2; final++) {
        s->x.reason[0] = '\0';
        if (sessions_match(&s->x, &ends.expected, &ends.seen, "kernel", final) != row->fits ||
            strcmp(s->x.reason, final ? row->says : "") != 0)
            fail_msg("%s: %s", row->name, s->x.reason);
        s->x.reason[0] = '\0';
        if (wire_matches(&s->x, &ends.expected, &ends.seen, 0, final) != row->fits_wire ||
            strcmp(s->x.reason, final ? row->wire_says : "") != 0)
            fail_msg("%s, on the wire: %s", row->name, s->x.reason);
    }
    ends_free(&ends);
}

static void sessions_of_a_witness(void **state) {
    for (size_t i = 0; i < sizeof session_rows / sizeof *session_rows; i++)
        judge_sessions(*state, &session_rows[i]);
}

/* The wire keeps what was: a session that was planned once is no stranger to it. */
static void the_wire_remembers(void **state) {
    struct stage *s = *state;
    struct ends ends = ends_of_plan(s);
    witness_sort(&ends.seen);
    ends.expected.count = 2;
    bool on_wire = wire_matches(&s->x, &ends.expected, &ends.seen, 0, true);
    bool in_kernel = sessions_match(&s->x, &ends.expected, &ends.seen, "kernel", true);
    ends_free(&ends);
    assert_true(on_wire && !in_kernel);
    assert_non_null(strstr(s->x.reason, "kernel: unexpected: 2 more")); /* eight are named */
    assert_non_null(strstr(s->x.reason, "kernel: unexpected: kube-4 - kube-1 (10.0.0.2)"));
}

/* A witness that may have missed something says so, also when all it saw is as it should be. */
static void a_capture_that_lost_says_so(void **state) {
    struct stage *s = *state;
    for (int final = 0; final < 2; final++) {
        struct ends ends = ends_of_plan(s);
        witness_sort(&ends.seen);
        s->x.reason[0] = '\0';
        assert_true(wire_matches(&s->x, &ends.expected, &ends.seen, 3, final));
        assert_string_equal(s->x.reason,
                            "the capture lost 3 packets: the wire witness is not complete");
        ends_free(&ends);
    }
}

/* ---- packets ---- */

/* kube-1's packet to kube-2, and back; 50 octets of VXLAN are asked for. */
static void octets_added(void **state) {
    static const struct lab_wire good = {
        true, {.encapsulation = WIRE_VXLAN, .packet_bytes = 36, .wire_bytes = 86}};
    static const struct lab_wire plain = {true, {.packet_bytes = 36, .wire_bytes = 36}};
    static const struct lab_wire unseen = {.seen = false};
    static const struct {
        struct lab_probe back;
        const struct lab_wire *wire;
        uint64_t lost;
        bool fits;
        const char *says;
    } rows[] = {
        {{.arrived = true},
         &good,
         0,
         true,
         "2 packets of 36 octets, 86 on the wire: 50 added, VXLAN"},
        {{.arrived = true},
         &good,
         7,
         true,
         "the capture lost 7 frames: not every packet can have been seen; "
         "2 packets of 36 octets, 86 on the wire: 50 added, VXLAN"},
        {{.arrived = true},
         &unseen,
         7,
         false,
         "the capture lost 7 frames: not every packet can have been seen; "
         "kube-2 -> kube-1: answered, but not seen on the wire"},
        {{.arrived = true},
         &unseen,
         0,
         false,
         "kube-2 -> kube-1: answered, but not seen on the wire"},
        {{.arrived = true},
         &plain,
         0,
         false,
         "kube-2 -> kube-1: 0 octets added (no encapsulation), 50 expected"},
        {{.error = "no route to host"}, &good, 0, false, "kube-2 -> kube-1: no route to host"},
        {{.error = NULL}, &good, 0, false, "kube-2 -> kube-1: no answer"},
    };
    struct stage *s = *state;
    s->asked.bytes = 50;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lab_probe probes[2] = {{.from = 0, .to = 1, .arrived = true}, rows[i].back};
        struct lab_wire wires[2] = {good, *rows[i].wire};
        probes[1].from = 1;
        s->x.reason[0] = '\0';
        if (overhead_fits(&s->x, probes, wires, 2, rows[i].lost) != rows[i].fits ||
            strcmp(s->x.reason, rows[i].says) != 0)
            fail_msg("row %zu: %s", i, s->x.reason);
    }
    /* Where none are to be added, one that was not seen has none either. */
    const struct lab_probe back = {.from = 1, .to = 0, .arrived = true};
    s->asked.bytes = 0;
    assert_true(overhead_fits(&s->x, &back, &plain, 1, 0));
    assert_false(overhead_fits(&s->x, &back, &unseen, 1, 0));
}

static void what_was_not_sent_proves_nothing(void **state) {
    static const struct {
        struct lab_probe probe;
        bool fits, fits_absent;
    } rows[] = {
        {{.arrived = true, .attempts = 1}, true, false},
        {{.arrived = false, .attempts = 3}, false, true},
        {{.arrived = false, .attempts = 0}, false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(probe_fits(&rows[i].probe, false), rows[i].fits);
        assert_int_equal(probe_fits(&rows[i].probe, true), rows[i].fits_absent);
    }
}

/* ---- holding ---- */

static void costs_of_a_hold(void **state) {
    static const struct {
        struct hold_cost cost;
        uint32_t percent_max;
        bool fits;
    } rows[] = {
        {{1000, 0, 0}, 1, true},
        {{1000, 100, 0}, 10, true}, /* the limit is allowed */
        {{1000, 101, 0}, 10, false},
        {{1000, 0, 100}, 10, true},
        {{1000, 0, 101}, 10, false},
        {{1000, 60, 40}, 10, true},
        {{1000, 60, 41}, 10, false},   /* together */
        {{1000, 900, 900}, 180, true}, /* of one processor: there may be more */
        {{1000, 900, 901}, 180, false},
        {{1000, 9000, 9000}, 0, true}, /* not asked */
        {{UINT64_C(86400000000000), UINT64_C(864000000000), 0}, 1, true},
        {{UINT64_C(86400000000000), UINT64_C(864000000001), 0}, 1, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (hold_cost_fits(&rows[i].cost, rows[i].percent_max) != rows[i].fits)
            fail_msg("row %zu", i);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tables_of_speakers, mesh, stage_end),
        cmocka_unit_test_setup_teardown(tables_of_felix, vxlan, stage_end),
        cmocka_unit_test_setup_teardown(tables_without_felix, mesh, stage_end),
        cmocka_unit_test_setup_teardown(sessions_of_a_witness, mesh, stage_end),
        cmocka_unit_test_setup_teardown(the_wire_remembers, mesh, stage_end),
        cmocka_unit_test_setup_teardown(a_capture_that_lost_says_so, mesh, stage_end),
        cmocka_unit_test_setup_teardown(octets_added, mesh, stage_end),
        cmocka_unit_test(what_was_not_sent_proves_nothing),
        cmocka_unit_test(costs_of_a_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
