/*
 * load(print(load(x))) = load(x): what the running-config shows is the router.
 *
 * Statements are made from the grammar's own patterns, so that every statement of the table is met,
 * with its options, its `no` and its `default`; and every configuration shipped with the scenarios
 * is tried. Two routers are the same if they print the same and compile to the same configuration.
 */
#include "../base/arena.h"
#include "../base/diag.h"
#include "../base/hash.h"
#include "../core/config_diff.h"
#include "ios.h"
#include "ios_match.h"
#include "ios_unflatten.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- the same ---- */

static struct ios_router *load(const char *text, size_t size, struct text *errors) {
    const struct ios_interface interface = {
        .name = "GigabitEthernet0/0", .addr = ip4(0x0A000001), .length = 24, .up = true};
    struct ios_env env = {.hostname = "R1", .interfaces = &interface, .interface_count = 1};
    struct ios_router *r = ios_router_new(&env);
    struct diag_list *d = diag_list_new();
    assert_non_null(r);
    assert_non_null(d);
    assert_true(ios_load(r, text, size, "t.ios", false, d));
    for (size_t i = 0; errors && i < diag_count(d); i++)
        if (diag_at(d, i)->severity == DIAG_ERROR)
            text_printf(errors, "%u: %s\n", diag_at(d, i)->line, diag_at(d, i)->message);
    diag_list_free(d);
    return r;
}

static void print(struct ios_router *r, struct text *out) {
    const struct ios_view view = {.wall_ms = 0};
    text_init(out);
    ios_exec(r, &view, "show running-config", out);
}

static bool same_chain(const uint64_t *a, const struct policy_chain *x, const uint64_t *b,
                       const struct policy_chain *y) {
    if (x->count != y->count || x->accept_by_default != y->accept_by_default)
        return false;
    for (uint16_t i = 0; i < x->count; i++)
        if (a[x->policies[i]] != b[y->policies[i]])
            return false;
    return true;
}

