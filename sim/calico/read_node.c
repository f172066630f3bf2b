/*
 * Owns reading nodes: Calico's own Node (calicoctl) and Kubernetes' Node with Calico's annotations,
 * and labels with the coercion each of them does. Merging with what a topology or the other form
 * says is the set's business (resources.c).
 *
 * A label `rr: yes` becomes the text "true" for calicoctl (YAML 1.1), and is refused by kubectl.
 */
#include "read_kinds.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define FIELD(name)                                                                                \
    static void name(struct read_context *c, const struct yaml_node *n, const char *path,          \
                     void *object)
#define NODE ((struct calico_node *)object)
#define POD_CIDRS_MAX 16

/* ---- labels ---- */

static int label_compare(const void *a, const void *b) {
    return strcmp(((const struct calico_label *)a)->name, ((const struct calico_label *)b)->name);
}

static const char *label_value(struct read_context *c, const struct yaml_node *n,
                               const char *path) {
    if (n->kind == YAML_NULL)
        return "";
    if (n->kind != YAML_SCALAR) {
        read_error(c, n, "wrong-type", path, "must be a text");
        return NULL;
    }
    const char *text = read_coerced(c, n, path);
    return text ? read_copy(c, text) : NULL;
}

static void read_labels(struct read_context *c, const struct yaml_node *n, const char *path,
                        const struct calico_label **ret_labels, size_t *ret_count) {
    *ret_labels = NULL;
    *ret_count = 0;
    if (!n || n->kind == YAML_NULL)
        return;
    if (n->kind != YAML_MAPPING) {
        read_error(c, n, "wrong-type", path, "must be a mapping of names to texts");
        return;
    }
    struct calico_label *labels = arena_array(c->arena, (size_t)n->count + 1, sizeof *labels);
    if (!labels) {
        c->out_of_memory = true;
        return;
    }
    size_t count = 0;
    for (uint32_t i = 0; i < n->count; i++) {
        const char *value = label_value(c, n->items[i], read_path(c, path, n->keys[i]->text));
        if (!value)
            continue;
        labels[count].name = read_copy(c, n->keys[i]->text);
        labels[count].value = value;
        if (labels[count].name)
            count++;
    }
    qsort(labels, count, sizeof *labels, label_compare);
    *ret_labels = labels;
    *ret_count = count;
}

const struct calico_label *labels_merge(struct arena *arena, const struct calico_label *under,
                                        size_t under_count, const struct calico_label *over,
                                        size_t over_count, size_t *ret_count) {
    size_t i = 0, j = 0, count = 0;
    *ret_count = 0;
    struct calico_label *m = arena_array(arena, under_count + over_count + 1, sizeof *m);
    while (m && (i < under_count || j < over_count)) {
        int c = i == under_count ? 1 : j == over_count ? -1 : strcmp(under[i].name, over[j].name);
        m[count++] = c < 0 ? under[i] : over[j];
        i += c <= 0;
        j += c >= 0;
    }
    if (m)
        *ret_count = count;
    return m;
}

const struct calico_label *labels_shadowed(const struct calico_label *under, size_t under_count,
                                           const struct calico_label *over, size_t over_count) {
    for (size_t i = 0, j = 0; i < under_count && j < over_count;) {
        int c = strcmp(under[i].name, over[j].name);
        if (c == 0 && strcmp(under[i].value, over[j].value) != 0)
            return &under[i];
        i += c <= 0;
        j += c >= 0;
    }
    return NULL;
}

/* ---- addresses ---- */

static bool set_address(struct calico_node *o, const char *text, enum ip_family family) {
    struct ip_prefix p;
    if (!ip_prefix_parse(text, &p) || p.addr.family != family)
        return false;
    if (family == IP_V4) {
        o->addr4 = p.addr;
        o->length4 = p.length;
    } else {
        o->addr6 = p.addr;
        o->length6 = p.length;
    }
    return true;
}

static void read_node_address(struct read_context *c, const struct yaml_node *n, const char *path,
                              struct calico_node *o, enum ip_family family) {
    const char *text;
    if (read_text(c, n, path, 64, &text) && !set_address(o, text, family))
        read_error(c, n, "bad-address", path,
                   "\"%.64s\" is neither an IPv%d address nor an address with a length", text,
                   (int)family);
}

