/*
 * Owns the session matrix of the table form: what each node (row) has towards each other node or
 * outside neighbour (column), in one letter that says the kind and, by its case, who dials.
 *
 * Where a node has several stanzas for one neighbour, the one that runs is shown: BIRD lets one
 * session per neighbour run, and the mesh's is there first.
 */
#include "plan_forms.h"

#include "../../speaker/base/text.h"
#include "plan_internal.h"

#include <string.h>

struct matrix {
    const struct calico_plan *plan;
    int family;
    bool colour;
    const struct calico_plan_node *nodes[CALICO_MATRIX_MAX];
    size_t node_count;
    struct ip_addr outside[CALICO_MATRIX_MAX];
    size_t outside_count;
    bool too_many;
    size_t session_count;
    const struct calico_failing *failing;
    size_t failing_count;
};

/* Kinds in the order of enum calico_session_kind. */
static const char letters[] = "mgnw";
static const char *const colours[] = {"\033[36m", "\033[33m", "\033[32m", "\033[35m"};
#define COLOUR_BAD "\033[31m"
#define COLOUR_END "\033[0m"

static void add_outside(struct matrix *m, struct ip_addr a) {
    for (size_t i = 0; i < m->outside_count; i++)
        if (ip_equal(m->outside[i], a))
            return;
    if (m->node_count + m->outside_count == CALICO_MATRIX_MAX)
        m->too_many = true;
    else
        m->outside[m->outside_count++] = a;
}

static void collect(struct matrix *m) {
    for (size_t i = 0; i < m->plan->node_count && !m->too_many; i++) {
        const struct calico_plan_node *n = &m->plan->nodes[i];
        if (!ip_is_set(plan_addr(n->node, m->family)))
            continue;
        if (m->node_count == CALICO_MATRIX_MAX)
            m->too_many = true;
        else
            m->nodes[m->node_count++] = n;
    }
    for (size_t i = 0; i < m->node_count && !m->too_many; i++)
        for (size_t k = 0; k < m->nodes[i]->session_count; k++) {
            const struct calico_session *s = &m->nodes[i]->sessions[k];
            if ((int)s->family != m->family)
                continue;
            m->session_count++;
            if (!s->peer_node)
                add_outside(m, s->neighbor);
        }
}

static const struct calico_session *stanza(const struct matrix *m, const struct calico_plan_node *n,
                                           struct ip_addr neighbor) {
    const struct calico_session *found = NULL;
    for (size_t i = 0; i < n->session_count; i++) {
        const struct calico_session *s = &n->sessions[i];
        if ((int)s->family == m->family && ip_equal(s->neighbor, neighbor) &&
            (!found || s->kind == CALICO_MESH))
            found = s;
    }
    return found;
}

static bool fails(const struct matrix *m, struct ip_addr a, struct ip_addr b) {
    for (size_t i = 0; i < m->failing_count; i++)
        if (ip_equal(m->failing[i].node, a) && ip_equal(m->failing[i].neighbor, b))
            return true;
    struct calico_pair *pairs;
    size_t count = calico_pairs(m->plan, &pairs);
    for (size_t i = 0; i < count; i++)
        if ((ip_equal(pairs[i].addr_a, a) && ip_equal(pairs[i].addr_b, b)) ||
            (ip_equal(pairs[i].addr_a, b) && ip_equal(pairs[i].addr_b, a)))
            return !pairs[i].expected;
    return false;
}

static void put_cell(const struct matrix *m, const struct calico_plan_node *n,
                     struct ip_addr neighbor, struct text *out) {
    struct ip_addr mine = plan_addr(n->node, m->family);
    const struct calico_session *s = stanza(m, n, neighbor);
    text_putc(out, ' ');
    if (!s) {
        text_puts(out, ip_equal(mine, neighbor) ? " \\" : " .");
        return;
    }
    bool bad = fails(m, mine, neighbor);
    char letter = letters[s->kind];
    text_puts(out, m->colour ? bad ? COLOUR_BAD : colours[s->kind] : "");
    text_putc(out, bad ? '!' : ' ');
    text_putc(out, s->passive ? letter : (char)(letter - 'a' + 'A'));
    text_puts(out, m->colour ? COLOUR_END : "");
}

static void put_row(const struct matrix *m, size_t row, struct text *out) {
    text_printf(out, "  %2zu", row + 1);
    for (size_t i = 0; i < m->node_count; i++)
        put_cell(m, m->nodes[row], plan_addr(m->nodes[i]->node, m->family), out);
    for (size_t i = 0; i < m->outside_count; i++)
        put_cell(m, m->nodes[row], m->outside[i], out);
    text_printf(out, "  %s\n", m->nodes[row]->node->name);
}

static void put_matrix(const struct matrix *m, bool name_family, struct text *out) {
    char text[IP_ADDR_TEXT_MAX];
    size_t columns = m->node_count + m->outside_count;
    text_printf(out, "\nsessions%s, seen from the row:\n    ",
                !name_family           ? ""
                : m->family == FAMILY4 ? " in IPv4"
                                       : " in IPv6");
    for (size_t i = 0; i < columns; i++)
        text_printf(out, " %2zu", i + 1);
    text_putc(out, '\n');
    for (size_t i = 0; i < m->node_count; i++)
        put_row(m, i, out);
    for (size_t i = 0; i < m->outside_count; i++)
        text_printf(out, "  %2zu  outside: %s\n", m->node_count + i + 1,
                    ip_format(m->outside[i], text));
    text_puts(out, "  m mesh, g global, n node specific, w local workload; upper case: the row"
                   " dials; !: will not come up\n");
}

void calico_plan_matrix(const struct calico_plan *p, const struct calico_failing *failing,
                        size_t failing_count, bool colour, struct text *out) {
    struct matrix m[BGP_FAMILIES];
    for (int family = 0; family < BGP_FAMILIES; family++) {
        m[family] = (struct matrix){.plan = p,
                                    .family = family,
                                    .colour = colour,
                                    .failing = failing,
                                    .failing_count = failing_count};
        collect(&m[family]);
    }
    for (int family = 0; family < BGP_FAMILIES; family++)
        if (!m[family].too_many && m[family].session_count > 0)
            put_matrix(&m[family], m[FAMILY4].session_count > 0 && m[FAMILY6].session_count > 0,
                       out);
}
