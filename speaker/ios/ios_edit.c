/*
 * What statements do beyond being stored: IOS's checks and refusals, values filled in (sequence
 * numbers, classful masks), and effects on other statements (`no neighbor` takes all of its lines).
 *
 * Owns: the refusals of single statements, in IOS's words. Leaves: everything that needs the whole
 * configuration to ios_compile.c: an undefined route-map is no error while typing.
 *
 * Invariants: an edit either returns true and the statement is stored as its words stand, or has
 * said or done all there is to it.
 */
#include "ios_edit.h"
#include "ios_router.h"

#include <stdio.h>
#include <string.h>

#define IOS_DESCRIPTION_MAX 80 /* of a neighbour */

/* ---- words ---- */

static uint64_t key_bits(uint16_t count) {
    return (UINT64_C(1) << count) - 1;
}

static void add(struct ios_words *w, const char *word, bool key) {
    ios_words_add(w, word, strlen(word), key);
}

static uint64_t number(const char *word) {
    uint64_t n = 0;
    return text_to_u64(word, 0, UINT32_MAX, &n) ? n : 0;
}

/* ---- modes ---- */

bool ios_edit_exit(struct ios_edit *e) {
    if (e->r->depth > 0)
        e->r->depth--;
    else
        ios_config_end(e->r);
    return false;
}

bool ios_edit_end(struct ios_edit *e) {
    ios_config_end(e->r);
    return false;
}

bool ios_edit_do(struct ios_edit *e) {
    static const struct ios_view NOTHING;
    const char *line = e->sink->text ? e->sink->text : "";
    size_t word = strcspn(line, " \t");
    if (e->sink->out) {
        e->r->exec_indent = (uint32_t)(e->sink->column - 1 + word + strspn(line + word, " \t"));
        (void)ios_exec(e->r, e->sink->view ? e->sink->view : &NOTHING, ios_word(e->words, 1),
                       e->sink->out);
        e->r->exec_indent = 0;
    } else {
        ios_ignore(e->sink, "an exec command in a file is not run");
        ios_note(e->sink, "ios-do", "an exec command in a file is not run");
    }
    return false;
}

/* ---- top level ---- */

/* `no service timestamps log` must be one statement with `service timestamps log …`. */
bool ios_edit_timestamps(struct ios_edit *e) {
    if (e->negated)
        ios_words_cut(e->words, 3);
    return true;
}

bool ios_edit_banner(struct ios_edit *e) {
    if (e->negated)
        ios_block_remove(e->block, e->words);
    else
        ios_refuse(e->sink, "ios-banner", "%% A banner needs its delimiter on the same terminal");
    return false;
}

static bool contiguous(struct ios_edit *e, const char *mask, uint8_t *ret_length) {
    return ios_mask_length(mask, ret_length) ||
           ios_refuse(e->sink, "ios-mask", "%% Bad mask %s", mask);
}

bool ios_edit_address(struct ios_edit *e) {
    uint8_t length;
    bool secondary = ios_word(e->words, 4)[0] != '\0';
    if (e->negated && !secondary) {
        /* `no ip address` takes the secondary ones too. */
        ios_words_cut(e->words, 2);
        ios_block_remove_words(e->block, "ip", "address");
        return true;
    }
    if (e->words->count < 4)
        return e->negated || ios_refuse(e->sink, "ios-incomplete", "%% Incomplete command.");
    if (!contiguous(e, ios_word(e->words, 3), &length))
        return false;
    e->words->keys = secondary ? key_bits(3) | UINT64_C(1) << 4 : key_bits(2);
    return true;
}

bool ios_edit_address_unknown(struct ios_edit *e) {
    if (!e->negated)
        ios_note(e->sink, "ios-ignored", "the lab gives addresses; this one stays unknown");
    return true;
}

