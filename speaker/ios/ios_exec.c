/*
 * Exec commands: matching, output filters, and the shows that are not about BGP.
 *
 * Owns: `| include|exclude|begin|section|count REGEX` (everything behind the keyword is the
 * expression, bars in it are alternation), show version, clock, logging, route, prefix-list,
 * route-map, interface brief, and the request that `clear` leaves for the host.
 *
 * Leaves: show … bgp to ios_show_bgp.c and ios_show_neighbor.c.
 */
#include "ios_show.h"
#include "ios_time.h"

#include "../core/attr.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define REGEX_BYTES_MAX 200

/* ---- output filters ---- */

enum filter {
    FILTER_NONE,
    FILTER_BEGIN,
    FILTER_COUNT,
    FILTER_EXCLUDE,
    FILTER_INCLUDE,
    FILTER_SECTION,
};

static const char *const FILTERS[] = {"", "begin", "count", "exclude", "include", "section"};

/* Reads `include REGEX`; FILTER_NONE: no such filter, or no expression. */
static enum filter filter_read(const char *text, const char **ret_expression) {
    size_t size = strcspn(text, " ");
    const char *expression = text + size + strspn(text + size, " ");
    *ret_expression = expression;
    for (enum filter f = FILTER_BEGIN; f <= FILTER_SECTION; f++)
        if (size > 0 && size <= strlen(FILTERS[f]) && strncasecmp(FILTERS[f], text, size) == 0)
            return *expression ? f : FILTER_NONE;
    return FILTER_NONE;
}

/* IOS's expressions have no bounds; `_` is the end, a blank or a separator. */
static bool expression_compile(const char *expression, regex_t *ret) {
    struct text posix;
    bool ok = strlen(expression) <= REGEX_BYTES_MAX;
    text_init(&posix);
    for (const char *c = expression; ok && *c; c++) {
        if (*c == '_')
            text_puts(&posix, "(^|$|[ ,{}()])");
        else if (*c == '{' || *c == '}')
            text_printf(&posix, "[%c]", *c);
        else
            text_putc(&posix, *c);
    }
    ok = ok && !posix.failed &&
         regcomp(ret, text_str(&posix), REG_EXTENDED | REG_NOSUB | REG_NEWLINE) == 0;
    text_deinit(&posix);
    return ok;
}

struct filtering {
    enum filter kind;
    regex_t regex;
    bool open; /* begin: found; section: inside of one */
    size_t indent;
    unsigned count;
};

static bool filter_keeps(struct filtering *f, const char *line) {
    bool match = regexec(&f->regex, line, 0, NULL, 0) == 0;
    size_t indent = strspn(line, " ");
    switch (f->kind) {
    case FILTER_NONE:
        return true;
    case FILTER_BEGIN:
        return f->open = f->open || match;
    case FILTER_COUNT:
        f->count += match;
        return false;
    case FILTER_EXCLUDE:
        return !match;
    case FILTER_INCLUDE:
        return match;
    case FILTER_SECTION:
        if (f->open && indent > f->indent)
            return true;
        f->open = match;
        f->indent = indent;
        return match;
    }
    return true;
}

static void filter_run(struct filtering *f, char *all, struct text *out) {
    if (f->kind == FILTER_BEGIN)
        text_putc(out, '\n');
    for (char *line = all; line && *line;) {
        char *end = strchr(line, '\n');
        if (end)
            *end = '\0';
        if (filter_keeps(f, line))
            text_printf(out, "%s\n", line);
        line = end ? end + 1 : NULL;
    }
    if (f->kind == FILTER_COUNT)
        text_printf(out, "Number of lines which match regexp = %u\n", f->count);
}

/* ---- entry ---- */

static void exec_refuse(struct ios_router *r, const struct ios_line *l, const struct ios_match *m,
                        struct ios_sink *sink) {
    struct text prompt;
    if (m->status == IOS_MATCH_INVALID && m->token == 0) {
        text_puts(sink->out, "% Unknown command or computer name, or unable to find computer "
                             "address\n");
        return;
    }
    text_init(&prompt);
    ios_prompt(r, &prompt);
    ios_parse_refuse(l, m, prompt.size, sink);
    text_deinit(&prompt);
}

