/*
 * Reports on fields that the chosen version of Calico does not have yet: its strict readers refuse
 * the whole file. Which field came when stands in calico_version.c.
 *
 * Seen are fields with a value that differs from what leaving them out means.
 */
#include "findings.h"

#include <string.h>

#define USED(name, type, condition)                                                                \
    static bool name(const void *object) {                                                         \
        const struct type *o = object;                                                             \
        return condition;                                                                          \
    }

USED(peer_allowed_as, calico_bgp_peer, o->allowed_local_as != 0)
USED(peer_filters, calico_bgp_peer, o->filter_count > 0)
USED(peer_keepalive, calico_bgp_peer, o->keepalive_set)
USED(peer_local_as, calico_bgp_peer, o->local_as_number != 0)
USED(peer_workload, calico_bgp_peer, o->local_workload_selector != NULL)
USED(peer_next_hop, calico_bgp_peer, o->next_hop_mode != CALICO_NEXT_HOP_UNSET)
USED(peer_reachable, calico_bgp_peer, ip_is_set(o->reachable_by))
USED(peer_reverse, calico_bgp_peer, o->reverse_manual)
USED(peer_ttl, calico_bgp_peer, o->ttl_security != 0)
USED(rule_as_path, calico_filter_rule, o->as_path_prefix_count > 0)
USED(rule_community, calico_filter_rule, o->community != NULL)
USED(rule_interface, calico_filter_rule, o->interface != NULL)
USED(rule_operations, calico_filter_rule, o->operation_count > 0)
USED(rule_peer_type, calico_filter_rule, o->peer_type != 0)
USED(rule_length, calico_filter_rule, o->has_prefix_length)
USED(rule_priority, calico_filter_rule, o->priority != 0)
USED(rule_source, calico_filter_rule, o->remote_peers)
USED(config_bind, calico_bgp_configuration, o->bind_node_ip)
USED(config_interfaces, calico_bgp_configuration, o->ignored_interface_count > 0)
USED(config_priority4, calico_bgp_configuration, o->normal_priority4 != 1024)
USED(config_priority6, calico_bgp_configuration, o->normal_priority6 != 1024)
USED(config_restart, calico_bgp_configuration, o->mesh_restart_time_set)
USED(config_password, calico_bgp_configuration, o->mesh_password.name != NULL)
USED(config_program, calico_bgp_configuration, o->program_cluster_routes != NULL)
USED(config_aggregation, calico_bgp_configuration, o->service_lb_aggregation_disabled)
USED(config_peering4, calico_bgp_configuration, o->workload_peering4)
USED(config_peering6, calico_bgp_configuration, o->workload_peering6)
USED(config_program_part, calico_bgp_configuration,
     o->program_cluster_routes &&strstr(o->program_cluster_routes, "Only"))
USED(pool_manual, calico_ip_pool, o->manual)
USED(pool_namespace, calico_ip_pool, o->by_namespace)
USED(filter_any, calico_bgp_filter, o->name != NULL)

struct versioned {
    const char *field; /* of calico_fields */
    bool (*used)(const void *object);
};

static const struct versioned peer_fields[] = {
    {"BGPPeer.filters", peer_filters},        {"BGPPeer.keepaliveTime", peer_keepalive},
    {"BGPPeer.localASNumber", peer_local_as}, {"BGPPeer.localWorkloadSelector", peer_workload},
    {"BGPPeer.nextHopMode", peer_next_hop},   {"BGPPeer.numAllowedLocalASNumbers", peer_allowed_as},
    {"BGPPeer.reachableBy", peer_reachable},  {"BGPPeer.reversePeering", peer_reverse},
    {"BGPPeer.ttlSecurity", peer_ttl},
};
static const struct versioned rule_fields[] = {
    {"BGPFilter.rule.asPathPrefix", rule_as_path}, {"BGPFilter.rule.communities", rule_community},
    {"BGPFilter.rule.interface", rule_interface},  {"BGPFilter.rule.operations", rule_operations},
    {"BGPFilter.rule.peerType", rule_peer_type},   {"BGPFilter.rule.prefixLength", rule_length},
    {"BGPFilter.rule.priority", rule_priority},    {"BGPFilter.rule.source", rule_source},
};
static const struct versioned config_fields[] = {
    {"BGPConfiguration.bindMode", config_bind},
    {"BGPConfiguration.ignoredInterfaces", config_interfaces},
    {"BGPConfiguration.ipv4NormalRoutePriority", config_priority4},
    {"BGPConfiguration.ipv6NormalRoutePriority", config_priority6},
    {"BGPConfiguration.localWorkloadPeeringIPV4", config_peering4},
    {"BGPConfiguration.localWorkloadPeeringIPV6", config_peering6},
    {"BGPConfiguration.nodeMeshMaxRestartTime", config_restart},
    {"BGPConfiguration.nodeMeshPassword", config_password},
    {"BGPConfiguration.programClusterRoutes", config_program},
    {"BGPConfiguration.programClusterRoutes of one kind", config_program_part},
    {"BGPConfiguration.serviceLoadBalancerAggregation", config_aggregation},
};
static const struct versioned pool_fields[] = {{"IPPool.assignmentMode", pool_manual},
                                               {"IPPool.namespaceSelector", pool_namespace}};
static const struct versioned filter_fields[] = {{"BGPFilter", filter_any}};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void check(struct plan_build *b, const struct versioned *fields, size_t count,
                  const void *object, struct diag_place place, const char *name) {
    char since[CALICO_VERSION_TEXT_MAX], meant[CALICO_VERSION_TEXT_MAX];
    uint32_t version = b->p->plan.version;
    for (size_t i = 0; i < count; i++) {
        uint32_t from = calico_field_since(fields[i].field);
        if (version < from && fields[i].used(object))
            FAIL(b, place, "newer-field", "\"%s\": %s came with %s, Calico %s does not know it",
                 name, fields[i].field, calico_version_format(from, since),
                 calico_version_format(version, meant));
    }
}

static void check_filter(struct plan_build *b, const struct calico_bgp_filter *f) {
    check(b, filter_fields, COUNT(filter_fields), f, f->place, f->name);
    for (int direction = 0; direction < 2; direction++)
        for (int family = 0; family < BGP_FAMILIES; family++)
            for (size_t i = 0; i < f->rule_count[direction][family]; i++)
                check(b, rule_fields, COUNT(rule_fields), &f->rules[direction][family][i],
                      f->rules[direction][family][i].place, f->name);
}

void version_findings(struct plan_build *b) {
    const struct calico_bgp_configuration *c = calico_config_find(b->set, "default");
    if (b->p->plan.version == 0)
        return;
    if (c)
        check(b, config_fields, COUNT(config_fields), c, c->place, c->name);
    for (size_t i = 0; i < calico_peer_count(b->set); i++) {
        const struct calico_bgp_peer *p = calico_peer_at(b->set, i);
        check(b, peer_fields, COUNT(peer_fields), p, p->place, p->name);
    }
    for (size_t i = 0; i < calico_pool_count(b->set); i++) {
        const struct calico_ip_pool *p = calico_pool_at(b->set, i);
        check(b, pool_fields, COUNT(pool_fields), p, p->place, p->name);
    }
    for (size_t i = 0; i < calico_filter_count(b->set); i++)
        check_filter(b, calico_filter_at(b->set, i));
}
