/*
 * explain: why a node has a session with a peer, or why not; with --to, what becomes of a prefix on
 * its way from the node to that peer (explain_route.c).
 *
 * Exit status: 0 there is a session (or the route passes); 1 there is none (or it does not); 2 bad
 * usage or refused manifests.
 */
#include "cli.h"
#include "plan_verbs.h"

#include "../calico/explain.h"

#include <stdio.h>
#include <string.h>

const char help_explain[] =
    "PEER is an address, the name of a node, or a session as Calico names it (Mesh_10_0_0_2). Each "
    "rule\n"
    "that speaks on the two is named with the file and line of the resource: the mesh, every "
    "BGPPeer\n"
    "that selects one side or both, reverse peerings, entries that lose to another of the same "
    "address\n"
    "and port; then for each session what its fields come from, and whether it comes up.\n"
    "\n"
    "With --to PEER, the second argument is a PREFIX: the route's way from NODE to PEER is "
    "followed\n"
    "through the export pipeline and the import pipeline of the other end, rule by rule, each "
    "condition\n"
    "with its truth. Routes are those of the plan: blocks, service ranges, and what others send. A "
    "peer\n"
    "outside the cluster is taken to let everything in.\n"
    "\n"
    "Exit status: 0 there is a session, or the route passes; 1 there is none, or it does not; 2 "
    "bad\n"
    "usage or refused manifests.\n"
    "\n"
    "  ribcage explain kube-1 rr-1 manifests/\n"
    "  ribcage explain kube-1 10.244.0.0/26 --to 10.0.0.254 manifests/\n";

static int explain_peer(const struct planned *p, const struct calico_plan_node *n,
                        const struct cli_options *o) {
    bool unknown = false;
    json_t *found = calico_explain_session(p->plan, n, o->arguments[1], &unknown);
    if (!found) {
        cli_error("explain: %s is no address, no node and no session of %s%s", o->arguments[1],
                  n->node->name, strchr(o->arguments[1], '/') ? "; a prefix wants --to PEER" : "");
        return 2;
    }
    bool any = json_array_size(json_object_get(found, "sessions")) > 0;
    if (o->format == CLI_JSON) {
        json_dumpf(found, stdout, JSON_INDENT(1));
        putchar('\n');
    } else {
        struct text out;
        text_init(&out);
        calico_explain_print(found, &out);
        fputs(text_str(&out), stdout);
        text_deinit(&out);
    }
    json_decref(found);
    return any ? 0 : 1;
}

static const char *nearest_node(const struct calico_plan *plan, const char *name) {
    const char **names = alloc_zero(plan->node_count + 1, sizeof *names);
    for (size_t i = 0; names && i < plan->node_count; i++)
        names[i] = plan->nodes[i].node->name;
    const char *near = names ? text_nearest(name, names, plan->node_count) : NULL;
    alloc_free(names);
    return near;
}

static int explain_node(struct planned *p, const struct cli_options *o) {
    const struct calico_plan_node *n = calico_plan_find(p->plan, o->arguments[0]);
    if (!n) {
        const char *near = nearest_node(p->plan, o->arguments[0]);
        cli_error("explain: no node %s in these manifests%s%s%s", o->arguments[0],
                  near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
        return 2;
    }
    return o->to ? explain_route(p, n, o) : explain_peer(p, n, o);
}

int verb_explain(struct cli_options *o) {
    struct planned p;
    if (o->argument_count < 3) {
        cli_error("explain wants NODE PEER PATH…, or NODE PREFIX --to PEER PATH…");
        return 2;
    }
    bool ready = planned_read(&p, &o->arguments[2], o->argument_count - 2, o);
    if (!ready && p.diags)
        cli_print_diags(p.diags);
    int status = ready ? explain_node(&p, o) : 2;
    planned_release(&p);
    return status;
}
