/*
 * Owns taking YAML documents apart into objects: lists and `items`, apiVersion and kind, metadata,
 * and the accidents manifests arrive with (lost indentation, a patch instead of an object). The
 * fields of each kind are read in read_*.c; putting objects into a set is apply.c.
 *
 * Kinds of Calico and Kubernetes that have no part in BGP are noted and left out; a kind that only
 * looks like one of ours is an error, because silence would hide a typing mistake.
 *
 * Invariants: recursion only over lists in lists, at most DOCUMENT_LIST_DEPTH_MAX deep; an object
 * whose frame is wrong is reported and not read any further.
 */
#include "document.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/text.h"
#include "finding.h"

#include <string.h>
#include <strings.h>

#define FIELD(name)                                                                                \
    static void name(struct read_context *c, const struct yaml_node *n, const char *path,          \
                     void *object)

enum group_bit {
    IN_V3 = 1 << READ_V3,
    IN_CRD = 1 << READ_CRD,
    IN_CORE = 1 << READ_CORE,
    IN_DISCOVERY = 1 << READ_DISCOVERY,
};

static const struct {
    const char *name;
    enum object_kind kind;
    unsigned groups;
} kinds[] = {
    {"BGPConfiguration", OBJECT_CONFIGURATION, IN_V3 | IN_CRD},
    {"BGPPeer", OBJECT_PEER, IN_V3 | IN_CRD},
    {"BGPFilter", OBJECT_FILTER, IN_V3 | IN_CRD},
    {"IPPool", OBJECT_POOL, IN_V3 | IN_CRD},
    {"Node", OBJECT_NODE, IN_V3 | IN_CORE},
    {"Secret", OBJECT_SECRET, IN_CORE},
    {"Service", OBJECT_SERVICE, IN_CORE},
    {"EndpointSlice", OBJECT_ENDPOINT_SLICE, IN_DISCOVERY},
    {"CalicoNodeStatus", OBJECT_NODE_STATUS, IN_V3 | IN_CRD},
    {"BlockAffinity", OBJECT_AFFINITY, IN_V3 | IN_CRD},
};
#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

/* Calico's kinds without a part in BGP. */
static const char *const other_kinds[] = {
    "CalicoAPIConfig",
    "ClusterInformation",
    "FelixConfiguration",
    "GlobalNetworkPolicy",
    "GlobalNetworkSet",
    "HostEndpoint",
    "IPAMBlock",
    "IPAMConfig",
    "IPAMConfiguration",
    "IPAMHandle",
    "IPReservation",
    "KubeControllersConfiguration",
    "NetworkPolicy",
    "NetworkSet",
    "Profile",
    "StagedGlobalNetworkPolicy",
    "StagedKubernetesNetworkPolicy",
    "StagedNetworkPolicy",
    "Tier",
    "WorkloadEndpoint",
};
#define OTHER_KIND_COUNT (sizeof other_kinds / sizeof other_kinds[0])

static const char *const versions[] = {"projectcalico.org/v3", "crd.projectcalico.org/v1", "v1",
                                       "discovery.k8s.io/v1"};
#define VERSION_COUNT (sizeof versions / sizeof versions[0])

struct walk {
    struct arena *arena;
    struct diag_list *diags;
    struct document_list *list;
    size_t document; /* being walked */
    bool values;
    bool out_of_memory;
};

static void walk_object(struct walk *w, const struct yaml_node *root, const char *list_version,
                        unsigned depth);

const char *object_kind_name(enum object_kind kind) {
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (kinds[i].kind == kind)
            return kinds[i].name;
    return "object";
}

/* ---- lists ---- */

/* Room for one item more; NULL: out of memory. */
static void *grown(struct arena *arena, void *items, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity)
        return items;
    size_t room = *capacity ? *capacity * 2 : 64;
    void *more = arena_array(arena, room, size);
    if (more && count)
        memcpy(more, items, count * size);
    if (more)
        *capacity = room;
    return more;
}

static void add_leaf(struct walk *w, struct document_leaf leaf) {
    struct document_list *l = w->list;
    void *leaves = grown(w->arena, l->leaves, l->leaf_count, &l->leaf_capacity, sizeof *l->leaves);
    w->out_of_memory |= !leaves;
    if (!leaves)
        return;
    l->leaves = leaves;
    leaf.document = w->document;
    l->leaves[l->leaf_count++] = leaf;
}

