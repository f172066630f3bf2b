/*
 * FRR as a peer: zebra and bgpd.
 *
 * Owns their configuration and the talk over bgpd's own terminal socket (vtysh would want PAM): a
 * command ends with a NUL, its answer with three NULs and a status byte. A crash is bgpd's alone,
 * as when its watchdog restarts it.
 */
#include "interop_fixture.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { BGPD, ZEBRA };

static const char *folder_of(int node) {
    static char path[32];
    snprintf(path, sizeof path, "/run/frr%d", node);
    return path;
}

/* ---- configuration ---- */

static void put_neighbor(struct text *c, const struct setup *s, const struct neighbor *n, int f) {
    const char *a = interop_addr(n->node, f);
    text_printf(c, " neighbor %s remote-as %u\n neighbor %s update-source %s\n", a, n->as, a,
                interop_addr(s->node, f));
    text_printf(c, " neighbor %s timers connect 1\n neighbor %s advertisement-interval 0\n", a, a);
    text_printf(c, " neighbor %s disable-connected-check\n", a);
    if (n->as != s->as)
        text_printf(c, " neighbor %s ebgp-multihop 64\n", a);
    if (n->passive)
        text_printf(c, " neighbor %s passive\n", a);
    if (n->password)
        text_printf(c, " neighbor %s password %s\n", a, n->password);
}

static void put_family(struct text *c, const struct setup *s, int f) {
    text_printf(c, " address-family %s unicast\n", f == V4 ? "ipv4" : "ipv6");
    if (!s->rich_only)
        text_printf(c, "  network %s\n", interop_prefix(s->node, f, false));
    text_printf(c, "  network %s route-map RICH\n", interop_prefix(s->node, f, true));
    for (unsigned i = 0; i < s->neighbor_count; i++) {
        const struct neighbor *n = &s->neighbors[i];
        text_printf(c, "  neighbor %s activate\n", interop_addr(n->node, f));
        if (n->add_path)
            text_printf(c, "  neighbor %s addpath-tx-all-paths\n", interop_addr(n->node, f));
        if (n->rr_client)
            text_printf(c, "  neighbor %s route-reflector-client\n", interop_addr(n->node, f));
    }
    text_puts(c, " exit-address-family\n");
}

static void put_config(struct text *c, const struct setup *s) {
    /* Before its use: bgpd looks at a route map that comes later only seconds later. */
    text_puts(c, "route-map RICH permit 10\n set origin egp\n set metric 70\n"
                 " set local-preference 170\n set as-path prepend 65010\n"
                 " set community 64512:1 64512:2\n set large-community 64512:3:4\nexit\n");
    text_printf(c, "hostname n%d\nrouter bgp %u\n bgp router-id 10.0.0.%u\n", s->node, s->as,
                s->last_id ? s->last_id : (unsigned)s->node + 1);
    text_printf(c, " bgp cluster-id 10.9.9.%d\n", s->node + 1);
    text_puts(c, " no bgp ebgp-requires-policy\n no bgp network import-check\n"
                 " no bgp default ipv4-unicast\n bgp graceful-restart\n"
                 " bgp graceful-restart preserve-fw-state\n");
    for (unsigned i = 0; i < s->neighbor_count; i++)
        for (int f = 0; f < FAMILIES; f++)
            put_neighbor(c, s, &s->neighbors[i], f);
    put_family(c, s, V4);
    put_family(c, s, V6);
}

/* ---- running ---- */

static void launch(const struct setup *s, int slot, const char *file, const char *config) {
    char binary[512], path[4][64], folder[32];
    snprintf(folder, sizeof folder, "%s", folder_of(s->node));
    snprintf(path[0], sizeof path[0], "%s/%d.conf", folder, slot);
    snprintf(path[1], sizeof path[1], "%s/%d.pid", folder, slot);
    snprintf(path[2], sizeof path[2], "%s/zserv.api", folder);
    snprintf(binary, sizeof binary, "%s", interop_path(&program_frr, file));
    interop_write(path[0], config);
    char *argv[] = {binary,
                    (char *)(uintptr_t) "-uroot",
                    (char *)(uintptr_t) "-groot",
                    (char *)(uintptr_t) "-P0",
                    (char *)(uintptr_t) "-f",
                    path[0],
                    (char *)(uintptr_t) "-i",
                    path[1],
                    (char *)(uintptr_t) "-z",
                    path[2],
                    (char *)(uintptr_t) "--vty_socket",
                    folder,
                    NULL};
    interop_spawn(&program_frr, s->node, slot, argv);
    snprintf(path[3], sizeof path[3], "%s/%s.vty", folder, slot == BGPD ? "bgpd" : "zebra");
    close(interop_connect(path[3]));
}

