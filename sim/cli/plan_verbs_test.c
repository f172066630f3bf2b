/*
 * plan in all its forms, plan --diff and explain, as an operator types them: what is printed, what
 * is written, and the exit status.
 */

#include "cli_fixture.h"

#define V3 "apiVersion: projectcalico.org/v3\n"
#define NODE(name, addr)                                                                           \
    V3 "kind: Node\nmetadata: {name: " name "}\nspec: {bgp: {ipv4Address: " addr "/24}}\n---\n"

static const char base[] = NODE("kube-1", "10.0.0.1") NODE("kube-2", "10.0.0.2") V3
    "kind: IPPool\nmetadata: {name: pool}\nspec: {cidr: 10.244.0.0/16}\n---\n" V3
    "kind: BGPPeer\nmetadata: {name: tor}\nspec: {peerIP: 10.0.0.254, asNumber: 65001}\n";

static const char mesh_off[] =
    V3 "kind: BGPConfiguration\nmetadata: {name: default}\nspec: {nodeToNodeMeshEnabled: false}\n";
static const char replacement[] = V3 "kind: BGPPeer\nmetadata: {name: all}\n"
                                     "spec: {nodeSelector: all(), peerSelector: all()}\n---\n";

static int setup(void **state) {
    if (world_enter(state) != 0)
        return -1;
    if (mkdir(fixture_path("m"), 0755) != 0 || mkdir(fixture_path("m/deep"), 0755) != 0)
        return -1;
    fixture_text("m/base.yaml", base);
    fixture_text("m/deep/filter.json",
                 "{\"apiVersion\": \"projectcalico.org/v3\", \"kind\": \"BGPFilter\","
                 " \"metadata\": {\"name\": \"f\"}, \"spec\": {\"exportV4\":"
                 " [{\"action\": \"Reject\", \"cidr\": \"10.244.0.0/26\","
                 " \"matchOperator\": \"Equal\"}]}}\n");
    fixture_text("off.yaml", mesh_off);
    fixture_text("new.yaml", replacement);
    fixture_text("typo.yaml",
                 V3 "kind: BGPPeer\nmetadata: {name: typo}\nspec: {peerSelector: has(rr)}\n");
    fixture_text("peer.yaml", V3 "kind: BGPPeer\nmetadata: {name: tor}\n"
                                 "spec: {peerIP: 10.0.0.254, asNumber: 65001, filters: [f]}\n");
    fixture_text("port.yaml",
                 V3 "kind: BGPConfiguration\nmetadata: {name: default}\n"
                    "spec: {listenPort: 1790}\n---\n" V3 "kind: BGPPeer\nmetadata: {name: other}\n"
                    "spec: {peerIP: '10.0.0.253:1790', asNumber: 65001}\n");
    fixture_text("bad.yaml", V3 "kind: BGPPeer\nmetadata: {name: x}\nspec: {peerIp: 1.2.3.4}\n");
    return 0;
}

/* The exit status, and each of `all` (NULL at the end) on either stream. */
static void says(const char *const *words, int status, const char *const *all) {
    struct run r = run_words(words);

    if (r.status != status)
        fail_msg("%s %s: %d, not %d: %s %s", words[0], words[1], r.status, status, written(r.out),
                 written(r.err));
    for (; *all; all++)
        if (!strstr(written(r.out), *all) && !strstr(written(r.err), *all))
            fail_msg("%s: no \"%s\" in: %s %s", words[0], *all, written(r.out), written(r.err));
    run_close(&r);
}

#define CLIENTS                                                                                    \
    " neighbor 10.0.0.1 remote-as 64512\n neighbor 10.0.0.2 remote-as 64512\n"                     \
    " address-family ipv4\n  neighbor 10.0.0.1 activate\n  neighbor 10.0.0.2 activate\n"           \
    "  neighbor 10.0.0.1 route-reflector-client\n  neighbor 10.0.0.2 route-reflector-client\n"
#define ROUTER(name, addr)                                                                         \
    "hostname " name "\ninterface GigabitEthernet0/0\n ip address " addr " 255.255.255.0\n"        \
    "router bgp 64512\n" CLIENTS

