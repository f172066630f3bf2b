/*
 * show interfaces, show ip interface brief: the router's links.
 *
 * Owns: the layouts; which of the configuration and the surroundings speaks: a statement's address
 * comes first, then the one the lab gave the link. Leaves: counters and hardware, which a mock has
 * not.
 */
#include "ios_show.h"

#include <stdio.h>
#include <string.h>

struct link {
    const char *name, *description;
    struct ip_addr addr; /* IPv4, or not set */
    uint8_t length;
    bool shutdown, up;
};
typedef void link_fn(const struct link *l, struct text *out);

static const struct ios_interface *surroundings_of(const struct ios_router *r, const char *name) {
    for (size_t i = 0; i < r->interface_count; i++)
        if (strcmp(r->interfaces[i].name, name) == 0)
            return &r->interfaces[i];
    return NULL;
}

/* The interface's own IPv4 address line. */
static void read_address(const struct ios_block *b, struct link *l) {
    struct ip_addr a;
    for (uint32_t i = 0; i < b->count; i++) {
        const struct ios_stmt *s = b->items[i];
        if (ios_stmt_is(s, 0, "ip") && ios_stmt_is(s, 1, "address") && !s->negated &&
            !ios_stmt_has(s, 3, "secondary") && ip_parse(ios_stmt_word(s, 2), &a) &&
            ios_mask_length(ios_stmt_word(s, 3), &l->length))
            l->addr = a;
    }
}

static struct link link_configured(const struct ios_router *r, const struct ios_stmt *s) {
    const struct ios_interface *given = surroundings_of(r, ios_stmt_word(s, 1));
    const struct ios_stmt *text = ios_block_first(s->children, "description", NULL, NULL);
    const struct ios_stmt *down = ios_block_first(s->children, "shutdown", NULL, NULL);
    struct link l = {.name = ios_stmt_word(s, 1),
                     .description = text ? ios_stmt_word(text, 1) : "",
                     .shutdown = down && !down->negated};
    if (given && given->addr.family == IP_V4) {
        l.addr = given->addr;
        l.length = given->length;
    }
    read_address(s->children, &l);
    l.up = !l.shutdown && (!given || given->up);
    return l;
}

/* Those of the configuration in its order, then the others. `only`: NULL, all. */
static void each_link(const struct ios_router *r, const char *only, link_fn *put,
                      struct text *out) {
    for (uint32_t i = 0; i < r->root->count; i++) {
        const struct ios_stmt *s = r->root->items[i];
        if (!s->children || s->row->next != IOS_INTERFACE || (only && !ios_stmt_is(s, 1, only)))
            continue;
        struct link l = link_configured(r, s);
        put(&l, out);
    }
    for (size_t i = 0; i < r->interface_count; i++) {
        const struct ios_interface *given = &r->interfaces[i];
        struct link l = {.name = given->name, .description = "", .up = given->up};
        if (ios_block_first(r->root, "interface", given->name, NULL) ||
            (only && strcmp(only, given->name) != 0))
            continue;
        if (given->addr.family == IP_V4) {
            l.addr = given->addr;
            l.length = given->length;
        }
        put(&l, out);
    }
}

static void put_brief(const struct link *l, struct text *out) {
    struct text addr;
    text_init(&addr);
    if (ip_is_set(l->addr))
        ios_put_addr(l->addr, &addr);
    else
        text_puts(&addr, "unassigned");
    text_printf(out, "%-26s %-15s YES %-6s %-21s %-8s\n", l->name, text_str(&addr),
                ip_is_set(l->addr) ? "manual" : "unset",
                l->shutdown ? "administratively down"
                : l->up     ? "up"
                            : "down",
                l->up ? "up" : "down");
    text_deinit(&addr);
}

bool ios_show_interfaces_brief(struct ios_edit *e) {
    text_puts(e->sink->out, "Interface                  IP-Address      OK? Method Status        "
                            "        Protocol\n");
    each_link(e->r, NULL, put_brief, e->sink->out);
    return false;
}

/* "Gi0/0": two letters of the type, then the number. */
static void put_description(const struct link *l, struct text *out) {
    char name[32];
    snprintf(name, sizeof name, "%.2s%s", l->name, l->name + strcspn(l->name, "0123456789"));
    text_printf(out, "%-30s %-14s %-8s %s\n", name,
                l->shutdown ? "admin down"
                : l->up     ? "up"
                            : "down",
                l->up ? "up" : "down", l->description);
}

bool ios_show_interfaces_description(struct ios_edit *e) {
    text_puts(e->sink->out, "Interface                      Status         Protocol Description\n");
    each_link(e->r, NULL, put_description, e->sink->out);
    return false;
}

static void put_interface(const struct link *l, struct text *out) {
    text_printf(out, "%s is %s, line protocol is %s \n", l->name,
                l->shutdown ? "administratively down"
                : l->up     ? "up"
                            : "down",
                l->up ? "up" : "down");
    if (*l->description)
        text_printf(out, "  Description: %s\n", l->description);
    if (ip_is_set(l->addr)) {
        text_puts(out, "  Internet address is ");
        ios_put_addr(l->addr, out);
        text_printf(out, "/%u\n", l->length);
    }
}

bool ios_show_interfaces(struct ios_edit *e) {
    const char *name = e->words->count > 2 ? ios_word(e->words, 2) : NULL;
    size_t before = e->sink->out->size;
    each_link(e->r, name, put_interface, e->sink->out);
    if (name && e->sink->out->size == before)
        text_puts(e->sink->out, "% Invalid input detected at '^' marker.\n\n");
    return false;
}
