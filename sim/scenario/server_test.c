/*
 * Requests to a running lab's socket, as far as they need no lab: what the oracle knows, what is
 * refused, and clients that misbehave.
 *
 * The state is that of the shipped full mesh with four nodes (tests run in the tree's root), with
 * no speaker up.
 */

#include "engine.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
// clang-format on

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct stage {
    struct engine e;
    struct scenario *scenario;
    char path[64];
};

static int stage_begin(void **state) {
    struct stage *s = calloc(1, sizeof *s);
    struct yaml_parameter nodes = {"nodes", "4"};
    if (!s)
        return -1;
    *state = s;
    s->e = (struct engine){
        .arena = arena_new(), .diags = diag_list_new(), .front_fd = -1, .wait_fd = -1};
    s->scenario = scenario_read("scenarios/mesh/full-mesh", &nodes, 1, s->e.arena, s->e.diags);
    s->e.scenario = s->scenario;
    if (!s->scenario || !engine_prepare(&s->e, s->e.diags))
        return -1;
    for (uint32_t i = 0; i < s->e.count; i++)
        s->e.nodes[i].up = false;
    snprintf(s->path, sizeof s->path, "/tmp/server-test-%d", (int)getpid());
    s->e.server = server_new(&s->e, s->path);
    return s->e.server ? 0 : -1;
}

static int stage_end(void **state) {
    struct stage *s = *state;
    server_free(s->e.server);
    (void)unlink(s->path);
    engine_release(&s->e);
    scenario_close(s->scenario);
    diag_list_free(s->e.diags);
    arena_free(s->e.arena);
    free(s);
    return 0;
}

static int client(const struct stage *s) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(a.sun_path, sizeof a.sun_path, "%s", s->path);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    server_poll(s->e.server); /* accepts */
    return fd;
}

static void send_text(const struct stage *s, int fd, const char *text) {
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    server_poll(s->e.server);
}

/* The next answer, or NULL: nothing there, or the connection has ended. */
static json_t *answer(int fd) {
    static char buffer[1 << 20];
    size_t size = 0;
    ssize_t n;
    while ((n = recv(fd, buffer + size, 1, MSG_DONTWAIT)) == 1 && buffer[size] != '\n')
        size++;
    return n == 1 ? json_loadb(buffer, size, JSON_REJECT_DUPLICATES, NULL) : NULL;
}

static json_t *ask(const struct stage *s, const char *line) {
    int fd = client(s);
    send_text(s, fd, line);
    send_text(s, fd, "\n");
    json_t *a = answer(fd);
    close(fd);
    server_poll(s->e.server); /* hears the end */
    assert_non_null(a);
    return a;
}

static void assert_refused(const struct stage *s, const char *line, const char *words) {
    json_t *a = ask(s, line);
    const char *error = json_string_value(json_object_get(a, "error"));
    assert_true(json_is_false(json_object_get(a, "ok")));
    if (!error || !strstr(error, words))
        fail_msg("%s: \"%s\" expected, \"%s\" answered", line, words, error ? error : "");
    json_decref(a);
}

/* ---- tests ---- */

static void sessions(void **state) {
    struct stage *s = *state;
    json_t *a = ask(s, "{\"op\":\"sessions\"}");
    assert_true(json_is_true(json_object_get(a, "ok")));
    json_t *up = json_object_get(a, "expected");
    assert_int_equal(json_array_size(up), 6); /* 4 * 3 / 2 */
    json_t *first = json_array_get(up, 0);
    assert_string_equal(json_string_value(json_object_get(first, "a")), "kube-1");
    assert_string_equal(json_string_value(json_object_get(first, "b")), "kube-2");
    assert_int_equal(json_array_size(json_object_get(a, "failing")), 0);
    json_decref(a);
}

static void why(void **state) {
    struct stage *s = *state;
    const struct oracle_route *routes = NULL;
    char prefix[IP_PREFIX_TEXT_MAX], line[128];
    assert_true(oracle_loc_rib(s->e.state->oracle, 0, &routes) > 0);
    snprintf(line, sizeof line, "{\"op\":\"why\",\"node\":\"kube-2\",\"prefix\":\"%s\"}",
             ip_prefix_format(routes[0].prefix, prefix));
    json_t *a = ask(s, line);
    const char *output = json_string_value(json_object_get(a, "output"));
    assert_non_null(output);
    assert_non_null(strstr(output, "kube-2"));
    json_decref(a);
}

