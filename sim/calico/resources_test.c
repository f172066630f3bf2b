/*
 * Reading and applying manifests: what is refused, with its id and place; what applying replaces;
 * the manifests operators paste, as they are found and as they should be.
 */
#include "calico_test.h"

#include "selector.h"

#define HEAD(kind, name)                                                                           \
    "apiVersion: projectcalico.org/v3\nkind: " kind "\nmetadata:\n  name: " name "\nspec:\n"
/* The spec begins on line 6. */
#define CONFIG HEAD("BGPConfiguration", "default")
#define PEER HEAD("BGPPeer", "p")
#define FILTER HEAD("BGPFilter", "f") "  exportV4:\n  - " /* the rule begins at 7:5 */
#define FILTER6 HEAD("BGPFilter", "f") "  importV6:\n  - "
#define POOL HEAD("IPPool", "p")
#define NODE HEAD("Node", "n")

#define TEN "aaaaaaaaaa"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define LONG_NAME HUNDRED HUNDRED TEN TEN TEN TEN TEN "aaaa" /* 254 */
#define LONG_SELECTOR                                                                              \
    HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED TEN TEN TEN

static const struct {
    const char *text, *id;
    uint32_t line, column;
    const char *message; /* part of it */
} refused[] = {
    /* frames */
    {"hello", "no-object", 1, 1, "plain text"},
    {"- a\n- b", "no-object", 1, 3, "plain text"},
    {"spec: {asNumber: \"64513\"}", "patch-document", 1, 1, "calicoctl patch"},
    {"a: b", "missing-kind", 1, 1, "what object"},
    {"apiVersion: v1", "missing-kind", 1, 1, "kind is missing"},
    {"kind: BGPPeer", "missing-api-version", 1, 7, "projectcalico.org/v3"},
    {"apiVersion: v1\nkind: BGPPeer", "bad-api-version", 1, 13, "projectcalico.org/v3"},
    {"apiVersion: projectcalico.org/v2\nkind: IPPool", "bad-api-version", 1, 13, "did you mean"},
    {"apiVersion: projectcalico.org/v3\nkind: BgpPeer", "unknown-kind", 2, 7, "\"BGPPeer\""},
    {"apiVersion: projectcalico.org/v3\nkind: Nonsense", "unknown-kind", 2, 7, "Nonsense"},
    {"apiVersion: v1\nkind: List\nitems: 3", "wrong-type", 3, 8, "list"},
    {"apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {}", "required-field", 3, 11,
     "needs name"},
    {"apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: Rack_1}", "bad-name", 3, 18,
     "lower case"},
    {"apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: a, nam: b}",
     "unknown-field", 3, 21, "\"name\""},
    {"apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata:\n  name: a\npeerIP: 1.2.3.4",
     "unknown-field", 5, 1, "peerIP"},
    {"apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata:\nname: rack1-tor\nspec:\n"
     "peerIP: 192.20.30.40\nasNumber: 64567\n",
     "lost-indentation", 4, 1, "indent \"name\" below metadata: and \"peerIP\", \"asNumber\""},
    /* BGPConfiguration */
    {CONFIG "  nodeToNodeMeshEnable: false", "unknown-field", 6, 3, "nodeToNodeMeshEnabled"},
    {CONFIG "  bgpTimers:\n    holdTime: 30", "unknown-field", 6, 3, "keepaliveTime"},
    {CONFIG "  nodeToNodeMeshEnabled: \"false\"", "wrong-type", 6, 26, "true or false"},
    {CONFIG "  asNumber: 1.10", "wrong-type", 6, 13, "quotes"},
    {CONFIG "  asNumber: 4294967296", "bad-asn", 6, 13, "no AS number"},
    {CONFIG "  asNumber: [1]", "wrong-type", 6, 13, ""},
    {CONFIG "  asNumber: \"65536.1\"", "bad-asn", 6, 13, "two halves"},
    {CONFIG "  asNumber: \"1.65536\"", "bad-asn", 6, 13, "two halves"},
    {HEAD("BGPConfiguration", "node.a") "  serviceExternalIPs: []", "default-only", 6, 23,
     "non default"},
    {HEAD("BGPConfiguration", "node.a") "  serviceLoadBalancerIPs: []", "default-only", 6, 27,
     "non default"},
    {HEAD("BGPConfiguration", "node.a") "  nodeMeshMaxRestartTime: 9s", "default-only", 6, 27,
     "non default"},
    {HEAD("BGPConfiguration", "node.a") "  nodeMeshPassword: {secretKeyRef: {name: a, key: b}}",
     "default-only", 6, 21, "non default"},
    {CONFIG "  listenPort: 65536", "out-of-range", 6, 15, "65535"},
    {CONFIG "  ipv6NormalRoutePriority: 0", "out-of-range", 6, 28, "2147483646"},
    {CONFIG "  localWorkloadPeeringIPV4: fd00::1", "bad-address", 6, 29, "IPv4"},
    {CONFIG "  ignoredInterfaces: [a-name-of-16-let]", "bad-interface", 6, 23, "1 to 15"},
    {CONFIG "  communities:\n  - {name: a}\n  prefixAdvertisements: [{cidr: 10.0.0.0/8}]",
     "required-field", 7, 5, "name and value"},
    {CONFIG "  communities:\n  - {name: a, value: 1:4294967296:1}\n", "bad-community", 7, 22,
     "32 bit"},
    {HEAD("BGPConfiguration", "node.a") "  asNumber: 1", "default-only", 6, 13, "non default"},
    {HEAD("BGPConfiguration", "node.a") "  nodeToNodeMeshEnabled: true", "default-only", 6, 26,
     "non default"},
    {HEAD("BGPConfiguration", "node.a") "  serviceClusterIPs: []", "default-only", 6, 22,
     "non default"},
    {CONFIG "  listenPort: 0", "out-of-range", 6, 15, "65535"},
    {CONFIG "  bindMode: nodeip", "unknown-value", 6, 13, "NodeIP"},
    {CONFIG "  logSeverityScreen: loud", "unknown-value", 6, 22, "none of"},
    {CONFIG "  programClusterRoutes: On", "unknown-value", 6, 25, ""},
    {CONFIG "  ignoredInterfaces: ['*']", "bad-interface", 6, 23, "not * alone"},
    {CONFIG "  serviceClusterIPs:\n  - cidr: 10.96.0.1/12", "cidr-host-bits", 7, 11,
     "10.96.0.0/12"},
    {CONFIG "  communities:\n  - name: a\n    value: \"65535:65281\"", "unused-communities", 6, 3,
     "prefixAdvertisements"},
    {CONFIG "  communities:\n  - name: a\n    value: \"1:70000\"\n", "bad-community", 8, 12,
     "16 bit"},
    {CONFIG "  communities:\n  - name: a\n    value: nonsense\n", "bad-community", 8, 12, "aa:nn"},
    {CONFIG "  prefixAdvertisements:\n  - cidr: 10.0.0.0/8\n    communities: [gold]\n",
     "bad-community", 8, 19, "not defined"},
    {CONFIG "  nodeToNodeMeshEnabled: false\n  nodeMeshMaxRestartTime: 10s", "mesh-disabled", 7, 3,
     "nodeToNodeMeshEnabled is false"},
    {CONFIG "  nodeToNodeMeshEnabled: false\n  nodeMeshPassword:\n    secretKeyRef: {name: a, "
            "key: b}",
     "mesh-disabled", 7, 3, "cannot be set"},
    {CONFIG "  nodeMeshPassword: secret", "wrong-type", 6, 21, "secretKeyRef"},
    {CONFIG "  nodeMeshPassword:\n    secretKeyRef: {name: a}", "required-field", 7, 5,
     "name and key"},
    {CONFIG "  ipv4NormalRoutePriority: 2147483647", "out-of-range", 6, 28, "2147483646"},
    /* BGPPeer */
    {PEER "  node: a\n  nodeSelector: all()", "exclusive-fields", 7, 3, "cannot both be set"},
    {PEER "  peerIP: 1.2.3.4\n  peerSelector: all()", "exclusive-fields", 7, 3, "peerSelector"},
    {PEER "  peerSelector: all()\n  asNumber: 1", "exclusive-fields", 7, 3, "must be empty"},
    {PEER "  localWorkloadSelector: all()\n  asNumber: 1\n  peerIP: 1.2.3.4", "exclusive-fields", 8,
     3, "localWorkloadSelector"},
    {PEER "  localWorkloadSelector: all()", "required-field", 6, 3, "asNumber is required"},
    {PEER "  peerSelector: all()\n  reachableBy: 1.2.3.4", "required-field", 7, 3,
     "peerIP is empty"},
    {PEER "  peerIP: 1.2.3.4\n  asNumber: 1\n  reachableBy: fd00::1", "address-family", 8, 3,
     "mismatched"},
    {PEER "  peerSelector: all()\n  keepOriginalNextHop: true\n  nextHopMode: Self",
     "exclusive-fields", 8, 3, "nextHopMode"},
    {PEER "  peerIP: 1.2.3.4:0\n  asNumber: 1", "bad-peer-ip", 6, 11, "port"},
    {PEER "  peerIP: fd00::1:x\n  asNumber: 1", "bad-peer-ip", 6, 11, "[IPv6]:port"},
    {PEER "  peerIP: tor.example\n  asNumber: 1", "bad-peer-ip", 6, 11, "tor.example"},
    {PEER "  asPathPrepend: 2", "unknown-field", 6, 3, "prependASPath"},
    {PEER "  nodeSelecter: all()", "unknown-field", 6, 3, "nodeSelector"},
    {PEER "  failureDetection: {mode: None}", "unknown-field", 6, 3, "Enterprise"},
    {PEER "  nextHopSelf: true", "unknown-field", 6, 3, "nextHopMode: Self"},
    {PEER "  selector: all()", "unknown-field", 6, 3, "not recognized"}, /* part of three */
    {CONFIG "  nodeToNodeMesh: false", "unknown-field", 6, 3, "\"nodeToNodeMeshEnabled\""},
    {CONFIG "  serviceExternalIPs: [203.0.113.0/24]", "wrong-type", 6, 24,
     "write {cidr: 203.0.113.0/24}"},
    {FILTER "{action: Accept, operator: In}", "unknown-field", 7, 22, "\"matchOperator\""},
    {PEER "  nodeSelector: rack = 'a'", "bad-selector", 6, 22, "expected =="},
    {PEER "  nodeSelector: \"rack = 'a'\"", "bad-selector", 6, 23, "expected =="},
    {PEER "  nodeSelector: |\n    has(a)\n", "bad-selector", 6, 17, "line break"},
    {PEER "  ttlSecurity: 256", "out-of-range", 6, 16, "255"},
    {PEER "  numAllowedLocalASNumbers: -1", "out-of-range", 6, 29, ""},
    {PEER "  peerIP: 1.2.3.4\n  asNumber: 1\n  reachableBy: tor", "bad-address", 8, 16, "tor"},
    {PEER "  nodeSelector: " LONG_SELECTOR, "too-long", 6, 17, "1024"},
    {PEER "  node: " LONG_NAME, "too-long", 6, 9, "253"},
    {PEER "  peerIP: 1.2.3.4:65536\n  asNumber: 1", "bad-peer-ip", 6, 11, "65535"},
    {PEER "  peerIP: '[1.2.3.4]:179'\n  asNumber: 1", "bad-peer-ip", 6, 11, "[IPv6]:port"},
    {PEER "  localWorkloadSelector: all()\n  peerSelector: all()", "exclusive-fields", 7, 3,
     "localWorkloadSelector"},
    {PEER "  maxRestartTime: 10", "wrong-type", 6, 19, ""},
    {PEER "  maxRestartTime: 30h", "out-of-range", 6, 19, "65535"},
    {PEER "  reversePeering: Never", "unknown-value", 6, 19, "Manual"},
    {PEER "  filters: f", "wrong-type", 6, 12, "list"},
    {PEER "  peerSelector: all()\n  filters: [a, none]", "missing-filter", 7, 13, "\"a\""},
    {"apiVersion: crd.projectcalico.org/v1\nkind: BGPPeer\nmetadata: {name: a}\nspec: {peerIP: "
     "1.2.3.4, asNumber: \"1\"}",
     "wrong-type", 4, 35, "without quotes"},
    {"apiVersion: crd.projectcalico.org/v1\nkind: BGPPeer\nmetadata: {name: a}\nspec: {peerIP: "
     "1.2.3.4, asNumber: 2147483648}",
     "asn-int32", 4, 35, "int32"},
    {"apiVersion: crd.projectcalico.org/v1\nkind: BGPPeer\nmetadata: {name: a}\nspec: {node: "
     "yes, peerIP: 1.2.3.4, asNumber: 1}",
     "wrong-type", 4, 14, "boolean"},
    {"apiVersion: v1\nkind: Node\nmetadata: {name: 12}", "wrong-type", 3, 18, "number"},
    {"apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {clusterIP: nowhere}",
     "bad-address", 4, 19, "no IP address"},
    {"apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {typ: NodePort}", "unknown-field",
     4, 8, "\"type\""},
    {"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s}", "required-field",
     1, 1, "IPv4 or IPv6"},
    {HEAD("CalicoNodeStatus", "s") "  classes: [BGP, BGP]\n  node: n\n  updatePeriodSeconds: 1",
     "duplicate-value", 6, 18, "twice"},
    {HEAD("CalicoNodeStatus", "s") "  classes: [BGP]\n  updatePeriodSeconds: 1", "required-field",
     6, 3, "needs node"},
    {HEAD("CalicoNodeStatus", "s") "  node: n\n  classes: []\n  updatePeriodSeconds: 86401",
     "out-of-range", 8, 24, "86400"},
    /* BGPFilter */
    {FILTER "{action: Reject, cidr: 0.0.0.0/0}", "missing-match-operator", 7, 22, "leave out cidr"},
    {FILTER "{action: Reject, cidr: 10.0.0.0/8}", "missing-match-operator", 7, 22,
     "add matchOperator: In"},
    {FILTER "{action: Reject, matchOperator: In}", "missing-cidr", 7, 22, "add cidr"},
    {FILTER "{action: Reject, prefixLength: {min: 8}}", "missing-cidr", 7, 22, "cidr is required"},
    {FILTER "{cidr: 10.0.0.0/8, matchOperator: In}", "required-field", 7, 5, "action"},
    {FILTER "{action: Drop}", "unknown-value", 7, 14, ""},
    {FILTER "{action: Accept, cidr: 10.0.0.1/8, matchOperator: In}", "cidr-host-bits", 7, 28,
     "10.0.0.0/8"},
    {FILTER "{action: Accept, cidr: 10.0.0.0, matchOperator: In}", "bad-cidr", 7, 28,
     "10.0.0.0/32"},
    {FILTER "{action: Accept, cidr: 5000::/64, matchOperator: In}", "cidr-family", 7, 28, "IPv4"},
    {FILTER6 "{action: Accept, cidr: 10.0.0.0/8, matchOperator: In}", "cidr-family", 7, 28, "IPv6"},
    {FILTER "{action: Accept, cidr: 10.0.0.0/8, matchOperator: Inside}", "unknown-value", 7, 55,
     ""},
    {FILTER "{action: Accept, cidr: 10.0.0.0/8, matchOperator: In, prefixLength: {max: 33}}",
     "out-of-range", 7, 79, "32"},
    {FILTER6 "{action: Accept, cidr: fd00::/8, matchOperator: In, prefixLength: {max: 129}}",
     "out-of-range", 7, 77, "128"},
    {FILTER "{action: Accept, operations: []}", "required-field", 7, 34, "1 to 10"},
    {FILTER "{action: Accept, operations: [{}]}", "exclusive-fields", 7, 35, "exactly one"},
    {FILTER "{action: Accept, operations: [{addCommunity: {value: '1:70000'}}]}", "bad-community",
     7, 58, "16 bit"},
    {FILTER "{action: Accept, source: Local}", "unknown-value", 7, 30, ""},
    {FILTER "{action: Accept, interface: 'eth 0'}", "bad-interface", 7, 33, "pattern"},
    {FILTER "{action: Accept, peerType: ebgp}", "unknown-value", 7, 32, "eBGP"},
    {FILTER "{action: Accept, communities: {values: ['1:1', '1:2']}}", "too-many", 7, 44, "1"},
    {FILTER "{action: Accept, communities: {values: ['1']}}", "bad-community", 7, 45, "aa:nn"},
    {FILTER "{action: Accept, priority: 0}", "out-of-range", 7, 32, "2147483646"},
    {FILTER "{action: Reject, operations: [{setPriority: {value: 1}}]}", "operations-on-reject", 7,
     22, "Accept"},
    {FILTER "{action: Accept, operations: [{setPriority: {value: 1}, addCommunity: {value: "
            "'1:1'}}]}",
     "exclusive-fields", 7, 35, "exactly one"},
    {FILTER "{action: Accept, operations: [{prependASPath: {prefix: []}}]}", "required-field", 7,
     51, "1 to 10"},
    {FILTER "{action: Accept, operations: [{prependASPath: {prefix: [1,2,3,4,5,6,7,8,9,10,11]}}]}",
     "too-many", 7, 60, "10"},
    {FILTER "{action: Accept, operations: [{addCommunity: {value: null}}]}", "required-field", 7,
     50, "aa:nn"},
    {FILTER "{action: Accept, operations: [{setPriority: null}]}", "exclusive-fields", 7, 35,
     "exactly one"},
    {FILTER "{action: Accept, communities: {values: [null]}}", "wrong-type", 7, 45,
     "must be a text"},
    {CONFIG "  prefixAdvertisements:\n  - cidr: 10.0.0.0/8\n    communities: ['']\n",
     "bad-community", 8, 19, "empty"},
    /* IPPool */
    {POOL "  blockSize: 26", "required-field", 1, 1, "cidr"},
    {POOL "  cidr: 10.244.0.0/16\n  blockSize: 19", "bad-block-size", 7, 14, "20 to 32"},
    {POOL "  cidr: 10.244.0.0/27", "pool-too-small", 6, 9, "/26"},
    {POOL "  cidr: fd00::/48\n  ipipMode: Always", "ipip-ipv6", 7, 3, "IPv6"},
    {POOL "  cidr: 10.0.0.0/16\n  ipip: {enabled: true}", "unknown-field", 7, 3, "ipipMode"},
    {POOL "  cidr: 10.0.0.0/16\n  nat-outgoing: true", "unknown-field", 7, 3, "natOutgoing"},
    {POOL "  cidr: 10.0.0.0/16\n  ipipMode: Always\n  vxlanMode: Always", "exclusive-fields", 8, 3,
     "both"},
    {POOL "  cidr: fe80::/64", "link-local", 6, 9, "link-local"},
    {POOL "  cidr: 10.0.0.0/16\n  nodeSelector: \"!node-role.kubernetes.io/master\"",
     "bad-selector", 7, 19, "!has(node-role.kubernetes.io/master)"},
    {POOL "  cidr: 10.0.0.0/16\n  nodeSelector: global()", "bad-selector", 7, 17, "IPPool"},
    {POOL "  cidr: 10.0.0.0/16\n  allowedUses: [Workload, LoadBalancer]", "bad-allowed-uses", 7, 16,
     "combined"},
    {POOL "  cidr: 10.0.0.1/16", "cidr-host-bits", 6, 9, "10.0.0.0/16"},
    {POOL "  cidr: fd00::/48\n  blockSize: 115", "bad-block-size", 7, 14, "116 to 128"},
    {POOL "  cidr: 10.0.0.0/16\n  blockSize: 33", "bad-block-size", 7, 14, "20 to 32"},
    {POOL "  cidr: 10.0.0.0/16\n  allowedUses: [LoadBalancer]\n  ipipMode: Always",
     "bad-allowed-uses", 8, 3, "LoadBalancer only"},
    {POOL "  cidr: 10.0.0.0/16\n  allowedUses: [LoadBalancer]\n  disableBGPExport: true",
     "bad-allowed-uses", 8, 3, "LoadBalancer only"},
    {POOL "  cidr: 10.0.0.0/16\n  allowedUses: [LoadBalancer]\n  nodeSelector: has(a)",
     "bad-allowed-uses", 8, 3, "LoadBalancer only"},
    {POOL "  cidr: 10.0.0.0/16\n  assignmentMode: Auto", "unknown-value", 7, 19, "Automatic"},
    {POOL "  cidr: 10.0.0.0/16\n  namespaceSelector: a = b", "bad-selector", 7, 24, "expected =="},
    /* BlockAffinity */
    {HEAD("BlockAffinity", "a") "  {cidr: 10.0.0.0/26, state: confirmed}", "required-field", 6, 3,
     "node and cidr"},
    {HEAD("BlockAffinity", "a") "  {node: n, cidr: 10.0.0.1/26}", "cidr-host-bits", 6, 19, ""},
    {HEAD("BlockAffinity", "a") "  {node: n, cidr: 10.0.0.0/26, state: held}", "unknown-value", 6,
     39, "confirmed"},
    /* Node, Secret */
    {NODE "  bgp: {}", "empty-bgp", 6, 8, "should not be empty"},
    {NODE "  bgp: {ipv4Address: fd00::1}", "bad-address", 6, 22, "IPv4"},
    {NODE "  bgp: {routeReflectorClusterID: one}", "bad-address", 6, 34, "one"},
    {"apiVersion: v1\nkind: Node\nmetadata:\n  name: n\n  labels: {rr: yes}", "wrong-type", 5, 16,
     "boolean"},
    {"apiVersion: v1\nkind: Node\nmetadata:\n  name: n\n  labels: {rack: 1}", "wrong-type", 5, 18,
     "number"},
    {"apiVersion: v1\nkind: Node\nmetadata: {name: n}\nspec: {bgp: {asNumber: 1}}", "unknown-field",
     4, 8, "annotations"},
    {"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {key: '?'}", "bad-base64", 4, 13,
     "stringData"},
    {"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nspec: {}", "unknown-field", 4, 1, "spec"},
};

