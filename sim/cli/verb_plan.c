/*
 * plan: reading what an operator would apply, and saying what would come of it,
 * without building anything.
 *
 * `--cisco FILE` adds a router: its address is the one its interface statements give, or else the
 * peerIP of the manifests that belongs to no node. What both sides would do is then the oracle's
 * word.
 */

#include "cli.h"
#include "manifests.h"
#include "plan_verbs.h"

#include "../../speaker/ios/ios.h"
#include "../calico/plan.h"
#include "../calico/plan_bird.h"
#include "../calico/plan_forms.h"
#include "../check/oracle.h"
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
    "are noted and left out. The answer is what each node's confd would write, in today's Calico "
    "or in\n"
    "that of --calico-version; --env says what the nodes' environment has beside the resources.\n"
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
    "sessions it would have (table and wide).\n"
    "\n"
    "--diff OLD NEW applies NEW on top of OLD and prints what changes for each node: sessions, "
    "filters,\n"
    "routes; then the state after each document of NEW, in file order, as calicoctl applies them: "
    "the\n"
    "sessions that fall, rise or start anew, and who is then without whose routes. What NEW does "
    "not\n"
    "name stays. With -o json as JSON.\n"
    "\n"
    "Exit status: 0 planned; 2 bad usage, or something is refused. With --diff 0 nothing is lost "
    "on the\n"
    "way, 3 a step lets sessions fall or start anew or cuts nodes off, 2 a document is refused.\n"
    "\n"
    "  ribcage plan manifests/ -o wide --node kube-1\n"
    "  kubectl get nodes,bgppeers,bgpconfigurations -o yaml | ribcage plan -\n"
    "  ribcage plan --diff now/ change.yaml\n";

/* ---- routers ---- */

#define ROUTERS_MAX CLI_ARGUMENTS_MAX

struct outside {
    struct ios_router *ios[ROUTERS_MAX];
    struct ip_addr addrs[ROUTERS_MAX];
    size_t count;
};

static bool is_node_address(const struct calico_set *set, struct ip_addr a) {
    for (size_t i = 0; i < calico_node_count(set); i++) {
        const struct calico_node *n = calico_node_at(set, i);
        if (ip_equal(n->addr4, a) || ip_equal(n->addr6, a))
            return true;
    }
    return false;
}

/* The peerIP that is nobody's yet and whose AS is the router's. */
static struct ip_addr guess_address(const struct calico_set *set, const struct outside *o,
                                    uint32_t as) {
    for (size_t i = 0; i < calico_peer_count(set); i++) {
        const struct calico_bgp_peer *p = calico_peer_at(set, i);
        bool taken = !p->has_peer_ip || is_node_address(set, p->peer_ip) || p->as_number != as;
        for (size_t k = 0; k < o->count; k++)
            taken |= ip_equal(o->addrs[k], p->peer_ip);
        if (!taken)
            return p->peer_ip;
    }
    return (struct ip_addr){0};
}

/* The AS number stands in the text; compiling needs an address first, which depends on the AS. */
static uint32_t router_as(struct ios_router *r) {
    struct ios_interface any = {
        .name = "GigabitEthernet0/0", .addr = ip4(0xC0000201), .length = 24, .up = true};
    struct ios_env env = {"router", &any, 1};
    ios_router_set_env(r, &env);
    const struct bgp_config *c = ios_bgp_config(r, NULL);
    return c ? c->local_as : 0;
}

static bool read_router(struct manifests *in, const struct calico_set *set, const char *path,
                        struct outside *o) {
    size_t size = 0;
    char *text = file_read(path, in->arena, in->diags, &size);
    struct ios_env env = {"router", NULL, 0};
    struct ios_router *r = text ? ios_router_new(&env) : NULL;
    struct diag_list *found = diag_list_new();
    bool loaded = r && found && ios_load(r, text, size, path, true, found);
    if (found) /* IOS refuses single lines and goes on */
        diag_append(in->diags, found, DIAG_WARNING, NULL);
    diag_list_free(found);
    if (!loaded) {
        ios_router_free(r);
        return false;
    }
    struct ios_interface list[16];
    size_t n = ios_interfaces(r, list, 16);
    if (!n) {
        list[0] = (struct ios_interface){.name = "GigabitEthernet0/0", .length = 24, .up = true};
        list[0].addr = guess_address(set, o, router_as(r));
        n = ip_is_set(list[0].addr);
    }
    env.interfaces = list;
    env.interface_count = n;
    ios_router_set_env(r, &env);
    o->ios[o->count] = r;
    o->addrs[o->count++] = n ? list[0].addr : (struct ip_addr){0};
    if (!n)
        diag_add(
            in->diags, DIAG_WARNING, (struct diag_place){path, 0, 0}, "router-address",
            "no interface address, and no BGPPeer names an address that could be this router's");
    return true;
}

/* ---- both sides ---- */

struct both {
    struct oracle_node *nodes;
    size_t count;
};

