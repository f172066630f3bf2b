#ifndef RIBCAGE_BASE_DIAG_H
#define RIBCAGE_BASE_DIAG_H

#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Findings about texts a user handed in: all of them, not the first only.
 *
 * One line each: `mesh.yaml:41:9: error: links[7]: unknown node "r1O" (did you mean "r10"?)`.
 * Line and column count from 1; 0 means "not known" and is left out. File and message are copied
 * and may hold anything: they are escaped when printed.
 */

enum diag_severity {
    DIAG_ERROR,
    DIAG_WARNING,
    DIAG_NOTE,
};

struct diag_place {
    const char *file; /* may be NULL; must outlive the call only */
    uint32_t line;
    uint32_t column;
};

struct diag {
    enum diag_severity severity;
    const char *file; /* "" when unknown */
    uint32_t line;
    uint32_t column;
    const char *id; /* stable, e.g. "unknown-field"; "" when none */
    const char *message;
    const char *pair;   /* the session concerned, "a - b"; "" when none */
    const char *prefix; /* the prefix or address concerned; "" when none */
    const char *step;   /* after which step it is so; "": from the beginning */
};

struct diag_list;

/* Further ones are counted, not kept; but a graver one takes the place of the last less grave. */
#define DIAG_COUNT_MAX 1000

struct diag_list *diag_list_new(void); /* NULL: no memory */
void diag_list_free(struct diag_list *d);
/* `id` may be NULL. Never fails visibly: out of memory counts the finding without its text. */
void diag_add(struct diag_list *d, enum diag_severity severity, struct diag_place place,
              const char *id, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* What the finding just added is about; NULL: nothing of that sort. */
void diag_about(struct diag_list *d, const char *pair, const char *prefix);
/* The finding just added is one of the state after this step. */
void diag_in_step(struct diag_list *d, const char *step);
/* Is there one that says the same of the same? */
bool diag_has(const struct diag_list *d, const struct diag *finding);
const char *diag_severity_name(enum diag_severity s); /* "error", "warning", "note" */
/* Adds the same finding, with what it is about and its step. */
void diag_copy(struct diag_list *to, const struct diag *finding);
/* Appends the findings of `from`, none worse than `worst`, without those called `except` (NULL:
 * all). */
void diag_append(struct diag_list *to, const struct diag_list *from, enum diag_severity worst,
                 const char *except);
size_t diag_count(const struct diag_list *d);
size_t diag_error_count(const struct diag_list *d);   /* counts the dropped ones too */
size_t diag_warning_count(const struct diag_list *d); /* likewise */
const struct diag *diag_at(const struct diag_list *d, size_t index);
/* Sorts by file (in order of first appearance), line, column; stable. */
void diag_sort(struct diag_list *d);
/* One line per finding, but one only for all notes of a file that say the same of other things;
 * and a closing line if some were dropped. */
void diag_print(const struct diag_list *d, struct text *out);

#endif
