/*
 * plan: reading what an operator would apply, and saying what would come of it, without building
 * anything. The routers of --cisco are plan_routers.c's.
 */

#include "cli.h"
#include "manifests.h"
#include "plan_verbs.h"

#include "../calico/plan.h"
#include "../calico/plan_bird.h"
#include "../calico/plan_forms.h"
#include "../scenario/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char help_plan[] =
    "PATH is a file, a folder (with all *.yaml, *.yml and *.json in it and below) or - for "
    "standard\n"
    "input. What calicoctl get -o yaml and kubectl get -o yaml print can be read as it is: BGP\n"
    "configurations, peers, filters, nodes, pools, Secrets, Services and EndpointSlices; other "
    "kinds\n"
    "are noted and left out. Blocks are a rule's, one of each pool for a node, unless there are\n"
    "BlockAffinities: then they are the cluster's own. The answer is what each node's confd would\n"
    "write, in today's Calico or in that of --calico-version; --env says what the nodes' "
    "environment\n"
    "has beside the resources.\n"
    "\n"
    "Forms (-o):\n"
    "  table   a table per node, totals with their formula, and a matrix of up to 60 nodes "
    "(default)\n"
    "  wide    the same with every field of a session in a column\n"
    "  json    nodes with sessions, pairs, findings; topologies/plan.schema.json is its schema\n"
    "  yaml    the same tree as YAML\n"
    "  dot     a graph for Graphviz: boxes by AS and rack, lines by kind of session\n"
    "  bird    bird.cfg and bird6.cfg as BIRD 1.6 gets them, with passwords in clear text; with -d "
    "DIR\n"
    "          into DIR/NODE/, readable by the owner only\n"
    "Of several nodes --node chooses one. --cisco adds a router by its IOS configuration and says "
    "which\n"
    "sessions it would have (table and wide); with --diff, what it hands on counts.\n"
    "\n"
    "--diff OLD NEW applies NEW on top of OLD and prints what changes for each node: sessions, "
    "filters,\n"
    "routes; then the state after each resource of NEW, in file order, as calicoctl applies them: "
    "the\n"
    "sessions that fall, rise or start anew, and who is then without whose routes. What NEW does "
    "not\n"
    "name stays, and is listed; --prune takes BGPPeers, BGPFilters, BGPConfigurations and IPPools\n"
    "out that NEW does not name, as kubectl apply --prune with these kinds. What a resource is\n"
    "refused for depends on --tool: calicoctl (default) applies nothing of a file it cannot read, "
    "and\n"
    "what is refused later is left out alone; kubectl takes each document by itself. With -o json "
    "as\n"
    "JSON.\n"
    "\n"
    "Exit status: 0 planned, also when sessions will not come up (! in the matrix); 2 bad usage, "
    "or\n"
    "something is refused. With --diff 0 nothing is lost on the way, 3 a step lets sessions fall "
    "or\n"
    "start anew, cuts nodes off or freezes them, 2 a resource is refused.\n"
    "\n"
    "  ribcage plan manifests/ -o wide --node kube-1\n"
    "  kubectl get nodes,bgppeers,bgpconfigurations -o yaml | ribcage plan -\n"
    "  ribcage plan --diff now/ change.yaml --cisco rr1.ios\n";

/* ---- BIRD's files ---- */

/* DIR/NODE/bird.cfg and bird6.cfg: passwords stand in them, so they are for the owner only. What
 * stood there, a file anyone may read or a link, is replaced and not written to. */
static bool write_file(int folder, const char *name, const struct text *t) {
    (void)unlinkat(folder, name, 0);
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!f) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    bool written = fwrite(t->data, 1, t->size, f) == t->size;
    return fclose(f) == 0 && written;
}

/* `flags`: O_NOFOLLOW below what the user has named. */
static int open_folder(int at, const char *name, int flags) {
    if (mkdirat(at, name, 0777) != 0 && errno != EEXIST)
        return -1;
    return openat(at, name, O_DIRECTORY | O_RDONLY | O_CLOEXEC | flags);
}

static bool write_bird(const struct calico_plan *plan, const struct calico_plan_node *n,
                       const char *directory) {
    struct text t;
    int top = open_folder(AT_FDCWD, directory, 0);
    int folder = top >= 0 ? open_folder(top, n->node->name, O_NOFOLLOW) : -1;
    bool ok = folder >= 0;
    text_init(&t);
    for (int family = 0; ok && family < BGP_FAMILIES; family++) {
        text_clear(&t);
        ok = calico_plan_bird(plan, n, (enum bgp_family)family, &t) &&
             write_file(folder, calico_bird_file_name((enum bgp_family)family), &t);
    }
    if (!ok)
        cli_error("plan: cannot write %s/%s: %s", directory, n->node->name, strerror(errno));
    text_deinit(&t);
    if (folder >= 0)
        close(folder);
    if (top >= 0)
        close(top);
    return ok;
}

