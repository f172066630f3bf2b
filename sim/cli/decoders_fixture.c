/*
 * Two tellings of the same capture held against each other, message by message.
 *
 * What is required depends on what our side made of a message: a sound one must be the same in
 * everything. Where RFC 7606 applies, attributes are framed the same; of one that is treated as
 * withdrawn the announced prefixes are withdrawn ones, and where an attribute is discarded the
 * others have the same values. Of one that resets the session both say only that it stood there.
 */
#include "decoders_fixture.h"
#include "cli_fixture.h"

#include "../../speaker/base/heap.h"

/* ---- lists ---- */

static struct text *texts(struct told *m, size_t i) {
    struct text *const all[] = {&m->where,        &m->what,         &m->framing,
                                &m->values,       &m->announced[0], &m->announced[1],
                                &m->withdrawn[0], &m->withdrawn[1]};
    return i < sizeof all / sizeof all[0] ? all[i] : NULL;
}

struct told *told_list_add(struct told_list *l) {
    if (l->count == l->capacity) {
        l->capacity = l->capacity ? 2 * l->capacity : 64;
        l->items = realloc(l->items, l->capacity * sizeof *l->items);
        assert_non_null(l->items);
    }
    struct told *m = &l->items[l->count++];
    *m = (struct told){0};
    for (size_t i = 0; texts(m, i); i++)
        text_init(texts(m, i));
    return m;
}

void told_list_deinit(struct told_list *l) {
    for (size_t k = 0; k < l->count; k++)
        for (size_t i = 0; texts(&l->items[k], i); i++)
            text_deinit(texts(&l->items[k], i));
    free(l->items);
    *l = (struct told_list){0};
}

/* ---- comparing ---- */

static void print_told(const char *who, const struct told *m) {
    print_error("%s: %s: %s %s\n", who, text_str(&m->where), text_str(&m->what), m->error);
    print_error("attributes:\n%svalues:\n%s", text_str(&m->framing), text_str(&m->values));
    for (int f = 0; f < BGP_FAMILIES; f++)
        print_error("announced:\n%swithdrawn:\n%s", text_str(&m->announced[f]),
                    text_str(&m->withdrawn[f]));
}

/* True, and both tellings printed: they are not the same. */
static bool differ(bool same, const char *what, const struct told *a, const struct told *b) {
    if (same)
        return false;
    print_error("== %s: not the same\n", what);
    print_told("ours", a);
    print_told("theirs", b);
    return true;
}

static bool same_text(const struct text *a, const struct text *b) {
    return strcmp(text_str(a), text_str(b)) == 0;
}

/* The length of the line at `at`, without the newline. */
static size_t line_length(const char *at) {
    return strcspn(at, "\n");
}

static bool same_line(const char *a, const char *b, bool merged) {
    size_t size = line_length(b);
    if (size >= 2 && b[size - 1] == '?' && b[size - 2] == ' ')
        return strncmp(a, b, size - 1) == 0;
    /* Ours has put AS4_PATH into AS_PATH and so on (RFC 6793 4.2.3): its own tests judge that. */
    if (merged && (strncmp(b, "2 ", 2) == 0 || strncmp(b, "7 ", 2) == 0))
        return strncmp(a, b, 2) == 0;
    return line_length(a) == size && strncmp(a, b, size) == 0;
}

/* Are our lines theirs, in the same order? `some`: theirs may have more. */
static bool same_values(const struct told *ours, const struct told *theirs, bool some) {
    const char *a = text_str(&ours->values), *b = text_str(&theirs->values);
    for (; *b; b += line_length(b) + 1) {
        if (*a && same_line(a, b, ours->merged))
            a += line_length(a) + 1;
        else if (!some)
            return false;
    }
    return *a == '\0';
}

static bool same_prefixes(const struct told *ours, const struct told *theirs) {
    bool same = true;
    for (int f = 0; f < BGP_FAMILIES; f++)
        same &= same_text(&ours->announced[f], &theirs->announced[f]) &&
                same_text(&ours->withdrawn[f], &theirs->withdrawn[f]);
    return same;
}

/* Appends the lines without next hops. */
static void put_bare(const struct text *list, struct text *out) {
    for (const char *at = text_str(list); *at; at += line_length(at) + 1) {
        const char *via = strstr(at, " via ");
        size_t size = line_length(at);
        size = via && via < at + size ? (size_t)(via - at) : size;
        text_printf(out, "%.*s\n", (int)size, at);
    }
}

static bool all_withdrawn(const struct told *ours, const struct told *theirs) {
    bool same = true;
    for (int f = 0; f < BGP_FAMILIES; f++) {
        struct text want;
        text_init(&want);
        put_bare(&theirs->withdrawn[f], &want);
        put_bare(&theirs->announced[f], &want);
        same &= same_text(&ours->withdrawn[f], &want) && ours->announced[f].size == 0;
        text_deinit(&want);
    }
    return same;
}

/* Which of the counts a message adds to; NULL: the two differ. */
static size_t *compare_one(const struct told *a, const struct told *b, struct told_counts *counts) {
    if (differ(same_text(&a->where, &b->where), "time and ends", a, b))
        return NULL;
    if (strcmp(a->error, "session-reset") == 0)
        return &counts->reset;
    if (differ(same_text(&a->what, &b->what), "type and length", a, b) ||
        differ(!b->gave_up || a->error[0], "a message called malformed", a, b))
        return NULL;
    if (b->gave_up)
        return &counts->gave_up;
    if (differ(same_text(&a->framing, &b->framing), "attributes", a, b))
        return NULL;
    if (strcmp(a->error, "withdraw") == 0)
        return differ(all_withdrawn(a, b), "prefixes treated as withdrawn", a, b)
                   ? NULL
                   : &counts->withdrawn;
    if (differ(same_prefixes(a, b), "prefixes", a, b) ||
        differ(same_values(a, b, a->error[0]), "values", a, b))
        return NULL;
    return a->error[0] ? &counts->discarded : &counts->sound;
}

void told_compare(const struct told_list *ours, const struct told_list *theirs,
                  struct told_counts *ret_counts) {
    size_t differences = 0;
    *ret_counts = (struct told_counts){0};
    for (size_t i = 0; i < ours->count && i < theirs->count; i++) {
        size_t *count = compare_one(&ours->items[i], &theirs->items[i], ret_counts);
        if (count)
            ++*count;
        else
            differences++;
    }
    if (differences > 0 || ours->count != theirs->count)
        fail_msg("%zu messages differ; ours are %zu, theirs %zu", differences, ours->count,
                 theirs->count);
}
