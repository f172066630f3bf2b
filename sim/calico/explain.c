/*
 * Owns the explanation of a session as a whole: who is asked about, the rules and sessions per
 * family, the pairs they make, and the text for people.
 */
#include "explain_internal.h"

#include <string.h>

/* ---- who is asked about ---- */

static const struct calico_plan_node *node_at(const struct calico_plan *p, struct ip_addr a) {
    for (size_t i = 0; i < p->node_count; i++)
        if (ip_equal(p->nodes[i].node->addr4, a) || ip_equal(p->nodes[i].node->addr6, a))
            return &p->nodes[i];
    return NULL;
}

static void take_address(struct explain *x, struct ip_addr a) {
    x->addrs[plan_family(a)] = a;
    x->peer = node_at(x->plan, a);
}

static bool find_target(struct explain *x, const char *peer) {
    struct ip_addr a;
    x->peer_name = peer;
    x->peer = calico_plan_find(x->plan, peer);
    if (x->peer) {
        x->addrs[FAMILY4] = x->peer->node->addr4;
        x->addrs[FAMILY6] = x->peer->node->addr6;
        return true;
    }
    if (ip_parse(peer, &a)) {
        take_address(x, a);
        return true;
    }
    for (size_t i = 0; i < x->node->session_count; i++)
        if (strcmp(x->node->sessions[i].name, peer) == 0) {
            take_address(x, x->node->sessions[i].neighbor);
            return true;
        }
    return false;
}

const struct calico_session *calico_explain_find(const struct calico_plan *p,
                                                 const struct calico_plan_node *n, const char *peer,
                                                 int family) {
    struct explain x = {.plan = p, .node = n};
    const struct calico_session *found = NULL;
    if (!find_target(&x, peer))
        return NULL;
    for (size_t i = 0; i < n->session_count; i++) {
        const struct calico_session *s = &n->sessions[i];
        if (strcmp(s->name, peer) == 0)
            return s;
        if ((family < 0 || (int)s->family == family) && ip_equal(s->neighbor, x.addrs[s->family]) &&
            (!found || s->kind == CALICO_MESH))
            found = s;
    }
    return found;
}

/* ---- the whole ---- */

static json_t *sessions_json(struct explain *x) {
    json_t *list = json_array();
    for (size_t i = 0; i < x->node->session_count; i++) {
        const struct calico_session *s = &x->node->sessions[i];
        if (!ip_equal(s->neighbor, x->addrs[s->family]))
            continue;
        json_t *o = json_pack("{s:o,s:o}", "session", plan_json_session(s, &x->failed), "because",
                              explain_stanza(x, s));
        x->failed |= json_array_append_new(list, o) != 0;
    }
    return list;
}

static bool joins(const struct calico_pair *p, struct ip_addr a, struct ip_addr b) {
    return (ip_equal(p->addr_a, a) && ip_equal(p->addr_b, b)) ||
           (ip_equal(p->addr_a, b) && ip_equal(p->addr_b, a));
}

static json_t *pairs_json(struct explain *x) {
    json_t *list = json_array();
    struct calico_pair *pairs;
    size_t count = calico_pairs(x->plan, &pairs);
    for (size_t i = 0; i < count; i++)
        for (int family = 0; family < BGP_FAMILIES; family++)
            if (ip_is_set(x->addrs[family]) &&
                joins(&pairs[i], plan_addr(x->node->node, family), x->addrs[family]))
                x->failed |=
                    json_array_append_new(list, plan_json_pair(&pairs[i], &x->failed)) != 0;
    return list;
}

static void explain_family(struct explain *x, int family) {
    if (!ip_is_set(plan_addr(x->node->node, family)))
        explain_rule(x, family, "family", "no", x->node->node->place,
                     "the node has no IPv%d address, so no IPv%d sessions",
                     family == FAMILY4 ? 4 : 6, family == FAMILY4 ? 4 : 6);
    else if (!ip_is_set(x->addrs[family]))
        explain_rule(x, family, "family", "no",
                     x->peer ? x->peer->node->place : (struct diag_place){0},
                     "the peer has no IPv%d address", family == FAMILY4 ? 4 : 6);
    else if (x->node->refused[family])
        explain_rule(x, family, "refused", "no", x->node->node->place,
                     "BIRD refuses the node's file (%s), so it keeps what it has",
                     x->node->refused[family]);
    if (!ip_is_set(plan_addr(x->node->node, family)) || !ip_is_set(x->addrs[family]))
        return;
    explain_mesh(x, family);
    explain_peers(x, family);
}

