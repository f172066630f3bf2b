/*
 * BIRD 1.6 (bird and bird6, as Calico runs them) and BIRD 2 as peers.
 *
 * Owns their configuration and the talk over their control sockets: a command is a line, an
 * answer ends with the line that has a blank behind its four digits. Session settings are those
 * of Calico's template; only the connection timers differ with TIMERS_FAST (BIRD counts seconds).
 */
#include "interop_fixture.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const calico_timers =
    "  connect delay time 2;\n  connect retry time 5;\n  error wait time 5, 30;\n";
static const char *const fast_timers =
    "  connect delay time 1;\n  connect retry time 1;\n  error wait time 1, 1;\n";

/* ---- configuration ---- */

/* BIRD: an export filter of 1.6 sees the path with our AS in it, one of 2 without. */
static void put_export(struct text *c, const struct setup *s, const struct neighbor *n, int f,
                       bool two) {
    text_printf(c,
                "  export filter {\n    if net = %s then {\n"
                "      bgp_origin = ORIGIN_EGP; bgp_med = 70; bgp_local_pref = 170;\n"
                "      bgp_community.add((64512,1)); bgp_community.add((64512,2));\n"
                "      bgp_large_community.add((64512,3,4));\n",
                interop_prefix(s->node, f, true));
    if (!two && n->as != s->as)
        text_puts(c, "      bgp_path.empty;\n");
    text_puts(c, "      bgp_path.prepend(65010);\n");
    if (!two && n->as != s->as)
        text_printf(c, "      bgp_path.prepend(%u);\n", s->as);
    text_puts(c, "      accept;\n    }\n    if source ~ [RTS_STATIC, RTS_BGP] then accept;\n"
                 "    reject;\n  };\n");
}

static void put_channel(struct text *c, const struct setup *s, const struct neighbor *n, int f,
                        bool two) {
    if (two)
        text_printf(c, "  ipv%d {\n", f == V4 ? 4 : 6);
    text_puts(c, "  import all;\n  gateway recursive;\n  add paths on;\n");
    put_export(c, s, n, f, two);
    if (two)
        text_puts(c, "  };\n");
}

static void put_session(struct text *c, const struct setup *s, const struct neighbor *n, int f,
                        bool two) {
    text_printf(c, "protocol bgp n%d_%d {\n  local as %u;\n  neighbor %s as %u;\n", n->node,
                f == V4 ? 4 : 6, s->as, interop_addr(n->node, f), n->as);
    text_printf(c,
                "  source address %s;\n  multihop;\n  graceful restart on;\n"
                "  debug { states, events };\n",
                interop_addr(s->node, f));
    text_puts(c, s->timers == TIMERS_CALICO ? calico_timers : fast_timers);
    if (n->passive)
        text_puts(c, "  passive on;\n");
    if (n->rr_client)
        text_printf(c, "  rr client;\n  rr cluster id 10.9.9.%d;\n", s->node + 1);
    if (n->password)
        text_printf(c, "  password \"%s\";\n", n->password);
    put_channel(c, s, n, f, two);
    text_puts(c, "}\n");
}

static void put_static(struct text *c, const char *name, const struct setup *s, int f, bool two) {
    text_printf(c, "protocol static %s%d {\n%s  route %s blackhole;\n}\n", name, f == V4 ? 4 : 6,
                two ? (f == V4 ? "  ipv4;\n" : "  ipv6;\n") : "",
                interop_prefix(s->node, f, name[0] == 'r'));
}

static void put_kernel(struct text *c, int f, bool two) {
    const char *table = "import all; export filter { if source = RTS_BGP then accept; reject; };";
    text_printf(c, "protocol kernel k%d {\n  learn;\n  persist;\n  scan time 2;\n", f);
    if (two)
        text_printf(c, "  ipv%d { %s };\n", f == V4 ? 4 : 6, table);
    else
        text_printf(c, "  %s\n", table);
    text_puts(c, "}\n");
}

static void put_family(struct text *c, const struct setup *s, int f, bool two) {
    put_kernel(c, f, two);
    if (!s->rich_only)
        put_static(c, "plain", s, f, two);
    put_static(c, "rich", s, f, two);
    for (unsigned i = 0; i < s->neighbor_count; i++)
        put_session(c, s, &s->neighbors[i], f, two);
}

static void put_head(struct text *c, const struct setup *s, int slot) {
    text_printf(c,
                "router id 10.0.0.%u;\nlog \"/run/%d.%d.log\" all;\n"
                "protocol device { scan time 2; }\n",
                s->last_id ? s->last_id : (unsigned)s->node + 1, s->node, slot);
}

/* ---- running ---- */

static const char *socket_of(int node, int slot) {
    static char path[64];
    snprintf(path, sizeof path, "/run/%d.%d.ctl", node, slot);
    return path;
}