bool ios_edit_address6(struct ios_edit *e) {
    struct ip_prefix p;
    const char *word = ios_word(e->words, 2);
    if (e->negated || ip_prefix_parse(word, &p))
        return true;
    if (strcmp(word, "autoconfig") == 0 || strcmp(word, "dhcp") == 0)
        return ios_edit_address_unknown(e);
    return ios_refuse(e->sink, "ios-invalid-input", "%% Invalid IPv6 address %s", word);
}

bool ios_edit_static(struct ios_edit *e) {
    uint8_t length;
    struct ip_addr a;
    if (!contiguous(e, ios_word(e->words, 3), &length))
        return false;
    if (!ip_parse(ios_word(e->words, 2), &a) ||
        !ip_prefix_is_masked((struct ip_prefix){.addr = a, .length = length}))
        return ios_refuse(e->sink, "ios-mask", "%% Inconsistent address and mask");
    return true;
}

/* ---- prefix lists ---- */

/* The highest sequence number of a list, 0 when it has no entry. */
static uint32_t list_last(const struct ios_block *b, const char *ip, const char *name) {
    uint32_t last = 0, at = 0;
    const struct ios_stmt *s;
    while ((s = ios_block_next(b, ip, "prefix-list", name, &at))) {
        if (!ios_stmt_is(s, 3, "seq"))
            continue;
        uint32_t seq = (uint32_t)number(ios_stmt_word(s, 4));
        last = seq > last ? seq : last;
    }
    return last;
}

/* The entry that says the same as the words behind the name, whatever its number. */
static struct ios_stmt *list_entry(const struct ios_block *b, const struct ios_words *w) {
    for (uint32_t i = 0; i < b->count; i++) {
        struct ios_stmt *s = b->items[i];
        bool same = s->count == w->count + 2 && ios_stmt_is(s, 3, "seq");
        for (uint16_t at = 0; same && at < w->count; at++)
            same = ios_stmt_is(s, at < 3 ? at : (uint16_t)(at + 2), ios_word(w, at));
        if (same)
            return s;
    }
    return NULL;
}

static bool list_range_ok(struct ios_edit *e) {
    struct ip_prefix p;
    uint16_t at = 6;
    const char *prefix = ios_word(e->words, at);
    if (!ip_prefix_parse(prefix, &p))
        return false;
    const char *ge_word = ios_words_after(e->words, at, "ge");
    const char *le_word = ios_words_after(e->words, at, "le");
    uint64_t ge = ge_word ? number(ge_word) : p.length;
    uint64_t le = le_word ? number(le_word) : ip_bits((enum ip_family)p.addr.family);
    bool ok = (!ge_word || ge > p.length) && (!le_word || le > p.length) &&
              (!ge_word || !le_word || ge <= le);
    return ok || ios_refuse(e->sink, "ios-prefix-range",
                            "%% Invalid prefix range for %s, make sure: len < ge-value <= le-value",
                            prefix);
}

/* Writes `seq N` in behind the name. */
static void list_number(struct ios_words *w, uint32_t seq) {
    struct ios_words all;
    char text[12];
    snprintf(text, sizeof text, "%u", seq);
    ios_words_clear(&all);
    for (uint16_t i = 0; i < w->count; i++) {
        if (i == 3) {
            add(&all, "seq", true);
            add(&all, text, true);
        }
        add(&all, ios_word(w, i), i < 3);
    }
    *w = all;
}

bool ios_edit_prefix_list(struct ios_edit *e) {
    struct ios_words *w = e->words;
    bool numbered = strcmp(ios_word(w, 3), "seq") == 0;
    if (e->negated) {
        const struct ios_stmt *s = numbered || w->count <= 3 ? NULL : list_entry(e->block, w);
        if (s)
            list_number(w, (uint32_t)number(ios_stmt_word(s, 4)));
        else if (!numbered && w->count > 3)
            return ios_refuse(e->sink, "ios-prefix-list", "%% Can't find specified prefix-list");
        w->keys = key_bits(w->count < 5 ? 3 : 5);
        return true;
    }
    if (!numbered) {
        if (list_entry(e->block, w))
            return false; /* the same entry again adds nothing */
        uint32_t last = list_last(e->block, ios_word(w, 0), ios_word(w, 2));
        list_number(w, last / 5 * 5 + 5);
    }
    w->keys = key_bits(5);
    return list_range_ok(e);
}