static void frr_start(const struct setup *s) {
    struct text c;
    text_init(&c);
    put_config(&c, s);
    mkdir(folder_of(s->node), 0755);
    if (!interop_pid(s->node, ZEBRA))
        launch(s, ZEBRA, "usr/lib/frr/zebra", "hostname z\n");
    launch(s, BGPD, "usr/lib/frr/bgpd", text_str(&c));
    text_deinit(&c);
}

static void frr_kill(int node) {
    interop_kill(node, BGPD);
}

/* ---- talking ---- */

static bool complete(const struct text *t) {
    return t->size >= 4 && memcmp(t->data + t->size - 4, "\0\0\0", 3) == 0;
}

static void say(int fd, const char *line, struct text *ret_answer) {
    char buffer[4096];
    text_clear(ret_answer);
    assert_int_equal(write(fd, line, strlen(line) + 1), (ssize_t)strlen(line) + 1);
    while (!complete(ret_answer)) {
        ssize_t got = read(fd, buffer, sizeof buffer);
        if (got <= 0)
            fail_msg("bgpd closed its terminal");
        text_put(ret_answer, buffer, (size_t)got);
    }
}

/* Lines separated by ";"; the answer is that of the last. */
static void command(int node, const char *lines, struct text *ret_answer) {
    char path[64], copy[512], *rest = copy, *line;
    snprintf(path, sizeof path, "%s/bgpd.vty", folder_of(node));
    snprintf(copy, sizeof copy, "enable;%s", lines);
    int fd = interop_connect(path);
    while ((line = strsep(&rest, ";")))
        say(fd, line, ret_answer);
    close(fd);
}

static json_t *ask(int node, const char *line) {
    struct text answer;
    text_init(&answer);
    command(node, line, &answer);
    json_t *json = json_loads(text_str(&answer), JSON_DISABLE_EOF_CHECK, NULL);
    text_deinit(&answer);
    return json;
}

static void act(int node, const char *lines) {
    struct text answer;
    text_init(&answer);
    command(node, lines, &answer);
    if (answer.data[answer.size - 1] != 0)
        fail_msg("bgpd: %s: %s", lines, text_str(&answer));
    text_deinit(&answer);
}

static json_t *ask_neighbor(int node, int family, int neighbor) {
    char line[96];
    snprintf(line, sizeof line, "show bgp neighbors %s json", interop_addr(neighbor, family));
    return ask(node, line);
}

static uint64_t frr_sessions(int node, int family, int neighbor) {
    json_t *json = ask_neighbor(node, family, neighbor);
    json_int_t count = json_integer_value(json_object_get(
        json_object_get(json, interop_addr(neighbor, family)), "connectionsEstablished"));
    json_decref(json);
    return (uint64_t)count;
}

static bool frr_established(int node, int family, int neighbor) {
    json_t *json = ask_neighbor(node, family, neighbor);
    const char *state = json_string_value(
        json_object_get(json_object_get(json, interop_addr(neighbor, family)), "bgpState"));
    bool up = state && strcmp(state, "Established") == 0;
    json_decref(json);
    return up;
}

static void put_number(struct text *out, const json_t *path, const char *member, const char *name) {
    const json_t *v = json_object_get(path, member);
    if (json_is_integer(v))
        text_printf(out, " %s=%lld", name, (long long)json_integer_value(v));
}

static void put_string(struct text *out, const json_t *path, const char *object, const char *member,
                       const char *name) {
    const json_t *in = object ? json_object_get(path, object) : path;
    const char *v = json_string_value(json_object_get(in, member));
    if (v)
        text_printf(out, " %s=%s", name, v);
}

