/*
 * Owns reading an IPPool and a Secret: fields and the rules an object can break on its own.
 * Overlap with other pools and changes of immutable fields are checked when it is applied.
 */
#include "read_kinds.h"

#include "../../speaker/base/arena.h"
#include "selector.h"

#include <string.h>

#define FIELD(name)                                                                                \
    static void name(struct read_context *c, const struct yaml_node *n, const char *path,          \
                     void *object)

/* ---- IPPool ---- */

struct pool {
    struct calico_ip_pool p;
    bool uses_given, tunnel, load_balancer;
};
#define POOL (&((struct pool *)object)->p)

static const char *const mode_words[] = {"Never", "Always", "CrossSubnet"};

FIELD(field_cidr) {
    read_cidr(c, n, path, IP_NONE, &POOL->cidr, NULL);
}
FIELD(field_block_size) {
    uint32_t size;
    if (read_u32(c, n, path, 0, 128, &size))
        POOL->block_size = (uint8_t)size;
}
FIELD(field_ipip) {
    size_t index;
    if (!read_word(c, n, path, mode_words, 3, &index))
        return;
    POOL->ipip = index > 0;
    POOL->cross_subnet |= index == 2;
}
FIELD(field_vxlan) {
    size_t index;
    if (!read_word(c, n, path, mode_words, 3, &index))
        return;
    POOL->vxlan = index > 0;
    POOL->cross_subnet |= index == 2;
}
FIELD(field_disable_export) {
    read_bool(c, n, path, &POOL->disable_bgp_export);
}
FIELD(field_disabled) {
    read_bool(c, n, path, &POOL->disabled);
}
FIELD(field_nat) {
    bool value;
    (void)object;
    read_bool(c, n, path, &value);
}
FIELD(field_node_selector) {
    if (read_selector(c, n, path, &POOL->node_selector, NULL) &&
        selector_uses_global(POOL->node_selector))
        read_error(c, n, "bad-selector", path, "global() cannot be used in an IPPool");
}
FIELD(field_namespace_selector) {
    const struct selector *s;
    POOL->by_namespace = read_selector(c, n, path, &s, NULL);
}
FIELD(item_use) {
    static const char *const words[] = {"Workload", "Tunnel", "LoadBalancer"};
    size_t index;
    if (read_word(c, n, path, words, 3, &index))
        *(unsigned *)object = 1u << index;
}
FIELD(field_uses) {
    struct pool *p = object;
    size_t count;
    unsigned uses = 0;
    const unsigned *items = read_list(c, n, path, 3, sizeof(unsigned), item_use, &count);
    for (size_t i = 0; i < count; i++)
        uses |= items[i];
    if (count == 0)
        return;
    p->uses_given = true;
    p->p.workload = (uses & 1) != 0;
    p->load_balancer = (uses & 4) != 0;
    if (p->load_balancer && uses != 4)
        read_error(c, n, "bad-allowed-uses", path,
                   "LoadBalancer cannot be combined with other uses");
}
FIELD(field_assignment) {
    static const char *const words[] = {"Automatic", "Manual"};
    size_t index;
    if (read_word(c, n, path, words, 2, &index))
        POOL->manual = index == 1;
}

static const struct read_field pool_fields[] = {
    {"cidr", field_cidr},
    {"blockSize", field_block_size},
    {"ipipMode", field_ipip},
    {"vxlanMode", field_vxlan},
    {"disableBGPExport", field_disable_export},
    {"natOutgoing", field_nat},
    {"disabled", field_disabled},
    {"nodeSelector", field_node_selector},
    {"namespaceSelector", field_namespace_selector},
    {"allowedUses", field_uses},
    {"assignmentMode", field_assignment},
};

static void check_block_size(struct read_context *c, const struct yaml_node *spec,
                             struct calico_ip_pool *p) {
    bool v4 = p->cidr.addr.family == IP_V4;
    uint8_t min = v4 ? 20 : 116, max = v4 ? 32 : 128;
    const struct yaml_node *n = yaml_get(spec, "blockSize");
    if (!n || n->kind == YAML_NULL || p->block_size == 0)
        p->block_size = v4 ? 26 : 122;
    if (p->block_size < min || p->block_size > max)
        read_error(c, n, "bad-block-size", "spec.blockSize", "%u is outside %u to %u",
                   p->block_size, min, max);
    else if (p->block_size < p->cidr.length && !p->disabled)
        read_error(c, yaml_get(spec, "cidr"), "pool-too-small", "spec.cidr",
                   "the pool (/%u) is smaller than one block (/%u)", p->cidr.length, p->block_size);
}

