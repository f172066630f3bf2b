/*
 * Slabs: equal-sized objects in pages that never move, named by 32-bit index.
 *
 * The page table doubles when the number of pages is a power of two. Freed objects form a list
 * through their first four bytes, last freed first, so that the sequence of indices is a function
 * of the sequence of calls alone. Slot 0 of page 0 is never used.
 *
 * Invariants: 1 <= next_new; every index below next_new is either live or on the free list;
 * used == next_new - 1 - length of the free list.
 */
#include "slab.h"

#include "arena.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

void slab_init(struct slab *s, uint32_t object_size, uint32_t per_page_hint) {
    assert(object_size >= sizeof(uint32_t));
    *s = (struct slab){.object_size = object_size, .next_new = 1};
    while (s->page_shift < 20 && (UINT32_C(1) << s->page_shift) < per_page_hint) {
        s->page_shift++;
    }
    s->per_page = UINT32_C(1) << s->page_shift;
}

void slab_deinit(struct slab *s) {
    for (uint32_t i = 0; i < s->page_count; i++) {
        alloc_free(s->pages[i]);
    }
    alloc_free(s->pages);
    slab_init(s, s->object_size, s->per_page);
}

void slab_shrink(struct slab *s, uint32_t pages) {
    if (s->used == 0 && s->page_count > pages) {
        slab_deinit(s);
    }
}

static bool slab_add_page(struct slab *s) {
    if ((s->page_count & (s->page_count - 1)) == 0) {
        size_t room = s->page_count ? (size_t)s->page_count * 2 : 1;
        void **pages = alloc_resize(s->pages, room, sizeof *pages);
        if (!pages) {
            return false;
        }
        s->pages = pages;
    }
    void *page = alloc_zero(s->per_page, s->object_size);
    if (!page) {
        return false;
    }
    s->pages[s->page_count++] = page;
    return true;
}

uint32_t slab_alloc(struct slab *s) {
    uint32_t index = s->free_head;
    if (index != SLAB_NONE) {
        void *object = slab_at(s, index);
        memcpy(&s->free_head, object, sizeof s->free_head);
        memset(object, 0, s->object_size);
        s->used++;
        return index;
    }
    index = s->next_new;
    if (index == UINT32_MAX) {
        return SLAB_NONE;
    }
    /* With one object per page the page of slot 0 stays empty, hence the loop of at most two. */
    while (index >> s->page_shift >= s->page_count) {
        if (!slab_add_page(s)) {
            return SLAB_NONE;
        }
    }
    s->next_new++;
    s->used++;
    return index;
}

void slab_free(struct slab *s, uint32_t index) {
    assert(index != SLAB_NONE && index < s->next_new && s->used > 0);
    void *object = slab_at(s, index);
    memcpy(object, &s->free_head, sizeof s->free_head);
    s->free_head = index;
    s->used--;
}
