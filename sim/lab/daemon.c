/*
 * Nodes run by other BGP programs: what is the same for all of them.
 *
 * Owns: finding a program, its files and control sockets, starting its processes, reaching their
 * sockets, and the answers to those requests of speaker/CONTROL.md that make sense for any BGP
 * program. Leaves to others: what is said (a driver: bird.c), the life of processes (process.c).
 *
 * Configurations and sockets live in a tmpfs that is mounted nowhere: the supervisor holds it by a
 * descriptor, each process inherits one as RUNTIME_FD and finds its files below /proc/self/fd. When
 * the lab ends it is gone, and no path of this machine is ever written.
 *
 * Invariant: a host has a daemon exactly while speaker.daemon.driver is set, from its start until
 * something else is started there; its slot on the scoreboard stays zero.
 */
#include "lab_internal.h"
#include "step.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define RUNTIME_FD 3
#define ASK_AGAIN_MS 10 /* a socket that does not listen yet */
#define FILE_NAME_MAX 64

static const struct daemon_driver *const drivers[] = {&daemon_bird};

const struct daemon_driver *daemon_driver_find(const char *name) {
    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
        if (strcmp(drivers[i]->name, name) == 0)
            return drivers[i];
    return NULL;
}

const char *daemon_driver_names(void) {
    return "bird";
}

const struct daemon_driver *lab_daemon_driver(const struct lab *lab, uint32_t host) {
    return lab->nodes[host].speaker.daemon.driver;
}

/* ---- files ---- */

static bool open_runtime(struct lab *lab) {
    int fs;

    if (lab->runtime_fd >= 0)
        return true;
    fs = step_ok() ? fsopen("tmpfs", FSOPEN_CLOEXEC) : -1;
    if (fs < 0)
        return false;
    if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        lab->runtime_fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID);
    close(fs);
    return lab->runtime_fd >= 0;
}

static void file_name(uint32_t host, const struct daemon_program *p, const char *what,
                      char name[FILE_NAME_MAX]) {
    snprintf(name, FILE_NAME_MAX, "%u.%s.%s", host, p->name, what);
}

/* As the program sees it. */
static void inner_path(uint32_t host, const struct daemon_program *p, const char *what,
                       char *ret_path, size_t size) {
    char name[FILE_NAME_MAX];

    file_name(host, p, what, name);
    snprintf(ret_path, size, "/proc/self/fd/%d/%s", RUNTIME_FD, name);
}

static bool write_all(int fd, const char *data, size_t size) {
    while (size > 0) {
        ssize_t wrote = write(fd, data, size);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        data += wrote;
        size -= (size_t)wrote;
    }
    return true;
}

static bool write_config(struct lab *lab, uint32_t host, const struct daemon_program *p,
                         const char *config) {
    char name[FILE_NAME_MAX];
    bool ok;
    int fd;

    file_name(host, p, "conf", name);
    fd = step_ok() ? openat(lab->runtime_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)
                   : -1;
    ok = fd >= 0 && write_all(fd, config, strlen(config));
    if (fd >= 0)
        ok = close(fd) == 0 && ok;
    return ok;
}

/* ---- starting ---- */

static pid_t start_program(struct lab *lab, uint32_t host, const struct lab_daemon_spec *spec,
                           size_t program, int log_fd) {
    const struct daemon_program *p = &spec->driver->programs[program];
    const char *argv[DAEMON_ARGUMENTS_MAX + 1] = {spec->root->programs[program]};
    char config[DAEMON_PATH_MAX], control[DAEMON_PATH_MAX], libraries[DAEMON_PATH_MAX + 32];
    char *envp[] = {libraries, NULL};
    struct daemon_place place = {config, control, spec->restarting};
    struct child c = {.netns_fd = lab->nodes[host].netns_fd,
                      .path = argv[0],
                      .argv = (char **)(uintptr_t)argv,
                      .envp = spec->root->libraries[0] != '\0' ? envp : NULL,
                      .fds = {lab->null_fd, log_fd, log_fd, [RUNTIME_FD] = lab->runtime_fd},
                      .fd_count = RUNTIME_FD + 1};

    snprintf(libraries, sizeof(libraries), "LD_LIBRARY_PATH=%s", spec->root->libraries);
    inner_path(host, p, "conf", config, sizeof(config));
    inner_path(host, p, "ctl", control, sizeof(control));
    spec->driver->arguments(&place, argv + 1);
    return write_config(lab, host, p, spec->configs[program]) ? process_spawn(&c) : -1;
}

