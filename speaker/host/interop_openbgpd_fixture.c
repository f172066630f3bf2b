/*
 * OpenBGPD as a peer, in its portable form: it leaves the kernel's table alone.
 *
 * Owns its configuration and the calls of bgpctl, whose JSON shows MED 0 where there is none. It
 * is a process with three children that end with it.
 */
#include "interop_fixture.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define ARGUMENTS_MAX 12

/* ---- configuration ---- */

static void put_networks(struct text *c, const struct setup *s, int f) {
    if (!s->rich_only)
        text_printf(c, "network %s\n", interop_prefix(s->node, f, false));
    text_printf(c,
                "network %s set { origin egp med 70 localpref 170 community 64512:1 "
                "community 64512:2 large-community 64512:3:4 }\n",
                interop_prefix(s->node, f, true));
}

static void put_neighbor(struct text *c, const struct setup *s, const struct neighbor *n, int f) {
    text_printf(c, "neighbor %s {\n  remote-as %u\n  local-address %s\n", interop_addr(n->node, f),
                n->as, interop_addr(s->node, f));
    text_printf(c, "  announce IPv4 %s\n  announce IPv6 %s\n", f == V4 ? "unicast" : "none",
                f == V6 ? "unicast" : "none");
    text_puts(c, "  announce restart yes\n  enforce neighbor-as no\n");
    if (n->add_path)
        text_puts(c, "  announce add-path recv yes\n  announce add-path send all\n");
    if (n->as != s->as)
        text_puts(c, "  multihop 64\n");
    if (n->passive)
        text_puts(c, "  passive\n");
    if (n->password)
        text_printf(c, "  tcp md5sig password %s\n", n->password);
    if (n->rr_client)
        text_printf(c, "  route-reflector 10.9.9.%d\n", s->node + 1);
    text_puts(c, "}\n");
}

static void put_config(struct text *c, const struct setup *s) {
    text_printf(c,
                "AS %u\nrouter-id 10.0.0.%u\nsocket \"/run/openbgpd.%d\"\nfib-update no\n"
                "connect-retry 1\nlisten on %s\nlisten on %s\n",
                s->as, s->last_id ? s->last_id : (unsigned)s->node + 1, s->node,
                interop_addr(s->node, V4), interop_addr(s->node, V6));
    for (int f = 0; f < FAMILIES; f++)
        put_networks(c, s, f);
    for (unsigned i = 0; i < s->neighbor_count; i++)
        for (int f = 0; f < FAMILIES; f++)
            put_neighbor(c, s, &s->neighbors[i], f);
    text_puts(c, "allow from any\nallow to any\n");
}

/* ---- bgpctl ---- */

/* Words separated by blanks, behind the socket; false: it failed. */
static bool tool(int node, const char *words, struct text *ret_answer) {
    char binary[512], path[64], copy[256], *rest = copy;
    char *argv[ARGUMENTS_MAX] = {binary, (char *)(uintptr_t) "-s", path};
    int count = 3;
    snprintf(binary, sizeof binary, "%s", interop_path(&program_openbgpd, "usr/sbin/bgpctl"));
    snprintf(path, sizeof path, "/run/openbgpd.%d", node);
    snprintf(copy, sizeof copy, "%s", words);
    while (count < ARGUMENTS_MAX - 1 && (argv[count] = strsep(&rest, " ")))
        count++;
    return nodes_capture(node, argv, ret_answer) == 0;
}

static void act(int node, const char *verb, const char *address, const char *behind) {
    char words[128];
    struct text answer;
    text_init(&answer);
    snprintf(words, sizeof words, "%s %s%s", verb, address, behind);
    if (!tool(node, words, &answer))
        fail_msg("bgpctl %s: %s", words, text_str(&answer));
    text_deinit(&answer);
}

static json_t *ask(int node, const char *words) {
    struct text answer;
    text_init(&answer);
    json_t *json = tool(node, words, &answer) ? json_loads(text_str(&answer), 0, NULL) : NULL;
    text_deinit(&answer);
    return json;
}

/* ---- running ---- */

/* Both of its engines, that of sessions and that of routes, answer. */
static bool serves(int node) {
    json_t *sessions = ask(node, "-j show summary");
    json_t *routes = sessions ? ask(node, "-j show rib memory") : NULL;
    bool ok = routes != NULL;
    json_decref(sessions);
    json_decref(routes);
    return ok;
}

static void openbgpd_start(const struct setup *s) {
    char binary[512], conf[64];
    struct text c;
    text_init(&c);
    put_config(&c, s);
    snprintf(conf, sizeof conf, "/run/openbgpd.%d.conf", s->node);
    snprintf(binary, sizeof binary, "%s", interop_path(&program_openbgpd, "usr/sbin/bgpd"));
    interop_write(conf, text_str(&c));
    assert_int_equal(chmod(conf, 0600), 0); /* it insists */
    text_deinit(&c);
    char *argv[] = {binary, (char *)(uintptr_t) "-dv", (char *)(uintptr_t) "-f", conf, NULL};
    interop_spawn(&program_openbgpd, s->node, 0, argv);
    UNTIL(serves(s->node));
}

/* Its children notice, and only then are sockets free again. */
static void openbgpd_kill(int node) {
    interop_kill(node, 0);
    UNTIL(!serves(node));
}

/* ---- looking ---- */

static bool openbgpd_established(int node, int family, int neighbor) {
    char words[96];
    snprintf(words, sizeof words, "-j show neighbor %s", interop_addr(neighbor, family));
    json_t *json = ask(node, words);
    const char *state = json_string_value(
        json_object_get(json_array_get(json_object_get(json, "neighbors"), 0), "state"));
    bool up = state && strcmp(state, "Established") == 0;
    json_decref(json);
    return up;
}