/* One router that reflects for all is one too few; two are not. */
static void test_routers(void **state) {
    (void)state;
    fixture_text("one.yaml", NODE("kube-1", "10.0.0.1") NODE("kube-2", "10.0.0.2") V3
                 "kind: BGPPeer\nmetadata: {name: r1}\nspec: {peerIP: 10.0.0.254, asNumber: "
                 "64512}\n---\n" V3 "kind: BGPConfiguration\nmetadata: {name: default}\nspec: "
                 "{nodeToNodeMeshEnabled: false}\n");
    fixture_text("two.yaml", V3 "kind: BGPPeer\nmetadata: {name: r2}\nspec: {peerIP: 10.0.0.253, "
                                "asNumber: 64512}\n");
    fixture_text("r1.ios", ROUTER("r1", "10.0.0.254"));
    fixture_text("r2.ios", ROUTER("r2", "10.0.0.253"));
    const char *one = fixture_path("one.yaml"), *two = fixture_path("two.yaml"),
               *r1 = fixture_path("r1.ios"), *r2 = fixture_path("r2.ios");
    says(WORDS("plan", one, "--cisco", r1), 0,
         WORDS("2 with routers, 2 in all", "one.yaml:2:7: warning: 2 nodes hang on one route"));
    says(WORDS("plan", one, "--cisco", r1, "-o", "json"), 0, WORDS("\"single-reflector\""));
    struct run r = run_words(WORDS("plan", one, two, "--cisco", r1, "--cisco", r2));
    assert_int_equal(r.status, 0);
    assert_says(r.out, "4 with routers, 4 in all");
    assert_null(strstr(written(r.err), "route reflector"));
    run_close(&r);
}

/* One of the nodes is in an AS that the router does not expect: the matrix has that, too. */
static void test_routers_that_differ(void **state) {
    (void)state;
    fixture_text("differ.yaml", NODE("kube-1", "10.0.0.1") NODE("kube-2", "10.0.0.2") V3
                 "kind: BGPPeer\nmetadata: {name: r1}\nspec: {peerIP: 10.0.0.254, asNumber: "
                 "65001}\n");
    fixture_text("differ.ios", "hostname r1\ninterface GigabitEthernet0/0\n"
                               " ip address 10.0.0.254 255.255.255.0\nrouter bgp 65001\n"
                               " neighbor 10.0.0.1 remote-as 64512\n"
                               " neighbor 10.0.0.2 remote-as 64513\n");
    const char *m = fixture_path("differ.yaml"), *r1 = fixture_path("differ.ios");
    says(WORDS("plan", m), 0, WORDS("   1  \\  m  G  kube-1\n   2  M  \\  G  kube-2\n"));
    says(WORDS("plan", m, "--cisco", r1), 0,
         WORDS("does not come up: kube-2 Global_10_0_0_254: bad-peer-as",
               "   1  \\  m  G  kube-1\n   2  M  \\ !G  kube-2\n"));
}

static void test_forms(void **state) {
    const char *m = fixture_path("m");
    (void)state;
    says(WORDS("plan", m), 0,
         WORDS("kube-1: AS 64512", "sessions, seen from the row", "3 sessions"));
    says(WORDS("plan", m, "-o", "wide"), 0, WORDS("TTL SECURITY", "Mesh_10_0_0_2"));
    says(WORDS("plan", m, "-o", "json"), 0, WORDS("\"sourceAddress\":"));
    says(WORDS("plan", m, "-o", "yaml"), 0, WORDS("nodes:", "sourceAddress: \"10.0.0.1\""));
    says(WORDS("plan", m, "-o", "dot"), 0, WORDS("digraph plan {"));
    says(WORDS("plan", m, "-o", "bird", "--node", "kube-1"), 0,
         WORDS("# bird.cfg of node kube-1", "protocol bgp Mesh_10_0_0_2"));
    says(WORDS("plan", m, "--calico-version", "v3.28", "-o", "bird", "-n", "kube-2"), 0,
         WORDS("router id 10.0.0.2;"));
    says(WORDS("plan", m, "--calico-version", "28"), 2, WORDS("--calico-version"));
    says(WORDS("plan", m, "--env", "CALICO_ROUTER_ID=192.0.2.7", "-o", "bird", "-n", "kube-2"), 0,
         WORDS("router id 192.0.2.7;"));
    says(WORDS("plan", m, "--env", "CALICO_ROUTER_ID"), 2, WORDS("--env wants NAME=VALUE"));
    says(WORDS("plan", m, "--env", "NODENAME=x"), 2, WORDS("none of CALICO_ROUTER_ID"));
    says(WORDS("plan", m, "-o", "svg"), 2, WORDS("table, wide, json"));
    says(WORDS("plan", m, "--node", "kube-9"), 2, WORDS("no node kube-9"));
    says(WORDS("plan", fixture_path("off.yaml")), 0,
         WORDS("0 sessions: there is no Node among the manifests"));
    says(WORDS("plan", "--help"), 0, WORDS("Forms (-o):", "Exit status:"));
}

