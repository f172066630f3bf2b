/*
 * AS_PATH: its form in memory, on the wire in both sizes, and as text.
 *
 * A path is an array of words: a segment's head (type << 16 | count), then its AS numbers, always
 * as four octets. Owners of the array are the scratch arena or an interned set; nothing here keeps
 * a pointer. Segments stay as they were received: splitting and joining happens only where an RFC
 * asks for it, when prepending (4271 5.1.2: never more than 255 in a segment) and when merging with
 * AS4_PATH (6793 4.2.3).
 *
 * Invariant of every path in memory: heads and counts add up to word_count, no segment is empty,
 * there is no AS 0, and at most BGP_AS_PATH_MAX ASes in all.
 */
#include "as_path.h"

#include "../base/arena.h"
#include "../base/text.h"
#include "limits.h"

#include <assert.h>
#include <string.h>

struct as_segment {
    enum as_segment_type type;
    uint32_t count;
    const uint32_t *asns;
};

/* The segment at word `*at`, which moves behind it. False at the end. */
static bool as_path_next(struct as_path p, uint32_t *at, struct as_segment *ret_segment) {
    if (*at >= p.word_count) {
        return false;
    }
    uint32_t head = p.words[*at];
    ret_segment->type = (enum as_segment_type)(head >> 16);
    ret_segment->count = head & 0xFFFF;
    ret_segment->asns = p.words + *at + 1;
    assert(ret_segment->count > 0 && ret_segment->count < p.word_count - *at);
    *at += 1 + ret_segment->count;
    return true;
}

static bool as_segment_is_confed(const struct as_segment *s) {
    return s->type == AS_CONFED_SEQUENCE || s->type == AS_CONFED_SET;
}

/* RFC 4271 9.1.2.2 a, RFC 5065 5.3. */
static uint32_t as_segment_length(const struct as_segment *s) {
    if (as_segment_is_confed(s)) {
        return 0;
    }
    return s->type == AS_SET ? 1 : s->count;
}

uint32_t as_path_length(struct as_path p) {
    struct as_segment s;
    uint32_t length = 0;
    for (uint32_t at = 0; as_path_next(p, &at, &s);) {
        length += as_segment_length(&s);
    }
    return length;
}

uint32_t as_path_count(struct as_path p, uint32_t asn) {
    struct as_segment s;
    uint32_t count = 0;
    for (uint32_t at = 0; as_path_next(p, &at, &s);) {
        for (uint32_t i = 0; i < s.count; i++) {
            count += s.asns[i] == asn;
        }
    }
    return count;
}

uint32_t as_path_neighbor(struct as_path p) {
    struct as_segment s;
    for (uint32_t at = 0; as_path_next(p, &at, &s);) {
        if (!as_segment_is_confed(&s)) {
            return s.type == AS_SEQUENCE ? s.asns[0] : 0;
        }
    }
    return 0;
}

bool as_path_starts_with(struct as_path p, const uint32_t *asns, uint32_t count) {
    struct as_segment s;
    uint32_t found = 0;
    for (uint32_t at = 0; found < count && as_path_next(p, &at, &s);) {
        if (s.type != AS_SEQUENCE) {
            return false;
        }
        for (uint32_t i = 0; i < s.count && found < count; i++, found++) {
            if (s.asns[i] != asns[found]) {
                return false;
            }
        }
    }
    return found == count;
}

/* All ASes, those in sets and confederation segments too. */
static uint32_t as_path_total(struct as_path p) {
    struct as_segment s;
    uint32_t total = 0;
    for (uint32_t at = 0; as_path_next(p, &at, &s);) {
        total += s.count;
    }
    return total;
}

/* ---- building ---- */

struct as_builder {
    uint32_t *words;
    uint32_t word_count;
    uint32_t capacity;
};

static bool as_builder_init(struct as_builder *b, uint32_t capacity, struct arena *arena) {
    *b = (struct as_builder){.capacity = capacity};
    b->words = arena_array(arena, capacity, sizeof *b->words);
    return b->words != NULL;
}