/* ---- route-maps ---- */

bool ios_edit_route_map(struct ios_edit *e) {
    struct ios_words *w = e->words;
    bool has_verdict = strcmp(ios_word(w, 2), "permit") == 0 || strcmp(ios_word(w, 2), "deny") == 0;
    const char *verdict = has_verdict ? ios_word(w, 2) : "permit";
    const char *last = ios_word(w, has_verdict ? 3 : 2);
    struct ios_words full;
    if (e->negated && w->count == 2)
        return true; /* the whole map */
    ios_words_clear(&full);
    add(&full, "route-map", true);
    add(&full, ios_word(w, 1), true);
    add(&full, verdict, false);
    add(&full, *last ? last : "10", true);
    *w = full;
    return true;
}

/* ---- router bgp ---- */

bool ios_edit_router_bgp(struct ios_edit *e) {
    const struct ios_stmt *old = ios_block_first(e->r->root, "router", "bgp", NULL);
    const char *asn = ios_word(e->words, 2);
    if (old && *asn && !ios_stmt_is(old, 2, asn)) {
        return ios_refuse(e->sink, "ios-bgp-running", "BGP is already running; AS is %s",
                          ios_stmt_word(old, 2));
    }
    if (e->negated)
        e->r->af_style = false;
    return true;
}

bool ios_edit_address_family(struct ios_edit *e) {
    ios_words_cut(e->words, 2); /* `unicast` is what it is anyway */
    e->r->af_style = true;
    if (!e->negated)
        return true;
    /* The block stays, empty, so that it shows who is not active any more. */
    struct ios_stmt *s = ios_block_find(e->block, e->words);
    while (s && s->children->count)
        ios_block_remove_at(s->children, s->children->count - 1);
    return false;
}

bool ios_edit_default_unicast(struct ios_edit *e) {
    if (e->negated)
        e->r->af_style = true;
    return true;
}

/* A time switches it on too; two times on one line are two statements. */
bool ios_edit_graceful_restart(struct ios_edit *e) {
    const char *stale = ios_words_after(e->words, 3, "stalepath-time");
    char line[80];
    if (e->negated)
        return true;
    ios_put_line(e->r, e->block, IOS_BGP, "bgp graceful-restart");
    snprintf(line, sizeof line, "bgp graceful-restart stalepath-time %s", stale ? stale : "");
    if (stale)
        ios_put_line(e->r, e->block, IOS_BGP, line);
    ios_words_cut(e->words, 4);
    if (e->sink->out)
        text_puts(e->sink->out, "% All BGP sessions must be reset to take the new graceful "
                                "restart timers\n");
    return true;
}

/* `no maximum-paths` leaves those of internal paths alone. */
bool ios_edit_maximum_paths(struct ios_edit *e) {
    if (e->negated)
        ios_block_remove_one(e->block, e->words);
    return !e->negated;
}

bool ios_edit_obsolete(struct ios_edit *e) {
    ios_ignore(e->sink, "taken; 15.7 has neither");
    if (!e->negated)
        ios_note(e->sink, "ios-ignored", "taken, and without effect since 12.2(8)T's defaults");
    return false; /* 15.7 prints neither form */
}

