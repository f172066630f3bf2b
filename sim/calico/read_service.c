/*
 * Owns reading Kubernetes' Service and EndpointSlice, as far as Calico advertises their addresses,
 * and Calico's CalicoNodeStatus. Which addresses a node advertises is the planner's business.
 *
 * Kubernetes' own fields are checked by name; what they hold is checked where routes depend on it.
 */
#include "read_kinds.h"

#include "../../speaker/base/arena.h"

#include <string.h>

#define ADDRESSES_MAX 1000
#define ENDPOINTS_MAX 1000 /* Kubernetes' own limit */
#define UPDATE_PERIOD_MAX 86400

#define FIELD(name)                                                                                \
    static void name(struct read_context *c, const struct yaml_node *n, const char *path,          \
                     void *object)

static const struct yaml_node *mapping_at(const struct yaml_node *root, const char *field) {
    const struct yaml_node *n = yaml_get(root, field);
    return n && n->kind == YAML_MAPPING ? n : NULL;
}

/* metadata.namespace; kubectl puts what names none into "default". */
static const char *read_namespace(struct read_context *c, const struct yaml_node *root) {
    const struct yaml_node *n = yaml_get(yaml_get(root, "metadata"), "namespace");
    const char *text = "default";
    if (n && n->kind != YAML_NULL)
        read_text(c, n, "metadata.namespace", 63, &text);
    return text;
}

/* ---- Service ---- */

struct service {
    struct calico_service s;
    struct ip_addr cluster_ip, lb_ip; /* the single forms */
};
#define SERVICE ((struct service *)object)

FIELD(item_address) {
    const char *text;
    if (n->kind == YAML_SCALAR && strcmp(n->text, "None") == 0)
        return;
    if (read_text(c, n, path, 64, &text))
        read_address(c, n, path, object);
}

/* Those that are set, the others left out ("None" of a headless Service). */
static const struct ip_addr *read_addresses(struct read_context *c, const struct yaml_node *n,
                                            const char *path, size_t *ret_count) {
    size_t count, kept = 0;
    struct ip_addr *a =
        read_list(c, n, path, ADDRESSES_MAX, sizeof(struct ip_addr), item_address, &count);
    for (size_t i = 0; i < count; i++)
        if (ip_is_set(a[i]))
            a[kept++] = a[i];
    *ret_count = kept;
    return a;
}

FIELD(field_type) {
    static const char *const words[] = {"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"};
    size_t index;
    if (read_word(c, n, path, words, 4, &index))
        SERVICE->s.type = (enum calico_service_type)index;
}
FIELD(field_cluster_ip) {
    item_address(c, n, path, &SERVICE->cluster_ip);
}
FIELD(field_cluster_ips) {
    SERVICE->s.cluster_ips = read_addresses(c, n, path, &SERVICE->s.cluster_ip_count);
}
FIELD(field_external_ips) {
    SERVICE->s.external_ips = read_addresses(c, n, path, &SERVICE->s.external_ip_count);
}
FIELD(field_lb_ip) {
    item_address(c, n, path, &SERVICE->lb_ip);
}
FIELD(field_external_policy) {
    static const char *const words[] = {"Cluster", "Local"};
    size_t index;
    if (read_word(c, n, path, words, 2, &index))
        SERVICE->s.local_policy = index == 1;
}

static const struct read_field service_fields[] = {
    {"type", field_type},
    {"clusterIP", field_cluster_ip},
    {"clusterIPs", field_cluster_ips},
    {"externalIPs", field_external_ips},
    {"loadBalancerIP", field_lb_ip},
    {"externalTrafficPolicy", field_external_policy},
    {"allocateLoadBalancerNodePorts", NULL},
    {"externalName", NULL},
    {"healthCheckNodePort", NULL},
    {"internalTrafficPolicy", NULL},
    {"ipFamilies", NULL},
    {"ipFamilyPolicy", NULL},
    {"loadBalancerClass", NULL},
    {"loadBalancerSourceRanges", NULL},
    {"ports", NULL},
    {"publishNotReadyAddresses", NULL},
    {"selector", NULL},
    {"sessionAffinity", NULL},
    {"sessionAffinityConfig", NULL},
    {"topologyKeys", NULL},
    {"trafficDistribution", NULL},
};

/* The addresses the load balancer gave, one per ingress; host names among them have none. */
static void read_ingress(struct read_context *c, const struct yaml_node *root, struct service *o) {
    const struct yaml_node *list =
        yaml_get(mapping_at(mapping_at(root, "status"), "loadBalancer"), "ingress");
    bool given = list && list->kind == YAML_SEQUENCE;
    if (given && list->count > ADDRESSES_MAX) {
        read_error(c, list, "too-many", "status.loadBalancer.ingress",
                   "has %u entries, at most %d are allowed", list->count, ADDRESSES_MAX);
        return;
    }
    struct ip_addr *a = arena_array(c->arena, (given ? list->count : 0) + 1, sizeof *a);
    if (!a) {
        c->out_of_memory = true;
        return;
    }
    for (uint32_t i = 0; given && i < list->count; i++) {
        const struct yaml_node *ip =
            list->items[i]->kind == YAML_MAPPING ? yaml_get(list->items[i], "ip") : NULL;
        if (ip && ip->kind != YAML_NULL &&
            read_address(c, ip, "status.loadBalancer.ingress", &a[o->s.lb_ip_count]))
            o->s.lb_ip_count++;
    }
    bool known = !ip_is_set(o->lb_ip);
    for (size_t i = 0; i < o->s.lb_ip_count; i++)
        known |= ip_equal(a[i], o->lb_ip);
    if (!known)
        a[o->s.lb_ip_count++] = o->lb_ip;
    o->s.lb_ips = a;
}

