/*
 * Requests of other commands to a running lab: one JSON object a line in, one out, over a unix
 * socket in the lab's own directory (mode 0600; only the owner's and root's requests are taken).
 *
 * Nothing here blocks for long: speakers are asked with a deadline, and the one operation that
 * waits (`wait`) sleeps in engine_wait like a step does, which serves other clients meanwhile; it
 * ends early when its client goes or the lab is told to go down. A client that does not read is
 * dropped. Programs are not run here: `netns` hands out the namespace's descriptor and the asking
 * command runs them itself.
 */

#include "../../reports/findings.h"
#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX 32
#define LINE_MAX_BYTES (16u << 20)
#define CLIENT_PATIENCE_MS 2000
#define REQUEST_DEADLINE_MS 5000

struct client {
    int fd; /* -1: free */
    struct text input;
};

struct server {
    struct engine *e;
    int listen_fd, epoll_fd;
    struct client *waiting; /* whose `wait` is under way; only its end is heard meanwhile */
    struct client clients[CLIENTS_MAX];
};

typedef json_t *server_fn(struct server *s, struct client *c, json_t *request);

static json_t *refuse(const char *error) {
    return json_pack("{s:b, s:s}", "ok", 0, "error", error);
}

static const char *text_member(json_t *request, const char *name) {
    return json_string_value(json_object_get(request, name));
}

static bool node_member(struct server *s, json_t *request, uint32_t *ret_node) {
    const char *name = text_member(request, "node");
    uint32_t node = name ? engine_node_find(s->e, name) : UINT32_MAX;
    if (node == UINT32_MAX)
        return false;
    *ret_node = node;
    return true;
}

/* Names the node that was asked for, and the nearest that there is. */
static json_t *refuse_node(const struct server *s, json_t *request) {
    const char *name = text_member(request, "node");
    const struct engine *e = s->e;
    const char **names = name && *name ? calloc(e->count + 1, sizeof *names) : NULL;
    if (!names)
        return refuse("no such node");
    for (uint32_t i = 0; i < e->count; i++)
        names[i] = e->nodes[i].name;
    const char *near = text_nearest(name, names, e->count);
    char error[256];
    snprintf(error, sizeof error, "no such node: %.80s%s%s%s", name,
             near ? " (did you mean \"" : "; ribcage status lists them", near ? near : "",
             near ? "\"?)" : "");
    free(names);
    return json_pack("{s:b, s:o}", "ok", 0, "error", report_text(error));
}

/* ---- looking ---- */

static json_t *node_info(const struct engine *e, uint32_t i) {
    struct engine_counts seen = engine_counts(e, i);
    struct oracle_totals t = oracle_totals(e->state->oracle, i);
    struct lab_usage u = lab_speaker_usage(e->lab, i);
    json_int_t expected_routes = (json_int_t)t.loc_rib[0] + (json_int_t)t.loc_rib[1];
    static const char *const states[] = {"running", "exited", "killed", "not started"};
    return json_pack(
        "{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "name", e->nodes[i].name, "kind",
        i < e->node_count ? "calico" : "ios", "speaker", states[lab_speaker_state(e->lab, i).kind],
        "pid", (json_int_t)lab_speaker_state(e->lab, i).pid, "established",
        (json_int_t)seen.established, "expected", (json_int_t)t.established, "loc_rib",
        (json_int_t)seen.loc_rib, "loc_rib_expected", expected_routes, "fib", (json_int_t)seen.fib,
        "pss_bytes", (json_int_t)u.pss_bytes, "cpu_ns", (json_int_t)u.cpu_ns);
}

static json_t *op_status(struct server *s, struct client *c, json_t *request) {
    (void)c;
    (void)request;
    json_t *nodes = json_array();
    for (uint32_t i = 0; i < s->e->count; i++)
        json_array_append_new(nodes, node_info(s->e, i));
    engine_fill_totals(s->e);
    return json_pack("{s:b, s:o, s:o}", "ok", 1, "result", report_json(&s->e->result), "nodes",
                     nodes);
}

