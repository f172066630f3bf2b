/*
 * show ip bgp neighbors X policy, show ip bgp template: what a neighbour is told to do, and where
 * it has that from.
 *
 * Owns: the layouts. Leaves: what inheritance means to ios_compile.c; here the lines are printed
 * under the place they stand in.
 */
#include "ios_show.h"

#include <stdio.h>
#include <string.h>

static const char *const FAMILY_NAMES[] = {"IPv4 Unicast", "IPv6 Unicast"};

static void put_words(const struct ios_stmt *s, uint16_t from, struct text *out) {
    for (uint16_t i = from; i < s->count; i++)
        text_printf(out, " %s", s->words[i]);
    text_putc(out, '\n');
}

/* Policy of `neighbor NAME …` in the family: all but what makes or places the neighbour. */
static bool is_policy(const struct ios_stmt *s, const char *name) {
    return ios_stmt_is(s, 0, "neighbor") && ios_stmt_is(s, 1, name) && !s->negated &&
           !ios_stmt_is(s, 2, "activate") && !ios_stmt_is(s, 2, "inherit") &&
           s->row->flags & ROW_AF;
}

static void put_lines(const struct ios_block *af, const char *name, const char *title,
                      struct text *out) {
    bool any = false;
    for (uint32_t i = 0; af && i < af->count; i++) {
        const struct ios_stmt *s = af->items[i];
        if (!is_policy(s, name))
            continue;
        if (!any)
            text_puts(out, title);
        any = true;
        text_putc(out, ' ');
        put_words(s, 2, out);
    }
}

bool ios_show_neighbor_policy(struct ios_edit *e) {
    enum bgp_family f = ios_show_family(e->words);
    struct text *out = e->sink->out;
    struct bgp_peer_info p;
    if (!ios_show_active(e) || !ios_show_peer(e, &p))
        return false;
    const struct ios_block *bgp = ios_bgp_block(e->r), *af = ios_af_block(e->r, f);
    const char *name = ios_words_after(e->words, 0, "neighbors");
    const struct ios_stmt *member = ios_block_first(bgp, "neighbor", name, "peer-group");
    const struct ios_stmt *template = ios_block_first(af, "neighbor", name, "inherit");
    text_puts(out, " Neighbor: ");
    ios_put_addr(p.config->remote_addr, out);
    text_printf(out, ", Address-Family: %s\n", FAMILY_NAMES[f]);
    put_lines(af, name, " Locally configured policies:\n", out);
    if (member && member->count > 3)
        put_lines(af, ios_stmt_word(member, 3), " Inherited polices:\n", out);
    const struct ios_stmt *t =
        template ? ios_block_first(bgp, "template", "peer-policy", ios_stmt_word(template, 4))
                 : NULL;
    if (t && t->children && t->children->count)
        text_puts(out, " Inherited polices:\n");
    for (uint32_t i = 0; t && t->children && i < t->children->count; i++) {
        text_putc(out, ' ');
        put_words(t->children->items[i], 0, out);
    }
    return false;
}

/* ---- templates ---- */

static void put_commands(const struct ios_block *b, bool inherited, struct text *out) {
    for (uint32_t i = 0; b && i < b->count; i++)
        if (ios_stmt_is(b->items[i], 0, "inherit") == inherited && !b->items[i]->negated)
            put_words(b->items[i], 0, out);
}

/* How many commands stand in it, as a mask: IOS has a bit per command. */
static unsigned mask_of(const struct ios_block *b, bool inherited) {
    unsigned mask = 0;
    for (uint32_t i = 0; b && i < b->count; i++)
        if (ios_stmt_is(b->items[i], 0, "inherit") == inherited)
            mask = mask << 1 | 1;
    return mask;
}

static void put_template(const struct ios_stmt *t, unsigned index, struct text *out) {
    bool session = ios_stmt_is(t, 1, "peer-session");
    const char *kind = session ? "session commands" : "policies";
    text_printf(out, "Template:%s, index:%u\nLocal policies:0x%X, Inherited polices:0x%X\n",
                ios_stmt_word(t, 2), index, mask_of(t->children, false),
                mask_of(t->children, true));
    text_printf(out, "Locally configured %s:\n", kind);
    put_commands(t->children, false, out);
    text_printf(out, "Inherited %s:\n", kind);
    put_commands(t->children, true, out);
    text_putc(out, '\n');
}

bool ios_show_template(struct ios_edit *e) {
    uint16_t at = (uint16_t)(ios_show_argument(e->words) + 1);
    const char *kind = ios_word(e->words, at), *name = ios_word(e->words, (uint16_t)(at + 1));
    unsigned index = 0, shown = 0;
    if (!ios_show_active(e))
        return false;
    const struct ios_block *bgp = ios_bgp_block(e->r);
    for (uint32_t i = 0; i < bgp->count; i++) {
        const struct ios_stmt *t = bgp->items[i];
        if (!ios_stmt_is(t, 0, "template") || !ios_stmt_is(t, 1, kind))
            continue;
        index++;
        if (*name && !ios_stmt_is(t, 2, name))
            continue;
        shown++;
        put_template(t, index, e->sink->out);
    }
    if (shown == 0)
        text_printf(e->sink->out, "No %s templates configured\n", kind);
    return false;
}