static void exec_plain(struct ios_router *r, const struct ios_view *view, const char *command,
                       size_t size, struct text *out) {
    struct ios_line l;
    struct ios_match m;
    struct ios_sink sink = {.out = out, .view = view};
    ios_lex(&l, command, size);
    if (ios_lex_is_blank(&l))
        return;
    ios_match(&l, 0, IOS_EXEC, false, &m);
    if (m.status != IOS_MATCH_OK) {
        exec_refuse(r, &l, &m, &sink);
        return;
    }
    struct ios_edit e = {.r = r, .row = m.row, .words = &m.words, .sink = &sink};
    m.row->edit(&e);
}

void ios_exec(struct ios_router *r, const struct ios_view *view, const char *command,
              struct text *out) {
    const char *bar = strstr(command, "|");
    struct filtering f = {.kind = FILTER_NONE};
    const char *expression = "";
    if (!bar) {
        exec_plain(r, view, command, strlen(command), out);
        return;
    }
    f.kind = filter_read(bar + 1 + strspn(bar + 1, " "), &expression);
    if (f.kind == FILTER_NONE) {
        text_puts(out, "% Incomplete command.\n\n");
        return;
    }
    if (!expression_compile(expression, &f.regex)) {
        text_puts(out, "% Failed to compile regular expression.\n");
        return;
    }
    struct text all;
    text_init(&all);
    exec_plain(r, view, command, (size_t)(bar - command), &all);
    char *lines = text_take(&all);
    if (lines)
        filter_run(&f, lines, out);
    alloc_free(lines);
    regfree(&f.regex);
}

/* ---- the router itself ---- */

bool ios_show_config(struct ios_edit *e) {
    ios_print_config(e->r, e->sink->view, e->sink->out);
    return false;
}

bool ios_show_version(struct ios_edit *e) {
    struct text *out = e->sink->out;
    const struct ios_view *view = e->sink->view;
    text_puts(out, "Cisco IOS Software, IOSv Software (VIOS-ADVENTERPRISEK9-M), Version "
                   "15.7(3)M3, RELEASE SOFTWARE (fc2)\n\n");
    text_printf(out, "%s uptime is ", ios_hostname(e->r));
    ios_time_uptime(nanotime_since(view->now, view->booted), out);
    text_puts(out, "\n");
    return false;
}

bool ios_show_clock(struct ios_edit *e) {
    text_putc(e->sink->out, '*');
    ios_time_clock(e->sink->view->wall_ms, true, e->sink->out);
    text_putc(e->sink->out, '\n');
    return false;
}

bool ios_show_logging(struct ios_edit *e) {
    const struct text *log = e->sink->view->log;
    unsigned lines = 0;
    for (const char *c = log ? text_str(log) : ""; *c; c++)
        lines += *c == '\n';
    text_printf(e->sink->out,
                "Syslog logging: enabled (0 messages dropped, 0 messages rate-limited, 0 flushes, "
                "0 overruns, xml disabled, filtering disabled)\n\n"
                "    Buffer logging:  level debugging, %u messages logged, xml disabled,\n"
                "                    filtering disabled\n\n"
                "Log Buffer (8192 bytes):\n\n",
                lines);
    if (log)
        text_put(e->sink->out, text_str(log), log->size);
    return false;
}

bool ios_show_privilege(struct ios_edit *e) {
    text_puts(e->sink->out, "Current privilege level is 15\n");
    return false;
}

bool ios_show_terminal(struct ios_edit *e) {
    uint64_t n = 0;
    if (strcmp(ios_word(e->words, 1), "length") == 0 &&
        text_to_u64(ios_word(e->words, 2), 0, 512, &n))
        e->r->terminal_length = (uint32_t)n;
    return false;
}

bool ios_show_write(struct ios_edit *e) {
    text_puts(e->sink->out, "Building configuration...\n[OK]\n");
    return false;
}

static void put_interface(const struct ios_interface *i, struct text *out) {
    struct text addr;
    text_init(&addr);
    ios_put_addr(i->addr, &addr);
    text_printf(out, "%-26s %-15s YES manual %-21s %s\n", i->name,
                addr.size ? text_str(&addr) : "unassigned", i->up ? "up" : "administratively down",
                i->up ? "up" : "down");
    text_deinit(&addr);
}

