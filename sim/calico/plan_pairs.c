/*
 * Owns the meeting of two ends: every stanza with the one on the other side, whether they can make
 * a session, and if not, why.
 *
 * A neighbour that has several stanzas for one address (mesh and BGPPeer) is listed once, with one
 * that runs: BIRD locks address and port, and the first stanza of a port in its file has the lock.
 * An incoming connection goes to the first of all. What comes up counts; the ends that are then
 * left over are kept apart, for the findings.
 * Sessions with the node's own pods are no pairs: they never leave it.
 * An outside router's side is not known here; such a pair is expected unless our own side is
 * already wrong. Where BIRD refuses an end's file, no session of it is expected: what an older file
 * keeps up is for who knows the state before.
 *
 * Cost is O(sessions): for each node, its neighbours on one hand and, through a packed transposed
 * table, those who have a stanza for it on the other.
 */
#include "plan_bird.h"
#include "plan_internal.h"

#include "../../speaker/base/arena.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define STANZAS_MAX 8 /* of one node for another; beyond, the first ones count */

/* Who has a stanza for node i in one family: owners ascending, with their session. */
struct incoming {
    uint32_t *start;
    uint32_t *owner;
    const struct calico_session **session;
};

struct pairing {
    struct plan_build *b;
    int family;
    struct incoming in;
    const struct calico_session **out; /* first stanza of the current node to each other node */
    uint32_t *next; /* per stanza of the current node: the next to the same node; 0: none */
};

/* All stanzas of one node for another, in the order of its file. */
struct stanzas {
    const struct calico_session *items[STANZAS_MAX];
    size_t count;
};

static bool takes_part(const struct calico_session *s, int family) {
    return (int)s->family == family && s->peer_index != CALICO_NO_NODE;
}

static bool make_incoming(struct pairing *p) {
    struct plan_build *b = p->b;
    const struct calico_plan *plan = &b->p->plan;
    size_t n = plan->node_count;
    struct incoming *in = &p->in;
    in->start = plan_array(b, b->scratch, n + 2, sizeof *in->start);
    if (!in->start)
        return false;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < plan->nodes[i].session_count; j++)
            if (takes_part(&plan->nodes[i].sessions[j], p->family))
                in->start[plan->nodes[i].sessions[j].peer_index + 2]++;
    for (size_t i = 2; i < n + 2; i++)
        in->start[i] += in->start[i - 1];
    in->owner = plan_array(b, b->scratch, (size_t)in->start[n + 1] + 1, sizeof *in->owner);
    in->session = plan_array(b, b->scratch, (size_t)in->start[n + 1] + 1, sizeof *in->session);
    if (b->out_of_memory)
        return false;
    for (uint32_t i = 0; i < n; i++)
        for (size_t j = 0; j < plan->nodes[i].session_count; j++) {
            const struct calico_session *s = &plan->nodes[i].sessions[j];
            if (!takes_part(s, p->family))
                continue;
            uint32_t at = in->start[s->peer_index + 1]++;
            in->owner[at] = i;
            in->session[at] = s;
        }
    return true;
}

/* ---- do they agree? ---- */

static const char *say(struct plan_build *b, const char *text) {
    const char *copy = arena_strdup(b->arena, text);
    if (!copy)
        b->out_of_memory = true;
    return copy ? copy : "";
}

static bool as_differ(const struct calico_session *x, const struct calico_session *y,
                      const char *name_x, const char *name_y, char *why, size_t size) {
    if (x->peer_as == y->local_as)
        return false;
    snprintf(why, size, "%s expects AS %u of %s, which is AS %u", name_x, x->peer_as, name_y,
             y->local_as);
    return true;
}

static bool password_differs(const struct calico_session *x, const struct calico_session *y) {
    if (!x->password || !y->password)
        return x->password != y->password;
    return strcmp(x->password, y->password) != 0;
}

static uint16_t port_of(uint16_t port) {
    return port ? port : BGP_PORT;
}

/* Does x call the port the other node listens on? */
static bool dials(const struct calico_session *x, const struct calico_plan_node *other) {
    return !x->passive && port_of(x->port) == port_of(other->listen_port);
}

