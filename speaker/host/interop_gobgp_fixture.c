/*
 * GoBGP as a peer: gobgpd without zebra, so its routes stay out of the kernel.
 *
 * Owns its configuration and the calls of its command line tool, whose JSON holds attributes by
 * their codes. Its routes are added by the tool as well and are gone with the process.
 */
#include "interop_fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ARGUMENTS_MAX 24

/* ---- configuration ---- */

static void put_neighbor(struct text *c, const struct setup *s, const struct neighbor *n, int f) {
    text_printf(c,
                "[[neighbors]]\n  [neighbors.config]\n    neighbor-address = \"%s\"\n"
                "    peer-as = %u\n",
                interop_addr(n->node, f), n->as);
    if (n->password)
        text_printf(c, "    auth-password = \"%s\"\n", n->password);
    text_printf(c,
                "  [neighbors.transport.config]\n    local-address = \"%s\"\n"
                "    passive-mode = %s\n",
                interop_addr(s->node, f), n->passive ? "true" : "false");
    text_puts(c, "  [neighbors.timers.config]\n    connect-retry = 1\n"
                 "  [neighbors.graceful-restart.config]\n    enabled = true\n"
                 "    restart-time = 60\n");
    if (n->as != s->as)
        text_puts(c, "  [neighbors.ebgp-multihop.config]\n    enabled = true\n"
                     "    multihop-ttl = 64\n");
    if (n->rr_client)
        text_printf(c,
                    "  [neighbors.route-reflector.config]\n    route-reflector-client = true\n"
                    "    route-reflector-cluster-id = \"10.9.9.%d\"\n",
                    s->node + 1);
    text_printf(c,
                "  [[neighbors.afi-safis]]\n    [neighbors.afi-safis.config]\n"
                "      afi-safi-name = \"%s\"\n"
                "    [neighbors.afi-safis.mp-graceful-restart.config]\n      enabled = true\n",
                f == V4 ? "ipv4-unicast" : "ipv6-unicast");
    if (n->add_path)
        text_puts(c, "    [neighbors.afi-safis.add-paths.config]\n      receive = true\n"
                     "      send-max = 8\n");
}

/* ---- the tool ---- */

/* Words separated by blanks, behind "gobgp"; false: it failed. */
static bool tool(int node, const char *words, struct text *ret_answer) {
    char binary[512], copy[512], *rest = copy, *argv[ARGUMENTS_MAX] = {binary};
    int count = 1;
    snprintf(binary, sizeof binary, "%s", interop_path(&program_gobgp, "usr/bin/gobgp"));
    snprintf(copy, sizeof copy, "%s", words);
    while (count < ARGUMENTS_MAX - 1 && (argv[count] = strsep(&rest, " ")))
        count++;
    return nodes_capture(node, argv, ret_answer) == 0;
}

