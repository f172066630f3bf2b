/*
 * ribcage-speaker ctl: asks a running speaker over its control socket.
 *
 * Owns the subcommands (a table), the connection and the exit status. An answer is printed as text
 * (ctl_print.c) or, with --json, as the speaker gave it. Unless we are root, the socket must belong
 * to us or to root: what answers on a path that anybody could have bound is not believed.
 */
#include "ctl.h"

#include "../base/addr.h"
#include "../base/text.h"
#include "../config/config_fields.h"
#include "ctl_attrs.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ARGUMENTS_MAX 5

struct ctl {
    int fd;
    bool json;
    char *const *argv; /* of the subcommand, behind its name */
    int argc;
};

struct subcommand {
    const char *name, *arguments, *help;
    int argc_min, argc_max;
    int (*run)(struct ctl *ctl);
};

/* ---- asking ---- */

static bool socket_trusted(int fd) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid() || geteuid() == 0);
}

static int ctl_connect(const char *path) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (!path[0] || strlen(path) >= sizeof at.sun_path) {
        fprintf(stderr, "ribcage-speaker ctl: no socket: say which one with -s\n");
        return -1;
    }
    memcpy(at.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof at) == 0 && socket_trusted(fd))
        return fd;
    fprintf(stderr, "ribcage-speaker ctl: %s: %s\n", path,
            errno ? strerror(errno) : "it belongs to somebody else");
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool write_all(int fd, const char *data, size_t size) {
    while (size > 0) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        data += sent;
        size -= (size_t)sent;
    }
    return true;
}

static bool read_line(int fd, struct text *line) {
    char buffer[16384];
    while (!line->size || line->data[line->size - 1] != '\n') {
        ssize_t got = recv(fd, buffer, sizeof buffer, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || line->failed)
            return false;
        text_put(line, buffer, (size_t)got);
    }
    return true;
}

/* Takes the request; the answer, or NULL when the speaker has gone. */
static json_t *ask(struct ctl *ctl, json_t *request) {
    char *text = json_dumps(request, JSON_COMPACT);
    struct text line;
    json_t *answer = NULL;
    text_init(&line);
    if (text && write_all(ctl->fd, text, strlen(text)) && write_all(ctl->fd, "\n", 1) &&
        read_line(ctl->fd, &line))
        answer = json_loadb(line.data, line.size, 0, NULL);
    if (!answer)
        fprintf(stderr, "ribcage-speaker ctl: the speaker does not answer\n");
    text_deinit(&line);
    free(text);
    json_decref(request);
    return answer;
}

/* ---- answers ---- */

static void print_diags(const json_t *answer) {
    const json_t *diags = json_object_get(answer, "diags");
    struct text out;
    text_init(&out);
    for (size_t i = 0; i < json_array_size(diags); i++) {
        const json_t *d = json_array_get(diags, i);
        const char *file = json_string_value(json_object_get(d, "file"));
        text_put_printable(&out, file, strlen(file));
        text_printf(&out, ":%lld:%lld: ", json_integer_value(json_object_get(d, "line")),
                    json_integer_value(json_object_get(d, "column")));
        text_printf(&out, "%s: ", json_string_value(json_object_get(d, "severity")));
        const char *message = json_string_value(json_object_get(d, "message"));
        text_put_printable(&out, message, strlen(message));
        text_putc(&out, '\n');
    }
    fputs(text_str(&out), stderr);
    text_deinit(&out);
}

static bool answer_ok(const json_t *answer) {
    return json_is_true(json_object_get(answer, "ok"));
}

/* Says an answer and drops it; the exit status. `print` NULL: nothing to say but errors. */
static int tell(struct ctl *ctl, json_t *answer, void (*print)(const json_t *, struct text *)) {
    bool ok = answer_ok(answer);
    struct text out;
    text_init(&out);
    if (answer && ctl->json) {
        json_dumpf(answer, stdout, JSON_COMPACT);
        putchar('\n');
    } else if (ok && print) {
        print(answer, &out);
        fputs(text_str(&out), stdout);
    }
    if (answer && !ok && !ctl->json) {
        print_diags(answer);
        fprintf(stderr, "ribcage-speaker ctl: %s\n",
                json_string_value(json_object_get(answer, "error")));
    }
    int status = ok ? CTL_EXIT_OK : answer ? CTL_EXIT_REFUSED : CTL_EXIT_UNABLE;
    text_deinit(&out);
    json_decref(answer);
    return status;
}

