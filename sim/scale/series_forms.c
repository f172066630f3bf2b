/*
 * A series as JSON (which is also how it is kept), CSV, a table, sentences about growth, and SVG.
 */
#include "series.h"

#include "../../reports/plot.h"
#include "../../reports/report.h"
#include "../../speaker/base/arena.h"
#include "../../speaker/base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double forecasts[] = {2000, 5000}; /* nodes */
#define FORECASTS (sizeof forecasts / sizeof forecasts[0])

/* The last two parts of a scenario's path: "mesh/full-mesh". */
static const char *short_name(const char *path) {
    const char *end = path + strlen(path), *at = end;
    int slashes = 0;
    while (at > path && slashes < 2) {
        at--;
        slashes += *at == '/' && at + 1 != end;
    }
    return *at == '/' ? at + 1 : at;
}

/* ---- JSON ---- */

static json_t *texts_json(char *const *list, size_t count) {
    json_t *a = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(a, report_text(list[i]));
    return a;
}

static json_t *runs_json(const struct scale_series *s) {
    json_t *list = json_array();
    for (size_t i = 0; i < s->run_count; i++) {
        const struct scale_run *r = &s->runs[i];
        json_t *figures = json_object();
        for (int f = 0; f < SCALE_FIGURES; f++)
            json_object_set_new(figures, scale_figures[f].key, json_real(r->figures[f]));
        json_array_append_new(list, json_pack("{s:i, s:i, s:i, s:o, s:i, s:b, s:I, s:I, s:o}",
                                              "scenario", (int)r->scenario, "value", (int)r->value,
                                              "repeat", (int)r->repeat, "run", report_text(r->id),
                                              "exit_status", r->status, "spoiled", (int)r->spoiled,
                                              "nodes", (json_int_t)r->nodes, "sessions",
                                              (json_int_t)r->sessions, "figures", figures));
    }
    return list;
}

static json_t *cell_json(const struct scale_series *s, uint32_t scenario, uint32_t value,
                         bool noise) {
    json_t *o = json_pack("{s:o, s:o, s:I}", "scenario", report_text(s->scenarios[scenario]),
                          "value", report_text(s->values[value]), "nodes",
                          (json_int_t)scale_cell_nodes(s, scenario, value, noise));
    for (int f = 0; f < SCALE_FIGURES; f++) {
        struct scale_range r = scale_cell(s, scenario, value, (enum scale_figure)f, noise);
        json_object_set_new(o, scale_figures[f].key,
                            json_pack("{s:I, s:f, s:f, s:f}", "runs", (json_int_t)r.runs, "median",
                                      r.median, "min", r.low, "max", r.high));
    }
    return o;
}

static json_t *fit_json(const struct scale_series *s, uint32_t scenario, int f,
                        const struct fit *fit) {
    json_t *list = json_array();
    for (size_t i = 0; i < FORECASTS; i++) {
        struct fit_forecast at = fit_at(fit, forecasts[i]);
        json_array_append_new(list, json_pack("{s:f, s:f, s:f, s:f, s:b}", "nodes", forecasts[i],
                                              "value", at.value, "low", at.low, "high", at.high,
                                              "extrapolated", 1));
    }
    return json_pack("{s:o, s:s, s:I, s:f, s:f, s:f, s:o}", "scenario",
                     report_text(s->scenarios[scenario]), "figure", scale_figures[f].key, "points",
                     (json_int_t)fit->points, "exponent", fit->exponent, "exponent_error",
                     fit->exponent_error, "factor", fit->factor, "forecasts", list);
}