/* The items of a list, of whose `root` they are (or which they are). */
static void walk_items(struct walk *w, const struct yaml_node *root, const struct yaml_node *items,
                       const char *version, unsigned depth) {
    if (!items || items->kind == YAML_NULL)
        return;
    bool list = items->kind == YAML_SEQUENCE;
    if (!list || depth >= DOCUMENT_LIST_DEPTH_MAX) {
        diag_add(w->diags, DIAG_ERROR, yaml_place(items), list ? "too-deep" : "wrong-type",
                 list ? "lists of objects stand in each other too deeply"
                      : "items: must be a list of objects");
        add_leaf(w, (struct document_leaf){.root = root,
                                           .refused = true,
                                           .refuses_file = true,
                                           .object = DOCUMENT_NO_OBJECT});
        return;
    }
    for (uint32_t i = 0; i < items->count; i++)
        walk_object(w, items->items[i], version, depth + 1);
}

static bool names_items(const char *name, const char *kind, size_t size) {
    return strlen(name) == size && strncmp(name, kind, size) == 0;
}

/* "List", "BGPPeerList", also of kinds that are not looked at. */
static bool is_list_kind(const char *kind) {
    size_t size = strlen(kind);
    if (size < 4 || strcmp(kind + size - 4, "List") != 0)
        return false;
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (names_items(kinds[i].name, kind, size - 4))
            return true;
    for (size_t i = 0; i < OTHER_KIND_COUNT; i++)
        if (names_items(other_kinds[i], kind, size - 4))
            return true;
    return size == 4;
}

/* ---- frames ---- */

FIELD(field_name) {
    read_name(c, n, path, object);
}

static const struct read_field metadata_fields[] = {
    {"name", field_name},
    {"namespace", NULL},
    {"labels", NULL},
    {"annotations", NULL},
    {"creationTimestamp", NULL},
    {"deletionTimestamp", NULL},
    {"deletionGracePeriodSeconds", NULL},
    {"finalizers", NULL},
    {"generateName", NULL},
    {"generation", NULL},
    {"managedFields", NULL},
    {"ownerReferences", NULL},
    {"resourceVersion", NULL},
    {"selfLink", NULL},
    {"uid", NULL},
};
static const struct read_field root_fields[] = {
    {"apiVersion", NULL}, {"kind", NULL}, {"metadata", NULL}, {"spec", NULL}, {"status", NULL}};
static const struct read_field secret_fields[] = {
    {"apiVersion", NULL}, {"kind", NULL}, {"metadata", NULL}, {"data", NULL},
    {"stringData", NULL}, {"type", NULL}, {"immutable", NULL}};
static const struct read_field slice_fields[] = {{"apiVersion", NULL}, {"kind", NULL},
                                                 {"metadata", NULL},   {"addressType", NULL},
                                                 {"endpoints", NULL},  {"ports", NULL}};

const struct yaml_node *read_spec(const struct yaml_node *root) {
    const struct yaml_node *spec = yaml_get(root, "spec");
    return spec && spec->kind != YAML_NULL ? spec : NULL;
}

static bool is_empty(const struct yaml_node *root, const char *field) {
    const struct yaml_node *n = yaml_get(root, field);
    return !n || n->kind == YAML_NULL;
}

static bool is_root_field(const char *name) {
    for (size_t i = 0; i < sizeof root_fields / sizeof root_fields[0]; i++)
        if (strcmp(root_fields[i].name, name) == 0)
            return true;
    return false;
}

/* `metadata:` and `spec:` are empty and what belongs below them stands beside them: pasted from a
 * page that dropped the leading blanks. One finding instead of one per field. */
static bool lost_indentation(struct walk *w, const struct yaml_node *root, const char *kind) {
    const struct yaml_node *first = NULL;
    struct text names;
    if (!yaml_key(root, "metadata") || !is_empty(root, "metadata") || !is_empty(root, "spec"))
        return false;
    text_init(&names);
    for (uint32_t i = 0; i < root->count; i++) {
        if (is_root_field(root->keys[i]->text) || strcmp(root->keys[i]->text, "name") == 0)
            continue;
        first = first ? first : root->keys[i];
        text_printf(&names, "%s\"%.60s\"", names.size ? ", " : "", root->keys[i]->text);
    }
    const struct yaml_node *name = yaml_key(root, "name");
    if (first || name)
        diag_add(w->diags, DIAG_ERROR, yaml_place(name ? name : first), "lost-indentation",
                 "%s: the indentation was lost: metadata and spec are empty; indent%s%s%.400s%s",
                 kind, name ? " \"name\" below metadata:" : "", name && first ? " and " : " ",
                 text_str(&names), first ? " below spec:" : "");
    text_deinit(&names);
    return first || name;
}

