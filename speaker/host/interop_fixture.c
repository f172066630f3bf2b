/*
 * What all interoperability tests share: processes of other programs, our speaker's configuration
 * and tables, waiting.
 *
 * Owns the table of running programs and the private /run they keep their sockets in. A program
 * is known by its node and a slot number (BIRD 1.6 is two processes a node, FRR too).
 */
#include "interop_fixture.h"

#include "loop.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SLOTS 2

static pid_t pids[NODES_MAX][SLOTS];

/* ---- names ---- */

static char *name_buffer(void) {
    static char buffers[8][64];
    static unsigned at;
    return buffers[at++ % 8];
}

const char *interop_prefix(int node, int family, bool rich) {
    char *out = name_buffer();
    if (family == V4)
        snprintf(out, 64, "10.%d.%d.0/24", node + 1, rich ? 2 : 1);
    else
        snprintf(out, 64, "fd0%d:%d::/64", node + 1, rich ? 2 : 1);
    return out;
}

const char *interop_addr(int node, int family) {
    char *out = name_buffer();
    snprintf(out, 64, family == V4 ? "10.0.0.%d" : "fd00::%d", node + 1);
    return out;
}

/* ---- waiting ---- */

struct nanotime interop_deadline(uint64_t ms) {
    return nanotime_add_ms(loop_now(), ms);
}

bool interop_wait(struct nanotime end) {
    struct pollfd p = {.fd = nodes.bell_fd, .events = POLLIN};
    uint64_t rings;
    if (!nanotime_before(loop_now(), end))
        return false;
    atomic_store(&nodes.board->bell_armed, 1);
    poll(&p, 1, NODES_SLICE_MS);
    if (read(nodes.bell_fd, &rings, sizeof rings) < 0 && errno != EAGAIN)
        fail_msg("bell: %s", strerror(errno));
    return true;
}

/* ---- lines of routes ---- */

void interop_put_as_path(struct text *out, const char *printed) {
    bool set = false;
    for (const char *p = printed; *p; p++) {
        bool edge = *p == ' ' && (p[1] == '}' || (p > printed && p[-1] == '{'));
        set = *p == '{' || (set && *p != '}');
        if (!edge)
            text_putc(out, set && *p == ' ' ? ',' : *p);
    }
}

void interop_put_lower(struct text *out, const char *text) {
    for (; *text; text++)
        text_putc(out, (char)tolower((unsigned char)*text));
}

/* ---- the peer programs ---- */

const char *interop_path(const struct program *p, const char *file) {
    static char paths[4][512];
    static unsigned at;
    static char here[256];
    const char *folder = getenv("RIBCAGE_PEERS");
    char *out = paths[at++ % 4];
    if (!here[0])
        assert_non_null(getcwd(here, sizeof here));
    if (folder && folder[0] == '/')
        snprintf(out, sizeof paths[0], "%s/%s/%s", folder, p->name, file);
    else
        snprintf(out, sizeof paths[0], "%s/%s/%s/%s", here, folder ? folder : "build/peers",
                 p->name, file);
    return out;
}

bool interop_present(const struct program *p) {
    return access(interop_path(p, "packages"), R_OK) == 0;
}

void interop_write(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

uint64_t interop_lines(const char *path, const char *first, const char *second) {
    char line[2048];
    uint64_t count = 0;
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f))
        count += strstr(line, first) && strstr(line, second);
    if (f)
        fclose(f);
    return count;
}

/* An account that only an installed package makes. */
static void add_account(const char *file, const char *line) {
    static char accounts[65536];
    char copy[64];
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, accounts, sizeof accounts - 256);
    close(fd);
    assert_true(got >= 0);
    snprintf(accounts + got, sizeof accounts - (size_t)got, "%s", line);
    snprintf(copy, sizeof copy, "/run%s", strrchr(file, '/'));
    interop_write(copy, accounts);
    assert_int_equal(mount(copy, file, NULL, MS_BIND, NULL), 0);
}

