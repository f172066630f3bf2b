/*
 * Owns the plan as text: one table per node, the pairs that will not meet, and the totals with the
 * formula they follow. Deterministic: same plan, same octets. Colours, warnings and exit codes are
 * the caller's.
 */
#include "plan_internal.h"

#include "../../speaker/base/text.h"

#include <string.h>

#define NAME_WIDTH_MIN 20
#define NAME_WIDTH_MAX 44
#define FAILING_SHOWN_MAX 20

/* ---- one node ---- */

static void print_address(const struct calico_plan_node *n, struct text *out) {
    char text[IP_ADDR_TEXT_MAX];
    if (ip_is_set(n->node->addr4))
        text_printf(out, ", %s/%u", ip_format(n->node->addr4, text), n->node->length4);
    if (ip_is_set(n->node->addr6))
        text_printf(out, ", %s/%u", ip_format(n->node->addr6, text), n->node->length6);
}

void plan_print_heading(const struct calico_plan_node *n, struct text *out) {
    char text[IP_ADDR_TEXT_MAX];
    text_printf(out, "%s: AS %u", n->node->name, n->as_number);
    print_address(n, out);
    if (!ip_is_set(n->node->addr4) && ip_is_set(n->node->addr6))
        text_printf(out, ", router id %s",
                    ip_is_set(n->router_id) ? ip_format(n->router_id, text) : "missing");
    if (!ip_is_set(n->node->addr4) && !ip_is_set(n->node->addr6))
        text_puts(out, ", no BGP address");
    if (n->listen_port)
        text_printf(out, ", port %u", n->listen_port);
    if (n->node->has_cluster_id)
        text_printf(out, ", route reflector %s", ip_format(n->node->cluster_id, text));
    text_putc(out, '\n');
    for (size_t i = 0; i < n->block_count; i++) {
        char prefix[IP_PREFIX_TEXT_MAX];
        text_printf(out, "%s%s",
                    i ? ", " : "  blocks: ", ip_prefix_format(n->blocks[i].prefix, prefix));
    }
    if (n->block_count)
        text_putc(out, '\n');
    for (int family = 0; family < BGP_FAMILIES; family++)
        if (n->refused[family])
            text_printf(out, "  BIRD refuses %s: %s; the node keeps what it has\n",
                        family == FAMILY4 ? "bird.cfg" : "bird6.cfg", n->refused[family]);
}

static void print_word(struct text *out, bool *first, const char *word) {
    text_printf(out, "%s%s", *first ? "" : ", ", word);
    *first = false;
}

static void print_details(const struct calico_session *s, struct text *out) {
    bool first = true;
    if (s->passive)
        print_word(out, &first, "passive");
    if (s->rr_client)
        print_word(out, &first, "rr client");
    if (s->password_state == CALICO_PASSWORD_PRESENT)
        print_word(out, &first, "password");
    if (s->password_state == CALICO_PASSWORD_MISSING)
        print_word(out, &first, "password missing");
    if (s->ttl_security)
        print_word(out, &first, "ttl security");
    if (s->local_as_override) {
        print_word(out, &first, "local AS ");
        text_printf(out, "%u", s->local_as);
    }
    if (s->next_hop == CALICO_NEXT_HOP_SELF)
        print_word(out, &first, "next hop self");
    if (s->next_hop == CALICO_NEXT_HOP_KEEP)
        print_word(out, &first, "next hop keep");
    for (size_t i = 0; i < s->filter_count; i++) {
        print_word(out, &first, i ? "" : "filters ");
        text_puts(out, s->filters[i]->name);
    }
}

static void strip_blanks(struct text *out) {
    while (out->size > 0 && out->data[out->size - 1] == ' ')
        out->data[--out->size] = '\0';
}

static size_t name_width(const struct calico_plan_node *n) {
    size_t width = NAME_WIDTH_MIN;
    for (size_t i = 0; i < n->session_count; i++) {
        size_t size = strlen(n->sessions[i].name);
        width = size > width ? size : width;
    }
    return width > NAME_WIDTH_MAX ? NAME_WIDTH_MAX : width;
}

static size_t peer_width(const struct calico_plan_node *n) {
    size_t width = 7;
    for (size_t i = 0; i < n->session_count; i++) {
        const char *peer = n->sessions[i].peer_node;
        size_t size = peer ? strlen(peer) : 0;
        width = size > width ? size : width;
    }
    return width > NAME_WIDTH_MAX ? NAME_WIDTH_MAX : width;
}

