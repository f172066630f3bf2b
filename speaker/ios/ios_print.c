/*
 * The running-config, printed as IOS prints it: in the order of the grammar's table, neighbour
 * lines by neighbour, lists by name and number; IPv4 unicast flat or in its address family.
 *
 * What is printed loads back to the same router (a test holds it to that).
 *
 * Owns: order and layout. Leaves: the statements (ios_store.c).
 */
#include "../core/attr.h"
#include "ios_edit.h"
#include "ios_options.h"
#include "ios_router.h"
#include "ios_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct print {
    const struct ios_router *r;
    struct text *out;
    bool new_format; /* ip bgp-community new-format */
    bool asdot;      /* bgp asnotation dot */
    bool encrypted;  /* service password-encryption */
};

/* ---- order ---- */

struct entry {
    const struct ios_stmt *s;
    uint32_t position; /* as entered */
    bool group;        /* the neighbour is a peer-group */
    struct ip_addr addr;
};

static uint64_t stmt_number(const struct ios_stmt *s, uint16_t at) {
    uint64_t n = 0;
    return text_to_u64(ios_stmt_word(s, at), 0, UINT32_MAX, &n) ? n : 0;
}

static int compare_numbers(uint64_t a, uint64_t b) {
    return a < b ? -1 : a > b;
}

/* IOS: groups first, then addresses by their raw bytes, whatever the family. */
static int compare_neighbors(const struct entry *a, const struct entry *b) {
    if (a->group != b->group)
        return a->group ? -1 : 1;
    int by_name = a->group ? strcmp(ios_stmt_word(a->s, 1), ios_stmt_word(b->s, 1))
                           : memcmp(a->addr.bytes, b->addr.bytes, sizeof a->addr.bytes);
    if (by_name)
        return by_name;
    return compare_numbers((uint64_t)(a->s->row - ios_rows), (uint64_t)(b->s->row - ios_rows));
}

static int compare_named(const struct ios_stmt *a, const struct ios_stmt *b, uint16_t name) {
    int by_name = strcmp(ios_stmt_word(a, name), ios_stmt_word(b, name));
    uint16_t at = name + 2;
    if (by_name)
        return by_name;
    return compare_numbers(stmt_number(a, at), stmt_number(b, at));
}

static int compare_values(const struct entry *a, const struct entry *b) {
    int by_addr = ip_compare(a->addr, b->addr);
    return by_addr ? by_addr : strcmp(ios_stmt_word(a->s, 3), ios_stmt_word(b->s, 3));
}

/* Prefix-lists and their descriptions are two rows of one run. */
static const struct ios_row *run_of(const struct ios_row *row) {
    while (row > ios_rows && row->order != ORDER_ENTERED && row[-1].order == row->order)
        row--;
    return row;
}

static int compare_entries(const void *left, const void *right) {
    const struct entry *a = left, *b = right;
    bool neighbors = a->s->row->order == ORDER_NEIGHBOR && b->s->row->order == ORDER_NEIGHBOR;
    const struct ios_row *run_a = run_of(a->s->row), *run_b = run_of(b->s->row);
    int order = 0;
    if (neighbors)
        order = compare_neighbors(a, b);
    else if (run_a != run_b)
        return run_a < run_b ? -1 : 1;
    else if (a->s->row->order == ORDER_NAMED)
        order = compare_named(a->s, b->s, 2);
    else if (a->s->row->order == ORDER_MAP)
        order = compare_named(a->s, b->s, 1);
    else if (a->s->row->order == ORDER_VALUE && a->s->row == b->s->row)
        order = compare_values(a, b);
    else if (a->s->row->order == ORDER_NUMBER)
        order = compare_numbers(stmt_number(a->s, 1), stmt_number(b->s, 1));
    if (order)
        return order;
    if (a->s->row != b->s->row && a->s->row->order != ORDER_NUMBER)
        return a->s->row < b->s->row ? -1 : 1;
    return compare_numbers(a->position, b->position);
}