/* FRR gives its sockets to a group; OpenBGPD's children become a user, in the user's home. */
static void add_accounts(void) {
    add_account("/etc/group", "frrvty:x:64999:root\n_openbgpd:x:64998:\n");
    add_account("/etc/passwd", "_openbgpd:x:64998:64998::/run/openbgpd:/bin/false\n");
    assert_int_equal(mkdir("/run/openbgpd", 0755), 0);
}

bool interop_private_run(void) {
    bool ok = unshare(CLONE_NEWNS) == 0;
    if (!ok && errno != EPERM)
        fail_msg("no mount namespace: %s", strerror(errno));
    if (!ok) {
        printf("skipped: the kernel forbids mount namespaces: %s\n", strerror(errno));
        return false;
    }
    assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    assert_int_equal(mount("run", "/run", "tmpfs", 0, "mode=755"), 0);
    assert_int_equal(mount("run", "/var/tmp", "tmpfs", 0, "mode=1777"), 0);
    add_accounts();
    return true;
}

void interop_spawn(const struct program *p, int node, int slot, char *const argv[]) {
    char log[64];
    snprintf(log, sizeof log, "/run/%d.%d.out", node, slot);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(pids[node][slot], 0);
    assert_int_equal(setenv("LD_LIBRARY_PATH", interop_path(p, "libs"), 1), 0);
    pids[node][slot] = nodes_spawn(node, argv, fd);
    unsetenv("LD_LIBRARY_PATH");
    close(fd);
}

pid_t interop_pid(int node, int slot) {
    return pids[node][slot];
}

void interop_kill(int node, int slot) {
    if (pids[node][slot] <= 0)
        return;
    kill(pids[node][slot], SIGKILL); /* not reaped yet: the number is still its own */
    waitpid(pids[node][slot], NULL, 0);
    pids[node][slot] = 0;
}

void interop_kill_all(void) {
    for (int node = 0; node < NODES_MAX; node++)
        for (int slot = 0; slot < SLOTS; slot++)
            interop_kill(node, slot);
}

static bool try_connect(int fd, const char *path) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    return connect(fd, (struct sockaddr *)&a, sizeof a) == 0;
}

int interop_connect(const char *path) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    UNTIL(try_connect(fd, path));
    return fd;
}

/* ---- our speaker ---- */

static const char *const chains =
    "\"import\":{\"ipv4\":{\"accept_by_default\":true},\"ipv6\":{\"accept_by_default\":true}},"
    "\"export\":{\"ipv4\":{\"policies\":[0],\"accept_by_default\":true},"
    "\"ipv6\":{\"policies\":[1],\"accept_by_default\":true}}";

static void put_peer(struct text *out, const struct setup *s, const struct neighbor *n, int f) {
    text_printf(out,
                "{\"name\":\"n%d_%d\",\"remote_addr\":\"%s\",\"local_addr\":\"%s\","
                "\"remote_as\":%u,\"multihop\":64,\"passive\":%s,\"rr_client\":%s,"
                "\"families\":[\"%s\"],\"restart_time_s\":60,",
                n->node, f == V4 ? 4 : 6, interop_addr(n->node, f), interop_addr(s->node, f), n->as,
                n->passive ? "true" : "false", n->rr_client ? "true" : "false",
                f == V4 ? "ipv4" : "ipv6");
    if (n->add_path)
        text_printf(out, "\"add_path_send\":{\"%s\":8},\"add_path_receive\":[\"%s\"],",
                    f == V4 ? "ipv4" : "ipv6", f == V4 ? "ipv4" : "ipv6");
    if (n->password)
        text_printf(out, "\"password\":\"%s\",", n->password);
    text_printf(out, "%s},", chains);
}

