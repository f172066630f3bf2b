/*
 * Owns BGPFilters as BIRD functions: one per filter, direction and family that has rules there,
 * named after the filter, whether a session calls it or not: one that BIRD cannot read freezes the
 * nodes that do not use it as well. Which sessions call them, and in which order, is plan_bird.c's.
 *
 * A rule's conditions are all required; the first rule whose conditions hold ends the whole
 * pipeline with `accept` or `reject`. What BIRD makes of odd rules is left to BIRD: a prefix
 * compared with a set is never equal, an empty range is refused.
 *
 * BIRD: symbols have at most 64 octets, so of a name longer than 45 only 28 remain, followed by the
 * first 16 hexadecimal digits of its SHA-256.
 */
#include "plan_bird_internal.h"

#include <string.h>

#define FILTER_NAME_MAX 45
#define FILTER_NAME_KEPT 28

static const char *const directions[] = {"import", "export"};

void bird_filter_name(const struct bird *b, const struct calico_bgp_filter *f, int direction) {
    text_puts(b->out, "'bgp_");
    if (strlen(f->name) <= FILTER_NAME_MAX) {
        text_puts(b->out, f->name);
    } else {
        uint32_t h[8];
        sha256_words(f->name, h);
        text_printf(b->out, "%.*s_%08X%08X", FILTER_NAME_KEPT, f->name, h[0], h[1]);
    }
    text_printf(b->out, "_%sFilterV%d'", directions[direction], b->family == FAMILY4 ? 4 : 6);
}

void bird_community(struct text *out, const char *text) {
    text_putc(out, '(');
    for (; *text; text++) {
        if (*text == ':')
            text_puts(out, ", ");
        else
            text_putc(out, *text);
    }
    text_putc(out, ')');
}

const char *bird_community_list(const char *text) {
    const char *colon = strchr(text, ':');
    return colon && strchr(colon + 1, ':') ? "bgp_large_community" : "bgp_community";
}

/* ---- conditions ---- */

static void put_cidr(const struct bird *b, const struct calico_filter_rule *r) {
    static const char *const operators[] = {
        [CALICO_OP_NONE] = "~", [CALICO_OP_EQUAL] = "=",   [CALICO_OP_NOT_EQUAL] = "!=",
        [CALICO_OP_IN] = "~",   [CALICO_OP_NOT_IN] = "!~",
    };
    char text[IP_PREFIX_TEXT_MAX];
    uint8_t low = r->cidr.length, high = ip_bits((enum ip_family)r->cidr.addr.family);
    text_printf(b->out, "net %s ", operators[r->match_operator]);
    const char *cidr = r->unmasked_cidr ? r->unmasked_cidr : bird_prefix(r->cidr, text);
    if (!r->has_prefix_length) {
        text_puts(b->out, cidr);
        return;
    }
    if (r->has_min && r->prefix_length_min > low)
        low = r->prefix_length_min;
    if (r->has_max && r->prefix_length_max < high)
        high = r->prefix_length_max;
    text_printf(b->out, "[ %s{%u,%u} ]", cidr, low, high);
}

static void put_path(const struct bird *b, const struct calico_filter_rule *r) {
    text_puts(b->out, "bgp_path ~ [=");
    for (size_t i = 0; i < r->as_path_prefix_count; i++)
        text_printf(b->out, " %u", r->as_path_prefix[i]);
    text_puts(b->out, " * =]");
}

static void begin_condition(const struct bird *b, bool *any) {
    text_puts(b->out, *any ? " && (" : "if (");
    *any = true;
}

static bool put_route_conditions(const struct bird *b, const struct calico_filter_rule *r) {
    bool any = false;
    if (r->has_cidr) {
        begin_condition(b, &any);
        put_cidr(b, r);
        text_putc(b->out, ')');
    }
    if (r->remote_peers) {
        begin_condition(b, &any);
        text_puts(b->out, "source = RTS_BGP)");
    }
    if (r->interface) {
        begin_condition(b, &any);
        text_printf(b->out, "defined(ifname) && ifname ~ \"%s\")", r->interface);
    }
    if (r->peer_type) {
        begin_condition(b, &any);
        text_puts(b->out, r->peer_type == 1 ? "! internal_peer)" : "internal_peer)");
    }
    return any;
}

static bool put_conditions(const struct bird *b, const struct calico_filter_rule *r) {
    bool any = put_route_conditions(b, r);
    if (r->community) {
        begin_condition(b, &any);
        bird_community(b->out, r->community);
        text_printf(b->out, " ~ %s)", bird_community_list(r->community));
    }
    if (r->as_path_prefix_count) {
        begin_condition(b, &any);
        put_path(b, r);
        text_putc(b->out, ')');
    }
    if (r->priority) {
        begin_condition(b, &any);
        text_printf(b->out, "defined(bgp_local_pref) && bgp_local_pref = %u)",
                    BIRD_PRIORITY_BASE - r->priority);
    }
    return any;
}

/* ---- operations ---- */

/* Prepending one by one ends with the first of the list leftmost. */
static void put_prepend(const struct bird *b, const struct calico_operation *o) {
    for (size_t i = o->as_path_count; i-- > 0;)
        text_printf(b->out, "bgp_path.prepend(%u); ", o->as_path[i]);
}

static void put_operation(const struct bird *b, const struct calico_operation *o) {
    switch (o->kind) {
    case CALICO_ADD_COMMUNITY:
        text_printf(b->out, "%s.add(", bird_community_list(o->community));
        bird_community(b->out, o->community);
        text_puts(b->out, "); ");
        break;
    case CALICO_PREPEND_AS_PATH:
        put_prepend(b, o);
        break;
    case CALICO_SET_PRIORITY:
        text_printf(b->out, "bgp_local_pref = %u; ", BIRD_PRIORITY_BASE - o->priority);
        break;
    }
}

static void put_rule(const struct bird *b, const struct calico_filter_rule *r) {
    text_puts(b->out, "  ");
    bool any = put_conditions(b, r);
    text_puts(b->out, any ? " then { " : "");
    for (size_t i = 0; r->accept && i < r->operation_count; i++)
        put_operation(b, &r->operations[i]);
    text_puts(b->out, r->accept ? "accept;" : "reject;");
    text_puts(b->out, any ? " }\n" : "\n");
}

/* ---- functions ---- */

static void put_function(const struct bird *b, const struct calico_bgp_filter *f, int direction) {
    size_t count = f->rule_count[direction][b->family];
    if (!count)
        return;
    text_printf(b->out, "# BGPFilter %s, %s\nfunction ", f->name, directions[direction]);
    bird_filter_name(b, f, direction);
    text_puts(b->out, "(bool internal_peer) {\n");
    for (size_t i = 0; i < count; i++)
        put_rule(b, &f->rules[direction][b->family][i]);
    text_puts(b->out, "}\n\n");
}

void bird_filter_functions(const struct bird *b, const struct calico_bgp_filter *f) {
    put_function(b, f, 0);
    put_function(b, f, 1);
}

void bird_filters(const struct bird *b) {
    const struct calico_set *set = b->impl->plan.set;
    for (size_t i = 0; i < calico_filter_count(set); i++)
        bird_filter_functions(b, calico_filter_at(set, i));
}