static bool same_text(const char *a, const char *b) {
    return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

/* Policies are known by their content. */
static uint64_t policy_digest(const uint64_t *digests, uint32_t number) {
    return number ? digests[number - 1] : 0;
}

static bool same_conditions(const uint64_t *a, const struct bgp_peer_config *x, const uint64_t *b,
                            const struct bgp_peer_config *y) {
    bool same = x->condition_count == y->condition_count;
    for (uint32_t i = 0; same && i < x->condition_count; i++) {
        const struct bgp_condition_config *p = &x->conditions[i], *q = &y->conditions[i];
        same = p->family == q->family && p->absent == q->absent &&
               policy_digest(a, p->advertise_policy) == policy_digest(b, q->advertise_policy) &&
               policy_digest(a, p->exist_policy) == policy_digest(b, q->exist_policy);
    }
    return same;
}

static bool same_peer(const uint64_t *a, struct bgp_peer_config x, const uint64_t *b,
                      struct bgp_peer_config y) {
    for (int f = 0; f < BGP_FAMILIES; f++) {
        if (!same_chain(a, &x.import[f], b, &y.import[f]) ||
            !same_chain(a, &x.export[f], b, &y.export[f]) ||
            policy_digest(a, x.default_policy[f]) != policy_digest(b, y.default_policy[f]) ||
            policy_digest(a, x.unsuppress_policy[f]) != policy_digest(b, y.unsuppress_policy[f]))
            return false;
        x.import[f] = y.import[f] = x.export[f] = y.export[f] = (struct policy_chain){.count = 0};
        x.default_policy[f] = y.default_policy[f] = 0;
        x.unsuppress_policy[f] = y.unsuppress_policy[f] = 0;
    }
    if (!bgp_password_equal(x.password, y.password) || !same_text(x.description, y.description))
        return false;
    x.password = y.password = NULL;
    x.description = y.description = NULL;
    bool same = same_conditions(a, &x, b, &y);
    x.conditions = y.conditions = NULL;
    return same && memcmp(&x, &y, sizeof x) == 0;
}

static bool same_aggregate(const uint64_t *a, const struct bgp_aggregate_config *x,
                           const uint64_t *b, const struct bgp_aggregate_config *y) {
    return ip_prefix_equal(x->prefix, y->prefix) && x->as_set == y->as_set &&
           x->summary_only == y->summary_only &&
           policy_digest(a, x->suppress_policy) == policy_digest(b, y->suppress_policy) &&
           policy_digest(a, x->attribute_policy) == policy_digest(b, y->attribute_policy) &&
           policy_digest(a, x->advertise_policy) == policy_digest(b, y->advertise_policy);
}

static bool same_dampening(const uint64_t *a, const struct bgp_config *c, const uint64_t *b,
                           const struct bgp_config *d) {
    bool same = c->dampening_count == d->dampening_count;
    for (uint32_t i = 0; same && i < c->dampening_count; i++) {
        struct bgp_dampening_config x = c->dampening[i], y = d->dampening[i];
        same = policy_digest(a, x.policy) == policy_digest(b, y.policy);
        x.policy = y.policy = 0;
        same = same && memcmp(&x, &y, sizeof x) == 0;
    }
    return same;
}

static const char *difference(const struct bgp_config *a, const struct bgp_config *b) {
    uint64_t *x = config_policy_digests(a), *y = config_policy_digests(b);
    const char *what = NULL;
    if (a->local_as != b->local_as || !ip_equal(a->router_id, b->router_id) ||
        a->cluster_id != b->cluster_id || a->confederation_id != b->confederation_id ||
        config_diff_decision(a, b) || a->listen_limit != b->listen_limit ||
        a->scan_time_s != b->scan_time_s || !same_dampening(x, a, y, b) ||
        a->fast_external_fallover != b->fast_external_fallover ||
        a->default_local_pref != b->default_local_pref || a->hold_time_s != b->hold_time_s ||
        a->confederation_member_count != b->confederation_member_count)
        what = "process";
    if (a->peer_count != b->peer_count || a->listen_range_count != b->listen_range_count)
        what = "number of peers";
    if (a->origin_count != b->origin_count || a->aggregate_count != b->aggregate_count)
        what = "number of own routes";
    for (uint32_t i = 0; !what && i < a->peer_count; i++)
        what = same_peer(x, a->peers[i], y, b->peers[i]) ? NULL : a->peers[i].name;
    for (uint32_t i = 0; !what && i < a->listen_range_count; i++)
        what = same_peer(x, a->listen_ranges[i].peer, y, b->listen_ranges[i].peer)
                   ? NULL
                   : a->listen_ranges[i].peer.name;
    for (uint32_t i = 0; !what && i < a->origin_count; i++)
        if (!ip_prefix_equal(a->origins[i].prefix, b->origins[i].prefix) ||
            policy_digest(x, a->origins[i].policy) != policy_digest(y, b->origins[i].policy))
            what = "own route";
    for (uint32_t i = 0; !what && i < a->aggregate_count; i++)
        what = same_aggregate(x, &a->aggregates[i], y, &b->aggregates[i]) ? NULL : "aggregate";
    alloc_free(x);
    alloc_free(y);
    return what;
}

static void assert_round_trip(const char *text, size_t size) {
    struct text first, second, errors;
    text_init(&errors);
    struct ios_router *a = load(text, size, NULL);
    print(a, &first);
    struct ios_router *b = load(text_str(&first), first.size, &errors);
    print(b, &second);
    if (errors.size)
        fail_msg("what is printed is refused:\n%s%s", text_str(&errors), text_str(&first));
    if (strcmp(text_str(&first), text_str(&second)) != 0) {
        fprintf(stderr, "printed:\n%s\nloaded and printed:\n%s", text_str(&first),
                text_str(&second));
        fail();
    }
    const struct bgp_config *x = ios_bgp_config(a, NULL), *y = ios_bgp_config(b, NULL);
    const char *what = x && y ? difference(x, y) : x || y ? "BGP runs on one of them" : NULL;
    if (what)
        fail_msg("%s differs:\n%s", what, text_str(&first));
    text_deinit(&first);
    text_deinit(&second);
    text_deinit(&errors);
    ios_router_free(a);
    ios_router_free(b);
}

/* ---- statements from patterns ---- */

static uint64_t seed = 7;

static uint32_t below(uint32_t n) {
    return (uint32_t)rng_below(&seed, n);
}

/* A number in the pattern's range, mostly a small one, so that statements meet. */
static void put_range(const char *type, struct text *out) {
    uint64_t min = 0, max = 0;
    const char *at = type + 1;
    assert_true(text_read_u64(&at, &min) && *at++ == '-' && text_read_u64(&at, &max));
    uint64_t span = max - min + 1;
    text_printf(out, "%llu", (unsigned long long)(min + rng_below(&seed, span < 9 ? span : 9)));
}

static void put_value(const char *type, struct text *out) {
    static const struct {
        const char *type;
        const char *values[4];
    } VALUES[] = {
        {"<ip4>", {"10.0.0.0", "255.255.0.0", "10.0.0.9", "10.9.0.0"}},
        {"<ip6>", {"2001:db8::9", "2001:db8::1", "::", "fd00::1"}},
        {"<pfx4>", {"10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0", "10.0.0.9/32"}},
        {"<pfx6>", {"2001:db8::/32", "::/0", "fd00::/8", "2001:db8:1::/48"}},
        {"<peer>", {"10.0.0.2", "10.0.0.3", "2001:db8::2", "G1"}},
        {"<asn>", {"65000", "65001", "1.5", "4200000001"}},
        {"<comm>", {"65000:1", "65000:2", "4227858532", "1:1"}},
        {"<cid>", {"1", "10.0.0.1", "77", "0.0.0.9"}},
        {"<metric>", {"5", "+7", "-3", "0"}},
        {"<if>", {"gi0/0", "lo 0", "GigabitEthernet0/1", "Null0"}},
        {"<word>", {"A", "B", "G1", "fd00::1/64"}},
        {"<line>", {"some words", "7 more", "65000_", "x"}},
    };
    for (size_t i = 0; i < sizeof VALUES / sizeof *VALUES; i++)
        if (strncmp(type, VALUES[i].type, strlen(VALUES[i].type)) == 0) {
            text_puts(out, VALUES[i].values[below(4)]);
            return;
        }
    put_range(type, out);
}

/* The end of the group that begins at `p`; recursion is over the patterns' nesting. */
static const char *skip_group(const char *p) {
    for (p++; *p && !strchr("]})", *p); p++)
        if (strchr("[{(", *p))
            p = skip_group(p);
    return p;
}

static const char *expand(const char *p, struct text *out);

/* One of the alternatives of a group, chosen at random. */
static void expand_group(const char *p, struct text *out) {
    const char *starts[64], *end = skip_group(p);
    size_t count = 0;
    starts[count++] = p + 1;
    for (const char *c = p + 1; c < end; c++) {
        if (strchr("[{(", *c))
            c = skip_group(c);
        else if (*c == '|' && count < 64)
            starts[count++] = c + 1;
    }
    expand(starts[below((uint32_t)count)], out);
}

static const char *expand(const char *p, struct text *out) {
    while (*p && !strchr("]})|", *p)) {
        if (*p == ' ' || *p == '~' || *p == '.') {
            if (*p == ' ')
                text_putc(out, ' ');
            p++;
        } else if (strchr("[{(", *p)) {
            uint32_t times = *p == '{' ? 1 : *p == '[' ? below(2) : below(3);
            for (uint32_t i = 0; i < times; i++) {
                text_putc(out, ' ');
                expand_group(p, out);
            }
            p = skip_group(p) + 1;
        } else if (*p == '<') {
            put_value(p, out);
            p = strchr(p, '>') + 1;
        } else {
            text_putc(out, *p++);
        }
    }
    return p;
}

/* How to come to a mode. */
static const struct {
    enum ios_mode mode;
    const char *lines;
} HEADERS[] = {
    {IOS_CONFIG, ""},
    {IOS_BGP, "router bgp 65000\n"},
    {IOS_BGP_AF, "router bgp 65000\naddress-family ipv4\n"},
    {IOS_BGP_AF, "router bgp 65000\naddress-family ipv6\n"},
    {IOS_PEER_SESSION, "router bgp 65000\ntemplate peer-session A\n"},
    {IOS_PEER_POLICY, "router bgp 65000\ntemplate peer-policy B\n"},
    {IOS_ROUTE_MAP, "route-map A permit 10\n"},
    {IOS_INTERFACE, "interface Loopback0\n"},
    {IOS_TTY, "line vty 0 4\n"},
    {IOS_ACL, "ip access-list standard A\n"},
};
#define HEADERS_COUNT (sizeof HEADERS / sizeof *HEADERS)

static void put_statement(const struct ios_row *row, struct text *out) {
    size_t from = below(HEADERS_COUNT), i = from;
    do
        i = (i + 1) % HEADERS_COUNT;
    while (!(row->modes & HEADERS[i].mode) && i != from);
    if (!(row->modes & HEADERS[i].mode))
        return;
    text_puts(out, HEADERS[i].lines);
    uint32_t form = below(16);
    text_puts(out, form == 0 ? "no " : form == 1 ? "default " : "");
    expand(row->pattern, out);
    text_puts(out, "\nend\n");
}

static bool is_statement(const struct ios_row *row) {
    return !(row->flags & ROW_ACTION) && !(row->modes & (IOS_EXEC | IOS_OPAQUE)) &&
           strncmp(row->pattern, "banner ", 7) != 0;
}

/* Neighbours of both families and a group, so that options have somebody to belong to. */
static const char BEGIN[] =
    "router bgp 65000\nneighbor G1 peer-group\nneighbor G1 remote-as 65000\n"
    "neighbor 10.0.0.2 remote-as 65001\n"
    "neighbor 10.0.0.3 peer-group G1\n"
    "neighbor 2001:db8::2 remote-as 65000\nend\n";

/* Every statement of the grammar alone, in many forms. Those that could never be said are listed:
 * a row nobody can reach would make the table lie. */
static void every_statement_round_trips(void **state) {
    (void)state;
    for (uint16_t i = 0; i < ios_row_count; i++) {
        if (!is_statement(&ios_rows[i]))
            continue;
        bool taken = false;
        for (unsigned n = 0; n < 12; n++) {
            struct text text, errors;
            text_init(&text);
            text_init(&errors);
            text_puts(&text, BEGIN);
            put_statement(&ios_rows[i], &text);
            struct ios_router *r = load(text_str(&text), text.size, &errors);
            taken |= errors.size == 0;
            ios_router_free(r);
            assert_round_trip(text_str(&text), text.size);
            text_deinit(&text);
            text_deinit(&errors);
        }
        if (!taken)
            fail_msg("no form of this was taken: %s", ios_rows[i].pattern);
    }
}

/* A line with one statement is no flattened configuration, whatever the statement. */
static void no_statement_is_split(void **state) {
    (void)state;
    for (uint16_t i = 0; i < ios_row_count; i++)
        for (unsigned n = 0; is_statement(&ios_rows[i]) && n < 12; n++) {
            struct text text, out;
            text_init(&text);
            text_init(&out);
            put_statement(&ios_rows[i], &text);
            if (ios_unflatten(text_str(&text), text.size, &out))
                fail_msg("%s became\n%s", text_str(&text), text_str(&out));
            text_deinit(&text);
            text_deinit(&out);
        }
}

static void mixed_statements_round_trip(void **state) {
    (void)state;
    for (unsigned run = 0; run < 250; run++) {
        struct text text;
        text_init(&text);
        text_puts(&text, BEGIN);
        for (unsigned n = 0; n < 60;) {
            const struct ios_row *row = &ios_rows[below(ios_row_count)];
            bool bgp = row->modes & (IOS_BGP | IOS_BGP_AF | IOS_ROUTE_MAP | IOS_PEER_POLICY);
            if (!is_statement(row) || (!bgp && below(4)))
                continue;
            put_statement(row, &text);
            n++;
        }
        assert_round_trip(text_str(&text), text.size);
        text_deinit(&text);
    }
}

/* ---- what is shipped ---- */

static void shipped_configurations_round_trip(void **state) {
    (void)state;
    glob_t found;
    assert_int_equal(glob("scenarios/*/*/*.ios", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        FILE *f = fopen(found.gl_pathv[i], "re");
        assert_non_null(f);
        char buffer[65536];
        size_t size = fread(buffer, 1, sizeof buffer, f);
        assert_int_equal(ferror(f), 0);
        assert_in_range(size, 1, sizeof buffer - 1);
        fclose(f);
        assert_round_trip(buffer, size);
    }
    assert_in_range(found.gl_pathc, 10, 10000);
    globfree(&found);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_statement_round_trips),
        cmocka_unit_test(no_statement_is_split),
        cmocka_unit_test(mixed_statements_round_trip),
        cmocka_unit_test(shipped_configurations_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
