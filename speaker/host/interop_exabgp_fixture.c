/*
 * ExaBGP as a peer: it announces what it is told and reports what it hears; it keeps no routes of
 * others, chooses none and passes none on.
 *
 * Owns its configuration, the helper process that joins its two pipes to a fifo (commands) and a
 * file (events, a JSON object a line), and the tables made of these events. The helper ends when
 * both of its inputs have: the fifo is held open for writing from before the start to the end.
 */
#include "interop_fixture.h"
#include "interop_source_fixture.h"

#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* What a node's process was told and has said. */
static struct instance {
    struct setup setup;
    int commands;   /* the fifo's end; 0: not running */
    FILE *events;   /* read up to the last whole line */
    json_t *routes; /* neighbour's address: {"prefix path identifier": line} */
    json_t *up;     /* neighbour's address: is it established? */
    json_t *counts; /* … how often it was */
} instances[NODES_MAX];

/* ---- configuration ---- */

static void put_route(struct text *c, const struct setup *s, int f, bool rich) {
    text_printf(c, "    route %s next-hop %s", interop_prefix(s->node, f, rich),
                interop_addr(s->node, f));
    if (!rich) {
        text_puts(c, " origin igp;\n");
        return;
    }
    text_puts(c, " origin egp as-path [");
    if (s->neighbors[0].as != s->as)
        text_printf(c, " %u", s->as);
    text_puts(c, " 65010 ] med 70 local-preference 170 community [ 64512:1 64512:2 ]"
                 " large-community [ 64512:3:4 ];\n");
}

static void put_sources(struct text *c, int f, bool several) {
    text_printf(
        c,
        "    route %s next-hop %s origin incomplete as-path [ 65077 4200000077 ( 65101 65102 )"
        " ] med 77 atomic-aggregate aggregator ( 4200000009:10.0.9.9 ) community [ 65077:1 ]"
        " large-community [ 65077:1:2 ] extended-community [ target:65077:100 ]"
        " attribute [ 0xd5 0xe0 0xcafe ]%s;\n",
        source_prefix(f), interop_addr(SOURCE_NODE, f), several ? " path-information 0.0.0.1" : "");
    if (several)
        text_printf(c,
                    "    route %s next-hop %s as-path [ 65078 65101 ] path-information 0.0.0.2;\n",
                    source_prefix(f), interop_addr(SOURCE_NODE + 1, f));
}

static void put_capabilities(struct text *c, const struct neighbor *n) {
    text_printf(c, "  capability { graceful-restart 60; route-refresh enable;%s }\n",
                n->add_path ? " add-path send/receive;" : "");
}

static void put_neighbor(struct text *c, const struct setup *s, const struct neighbor *n, int f) {
    const char *family = f == V4 ? "ipv4" : "ipv6";
    text_printf(c,
                "neighbor %s {\n  router-id 10.0.0.%u;\n  local-address %s;\n  local-as %u;\n"
                "  peer-as %u;\n  listen 179;\n  passive %s;\n  family { %s unicast; }\n",
                interop_addr(n->node, f), s->last_id ? s->last_id : (unsigned)s->node + 1,
                interop_addr(s->node, f), s->as, n->as, n->passive ? "true" : "false", family);
    if (n->password)
        text_printf(c, "  md5-password \"%s\";\n", n->password);
    put_capabilities(c, n);
    text_puts(c, "  api { processes [ pipes ]; neighbor-changes; receive { parsed; update; } }\n"
                 "  static {\n");
    if (!s->rich_only)
        put_route(c, s, f, false);
    put_route(c, s, f, true);
    if (s->sources)
        put_sources(c, f, n->add_path);
    text_puts(c, "  }\n}\n");
}

static void put_config(struct text *c, const struct setup *s) {
    text_printf(c, "process pipes {\n  run /bin/sh /run/%d.pipes;\n  encoder json;\n}\n", s->node);
    for (unsigned i = 0; i < s->neighbor_count; i++)
        for (int f = 0; f < FAMILIES; f++)
            put_neighbor(c, s, &s->neighbors[i], f);
}

