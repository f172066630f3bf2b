/*
 * Documents put into a set as the tools do it: what each of them takes and refuses, in which order,
 * and what the set holds then; part by part the same as at once.
 */
#include "calico_test.h"

#define DOC(version, kind, name, rest)                                                             \
    "apiVersion: " version "\nkind: " kind "\nmetadata: {name: " name "}\n" rest "\n---\n"
#define V3 "projectcalico.org/v3"
#define CRD "crd.projectcalico.org/v1"
#define PEER(version, name, spec) DOC(version, "BGPPeer", name, "spec: {" spec "}")
#define FILTER(version, name) DOC(version, "BGPFilter", name, "spec: {}")
#define GOOD(name) PEER(V3, name, "peerIP: 192.0.2.1, asNumber: 65001")
#define CORE_NODE(name) DOC("v1", "Node", name, "")

/* Outcomes as letters: t taken, r refused, - not looked at. */
static void outcomes(const struct calico_applied *a, char *ret_letters) {
    static const char letters[] = {
        [CALICO_TAKEN] = 't', [CALICO_REFUSED] = 'r', [CALICO_NOT_LOOKED_AT] = '-'};
    for (size_t i = 0; i < a->count; i++)
        ret_letters[i] = letters[a->items[i].outcome];
    ret_letters[a->count] = '\0';
}

struct tool_case {
    const char *text;
    const char *calicoctl, *kubectl; /* outcomes */
    const char *finding;             /* of one of the refusals; NULL: none */
};

static const struct tool_case tool_cases[] = {
    {GOOD("a") GOOD("b"), "tt", "tt", NULL},
    /* What a server refuses is left out; what stands before and behind it is not. */
    {GOOD("a") PEER(V3, "b", "peerIP: nonsense") GOOD("c"), "trt", "trt", "bad-peer-ip"},
    {GOOD("a") PEER(V3, "b", "peerIP: 192.0.2.2, nodeSelector: 'a = b'") GOOD("c"), "trt", "trt",
     "bad-selector"},
    {PEER(V3, "a", "peerIP: 192.0.2.2, asNumber: 1, node: n, nodeSelector: all()") GOOD("b"), "rt",
     "rt", NULL},
    {PEER(V3, "a", "peerIP: 192.0.2.2, asNumber: 1, filters: [f]") FILTER(V3, "f"), "rt", "rt",
     "filter-after-peer"},
    {FILTER(V3, "f") PEER(V3, "a", "peerIP: 192.0.2.2, asNumber: 1, filters: [f]"), "tt", "tt",
     NULL},
    {PEER(V3, "a", "peerIP: 192.0.2.2, asNumber: 1, filters: [g]") GOOD("b"), "rt", "rt",
     "missing-filter"},
    /* A filter that was refused itself does not exist for those behind it. */
    {DOC(V3, "BGPFilter", "f", "spec: {exportV4: [{action: Accept, cidr: 10.0.0.0/8}]}")
         PEER(V3, "a", "peerIP: 192.0.2.2, asNumber: 1, filters: [f]"),
     "rr", "rr", "missing-match-operator"},
    {DOC(V3, "IPPool", "p", "spec: {cidr: 10.0.0.0/16}")
         DOC(V3, "IPPool", "q", "spec: {cidr: 10.0.128.0/24}")
             DOC(V3, "IPPool", "r", "spec: {cidr: 10.1.0.0/16}"),
     "trt", "trt", "pool-overlap"},
    /* What cannot be read stops calicoctl before it has applied anything. */
    {GOOD("a") PEER(V3, "b", "peerIp: 192.0.2.2"), "rr", "tr", "unknown-field"},
    {PEER(V3, "b", "peerIp: 192.0.2.2") GOOD("a"), "rr", "rt", "unknown-field"},
    {GOOD("a") PEER(V3, "b", "peerIP: 192.0.2.2, asNumber: many"), "rr", "tr", "bad-asn"},
    {GOOD("a") PEER(V3, "b", "filters: f"), "rr", "tr", "wrong-type"},
    {GOOD("a") DOC(V3, "BGPPier", "b", ""), "rr", "tr", "unknown-kind"},
    {GOOD("a") "metadata: {name: b}\n---\n", "rr", "tr", "missing-kind"},
    {GOOD("a") "spec: {asNumber: 1}\n---\n", "rr", "tr", "patch-document"},
    {GOOD("a") "just words\n---\n", "rr", "tr", "no-object"},
    {GOOD("a") DOC("projectcalico.org/v4", "BGPPeer", "b", ""), "rr", "tr", "bad-api-version"},
    {GOOD("a") "apiVersion: " V3 "\nkind: BGPPeer\nmetadata:\nname: b\nspec:\npeerIP: 1.1.1.1\n",
     "rr", "tr", "lost-indentation"},
    /* A server asks for the name, a parser does not. */
    {GOOD("a") DOC(V3, "BGPPeer", "B_", "spec: {peerIP: 192.0.2.2, asNumber: 1}"), "tr", "tr",
     "bad-name"},
    /* Lists are their items. */
    {"apiVersion: " V3 "\nkind: BGPPeerList\nitems:\n"
     "- {kind: BGPPeer, metadata: {name: a}, spec: {peerIP: 192.0.2.1, asNumber: 1}}\n"
     "- {kind: BGPPeer, metadata: {name: b}, spec: {peerIP: x, asNumber: 1}}\n"
     "- {kind: BGPPeer, metadata: {name: c}, spec: {peerIP: 192.0.2.3, asNumber: 1}}\n",
     "trt", "trt", "bad-peer-ip"},
    {GOOD("a") "apiVersion: " V3 "\nkind: BGPPeerList\nitems: {}\n", "rr", "tr", "wrong-type"},
    /* Kinds without a part in BGP. */
    {"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n---\n" GOOD("a"), "-t", "-t",
     NULL},
    /* kubectl's own: unread by calicoctl, so nothing in them stops it. */
    {CORE_NODE("n") GOOD("a"), "tt", "tt", NULL},
    {DOC("v1", "Node", "n", "spec: {podCIDRs: 1}") GOOD("a"), "rt", "rt", "wrong-type"},
    {GOOD("a") PEER(CRD, "b", "peerIp: 192.0.2.2"), "tr", "tr", "unknown-field"},
    {CORE_NODE("n") PEER(V3, "b", "peerIp: 192.0.2.2"), "tr", "tr", "unknown-field"},
    /* Nobody looks whether the filters of a raw CRD exist. */
    {PEER(CRD, "a", "peerIP: 192.0.2.2, asNumber: 1, filters: [g]"), "t", "t", NULL},
    /* Nor at selectors, addresses and what belongs to the default alone. */
    {PEER(CRD, "a", "peerIP: 192.0.2.2, asNumber: 1, nodeSelector: 'a = b'")
         PEER(CRD, "b", "peerIP: tor") DOC(CRD, "BGPConfiguration", "node.n", "spec: {asNumber: 1}")
             DOC(CRD, "BGPFilter", "f",
                 "spec: {importV4: [{action: Accept, cidr: 10.0.0.1/8, matchOperator: In}]}"),
     "tttt", "tttt", NULL},
    /* A schema looks at types, words and the rules between fields. */
    {PEER(CRD, "a", "peerIP: 192.0.2.2, asNumber: '1'") PEER(CRD, "b", "sourceAddress: Node")
         PEER(CRD, "c", "node: n, nodeSelector: all()"),
     "rrr", "rrr", "exclusive-fields"},
    /* A Node of Calico's is calicoctl's alone. */
    {DOC(V3, "Node", "n", "spec: {bgp: {ipv4Address: 10.0.0.1/24}}") GOOD("a"), "tt", "rt", NULL},
};

