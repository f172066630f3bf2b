/*
 * Answers of a speaker as text for people.
 *
 * Owns columns and words. Whatever a remote may have chosen (names, texts) is escaped. A path that
 * is not the best one says the first step of the decision process that it lost at, with what both
 * have where that is an attribute.
 */
#include "../base/nanotime.h"
#include "../base/text.h"
#include "ctl.h"
#include "loop.h"

#include <string.h>

static const char *string_of(const json_t *in, const char *member) {
    const char *s = json_string_value(json_object_get(in, member));
    return s ? s : "";
}

static long long number_of(const json_t *in, const char *member) {
    return (long long)json_integer_value(json_object_get(in, member));
}

static bool flag_of(const json_t *in, const char *member) {
    return json_is_true(json_object_get(in, member));
}

static void put_printable(struct text *out, const char *s) {
    text_put_printable(out, s, strlen(s));
}

/* Up to the column, with one blank at least. */
static void column(struct text *out, size_t at) {
    text_putc(out, ' ');
    text_pad(out, at);
}

static const json_t *list_of(const json_t *answer, const char *member, size_t *ret_count) {
    const json_t *list = json_object_get(answer, member);
    *ret_count = json_array_size(list);
    return list;
}

/* ---- neighbours ---- */

/* "4d03h", "02:13:07". */
static void put_duration(struct text *out, uint64_t since_ns) {
    uint64_t now = loop_now().ns;
    uint64_t s = now > since_ns ? (now - since_ns) / NANOS_PER_S : 0;
    if (s >= 86400)
        text_printf(out, "%llud%02lluh", (unsigned long long)(s / 86400),
                    (unsigned long long)(s % 86400 / 3600));
    else
        text_printf(out, "%02llu:%02llu:%02llu", (unsigned long long)(s / 3600),
                    (unsigned long long)(s % 3600 / 60), (unsigned long long)(s % 60));
}

/* Both families together. */
static long long prefixes(const json_t *peer, const char *member) {
    const json_t *counts = json_object_get(peer, member);
    return number_of(counts, "ipv4") + number_of(counts, "ipv6");
}

static void put_neighbor(struct text *out, const json_t *peer) {
    put_printable(out, string_of(peer, "name"));
    column(out, 20);
    text_puts(out, string_of(peer, "remote"));
    column(out, 36);
    text_printf(out, "%10lld  %s", number_of(peer, "remote_as"), string_of(peer, "state"));
    column(out, 61);
    put_duration(out, (uint64_t)number_of(peer, "since_ns"));
    text_printf(out, " %9lld %9lld %9lld", prefixes(peer, "received"), prefixes(peer, "accepted"),
                prefixes(peer, "sent"));
    if (strcmp(string_of(peer, "state"), "Established") != 0 && string_of(peer, "last_error")[0]) {
        text_puts(out, "  ");
        put_printable(out, string_of(peer, "last_error"));
    }
    text_putc(out, '\n');
}

void ctl_print_neighbors(const json_t *answer, struct text *out) {
    size_t count;
    const json_t *peers = list_of(answer, "peers", &count);
    text_puts(out,
              "NEIGHBOR            ADDRESS                 AS  STATE        FOR        RECEIVED"
              "  ACCEPTED      SENT\n");
    for (size_t i = 0; i < count; i++)
        put_neighbor(out, json_array_get(peers, i));
}

/* "igp", "65001 64512", lists with blanks between. */
static void put_value(struct text *out, const json_t *v) {
    const char *key;
    json_t *member;
    if (json_is_string(v))
        put_printable(out, json_string_value(v));
    else if (json_is_integer(v))
        text_printf(out, "%lld", (long long)json_integer_value(v));
    else if (json_is_boolean(v))
        text_puts(out, json_is_true(v) ? "yes" : "no");
    for (size_t i = 0; i < json_array_size(v); i++) {
        text_puts(out, i ? " " : "");
        put_value(out, json_array_get(v, i));
    }
    bool first = true;
    json_object_foreach((json_t *)(uintptr_t)v, key, member) {
        text_printf(out, "%s%s ", first ? "" : ", ", key);
        put_value(out, member);
        first = false;
    }
}

void ctl_print_members(const json_t *answer, struct text *out) {
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)answer, key, member) {
        if (strcmp(key, "ok") == 0)
            continue;
        text_puts(out, key);
        column(out, 22);
        put_value(out, member);
        text_putc(out, '\n');
    }
}

void ctl_print_neighbor(const json_t *answer, struct text *out) {
    size_t count;
    const json_t *peers = list_of(answer, "peers", &count);
    for (size_t i = 0; i < count; i++) {
        const json_t *peer = json_array_get(peers, i);
        ctl_print_members(peer, out);
        text_puts(out, "for                   ");
        put_duration(out, (uint64_t)number_of(peer, "since_ns"));
        text_putc(out, '\n');
    }
}

/* ---- routes ---- */

static void put_optional(struct text *out, const json_t *attrs, const char *member, int width) {
    const json_t *v = json_object_get(attrs, member);
    if (v)
        text_printf(out, " %*lld", width, (long long)json_integer_value(v));
    else
        text_printf(out, " %*s", width, "-");
}

static const char *origin_letter(const json_t *attrs) {
    const char *origin = string_of(attrs, "origin");
    return strcmp(origin, "igp") == 0 ? "i" : strcmp(origin, "egp") == 0 ? "e" : "?";
}