static json_t *op_sessions(struct server *s, struct client *c, json_t *request) {
    (void)c;
    (void)request;
    struct engine *e = s->e;
    const struct oracle_session *list = NULL;
    const struct oracle_failure *down = NULL;
    size_t n = oracle_sessions(e->state->oracle, &list);
    size_t failures = oracle_failures(e->state->oracle, &down);
    json_t *up = json_array(), *failed = json_array();
    char a[IP_ADDR_TEXT_MAX], b[IP_ADDR_TEXT_MAX];
    for (size_t i = 0; i < n; i++)
        json_array_append_new(up, json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "a",
                                            e->nodes[list[i].a].name, "b", e->nodes[list[i].b].name,
                                            "address_a", ip_format(list[i].addr_a, a), "address_b",
                                            ip_format(list[i].addr_b, b), "family",
                                            list[i].transport == BGP_IPV6_UNICAST ? "ipv6" : "ipv4",
                                            "hold_time_s", (int)list[i].hold_time_s));
    for (size_t i = 0; i < failures; i++)
        json_array_append_new(
            failed, json_pack("{s:s, s:s, s:s, s:s}", "node", e->nodes[down[i].node].name, "peer",
                              e->state->configs[down[i].node]->peers[down[i].peer].name, "cause",
                              down[i].cause, "detail", down[i].detail));
    return json_pack("{s:b, s:o, s:o}", "ok", 1, "expected", up, "failing", failed);
}

/* A request of speaker/CONTROL.md, handed on. */
static json_t *op_speaker(struct server *s, struct client *c, json_t *request) {
    (void)c;
    uint32_t node = 0;
    const char *error = "the speaker does not answer";
    if (!node_member(s, request, &node))
        return refuse_node(s, request);
    json_t *answer = lab_request(s->e->lab, node, json_object_get(request, "request"),
                                 REQUEST_DEADLINE_MS, &error);
    return answer ? answer : refuse(error);
}

static json_t *op_logs(struct server *s, struct client *c, json_t *request) {
    (void)c;
    uint32_t node = 0;
    if (!node_member(s, request, &node))
        return refuse_node(s, request);
    const struct text *log = lab_speaker_log(s->e->lab, node);
    return json_pack("{s:b, s:o}", "ok", 1, "output", report_text(log ? text_str(log) : ""));
}

static json_t *op_node_status(struct server *s, struct client *c, json_t *request) {
    (void)c;
    uint32_t node = 0;
    if (!node_member(s, request, &node))
        return refuse_node(s, request);
    struct text out;
    text_init(&out);
    bool ok = engine_node_status(s->e, node, &out);
    json_t *answer = ok ? json_pack("{s:b, s:o}", "ok", 1, "output", report_text(text_str(&out)))
                        : refuse("the node's speaker does not answer");
    text_deinit(&out);
    return answer;
}

static json_t *op_why(struct server *s, struct client *c, json_t *request) {
    (void)c;
    uint32_t node = 0;
    struct ip_prefix p;
    const char *prefix = text_member(request, "prefix");
    if (!node_member(s, request, &node))
        return refuse_node(s, request);
    if (!prefix || !ip_prefix_parse(prefix, &p))
        return refuse("not a prefix");
    struct text out;
    text_init(&out);
    oracle_explain(s->e->state->oracle, node, p, &out);
    json_t *answer = json_pack("{s:b, s:o}", "ok", 1, "output", report_text(text_str(&out)));
    text_deinit(&out);
    return answer;
}

/* ---- acting ---- */

/* The scenario's, where the request has none. */
static bool take_tool(const struct server *s, const char *name, enum calico_tool *ret_tool) {
    if (!name) {
        *ret_tool = s->e->scenario->tool;
        return true;
    }
    *ret_tool = strcmp(name, calico_tool_names[CALICO_TOOL_KUBECTL]) == 0 ? CALICO_TOOL_KUBECTL
                                                                          : CALICO_TOOL_CALICOCTL;
    return strcmp(name, calico_tool_names[*ret_tool]) == 0;
}

static json_t *applied_json(const struct calico_applied *a) {
    json_t *list = json_array();
    for (size_t i = 0; i < a->count; i++) {
        const struct calico_applied_resource *r = &a->items[i];
        if (r->outcome != CALICO_NOT_LOOKED_AT)
            json_array_append_new(list, json_pack("{s:o, s:o, s:i, s:b}", "kind",
                                                  report_text(r->kind), "name",
                                                  report_text(r->name), "line", (int)r->place.line,
                                                  "applied", (int)(r->outcome == CALICO_TAKEN)));
    }
    return list;
}