/* ---- projectcalico.org/v3 ---- */

FIELD(field_address4) {
    read_node_address(c, n, path, NODE, IP_V4);
}
FIELD(field_address6) {
    read_node_address(c, n, path, NODE, IP_V6);
}
FIELD(field_as_number) {
    read_asn(c, n, path, &NODE->as_number);
}
FIELD(field_cluster_id) {
    struct ip_addr a;
    if (!read_address(c, n, path, &a))
        return;
    if (a.family != IP_V4) {
        read_error(c, n, "bad-cluster-id", path, "must be written as an IPv4 address");
        return;
    }
    NODE->has_cluster_id = true;
    NODE->cluster_id = a;
}
static void read_family_address(struct read_context *c, const struct yaml_node *n, const char *path,
                                enum ip_family family, struct ip_addr *ret_addr) {
    struct ip_addr a;
    if (!read_address(c, n, path, &a))
        return;
    if (a.family == family)
        *ret_addr = a;
    else
        read_error(c, n, "bad-address", path, "must be an IPv%d address", (int)family);
}
FIELD(field_tunnel4) {
    read_family_address(c, n, path, IP_V4, &NODE->ipip_tunnel4);
}
FIELD(field_wireguard4) {
    read_family_address(c, n, path, IP_V4, &NODE->wireguard4);
}
FIELD(field_wireguard6) {
    read_family_address(c, n, path, IP_V6, &NODE->wireguard6);
}
FIELD(field_wireguard) {
    static const struct read_field fields[] = {{"interfaceIPv4Address", field_wireguard4},
                                               {"interfaceIPv6Address", field_wireguard6}};
    READ_FIELDS(c, n, path, fields, object);
}
FIELD(field_bgp) {
    static const struct read_field fields[] = {{"ipv4Address", field_address4},
                                               {"ipv6Address", field_address6},
                                               {"asNumber", field_as_number},
                                               {"routeReflectorClusterID", field_cluster_id},
                                               {"ipv4IPIPTunnelAddr", field_tunnel4}};
    if (n->kind == YAML_MAPPING && n->count == 0)
        read_error(c, n, "empty-bgp", path, "Spec.BGP should not be empty: leave bgp out");
    READ_FIELDS(c, n, path, fields, object);
}

static const struct read_field spec_fields[] = {
    {"bgp", field_bgp},
    {"ipv4VXLANTunnelAddr", NULL},
    {"vxlanTunnelMACAddr", NULL},
    {"ipv6VXLANTunnelAddr", NULL},
    {"vxlanTunnelMACAddrV6", NULL},
    {"orchRefs", NULL},
    {"wireguard", field_wireguard},
    {"addresses", NULL},
    {"interfaces", NULL},
};

struct calico_node *read_node(struct read_context *c, const struct yaml_node *root) {
    struct calico_node *o = arena_alloc(c->arena, sizeof *o);
    if (!o)
        return NULL;
    read_problem(
        c, DIAG_NOTE, yaml_place(yaml_get(root, "kind")), "node-kind", "",
        "kubectl has no such kind; calicoctl writes it as annotations of the core Node, and "
        "removes those this leaves out");
    const struct yaml_node *spec = read_spec(root);
    if (spec)
        READ_FIELDS(c, spec, "spec", spec_fields, o);
    read_labels(c, yaml_get(yaml_get(root, "metadata"), "labels"), "metadata.labels", &o->labels,
                &o->label_count);
    return o;
}

/* ---- Kubernetes' Node ---- */