/* The statements of a block in printing order; free with alloc_free. NULL: empty or no memory. */
static struct entry *sorted(const struct print *p, const struct ios_block *b) {
    struct entry *list = b->count ? alloc_zero(b->count, sizeof *list) : NULL;
    p->out->failed |= b->count && !list;
    for (uint32_t i = 0; list && i < b->count; i++) {
        list[i].s = b->items[i];
        list[i].position = i;
        struct ip_prefix prefix;
        if (b->items[i]->row->order == ORDER_NEIGHBOR)
            list[i].group = !ip_parse(ios_stmt_word(b->items[i], 1), &list[i].addr);
        else if (ip_prefix_parse(ios_stmt_word(b->items[i], 1), &prefix))
            list[i].addr = prefix.addr;
    }
    if (list)
        qsort(list, b->count, sizeof *list, compare_entries);
    return list;
}

/* ---- lines ---- */

/* Without `ip bgp-community new-format` a community is one decimal number. */
static void put_community(const struct print *p, const char *word) {
    uint32_t value;
    if (!p->new_format && community_parse(word, &value))
        text_printf(p->out, "%u", value);
    else
        text_puts(p->out, word);
}

/* The first word of the line that is not printed because it is the default. */
static bool is_implied(const struct ios_stmt *s, uint16_t at) {
    struct ip_addr a;
    uint8_t length;
    if (!ios_stmt_is(s, 0, "network") || !ios_stmt_is(s, 2, "mask") || (at != 2 && at != 3))
        return false;
    return ip_parse(s->words[1], &a) && ios_mask_length(s->words[3], &length) &&
           length == ios_classful_length(a);
}

/* A number in a statement that has AS numbers is one. */
static void put_word(const struct print *p, const struct ios_stmt *s, uint16_t at) {
    uint64_t n;
    if (s->row->flags & ROW_COMM)
        put_community(p, s->words[at]);
    else if (p->asdot && strstr(s->row->pattern, "<asn>") &&
             text_to_u64(s->words[at], 1, UINT32_MAX, &n))
        text_put_asn(p->out, (uint32_t)n, true);
    else
        text_puts(p->out, s->words[at]);
}

/* Is word `at` a neighbour's password as it was typed, without a type or with type 0? */
static bool is_plain_password(const struct ios_stmt *s, uint16_t at) {
    bool typed = at > 1 && ios_stmt_is(s, (uint16_t)(at - 1), "0");
    uint16_t keyword = (uint16_t)(at - (typed ? 2 : 1));
    return at > 0 && at + 1 == s->count && strstr(s->row->pattern, "password [~<0-7>] ~<line>") &&
           ios_stmt_is(s, keyword, "password");
}

static void print_stmt(const struct print *p, const struct ios_stmt *s, int indent) {
    uint16_t last = (uint16_t)(s->count - 1);
    bool hidden = p->encrypted && is_plain_password(s, last);
    text_printf(p->out, "%*s%s", indent, "", s->negated ? "no " : "");
    for (uint16_t i = 0, printed = 0; i < s->count; i++) {
        if (is_implied(s, i) || (hidden && i + 1 == last && ios_stmt_is(s, i, "0")))
            continue;
        if (printed++)
            text_putc(p->out, ' ');
        if (hidden && i == last) {
            text_puts(p->out, "7 ");
            ios_put_password_type7(s->words[i], p->out);
        } else {
            put_word(p, s, i);
        }
    }
    text_putc(p->out, '\n');
}

static void print_block(const struct print *p, const struct ios_block *b, int indent) {
    struct entry *list = sorted(p, b);
    for (uint32_t i = 0; list && i < b->count; i++)
        print_stmt(p, list[i].s, indent);
    alloc_free(list);
}

/* As entered: an opaque block, whose order we do not know. */
static void print_children(const struct print *p, const struct ios_stmt *s, int indent) {
    bool as_entered = s->row->next == IOS_OPAQUE || s->row->next == IOS_ACL;
    for (uint32_t i = 0; as_entered && i < s->children->count; i++)
        print_stmt(p, s->children->items[i], indent);
    if (!as_entered)
        print_block(p, s->children, indent);
}

/* ---- router bgp ---- */

