/*
 * The list of findings about a user's texts.
 *
 * Owns copies of everything it is given. Up to DIAG_COUNT_MAX findings are kept; a later one takes
 * the place of the last that is less grave, or else is counted; a finding whose text finds no
 * memory is counted as well, so that diag_error_count says "there were errors" even when none of
 * them could be remembered.
 *
 * Invariants: count <= capacity <= DIAG_COUNT_MAX; error_count covers kept and dropped findings;
 * an entry's `sequence` is its order of arrival and breaks ties of sorting.
 */
#include "diag.h"

#include "arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct diag_entry {
    struct diag diag;
    uint32_t file_order; /* of first appearance */
    uint32_t sequence;
};

struct diag_list {
    struct arena *arena;
    struct diag_entry *entries;
    size_t count;
    size_t capacity;
    size_t error_count, warning_count;
    size_t dropped;
    uint32_t file_count, arrived;
    size_t ends[DIAG_NOTE + 1]; /* all entries of a severity stand before this index */
    struct diag_entry *last; /* the finding just added; NULL: it was not kept, or order changed */
};

struct diag_list *diag_list_new(void) {
    struct diag_list *d = alloc_zero(1, sizeof *d);
    if (!d) {
        return NULL;
    }
    d->arena = arena_new();
    if (!d->arena) {
        alloc_free(d);
        return NULL;
    }
    return d;
}

void diag_list_free(struct diag_list *d) {
    if (!d) {
        return;
    }
    arena_free(d->arena);
    alloc_free(d->entries);
    alloc_free(d);
}

/* The list is full: the last of the least grave entries gives way. NULL: there is none. */
static struct diag_entry *diag_displace(struct diag_list *d, enum diag_severity severity) {
    for (enum diag_severity least = DIAG_NOTE; least > severity; least--) {
        for (size_t *end = &d->ends[least]; *end > 0; --*end) {
            struct diag_entry *e = &d->entries[*end - 1];
            if (e->diag.severity != least)
                continue;
            d->ends[severity] = *end > d->ends[severity] ? *end : d->ends[severity];
            d->dropped++;
            return e;
        }
    }
    return NULL;
}

/* Nothing is known of which entries are how grave. */
static void diag_forget_ends(struct diag_list *d) {
    for (int i = 0; i <= DIAG_NOTE; i++)
        d->ends[i] = d->count;
}

static struct diag_entry *diag_new_entry(struct diag_list *d, enum diag_severity severity) {
    if (d->count >= DIAG_COUNT_MAX) {
        return diag_displace(d, severity);
    }
    if (d->count == d->capacity) {
        size_t capacity = d->capacity ? d->capacity * 2 : 16;
        capacity = capacity > DIAG_COUNT_MAX ? DIAG_COUNT_MAX : capacity;
        struct diag_entry *entries = alloc_resize(d->entries, capacity, sizeof *entries);
        if (!entries) {
            return NULL;
        }
        d->entries = entries;
        d->capacity = capacity;
    }
    struct diag_entry *e = &d->entries[d->count];
    d->count++;
    diag_forget_ends(d);
    return e;
}

/* The same file name is stored once: entries share its copy and its order. */
static void diag_set_file(struct diag_list *d, struct diag_entry *e, const char *file) {
    e->diag.file = "";
    for (size_t i = d->count; i-- > 0;) {
        if (e != &d->entries[i] && strcmp(d->entries[i].diag.file, file) == 0) {
            e->diag.file = d->entries[i].diag.file;
            e->file_order = d->entries[i].file_order;
            return;
        }
    }
    const char *copy = arena_strdup(d->arena, file);
    e->diag.file = copy ? copy : "";
    e->file_order = d->file_count++;
}

static const char *diag_format(struct arena *a, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *p = size < 0 ? NULL : arena_alloc(a, (size_t)size + 1);
    if (!p) {
        return "";
    }
    vsnprintf(p, (size_t)size + 1, format, args);
    return p;
}

void diag_add(struct diag_list *d, enum diag_severity severity, struct diag_place place,
              const char *id, const char *format, ...) {
    if (severity == DIAG_ERROR) {
        d->error_count++;
    }
    d->warning_count += severity == DIAG_WARNING;
    struct diag_entry *e = diag_new_entry(d, severity);
    d->last = e;
    if (!e) {
        d->dropped++;
        return;
    }
    *e = (struct diag_entry){.sequence = d->arrived++};
    diag_set_file(d, e, place.file ? place.file : "");
    const char *id_copy = arena_strdup(d->arena, id);
    e->diag.severity = severity;
    e->diag.line = place.line;
    e->diag.column = place.column;
    e->diag.id = id_copy ? id_copy : "";
    e->diag.pair = e->diag.prefix = e->diag.step = "";
    va_list args;
    va_start(args, format);
    e->diag.message = diag_format(d->arena, format, args);
    va_end(args);
}

void diag_about(struct diag_list *d, const char *pair, const char *prefix) {
    if (!d->last) {
        return;
    }
    struct diag *f = &d->last->diag;
    const char *pair_copy = arena_strdup(d->arena, pair);
    const char *prefix_copy = arena_strdup(d->arena, prefix);
    f->pair = pair_copy ? pair_copy : "";
    f->prefix = prefix_copy ? prefix_copy : "";
}

