/*
 * Entries of `routers`, the boxes around the cluster.
 *
 *   routers:
 *     - name: rr1
 *       kind: ios
 *       config: rr1.ios            # or text: |
 *       interfaces:
 *         GigabitEthernet0/0: {segment: lan, address: 10.0.1.1}
 *       loopbacks: [10.255.0.1/32]
 *
 * Owns: the fields of a router.
 * Leaves to others: reading the file that `config` names (the scenario reader, beneath its tree)
 * and what stands in it (speaker/ios).
 */

#include "topo_internal.h"

#include "../../speaker/base/arena.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *const topo_keys_router[] = {"name", "kind",       "config",
                                        "text", "interfaces", "loopbacks"};
const size_t topo_keys_router_count = COUNT(topo_keys_router);
const char *const topo_keys_attachment[] = {"segment", "address"};
const size_t topo_keys_attachment_count = COUNT(topo_keys_attachment);

static void read_config(struct topo_reader *r, const struct yaml_node *entry,
                        struct topo_router *router) {
    const struct yaml_node *path = yaml_get(entry, "config"), *text = yaml_get(entry, "text");
    if (!path == !text) {
        diag_add(r->diags, DIAG_ERROR, router->place, "missing-field",
                 "router \"%.63s\": give either config (a file) or text, %s", router->name,
                 path ? "not both" : "neither is there");
        return;
    }
    yaml_string(path, "config", r->diags, &router->config_path);
    if (yaml_string(text, "text", r->diags, &router->config_text))
        router->config_size = strlen(router->config_text);
}

static void read_attachment(struct topo_reader *r, const struct yaml_node *name,
                            const struct yaml_node *n, struct topo_attachment *a) {
    a->interface = name->text;
    a->segment = UINT32_MAX;
    topo_interface_check(name->text, name, true, r->diags);
    if (n->kind != YAML_MAPPING) {
        diag_add(r->diags, DIAG_ERROR, yaml_place(n), "wrong-type",
                 "%.40s: must be a mapping like {segment: lan, address: 10.0.0.1}", name->text);
        return;
    }
    yaml_check_keys(n, topo_keys_attachment, topo_keys_attachment_count, "interface", r->diags);
    a->segment = topo_read_segment(r, n);
    topo_read_addresses(r, yaml_get(n, "address"), &a->addr4, &a->addr6);
}

static void read_interfaces(struct topo_reader *r, const struct yaml_node *n,
                            struct topo_router *router) {
    if (!n || n->kind != YAML_MAPPING || n->count == 0 || n->count > TOPO_ATTACHMENTS_MAX) {
        diag_add(r->diags, DIAG_ERROR, n ? yaml_place(n) : router->place, "missing-field",
                 "router \"%.63s\": interfaces must be a mapping of 1 to %d names", router->name,
                 TOPO_ATTACHMENTS_MAX);
        return;
    }
    router->attachments = arena_array(r->arena, n->count, sizeof(struct topo_attachment));
    if (!router->attachments) {
        r->failed = true;
        return;
    }
    router->attachment_count = n->count;
    for (uint32_t i = 0; i < n->count; i++)
        read_attachment(r, n->keys[i], n->items[i], &router->attachments[i]);
}

static void read_loopbacks(struct topo_reader *r, const struct yaml_node *n,
                           struct topo_router *router) {
    struct yaml_node *const *items;
    struct yaml_node *single;
    size_t count = topo_list(n, &items, &single);
    if (count > TOPO_LOOPBACKS_MAX) {
        diag_add(r->diags, DIAG_ERROR, yaml_place(n), "limit", "loopbacks: at most %d",
                 TOPO_LOOPBACKS_MAX);
        return;
    }
    router->loopbacks = count ? arena_array(r->arena, count, sizeof(struct ip_prefix)) : NULL;
    if (count && !router->loopbacks) {
        r->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const char *text;
        if (!yaml_string(items[i], "loopbacks", r->diags, &text))
            continue;
        if (ip_prefix_parse(text, &router->loopbacks[router->loopback_count]))
            router->loopback_count++;
        else
            diag_add(r->diags, DIAG_ERROR, yaml_place(items[i]), "bad-address",
                     "loopbacks: \"%.80s\" is not an address or prefix", text);
    }
}

void topo_read_router(struct topo_reader *r, const struct yaml_node *entry,
                      struct topo_router *router) {
    static const char *const kinds[] = {"ios"};
    const struct yaml_node *name = yaml_get(entry, "name");
    size_t kind;
    router->name = "";
    router->place = yaml_place(entry);
    yaml_check_keys(entry, topo_keys_router, topo_keys_router_count, "router", r->diags);
    if (!name)
        diag_add(r->diags, DIAG_ERROR, router->place, "missing-field", "router: name is missing");
    else if (yaml_string(name, "name", r->diags, &router->name))
        topo_name_check(router->name, yaml_place(name), "router name", r->diags);
    yaml_enum(yaml_get(entry, "kind"), "kind", kinds, COUNT(kinds), r->diags, &kind);
    read_config(r, entry, router);
    read_interfaces(r, yaml_get(entry, "interfaces"), router);
    read_loopbacks(r, yaml_get(entry, "loopbacks"), router);
}