static const struct ios_row *activation_row(void) {
    static const char PATTERN[] = "neighbor <peer> activate";
    for (uint16_t i = 0; i < ios_row_count; i++)
        if (strcmp(ios_rows[i].pattern, PATTERN) == 0)
            return &ios_rows[i];
    return ios_rows;
}

static bool is_activation(const struct ios_stmt *s) {
    return ios_stmt_is(s, 0, "neighbor") && ios_stmt_is(s, 2, "activate");
}

/* Neighbours that IOS would have activated and somebody deactivated, as statements of `shown`. */
static bool add_inactive(const struct print *p, const struct ios_block *af,
                         struct ios_block *shown) {
    const struct ios_block *bgp = ios_bgp_block(p->r);
    const struct ios_row *row = activation_row();
    struct ip_addr a;
    if (ios_block_first(bgp, "bgp", "default", "ipv4-unicast"))
        return true;
    for (uint32_t i = 0; i < bgp->count; i++) {
        const char *name = ios_stmt_word(bgp->items[i], 1);
        struct ios_words w;
        if (bgp->items[i]->row->order != ORDER_NEIGHBOR || !ip_parse(name, &a) ||
            ios_block_first(af, "neighbor", name, "activate"))
            continue;
        ios_words_clear(&w);
        ios_words_add(&w, "neighbor", strlen("neighbor"), true);
        ios_words_add(&w, name, strlen(name), true);
        ios_words_add(&w, "activate", strlen("activate"), true);
        if (!ios_block_put(shown, row, &w, true, 0))
            return false;
    }
    return true;
}

/* The lines of IPv4 unicast, with those that say who is not active. */
static void print_ipv4(const struct print *p, const struct ios_block *af) {
    struct ios_block *inactive = ios_block_new(NULL);
    struct ios_block all = {.count = 0};
    if (inactive && add_inactive(p, af, inactive))
        all.items = alloc_zero(af->count + inactive->count + 1u, sizeof(struct ios_stmt *));
    if (all.items) {
        for (uint32_t i = 0; i < af->count; i++)
            all.items[all.count++] = af->items[i];
        for (uint32_t i = 0; i < inactive->count; i++)
            all.items[all.count++] = inactive->items[i];
        print_block(p, &all, 2);
    } else {
        p->out->failed = true;
    }
    alloc_free(all.items);
    ios_block_free(inactive);
}

static void print_family(const struct print *p, const struct ios_stmt *s) {
    text_puts(p->out, " !\n");
    print_stmt(p, s, 1);
    if (ios_stmt_is(s, 1, "ipv4") && s->row->next == IOS_BGP_AF)
        print_ipv4(p, s->children);
    else
        print_children(p, s, 2);
    text_puts(p->out, " exit-address-family\n");
}

static void print_template(const struct print *p, const struct ios_stmt *s) {
    print_stmt(p, s, 1);
    print_children(p, s, 2);
    text_printf(p->out, "  exit-%s\n !\n", ios_stmt_word(s, 1));
}

/* Flat: the lines of IPv4 unicast stand among those of the router level. */
static void print_flat(const struct print *p, const struct ios_block *bgp,
                       const struct ios_block *af) {
    struct ios_block all = {.count = bgp->count + af->count};
    uint32_t count = 0;
    all.items = alloc_zero(all.count + 1, sizeof(struct ios_stmt *));
    if (!all.items) {
        p->out->failed = true;
        return;
    }
    for (uint32_t i = 0; i < bgp->count; i++)
        if (!bgp->items[i]->children)
            all.items[count++] = bgp->items[i];
    for (uint32_t i = 0; i < af->count; i++)
        if (!is_activation(af->items[i]))
            all.items[count++] = af->items[i];
    all.count = count;
    print_block(p, &all, 1);
    alloc_free(all.items);
}

/* Somebody said `no neighbor X activate`, or a neighbour is none that IOS activates for IPv4: flat
 * style cannot show it. */