static void as_builder_head(struct as_builder *b, enum as_segment_type type, uint32_t count) {
    assert(b->word_count + count < b->capacity && count > 0);
    b->words[b->word_count++] = (uint32_t)type << 16 | count;
}

static void as_builder_add(struct as_builder *b, enum as_segment_type type, const uint32_t *asns,
                           uint32_t count) {
    as_builder_head(b, type, count);
    memcpy(b->words + b->word_count, asns, count * sizeof *asns);
    b->word_count += count;
}

static struct as_path as_builder_path(const struct as_builder *b) {
    return (struct as_path){.words = b->words, .word_count = b->word_count};
}

bool as_path_has_room(struct as_path p, uint32_t count) {
    return count <= BGP_AS_PATH_MAX && as_path_total(p) <= BGP_AS_PATH_MAX - count;
}

static bool prepend(struct as_path p, enum as_segment_type type, const uint32_t *asns,
                    uint32_t count, struct arena *arena, struct as_path *ret_path) {
    if (count == 0) {
        *ret_path = p;
        return true;
    }
    if (!as_path_has_room(p, count)) {
        return false;
    }
    struct as_segment first = {0};
    uint32_t rest = 0;
    if (!as_path_next(p, &rest, &first) || first.type != type) {
        first.count = 0;
        rest = 0;
    }
    uint32_t total = count + first.count;
    struct as_builder b;
    uint32_t segments = total / AS_SEGMENT_MAX + 1;
    if (!as_builder_init(&b, total + segments + p.word_count - rest + 1, arena)) {
        return false;
    }
    /* Full segments stand to the right: what is too much becomes a new one on the left. */
    uint32_t size = total % AS_SEGMENT_MAX ? total % AS_SEGMENT_MAX : AS_SEGMENT_MAX;
    for (uint32_t done = 0; done < total; size = AS_SEGMENT_MAX) {
        as_builder_head(&b, type, size);
        for (uint32_t end = done + size; done < end; done++) {
            assert(done < count ? asns != NULL : first.asns != NULL);
            b.words[b.word_count++] = done < count ? asns[done] : first.asns[done - count];
        }
    }
    if (p.word_count > rest) {
        memcpy(b.words + b.word_count, p.words + rest, (p.word_count - rest) * sizeof *p.words);
        b.word_count += p.word_count - rest;
    }
    *ret_path = as_builder_path(&b);
    return true;
}

bool as_path_prepend(struct as_path p, const uint32_t *asns, uint32_t count, struct arena *arena,
                     struct as_path *ret_path) {
    return prepend(p, AS_SEQUENCE, asns, count, arena, ret_path);
}

bool as_path_prepend_confed(struct as_path p, uint32_t asn, struct arena *arena,
                            struct as_path *ret_path) {
    return prepend(p, AS_CONFED_SEQUENCE, &asn, 1, arena, ret_path);
}

static bool has_confed(struct as_path p) {
    struct as_segment s;
    for (uint32_t at = 0; as_path_next(p, &at, &s);) {
        if (as_segment_is_confed(&s)) {
            return true;
        }
    }
    return false;
}

bool as_path_drop_confed(struct as_path p, struct arena *arena, struct as_path *ret_path) {
    struct as_segment s;
    struct as_builder b;
    if (!has_confed(p)) {
        *ret_path = p;
        return true;
    }
    if (!as_builder_init(&b, p.word_count + 1, arena)) {
        return false;
    }
    for (uint32_t at = 0; as_path_next(p, &at, &s);) {
        if (!as_segment_is_confed(&s)) {
            as_builder_add(&b, s.type, s.asns, s.count);
        }
    }
    *ret_path = as_builder_path(&b);
    return true;
}

