/*
 * Owns the plan as a Graphviz graph: boxes by AS and by the label "rack", nodes and outside
 * neighbours in them, a line per pair of the plan.
 *
 * Solid grey: mesh; solid: node specific; dashed: global; an arrow points from a reflector to its
 * client; red and dotted with the reason: will not come up. From MESH_LINES_MAX lines on the mesh
 * of a family is one hub instead.
 *
 * Invariant: every identifier and text is quoted, quotes and backslashes in it escaped, so no name
 * can become syntax.
 */
#include "plan_forms.h"

#include "../../speaker/base/text.h"
#include "plan_internal.h"

#include <stdlib.h>
#include <string.h>

#define MESH_LINES_MAX 500

static void put_quoted(struct text *out, const char *text) {
    text_putc(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            text_putc(out, '\\');
        text_putc(out, (unsigned char)*text < ' ' ? ' ' : *text);
    }
    text_putc(out, '"');
}

static const char *rack_of(const struct calico_node *n) {
    for (size_t i = 0; i < n->label_count; i++)
        if (strcmp(n->labels[i].name, "rack") == 0)
            return n->labels[i].value;
    return "";
}

/* ---- nodes in boxes ---- */

struct placed {
    const struct calico_plan_node *node;
    const char *rack;
};

static int compare_placed(const void *a, const void *b) {
    const struct placed *x = a, *y = b;
    if (x->node->as_number != y->node->as_number)
        return x->node->as_number < y->node->as_number ? -1 : 1;
    int c = strcmp(x->rack, y->rack);
    return c ? c : strcmp(x->node->node->name, y->node->node->name);
}

static void put_node(const struct calico_plan_node *n, struct text *out) {
    struct text label;
    char a[IP_ADDR_TEXT_MAX];
    text_init(&label);
    text_puts(out, "      ");
    put_quoted(out, n->node->name);
    text_puts(out, " [label=");
    put_quoted(out, n->node->name);
    out->size--; /* reopens the quoted text: the lines below it hold addresses only */
    if (ip_is_set(n->node->addr4))
        text_printf(&label, "\\n%s", ip_format(n->node->addr4, a));
    if (ip_is_set(n->node->addr6))
        text_printf(&label, "\\n%s", ip_format(n->node->addr6, a));
    text_printf(out, "%s\"%s];\n", text_str(&label),
                n->node->has_cluster_id ? ", shape=doubleoctagon" : "");
    text_deinit(&label);
}

static void put_boxes(const struct placed *p, size_t count, struct text *out) {
    for (size_t i = 0; i < count; i++) {
        bool new_as = i == 0 || p[i].node->as_number != p[i - 1].node->as_number;
        bool new_rack = new_as || strcmp(p[i].rack, p[i - 1].rack) != 0;
        if (new_as)
            text_printf(out, "%s  subgraph \"cluster_as%u\" {\n    label=\"AS %u\";\n",
                        i ? "    }\n  }\n" : "", p[i].node->as_number, p[i].node->as_number);
        else if (new_rack)
            text_puts(out, "    }\n");
        if (new_rack) {
            text_printf(out, "    subgraph \"%s%u_%zu\" {\n", p[i].rack[0] ? "cluster_rack" : "as",
                        p[i].node->as_number, i);
            if (p[i].rack[0]) {
                text_puts(out, "      label=");
                put_quoted(out, p[i].rack);
                text_puts(out, ";\n");
            }
        }
        put_node(p[i].node, out);
    }
    text_puts(out, count ? "    }\n  }\n" : "");
}

static bool put_nodes(const struct calico_plan *p, struct text *out) {
    struct placed *placed = calloc(p->node_count + 1, sizeof *placed);
    if (!placed)
        return false;
    for (size_t i = 0; i < p->node_count; i++)
        placed[i] = (struct placed){&p->nodes[i], rack_of(p->nodes[i].node)};
    qsort(placed, p->node_count, sizeof *placed, compare_placed);
    put_boxes(placed, p->node_count, out);
    free(placed);
    return true;
}

static const struct calico_session *session_to(const struct calico_plan *p, const char *node,
                                               struct ip_addr neighbor) {
    const struct calico_plan_node *n = node ? calico_plan_find(p, node) : NULL;
    for (size_t i = 0; n && i < n->session_count; i++)
        if (ip_equal(n->sessions[i].neighbor, neighbor))
            return &n->sessions[i];
    return NULL;
}