static const char *from_of(const json_t *route) {
    const char *peer = string_of(route, "peer");
    return peer[0] ? peer : string_of(route, "source");
}

static void put_route(struct text *out, const json_t *route) {
    const json_t *attrs = json_object_get(route, "attrs");
    text_puts(out, flag_of(route, "best")       ? "*"
                   : flag_of(route, "rejected") ? "r"
                   : flag_of(route, "stale")    ? "s"
                                                : " ");
    text_printf(out, " %s", string_of(route, "prefix"));
    column(out, 22);
    text_puts(out, string_of(attrs, "next_hop"));
    column(out, 38);
    put_printable(out, from_of(route));
    column(out, 52);
    put_optional(out, attrs, "local_pref", 9);
    put_optional(out, attrs, "med", 9);
    text_printf(out, "  %s", string_of(attrs, "as_path"));
    text_printf(out, "%s%s\n", string_of(attrs, "as_path")[0] ? " " : "", origin_letter(attrs));
}

void ctl_print_routes(const json_t *answer, struct text *out) {
    size_t count;
    const json_t *routes = list_of(answer, "routes", &count);
    text_puts(out,
              "  PREFIX              NEXT HOP        FROM          LOCALPREF       MED  PATH\n");
    for (size_t i = 0; i < count; i++)
        put_route(out, json_array_get(routes, i));
}

void ctl_print_fib(const json_t *answer, struct text *out) {
    size_t count;
    const json_t *routes = list_of(answer, "routes", &count);
    text_puts(out, "PREFIX              GATEWAY         INTERFACE       METRIC\n");
    for (size_t i = 0; i < count; i++) {
        const json_t *r = json_array_get(routes, i);
        text_puts(out, string_of(r, "prefix"));
        column(out, 20);
        text_puts(out, flag_of(r, "blackhole") ? "blackhole" : string_of(r, "gateway"));
        column(out, 36);
        text_puts(out, string_of(r, "interface"));
        column(out, 52);
        text_printf(out, "%lld\n", number_of(r, "metric"));
    }
}

/* ---- why ---- */

/* How many ASes; a set counts as one. */
static long long path_length(const json_t *attrs) {
    long long count = 0;
    bool set = false;
    for (const char *p = string_of(attrs, "as_path"); *p; p++) {
        if (!set && *p != ' ' && *p != '}' && (count == 0 || p[-1] == ' '))
            count++;
        set = *p == '{' || (set && *p != '}');
    }
    return count;
}

/* What the step compared, of the path and of the best one. */
static void put_comparison(struct text *out, const char *step, const json_t *a,
                           const json_t *best) {
    static const char *const members[][2] = {
        {"local preference", "local_pref"}, {"MED", "med"}, {"origin", "origin"}};
    if (strcmp(step, "AS path length") == 0)
        text_printf(out, " (%lld, the best path's is %lld)", path_length(a), path_length(best));
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (strcmp(step, members[i][0]) != 0)
            continue;
        const json_t *mine = json_object_get(a, members[i][1]);
        const json_t *other = json_object_get(best, members[i][1]);
        text_puts(out, " (");
        put_value(out, mine);
        text_puts(out, mine ? ", the best path's is " : "none, the best path's is ");
        put_value(out, other);
        text_puts(out, other ? ")" : "none)");
    }
}

static void put_verdict(struct text *out, const json_t *route, const json_t *best) {
    const char *step = string_of(route, "step");
    if (!json_object_get(route, "best"))
        text_puts(out, "sent");
    else if (flag_of(route, "best"))
        text_puts(out, "best");
    else if (flag_of(route, "rejected"))
        text_puts(out, "rejected by import policy");
    else if (!flag_of(route, "valid"))
        text_puts(out, "not usable: its next hop cannot be reached, or our AS is in its path");
    else {
        text_printf(out, "lost at: %s", step);
        put_comparison(out, step, json_object_get(route, "attrs"), json_object_get(best, "attrs"));
    }
}

static void put_path(struct text *out, const json_t *route, const json_t *best) {
    const json_t *attrs = json_object_get(route, "attrs");
    const char *key;
    json_t *value;
    text_puts(out, "  from ");
    put_printable(out, from_of(route));
    text_puts(out, ": ");
    put_verdict(out, route, best);
    text_puts(out, flag_of(route, "stale") ? ", stale\n" : "\n");
    json_object_foreach((json_t *)(uintptr_t)attrs, key, value) {
        text_printf(out, "    %s", key);
        column(out, 24);
        put_value(out, value);
        text_putc(out, '\n');
    }
}

static const json_t *best_of(const json_t *routes) {
    for (size_t i = 0; i < json_array_size(routes); i++)
        if (flag_of(json_array_get(routes, i), "best"))
            return json_array_get(routes, i);
    return NULL;
}

void ctl_print_paths(const json_t *answer, struct text *out) {
    size_t count;
    const json_t *routes = list_of(answer, "routes", &count), *best = best_of(routes);
    if (count)
        text_printf(out, "%s\n", string_of(json_array_get(routes, 0), "prefix"));
    if (best)
        put_path(out, best, best);
    for (size_t i = 0; i < count; i++)
        if (json_array_get(routes, i) != best)
            put_path(out, json_array_get(routes, i), best);
}