/* The name; false: there is none, and that was reported. */
static bool read_metadata(struct read_context *c, const struct yaml_node *root,
                          const char **ret_name) {
    const struct yaml_node *metadata = yaml_get(root, "metadata");
    size_t before = diag_error_count(c->diags);
    if (metadata && metadata->kind != YAML_NULL)
        READ_FIELDS(c, metadata, "metadata", metadata_fields, ret_name);
    if (!*ret_name && diag_error_count(c->diags) == before)
        read_error(c, metadata ? metadata : root, "required-field", "metadata", "needs name");
    return *ret_name != NULL;
}

/* ---- objects ---- */

static struct document_object *list_add(struct walk *w) {
    struct document_list *l = w->list;
    void *items = grown(w->arena, l->items, l->count, &l->capacity, sizeof *l->items);
    if (!items)
        return NULL;
    l->items = items;
    return &l->items[l->count++];
}

static void *read_value(struct read_context *c, enum object_kind kind,
                        const struct yaml_node *root) {
    switch (kind) {
    case OBJECT_CONFIGURATION:
        return read_bgp_configuration(c, root);
    case OBJECT_PEER:
        return read_bgp_peer(c, root);
    case OBJECT_FILTER:
        return read_bgp_filter(c, root);
    case OBJECT_NODE:
        return c->group == READ_CORE ? read_core_node(c, root) : read_node(c, root);
    case OBJECT_POOL:
        return read_ip_pool(c, root);
    case OBJECT_SECRET:
        return read_secret(c, root);
    case OBJECT_SERVICE:
        return read_service(c, root);
    case OBJECT_ENDPOINT_SLICE:
        return read_endpoint_slice(c, root);
    case OBJECT_NODE_STATUS:
        return read_node_status(c, root);
    case OBJECT_AFFINITY:
        return read_block_affinity(c, root);
    case OBJECT_KINDS:
        break;
    }
    return NULL;
}

static void set_frame(struct document_object *o) {
    switch (o->kind) {
#define FRAME(k, type)                                                                             \
    case k:                                                                                        \
        ((struct type *)o->value)->name = o->name;                                                 \
        ((struct type *)o->value)->place = o->place;                                               \
        break
        FRAME(OBJECT_CONFIGURATION, calico_bgp_configuration);
        FRAME(OBJECT_PEER, calico_bgp_peer);
        FRAME(OBJECT_FILTER, calico_bgp_filter);
        FRAME(OBJECT_NODE, calico_node);
        FRAME(OBJECT_POOL, calico_ip_pool);
        FRAME(OBJECT_NODE_STATUS, calico_node_status);
        FRAME(OBJECT_AFFINITY, calico_block_affinity);
#undef FRAME
    case OBJECT_SERVICE:
        ((struct calico_service *)o->value)->place = o->place;
        break;
    case OBJECT_ENDPOINT_SLICE:
        ((struct calico_endpoint_slice *)o->value)->place = o->place;
        break;
    case OBJECT_SECRET:
    case OBJECT_KINDS:
        break;
    }
}

static bool is_namespaced(enum object_kind kind) {
    return kind == OBJECT_SECRET || kind == OBJECT_SERVICE || kind == OBJECT_ENDPOINT_SLICE;
}

/* Objects of one name may stand in several namespaces. */
static const char *object_key(struct walk *w, enum object_kind kind, const struct yaml_node *root,
                              const char *name) {
    if (!is_namespaced(kind))
        return name;
    const struct yaml_node *space = yaml_get(yaml_get(root, "metadata"), "namespace");
    bool given = space && space->kind == YAML_SCALAR;
    return arena_printf(w->arena, "%s/%s", given ? space->text : "", name);
}