static bool start_programs(struct lab *lab, uint32_t host, const struct lab_daemon_spec *spec,
                           int log_fd) {
    struct speaker *s = &lab->nodes[host].speaker;

    for (size_t i = 0; i < spec->driver->program_count; i++) {
        if (spec->configs[i] == NULL)
            continue;
        pid_t pid = start_program(lab, host, spec, i, log_fd);
        if (pid < 0)
            return false;
        s->daemon.pids[i] = s->pid = pid;
        s->kind = LAB_RUNNING;
    }
    return true;
}

static bool open_log(struct lab *lab, uint32_t host, int pipes[2]) {
    struct speaker *s = &lab->nodes[host].speaker;

    if (!step_ok() || pipe2(pipes, O_CLOEXEC) != 0)
        return false;
    s->log_fd = pipes[0];
    s->log_bytes_max = LAB_LOG_BYTES_MAX;
    return fcntl(pipes[0], F_SETFL, O_NONBLOCK) == 0 &&
           lab_watch(lab, s->log_fd, LAB_WATCH_LOG, host, false);
}

bool lab_daemon_start(struct lab *lab, uint32_t host, const struct lab_daemon_spec *spec,
                      struct diag_list *diags) {
    struct lab_node *n = &lab->nodes[host];
    struct speaker *s = &n->speaker;
    int pipes[2] = {-1, -1}, error = EALREADY;
    bool ok = s->kind != LAB_RUNNING;

    if (ok) {
        process_forget(lab, host);
        s->daemon.driver = spec->driver;
        s->daemon.root = spec->root;
        s->code = 0;
        s->expected = false;
        ok = open_runtime(lab) && open_log(lab, host, pipes) &&
             start_programs(lab, host, spec, pipes[1]);
        error = errno;
    }
    if (pipes[1] >= 0)
        close(pipes[1]);
    if (ok)
        return true;
    lab_add_finding(diags, n->name, "start another speaker", error, spec->root->programs[0]);
    if (error != EALREADY) {
        s->expected = true;
        (void)process_signal(s, SIGKILL);
    }
    return false;
}

bool lab_daemon_reconfigure(struct lab *lab, uint32_t host,
                            const char *const configs[DAEMON_PROGRAMS_MAX], uint32_t deadline_ms,
                            struct diag_list *diags) {
    const struct daemon *d = &lab->nodes[host].speaker.daemon;
    struct daemon_talk t = {lab, host, nanotime_add_ms(lab_now(), deadline_ms), ""};
    struct text error;
    bool all = true;

    text_init(&error);
    for (size_t i = 0; i < d->driver->program_count; i++) {
        if (configs[i] == NULL || d->pids[i] <= 0)
            continue;
        if (write_config(lab, host, &d->driver->programs[i], configs[i]) &&
            d->driver->reconfigure(&t, i, &error))
            continue;
        all = false;
        diag_add(diags, DIAG_ERROR, (struct diag_place){0}, "not-reconfigured", "%s: %s",
                 lab->nodes[host].name, error.size > 0 ? text_str(&error) : strerror(errno));
        text_clear(&error);
    }
    text_deinit(&error);
    return all;
}

/* ---- reaching a control socket ---- */

bool daemon_runs(const struct daemon_talk *t, size_t program) {
    return t->lab->nodes[t->host].speaker.daemon.pids[program] > 0;
}

static int try_connect(const struct daemon_talk *t, const struct daemon_program *p) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    char name[FILE_NAME_MAX];
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    file_name(t->host, p, "ctl", name);
    snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/%.*s", t->lab->runtime_fd,
             FILE_NAME_MAX - 1, name);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
        return fd;
    daemon_close(fd);
    return -1;
}

/* Nothing announces that a socket has begun to listen. */
int daemon_connect(struct daemon_talk *t, size_t program) {
    const struct daemon_driver *d = lab_daemon_driver(t->lab, t->host);

    while (daemon_runs(t, program)) {
        int fd = try_connect(t, &d->programs[program]);
        struct nanotime now = lab_now();
        if (fd >= 0)
            return fd;
        if (!nanotime_before(now, t->deadline)) {
            t->error = "its control socket does not answer";
            return -1;
        }
        lab_pump(t->lab, nanotime_add_ms(now, ASK_AGAIN_MS), -1, NULL);
    }
    t->error = "it does not run";
    return -1;
}

bool daemon_send(struct daemon_talk *t, int fd, const char *data, size_t size) {
    ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);

    /* A command is a line: an empty socket takes it at once. */
    if (sent == (ssize_t)size)
        return true;
    t->error = "its control socket takes no command";
    return false;
}

bool daemon_receive(struct daemon_talk *t, int fd, daemon_complete_fn *complete, struct text *in) {
    char buffer[16384];

    while (!complete(in)) {
        ssize_t got = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
        if (got > 0) {
            text_put(in, buffer, (size_t)got);
        } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
            t->error = "it closed its control socket";
            return false;
        } else if (!nanotime_before(lab_now(), t->deadline)) {
            t->error = "no answer within the deadline";
            return false;
        } else {
            lab_pump(t->lab, t->deadline, fd, NULL);
        }
        if (in->failed || in->size > DAEMON_ANSWER_BYTES_MAX) {
            t->error = "its answer is too long";
            return false;
        }
    }
    return true;
}

