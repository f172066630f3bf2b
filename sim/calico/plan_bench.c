/*
 * What a plan costs, without a lab: pairing alone, then one node's configuration.
 *
 *   plan_bench
 *
 * One line each for 1,000 nodes in full mesh and 5,000 nodes with two reflectors: the manifests'
 * application, the plan with its pairs and findings, compiling the busiest node, the peak of
 * memory. Each runs in a child of its own, so that the peak is its own.
 */
#include "../../speaker/base/arena.h"
#include "../yaml/yaml.h"
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct workload {
    const char *name;
    uint32_t nodes, reflectors;
    const char *manifests;
};

#define POOL                                                                                       \
    "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: p}\nspec: {cidr: "           \
    "10.128.0.0/9}\n"
#define REFLECTORS                                                                                 \
    POOL "---\napiVersion: projectcalico.org/v3\nkind: BGPConfiguration\nmetadata: {name: "        \
         "default}\nspec: {nodeToNodeMeshEnabled: false}\n---\napiVersion: "                       \
         "projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: rr}\nspec: {nodeSelector: all(), " \
         "peerSelector: rr == 'true'}\n"

static const struct workload workloads[] = {
    {"1,000 nodes in full mesh", 1000, 0, POOL},
    {"5,000 nodes, two reflectors", 5000, 2, REFLECTORS},
};

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool add_nodes(struct calico_set *set, const struct workload *w) {
    const struct calico_label label = {"rr", "true"};
    for (uint32_t i = 0; i < w->nodes; i++) {
        char name[32];
        bool reflector = i < w->reflectors;
        snprintf(name, sizeof name, "node-%05u", i);
        struct calico_node n = {.name = name,
                                .addr4 = ip4(0x0a000001 + i),
                                .length4 = 16,
                                .has_cluster_id = reflector,
                                .cluster_id = ip4(0xf4000001),
                                .labels = reflector ? &label : NULL,
                                .label_count = reflector};
        if (!calico_add_node(set, &n))
            return false;
    }
    return true;
}

static bool apply(struct calico_set *set, const struct workload *w, struct arena *arena,
                  struct diag_list *diags) {
    struct yaml_document *documents = NULL;
    int count =
        yaml_parse(w->manifests, strlen(w->manifests), "bench.yaml", arena, diags, &documents);
    return count > 0 && calico_apply(set, documents, (size_t)count, true, diags);
}

static bool measure(const struct workload *w) {
    struct arena *arena = arena_new();
    struct diag_list *diags = diag_list_new();
    struct calico_set *set = calico_set_new();
    struct calico_plan *plan = NULL;
    struct calico_pair *pairs;
    struct rusage usage;
    double start = now_s(), applied, planned;
    bool ok = arena && diags && set && add_nodes(set, w) && apply(set, w, arena, diags);
    applied = now_s();
    plan = ok ? calico_plan_new(set, NULL, diags) : NULL;
    planned = now_s();
    ok = plan && calico_compile(plan, &plan->nodes[0], BGP_PROFILE_CALICO, arena);
    if (ok && getrusage(RUSAGE_SELF, &usage) == 0)
        printf("plan of %-28s apply %6.3f s, plan %6.3f s (%zu pairs), first node %6.4f s, peak "
               "%5.0f MiB\n",
               w->name, applied - start, planned - applied, calico_pairs(plan, &pairs),
               now_s() - planned, (double)usage.ru_maxrss / 1024);
    calico_plan_free(plan);
    calico_set_free(set);
    diag_list_free(diags);
    arena_free(arena);
    return ok;
}

static bool measure_apart(const struct workload *w) {
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        bool ok = measure(w);
        fflush(stdout);
        _exit(ok ? 0 : 1);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

int main(void) {
    bool ok = true;
    for (size_t i = 0; i < sizeof workloads / sizeof workloads[0]; i++)
        ok &= measure_apart(&workloads[i]);
    return ok ? 0 : 1;
}