static void test_refused(void **state) {
    struct fixture *f = *state;
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        fixture_forget(f);
        bool ok = fixture_apply(f, refused[i].text, true);
        const struct diag *d = fixture_find(f, refused[i].id);
        if (!ok && d && d->severity == DIAG_ERROR && d->line == refused[i].line &&
            d->column == refused[i].column && strstr(d->message, refused[i].message))
            continue;
        wrong++;
        print_message("%s at %u:%u with \"%s\" expected, found:\n", refused[i].id, refused[i].line,
                      refused[i].column, refused[i].message);
        fixture_show(f);
    }
    assert_int_equal(wrong, 0);
    assert_int_equal(calico_peer_count(f->set), 0);
    assert_int_equal(calico_filter_count(f->set), 0);
    assert_int_equal(calico_pool_count(f->set), 0);
    assert_int_equal(calico_node_count(f->set), 0);
    assert_null(calico_config_find(f->set, "default"));
}

/* The edges that are still inside. */
static const char *const accepted[] = {
    CONFIG "  asNumber: \"65535.65535\"",
    CONFIG "  asNumber: 4294967295",
    CONFIG "  asNumber: 0",
    CONFIG "  listenPort: 65535",
    CONFIG "  logSeverityScreen: DEBUG",
    CONFIG "  logSeverityScreen: ''",
    CONFIG "  ipv4NormalRoutePriority: 1\n  ipv6NormalRoutePriority: 2147483646",
    CONFIG "  ignoredInterfaces: ['eth*', lo, a-name_of.15let]",
    CONFIG "  serviceClusterIPs: [{}, {cidr: 10.96.0.1/32}]",
    CONFIG "  communities: [{name: a, value: '65535:65535'}, {name: b, value: "
           "'4294967295:0:4294967295'}]\n  prefixAdvertisements: [{cidr: 0.0.0.0/0, communities: "
           "[a, b]}]",
    CONFIG "  nodeToNodeMeshEnabled: true\n  nodeMeshMaxRestartTime: 10s",
    HEAD("BGPConfiguration", "node.n") "  listenPort: 1\n  logSeverityScreen: Fatal\n"
                                       "  prefixAdvertisements: [{cidr: 10.0.0.0/8, communities: "
                                       "['1:2']}]",
    PEER "  {}",              /* no remote side: accepted silently */
    PEER "  peerIP: 1.2.3.4", /* no asNumber: likewise */
    PEER "  peerIP: 1.2.3.4:65535\n  asNumber: 1\n  ttlSecurity: 255",
    PEER "  peerIP: '[fd00::1]:1'\n  asNumber: 1\n  reachableBy: fd00::2",
    PEER "  node: not-there\n  peerSelector: all()",
    PEER "  peerSelector: all()\n  nextHopMode: Auto\n  keepaliveTime: 1m",
    FILTER "{action: Reject}",
    FILTER "{action: Reject, cidr: 10.0.0.0/8, matchOperator: In, prefixLength: {min: 0, max: 32}}",
    FILTER "{action: Reject, cidr: 10.0.0.0/8, matchOperator: In, prefixLength: {min: 9, max: 8}}",
    FILTER6 "{action: Accept, cidr: fd00::/8, matchOperator: NotIn, prefixLength: {max: 128}}",
    FILTER "{action: Accept, priority: 2147483646, interface: 'cali*', source: RemotePeers}",
    FILTER "{action: Accept, operations: [{prependASPath: {prefix: [1,2,3,4,5,6,7,8,9,10]}}]}",
    POOL "  cidr: 10.0.0.0/16\n  blockSize: 20",
    POOL "  cidr: 10.0.0.0/16\n  blockSize: 32",
    POOL "  cidr: fd00::/48\n  blockSize: 116\n  vxlanMode: CrossSubnet",
    POOL "  cidr: fd00::/112\n  blockSize: 128",
    POOL "  cidr: 10.0.0.0/27\n  disabled: true",
    POOL "  cidr: 10.0.0.0/16\n  allowedUses: [LoadBalancer]\n  nodeSelector: all()",
    POOL "  cidr: 10.0.0.0/16\n  allowedUses: [Tunnel]\n  ipipMode: CrossSubnet",
    NODE "  bgp: {routeReflectorClusterID: 0.0.0.0}",
    NODE "  bgp: {ipv4Address: 10.0.0.1, asNumber: \"64512\"}",
};