static void put_list(struct text *out, const json_t *path, const char *member, const char *name) {
    const json_t *list = json_object_get(path, member);
    for (size_t i = 0; i < json_array_size(list); i++)
        text_printf(out, i ? " %s" : " %s=%s",
                    i ? json_string_value(json_array_get(list, i)) : name,
                    json_string_value(json_array_get(list, i)));
}

/* The attribute that has this member, of those shown by their types; NULL: none. */
static const json_t *attribute(const json_t *path, const char *member) {
    const json_t *list = json_object_get(path, "attributes");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_object_get(json_array_get(list, i), member))
            return json_array_get(list, i);
    return NULL;
}

static bool is_atomic(const json_t *path) {
    const json_t *list = json_object_get(path, "attributes");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(json_string_value(json_object_get(json_array_get(list, i), "type")),
                   "Atomic Aggregate") == 0)
            return true;
    return false;
}

static void put_rare(struct text *out, const json_t *path) {
    const json_t *list = json_object_get(path, "extended_communities");
    const json_t *aggregator = attribute(path, "AS"), *unknown = attribute(path, "data");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *c = json_string_value(json_array_get(list, i)); /* "rt 65077:100" */
        size_t kind = strcspn(c, " ");
        text_printf(out, "%s%.*s:%s", i ? " " : " ext=", (int)kind, c, c + kind + (c[kind] == ' '));
    }
    if (aggregator)
        text_printf(out, " aggregator=%lld:%s",
                    (long long)json_integer_value(json_object_get(aggregator, "AS")),
                    json_string_value(json_object_get(aggregator, "router_id")));
    if (is_atomic(path))
        text_puts(out, " atomic");
    if (unknown)
        text_printf(out, " unknown=%s:%s%s",
                    strchr(json_string_value(json_object_get(unknown, "type")), '#') + 1,
                    json_string_value(json_object_get(unknown, "data")),
                    json_is_true(json_object_get(json_object_get(unknown, "flags"), "partial"))
                        ? ""
                        : " not-partial");
}

static void put_path(struct text *out, const json_t *path) {
    const char *origin = json_string_value(json_object_get(path, "origin"));
    long long med = (long long)json_integer_value(json_object_get(path, "metric"));
    const char *originator =
        json_string_value(json_object_get(attribute(path, "originator"), "originator"));
    text_puts(out, "origin=");
    interop_put_lower(out, origin ? origin : "");
    text_puts(out, " as_path=");
    interop_put_as_path(out, json_string_value(json_object_get(path, "aspath")));
    text_printf(out, " next_hop=%s", json_string_value(json_object_get(path, "exit_nexthop")));
    if (med)
        text_printf(out, " med=%lld", med);
    text_printf(out, " local_pref=%lld",
                (long long)json_integer_value(json_object_get(path, "localpref")));
    put_list(out, path, "communities", "communities");
    put_list(out, path, "large_communities", "large");
    if (originator)
        text_printf(out, " originator=%s", originator);
    put_list(out, attribute(path, "cluster_list"), "cluster_list", "clusters");
    put_rare(out, path);
}

static json_t *ask_prefix(int node, const char *prefix) {
    char words[96];
    snprintf(words, sizeof words, "-j show rib detail %s", prefix);
    return ask(node, words);
}

static void openbgpd_paths(int node, const char *prefix, struct text *out) {
    json_t *json = ask_prefix(node, prefix), *path;
    size_t i;
    json_array_foreach(json_object_get(json, "rib"), i, path) {
        put_path(out, path);
        text_putc(out, '\n');
    }
    json_decref(json);
}

static bool openbgpd_route(int node, const char *prefix, struct text *ret_route) {
    size_t i;
    json_t *path;
    bool found = false;
    json_t *json = ask_prefix(node, prefix);
    json_array_foreach(json_object_get(json, "rib"), i, path) {
        if (found || !json_is_true(json_object_get(path, "best")))
            continue;
        put_path(ret_route, path);
        found = true;
    }
    json_decref(json);
    return found;
}

/* From its log: it counts none. */
static uint64_t openbgpd_sessions(int node, int family, int neighbor) {
    char path[64], name[80];
    snprintf(path, sizeof path, "/run/%d.0.out", node);
    snprintf(name, sizeof name, "neighbor %s: ", interop_addr(neighbor, family));
    return interop_lines(path, name, "-> Established");
}

/* ---- acting ---- */

static void openbgpd_announce(int node, int family, bool present) {
    act(node, present ? "network add" : "network delete", interop_prefix(node, family, false), "");
}

static void openbgpd_refresh(int node, int family, int neighbor) {
    act(node, "neighbor", interop_addr(neighbor, family), " refresh");
}

static void each_session(int node, int neighbor, const char *verb) {
    for (int f = 0; f < FAMILIES; f++)
        act(node, "neighbor", interop_addr(neighbor, f), verb);
}

static void openbgpd_reset(int node, int neighbor) {
    each_session(node, neighbor, " down");
}

/* Or it would be idle for half a minute. */
static void openbgpd_revive(int node, int neighbor) {
    each_session(node, neighbor, " up");
}

const struct program program_openbgpd = {
    .name = "openbgpd",
    .title = "OpenBGPD 7.7",
    .lacks = CAN_COLLIDE | CAN_RESTART | CAN_SIGN_PASSIVE,
    .keeps_routes = true,
    .local_pref_external = true,
    .no_path = true,
    .start = openbgpd_start,
    .kill = openbgpd_kill,
    .established = openbgpd_established,
    .route = openbgpd_route,
    .paths = openbgpd_paths,
    .sessions = openbgpd_sessions,
    .announce = openbgpd_announce,
    .refresh = openbgpd_refresh,
    .reset = openbgpd_reset,
    .revive = openbgpd_revive,
};