static int usage(const char *what, const char *word) {
    fprintf(stderr, "ribcage-speaker ctl: %s \"%s\"; see ribcage-speaker ctl help\n", what, word);
    return CTL_EXIT_USAGE;
}

static const char *argument(const struct ctl *ctl, int i) {
    return i < ctl->argc ? ctl->argv[i] : NULL;
}

/* ---- neighbours ---- */

static int run_neighbors(struct ctl *ctl) {
    const char *name = argument(ctl, 0);
    json_t *request = json_pack("{s:s, s:s*}", "op", "peers", "name", name);
    return tell(ctl, ask(ctl, request), name ? ctl_print_neighbor : ctl_print_neighbors);
}

static int run_clear(struct ctl *ctl) {
    static const char *const hows[][2] = {
        {"soft-in", "in"}, {"soft-out", "out"}, {"hard", "hard"}, {"bfd-down", "bfd-down"}};
    const char *name = NULL, *how = "hard";
    for (int i = 0; i < ctl->argc; i++) {
        bool known = false;
        for (size_t k = 0; k < sizeof hows / sizeof hows[0]; k++)
            if (strcmp(ctl->argv[i], hows[k][0]) == 0) {
                how = hows[k][1];
                known = true;
            }
        if (!known && name)
            return usage("what is", ctl->argv[i]);
        if (!known)
            name = ctl->argv[i];
    }
    return tell(ctl,
                ask(ctl, json_pack("{s:s, s:s, s:s*}", "op", "clear", "how", how, "peer", name)),
                NULL);
}

/* ---- tables ---- */

static json_t *rib_request(const char *table, const char *peer, const char *prefix) {
    return json_pack("{s:s, s:s, s:s*, s:s*}", "op", "rib", "table", table, "peer", peer, "prefix",
                     prefix);
}

static bool has_routes(const json_t *answer) {
    return json_array_size(json_object_get(answer, "routes")) > 0;
}

/* The paths of a prefix, or of the longest one an address is in. */
static json_t *ask_paths(struct ctl *ctl, const char *table, const char *word) {
    struct ip_prefix p;
    char text[IP_PREFIX_TEXT_MAX];
    json_t *answer = NULL;
    if (!ip_prefix_parse(word, &p))
        return NULL;
    for (int length = p.length; length >= 0; length--) {
        struct ip_prefix wider = ip_prefix_make(p.addr, (uint8_t)length);
        json_decref(answer);
        answer = ask(ctl, rib_request(table, NULL, ip_prefix_format(wider, text)));
        if (strchr(word, '/') || !answer || has_routes(answer))
            break;
    }
    return answer;
}

static int tell_paths(struct ctl *ctl, const char *table) {
    struct ip_prefix p;
    const char *word = ctl->argv[0];
    if (!ip_prefix_parse(word, &p))
        return usage("not a prefix or an address:", word);
    json_t *answer = ask_paths(ctl, table, word);
    bool none = answer_ok(answer) && !has_routes(answer);
    int status = tell(ctl, answer, ctl_print_paths);
    if (none && !ctl->json)
        fprintf(stderr, "ribcage-speaker ctl: no route for %s\n", word);
    return none ? CTL_EXIT_REFUSED : status;
}

static int run_routes(struct ctl *ctl) {
    static const char *const families[][2] = {{"-4", "ipv4"}, {"-6", "ipv6"}};
    const char *word = argument(ctl, 0), *family = NULL;
    for (int i = 0; word && i < 2; i++)
        if (strcmp(word, families[i][0]) == 0)
            family = families[i][1];
    if (word && !family)
        return tell_paths(ctl, "loc");
    json_t *request = rib_request("loc", NULL, NULL);
    if (family)
        json_object_set_new(request, "family", json_string(family));
    return tell(ctl, ask(ctl, request), ctl_print_routes);
}