void daemon_close(int fd) {
    if (fd >= 0)
        close(fd);
}

/* ---- requests of speaker/CONTROL.md ---- */

static const char *member(const json_t *request, const char *name) {
    return json_string_value(json_object_get(request, name));
}

static json_t *refuse(const struct daemon_driver *d, const char *why) {
    return json_pack("{s:b, s:o}", "ok", 0, "error", json_sprintf("%s: %s", d->title, why));
}

typedef json_t *daemon_op(struct daemon_talk *t, const struct daemon_driver *d,
                          const json_t *request);

static json_t *op_peers(struct daemon_talk *t, const struct daemon_driver *d,
                        const json_t *request) {
    json_t *list = json_array();
    const char *name = member(request, "name");

    if (list == NULL || !d->sessions(t, list)) {
        json_decref(list);
        return refuse(d, t->error);
    }
    for (size_t i = json_array_size(list); name != NULL && i > 0; i--) {
        const char *own = json_string_value(json_object_get(json_array_get(list, i - 1), "name"));
        if (own == NULL || strcmp(own, name) != 0)
            (void)json_array_remove(list, i - 1);
    }
    return json_pack("{s:b, s:o}", "ok", 1, "peers", list);
}

static json_t *op_established(struct daemon_talk *t, const struct daemon_driver *d,
                              const json_t *request) {
    json_t *answer = op_peers(t, d, request), *remote = json_array(), *hold = json_array();
    json_t *session;
    size_t i;

    json_array_foreach(json_object_get(answer, "peers"), i, session) {
        const char *state = json_string_value(json_object_get(session, "state"));
        if (state == NULL || strcmp(state, "Established") != 0)
            continue;
        (void)json_array_append(remote, json_object_get(session, "remote"));
        (void)json_array_append(hold, json_object_get(session, "hold_time_s"));
    }
    (void)json_object_del(answer, "peers");
    (void)json_object_set_new(answer, "remote", remote);
    (void)json_object_set_new(answer, "hold_time_s", hold);
    return answer;
}

static json_t *op_rib(struct daemon_talk *t, const struct daemon_driver *d, const json_t *request) {
    const char *table = member(request, "table"), *family = member(request, "family");
    struct daemon_route_query q = {.table = DAEMON_LOC,
                                   .prefix = member(request, "prefix"),
                                   .peer = member(request, "peer"),
                                   .family = family == NULL                ? 0
                                             : strcmp(family, "ipv6") == 0 ? 6
                                                                           : 4};
    json_t *list;

    if (table != NULL && strcmp(table, "in") == 0)
        q.table = DAEMON_IN;
    else if (table != NULL && strcmp(table, "out") == 0)
        q.table = DAEMON_OUT;
    else if (table != NULL && strcmp(table, "loc") != 0)
        return refuse(d, "the kernel's table is asked with `ip route` in the node");
    if (q.table == DAEMON_OUT && q.peer == NULL)
        return refuse(d, "which peer's routes?");
    list = json_array();
    if (list != NULL && d->routes(t, &q, list))
        return json_pack("{s:b, s:o}", "ok", 1, "routes", list);
    json_decref(list);
    return refuse(d, t->error);
}

static json_t *op_exec(struct daemon_talk *t, const struct daemon_driver *d,
                       const json_t *request) {
    const char *command = member(request, "command");
    struct text out;
    json_t *answer;

    text_init(&out);
    answer = command != NULL && d->command(t, command, &out)
                 ? json_pack("{s:b, s:s}", "ok", 1, "output", text_str(&out))
                 : refuse(d, command != NULL ? t->error : "which command?");
    text_deinit(&out);
    return answer;
}

static const struct {
    const char *name;
    daemon_op *run;
} operations[] = {
    {"peers", op_peers}, {"established", op_established}, {"rib", op_rib}, {"exec", op_exec}};

json_t *daemon_request(struct lab *lab, uint32_t host, const json_t *request,
                       struct nanotime deadline) {
    const struct daemon_driver *d = lab_daemon_driver(lab, host);
    struct daemon_talk t = {lab, host, deadline, "out of memory"};
    const char *op = member(request, "op");

    if (lab->nodes[host].speaker.pid <= 0)
        return NULL;
    for (size_t i = 0; op != NULL && i < sizeof(operations) / sizeof(operations[0]); i++)
        if (strcmp(operations[i].name, op) == 0)
            return operations[i].run(&t, d, request);
    return refuse(d, "has no answer to this");
}
