/*
 * Owns reading a BGPConfiguration: its fields, which of them only `default` may carry, and the
 * rules between fields. What a missing field means (mesh on, AS 64512, port 179) is decided by the
 * planner, so that a per-node object can be told from one that says the default.
 *
 * Fields without effect on sessions and routes (logging aside) are read and checked, not kept.
 */
#include "read_kinds.h"

#include "../../speaker/base/arena.h"
#include "calico_community.h"

#include <string.h>
#include <strings.h>

#define NORMAL_PRIORITY 1024
#define PRIORITY_MAX 2147483646u
#define LIST_MAX 500
#define COMMUNITIES_PER_PREFIX_MAX 50

#define FIELD(name)                                                                                \
    static void name(struct read_context *c, const struct yaml_node *n, const char *path,          \
                     void *object)
#define CONFIG ((struct calico_bgp_configuration *)object)

static void only_on_default(struct read_context *c, const struct yaml_node *n, const char *path) {
    if (strcmp(c->name, "default") != 0)
        read_unless_raw(c, n, "default-only", path,
                        "cannot be set on a non default BGPConfiguration; it belongs to the one "
                        "named \"default\"");
}

FIELD(field_mesh) {
    only_on_default(c, n, path);
    CONFIG->mesh_set = read_bool(c, n, path, &CONFIG->mesh_enabled);
}
FIELD(field_as_number) {
    only_on_default(c, n, path);
    read_asn(c, n, path, &CONFIG->as_number);
}
FIELD(field_log_severity) {
    static const char *const words[] = {"Trace", "Debug", "Info", "Warning", "Error", "Fatal"};
    const char *text;
    if (!read_text(c, n, path, 16, &text))
        return;
    for (size_t i = 0; i < 6; i++)
        if (strcasecmp(text, words[i]) == 0) {
            CONFIG->log_severity = words[i];
            return;
        }
    size_t index;
    read_word(c, n, path, words, 6, &index);
}
FIELD(field_listen_port) {
    uint32_t port;
    if (read_u32(c, n, path, 1, UINT16_MAX, &port))
        CONFIG->listen_port = (uint16_t)port;
}
FIELD(field_bind_mode) {
    static const char *const words[] = {"None", "NodeIP"};
    size_t index;
    if (read_word(c, n, path, words, 2, &index))
        CONFIG->bind_node_ip = index == 1;
}
FIELD(field_mesh_password) {
    only_on_default(c, n, path);
    read_secret_ref(c, n, path, &CONFIG->mesh_password);
}
FIELD(field_mesh_restart_time) {
    only_on_default(c, n, path);
    CONFIG->mesh_restart_time_set = read_seconds(c, n, path, &CONFIG->mesh_restart_time_s);
}
FIELD(field_priority4) {
    read_u32(c, n, path, 1, PRIORITY_MAX, &CONFIG->normal_priority4);
}
FIELD(field_priority6) {
    read_u32(c, n, path, 1, PRIORITY_MAX, &CONFIG->normal_priority6);
}
FIELD(field_cluster_routes) {
    static const char *const words[] = {"Enabled", "Disabled", "EnabledIPIPOnly",
                                        "EnabledNoEncapOnly"};
    size_t index;
    if (read_word(c, n, path, words, 4, &index))
        CONFIG->program_cluster_routes = words[index];
}
FIELD(field_lb_aggregation) {
    static const char *const words[] = {"Enabled", "Disabled"};
    size_t index;
    if (read_word(c, n, path, words, 2, &index))
        CONFIG->service_lb_aggregation_disabled = index == 1;
}
FIELD(field_peering_ip4) {
    struct ip_addr a;
    CONFIG->workload_peering4 = read_address(c, n, path, &a);
    if (CONFIG->workload_peering4 && a.family != IP_V4)
        read_error(c, n, "bad-address", path, "must be an IPv4 address");
}
FIELD(field_peering_ip6) {
    struct ip_addr a;
    CONFIG->workload_peering6 = read_address(c, n, path, &a);
    if (CONFIG->workload_peering6 && a.family != IP_V6)
        read_error(c, n, "bad-address", path, "must be an IPv6 address");
}

/* ---- service ranges ---- */

