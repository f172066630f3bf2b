/*
 * plan and validate: reading what an operator would apply, and saying what would come of it,
 * without building anything.
 *
 * `--cisco FILE` adds a router: its address is the one its interface statements give, or else the
 * peerIP of the manifests that belongs to no node. What both sides would do is then the oracle's
 * word.
 */

#include "cli.h"

#include "../../speaker/ios/ios.h"
#include "../calico/plan.h"
#include "../check/oracle.h"
#include "../scenario/engine.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- reading ---- */

struct input {
    struct arena *arena;
    struct diag_list *diags;
    struct yaml_document *documents;
    size_t count, capacity;
};

static bool keep(struct input *in, const struct yaml_document *list, size_t count) {
    if (in->count + count > in->capacity) {
        size_t capacity = (in->count + count) * 2;
        struct yaml_document *all = arena_array(in->arena, capacity, sizeof *all);
        if (!all)
            return false;
        if (in->count)
            memcpy(all, in->documents, in->count * sizeof *all);
        in->documents = all;
        in->capacity = capacity;
    }
    if (count)
        memcpy(&in->documents[in->count], list, count * sizeof *list);
    in->count += count;
    return true;
}

static void read_one(struct input *in, const char *path) {
    struct yaml_document *list = NULL;
    int n = yaml_parse_file(path, in->arena, in->diags, &list);
    if (n > 0)
        (void)keep(in, list, (size_t)n);
}

static bool is_manifest(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot &&
           (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0 || strcmp(dot, ".json") == 0);
}

#define FILES_MAX 10000

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void read_folder(struct input *in, const char *path) {
    DIR *d = opendir(path);
    char **names = calloc(FILES_MAX, sizeof *names);
    size_t n = 0;
    for (struct dirent *e; d && names && n < FILES_MAX && (e = readdir(d)) != NULL;) {
        char *name = NULL;
        if (is_manifest(e->d_name) && asprintf(&name, "%s/%s", path, e->d_name) > 0)
            names[n++] = name;
    }
    if (d)
        closedir(d);
    if (names)
        qsort(names, n, sizeof *names, compare_names);
    for (size_t i = 0; i < n; i++) {
        read_one(in, names[i]);
        free(names[i]);
    }
    free(names);
}

static void read_path(struct input *in, const char *path) {
    struct stat s;
    if (strcmp(path, "-") != 0 && stat(path, &s) == 0 && S_ISDIR(s.st_mode))
        read_folder(in, path);
    else
        read_one(in, path);
}

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