static json_t *op_apply(struct server *s, struct client *c, json_t *request) {
    (void)c;
    const char *text = text_member(request, "text"), *file = text_member(request, "file");
    const char *tool = text_member(request, "tool");
    struct diag_list *diags = diag_list_new();
    struct yaml_document *documents = NULL;
    struct engine_how how = {
        .kind = json_is_true(json_object_get(request, "remove")) ? ENGINE_REMOVE : ENGINE_APPLY};
    struct calico_applied applied = {0};
    bool ok = diags && text && take_tool(s, tool, &how.tool);
    size_t size = text ? strlen(text) : 0, sound = 0;
    int n = ok ? yaml_parse(text, size, file ? file : "-", s->e->arena, diags, &documents) : -1;
    bool readable = n >= 0 && diag_error_count(diags) == 0;
    if (n >= 0)
        sound = yaml_sound_documents(text, size, documents, (size_t)n, diags, 0);
    ok = (readable || (sound > 0 && how.tool == CALICO_TOOL_KUBECTL)) &&
         engine_apply(s->e, documents, sound, how, diags, &applied) && readable;
    const struct oracle_failure *down = NULL;
    json_t *answer = json_pack("{s:b, s:o, s:o, s:I}", "ok", (int)ok, "diags",
                               report_findings_list(diags), "resources", applied_json(&applied),
                               "failing", (json_int_t)oracle_failures(s->e->state->oracle, &down));
    if (!ok)
        json_object_set_new(answer, "error", json_string("refused"));
    diag_list_free(diags);
    return answer;
}

static void watch(struct server *s, const struct client *c, uint32_t events) {
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)(c - s->clients) + 1};
    (void)epoll_ctl(s->epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
}

static json_t *op_wait(struct server *s, struct client *c, json_t *request) {
    const char *what = text_member(request, "for");
    uint64_t ms = (uint64_t)json_integer_value(json_object_get(request, "deadline_ms"));
    struct scenario_expect x = {.kind = EXPECT_CONVERGED, .hold_time_s = -1};
    if (what && strcmp(what, "sessions") == 0)
        x.kind = EXPECT_SESSIONS;
    else if (!what || strcmp(what, "converged") != 0)
        return refuse("wait for what? sessions or converged");
    if (s->waiting)
        return refuse("somebody else is waiting already");
    s->waiting = c;
    watch(s, c, EPOLLRDHUP);
    bool ok = expect_all(s->e, &x, 1, ms * NANOS_PER_MS);
    watch(s, c, EPOLLIN);
    s->waiting = NULL;
    s->e->wait_given_up = false;
    const struct run_result *r = &s->e->result;
    const char *reason = r->check_count ? r->checks[r->check_count - 1].reason : "";
    return json_pack("{s:b, s:b, s:b, s:o}", "ok", 1, "holds", (int)ok, "down",
                     (int)s->e->down_requested, "reason", report_text(reason));
}

static json_t *op_down(struct server *s, struct client *c, json_t *request) {
    (void)c;
    (void)request;
    s->e->down_requested = true;
    json_t *answer = engine_namespaces(s->e);
    if (answer)
        json_object_set_new(answer, "ok", json_true());
    return answer;
}

/* The node's network namespace, as a descriptor beside the answer. */
static json_t *op_netns(struct server *s, struct client *c, json_t *request) {
    uint32_t node = 0;
    if (!node_member(s, request, &node))
        return refuse_node(s, request);
    int fd = lab_host_netns(s->e->lab, node);
    char byte = '\n';
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec io = {&byte, 1};
    struct msghdr m = {.msg_iov = &io,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control.space};
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    h->cmsg_level = SOL_SOCKET;
    h->cmsg_type = SCM_RIGHTS;
    h->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(h), &fd, sizeof fd);
    if (sendmsg(c->fd, &m, MSG_NOSIGNAL) != 1)
        return refuse(strerror(errno));
    return json_pack("{s:b}", "ok", 1);
}

static const struct {
    const char *name;
    server_fn *run;
} operations[] = {
    {"status", op_status},   {"sessions", op_sessions},
    {"speaker", op_speaker}, {"logs", op_logs},
    {"why", op_why},         {"apply", op_apply},
    {"wait", op_wait},       {"down", op_down},
    {"netns", op_netns},     {"node-status", op_node_status},
};

/* ---- lines ---- */

static void drop(struct server *s, struct client *c) {
    (void)epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
    close(c->fd);
    c->fd = -1;
    text_deinit(&c->input);
}

