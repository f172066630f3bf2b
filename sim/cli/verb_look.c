/*
 * status, sessions, rib, logs: looking at a running lab.
 */

#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long number_of(const json_t *o, const char *name) {
    return (long)json_integer_value(json_object_get(o, name));
}

static int print_output(json_t *answer) {
    if (!answer)
        return 2;
    cli_print_lines(report_text_of(answer, "output"));
    json_decref(answer);
    return 0;
}

/* A request of speaker/CONTROL.md, for the speaker of a node. */
static json_t *ask_speaker(struct cli_options *o, const char *node, json_t *request) {
    return lab_ask_chosen(
        o, json_pack("{s:s, s:s, s:o}", "op", "speaker", "node", node, "request", request));
}

/* ---- status ---- */

static void print_nodes(json_t *nodes) {
    static const char *const headers[] = {"NODE",    "KIND",   "SPEAKER", "PID",   "SESSIONS",
                                          "LOC-RIB", "KERNEL", "PSS KiB", "CPU ms"};
    struct cli_table t;
    table_begin(&t, 9, headers);
    size_t index;
    json_t *n;
    json_array_foreach(nodes, index, n) {
        table_cell(&t, "%s", report_text_of(n, "name"));
        table_cell(&t, "%s", report_text_of(n, "kind"));
        table_cell(&t, "%s", report_text_of(n, "speaker"));
        table_cell(&t, "%ld", number_of(n, "pid"));
        table_cell(&t, "%ld/%ld", number_of(n, "established"), number_of(n, "expected"));
        table_cell(&t, "%ld/%ld", number_of(n, "loc_rib"), number_of(n, "loc_rib_expected"));
        table_cell(&t, "%ld", number_of(n, "fib"));
        table_cell(&t, "%ld", number_of(n, "pss_bytes") / 1024);
        table_cell(&t, "%ld", number_of(n, "cpu_ns") / 1000000);
    }
    table_print(&t);
}

/* The table of `calicoctl node status`. */
static int node_status(struct cli_options *o) {
    return print_output(
        lab_ask_chosen(o, json_pack("{s:s, s:s}", "op", "node-status", "node", o->node)));
}

int verb_status(struct cli_options *o) {
    if (o->node && o->format == CLI_TABLE)
        return node_status(o);
    json_t *answer = o->node ? ask_speaker(o, o->node, json_pack("{s:s}", "op", "peers"))
                             : lab_ask_chosen(o, json_pack("{s:s}", "op", "status"));
    if (!answer)
        return 2;
    if (o->format == CLI_JSON)
        cli_print_json(answer);
    else {
        print_nodes(json_object_get(answer, "nodes"));
        json_decref(answer);
    }
    return 0;
}

/* ---- sessions ---- */

static void print_sessions(json_t *answer, const char *node) {
    static const char *const headers[] = {"A", "B", "FAMILY", "ADDRESS A", "ADDRESS B", "HOLD"};
    struct cli_table t;
    table_begin(&t, 6, headers);
    size_t index, count = 0;
    json_t *s;
    json_array_foreach(json_object_get(answer, "expected"), index, s) {
        if (node && strcmp(report_text_of(s, "a"), node) != 0 &&
            strcmp(report_text_of(s, "b"), node) != 0)
            continue;
        count++;
        table_cell(&t, "%s", report_text_of(s, "a"));
        table_cell(&t, "%s", report_text_of(s, "b"));
        table_cell(&t, "%s", report_text_of(s, "family"));
        table_cell(&t, "%s", report_text_of(s, "address_a"));
        table_cell(&t, "%s", report_text_of(s, "address_b"));
        table_cell(&t, "%ld s", number_of(s, "hold_time_s"));
    }
    table_print(&t);
    printf("%zu sessions expected\n", count);
    json_array_foreach(json_object_get(answer, "failing"), index, s) {
        if (node && strcmp(report_text_of(s, "node"), node) != 0)
            continue;
        printf("%s %s: %s: %s\n", report_text_of(s, "node"), report_text_of(s, "peer"),
               report_text_of(s, "cause"), report_text_of(s, "detail"));
    }
}

/* One row and one column a node: where a session is expected (#), where one fails (!). */
static size_t name_index(json_t *names, const char *name) {
    size_t index;
    json_t *n;
    json_array_foreach(names, index, n) {
        if (strcmp(json_string_value(n), name) == 0)
            return index;
    }
    json_array_append_new(names, json_string(name));
    return json_array_size(names) - 1;
}

#define MATRIX_MAX 200

static void print_matrix(json_t *answer) {
    json_t *names = json_array(), *s;
    char *cells = calloc(MATRIX_MAX, MATRIX_MAX);
    size_t index;
    json_array_foreach(json_object_get(answer, "expected"), index, s) {
        size_t a = name_index(names, report_text_of(s, "a")),
               b = name_index(names, report_text_of(s, "b"));
        if (cells && a < MATRIX_MAX && b < MATRIX_MAX)
            cells[a * MATRIX_MAX + b] = cells[b * MATRIX_MAX + a] = '#';
    }
    size_t n = json_array_size(names) < MATRIX_MAX ? json_array_size(names) : MATRIX_MAX;
    for (size_t a = 0; cells && a < n; a++) {
        printf("%-20.20s ", json_string_value(json_array_get(names, a)));
        for (size_t b = 0; b < n; b++)
            putchar(a == b ? '\\' : cells[a * MATRIX_MAX + b] ? '#' : '.');
        putchar('\n');
    }
    free(cells);
    json_decref(names);
}