/* Keepalive, hold and minimum hold time stand last, whatever stands before them. */
bool ios_edit_timers(struct ios_edit *e) {
    uint16_t at = strcmp(ios_word(e->words, 0), "timers") == 0 ? 2 : 3;
    uint64_t hold = number(ios_word(e->words, (uint16_t)(at + 1)));
    uint64_t min = number(ios_word(e->words, (uint16_t)(at + 2)));
    if (e->negated)
        return true;
    if (hold == 1 || hold == 2)
        return ios_refuse(e->sink, "ios-hold-time", "%% Invalid hold time %u: 0 or at least 3",
                          (unsigned)hold);
    if (min > hold)
        return ios_refuse(e->sink, "ios-hold-time",
                          "%% Minimum acceptable hold time should be less than or equal to the "
                          "configured hold time");
    if (hold > 0 && hold < 20)
        ios_warn(e->sink, "ios-hold-time",
                 "%% Warning: A hold time of less than 20 seconds increases the chances of peer "
                 "flapping");
    return true;
}

/* The mask is always stored; printing leaves a classful one out. */
bool ios_edit_network(struct ios_edit *e) {
    struct ios_words *w = e->words, all;
    struct ip_addr a;
    char mask[IP_ADDR_TEXT_MAX], address[IP_ADDR_TEXT_MAX];
    bool has_mask = strcmp(ios_word(w, 2), "mask") == 0;
    uint8_t length;
    if (!ip_parse(ios_word(w, 1), &a))
        return false;
    length = ios_classful_length(a);
    if (has_mask && !contiguous(e, ios_word(w, 3), &length))
        return false;
    struct ip_prefix p = ip_prefix_make(a, length);
    ios_mask_format(length, mask);
    ios_words_clear(&all);
    add(&all, "network", true);
    add(&all, ip_format(p.addr, address), true);
    add(&all, "mask", true);
    add(&all, mask, true);
    for (uint16_t i = has_mask ? 4 : 2; i < w->count; i++)
        add(&all, ios_word(w, i), false);
    *w = all;
    return true;
}

/* ---- neighbours ---- */

static const struct ios_stmt *neighbor_line(const struct ios_block *bgp, const char *name,
                                            const char *option) {
    return ios_block_first(bgp, "neighbor", name, option);
}

bool ios_neighbor_known(const struct ios_block *bgp, const char *name) {
    return neighbor_line(bgp, name, "remote-as") || neighbor_line(bgp, name, "peer-group");
}

bool ios_neighbor_is_group(const struct ios_block *bgp, const char *name) {
    const struct ios_stmt *s = neighbor_line(bgp, name, "peer-group");
    return s && s->count == 3;
}

/* Takes away all lines of a neighbour or group, in every block. */
static void neighbor_delete(struct ios_router *r, const char *name) {
    struct ios_block *bgp = ios_bgp_block(r);
    char copy[128];
    snprintf(copy, sizeof copy, "%s", name);
    for (uint32_t i = 0; bgp && i < bgp->count; i++)
        if (bgp->items[i]->row->next == IOS_BGP_AF)
            ios_block_remove_words(bgp->items[i]->children, "neighbor", copy);
    if (bgp)
        ios_block_remove_words(bgp, "neighbor", copy);
}

/* A group loses its remote-as, or goes: its members without an AS of their own go with it. */
static void group_orphans(struct ios_router *r, const char *group, bool group_goes) {
    struct ios_block *bgp = ios_bgp_block(r);
    for (uint32_t i = 0; bgp && i < bgp->count;) {
        const struct ios_stmt *s = bgp->items[i];
        bool member = s->count == 4 && ios_stmt_is(s, 0, "neighbor") &&
                      ios_stmt_is(s, 2, "peer-group") && ios_stmt_is(s, 3, group);
        if (!member || (!group_goes && neighbor_line(bgp, s->words[1], "remote-as"))) {
            i++;
            continue;
        }
        if (neighbor_line(bgp, s->words[1], "remote-as"))
            ios_block_remove_at(bgp, i);
        else
            neighbor_delete(r, s->words[1]);
        i = 0; /* lines before this one may have gone */
    }
}