static void print_node(const struct calico_plan_node *n, struct text *out) {
    size_t names = name_width(n), peers = peer_width(n);
    plan_print_heading(n, out);
    if (n->session_count == 0) {
        text_puts(out, "  no sessions\n\n");
        return;
    }
    text_puts(out, "  SESSION");
    text_pad(out, names + 4);
    text_puts(out, "PEER");
    text_pad(out, names + peers + 6);
    text_puts(out, "AS          TYPE  DETAILS\n");
    for (size_t i = 0; i < n->session_count; i++) {
        const struct calico_session *s = &n->sessions[i];
        text_printf(out, "  %s", s->name);
        text_pad(out, names + 4);
        text_puts(out, s->peer_node ? s->peer_node : "outside");
        text_pad(out, names + peers + 6);
        text_printf(out, "%-10u  %s  ", s->peer_as, s->internal ? "iBGP" : "eBGP");
        print_details(s, out);
        strip_blanks(out);
        text_putc(out, '\n');
    }
    text_putc(out, '\n');
}

/* ---- totals ---- */

struct totals {
    size_t pairs, mesh, outside, failing;
    size_t nodes, reflectors, mesh_nodes;
};

static struct totals count_family(const struct calico_plan *p, int family) {
    const struct plan_impl *impl = plan_impl(p);
    struct totals t = {0};
    for (size_t i = 0; i < impl->met.count; i++) {
        const struct calico_pair *pair = &impl->met.items[i];
        if ((int)pair->family != family)
            continue;
        t.pairs++;
        t.mesh += strcmp(pair->kind, "mesh") == 0;
        t.outside += pair->node_b == NULL;
        t.failing += !pair->expected;
    }
    for (size_t i = 0; i < p->node_count; i++) {
        if (!ip_is_set(plan_addr(p->nodes[i].node, family)))
            continue;
        t.nodes++;
        t.reflectors += p->nodes[i].node->has_cluster_id;
        t.mesh_nodes += !p->nodes[i].node->has_cluster_id;
    }
    return t;
}

/* The formula a plan follows, when it follows one: a plain number proves nothing. */
static void print_formula(const struct totals *t, struct text *out) {
    size_t r = t->reflectors, n = t->nodes, m = t->mesh_nodes;
    if (t->pairs > 0 && t->mesh == t->pairs && t->pairs == m * (m - (m > 0)) / 2)
        text_printf(out, " = n(n-1)/2, n = %zu", m);
    else if (r > 0 && t->mesh == 0 && t->outside == 0 && t->pairs == r * (n - r) + r * (r - 1) / 2)
        text_printf(out, " = R*(N-R)+R(R-1)/2, R = %zu, N = %zu", r, n);
}

static void print_failing(const struct calico_plan *p, struct text *out) {
    const struct plan_impl *impl = plan_impl(p);
    char addr[IP_ADDR_TEXT_MAX];
    size_t shown = 0, total = 0;
    for (size_t i = 0; i < impl->met.count; i++) {
        const struct calico_pair *pair = &impl->met.items[i];
        if (pair->expected || ++total > FAILING_SHOWN_MAX)
            continue;
        if (shown++ == 0)
            text_puts(out, "will not come up:\n");
        text_printf(out, "  %s - %s: %s\n", pair->node_a,
                    pair->node_b ? pair->node_b : ip_format(pair->addr_b, addr), pair->why_not);
    }
    if (total > shown)
        text_printf(out, "  … and %zu more\n", total - shown);
    if (total > 0)
        text_putc(out, '\n');
}

static void print_totals(const struct calico_plan *p, struct text *out) {
    struct totals t[BGP_FAMILIES] = {count_family(p, FAMILY4), count_family(p, FAMILY6)};
    bool both = t[FAMILY4].nodes > 0 && t[FAMILY6].nodes > 0;
    for (int family = 0; family < BGP_FAMILIES; family++) {
        if (t[family].nodes == 0 && (family == FAMILY6 || t[FAMILY6].nodes > 0))
            continue;
        if (both)
            text_puts(out, family == FAMILY4 ? "IPv4: " : "IPv6: ");
        text_printf(out, "%zu session%s", t[family].pairs, t[family].pairs == 1 ? "" : "s");
        print_formula(&t[family], out);
        if (t[family].outside > 0)
            text_printf(out, ", %zu of them with outside routers", t[family].outside);
        if (t[family].failing > 0)
            text_printf(out, ", %zu will not come up", t[family].failing);
        text_puts(out, p->node_count ? "\n" : ": there is no Node among the manifests\n");
    }
}

void plan_print_summary(const struct calico_plan *p, struct text *out) {
    print_failing(p, out);
    print_totals(p, out);
}

void calico_plan_print(const struct calico_plan *p, const char *node, struct text *out) {
    if (node) {
        const struct calico_plan_node *n = calico_plan_find(p, node);
        if (n)
            print_node(n, out);
        else
            text_printf(out, "no node \"%s\"\n", node);
        return;
    }
    for (size_t i = 0; i < p->node_count; i++)
        print_node(&p->nodes[i], out);
    plan_print_summary(p, out);
}