uint32_t as_path_confed_neighbor(struct as_path p) {
    struct as_segment s;
    uint32_t at = 0;
    return as_path_next(p, &at, &s) && s.type == AS_CONFED_SEQUENCE ? s.asns[0] : 0;
}

bool as_path_is_confed(struct as_path p) {
    struct as_segment s;
    for (uint32_t at = 0; as_path_next(p, &at, &s);) {
        if (!as_segment_is_confed(&s)) {
            return false;
        }
    }
    return p.word_count > 0;
}

/* ---- wire ---- */

/* One segment's ASes, read into `out`; false when one of them is 0. */
static bool as_path_read_asns(struct byte_reader *r, bool as4, uint32_t count, uint32_t *out) {
    const uint8_t *p = bytes_take(r, (size_t)count * (as4 ? 4 : 2));
    assert(out || !count);
    if (!p) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++, p += as4 ? 4 : 2) {
        uint32_t asn = (uint32_t)(p[0] << 8 | p[1]);
        out[i] = as4 ? asn << 16 | (uint32_t)p[2] << 8 | p[3] : asn;
        if (out[i] == 0) {
            return false;
        }
    }
    return true;
}

enum as_path_status as_path_decode(struct byte_reader *r, bool as4, enum as_path_confed confed,
                                   struct arena *arena, struct as_path *ret_path) {
    /* A segment of n ASes takes 2 + 2n octets or more and 1 + n words. */
    struct as_builder b = {0};
    if (bytes_left(r) > 1 && !as_builder_init(&b, (uint32_t)bytes_left(r) / 2, arena)) {
        return AS_PATH_NO_MEMORY;
    }
    uint32_t total = 0;
    while (bytes_left(r) > 0) {
        uint8_t type = bytes_u8(r);
        uint8_t count = bytes_u8(r);
        if (type < AS_SET || type > AS_CONFED_SET || count == 0 ||
            bytes_left(r) < (size_t)count * (as4 ? 4 : 2)) {
            return AS_PATH_MALFORMED;
        }
        uint32_t *words = b.words + b.word_count;
        total += count;
        if (total > BGP_AS_PATH_MAX || !as_path_read_asns(r, as4, count, words + 1)) {
            return AS_PATH_MALFORMED;
        }
        bool is_confed = type >= AS_CONFED_SEQUENCE;
        if (is_confed && confed == AS_PATH_CONFED_REFUSE) {
            return AS_PATH_MALFORMED;
        }
        if (!is_confed || confed == AS_PATH_CONFED_KEEP) {
            words[0] = (uint32_t)type << 16 | count;
            b.word_count += 1u + count;
        }
    }
    *ret_path = as_builder_path(&b);
    return bytes_ok(r) ? AS_PATH_OK : AS_PATH_MALFORMED;
}

/* Copies the first segments of `path` until `wanted` is used up, counted as for path length. */
static void as_path_take_leading(struct as_path path, uint32_t wanted, struct as_builder *b) {
    struct as_segment s;
    for (uint32_t at = 0; as_path_next(path, &at, &s);) {
        uint32_t length = as_segment_length(&s);
        if (length > 0 && wanted == 0) {
            break;
        }
        if (length <= wanted) { /* also a confederation segment that leads or follows one taken */
            as_builder_add(b, s.type, s.asns, s.count);
            wanted -= length;
            continue;
        }
        as_builder_add(b, s.type, s.asns, wanted);
        break;
    }
}

/* Appends `s`, continuing a sequence that ends at the last word if the two fit one segment. */
static void as_builder_join(struct as_builder *b, uint32_t last_head, const struct as_segment *s) {
    uint32_t head = b->word_count ? b->words[last_head] : 0;
    uint32_t joined = (head & 0xFFFF) + s->count;
    if (head >> 16 != AS_SEQUENCE || s->type != AS_SEQUENCE || joined > AS_SEGMENT_MAX) {
        as_builder_add(b, s->type, s->asns, s->count);
        return;
    }
    memcpy(b->words + b->word_count, s->asns, s->count * sizeof *s->asns);
    b->word_count += s->count;
    b->words[last_head] = (uint32_t)AS_SEQUENCE << 16 | joined;
}