/* ---- running ---- */

static void open_pipes(struct instance *e, int node) {
    char path[64], script[160];
    snprintf(path, sizeof path, "/run/%d.events", node);
    interop_write(path, "");
    e->events = fopen(path, "re");
    assert_non_null(e->events);
    snprintf(path, sizeof path, "/run/%d.commands", node);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    e->commands = open(path, O_RDWR | O_CLOEXEC); /* both ways: nobody need read it yet */
    assert_true(e->commands > 0);
    snprintf(script, sizeof script, "cat /run/%d.commands &\nexec cat >>/run/%d.events\n", node,
             node);
    snprintf(path, sizeof path, "/run/%d.pipes", node);
    interop_write(path, script);
}

static void forget(struct instance *e) {
    if (!e->commands)
        return;
    close(e->commands);
    fclose(e->events);
    json_decref(e->routes);
    json_decref(e->up);
    json_decref(e->counts);
    *e = (struct instance){0};
}

static void exabgp_kill(int node) {
    interop_kill(node, 0);
    forget(&instances[node]);
}

static void launch(int node) {
    char home[600], path[600], binary[512], conf[64];
    snprintf(home, sizeof home, "PYTHONHOME=%s", interop_path(&program_exabgp, "usr"));
    snprintf(path, sizeof path, "PYTHONPATH=%s",
             interop_path(&program_exabgp, "usr/lib/python3/dist-packages"));
    snprintf(binary, sizeof binary, "%s", interop_path(&program_exabgp, "usr/bin/python3.11"));
    snprintf(conf, sizeof conf, "/run/%d.exabgp", node);
    char *argv[] = {(char *)(uintptr_t) "env",
                    home,
                    path,
                    (char *)(uintptr_t) "PYTHONDONTWRITEBYTECODE=1",
                    (char *)(uintptr_t) "exabgp_daemon_user=root",
                    (char *)(uintptr_t) "exabgp_daemon_drop=false",
                    (char *)(uintptr_t) "exabgp_api_ack=false",
                    (char *)(uintptr_t) "exabgp_api_cli=false",
                    (char *)(uintptr_t) "exabgp_log_all=true",
                    (char *)(uintptr_t) "exabgp_reactor_speed=0.02",
                    binary,
                    (char *)(uintptr_t) "-m",
                    (char *)(uintptr_t) "exabgp",
                    conf,
                    NULL};
    interop_spawn(&program_exabgp, node, 0, argv);
}

static void exabgp_start(const struct setup *s) {
    struct instance *e = &instances[s->node];
    char conf[64];
    struct text c;
    forget(e); /* of an earlier test */
    *e = (struct instance){
        .setup = *s, .routes = json_object(), .up = json_object(), .counts = json_object()};
    open_pipes(e, s->node);
    text_init(&c);
    put_config(&c, s);
    snprintf(conf, sizeof conf, "/run/%d.exabgp", s->node);
    interop_write(conf, text_str(&c));
    text_deinit(&c);
    launch(s->node);
}

/* ---- what it says ---- */

static const char *text_of(const json_t *object, const char *member) {
    return json_string_value(json_object_get(object, member));
}

/* Values with blanks between them: numbers, texts, and lists of numbers as "64512:1". */
static void put_values(struct text *out, const char *name, const json_t *list) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        text_printf(out, i ? " " : " %s=", name);
        if (json_is_string(v))
            text_puts(out, json_string_value(v));
        if (json_is_integer(v))
            text_printf(out, "%lld", (long long)json_integer_value(v));
        for (size_t k = 0; k < json_array_size(v); k++)
            text_printf(out, k ? ":%lld" : "%lld",
                        (long long)json_integer_value(json_array_get(v, k)));
    }
}