/* IOS activates a new neighbour for IPv4 unicast, unless `no bgp default ipv4-unicast`. */
static void neighbor_activate(struct ios_router *r, const char *name) {
    struct ios_block *bgp = ios_bgp_block(r);
    struct ip_addr a;
    char line[160];
    if (!ip_parse(name, &a) || a.family != IP_V4 || ios_neighbor_known(bgp, name) ||
        ios_block_first(bgp, "bgp", "default", "ipv4-unicast"))
        return;
    struct ios_block *af = ios_af_block_make(r, BGP_IPV4_UNICAST);
    snprintf(line, sizeof line, "neighbor %s activate", name);
    if (af)
        ios_put_line(r, af, IOS_BGP, line);
    else
        r->no_memory = true;
}

/* Is the address one of the router's own? */
static bool is_own_address(const struct ios_router *r, const char *name) {
    struct ip_addr a;
    struct ios_interface own[64];
    if (!ip_parse(name, &a))
        return false;
    for (size_t i = 0; i < r->interface_count; i++)
        if (ip_equal(r->interfaces[i].addr, a))
            return true;
    size_t count = ios_interfaces(r, own, sizeof own / sizeof *own);
    for (size_t i = 0; i < count && i < sizeof own / sizeof *own; i++)
        if (ip_equal(own[i].addr, a))
            return true;
    return false;
}

bool ios_edit_remote_as(struct ios_edit *e) {
    const char *name = ios_word(e->words, 1);
    struct ip_addr a;
    bool whole = e->words->count < 3; /* `no neighbor X` */
    if (e->negated && ios_neighbor_is_group(e->block, name)) {
        group_orphans(e->r, name, whole);
        if (!whole)
            return true;
    }
    if (e->negated) {
        neighbor_delete(e->r, name);
        return false;
    }
    if (!ip_parse(name, &a) && !ios_neighbor_is_group(e->block, name))
        return ios_refuse(e->sink, "ios-no-group", "%% Create the peer-group first");
    if (is_own_address(e->r, name))
        return ios_refuse(e->sink, "ios-own-address",
                          "%% Cannot configure the local system as neighbor");
    neighbor_activate(e->r, name);
    return true;
}

bool ios_edit_peer_group(struct ios_edit *e) {
    const char *name = ios_word(e->words, 1);
    struct ip_addr a;
    if (ip_parse(name, &a) && e->negated) {
        ios_block_remove(e->block, e->words);
        return false;
    }
    if (ip_parse(name, &a))
        return ios_refuse(e->sink, "ios-incomplete", "%% Incomplete command.");
    if (!e->negated)
        return true;
    if (!ios_neighbor_is_group(e->block, name))
        return ios_refuse(e->sink, "ios-no-group",
                          "%% peer-group %s is not present, but will go ahead and delete", name);
    group_orphans(e->r, name, true);
    neighbor_delete(e->r, name);
    return false;
}

bool ios_edit_member(struct ios_edit *e) {
    const char *name = ios_word(e->words, 1), *group = ios_word(e->words, 3);
    struct ip_addr a;
    if (e->negated && !ip_parse(name, &a))
        return false; /* a group is no member of any */
    if (e->negated) {
        bool own_as = neighbor_line(e->block, name, "remote-as") != NULL;
        if (!own_as)
            neighbor_delete(e->r, name);
        return own_as;
    }
    if (!ip_parse(name, &a))
        return ios_refuse(e->sink, "ios-invalid-input",
                          "%% A peer-group cannot be a member of a peer-group");
    if (!ios_neighbor_is_group(e->block, group))
        return ios_refuse(e->sink, "ios-no-group", "%% Configure the peer-group %s first", group);
    if (!neighbor_line(e->block, name, "remote-as") && !neighbor_line(e->block, group, "remote-as"))
        return ios_refuse(e->sink, "ios-no-neighbor",
                          "%% Specify remote-as or peer-group remote AS first");
    neighbor_activate(e->r, name);
    return true;
}