enum as_path_status as_path_merge(struct as_path path, struct as_path as4_path, struct arena *arena,
                                  struct as_path *ret_path) {
    uint32_t length = as_path_length(path);
    uint32_t as4_length = as_path_length(as4_path);
    if (as4_length > length || as4_length == 0) {
        *ret_path = path; /* RFC 6793 4.2.3: AS4_PATH is ignored */
        return AS_PATH_OK;
    }
    struct as_builder b;
    if (!as_builder_init(&b, path.word_count + as4_path.word_count + 1, arena)) {
        return AS_PATH_NO_MEMORY;
    }
    as_path_take_leading(path, length - as4_length, &b);
    uint32_t last_head = 0;
    struct as_segment s;
    for (uint32_t at = 0; at < b.word_count;) {
        last_head = at;
        at += 1 + (b.words[at] & 0xFFFF);
    }
    bool first = true;
    for (uint32_t at = 0; as_path_next(as4_path, &at, &s); first = false) {
        if (first) {
            as_builder_join(&b, last_head, &s);
        } else {
            as_builder_add(&b, s.type, s.asns, s.count);
        }
    }
    struct as_path merged = as_builder_path(&b);
    if (as_path_total(merged) > BGP_AS_PATH_MAX) {
        return AS_PATH_MALFORMED;
    }
    *ret_path = merged;
    return AS_PATH_OK;
}

static void as_segment_put(struct byte_writer *w, const struct as_segment *s, bool as4) {
    assert(s->count <= AS_SEGMENT_MAX);
    bytes_put_u8(w, (uint8_t)s->type);
    bytes_put_u8(w, (uint8_t)s->count);
    for (uint32_t i = 0; i < s->count; i++) {
        if (as4) {
            bytes_put_u32(w, s->asns[i]);
        } else {
            bytes_put_u16(w, (uint16_t)(s->asns[i] > UINT16_MAX ? AS_TRANS : s->asns[i]));
        }
    }
}

void as_path_put(struct byte_writer *w, struct as_path p, bool as4) {
    struct as_segment s;
    for (uint32_t at = 0; as_path_next(p, &at, &s);) {
        as_segment_put(w, &s, as4);
    }
}

bool as_path_needs_as4(struct as_path p) {
    struct as_segment s;
    for (uint32_t at = 0; as_path_next(p, &at, &s);) {
        for (uint32_t i = 0; !as_segment_is_confed(&s) && i < s.count; i++) {
            if (s.asns[i] > UINT16_MAX) {
                return true;
            }
        }
    }
    return false;
}

void as_path_put_as4(struct byte_writer *w, struct as_path p) {
    struct as_segment s;
    for (uint32_t at = 0; as_path_next(p, &at, &s);) {
        if (!as_segment_is_confed(&s)) {
            as_segment_put(w, &s, true);
        }
    }
}

/* ---- text ---- */

static const struct {
    const char *open, *close, *between;
} as_segment_marks[] = {
    [AS_SET] = {"{", "}", ","},
    [AS_SEQUENCE] = {"", "", " "},
    [AS_CONFED_SEQUENCE] = {"(", ")", " "},
    [AS_CONFED_SET] = {"[", "]", ","},
};

void as_path_format(struct as_path p, bool dot, struct text *out) {
    struct as_segment s;
    const char *before = "";
    for (uint32_t at = 0; as_path_next(p, &at, &s); before = " ") {
        text_puts(out, before);
        text_puts(out, as_segment_marks[s.type].open);
        for (uint32_t i = 0; i < s.count; i++) {
            text_puts(out, i ? as_segment_marks[s.type].between : "");
            text_put_asn(out, s.asns[i], dot);
        }
        text_puts(out, as_segment_marks[s.type].close);
    }
}