static void test_bird_files(void **state) {
    struct stat s;
    (void)state;
    says(WORDS("plan", fixture_path("m"), "-o", "bird", "-d", fixture_path("out")), 0, WORDS(""));
    assert_int_equal(stat(fixture_path("out/kube-2/bird.cfg"), &s), 0);
    assert_int_equal(s.st_mode & 0777, 0600);
    assert_int_equal(stat(fixture_path("out/kube-1/bird6.cfg"), &s), 0);
}

/* A file that others may read, or a link, in the place of one with passwords. */
static void test_bird_files_replace(void **state) {
    struct stat s;
    (void)state;
    (void)mkdir(fixture_path("there"), 0755);
    assert_int_equal(mkdir(fixture_path("there/kube-1"), 0755), 0);
    fixture_text("there/kube-1/bird.cfg", "old, and for everybody");
    fixture_text("precious", "precious");
    assert_int_equal(symlink("../../precious", fixture_path("there/kube-1/bird6.cfg")), 0);
    says(WORDS("plan", fixture_path("m"), "-o", "bird", "-d", fixture_path("there")), 0, WORDS(""));
    for (int i = 0; i < 2; i++) {
        const char *path = fixture_path(i ? "there/kube-1/bird6.cfg" : "there/kube-1/bird.cfg");
        assert_int_equal(lstat(path, &s), 0);
        assert_true(S_ISREG(s.st_mode));
        assert_int_equal(s.st_mode & 0777, 0600);
    }
    assert_int_equal(stat(fixture_path("precious"), &s), 0);
    assert_int_equal(s.st_size, 8);
}

/* A link in the place of a node's folder: what stands where it leads is somebody else's. */
static void test_bird_folders_are_no_links(void **state) {
    struct stat s;
    (void)state;
    assert_int_equal(mkdir(fixture_path("planted"), 0755), 0);
    assert_int_equal(mkdir(fixture_path("theirs"), 0755), 0);
    fixture_text("theirs/bird.cfg", "precious");
    assert_int_equal(symlink("../theirs", fixture_path("planted/kube-1")), 0);
    says(WORDS("plan", fixture_path("m"), "-o", "bird", "-d", fixture_path("planted")), 2,
         WORDS("planted/kube-1"));
    assert_int_equal(stat(fixture_path("theirs/bird.cfg"), &s), 0);
    assert_int_equal(s.st_size, 8);
    assert_int_equal(access(fixture_path("theirs/bird6.cfg"), F_OK), -1);
}

static void test_diff(void **state) {
    const char *m = fixture_path("m");
    (void)state;
    says(WORDS("plan", "--diff", m, fixture_path("off.yaml")), 3,
         WORDS("- session Mesh_10_0_0_2 (kube-2)", "1 session fall",
               "cut off: 2 routes between nodes are missing",
               "kube-2 has no route to 10.244.0.0/26 of kube-1"));
    says(WORDS("plan", "--diff", m, fixture_path("new.yaml")), 0,
         WORDS("+ session Node_10_0_0_2 (kube-2)", "in sum: sessions +2 -0 ~0"));
    says(WORDS("plan", "--diff", m, fixture_path("peer.yaml")), 0,
         WORDS("~ session Global_10_0_0_254: exportFilters [] -> [\"f\"]"));
    says(WORDS("plan", "--diff", m, fixture_path("bad.yaml")), 2, WORDS("refused", "peerIp"));
    says(WORDS("plan", "--diff", m, fixture_path("typo.yaml")), 0,
         WORDS("typo.yaml:2:7: warning: BGPPeer \"typo\": spec.peerSelector \"has(rr)\" matches"));
    says(WORDS("plan", "--diff", m), 2, WORDS("OLD and NEW"));
    says(WORDS("plan", "--diff", m, fixture_path("off.yaml"), "-o", "json"), 3,
         WORDS("\"steps\"", "\"unreachable\": 2"));
}

