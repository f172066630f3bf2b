/*
 * Owns the difference of two plans: sessions by node, family and name with every field that
 * differs, the routes nodes originate, and BGPFilters by what BIRD would be given for them.
 *
 * Invariants: both plans are only read; a session is compared as the plan's JSON shows it, so what
 * that does not show (a password's text) is no difference but for "present" or "missing"; lists
 * keep the plans' order of names.
 */
#include "plan_diff.h"

#include "../../speaker/base/arena.h"
#include "plan_bird_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct diff {
    const struct calico_plan *old, *new;
    json_t *totals;
    bool failed;
};

static void put(struct diff *d, json_t *object, const char *key, json_t *value) {
    d->failed |= json_object_set_new(object, key, value) != 0;
}
static void append(struct diff *d, json_t *array, json_t *value) {
    d->failed |= json_array_append_new(array, value) != 0;
}
static void count(struct diff *d, const char *key, size_t n) {
    json_int_t before = json_integer_value(json_object_get(d->totals, key));
    put(d, d->totals, key, json_integer(before + (json_int_t)n));
}

/* ---- sessions ---- */

static int compare_to(const void *key, const void *item) {
    const struct calico_session *a = key, *b = item;
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    return strcmp(a->name, b->name);
}

static const struct calico_session *same_session(const struct calico_plan_node *n,
                                                 const struct calico_session *s) {
    return n && n->session_count
               ? bsearch(s, n->sessions, n->session_count, sizeof *n->sessions, compare_to)
               : NULL;
}

static bool same_text(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Surely the same, found without JSON: most of a large mesh stays as it is. What it points to is
 * compared as text, the rest octet by octet, so that no field is forgotten; padding may make two
 * equal ones look different, which only costs time. */
static bool surely_same(const struct calico_session *old, const struct calico_session *new) {
    struct calico_session a = *old, b = *new;
    if (a.filter_count || b.filter_count || !same_text(a.peer_node, b.peer_node) ||
        !same_text(a.origin, b.origin) || !same_text(a.password, b.password))
        return false;
    a.name = b.name = a.peer_node = b.peer_node = a.origin = b.origin = NULL;
    a.password = b.password = NULL;
    a.filters = b.filters = NULL;
    a.peer_index = b.peer_index = 0;
    return memcmp(&a, &b, sizeof a) == 0;
}

/* NULL: no field differs. */
static json_t *changed_fields(struct diff *d, const struct calico_session *old,
                              const struct calico_session *new) {
    json_t *a = plan_json_session(old, &d->failed), *b = plan_json_session(new, &d->failed);
    json_t *fields = json_object(), *value;
    const char *key;
    json_object_foreach(a, key, value) {
        json_t *other = json_object_get(b, key);
        if (!json_equal(value, other))
            put(d, fields, key, json_pack("[O,O]", value, other));
    }
    json_decref(a);
    json_decref(b);
    if (json_object_size(fields) > 0)
        return fields;
    json_decref(fields);
    return NULL;
}

struct node_change {
    json_t *added, *removed, *altered, *routes_added, *routes_removed;
};

static void compare_sessions(struct diff *d, const struct calico_plan_node *old,
                             const struct calico_plan_node *new, struct node_change *c) {
    for (size_t i = 0; old && i < old->session_count; i++)
        if (!same_session(new, &old->sessions[i]))
            append(d, c->removed, plan_json_session(&old->sessions[i], &d->failed));
    for (size_t i = 0; new &&i < new->session_count; i++) {
        const struct calico_session *s = &new->sessions[i], *before = same_session(old, s);
        json_t *fields = before && !surely_same(before, s) ? changed_fields(d, before, s) : NULL;
        if (!before)
            append(d, c->added, plan_json_session(s, &d->failed));
        else if (fields)
            append(d, c->altered,
                   json_pack("{s:s,s:s,s:o}", "name", s->name, "family",
                             s->family == BGP_IPV4_UNICAST ? "ipv4" : "ipv6", "fields", fields));
    }
}

/* ---- routes ---- */

static int compare_origin(const void *key, const void *item) {
    return ip_prefix_compare(*(const struct ip_prefix *)key,
                             ((const struct bgp_origin_config *)item)->prefix);
}

/* Origins stand in order of prefix. */
static bool originates(const struct bgp_config *c, struct ip_prefix p) {
    return c && c->origin_count &&
           bsearch(&p, c->origins, c->origin_count, sizeof *c->origins, compare_origin);
}

static void list_routes(struct diff *d, const struct bgp_config *of,
                        const struct bgp_config *not_in, json_t *list) {
    char text[IP_PREFIX_TEXT_MAX];
    for (uint32_t i = 0; of && i < of->origin_count; i++)
        if (!originates(not_in, of->origins[i].prefix))
            append(d, list, json_string(ip_prefix_format(of->origins[i].prefix, text)));
}

static void compare_routes(struct diff *d, const struct calico_plan_node *old,
                           const struct calico_plan_node *new, struct node_change *c) {
    struct arena *arena = arena_new();
    struct bgp_config *a =
        old && arena ? calico_compile(d->old, old, BGP_PROFILE_CALICO, arena) : NULL;
    struct bgp_config *b =
        new &&arena ? calico_compile(d->new, new, BGP_PROFILE_CALICO, arena) : NULL;
    d->failed |= !arena || (old && !a) || (new && !b);
    list_routes(d, b, a, c->routes_added);
    list_routes(d, a, b, c->routes_removed);
    arena_free(arena);
}

/* ---- nodes ---- */

/* Takes the change over; NULL: nothing changed. */
static json_t *change_json(struct diff *d, const struct calico_plan_node *old,
                           const struct calico_plan_node *new, struct node_change c) {
    const char *kind = !old ? "added" : !new ? "removed" : "altered";
    size_t sum = json_array_size(c.added) + json_array_size(c.removed) +
                 json_array_size(c.altered) + json_array_size(c.routes_added) +
                 json_array_size(c.routes_removed);
    count(d, "sessionsAdded", json_array_size(c.added));
    count(d, "sessionsRemoved", json_array_size(c.removed));
    count(d, "sessionsAltered", json_array_size(c.altered));
    count(d, "routesAdded", json_array_size(c.routes_added));
    count(d, "routesRemoved", json_array_size(c.routes_removed));
    json_t *o =
        json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:o}", "name", (old ? old : new)->node->name, "change",
                  kind, "sessionsAdded", c.added, "sessionsRemoved", c.removed, "sessionsAltered",
                  c.altered, "routesAdded", c.routes_added, "routesRemoved", c.routes_removed);
    if (sum > 0 || !old || !new)
        return o;
    json_decref(o);
    return NULL;
}

