/*
 * run, up, down, gc, list: labs from beginning to end.
 */

#include "launch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- run ---- */

static int worse(int a, int b) {
    static const int order[] = {0, 3, 7, 1, 5, 2, 4, 6, 130}; /* best first */
    for (size_t i = sizeof order / sizeof order[0]; i > 0; i--) {
        if (order[i - 1] == a || order[i - 1] == b)
            return order[i - 1];
    }
    return a ? a : b;
}

struct series {
    struct cli_options *o;
    size_t runs, passed, planned;
    int status;
};

static bool is_over(const struct series *s) {
    return s->status == 130 || (s->o->fail_fast && s->passed < s->runs);
}

static void note_output(struct cli_options *o, const struct launch *l) {
    if (!o->output_error)
        o->output_error = l->output_error;
}

static void run_path(struct series *s, const char *path) {
    for (uint64_t k = 0; k < s->o->repeat && !is_over(s); k++) {
        struct launch l = {.o = s->o};
        int one = launch(&l, path);
        note_output(s->o, &l);
        s->runs++;
        s->passed += one == 0 || one == 3;
        s->status = worse(s->status, one);
        if (l.front.interrupts && s->runs < s->planned)
            s->status = 130; /* that run had ended already; the others do not begin */
    }
}

int verb_run(struct cli_options *o) {
    struct arena *arena = arena_new();
    struct diag_list *diags = diag_list_new();
    struct series s = {.o = o};
    const char **paths = NULL;
    size_t count = 0;
    if (!o->argument_count)
        fprintf(stderr, "ribcage run: which scenario? Try scenarios/mesh/full-mesh\n");
    if (!arena || !diags || !o->argument_count || !cli_scenarios(o, arena, diags, &paths, &count)) {
        s.status = 2;
        cli_print_diags(diags);
    }
    s.planned = count * o->repeat;
    for (size_t i = 0; i < count; i++)
        run_path(&s, paths[i]);
    if (s.planned > 1 && !o->json)
        printf("%zu scenarios passed, %zu failed%s\n", s.passed, s.runs - s.passed,
               s.runs < s.planned ? ", the others did not begin" : "");
    diag_list_free(diags);
    arena_free(arena);
    return s.status;
}

/* ---- up ---- */

int verb_up(struct cli_options *o) {
    if (o->argument_count != 1) {
        fprintf(stderr, "ribcage up: which scenario?\n");
        return 2;
    }
    struct launch l = {.o = o, .up = true};
    int status = launch(&l, o->arguments[0]);
    note_output(o, &l);
    if (status == 0 || status == 3)
        printf("lab %s is up: ribcage status, ribcage wait converged, ribcage down\n", l.id);
    return status;
}

/* ---- down, gc, list ---- */

#define DOWN_DEADLINE_MS 90000 /* a supervisor waits a minute for the kernel, then ends */
#define ASK_AGAIN_MS 10

struct sweep {
    const struct cli_options *o;
    size_t alive, dead;
    int status;
    json_t *list;
    struct cli_table table;
};

static bool named(const struct cli_options *o, const char *id) {
    for (size_t i = 0; i < o->argument_count; i++) {
        if (strcmp(o->arguments[i], id) == 0)
            return true;
    }
    return false;
}

enum lab_end { LAB_GONE, LAB_STAYS, LAB_KEPT };

/* The supervisor is PID 1 of its lab: when it is gone, so is every process of the lab; others may
 * keep namespaces of it. `answer`: what it said last; NULL: nothing. */
static enum lab_end wait_gone(int pidfd, json_t *answer) {
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    struct holders holders = {0};
    int ready = 0;
    holders_begin(&holders, answer);
    for (int ms = 0; ready == 0 && ms < DOWN_DEADLINE_MS; ms += HOLDERS_LOOK_MS) {
        ready = poll(&p, 1, HOLDERS_LOOK_MS);
        if (ready == 0)
            holders_tell(&holders);
    }
    enum lab_end end = ready != 1 ? LAB_STAYS : holders_stay(&holders) ? LAB_KEPT : LAB_GONE;
    holders_end(&holders);
    return end;
}

/* A lab has its lock before it has its socket, and one whose `up` was killed in between goes by
 * itself. -1: it did, or did neither in time. */
static int hold_soon(const struct lab_place *p, bool *ret_alive) {
    int pidfd = lab_hold(p);
    *ret_alive = true;
    for (int ms = 0; pidfd < 0 && *ret_alive && ms < DOWN_DEADLINE_MS; ms += ASK_AGAIN_MS) {
        (void)poll(NULL, 0, ASK_AGAIN_MS);
        *ret_alive = lab_place_lives(p);
        pidfd = lab_hold(p);
    }
    return pidfd;
}