/* As kubectl prints it: the members of a list come into force one after the other. And two subnets
 * are joined, of course: a node reaches the other's address, so it can use its routes. */
static void test_diff_of_a_list(void **state) {
    (void)state;
    (void)mkdir(fixture_path("two-subnets"), 0755);
    fixture_text("two-subnets/now.yaml",
                 "apiVersion: v1\nkind: List\nitems:\n"
                 "- {apiVersion: projectcalico.org/v3, kind: Node, metadata: {name: a}, "
                 "spec: {bgp: {ipv4Address: 10.1.0.1/24}}}\n"
                 "- {apiVersion: projectcalico.org/v3, kind: Node, metadata: {name: b}, "
                 "spec: {bgp: {ipv4Address: 10.2.0.1/24}}}\n"
                 "- {apiVersion: projectcalico.org/v3, kind: IPPool, metadata: {name: p}, "
                 "spec: {cidr: 10.244.0.0/16}}\n");
    fixture_text("list.yaml", "apiVersion: v1\nkind: List\nitems:\n"
                              "- apiVersion: projectcalico.org/v3\n  kind: BGPConfiguration\n"
                              "  metadata: {name: default}\n"
                              "  spec: {nodeToNodeMeshEnabled: false}\n"
                              "- apiVersion: projectcalico.org/v3\n  kind: BGPPeer\n"
                              "  metadata: {name: all}\n"
                              "  spec: {nodeSelector: all(), peerSelector: all()}\n");
    const char *now = fixture_path("two-subnets"), *list = fixture_path("list.yaml");
    struct run r = run_words(WORDS("plan", "--diff", now, list));
    assert_int_equal(r.status, 3);
    assert_says(r.out, "1. BGPConfiguration default (");
    assert_says(r.out, "list.yaml:5): 0 sessions");
    assert_says(r.out, "cut off: 2 routes between nodes are missing");
    assert_says(r.out, "2. BGPPeer all (");
    assert_says(r.out, "1 session rise");
    assert_null(strstr(strstr(written(r.out), "2. BGPPeer"), "cut off"));
    run_close(&r);
}

/* What a router around the cluster reflects is not known, unless its configuration is given: here
 * one without an address, which NEW names. */
static void test_diff_with_routers(void **state) {
    const char *m = fixture_path("m"), *to = fixture_path("to-rr.yaml"),
               *rr = fixture_path("rr.ios");
    char text[1024];
    (void)state;
    fixture_text("rr.ios", "router bgp 64512\n" CLIENTS);
    snprintf(text, sizeof text,
             "%s---\n" V3 "kind: BGPPeer\nmetadata: {name: rr}\n"
             "spec: {peerIP: 10.0.0.200, asNumber: 64512}\n",
             mesh_off);
    fixture_text("to-rr.yaml", text);
    says(WORDS("plan", "--diff", m, to), 3,
         WORDS("it is not known what it reflects: with --cisco FILE"));
    says(WORDS("plan", "--diff", m, to, "-o", "json"), 3, WORDS("\"unreachable\": 2"));
    struct run r = run_words(WORDS("plan", "--diff", m, to, "--cisco", rr));
    const char *last = strstr(written(r.out), "2. BGPPeer rr");
    assert_int_equal(r.status, 3); /* the mesh still falls before the reflector's sessions rise */
    assert_says(r.out, "cut off: 2 routes between nodes are missing");
    assert_non_null(last);
    assert_null(strstr(last, "cut off"));
    assert_null(strstr(last, "it is not known"));
    run_close(&r);
    says(WORDS("plan", "--diff", m, to, "--cisco", fixture_path("none.ios")), 2, WORDS("none.ios"));
}