static void test_tools(void **state) {
    for (size_t i = 0; i < sizeof tool_cases / sizeof tool_cases[0]; i++) {
        const struct tool_case *c = &tool_cases[i];
        for (int tool = CALICO_TOOL_CALICOCTL; tool <= CALICO_TOOL_KUBECTL; tool++) {
            void *fresh = NULL;
            char letters[32];
            (void)state;
            fixture_setup(&fresh);
            struct fixture *f = fresh;
            struct yaml_document *documents;
            struct calico_applied a;
            int count = fixture_documents(f, c->text, &documents);
            assert_true(count > 0);
            assert_true(calico_apply_each(f->set, documents, (size_t)count, (enum calico_tool)tool,
                                          f->arena, f->diags, &a));
            outcomes(&a, letters);
            const char *want = tool == CALICO_TOOL_KUBECTL ? c->kubectl : c->calicoctl;
            if (strcmp(letters, want) != 0 || (c->finding && !fixture_find(f, c->finding))) {
                fixture_show(f);
                fail_msg("%s: %s instead of %s:\n%s", calico_tool_names[tool], letters, want,
                         c->text);
            }
            assert_int_equal(a.taken + a.refused, strlen(want) - (strchr(want, '-') != NULL));
            assert_int_equal(diag_error_count(f->diags) > 0, strchr(want, 'r') != NULL);
            fixture_teardown(&fresh);
        }
    }
}

static struct calico_applied apply(struct fixture *f, const char *text, enum calico_tool tool) {
    struct yaml_document *documents;
    struct calico_applied a;
    int count = fixture_documents(f, text, &documents);
    assert_true(count > 0);
    assert_true(calico_apply_each(f->set, documents, (size_t)count, tool, f->arena, f->diags, &a));
    return a;
}

/* More notes than are kept: what is refused is still found, and stops nobody else. */
static void test_many_notes(void **state) {
    struct fixture *f = *state;
    struct text t;
    text_init(&t);
    for (int i = 0; i < DIAG_COUNT_MAX + 100; i++)
        text_printf(&t, "%s", DOC(V3, "Node", "n", "spec: {bgp: {ipv4Address: 10.0.0.1/24}}"));
    text_puts(&t, PEER(V3, "bad", "peerIP: nonsense") GOOD("good"));
    struct calico_applied a = apply(f, text_str(&t), CALICO_TOOL_CALICOCTL);
    assert_int_equal(a.taken, DIAG_COUNT_MAX + 101);
    assert_int_equal(a.refused, 1);
    assert_non_null(fixture_find(f, "bad-peer-ip"));
    text_deinit(&t);
}