static void test_accepted(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
        fixture_must_apply(f, accepted[i]);
        calico_set_free(f->set);
        f->set = calico_set_new();
    }
}

/* Lists have room for what their limits say, and for one more no longer. */
static void test_list_limits(void **state) {
    static const struct {
        const char *begin, *item, *end;
        unsigned max;
    } lists[] = {
        {CONFIG "  prefixAdvertisements: [{cidr: 10.0.0.0/8, communities: [", "'1:1',", "]}]\n",
         50},
        {CONFIG "  prefixAdvertisements: [", "{cidr: 10.0.0.0/8, communities: ['1:1']},", "]\n",
         500},
        {CONFIG "  prefixAdvertisements: [{cidr: 10.0.0.0/8, communities: [a]}]\n"
                "  communities: [",
         "{name: a, value: '1:1'},", "]\n", 500},
        {FILTER "{action: Accept, operations: [", "{addCommunity: {value: '1:1'}},", "]}\n", 10},
        {FILTER "{action: Accept, operations: [{prependASPath: {prefix: [", "1,", "]}}]}\n", 10},
    };
    struct fixture *f = *state;
    struct text t;
    text_init(&t);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        for (unsigned more = 0; more < 2; more++) {
            text_clear(&t);
            text_puts(&t, lists[i].begin);
            for (unsigned k = 0; k < lists[i].max + more; k++)
                text_puts(&t, lists[i].item);
            text_puts(&t, lists[i].end);
            fixture_forget(f);
            assert_int_equal(fixture_apply(f, text_str(&t), true), !more);
            assert_int_equal(fixture_find(f, "too-many") != NULL, more);
        }
    text_deinit(&t);
}

