/*
 * BIRD 1.6, as Calico runs it: one daemon a family, asked over its control sockets in the words of
 * birdc, which is not needed.
 *
 * Owns the commands. Leaves to others: the processes and sockets (daemon.c), what an answer says
 * (bird_text.c), the configuration (the planner).
 *
 * BIRD: started with -R it waits for its neighbours' End-of-RIB before it touches the kernel's
 * table, at most 240 s; Calico always starts it so. With -d, as Calico has it, the log goes to
 * standard error, which is the node's log here; without, to syslog and, where nobody listens to
 * that, to the console: a serial line of the machine, in whose time the whole cluster then runs.
 */
#include "bird_text.h"
#include "daemon.h"

#include <stdio.h>
#include <string.h>

enum { BIRD4, BIRD6 };

static const struct daemon_program programs[] = {
    [BIRD4] = {"bird", "usr/sbin/bird"},
    [BIRD6] = {"bird6", "usr/sbin/bird6"},
};

#define COMMAND_MAX 512
#define CODE_WELCOME 1
#define CODE_RECONFIGURED 3
#define CODE_RECONFIGURING 4
#define CODE_NO_PROTOCOL_MATCH 8003
#define CODE_NO_NETWORK 8001
#define CODE_ERROR_FIRST 8000

static void arguments(const struct daemon_place *place, const char **argv) {
    const char *list[] = {"-d", "-R", "-c", place->config, "-s", place->control, NULL};
    memcpy(argv, list, sizeof list);
}

/* ---- talking ---- */

/* BIRD 2 has the same socket and other words. */
static bool greet(struct daemon_talk *t, int fd, struct text *in) {
    if (!daemon_receive(t, fd, bird_complete, in))
        return false;
    if (bird_code(in) == CODE_WELCOME && strstr(text_str(in), "BIRD 1."))
        return true;
    t->error = "this is not BIRD 1.6";
    return false;
}

/* One command; the answer with its codes. False: t->error. */
static bool ask(struct daemon_talk *t, size_t program, const char *command, struct text *ret_in) {
    char line[COMMAND_MAX];
    int n = snprintf(line, sizeof line, "%s\n", command);
    int fd = n > 0 && (size_t)n < sizeof line ? daemon_connect(t, program) : -1;
    bool ok = fd >= 0 && greet(t, fd, ret_in);
    text_clear(ret_in);
    ok = ok && daemon_send(t, fd, line, (size_t)n) && daemon_receive(t, fd, bird_complete, ret_in);
    daemon_close(fd);
    return ok;
}

/* A name or prefix that goes into a command: nothing that could end it. */
static bool plain(const char *s) {
    return s[strcspn(s, "\n\r\"")] == '\0';
}

static bool reconfigure(struct daemon_talk *t, size_t program, struct text *ret_error) {
    struct text in, out;
    text_init(&in);
    text_init(&out);
    bool heard = ask(t, program, "configure", &in);
    unsigned code = heard ? bird_code(&in) : 0;
    bool ok = heard && (code == CODE_RECONFIGURED || code == CODE_RECONFIGURING);
    if (!ok) {
        bird_plain(&in, &out);
        text_printf(ret_error, "%s: %s", programs[program].name, heard ? text_str(&out) : t->error);
    }
    text_deinit(&in);
    text_deinit(&out);
    return ok;
}

/* ---- sessions and routes ---- */

static bool sessions(struct daemon_talk *t, json_t *list) {
    bool ok = true;
    for (size_t p = 0; ok && p < 2; p++) {
        struct text in;
        if (!daemon_runs(t, p))
            continue;
        text_init(&in);
        ok = ask(t, p, "show protocols all", &in) && bird_read_sessions(&in, list);
        text_deinit(&in);
    }
    return ok;
}

static bool route_command(const struct daemon_route_query *q, char *ret_command, size_t size) {
    if ((q->prefix && !plain(q->prefix)) || (q->peer && !plain(q->peer)))
        return false;
    int n = snprintf(ret_command, size, "show route%s%s all%s%s%s", q->prefix ? " " : "",
                     q->prefix ? q->prefix : "", q->table == DAEMON_LOC ? " primary" : "",
                     !q->peer                 ? ""
                     : q->table == DAEMON_OUT ? " export "
                                              : " protocol ",
                     q->peer ? q->peer : "");
    return n > 0 && (size_t)n < size;
}

static bool asks_family(const struct daemon_route_query *q, size_t program) {
    bool six = program == BIRD6;
    if (q->family)
        return (q->family == 6) == six;
    return !q->prefix || (strchr(q->prefix, ':') != NULL) == six;
}

/* "Network not in table" is an answer; a session of the other family is no error either. */
static bool is_answer(const struct text *in) {
    unsigned code = bird_code(in);
    return code < CODE_ERROR_FIRST || code == CODE_NO_NETWORK || code == CODE_NO_PROTOCOL_MATCH;
}

static bool has_session(struct daemon_talk *t, size_t program, const char *name) {
    char command[COMMAND_MAX];
    struct text in;
    text_init(&in);
    snprintf(command, sizeof command, "show protocols \"%s\"", name);
    bool has = ask(t, program, command, &in) && bird_code(&in) < CODE_ERROR_FIRST;
    text_deinit(&in);
    return has;
}

/* BGP's part of the table; Adj-RIB-In is every path a session has, the best or not. */
static bool drop_others(const struct daemon_route_query *q, json_t *list, size_t from) {
    for (size_t i = json_array_size(list); q->table == DAEMON_IN && i > from; i--) {
        json_t *r = json_array_get(list, i - 1);
        const char *source = json_string_value(json_object_get(r, "source"));
        if (!source || strcmp(source, "bgp") != 0)
            (void)json_array_remove(list, i - 1);
    }
    return true;
}

static bool routes(struct daemon_talk *t, const struct daemon_route_query *q, json_t *list) {
    char command[COMMAND_MAX];
    bool ok = route_command(q, command, sizeof command);
    if (!ok)
        t->error = "not a prefix or session";
    for (size_t p = 0; ok && p < 2; p++) {
        struct text in;
        if (!daemon_runs(t, p) || !asks_family(q, p) || (q->peer && !has_session(t, p, q->peer)))
            continue;
        size_t before = json_array_size(list);
        text_init(&in);
        ok = ask(t, p, command, &in);
        if (ok && !is_answer(&in)) {
            t->error = "bird does not understand the question";
            ok = false;
        }
        ok = ok && bird_read_routes(&in, q->table == DAEMON_LOC, list) &&
             drop_others(q, list, before);
        text_deinit(&in);
    }
    return ok;
}

/* ---- commands ---- */

/* Calico's birdcl asks the one, birdcl6 the other; without either both are asked. */
static bool command(struct daemon_talk *t, const char *words, struct text *ret_output) {
    bool ok = words[strcspn(words, "\n\r")] == '\0', any = false;
    if (!ok)
        t->error = "one line, please";
    for (size_t p = 0; ok && p < 2; p++) {
        struct text in;
        if (!daemon_runs(t, p))
            continue;
        text_init(&in);
        ok = ask(t, p, words, &in);
        if (ok && !(any && bird_code(&in) >= CODE_ERROR_FIRST))
            bird_plain(&in, ret_output);
        any = true;
        text_deinit(&in);
    }
    return ok;
}

const struct daemon_driver daemon_bird = {
    .name = "bird",
    .title = "BIRD 1.6",
    .programs = programs,
    .program_count = 2,
    .arguments = arguments,
    .reconfigure = reconfigure,
    .sessions = sessions,
    .routes = routes,
    .command = command,
};
