/*
 * exec, apply, wait: acting on a running lab.
 *
 * A show command (IOS's or birdcl's, or `calicoctl node status`) goes to the node's speaker;
 * anything else is a program, which this command runs itself, by argv, inside the node's network
 * namespace.
 */

#include "cli.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- exec ---- */

static bool is_show(char *const *words) {
    static const char *const first[] = {"show", "sho", "clear", "birdcl", "birdcl6", "calicoctl"};
    for (size_t i = 0; words[0] && i < sizeof first / sizeof first[0]; i++) {
        size_t size = strlen(first[i]);
        if (strncmp(words[0], first[i], size) == 0 && (words[0][size] == ' ' || !words[0][size]))
            return true;
    }
    return false;
}

static bool is_word(const char *word, const char *a, const char *b) {
    return word && (strcmp(word, a) == 0 || (b && strcmp(word, b) == 0));
}

/* `birdcl [-s SOCKET] show …` is `show …` here: there is one speaker to ask. */
static char **skip_birdcl(char **words) {
    if (!is_word(words[0], "birdcl", "birdcl6"))
        return words;
    words++;
    while (words[0] && words[0][0] == '-')
        words += is_word(words[0], "-s", NULL) && words[1] ? 2 : 1;
    return words;
}

static int print_output(json_t *answer) {
    if (!answer)
        return 2;
    const char *output = json_string_value(json_object_get(answer, "output"));
    bool refused = json_is_true(json_object_get(answer, "refused"));
    cli_print_lines(output ? output : "");
    json_decref(answer);
    return refused ? 2 : 0;
}

static int show(struct cli_options *o) {
    if (is_word(o->rest[0], "calicoctl", NULL) && is_word(o->rest[1], "node", NULL) &&
        is_word(o->rest[2], "status", NULL))
        return print_output(lab_ask_chosen(
            o, json_pack("{s:s, s:s}", "op", "node-status", "node", o->arguments[0])));
    struct text command;
    text_init(&command);
    for (char **w = skip_birdcl(o->rest); *w; w++)
        text_printf(&command, "%s%s", command.size ? " " : "", *w);
    json_t *request = json_pack("{s:s, s:s}", "op", "exec", "command", text_str(&command));
    text_deinit(&command);
    return print_output(lab_ask_chosen(o, json_pack("{s:s, s:s, s:o}", "op", "speaker", "node",
                                                    o->arguments[0], "request", request)));
}

static int run_inside(struct cli_options *o) {
    int status = lab_enter(o, o->arguments[0]);
    if (status != 0)
        return status;
    (void)signal(SIGPIPE, SIG_DFL); /* which we ignore: `yes | head` would not end as it does */
    execvp(o->rest[0], o->rest);
    cli_error("%s: %s", o->rest[0], strerror(errno));
    return 127;
}

int verb_exec(struct cli_options *o) {
    if (!o->argument_count || !o->rest || !o->rest[0]) {
        fprintf(stderr, "ribcage exec: which node, which command?\n");
        return 2;
    }
    return is_show(o->rest) ? show(o) : run_inside(o);
}

/* ---- apply ---- */

static void print_findings(json_t *diags) {
    struct diag_list *list = diag_list_new();
    size_t index;
    json_t *d;
    json_array_foreach(diags, index, d) {
        const char *severity = json_string_value(json_object_get(d, "severity"));
        enum diag_severity s = severity && strcmp(severity, "error") == 0  ? DIAG_ERROR
                               : severity && strcmp(severity, "note") == 0 ? DIAG_NOTE
                                                                           : DIAG_WARNING;
        struct diag_place place = {
            json_string_value(json_object_get(d, "file")),
            (uint32_t)json_integer_value(json_object_get(d, "line")),
            (uint32_t)json_integer_value(json_object_get(d, "column")),
        };
        diag_add(list, s, place, json_string_value(json_object_get(d, "id")), "%s",
                 json_string_value(json_object_get(d, "message")));
    }
    cli_print_diags(list);
    diag_list_free(list);
}

/* What the tool would have left behind, when it did not take everything. */
static void print_resources(const char *path, const json_t *resources) {
    size_t index;
    json_t *r;
    json_array_foreach(resources, index, r) {
        bool applied = json_is_true(json_object_get(r, "applied"));
        printf("%s:%d: %s %s: %s\n", path, (int)json_integer_value(json_object_get(r, "line")),
               json_string_value(json_object_get(r, "kind")),
               json_string_value(json_object_get(r, "name")), applied ? "applied" : "refused");
    }
}

/* What was taken may still be a mistake. */
static void print_applied(const char *path, bool removed, const json_t *answer) {
    long long failing = json_integer_value(json_object_get(answer, "failing"));
    printf("%s %s\n", path, removed ? "deleted" : "applied");
    if (failing)
        printf("%lld session end%s not come up: ribcage sessions says why\n", failing,
               failing == 1 ? " does" : "s do");
}

static int apply_file(struct cli_options *o, const char *path) {
    struct arena *arena = arena_new();
    struct diag_list *diags = diag_list_new();
    struct lab_place p;
    size_t size = 0;
    int status = 2;
    char *text = file_read(path, arena, diags, &size);
    if (!text) {
        cli_print_diags(diags);
    } else if (lab_place_choose(o->lab, &p)) {
        json_t *request = json_pack("{s:s, s:s%, s:s, s:b, s:s*}", "op", "apply", "text", text,
                                    size, "file", path, "remove", (int)o->remove, "tool", o->tool);
        json_t *answer = request ? lab_ask(&p, request, NULL) : NULL;
        if (answer && !json_object_get(answer, "diags"))
            cli_error("%s", report_text_of(answer, "error")); /* nobody looked at it */
        print_findings(json_object_get(answer, "diags"));
        status = json_is_true(json_object_get(answer, "ok")) ? 0 : 2;
        if (status == 0)
            print_applied(path, o->remove, answer);
        else
            print_resources(path, json_object_get(answer, "resources"));
        json_decref(request);
        json_decref(answer);
    }
    diag_list_free(diags);
    arena_free(arena);
    return status;
}

int verb_apply(struct cli_options *o) {
    int status = o->argument_count ? 0 : 2;
    if (status)
        fprintf(stderr, "ribcage apply: which file?\n");
    for (size_t i = 0; i < o->argument_count && status == 0; i++)
        status = apply_file(o, o->arguments[i]);
    return status;
}

/* ---- wait ---- */

/* What holds may be less than somebody hoped for. */
static void tell_wait(const char *what, const char *but) {
    printf("%s\n", what);
    if (but && *but)
        cli_error("%s", but);
}

int verb_wait(struct cli_options *o) {
    const char *what = o->argument_count ? o->arguments[0] : "converged";
    json_t *answer = lab_ask_chosen(o, json_pack("{s:s, s:s, s:I}", "op", "wait", "for", what,
                                                 "deadline_ms", (json_int_t)o->timeout_ms));
    if (!answer)
        return 2;
    bool holds = json_is_true(json_object_get(answer, "holds"));
    const char *reason = json_string_value(json_object_get(answer, "reason"));
    if (holds)
        tell_wait(what, reason);
    else if (json_is_true(json_object_get(answer, "down")))
        cli_error("the lab was taken down meanwhile");
    else
        cli_error("not %s within %lu s: %s", what, (unsigned long)(o->timeout_ms / 1000),
                  reason ? reason : "");
    json_decref(answer);
    return holds ? 0 : 5;
}