static void read_object(struct walk *w, const struct yaml_node *root, size_t kind,
                        enum read_group group) {
    struct read_context c = {w->arena, w->diags, group, kinds[kind].name, "", false};
    const char *name = NULL;
    if (lost_indentation(w, root, c.kind))
        return;
    if (!read_metadata(&c, root, &name)) {
        w->out_of_memory |= c.out_of_memory;
        return;
    }
    c.name = name;
    struct document_object *o = list_add(w);
    if (!o) {
        w->out_of_memory = true;
        return;
    }
    *o = (struct document_object){
        .kind = kinds[kind].kind,
        .group = group,
        .name = object_key(w, kinds[kind].kind, root, name),
        .root = root,
        .place = read_place(&c, yaml_get(root, "kind")),
        .stored = yaml_get(yaml_get(root, "metadata"), "resourceVersion") != NULL};
    if (w->values) {
        if (o->kind == OBJECT_SECRET)
            READ_FIELDS(&c, root, "", secret_fields, NULL);
        else if (o->kind == OBJECT_ENDPOINT_SLICE)
            READ_FIELDS(&c, root, "", slice_fields, NULL);
        else
            READ_FIELDS(&c, root, "", root_fields, NULL);
        o->value = read_value(&c, o->kind, root);
        if (o->value)
            set_frame(o);
    }
    w->out_of_memory |= c.out_of_memory || !o->name || (w->values && !o->value);
}

/* ---- kinds ---- */

/* -1: not one of the groups whose kinds we know. */
static int group_find(const char *version) {
    for (size_t i = 0; i < VERSION_COUNT; i++)
        if (strcmp(versions[i], version) == 0)
            return (int)i;
    return -1;
}

static void unknown_kind(struct walk *w, const struct yaml_node *kind, const char *version) {
    for (size_t i = 0; i < OTHER_KIND_COUNT; i++)
        if (strcmp(other_kinds[i], kind->text) == 0) {
            diag_add(w->diags, DIAG_NOTE, yaml_place(kind), "ignored-kind",
                     "%s has no part in BGP and is not looked at", kind->text);
            return;
        }
    const char *names[KIND_COUNT], *nearest;
    for (size_t i = 0; i < KIND_COUNT; i++)
        names[i] = kinds[i].name;
    nearest = text_nearest(kind->text, names, KIND_COUNT);
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (strcasecmp(names[i], kind->text) == 0)
            nearest = names[i];
    bool ours = strstr(version, "projectcalico.org") != NULL;
    if (!nearest && !ours)
        diag_add(w->diags, DIAG_NOTE, yaml_place(kind), "ignored-kind",
                 "%.60s is not looked at: it has no part in BGP here", kind->text);
    else if (nearest && (ours || strcasecmp(nearest, kind->text) == 0))
        diag_add(w->diags, DIAG_ERROR, yaml_place(kind), "unknown-kind",
                 "unknown kind \"%.60s\" (did you mean \"%s\"?)", kind->text, nearest);
    else if (ours)
        diag_add(w->diags, DIAG_ERROR, yaml_place(kind), "unknown-kind", "unknown kind \"%.60s\"",
                 kind->text);
    else
        diag_add(w->diags, DIAG_NOTE, yaml_place(kind), "ignored-kind",
                 "%.60s is not looked at: it has no part in BGP here", kind->text);
}

static void wrong_version(struct walk *w, const struct yaml_node *n, size_t kind,
                          const char *version) {
    size_t right = 0;
    while (!(kinds[kind].groups & 1u << right))
        right++;
    diag_add(w->diags, DIAG_ERROR, yaml_place(n), "bad-api-version",
             "%s: apiVersion \"%.60s\" has no such kind (did you mean \"%s\"?)", kinds[kind].name,
             version, versions[right]);
}

static void walk_kind(struct walk *w, const struct yaml_node *root, const struct yaml_node *kind,
                      const struct yaml_node *version_node, const char *version) {
    int group = group_find(version);
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (strcmp(kinds[i].name, kind->text) != 0)
            continue;
        if (group >= 0 && (kinds[i].groups & 1u << group))
            read_object(w, root, i, (enum read_group)group);
        else
            wrong_version(w, version_node ? version_node : kind, i, version);
        return;
    }
    unknown_kind(w, kind, version);
}