static bool has_family(const struct calico_plan_node *n, int family) {
    return ip_is_set(family == BGP_IPV4_UNICAST ? n->node->addr4 : n->node->addr6);
}

static bool print_bird(const struct calico_plan *plan, const struct calico_plan_node *n,
                       struct text *out) {
    bool ok = true;
    for (int family = 0; ok && family < BGP_FAMILIES; family++)
        if (has_family(n, family))
            ok = calico_plan_bird(plan, n, (enum bgp_family)family, out);
    return ok;
}

static bool form_bird(const struct calico_plan *plan, const struct cli_options *o,
                      struct text *out) {
    bool ok = true;
    for (size_t i = 0; ok && i < plan->node_count; i++) {
        const struct calico_plan_node *n = &plan->nodes[i];
        if (o->node && strcmp(o->node, n->node->name) != 0)
            continue;
        ok = o->directory ? write_bird(plan, n, o->directory) : print_bird(plan, n, out);
    }
    return ok;
}

/* ---- the verb ---- */

static bool wants_colour(void) {
    const char *no = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && (!no || !*no);
}

static bool form_table(const struct calico_plan *plan, const struct plan_around *around,
                       const struct cli_options *o, struct text *out) {
    bool ok = true;
    if (o->format == CLI_WIDE)
        ok = calico_plan_wide(plan, o->node, out);
    else
        calico_plan_print(plan, o->node, out);
    if (!o->node)
        calico_plan_matrix(plan, around->failing, around->failing_count, wants_colour(), out);
    return ok;
}

/* The forms that are one text; JSON and YAML go to the stream piece by piece. */
static bool print_form(struct manifests *in, const struct calico_plan *plan,
                       const struct plan_around *around, const struct cli_options *o,
                       struct text *out) {
    switch (o->format) {
    case CLI_BIRD:
        return form_bird(plan, o, out);
    case CLI_DOT:
        return calico_plan_dot(plan, out);
    case CLI_TABLE:
    case CLI_WIDE:
        return form_table(plan, around, o, out);
    case CLI_JSON:
        diag_sort(in->diags);
        return calico_plan_write_json(plan, in->diags, stdout);
    case CLI_YAML:
        diag_sort(in->diags);
        return calico_plan_write_yaml(plan, in->diags, stdout);
    case CLI_SARIF: /* validate's */
        break;
    }
    return false;
}

static int print_plan(struct manifests *in, const struct calico_set *set,
                      const struct calico_plan *plan, const struct cli_options *o) {
    struct text out;
    struct plan_around around = {0};
    bool table = o->format == CLI_TABLE || o->format == CLI_WIDE;
    text_init(&out);
    text_init(&around.out);
    bool ok = !o->cisco_count || plan_routers(in, set, plan, o, &around);
    ok = print_form(in, plan, &around, o, &out) && ok;
    fputs(text_str(&out), stdout);
    if (table)
        fputs(text_str(&around.out), stdout);
    text_deinit(&out);
    text_deinit(&around.out);
    fflush(stdout);
    diag_sort(in->diags);
    if (table)
        cli_print_diags(in->diags);
    return ok && diag_error_count(in->diags) == 0 ? 0 : 2;
}

static int plan_all(struct manifests *in, struct cli_options *o) {
    for (size_t i = 0; i < o->argument_count; i++) {
        if (cli_is_scenario(o->arguments[i])) {
            cli_error("plan: %s is a scenario: name its manifests, or try ribcage validate or up",
                      o->arguments[i]);
            return 2;
        }
    }
    for (size_t i = 0; i < o->argument_count; i++)
        manifests_read(in, o->arguments[i]);
    if (!in->count && !diag_error_count(in->diags)) {
        cli_error("plan: there is no manifest in %s", o->arguments[0]);
        return 2;
    }
    struct calico_set *set = calico_set_new();
    struct calico_plan_options po = plan_options(o);
    bool ok = set && diag_error_count(in->diags) == 0 &&
              calico_apply(set, in->documents, in->count, true, in->diags);
    struct calico_plan *plan = ok ? calico_plan_new(set, &po, in->diags) : NULL;
    int status = 2;
    if (plan && o->node && !calico_plan_find(plan, o->node))
        cli_error("plan: no node %s in these manifests", o->node);
    else if (plan)
        status = print_plan(in, set, plan, o);
    else
        cli_print_diags(in->diags);
    calico_plan_free(plan);
    calico_set_free(set);
    return status;
}

int verb_plan(struct cli_options *o) {
    if (o->diff)
        return plan_diff(o);
    if (o->prune || o->tool) {
        cli_error("plan: --%s has a meaning with --diff only", o->prune ? "prune" : "tool");
        return 2;
    }
    if (!o->argument_count) {
        fprintf(stderr, "ribcage plan: which manifests?\n");
        return 2;
    }
    struct manifests in = {.arena = arena_new(), .diags = diag_list_new()};
    int status = in.arena && in.diags ? plan_all(&in, o) : 4;
    diag_list_free(in.diags);
    arena_free(in.arena);
    return status;
}
