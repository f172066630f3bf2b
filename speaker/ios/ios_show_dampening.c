/*
 * show ip bgp dampening: what is remembered of routes that flapped (RFC 2439), and clear ip bgp
 * dampening.
 *
 * Owns: the layouts of 15.7. Leaves: penalties and times to the core, which gives no history of
 * paths that are gone: these have no row here.
 */
#include "ios_show.h"
#include "ios_time.h"

#include "../core/attr.h"
#include "../core/dampening.h"

#include <stdio.h>
#include <string.h>

static const struct bgp_dampening_config *config_of(const struct bgp_speaker *s,
                                                    enum bgp_family f) {
    const struct bgp_config *c = bgp_config_of(s);
    for (uint32_t i = 0; i < c->dampening_count; i++)
        if (c->dampening[i].family == f)
            return &c->dampening[i];
    return NULL;
}

/* What is remembered of a path; false: nothing. */
static bool history_of(struct ios_edit *e, struct ip_prefix prefix, const struct bgp_path_info *p,
                       struct bgp_dampened *ret) {
    const struct ios_view *view = e->sink->view;
    struct bgp_peer_info peer;
    struct bgp_dampened d;
    if (p->peer.index == 0 || !bgp_peer_get(view->speaker, p->peer, &peer))
        return false;
    for (uint32_t at = 0; bgp_dampening_next(view->speaker, &at, view->now, &d);)
        if (ip_prefix_equal(d.prefix, prefix) && d.path_id == p->path_id &&
            ip_equal(d.neighbor, peer.config->remote_addr)) {
            *ret = d;
            return true;
        }
    return false;
}

void ios_put_dampening(struct ios_edit *e, struct ip_prefix prefix, const struct bgp_path_info *p,
                       struct text *out) {
    struct bgp_dampened d;
    if (!history_of(e, prefix, p, &d))
        return;
    text_printf(out, "      Dampinfo: penalty %u, flapped %u times in ", d.penalty, d.flaps);
    ios_time_age(nanotime_since(e->sink->view->now, d.first), out);
    if (d.suppressed) {
        text_puts(out, ", reuse in ");
        ios_time_age(d.reuse_in_s * NANOS_PER_S, out);
    }
    text_putc(out, '\n');
}

/* ---- tables ---- */

static void put_row(struct ios_edit *e, struct ip_prefix prefix, const struct bgp_path_info *p,
                    const struct bgp_dampened *d, bool flaps, struct text *out) {
    struct text column;
    text_init(&column);
    text_printf(out, " *%c%c  ",
                d->suppressed ? 'd'
                : p->best     ? '>'
                              : ' ',
                p->external ? ' ' : 'i');
    ios_put_network(prefix, &column);
    text_printf(out, "%-16s ", text_str(&column));
    text_clear(&column);
    ios_put_addr(d->neighbor, &column);
    text_printf(out, "%-16s", text_str(&column));
    text_clear(&column);
    if (flaps) {
        ios_time_age(nanotime_since(e->sink->view->now, d->first), &column);
        text_printf(out, "%-5u %-8s ", d->flaps, text_str(&column));
        text_clear(&column);
    }
    if (d->suppressed)
        ios_time_age(d->reuse_in_s * NANOS_PER_S, &column);
    text_printf(out, "%-8s ", text_str(&column));
    text_clear(&column);
    as_path_format(p->attrs->v.as_path, ios_asdot(e->r), &column);
    text_printf(out, "%s%s%c\n", text_str(&column), column.size ? " " : "",
                "ie?"[p->attrs->v.origin < 3 ? p->attrs->v.origin : 2]);
    text_deinit(&column);
}