json_t *scale_json(const struct scale_series *s, bool noise) {
    json_t *cells = json_array(), *fits = json_array();
    for (uint32_t i = 0; i < s->scenario_count; i++) {
        struct fit fit;
        for (uint32_t v = 0; v < s->value_count; v++)
            json_array_append_new(cells, cell_json(s, i, v, noise));
        for (int f = 0; f < SCALE_FIGURES; f++) {
            if (scale_fit(s, i, (enum scale_figure)f, noise, &fit))
                json_array_append_new(fits, fit_json(s, i, f, &fit));
        }
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:o, s:o}", "scenarios",
                     texts_json(s->scenarios, s->scenario_count), "parameter",
                     report_text(s->parameter), "values", texts_json(s->values, s->value_count),
                     "fixed", texts_json(s->fixed, s->fixed_count), "profile",
                     report_text(s->profile), "repeat", (int)s->repeat, "runs", runs_json(s),
                     "cells", cells, "fits", fits);
}

static bool read_texts(const json_t *j, const char *name, char ***list, size_t *count) {
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(j, name), i, one) {
        if (!json_is_string(one) || !scale_texts_add(list, count, json_string_value(one)))
            return false;
    }
    return true;
}

static bool read_index(const json_t *j, const char *name, size_t limit, uint32_t *ret) {
    const json_t *v = json_object_get(j, name);
    json_int_t n = json_integer_value(v);
    *ret = (uint32_t)n;
    return json_is_integer(v) && n >= 0 && (size_t)n < limit;
}

static bool read_run(struct scale_series *s, const json_t *j) {
    struct scale_run r = {0};
    const char *id = json_string_value(json_object_get(j, "run"));
    if (!id || !read_index(j, "scenario", s->scenario_count, &r.scenario) ||
        !read_index(j, "value", s->value_count, &r.value) ||
        !read_index(j, "repeat", s->repeat, &r.repeat) ||
        scale_find(s, r.scenario, r.value, r.repeat))
        return false;
    snprintf(r.id, sizeof r.id, "%s", id);
    r.status = (int)json_integer_value(json_object_get(j, "exit_status"));
    r.spoiled = json_is_true(json_object_get(j, "spoiled"));
    r.nodes = (uint64_t)json_integer_value(json_object_get(j, "nodes"));
    r.sessions = (uint64_t)json_integer_value(json_object_get(j, "sessions"));
    for (int f = 0; f < SCALE_FIGURES; f++)
        r.figures[f] =
            json_number_value(json_object_get(json_object_get(j, "figures"), scale_figures[f].key));
    struct scale_run *grown = alloc_resize(s->runs, s->run_count + 1, sizeof *grown);
    if (!grown)
        return false;
    s->runs = grown;
    s->runs[s->run_count++] = r;
    return true;
}

#define REPEAT_MAX 1000

struct scale_series *scale_read(const json_t *j) {
    struct scale_series *s = alloc_zero(1, sizeof *s);
    const char *parameter = json_string_value(json_object_get(j, "parameter"));
    const char *profile = json_string_value(json_object_get(j, "profile"));
    size_t i;
    json_t *one;
    bool ok = s && parameter && profile;
    ok = ok && (s->parameter = strdup(parameter)) && (s->profile = strdup(profile));
    ok = ok && read_index(j, "repeat", REPEAT_MAX + 1, &s->repeat) && s->repeat > 0;
    ok = ok && read_texts(j, "scenarios", &s->scenarios, &s->scenario_count);
    ok = ok && read_texts(j, "values", &s->values, &s->value_count);
    ok = ok && read_texts(j, "fixed", &s->fixed, &s->fixed_count);
    ok = ok && s->scenario_count > 0 && s->value_count > 0;
    json_array_foreach(json_object_get(j, "runs"), i, one) ok = ok && read_run(s, one);
    if (ok)
        return s;
    scale_series_free(s);
    return NULL;
}

/* ---- CSV ---- */

static void csv_text(struct text *out, const char *s) {
    text_putc(out, '"');
    for (; *s; s++) {
        if (*s == '"')
            text_putc(out, '"');
        text_putc(out, *s);
    }
    text_putc(out, '"');
}

