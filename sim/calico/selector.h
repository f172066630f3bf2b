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

/* Does global() stand anywhere in it? (IPPools may not use it.) */
bool selector_uses_global(const struct selector *s);

#endif
