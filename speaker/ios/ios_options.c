/*
 * What each option of a neighbour sets, as a table.
 *
 * Owns: the meaning of options and their arguments, passwords of type 7. Leaves: the order in which
 * templates, groups and own lines are applied to ios_compile.c.
 */
#include "ios_options.h"

#include "../base/arena.h"
#include "../base/text.h"

#include <stdio.h>
#include <string.h>

struct option {
    struct ios_neighbor *n;
    struct bgp_peer_config *p;
    const struct ios_stmt *s;
    uint16_t at; /* of the first argument */
    int family;  /* >= 0 */
};

static const char *argument(const struct option *o, uint16_t index) {
    return ios_stmt_word(o->s, (uint16_t)(o->at + index));
}

static uint32_t argument_number(const struct option *o, uint16_t index, uint32_t otherwise) {
    uint64_t n = 0;
    return text_to_u64(argument(o, index), 0, UINT32_MAX, &n) ? (uint32_t)n : otherwise;
}

static void set_remote_as(const struct option *o) {
    text_to_asn(argument(o, 0), &o->p->remote_as);
}

static void set_local_as(const struct option *o) {
    text_to_asn(argument(o, 0), &o->p->local_as);
    o->p->local_as_no_prepend = ios_stmt_has(o->s, o->at, "no-prepend");
    o->p->local_as_replaces = ios_stmt_has(o->s, o->at, "replace-as");
}

static void set_description(const struct option *o) {
    o->p->description = arena_strndup(o->n->arena, argument(o, 0), BGP_PEER_NAME_MAX - 1);
}

static void set_shutdown(const struct option *o) {
    o->p->shutdown = true;
}

/* The two first digits say where in the key it begins, the rest is the text XOR the key. */
static const char KEY[] = "dsfd;kfoA,.iyewrkldJKDHSUBsgvca69834ncxv9873254k;fg87";

/* IOS begins anywhere in the first sixteen; here the text's length chooses. */
void ios_put_password_type7(const char *plain, struct text *out) {
    size_t size = strlen(plain), start = size % 16;
    text_printf(out, "%02zu", start);
    for (size_t i = 0; i < size; i++)
        text_printf(out, "%02X",
                    (unsigned)(unsigned char)(plain[i] ^ KEY[(start + i) % (sizeof KEY - 1)]));
}

void ios_password_type7(const char *text, char *out, size_t out_size) {
    size_t size = 0, start = 0;
    if (text[0] >= '0' && text[0] <= '9' && text[1] >= '0' && text[1] <= '9')
        start = (size_t)(text[0] - '0') * 10 + (size_t)(text[1] - '0');
    for (size_t i = 2; text[0] && text[1] && text[i] && text[i + 1] && size + 1 < out_size;
         i += 2) {
        int high = text_hex_digit(text[i]), low = text_hex_digit(text[i + 1]);
        if (high < 0 || low < 0)
            break;
        out[size] = (char)((high << 4 | low) ^ KEY[(start + size) % (sizeof KEY - 1)]);
        size++;
    }
    out[size] = '\0';
}

static void set_password(const struct option *o) {
    bool typed = argument(o, 1)[0] != '\0';
    const char *text = typed ? argument(o, 1) : argument(o, 0);
    char plain[BGP_PASSWORD_MAX + 1];
    if (typed && strcmp(argument(o, 0), "7") == 0)
        ios_password_type7(text, plain, sizeof plain);
    else
        snprintf(plain, sizeof plain, "%s", text);
    o->p->password = bgp_password_new(o->n->arena, plain, strlen(plain));
}

static void set_timers(const struct option *o) {
    o->p->hold_time_set = true;
    o->p->keepalive_s = (uint16_t)argument_number(o, 0, 60);
    o->p->hold_time_s = (uint16_t)argument_number(o, 1, 180);
    o->p->hold_time_min_s = (uint16_t)argument_number(o, 2, 0);
}