/* A refused document holds up none of the others, but where calicoctl cannot read it. */
static void test_diff_by_tool(void **state) {
    static const char refused[] = "apiVersion: projectcalico.org/v3\nkind: BGPPeer\n"
                                  "metadata: {name: late}\n"
                                  "spec: {peerIP: 10.0.0.9, asNumber: 1, filters: [none]}\n---\n";
    static const char unreadable[] = "apiVersion: projectcalico.org/v3\nkind: BGPPeer\n"
                                     "metadata: {name: late}\nspec: {peerip: 10.0.0.9}\n---\n";
    const char *m = fixture_path("m"), *both = fixture_path("both.yaml");
    char text[1024];
    (void)state;
    snprintf(text, sizeof text, "%s%s", refused, mesh_off);
    fixture_text("both.yaml", text);
    says(WORDS("plan", "--diff", m, both), 2,
         WORDS("1. BGPPeer late", ": refused", "both.yaml:4:49: BGPPeer \"late\"",
               "2. BGPConfiguration default", "1 session fall",
               "calicoctl: 1 of 2 resources take effect"));
    snprintf(text, sizeof text, "%s%s", unreadable, mesh_off);
    fixture_text("both.yaml", text);
    says(WORDS("plan", "--diff", m, both), 2,
         WORDS("in sum: sessions +0 -0 ~0", "2. BGPConfiguration default", "not reached",
               "calicoctl: 0 of 2 resources take effect"));
    says(WORDS("plan", "--diff", m, both, "--tool", "kubectl"), 2,
         WORDS("1 session fall", "kubectl: 1 of 2 resources take effect"));
    says(WORDS("plan", "--diff", m, both, "--tool", "helm"), 2,
         WORDS("--tool is calicoctl or kubectl, not: helm"));
    says(WORDS("plan", "--diff", m, both, "-o", "json"), 2,
         WORDS("\"applied\": 0", "unknown field"));
    snprintf(text, sizeof text, "%s---\nkind: [\n---\n%s", mesh_off, mesh_off);
    fixture_text("both.yaml", text);
    says(WORDS("plan", "--diff", m, both, "--tool", "kubectl"), 2,
         WORDS("1. BGPConfiguration default", "1 session fall",
               "kubectl: 1 of 1 resources take effect; a document that is no YAML ends its file",
               "both.yaml:7:1: error: did not find"));
    says(WORDS("plan", "--diff", m, both), 2, WORDS("both.yaml:7:1: error: did not find"));
}

/* Frozen nodes keep their sessions, hear nothing of the mesh, and all comes with the cure. */
static void test_diff_frozen(void **state) {
#define LATE(rest)                                                                                 \
    "apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: late}\n"                    \
    "spec: {peerIP: 10.0.0.9" rest "}\n---\n"
    char text[2048];
    (void)state;
    snprintf(text, sizeof text, "%s%s---\n%s", LATE(""), mesh_off, LATE(", asNumber: 65009"));
    fixture_text("frozen.yaml", text);
    says(WORDS("plan", "--diff", fixture_path("m"), fixture_path("frozen.yaml")), 3,
         WORDS("1. BGPPeer late", "3 sessions\n    2 configurations refused by BIRD",
               "kube-1, IPv4: Global_10_0_0_9: no AS number", "2. BGPConfiguration default",
               "): 3 sessions\n  3. BGPPeer late", "1 session fall", "2 sessions rise"));
}

static void test_diff_prune(void **state) {
    const char *m = fixture_path("m"), *off = fixture_path("off.yaml");
    (void)state;
    fixture_text("empty.yaml", "");
    says(WORDS("plan", "--diff", m, fixture_path("empty.yaml")), 2, WORDS("no manifest in it"));
    says(WORDS("plan", m, "--prune"), 2, WORDS("--prune has a meaning with --diff only"));
    says(WORDS("explain", "kub-1", "kube-2", fixture_path("m")), 2, WORDS("did you mean kube-1?"));
    says(WORDS("explain", "kube-1", "10.244.0.0/26", m), 2, WORDS("a prefix wants --to PEER"));
    says(WORDS("plan", "--diff", m, off), 3,
         WORDS("not in NEW, so they stay as before", "BGPPeer tor (", "IPPool "));
    says(WORDS("plan", "--diff", m, off, "--prune"), 3,
         WORDS("- session Global_10_0_0_254", "2. BGPPeer tor (", "taken out: 0 sessions"));
    says(WORDS("plan", "--diff", m, off, "--prune", "-o", "json"), 3,
         WORDS("\"pruned\": true", "\"stay\": []"));
}