void diag_in_step(struct diag_list *d, const char *step) {
    if (!d->last) {
        return;
    }
    const char *copy = arena_strdup(d->arena, step);
    d->last->diag.step = copy ? copy : "";
}

bool diag_has(const struct diag_list *d, const struct diag *finding) {
    for (size_t i = 0; i < d->count; i++)
        if (strcmp(d->entries[i].diag.id, finding->id) == 0 &&
            strcmp(d->entries[i].diag.message, finding->message) == 0)
            return true;
    return false;
}

void diag_copy(struct diag_list *to, const struct diag *f) {
    diag_add(to, f->severity, (struct diag_place){f->file, f->line, f->column}, f->id, "%s",
             f->message);
    diag_about(to, f->pair, f->prefix);
    diag_in_step(to, f->step);
}

void diag_append(struct diag_list *to, const struct diag_list *from, enum diag_severity worst,
                 const char *except) {
    for (size_t i = 0; i < diag_count(from); i++) {
        struct diag d = *diag_at(from, i);
        if (except && strcmp(d.id, except) == 0)
            continue;
        d.severity = d.severity < worst ? worst : d.severity;
        diag_copy(to, &d);
    }
}

size_t diag_count(const struct diag_list *d) {
    return d->count;
}

size_t diag_error_count(const struct diag_list *d) {
    return d->error_count;
}

size_t diag_warning_count(const struct diag_list *d) {
    return d->warning_count;
}

const struct diag *diag_at(const struct diag_list *d, size_t index) {
    assert(index < d->count);
    return &d->entries[index].diag;
}

static int diag_compare_u32(uint32_t a, uint32_t b) {
    return (a > b) - (a < b);
}

static int diag_compare(const void *a, const void *b) {
    const struct diag_entry *x = a;
    const struct diag_entry *y = b;
    int c = diag_compare_u32(x->file_order, y->file_order);
    c = c ? c : diag_compare_u32(x->diag.line, y->diag.line);
    c = c ? c : diag_compare_u32(x->diag.column, y->diag.column);
    return c ? c : diag_compare_u32(x->sequence, y->sequence);
}

void diag_sort(struct diag_list *d) {
    d->last = NULL;
    diag_forget_ends(d);
    if (d->count > 1) {
        qsort(d->entries, d->count, sizeof *d->entries, diag_compare);
    }
}

const char *diag_severity_name(enum diag_severity s) {
    switch (s) {
    case DIAG_ERROR:
        return "error";
    case DIAG_WARNING:
        return "warning";
    case DIAG_NOTE:
        return "note";
    }
    return "error";
}

static void diag_print_place(const struct diag *f, struct text *out) {
    if (f->file[0] != '\0') {
        text_put_printable(out, f->file, strlen(f->file));
        text_putc(out, ':');
    }
    if (f->line > 0) {
        text_printf(out, "%s%u:", f->file[0] ? "" : "line ", f->line);
        if (f->column > 0) {
            text_printf(out, "%u:", f->column);
        }
    }
    if (f->file[0] != '\0' || f->line > 0) {
        text_putc(out, ' ');
    }
}

/* What a message says of the thing it names: `Node "a": …` and `Node "b": …` say the same. */
static const char *diag_statement(const struct diag *f) {
    const char *end = strstr(f->message, "\": ");
    return end ? end : f->message;
}

/* A note that a file has for each of many objects. */
static bool diag_same_note(const struct diag *a, const struct diag *b) {
    return a->severity == DIAG_NOTE && b->severity == DIAG_NOTE && a->id[0] != '\0' &&
           strcmp(a->step, b->step) == 0 && strcmp(a->id, b->id) == 0 &&
           strcmp(a->file, b->file) == 0 && strcmp(diag_statement(a), diag_statement(b)) == 0;
}

static bool diag_noted_before(const struct diag_list *d, size_t index) {
    for (size_t i = 0; i < index; i++)
        if (diag_same_note(&d->entries[i].diag, &d->entries[index].diag))
            return true;
    return false;
}

static size_t diag_notes_behind(const struct diag_list *d, size_t index) {
    size_t n = 0;
    for (size_t i = index + 1; i < d->count; i++)
        n += diag_same_note(&d->entries[i].diag, &d->entries[index].diag);
    return n;
}

void diag_print(const struct diag_list *d, struct text *out) {
    for (size_t i = 0; i < d->count; i++) {
        const struct diag *f = &d->entries[i].diag;
        if (diag_noted_before(d, i))
            continue;
        size_t more = diag_notes_behind(d, i);
        diag_print_place(f, out);
        text_printf(out, "%s: ", diag_severity_name(f->severity));
        text_put_printable(out, f->message, strlen(f->message));
        if (more > 0)
            text_printf(out, " (%zu more of these in this file)", more);
        if (f->step[0] != '\0') {
            text_puts(out, ", after step ");
            text_put_printable(out, f->step, strlen(f->step));
        }
        text_putc(out, '\n');
    }
    if (d->dropped > 0) {
        text_printf(out, "(%zu further findings not shown)\n", d->dropped);
    }
}
