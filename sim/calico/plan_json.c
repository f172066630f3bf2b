/*
 * Owns the plan as JSON, in the shape of topologies/plan.schema.json: nodes with their stanzas,
 * pairs, findings. Passwords are never written, only whether there is one.
 */
#include "plan_internal.h"

#include <string.h>

/* Takes the value; a NULL value (no memory) makes the whole fail. */
static void put(json_t *object, const char *key, json_t *value, bool *failed) {
    if (json_object_set_new(object, key, value) != 0)
        *failed = true;
}
static void append(json_t *array, json_t *value, bool *failed) {
    if (json_array_append_new(array, value) != 0)
        *failed = true;
}

static json_t *address(struct ip_addr a) {
    char text[IP_ADDR_TEXT_MAX];
    return ip_is_set(a) ? json_string(ip_format(a, text)) : json_null();
}
static json_t *node_address(struct ip_addr a, uint8_t length) {
    char text[IP_ADDR_TEXT_MAX];
    return ip_is_set(a) ? json_sprintf("%s/%u", ip_format(a, text), length) : json_null();
}
static json_t *text_or_null(const char *s) {
    return s ? json_string(s) : json_null();
}
static json_t *number_or_null(uint32_t value, bool given) {
    return given ? json_integer(value) : json_null();
}
static const char *family_name(enum bgp_family family) {
    return family == BGP_IPV4_UNICAST ? "ipv4" : "ipv6";
}

static const char *const kind_names[] = {"mesh", "global", "node", "local-workload"};
static const char *const password_names[] = {"none", "present", "missing"};
static const char *const next_hop_names[] = {"default", "auto", "self", "keep"};

/* ---- sessions ---- */

static json_t *filter_names(const struct calico_session *s, int direction, bool *failed) {
    json_t *array = json_array();
    for (size_t i = 0; i < s->filter_count; i++)
        if (s->filters[i]->rule_count[direction][s->family] > 0)
            append(array, json_string(s->filters[i]->name), failed);
    return array;
}

static void put_identity(json_t *o, const struct calico_session *s, bool *failed) {
    put(o, "name", json_string(s->name), failed);
    put(o, "family", json_string(family_name(s->family)), failed);
    put(o, "kind", json_string(kind_names[s->kind]), failed);
    put(o, "neighbor", address(s->neighbor), failed);
    put(o, "port", number_or_null(s->port, s->port != 0), failed);
    put(o, "peerNode", text_or_null(s->peer_node), failed);
    put(o, "peerAS", json_integer(s->peer_as), failed);
    put(o, "localAS", json_integer(s->local_as), failed);
}

static void put_settings(json_t *o, const struct calico_session *s, bool *failed) {
    put(o, "sourceAddress", address(s->source_address), failed);
    put(o, "passive", json_boolean(s->passive), failed);
    put(o, "rrClient", json_boolean(s->rr_client), failed);
    put(o, "clusterID", s->rr_client ? address(ip4(s->cluster_id)) : json_null(), failed);
    put(o, "password", json_string(password_names[s->password_state]), failed);
    put(o, "ttlSecurity", number_or_null(s->ttl_security, s->ttl_security != 0), failed);
    put(o, "multihop", json_integer(s->multihop), failed);
    put(o, "nextHop", json_string(next_hop_names[s->next_hop]), failed);
    put(o, "allowLocalAS", number_or_null(s->allow_local_as, s->allow_local_as != 0), failed);
    put(o, "gracefulRestartTime_s", number_or_null(s->restart_time_s, s->restart_time_set), failed);
    put(o, "keepaliveTime_s", number_or_null(s->keepalive_s, s->keepalive_set), failed);
    put(o, "importFilters", filter_names(s, 0, failed), failed);
    put(o, "exportFilters", filter_names(s, 1, failed), failed);
    put(o, "internal", json_boolean(s->internal), failed);
}

json_t *plan_json_session(const struct calico_session *s, bool *failed) {
    json_t *o = json_object();
    put_identity(o, s, failed);
    put_settings(o, s, failed);
    return o;
}

json_t *plan_json_session_origin(const struct calico_session *s, bool *failed) {
    json_t *o = plan_json_session(s, failed);
    put(o, "origin", s->origin[0] ? json_string(s->origin) : json_null(), failed);
    put(o, "reverse", json_boolean(s->reverse), failed);
    return o;
}

/* ---- nodes ---- */

static json_t *listen_json(const struct calico_plan_node *n, bool *failed) {
    json_t *o = json_object(), *addresses = json_array();
    for (int family = 0; family < BGP_FAMILIES; family++)
        if (ip_is_set(n->listen_addr[family]))
            append(addresses, address(n->listen_addr[family]), failed);
    put(o, "port", json_integer(n->listen_port ? n->listen_port : BGP_PORT), failed);
    put(o, "addresses", addresses, failed);
    return o;
}

static json_t *blocks_json(const struct calico_plan_node *n, bool *failed) {
    json_t *array = json_array();
    char text[IP_PREFIX_TEXT_MAX];
    for (size_t i = 0; i < n->block_count; i++)
        append(array, json_string(ip_prefix_format(n->blocks[i].prefix, text)), failed);
    return array;
}

/* In order of name: both families are, so they are merged. */
static void append_sessions(json_t *array, const struct calico_plan_node *n, bool *failed) {
    size_t at4 = 0, end4 = 0, at6;
    while (end4 < n->session_count && n->sessions[end4].family == BGP_IPV4_UNICAST)
        end4++;
    at6 = end4;
    while (at4 < end4 || at6 < n->session_count) {
        bool first = at6 == n->session_count ||
                     (at4 < end4 && strcmp(n->sessions[at4].name, n->sessions[at6].name) <= 0);
        append(array, plan_json_session(&n->sessions[first ? at4++ : at6++], failed), failed);
    }
}