bool ios_show_interfaces(struct ios_edit *e) {
    struct ios_interface own[256];
    size_t count = ios_interfaces(e->r, own, sizeof own / sizeof *own);
    text_puts(e->sink->out, "Interface                  IP-Address      OK? Method Status        "
                            "        Protocol\n");
    if (count > sizeof own / sizeof *own)
        count = sizeof own / sizeof *own;
    for (size_t i = 0; i < count; i++)
        if (own[i].addr.family == IP_V4)
            put_interface(&own[i], e->sink->out);
    for (size_t i = 0; i < e->r->interface_count; i++) {
        bool known = false;
        for (size_t j = 0; j < count; j++)
            known |= strcmp(own[j].name, e->r->interfaces[i].name) == 0;
        if (!known && e->r->interfaces[i].addr.family != IP_V6)
            put_interface(&e->r->interfaces[i], e->sink->out);
    }
    return false;
}

/* ---- lists ---- */

static bool is_list(const struct ios_stmt *s, const char *ip, const char *name) {
    return ios_stmt_is(s, 0, ip) && ios_stmt_is(s, 1, "prefix-list") &&
           (!name || ios_stmt_is(s, 2, name)) && ios_stmt_is(s, 3, "seq");
}

static void put_prefix_list(const struct ios_block *root, const char *ip, const char *name,
                            struct text *out) {
    unsigned count = 0;
    for (uint32_t i = 0; i < root->count; i++)
        count += is_list(root->items[i], ip, name);
    text_printf(out, "%s prefix-list %s: %u entries\n", ip, name, count);
    uint64_t last = 0;
    for (unsigned n = 0; n < count; n++) {
        const struct ios_stmt *next = NULL;
        uint64_t next_seq = UINT64_MAX, seq = 0;
        for (uint32_t i = 0; i < root->count; i++)
            if (is_list(root->items[i], ip, name) &&
                text_to_u64(ios_stmt_word(root->items[i], 4), 0, UINT32_MAX, &seq) && seq > last &&
                seq < next_seq) {
                next = root->items[i];
                next_seq = seq;
            }
        if (!next)
            break;
        text_puts(out, "  ");
        for (uint16_t i = 3; i < next->count; i++)
            text_printf(out, " %s", next->words[i]);
        text_putc(out, '\n');
        last = next_seq;
    }
}

/* Was a list of this name met before statement `before`? */
static bool seen_before(const struct ios_block *root, uint32_t before, const char *ip) {
    for (uint32_t i = 0; i < before; i++)
        if (is_list(root->items[i], ip, ios_stmt_word(root->items[before], 2)))
            return true;
    return false;
}

bool ios_show_prefix_list(struct ios_edit *e) {
    const struct ios_block *root = e->r->root;
    const char *ip = ios_word(e->words, 1), *name = ios_word(e->words, 3);
    for (uint32_t i = 0; i < root->count; i++)
        if (is_list(root->items[i], ip, *name ? name : NULL) && !seen_before(root, i, ip))
            put_prefix_list(root, ip, ios_stmt_word(root->items[i], 2), e->sink->out);
    return false;
}

/* "prefix-list" reads "prefix-lists:", other lists likewise. */
static void put_clauses(const struct ios_stmt *map, const char *which, struct text *out) {
    for (uint32_t i = 0; i < map->children->count; i++) {
        const struct ios_stmt *s = map->children->items[i];
        if (!ios_stmt_is(s, 0, which))
            continue;
        text_puts(out, "    ");
        for (uint16_t at = 1; at < s->count; at++)
            text_printf(out, "%s%s ", s->words[at],
                        strcmp(s->words[at], "prefix-list") == 0 ? "s:" : "");
        text_putc(out, '\n');
    }
}

bool ios_show_route_map(struct ios_edit *e) {
    const struct ios_block *root = e->r->root;
    struct text *out = e->sink->out;
    const char *name = ios_word(e->words, 2);
    bool any = false;
    for (uint32_t i = 0; i < root->count; i++) {
        const struct ios_stmt *s = root->items[i];
        if (!s->children || s->row->next != IOS_ROUTE_MAP || (*name && !ios_stmt_is(s, 1, name)))
            continue;
        any = true;
        text_printf(out, "route-map %s, %s, sequence %s\n  Match clauses:\n", ios_stmt_word(s, 1),
                    ios_stmt_word(s, 2), ios_stmt_word(s, 3));
        put_clauses(s, "match", out);
        text_puts(out, "  Set clauses:\n");
        put_clauses(s, "set", out);
        text_puts(out, "  Policy routing matches: 0 packets, 0 bytes\n");
    }
    if (!any && *name)
        text_printf(out, "route-map %s not found\n", name);
    return false;
}

