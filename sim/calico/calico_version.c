/*
 * Owns what differs between versions of Calico: one table of rules, and one of fields with the
 * version that brought them. Everything that depends on a version asks here.
 *
 * Invariants: a rule's row says from which version on its value holds, newest last; 0 as a version
 * is today's Calico.
 */
#include "calico_version.h"

#include <stdio.h>
#include <string.h>

/* ---- text ---- */

static bool take_number(const char **at, uint32_t max, uint32_t *ret_number) {
    const char *s = *at;
    uint32_t value = 0;
    if (*s < '0' || *s > '9')
        return false;
    for (; *s >= '0' && *s <= '9'; s++) {
        value = value * 10 + (uint32_t)(*s - '0');
        if (value > max)
            return false;
    }
    *at = s;
    *ret_number = value;
    return true;
}

bool calico_version_parse(const char *text, uint32_t *ret_version) {
    uint32_t major, minor, patch = CALICO_VERSION_PATCH_NEWEST;
    const char *at = *text == 'v' ? text + 1 : text;
    if (!take_number(&at, 9, &major) || *at++ != '.' || !take_number(&at, 99, &minor))
        return false;
    if (*at == '.' && (at++, !take_number(&at, 98, &patch)))
        return false;
    uint32_t version = CALICO_VERSION(major, minor, patch);
    uint32_t last = CALICO_VERSION_TODAY + CALICO_VERSION_PATCH_NEWEST;
    if (*at != '\0' || version < CALICO_VERSION_OLDEST || version > last)
        return false;
    *ret_version = version;
    return true;
}

const char *calico_version_format(uint32_t version, char text[CALICO_VERSION_TEXT_MAX]) {
    uint32_t v = version ? version : CALICO_VERSION_TODAY + CALICO_VERSION_PATCH_NEWEST;
    unsigned major = v / 10000 % 10, minor = v / 100 % 100, patch = v % 100;
    if (patch == CALICO_VERSION_PATCH_NEWEST)
        snprintf(text, CALICO_VERSION_TEXT_MAX, "v%u.%u", major, minor);
    else
        snprintf(text, CALICO_VERSION_TEXT_MAX, "v%u.%u.%u", major, minor, patch);
    return text;
}

/* ---- rules ---- */

struct calico_rules calico_rules_of(uint32_t version) {
    uint32_t v = version ? version : CALICO_VERSION_TODAY;
    bool v31 = v >= CALICO_VERSION(3, 31, 0), v32 = v >= CALICO_VERSION(3, 32, 0);
    bool v33 = v >= CALICO_VERSION(3, 33, 0);
    return (struct calico_rules){
        .mesh_peer_global_as = !v32,
        .program_routes = v33 ? CALICO_PROGRAM_NO_ENCAP : CALICO_PROGRAM_ALL,
        .priorities = v32,
        .lb_aggregation = v31,
        .reflector_external = v33,
        .status_headings_left = v33,
    };
}

/* ---- fields ---- */

#define SINCE(minor) CALICO_VERSION(3, minor, 0)

const struct calico_field calico_fields[] = {
    {"BGPConfiguration.bindMode", SINCE(23)},
    {"BGPConfiguration.ignoredInterfaces", SINCE(25)},
    {"BGPConfiguration.ipv4NormalRoutePriority", SINCE(32)},
    {"BGPConfiguration.ipv6NormalRoutePriority", SINCE(32)},
    {"BGPConfiguration.localWorkloadPeeringIPV4", SINCE(30)},
    {"BGPConfiguration.localWorkloadPeeringIPV6", SINCE(30)},
    {"BGPConfiguration.nodeMeshMaxRestartTime", SINCE(23)},
    {"BGPConfiguration.nodeMeshPassword", SINCE(23)},
    {"BGPConfiguration.programClusterRoutes", SINCE(32)},
    {"BGPConfiguration.programClusterRoutes of one kind", SINCE(33)},
    {"BGPConfiguration.serviceLoadBalancerAggregation", SINCE(31)},
    {"BGPFilter", SINCE(26)},
    {"BGPFilter.rule.asPathPrefix", SINCE(32)},
    {"BGPFilter.rule.communities", SINCE(32)},
    {"BGPFilter.rule.interface", SINCE(27)},
    {"BGPFilter.rule.operations", SINCE(32)},
    {"BGPFilter.rule.peerType", SINCE(32)},
    {"BGPFilter.rule.prefixLength", SINCE(29)},
    {"BGPFilter.rule.priority", SINCE(32)},
    {"BGPFilter.rule.source", SINCE(27)},
    {"BGPPeer.filters", SINCE(26)},
    {"BGPPeer.keepaliveTime", SINCE(32)},
    {"BGPPeer.localASNumber", SINCE(31)},
    {"BGPPeer.localWorkloadSelector", SINCE(30)},
    {"BGPPeer.nextHopMode", CALICO_VERSION(3, 30, 2)},
    {"BGPPeer.numAllowedLocalASNumbers", SINCE(23)},
    {"BGPPeer.reachableBy", SINCE(25)},
    {"BGPPeer.reversePeering", CALICO_VERSION(3, 30, 3)},
    {"BGPPeer.ttlSecurity", SINCE(25)},
    {"IPPool.assignmentMode", SINCE(30)},
    {"IPPool.namespaceSelector", SINCE(31)},
};
const size_t calico_field_count = sizeof calico_fields / sizeof calico_fields[0];

uint32_t calico_field_since(const char *field) {
    for (size_t i = 0; i < calico_field_count; i++)
        if (strcmp(calico_fields[i].name, field) == 0)
            return calico_fields[i].since;
    return 0;
}
