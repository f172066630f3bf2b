/*
 * ribcage-speaker ctl: asks a running speaker over its control socket.
 *
 * Owns the subcommands (a table) and the exit status. The connection is ctl_socket.c's. An answer
 * is printed as text (ctl_print.c) or, with --json, as the speaker gave it; one that cannot be
 * printed was not given.
 */
#include "ctl.h"

#include "../base/addr.h"
#include "../base/standard_output.h"
#include "../base/text.h"
#include "../config/attr_words.h"
#include "../config/config_fields.h"
#include "ctl_mrt.h"
#include "ctl_socket.h"
#include "ctl_wait.h"
#include "loop.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CTL_SOCKET_MAX (sizeof((struct sockaddr_un *)0)->sun_path + 1)

struct ctl {
    int fd;
    bool json;
    char path[CTL_SOCKET_MAX]; /* too long by one: that it is too long shows */
    unsigned silence_s;
    struct nanotime end; /* of what `wait` waits for; else now */
    char *const *argv;   /* of the subcommand, behind its name */
    int argc;
};

struct subcommand {
    const char *name, *arguments, *help;
    int argc_min, argc_max;
    int (*run)(struct ctl *ctl);
};

static json_t *ask(struct ctl *ctl, json_t *request) {
    return ctl_ask(ctl->fd, request);
}

/* ---- answers ---- */

/* "a.conf:3:7: ", as far as it is known. */
static void put_place(const json_t *d, struct text *out) {
    const char *file = json_string_value(json_object_get(d, "file"));
    json_int_t line = json_integer_value(json_object_get(d, "line"));
    json_int_t column = json_integer_value(json_object_get(d, "column"));
    if (!file || !file[0])
        return;
    text_put_printable(out, file, strlen(file));
    if (line > 0)
        text_printf(out, ":%lld", line);
    if (line > 0 && column > 0)
        text_printf(out, ":%lld", column);
    text_puts(out, ": ");
}