static void put_table(struct ios_edit *e, bool flaps) {
    const struct bgp_speaker *s = e->sink->view->speaker;
    enum bgp_family f = ios_show_family(e->words);
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    struct bgp_dampened d;
    struct text rows;
    if (bgp_rib_begin(s, f, &it) != BGP_OK)
        return;
    text_init(&rows);
    while (bgp_rib_next_prefix(s, &it))
        while (bgp_rib_next_path(s, &it, &path))
            if (history_of(e, it.prefix, &path, &d) && (flaps || d.suppressed))
                put_row(e, it.prefix, &path, &d, flaps, &rows);
    bgp_rib_end(&it);
    if (rows.size)
        ios_put_table_legend(e, f);
    if (rows.size)
        text_puts(e->sink->out,
                  flaps ? "     Network          From            Flaps Duration Reuse    Path\n"
                        : "     Network          From             Reuse    Path\n");
    text_put(e->sink->out, text_str(&rows), rows.size);
    text_deinit(&rows);
}

/* RFC 2439 4.2: the most a penalty can be is reuse * 2^(longest / half-life). */
static uint32_t ceiling_of(const struct bgp_dampening_config *c) {
    uint64_t value = c->reuse;
    uint32_t whole = c->half_life_s ? c->suppress_max_s / c->half_life_s : 0;
    for (uint32_t i = 0; i < whole && value < UINT32_MAX; i++)
        value *= 2;
    return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

/* How long the ceiling takes to fall to what suppresses, in steps of IOS's list: ten seconds. */
static uint32_t decay_s(const struct bgp_dampening_config *c) {
    uint32_t s = 0;
    while (s < c->suppress_max_s &&
           dampening_decay(ceiling_of(c), s + 10, c->half_life_s) >= c->suppress)
        s += 10;
    return s;
}

static void put_parameters(struct ios_edit *e) {
    const struct bgp_dampening_config *c =
        config_of(e->sink->view->speaker, ios_show_family(e->words));
    struct text *out = e->sink->out;
    if (!c) {
        text_puts(out, "% dampening not enabled for base\n");
        return;
    }
    const struct bgp_dampening_config *normal = &bgp_dampening_default;
    bool same = c->half_life_s == normal->half_life_s && c->reuse == normal->reuse &&
                c->suppress == normal->suppress && c->suppress_max_s == normal->suppress_max_s;
    text_printf(out, " dampening %u %u %u %u%s\n", c->half_life_s / 60, c->reuse, c->suppress,
                c->suppress_max_s / 60, same ? " (DEFAULT)" : "");
    text_printf(out, "  Half-life time      : %u mins       Decay Time       : %u secs\n",
                c->half_life_s / 60, decay_s(c));
    text_printf(out,
                "  Max suppress penalty: %5u         Max suppress time: %u mins\n"
                "  Suppress penalty    : %5u         Reuse penalty    : %u\n\n",
                ceiling_of(c), c->suppress_max_s / 60, c->suppress, c->reuse);
}

bool ios_show_dampening(struct ios_edit *e) {
    const char *what = ios_word(e->words, (uint16_t)(ios_show_argument(e->words) + 1));
    if (!ios_show_active(e))
        return false;
    if (strcmp(what, "parameters") == 0)
        put_parameters(e);
    else
        put_table(e, strcmp(what, "flap-statistics") == 0);
    return false;
}

bool ios_show_clear_dampening(struct ios_edit *e) {
    struct ios_request q = {.kind = IOS_REQUEST_CLEAR_DAMPENING};
    uint16_t at = (uint16_t)(ios_show_argument(e->words) + 1);
    const char *word = ios_word(e->words, at);
    struct ip_addr a;
    uint8_t length;
    if (!ios_show_active(e))
        return false;
    if (ip_parse(word, &a)) {
        bool masked = ios_mask_length(ios_word(e->words, (uint16_t)(at + 1)), &length);
        q.prefix = ip_prefix_make(a, masked ? length : ios_classful_length(a));
    } else if (*word && !ip_prefix_parse(word, &q.prefix)) {
        return false;
    }
    e->r->request = q;
    return false;
}
