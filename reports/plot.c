/*
 * SVG plots, written as text.
 *
 * Owns the geometry: a panel is a fixed rectangle in a grid that is wider than high, as a slide is;
 * its axes span whole decades around what is to be seen; one legend below the title serves all.
 * Coordinates have one decimal, so the same figures give the same file.
 */
#include "plot.h"

#include "../speaker/base/text.h"

#include <math.h>
#include <string.h>

enum {
    COLUMNS_MAX = 4,
    PANEL_WIDTH = 380,
    PANEL_HEIGHT = 310,
    LEFT = 62, /* in a panel: labels of its y axis */
    RIGHT = 24,
    TOP = 96,      /* title and legend */
    GAP = 56,      /* below a panel: its x axis */
    CHARACTER = 8, /* of the legend, about */
};

/* Distinct also for those who see no red or no green. */
static const char *const colours[] = {"#0072b2", "#d55e00", "#009e73",
                                      "#cc79a7", "#e69f00", "#56b4e9"};
#define COLOURS (sizeof colours / sizeof colours[0])

struct axis {
    double low, high; /* whole decades, as exponents of ten */
    double from, to;  /* pixels */
};

static double pixel(const struct axis *a, double value) {
    return a->from + (log10(value) - a->low) / (a->high - a->low) * (a->to - a->from);
}

static void put_escaped(struct text *out, const char *s) {
    for (; *s; s++) {
        if (*s == '<')
            text_puts(out, "&lt;");
        else if (*s == '>')
            text_puts(out, "&gt;");
        else if (*s == '&')
            text_puts(out, "&amp;");
        else if ((unsigned char)*s >= 0x20)
            text_printf(out, "%c", *s);
    }
}

static bool visible(const struct plot_point *p) {
    return p->x > 0 && p->value > 0 && isfinite(p->x) && isfinite(p->value);
}

static void widen(struct axis *a, double value) {
    if (!(value > 0) || !isfinite(value))
        return;
    a->low = fmin(a->low, floor(log10(value)));
    a->high = fmax(a->high, ceil(log10(value)));
}

/* False: nothing to be seen. */
static bool span(const struct plot_panel *p, struct axis *x, struct axis *y) {
    x->low = y->low = 99;
    x->high = y->high = -99;
    for (size_t i = 0; i < p->line_count; i++) {
        const struct plot_line *l = &p->lines[i];
        for (size_t k = 0; k < l->point_count; k++) {
            if (!visible(&l->points[k]))
                continue;
            widen(x, l->points[k].x);
            widen(y, l->points[k].value);
            widen(y, l->points[k].low);
            widen(y, l->points[k].high);
        }
        if (l->has_law && l->point_count > 0) {
            widen(x, l->law_to);
            widen(y, l->factor * pow(l->law_to, l->exponent));
        }
    }
    x->high = fmax(x->high, x->low + 1);
    y->high = fmax(y->high, y->low + 1);
    return x->low < 99 && y->low < 99;
}

static void put_grid_line(struct text *out, double x1, double y1, double x2, double y2,
                          bool strong) {
    text_printf(out, "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"%s\"/>\n", x1, y1, x2, y2,
                strong ? "#999" : "#e4e4e4");
}

/* A power of ten as people write it: 1000, 10k, 100k, 1M. */
static void put_label(struct text *out, double x, double y, const char *anchor, double value) {
    double unit = value >= 1e9 ? 1e9 : value >= 1e6 ? 1e6 : value >= 1e4 ? 1e3 : 1;
    const char *name = value >= 1e9 ? "G" : value >= 1e6 ? "M" : value >= 1e4 ? "k" : "";
    text_printf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%.4g%s</text>\n", x, y, anchor,
                value / unit, name);
}

static void put_axes(struct text *out, const struct axis *x, const struct axis *y) {
    for (int e = (int)x->low; e <= (int)x->high; e++) {
        for (int step = 1; step < 10 && (e < (int)x->high || step == 1); step++) {
            double at = pixel(x, step * pow(10, e));
            put_grid_line(out, at, y->from, at, y->to, step == 1);
        }
        put_label(out, pixel(x, pow(10, e)), y->from + 16, "middle", pow(10, e));
    }
    for (int e = (int)y->low; e <= (int)y->high; e++) {
        double at = pixel(y, pow(10, e));
        put_grid_line(out, x->from, at, x->to, at, true);
        put_label(out, x->from - 6, at + 4, "end", pow(10, e));
    }
}