static void test_all_at_once(void **state) {
    struct fixture *f = *state;
    assert_false(fixture_apply(
        f, PEER "  peerIP: x\n  asNumber: y\n  colour: red\n---\n" CONFIG "  asNumber: 0x\n",
        true));
    assert_int_equal(diag_error_count(f->diags), 4);
}

static void test_nothing_applied_after_error(void **state) {
    struct fixture *f = *state;
    assert_false(fixture_apply(f, POOL "  cidr: 10.0.0.0/16\n---\n" PEER "  colour: red\n", true));
    assert_int_equal(calico_pool_count(f->set), 0);
    fixture_forget(f);
    fixture_must_apply(f, POOL "  cidr: 10.0.0.0/16\n");
    assert_int_equal(calico_pool_count(f->set), 1);
}

static void test_fields(void **state) {
    struct fixture *f = *state;
    fixture_must_apply(f, CONFIG "  nodeToNodeMeshEnabled: no\n  asNumber: \"1.10\"\n"
                                 "  listenPort: 1179\n  bindMode: NodeIP\n"
                                 "  communities: [{name: gold, value: 100:6532}]\n"
                                 "  prefixAdvertisements: [{cidr: 10.0.0.0/8, communities: [gold, "
                                 "1:2:3]}]\n");
    const struct calico_bgp_configuration *c = calico_config_find(f->set, "default");
    assert_true(c->mesh_set && !c->mesh_enabled);
    assert_int_equal(c->as_number, 65546);
    assert_int_equal(c->listen_port, 1179);
    assert_true(c->bind_node_ip);
    assert_string_equal(c->communities[0].value, "100:6532");
    assert_int_equal(c->prefix_advertisements[0].community_count, 2);

    fixture_must_apply(f, PEER "  peerIP: '[fd00::1]:1179'\n  asNumber: 65001\n"
                               "  maxRestartTime: 1m30.5s\n  keepaliveTime: 499ms\n"
                               "  nextHopMode: Keep\n  ttlSecurity: 3\n  localASNumber: 65002\n"
                               "  sourceAddress: None\n  reversePeering: Manual\n");
    const struct calico_bgp_peer *p = calico_peer_at(f->set, 0);
    assert_int_equal(p->peer_ip.family, IP_V6);
    assert_int_equal(p->peer_port, 1179);
    assert_int_equal(p->max_restart_time_s, 91);
    assert_int_equal(p->keepalive_s, 0);
    assert_int_equal(p->next_hop_mode, CALICO_NEXT_HOP_KEEP);
    assert_true(p->source_address_none && p->reverse_manual);
    assert_int_equal(p->ttl_security, 3);
    assert_int_equal(p->place.line, 2);
    assert_string_equal(p->place.file, "t.yaml");
}

