/*
 * Answers of a speaker as text for people.
 *
 * Owns columns and words. Whatever a remote may have chosen (names, texts) is escaped. A path that
 * is not the best one says the first step of the decision process that it lost at, with what both
 * have where that is an attribute.
 */
#include "../base/nanotime.h"
#include "../base/text.h"
#include "../core/limits.h"
#include "../core/message.h"
#include "../decode/decode_attr.h"
#include "ctl.h"
#include "loop.h"

#include <stdio.h>
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

/* The column behind that at `at`, which is `least` wide, or as its widest value and a blank. */
static size_t column_behind(const json_t *list, const char *(*value)(const json_t *), size_t at,
                            size_t least) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        size_t size = strlen(value(json_array_get(list, i))) + 1;
        least = size > least ? size : least;
    }
    return at + least;
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

static const char *name_of(const json_t *peer) {
    return string_of(peer, "name");
}

static const char *remote_of(const json_t *peer) {
    return string_of(peer, "remote");
}

struct neighbor_columns {
    size_t address, as, duration;
};

/* RFC 8212: nothing passes in this direction, in some family. */
static void put_policy_missing(struct text *out, const json_t *peer, const char *direction) {
    char member[32];
    snprintf(member, sizeof member, "%s_policy_missing", direction);
    if (json_array_size(json_object_get(peer, member)) > 0)
        text_printf(out, "  no %s policy", direction);
}

/* Why there is no session: what keeps it from coming up, or else what ended the last one. */
static void put_down(struct text *out, const json_t *peer) {
    const char *why = flag_of(peer, "shutdown")            ? "shut down"
                      : flag_of(peer, "prefix_limit_down") ? "prefix limit exceeded"
                                                           : string_of(peer, "last_error");
    if (strcmp(string_of(peer, "state"), "Established") == 0 || !why[0])
        return;
    text_puts(out, "  ");
    put_printable(out, why);
}

static void put_neighbor(struct text *out, const json_t *peer, const struct neighbor_columns *at) {
    put_printable(out, name_of(peer));
    column(out, at->address);
    text_puts(out, remote_of(peer));
    column(out, at->as);
    text_printf(out, "%10lld  %s", number_of(peer, "remote_as"), string_of(peer, "state"));
    column(out, at->duration);
    put_duration(out, (uint64_t)number_of(peer, "since_ns"));
    text_pad(out, at->duration + 8);
    text_printf(out, " %9lld %9lld %9lld", prefixes(peer, "received"), prefixes(peer, "accepted"),
                prefixes(peer, "sent"));
    put_down(out, peer);
    if (json_is_true(json_object_get(peer, "import_outdated"))) {
        text_puts(out, "  import policy changed, needs clear");
    }
    put_policy_missing(out, peer, "import");
    put_policy_missing(out, peer, "export");
    text_putc(out, '\n');
}

