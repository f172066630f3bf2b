/*
 * plan --diff OLD NEW: what applying NEW on top of OLD changes, and the states on the way, one
 * document at a time in the order of NEW, as calicoctl applies them.
 *
 * A step tells the sessions that fall and rise, those that start anew, and which nodes then lack
 * other nodes' blocks; the last comes from the oracle and so respects filters and reflection. It
 * needs IPPools among the manifests and is left out beyond ORACLE_NODES_MAX nodes.
 *
 * Exit status: 0 nothing is lost on the way; 3 a step lets sessions fall or start anew, or cuts
 * nodes off; 2 something is refused.
 */
#include "cli.h"
#include "manifests.h"
#include "plan_verbs.h"

#include "../calico/plan_diff.h"

#include <stdlib.h>
#include <string.h>

#define ORACLE_NODES_MAX 200
#define EXAMPLES_MAX 5

/* ---- pairs of two plans ---- */

struct pair_list {
    const struct calico_pair **items;
    size_t count;
};

static int compare_pairs(const void *a, const void *b) {
    const struct calico_pair *x = *(const struct calico_pair *const *)a,
                             *y = *(const struct calico_pair *const *)b;
    int c = ip_compare(x->addr_a, y->addr_a);
    return c ? c : ip_compare(x->addr_b, y->addr_b);
}

/* The pairs that come up, by their addresses. */
static bool list_pairs(const struct calico_plan *p, struct pair_list *ret_list) {
    struct calico_pair *pairs;
    size_t n = calico_pairs(p, &pairs);
    struct pair_list l = {.items = calloc(n + 1, sizeof *l.items)};
    for (size_t i = 0; l.items && i < n; i++)
        if (pairs[i].expected)
            l.items[l.count++] = &pairs[i];
    if (l.count)
        qsort(l.items, l.count, sizeof *l.items, compare_pairs);
    *ret_list = l;
    return l.items != NULL;
}

static json_t *pair_name(const struct calico_pair *p) {
    char b[IP_ADDR_TEXT_MAX];
    return json_sprintf("%s - %s, IPv%d, %s", p->node_a,
                        p->node_b ? p->node_b : ip_format(p->addr_b, b),
                        p->family == BGP_IPV4_UNICAST ? 4 : 6, p->kind);
}

/* ---- what starts anew ---- */

/* Sessions stand in order of name within a family, and a mesh session is named by its address. */
static int compare_name(const void *key, const void *item) {
    const struct calico_session *a = key, *b = item;
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    return strcmp(a->name, b->name);
}

static const struct calico_session *mesh_session(const struct calico_plan_node *n,
                                                 struct ip_addr neighbor) {
    char name[IP_ADDR_TEXT_MAX + 5] = "Mesh_";
    struct calico_session key = {
        .name = name, .family = neighbor.family == IP_V6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST};
    for (char *c = ip_format(neighbor, name + 5); *c; c++)
        if (*c == '.' || *c == ':')
            *c = '_';
    return bsearch(&key, n->sessions, n->session_count, sizeof key, compare_name);
}

static const struct calico_session *session_of(const struct calico_plan *p, const char *node,
                                               struct ip_addr neighbor, const char *kind) {
    const struct calico_plan_node *n = node ? calico_plan_find(p, node) : NULL;
    if (n && strcmp(kind, "mesh") == 0)
        return mesh_session(n, neighbor);
    for (size_t i = 0; n && i < n->session_count; i++)
        if (ip_equal(n->sessions[i].neighbor, neighbor) && n->sessions[i].kind != CALICO_MESH)
            return &n->sessions[i];
    return NULL;
}