static bool annotation_address4(struct calico_node *o, const char *text) {
    return set_address(o, text, IP_V4);
}
static bool annotation_address6(struct calico_node *o, const char *text) {
    return set_address(o, text, IP_V6);
}
static bool annotation_as(struct calico_node *o, const char *text) {
    return text_to_asn(text, &o->as_number);
}
static bool annotation_cluster_id(struct calico_node *o, const char *text) {
    struct ip_addr a;
    if (!ip_parse(text, &a) || a.family != IP_V4)
        return false;
    o->cluster_id = a;
    o->has_cluster_id = true;
    return true;
}
static bool annotation_ip(const char *text, enum ip_family family, struct ip_addr *ret_addr) {
    struct ip_addr a;
    if (!ip_parse(text, &a) || a.family != family)
        return false;
    *ret_addr = a;
    return true;
}
static bool annotation_tunnel(struct calico_node *o, const char *text) {
    return annotation_ip(text, IP_V4, &o->ipip_tunnel4);
}
static bool annotation_wireguard4(struct calico_node *o, const char *text) {
    return annotation_ip(text, IP_V4, &o->wireguard4);
}
static bool annotation_wireguard6(struct calico_node *o, const char *text) {
    return annotation_ip(text, IP_V6, &o->wireguard6);
}

#define ANNOTATION_PREFIX "projectcalico.org/"
#define ANNOTATION_LABELS "projectcalico.org/labels"

static const struct {
    const char *name, *wanted;
    /* NULL: known, not kept */
    bool (*read)(struct calico_node *o, const char *text);
} annotations[] = {
    {"projectcalico.org/IPv4Address", "an IPv4 address, with or without a length",
     annotation_address4},
    {"projectcalico.org/IPv6Address", "an IPv6 address, with or without a length",
     annotation_address6},
    {"projectcalico.org/ASNumber", "an AS number", annotation_as},
    {"projectcalico.org/RouteReflectorClusterID", "an IPv4 address", annotation_cluster_id},
    {"projectcalico.org/IPv4IPIPTunnelAddr", "an IPv4 address", annotation_tunnel},
    {"projectcalico.org/IPv4WireguardInterfaceAddr", "an IPv4 address", annotation_wireguard4},
    {"projectcalico.org/IPv6WireguardInterfaceAddr", "an IPv6 address", annotation_wireguard6},
    /* Felix's own: of no weight for BGP. */
    {"projectcalico.org/IPv4VXLANTunnelAddr", NULL, NULL},
    {"projectcalico.org/IPv6VXLANTunnelAddr", NULL, NULL},
    {"projectcalico.org/VXLANTunnelMACAddr", NULL, NULL},
    {"projectcalico.org/VXLANTunnelMACAddrV6", NULL, NULL},
    {"projectcalico.org/WireguardPublicKey", NULL, NULL},
    {"projectcalico.org/WireguardPublicKeyV6", NULL, NULL},
    {"projectcalico.org/Interfaces", NULL, NULL},
    {"projectcalico.org/kube-labels", NULL, NULL},
};
#define ANNOTATION_COUNT (sizeof annotations / sizeof annotations[0])

/* Calico's annotations are read at run time only: a bad one is logged and ignored. */
static void read_annotation(struct read_context *c, const struct yaml_node *key,
                            const struct yaml_node *value, struct calico_node *o) {
    const char *names[ANNOTATION_COUNT];
    for (size_t i = 0; i < ANNOTATION_COUNT; i++) {
        names[i] = annotations[i].name;
        if (strcmp(key->text, names[i]) != 0)
            continue;
        if (annotations[i].read && value->text[0] != '\0' && !annotations[i].read(o, value->text))
            read_warning(c, value, "bad-annotation", names[i],
                         "\"%.60s\" is not %s; Calico logs it and goes on without", value->text,
                         annotations[i].wanted);
        return;
    }
    const char *nearest = text_nearest(key->text, names, ANNOTATION_COUNT);
    if (nearest)
        read_warning(c, key, "unknown-annotation", "metadata.annotations",
                     "Calico does not know \"%.100s\" (did you mean \"%s\"?)", key->text, nearest);
}