void ctl_print_neighbors(const json_t *answer, struct text *out) {
    struct neighbor_columns at;
    size_t count;
    const json_t *peers = list_of(answer, "peers", &count);
    at.address = column_behind(peers, name_of, 0, 20);
    at.as = column_behind(peers, remote_of, at.address, 16);
    at.duration = at.as + 25;
    text_puts(out, "NEIGHBOR");
    column(out, at.address);
    text_puts(out, "ADDRESS");
    column(out, at.as);
    text_printf(out, "%10s  %-12s %-8s %9s %9s %9s\n", "AS", "STATE", "FOR", "RECEIVED", "ACCEPTED",
                "SENT");
    for (size_t i = 0; i < count; i++)
        put_neighbor(out, json_array_get(peers, i), &at);
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

static void put_for(struct text *out, const json_t *o) {
    text_puts(out, "for");
    column(out, 22);
    put_duration(out, (uint64_t)number_of(o, "since_ns"));
    text_putc(out, '\n');
}

void ctl_print_status(const json_t *answer, struct text *out) {
    ctl_print_members(answer, out);
    put_for(out, answer);
}

void ctl_print_neighbor(const json_t *answer, struct text *out) {
    size_t count;
    const json_t *peers = list_of(answer, "peers", &count);
    for (size_t i = 0; i < count; i++) {
        const json_t *peer = json_array_get(peers, i);
        ctl_print_members(peer, out);
        put_for(out, peer);
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

static const char *prefix_of(const json_t *route) {
    return string_of(route, "prefix");
}

static const char *next_hop_of(const json_t *route) {
    return string_of(json_object_get(route, "attrs"), "next_hop");
}

struct route_columns {
    size_t next_hop, from, numbers;
};

static void put_route(struct text *out, const json_t *route, const struct route_columns *at) {
    const json_t *attrs = json_object_get(route, "attrs");
    text_puts(out, flag_of(route, "best")       ? "*"
                   : flag_of(route, "rejected") ? "r"
                   : flag_of(route, "stale")    ? "s"
                                                : " ");
    text_printf(out, " %s", prefix_of(route));
    column(out, at->next_hop);
    text_puts(out, next_hop_of(route));
    column(out, at->from);
    put_printable(out, from_of(route));
    text_pad(out, at->numbers);
    put_optional(out, attrs, "local_pref", 9);
    put_optional(out, attrs, "med", 9);
    text_printf(out, "  %s", string_of(attrs, "as_path"));
    text_printf(out, "%s%s\n", string_of(attrs, "as_path")[0] ? " " : "", origin_letter(attrs));
}

void ctl_print_routes(const json_t *answer, struct text *out) {
    struct route_columns at;
    size_t count;
    const json_t *routes = list_of(answer, "routes", &count);
    at.next_hop = column_behind(routes, prefix_of, 2, 20);
    at.from = column_behind(routes, next_hop_of, at.next_hop, 16);
    at.numbers = column_behind(routes, from_of, at.from, 14);
    text_puts(out, "  PREFIX");
    column(out, at.next_hop);
    text_puts(out, "NEXT HOP");
    column(out, at.from);
    text_puts(out, "FROM");
    text_pad(out, at.numbers);
    text_printf(out, " %9s %9s  PATH\n", "LOCALPREF", "MED");
    for (size_t i = 0; i < count; i++)
        put_route(out, json_array_get(routes, i), &at);
}

static const char *gateway_of(const json_t *route) {
    return flag_of(route, "blackhole") ? "blackhole" : string_of(route, "gateway");
}

static const char *interface_of(const json_t *route) {
    return string_of(route, "interface");
}

void ctl_print_fib(const json_t *answer, struct text *out) {
    size_t count;
    const json_t *routes = list_of(answer, "routes", &count);
    size_t gateway = column_behind(routes, prefix_of, 0, 20);
    size_t interface = column_behind(routes, gateway_of, gateway, 16);
    size_t metric = column_behind(routes, interface_of, interface, 16);
    text_puts(out, "PREFIX");
    column(out, gateway);
    text_puts(out, "GATEWAY");
    column(out, interface);
    text_puts(out, "INTERFACE");
    column(out, metric);
    text_puts(out, "METRIC\n");
    for (size_t i = 0; i < count; i++) {
        const json_t *r = json_array_get(routes, i);
        text_puts(out, prefix_of(r));
        column(out, gateway);
        text_puts(out, gateway_of(r));
        column(out, interface);
        text_puts(out, interface_of(r));
        column(out, metric);
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
        text_puts(out, "rejected on import: by policy, or our AS is in its path");
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

/* ---- damaged UPDATEs ---- */

/* "AS_PATH"; "-": what is wrong is no attribute's fault. */
static void put_attribute(struct text *out, const json_t *in) {
    long long type = number_of(in, "attribute");
    const struct decode_attr_row *row = decode_attr_row((uint8_t)type);
    if (row)
        text_puts(out, row->name);
    else if (type)
        text_printf(out, "attribute %lld", type);
    else
        text_putc(out, '-');
}

static void put_malformed_count(struct text *out, const json_t *count) {
    put_printable(out, string_of(count, "peer"));
    column(out, 20);
    put_attribute(out, count);
    column(out, 44);
    text_printf(out, "%9lld\n", number_of(count, "count"));
}

/* The whole message: what was kept begins behind the header (RFC 4271 4.1). */
static void put_malformed(struct text *out, const json_t *kept) {
    const char *hex = string_of(kept, "hex");
    put_printable(out, string_of(kept, "peer"));
    text_puts(out, ", ");
    put_duration(out, (uint64_t)number_of(kept, "time_ns"));
    text_puts(out, " ago, ");
    put_attribute(out, kept);
    text_printf(out, ": %s\n  ", string_of(kept, "outcome"));
    text_puts(out, "ffffffffffffffffffffffffffffffff");
    text_printf(out, "%04zx%02x%s\n", BGP_HEADER_SIZE + strlen(hex) / 2, (unsigned)BGP_MSG_UPDATE,
                hex);
}

void ctl_print_malformed(const json_t *answer, struct text *out) {
    size_t count;
    const json_t *list = list_of(answer, "counts", &count);
    text_puts(out, "NEIGHBOR            ATTRIBUTE                   COUNT\n");
    for (size_t i = 0; i < count; i++)
        put_malformed_count(out, json_array_get(list, i));
    list = list_of(answer, "kept", &count);
    for (size_t i = 0; i < count; i++)
        put_malformed(out, json_array_get(list, i));
}
