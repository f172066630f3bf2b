#ifndef RIBCAGE_CALICO_SELECTOR_H
#define RIBCAGE_CALICO_SELECTOR_H

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct calico_label;

/*
 * Calico's selector language: expressions over labels, as in `rack == 'rack-1' && !has(drained)`.
 * A parsed selector is immutable and belongs to the arena it was parsed into.
 */

#define SELECTOR_DEPTH_MAX 64  /* nested parentheses */
#define SELECTOR_LABEL_MAX 512 /* octets of a label name */

struct selector;

struct selector_error {
    size_t offset;       /* of the octet where it went wrong */
    const char *message; /* what is wrong and what would be right; in the arena or static */
};

/* NULL: *ret_error says why. An empty text is all(). `text` is copied where needed. */
const struct selector *selector_parse(const char *text, struct arena *arena,
                                      struct selector_error *ret_error);

/* `labels` are sorted by name. */
bool selector_matches(const struct selector *s, const struct calico_label *labels, size_t count);

/* One test of a label that has to hold. */
struct selector_test {
    const char *label;
    const char *value; /* of "=="; NULL: of another operator */
};

/* Those of `s` that ask for a label, in the order of the text and `max` at most: what is negated,
 * != and not in are left out, for a missing label meets them. Of alternatives all are listed. They
 * live as long as `s`. Returns their number. */
size_t selector_tests(const struct selector *s, struct selector_test *ret_tests, size_t max);

/* Does global() stand anywhere in it? (IPPools may not use it.) */
bool selector_uses_global(const struct selector *s);

#endif