/* Why BIRD refuses a family's file. */
static json_t *refused_json(const struct calico_plan_node *n, bool *failed) {
    json_t *o = json_object();
    put(o, "ipv4", text_or_null(n->refused[BGP_IPV4_UNICAST]), failed);
    put(o, "ipv6", text_or_null(n->refused[BGP_IPV6_UNICAST]), failed);
    return o;
}

json_t *plan_json_node(const struct calico_plan_node *n, bool *failed) {
    json_t *o = json_object(), *sessions = json_array();
    put(o, "name", json_string(n->node->name), failed);
    put(o, "asNumber", json_integer(n->as_number), failed);
    put(o, "routerID", address(n->router_id), failed);
    put(o, "ipv4", node_address(n->node->addr4, n->node->length4), failed);
    put(o, "ipv6", node_address(n->node->addr6, n->node->length6), failed);
    put(o, "clusterID", n->node->has_cluster_id ? address(n->node->cluster_id) : json_null(),
        failed);
    put(o, "listen", listen_json(n, failed), failed);
    put(o, "blocks", blocks_json(n, failed), failed);
    put(o, "refused", refused_json(n, failed), failed);
    append_sessions(sessions, n, failed);
    put(o, "sessions", sessions, failed);
    return o;
}

/* ---- pairs, findings ---- */

json_t *plan_json_pair(const struct calico_pair *p, bool *failed) {
    json_t *o = json_object();
    put(o, "family", json_string(family_name(p->family)), failed);
    put(o, "nodeA", json_string(p->node_a), failed);
    put(o, "nodeB", text_or_null(p->node_b), failed);
    put(o, "addressA", address(p->addr_a), failed);
    put(o, "addressB", address(p->addr_b), failed);
    put(o, "kind", json_string(p->kind), failed);
    put(o, "bothEnds", json_boolean(p->both_ends), failed);
    put(o, "expected", json_boolean(p->expected), failed);
    put(o, "whyNot", p->why_not[0] ? json_string(p->why_not) : json_null(), failed);
    return o;
}

json_t *plan_json_finding(const struct diag *d, bool *failed) {
    json_t *o = json_object();
    put(o, "severity", json_string(diag_severity_name(d->severity)), failed);
    put(o, "id", json_string(d->id), failed);
    put(o, "file", d->file[0] ? json_string(d->file) : json_null(), failed);
    put(o, "line", number_or_null(d->line, d->line != 0), failed);
    put(o, "column", number_or_null(d->column, d->column != 0), failed);
    /* A message may repeat octets of a text that is not UTF-8. */
    json_t *message = json_string(d->message);
    put(o, "message", message ? message : json_string("(not UTF-8)"), failed);
    put(o, "pair", text_or_null(d->pair[0] ? d->pair : NULL), failed);
    put(o, "prefix", text_or_null(d->prefix[0] ? d->prefix : NULL), failed);
    return o;
}

json_t *calico_plan_json(const struct calico_plan *p, const struct diag_list *findings) {
    json_t *root = json_object(), *nodes = json_array(), *pairs = json_array(),
           *list = json_array();
    struct calico_pair *pair;
    size_t pair_count = calico_pairs(p, &pair);
    bool failed = false;
    for (size_t i = 0; i < p->node_count; i++)
        append(nodes, plan_json_node(&p->nodes[i], &failed), &failed);
    for (size_t i = 0; i < pair_count; i++)
        append(pairs, plan_json_pair(&pair[i], &failed), &failed);
    for (size_t i = 0; findings && i < diag_count(findings); i++)
        append(list, plan_json_finding(diag_at(findings, i), &failed), &failed);
    put(root, "nodes", nodes, &failed);
    put(root, "pairs", pairs, &failed);
    put(root, "findings", list, &failed);
    if (!failed)
        return root;
    json_decref(root);
    return NULL;
}

/* ---- as a stream ---- */

struct stream {
    FILE *out;
    size_t written; /* items of the current list */
    bool failed;
};

static void begin_list(struct stream *s, const char *before) {
    s->written = 0;
    fputs(before, s->out);
}

/* Takes the item. */
static void write_item(struct stream *s, json_t *item) {
    fputs(s->written++ ? ",\n" : "\n", s->out);
    s->failed |= !item || json_dumpf(item, s->out, JSON_COMPACT) != 0;
    json_decref(item);
}

bool calico_plan_write_json(const struct calico_plan *p, const struct diag_list *findings,
                            FILE *out) {
    struct stream s = {.out = out};
    struct calico_pair *pair;
    size_t pair_count = calico_pairs(p, &pair);
    begin_list(&s, "{\"nodes\": [");
    for (size_t i = 0; i < p->node_count && !s.failed; i++)
        write_item(&s, plan_json_node(&p->nodes[i], &s.failed));
    begin_list(&s, "],\n\"pairs\": [");
    for (size_t i = 0; i < pair_count && !s.failed; i++)
        write_item(&s, plan_json_pair(&pair[i], &s.failed));
    begin_list(&s, "],\n\"findings\": [");
    for (size_t i = 0; findings && i < diag_count(findings) && !s.failed; i++)
        write_item(&s, plan_json_finding(diag_at(findings, i), &s.failed));
    fputs("]}\n", out);
    return !s.failed && !ferror(out);
}