static void test_apply_replaces(void **state) {
    struct fixture *f = *state;
    fixture_must_apply(f, PEER "  peerIP: 1.2.3.4\n  asNumber: 1\n  ttlSecurity: 2\n");
    fixture_must_apply(f, PEER "  peerIP: 1.2.3.5\n  asNumber: 1\n");
    assert_int_equal(calico_peer_count(f->set), 1);
    assert_int_equal(calico_peer_at(f->set, 0)->ttl_security, 0);
}

static void test_copy_is_apart(void **state) {
    struct fixture *f = *state;
    fixture_must_apply(f, PEER "  peerIP: 1.2.3.4\n  asNumber: 1\n");
    struct calico_set *before = calico_set_copy(f->set);
    fixture_must_apply(f, PEER "  peerIP: 1.2.3.5\n  asNumber: 2\n");
    assert_int_equal(calico_peer_at(before, 0)->as_number, 1);
    assert_int_equal(calico_peer_at(f->set, 0)->as_number, 2);
    calico_set_free(f->set);
    f->set = before;
    assert_int_equal(calico_peer_at(f->set, 0)->as_number, 1);
}

static void test_delete(void **state) {
    struct fixture *f = *state;
    struct yaml_document *documents;
    fixture_must_apply(f, PEER "  peerIP: 1.2.3.4\n  asNumber: 1\n");
    int count = fixture_documents(f, PEER "  anything: goes\n", &documents);
    assert_true(calico_delete(f->set, documents, (size_t)count, f->diags));
    assert_int_equal(calico_peer_count(f->set), 0);
    assert_true(calico_delete(f->set, documents, (size_t)count, f->diags));
    assert_non_null(fixture_find(f, "missing-object"));
}