static void send_answer(struct server *s, struct client *c, json_t *answer) {
    char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
    json_decref(answer);
    size_t size = text ? strlen(text) : 0, at = 0;
    if (text)
        text[size++] = '\n'; /* in place of the NUL */
    while (at < size && c->fd >= 0) {
        ssize_t n = send(c->fd, text + at, size - at, MSG_NOSIGNAL | MSG_DONTWAIT);
        struct pollfd p = {.fd = c->fd, .events = POLLOUT};
        if (n > 0)
            at += (size_t)n;
        else if (n < 0 && errno == EAGAIN && poll(&p, 1, CLIENT_PATIENCE_MS) > 0)
            continue;
        else
            drop(s, c);
    }
    free(text);
}

static void handle_line(struct server *s, struct client *c, const char *line, size_t size) {
    json_error_t error;
    json_t *request = json_loadb(line, size, JSON_REJECT_DUPLICATES, &error);
    const char *op = request ? text_member(request, "op") : NULL;
    json_t *answer = NULL;
    for (size_t i = 0; op && i < sizeof operations / sizeof operations[0]; i++) {
        if (strcmp(operations[i].name, op) == 0)
            answer = operations[i].run(s, c, request);
    }
    send_answer(s, c, answer ? answer : refuse(request ? "unknown operation" : error.text));
    json_decref(request);
}

static void take_lines(struct server *s, struct client *c) {
    size_t start = 0;
    struct text input = c->input;
    text_init(&c->input);
    const char *data = text_str(&input);
    for (size_t i = 0; i < input.size && c->fd >= 0; i++) {
        if (data[i] != '\n')
            continue;
        handle_line(s, c, data + start, i - start);
        start = i + 1;
    }
    if (c->fd >= 0)
        text_put(&c->input, data + start, input.size - start);
    text_deinit(&input);
}

static void read_client(struct server *s, struct client *c) {
    char buffer[65536];
    ssize_t n = recv(c->fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    bool long_line = n > 0 && c->input.size + (size_t)n > LINE_MAX_BYTES;
    if (long_line)
        send_answer(s, c, refuse("the request is too long: 16 MiB at most"));
    if (n <= 0 || long_line) {
        if (c->fd >= 0)
            drop(s, c);
        return;
    }
    text_put(&c->input, buffer, (size_t)n);
    if (memchr(buffer, '\n', (size_t)n))
        take_lines(s, c);
}

static bool allowed(int fd) {
    struct ucred who;
    socklen_t size = sizeof who;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 &&
           (who.uid == getuid() || who.uid == 0);
}

static void accept_client(struct server *s) {
    int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    for (size_t i = 0; allowed(fd) && i < CLIENTS_MAX; i++) {
        struct client *c = &s->clients[i];
        if (c->fd >= 0)
            continue;
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = i + 1};
        if (epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0) {
            c->fd = fd;
            text_init(&c->input);
            return;
        }
    }
    static const char full[] = "{\"ok\":false,\"error\":\"32 others ask the lab already\"}\n";
    if (allowed(fd))
        (void)send(fd, full, sizeof full - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(fd);
}

void server_poll(struct server *s) {
    struct epoll_event events[8];
    int n = epoll_wait(s->epoll_fd, events, 8, 0);
    for (int i = 0; i < n; i++) {
        struct client *c = events[i].data.u64 ? &s->clients[events[i].data.u64 - 1] : NULL;
        if (!c)
            accept_client(s);
        else if (c == s->waiting)
            s->e->wait_given_up = true;
        else if (c->fd >= 0)
            read_client(s, c);
    }
}

int server_fd(const struct server *s) {
    return s->epoll_fd;
}

/* ---- making ---- */

static int listen_at(const char *path) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof a.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(a.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0177);
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 16) == 0;
    int error = errno;
    umask(mask);
    if (ok)
        return fd;
    if (fd >= 0)
        close(fd);
    errno = error;
    return -1;
}

struct server *server_new(struct engine *e, const char *path) {
    struct server *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->e = e;
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        s->clients[i].fd = -1;
    s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    s->listen_fd = listen_at(path);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0};
    if (s->epoll_fd >= 0 && s->listen_fd >= 0 &&
        epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->listen_fd, &event) == 0)
        return s;
    server_free(s);
    return NULL;
}

void server_free(struct server *s) {
    int error = errno;
    if (!s)
        return;
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        if (s->clients[i].fd >= 0)
            drop(s, &s->clients[i]);
    }
    if (s->listen_fd >= 0)
        close(s->listen_fd);
    if (s->epoll_fd >= 0)
        close(s->epoll_fd);
    free(s);
    errno = error;
}