static void act(int node, const char *words) {
    struct text answer;
    text_init(&answer);
    if (!tool(node, words, &answer))
        fail_msg("gobgp %s: %s", words, text_str(&answer));
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

static bool serves(int node) {
    struct text answer;
    text_init(&answer);
    bool ok = tool(node, "global", &answer);
    text_deinit(&answer);
    return ok;
}

static void gobgp_announce(int node, int family, bool present) {
    char words[200];
    snprintf(words, sizeof words, "global rib %s %s%s -a ipv%d", present ? "add" : "del",
             interop_prefix(node, family, false), present ? " origin igp" : "",
             family == V4 ? 4 : 6);
    act(node, words);
}

static void announce_rich(int node, int family) {
    char words[300];
    snprintf(words, sizeof words,
             "global rib add %s origin egp aspath 65010 med 70 local-pref 170 "
             "community 64512:1,64512:2 large-community 64512:3:4 -a ipv%d",
             interop_prefix(node, family, true), family == V4 ? 4 : 6);
    act(node, words);
}

static struct setup started[NODES_MAX];

static void put_config(const struct setup *s, bool neighbors) {
    char conf[64];
    struct text c;
    text_init(&c);
    text_printf(&c, "[global.config]\n  as = %u\n  router-id = \"10.0.0.%u\"\n", s->as,
                s->last_id ? s->last_id : (unsigned)s->node + 1);
    for (unsigned i = 0; i < s->neighbor_count && neighbors; i++)
        for (int f = 0; f < FAMILIES; f++)
            put_neighbor(&c, s, &s->neighbors[i], f);
    snprintf(conf, sizeof conf, "/run/%d.toml", s->node);
    interop_write(conf, text_str(&c));
    text_deinit(&c);
}

static void gobgp_start(const struct setup *s) {
    char binary[512], conf[64];
    started[s->node] = *s;
    put_config(s, true);
    snprintf(conf, sizeof conf, "/run/%d.toml", s->node);
    snprintf(binary, sizeof binary, "%s", interop_path(&program_gobgp, "usr/bin/gobgpd"));
    char *argv[] = {binary,
                    (char *)(uintptr_t) "-f",
                    conf,
                    (char *)(uintptr_t) "--api-hosts=127.0.0.1:50051",
                    (char *)(uintptr_t) "--pprof-disable",
                    s->restarted ? (char *)(uintptr_t) "-r" : NULL,
                    NULL};
    interop_spawn(&program_gobgp, s->node, 0, argv);
    UNTIL(serves(s->node));
    for (int f = 0; f < FAMILIES; f++) {
        if (!s->rich_only)
            gobgp_announce(s->node, f, true);
        announce_rich(s->node, f);
    }
}

static void gobgp_kill(int node) {
    interop_kill(node, 0);
}

/* ---- looking ---- */

#define GOBGP_ESTABLISHED 6 /* of its session_state */

static bool gobgp_established(int node, int family, int neighbor) {
    char words[96];
    snprintf(words, sizeof words, "-j neighbor %s", interop_addr(neighbor, family));
    json_t *json = ask(node, words);
    json_t *peer = json_is_array(json) ? json_array_get(json, 0) : json;
    bool up = json_integer_value(json_object_get(json_object_get(peer, "state"),
                                                 "session_state")) == GOBGP_ESTABLISHED;
    json_decref(json);
    return up;
}

static const json_t *attribute(const json_t *path, int code) {
    size_t i;
    json_t *a;
    json_array_foreach(json_object_get(path, "attrs"), i,
                       a) if (json_integer_value(json_object_get(a, "type")) == code) return a;
    return NULL;
}

static long long number(const json_t *in, const char *member) {
    return (long long)json_integer_value(json_object_get(in, member));
}

#define AS_SET 1

static void put_as_path(struct text *out, const json_t *path) {
    const json_t *segments = json_object_get(attribute(path, 2), "as_paths");
    text_puts(out, " as_path=");
    for (size_t i = 0; i < json_array_size(segments); i++) {
        const json_t *segment = json_array_get(segments, i),
                     *asns = json_object_get(segment, "asns");
        bool set = number(segment, "segment_type") == AS_SET;
        text_puts(out, i ? " " : "");
        text_puts(out, set ? "{" : "");
        for (size_t k = 0; k < json_array_size(asns); k++)
            text_printf(out,
                        !k    ? "%lld"
                        : set ? ",%lld"
                              : " %lld",
                        (long long)json_integer_value(json_array_get(asns, k)));
        text_puts(out, set ? "}" : "");
    }
}

static void put_communities(struct text *out, const json_t *path) {
    const json_t *list = json_object_get(attribute(path, 8), "communities");
    for (size_t i = 0; i < json_array_size(list); i++) {
        long long c = (long long)json_integer_value(json_array_get(list, i));
        text_printf(out, "%s%lld:%lld", i ? " " : " communities=", c >> 16, c & 65535);
    }
}

static void put_large(struct text *out, const json_t *path) {
    const json_t *list = json_object_get(attribute(path, 32), "value");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *c = json_array_get(list, i);
        text_printf(out, "%s%lld:%lld:%lld", i ? " " : " large=", number(c, "ASN"),
                    number(c, "LocalData1"), number(c, "LocalData2"));
    }
}

/* An attribute of a code nobody knows, in base64. */
static void put_unknown(struct text *out, const json_t *path) {
    const json_t *u = attribute(path, 213);
    const char *value = json_string_value(json_object_get(u, "value"));
    if (!u)
        return;
    text_printf(out, " unknown=213:%s%s", value && strcmp(value, "yv4=") == 0 ? "cafe" : value,
                number(u, "flags") & 0x20 ? "" : " not-partial");
}