/* A refused object leaves what was stored under its name. */
static void test_refused_keeps_old(void **state) {
    struct fixture *f = *state;
    fixture_must_apply(f, GOOD("a") GOOD("b"));
    (void)apply(f,
                PEER(V3, "a", "peerIP: x") PEER(V3, "b", "peerIP: 192.0.2.9, asNumber: 7")
                    PEER(V3, "c", "peerIP: 192.0.2.3, asNumber: 8"),
                CALICO_TOOL_CALICOCTL);
    assert_int_equal(calico_peer_count(f->set), 3);
    assert_int_equal(calico_peer_find(f->set, "a")->as_number, 65001);
    assert_int_equal(calico_peer_find(f->set, "b")->as_number, 7);
    assert_int_equal(calico_peer_find(f->set, "c")->as_number, 8);
}

static void test_names_and_places(void **state) {
    struct fixture *f = *state;
    struct calico_applied a =
        apply(f, GOOD("a") PEER(V3, "b", "peerIP: x") "kind: 3\n", CALICO_TOOL_KUBECTL);
    assert_int_equal(a.count, 3);
    assert_string_equal(a.items[1].kind, "BGPPeer");
    assert_string_equal(a.items[1].name, "b");
    assert_int_equal(a.items[1].place.line, 7);
    assert_int_equal(a.items[1].document, 1);
    assert_string_equal(a.items[2].name, "");
}

static void sum_of(const struct calico_set *s, char *ret, size_t size) {
    size_t n = 0;
    for (size_t i = 0; i < calico_peer_count(s); i++)
        n += (size_t)snprintf(ret + n, size - n, "%s=%u ", calico_peer_at(s, i)->name,
                              calico_peer_at(s, i)->as_number);
    snprintf(ret + n, size - n, "%zu nodes", calico_node_count(s));
}

/* Resource by resource comes to the same as at once, and nothing else comes with a part. */
static void test_parts(void **state) {
    struct fixture *f = *state;
    struct yaml_document *documents;
    struct calico_applied a;
    char whole[200], parts[200];
    int n = fixture_documents(f,
                              GOOD("a") PEER(V3, "b", "peerIP: x") CORE_NODE("n")
                                  PEER(V3, "a", "peerIP: 192.0.2.9, asNumber: 7") GOOD("c"),
                              &documents);
    size_t count = (size_t)n;
    struct calico_set *set = calico_set_copy(f->set);
    assert_true(
        calico_apply_each(set, documents, count, CALICO_TOOL_CALICOCTL, f->arena, f->diags, &a));
    sum_of(set, whole, sizeof whole);
    assert_string_equal(whole, "a=7 c=65001 1 nodes");
    for (size_t i = 0; i < a.count; i++)
        assert_true(calico_apply_part(f->set, documents, count, &a, i, i + 1, f->diags));
    sum_of(f->set, parts, sizeof parts);
    assert_string_equal(parts, whole);
    calico_set_free(set);
    set = calico_set_new();
    assert_true(calico_apply_part(set, documents, count, &a, 0, 0, f->diags));
    assert_true(calico_apply_part(set, documents, count, &a, 1, 3, f->diags));
    sum_of(set, parts, sizeof parts);
    assert_string_equal(parts, "1 nodes");
    calico_set_free(set);
}

static void test_unnamed(void **state) {
    struct fixture *f = *state;
    size_t count;
    fixture_must_apply(f, FILTER(V3, "f") GOOD("a") GOOD("b") CORE_NODE("n")
                              DOC(V3, "BGPConfiguration", "default", "spec: {asNumber: 64513}")
                                  DOC(V3, "IPPool", "p", "spec: {cidr: 10.0.0.0/16}"));
    struct calico_applied a = apply(f, GOOD("b") FILTER(V3, "a"), CALICO_TOOL_KUBECTL);
    const struct calico_applied_resource *r = calico_unnamed(f->set, &a, f->arena, &count);
    assert_int_equal(count, 4); /* no Node, and a BGPFilter's name is no BGPPeer's */
    assert_string_equal(r[0].kind, "BGPPeer");
    assert_string_equal(r[0].name, "a");
    assert_int_equal(r[0].place.line, 7);
    assert_string_equal(r[1].name, "f");
    assert_string_equal(r[2].kind, "BGPConfiguration");
    assert_string_equal(r[3].kind, "IPPool");
    assert_true(calico_remove(f->set, "BGPPeer", "a"));
    assert_false(calico_remove(f->set, "BGPPeer", "a"));
    assert_false(calico_remove(f->set, "Nothing", "b"));
    assert_int_equal(calico_peer_count(f->set), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tools),
        FIXTURE_TEST(test_many_notes),
        FIXTURE_TEST(test_refused_keeps_old),
        FIXTURE_TEST(test_names_and_places),
        FIXTURE_TEST(test_parts),
        FIXTURE_TEST(test_unnamed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