static bool same_text(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* BIRD keeps a session whose filters alone are others; for the rest it starts anew. */
static bool restarts(const struct calico_session *a, const struct calico_session *b) {
    if (!a || !b)
        return false;
    return strcmp(a->name, b->name) != 0 || a->port != b->port || a->peer_as != b->peer_as ||
           a->local_as != b->local_as || !ip_equal(a->source_address, b->source_address) ||
           a->passive != b->passive || a->rr_client != b->rr_client ||
           a->cluster_id != b->cluster_id || !same_text(a->password, b->password) ||
           a->ttl_security != b->ttl_security || a->next_hop != b->next_hop ||
           a->allow_local_as != b->allow_local_as || a->restart_time_set != b->restart_time_set ||
           a->restart_time_s != b->restart_time_s || a->keepalive_s != b->keepalive_s;
}

/* NULL: the session stays. */
static const char *restart_reason(const struct calico_plan *old, const struct calico_plan *new,
                                  const struct calico_pair *a, const struct calico_pair *b) {
    if (strcmp(a->kind, "mesh") == 0 && strcmp(b->kind, "mesh") != 0)
        return "the mesh session ends; the BGPPeer's, which waited for the neighbor's lock, starts "
               "after its connect delay of 2 s";
    if (strcmp(a->kind, b->kind) != 0)
        return "another session takes its place, after its connect delay of 2 s";
    if (restarts(session_of(old, a->node_a, a->addr_b, a->kind),
                 session_of(new, b->node_a, b->addr_b, b->kind)) ||
        restarts(session_of(old, a->node_b, a->addr_a, a->kind),
                 session_of(new, b->node_b, b->addr_a, b->kind)))
        return "its settings change";
    return NULL;
}

static void compare_states(const struct calico_plan *old, const struct calico_plan *new,
                           json_t *step) {
    struct pair_list a, b;
    json_t *fall = json_array(), *rise = json_array(), *anew = json_array();
    bool listed = list_pairs(old, &a);
    if (list_pairs(new, &b) && listed) {
        size_t i = 0, k = 0;
        while (i < a.count || k < b.count) {
            int order = i == a.count   ? 1
                        : k == b.count ? -1
                                       : compare_pairs(&a.items[i], &b.items[k]);
            const char *why = order ? NULL : restart_reason(old, new, a.items[i], b.items[k]);
            if (order < 0)
                json_array_append_new(fall, pair_name(a.items[i]));
            if (order > 0)
                json_array_append_new(rise, pair_name(b.items[k]));
            if (why)
                json_array_append_new(
                    anew, json_pack("{s:o,s:s}", "session", pair_name(b.items[k]), "why", why));
            i += order <= 0;
            k += order >= 0;
        }
    }
    json_object_set_new(step, "sessions", json_integer((json_int_t)b.count));
    json_object_set_new(step, "fall", fall);
    json_object_set_new(step, "rise", rise);
    json_object_set_new(step, "startAnew", anew);
    free(a.items);
    free(b.items);
}

/* ---- who lacks whose block ---- */

static size_t lacking(const struct planned *p, size_t owner, struct ip_prefix block,
                      json_t *examples) {
    char text[IP_PREFIX_TEXT_MAX];
    size_t missing = 0;
    for (uint32_t i = 0; i < p->plan->node_count; i++) {
        const struct calico_node *n = p->plan->nodes[i].node;
        bool family = ip_is_set(block.addr.family == IP_V6 ? n->addr6 : n->addr4);
        if (i == owner || !family || oracle_find(p->oracle, i, block))
            continue;
        if (missing++ == 0 && json_array_size(examples) < EXAMPLES_MAX)
            json_array_append_new(examples, json_sprintf("%s has no route to %s of %s", n->name,
                                                         ip_prefix_format(block, text),
                                                         p->plan->nodes[owner].node->name));
    }
    return missing;
}

/* The count of (node, block) that are without each other; -1: not known. */
static json_int_t unreachable(struct planned *p, json_t *examples) {
    json_int_t missing = 0;
    size_t blocks = 0;
    if (p->plan->node_count > ORACLE_NODES_MAX || !planned_oracle(p))
        return -1;
    for (size_t i = 0; i < p->plan->node_count; i++)
        for (size_t k = 0; k < p->plan->nodes[i].block_count; k++, blocks++)
            missing += (json_int_t)lacking(p, i, p->plan->nodes[i].blocks[k].prefix, examples);
    return blocks ? missing : -1;
}

/* ---- steps ---- */

struct walk {
    const struct cli_options *options;
    struct planned state; /* after the last step */
    json_int_t unreachable;
    json_t *steps;
    bool refused, harm;
};

static const char *text_at(const struct yaml_node *n, const char *key) {
    const struct yaml_node *v = n && n->kind == YAML_MAPPING ? yaml_get(n, key) : NULL;
    return v && v->kind == YAML_SCALAR ? v->text : "";
}

static json_t *step_json(const struct yaml_document *d) {
    const struct yaml_node *root = d->root;
    const struct yaml_node *metadata =
        root->kind == YAML_MAPPING ? yaml_get(root, "metadata") : NULL;
    return json_pack("{s:s,s:i,s:s,s:s}", "file", root->file ? root->file : "", "line",
                     (int)root->line, "kind", text_at(root, "kind"), "name",
                     text_at(metadata, "name"));
}

static json_t *messages(const struct diag_list *d) {
    json_t *list = json_array();
    for (size_t i = 0; i < diag_count(d); i++)
        if (diag_at(d, i)->severity == DIAG_ERROR)
            json_array_append_new(list, json_sprintf("%s:%u:%u: %s", diag_at(d, i)->file,
                                                     diag_at(d, i)->line, diag_at(d, i)->column,
                                                     diag_at(d, i)->message));
    return list;
}

/* The state with one document more. False: it is refused, or memory ran out. */
static bool next_state(const struct walk *w, const struct yaml_document *d,
                       struct planned *ret_next) {
    struct calico_plan_options options = plan_options(w->options);
    struct planned n = {
        .arena = arena_new(), .diags = diag_list_new(), .set = calico_set_copy(w->state.set)};
    if (n.arena && n.diags && n.set && calico_apply(n.set, d, 1, true, n.diags))
        n.plan = calico_plan_new(n.set, &options, n.diags);
    *ret_next = n;
    return n.plan != NULL;
}

static void put_reach(struct walk *w, json_t *step, struct planned *next) {
    json_t *examples = json_array();
    json_int_t missing = unreachable(next, examples);
    json_object_set_new(step, "unreachable", missing < 0 ? json_null() : json_integer(missing));
    json_object_set_new(step, "examples", examples);
    w->harm |= missing > w->unreachable || json_array_size(json_object_get(step, "fall")) > 0 ||
               json_array_size(json_object_get(step, "startAnew")) > 0;
    w->unreachable = missing;
}

/* False: the walk ends here, as calicoctl's would. */
static bool walk_step(struct walk *w, const struct yaml_document *d) {
    struct planned next;
    json_t *step = step_json(d);
    bool taken = next_state(w, d, &next);
    json_array_append_new(w->steps, step);
    if (!taken) {
        json_object_set_new(step, "refused", messages(next.diags));
        planned_release(&next);
        w->refused = true;
        return false;
    }
    compare_states(w->state.plan, next.plan, step);
    put_reach(w, step, &next);
    planned_release(&w->state);
    w->state = next;
    return true;
}

/* ---- for people ---- */

static void print_list(const json_t *list, const char *what, struct text *out) {
    size_t i, n = json_array_size(list);
    json_t *s;
    if (n)
        text_printf(out, "    %zu session%s %s\n", n, n == 1 ? "" : "s", what);
    json_array_foreach(list, i, s) {
        if (i == EXAMPLES_MAX) {
            text_printf(out, "      … and %zu more\n", n - i);
            break;
        }
        const char *name = json_string_value(json_is_object(s) ? json_object_get(s, "session") : s);
        const char *why = json_string_value(json_object_get(s, "why"));
        text_printf(out, "      %s%s%s\n", name, why ? ": " : "", why ? why : "");
    }
}

static void print_step(const json_t *s, size_t number, struct text *out) {
    size_t i;
    json_t *line;
    const json_t *missing = json_object_get(s, "unreachable");
    text_printf(out, "  %zu. %s %s (%s:%lld)", number,
                json_string_value(json_object_get(s, "kind")),
                json_string_value(json_object_get(s, "name")),
                json_string_value(json_object_get(s, "file")),
                (long long)json_integer_value(json_object_get(s, "line")));
    if (json_object_get(s, "refused")) {
        text_puts(out, ": refused; nothing after it is applied\n");
        json_array_foreach(json_object_get(s, "refused"), i, line)
            text_printf(out, "    %s\n", json_string_value(line));
        return;
    }
    text_printf(out, ": %lld sessions\n",
                (long long)json_integer_value(json_object_get(s, "sessions")));
    print_list(json_object_get(s, "fall"), "fall", out);
    print_list(json_object_get(s, "startAnew"), "start anew", out);
    print_list(json_object_get(s, "rise"), "rise", out);
    if (json_integer_value(missing) > 0)
        text_printf(out, "    cut off: %lld routes between nodes are missing\n",
                    (long long)json_integer_value(missing));
    json_array_foreach(json_object_get(s, "examples"), i, line)
        text_printf(out, "      %s\n", json_string_value(line));
}

static void print_diff(const json_t *diff, const json_t *steps, struct text *out) {
    size_t i;
    json_t *s;
    calico_plan_diff_print(diff, out);
    text_puts(out, "\ndocument by document:\n");
    json_array_foreach(steps, i, s) print_step(s, i + 1, out);
}

/* Takes `diff` over. */
static bool show(struct walk *w, json_t *diff) {
    bool ok = diff != NULL;
    if (ok && w->options->format == CLI_JSON) {
        json_t *root = json_pack("{s:O,s:O}", "change", diff, "steps", w->steps);
        ok = root && json_dumpf(root, stdout, JSON_INDENT(1)) == 0;
        putchar('\n');
        json_decref(root);
    } else if (ok) {
        struct text out;
        text_init(&out);
        print_diff(diff, w->steps, &out);
        fputs(text_str(&out), stdout);
        text_deinit(&out);
    }
    json_decref(diff);
    return ok;
}

static int walk_all(struct walk *w, const struct planned *old, const char *path) {
    struct arena *arena = arena_new();
    struct diag_list *diags = diag_list_new();
    struct manifests in = {.arena = arena, .diags = diags};
    manifests_read(&in, path);
    for (size_t i = 0; diag_error_count(diags) == 0 && i < in.count; i++)
        if (!walk_step(w, &in.documents[i]))
            break;
    bool readable = diag_error_count(diags) == 0;
    if (!readable)
        cli_print_diags(diags);
    bool shown = show(w, readable ? calico_plan_diff(old->plan, w->state.plan) : NULL);
    diag_list_free(diags);
    arena_free(arena);
    return !shown || w->refused ? 2 : w->harm ? 3 : 0;
}

int plan_diff(struct cli_options *o) {
    struct planned old = {0};
    struct walk w = {.options = o, .steps = json_array()};
    json_t *none = json_array();
    int status = 2;
    if (o->argument_count != 2 || (o->format != CLI_TABLE && o->format != CLI_JSON)) {
        cli_error("plan --diff wants OLD and NEW, and -o table or json");
    } else if (planned_read(&old, &o->arguments[0], 1, o) &&
               planned_read(&w.state, &o->arguments[0], 1, o)) {
        w.unreachable = unreachable(&old, none);
        status = walk_all(&w, &old, o->arguments[1]);
    } else if (old.diags) {
        cli_print_diags(old.diags);
    }
    json_decref(none);
    json_decref(w.steps);
    planned_release(&w.state);
    planned_release(&old);
    return status;
}
