#ifndef RIBCAGE_BASE_SLAB_H
#define RIBCAGE_BASE_SLAB_H

#include <stddef.h>
#include <stdint.h>

/*
 * Equal-sized objects named by 32-bit index. Pages are never moved, so a pointer stays valid until
 * its object is freed; indices are reused, the one freed last first. Index 0 is never handed out:
 * it means "none".
 */

#define SLAB_NONE UINT32_C(0)

struct slab {
    uint32_t object_size;
    uint32_t per_page; /* a power of two */
    uint32_t page_count;
    uint32_t free_head; /* index of a free object or SLAB_NONE; the next is stored in the object */
    uint32_t used;      /* live objects */
    uint32_t next_new;  /* lowest index never handed out */
    uint8_t page_shift;
    void **pages;
};

/* `object_size` >= 4. `per_page_hint` is rounded up to a power of two. */
void slab_init(struct slab *s, uint32_t object_size, uint32_t per_page_hint);
void slab_deinit(struct slab *s);
/* Zeroed object; SLAB_NONE when memory is out. */
uint32_t slab_alloc(struct slab *s);
void slab_free(struct slab *s, uint32_t index);
/* Gives all pages back if nothing is in use and there are more than `pages` of them. */
void slab_shrink(struct slab *s, uint32_t pages);

static inline void *slab_at(const struct slab *s, uint32_t index) {
    char *page = (char *)s->pages[index >> s->page_shift];
    return page + (size_t)(index & (s->per_page - 1)) * s->object_size;
}

#endif