static void launch(const struct program *p, const struct setup *s, int slot, const char *file,
                   const struct text *config) {
    char conf[64], binary[512], control[64];
    snprintf(conf, sizeof conf, "/run/%d.%d.conf", s->node, slot);
    snprintf(binary, sizeof binary, "%s", interop_path(p, file));
    snprintf(control, sizeof control, "%s", socket_of(s->node, slot));
    interop_write(conf, text_str(config));
    char *argv[] = {binary,
                    (char *)(uintptr_t) "-f",
                    (char *)(uintptr_t) "-c",
                    conf,
                    (char *)(uintptr_t) "-s",
                    control,
                    s->restarted ? (char *)(uintptr_t) "-R" : NULL,
                    NULL};
    interop_spawn(p, s->node, slot, argv);
    close(interop_connect(control));
}

static void bird_start(const struct setup *s) {
    for (int f = 0; f < FAMILIES; f++) {
        struct text c;
        text_init(&c);
        put_head(&c, s, f);
        text_puts(&c, "protocol direct { interface \"v0\"; }\n");
        put_family(&c, s, f, false);
        launch(&program_bird, s, f, f == V4 ? "usr/sbin/bird" : "usr/sbin/bird6", &c);
        text_deinit(&c);
    }
}

static void bird2_start(const struct setup *s) {
    struct text c;
    text_init(&c);
    put_head(&c, s, 0);
    text_puts(&c, "protocol direct { ipv4; ipv6; interface \"v0\"; }\n");
    for (int f = 0; f < FAMILIES; f++)
        put_family(&c, s, f, true);
    launch(&program_bird2, s, 0, "usr/sbin/bird", &c);
    text_deinit(&c);
}

static void bird_kill(int node) {
    interop_kill(node, 0);
    interop_kill(node, 1);
}

/* ---- talking ---- */

/* Is the last complete line one that ends an answer? */
static bool complete(const struct text *t) {
    if (!t->size || t->data[t->size - 1] != '\n')
        return false;
    size_t at = t->size - 1;
    while (at > 0 && t->data[at - 1] != '\n')
        at--;
    return t->size - at > 5 && isdigit((unsigned char)t->data[at]) && t->data[at + 4] == ' ';
}

static void read_answer(int fd, struct text *t) {
    char buffer[4096];
    text_clear(t);
    while (!complete(t)) {
        ssize_t got = read(fd, buffer, sizeof buffer);
        if (got <= 0)
            fail_msg("bird closed its control socket");
        text_put(t, buffer, (size_t)got);
    }
}

/* Two sockets with BIRD 1.6, one with BIRD 2. */
static void command(int node, int family, const char *line, struct text *ret_answer) {
    int slot = interop_pid(node, 1) ? family : 0;
    int fd = interop_connect(socket_of(node, slot));
    read_answer(fd, ret_answer); /* the greeting */
    assert_true(dprintf(fd, "%s\n", line) > 0);
    read_answer(fd, ret_answer);
    close(fd);
}

static void act(int node, int family, const char *verb, const char *protocol) {
    char line[64];
    struct text answer;
    text_init(&answer);
    snprintf(line, sizeof line, "%s %s", verb, protocol);
    command(node, family, line, &answer);
    text_deinit(&answer);
}

static const char *session_name(int family, int neighbor) {
    static char name[16];
    snprintf(name, sizeof name, "n%d_%d", neighbor, family == V4 ? 4 : 6);
    return name;
}

static bool bird_established(int node, int family, int neighbor) {
    char line[64];
    struct text answer;
    text_init(&answer);
    snprintf(line, sizeof line, "show protocols %s", session_name(family, neighbor));
    command(node, family, line, &answer);
    bool up = strstr(text_str(&answer), "Established") != NULL;
    text_deinit(&answer);
    return up;
}

/* "(64512,1) (64512, 3, 4)" as "64512:1 64512:3:4". */
static void put_tuples(struct text *out, const char *value) {
    for (const char *p = value; *p; p++) {
        if (*p == '(' || *p == ')' || (*p == ' ' && p[-1] == ','))
            continue;
        text_putc(out, *p == ',' ? ':' : *p);
    }
}

static void put_attribute(struct text *out, const char *name, const char *value) {
    if (out->size)
        text_putc(out, ' ');
    text_printf(out, "%s=", name);
    if (strcmp(name, "origin") == 0)
        interop_put_lower(out, value);
    else if (strcmp(name, "as_path") == 0)
        interop_put_as_path(out, value);
    else
        put_tuples(out, value);
}

/* The value of "\tBGP.name: value" in the text of one path. */
static bool attribute(const char *path, const char *name, char *ret_value, size_t size) {
    char key[32];
    snprintf(key, sizeof key, "BGP.%s:", name);
    const char *at = strstr(path, key);
    if (!at)
        return false;
    at += strlen(key);
    at += *at == ' ';
    snprintf(ret_value, size, "%.*s", (int)strcspn(at, "\n"), at);
    for (size_t n = strlen(ret_value); n && ret_value[n - 1] == ' ';)
        ret_value[--n] = '\0';
    return true;
}