static void put_points(struct text *out, const struct plot_line *l, const char *colour,
                       const struct axis *x, const struct axis *y) {
    bool first = true;
    text_printf(out, "<path fill=\"none\" stroke-width=\"2\" stroke=\"%s\" d=\"", colour);
    for (size_t i = 0; i < l->point_count; i++) {
        if (!visible(&l->points[i]))
            continue;
        text_printf(out, "%s%.1f %.1f", first ? "M" : "L", pixel(x, l->points[i].x),
                    pixel(y, l->points[i].value));
        first = false;
    }
    text_puts(out, "\"/>\n");
    for (size_t i = 0; i < l->point_count; i++) {
        const struct plot_point *p = &l->points[i];
        if (!visible(p))
            continue;
        text_printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n", pixel(x, p->x),
                    pixel(y, p->value), colour);
        if (p->low > 0 && p->high > p->low)
            text_printf(out, "<path stroke=\"%s\" d=\"M%.1f %.1fL%.1f %.1f\"/>\n", colour,
                        pixel(x, p->x), pixel(y, p->low), pixel(x, p->x), pixel(y, p->high));
    }
}

/* From the first point to where the law is asked: a straight line on these axes. */
static void put_law(struct text *out, const struct plot_line *l, const char *colour,
                    const struct axis *x, const struct axis *y) {
    double from = l->point_count ? l->points[0].x : 0;
    if (!l->has_law || !(from > 0))
        return;
    double start = fmax(l->factor * pow(from, l->exponent), pow(10, y->low));
    text_printf(out, "<path stroke=\"%s\" stroke-dasharray=\"5 4\" d=\"M%.1f %.1fL%.1f %.1f\"/>\n",
                colour, pixel(x, from), pixel(y, start), pixel(x, l->law_to),
                pixel(y, l->factor * pow(l->law_to, l->exponent)));
}

/* Of the panel with most lines: the same name has the same place in each. */
static void put_legend(struct text *out, const struct plot_panel *panels, size_t count) {
    const struct plot_panel *fullest = count ? &panels[0] : NULL;
    for (size_t i = 1; i < count; i++)
        fullest = panels[i].line_count > fullest->line_count ? &panels[i] : fullest;
    size_t x = LEFT;
    for (size_t i = 0; fullest && i < fullest->line_count; i++) {
        const char *name = fullest->lines[i].name;
        text_printf(out, "<rect x=\"%zu\" y=\"52\" width=\"20\" height=\"4\" fill=\"%s\"/>\n", x,
                    colours[i % COLOURS]);
        text_printf(out, "<text x=\"%zu\" y=\"59\" font-size=\"14\">", x + 28);
        put_escaped(out, name);
        text_puts(out, "</text>\n");
        x += 60 + strlen(name) * CHARACTER;
    }
}

static void put_panel(struct text *out, const struct plot_panel *p, double left, double top,
                      const char *x_title) {
    struct axis x = {.from = left + LEFT, .to = left + PANEL_WIDTH - RIGHT};
    struct axis y = {.from = top + PANEL_HEIGHT - GAP, .to = top + 14};
    text_printf(out, "<text x=\"%.1f\" y=\"%.1f\" font-weight=\"bold\">", x.from, top + 4);
    put_escaped(out, p->title);
    text_puts(out, ", ");
    put_escaped(out, p->unit);
    text_puts(out, "</text>\n");
    if (!span(p, &x, &y)) {
        text_printf(out, "<text x=\"%.1f\" y=\"%.1f\">nothing was measured</text>\n", x.from,
                    top + 40);
        return;
    }
    put_axes(out, &x, &y);
    for (size_t i = 0; i < p->line_count; i++) {
        put_law(out, &p->lines[i], colours[i % COLOURS], &x, &y);
        put_points(out, &p->lines[i], colours[i % COLOURS], &x, &y);
    }
    text_printf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", (x.from + x.to) / 2,
                y.from + 34);
    put_escaped(out, x_title);
    text_puts(out, "</text>\n");
}

void plot_svg(const char *title, const char *x_title, const struct plot_panel *panels, size_t count,
              struct text *out) {
    size_t columns = count < COLUMNS_MAX ? (count ? count : 1) : COLUMNS_MAX;
    size_t rows = (count + columns - 1) / columns;
    text_printf(out,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %zu %zu\" "
                "font-family=\"sans-serif\" font-size=\"12\">\n"
                "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
                columns * PANEL_WIDTH, TOP + rows * PANEL_HEIGHT);
    text_printf(out, "<text x=\"%d\" y=\"30\" font-size=\"18\">", LEFT);
    put_escaped(out, title);
    text_puts(out, "</text>\n");
    put_legend(out, panels, count);
    for (size_t i = 0; i < count; i++) {
        size_t row = i / columns, column = i % columns;
        put_panel(out, &panels[i], (double)(column * PANEL_WIDTH),
                  (double)(TOP + row * PANEL_HEIGHT), x_title);
    }
    text_puts(out, "</svg>\n");
}