static void print_diags(const json_t *answer) {
    const json_t *diags = json_object_get(answer, "diags");
    struct text out;
    text_init(&out);
    for (size_t i = 0; i < json_array_size(diags); i++) {
        const json_t *d = json_array_get(diags, i);
        put_place(d, &out);
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
    if (answer && !ctl->json)
        print_diags(answer); /* a router takes what it understands, and says the rest */
    if (answer && !ok && !ctl->json) {
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

/* Is the word a prefix (or an address: all of its bits)? If not, that is said. */
static bool is_prefix(const char *word) {
    struct ip_prefix p;
    if (ip_prefix_parse(word, &p))
        return true;
    usage("not a prefix or an address:", word);
    return false;
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

/* The paths of one prefix: that there are none is said, and is a failure. */
static int tell_routes_of(struct ctl *ctl, json_t *answer, const char *word) {
    bool none = answer_ok(answer) && !has_routes(answer);
    int status = tell(ctl, answer, ctl_print_paths);
    if (none && !ctl->json)
        fprintf(stderr, "ribcage-speaker ctl: no route for %s\n", word);
    return none ? CTL_EXIT_REFUSED : status;
}

static int tell_paths(struct ctl *ctl, const char *table) {
    const char *word = ctl->argv[0];
    if (!is_prefix(word))
        return CTL_EXIT_USAGE;
    return tell_routes_of(ctl, ask_paths(ctl, table, word), word);
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
    if (prefix && !is_prefix(prefix))
        return CTL_EXIT_USAGE;
    json_t *answer = ask(ctl, rib_request(table, ctl->argv[0], prefix));
    return prefix ? tell_routes_of(ctl, answer, prefix) : tell(ctl, answer, ctl_print_routes);
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
    if (strcmp(ctl->argv[0], "import") != 0 && strcmp(ctl->argv[0], "export") != 0)
        return usage("neither import nor export:", ctl->argv[0]);
    if (!is_prefix(ctl->argv[2]))
        return CTL_EXIT_USAGE;
    json_t *request = json_pack("{s:s, s:s, s:s, s:s}", "op", "explain", "direction", ctl->argv[0],
                                "peer", ctl->argv[1], "prefix", ctl->argv[2]);
    return tell(ctl, ask(ctl, request), print_text);
}

/* ---- own routes ---- */

static int run_announce(struct ctl *ctl) {
    if (!is_prefix(ctl->argv[0]))
        return CTL_EXIT_USAGE;
    json_t *route = json_pack("{s:s, s:s}", "prefix", ctl->argv[0], "source", "static");
    struct text wrong;
    text_init(&wrong);
    bool ok = attr_words_put(route, ctl->argv + 1, ctl->argc - 1, &wrong);
    if (!ok)
        fprintf(stderr, "ribcage-speaker ctl: %s; see ribcage-speaker ctl help\n",
                text_str(&wrong));
    text_deinit(&wrong);
    if (!ok) {
        json_decref(route);
        return CTL_EXIT_USAGE;
    }
    return tell(ctl, ask(ctl, json_pack("{s:s, s:[o]}", "op", "originate", "routes", route)), NULL);
}

static int run_withdraw(struct ctl *ctl) {
    if (!is_prefix(ctl->argv[0]))
        return CTL_EXIT_USAGE;
    json_t *request = json_pack("{s:s, s:[{s:s, s:s}]}", "op", "withdraw", "routes", "prefix",
                                ctl->argv[0], "source", "static");
    return tell(ctl, ask(ctl, request), NULL);
}

static int run_table(struct ctl *ctl, enum ctl_mrt_verb verb) {
    struct ctl_mrt_options options;
    struct text wrong;
    text_init(&wrong);
    bool ok = ctl_mrt_options(verb, ctl->argv, ctl->argc, &options, &wrong);
    if (!ok)
        fprintf(stderr, "ribcage-speaker ctl: %s; see ribcage-speaker ctl help\n",
                text_str(&wrong));
    text_deinit(&wrong);
    if (!ok)
        return CTL_EXIT_USAGE;
    options.progress = !ctl->json && isatty(STDERR_FILENO);
    return tell(ctl, ctl_mrt_run(ctl->fd, &options), ctl_print_members);
}

static int run_announce_mrt(struct ctl *ctl) {
    return run_table(ctl, CTL_MRT_ANNOUNCE);
}

static int run_withdraw_mrt(struct ctl *ctl) {
    return run_table(ctl, CTL_MRT_WITHDRAW);
}

/* ---- waiting ---- */

static int run_wait(struct ctl *ctl) {
    struct ctl_wait wait;
    struct text wrong;
    text_init(&wrong);
    int status = ctl_wait_parse(ctl->argv, ctl->argc, &wait, &wrong)
                     ? (int)ctl_wait_run(&wait, ctl->fd, ctl->end)
                     : CTL_EXIT_USAGE;
    if (status == CTL_EXIT_USAGE)
        fprintf(stderr, "ribcage-speaker ctl: %s\n", text_str(&wrong));
    text_deinit(&wrong);
    return status;
}

/* ---- the speaker ---- */

static int run_status(struct ctl *ctl) {
    return tell(ctl, ask(ctl, json_pack("{s:s}", "op", "hello")), ctl_print_status);
}

static int run_malformed(struct ctl *ctl) {
    return tell(ctl, ask(ctl, json_pack("{s:s}", "op", "malformed")), ctl_print_malformed);
}

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

/* It answers before it leaves: who starts another one next needs its socket and port. */
static int run_stop(struct ctl *ctl) {
    json_t *request = json_pack("{s:s, s:s*}", "op", "stop", "text", argument(ctl, 0));
    int process = ctl_process(ctl->fd);
    int status = tell(ctl, ask(ctl, request), NULL);
    if (status == CTL_EXIT_OK && process >= 0 && !ctl_process_ends(process, ctl->silence_s)) {
        fprintf(stderr, "ribcage-speaker ctl: the speaker has not ended yet\n");
        status = CTL_EXIT_UNABLE;
    }
    if (process >= 0)
        close(process);
    return status;
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
    {"announce", "PREFIX " ATTR_WORDS_HELP, "an own route", 1, 64, run_announce},
    {"withdraw", "PREFIX", "… no more", 1, 1, run_withdraw},
    {"announce-mrt", CTL_MRT_ANNOUNCE_HELP, "own routes: those of a table dump (MRT)", 1, 7,
     run_announce_mrt},
    {"withdraw-mrt", CTL_MRT_SELECT_HELP, "… no more", 1, 5, run_withdraw_mrt},
    {"clear", "[NAME] [hard|soft-in|soft-out|bfd-down]", "reset, or ask or send again", 0, 2,
     run_clear},
    {"wait", CTL_WAIT_HELP, "until it is so", 1, 4, run_wait},
    {"malformed", "", "damaged UPDATEs: how many, and the last ones", 0, 0, run_malformed},
    {"status", "", "version, process, router id, for how long", 0, 0, run_status},
    {"counters", "", "figures of the speaker", 0, 0, run_counters},
    {"mrt", "FILE", "the table, written as TABLE_DUMP_V2", 1, 1, run_mrt},
    {"reload", "", "read the configuration file again", 0, 0, run_reload},
    {"stop", "[TEXT]", "Cease to everyone (with a text of RFC 9003), then end", 0, 1, run_stop},
    {"help", "", "this", 0, 0, run_help},
};
#define SUBCOMMAND_COUNT (sizeof subcommands / sizeof subcommands[0])

static void print_help(FILE *to) {
    struct text out;
    text_init(&out);
    text_puts(&out, "usage: ribcage-speaker ctl [-s SOCKET] [-t SECONDS] [--json] COMMAND …\n");
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++) {
        text_printf(&out, "  %s %s", subcommands[i].name, subcommands[i].arguments);
        text_pad(&out, 36);
        if (out.data[out.size - 1] != ' ') {
            text_putc(&out, '\n');
            text_pad(&out, 36);
        }
        text_printf(&out, "%s\n", subcommands[i].help);
    }
    text_puts(
        &out,
        "  -s SOCKET    of the speaker; otherwise $RIBCAGE_SPEAKER_SOCKET, "
        "/run/ribcage-speaker.sock (root)\n"
        "               or ribcage-speaker.sock in $XDG_RUNTIME_DIR\n"
        "  -t SECONDS   how long it may be silent, or wait waits: 30, 0 for ever\n"
        "  --json       the answer as the speaker gave it\n"
        "exit status: 0; 1 refused, no such route, a damaged table, or it did not come to what "
        "wait waits\n"
        "for; 2 usage; 4 no answer\n");
    fputs(text_str(&out), to);
    text_deinit(&out);
}

static int run_help(struct ctl *ctl) {
    (void)ctl;
    print_help(stdout);
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

static bool is_help(const char *word) {
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int subcommand_usage(const struct subcommand *s, FILE *to, int status) {
    fprintf(to, "usage: ribcage-speaker ctl %s%s%s\n", s->name, s->arguments[0] ? " " : "",
            s->arguments);
    return status;
}

static int run(struct ctl *ctl, const char *name) {
    const struct subcommand *s = subcommand_find(name);
    if (!s)
        return CTL_EXIT_USAGE;
    if (ctl->argc == 1 && is_help(ctl->argv[0]))
        return subcommand_usage(s, stdout, CTL_EXIT_OK);
    if (ctl->argc < s->argc_min || ctl->argc > s->argc_max)
        return subcommand_usage(s, stderr, CTL_EXIT_USAGE);
    if (s->run == run_help)
        return run_help(ctl);
    ctl->end = loop_now();
    if (s->run == run_wait)
        ctl->end = ctl->silence_s ? nanotime_add_ms(ctl->end, ctl->silence_s * UINT64_C(1000))
                                  : NANOTIME_NEVER;
    ctl->fd = ctl_connect(ctl->path, ctl->silence_s, ctl->end);
    if (ctl->fd < 0)
        return CTL_EXIT_UNABLE;
    int status = s->run(ctl);
    close(ctl->fd);
    return status;
}

/* An answer that did not get out was not given. */
static int with_output(int status) {
    const char *problem = standard_output_problem();
    if (!problem)
        return status;
    fprintf(stderr, "ribcage-speaker ctl: cannot write to standard output: %s\n", problem);
    return CTL_EXIT_UNABLE;
}

/* The options before the command. The index of the command; 0: they are wrong, which was said. */
static int take_options(struct ctl *ctl, int argc, char *const argv[]) {
    uint64_t number;
    int at = 1;
    for (; at < argc && argv[at][0] == '-' && !is_help(argv[at]); at++) {
        const char *option = argv[at];
        if (strcmp(option, "--json") == 0) {
            ctl->json = true;
        } else if (strcmp(option, "-s") == 0 && at + 1 < argc) {
            snprintf(ctl->path, sizeof ctl->path, "%s", argv[++at]);
        } else if (strcmp(option, "-t") == 0 && at + 1 < argc &&
                   text_to_u64(argv[at + 1], 0, CTL_SILENCE_S_MAX, &number)) {
            ctl->silence_s = (unsigned)number;
            at++;
        } else {
            usage("what is", option);
            return 0;
        }
    }
    return at;
}

int ctl_main(int argc, char *const argv[]) {
    struct ctl ctl = {.fd = -1, .silence_s = CTL_SILENCE_S};
    ctl_default_socket(ctl.path, sizeof ctl.path);
    int at = take_options(&ctl, argc, argv);
    if (at == 0)
        return CTL_EXIT_USAGE;
    if (at >= argc) {
        print_help(stderr);
        return CTL_EXIT_USAGE;
    }
    ctl.argc = argc - at - 1;
    ctl.argv = argv + at + 1;
    if (ctl.argc > 0 && strcmp(ctl.argv[ctl.argc - 1], "--json") == 0) {
        ctl.json = true; /* behind the command it is meant the same */
        ctl.argc--;
    }
    return with_output(is_help(argv[at]) ? run_help(&ctl) : run(&ctl, argv[at]));
}