/* "10.0.9.9 AS4200000009"; and "BGP.d5 [t]: ca fe" of an attribute it does not know, without flags.
 */
static void put_rare(struct text *out, const char *path) {
    char value[256], *as;
    const char *unknown = strstr(path, "BGP.d5 [");
    if (attribute(path, "aggregator", value, sizeof value) && (as = strstr(value, " AS")))
        text_printf(out, " aggregator=%s:%.*s", as + 3, (int)(as - value), value);
    if (strstr(path, "BGP.atomic_aggr:"))
        text_puts(out, " atomic");
    if (!unknown)
        return;
    text_puts(out, " unknown=213:");
    for (const char *p = unknown + strcspn(unknown, ":") + 1; *p && *p != '\n'; p++)
        if (*p != ' ')
            text_putc(out, *p);
}

/* From the text of one path. */
static void put_path(struct text *out, const char *path) {
    static const char *const names[][2] = {
        {"origin", "origin"},         {"as_path", "as_path"},
        {"next_hop", "next_hop"},     {"med", "med"},
        {"local_pref", "local_pref"}, {"community", "communities"},
        {"large_community", "large"}, {"originator_id", "originator"},
        {"cluster_list", "clusters"}, {"ext_community", "ext"},
    };
    char value[256];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (attribute(path, names[i][0], value, sizeof value) &&
            (value[0] || strcmp(names[i][0], "as_path") == 0))
            put_attribute(out, names[i][1], value);
    put_rare(out, path);
}

static bool bird_route(int node, const char *prefix, struct text *ret_route) {
    char line[96];
    struct text answer;
    text_init(&answer);
    snprintf(line, sizeof line, "show route primary all for %s", prefix);
    command(node, strchr(prefix, ':') ? V6 : V4, line, &answer);
    const char *path = text_str(&answer);
    bool found = strstr(path, prefix) != NULL && strstr(path, "BGP.origin") != NULL;
    if (found)
        put_path(ret_route, path);
    text_deinit(&answer);
    return found;
}

/* Each path is told behind a line of its type. */
static void bird_paths(int node, const char *prefix, struct text *out) {
    char line[96];
    struct text answer, one, told;
    text_init(&answer);
    text_init(&one);
    text_init(&told);
    snprintf(line, sizeof line, "show route all for %s", prefix);
    command(node, strchr(prefix, ':') ? V6 : V4, line, &answer);
    const char *at = strstr(text_str(&answer), "\tType: BGP"), *next;
    for (; at; at = next) {
        next = strstr(at + 1, "\tType: BGP");
        text_clear(&one);
        text_printf(&one, "%.*s", next ? (int)(next - at) : (int)strlen(at), at);
        text_clear(&told);
        put_path(&told, text_str(&one));
        text_printf(out, "%s\n", text_str(&told));
    }
    text_deinit(&told);
    text_deinit(&one);
    text_deinit(&answer);
}

/* From its log: it counts none. */
static uint64_t bird_sessions(int node, int family, int neighbor) {
    char path[64], name[24];
    snprintf(path, sizeof path, "/run/%d.%d.log", node, interop_pid(node, 1) ? family : 0);
    snprintf(name, sizeof name, " %s: ", session_name(family, neighbor));
    return interop_lines(path, name, "BGP session established");
}

static void bird_announce(int node, int family, bool present) {
    act(node, family, present ? "enable" : "disable", family == V4 ? "plain4" : "plain6");
}

static void bird_refresh(int node, int family, int neighbor) {
    act(node, family, "reload in", session_name(family, neighbor));
}

static void bird_reset(int node, int neighbor) {
    for (int f = 0; f < FAMILIES; f++)
        act(node, f, "restart", session_name(f, neighbor));
}

const struct program program_bird = {
    .name = "bird",
    .title = "BIRD 1.6.8",
    .kernel = true,
    .local_pref_external = true,
    .start = bird_start,
    .kill = bird_kill,
    .established = bird_established,
    .route = bird_route,
    .paths = bird_paths,
    .sessions = bird_sessions,
    .announce = bird_announce,
    .refresh = bird_refresh,
    .reset = bird_reset,
};

const struct program program_bird2 = {
    .name = "bird2",
    .title = "BIRD 2.0.12",
    .kernel = true,
    .local_pref_external = true,
    .start = bird2_start,
    .kill = bird_kill,
    .established = bird_established,
    .route = bird_route,
    .paths = bird_paths,
    .sessions = bird_sessions,
    .announce = bird_announce,
    .refresh = bird_refresh,
    .reset = bird_reset,
};