/* `x_first`, `y_first`: whether the end is the one its node hands connections to. */
static enum pair_cause compare_ends(const struct plan_build *b, uint32_t i, uint32_t j,
                                    const struct calico_session *x, bool x_first,
                                    const struct calico_session *y, bool y_first, char *why,
                                    size_t size) {
    const struct calico_plan_node *a = &b->p->plan.nodes[i], *c = &b->p->plan.nodes[j];
    const char *name_a = a->node->name, *name_c = c->node->name;
    if (as_differ(x, y, name_a, name_c, why, size) || as_differ(y, x, name_c, name_a, why, size))
        return PAIR_AS;
    if (x->passive && y->passive) {
        snprintf(why, size, "both ends are passive: nobody connects");
        return PAIR_PASSIVE;
    }
    if (password_differs(x, y)) {
        if (x->password && y->password)
            snprintf(why, size, "the passwords differ");
        else
            snprintf(why, size, "only %s has a password", x->password ? name_a : name_c);
        return PAIR_PASSWORD;
    }
    if (!x->ttl_security != !y->ttl_security) {
        snprintf(why, size, "only %s has ttlSecurity", x->ttl_security ? name_a : name_c);
        return PAIR_TTL;
    }
    if (!(y_first && dials(x, c)) && !(x_first && dials(y, a))) {
        snprintf(why, size, "%s calls port %u, %s listens on %u", x->passive ? name_c : name_a,
                 port_of(x->passive ? y->port : x->port), x->passive ? name_a : name_c,
                 port_of(x->passive ? a->listen_port : c->listen_port));
        return PAIR_PORT;
    }
    return PAIR_FINE;
}

static const char *pair_kind(const struct calico_session *x, const struct calico_session *y) {
    enum calico_session_kind first = x ? x->kind : y->kind, second = y ? y->kind : first;
    if (first == CALICO_MESH || second == CALICO_MESH)
        return "mesh";
    return first == CALICO_GLOBAL || second == CALICO_GLOBAL ? "global" : "node";
}

/* ---- the list ---- */

static bool resize_pairs(struct plan_build *b, struct plan_pair_list *list, size_t room) {
    struct plan_pair_list l = {.count = list->count, .room = room};
    l.items = plan_array(b, b->arena, room, sizeof *l.items);
    l.causes = plan_array(b, b->arena, room, sizeof *l.causes);
    l.from = plan_array(b, b->arena, room, sizeof *l.from);
    if (b->out_of_memory)
        return false;
    if (list->count) {
        memcpy(l.items, list->items, list->count * sizeof *l.items);
        memcpy(l.causes, list->causes, list->count * sizeof *l.causes);
        memcpy(l.from, list->from, list->count * sizeof *l.from);
    }
    *list = l;
    return true;
}

static bool grow_pairs(struct plan_build *b, struct plan_pair_list *list) {
    return list->count < list->room || resize_pairs(b, list, list->room ? list->room * 2 : 16);
}

static void add_pair(struct plan_build *b, struct plan_pair_list *list,
                     const struct calico_pair *pair, enum pair_cause cause, const char *from) {
    if (!grow_pairs(b, list))
        return;
    list->items[list->count] = *pair;
    list->causes[list->count] = (uint8_t)cause;
    list->from[list->count] = from;
    list->count++;
}

/* A refused file's stanzas are none; the one before it, if any, is not known here. */
static bool is_frozen(const struct pairing *p, uint32_t i, char *why, size_t size) {
    const struct calico_plan_node *n = &p->b->p->plan.nodes[i];
    if (!n->refused[p->family])
        return false;
    snprintf(why, size, "BIRD refuses %s of %s (%.120s), and with it this session",
             calico_bird_file_name((enum bgp_family)p->family), n->node->name,
             n->refused[p->family]);
    return true;
}

/* x: i's stanza for j, y: j's for i; one of them may be missing, not both. */
static enum pair_cause judge(const struct pairing *p, uint32_t i, uint32_t j,
                             const struct calico_session *x, bool x_first,
                             const struct calico_session *y, bool y_first, char *why, size_t size) {
    const struct plan_build *b = p->b;
    const char *name_a = b->p->plan.nodes[i].node->name, *name_c = b->p->plan.nodes[j].node->name;
    const struct calico_session *either = x ? x : y;
    enum pair_cause cause;
    assert(either);
    if (either->peer_as == 0) {
        snprintf(why, size, "no AS number: BIRD refuses the configuration");
        return PAIR_NO_AS;
    }
    if ((!x || !y) && either->passive) {
        snprintf(why, size, "%s waits to be called, and %s has no peer %s: nobody connects",
                 x ? name_a : name_c, x ? name_c : name_a, b->p->info[x ? i : j].text[p->family]);
        return PAIR_PASSIVE;
    }
    if (!x || !y) {
        snprintf(why, size, "%s has no peer %s", x ? name_c : name_a,
                 b->p->info[x ? i : j].text[p->family]);
        return PAIR_NO_STANZA;
    }
    cause = compare_ends(b, i, j, x, x_first, y, y_first, why, size);
    if (cause == PAIR_FINE && (is_frozen(p, i, why, size) || is_frozen(p, j, why, size)))
        return PAIR_FROZEN;
    return cause;
}