/* ---- show ip route ---- */

static const char ROUTE_CODES[] =
    "Codes: L - local, C - connected, S - static, R - RIP, M - mobile, B - BGP\n"
    "       D - EIGRP, EX - EIGRP external, O - OSPF, IA - OSPF inter area \n"
    "       N1 - OSPF NSSA external type 1, N2 - OSPF NSSA external type 2\n"
    "       E1 - OSPF external type 1, E2 - OSPF external type 2\n"
    "       i - IS-IS, su - IS-IS summary, L1 - IS-IS level-1, L2 - IS-IS level-2\n"
    "       ia - IS-IS inter area, * - candidate default, U - per-user static route\n"
    "       o - ODR, P - periodic downloaded static route, H - NHRP, l - LISP\n"
    "       a - application route\n"
    "       + - replicated route, % - next hop override, p - overrides from PfR\n"
    "\n";

static void put_own_route(const struct ios_own_route *r, struct text *out) {
    char prefix[IP_PREFIX_TEXT_MAX];
    ip_prefix_format(r->prefix, prefix);
    char code = r->local ? 'L' : r->connected ? 'C' : 'S';
    text_printf(out, "%c%-8s%s", code, r->prefix.length == 0 ? "*" : "", prefix);
    if (!r->connected && ip_is_set(r->gateway)) {
        text_printf(out, " [%u/0] via ", r->distance);
        ios_put_addr(r->gateway, out);
        text_putc(out, '\n');
    } else {
        text_printf(out, " is directly connected, %s\n", r->interface);
    }
}

static void put_bgp_routes(struct ios_edit *e, const struct ios_rib *rib) {
    const struct bgp_speaker *s = e->sink->view->speaker;
    struct text *out = e->sink->out;
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    char prefix[IP_PREFIX_TEXT_MAX];
    if (!s || bgp_rib_begin(s, BGP_IPV4_UNICAST, &it) != BGP_OK)
        return;
    while (bgp_rib_next_prefix(s, &it))
        while (bgp_rib_next_path(s, &it, &path)) {
            if (!path.best || path.peer.index == 0 || ios_rib_find(rib, it.prefix))
                continue;
            text_printf(out, "B%-8s%s [%u/%u] via ", it.prefix.length == 0 ? "*" : "",
                        ip_prefix_format(it.prefix, prefix), path.external ? 20 : 200,
                        path.attrs->v.has_med ? path.attrs->v.med : 0);
            ios_put_addr(path.attrs->v.next_hop, out);
            text_puts(out, ", ");
            ios_time_age(nanotime_since(e->sink->view->now, path.received), out);
            text_putc(out, '\n');
        }
    bgp_rib_end(&it);
}

bool ios_show_route(struct ios_edit *e) {
    const char *only = ios_word(e->words, 3);
    struct arena *scratch = arena_new();
    struct ios_rib rib;
    struct ip_prefix everything = {.addr = ip4(0), .length = 0};
    if (!scratch || !ios_rib_build(e->r, scratch, &rib)) {
        arena_free(scratch);
        return false;
    }
    text_puts(e->sink->out, ROUTE_CODES);
    const struct ios_own_route *last_resort = ios_rib_find(&rib, everything);
    if (last_resort && ip_is_set(last_resort->gateway)) {
        text_puts(e->sink->out, "Gateway of last resort is ");
        ios_put_addr(last_resort->gateway, e->sink->out);
        text_puts(e->sink->out, " to network 0.0.0.0\n\n");
    } else {
        text_puts(e->sink->out, "Gateway of last resort is not set\n\n");
    }
    for (size_t i = 0; i < rib.count; i++)
        if (rib.routes[i].prefix.addr.family == IP_V4 && strcmp(only, "bgp") != 0 &&
            (!*only || rib.routes[i].connected == (strcmp(only, "connected") == 0)))
            put_own_route(&rib.routes[i], e->sink->out);
    if (!*only || strcmp(only, "bgp") == 0)
        put_bgp_routes(e, &rib);
    arena_free(scratch);
    return false;
}
