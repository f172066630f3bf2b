/*
 * Any text as manifests, all the way: parsed, applied, planned, compiled, printed. What was refused
 * must have changed nothing; what was taken must print the same twice.
 */
#include "../../speaker/base/arena.h"
#include "../../speaker/base/fuzz.h"
#include "../../speaker/base/text.h"
#include "plan.h"

#include <assert.h>
#include <string.h>

#define NODES 3

static void add_nodes(struct calico_set *set) {
    static const char *const names[NODES] = {"kube-1", "kube-2", "kube-3"};
    for (uint32_t i = 0; i < NODES; i++) {
        struct calico_node n = {.name = names[i], .addr4 = ip4(0x0a000001 + i), .length4 = 24};
        if (!calico_add_node(set, &n))
            return;
    }
}

/* What a node runs, and what it would keep running if BIRD refused it. */
static void compile_node(const struct calico_plan *p, const struct calico_plan_node *n,
                         struct arena *arena) {
    struct bgp_config *old = calico_compile(p, n, BGP_PROFILE_CALICO, arena);
    struct bgp_config *now = calico_compile(p, n, BGP_PROFILE_FAST, arena);
    if (now && old && (n->refused[0] || n->refused[1]))
        assert(calico_compile_frozen(now, n, old, arena) && now->peer_count == old->peer_count);
}

static void plan_all(struct calico_set *set, uint32_t version, struct diag_list *diags) {
    struct calico_plan_options o = {.version = version, .use_pod_cidr = version != 0};
    struct calico_plan *p = calico_plan_new(set, &o, diags);
    struct text first, second;
    assert(p);
    text_init(&first);
    text_init(&second);
    calico_plan_print(p, NULL, &first);
    calico_plan_print(p, NULL, &second);
    assert(strcmp(text_str(&first), text_str(&second)) == 0);
    text_deinit(&first);
    text_deinit(&second);
    json_decref(calico_plan_json(p, diags));
    struct arena *arena = arena_new();
    for (size_t i = 0; i < p->node_count; i++)
        compile_node(p, &p->nodes[i], arena);
    arena_free(arena);
    calico_plan_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_new();
    struct diag_list *diags = diag_list_new();
    struct calico_set *set = calico_set_new();
    struct yaml_document *documents = NULL;
    add_nodes(set);
    int count = yaml_parse((const char *)data, size, "fuzz", arena, diags, &documents);
    if (count > 0) {
        bool ok = calico_apply(set, documents, (size_t)count, false, diags);
        assert(ok || (calico_peer_count(set) == 0 && calico_node_count(set) == NODES));
        plan_all(set, size % 2 ? CALICO_VERSION(3, 28, 0) : 0, diags);
        calico_delete(set, documents, (size_t)count, diags);
    }
    calico_set_free(set);
    diag_list_free(diags);
    arena_free(arena);
    return 0;
}

static const struct fuzz_seed seeds[] = {
    FUZZ_SEED("apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata:\n  name: p\nspec:\n"
              "  peerIP: 10.0.0.2\n  asNumber: 64512\n  nodeSelector: all()\n"),
    FUZZ_SEED(
        "apiVersion: projectcalico.org/v3\nkind: BGPConfiguration\nmetadata:\n  name: default\n"
        "spec:\n  nodeToNodeMeshEnabled: false\n  serviceClusterIPs:\n  - cidr: 10.96.0.0/12\n"),
    FUZZ_SEED("apiVersion: projectcalico.org/v3\nkind: BGPFilter\nmetadata:\n  name: f\nspec:\n"
              "  exportV4:\n  - action: Accept\n    matchOperator: In\n    cidr: 10.0.0.0/8\n"
              "    operations:\n    - prependASPath:\n        prefix: [1, 2]\n"),
    FUZZ_SEED("apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata:\n  name: p\nspec:\n"
              "  cidr: 10.244.0.0/16\n  blockSize: 26\n"),
    FUZZ_SEED("apiVersion: v1\nkind: Node\nmetadata:\n  name: kube-1\n  labels:\n    rr: 'true'\n"
              "  annotations:\n    projectcalico.org/RouteReflectorClusterID: 244.0.0.1\n"),
};
static const char *const words[] = {
    "peerSelector: ", "all()",    "has(rr)",    "\n---\n",       "\n  ",    "- ",
    "filters: [f]\n", "null",     "4294967295", "0.0.0.0/0",     "::/0",    "kind: List\nitems:\n",
    "prefixLength: ", "{max: 0}", "10.0.0.1",   "name: default", "name: f", "127.0.0.1:179",
};

FUZZ_MAIN_WORDS(seeds, words)
