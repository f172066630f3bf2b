#ifndef RIBCAGE_BASE_ARENA_H
#define RIBCAGE_BASE_ARENA_H

#include <stddef.h>

/*
 * Memory that is freed all at once: a configuration, a parsed document, one message's scratch.
 * Allocations are zeroed and aligned for any type. Failure returns NULL (and, after
 * alloc_fail_after, on purpose: unit tests fail the n-th allocation).
 */

struct arena;

struct arena *arena_new(void);    /* NULL: no memory */
void arena_free(struct arena *a); /* NULL is fine */
void *arena_alloc(struct arena *a, size_t size);
/* `count` objects of `size` bytes; NULL on overflow too. */
void *arena_array(struct arena *a, size_t count, size_t size);
/* Copies, NUL-terminated; NULL text gives NULL. */
char *arena_strdup(struct arena *a, const char *text);
char *arena_strndup(struct arena *a, const char *text, size_t size);
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Bytes handed out so far. */
size_t arena_size(const struct arena *a);
/* Forgets everything but keeps one block for reuse: per-message scratch. */
void arena_reset(struct arena *a);

/*
 * All heap memory of base and core goes through these, so that a test can make the n-th allocation
 * fail, once (`for_ever` false) or from then on. `n` counts from 1; 0 switches it off.
 * Thread-local: one test's injection does not reach another thread.
 */
void alloc_fail_after(unsigned long n, _Bool for_ever);
void *alloc_zero(size_t count, size_t size);
void *alloc_resize(void *memory, size_t count, size_t size); /* new bytes are not zeroed */
void alloc_free(void *memory);

#endif
