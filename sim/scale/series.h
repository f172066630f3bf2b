#ifndef RIBCAGE_SCALE_SERIES_H
#define RIBCAGE_SCALE_SERIES_H

#include "fit.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text;

/*
 * A series: the same scenarios at several sizes, each several times. One run is one result.json;
 * runs of equal scenario and size make a cell; the cells of a scenario make a line that is fitted.
 *
 * Plain data with one owner; no file and no process is touched here (sim/cli/verb_scale.c does).
 */

enum scale_figure {
    SCALE_SET_UP,       /* s: namespaces, links, addresses, speakers started */
    SCALE_LAST_SESSION, /* s, since the first speaker was started */
    SCALE_LAST_FIB,     /* s, the same */
    SCALE_TEARDOWN,     /* s */
    SCALE_CPU,          /* s, all speakers */
    SCALE_PSS,          /* MiB, all speakers */
    SCALE_KERNEL,       /* MiB, growth of the kernel's memory */
    SCALE_UPDATES,      /* sent by all speakers */
    SCALE_FIGURES,
};
struct scale_figure_name {
    const char *key;   /* in JSON and CSV: "last_session_s" */
    const char *title; /* "last session" */
    const char *unit;  /* "s", "MiB", "" */
};
extern const struct scale_figure_name scale_figures[SCALE_FIGURES];

struct scale_run {
    uint32_t scenario, value; /* indices into the series */
    uint32_t repeat;          /* 0, 1, … */
    char id[64];              /* of the run, its folder below the series */
    int status;               /* exit status, as of `ribcage run` */
    bool spoiled;             /* the host made its times void */
    uint64_t nodes, sessions; /* of the plan */
    double figures[SCALE_FIGURES];
};

struct scale_series {
    char **scenarios; /* paths */
    size_t scenario_count;
    char *parameter; /* "nodes" */
    char **values;   /* its texts, in the order given */
    size_t value_count;
    char **fixed; /* "KEY=VALUE", the other parameters */
    size_t fixed_count;
    char *profile; /* "" : the scenario's */
    uint32_t repeat;
    struct scale_run *runs;
    size_t run_count;
};

void scale_series_free(struct scale_series *s);
/* Grows a list of texts by a copy. False: out of memory. */
bool scale_texts_add(char ***list, size_t *count, const char *text);
/* The run of this place, or NULL. */
const struct scale_run *scale_find(const struct scale_series *s, uint32_t scenario, uint32_t value,
                                   uint32_t repeat);
/* Takes over what a result.json says (reports/schema.json); an earlier run of the same place is
 * replaced. False: it is no result, or out of memory. */
bool scale_take(struct scale_series *s, uint32_t scenario, uint32_t value, uint32_t repeat,
                const json_t *result);

/* Counts: passed, or passed with warnings; and, unless `noise`, not spoiled by the host. */
bool scale_counts(const struct scale_run *r, bool noise);

struct scale_range {
    size_t runs; /* 0: nothing else is set */
    double median, low, high;
};
struct scale_range scale_cell(const struct scale_series *s, uint32_t scenario, uint32_t value,
                              enum scale_figure f, bool noise);
/* Nodes of a cell; 0: no run that counts. */
uint64_t scale_cell_nodes(const struct scale_series *s, uint32_t scenario, uint32_t value,
                          bool noise);
/* Over all runs that count. Sizes below 30 nodes are left out where three larger ones are there:
 * what a start costs once hides the growth. */
bool scale_fit(const struct scale_series *s, uint32_t scenario, enum scale_figure f, bool noise,
               struct fit *ret_fit);

/* ---- forms (series_forms.c) ---- */

/* The series as it is kept: everything needed to go on with it. A new reference, NULL: no memory.
 */
json_t *scale_json(const struct scale_series *s, bool noise);
/* Reads that back; unknown members are passed over. NULL: it is not one. Free it. */
struct scale_series *scale_read(const json_t *j);
void scale_csv(const struct scale_series *s, struct text *out);               /* a row a run */
void scale_table(const struct scale_series *s, bool noise, struct text *out); /* for people */
/* Growth of each figure, and what 2,000 and 5,000 nodes would take. */
void scale_growth(const struct scale_series *s, bool noise, struct text *out);
void scale_svg(const struct scale_series *s, bool noise, struct text *out);

/* ---- comparison (series_compare.c) ---- */

/* Cells with the same scenario and value. A figure is worse when the ranges do not touch and the
 * median is more than a tenth above; better the other way round. Returns how many are worse. */
size_t scale_compare(const struct scale_series *before, const struct scale_series *after,
                     bool noise, struct text *out);

#endif