static void set_multihop(const struct option *o) {
    o->p->multihop = (uint8_t)argument_number(o, 0, 255);
}

/* TTL 1 as before, but the neighbour need not stand in a connected subnet. */
static void set_no_connected_check(const struct option *o) {
    if (o->p->multihop == 0)
        o->p->multihop = 1;
}

/* IOS accepts TTL >= 255 - hops; the core counts RFC 5082's distance, one more. */
static void set_ttl_security(const struct option *o) {
    o->p->ttl_security_hops = (uint8_t)(argument_number(o, 1, 1) + 1);
}

static void set_fall_over(const struct option *o) {
    o->p->fall_over = true;
}

static void set_update_source(const struct option *o) {
    o->n->update_source = argument(o, 0);
}

static void set_connection_mode(const struct option *o) {
    o->p->passive = strcmp(argument(o, 1), "passive") == 0;
}

static void set_activate(const struct option *o) {
    o->p->families[o->family] = true;
}

static void set_send_community(const struct option *o) {
    bool both = strcmp(argument(o, 0), "both") == 0;
    bool extended = strcmp(argument(o, 0), "extended") == 0;
    o->p->send_communities = !extended;
    o->p->send_ext_communities = both || extended;
}

static void set_rr_client(const struct option *o) {
    o->p->rr_client = true;
}

static void set_next_hop_self(const struct option *o) {
    o->p->next_hop_mode = argument(o, 0)[0] ? BGP_NEXT_HOP_SELF_ALL : BGP_NEXT_HOP_SELF;
}

static void set_next_hop_unchanged(const struct option *o) {
    o->p->next_hop_mode = BGP_NEXT_HOP_KEEP;
}

static void set_additional_paths(const struct option *o) {
    struct ios_add_path *a = &o->n->add_path[o->family];
    a->said = true;
    a->send = ios_stmt_has(o->s, o->at, "send");
    a->receive = ios_stmt_has(o->s, o->at, "receive");
}

/* advertise additional-paths [all] [best N] [group-best] */
static void set_advertise(const struct option *o) {
    struct ios_add_path *a = &o->n->add_path[o->family];
    const char *best = ios_stmt_after(o->s, o->at, "best");
    a->all = ios_stmt_has(o->s, o->at, "all");
    uint64_t n = 0;
    a->best = best && text_to_u64(best, 2, 3, &n) ? (uint32_t)n : 0;
}

static void set_default_originate(const struct option *o) {
    o->p->default_originate[o->family] = true;
    o->n->default_map[o->family] = *argument(o, 1) ? argument(o, 1) : NULL;
}

static void set_unsuppress_map(const struct option *o) {
    o->n->unsuppress_map[o->family] = argument(o, 0);
}

/* One condition per map: the neighbour's own line stands for the group's. */
static void set_advertise_map(const struct option *o) {
    struct ios_neighbor *n = o->n;
    const struct ios_advertise_map made = {.family = o->family,
                                           .map = argument(o, 0),
                                           .exist = argument(o, 2),
                                           .absent = strcmp(argument(o, 1), "exist-map") != 0};
    for (uint32_t i = 0; i < n->advertise_count; i++)
        if (n->advertise[i].family == o->family && strcmp(n->advertise[i].map, made.map) == 0) {
            n->advertise[i] = made;
            return;
        }
    if (n->advertise_count < IOS_ADVERTISE_MAPS_MAX)
        n->advertise[n->advertise_count++] = made;
    else
        n->advertise_lost = o->s;
}

static void set_interval(const struct option *o) {
    o->p->advertisement_interval_ms[o->family] = argument_number(o, 0, 0) * 1000;
    o->n->interval_set[o->family] = true;
}

static void set_allowas_in(const struct option *o) {
    o->p->allow_local_as = (uint8_t)argument_number(o, 0, 3);
}