static void refusals(void **state) {
    static const struct {
        const char *line, *words;
    } cases[] = {
        {"{\"op\":\"dance\"}", "unknown operation"},
        {"{\"op\":7}", "unknown operation"},
        {"{}", "unknown operation"},
        {"[]", "unknown operation"},
        {"{\"op\":\"why\",\"node\":\"kube-9\"}", "no such node"},
        {"{\"op\":\"why\"}", "no such node"},
        {"{\"op\":\"logs\",\"node\":[]}", "no such node"},
        {"{\"op\":\"netns\",\"node\":\"\"}", "no such node"},
        {"{\"op\":\"speaker\",\"node\":\"kube-5\"}", "no such node"},
        {"{\"op\":\"node-status\",\"node\":\"x\"}", "no such node"},
        {"{\"op\":\"why\",\"node\":\"kube-1\",\"prefix\":\"10.0.0.0/33\"}", "not a prefix"},
        {"{\"op\":\"why\",\"node\":\"kube-1\"}", "not a prefix"},
        {"{\"op\":\"wait\",\"for\":\"godot\"}", "sessions or converged"},
        {"{\"op\":\"wait\"}", "sessions or converged"},
        {"{\"op\":\"apply\"}", "refused"},
        {"{\"op\":\"apply\",\"text\":\"a: [\"}", "refused"},
        {"{\"op\":\"apply\",\"text\":\"kind: Novel\"}", "refused"},
        {"{\"op\":", ""},
        {"{\"op\":\"down\",\"op\":\"down\"}", "duplicate"},
        {"\xff\xfe", ""},
        {"", ""},
    };
    struct stage *s = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_refused(s, cases[i].line, cases[i].words);
    assert_false(s->e.down_requested);
}

/* The findings come with the refusal, and the state is the old one. */
static void refused_manifests(void **state) {
    struct stage *s = *state;
    const struct state *before = s->e.state;
    json_t *a = ask(s, "{\"op\":\"apply\",\"file\":\"x.yaml\",\"text\":"
                       "\"apiVersion: projectcalico.org/v3\\nkind: BGPConfiguration\\n"
                       "metadata: {name: default}\\nspec: {asNumber: 0, novel: 1}\\n\"}");
    assert_true(json_is_false(json_object_get(a, "ok")));
    json_t *first = json_array_get(json_object_get(a, "diags"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "file")), "x.yaml");
    assert_true(json_integer_value(json_object_get(first, "line")) == 4);
    assert_ptr_equal(s->e.state, before);
    json_decref(a);
}

static void down(void **state) {
    struct stage *s = *state;
    json_t *a = ask(s, "{\"op\":\"down\"}");
    assert_true(json_is_true(json_object_get(a, "ok")));
    assert_true(s->e.down_requested);
    s->e.down_requested = false;
    json_decref(a);
}

/* Two requests in one piece, then one in many. */
static void lines_in_any_pieces(void **state) {
    struct stage *s = *state;
    int fd = client(s);
    send_text(s, fd, "{\"op\":\"a\"}\n{\"op\":\"b\"}\n{\"op\"");
    for (int i = 0; i < 2; i++) {
        json_t *a = answer(fd);
        assert_non_null(a);
        json_decref(a);
    }
    assert_null(answer(fd));
    for (const char *at = ":\"c\"}"; *at; at++)
        send_text(s, fd, (char[]){*at, '\0'});
    assert_null(answer(fd));
    send_text(s, fd, "\n");
    json_t *a = answer(fd);
    assert_non_null(a);
    json_decref(a);
    close(fd);
    server_poll(s->e.server);
}

static bool has_ended(int fd) {
    char byte;
    return recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

/* A line without an end is not kept for ever; who wrote it hears why. */
static void endless_line(void **state) {
    struct stage *s = *state;
    static char piece[65536];
    int fd = client(s);
    size_t sent = 0;
    memset(piece, 'x', sizeof piece);
    while (sent < (32u << 20)) {
        ssize_t n = send(fd, piece, sizeof piece, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN)
            break;
        sent += n > 0 ? (size_t)n : 0;
        server_poll(s->e.server);
    }
    assert_true(sent >= (16u << 20));
    json_t *said = answer(fd);
    assert_non_null(strstr(json_string_value(json_object_get(said, "error")), "too long"));
    json_decref(said);
    close(fd);
}

/* One client too many is told so and sent away, and there is room again afterwards. */
static void too_many_clients(void **state) {
    struct stage *s = *state;
    int fds[33];
    for (int i = 0; i < 33; i++)
        fds[i] = client(s);
    json_t *said = answer(fds[32]);
    assert_non_null(strstr(json_string_value(json_object_get(said, "error")), "32 others"));
    json_decref(said);
    assert_true(has_ended(fds[32]));
    assert_false(has_ended(fds[31]));
    for (int i = 0; i < 33; i++)
        close(fds[i]);
    for (int i = 0; i < 8; i++) /* a few ends at a time */
        server_poll(s->e.server);
    json_decref(ask(s, "{\"op\":\"sessions\"}"));
}

static void socket_is_private(void **state) {
    struct stage *s = *state;
    struct stat st;
    assert_int_equal(stat(s->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_null(server_new(&s->e, s->path)); /* taken */
    char path[200];
    memset(path, 'p', sizeof path);
    path[sizeof path - 1] = '\0';
    assert_null(server_new(&s->e, path));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions),
        cmocka_unit_test(why),
        cmocka_unit_test(refusals),
        cmocka_unit_test(refused_manifests),
        cmocka_unit_test(down),
        cmocka_unit_test(lines_in_any_pieces),
        cmocka_unit_test(endless_line),
        cmocka_unit_test(too_many_clients),
        cmocka_unit_test(socket_is_private),
    };
    return cmocka_run_group_tests(tests, stage_begin, stage_end);
}