static void put_number(struct text *out, const char *name, const json_t *v) {
    if (v)
        text_printf(out, " %s=%lld", name, (long long)json_integer_value(v));
}

static void put_set(struct text *out, const json_t *set) {
    for (size_t i = 0; i < json_array_size(set); i++)
        text_printf(out, i ? ",%lld" : " {%lld",
                    (long long)json_integer_value(json_array_get(set, i)));
    if (json_array_size(set))
        text_puts(out, "}");
}

static void put_rare(struct text *out, const json_t *a) {
    const json_t *list = json_object_get(a, "extended-community");
    const char *unknown = text_of(a, "attribute-0xD5-0xE0");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = text_of(json_array_get(list, i), "string");
        bool target = name && strncmp(name, "target:", 7) == 0;
        text_printf(out, "%s%s%s", i ? " " : " ext=", target ? "rt" : "", target ? name + 6 : name);
    }
    if (text_of(a, "aggregator"))
        text_printf(out, " aggregator=%s", text_of(a, "aggregator"));
    if (json_is_true(json_object_get(a, "atomic-aggregate")))
        text_puts(out, " atomic");
    if (unknown)
        text_printf(out, " unknown=213:%s", strncmp(unknown, "0x", 2) ? unknown : unknown + 2);
}

static void put_path(struct text *out, const json_t *a, const char *next_hop) {
    const json_t *as_path = json_object_get(a, "as-path");
    text_printf(out, "origin=%s", text_of(a, "origin"));
    if (json_array_size(as_path))
        put_values(out, "as_path", as_path);
    else
        text_puts(out, " as_path=");
    put_set(out, json_object_get(a, "as-set"));
    text_printf(out, " next_hop=%s", next_hop);
    put_number(out, "med", json_object_get(a, "med"));
    put_number(out, "local_pref", json_object_get(a, "local-preference"));
    put_values(out, "communities", json_object_get(a, "community"));
    put_values(out, "large", json_object_get(a, "large-community"));
    if (text_of(a, "originator-id"))
        text_printf(out, " originator=%s", text_of(a, "originator-id"));
    put_values(out, "clusters", json_object_get(a, "cluster-list"));
    put_rare(out, a);
}

static void key_of(const json_t *nlri, char *out, size_t size) {
    const char *id = text_of(nlri, "path-information");
    snprintf(out, size, "%s %s", text_of(nlri, "nlri"), id ? id : "");
}

static void take_announced(json_t *table, const json_t *attributes, json_t *family) {
    const char *next_hop;
    json_t *list;
    size_t i;
    char key[100];
    json_object_foreach(family, next_hop, list) {
        struct text line;
        text_init(&line);
        put_path(&line, attributes, next_hop);
        for (i = 0; i < json_array_size(list); i++) {
            key_of(json_array_get(list, i), key, sizeof key);
            json_object_set_new(table, key, json_string(text_str(&line)));
        }
        text_deinit(&line);
    }
}

static void take_withdrawn(json_t *table, const json_t *list) {
    char key[100];
    for (size_t i = 0; i < json_array_size(list); i++) {
        key_of(json_array_get(list, i), key, sizeof key);
        json_object_del(table, key);
    }
}

static void take_update(json_t *table, json_t *update) {
    const json_t *attributes = json_object_get(update, "attribute");
    const char *family;
    json_t *of_family;
    json_object_foreach(json_object_get(update, "withdraw"), family, of_family)
        take_withdrawn(table, of_family);
    json_object_foreach(json_object_get(update, "announce"), family, of_family)
        take_announced(table, attributes, of_family);
}

static void take_state(struct instance *e, const char *peer, const char *state) {
    bool up = strcmp(state, "up") == 0;
    if (!up && strcmp(state, "down") != 0)
        return;
    long long count = (long long)json_integer_value(json_object_get(e->counts, peer));
    json_object_set_new(e->up, peer, json_boolean(up));
    json_object_set_new(e->counts, peer, json_integer(count + up));
    json_object_set_new(e->routes, peer, json_object());
}