static void test_lists(void **state) {
    struct fixture *f = *state;
    fixture_must_apply(f, "apiVersion: v1\nkind: List\nitems:\n"
                          "- {apiVersion: projectcalico.org/v3, kind: IPPool, metadata: {name: a}, "
                          "spec: {cidr: 10.0.0.0/16}}\n"
                          "- apiVersion: projectcalico.org/v3\n  kind: IPPoolList\n  items:\n"
                          "  - {kind: IPPool, metadata: {name: b}, spec: {cidr: 10.1.0.0/16}}\n"
                          "---\n- {apiVersion: projectcalico.org/v3, kind: IPPool, metadata: "
                          "{name: c}, spec: {cidr: fd00::/48}}\n"
                          "---\n{apiVersion: apps/v1, kind: Deployment, metadata: {name: x}}\n");
    assert_int_equal(calico_pool_count(f->set), 3);
    assert_int_equal(calico_pool_at(f->set, 2)->block_size, 122);
    assert_non_null(fixture_find(f, "ignored-kind"));
    /* Lists of kinds without a part in BGP, as calicoctl prints them, are read past. */
    fixture_must_apply(f,
                       "apiVersion: projectcalico.org/v3\nkind: FelixConfigurationList\nitems:\n"
                       "- {apiVersion: projectcalico.org/v3, kind: FelixConfiguration, "
                       "metadata: {name: default}, spec: {}}\nmetadata: {resourceVersion: '1'}\n");
    assert_false(
        fixture_apply(f, "apiVersion: projectcalico.org/v3\nkind: BGPPierList\nitems: []\n", true));
    fixture_forget(f);
}

static void test_references(void **state) {
    struct fixture *f = *state;
    const char *peer_first =
        PEER "  peerSelector: all()\n  filters: [f]\n---\n" FILTER "{action: Accept}\n";
    assert_false(fixture_apply(f, peer_first, true));
    assert_non_null(fixture_find(f, "filter-after-peer"));
    fixture_forget(f);
    assert_true(fixture_apply(f, peer_first, false));
    fixture_must_apply(f, PEER "  peerSelector: all()\n  filters: [f]\n");
}

static void test_pools_together(void **state) {
    struct fixture *f = *state;
    fixture_must_apply(f, POOL "  cidr: 10.244.0.0/16\n");
    assert_false(fixture_apply(f, HEAD("IPPool", "q") "  cidr: 10.244.128.0/17\n", true));
    assert_non_null(fixture_find(f, "pool-overlap"));
    assert_false(fixture_apply(f, POOL "  cidr: 10.245.0.0/16\n", true));
    assert_non_null(fixture_find(f, "immutable-field"));
    fixture_forget(f);
    assert_false(fixture_apply(f, POOL "  cidr: 10.244.0.0/16\n  blockSize: 27\n", true));
    assert_non_null(strstr(fixture_find(f, "immutable-field")->message, "from 26 to 27"));
}

static void test_order_warnings(void **state) {
    struct fixture *f = *state;
    static const char stored[] =
        "apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata:\n  name: stored\n"
        "  resourceVersion: '7'\nspec:\n  peerIP: 1.2.3.4\n  asNumber: 1\n";
    char both[600];
    snprintf(both, sizeof both, CONFIG "  nodeToNodeMeshEnabled: false\n---\n%s", stored);
    fixture_must_apply(f, both); /* as a cluster is read: by name, all of it there already */
    assert_null(fixture_find(f, "mesh-off-first"));
}

