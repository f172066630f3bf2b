/*
 * The table of `calicoctl node status` of one node: its speaker's `show protocols`, shown the way
 * Calico shows BIRD's. One speaker stands for both of Calico's daemons; which rows belong to which
 * is told by the neighbour's address.
 */

#include "engine.h"

#include "../calico/calico_status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_DEADLINE_MS 5000

struct status_table {
    struct calico_status_row *rows[2]; /* IPv4, IPv6 */
    size_t counts[2];
};

static json_t *ask(struct engine *e, uint32_t node, const char *op, const char *command) {
    json_t *request = command ? json_pack("{s:s, s:s}", "op", op, "command", command)
                              : json_pack("{s:s}", "op", op);
    const char *error = NULL;
    json_t *answer =
        request ? lab_request(e->lab, node, request, REQUEST_DEADLINE_MS, &error) : NULL;
    json_decref(request);
    return answer;
}

static bool is_ipv6(json_t *peers, const char *name) {
    size_t index;
    json_t *p;
    json_array_foreach(peers, index, p) {
        const char *n = json_string_value(json_object_get(p, "name"));
        const char *remote = json_string_value(json_object_get(p, "remote"));
        if (n && remote && strcmp(n, name) == 0)
            return strchr(remote, ':') != NULL;
    }
    return false;
}

/* Cuts the next blank-separated word off `*at` in place. */
static char *word(char **at) {
    char *start = *at + strspn(*at, " ");
    char *end = start + strcspn(start, " ");
    *at = *end ? end + 1 : end;
    *end = '\0';
    return start;
}

/* "name proto table state since info…"; other protocols than BGP are not shown. */
static void take_line(struct status_table *t, char *line, json_t *peers) {
    char *at = line;
    struct calico_status_row row = {.name = word(&at)};
    bool bgp = strcmp(word(&at), "BGP") == 0;
    (void)word(&at); /* table */
    row.state = word(&at);
    row.since = word(&at);
    row.info = at + strspn(at, " ");
    if (!bgp)
        return;
    int f = is_ipv6(peers, row.name);
    t->rows[f][t->counts[f]++] = row;
}

static size_t count_lines(const char *text) {
    size_t n = 1;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

bool engine_node_status(struct engine *e, uint32_t node, struct text *out) {
    json_t *peers = ask(e, node, "peers", NULL);
    json_t *answer = ask(e, node, "exec", "show protocols");
    const char *output = json_string_value(json_object_get(answer, "output"));
    char *copy = output ? strdup(output) : NULL;
    struct status_table t = {.counts = {0, 0}};
    size_t lines = copy ? count_lines(copy) : 0;
    t.rows[0] = calloc(lines + 1, sizeof *t.rows[0]);
    t.rows[1] = calloc(lines + 1, sizeof *t.rows[1]);
    bool ok = copy && t.rows[0] && t.rows[1];
    for (char *line = copy; ok && line && *line;) {
        char *next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        take_line(&t, line, json_object_get(peers, "peers"));
        line = next;
    }
    if (ok)
        calico_status_print(t.rows[0], t.counts[0], t.rows[1], t.counts[1],
                            e->scenario->calico_version, out);
    free(t.rows[0]);
    free(t.rows[1]);
    free(copy);
    json_decref(peers);
    json_decref(answer);
    return ok;
}