static void set_as_override(const struct option *o) {
    o->p->as_override = true;
}

static void set_route_server_client(const struct option *o) {
    o->p->transparent = true;
}

static void set_remove_private(const struct option *o) {
    o->p->remove_private_as = true;
    o->p->remove_private_as_all = ios_stmt_has(o->s, o->at, "all");
    o->p->remove_private_as_replace = ios_stmt_has(o->s, o->at, "replace-as");
}

static void set_weight(const struct option *o) {
    o->p->weight = argument_number(o, 0, 0);
}

static void set_soft_reconfiguration(const struct option *o) {
    o->p->soft_reconfiguration = true;
}

static void set_maximum_prefix(const struct option *o) {
    o->p->prefix_max[o->family] = argument_number(o, 0, 0);
    o->p->prefix_warning_percent = (uint8_t)argument_number(o, 1, 75);
    o->p->prefix_warning_only = ios_stmt_has(o->s, o->at, "warning-only");
    const char *restart = ios_stmt_after(o->s, o->at, "restart");
    uint64_t minutes = 0;
    if (restart && text_to_u64(restart, 1, 65535, &minutes))
        o->p->prefix_restart_min = (uint16_t)minutes;
}

static struct ios_filters *filters(const struct option *o) {
    bool in = strcmp(argument(o, 1), "in") == 0;
    return in ? &o->n->in[o->family] : &o->n->out[o->family];
}

static void set_route_map(const struct option *o) {
    filters(o)->route_map = argument(o, 0);
}

static void set_prefix_list(const struct option *o) {
    filters(o)->prefix_list = argument(o, 0);
}

static void set_filter_list(const struct option *o) {
    filters(o)->filter_list = argument(o, 0);
}

static void set_distribute_list(const struct option *o) {
    filters(o)->distribute_list = argument(o, 0);
}

static const struct {
    const char *name;
    void (*set)(const struct option *o);
} OPTIONS[] = {
    {"remote-as", set_remote_as},
    {"local-as", set_local_as},
    {"description", set_description},
    {"shutdown", set_shutdown},
    {"password", set_password},
    {"timers", set_timers},
    {"ebgp-multihop", set_multihop},
    {"disable-connected-check", set_no_connected_check},
    {"ttl-security", set_ttl_security},
    {"update-source", set_update_source},
    {"fall-over", set_fall_over},
    {"transport", set_connection_mode},
    {"activate", set_activate},
    {"send-community", set_send_community},
    {"route-reflector-client", set_rr_client},
    {"next-hop-self", set_next_hop_self},
    {"next-hop-unchanged", set_next_hop_unchanged},
    {"additional-paths", set_additional_paths},
    {"advertise", set_advertise},
    {"default-originate", set_default_originate},
    {"unsuppress-map", set_unsuppress_map},
    {"advertise-map", set_advertise_map},
    {"advertisement-interval", set_interval},
    {"allowas-in", set_allowas_in},
    {"as-override", set_as_override},
    {"remove-private-as", set_remove_private},
    {"route-server-client", set_route_server_client},
    {"weight", set_weight},
    {"soft-reconfiguration", set_soft_reconfiguration},
    {"maximum-prefix", set_maximum_prefix},
    {"route-map", set_route_map},
    {"prefix-list", set_prefix_list},
    {"filter-list", set_filter_list},
    {"distribute-list", set_distribute_list},
};

void ios_option_apply(struct ios_neighbor *n, const struct ios_stmt *s, uint16_t at, int family) {
    struct option o = {
        .n = n, .p = n->peer, .s = s, .at = (uint16_t)(at + 1), .family = family < 0 ? 0 : family};
    if (s->negated || s->row->flags & ROW_IGNORED)
        return;
    for (size_t i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++)
        if (ios_stmt_is(s, at, OPTIONS[i].name)) {
            OPTIONS[i].set(&o);
            return;
        }
}
