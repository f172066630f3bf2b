/*
 * doctor and version: what this machine and this build are.
 */

#include "cli.h"

#include "../lab/lab.h"
#include "../scenario/engine.h"

#include <stdio.h>
#include <stdlib.h>

static struct lab_needs mesh_needs(const struct cli_options *o) {
    size_t n = o->nodes ? (size_t)o->nodes : 100;
    return (struct lab_needs){
        .hosts = n,
        .sessions = n * (n - 1) / 2,
        .routes = n * n,
        .sockets_per_speaker_max = n,
        .capture = true,
        .routed = true,
    };
}

/* The plan of a scenario, as `run` would have it. */
static bool scenario_needs(const struct cli_options *o, struct arena *arena,
                           struct diag_list *diags, struct lab_needs *ret_needs) {
    struct scenario *s = scenario_read(o->arguments[0], o->sets, o->set_count, arena, diags);
    struct engine e = {.scenario = s,
                       .arena = arena,
                       .diags = diags,
                       .front_fd = -1,
                       .wait_fd = -1,
                       .weigh_first = true};
    bool ok = s && !s->no_lab && engine_prepare(&e, diags);
    if (ok)
        *ret_needs = engine_needs(&e);
    else if (e.too_large)
        *ret_needs = e.least;
    else if (s && s->no_lab)
        cli_error("%s builds no network", o->arguments[0]);
    engine_release(&e);
    if (s)
        scenario_close(s);
    return ok || e.too_large;
}

static json_t *needs_json(const struct lab_need *list, size_t count) {
    json_t *a = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(a, json_pack("{s:s, s:I, s:I, s:b}", "what", list[i].what, "needed",
                                           (json_int_t)list[i].needed, "here",
                                           (json_int_t)list[i].here, "estimated",
                                           (int)list[i].estimated));
    return a;
}

static void print_needs(const struct lab_needs *n, const struct lab_need *list, size_t count) {
    struct cli_table t;
    static const char *const headers[] = {"NEEDS", "AT LEAST", "HERE", ""};
    printf("%zu nodes and routers, %zu sessions, %zu routes, %s fabric\n\n", n->hosts, n->sessions,
           n->routes, n->routed ? "routed" : "l2");
    table_begin(&t, 4, headers);
    for (size_t i = 0; i < count; i++) {
        table_cell(&t, "%s", list[i].what);
        table_cell(&t, "%s%llu", list[i].estimated ? "about " : "",
                   (unsigned long long)list[i].needed);
        table_cell(&t, "%llu", (unsigned long long)list[i].here);
        table_cell(&t, "%s", list[i].needed > list[i].here ? "short" : "");
    }
    table_print(&t);
    putchar('\n');
}

/* The names of the facts that hold, or of those that do not. */
static void print_features(const char *title, json_t *features, bool here) {
    const char *name, *before = "";
    json_t *value;
    printf("%-24s ", title);
    json_object_foreach(features, name, value) {
        if (json_is_true(value) != here)
            continue;
        printf("%s%s", before, name);
        before = ", ";
    }
    printf("%s\n", *before ? "" : "-");
}

static void print_facts(json_t *facts) {
    static const struct {
        const char *name, *title;
        unsigned shift; /* of bytes shown as MiB */
    } rows[] = {
        {"cpus", "processors", 0},
        {"memory_available_bytes", "memory free, MiB", 20},
        {"nofile", "open files a process", 0},
        {"pid_max", "processes", 0},
        {"somaxconn", "waiting connections", 0},
        {"gc_thresh3", "neighbour entries", 0},
        {"nodes_max", "nodes at most", 0},
        {"sessions_max", "sessions at most", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        printf("%-24s %lld\n", rows[i].title,
               (long long)json_integer_value(json_object_get(facts, rows[i].name)) >>
                   rows[i].shift);
    print_features("the kernel has", json_object_get(facts, "features"), true);
    print_features("the kernel lacks", json_object_get(facts, "features"), false);
}

/* host_check says again what host_weigh has found: its limits go unsaid here. */
static int doctor(const struct cli_options *o, const struct lab_needs *needs,
                  struct diag_list *diags) {
    struct diag_list *unsaid = diag_list_new();
    struct lab_need list[LAB_NEEDS_MAX];
    json_t *facts = json_object();
    host_check(needs, diags, facts);
    size_t count = host_weigh(needs, list, unsaid);
    int status = diag_error_count(diags) ? 4 : 0;
    json_object_set_new(facts, "needs", needs_json(list, count));
    if (o->format == CLI_JSON) {
        cli_print_json(json_incref(facts));
    } else {
        print_facts(facts);
        putchar('\n');
        print_needs(needs, list, count);
        printf("%s %s here\n", o->argument_count ? o->arguments[0] : "a full mesh of that size",
               status ? "does not fit" : "fits");
    }
    fflush(stdout);
    json_decref(facts);
    diag_list_free(unsaid);
    return status;
}

int verb_doctor(struct cli_options *o) {
    struct arena *arena = arena_new();
    struct diag_list *diags = diag_list_new();
    struct lab_needs needs = mesh_needs(o);
    int status = 2;
    if (arena && diags && (!o->argument_count || scenario_needs(o, arena, diags, &needs)))
        status = doctor(o, &needs, diags);
    cli_print_diags(diags);
    diag_list_free(diags);
    arena_free(arena);
    return status;
}

int verb_version(struct cli_options *o) {
    if (o->format == CLI_JSON)
        cli_print_json(json_pack("{s:s}", "version", RIBCAGE_VERSION));
    else
        printf("ribcage %s\n", RIBCAGE_VERSION);
    return 0;
}