static void compare_node(struct diff *d, const struct calico_plan_node *old,
                         const struct calico_plan_node *new, json_t *list) {
    struct node_change c = {json_array(), json_array(), json_array(), json_array(), json_array()};
    compare_sessions(d, old, new, &c);
    compare_routes(d, old, new, &c);
    json_t *change = change_json(d, old, new, c);
    if (change)
        append(d, list, change);
}

/* Both lists of nodes are in order of name. */
static json_t *compare_nodes(struct diff *d) {
    json_t *list = json_array();
    size_t i = 0, k = 0;
    while (i < d->old->node_count || k < d->new->node_count) {
        const struct calico_plan_node *a = i < d->old->node_count ? &d->old->nodes[i] : NULL;
        const struct calico_plan_node *b = k < d->new->node_count ? &d->new->nodes[k] : NULL;
        int order = !a ? 1 : !b ? -1 : strcmp(a->node->name, b->node->name);
        compare_node(d, order <= 0 ? a : NULL, order >= 0 ? b : NULL, list);
        i += order <= 0;
        k += order >= 0;
    }
    return list;
}

/* ---- filters ---- */

/* A filter is what BIRD is given for it. */
static bool same_filter(const struct diff *d, const struct calico_bgp_filter *a,
                        const struct calico_bgp_filter *b) {
    struct text x, y;
    text_init(&x);
    text_init(&y);
    for (int family = 0; family < BGP_FAMILIES; family++) {
        const struct bird of = {.impl = plan_impl(d->old), .family = family, .out = &x},
                          nf = {.impl = plan_impl(d->new), .family = family, .out = &y};
        bird_filter_functions(&of, a);
        bird_filter_functions(&nf, b);
    }
    bool same = strcmp(text_str(&x), text_str(&y)) == 0;
    text_deinit(&x);
    text_deinit(&y);
    return same;
}

static json_t *compare_filters(struct diff *d) {
    json_t *added = json_array(), *removed = json_array(), *altered = json_array();
    for (size_t i = 0; i < calico_filter_count(d->old->set); i++) {
        const struct calico_bgp_filter *f = calico_filter_at(d->old->set, i),
                                       *g = calico_filter_find(d->new->set, f->name);
        if (!g)
            append(d, removed, json_string(f->name));
        else if (!same_filter(d, f, g))
            append(d, altered, json_string(f->name));
    }
    for (size_t i = 0; i < calico_filter_count(d->new->set); i++) {
        const struct calico_bgp_filter *f = calico_filter_at(d->new->set, i);
        if (!calico_filter_find(d->old->set, f->name))
            append(d, added, json_string(f->name));
    }
    count(d, "filtersAdded", json_array_size(added));
    count(d, "filtersRemoved", json_array_size(removed));
    count(d, "filtersAltered", json_array_size(altered));
    return json_pack("{s:o,s:o,s:o}", "added", added, "removed", removed, "altered", altered);
}