/* The labels calicoctl keeps in an annotation, as a JSON object; Kubernetes' own win. */
static void read_label_annotation(struct read_context *c, const struct yaml_node *n,
                                  struct calico_node *o) {
    json_error_t error;
    json_t *root = json_loads(n->text, JSON_REJECT_DUPLICATES, &error);
    struct calico_label *labels = NULL;
    size_t count = 0;
    if (json_is_object(root))
        labels = arena_array(c->arena, json_object_size(root) + 1, sizeof *labels);
    else
        read_warning(c, n, "bad-annotation", ANNOTATION_LABELS,
                     "is no JSON object; Calico logs it and goes on without");
    const char *name;
    json_t *value;
    if (labels)
        json_object_foreach(root, name, value) {
            if (!json_is_string(value))
                continue;
            labels[count].name = read_copy(c, name);
            labels[count].value = read_copy(c, json_string_value(value));
            count += labels[count].name && labels[count].value;
        }
    json_decref(root);
    if (!labels)
        return;
    qsort(labels, count, sizeof *labels, label_compare);
    const struct calico_label *shadowed = labels_shadowed(labels, count, o->labels, o->label_count);
    if (shadowed)
        read_warning(c, n, "label-shadowed", ANNOTATION_LABELS,
                     "the Kubernetes label %.100s is another: %.60s counts for nothing",
                     shadowed->name, shadowed->value);
    o->labels = labels_merge(c->arena, labels, count, o->labels, o->label_count, &o->label_count);
}

static void read_annotations(struct read_context *c, const struct yaml_node *n,
                             struct calico_node *o) {
    if (!n || n->kind == YAML_NULL)
        return;
    if (n->kind != YAML_MAPPING) {
        read_error(c, n, "wrong-type", "metadata.annotations", "must be a mapping");
        return;
    }
    for (uint32_t i = 0; i < n->count; i++) {
        const struct yaml_node *key = n->keys[i], *value = n->items[i];
        if (strncmp(key->text, ANNOTATION_PREFIX, strlen(ANNOTATION_PREFIX)) != 0)
            continue;
        if (value->kind != YAML_SCALAR && value->kind != YAML_NULL)
            read_error(c, value, "wrong-type", "metadata.annotations", "must be a text");
        else if (value->kind == YAML_SCALAR && !read_coerced(c, value, key->text))
            continue; /* kubectl refuses what is no text */
        else if (strcmp(key->text, ANNOTATION_LABELS) == 0)
            read_label_annotation(c, value, o);
        else
            read_annotation(c, key, value, o);
    }
}

FIELD(item_pod_cidr) {
    read_cidr(c, n, path, IP_NONE, object, NULL);
}

static void read_pod_cidrs(struct read_context *c, const struct yaml_node *spec,
                           struct calico_node *o) {
    const struct yaml_node *list = yaml_get(spec, "podCIDRs"), *one = yaml_get(spec, "podCIDR");
    if (list && list->kind != YAML_NULL) {
        o->pod_cidrs = read_list(c, list, "spec.podCIDRs", POD_CIDRS_MAX, sizeof(struct ip_prefix),
                                 item_pod_cidr, &o->pod_cidr_count);
        return;
    }
    struct ip_prefix *p = arena_alloc(c->arena, sizeof *p);
    if (!p)
        c->out_of_memory = true;
    else if (one && one->kind != YAML_NULL && read_cidr(c, one, "spec.podCIDR", IP_NONE, p, NULL)) {
        o->pod_cidrs = p;
        o->pod_cidr_count = 1;
    }
}

struct calico_node *read_core_node(struct read_context *c, const struct yaml_node *root) {
    struct calico_node *o = arena_alloc(c->arena, sizeof *o);
    if (!o)
        return NULL;
    const struct yaml_node *metadata = yaml_get(root, "metadata");
    read_labels(c, yaml_get(metadata, "labels"), "metadata.labels", &o->labels, &o->label_count);
    read_annotations(c, yaml_get(metadata, "annotations"), o);
    const struct yaml_node *spec = read_spec(root);
    bool mapping = spec && spec->kind == YAML_MAPPING;
    const struct yaml_node *bgp = mapping ? yaml_key(spec, "bgp") : NULL;
    if (mapping)
        read_pod_cidrs(c, spec, o);
    if (bgp)
        read_error(c, bgp, "unknown-field", "spec",
                   "unknown field \"bgp\": Kubernetes' Node (apiVersion v1) carries BGP settings "
                   "as annotations projectcalico.org/…; spec.bgp belongs to apiVersion "
                   "projectcalico.org/v3");
    return o;
}