static void test_order_warnings_of_changes(void **state) {
    struct fixture *f = *state;
    fixture_must_apply(f, CONFIG "  nodeToNodeMeshEnabled: false\n---\n" PEER
                                 "  peerIP: 1.2.3.4\n  asNumber: 1\n");
    assert_non_null(fixture_find(f, "mesh-off-first"));
    fixture_must_apply(f, CONFIG "  asNumber: 64512\n");
    assert_non_null(fixture_find(f, "mesh-back-on"));
    fixture_must_apply(f, PEER "  peerIP: 1.2.3.4\n  asNumber: 1\n---\n" PEER
                               "  peerIP: 1.2.3.5\n  asNumber: 1\n");
    assert_non_null(fixture_find(f, "replaced-in-bundle"));
}

/* ---- nodes ---- */

static const char *label_of(const struct calico_node *n, const char *name) {
    for (size_t i = 0; i < n->label_count; i++)
        if (strcmp(n->labels[i].name, name) == 0)
            return n->labels[i].value;
    return NULL;
}

static void test_node_layers(void **state) {
    struct fixture *f = *state;
    fixture_node(f, "n", "10.0.0.1", 64513, NULL);
    struct calico_node again = {.name = "n"};
    assert_false(calico_add_node(f->set, &again));
    fixture_must_apply(f, "apiVersion: projectcalico.org/v3\nkind: Node\nmetadata:\n  name: n\n"
                          "  labels: {rr: yes, rack: 1}\n"
                          "spec: {bgp: {routeReflectorClusterID: 224.0.0.1}}\n");
    const struct calico_node *n = calico_node_find(f->set, "n");
    assert_int_equal(n->as_number, 64513);
    assert_true(n->has_cluster_id);
    assert_string_equal(label_of(n, "rr"), "true");
    assert_string_equal(label_of(n, "rack"), "1");
    assert_string_equal(label_of(n, "worker"), "true");
    fixture_must_apply(f, "apiVersion: v1\nkind: Node\nmetadata:\n  name: n\n"
                          "  labels: {rack: \"2\"}\n  annotations:\n"
                          "    projectcalico.org/ASNumber: \"64514\"\n"
                          "    projectcalico.org/IPv4Address: 10.0.0.9/16\n"
                          "    projectcalico.org/labels: '{\"rack\":\"3\",\"zone\":\"z\"}'\n");
    n = calico_node_find(f->set, "n");
    assert_int_equal(n->as_number, 64514);
    assert_int_equal(n->length4, 16);
    assert_string_equal(label_of(n, "rack"), "2");
    assert_string_equal(label_of(n, "zone"), "z");
    /* calicoctl writes all annotations anew; Kubernetes' labels stay. */
    fixture_must_apply(f, "apiVersion: projectcalico.org/v3\nkind: Node\nmetadata: {name: n}\n"
                          "spec: {bgp: {asNumber: 64515}}\n");
    n = calico_node_find(f->set, "n");
    assert_int_equal(n->as_number, 64515);
    assert_int_equal(n->length4, 24);
    assert_false(n->has_cluster_id);
    assert_string_equal(label_of(n, "rack"), "2");
    assert_null(label_of(n, "rr"));
}

/* Unquoted numbers in any form of YAML's are numbers, and texts where a text is wanted. */
static void test_scalars(void **state) {
    struct fixture *f = *state;
    fixture_must_apply(f, CONFIG "  asNumber: 0o10\n  listenPort: 0x10\n---\n" PEER
                                 "  peerIP: 1.2.3.4\n  asNumber: 1e3\n  "
                                 "numAllowedLocalASNumbers: 010\n---\napiVersion: "
                                 "projectcalico.org/v3\nkind: Node\nmetadata: {name: n, labels: "
                                 "{a: 1e3, b: 010, c: '010', d: y}}\n");
    assert_int_equal(calico_config_find(f->set, "default")->as_number, 8);
    assert_int_equal(calico_config_find(f->set, "default")->listen_port, 16);
    assert_int_equal(calico_peer_at(f->set, 0)->as_number, 1000);
    assert_int_equal(calico_peer_at(f->set, 0)->allowed_local_as, 8);
    static const char *const values[] = {"1000", "8", "010", "true"};
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(calico_node_at(f->set, 0)->labels[i].value, values[i]);
}

static void test_bad_annotations_are_ignored(void **state) {
    struct fixture *f = *state;
    fixture_must_apply(f, "apiVersion: v1\nkind: Node\nmetadata:\n  name: n\n  annotations:\n"
                          "    projectcalico.org/ASNumber: many\n"
                          "    projectcalico.org/RouteReflectorClusterId: 1.2.3.4\n");
    assert_non_null(fixture_find(f, "bad-annotation"));
    assert_non_null(fixture_find(f, "unknown-annotation"));
    /* Felix's own are Calico's as well. */
    fixture_forget(f);
    fixture_must_apply(f, "apiVersion: v1\nkind: Node\nmetadata:\n  name: m\n  annotations:\n"
                          "    projectcalico.org/IPv4VXLANTunnelAddr: 10.244.0.1\n"
                          "    projectcalico.org/VXLANTunnelMACAddr: 66:11:22:33:44:55\n"
                          "    projectcalico.org/WireguardPublicKey: key\n");
    assert_int_equal(diag_count(f->diags), 0);
    assert_int_equal(calico_node_find(f->set, "n")->as_number, 0);
}

static void test_secrets(void **state) {
    struct fixture *f = *state;
    fixture_must_apply(f, "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: default}\n"
                          "stringData: {k: elsewhere}\n---\n"
                          "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: "
                          "kube-system}\ndata: {k: c2VjcmV0, plain: YQ==}\nstringData: {plain: "
                          "b}\n");
    assert_string_equal(calico_secret_find(f->set, NULL, "s", "k")->value, "secret");
    assert_string_equal(calico_secret_find(f->set, NULL, "s", "plain")->value, "b");
    assert_null(calico_secret_find(f->set, NULL, "s", "none"));
}

/* ---- Services ---- */