/* `named`: the end whose BGPPeer is meant. */
static void add_ends(struct pairing *p, uint32_t i, uint32_t j, const struct calico_session *x,
                     const struct calico_session *y, const struct calico_session *named,
                     enum pair_cause cause, const char *why, struct plan_pair_list *list) {
    const struct calico_node *a = p->b->p->plan.nodes[i].node, *c = p->b->p->plan.nodes[j].node;
    struct calico_pair pair = {
        .node_a = a->name,
        .node_b = c->name,
        .addr_a = plan_addr(a, p->family),
        .addr_b = plan_addr(c, p->family),
        .family = (enum bgp_family)p->family,
        .kind = pair_kind(x, y),
        .both_ends = x && y,
        .expected = cause == PAIR_FINE,
        .why_not = cause == PAIR_FINE ? "" : say(p->b, why),
    };
    add_pair(p->b, list, &pair, cause, named->origin);
}

/* Has no stanza before it the port? */
static bool runs(const struct stanzas *s, size_t at) {
    for (size_t i = 0; i < at; i++)
        if (port_of(s->items[i]->port) == port_of(s->items[at]->port))
            return false;
    return true;
}

static bool fit(const struct pairing *p, uint32_t i, uint32_t j, const struct stanzas *xs, size_t k,
                const struct stanzas *ys, size_t l) {
    char why[256];
    return runs(xs, k) && runs(ys, l) &&
           judge(p, i, j, xs->items[k], k == 0, ys->items[l], l == 0, why, sizeof why) == PAIR_FINE;
}

/* The first two ends that run and meet; 0 and 0: there are none. */
static void find_ends(const struct pairing *p, uint32_t i, uint32_t j, const struct stanzas *xs,
                      const struct stanzas *ys, size_t *ret_x, size_t *ret_y) {
    *ret_x = *ret_y = 0;
    for (size_t k = 0; k < xs->count; k++)
        for (size_t l = 0; l < ys->count; l++)
            if (fit(p, i, j, xs, k, ys, l)) {
                *ret_x = k;
                *ret_y = l;
                return;
            }
}

/* Stanzas of i that run, but for the one at `met`, and meet none of j's. `mirrored`: i is the
 * second of the pair. */
static void add_left(struct pairing *p, uint32_t i, uint32_t j, const struct stanzas *xs,
                     const struct stanzas *ys, size_t met, bool mirrored) {
    for (size_t k = 0; k < xs->count; k++) {
        const struct calico_session *x = xs->items[k], *y = ys->items[0];
        char why[256] = "";
        bool meets = k == met || !runs(xs, k);
        for (size_t l = 0; l < ys->count && !meets; l++)
            meets = fit(p, i, j, xs, k, ys, l);
        if (meets)
            continue;
        enum pair_cause cause = judge(p, i, j, x, k == 0, y, true, why, sizeof why);
        if (mirrored)
            add_ends(p, j, i, y, x, x, cause, why, &p->b->p->left);
        else
            add_ends(p, i, j, x, y, x, cause, why, &p->b->p->left);
    }
}

static void add_nodes(struct pairing *p, uint32_t i, uint32_t j, const struct stanzas *xs,
                      const struct stanzas *ys) {
    char why[256] = "";
    size_t k = 0, l = 0;
    bool several = xs->count > 1 || ys->count > 1;
    if (several)
        find_ends(p, i, j, xs, ys, &k, &l);
    const struct calico_session *x = xs->items[k], *y = ys->items[l];
    enum pair_cause cause = judge(p, i, j, x, k == 0, y, l == 0, why, sizeof why);
    const struct calico_session *named = (x && x->origin[0]) || !y ? x : y;
    add_ends(p, i, j, x, y, named, cause, why, &p->b->p->met);
    if (several) {
        add_left(p, i, j, xs, ys, k, false);
        add_left(p, j, i, ys, xs, l, true);
    }
}