static int run_explain(struct ctl *ctl) {
    return tell_paths(ctl, "all");
}

static int run_adj(struct ctl *ctl, const char *table) {
    const char *prefix = argument(ctl, 1);
    return tell(ctl, ask(ctl, rib_request(table, ctl->argv[0], prefix)),
                prefix ? ctl_print_paths : ctl_print_routes);
}

static int run_adj_in(struct ctl *ctl) {
    return run_adj(ctl, "in");
}

static int run_adj_out(struct ctl *ctl) {
    return run_adj(ctl, "out");
}

static int run_fib(struct ctl *ctl) {
    return tell(ctl, ask(ctl, rib_request("fib", NULL, NULL)), ctl_print_fib);
}

static void print_text(const json_t *answer, struct text *out) {
    const char *text = json_string_value(json_object_get(answer, "text"));
    text_puts(out, text);
    if (out->size && out->data[out->size - 1] != '\n')
        text_putc(out, '\n');
}

static int run_policy(struct ctl *ctl) {
    json_t *request = json_pack("{s:s, s:s, s:s, s:s}", "op", "explain", "direction", ctl->argv[0],
                                "peer", ctl->argv[1], "prefix", ctl->argv[2]);
    return tell(ctl, ask(ctl, request), print_text);
}

/* ---- own routes ---- */

static int run_announce(struct ctl *ctl) {
    json_t *route = json_pack("{s:s, s:s}", "prefix", ctl->argv[0], "source", "static");
    const char *wrong = ctl_attrs_put(route, ctl->argv + 1, ctl->argc - 1);
    if (wrong) {
        json_decref(route);
        return usage("what is", wrong);
    }
    return tell(ctl, ask(ctl, json_pack("{s:s, s:[o]}", "op", "originate", "routes", route)), NULL);
}

static int run_withdraw(struct ctl *ctl) {
    json_t *request = json_pack("{s:s, s:[{s:s, s:s}]}", "op", "withdraw", "routes", "prefix",
                                ctl->argv[0], "source", "static");
    return tell(ctl, ask(ctl, request), NULL);
}

/* ---- the speaker ---- */

static int run_counters(struct ctl *ctl) {
    return tell(ctl, ask(ctl, json_pack("{s:s}", "op", "counters")), ctl_print_members);
}

static int run_reload(struct ctl *ctl) {
    return tell(ctl, ask(ctl, json_pack("{s:s}", "op", "reload")), NULL);
}

static int run_mrt(struct ctl *ctl) {
    char path[4096];
    if (!realpath(".", path) || strlen(path) + strlen(ctl->argv[0]) + 2 > sizeof path)
        return usage("too long:", ctl->argv[0]);
    struct text full;
    text_init(&full);
    text_printf(&full, "%s%s%s", ctl->argv[0][0] == '/' ? "" : path,
                ctl->argv[0][0] == '/' ? "" : "/", ctl->argv[0]);
    json_t *request = json_pack("{s:s, s:s}", "op", "mrt", "path", text_str(&full));
    text_deinit(&full);
    return tell(ctl, ask(ctl, request), ctl_print_members);
}

static int run_stop(struct ctl *ctl) {
    json_t *request = json_pack("{s:s, s:s*}", "op", "stop", "text", argument(ctl, 0));
    return tell(ctl, ask(ctl, request), NULL);
}

static int run_help(struct ctl *ctl);

/* ---- the command line ---- */