static bool asks(const struct explain *x, int family) {
    bool both = ip_is_set(x->addrs[family]) || ip_is_set(plan_addr(x->node->node, family));
    return x->peer && strcmp(x->peer->node->name, x->peer_name) == 0 ? both
                                                                     : ip_is_set(x->addrs[family]);
}

json_t *calico_explain_session(const struct calico_plan *p, const struct calico_plan_node *n,
                               const char *peer, bool *ret_unknown) {
    struct explain x = {.plan = p, .node = n, .rules = json_array()};
    *ret_unknown = !find_target(&x, peer);
    if (*ret_unknown) {
        json_decref(x.rules);
        return NULL;
    }
    for (int family = 0; family < BGP_FAMILIES; family++)
        if (asks(&x, family))
            explain_family(&x, family);
    json_t *root = json_pack("{s:s,s:s,s:o,s:o,s:o}", "node", n->node->name, "peer", peer, "rules",
                             x.rules, "sessions", sessions_json(&x), "pairs", pairs_json(&x));
    if (!x.failed)
        return root;
    json_decref(root);
    return NULL;
}

/* ---- for people ---- */

static const char *word(const json_t *object, const char *key) {
    const char *s = json_string_value(json_object_get(object, key));
    return s ? s : "";
}

static void print_place(const json_t *o, struct text *out) {
    if (word(o, "file")[0])
        text_printf(out, " (%s:%lld)", word(o, "file"),
                    (long long)json_integer_value(json_object_get(o, "line")));
    text_putc(out, '\n');
}

static void print_rules(const json_t *rules, struct text *out) {
    size_t i;
    json_t *r;
    json_array_foreach(rules, i, r) {
        text_printf(out, "  %s  %-8s %-8s %s", word(r, "family"), word(r, "rule"),
                    word(r, "verdict"), word(r, "text"));
        print_place(r, out);
    }
}

static void print_session(const json_t *s, struct text *out) {
    size_t i;
    json_t *b;
    text_printf(out, "\n%s\n", word(json_object_get(s, "session"), "name"));
    json_array_foreach(json_object_get(s, "because"), i, b) {
        text_printf(out, "  %-14s %s", word(b, "field"), word(b, "text"));
        print_place(b, out);
    }
}

/* Of a router outside only this end is known. */
static void print_pair(const json_t *p, struct text *out) {
    text_printf(out, "\n%s: ", word(p, "family"));
    if (!json_is_true(json_object_get(p, "expected")))
        text_printf(out, "the session does not come up: %s\n", word(p, "whyNot"));
    else if (!json_is_string(json_object_get(p, "nodeB")))
        text_printf(out,
                    "the session comes up if %s wants it, too (plan --cisco reads a router's "
                    "configuration)\n",
                    word(p, "addressB"));
    else
        text_puts(out, "the session comes up\n");
}

static json_int_t port_of(const json_t *session) {
    json_int_t port = json_integer_value(json_object_get(session, "port"));
    return port ? port : BGP_PORT;
}

/* Two sessions of one family, which is then one neighbor, and one port: BIRD's lock is by both. */
static bool has_rivals(const json_t *sessions) {
    for (size_t i = 0; i < json_array_size(sessions); i++) {
        const json_t *a = json_object_get(json_array_get(sessions, i), "session");
        for (size_t k = 0; k < i; k++) {
            const json_t *b = json_object_get(json_array_get(sessions, k), "session");
            if (strcmp(word(a, "family"), word(b, "family")) == 0 && port_of(a) == port_of(b))
                return true;
        }
    }
    return false;
}

void calico_explain_print(const json_t *explanation, struct text *out) {
    const json_t *sessions = json_object_get(explanation, "sessions");
    size_t i, count = json_array_size(sessions);
    json_t *item;
    if (count)
        text_printf(out, "%s has %zu session%s with %s\n", word(explanation, "node"), count,
                    count == 1 ? "" : "s", word(explanation, "peer"));
    else
        text_printf(out, "%s has no session with %s\n", word(explanation, "node"),
                    word(explanation, "peer"));
    print_rules(json_object_get(explanation, "rules"), out);
    json_array_foreach(sessions, i, item) print_session(item, out);
    if (has_rivals(sessions))
        text_puts(out, "\nof several sessions with one neighbor and port BIRD runs one; the others "
                       "wait for its lock\n");
    json_array_foreach(json_object_get(explanation, "pairs"), i, item) print_pair(item, out);
}