static bool any_inactive(const struct ios_block *bgp, const struct ios_block *af) {
    for (uint32_t i = 0; i < bgp->count; i++) {
        const struct ios_stmt *s = bgp->items[i];
        struct ip_addr a;
        if (ios_stmt_is(s, 0, "neighbor") && ip_parse(ios_stmt_word(s, 1), &a) &&
            (a.family == IP_V6 || !ios_block_first(af, "neighbor", s->words[1], "activate")))
            return true;
    }
    return false;
}

static void print_bgp(const struct print *p, const struct ios_stmt *s) {
    static const struct ios_block EMPTY;
    const struct ios_block *bgp = s->children, *af = ios_af_block(p->r, BGP_IPV4_UNICAST);
    struct entry *list = sorted(p, bgp);
    bool flat = !p->r->af_style && !any_inactive(bgp, af ? af : &EMPTY);
    print_stmt(p, s, 0);
    for (uint32_t i = 0; list && i < bgp->count; i++)
        if (ios_stmt_is(list[i].s, 0, "template"))
            print_template(p, list[i].s);
    if (flat)
        print_flat(p, bgp, af ? af : &EMPTY);
    for (uint32_t i = 0; list && i < bgp->count; i++) {
        const struct ios_stmt *child = list[i].s;
        if (!child->children && !flat)
            print_stmt(p, child, 1);
        if (child->children && ios_stmt_is(child, 0, "address-family") &&
            !(flat && child->children == af))
            print_family(p, child);
    }
    alloc_free(list);
}

/* ---- the whole ---- */

/* A block stands apart, and so does a run of another kind of list. */
static bool is_apart(const struct ios_stmt *s, const struct ios_row *last) {
    uint8_t order = last ? last->order : ORDER_ENTERED;
    return s->children || order != s->row->order || (last && last->flags & ROW_BLOCK);
}

static void print_top(const struct print *p, const struct ios_stmt *s, const struct ios_row *last) {
    bool block = s->children != NULL;
    if (is_apart(s, last))
        text_puts(p->out, "!\n");
    if (s->row->next == IOS_BGP && block)
        print_bgp(p, s);
    else
        print_stmt(p, s, 0);
    if (block && s->row->next != IOS_BGP)
        print_children(p, s, 1);
}

static const struct ios_row *hostname_row(void) {
    for (uint16_t i = 0; i < ios_row_count; i++)
        if (strncmp(ios_rows[i].pattern, "hostname ", strlen("hostname ")) == 0)
            return &ios_rows[i];
    return ios_rows;
}

/* The name stands in its place even if the surroundings gave it. */
static void print_body(const struct print *p) {
    struct entry *list = sorted(p, p->r->root);
    const struct ios_row *last = NULL, *hostname = hostname_row();
    bool named = ios_block_first(p->r->root, "hostname", NULL, NULL) != NULL;
    for (uint32_t i = 0; list && i < p->r->root->count; i++) {
        if (!named && list[i].s->row > hostname) {
            text_printf(p->out, "hostname %s\n", ios_hostname(p->r));
            named = true;
            last = hostname;
        }
        print_top(p, list[i].s, last);
        last = list[i].s->row;
    }
    if (!named)
        text_printf(p->out, "hostname %s\n", ios_hostname(p->r));
    alloc_free(list);
    text_puts(p->out, "!\nend\n");
}

void ios_print_config(const struct ios_router *r, const struct ios_view *view, struct text *out) {
    struct text body;
    text_init(&body);
    struct print p = {.r = r, .out = &body};
    p.asdot = ios_asdot(r);
    const struct ios_stmt *service =
        ios_block_first(r->root, "service", "password-encryption", NULL);
    p.encrypted = service && !service->negated;
    p.new_format = ios_block_first(r->root, "ip", "bgp-community", "new-format") != NULL;
    if (!ios_block_first(r->root, "version", NULL, NULL))
        text_puts(&body, "version 15.7\n");
    print_body(&p);
    text_printf(out, "Building configuration...\n\nCurrent configuration : %zu bytes\n!\n",
                body.size);
    text_puts(out, "! Last configuration change at ");
    ios_time_clock(view->wall_ms, false, out);
    text_puts(out, "\n!\n");
    text_put(out, text_str(&body), body.size);
    out->failed |= body.failed;
    text_deinit(&body);
}