static bool describe(const struct calico_plan *plan, struct outside *o, struct arena *arena,
                     struct diag_list *diags, struct both *b) {
    b->nodes = arena_array(arena, plan->node_count + o->count + 1, sizeof *b->nodes);
    for (size_t i = 0; b->nodes && i < plan->node_count; i++)
        if (!plan_oracle_node(plan, &plan->nodes[i], arena, &b->nodes[b->count++]))
            return false;
    for (size_t i = 0; b->nodes && i < o->count; i++) {
        const struct bgp_config *c = ios_bgp_config(o->ios[i], diags);
        struct oracle_node *x = &b->nodes[b->count++];
        *x = (struct oracle_node){.name = arena_strdup(arena, ios_hostname(o->ios[i])), .up = true};
        x->config = c ? bgp_config_copy(arena, c) : NULL;
        if (ip_is_set(o->addrs[i]))
            x->addrs[x->addr_count++] = o->addrs[i];
        x->subnets[x->subnet_count++] = ip_prefix_make(o->addrs[i], 24);
    }
    return b->nodes != NULL;
}

static void print_outside(const struct oracle *o, const struct both *b, size_t first_router,
                          struct text *out) {
    const struct oracle_session *s = NULL;
    const struct oracle_failure *f = NULL;
    size_t n = oracle_sessions(o, &s), failures = oracle_failures(o, &f), count = 0;
    text_puts(out, "\nSessions with the routers around\n");
    for (size_t i = 0; i < n; i++) {
        if (s[i].b < first_router)
            continue;
        char a[IP_ADDR_TEXT_MAX], c[IP_ADDR_TEXT_MAX];
        text_printf(out, "  %-24s %-16s - %-16s %-16s hold %u s\n", b->nodes[s[i].a].name,
                    ip_format(s[i].addr_a, a), b->nodes[s[i].b].name, ip_format(s[i].addr_b, c),
                    s[i].hold_time_s);
        count++;
    }
    text_printf(out, "  %zu with routers, %zu in all\n", count, n);
    for (size_t i = 0; i < failures; i++)
        text_printf(out, "  does not come up: %s %s: %s: %s\n", b->nodes[f[i].node].name,
                    b->nodes[f[i].node].config->peers[f[i].peer].name, f[i].cause, f[i].detail);
}

static bool plan_outside(struct manifests *in, const struct calico_set *set,
                         const struct calico_plan *plan, const struct cli_options *opt,
                         struct text *out) {
    struct outside o = {.count = 0};
    struct both b = {NULL, 0};
    bool ok = true;
    for (size_t i = 0; i < opt->cisco_count; i++)
        ok = read_router(in, set, opt->cisco[i], &o) && ok;
    ok = ok && describe(plan, &o, in->arena, in->diags, &b);
    struct oracle_input oi = {.nodes = b.nodes, .node_count = b.count};
    struct oracle *oracle = ok ? oracle_new(&oi) : NULL;
    if (oracle)
        print_outside(oracle, &b, plan->node_count, out);
    oracle_free(oracle);
    for (size_t i = 0; i < o.count; i++)
        ios_router_free(o.ios[i]);
    return oracle != NULL;
}

/* ---- BIRD's files ---- */

/* DIR/NODE/bird.cfg and bird6.cfg: passwords stand in them, so they are for the owner only. */
static bool write_file(int folder, const char *name, const struct text *t) {
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!f) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    bool written = fwrite(t->data, 1, t->size, f) == t->size;
    return fclose(f) == 0 && written;
}

static int open_folder(int at, const char *name) {
    if (mkdirat(at, name, 0777) != 0 && errno != EEXIST)
        return -1;
    return openat(at, name, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
}

static bool write_bird(const struct calico_plan *plan, const struct calico_plan_node *n,
                       const char *directory) {
    struct text t;
    int top = open_folder(AT_FDCWD, directory);
    int folder = top >= 0 ? open_folder(top, n->node->name) : -1;
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

static bool form_table(struct manifests *in, const struct calico_set *set,
                       const struct calico_plan *plan, const struct cli_options *o,
                       struct text *out) {
    bool ok = true;
    if (o->format == CLI_WIDE)
        ok = calico_plan_wide(plan, o->node, out);
    else
        calico_plan_print(plan, o->node, out);
    if (!o->node)
        calico_plan_matrix(plan, wants_colour(), out);
    return ok && (!o->cisco_count || plan_outside(in, set, plan, o, out));
}

/* The forms that are one text; JSON and YAML go to the stream piece by piece. */
static bool print_form(struct manifests *in, const struct calico_set *set,
                       const struct calico_plan *plan, const struct cli_options *o,
                       struct text *out) {
    switch (o->format) {
    case CLI_BIRD:
        return form_bird(plan, o, out);
    case CLI_DOT:
        return calico_plan_dot(plan, out);
    case CLI_TABLE:
    case CLI_WIDE:
        return form_table(in, set, plan, o, out);
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
    text_init(&out);
    bool ok = print_form(in, set, plan, o, &out);
    fputs(text_str(&out), stdout);
    text_deinit(&out);
    fflush(stdout);
    diag_sort(in->diags);
    if (o->format == CLI_TABLE || o->format == CLI_WIDE)
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