struct calico_service *read_service(struct read_context *c, const struct yaml_node *root) {
    struct service *o = arena_alloc(c->arena, sizeof *o);
    if (!o)
        return NULL;
    o->s.name = c->name;
    o->s.name_space = read_namespace(c, root);
    const struct yaml_node *spec = read_spec(root);
    if (spec)
        READ_FIELDS(c, spec, "spec", service_fields, o);
    if (o->s.cluster_ip_count == 0 && ip_is_set(o->cluster_ip)) {
        o->s.cluster_ips = &o->cluster_ip;
        o->s.cluster_ip_count = 1;
    }
    read_ingress(c, root, o);
    return &o->s;
}

/* ---- EndpointSlice ---- */

#define SERVICE_LABEL "kubernetes.io/service-name"
#define ENDPOINT ((struct calico_endpoint *)object)

FIELD(field_ready) {
    read_bool(c, n, path, &ENDPOINT->ready);
}
FIELD(field_conditions) {
    static const struct read_field fields[] = {
        {"ready", field_ready}, {"serving", NULL}, {"terminating", NULL}};
    READ_FIELDS(c, n, path, fields, object);
}
FIELD(field_node_name) {
    read_text(c, n, path, 253, &ENDPOINT->node);
}
FIELD(item_endpoint) {
    static const struct read_field fields[] = {
        {"addresses", NULL},          {"conditions", field_conditions},
        {"deprecatedTopology", NULL}, {"hints", NULL},
        {"hostname", NULL},           {"nodeName", field_node_name},
        {"targetRef", NULL},          {"zone", NULL}};
    ENDPOINT->ready = true;
    READ_FIELDS(c, n, path, fields, object);
}

static const char *read_service_label(struct read_context *c, const struct yaml_node *root) {
    const struct yaml_node *n =
        yaml_get(mapping_at(mapping_at(root, "metadata"), "labels"), SERVICE_LABEL);
    const char *text = NULL;
    if (n && n->kind != YAML_NULL)
        read_text(c, n, "metadata.labels", 253, &text);
    return text;
}

struct calico_endpoint_slice *read_endpoint_slice(struct read_context *c,
                                                  const struct yaml_node *root) {
    static const char *const words[] = {"IPv4", "IPv6", "FQDN"};
    static const enum ip_family families[] = {IP_V4, IP_V6, IP_NONE};
    struct calico_endpoint_slice *o = arena_alloc(c->arena, sizeof *o);
    if (!o)
        return NULL;
    o->name = c->name;
    o->name_space = read_namespace(c, root);
    o->service = read_service_label(c, root);
    const struct yaml_node *type = yaml_get(root, "addressType"),
                           *list = yaml_get(root, "endpoints");
    size_t index;
    if (!type || type->kind == YAML_NULL)
        read_error(c, root, "required-field", "addressType", "needs IPv4 or IPv6");
    else if (read_word(c, type, "addressType", words, 3, &index))
        o->family = families[index];
    if (list && list->kind != YAML_NULL)
        o->endpoints = read_list(c, list, "endpoints", ENDPOINTS_MAX,
                                 sizeof(struct calico_endpoint), item_endpoint, &o->endpoint_count);
    return o;
}

/* ---- CalicoNodeStatus ---- */

#define STATUS ((struct calico_node_status *)object)

FIELD(field_node) {
    read_text(c, n, path, 253, &STATUS->node);
}
FIELD(item_class) {
    static const char *const words[] = {"Agent", "BGP", "Routes"};
    size_t index;
    if (read_word(c, n, path, words, 3, &index))
        *(unsigned *)object = 1u << index;
}
FIELD(field_classes) {
    size_t count;
    const unsigned *items = read_list(c, n, path, 3, sizeof(unsigned), item_class, &count);
    for (size_t i = 0; i < count; i++) {
        if (STATUS->classes & items[i])
            read_error(c, n->items[i], "duplicate-value", path, "\"%.20s\" is given twice",
                       n->items[i]->text);
        STATUS->classes |= items[i];
    }
}
FIELD(field_update_period) {
    read_u32(c, n, path, 0, UPDATE_PERIOD_MAX, &STATUS->update_period_s);
}

struct calico_node_status *read_node_status(struct read_context *c, const struct yaml_node *root) {
    static const struct read_field fields[] = {{"node", field_node},
                                               {"classes", field_classes},
                                               {"updatePeriodSeconds", field_update_period}};
    static const char *const required[] = {"node", "classes", "updatePeriodSeconds"};
    struct calico_node_status *o = arena_alloc(c->arena, sizeof *o);
    if (!o)
        return NULL;
    const struct yaml_node *spec = read_spec(root);
    if (spec)
        READ_FIELDS(c, spec, "spec", fields, o);
    for (size_t i = 0; i < 3; i++) {
        const struct yaml_node *n =
            spec && spec->kind == YAML_MAPPING ? yaml_get(spec, required[i]) : NULL;
        if (!n || n->kind == YAML_NULL)
            read_error(c, spec ? spec : root, "required-field", "spec", "needs %s", required[i]);
    }
    return o;
}