void scale_csv(const struct scale_series *s, struct text *out) {
    text_puts(out, "scenario,");
    csv_text(out, s->parameter);
    text_puts(out, ",repeat,run,exit_status,spoiled,nodes,sessions");
    for (int f = 0; f < SCALE_FIGURES; f++)
        text_printf(out, ",%s", scale_figures[f].key);
    text_putc(out, '\n');
    for (size_t i = 0; i < s->run_count; i++) {
        const struct scale_run *r = &s->runs[i];
        csv_text(out, s->scenarios[r->scenario]);
        text_putc(out, ',');
        csv_text(out, s->values[r->value]);
        text_printf(out, ",%u,%s,%d,%d,%lu,%lu", r->repeat + 1, r->id, r->status, (int)r->spoiled,
                    (unsigned long)r->nodes, (unsigned long)r->sessions);
        for (int f = 0; f < SCALE_FIGURES; f++)
            text_printf(out, ",%.9g", r->figures[f]);
        text_putc(out, '\n');
    }
}

/* ---- for people ---- */

static void put_figure(struct text *out, double v) {
    if (v >= 1e6)
        text_printf(out, "%.3g M", v / 1e6);
    else if (v >= 1000)
        text_printf(out, "%.0f", v);
    else
        text_printf(out, "%.3g", v);
}

static void put_range(struct text *out, const struct scale_range *r) {
    if (!r->runs) {
        text_putc(out, '-');
        return;
    }
    put_figure(out, r->median);
    if (r->runs < 2)
        return;
    text_puts(out, " [");
    put_figure(out, r->low);
    text_puts(out, "-");
    put_figure(out, r->high);
    text_putc(out, ']');
}

/* The two figures that most ask for come with their ranges; those of all are in the JSON. */
static const struct {
    const char *heading;
    size_t width;
    bool range;
} columns[SCALE_FIGURES] = {
    [SCALE_SET_UP] = {"set-up s", 10, false},
    [SCALE_LAST_SESSION] = {"last session s", 24, true},
    [SCALE_LAST_FIB] = {"last kernel route s", 24, true},
    [SCALE_TEARDOWN] = {"down s", 8, false},
    [SCALE_CPU] = {"CPU s", 8, false},
    [SCALE_PSS] = {"PSS MiB", 9, false},
    [SCALE_KERNEL] = {"kernel MiB", 12, false},
    [SCALE_UPDATES] = {"UPDATEs", 0, false},
};
#define COLUMN_FIRST 22

static void put_row(const struct scale_series *s, uint32_t i, uint32_t v, bool noise,
                    struct text *out) {
    struct scale_range any = scale_cell(s, i, v, SCALE_SET_UP, noise);
    size_t column = COLUMN_FIRST;
    text_printf(out, "  %s=%s", s->parameter, s->values[v]);
    text_pad(out, 16);
    text_printf(out, "%zu/%u", any.runs, s->repeat);
    for (int f = 0; f < SCALE_FIGURES; f++) {
        struct scale_range r = scale_cell(s, i, v, (enum scale_figure)f, noise);
        text_pad(out, column);
        if (r.runs && !columns[f].range)
            r.runs = 1;
        put_range(out, &r);
        column += columns[f].width;
    }
    text_putc(out, '\n');
}

void scale_table(const struct scale_series *s, bool noise, struct text *out) {
    for (uint32_t i = 0; i < s->scenario_count; i++) {
        size_t column = COLUMN_FIRST;
        text_printf(out, "%s\n  size", short_name(s->scenarios[i]));
        text_pad(out, 16);
        text_puts(out, "runs");
        for (int f = 0; f < SCALE_FIGURES; f++) {
            text_pad(out, column);
            text_puts(out, columns[f].heading);
            column += columns[f].width;
        }
        text_putc(out, '\n');
        for (uint32_t v = 0; v < s->value_count; v++)
            put_row(s, i, v, noise, out);
    }
}

/* Beyond this factor between its ends an interval says nothing: more sizes are needed. */
#define INTERVAL_FACTOR_MAX 100

static bool forecast_says(struct fit_forecast at) {
    return at.high <= INTERVAL_FACTOR_MAX * at.low;
}