static void report_frameless(struct walk *w, const struct yaml_node *root) {
    if (root->kind == YAML_SCALAR) {
        bool line = strstr(root->text, "kind:") || strstr(root->text, "apiVersion:");
        diag_add(w->diags, DIAG_ERROR, yaml_place(root), line ? "one-line-document" : "no-object",
                 line ? "the whole document stands on one line: each field needs a line of its "
                        "own, indented below metadata: or spec:"
                      : "this is a plain text, not an object with apiVersion, kind, metadata and "
                        "spec");
        return;
    }
    bool patch = yaml_key(root, "spec") && !yaml_key(root, "metadata");
    diag_add(w->diags, DIAG_ERROR, yaml_place(root), patch ? "patch-document" : "missing-kind",
             patch ? "this is a patch, as for `calicoctl patch … -p`: write the whole object, with "
                     "apiVersion, kind and metadata.name"
                   : "neither apiVersion nor kind: what object is this?");
}

/* ---- leaves ---- */

/* Errors since there were `kept` findings, at which calicoctl reads no further. A full list has
 * them in the places of notes, and does not keep them all when it is full of errors. */
static bool refuses_file(const struct diag_list *diags, size_t kept) {
    size_t errors = 0;
    bool full = diag_count(diags) == DIAG_COUNT_MAX;
    for (size_t i = full ? 0 : kept; i < diag_count(diags); i++) {
        const struct diag *d = diag_at(diags, i);
        if (d->severity == DIAG_ERROR && finding_refuses_file(d->id))
            return true;
        errors += d->severity == DIAG_ERROR;
    }
    return full && diag_error_count(diags) > errors;
}

static void read_leaf(struct walk *w, const struct yaml_node *root, const char *version) {
    const struct yaml_node *kind = yaml_get(root, "kind"),
                           *version_node = yaml_get(root, "apiVersion");
    bool has_kind = kind && kind->kind == YAML_SCALAR && kind->text[0];
    if (!has_kind && (root->kind != YAML_MAPPING || !version[0]))
        report_frameless(w, root);
    else if (!has_kind)
        diag_add(w->diags, DIAG_ERROR, yaml_place(kind ? kind : root), "missing-kind",
                 "kind is missing: BGPPeer, BGPConfiguration, BGPFilter, IPPool, Node, Secret…");
    else if (!version[0])
        diag_add(w->diags, DIAG_ERROR, yaml_place(kind), "missing-api-version",
                 "%.60s: apiVersion is missing (projectcalico.org/v3 for Calico's kinds)",
                 kind->text);
    else
        walk_kind(w, root, kind, version_node, version);
}

static void walk_leaf(struct walk *w, const struct yaml_node *root, const char *version) {
    const struct document_list *l = w->list;
    size_t index = l->leaf_count, objects = l->count, kept = diag_count(w->diags);
    size_t errors = diag_error_count(w->diags);
    if (l->to == 0 || (index >= l->from && index < l->to))
        read_leaf(w, root, version);
    int group = group_find(version);
    bool refused = diag_error_count(w->diags) > errors;
    add_leaf(w, (struct document_leaf){
                    .root = root,
                    .by_kubectl = group >= 0 && group != READ_V3,
                    .refused = refused,
                    .refuses_file = refused && refuses_file(w->diags, kept),
                    .object = l->count > objects ? objects : DOCUMENT_NO_OBJECT,
                });
}

static void walk_object(struct walk *w, const struct yaml_node *root, const char *list_version,
                        unsigned depth) {
    if (root->kind == YAML_NULL)
        return;
    const struct yaml_node *kind = yaml_get(root, "kind"),
                           *version_node = yaml_get(root, "apiVersion");
    const char *version =
        version_node && version_node->kind == YAML_SCALAR ? version_node->text : list_version;
    bool has_kind = kind && kind->kind == YAML_SCALAR;
    if (root->kind == YAML_SEQUENCE)
        walk_items(w, root, root, "", depth);
    else if (has_kind && version[0] && is_list_kind(kind->text))
        walk_items(w, root, yaml_get(root, "items"), version, depth);
    else
        walk_leaf(w, root, version);
}

bool document_read(const struct yaml_document *documents, size_t count, bool values,
                   struct arena *arena, struct diag_list *diags, struct document_list *ret_list) {
    struct walk w = {.arena = arena, .diags = diags, .list = ret_list, .values = values};
    for (; w.document < count; w.document++)
        walk_object(&w, documents[w.document].root, "", 0);
    return !w.out_of_memory;
}