FIELD(field_range_cidr) {
    read_cidr(c, n, path, IP_NONE, object, NULL);
}
FIELD(item_range) {
    static const struct read_field fields[] = {{"cidr", field_range_cidr}};
    if (n->kind == YAML_SCALAR)
        read_error(c, n, "wrong-type", path, "is a mapping: write {cidr: %.60s}", n->text);
    else
        READ_FIELDS(c, n, path, fields, object);
}

/* Entries without a cidr are allowed and mean nothing. */
static const struct ip_prefix *read_ranges(struct read_context *c, const struct yaml_node *n,
                                           const char *path, size_t *ret_count) {
    only_on_default(c, n, path);
    size_t count, kept = 0;
    struct ip_prefix *p =
        read_list(c, n, path, LIST_MAX, sizeof(struct ip_prefix), item_range, &count);
    for (size_t i = 0; i < count; i++)
        if (ip_is_set(p[i].addr))
            p[kept++] = p[i];
    *ret_count = kept;
    return p;
}

FIELD(field_cluster_ips) {
    CONFIG->service_cluster_ips = read_ranges(c, n, path, &CONFIG->service_cluster_ip_count);
}
FIELD(field_external_ips) {
    CONFIG->service_external_ips = read_ranges(c, n, path, &CONFIG->service_external_ip_count);
}
FIELD(field_lb_ips) {
    CONFIG->service_lb_ips = read_ranges(c, n, path, &CONFIG->service_lb_ip_count);
}

/* ---- interfaces ---- */

FIELD(item_interface) {
    const char *text;
    if (!read_text(c, n, path, 253, &text))
        return;
    size_t span = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "_.*-");
    if (text[span] != '\0' || span > 15 || strcmp(text, "*") == 0)
        read_error(c, n, "bad-interface", path,
                   "\"%.60s\" is no interface pattern: 1 to 15 of letters, digits, _ . * -, and "
                   "not * alone",
                   text);
    else
        *(const char **)object = text;
}
FIELD(field_ignored_interfaces) {
    size_t count, kept = 0;
    const char **p = read_list(c, n, path, LIST_MAX, sizeof(const char *), item_interface, &count);
    for (size_t i = 0; i < count; i++)
        if (p[i])
            p[kept++] = p[i];
    CONFIG->ignored_interfaces = p;
    CONFIG->ignored_interface_count = kept;
}

/* ---- communities ---- */

FIELD(field_community_name) {
    read_text(c, n, path, 253, &((struct calico_named_community *)object)->name);
}
FIELD(field_community_value) {
    read_community(c, n, path, &((struct calico_named_community *)object)->value);
}
FIELD(item_named_community) {
    static const struct read_field fields[] = {{"name", field_community_name},
                                               {"value", field_community_value}};
    struct calico_named_community *named = object;
    size_t before = diag_error_count(c->diags);
    READ_FIELDS(c, n, path, fields, object);
    if (diag_error_count(c->diags) == before && (!named->name || !named->value))
        read_error(c, n, "required-field", path, "needs name and value");
}
FIELD(field_communities) {
    CONFIG->communities = read_list(c, n, path, LIST_MAX, sizeof(struct calico_named_community),
                                    item_named_community, &CONFIG->community_count);
}

FIELD(item_community_use) {
    const char **use = object;
    size_t before = diag_error_count(c->diags);
    read_text(c, n, path, 253, use);
    if (!*use && diag_error_count(c->diags) == before)
        read_error(c, n, "bad-community", path, "community used is invalid or not defined: empty");
}
FIELD(field_advertised_cidr) {
    read_cidr(c, n, path, IP_NONE, &((struct calico_cidr_communities *)object)->cidr, NULL);
}
FIELD(field_advertised_communities) {
    struct calico_cidr_communities *a = object;
    a->communities = read_list(c, n, path, COMMUNITIES_PER_PREFIX_MAX, sizeof(const char *),
                               item_community_use, &a->community_count);
}
FIELD(item_advertisement) {
    static const struct read_field fields[] = {{"cidr", field_advertised_cidr},
                                               {"communities", field_advertised_communities}};
    READ_FIELDS(c, n, path, fields, object);
}
FIELD(field_advertisements) {
    CONFIG->prefix_advertisements_set = true;
    CONFIG->prefix_advertisements =
        read_list(c, n, path, LIST_MAX, sizeof(struct calico_cidr_communities), item_advertisement,
                  &CONFIG->prefix_advertisement_count);
}