static void put_growth(int f, const struct fit *fit, struct text *out) {
    text_printf(out, "  %s", scale_figures[f].title);
    text_pad(out, 24);
    text_printf(out, "n^%.2f", fit->exponent);
    if (fit->points > 2)
        text_printf(out, " +- %.2f", fit->exponent_error);
    for (size_t k = 0; k < FORECASTS; k++) {
        struct fit_forecast at = fit_at(fit, forecasts[k]);
        text_pad(out, 42 + k * 34);
        text_printf(out, "%.0f: ", forecasts[k]);
        if (!forecast_says(at)) {
            text_puts(out, "too few sizes to say");
            continue;
        }
        put_figure(out, at.value);
        text_puts(out, " [");
        put_figure(out, at.low);
        text_putc(out, '-');
        put_figure(out, at.high);
        text_printf(out, "] %s", scale_figures[f].unit);
    }
    text_putc(out, '\n');
}

void scale_growth(const struct scale_series *s, bool noise, struct text *out) {
    for (uint32_t i = 0; i < s->scenario_count; i++) {
        struct fit fit;
        bool headed = false;
        for (int f = 0; f < SCALE_FIGURES; f++) {
            if (!scale_fit(s, i, (enum scale_figure)f, noise, &fit))
                continue;
            if (!headed)
                text_printf(out,
                            "growth of %s (figures for 2000 and 5000 nodes are extrapolated, with "
                            "95 %% intervals)\n",
                            short_name(s->scenarios[i]));
            headed = true;
            put_growth(f, &fit, out);
        }
    }
}

/* ---- SVG ---- */

struct drawing {
    struct plot_point *points; /* [figure][scenario][value] */
    struct plot_line *lines;   /* [figure][scenario] */
    struct plot_panel panels[SCALE_FIGURES];
};

static void draw_line(const struct scale_series *s, uint32_t i, int f, bool noise,
                      struct plot_point *points, struct plot_line *ret_line) {
    struct fit fit;
    size_t count = 0;
    for (uint32_t v = 0; v < s->value_count; v++) {
        struct scale_range r = scale_cell(s, i, v, (enum scale_figure)f, noise);
        double n = (double)scale_cell_nodes(s, i, v, noise);
        if (r.runs)
            points[count++] = (struct plot_point){n, r.median, r.low, r.high};
    }
    *ret_line = (struct plot_line){short_name(s->scenarios[i]), points, count, false, 0, 0, 0};
    double last = forecasts[FORECASTS - 1];
    if (scale_fit(s, i, (enum scale_figure)f, noise, &fit) && forecast_says(fit_at(&fit, last))) {
        ret_line->has_law = true;
        ret_line->factor = fit.factor;
        ret_line->exponent = fit.exponent;
        ret_line->law_to = last;
    }
}

void scale_svg(const struct scale_series *s, bool noise, struct text *out) {
    size_t lines = SCALE_FIGURES * s->scenario_count;
    struct drawing d = {
        .points = alloc_zero(lines * s->value_count, sizeof *d.points),
        .lines = alloc_zero(lines, sizeof *d.lines),
    };
    for (int f = 0; d.points && d.lines && f < SCALE_FIGURES; f++) {
        for (uint32_t i = 0; i < s->scenario_count; i++) {
            size_t at = (size_t)f * s->scenario_count + i;
            draw_line(s, i, f, noise, &d.points[at * s->value_count], &d.lines[at]);
        }
        const char *unit = *scale_figures[f].unit ? scale_figures[f].unit : "number";
        d.panels[f] =
            (struct plot_panel){scale_figures[f].title, unit,
                                &d.lines[(size_t)f * s->scenario_count], s->scenario_count};
    }
    if (d.points && d.lines)
        plot_svg("Growth with the number of nodes (dashed: fitted, extrapolated to 5000)", "nodes",
                 d.panels, SCALE_FIGURES, out);
    alloc_free(d.points);
    alloc_free(d.lines);
}