static bool read_router(struct input *in, const struct calico_set *set, const char *path,
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
    for (size_t i = 0; b->nodes && i < plan->node_count; i++) {
        const struct calico_plan_node *n = &plan->nodes[i];
        struct oracle_node *x = &b->nodes[b->count++];
        *x = (struct oracle_node){.name = n->node->name, .up = true};
        x->config = calico_compile(plan, n, BGP_PROFILE_CALICO, arena);
        if (!x->config)
            return false;
        if (ip_is_set(n->node->addr4)) {
            x->addrs[x->addr_count++] = n->node->addr4;
            x->subnets[x->subnet_count++] = ip_prefix_make(n->node->addr4, n->node->length4);
        }
        if (ip_is_set(n->node->addr6)) {
            x->addrs[x->addr_count++] = n->node->addr6;
            x->subnets[x->subnet_count++] = ip_prefix_make(n->node->addr6, n->node->length6);
        }
    }
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

static bool plan_outside(struct input *in, const struct calico_set *set,
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

static int print_plan(struct input *in, const struct calico_set *set,
                      const struct calico_plan *plan, const struct cli_options *o) {
    struct text out;
    text_init(&out);
    if (o->format != CLI_JSON)
        calico_plan_print(plan, o->node, &out);
    bool ok = !o->cisco_count || plan_outside(in, set, plan, o, &out);
    diag_sort(in->diags);
    if (o->format == CLI_JSON)
        ok = calico_plan_write_json(plan, in->diags, stdout) && ok;
    else
        fputs(text_str(&out), stdout);
    text_deinit(&out);
    fflush(stdout);
    if (o->format != CLI_JSON)
        cli_print_diags(in->diags);
    return ok && diag_error_count(in->diags) == 0 ? 0 : 2;
}

static int plan_all(struct input *in, struct cli_options *o) {
    for (size_t i = 0; i < o->argument_count; i++) {
        if (cli_is_scenario(o->arguments[i])) {
            cli_error("plan: %s is a scenario: name its manifests, or try ribcage validate or up",
                      o->arguments[i]);
            return 2;
        }
    }
    for (size_t i = 0; i < o->argument_count; i++)
        read_path(in, o->arguments[i]);
    if (!in->count && !diag_error_count(in->diags)) {
        cli_error("plan: there is no manifest in %s", o->arguments[0]);
        return 2;
    }
    struct calico_set *set = calico_set_new();
    struct calico_plan_options po = {.pods_per_node = 1, .node_ip_interface = "eth0"};
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
    if (!o->argument_count) {
        fprintf(stderr, "ribcage plan: which manifests?\n");
        return 2;
    }
    struct input in = {.arena = arena_new(), .diags = diag_list_new()};
    int status = in.arena && in.diags ? plan_all(&in, o) : 4;
    diag_list_free(in.diags);
    arena_free(in.arena);
    return status;
}

/* ---- validate ---- */

/* All that a run would refuse before it builds: the files it names, the plan at the start. Where
 * the manifests are there to be refused, that is for the run to check. */
static void validate_scenario(struct input *in, const char *path, const struct cli_options *o) {
    struct scenario *s = scenario_read(path, o->sets, o->set_count, in->arena, in->diags);
    if (!s)
        return;
    struct engine e = {.scenario = s,
                       .arena = in->arena,
                       .diags = in->diags,
                       .seed = s->seed,
                       .front_fd = -1,
                       .wait_fd = -1};
    if (!s->no_lab)
        (void)engine_prepare(&e, in->diags);
    engine_release(&e);
    scenario_close(s);
}

/* A folder of scenarios, like `ribcage run` takes one. */
static bool validate_below(struct input *in, const char *path, const struct cli_options *o) {
    struct stat s;
    struct diag_list *none = diag_list_new(); /* no scenario there: it holds manifests */
    const char **paths = NULL;
    size_t count = 0;
    bool found = none && stat(path, &s) == 0 && S_ISDIR(s.st_mode) &&
                 scenario_list(path, in->arena, none, &paths, &count);
    for (size_t i = 0; found && i < count; i++)
        validate_scenario(in, paths[i], o);
    diag_list_free(none);
    return found;
}

static void validate_one(struct input *in, const char *path, const struct cli_options *o) {
    if (cli_is_scenario(path)) {
        validate_scenario(in, path, o);
        return;
    }
    if (validate_below(in, path, o))
        return;
    size_t before = in->count;
    read_path(in, path);
    const struct yaml_node *root = in->count > before ? in->documents[before].root : NULL;
    if (root && root->kind == YAML_MAPPING && yaml_get(root, "segments"))
        (void)topology_read(root, in->arena, in->diags);
    else {
        struct calico_set *set = calico_set_new();
        (void)calico_apply(set, in->documents + before, in->count - before, true, in->diags);
        calico_set_free(set);
    }
}

int verb_validate(struct cli_options *o) {
    struct input in = {.arena = arena_new(), .diags = diag_list_new()};
    if (!o->argument_count || !in.arena || !in.diags) {
        fprintf(stderr, "ribcage validate: which files?\n");
        return 2;
    }
    for (size_t i = 0; i < o->argument_count; i++)
        validate_one(&in, o->arguments[i], o);
    cli_print_diags(in.diags);
    int status = diag_error_count(in.diags) ? 2 : 0;
    if (!status)
        printf("%zu valid\n", o->argument_count);
    diag_list_free(in.diags);
    arena_free(in.arena);
    return status;
}