static void add_outside(struct pairing *p, uint32_t i, const struct calico_session *s) {
    char why[256] = "";
    enum pair_cause cause = PAIR_FINE;
    if (s->peer_as == 0) {
        cause = PAIR_NO_AS;
        snprintf(why, sizeof why, "no AS number: BIRD refuses the configuration");
    } else if (is_frozen(p, i, why, sizeof why)) {
        cause = PAIR_FROZEN;
    }
    struct calico_pair pair = {
        .node_a = p->b->p->plan.nodes[i].node->name,
        .addr_a = plan_addr(p->b->p->plan.nodes[i].node, p->family),
        .addr_b = s->neighbor,
        .family = (enum bgp_family)p->family,
        .kind = pair_kind(s, NULL),
        .expected = cause == PAIR_FINE,
        .why_not = cause == PAIR_FINE ? "" : say(p->b, why),
    };
    add_pair(p->b, &p->b->p->met, &pair, cause, s->origin);
}

static struct stanzas stanzas_out(const struct pairing *p, const struct calico_plan_node *n,
                                  uint32_t j) {
    struct stanzas s = {.items = {p->out[j]}, .count = p->out[j] != NULL};
    size_t at = s.count ? (size_t)(p->out[j] - n->sessions) : 0;
    for (; s.count && p->next[at] && s.count < STANZAS_MAX; at = p->next[at])
        s.items[s.count++] = &n->sessions[p->next[at]];
    return s;
}

/* All nodes behind i (in order of name) that it or they have a stanza for. */
static void pair_node(struct pairing *p, uint32_t i) {
    const struct calico_plan_node *n = &p->b->p->plan.nodes[i];
    for (size_t k = n->session_count; k-- > 0;) {
        const struct calico_session *s = &n->sessions[k];
        if (!takes_part(s, p->family))
            continue;
        const struct calico_session *behind = p->out[s->peer_index];
        p->next[k] = behind ? (uint32_t)(behind - n->sessions) : 0;
        p->out[s->peer_index] = s;
    }
    uint32_t at = p->in.start[i], end = p->in.start[i + 1];
    for (uint32_t j = 0; j < p->b->p->plan.node_count; j++) {
        while (at < end && p->in.owner[at] < j)
            at++;
        if (!p->out[j] && (at == end || p->in.owner[at] > j))
            continue;
        struct stanzas xs = stanzas_out(p, n, j), ys = {.count = 0};
        for (; at < end && p->in.owner[at] == j; at++)
            if (ys.count < STANZAS_MAX)
                ys.items[ys.count++] = p->in.session[at];
        if (j > i)
            add_nodes(p, i, j, &xs, &ys);
        p->out[j] = NULL;
    }
    const struct calico_session *last = NULL;
    for (size_t j = 0; j < n->session_count; j++) {
        const struct calico_session *s = &n->sessions[j];
        if ((int)s->family != p->family || s->peer_index != CALICO_NO_NODE ||
            s->kind == CALICO_LOCAL_WORKLOAD)
            continue;
        if (!last || !ip_equal(last->neighbor, s->neighbor))
            add_outside(p, i, s);
        last = s;
    }
}

/* A full mesh has two stanzas for one pair; count what is there, not the worst case. */
static bool reserve(struct plan_build *b) {
    size_t room = 1, between = 0;
    for (uint32_t i = 0; i < b->p->plan.node_count; i++) {
        room += b->p->plan.nodes[i].session_count;
        for (size_t j = 0; j < b->p->plan.nodes[i].session_count; j++) {
            const struct calico_session *s = &b->p->plan.nodes[i].sessions[j];
            between += s->kind == CALICO_MESH && s->peer_index < i;
        }
    }
    return resize_pairs(b, &b->p->met, room - between);
}

static size_t most_stanzas(const struct plan_build *b) {
    size_t most = 0;
    for (size_t i = 0; i < b->p->plan.node_count; i++)
        if (b->p->plan.nodes[i].session_count > most)
            most = b->p->plan.nodes[i].session_count;
    return most;
}

void plan_pairs(struct plan_build *b) {
    if (!reserve(b))
        return;
    for (int family = 0; family < BGP_FAMILIES && !b->out_of_memory; family++) {
        struct pairing p = {.b = b, .family = family};
        p.out = plan_array(b, b->scratch, b->p->plan.node_count + 1, sizeof *p.out);
        p.next = plan_array(b, b->scratch, most_stanzas(b) + 1, sizeof *p.next);
        if (!p.out || !p.next || !make_incoming(&p))
            return;
        for (uint32_t i = 0; i < b->p->plan.node_count; i++)
            pair_node(&p, i);
    }
}

size_t calico_pairs(const struct calico_plan *p, struct calico_pair **ret_pairs) {
    *ret_pairs = plan_impl(p)->met.items;
    return plan_impl(p)->met.count;
}