static void test_services(void **state) {
    struct fixture *f = *state;
    fixture_must_apply(
        f, "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  type: LoadBalancer\n"
           "  clusterIP: 10.96.0.7\n  clusterIPs: [10.96.0.7, 'fd00::7']\n"
           "  externalIPs: [192.0.2.1]\n  loadBalancerIP: 192.0.2.9\n"
           "  externalTrafficPolicy: Local\n  ports: [{port: 80}]\n"
           "status: {loadBalancer: {ingress: [{ip: 192.0.2.8}, {hostname: lb.example}]}}\n---\n"
           "apiVersion: v1\nkind: Service\nmetadata: {name: none, namespace: x}\n"
           "spec: {clusterIP: None}\n---\n"
           "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: web-1, labels: "
           "{kubernetes.io/service-name: web}}\naddressType: IPv4\nendpoints:\n"
           "- {addresses: [10.244.0.1], nodeName: n1}\n"
           "- {addresses: [10.244.0.2], nodeName: n2, conditions: {ready: false}}\n---\n"
           "apiVersion: projectcalico.org/v3\nkind: CalicoNodeStatus\nmetadata: {name: s}\n"
           "spec: {node: n1, classes: [BGP, Routes], updatePeriodSeconds: 10}\n");
    assert_int_equal(calico_service_count(f->set), 2);
    const struct calico_service *s = calico_service_at(f->set, 0);
    assert_string_equal(s->name, "web");
    assert_string_equal(s->name_space, "default");
    assert_int_equal(s->type, CALICO_SERVICE_LOAD_BALANCER);
    assert_true(s->local_policy);
    assert_int_equal(s->cluster_ip_count, 2);
    assert_int_equal(s->external_ip_count, 1);
    assert_int_equal(s->lb_ip_count, 2);
    assert_true(ip_equal(s->lb_ips[0], ip4(0xc0000208)));
    assert_int_equal(calico_service_at(f->set, 1)->cluster_ip_count, 0);
    assert_int_equal(calico_slice_count(f->set), 1);
    const struct calico_endpoint_slice *e = calico_slice_at(f->set, 0);
    assert_string_equal(e->service, "web");
    assert_int_equal(e->family, IP_V4);
    assert_int_equal(e->endpoint_count, 2);
    assert_true(e->endpoints[0].ready);
    assert_false(e->endpoints[1].ready);
    assert_string_equal(e->endpoints[1].node, "n2");
    assert_int_equal(calico_node_status_count(f->set), 1);
    assert_int_equal(calico_node_status_at(f->set, 0)->classes,
                     CALICO_STATUS_BGP | CALICO_STATUS_ROUTES);
}

static void test_node_tunnels(void **state) {
    struct fixture *f = *state;
    fixture_must_apply(f, "apiVersion: v1\nkind: Node\nmetadata:\n  name: n\n  annotations:\n"
                          "    projectcalico.org/IPv4IPIPTunnelAddr: 10.244.0.1\n"
                          "    projectcalico.org/IPv4WireguardInterfaceAddr: 10.244.0.2\n"
                          "    projectcalico.org/IPv6WireguardInterfaceAddr: fd00::2\n"
                          "spec: {podCIDR: 10.244.0.0/24, podCIDRs: [10.244.0.0/24, "
                          "'fd00:1::/64']}\n");
    const struct calico_node *n = calico_node_find(f->set, "n");
    assert_true(ip_equal(n->ipip_tunnel4, ip4(0x0af40001)));
    assert_true(ip_equal(n->wireguard4, ip4(0x0af40002)));
    assert_int_equal(n->wireguard6.family, IP_V6);
    assert_int_equal(n->pod_cidr_count, 2);
    assert_int_equal(n->pod_cidrs[1].length, 64);
}

/* ---- memory ---- */

static void test_no_memory(void **state) {
    struct fixture *f = *state;
    struct yaml_document *documents;
    const char *text = FILTER "{action: Accept, cidr: 10.0.0.0/8, matchOperator: In}\n---\n" PEER
                              "  peerSelector: all()\n  filters: [f]\n---\n" NODE
                              "  bgp: {ipv4Address: 10.0.0.1/24}\n";
    int count = fixture_documents(f, text, &documents);
    bool once_failed = false;
    for (unsigned long n = 1; n < 60; n++) {
        struct calico_set *set = calico_set_new();
        struct diag_list *diags = diag_list_new();
        struct arena *arena = arena_new();
        struct calico_applied applied;
        alloc_fail_after(n, true);
        bool ok = n % 2 ? calico_apply(set, documents, (size_t)count, true, diags)
                        : calico_apply_each(set, documents, (size_t)count, CALICO_TOOL_CALICOCTL,
                                            arena, diags, &applied);
        alloc_fail_after(0, false);
        arena_free(arena);
        assert_int_equal(calico_peer_count(set), ok);
        assert_int_equal(calico_node_count(set), ok);
        once_failed |= !ok;
        calico_set_free(set);
        diag_list_free(diags);
    }
    assert_true(once_failed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_refused),
        FIXTURE_TEST(test_accepted),
        FIXTURE_TEST(test_list_limits),
        FIXTURE_TEST(test_all_at_once),
        FIXTURE_TEST(test_nothing_applied_after_error),
        FIXTURE_TEST(test_fields),
        FIXTURE_TEST(test_apply_replaces),
        FIXTURE_TEST(test_copy_is_apart),
        FIXTURE_TEST(test_delete),
        FIXTURE_TEST(test_lists),
        FIXTURE_TEST(test_references),
        FIXTURE_TEST(test_pools_together),
        FIXTURE_TEST(test_order_warnings),
        FIXTURE_TEST(test_order_warnings_of_changes),
        FIXTURE_TEST(test_node_layers),
        FIXTURE_TEST(test_scalars),
        FIXTURE_TEST(test_bad_annotations_are_ignored),
        FIXTURE_TEST(test_secrets),
        FIXTURE_TEST(test_services),
        FIXTURE_TEST(test_node_tunnels),
        FIXTURE_TEST(test_no_memory),
    };
    return cmocka_run_group_tests_name("resources", tests, NULL, NULL);
}
