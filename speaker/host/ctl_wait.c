/*
 * `ctl wait`: a question that is asked again until the answer is the one that is waited for.
 *
 * Owns the conditions and what is said of one that did not come. A neighbour that is not there may
 * still come (a listen range makes it when it calls), so that is no reason to end before the time
 * is over.
 */
#include "ctl_wait.h"

#include "../base/addr.h"
#include "../base/text.h"
#include "ctl_socket.h"
#include "loop.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define ASK_EVERY_MS 50
#define NAMED_MAX 5u /* of the sessions that are not as they should be */

static const char *const words[] = {
    [CTL_WAIT_ESTABLISHED] = "established",
    [CTL_WAIT_DOWN] = "down",
    [CTL_WAIT_ROUTE] = "route",
    [CTL_WAIT_NO_ROUTE] = "no-route",
};
#define KINDS ((int)(sizeof words / sizeof words[0]))

/* ---- words ---- */

/* PREFIX, PREFIX from NAME or PREFIX to NAME. */
static bool parse_route(char *const *rest, int count, struct ctl_wait *w, struct text *wrong) {
    struct ip_prefix p;
    bool from = count == 3 && strcmp(rest[1], "from") == 0;
    bool to = count == 3 && strcmp(rest[1], "to") == 0;
    if (count != 1 && !from && !to) {
        text_printf(wrong, "%s is followed by a prefix, and perhaps by from or to and a neighbor",
                    words[w->kind]);
        return false;
    }
    if (!ip_prefix_parse(rest[0], &p)) {
        text_printf(wrong, "not a prefix or an address: \"%s\"", rest[0]);
        return false;
    }
    w->prefix = rest[0];
    w->table = from ? "in" : to ? "out" : "loc";
    w->name = count == 3 ? rest[2] : NULL;
    return true;
}

static bool parse_neighbor(char *const *rest, int count, struct ctl_wait *w, struct text *wrong) {
    if (count > 1 || (count == 0 && w->kind == CTL_WAIT_DOWN)) {
        text_printf(wrong, "%s is followed by %sone neighbor", words[w->kind],
                    w->kind == CTL_WAIT_DOWN ? "" : "at most ");
        return false;
    }
    w->name = count ? rest[0] : NULL;
    return true;
}

bool ctl_wait_parse(char *const *argv, int argc, struct ctl_wait *ret_wait, struct text *wrong) {
    struct ctl_wait w = {.name = NULL};
    int kind = 0;
    while (argc > 0 && kind < KINDS && strcmp(argv[0], words[kind]) != 0)
        kind++;
    if (argc == 0 || kind == KINDS) {
        text_printf(wrong, "wait for what? %s", CTL_WAIT_HELP);
        return false;
    }
    w.kind = (enum ctl_wait_kind)kind;
    bool ok = kind >= CTL_WAIT_ROUTE ? parse_route(argv + 1, argc - 1, &w, wrong)
                                     : parse_neighbor(argv + 1, argc - 1, &w, wrong);
    if (ok)
        *ret_wait = w;
    return ok;
}

/* ---- answers ---- */

static json_t *question(const struct ctl_wait *w) {
    if (w->kind < CTL_WAIT_ROUTE)
        return json_pack("{s:s, s:s*}", "op", "peers", "name", w->name);
    return json_pack("{s:s, s:s, s:s, s:s*}", "op", "rib", "table", w->table, "prefix", w->prefix,
                     "peer", w->name);
}

static const char *member(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static void put_state(struct text *out, const json_t *peer) {
    const char *error = member(peer, "last_error");
    text_puts(out, out->size ? ", " : "");
    text_put_printable(out, member(peer, "name"), strlen(member(peer, "name")));
    text_printf(out, " is in state %s", member(peer, "state"));
    if (error[0] && strcmp(member(peer, "state"), "Established") != 0) {
        text_puts(out, " (");
        text_put_printable(out, error, strlen(error));
        text_puts(out, ")");
    }
}

/* One of them at least is meant, and those that are shut down are not. */
static bool sessions_hold(const struct ctl_wait *w, const json_t *peers, struct text *missing) {
    size_t meant = 0, wrong = 0;
    for (size_t i = 0; i < json_array_size(peers); i++) {
        const json_t *peer = json_array_get(peers, i);
        bool up = strcmp(member(peer, "state"), "Established") == 0;
        if (!w->name && json_is_true(json_object_get(peer, "shutdown")))
            continue;
        meant++;
        if (up == (w->kind == CTL_WAIT_ESTABLISHED))
            continue;
        if (wrong++ < NAMED_MAX)
            put_state(missing, peer);
    }
    if (wrong > NAMED_MAX)
        text_printf(missing, " and %zu more", wrong - NAMED_MAX);
    if (meant == 0)
        text_puts(missing, "there is no neighbor");
    return meant > 0 && wrong == 0;
}

static bool routes_hold(const struct ctl_wait *w, const json_t *routes, struct text *missing) {
    bool there = json_array_size(routes) > 0;
    if (there == (w->kind == CTL_WAIT_ROUTE))
        return true;
    text_printf(missing, "%s %s", there ? "there is still a route for" : "no route for", w->prefix);
    if (w->name) {
        text_puts(missing, strcmp(w->table, "in") == 0 ? " from " : " to ");
        text_put_printable(missing, w->name, strlen(w->name));
    }
    return false;
}

static bool holds(const struct ctl_wait *w, const json_t *answer, struct text *missing) {
    const char *error = member(answer, "error");
    if (!json_is_true(json_object_get(answer, "ok"))) {
        text_put_printable(missing, error, strlen(error));
        return false;
    }
    return w->kind < CTL_WAIT_ROUTE ? sessions_hold(w, json_object_get(answer, "peers"), missing)
                                    : routes_hold(w, json_object_get(answer, "routes"), missing);
}

enum ctl_exit ctl_wait_run(const struct ctl_wait *w, int fd, struct nanotime end) {
    enum ctl_exit status = CTL_EXIT_REFUSED;
    struct text missing;
    text_init(&missing);
    for (;;) {
        json_t *answer = ctl_ask(fd, question(w));
        text_clear(&missing);
        if (!answer)
            status = CTL_EXIT_UNABLE;
        else if (holds(w, answer, &missing))
            status = CTL_EXIT_OK;
        json_decref(answer);
        if (status != CTL_EXIT_REFUSED || !nanotime_before(loop_now(), end))
            break;
        poll(NULL, 0, ASK_EVERY_MS);
    }
    if (status == CTL_EXIT_REFUSED)
        fprintf(stderr, "ribcage-speaker ctl: the time is over: %s\n", text_str(&missing));
    text_deinit(&missing);
    return status;
}