/* The BGPPeers first, then the mesh off: no route is lost for good, the sessions start anew. */
static void test_diff_in_order(void **state) {
    char both[1024];
    (void)state;
    snprintf(both, sizeof both, "%s%s", replacement, mesh_off);
    fixture_text("both.yaml", both);
    says(WORDS("plan", "--diff", fixture_path("m"), fixture_path("both.yaml")), 3,
         WORDS("1. BGPPeer all", "2. BGPConfiguration default", "1 session start anew",
               "connect delay of 2 s"));
}

static void test_explain(void **state) {
    const char *m = fixture_path("m");
    (void)state;
    says(WORDS("explain", "kube-1", "kube-2", m), 0, WORDS("on by default", "comes up"));
    says(WORDS("explain", "kube-1", "10.0.0.77", m), 1, WORDS("has no session with"));
    says(WORDS("explain", "kube-1", "who", m), 2, WORDS("no address, no node and no session"));
    says(WORDS("explain", "kube-9", "kube-1", m), 2, WORDS("no node kube-9"));
    says(WORDS("explain", "kube-1", "kube-2", m, "--json"), 0, WORDS("\"because\""));
    says(WORDS("explain", "kube-1"), 2, WORDS("explain wants"));
    says(WORDS("explain", "kube-1", "kube-2", fixture_path("bad.yaml")), 2, WORDS("peerIp"));
}

static void test_explain_route(void **state) {
    const char *m = fixture_path("m"), *peer = fixture_path("peer.yaml");
    (void)state;
    says(WORDS("explain", "kube-1", "10.244.0.0/26", "--to", "10.0.0.254", m), 0,
         WORDS("=> own block 10.244.0.0/26: accept", "it passes"));
    says(WORDS("explain", "kube-1", "10.244.0.0/26", "--to", "10.0.0.254", m, peer), 1,
         WORDS("true  prefix in 10.244.0.0/26", "=> exportV4[0]", "not sent: BGPFilter f"));
    /* Learned in the mesh: not for another internal peer, but for the router outside. */
    says(WORDS("explain", "kube-1", "10.244.0.64/26", "--to", "10.0.0.254", m), 0,
         WORDS("=> pool 10.244.0.0/16: accept"));
    says(WORDS("explain", "kube-1", "10.244.0.64/26", "--to", "kube-2", m), 1,
         WORDS("never sent back to the neighbor"));
    says(WORDS("explain", "kube-1", "10.9.0.0/16", "--to", "kube-2", m), 1,
         WORDS("has no such route"));
    /* A router outside answers, and calls, where the cluster's manifests say. */
    says(WORDS("explain", "kube-1", "10.244.0.0/26", "--to", "10.0.0.253", m,
               fixture_path("port.yaml")),
         0, WORDS("Global_10_0_0_253_port_1790", "it passes"));
    says(WORDS("explain", "kube-1", "10.9.0.1/16", "--to", "kube-2", m), 2, WORDS("is no prefix"));
    says(WORDS("explain", "kube-1", "10.244.0.0/26", "--to", "kube-7", m), 1,
         WORDS("has no session with kube-7"));
    says(WORDS("explain", "kube-1", "10.244.0.0/26", "--to", "kube-2", m, "--json"), 0,
         WORDS("\"conditions\"", "\"end\": \"passes\""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_routers),
        cmocka_unit_test(test_routers_that_differ),
        cmocka_unit_test(test_bird_files),
        cmocka_unit_test(test_bird_files_replace),
        cmocka_unit_test(test_bird_folders_are_no_links),
        cmocka_unit_test(test_diff),
        cmocka_unit_test(test_diff_of_a_list),
        cmocka_unit_test(test_diff_in_order),
        cmocka_unit_test(test_diff_with_routers),
        cmocka_unit_test(test_diff_by_tool),
        cmocka_unit_test(test_diff_prune),
        cmocka_unit_test(test_diff_frozen),
        cmocka_unit_test(test_explain),
        cmocka_unit_test(test_explain_route),
    };
    return cmocka_run_group_tests(tests, setup, world_leave);
}