/* The rich route of a family: what a policy can set, set. */
static void put_policy(struct text *out, const struct setup *s, int f) {
    const char *prefix = interop_prefix(s->node, f, true);
    unsigned length = f == V4 ? 24 : 64;
    text_printf(out,
                "{\"name\":\"rich%d\",\"otherwise\":\"next-policy\",\"terms\":[{\"name\":\"rich\","
                "\"verdict\":\"accept\",\"matches\":[{\"kind\":\"prefix\",\"prefixes\":[{"
                "\"prefix\":\"%s\",\"length_min\":%u,\"length_max\":%u}]}],\"actions\":["
                "{\"kind\":\"set-origin\",\"value\":1},{\"kind\":\"set-med\",\"value\":50},"
                "{\"kind\":\"set-local-pref\",\"value\":150},"
                "{\"kind\":\"prepend-as-path\",\"asns\":[64990]},"
                "{\"kind\":\"add-communities\",\"asns\":[%u,%u]},"
                "{\"kind\":\"add-large-communities\",\"large_communities\":[\"64512:7:8\"]}]}]}%s",
                f, prefix, length, length, 64512u << 16 | 5, 64512u << 16 | 6, f == V4 ? "," : "");
}

static void put_origins(struct text *out, const struct setup *s) {
    for (int i = 0; i < 2 * FAMILIES; i++)
        if (i % 2 || !s->rich_only)
            text_printf(out, "{\"prefix\":\"%s\",\"source\":\"static\"},",
                        interop_prefix(s->node, i / 2, i % 2));
}

/* A trailing comma, removed. */
static void trim_comma(struct text *t) {
    if (t->size && t->data[t->size - 1] == ',')
        t->data[--t->size] = '\0';
}

char *interop_config(const struct setup *s, const char *profile) {
    struct text out;
    text_init(&out);
    text_printf(&out,
                "{\"profile\":\"%s\",\"hostname\":\"n%d\",\"local_as\":%u,"
                "\"router_id\":\"10.0.0.%u\",\"fib\":{\"install\":true},\"peers\":[",
                profile, s->node, s->as, s->last_id ? s->last_id : (unsigned)s->node + 1);
    for (unsigned i = 0; i < s->neighbor_count; i++)
        for (int f = 0; f < FAMILIES; f++)
            put_peer(&out, s, &s->neighbors[i], f);
    trim_comma(&out);
    text_puts(&out, "],\"policies\":[");
    put_policy(&out, s, V4);
    put_policy(&out, s, V6);
    text_puts(&out, "],\"origins\":[");
    put_origins(&out, s);
    trim_comma(&out);
    text_puts(&out, "]}");
    char *copy = strdup(text_str(&out));
    text_deinit(&out);
    assert_non_null(copy);
    return copy;
}

void interop_start(const struct setup *s, const char *profile) {
    char *config = interop_config(s, profile), mrt[512], *more[4] = {NULL};
    const char *folder = getenv("INTEROP_MRT");
    int count = 0;
    if (s->restarted)
        more[count++] = (char *)(uintptr_t) "--restart";
    if (folder) {
        snprintf(mrt, sizeof mrt, "%s/%d.mrt", folder, s->node);
        more[count++] = (char *)(uintptr_t) "--mrt";
        more[count++] = mrt;
    }
    nodes_start_with(s->node, config, "--config-fd", more);
    free(config);
}

static void put_word(struct text *out, const json_t *attrs, const char *member, const char *name) {
    const json_t *v = json_object_get(attrs, member);
    if (json_is_integer(v))
        text_printf(out, " %s=%lld", name, (long long)json_integer_value(v));
    else if (json_is_string(v))
        text_printf(out, " %s=%s", name, json_string_value(v));
    for (size_t i = 0; json_is_array(v) && i < json_array_size(v); i++)
        text_printf(out, i ? " %s" : " %s=%s", i ? json_string_value(json_array_get(v, i)) : name,
                    json_string_value(json_array_get(v, i)));
}

/* Route targets of two-octet ASes by name, as others show them. */
static void put_extended(struct text *out, const json_t *attrs) {
    const json_t *list = json_object_get(attrs, "ext_communities");
    for (size_t i = 0; i < json_array_size(list); i++) {
        unsigned long long v = strtoull(json_string_value(json_array_get(list, i)), NULL, 16);
        text_puts(out, i ? " " : " ext=");
        if (v >> 48 == 2)
            text_printf(out, "rt:%llu:%llu", v >> 32 & 0xffff, v & 0xffffffff);
        else
            text_printf(out, "%016llx", v);
    }
}