static const struct read_field fields[] = {
    {"logSeverityScreen", field_log_severity},
    {"nodeToNodeMeshEnabled", field_mesh},
    {"asNumber", field_as_number},
    {"serviceClusterIPs", field_cluster_ips},
    {"serviceExternalIPs", field_external_ips},
    {"serviceLoadBalancerIPs", field_lb_ips},
    {"serviceLoadBalancerAggregation", field_lb_aggregation},
    {"communities", field_communities},
    {"prefixAdvertisements", field_advertisements},
    {"listenPort", field_listen_port},
    {"nodeMeshPassword", field_mesh_password},
    {"nodeMeshMaxRestartTime", field_mesh_restart_time},
    {"bindMode", field_bind_mode},
    {"ignoredInterfaces", field_ignored_interfaces},
    {"localWorkloadPeeringIPV4", field_peering_ip4},
    {"localWorkloadPeeringIPV6", field_peering_ip6},
    {"programClusterRoutes", field_cluster_routes},
    {"ipv4NormalRoutePriority", field_priority4},
    {"ipv6NormalRoutePriority", field_priority6},
};

/* ---- rules between fields ---- */

static void check_mesh(struct read_context *c, const struct yaml_node *spec,
                       const struct calico_bgp_configuration *o) {
    if (!o->mesh_set || o->mesh_enabled)
        return;
    static const char *const names[] = {"nodeMeshPassword", "nodeMeshMaxRestartTime"};
    const bool given[] = {o->mesh_password.name != NULL, o->mesh_restart_time_set};
    for (size_t i = 0; i < 2; i++)
        if (given[i])
            read_error(c, yaml_key(spec, names[i]), "mesh-disabled", names[i],
                       "cannot be set when nodeToNodeMeshEnabled is false");
}

static bool community_known(const struct calico_bgp_configuration *o, const char *use) {
    struct calico_community parsed;
    enum calico_community_kind kind = calico_community_parse(use, &parsed);
    if (kind == COMMUNITY_STANDARD || kind == COMMUNITY_LARGE)
        return true;
    for (size_t i = 0; i < o->community_count; i++)
        if (o->communities[i].name && strcmp(o->communities[i].name, use) == 0)
            return true;
    return false;
}

static void check_communities(struct read_context *c, const struct yaml_node *spec,
                              const struct calico_bgp_configuration *o) {
    if (o->community_count > 0 && o->prefix_advertisement_count == 0)
        read_error(c, yaml_key(spec, "communities"), "unused-communities", "spec.communities",
                   "communities are defined but not used in prefixAdvertisements: add "
                   "prefixAdvertisements: [{cidr: …, communities: [%.100s]}]",
                   o->communities[0].name ? o->communities[0].name : "…");
    const struct yaml_node *list = yaml_get(spec, "prefixAdvertisements");
    for (size_t i = 0; i < o->prefix_advertisement_count; i++) {
        const struct calico_cidr_communities *a = &o->prefix_advertisements[i];
        const struct yaml_node *uses = yaml_get(list->items[i], "communities");
        for (size_t j = 0; j < a->community_count; j++)
            if (a->communities[j] && !community_known(o, a->communities[j]))
                read_error(c, uses->items[j], "bad-community", "spec.prefixAdvertisements",
                           "community used is invalid or not defined: \"%.100s\"",
                           a->communities[j]);
    }
}

struct calico_bgp_configuration *read_bgp_configuration(struct read_context *c,
                                                        const struct yaml_node *root) {
    struct calico_bgp_configuration *o = arena_alloc(c->arena, sizeof *o);
    if (!o)
        return NULL;
    o->normal_priority4 = o->normal_priority6 = NORMAL_PRIORITY;
    const struct yaml_node *spec = read_spec(root);
    if (spec) {
        READ_FIELDS(c, spec, "spec", fields, o);
        check_mesh(c, spec, o);
        check_communities(c, spec, o);
    }
    if (strcmp(c->name, "default") != 0 && strncmp(c->name, "node.", 5) != 0)
        read_warning(c, root, "ignored-configuration", "",
                     "has no effect: only \"default\" and \"node.<node name>\" are read");
    return o;
}