static void put_rare(struct text *out, const json_t *path) {
    const json_t *aggregator = attribute(path, 7);
    const json_t *list = json_object_get(attribute(path, 16), "value");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *c = json_array_get(list, i);
        text_printf(out, "%s%s:%s", i ? " " : " ext=",
                    number(c, "type") == 0 && number(c, "subtype") == 2 ? "rt" : "other",
                    json_string_value(json_object_get(c, "value")));
    }
    if (aggregator)
        text_printf(out, " aggregator=%lld:%s", number(aggregator, "as"),
                    json_string_value(json_object_get(aggregator, "address")));
    if (attribute(path, 6))
        text_puts(out, " atomic");
    put_unknown(out, path);
}

static void put_path(struct text *out, const json_t *path) {
    static const char *const origins[] = {"igp", "egp", "incomplete"};
    const json_t *hop = attribute(path, 14), *clusters = attribute(path, 10);
    text_printf(out, "origin=%s", origins[number(attribute(path, 1), "value") % 3]);
    put_as_path(out, path);
    text_printf(out, " next_hop=%s",
                json_string_value(json_object_get(hop ? hop : attribute(path, 3), "nexthop")));
    if (attribute(path, 4))
        text_printf(out, " med=%lld", number(attribute(path, 4), "metric"));
    if (attribute(path, 5))
        text_printf(out, " local_pref=%lld", number(attribute(path, 5), "value"));
    put_communities(out, path);
    put_large(out, path);
    if (attribute(path, 9))
        text_printf(out, " originator=%s",
                    json_string_value(json_object_get(attribute(path, 9), "value")));
    clusters = json_object_get(clusters, "value");
    for (size_t i = 0; i < json_array_size(clusters); i++)
        text_printf(out, "%s%s",
                    i ? " " : " clusters=", json_string_value(json_array_get(clusters, i)));
    put_rare(out, path);
}

static json_t *ask_prefix(int node, const char *prefix) {
    char words[96];
    snprintf(words, sizeof words, "-j global rib %s -a ipv%d", prefix, strchr(prefix, ':') ? 6 : 4);
    return ask(node, words);
}

static void gobgp_paths(int node, const char *prefix, struct text *out) {
    json_t *json = ask_prefix(node, prefix), *path;
    size_t i;
    json_array_foreach(json_object_get(json, prefix), i, path) {
        put_path(out, path);
        text_putc(out, '\n');
    }
    json_decref(json);
}

/* From its log: it counts none. */
static uint64_t gobgp_sessions(int node, int family, int neighbor) {
    char path[64], key[64];
    snprintf(path, sizeof path, "/run/%d.0.out", node);
    snprintf(key, sizeof key, "\"%s\"", interop_addr(neighbor, family));
    return interop_lines(path, "Peer Up", key);
}

static bool gobgp_route(int node, const char *prefix, struct text *ret_route) {
    json_t *json = ask_prefix(node, prefix);
    const json_t *path = json_array_get(json_object_get(json, prefix), 0); /* the best is first */
    bool found = path != NULL;
    if (found)
        put_path(ret_route, path);
    json_decref(json);
    return found;
}

/* It would be idle for five seconds and more after a session; a neighbour that is taken out of the
 * configuration and put back calls at once. */
static void gobgp_reset(int node, int neighbor) {
    (void)neighbor;
    put_config(&started[node], false);
    kill(interop_pid(node, 0), SIGHUP);
}

static bool knows(int node, int neighbor) {
    bool any = false;
    for (int f = 0; f < FAMILIES; f++) {
        struct text answer;
        char words[96];
        text_init(&answer);
        snprintf(words, sizeof words, "neighbor %s", interop_addr(neighbor, f));
        any = tool(node, words, &answer) || any;
        text_deinit(&answer);
    }
    return any;
}

static void gobgp_revive(int node, int neighbor) {
    gobgp_reset(node, neighbor);
    UNTIL(!knows(node, neighbor));
    put_config(&started[node], true);
    kill(interop_pid(node, 0), SIGHUP);
}

const struct program program_gobgp = {
    .name = "gobgpd",
    .title = "GoBGP 3.10",
    .lacks = CAN_COLLIDE,
    .reflects_own = true,
    .start = gobgp_start,
    .kill = gobgp_kill,
    .established = gobgp_established,
    .route = gobgp_route,
    .paths = gobgp_paths,
    .sessions = gobgp_sessions,
    .announce = gobgp_announce,
    .reset = gobgp_reset,
    .revive = gobgp_revive,
};