/* RFC 4271 5: who passes on what it does not know sets the Partial bit. */
static void put_unknown(struct text *out, const json_t *attrs) {
    const json_t *list = json_object_get(attrs, "unknown");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *u = json_array_get(list, i);
        bool partial = json_integer_value(json_object_get(u, "flags")) & 0x20;
        text_printf(out, " unknown=%lld:%s%s",
                    (long long)json_integer_value(json_object_get(u, "code")),
                    json_string_value(json_object_get(u, "data")), partial ? "" : " not-partial");
    }
}

static void put_attrs(struct text *out, const json_t *attrs) {
    static const char *const members[][2] = {
        {"as_path", "as_path"},
        {"next_hop", "next_hop"},
        {"med", "med"},
        {"local_pref", "local_pref"},
        {"communities", "communities"},
        {"large_communities", "large"},
        {"originator_id", "originator"},
        {"cluster_list", "clusters"},
    };
    text_printf(out, "origin=%s", json_string_value(json_object_get(attrs, "origin")));
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        put_word(out, attrs, members[i][0], members[i][1]);
    put_extended(out, attrs);
    put_word(out, attrs, "aggregator", "aggregator");
    if (json_is_true(json_object_get(attrs, "atomic_aggregate")))
        text_puts(out, " atomic");
    put_unknown(out, attrs);
}

static json_t *routes_from(int node, const char *prefix, int neighbor) {
    char request[160];
    snprintf(request, sizeof request,
             "{\"op\":\"rib\",\"table\":\"in\",\"prefix\":\"%s\",\"peer\":\"n%d_%d\"}\n", prefix,
             neighbor, strchr(prefix, ':') ? 6 : 4);
    return nodes_request_json(node, request);
}

void interop_paths(int node, const char *prefix, int neighbor, struct text *out) {
    json_t *answer = routes_from(node, prefix, neighbor), *route;
    size_t i;
    json_array_foreach(json_object_get(answer, "routes"), i, route) {
        put_attrs(out, json_object_get(route, "attrs"));
        text_putc(out, '\n');
    }
    json_decref(answer);
}

bool interop_route(int node, const char *prefix, int neighbor, struct text *ret_route) {
    json_t *answer = routes_from(node, prefix, neighbor);
    const json_t *route = json_array_get(json_object_get(answer, "routes"), 0);
    bool found = route && json_is_false(json_object_get(route, "stale"));
    if (found)
        put_attrs(ret_route, json_object_get(route, "attrs"));
    json_decref(answer);
    return found;
}

static json_t *peer_of(json_t *answer, int family, int neighbor) {
    char name[16];
    size_t i;
    json_t *peer;
    snprintf(name, sizeof name, "n%d_%d", neighbor, family == V4 ? 4 : 6);
    json_array_foreach(json_object_get(answer, "peers"), i,
                       peer) if (strcmp(json_string_value(json_object_get(peer, "name")), name) ==
                                 0) return peer;
    fail_msg("no peer %s", name);
    return NULL;
}

bool interop_established(int node, int family, int neighbor) {
    json_t *answer = nodes_request_json(node, "{\"op\":\"peers\"}\n");
    const char *state =
        json_string_value(json_object_get(peer_of(answer, family, neighbor), "state"));
    bool up = state && strcmp(state, "Established") == 0;
    json_decref(answer);
    return up;
}

int64_t interop_peer_number(int node, int family, int neighbor, const char *member) {
    json_t *answer = nodes_request_json(node, "{\"op\":\"peers\"}\n");
    const json_t *v = json_object_get(peer_of(answer, family, neighbor), member);
    assert_true(json_is_boolean(v) || json_is_integer(v));
    int64_t number = json_is_boolean(v) ? json_is_true(v) : json_integer_value(v);
    json_decref(answer);
    return number;
}