int verb_sessions(struct cli_options *o) {
    json_t *answer = lab_ask_chosen(o, json_pack("{s:s}", "op", "sessions"));
    if (!answer)
        return 2;
    if (o->format == CLI_JSON) {
        cli_print_json(answer);
        return 0;
    }
    if (o->matrix)
        print_matrix(answer);
    else
        print_sessions(answer, o->node);
    json_decref(answer);
    return 0;
}

/* ---- rib ---- */

static void print_routes(json_t *routes) {
    static const char *const headers[] = {"",           "PREFIX",  "NEXT HOP",   "PEER",
                                          "LOCAL-PREF", "AS PATH", "ORIGINATOR", "COMMUNITIES"};
    struct cli_table t;
    table_begin(&t, 8, headers);
    size_t index;
    json_t *r;
    json_array_foreach(routes, index, r) {
        json_t *a = json_object_get(r, "attrs");
        json_t *lp = json_object_get(a, "local_pref");
        char *communities = json_dumps(json_object_get(a, "communities"), JSON_COMPACT);
        table_cell(&t, "%s%s", json_is_true(json_object_get(r, "best")) ? "*" : "",
                   json_is_true(json_object_get(r, "stale")) ? "S" : "");
        table_cell(&t, "%s", report_text_of(r, "prefix"));
        table_cell(&t, "%s",
                   *report_text_of(a, "next_hop") ? report_text_of(a, "next_hop") : "own");
        table_cell(&t, "%s", report_text_of(r, "peer"));
        if (lp)
            table_cell(&t, "%ld", (long)json_integer_value(lp));
        else
            table_cell(&t, "-");
        table_cell(&t, "%s", report_text_of(a, "as_path"));
        table_cell(&t, "%s", report_text_of(a, "originator_id"));
        table_cell(&t, "%s", communities ? communities : "");
        free(communities);
    }
    table_print(&t);
}

static void print_kernel(json_t *routes) {
    static const char *const headers[] = {"PREFIX", "GATEWAY", "INTERFACE", "METRIC"};
    struct cli_table t;
    table_begin(&t, 4, headers);
    size_t index;
    json_t *r;
    json_array_foreach(routes, index, r) {
        bool hole = json_is_true(json_object_get(r, "blackhole"));
        table_cell(&t, "%s", report_text_of(r, "prefix"));
        table_cell(&t, "%s", hole ? "blackhole" : report_text_of(r, "gateway"));
        table_cell(&t, "%s", report_text_of(r, "interface"));
        table_cell(&t, "%ld", number_of(r, "metric"));
    }
    table_print(&t);
}

static int say_why(struct cli_options *o) {
    if (o->argument_count < 2) {
        fprintf(stderr, "ribcage rib --why: which prefix?\n");
        return 2;
    }
    json_t *answer = lab_ask_chosen(o, json_pack("{s:s, s:s, s:s}", "op", "why", "node",
                                                 o->arguments[0], "prefix", o->arguments[1]));
    int status = print_output(answer);
    if (status == 0)
        putchar('\n');
    return status;
}

int verb_rib(struct cli_options *o) {
    if (!o->argument_count) {
        fprintf(stderr, "ribcage rib: which node?\n");
        return 2;
    }
    if (o->why)
        return say_why(o);
    const char *table = o->table ? o->table : "loc";
    if (strcmp(table, "out") == 0 && !o->peer) {
        cli_error("rib --table out: to whom? --peer NAME; `ribcage status --node %s --json` has "
                  "the names",
                  o->arguments[0]);
        return 2;
    }
    struct ip_prefix prefix;
    if (o->argument_count > 1 && !ip_prefix_parse(o->arguments[1], &prefix)) {
        cli_error("rib: %s is no prefix like 10.244.0.0/26", o->arguments[1]);
        return 2;
    }
    json_t *request = json_pack("{s:s, s:s}", "op", "rib", "table", table);
    if (o->argument_count > 1)
        json_object_set_new(request, "prefix", json_string(o->arguments[1]));
    if (o->peer)
        json_object_set_new(request, "peer", json_string(o->peer));
    json_t *answer = ask_speaker(o, o->arguments[0], request);
    if (!answer)
        return 2;
    if (o->format == CLI_JSON) {
        cli_print_json(answer);
        return 0;
    }
    json_t *routes = json_object_get(answer, "routes");
    if (o->argument_count > 1 && json_array_size(routes) == 0) /* not the longest match either */
        cli_error("%s has no %s there; ribcage rib %s %s --why says more", o->arguments[0],
                  o->arguments[1], o->arguments[0], o->arguments[1]);
    else if (strcmp(table, "fib") == 0)
        print_kernel(routes);
    else
        print_routes(routes);
    json_decref(answer);
    return 0;
}

int verb_logs(struct cli_options *o) {
    if (!o->argument_count) {
        fprintf(stderr, "ribcage logs: which node?\n");
        return 2;
    }
    return print_output(
        lab_ask_chosen(o, json_pack("{s:s, s:s}", "op", "logs", "node", o->arguments[0])));
}