static void tell_end(struct sweep *s, const struct lab_place *p, enum lab_end end) {
    if (end != LAB_STAYS)
        (void)lab_place_collect(p); /* one that was killed could not */
    switch (end) {
    case LAB_GONE:
        printf("lab %s is down\n", p->id);
        return;
    case LAB_STAYS:
        cli_error("lab %s did not go down", p->id);
        break;
    case LAB_KEPT:
        cli_error("lab %s has ended, but namespaces of it are still there", p->id);
        break;
    }
    s->status = 6;
}

/* One that is stopped is to go as well. Without an answer it may be on its way already: somebody
 * else asked. One that has no room for another client has some soon. */
static json_t *ask_to_go(const struct lab_place *p, int pidfd, json_t *request) {
    char why[LAB_WHY_MAX];
    json_t *answer = NULL;
    (void)syscall(SYS_pidfd_send_signal, pidfd, SIGCONT, NULL, 0);
    for (int ms = 0; ms < DOWN_DEADLINE_MS; ms += ASK_AGAIN_MS) {
        answer = lab_try(p, request, NULL, why);
        if (!answer || json_is_true(json_object_get(answer, "ok")))
            return answer;
        json_decref(answer);
        (void)poll(NULL, 0, ASK_AGAIN_MS);
    }
    return NULL;
}

static void take_down(void *context, const struct lab_place *p, bool alive) {
    struct sweep *s = context;
    if (!alive || !(s->o->all || named(s->o, p->id)))
        return;
    s->alive++;
    int pidfd = hold_soon(p, &alive);
    json_t *request = json_pack("{s:s}", "op", "down");
    json_t *answer = pidfd < 0 ? NULL : ask_to_go(p, pidfd, request);
    json_decref(request);
    enum lab_end unheld = alive ? LAB_STAYS : LAB_GONE;
    tell_end(s, p, pidfd < 0 ? unheld : wait_gone(pidfd, answer));
    if (pidfd >= 0)
        close(pidfd);
    json_decref(answer);
}

int verb_down(struct cli_options *o) {
    struct lab_place only;
    if (!o->all && !o->argument_count) {
        if (!lab_place_choose(NULL, &only))
            return 2;
        o->arguments[o->argument_count++] = only.id;
    }
    struct sweep s = {.o = o};
    lab_places(take_down, &s);
    if (!s.alive && !o->all) {
        cli_error("no such lab runs");
        return 2;
    }
    return s.status;
}

static void collect(void *context, const struct lab_place *p, bool alive) {
    struct sweep *s = context;
    if (alive) {
        s->alive++;
        return;
    }
    if (!lab_place_collect(p))
        return;
    printf("removed what lab %s left: %s\n", p->id, p->directory);
    s->dead++;
}

int verb_gc(struct cli_options *o) {
    struct sweep s = {.o = o};
    lab_places(collect, &s);
    printf("%zu dead, %zu running\n", s.dead, s.alive);
    return 0;
}

static void list_one(void *context, const struct lab_place *p, bool alive) {
    static const char *const headers[] = {"LAB", "STATE", "MADE BY", "SCENARIO"};
    struct sweep *s = context;
    char about[LAB_ABOUT_MAX];
    lab_place_about(p, about);
    char *scenario = strchr(about, ' ');
    if (scenario)
        *scenario++ = '\0';
    json_array_append_new(s->list,
                          json_pack("{s:s, s:b, s:s, s:o, s:o}", "id", p->id, "running", (int)alive,
                                    "directory", p->directory, "made_by", report_text(about),
                                    "scenario", report_text(scenario)));
    if (s->o->format != CLI_TABLE)
        return;
    if (!s->table.rows)
        table_begin(&s->table, 4, headers);
    table_cell(&s->table, "%s", p->id);
    table_cell(&s->table, "%s", alive ? "running" : "dead (ribcage gc removes it)");
    table_cell(&s->table, "%s", about);
    table_cell(&s->table, "%s", scenario ? scenario : "");
}

int verb_list(struct cli_options *o) {
    struct sweep s = {.o = o, .list = json_array()};
    lab_places(list_one, &s);
    if (o->format == CLI_JSON)
        cli_print_json(json_incref(s.list));
    if (s.table.rows)
        table_print(&s.table);
    json_decref(s.list);
    return 0;
}
