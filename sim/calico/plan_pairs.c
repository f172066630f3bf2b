/*
 * Owns the meeting of two ends: every stanza with the one on the other side, whether they can make
 * a session, and if not, why.
 *
 * A neighbour that has several stanzas for one address (mesh and BGPPeer) is listed once, with the
 * stanza that runs: BIRD locks address and port, and the first stanza in its file has the lock.
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

#include <stdio.h>
#include <string.h>

#define BGP_DEFAULT_PORT 179

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
};

static bool takes_part(const struct calico_session *s, int family) {
    return (int)s->family == family && s->peer_index != CALICO_NO_NODE;
}

/* Sessions are sorted by name, so the first for a neighbour is the one with BIRD's lock; those
 * with another port are no rivals, but listed once all the same. */
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
    return port ? port : BGP_DEFAULT_PORT;
}

/* Does x call the port the other node listens on? */
static bool dials(const struct calico_session *x, const struct calico_plan_node *other) {
    return !x->passive && port_of(x->port) == port_of(other->listen_port);
}

static enum pair_cause compare_ends(const struct plan_build *b, uint32_t i, uint32_t j,
                                    const struct calico_session *x, const struct calico_session *y,
                                    char *why, size_t size) {
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
    if (!dials(x, c) && !dials(y, a)) {
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

static void add_pair(struct plan_build *b, const struct calico_pair *pair, enum pair_cause cause,
                     const char *from) {
    struct plan_impl *p = b->p;
    p->pairs[p->pair_count] = *pair;
    p->causes[p->pair_count] = (uint8_t)cause;
    p->pair_from[p->pair_count] = from;
    p->pair_count++;
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

/* x: i's stanza for j, y: j's for i; one of them may be missing. */
static void add_nodes(struct pairing *p, uint32_t i, uint32_t j, const struct calico_session *x,
                      const struct calico_session *y) {
    struct plan_build *b = p->b;
    char why[256] = "";
    const struct calico_node *a = b->p->plan.nodes[i].node, *c = b->p->plan.nodes[j].node;
    const struct calico_session *either = x ? x : y;
    enum pair_cause cause = PAIR_FINE;
    if (either->peer_as == 0) {
        cause = PAIR_NO_AS;
        snprintf(why, sizeof why, "no AS number: BIRD refuses the configuration");
    } else if ((!x || !y) && either->passive) {
        cause = PAIR_PASSIVE;
        snprintf(why, sizeof why, "%s waits to be called, and %s has no peer %s: nobody connects",
                 x ? a->name : c->name, x ? c->name : a->name,
                 b->p->info[x ? i : j].text[p->family]);
    } else if (!x || !y) {
        cause = PAIR_NO_STANZA;
        snprintf(why, sizeof why, "%s has no peer %s", x ? c->name : a->name,
                 b->p->info[x ? i : j].text[p->family]);
    } else {
        cause = compare_ends(b, i, j, x, y, why, sizeof why);
    }
    if (cause == PAIR_FINE &&
        (is_frozen(p, i, why, sizeof why) || is_frozen(p, j, why, sizeof why)))
        cause = PAIR_FROZEN;
    struct calico_pair pair = {
        .node_a = a->name,
        .node_b = c->name,
        .addr_a = plan_addr(a, p->family),
        .addr_b = plan_addr(c, p->family),
        .family = (enum bgp_family)p->family,
        .kind = pair_kind(x, y),
        .both_ends = x && y,
        .expected = cause == PAIR_FINE,
        .why_not = cause == PAIR_FINE ? "" : say(b, why),
    };
    const struct calico_session *named = x && x->origin[0] ? x : y && y->origin[0] ? y : either;
    add_pair(b, &pair, cause, named->origin);
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
    add_pair(p->b, &pair, cause, s->origin);
}

/* All nodes behind i (in order of name) that it or they have a stanza for. */
static void pair_node(struct pairing *p, uint32_t i) {
    const struct calico_plan_node *n = &p->b->p->plan.nodes[i];
    for (size_t j = n->session_count; j-- > 0;)
        if (takes_part(&n->sessions[j], p->family))
            p->out[n->sessions[j].peer_index] = &n->sessions[j];
    uint32_t at = p->in.start[i], end = p->in.start[i + 1];
    for (uint32_t j = 0; j < p->b->p->plan.node_count; j++) {
        const struct calico_session *y = NULL;
        while (at < end && p->in.owner[at] < j)
            at++;
        if (at < end && p->in.owner[at] == j)
            y = p->in.session[at];
        if (j > i && (p->out[j] || y))
            add_nodes(p, i, j, p->out[j], y);
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

static bool reserve(struct plan_build *b) {
    size_t room = 1;
    for (size_t i = 0; i < b->p->plan.node_count; i++)
        room += b->p->plan.nodes[i].session_count;
    /* A full mesh has two stanzas for one pair; count what is there, not the worst case. */
    size_t between = 0;
    for (uint32_t i = 0; i < b->p->plan.node_count; i++)
        for (size_t j = 0; j < b->p->plan.nodes[i].session_count; j++) {
            const struct calico_session *s = &b->p->plan.nodes[i].sessions[j];
            between += s->kind == CALICO_MESH && s->peer_index < i;
        }
    room -= between;
    b->p->pairs = plan_array(b, b->arena, room, sizeof *b->p->pairs);
    b->p->causes = plan_array(b, b->arena, room, sizeof *b->p->causes);
    b->p->pair_from = plan_array(b, b->arena, room, sizeof *b->p->pair_from);
    return !b->out_of_memory;
}

void plan_pairs(struct plan_build *b) {
    if (!reserve(b))
        return;
    for (int family = 0; family < BGP_FAMILIES && !b->out_of_memory; family++) {
        struct pairing p = {.b = b, .family = family};
        p.out = plan_array(b, b->scratch, b->p->plan.node_count + 1, sizeof *p.out);
        if (!p.out || !make_incoming(&p))
            return;
        for (uint32_t i = 0; i < b->p->plan.node_count; i++)
            pair_node(&p, i);
    }
}

size_t calico_pairs(const struct calico_plan *p, struct calico_pair **ret_pairs) {
    *ret_pairs = plan_impl(p)->pairs;
    return plan_impl(p)->pair_count;
}