json_t *calico_plan_diff(const struct calico_plan *old, const struct calico_plan *new) {
    struct diff d = {.old = old, .new = new, .totals = json_object()};
    json_t *nodes = compare_nodes(&d), *filters = compare_filters(&d);
    json_t *root =
        json_pack("{s:o,s:o,s:o}", "nodes", nodes, "filters", filters, "totals", d.totals);
    if (!d.failed)
        return root;
    json_decref(root);
    return NULL;
}

/* ---- for people ---- */

static const char *word(const json_t *object, const char *key) {
    const char *s = json_string_value(json_object_get(object, key));
    return s ? s : "";
}

static void print_sessions(const json_t *list, char sign, struct text *out) {
    size_t i;
    json_t *s;
    json_array_foreach(list, i, s) {
        text_printf(out, "  %c session %s", sign, word(s, "name"));
        if (word(s, "peerNode")[0])
            text_printf(out, " (%s)", word(s, "peerNode"));
        text_putc(out, '\n');
    }
}

static void print_value(const json_t *v, struct text *out) {
    char *s = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
    text_puts(out, s ? s : "?");
    free(s);
}

static void print_altered(const json_t *list, struct text *out) {
    size_t i;
    json_t *s, *both;
    const char *key;
    json_array_foreach(list, i, s) {
        text_printf(out, "  ~ session %s:", word(s, "name"));
        bool first = true;
        json_object_foreach(json_object_get(s, "fields"), key, both) {
            text_printf(out, "%s %s ", first ? "" : ",", key);
            print_value(json_array_get(both, 0), out);
            text_puts(out, " -> ");
            print_value(json_array_get(both, 1), out);
            first = false;
        }
        text_putc(out, '\n');
    }
}

static void print_words(const json_t *list, char sign, const char *what, struct text *out) {
    size_t i;
    json_t *s;
    json_array_foreach(list, i, s)
        text_printf(out, "  %c %s %s\n", sign, what, json_string_value(s));
}

static void print_totals(const json_t *totals, struct text *out) {
    static const char *const kinds[] = {"sessions", "routes", "filters"};
    static const char *const verbs[] = {"Added", "Removed", "Altered"};
    char key[32];
    text_puts(out, "in sum:");
    for (size_t i = 0; i < 3; i++) {
        text_printf(out, "%s %s", i ? ";" : "", kinds[i]);
        for (size_t k = 0; k < 3; k++) {
            snprintf(key, sizeof key, "%s%s", kinds[i], verbs[k]);
            const json_t *n = json_object_get(totals, key);
            if (n)
                text_printf(out, " %c%lld", "+-~"[k], (long long)json_integer_value(n));
        }
    }
    text_putc(out, '\n');
}

void calico_plan_diff_print(const json_t *diff, struct text *out) {
    size_t i;
    json_t *n;
    const json_t *filters = json_object_get(diff, "filters");
    json_array_foreach(json_object_get(diff, "nodes"), i, n) {
        const char *change = word(n, "change");
        text_printf(out, "%s%s%s\n", word(n, "name"), strcmp(change, "altered") ? ": " : "",
                    strcmp(change, "altered") ? change : "");
        print_sessions(json_object_get(n, "sessionsRemoved"), '-', out);
        print_sessions(json_object_get(n, "sessionsAdded"), '+', out);
        print_altered(json_object_get(n, "sessionsAltered"), out);
        print_words(json_object_get(n, "routesRemoved"), '-', "route", out);
        print_words(json_object_get(n, "routesAdded"), '+', "route", out);
    }
    if (json_array_size(json_object_get(filters, "removed")) +
            json_array_size(json_object_get(filters, "added")) +
            json_array_size(json_object_get(filters, "altered")) >
        0)
        text_puts(out, "filters\n");
    print_words(json_object_get(filters, "removed"), '-', "BGPFilter", out);
    print_words(json_object_get(filters, "added"), '+', "BGPFilter", out);
    print_words(json_object_get(filters, "altered"), '~', "BGPFilter", out);
    print_totals(json_object_get(diff, "totals"), out);
}
