/*
 * Two series side by side.
 *
 * A difference counts only where it is larger than what repeats differ by: the ranges must not
 * touch. That needs at least two runs a cell on both sides.
 */
#include "series.h"

#include "../../speaker/base/text.h"

#include <string.h>

#define TENTH 1.1

static bool index_of(char *const *list, size_t count, const char *text, uint32_t *ret_index) {
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(list[i], text) == 0) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

static bool above(const struct scale_range *a, const struct scale_range *b) {
    return a->low > b->high && a->median > b->median * TENTH;
}

static void put_change(const struct scale_series *s, uint32_t scenario, uint32_t value, int f,
                       const struct scale_range *old, const struct scale_range *new,
                       struct text *out) {
    text_printf(out, "%s %s=%s: %s %s: %.4g [%.4g-%.4g] -> %.4g [%.4g-%.4g] %s, x%.2f\n",
                s->scenarios[scenario], s->parameter, s->values[value], scale_figures[f].title,
                above(new, old) ? "worse" : "better", old->median, old->low, old->high, new->median,
                new->low, new->high, scale_figures[f].unit, new->median / old->median);
}

static size_t compare_cell(const struct scale_series *before, uint32_t old_scenario,
                           uint32_t old_value, const struct scale_series *after, uint32_t scenario,
                           uint32_t value, bool noise, struct text *out) {
    size_t worse = 0;
    for (int f = 0; f < SCALE_FIGURES; f++) {
        enum scale_figure figure = (enum scale_figure)f;
        struct scale_range old = scale_cell(before, old_scenario, old_value, figure, noise);
        struct scale_range new = scale_cell(after, scenario, value, figure, noise);
        if (old.runs < 2 || new.runs < 2 || (!above(&new, &old) && !above(&old, &new)))
            continue;
        worse += above(&new, &old);
        put_change(after, scenario, value, f, &old, &new, out);
    }
    return worse;
}

size_t scale_compare(const struct scale_series *before, const struct scale_series *after,
                     bool noise, struct text *out) {
    size_t worse = 0;
    for (uint32_t i = 0; i < after->scenario_count; i++) {
        for (uint32_t v = 0; v < after->value_count; v++) {
            uint32_t old_scenario, old_value;
            if (index_of(before->scenarios, before->scenario_count, after->scenarios[i],
                         &old_scenario) &&
                index_of(before->values, before->value_count, after->values[v], &old_value))
                worse += compare_cell(before, old_scenario, old_value, after, i, v, noise, out);
        }
    }
    return worse;
}
