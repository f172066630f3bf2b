/*
 * The runs of a series and what they amount to.
 *
 * Owns the list of runs: at most one per (scenario, value, repeat). Medians, not means: one run
 * that was disturbed must not move a figure.
 */
#include "series.h"

#include "../../speaker/base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct scale_figure_name scale_figures[SCALE_FIGURES] = {
    [SCALE_SET_UP] = {"set_up_s", "set-up", "s"},
    [SCALE_LAST_SESSION] = {"last_session_s", "last session", "s"},
    [SCALE_LAST_FIB] = {"last_fib_s", "last kernel route", "s"},
    [SCALE_TEARDOWN] = {"teardown_s", "teardown", "s"},
    [SCALE_CPU] = {"cpu_s", "CPU of speakers", "s"},
    [SCALE_PSS] = {"pss_mib", "memory of speakers", "MiB"},
    [SCALE_KERNEL] = {"kernel_mib", "memory of the kernel", "MiB"},
    [SCALE_UPDATES] = {"updates", "UPDATEs sent", ""},
};

static void texts_free(char **list, size_t count) {
    for (size_t i = 0; i < count; i++)
        free(list[i]);
    alloc_free(list);
}

void scale_series_free(struct scale_series *s) {
    if (!s)
        return;
    texts_free(s->scenarios, s->scenario_count);
    texts_free(s->values, s->value_count);
    texts_free(s->fixed, s->fixed_count);
    free(s->parameter);
    free(s->profile);
    alloc_free(s->runs);
    alloc_free(s);
}

bool scale_texts_add(char ***list, size_t *count, const char *text) {
    char **grown = alloc_resize(*list, *count + 1, sizeof *grown);
    if (!grown)
        return false;
    *list = grown;
    grown[*count] = strdup(text);
    if (!grown[*count])
        return false;
    (*count)++;
    return true;
}

static struct scale_run *find(const struct scale_series *s, uint32_t scenario, uint32_t value,
                              uint32_t repeat) {
    for (size_t i = 0; i < s->run_count; i++) {
        struct scale_run *r = &s->runs[i];
        if (r->scenario == scenario && r->value == value && r->repeat == repeat)
            return r;
    }
    return NULL;
}

const struct scale_run *scale_find(const struct scale_series *s, uint32_t scenario, uint32_t value,
                                   uint32_t repeat) {
    return find(s, scenario, value, repeat);
}

/* ---- a result ---- */

static double number(const json_t *result, const char *group, const char *name) {
    return json_number_value(json_object_get(json_object_get(result, group), name));
}

static double phase_s(const json_t *result, const char *name) {
    size_t i;
    json_t *p;
    json_array_foreach(json_object_get(result, "phases"), i, p) {
        const char *seen = json_string_value(json_object_get(p, "name"));
        if (seen && strcmp(seen, name) == 0)
            return json_number_value(json_object_get(p, "duration_ns")) / 1e9;
    }
    return 0;
}

static void take_figures(struct scale_run *r, const json_t *result) {
    r->figures[SCALE_SET_UP] = phase_s(result, "build") + phase_s(result, "start");
    r->figures[SCALE_LAST_SESSION] = number(result, "convergence", "last_session_ns") / 1e9;
    r->figures[SCALE_LAST_FIB] = number(result, "convergence", "last_fib_ns") / 1e9;
    r->figures[SCALE_TEARDOWN] = phase_s(result, "teardown");
    r->figures[SCALE_CPU] = number(result, "speakers", "cpu_ns") / 1e9;
    r->figures[SCALE_PSS] = number(result, "speakers", "pss_bytes") / 1048576;
    r->figures[SCALE_KERNEL] = number(result, "host", "kernel_bytes") / 1048576;
    r->figures[SCALE_UPDATES] = number(result, "speakers", "updates");
}

static struct scale_run *make_room(struct scale_series *s) {
    struct scale_run *grown = alloc_resize(s->runs, s->run_count + 1, sizeof *grown);
    if (!grown)
        return NULL;
    s->runs = grown;
    return &grown[s->run_count++];
}

bool scale_take(struct scale_series *s, uint32_t scenario, uint32_t value, uint32_t repeat,
                const json_t *result) {
    const char *id = json_string_value(json_object_get(result, "id"));
    const json_t *status = json_object_get(result, "exit_status");
    const char *spoiled =
        json_string_value(json_object_get(json_object_get(result, "host"), "spoiled"));
    if (!id || !json_is_integer(status))
        return false;
    struct scale_run *r = find(s, scenario, value, repeat);
    if (!r && !(r = make_room(s)))
        return false;
    *r = (struct scale_run){
        .scenario = scenario,
        .value = value,
        .repeat = repeat,
        .status = (int)json_integer_value(status),
        .spoiled = spoiled && *spoiled,
        .nodes = (uint64_t)json_integer_value(json_object_get(result, "nodes")),
        .sessions = (uint64_t)number(result, "sessions", "expected"),
    };
    snprintf(r->id, sizeof r->id, "%s", id);
    take_figures(r, result);
    return true;
}

/* ---- cells and lines ---- */

bool scale_counts(const struct scale_run *r, bool noise) {
    return (r->status == 0 || r->status == 3) && (noise || !r->spoiled);
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct scale_range scale_cell(const struct scale_series *s, uint32_t scenario, uint32_t value,
                              enum scale_figure f, bool noise) {
    struct scale_range r = {0};
    double *v = alloc_zero(s->run_count + 1, sizeof *v);
    for (size_t i = 0; v && i < s->run_count; i++) {
        const struct scale_run *one = &s->runs[i];
        if (one->scenario == scenario && one->value == value && scale_counts(one, noise))
            v[r.runs++] = one->figures[f];
    }
    if (r.runs) {
        qsort(v, r.runs, sizeof *v, compare);
        r.low = v[0];
        r.high = v[r.runs - 1];
        r.median = (v[(r.runs - 1) / 2] + v[r.runs / 2]) / 2;
    }
    alloc_free(v);
    return r;
}

uint64_t scale_cell_nodes(const struct scale_series *s, uint32_t scenario, uint32_t value,
                          bool noise) {
    for (size_t i = 0; i < s->run_count; i++) {
        const struct scale_run *r = &s->runs[i];
        if (r->scenario == scenario && r->value == value && scale_counts(r, noise))
            return r->nodes;
    }
    return 0;
}

#define SMALL_NODES 30

static size_t large_sizes(const struct scale_series *s, uint32_t scenario, bool noise) {
    size_t n = 0;
    for (uint32_t v = 0; v < s->value_count; v++)
        n += scale_cell_nodes(s, scenario, v, noise) >= SMALL_NODES;
    return n;
}

bool scale_fit(const struct scale_series *s, uint32_t scenario, enum scale_figure f, bool noise,
               struct fit *ret_fit) {
    struct fit_point *points = alloc_zero(s->run_count + 1, sizeof *points);
    uint64_t least = large_sizes(s, scenario, noise) >= 3 ? SMALL_NODES : 0;
    size_t count = 0;
    for (size_t i = 0; points && i < s->run_count; i++) {
        const struct scale_run *r = &s->runs[i];
        if (r->scenario == scenario && scale_counts(r, noise) && r->nodes >= least)
            points[count++] = (struct fit_point){(double)r->nodes, r->figures[f]};
    }
    bool ok = count > 0 && fit_power(points, count, ret_fit);
    alloc_free(points);
    return ok;
}
