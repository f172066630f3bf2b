/*
 * Owns the variables of calico-node's environment that decide what BGP does: their names, what they
 * may say, and where that goes in a plan's options. Who reads them (the command line, a scenario)
 * comes here, so that all of them take and refuse the same.
 */
#include "calico_environment.h"

#include "plan.h"

#include <stdio.h>
#include <string.h>

static const char *set_router_id(struct calico_environment *e, const char *value) {
    struct ip_addr a;
    if (strcmp(value, "hash") != 0 && (!ip_parse(value, &a) || a.family != IP_V4))
        return "CALICO_ROUTER_ID is neither an IPv4 address nor hash";
    snprintf(e->router_id, sizeof e->router_id, "%s", value);
    return NULL;
}

static const char *set_use_pod_cidr(struct calico_environment *e, const char *value) {
    if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
        return "USE_POD_CIDR is true or false";
    e->use_pod_cidr = value[0] == 't';
    return NULL;
}

/* A list with commas. */
static const char *set_cluster_ips(struct calico_environment *e, const char *value) {
    struct ip_prefix ips[CALICO_CLUSTER_IPS_MAX];
    size_t count = 0;
    while (*value) {
        char word[IP_PREFIX_TEXT_MAX];
        size_t length = strcspn(value, ",");
        if (count == CALICO_CLUSTER_IPS_MAX)
            return "CALICO_ADVERTISE_CLUSTER_IPS: at most 16 ranges";
        snprintf(word, sizeof word, "%.*s", (int)(length < sizeof word ? length : 0), value);
        if (!strchr(word, '/') || !ip_prefix_parse(word, &ips[count]) ||
            !ip_prefix_is_masked(ips[count]))
            return "CALICO_ADVERTISE_CLUSTER_IPS is a list of prefixes with commas";
        count++;
        value += length;
        value += *value == ',' && value[1] != '\0';
        if (*value == ',')
            return "CALICO_ADVERTISE_CLUSTER_IPS: a comma too many";
    }
    memcpy(e->cluster_ips, ips, count * sizeof ips[0]);
    e->cluster_ip_count = count;
    return NULL;
}

static const char *set_name_space(struct calico_environment *e, const char *value) {
    size_t size = strlen(value);
    if (size == 0 || size > CALICO_NAMESPACE_MAX || value[0] == '-' || value[size - 1] == '-' ||
        value[strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0')
        return "NAMESPACE is the name of a namespace: lower case letters, digits and '-'";
    snprintf(e->name_space, sizeof e->name_space, "%s", value);
    return NULL;
}

const char *calico_environment_set(struct calico_environment *e, const char *name,
                                   const char *value) {
    static const struct {
        const char *name;
        const char *(*set)(struct calico_environment *e, const char *value);
    } variables[] = {
        {"CALICO_ROUTER_ID", set_router_id},
        {"USE_POD_CIDR", set_use_pod_cidr},
        {"CALICO_ADVERTISE_CLUSTER_IPS", set_cluster_ips},
        {"NAMESPACE", set_name_space},
    };
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        if (strcmp(variables[i].name, name) == 0)
            return variables[i].set(e, value);
    return "it is none of CALICO_ROUTER_ID, USE_POD_CIDR, CALICO_ADVERTISE_CLUSTER_IPS, NAMESPACE";
}

void calico_environment_apply(const struct calico_environment *e, struct calico_plan_options *o) {
    o->router_id = e->router_id[0] ? e->router_id : NULL;
    o->use_pod_cidr = e->use_pod_cidr;
    o->cluster_ips = e->cluster_ips;
    o->cluster_ip_count = e->cluster_ip_count;
    o->name_space = e->name_space[0] ? e->name_space : NULL;
}
