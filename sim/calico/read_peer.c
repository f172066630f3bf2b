/*
 * Owns reading a BGPPeer: its fields and the rules between them, with the texts Calico's own
 * validation uses where operators would search for them. Whether the filters it names exist is
 * checked when it is applied; what it selects is the planner's business.
 */
#include "read_kinds.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/text.h"

#include <string.h>

#define FILTERS_MAX 500
#define PEER_IP_MAX 64

#define FIELD(name)                                                                                \
    static void name(struct read_context *c, const struct yaml_node *n, const char *path,          \
                     void *object)
#define PEER ((struct calico_bgp_peer *)object)

/* "A:port" or "[A]:port": the parts, or false when there is no port in it. */
static bool split_port(const char *text, char host[PEER_IP_MAX + 1], const char **ret_port) {
    const char *colon = strrchr(text, ':');
    size_t size = colon ? (size_t)(colon - text) : 0;
    bool bracketed = text[0] == '[';
    if (!colon || (bracketed ? size < 2 || colon[-1] != ']' : strchr(text, ':') != colon))
        return false;
    if (bracketed) {
        text++;
        size -= 2;
    }
    memcpy(host, text, size);
    host[size] = '\0';
    *ret_port = colon + 1;
    return true;
}

FIELD(field_peer_ip) {
    const char *text, *port_text;
    char host[PEER_IP_MAX + 1];
    uint64_t port = 0;
    struct ip_addr a;
    if (!read_text(c, n, path, PEER_IP_MAX, &text))
        return;
    bool ok = ip_parse(text, &a);
    if (!ok && split_port(text, host, &port_text))
        ok = ip_parse(host, &a) && (text[0] == '[') == (a.family == IP_V6) &&
             text_to_u64(port_text, 1, UINT16_MAX, &port);
    if (!ok) {
        read_unless_raw(c, n, "bad-peer-ip", path,
                        "\"%.64s\" is neither an address, nor IPv4:port, nor [IPv6]:port (port 1 "
                        "to 65535)",
                        text);
        PEER->peer_ip_unreadable = true;
        return;
    }
    PEER->has_peer_ip = true;
    PEER->peer_ip = a;
    PEER->peer_port = (uint16_t)port;
}
FIELD(field_node) {
    read_text(c, n, path, 253, &PEER->node);
}
FIELD(field_node_selector) {
    read_selector(c, n, path, &PEER->node_selector, &PEER->node_selector_text);
}
FIELD(field_peer_selector) {
    read_selector(c, n, path, &PEER->peer_selector, &PEER->peer_selector_text);
}
FIELD(field_workload_selector) {
    read_selector(c, n, path, &PEER->local_workload_selector, &PEER->local_workload_selector_text);
}
FIELD(field_as_number) {
    read_asn(c, n, path, &PEER->as_number);
}
FIELD(field_local_as_number) {
    read_asn(c, n, path, &PEER->local_as_number);
}
FIELD(field_keep_next_hop) {
    read_bool(c, n, path, &PEER->keep_original_next_hop);
}
FIELD(field_next_hop_mode) {
    static const char *const words[] = {"Auto", "Self", "Keep"};
    size_t index;
    if (read_word(c, n, path, words, 3, &index))
        PEER->next_hop_mode = (enum calico_next_hop_mode)(CALICO_NEXT_HOP_AUTO + index);
}
FIELD(field_password) {
    read_secret_ref(c, n, path, &PEER->password);
}
FIELD(field_source_address) {
    static const char *const words[] = {"UseNodeIP", "None"};
    size_t index;
    if (read_word(c, n, path, words, 2, &index))
        PEER->source_address_none = index == 1;
}
FIELD(field_restart_time) {
    PEER->max_restart_time_set = read_seconds(c, n, path, &PEER->max_restart_time_s);
}
FIELD(field_keepalive) {
    PEER->keepalive_set = read_seconds(c, n, path, &PEER->keepalive_s);
}
FIELD(field_allowed_local_as) {
    read_u32(c, n, path, 0, INT32_MAX, &PEER->allowed_local_as);
}
FIELD(field_ttl_security) {
    uint32_t hops;
    if (read_u32(c, n, path, 0, UINT8_MAX, &hops))
        PEER->ttl_security = (uint8_t)hops;
}
FIELD(field_reachable_by) {
    read_address(c, n, path, &PEER->reachable_by);
}
FIELD(field_reverse) {
    static const char *const words[] = {"Auto", "Manual"};
    size_t index;
    if (read_word(c, n, path, words, 2, &index))
        PEER->reverse_manual = index == 1;
}
FIELD(item_filter) {
    read_name(c, n, path, object);
}
FIELD(field_filters) {
    size_t count, kept = 0;
    const char **names =
        read_list(c, n, path, FILTERS_MAX, sizeof(const char *), item_filter, &count);
    struct diag_place *places = arena_array(c->arena, count + 1, sizeof *places);
    if (!places) {
        c->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (names[i]) {
            names[kept] = names[i];
            places[kept++] = read_place(c, n->items[i]);
        }
    PEER->filters = names;
    PEER->filter_places = places;
    PEER->filter_count = kept;
}

static const struct read_field fields[] = {
    {"node", field_node},
    {"nodeSelector", field_node_selector},
    {"peerIP", field_peer_ip},
    {"asNumber", field_as_number},
    {"peerSelector", field_peer_selector},
    {"localWorkloadSelector", field_workload_selector},
    {"localASNumber", field_local_as_number},
    {"keepOriginalNextHop", field_keep_next_hop},
    {"nextHopMode", field_next_hop_mode},
    {"password", field_password},
    {"sourceAddress", field_source_address},
    {"maxRestartTime", field_restart_time},
    {"keepaliveTime", field_keepalive},
    {"numAllowedLocalASNumbers", field_allowed_local_as},
    {"ttlSecurity", field_ttl_security},
    {"reachableBy", field_reachable_by},
    {"filters", field_filters},
    {"reversePeering", field_reverse},
};

/* ---- rules between fields ---- */

static bool given(const struct yaml_node *spec, const char *field) {
    const struct yaml_node *n = yaml_get(spec, field);
    return n && n->kind != YAML_NULL && !(n->kind == YAML_SCALAR && n->text[0] == '\0');
}

/* Pairs that exclude each other; the finding stands at the second. */
static void check_exclusions(struct read_context *c, const struct yaml_node *spec) {
    static const struct {
        const char *first, *second, *message;
    } rules[] = {
        {"node", "nodeSelector", "node and nodeSelector cannot both be set"},
        {"peerIP", "peerSelector", "peerIP and peerSelector cannot both be set"},
        {"peerSelector", "asNumber", "asNumber must be empty when peerSelector is set"},
        {"localWorkloadSelector", "peerIP",
         "peerIP must be empty when localWorkloadSelector is set"},
        {"localWorkloadSelector", "peerSelector",
         "peerSelector must be empty when localWorkloadSelector is set"},
        {"keepOriginalNextHop", "nextHopMode",
         "keepOriginalNextHop and nextHopMode cannot both be set"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (given(spec, rules[i].first) && given(spec, rules[i].second))
            read_error(c, yaml_key(spec, rules[i].second), "exclusive-fields", "spec", "%s",
                       rules[i].message);
}

static void check_reachable_by(struct read_context *c, const struct yaml_node *spec,
                               const struct calico_bgp_peer *o) {
    if (!ip_is_set(o->reachable_by))
        return;
    const struct yaml_node *key = yaml_key(spec, "reachableBy");
    if (!given(spec, "peerIP"))
        read_error(c, key, "required-field", "spec",
                   "reachableBy must be empty when peerIP is empty");
    else if (o->has_peer_ip && o->peer_ip.family != o->reachable_by.family)
        read_unless_raw(c, key, "address-family", "spec",
                        "ReachableBy and PeerIP address family mismatched");
}

static void check_remote(struct read_context *c, const struct yaml_node *root,
                         const struct yaml_node *spec, const struct calico_bgp_peer *o) {
    if (given(spec, "localWorkloadSelector") && !given(spec, "asNumber"))
        read_error(c, yaml_key(spec, "localWorkloadSelector"), "required-field", "spec",
                   "asNumber is required when localWorkloadSelector is set");
    if (o->has_peer_ip && !given(spec, "asNumber"))
        read_warning(c, yaml_key(spec, "peerIP"), "missing-as", "spec",
                     "peerIP without asNumber is accepted, but BIRD refuses the whole "
                     "configuration of every node it applies to: set asNumber");
    if (!given(spec, "peerIP") && !given(spec, "peerSelector") &&
        !given(spec, "localWorkloadSelector"))
        read_warning(c, root, "empty-peer", "spec",
                     "names no remote side: no peerIP, no peerSelector; Calico accepts it and "
                     "peers the selected nodes with every node that lacks an address family");
    if (o->peer_ip.family == IP_V6 && ip_is_link_local(o->peer_ip))
        read_warning(c, yaml_key(spec, "peerIP"), "link-local", "spec",
                     "a link-local peer is impossible: Calico's sessions are multihop, and BIRD "
                     "refuses the configuration");
}

struct calico_bgp_peer *read_bgp_peer(struct read_context *c, const struct yaml_node *root) {
    struct calico_bgp_peer *o = arena_alloc(c->arena, sizeof *o);
    if (!o)
        return NULL;
    const struct yaml_node *spec = read_spec(root);
    size_t before = diag_error_count(c->diags);
    if (spec) {
        READ_FIELDS(c, spec, "spec", fields, o);
        check_exclusions(c, spec);
        check_reachable_by(c, spec, o);
    }
    if (diag_error_count(c->diags) == before)
        check_remote(c, root, spec, o);
    return o;
}