static int compare_outside(const void *a, const void *b) {
    const struct calico_pair *x = *(const struct calico_pair *const *)a,
                             *y = *(const struct calico_pair *const *)b;
    return ip_compare(x->addr_b, y->addr_b);
}

static bool put_outside(const struct calico_plan *p, struct text *out) {
    const struct calico_pair **list, *pair;
    struct calico_pair *pairs;
    size_t count = calico_pairs(p, &pairs), n = 0;
    char a[IP_ADDR_TEXT_MAX];
    list = calloc(count + 1, sizeof *list);
    if (!list)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!pairs[i].node_b)
            list[n++] = &pairs[i];
    qsort(list, n, sizeof *list, compare_outside);
    for (size_t i = 0; i < n; i++) {
        pair = list[i];
        if (i > 0 && ip_equal(pair->addr_b, list[i - 1]->addr_b))
            continue;
        const struct calico_session *s = session_to(p, pair->node_a, pair->addr_b);
        ip_format(pair->addr_b, a);
        text_printf(out, "  \"%s\" [label=\"%s\\nAS %u\", shape=box, style=rounded];\n", a, a,
                    s ? s->peer_as : 0);
    }
    free(list);
    return true;
}

/* ---- lines ---- */

static void put_line(const struct calico_plan *p, const struct calico_pair *pair,
                     struct text *out) {
    char b[IP_ADDR_TEXT_MAX];
    const struct calico_session *from_a = session_to(p, pair->node_a, pair->addr_b),
                                *from_b = session_to(p, pair->node_b, pair->addr_a);
    bool client_b = from_a && from_a->rr_client, client_a = from_b && from_b->rr_client;
    text_puts(out, "  ");
    put_quoted(out, pair->node_a);
    text_puts(out, " -> ");
    put_quoted(out, pair->node_b ? pair->node_b : ip_format(pair->addr_b, b));
    text_printf(out, " [dir=%s",
                client_a && client_b ? "both"
                : client_b           ? "forward"
                : client_a           ? "back"
                                     : "none");
    if (strcmp(pair->kind, "mesh") == 0)
        text_puts(out, ", color=gray60");
    else if (strcmp(pair->kind, "global") == 0)
        text_puts(out, ", style=dashed");
    if (!pair->expected) {
        text_puts(out, ", color=red, style=dotted, label=");
        put_quoted(out, pair->why_not);
    }
    text_puts(out, pair->family == BGP_IPV6_UNICAST ? ", tooltip=\"IPv6\"];\n" : "];\n");
}

static bool is_plain_mesh(const struct calico_pair *p, int family) {
    return (int)p->family == family && p->expected && strcmp(p->kind, "mesh") == 0;
}

/* A hub in place of more lines than anyone can tell apart. */
static void put_hub(const struct calico_plan *p, int family, size_t sessions, struct text *out) {
    text_printf(out, "  \"mesh %d\" [label=\"mesh, IPv%d\\n%zu sessions\", shape=ellipse];\n",
                family, family == FAMILY4 ? 4 : 6, sessions);
    for (size_t i = 0; i < p->node_count; i++) {
        const struct calico_node *n = p->nodes[i].node;
        if (!ip_is_set(plan_addr(n, family)) || n->has_cluster_id)
            continue;
        text_puts(out, "  ");
        put_quoted(out, n->name);
        text_printf(out, " -> \"mesh %d\" [dir=none, color=gray60];\n", family);
    }
}

bool calico_plan_dot(const struct calico_plan *p, struct text *out) {
    struct calico_pair *pairs;
    size_t count = calico_pairs(p, &pairs), mesh[BGP_FAMILIES] = {0, 0};
    text_puts(out, "digraph plan {\n  graph [overlap=false, splines=true];\n");
    bool done = put_nodes(p, out) && put_outside(p, out);
    for (size_t i = 0; i < count; i++)
        for (int family = 0; family < BGP_FAMILIES; family++)
            mesh[family] += is_plain_mesh(&pairs[i], family);
    for (int family = 0; family < BGP_FAMILIES; family++)
        if (mesh[family] > MESH_LINES_MAX)
            put_hub(p, family, mesh[family], out);
    for (size_t i = 0; i < count; i++)
        if (!is_plain_mesh(&pairs[i], (int)pairs[i].family) ||
            mesh[pairs[i].family] <= MESH_LINES_MAX)
            put_line(p, &pairs[i], out);
    text_puts(out, "}\n");
    return done && !out->failed;
}