/* And extended communities, which it writes in capitals. */
static void put_aggregation(struct text *out, const json_t *path) {
    const char *ext =
        json_string_value(json_object_get(json_object_get(path, "extendedCommunity"), "string"));
    const char *id = json_string_value(json_object_get(path, "aggregatorId"));
    if (ext) {
        text_puts(out, " ext=");
        interop_put_lower(out, ext);
    }
    if (id)
        text_printf(out, " aggregator=%lld:%s",
                    (long long)json_integer_value(json_object_get(path, "aggregatorAs")), id);
    if (json_is_true(json_object_get(path, "atomicAggregate")))
        text_puts(out, " atomic");
}

static void put_path(struct text *out, const json_t *path) {
    const char *origin = json_string_value(json_object_get(path, "origin"));
    const json_t *hop = json_array_get(json_object_get(path, "nexthops"), 0);
    const json_t *clusters = json_object_get(json_object_get(path, "clusterList"), "list");
    text_puts(out, "origin=");
    interop_put_lower(out, origin ? origin : "");
    const char *as_path =
        json_string_value(json_object_get(json_object_get(path, "aspath"), "string"));
    text_puts(out, " as_path=");
    interop_put_as_path(out, as_path && strcmp(as_path, "Local") != 0 ? as_path : "");
    put_string(out, hop, NULL, "ip", "next_hop");
    put_number(out, path, "metric", "med");
    put_number(out, path, "locPrf", "local_pref");
    put_string(out, path, "community", "string", "communities");
    put_string(out, path, "largeCommunity", "string", "large");
    put_string(out, path, NULL, "originatorId", "originator");
    for (size_t i = 0; i < json_array_size(clusters); i++)
        text_printf(out, i ? " %s" : " clusters=%s",
                    json_string_value(json_array_get(clusters, i)));
    put_aggregation(out, path);
}

static json_t *ask_prefix(int node, const char *prefix) {
    char line[96];
    snprintf(line, sizeof line, "show bgp %s unicast %s json",
             strchr(prefix, ':') ? "ipv6" : "ipv4", prefix);
    return ask(node, line);
}

static void frr_paths(int node, const char *prefix, struct text *out) {
    json_t *json = ask_prefix(node, prefix), *path;
    size_t i;
    json_array_foreach(json_object_get(json, "paths"), i, path) {
        put_path(out, path);
        text_putc(out, '\n');
    }
    json_decref(json);
}

static bool frr_route(int node, const char *prefix, struct text *ret_route) {
    size_t i;
    json_t *path;
    bool found = false;
    json_t *json = ask_prefix(node, prefix);
    json_array_foreach(json_object_get(json, "paths"), i, path) {
        if (found || !json_object_get(path, "bestpath"))
            continue;
        put_path(ret_route, path);
        found = true;
    }
    json_decref(json);
    return found;
}

static void frr_announce(int node, int family, bool present) {
    char lines[200];
    snprintf(
        lines, sizeof lines, "configure terminal;router bgp;address-family %s unicast;%snetwork %s",
        family == V4 ? "ipv4" : "ipv6", present ? "" : "no ", interop_prefix(node, family, false));
    act(node, lines);
}

static void frr_refresh(int node, int family, int neighbor) {
    char line[96];
    snprintf(line, sizeof line, "clear bgp %s unicast %s soft in", family == V4 ? "ipv4" : "ipv6",
             interop_addr(neighbor, family));
    act(node, line);
}

static void frr_reset(int node, int neighbor) {
    for (int f = 0; f < FAMILIES; f++) {
        char line[96];
        snprintf(line, sizeof line, "clear bgp %s", interop_addr(neighbor, f));
        act(node, line);
    }
}

const struct program program_frr = {
    .name = "frr",
    .title = "FRR 8.4",
    .kernel = true,
    .plain_med = " med=0",
    .hides_unknown = true,
    .claims_restart = true,
    .start = frr_start,
    .kill = frr_kill,
    .established = frr_established,
    .route = frr_route,
    .paths = frr_paths,
    .sessions = frr_sessions,
    .announce = frr_announce,
    .refresh = frr_refresh,
    .reset = frr_reset,
};
