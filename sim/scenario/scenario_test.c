/*
 * Scenario files to plain data, and what is said about wrong ones.
 *
 * Scenarios are written into a tree of their own under /tmp; the shipped ones and the schema are
 * read from the source tree (tests run in its root).
 */

#include "scenario.h"
#include "scenario_internal.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/text.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
// clang-format on

#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a tree to read from ---- */

static char tree[] = "/tmp/scenario-test-XXXXXX";

static void put(const char *name, const char *text) {
    char path[300];
    snprintf(path, sizeof(path), "%s/%s", tree, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int make_tree(void **state) {
    static const char *const folders[] = {"topologies",
                                          "scenarios",
                                          "scenarios/theme",
                                          "scenarios/theme/one",
                                          "scenarios/theme/one/manifests",
                                          "scenarios/theme/empty"};
    (void)state;
    if (!mkdtemp(tree))
        return -1;
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        char path[300];
        snprintf(path, sizeof(path), "%s/%s", tree, folders[i]);
        if (mkdir(path, 0700) < 0)
            return -1;
    }
    put("secret.yaml", "a: 1\n");
    put("topologies/t.yaml", "segments: {name: lan, subnet: 10.0.0.0/24}\n"
                             "nodes: {count: \"${nodes}\", name: \"kube-%d\"}\n"
                             "routers:\n  - name: rr1\n    config: r.ios\n"
                             "    interfaces: {Gi0/0: {}}\n");
    put("topologies/r.ios", "router bgp 1\n");
    put("scenarios/theme/one/manifests/b.yaml", "kind: B\n");
    put("scenarios/theme/one/manifests/a.json", "{\"kind\": \"A\"}");
    put("scenarios/theme/one/manifests/note.txt", "not: read\n");
    put("scenarios/theme/one/late.yaml", "kind: Node\nmetadata: {name: late}\n");
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk) {
    (void)st;
    (void)kind;
    (void)walk;
    return remove(path);
}

static int remove_tree(void **state) {
    (void)state;
    return nftw(tree, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

struct fixture {
    struct arena *arena;
    struct diag_list *diags;
    struct scenario *scenario;
};

static struct fixture read_path(const char *path, const struct yaml_parameter *set, size_t count) {
    struct fixture f = {arena_new(), diag_list_new(), NULL};
    f.scenario = scenario_read(path, set, count, f.arena, f.diags);
    return f;
}

static struct fixture read_text_set(const char *text, const struct yaml_parameter *set,
                                    size_t count) {
    char path[300];
    put("scenarios/theme/one/scenario.yaml", text);
    snprintf(path, sizeof(path), "%s/scenarios/theme/one", tree);
    return read_path(path, set, count);
}

static struct fixture read_text(const char *text) {
    return read_text_set(text, NULL, 0);
}

static void done(struct fixture *f) {
    scenario_close(f->scenario);
    diag_list_free(f->diags);
    arena_free(f->arena);
}

#define HEAD "parameters: {nodes: 3}\ntopology: ../../../topologies/t.yaml\n"

/* The expectations of one `expect`, which must be fine. */
static const struct scenario_step *read_expect(struct fixture *f, const char *expect) {
    char text[2000];
    snprintf(text, sizeof(text), HEAD "steps:\n  - expect: %s\n", expect);
    *f = read_text(text);
    assert_int_equal(diag_count(f->diags), 0);
    assert_non_null(f->scenario);
    assert_int_equal(f->scenario->step_count, 1);
    assert_int_equal(f->scenario->steps[0].kind, STEP_EXPECT);
    return &f->scenario->steps[0];
}

/* ---- the outermost level ---- */

static void a_scenario_is_read(void **state) {
    (void)state;
    struct fixture f = read_text(HEAD "profile: calico\nseed: 7\ndeadline: 5s\ncapture: false\n"
                                      "manifests: [manifests, {kind: X}]\n"
                                      "steps:\n"
                                      "  - {apply: late.yaml, deadline: 1m}\n"
                                      "  - {name: n, fault: {kill: late}, expect: {ping: all}}\n"
                                      "  - ios: {router: rr1, lines: \"a\\nb\\n\"}\n");
    const struct scenario *s = f.scenario;
    assert_int_equal(diag_count(f.diags), 0);
    assert_non_null(s);
    assert_string_equal(s->name, "one");
    assert_string_equal(s->theme, "theme");
    assert_string_equal(s->directory, "scenarios/theme/one");
    assert_int_equal(s->profile, BGP_PROFILE_CALICO);
    assert_int_equal(s->seed, 7);
    assert_false(s->capture);
    assert_false(s->no_lab);
    assert_int_equal(s->topology->node_count, 3);
    assert_string_equal(s->topology->routers[0].config_text, "router bgp 1\n");
    assert_int_equal(s->topology->routers[0].config_size, 13);
    assert_int_equal(s->manifest_count, 1);
    assert_int_equal(s->inline_count, 1);
    assert_int_equal(s->step_count, 4); /* the fault and its expectation are two */
    assert_int_equal(s->steps[0].kind, STEP_APPLY);
    assert_int_equal(s->steps[0].deadline_ns, 60000000000u);
    assert_string_equal(s->steps[0].name, "apply late.yaml");
    assert_int_equal(s->steps[1].kind, STEP_FAULT);
    assert_int_equal(s->steps[1].deadline_ns, 5000000000u);
    assert_string_equal(s->steps[1].fault.node, "late");
    assert_int_equal(s->steps[2].kind, STEP_EXPECT);
    assert_string_equal(s->steps[2].name, "n");
    assert_int_equal(s->steps[3].kind, STEP_IOS);
    assert_string_equal(s->steps[3].ios_lines, "a\nb\n");
    done(&f);
}

static void steps_wait_as_long_as_asked(void **state) {
    (void)state;
    struct fixture f = read_text(HEAD "deadline: 5s\nsteps:\n  - {expect: {ping: all}}\n"
                                      "  - {deadline: 9h, expect: {ping: all}}\n");
    assert_non_null(f.scenario);
    assert_true(scenario_stretch(f.scenario, 3, f.arena));
    assert_int_equal(f.scenario->step_count, 2);
    assert_int_equal(f.scenario->steps[0].deadline_ns, 15 * UINT64_C(1000000000));
    assert_int_equal(f.scenario->steps[1].deadline_ns, 24 * 3600 * UINT64_C(1000000000));
    done(&f);
}

static void manifests_come_in_name_order(void **state) {
    (void)state;
    struct fixture f = read_text(HEAD "manifests: manifests/\nsteps: [{expect: {ping: all}}]\n");
    const struct scenario *s = f.scenario;
    struct yaml_document *documents;
    size_t count = 0;
    assert_true(scenario_read_manifests(s, s->manifests, s->manifest_places, s->manifest_count,
                                        CALICO_TOOL_CALICOCTL, f.arena, f.diags, &documents,
                                        &count));
    assert_int_equal(count, 2);
    assert_string_equal(yaml_get(documents[0].root, "kind")->text, "A");
    assert_string_equal(yaml_get(documents[1].root, "kind")->text, "B");
    assert_non_null(strstr(documents[1].root->file, "scenarios/theme/one/manifests/b.yaml"));
    done(&f);
}

static void parameters_can_be_set(void **state) {
    static const struct yaml_parameter more = {"nodes", "5"}, typo = {"node", "5"};
    (void)state;
    struct fixture f =
        read_text_set(HEAD "steps: [{expect: {sessions: \"${nodes} * 2\"}}]\n", &more, 1);
    assert_int_equal(f.scenario->topology->node_count, 5);
    assert_int_equal(f.scenario->steps[0].expects[0].count, 10);
    assert_string_equal(f.scenario->parameters[0].value, "5");
    done(&f);
    f = read_text_set(HEAD "steps: [{expect: {ping: all}}]\n", &typo, 1);
    assert_null(f.scenario);
    assert_string_equal(diag_at(f.diags, 0)->id, "unknown-parameter");
    assert_non_null(strstr(diag_at(f.diags, 0)->message, "did you mean \"nodes\"?"));
    done(&f);
}

static void a_hold_has_a_time_and_a_limit(void **state) {
    (void)state;
    struct fixture f = read_text(HEAD "steps:\n  - hold: {for: 10m, cpu: 60}\n"
                                      "    expect: {converged: true}\n"
                                      "  - {hold: {for: 0s}}\n");
    const struct scenario *s = f.scenario;
    assert_int_equal(s->step_count, 3); /* what must hold after it is a step of its own */
    assert_int_equal(s->steps[0].kind, STEP_HOLD);
    assert_int_equal(s->steps[0].hold_ns, UINT64_C(600000000000));
    assert_int_equal(s->steps[0].hold_cpu_percent, 60);
    assert_int_equal(s->steps[1].kind, STEP_EXPECT);
    assert_int_equal(s->steps[2].hold_ns, 0);
    assert_int_equal(s->steps[2].hold_cpu_percent, 0);
    done(&f);
}

static void refusals_need_no_lab(void **state) {
    (void)state;
    struct fixture f = read_text("manifests: bad.yaml\nrejected:\n"
                                 "  - {finding: a, file: manifests/x.yaml, line: 3, column: 4}\n"
                                 "  - {finding: b, suggestion: c}\n");
    const struct scenario *s = f.scenario;
    assert_non_null(s);
    assert_true(s->no_lab);
    assert_int_equal(s->step_count, 1);
    assert_int_equal(s->steps[0].expect_count, 2);
    assert_int_equal(s->steps[0].expects[0].kind, EXPECT_REJECTED);
    assert_int_equal(s->steps[0].expects[0].line, 3);
    assert_int_equal(s->steps[0].expects[0].column, 4);
    assert_non_null(strstr(s->steps[0].expects[0].file, "/theme/one/manifests/x.yaml"));
    assert_string_equal(s->steps[0].expects[1].suggestion, "c");
    assert_null(s->steps[0].expects[1].file);
    done(&f);
    f = read_text(HEAD "steps:\n  - {apply: late.yaml, rejected: {finding: x}}\n");
    assert_int_equal(f.scenario->step_count, 2);
    assert_true(f.scenario->steps[0].may_be_rejected);
    assert_int_equal(f.scenario->steps[1].expects[0].kind, EXPECT_REJECTED);
    done(&f);
    /* What is refused, and what the rest of it leads to. */
    f = read_text(HEAD "calico: {tool: kubectl}\nsteps:\n"
                       "  - {apply: late.yaml, rejected: [{finding: x}, {finding: y}],"
                       " expect: {sessions: mesh, converged: true}}\n");
    assert_int_equal(f.scenario->step_count, 2);
    assert_int_equal(f.scenario->steps[0].tool, CALICO_TOOL_KUBECTL);
    const struct scenario_step *outcome = &f.scenario->steps[1];
    assert_int_equal(outcome->expect_count, 4);
    assert_int_equal(outcome->expects[0].kind, EXPECT_SESSIONS);
    assert_int_equal(outcome->expects[1].kind, EXPECT_CONVERGED);
    assert_string_equal(outcome->expects[2].finding, "x");
    assert_string_equal(outcome->expects[3].finding, "y");
    done(&f);
}

/* ---- expectations ---- */

static void session_sets_are_told_apart(void **state) {
    static const struct {
        const char *text;
        enum scenario_session_set set;
        uint64_t count;
        size_t pairs;
        int hold_time_s;
    } rows[] = {
        {"{sessions: planned}", SESSIONS_PLANNED, 0, 0, -1},
        {"{sessions: mesh}", SESSIONS_MESH, 0, 0, -1},
        {"{sessions: none}", SESSIONS_NONE, 0, 0, -1},
        {"{sessions: 12}", SESSIONS_COUNT, 12, 0, -1},
        {"{sessions: \"(${nodes} + 1) * ${nodes} / 2 - 1\"}", SESSIONS_COUNT, 5, 0, -1},
        {"{sessions: [[kube-1, rr1]]}", SESSIONS_LIST, 0, 1, -1},
        {"{sessions: {pairs: [[kube-1, rr1], [kube-2, rr1]], hold: 30}}", SESSIONS_LIST, 0, 2, 30},
        {"{sessions: {set: mesh, hold: 0}}", SESSIONS_MESH, 0, 0, 0},
        {"{sessions: {count: 2, node: kube-1}}", SESSIONS_COUNT, 2, 0, -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture f;
        const struct scenario_step *step = read_expect(&f, rows[i].text);
        assert_int_equal(step->expect_count, 1);
        const struct scenario_expect *e = &step->expects[0];
        assert_int_equal(e->kind, EXPECT_SESSIONS);
        assert_int_equal(e->set, rows[i].set);
        assert_int_equal(e->count, rows[i].count);
        assert_int_equal(e->pair_count, rows[i].pairs);
        assert_int_equal(e->hold_time_s, rows[i].hold_time_s);
        done(&f);
    }
}

static void routes_keep_every_attribute(void **state) {
    (void)state;
    struct fixture f;
    const struct scenario_step *step = read_expect(
        &f, "\n      route:\n"
            "        - {blockOf: kube-1, at: kube-2, nextHop: unchanged, originator: kube-1,"
            " clusterList: [0.0.0.1, 0.0.0.2], from: rr1, asPath: \"\"}\n"
            "        - {prefix: 10.1.0.0/16, nextHop: 10.0.0.9, localPref: 5, med: 0,"
            " originator: 1.2.3.4, communities: \"1:2\", asPath: \"1 2\"}\n"
            "        - {prefix: \"fd00::/64\", nextHop: kube-3, communities: [], absent: true}\n");
    assert_int_equal(step->expect_count, 3);
    const struct scenario_expect *a = &step->expects[0], *b = &step->expects[1],
                                 *c = &step->expects[2];
    assert_string_equal(a->block_of, "kube-1");
    assert_true(a->next_hop_unchanged && !a->has_next_hop && a->has_cluster_list);
    assert_int_equal(a->cluster_count, 2);
    assert_string_equal(a->originator_of, "kube-1");
    assert_string_equal(a->learned_from, "rr1");
    assert_string_equal(a->as_path, "");
    assert_false(a->has_med || a->has_local_pref || a->absent);
    assert_true(b->has_next_hop && b->has_med && b->has_local_pref && b->has_originator);
    assert_int_equal(b->prefix.length, 16);
    assert_int_equal(b->med, 0);
    assert_null(b->node);
    assert_int_equal(b->community_count, 1);
    assert_true(!a->has_communities && b->has_communities && c->has_communities);
    assert_int_equal(c->community_count, 0);
    assert_false(b->has_cluster_list);
    assert_string_equal(c->next_hop_of, "kube-3");
    assert_null(c->as_path);
    assert_true(c->absent);
    done(&f);
}

static void several_things_must_hold_at_once(void **state) {
    (void)state;
    struct fixture f;
    const struct scenario_step *step = read_expect(
        &f, "\n      ping: {from: kube-1, to: kube-2, family: ipv6, sample: 3}\n"
            "      exec: {node: rr1, command: show ip bgp, matches: \"^x\"}\n"
            "      log: {contains: Up, absent: true}\n"
            "      cause:\n        - {node: kube-1, peer: rr1, cause: blocked}\n"
            "        - {node: kube-1, cause: filtered, prefix: 10.0.0.0/8, contains: r}\n"
            "      fib: {prefix: 0.0.0.0/0, at: kube-1}\n      converged: true\n");
    assert_int_equal(step->expect_count, 7);
    assert_int_equal(step->expects[0].kind, EXPECT_CONVERGED);
    assert_int_equal(step->expects[1].kind, EXPECT_FIB);
    assert_int_equal(step->expects[2].kind, EXPECT_PING);
    assert_int_equal(step->expects[2].family, BGP_IPV6_UNICAST);
    assert_false(step->expects[2].both_families);
    assert_int_equal(step->expects[3].kind, EXPECT_LOG);
    assert_true(step->expects[3].absent);
    assert_int_equal(step->expects[4].kind, EXPECT_EXEC);
    assert_string_equal(step->expects[5].cause, "blocked");
    assert_int_equal(step->expects[6].prefix.length, 8);
    done(&f);
}

static void faults_are_told_apart(void **state) {
    static const struct {
        const char *text;
        enum scenario_fault_kind kind;
    } rows[] = {
        {"{stop: kube-1}", FAULT_STOP},
        {"{kill: kube-1}", FAULT_KILL},
        {"{start: kube-1}", FAULT_START},
        {"{freeze: kube-1}", FAULT_FREEZE},
        {"{thaw: kube-1}", FAULT_THAW},
        {"{linkDown: kube-1}", FAULT_LINK_DOWN},
        {"{linkUp: kube-1}", FAULT_LINK_UP},
        {"{block: kube-1, peer: rr1, port: 1790}", FAULT_BLOCK_BGP},
        {"{unblock: kube-1}", FAULT_UNBLOCK_BGP},
        {"{restart: kube-1, graceful: true, afterKill: true}", FAULT_RESTART},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[300];
        snprintf(text, sizeof(text), HEAD "steps: [{fault: %s}]\n", rows[i].text);
        struct fixture f = read_text(text);
        assert_non_null(f.scenario);
        const struct scenario_fault *fault = &f.scenario->steps[0].fault;
        assert_int_equal(fault->kind, rows[i].kind);
        assert_int_equal(fault->graceful, fault->kind == FAULT_RESTART);
        assert_int_equal(fault->port, fault->kind == FAULT_BLOCK_BGP ? 1790 : 0);
        done(&f);
    }
}

/* ---- mistakes ---- */

struct mistake {
    const char *text, *id;
    uint32_t line, column;
    const char *says;
};

static const struct mistake mistakes_in_steps[] = {
    {HEAD "steps: []\n", "missing-field", 3, 8, "steps"},
    {HEAD "steps: [{}]\n", "missing-field", 3, 9, "exactly one"},
    {HEAD "steps: [{apply: x, delete: y}]\n", "missing-field", 3, 9, "exactly one"},
    {HEAD "steps: [{expect: {}}]\n", "missing-field", 3, 18, "nothing"},
    {HEAD "steps: [{expect: {sesions: 1}}]\n", "unknown-field", 3, 19, "\"sessions\""},
    {HEAD "steps: [{expect: {sessions: mash}}]\n", "unknown-value", 3, 29, "\"mesh\""},
    {HEAD "steps: [{expect: {sessions: \"3 +\"}}]\n", "wrong-type", 3, 29, "missing"},
    {HEAD "steps: [{expect: {converged: false}}]\n", "unknown-value", 3, 30, "true"},
    {HEAD "steps: [{expect: {route: {at: kube-1}}}]\n", "missing-field", 3, 26, "blockOf"},
    {HEAD "steps: [{expect: {route: {prefix: 10.0.0.1/8}}}]\n", "bad-address", 3, 35, "host"},
    {HEAD "steps: [{expect: {log: {node: kube-1}}}]\n", "missing-field", 3, 24, "contains"},
    {HEAD "steps: [{expect: {log: {matches: \"a[b\"}}}]\n", "wrong-type", 3, 34, "Unmatched"},
    {HEAD "steps: [{expect: {log: {matches: \"(a*)\\\\1\"}}}]\n", "wrong-type", 3, 34,
     "back references"},
    {HEAD "steps: [{expect: {exec: {node: kube-1, command: x, matches: \"(a{1,99}){99}\"}}}]\n",
     "wrong-type", 3, 61, "1000 parts"},
    {HEAD "steps: [{expect: {finding: mesh-off-first}}]\n", "wrong-type", 3, 28, "finding: must"},
    {HEAD "steps: [{expect: {ping: all}}, {apply: missing.yaml}]\n", "unreadable-file", 3, 40,
     "missing.yaml"},
    {HEAD "steps: [{expect: {cause: {node: kube-1, cause: blocked}}}]\n", "missing-field", 3, 26,
     "peer"},
    {HEAD "steps: [{expect: {ping: {from: kube-9}}}]\n", "unknown-node", 3, 25, "kube-9"},
    {HEAD "steps: [{fault: {kill: kub-1}}]\n", "unknown-node", 3, 9, "\"kube-1\""},
    {HEAD "steps: [{fault: {kill: kube-1, stop: kube-2}}]\n", "missing-field", 3, 17, "one of"},
    {HEAD "steps: [{fault: {kill: kube-1, peer: kube-2}}]\n", "unknown-field", 3, 32, "block"},
    {HEAD "steps: [{ios: {router: kube-1, lines: x}}]\n", "unknown-node", 3, 9, "router"},
    {HEAD "steps: [{hold: {cpu: 60}}]\n", "missing-field", 3, 16, "for"},
    {HEAD "steps: [{hold: {for: 25h}}]\n", "out-of-range", 3, 22, "24h"},
    {HEAD "steps: [{hold: {for: 1s, cpu: 0}}]\n", "out-of-range", 3, 31, "cpu"},
    {HEAD "steps: [{hold: {four: 1s}}]\n", "unknown-field", 3, 17, "\"for\""},
    {HEAD "steps: [{hold: {for: 1s}, fault: {kill: kube-1}}]\n", "missing-field", 3, 9, "one of"},
    {HEAD "steps: [{fault: {kill: kube-1}, rejected: {finding: x}}]\n", "unknown-field", 3, 33,
     "apply"},
    {HEAD "steps: [{churn: {rate: 5}}]\n", "missing-field", 3, 17, "rate"},
    {HEAD "steps: [{churn: {rate: 0, for: 1s}}]\n", "out-of-range", 3, 24, "rate"},
    {HEAD "steps: [{churn: {rate: 1, for: 0s}}]\n", "out-of-range", 3, 32, "24h"},
    {HEAD "steps: [{roll: {sample: 0, lost: 1}}]\n", "out-of-range", 3, 34, "no packet"},
    {HEAD "steps: [{roll: {}, churn: {rate: 1, for: 1s}}]\n", "missing-field", 3, 9, "exactly one"},
};

static const struct mistake mistakes_around_them[] = {
    {"- 1\n", "wrong-type", 1, 1, "mapping"},
    {"topologi: x\nsteps: [{expect: {ping: all}}]\n", "unknown-field", 1, 1, "\"topology\""},
    {HEAD "deadline: 5\nsteps: [{expect: {ping: all}}]\n", "wrong-type", 3, 11, "duration"},
    {HEAD "deadline: 0s\nsteps: [{expect: {ping: all}}]\n", "out-of-range", 3, 11, "24h"},
    {HEAD "profile: slow\nsteps: [{expect: {ping: all}}]\n", "unknown-value", 3, 10, "calico"},
    {"topology: ../../../../../etc/passwd\nsteps: [{expect: {ping: all}}]\n", "unreadable-file", 1,
     11, "outside"},
    {"topology: /etc/passwd\nsteps: [{expect: {ping: all}}]\n", "unreadable-file", 1, 11,
     "outside"},
    {"topology: ../../../../missing.yaml\nsteps: [{expect: {ping: all}}]\n", "unreadable-file", 1,
     11, "missing.yaml"},
    {"topology: ../../../topologies/t.yaml\nsteps: [{expect: {ping: all}}]\n", "unknown-parameter",
     2, 16, "nodes"},
    {"steps: [{expect: {ping: all}}]\n", "missing-field", 1, 1, "topology"},
    {"manifests: x\nrejected: {finding: a}\nsteps: []\n", "unknown-field", 3, 1, "rejected"},
    {"a: 1\n---\nb: 2\n", "wrong-type", 0, 0, "one YAML document"},
};

static void expect_mistake(const struct mistake *m) {
    struct fixture f = read_text(m->text);
    assert_null(f.scenario);
    assert_true(diag_error_count(f.diags) >= 1);
    assert_string_equal(diag_at(f.diags, 0)->id, m->id);
    assert_int_equal(diag_at(f.diags, 0)->line, m->line);
    assert_int_equal(diag_at(f.diags, 0)->column, m->column);
    assert_non_null(strstr(diag_at(f.diags, 0)->message, m->says));
    done(&f);
}

static void mistakes_have_id_and_place(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof mistakes_in_steps / sizeof *mistakes_in_steps; i++)
        expect_mistake(&mistakes_in_steps[i]);
    for (size_t i = 0; i < sizeof mistakes_around_them / sizeof *mistakes_around_them; i++)
        expect_mistake(&mistakes_around_them[i]);
}

static void all_mistakes_come_at_once(void **state) {
    (void)state;
    struct fixture f = read_text(HEAD "profile: x\nsteps:\n  - {fault: {kil: a}}\n"
                                      "  - {expect: {ping: {sample: 0}}}\n  - {appli: x}\n");
    assert_null(f.scenario);
    assert_true(diag_error_count(f.diags) >= 5);
    done(&f);
}

static void arithmetic_is_exact(void **state) {
    static const struct {
        const char *text;
        bool fine;
        uint64_t value;
    } rows[] = {
        {"10 * (10 - 1) / 2", true, 45},
        {"2+3*4", true, 14},
        {"((((1))))", true, 1},
        {"8/2/2", true, 2},
        {"18446744073709551615", true, UINT64_MAX},
        {"18446744073709551615 + 1", false, 0},
        {"18446744073709551616", false, 0},
        {"4294967296 * 4294967296", false, 0},
        {"1 - 2", false, 0},
        {"3 / 2", false, 0},
        {"1 / 0", false, 0},
        {"(1", false, 0},
        {"1)", false, 0},
        {"1 2", false, 0},
        {"", false, 0},
        {"-1", false, 0},
        {"((((((((((((((((1))))))))))))))))", true, 1}, /* sixteen */
        {"(((((((((((((((((1)))))))))))))))))", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct diag_list *diags = diag_list_new();
        struct yaml_node n = {.kind = YAML_SCALAR, .text = rows[i].text, .file = "x", .line = 1};
        uint64_t value = 77;
        assert_int_equal(scenario_read_count(&n, "count", diags, &value), rows[i].fine);
        assert_int_equal(value, rows[i].fine ? rows[i].value : 77);
        assert_int_equal(diag_count(diags), rows[i].fine ? 0 : 1);
        diag_list_free(diags);
    }
}

/* ---- the shipped ones ---- */

static void shipped_scenarios_are_fine(void **state) {
    (void)state;
    struct arena *arena = arena_new();
    struct diag_list *diags = diag_list_new();
    const char **paths;
    size_t count = 0;
    assert_true(scenario_list("scenarios", arena, diags, &paths, &count));
    assert_true(count >= 20);
    for (size_t i = 0; i < count; i++) {
        struct fixture f = read_path(paths[i], NULL, 0);
        struct text why;
        text_init(&why);
        diag_print(f.diags, &why);
        assert_string_equal(text_str(&why), "");
        assert_non_null(f.scenario);
        assert_true(i == 0 || strcmp(paths[i - 1], paths[i]) < 0);
        text_deinit(&why);
        done(&f);
    }
    assert_false(scenario_list("/nonexistent", arena, diags, &paths, &count));
    assert_int_equal(diag_error_count(diags), 1);
    diag_list_free(diags);
    arena_free(arena);
}

static void schema_knows_what_the_reader_knows(void **state) {
    static const struct scenario_keys *const all[] = {
        &scenario_keys_top,   &scenario_keys_step,   &scenario_keys_apply,    &scenario_keys_ios,
        &scenario_keys_fault, &scenario_keys_expect, &scenario_keys_sessions, &scenario_keys_route,
        &scenario_keys_fib,   &scenario_keys_ping,   &scenario_keys_overhead, &scenario_keys_log,
        &scenario_keys_exec,  &scenario_keys_cause,  &scenario_keys_rejected, &scenario_keys_calico,
        &scenario_keys_churn, &scenario_keys_roll,   &scenario_keys_hold};
    (void)state;
    json_error_t error;
    json_t *schema = json_load_file("scenarios/schema.json", 0, &error);
    assert_non_null(schema);
    json_t *definitions = json_object_get(schema, "$defs");
    assert_int_equal(json_object_size(definitions) + 1, sizeof(all) / sizeof(all[0]));
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        json_t *object = *all[i]->what ? json_object_get(definitions, all[i]->what) : schema;
        json_t *properties = json_object_get(object, "properties");
        assert_non_null(properties);
        assert_true(json_is_false(json_object_get(object, "additionalProperties")));
        assert_int_equal(json_object_size(properties), all[i]->count);
        for (size_t j = 0; j < all[i]->count; j++)
            assert_non_null(json_object_get(properties, all[i]->keys[j]));
    }
    json_decref(schema);
}

static void many_changes_are_read(void **state) {
    static const char steps[] =
        HEAD "steps:\n"
             "  - churn: {rate: 500, for: 2m, blocks: 3, sample: 7, lost: 4}\n"
             "    deadline: 5m\n"
             "  - {churn: {rate: 1, for: 250ms}}\n"
             "  - roll: {batch: 4, graceful: true, sample: 0}\n"
             "    expect: {converged: true}\n"
             "  - roll: {}\n";
    (void)state;
    struct fixture f = read_text(steps);
    assert_non_null(f.scenario);
    const struct scenario_step *s = f.scenario->steps;
    assert_int_equal(f.scenario->step_count, 5);
    assert_int_equal(s[0].kind, STEP_CHURN);
    assert_int_equal(s[0].churn.rate, 500);
    assert_int_equal(s[0].churn.duration_ns, UINT64_C(120000000000));
    assert_int_equal(s[0].churn.blocks, 3);
    assert_int_equal(s[0].meanwhile.sample, 7);
    assert_true(s[0].meanwhile.judged);
    assert_int_equal(s[0].meanwhile.lost_max, 4);
    assert_int_equal(s[1].churn.blocks, 2);
    assert_int_equal(s[1].meanwhile.sample, 20);
    assert_false(s[1].meanwhile.judged);
    assert_string_equal(s[1].name, "blocks come and go");
    assert_int_equal(s[2].kind, STEP_ROLL);
    assert_int_equal(s[2].roll.batch, 4);
    assert_true(s[2].roll.graceful);
    assert_int_equal(s[2].meanwhile.sample, 0);
    assert_int_equal(s[3].kind, STEP_EXPECT);
    assert_int_equal(s[4].roll.batch, 1);
    assert_string_equal(s[4].name, "nodes restarted, 1 at a time");
    done(&f);
}

static void applying_can_be_told_how(void **state) {
    static const char steps[] =
        HEAD "steps:\n"
             "  - apply: late.yaml\n"
             "  - apply: {files: [late.yaml, manifests/b.yaml], oneByOne: false}\n"
             "  - apply: {files: late.yaml, tool: kubectl}\n"
             "  - apply: {kind: Node, metadata: {name: late}}\n"
             "    expect:\n"
             "      overhead: {pool: p, from: late, bytes: 50}\n"
             "      fib: {blockOf: late, nextHop: late, interface: tunl0, by: felix}\n"
             "      finding: {finding: mesh-off-first, line: 2}\n";
    (void)state;
    struct fixture f = read_text(steps);
    assert_non_null(f.scenario);
    const struct scenario_step *s = f.scenario->steps;
    assert_int_equal(f.scenario->step_count, 5);
    assert_false(s[0].at_once);
    assert_true(s[1].at_once);
    assert_int_equal(s[1].manifest_count, 2);
    assert_false(s[2].at_once);
    assert_int_equal(s[2].manifest_count, 1);
    assert_int_equal(s[0].tool, CALICO_TOOL_CALICOCTL);
    assert_int_equal(s[2].tool, CALICO_TOOL_KUBECTL);
    assert_int_equal(s[3].inline_count, 1); /* a document, not options */
    const struct scenario_expect *x = s[4].expects;
    assert_int_equal(s[4].expect_count, 3);
    assert_int_equal(x[0].kind, EXPECT_FIB);
    assert_string_equal(x[0].next_hop_of, "late");
    assert_string_equal(x[0].interface, "tunl0");
    assert_int_equal(x[0].by, PROGRAMMER_FELIX);
    assert_int_equal(x[1].kind, EXPECT_OVERHEAD);
    assert_string_equal(x[1].pool, "p");
    assert_int_equal(x[1].bytes, 50);
    assert_int_equal(x[2].kind, EXPECT_FINDING);
    assert_int_equal(x[2].line, 2);
    done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(applying_can_be_told_how),
        cmocka_unit_test(many_changes_are_read),
        cmocka_unit_test(a_scenario_is_read),
        cmocka_unit_test(steps_wait_as_long_as_asked),
        cmocka_unit_test(manifests_come_in_name_order),
        cmocka_unit_test(parameters_can_be_set),
        cmocka_unit_test(a_hold_has_a_time_and_a_limit),
        cmocka_unit_test(refusals_need_no_lab),
        cmocka_unit_test(session_sets_are_told_apart),
        cmocka_unit_test(routes_keep_every_attribute),
        cmocka_unit_test(several_things_must_hold_at_once),
        cmocka_unit_test(faults_are_told_apart),
        cmocka_unit_test(mistakes_have_id_and_place),
        cmocka_unit_test(all_mistakes_come_at_once),
        cmocka_unit_test(arithmetic_is_exact),
        cmocka_unit_test(shipped_scenarios_are_fine),
        cmocka_unit_test(schema_knows_what_the_reader_knows),
    };
    return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