bool ios_edit_description(struct ios_edit *e) {
    char text[IOS_DESCRIPTION_MAX + 1];
    if (e->negated || strlen(ios_word(e->words, 3)) <= IOS_DESCRIPTION_MAX)
        return true;
    int size = snprintf(text, sizeof text, "%.*s", IOS_DESCRIPTION_MAX, ios_word(e->words, 3));
    while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\t'))
        text[--size] = '\0'; /* as at the end of any line */
    ios_words_cut(e->words, 3);
    add(e->words, text, false);
    ios_note(e->sink, "ios-description", "a description has 80 characters at most: cut");
    return true;
}

bool ios_edit_password(struct ios_edit *e) {
    const char *type = ios_word(e->words, 3), *text = ios_word(e->words, 4);
    if (e->negated)
        return true;
    if (strcmp(type, "7") == 0 && (strlen(text) < 4 || strlen(text) % 2))
        return ios_refuse(e->sink, "ios-password", "%% Invalid encrypted password: %s", text);
    return true;
}

bool ios_edit_multihop(struct ios_edit *e) {
    if (!e->negated && neighbor_line(e->block, ios_word(e->words, 1), "ttl-security"))
        return ios_refuse(e->sink, "ios-multihop",
                          "%% Remove ttl-security before configuring ebgp-multihop");
    return true;
}

bool ios_edit_ttl_security(struct ios_edit *e) {
    if (!e->negated && neighbor_line(e->block, ios_word(e->words, 1), "ebgp-multihop"))
        return ios_refuse(e->sink, "ios-multihop",
                          "%% Remove ebgp-multihop before configuring ttl-security");
    return true;
}

/* The group of a listen range stands for neighbours that nobody can activate one by one. */
static bool is_listening(const struct ios_block *bgp, const char *group) {
    for (uint32_t i = 0; bgp && i < bgp->count; i++)
        if (ios_stmt_is(bgp->items[i], 1, "listen") && ios_stmt_is(bgp->items[i], 2, "range") &&
            ios_stmt_is(bgp->items[i], 5, group))
            return true;
    return false;
}

bool ios_edit_activate(struct ios_edit *e) {
    const struct ios_block *bgp = ios_bgp_block(e->r);
    const char *name = ios_word(e->words, 1);
    if (!e->negated && ios_neighbor_is_group(bgp, name) && !is_listening(bgp, name))
        return ios_refuse(e->sink, "ios-activate",
                          "%% Peergroups are automatically activated when parameters are "
                          "configured");
    return true;
}

/* `no send-community extended` after `both` leaves the standard ones. */
bool ios_edit_send_community(struct ios_edit *e) {
    const char *what = ios_word(e->words, 3);
    const struct ios_stmt *old = ios_block_find(e->block, e->words);
    bool half = strcmp(what, "standard") == 0 || strcmp(what, "extended") == 0;
    if (!e->negated || !half || !old || !ios_stmt_is(old, 3, "both"))
        return true;
    const char *left = strcmp(what, "standard") == 0 ? "extended" : "standard";
    ios_words_cut(e->words, 3);
    add(e->words, left, false);
    e->negated = false;
    return true;
}

/* bgp dampening H R S M, set dampening H R S M. */
bool ios_edit_dampening(struct ios_edit *e) {
    const struct ios_words *w = e->words;
    uint64_t half_life = number(ios_word(w, 2)), longest = number(ios_word(w, 5));
    if (e->negated || w->count < 6)
        return true;
    if (number(ios_word(w, 3)) > number(ios_word(w, 4)))
        return ios_refuse(e->sink, "ios-dampening",
                          "%% Reuse limit must not be greater than suppress limit");
    if (longest < half_life)
        return ios_refuse(e->sink, "ios-dampening",
                          "%% Maximum suppress time must not be less than half-life");
    return true;
}
