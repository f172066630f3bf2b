/*
 * Communities of all three kinds: text, order, uniqueness.
 *
 * RFC 1997, 4360, 8092. A list of communities is a set: the codec and policies bring it into
 * ascending order without repetitions, so that equal sets are equal bytes when attribute sets are
 * interned. Sorting allocates nothing and takes n log^2 n at worst for a remote's worst list;
 * the usual short or sorted list costs one pass.
 *
 * Text is "aa:nn" and "global:local1:local2" in strict decimal; the names of well-known ones are
 * those IOS prints, and further ones of IANA's registry where IOS is not meant.
 */
#include "community.h"

#include "../base/text.h"
#include "attr.h"

#include <string.h>

static const struct {
    uint32_t community;
    const char *name;
} community_names[] = {
    {COMMUNITY_GRACEFUL_SHUTDOWN, "gshut"},
    {COMMUNITY_NO_EXPORT, "no-export"},
    {COMMUNITY_NO_ADVERTISE, "no-advertise"},
    {COMMUNITY_NO_EXPORT_SUBCONFED, "local-AS"},
};

/* RFC 7611, 9494, 7999, 3765: IOS and Calico have no words for these. */
static const struct {
    uint32_t community;
    const char *name;
} registered_names[] = {
    {UINT32_C(0xFFFF0001), "accept-own"}, {COMMUNITY_LLGR_STALE, "llgr-stale"},
    {UINT32_C(0xFFFF0007), "no-llgr"},    {COMMUNITY_BLACKHOLE, "blackhole"},
    {UINT32_C(0xFFFFFF04), "no-peer"},
};
#define REGISTERED_COUNT (sizeof registered_names / sizeof registered_names[0])

const char *community_registered_name(uint32_t community) {
    for (size_t i = 0; i < REGISTERED_COUNT; i++)
        if (registered_names[i].community == community)
            return registered_names[i].name;
    return NULL;
}

void community_format(uint32_t community, struct text *out) {
    for (size_t i = 0; i < sizeof community_names / sizeof community_names[0]; i++) {
        if (community_names[i].community == community) {
            text_puts(out, community_names[i].name);
            return;
        }
    }
    text_printf(out, "%u:%u", community >> 16, community & 0xFFFF);
}

/* Exactly `count` numbers up to `max`, with colons between. */
static bool community_parse_parts(const char *text, size_t count, uint64_t max,
                                  uint32_t *ret_parts) {
    char part[12];
    for (size_t i = 0; i < count; i++) {
        size_t size = strcspn(text, ":");
        uint64_t value;
        if (size >= sizeof part || (text[size] == '\0') != (i + 1 == count)) {
            return false;
        }
        memcpy(part, text, size);
        part[size] = '\0';
        if (!text_to_u64(part, 0, max, &value)) {
            return false;
        }
        ret_parts[i] = (uint32_t)value;
        text += size + 1;
    }
    return true;
}

bool community_parse(const char *text, uint32_t *ret_community) {
    uint32_t parts[2];
    if (!community_parse_parts(text, 2, UINT16_MAX, parts)) {
        return false;
    }
    *ret_community = parts[0] << 16 | parts[1];
    return true;
}

bool community_parse_name(const char *text, uint32_t *ret_community) {
    for (size_t i = 0; i < sizeof community_names / sizeof community_names[0]; i++) {
        if (strcmp(text, community_names[i].name) == 0) {
            *ret_community = community_names[i].community;
            return true;
        }
    }
    return community_parse(text, ret_community);
}

bool community_parse_word(const char *text, uint32_t *ret_community) {
    for (size_t i = 0; i < REGISTERED_COUNT; i++) {
        if (strcmp(text, registered_names[i].name) == 0) {
            *ret_community = registered_names[i].community;
            return true;
        }
    }
    return community_parse_name(text, ret_community);
}

bool large_community_parse(const char *text, struct large_community *ret_community) {
    uint32_t parts[3];
    if (!community_parse_parts(text, 3, UINT32_MAX, parts)) {
        return false;
    }
    *ret_community =
        (struct large_community){.global = parts[0], .local1 = parts[1], .local2 = parts[2]};
    return true;
}

static int community_compare_u32(uint32_t a, uint32_t b) {
    return (a > b) - (a < b);
}

int large_community_compare(const struct large_community *a, const struct large_community *b) {
    int c = community_compare_u32(a->global, b->global);
    c = c ? c : community_compare_u32(a->local1, b->local1);
    return c ? c : community_compare_u32(a->local2, b->local2);
}

/* ---- sorting ---- */

typedef int community_compare_fn(const void *a, const void *b);

static int community_compare_plain(const void *a, const void *b) {
    return community_compare_u32(*(const uint32_t *)a, *(const uint32_t *)b);
}

static int community_compare_ext(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int community_compare_large(const void *a, const void *b) {
    return large_community_compare(a, b);
}

/* One pass of insertion over every `gap`-th item. */
static void community_insert(unsigned char *items, size_t count, size_t size, size_t gap,
                             community_compare_fn *compare) {
    unsigned char held[sizeof(struct large_community)];
    for (size_t i = gap; i < count; i++) {
        size_t j = i;
        if (compare(items + (i - gap) * size, items + i * size) <= 0) {
            continue;
        }
        memcpy(held, items + i * size, size);
        for (; j >= gap && compare(items + (j - gap) * size, held) > 0; j -= gap) {
            memcpy(items + j * size, items + (j - gap) * size, size);
        }
        memcpy(items + j * size, held, size);
    }
}

static uint32_t community_sort_items(void *list, uint32_t count, size_t size,
                                     community_compare_fn *compare) {
    /* Gaps 2^p 3^q keep the worst case at n log^2 n. Short lists need the last only. */
    static const uint16_t gaps[] = {
        13122, 11664, 10368, 9216, 8192, 6561, 5832, 5184, 4608, 4374, 4096, 3888, 3456,
        3072,  2916,  2592,  2304, 2187, 2048, 1944, 1728, 1536, 1458, 1296, 1152, 1024,
        972,   864,   768,   729,  648,  576,  512,  486,  432,  384,  324,  288,  256,
        243,   216,   192,   162,  144,  128,  108,  96,   81,   72,   64,   54,   48,
        36,    32,    27,    24,   18,   16,   12,   9,    8,    6,    4,    3,    2,
    };
    unsigned char *items = list;
    for (size_t i = 0; count > 16 && i < sizeof gaps / sizeof gaps[0]; i++) {
        if (gaps[i] < count) {
            community_insert(items, count, size, gaps[i], compare);
        }
    }
    community_insert(items, count, size, 1, compare);
    uint32_t kept = count ? 1 : 0;
    for (uint32_t i = 1; i < count; i++) {
        if (compare(items + (kept - 1) * size, items + i * size) != 0) {
            memmove(items + kept * size, items + i * size, size);
            kept++;
        }
    }
    return kept;
}

uint32_t community_sort(uint32_t *communities, uint32_t count) {
    return community_sort_items(communities, count, sizeof *communities, community_compare_plain);
}

uint32_t large_community_sort(struct large_community *communities, uint32_t count) {
    return community_sort_items(communities, count, sizeof *communities, community_compare_large);
}

uint32_t ext_community_sort(uint64_t *communities, uint32_t count) {
    return community_sort_items(communities, count, sizeof *communities, community_compare_ext);
}

bool attr_has_community(const struct attr_values *v, uint32_t community) {
    for (uint32_t i = 0; i < v->community_count; i++) {
        if (v->communities[i] == community) {
            return true;
        }
    }
    return false;
}