static const struct subcommand subcommands[] = {
    {"neighbors", "[NAME]", "sessions, or everything about one", 0, 1, run_neighbors},
    {"routes", "[-4 | -6 | PREFIX | ADDRESS]", "best paths (Loc-RIB)", 0, 1, run_routes},
    {"explain", "PREFIX | ADDRESS", "every path, and why the best one is", 1, 1, run_explain},
    {"adj-in", "NAME [PREFIX]", "what a neighbor announced", 1, 2, run_adj_in},
    {"adj-out", "NAME [PREFIX]", "what it was sent", 1, 2, run_adj_out},
    {"policy", "import|export NAME PREFIX", "what the policies do with a route", 3, 3, run_policy},
    {"fib", "", "routes written into the kernel's table", 0, 0, run_fib},
    {"announce", "PREFIX " CTL_ATTRS_HELP, "an own route", 1, 64, run_announce},
    {"withdraw", "PREFIX", "… no more", 1, 1, run_withdraw},
    {"clear", "[NAME] [hard|soft-in|soft-out|bfd-down]", "reset, or ask or send again", 0, 2,
     run_clear},
    {"counters", "", "figures of the speaker", 0, 0, run_counters},
    {"mrt", "FILE", "the table, written as TABLE_DUMP_V2", 1, 1, run_mrt},
    {"reload", "", "read the configuration file again", 0, 0, run_reload},
    {"stop", "[TEXT]", "Cease to everyone (with a text of RFC 9003), then end", 0, 1, run_stop},
    {"help", "", "this", 0, 0, run_help},
};
#define SUBCOMMAND_COUNT (sizeof subcommands / sizeof subcommands[0])

static int run_help(struct ctl *ctl) {
    struct text out;
    (void)ctl;
    text_init(&out);
    text_puts(&out, "usage: ribcage-speaker ctl [-s SOCKET] [--json] COMMAND …\n");
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++) {
        text_printf(&out, "  %s %s", subcommands[i].name, subcommands[i].arguments);
        text_pad(&out, 36);
        if (out.data[out.size - 1] != ' ') {
            text_putc(&out, '\n');
            text_pad(&out, 36);
        }
        text_printf(&out, "%s\n", subcommands[i].help);
    }
    fputs(text_str(&out), stdout);
    text_deinit(&out);
    return CTL_EXIT_OK;
}

void ctl_default_socket(char *out, size_t size) {
    const char *said = getenv("RIBCAGE_SPEAKER_SOCKET"), *runtime = getenv("XDG_RUNTIME_DIR");
    if (said)
        snprintf(out, size, "%s", said);
    else if (geteuid() == 0)
        snprintf(out, size, "/run/ribcage-speaker.sock");
    else
        snprintf(out, size, "%s%s", runtime ? runtime : "", runtime ? "/ribcage-speaker.sock" : "");
}

static const struct subcommand *subcommand_find(const char *word) {
    const char *names[SUBCOMMAND_COUNT];
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++) {
        names[i] = subcommands[i].name;
        if (strcmp(names[i], word) == 0)
            return &subcommands[i];
    }
    const char *near = text_nearest(word, names, SUBCOMMAND_COUNT);
    fprintf(stderr, "ribcage-speaker ctl: unknown command \"%s\"%s%s%s\n", word,
            near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
    return NULL;
}

static int run(struct ctl *ctl, const char *name, const char *path) {
    const struct subcommand *s = subcommand_find(name);
    if (!s)
        return CTL_EXIT_USAGE;
    if (ctl->argc < s->argc_min || ctl->argc > s->argc_max) {
        fprintf(stderr, "usage: ribcage-speaker ctl %s %s\n", s->name, s->arguments);
        return CTL_EXIT_USAGE;
    }
    if (s->run == run_help)
        return run_help(ctl);
    ctl->fd = ctl_connect(path);
    if (ctl->fd < 0)
        return CTL_EXIT_UNABLE;
    int status = s->run(ctl);
    close(ctl->fd);
    return status;
}

int ctl_main(int argc, char *const argv[]) {
    char path[sizeof((struct sockaddr_un *)0)->sun_path + 1];
    struct ctl ctl = {.fd = -1};
    int at = 1;
    ctl_default_socket(path, sizeof path);
    for (; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "--json") == 0)
            ctl.json = true;
        else if (strcmp(argv[at], "-s") == 0 && at + 1 < argc)
            snprintf(path, sizeof path, "%s", argv[++at]);
        else if (strcmp(argv[at], "--help") == 0)
            return run_help(&ctl);
        else
            return usage("what is", argv[at]);
    }
    if (at >= argc) {
        run_help(&ctl);
        return CTL_EXIT_USAGE;
    }
    ctl.argc = argc - at - 1;
    ctl.argv = argv + at + 1;
    return run(&ctl, argv[at], path);
}