static void take_event(struct instance *e, json_t *event) {
    json_t *neighbor = json_object_get(event, "neighbor");
    const char *peer = text_of(json_object_get(neighbor, "address"), "peer");
    json_t *update = json_object_get(json_object_get(neighbor, "message"), "update");
    if (peer && text_of(neighbor, "state"))
        take_state(e, peer, text_of(neighbor, "state"));
    if (peer && update)
        take_update(json_object_get(e->routes, peer), update);
}

/* Takes the whole lines that came since. */
static struct instance *listen_to(int node) {
    struct instance *e = &instances[node];
    char *line = NULL;
    size_t size = 0;
    ssize_t got;
    while (e->commands && (got = getline(&line, &size, e->events)) > 0) {
        if (line[got - 1] != '\n') {
            assert_int_equal(fseek(e->events, -got, SEEK_CUR), 0);
            break;
        }
        json_t *event = json_loads(line, 0, NULL);
        take_event(e, event);
        json_decref(event);
    }
    if (e->commands)
        clearerr(e->events);
    free(line);
    return e;
}

/* ---- looking ---- */

static bool exabgp_established(int node, int family, int neighbor) {
    return json_is_true(json_object_get(listen_to(node)->up, interop_addr(neighbor, family)));
}

static uint64_t exabgp_sessions(int node, int family, int neighbor) {
    return (uint64_t)json_integer_value(
        json_object_get(listen_to(node)->counts, interop_addr(neighbor, family)));
}

static void exabgp_paths(int node, const char *prefix, struct text *out) {
    char key[100];
    const char *peer, *name;
    json_t *table, *line;
    int length = snprintf(key, sizeof key, "%s ", prefix);
    json_object_foreach(listen_to(node)->routes, peer, table)
        json_object_foreach(table, name, line) if (strncmp(name, key, (size_t)length) == 0)
            text_printf(out, "%s\n", json_string_value(line));
}

/* It chooses none: what it was told first. */
static bool exabgp_route(int node, const char *prefix, struct text *ret_route) {
    struct text all;
    text_init(&all);
    exabgp_paths(node, prefix, &all);
    text_printf(ret_route, "%.*s", (int)strcspn(text_str(&all), "\n"), text_str(&all));
    text_deinit(&all);
    return ret_route->size > 0;
}

/* ---- acting ---- */

static void command(int node, int family, int neighbor, const char *words) {
    assert_true(dprintf(instances[node].commands, "neighbor %s %s\n",
                        interop_addr(neighbor, family), words) > 0);
}

static void exabgp_announce(int node, int family, bool present) {
    const struct setup *s = &instances[node].setup;
    char words[160];
    snprintf(words, sizeof words, "%s route %s next-hop %s", present ? "announce" : "withdraw",
             interop_prefix(node, family, false), interop_addr(node, family));
    for (unsigned i = 0; i < s->neighbor_count; i++)
        command(node, family, s->neighbors[i].node, words);
}

static void exabgp_refresh(int node, int family, int neighbor) {
    command(node, family, neighbor,
            family == V4 ? "announce route-refresh ipv4 unicast"
                         : "announce route-refresh ipv6 unicast");
}

static void exabgp_reset(int node, int neighbor) {
    for (int f = 0; f < FAMILIES; f++)
        command(node, f, neighbor, "teardown 4");
}

const struct program program_exabgp = {
    .name = "exabgp",
    .title = "ExaBGP 4.2",
    .must_not_be_asked = true,
    .lacks = CAN_COLLIDE | CAN_REFLECT | CAN_HELP,
    .start = exabgp_start,
    .kill = exabgp_kill,
    .established = exabgp_established,
    .sessions = exabgp_sessions,
    .route = exabgp_route,
    .paths = exabgp_paths,
    .announce = exabgp_announce,
    .refresh = exabgp_refresh,
    .reset = exabgp_reset,
};
