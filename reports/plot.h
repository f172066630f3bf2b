#ifndef RIBCAGE_PLOT_H
#define RIBCAGE_PLOT_H

#include <stdbool.h>
#include <stddef.h>

struct text;

/*
 * Line plots on double logarithmic axes, as SVG that stands alone: several panels in rows of four,
 * the same lines in each, one legend. Nothing of it asks for a script, a font or a file from
 * elsewhere.
 */

struct plot_point {
    double x, value, low, high; /* all above 0; others are left out. low..high: drawn as a bar */
};

struct plot_line {
    const char *name; /* in the legend; a place in the list is a colour */
    const struct plot_point *points;
    size_t point_count;
    bool has_law; /* value = factor * x^exponent, drawn thin and dashed up to law_to */
    double factor, exponent, law_to;
};

struct plot_panel {
    const char *title; /* "last session" */
    const char *unit;  /* "s", "MiB" */
    const struct plot_line *lines;
    size_t line_count;
};

/* Appends the document; texts may hold anything (escaped). A panel without a point says so. */
void plot_svg(const char *title, const char *x_title, const struct plot_panel *panels, size_t count,
              struct text *out);

#endif
