/*
 * show ip bgp rib-failure, inconsistent-as, paths: questions about the whole table.
 *
 * Owns: the layouts of the first and the last, and which prefixes have more than one origin AS.
 * Leaves: rows of the table to ios_show_bgp.c.
 */
#include "ios_show.h"

#include "../base/arena.h"
#include "../core/aspath_regex.h"
#include "../core/attr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- rib-failure ---- */

static void put_failure(struct ip_prefix prefix, const struct bgp_path_info *path,
                        struct text *out) {
    struct text column;
    text_init(&column);
    ios_put_network(prefix, &column);
    text_printf(out, "%-18s ", text_str(&column));
    text_clear(&column);
    ios_put_addr(ios_path_next_hop(path, (enum ip_family)prefix.addr.family), &column);
    text_printf(out, "%-20s%-25s%12s\n", text_str(&column), "Higher admin distance", "n/a");
    text_deinit(&column);
}

bool ios_show_rib_failure(struct ios_edit *e) {
    const struct bgp_speaker *s = e->sink->view->speaker;
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    struct ios_rib rib = {.count = 0};
    if (!ios_show_active(e))
        return false;
    struct arena *scratch = arena_new();
    if (!scratch || !ios_rib_build(e->r, scratch, &rib) ||
        bgp_rib_begin(s, ios_show_family(e->words), &it) != BGP_OK) {
        arena_free(scratch);
        return false;
    }
    text_puts(e->sink->out, "  Network            Next Hop                      RIB-failure   "
                            "RIB-NH Matches\n");
    while (bgp_rib_next_prefix(s, &it))
        while (bgp_rib_next_path(s, &it, &path))
            if (ios_is_rib_failure(e->r, &rib, it.prefix, &path))
                put_failure(it.prefix, &path, e->sink->out);
    bgp_rib_end(&it);
    arena_free(scratch);
    return false;
}

/* ---- inconsistent-as ---- */

/* Rightmost AS of the path; 0: ours, or it ends in a set. */
static uint32_t origin_as(const struct attr_values *v) {
    struct text path;
    uint32_t asn = 0;
    text_init(&path);
    as_path_format(v->as_path, false, &path);
    const char *last = strrchr(text_str(&path), ' ');
    if (!text_to_asn(last ? last + 1 : text_str(&path), &asn))
        asn = 0;
    text_deinit(&path);
    return asn;
}

static bool is_inconsistent(void *context, struct ip_prefix prefix, const struct bgp_path_info *p) {
    const struct bgp_speaker *s = context;
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    bool first = true, differs = false;
    uint32_t asn = 0;
    (void)p;
    if (!bgp_rib_find(s, prefix, &it))
        return false;
    while (bgp_rib_next_path(s, &it, &path)) {
        uint32_t other = path.rejected ? asn : origin_as(&path.attrs->v);
        if (path.rejected)
            continue;
        differs |= !first && other != asn;
        asn = other;
        first = false;
    }
    bgp_rib_end(&it);
    return differs;
}

bool ios_show_inconsistent_as(struct ios_edit *e) {
    struct bgp_speaker *s = NULL;
    if (!ios_show_active(e))
        return false;
    memcpy(&s, &e->sink->view->speaker, sizeof s);
    ios_show_rows(e, is_inconsistent, s);
    return false;
}

/* ---- paths ---- */

/* One set of attributes, and how many paths have it. */
struct usage {
    const struct attr_set *attrs;
    uint32_t count;
};

static int compare_usage(const void *a, const void *b) {
    const struct usage *x = a, *y = b;
    return (x->attrs->id > y->attrs->id) - (x->attrs->id < y->attrs->id);
}

/* One entry per path, sorted by set. The caller's; NULL: none, or no memory. */
static struct usage *usages(const struct bgp_speaker *s, enum bgp_family f, size_t *ret_count) {
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    struct usage *list = NULL;
    size_t count = 0, capacity = 0;
    if (bgp_rib_begin(s, f, &it) != BGP_OK)
        return NULL;
    while (bgp_rib_next_prefix(s, &it))
        while (bgp_rib_next_path(s, &it, &path)) {
            if (count == capacity) {
                size_t more = capacity ? capacity * 2 : 64;
                struct usage *grown = alloc_resize(list, more, sizeof *list);
                if (!grown)
                    continue;
                list = grown;
                capacity = more;
            }
            list[count++] = (struct usage){path.attrs, 1};
        }
    bgp_rib_end(&it);
    if (count)
        qsort(list, count, sizeof *list, compare_usage);
    *ret_count = count;
    return list;
}

static void put_usage(const struct usage *u, const struct aspath_regex *only, bool dot,
                      struct text *out) {
    const struct attr_values *v = &u->attrs->v;
    struct text path;
    text_init(&path);
    as_path_format(v->as_path, dot, &path);
    if (!only || aspath_regex_match(only, text_str(&path), path.size))
        text_printf(out, "0x%08X %4u %8u %6u %s%s%c\n", u->attrs->id * 64,
                    (unsigned)(u->attrs->hash % 4096), u->count, v->has_med ? v->med : 0,
                    text_str(&path), path.size ? " " : "", "ie?"[v->origin < 3 ? v->origin : 2]);
    text_deinit(&path);
}

static void put_paths(struct ios_edit *e, const struct aspath_regex *only) {
    size_t count = 0;
    struct usage *list = usages(e->sink->view->speaker, ios_show_family(e->words), &count);
    text_puts(e->sink->out, "Address    Hash Refcount Metric Path\n");
    for (size_t i = 0, run; i < count; i += run) {
        for (run = 1; i + run < count && list[i + run].attrs == list[i].attrs; run++)
            list[i].count++;
        put_usage(&list[i], only, ios_asdot(e->r), e->sink->out);
    }
    alloc_free(list);
}

bool ios_show_paths(struct ios_edit *e) {
    const char *text = ios_words_after(e->words, 0, "paths");
    if (!ios_show_active(e))
        return false;
    if (!text) {
        put_paths(e, NULL);
        return false;
    }
    struct aspath_regex *only = alloc_zero(1, sizeof *only);
    if (only && aspath_regex_compile(only, text))
        put_paths(e, only);
    else
        text_puts(e->sink->out, "% Failed to compile regular expression.\n");
    alloc_free(only);
    return false;
}