static void check_encapsulation(struct read_context *c, const struct yaml_node *spec,
                                const struct pool *p) {
    if (p->p.ipip && p->p.vxlan)
        read_error(c, yaml_key(spec, "vxlanMode"), "exclusive-fields", "spec",
                   "ipipMode and vxlanMode cannot both be enabled");
    if (p->p.ipip && p->p.cidr.addr.family == IP_V6)
        read_error(c, yaml_key(spec, "ipipMode"), "ipip-ipv6", "spec.ipipMode",
                   "IPIP is not supported on an IPv6 pool");
    if (!p->load_balancer)
        return;
    static const char *const names[] = {"ipipMode", "vxlanMode", "disableBGPExport",
                                        "nodeSelector"};
    struct calico_label none = {"", ""};
    const bool wrong[] = {p->p.ipip, p->p.vxlan, p->p.disable_bgp_export,
                          p->p.node_selector && !selector_matches(p->p.node_selector, &none, 0)};
    for (size_t i = 0; i < 4; i++)
        if (wrong[i])
            read_error(c, yaml_key(spec, names[i]), "bad-allowed-uses", names[i],
                       "cannot be set on a pool for LoadBalancer only");
}

struct calico_ip_pool *read_ip_pool(struct read_context *c, const struct yaml_node *root) {
    struct pool *o = arena_alloc(c->arena, sizeof *o);
    if (!o)
        return NULL;
    const struct yaml_node *spec = read_spec(root);
    o->p.workload = true;
    size_t before = diag_error_count(c->diags);
    if (spec)
        READ_FIELDS(c, spec, "spec", pool_fields, o);
    if (diag_error_count(c->diags) > before)
        return &o->p;
    if (!ip_is_set(o->p.cidr.addr)) {
        read_error(c, root, "required-field", "spec", "needs cidr");
        return &o->p;
    }
    if (ip_is_link_local(o->p.cidr.addr))
        read_error(c, yaml_get(spec, "cidr"), "link-local", "spec.cidr",
                   "a pool cannot be link-local");
    check_block_size(c, spec, &o->p);
    check_encapsulation(c, spec, o);
    return &o->p;
}

/* ---- Secret ---- */

static int base64_digit(char c) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Text in the arena, or NULL: not base64 (RFC 4648 4), or NUL octets inside. */
static char *base64_decode(struct arena *arena, const char *text) {
    size_t size = strlen(text), used = 0;
    char *out = arena_alloc(arena, size / 4 * 3 + 4);
    unsigned bits = 0, count = 0, padding = 0;
    for (size_t i = 0; out && i < size; i++) {
        if (text[i] == '\n' || text[i] == '\r')
            continue;
        int digit = base64_digit(text[i]);
        count++;
        if (text[i] == '=' ? ++padding > 2 : digit < 0 || padding > 0)
            return NULL;
        bits = bits << 6 | (unsigned)(digit < 0 ? 0 : digit);
        if (count % 4)
            continue;
        for (unsigned j = 0; j < 3 - padding; j++)
            out[used++] = (char)(bits >> (16 - 8 * j) & 0xff);
        bits = 0;
    }
    return out && count % 4 == 0 && strlen(out) == used ? out : NULL;
}

static void read_secret_map(struct read_context *c, const struct yaml_node *n, const char *path,
                            bool encoded, struct calico_secret *items, size_t *count) {
    if (n && n->kind != YAML_MAPPING && n->kind != YAML_NULL)
        read_error(c, n, "wrong-type", path, "must be a mapping of keys to texts");
    for (uint32_t i = 0; n && n->kind == YAML_MAPPING && i < n->count; i++) {
        const struct yaml_node *value = n->items[i];
        const char *text = NULL;
        if (value->kind == YAML_SCALAR)
            text = encoded ? base64_decode(c->arena, value->text) : read_copy(c, value->text);
        if (!text) {
            read_error(c, value, encoded ? "bad-base64" : "wrong-type",
                       read_path(c, path, n->keys[i]->text), "%s",
                       encoded ? "is not base64; plain text goes into stringData"
                               : "must be a text");
            continue;
        }
        struct calico_secret *s = &items[(*count)++];
        s->name = c->name;
        s->key = read_copy(c, n->keys[i]->text);
        s->value = text;
    }
}

struct calico_secrets *read_secret(struct read_context *c, const struct yaml_node *root) {
    const struct yaml_node *data = yaml_get(root, "data"), *plain = yaml_get(root, "stringData");
    const struct yaml_node *space = yaml_get(yaml_get(root, "metadata"), "namespace");
    size_t room = 1 + (data ? data->count : 0) + (plain ? plain->count : 0);
    struct calico_secrets *o = arena_alloc(c->arena, sizeof *o);
    struct calico_secret *items = arena_array(c->arena, room, sizeof *items);
    if (!o || !items)
        return NULL;
    const char *name_space = "";
    if (space && space->kind != YAML_NULL)
        read_text(c, space, "metadata.namespace", 253, &name_space);
    /* stringData wins over data: it is looked at first. */
    read_secret_map(c, plain, "stringData", false, items, &o->count);
    read_secret_map(c, data, "data", true, items, &o->count);
    for (size_t i = 0; i < o->count; i++)
        items[i].name_space = name_space;
    o->items = items;
    return o;
}
