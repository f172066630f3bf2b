/*
 * The allocator of base and core, and arenas on top of it.
 *
 * alloc_zero, alloc_resize and alloc_free are the only places where this code meets malloc; the
 * failure injection for tests sits there and is thread-local.
 *
 * An arena is a list of blocks, newest first, filled from the bottom. Blocks double in size up to
 * ARENA_BLOCK_MAX, so that a small configuration costs one page and a large one few calls; what
 * does not fit a regular block gets one of its own, linked behind the current one, which stays in
 * use. arena_reset keeps the newest regular block: after a few messages the scratch arena has one
 * block as large as messages need and the hot path meets malloc no more.
 *
 * Invariant: memory from `data + used` on is unspecified; arena_alloc zeroes what it hands out.
 */
#include "arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK_MIN 4096u
#define ARENA_BLOCK_MAX 65536u
#define ARENA_ALIGN _Alignof(max_align_t)

static _Thread_local unsigned long alloc_countdown;
static _Thread_local bool alloc_for_ever;

void alloc_fail_after(unsigned long n, _Bool for_ever) {
    alloc_countdown = n;
    alloc_for_ever = for_ever;
}

static bool alloc_fails(void) {
    if (alloc_countdown == 0) {
        return false;
    }
    if (alloc_countdown > 1) {
        alloc_countdown--;
        return false;
    }
    if (!alloc_for_ever) {
        alloc_countdown = 0;
    }
    return true;
}

/* Octets of `count` objects, at least 1; false when no block can be that large. */
static bool alloc_total(size_t count, size_t size, size_t *ret_total) {
    size_t total;
    if (__builtin_mul_overflow(count, size, &total) || total > PTRDIFF_MAX) {
        return false;
    }
    *ret_total = total ? total : 1;
    return true;
}

void *alloc_zero(size_t count, size_t size) {
    size_t total;
    if (!alloc_total(count, size, &total) || alloc_fails()) {
        return NULL;
    }
    return calloc(1, total);
}

void *alloc_resize(void *memory, size_t count, size_t size) {
    size_t total;
    if (!alloc_total(count, size, &total) || alloc_fails()) {
        return NULL;
    }
    return realloc(memory, total);
}

void alloc_free(void *memory) {
    free(memory);
}

struct arena_block {
    struct arena_block *next;
    size_t size; /* of data */
    size_t used;
    bool own; /* made for one large allocation */
    _Alignas(max_align_t) unsigned char data[];
};

struct arena {
    struct arena_block *blocks; /* the first one is regular, if there is any */
    size_t next_size;
    size_t handed_out;
};

struct arena *arena_new(void) {
    struct arena *a = alloc_zero(1, sizeof *a);
    if (a) {
        a->next_size = ARENA_BLOCK_MIN;
    }
    return a;
}

void arena_free(struct arena *a) {
    if (!a) {
        return;
    }
    struct arena_block *next;
    for (struct arena_block *b = a->blocks; b; b = next) {
        next = b->next;
        alloc_free(b);
    }
    alloc_free(a);
}

static struct arena_block *arena_block_new(size_t size, bool own) {
    struct arena_block *b = alloc_resize(NULL, 1, sizeof *b + size);
    if (b) {
        *b = (struct arena_block){.size = size, .own = own};
    }
    return b;
}

/* A block with room for `size` more bytes; it need not be the first. */
static struct arena_block *arena_room(struct arena *a, size_t size) {
    struct arena_block *first = a->blocks;
    if (first && !first->own && first->size - first->used >= size) {
        return first;
    }
    bool own = size > a->next_size / 2;
    struct arena_block *b = arena_block_new(own ? size : a->next_size, own);
    if (!b) {
        return NULL;
    }
    if (own && first) {
        b->next = first->next;
        first->next = b;
        return b;
    }
    b->next = first;
    a->blocks = b;
    if (!own && a->next_size < ARENA_BLOCK_MAX) {
        a->next_size *= 2;
    }
    return b;
}

void *arena_alloc(struct arena *a, size_t size) {
    if (size > SIZE_MAX / 2) {
        return NULL;
    }
    size = (size + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    struct arena_block *b = arena_room(a, size);
    if (!b) {
        return NULL;
    }
    assert(b->size - b->used >= size);
    void *p = b->data + b->used;
    b->used += size;
    a->handed_out += size;
    memset(p, 0, size);
    return p;
}

void *arena_array(struct arena *a, size_t count, size_t size) {
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        return NULL;
    }
    return arena_alloc(a, total);
}

char *arena_strdup(struct arena *a, const char *text) {
    return text ? arena_strndup(a, text, strlen(text)) : NULL;
}

char *arena_strndup(struct arena *a, const char *text, size_t size) {
    if (!text || size >= SIZE_MAX / 2) {
        return NULL;
    }
    size = strnlen(text, size);
    char *p = arena_alloc(a, size + 1);
    if (p) {
        memcpy(p, text, size);
    }
    return p;
}

char *arena_printf(struct arena *a, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *p = size < 0 ? NULL : arena_alloc(a, (size_t)size + 1);
    if (p) {
        vsnprintf(p, (size_t)size + 1, format, again);
    }
    va_end(again);
    return p;
}

size_t arena_size(const struct arena *a) {
    return a->handed_out;
}

void arena_reset(struct arena *a) {
    struct arena_block *keep = NULL;
    struct arena_block *next;
    for (struct arena_block *b = a->blocks; b; b = next) {
        next = b->next;
        if (!keep && !b->own) {
            keep = b;
        } else {
            alloc_free(b);
        }
    }
    if (keep) {
        keep->next = NULL;
        keep->used = 0;
    }
    a->blocks = keep;
    a->handed_out = 0;
}
