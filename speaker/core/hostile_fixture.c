/*
 * The generators. A message is written soundly by the small writer at the top and then damaged, or
 * written with the damage in it; none of it uses the product's encoder, but for the OPEN that makes
 * the session.
 *
 * The realistic UPDATEs are made up: lengths of prefixes and paths, communities and aggregation are
 * drawn as they are common in the Internet's tables, not taken from there.
 */
#include "hostile_fixture.h"

#include "../base/bytes.h"
#include "../base/hash.h"
#include "as_path.h"
#include "message.h"

#include <assert.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

const struct hostile_row hostile_rows[HOSTILE_CLASS_COUNT] = {
#define HOSTILE_ROW(name, id, text, count) {id, text, count},
    HOSTILE_CLASSES(HOSTILE_ROW)
#undef HOSTILE_ROW
};

#define ATTRS_MAX 16
#define MARKER_SIZE 16

struct attr {
    uint8_t flags, code;
    uint16_t size;
    uint8_t data[64];
};

struct attrs {
    struct attr list[ATTRS_MAX];
    unsigned count;
};

/* ---- writing ---- */

static uint32_t pick(struct hostile *h, uint32_t bound) {
    return (uint32_t)rng_below(&h->rng, bound);
}

static struct byte_writer message_begin(struct hostile *h, uint8_t type) {
    struct byte_writer w = bytes_writer(h->data, sizeof h->data - 1);
    for (int i = 0; i < MARKER_SIZE; i++) {
        bytes_put_u8(&w, 0xFF);
    }
    bytes_put_u16(&w, 0);
    bytes_put_u8(&w, type);
    return w;
}

static void length_set(struct hostile *h, size_t length) {
    h->data[MARKER_SIZE] = (uint8_t)(length >> 8);
    h->data[MARKER_SIZE + 1] = (uint8_t)length;
}

static void message_end(struct hostile *h, const struct byte_writer *w) {
    assert(!w->failed);
    h->size = w->at;
    length_set(h, w->at);
}

static void attr_put(struct byte_writer *w, uint8_t flags, uint8_t code, const void *data,
                     size_t size) {
    flags = (uint8_t)(size > UINT8_MAX ? flags | 0x10 : flags);
    bytes_put_u8(w, flags);
    bytes_put_u8(w, code);
    if (flags & 0x10) {
        bytes_put_u16(w, (uint16_t)size);
    } else {
        bytes_put_u8(w, (uint8_t)size);
    }
    bytes_put(w, data, size);
}

static struct attr *attr_add(struct attrs *a, uint8_t flags, uint8_t code, const void *data,
                             size_t size) {
    assert(a->count < ATTRS_MAX && size <= sizeof a->list[0].data);
    struct attr *at = &a->list[a->count++];
    *at = (struct attr){.flags = flags, .code = code, .size = (uint16_t)size};
    memcpy(at->data, data, size);
    return at;
}

static void as_put(const struct hostile *h, struct byte_writer *w, uint32_t asn) {
    if (h->as4) {
        bytes_put_u32(w, asn);
    } else {
        bytes_put_u16(w, asn > UINT16_MAX ? AS_TRANS : (uint16_t)asn);
    }
}

/* A sequence that begins with the sender's own AS. */
static size_t path_put(struct hostile *h, uint8_t *out, size_t size, unsigned count) {
    struct byte_writer w = bytes_writer(out, size);
    bytes_put_u8(&w, 2);
    bytes_put_u8(&w, (uint8_t)count);
    for (unsigned i = 0; i < count; i++) {
        as_put(h, &w, i == 0 ? h->asn : 1 + pick(h, 64000));
    }
    assert(!w.failed);
    return w.at;
}

/* What no route can do without. */
static void attrs_basic(struct hostile *h, struct attrs *a) {
    uint8_t path[64];
    const uint8_t origin = (uint8_t)pick(h, 3), next_hop[] = {10, 0, 0, (uint8_t)(2 + pick(h, 9))};
    a->count = 0;
    attr_add(a, 0x40, ATTR_ORIGIN, &origin, 1);
    attr_add(a, 0x40, ATTR_AS_PATH, path, path_put(h, path, sizeof path, 1 + pick(h, 6)));
    attr_add(a, 0x40, ATTR_NEXT_HOP, next_hop, sizeof next_hop);
}

/* Nearly everything there is. */
static void attrs_rich(struct hostile *h, struct attrs *a) {
    static const uint8_t med[] = {0, 0, 0, 9}, pref[] = {0, 0, 0, 100}, id[] = {192, 0, 2, 1};
    static const uint8_t communities[] = {0xFC, 0, 0, 1, 0xFC, 0, 0, 2}, large[12] = {0, 0, 1};
    static const uint8_t extended[8] = {0, 2, 0xFC, 0, 0, 0, 0, 1}, otc[] = {0, 0, 0xFC, 0};
    static const uint8_t other[] = {1, 2, 3, 4, 5};
    uint8_t aggregator[8];
    struct byte_writer w = bytes_writer(aggregator, sizeof aggregator);
    as_put(h, &w, h->asn);
    bytes_put(&w, id, sizeof id);
    attrs_basic(h, a);
    attr_add(a, 0x80, ATTR_MED, med, sizeof med);
    attr_add(a, 0x40, ATTR_LOCAL_PREF, pref, sizeof pref);
    attr_add(a, 0x40, ATTR_ATOMIC_AGGREGATE, med, 0);
    attr_add(a, 0xC0, ATTR_AGGREGATOR, aggregator, w.at);
    attr_add(a, 0xC0, ATTR_COMMUNITIES, communities, sizeof communities);
    attr_add(a, 0x80, ATTR_ORIGINATOR_ID, id, sizeof id);
    attr_add(a, 0x80, ATTR_CLUSTER_LIST, id, sizeof id);
    attr_add(a, 0xC0, ATTR_EXT_COMMUNITIES, extended, sizeof extended);
    attr_add(a, 0xC0, ATTR_LARGE_COMMUNITIES, large, sizeof large);
    attr_add(a, 0xC0, ATTR_OTC, otc, sizeof otc);
    attr_add(a, 0xC0, (uint8_t)(40 + pick(h, 200)), other, sizeof other);
}

static void prefix_put(struct hostile *h, struct byte_writer *w) {
    uint8_t length = (uint8_t)(8 + pick(h, 25));
    bytes_put_u8(w, length);
    bytes_put_u8(w, (uint8_t)(20 + pick(h, 4)));
    for (unsigned i = 1; i < (length + 7u) / 8; i++) {
        bytes_put_u8(w, (uint8_t)pick(h, 8));
    }
}

/* An UPDATE around what is between; the caller writes the attributes. */
static size_t update_begin(struct hostile *h, struct byte_writer *w) {
    *w = message_begin(h, 2);
    bytes_put_u16(w, 0);
    return bytes_mark_u16(w);
}

static void update_end(struct hostile *h, struct byte_writer *w, size_t mark, unsigned prefixes) {
    bytes_patch_u16(w, mark);
    while (prefixes-- > 0) {
        prefix_put(h, w);
    }
    message_end(h, w);
}

static void update_put(struct hostile *h, const struct attrs *a, unsigned prefixes) {
    struct byte_writer w;
    size_t mark = update_begin(h, &w);
    for (unsigned i = 0; i < a->count; i++) {
        attr_put(&w, a->list[i].flags, a->list[i].code, a->list[i].data, a->list[i].size);
    }
    update_end(h, &w, mark, prefixes);
}

static void update_withdraw(struct hostile *h) {
    struct byte_writer w = message_begin(h, 2);
    size_t mark = bytes_mark_u16(&w);
    prefix_put(h, &w);
    prefix_put(h, &w);
    bytes_patch_u16(&w, mark);
    bytes_put_u16(&w, 0);
    message_end(h, &w);
}

static void update_mp(struct hostile *h, uint16_t afi, uint8_t safi, unsigned hop_size,
                      unsigned nlri_size, bool reach) {
    struct byte_writer w;
    struct attrs a;
    size_t mark = update_begin(h, &w);
    attrs_basic(h, &a);
    bytes_put_u8(&w, 0x90);
    bytes_put_u8(&w, reach ? ATTR_MP_REACH : ATTR_MP_UNREACH);
    size_t size = bytes_mark_u16(&w);
    bytes_put_u16(&w, afi);
    bytes_put_u8(&w, safi);
    if (reach) {
        bytes_put_u8(&w, (uint8_t)hop_size);
        for (unsigned i = 0; i < hop_size + 1; i++) {
            bytes_put_u8(&w, i == hop_size ? 0 : (uint8_t)(0x20 + i));
        }
    }
    for (unsigned i = 0; i < nlri_size; i++) {
        bytes_put_u8(&w, (uint8_t)pick(h, 256));
    }
    bytes_patch_u16(&w, size);
    for (unsigned i = 0; reach && i < a.count; i++) {
        attr_put(&w, a.list[i].flags, a.list[i].code, a.list[i].data, a.list[i].size);
    }
    update_end(h, &w, mark, 0);
}

static void open_put(struct hostile *h, const uint8_t *parameters, size_t size) {
    struct byte_writer w = message_begin(h, 1);
    bytes_put_u8(&w, 4);
    bytes_put_u16(&w, h->asn > UINT16_MAX ? AS_TRANS : (uint16_t)h->asn);
    bytes_put_u16(&w, 90);
    bytes_put_u32(&w, 0x0A000002);
    bytes_put_u8(&w, (uint8_t)size);
    bytes_put(&w, parameters, size);
    message_end(h, &w);
}

static void open_usual(struct hostile *h) {
    const uint8_t parameters[] = {2,
                                  28,
                                  1,
                                  4,
                                  0,
                                  1,
                                  0,
                                  1,
                                  1,
                                  4,
                                  0,
                                  2,
                                  0,
                                  1,
                                  2,
                                  0,
                                  6,
                                  0,
                                  65,
                                  4,
                                  (uint8_t)(h->asn >> 24),
                                  (uint8_t)(h->asn >> 16),
                                  (uint8_t)(h->asn >> 8),
                                  (uint8_t)h->asn,
                                  64,
                                  6,
                                  0,
                                  120,
                                  0,
                                  1};
    open_put(h, parameters, sizeof parameters);
}

/* One of the valid messages there are. */
static void valid_put(struct hostile *h, uint64_t which) {
    struct attrs a;
    switch (which % 8) {
    case 0:
        open_usual(h);
        break;
    case 1:
        attrs_basic(h, &a);
        update_put(h, &a, 3);
        break;
    case 2:
        update_withdraw(h);
        break;
    case 3:
        update_mp(h, 2, 1, 16, 0, true);
        break;
    case 4: {
        static const uint8_t text[] = {6, 2, 5, 'm', 'a', 'i', 'n', 't'};
        struct byte_writer w = message_begin(h, 3);
        bytes_put(&w, text, sizeof text);
        message_end(h, &w);
        break;
    }
    case 5: {
        struct byte_writer w = message_begin(h, 5);
        bytes_put_u32(&w, 0x00010001);
        message_end(h, &w);
        break;
    }
    default:
        attrs_rich(h, &a);
        update_put(h, &a, 4);
    }
}

/* ---- the classes ---- */

static void make_malformed(struct hostile *h) {
    struct attrs a;
    attrs_rich(h, &a);
    struct attr *at = &a.list[h->index / 3 % a.count];
    unsigned prefixes = pick(h, 4);
    h->stage = (enum hostile_stage)(h->index % 3);
    switch (h->index / 3 / a.count % 8) {
    case 0:
        at->size = 0;
        break;
    case 1:
        at->size = (uint16_t)(at->size ? at->size - 1 : 1);
        break;
    case 2:
        at->size++;
        break;
    case 3:
        at->flags ^= 0x80;
        break;
    case 4:
        at->flags ^= 0x40;
        break;
    case 5:
        memset(at->data, 0xFF, sizeof at->data);
        break;
    case 6:
        memset(at->data, 0, sizeof at->data);
        break;
    default: /* the length octet lies */
        update_put(h, &a, prefixes);
        for (size_t i = BGP_HEADER_SIZE + 4; i + 3 < h->size; i++) {
            if (h->data[i] == at->flags && h->data[i + 1] == at->code) {
                h->data[i + 2] = (uint8_t)rng_next(&h->rng);
            }
        }
        return;
    }
    update_put(h, &a, prefixes);
}

static void make_truncated(struct hostile *h) {
    uint64_t which = h->index / 2 % 8;
    valid_put(h, which);
    h->stage = which == 0 ? HOSTILE_FRESH : HOSTILE_ESTABLISHED;
    h->size = h->index / 16 % h->size;
    if (h->index & 1 && h->size >= BGP_HEADER_SIZE) {
        length_set(h, h->size);
    }
}

static void make_lengths(struct hostile *h) {
    uint64_t which = h->index % 8, edge = h->index / 8 % 9;
    valid_put(h, which);
    h->stage = which == 0 ? HOSTILE_FRESH : HOSTILE_ESTABLISHED;
    size_t at = MARKER_SIZE + h->index / 72 % (h->size - MARKER_SIZE);
    const uint8_t was = h->data[at];
    const uint8_t edges[] = {0, 1, (uint8_t)(was - 1), (uint8_t)(was + 1), 127, 128, 255, 4, 255};
    h->data[at] = edges[edge];
    if (edge == 8 && at + 1 < h->size) {
        h->data[at + 1] = 255;
    }
}

static void make_attributes(struct hostile *h) {
    static const uint16_t sizes[] = {0, 1, 2, 3, 4, 5, 8, 20, 255, 256};
    uint8_t value[256];
    struct byte_writer w;
    struct attrs a;
    uint64_t i = h->index;
    uint8_t code = (uint8_t)i, flags = (uint8_t)(i / 256 % 16 << 4);
    uint16_t size = sizes[i / 4096 % 10];
    size = flags & 0x10 || size < 256 ? size : 255;
    memset(value, i / 40960 % 2 ? 0xFF : 0, sizeof value);
    h->stage = HOSTILE_ESTABLISHED;
    attrs_basic(h, &a);
    size_t mark = update_begin(h, &w);
    attr_put(&w, flags, code, value, size);
    for (unsigned n = 0; n < a.count; n++) {
        attr_put(&w, a.list[n].flags, a.list[n].code, a.list[n].data, a.list[n].size);
    }
    update_end(h, &w, mark, 1 + pick(h, 2));
}

static void make_order(struct hostile *h) {
    static const uint8_t as4_path[] = {2, 1, 0, 1, 0, 0}, as4_aggregator[8] = {0, 1, 0, 0, 1};
    struct attrs a;
    attrs_rich(h, &a);
    a.count = 3 + pick(h, 4);
    attr_add(&a, 0xC0, ATTR_AS4_PATH, as4_path, sizeof as4_path);
    attr_add(&a, 0xC0, ATTR_AS4_AGGREGATOR, as4_aggregator, sizeof as4_aggregator);
    for (unsigned i = a.count - 1; i > 0; i--) {
        unsigned j = pick(h, i + 1);
        struct attr kept = a.list[i];
        a.list[i] = a.list[j];
        a.list[j] = kept;
    }
    if (h->index % 3 == 0) {
        a.list[a.count] = a.list[pick(h, a.count)];
        a.count++;
    }
    h->stage = HOSTILE_ESTABLISHED;
    update_put(h, &a, 1 + pick(h, 2));
}

static void make_incomplete(struct hostile *h) {
    struct attrs a, some = {.count = 0};
    attrs_rich(h, &a);
    for (unsigned i = h->index % 3 == 0 ? a.count - 1 : 0; i < a.count; i++) {
        if (h->index % 3 == 0 || pick(h, 3) == 0) {
            some.list[some.count++] = a.list[i];
        }
    }
    some.count = h->index % 3 == 1 ? 0 : some.count;
    h->stage = HOSTILE_ESTABLISHED;
    update_put(h, &some, pick(h, 3));
}

/* ASes in segments of `each`; as many as the session's messages hold. */
static void long_path(struct hostile *h, struct byte_writer *w, unsigned asns, unsigned each) {
    size_t as_size = h->as4 ? 4 : 2, room = (h->extended ? 65000u : 4000u) - w->at;
    uint8_t type = (uint8_t)(pick(h, 16) ? 2 : 1 + pick(h, 4));
    unsigned fit = (unsigned)(room / (as_size * each + 2)) * each;
    asns = asns < fit ? asns : fit;
    bytes_put_u8(w, 0x50);
    bytes_put_u8(w, ATTR_AS_PATH);
    size_t mark = bytes_mark_u16(w);
    for (unsigned done = 0; done < asns;) {
        unsigned count = asns - done < each ? asns - done : each;
        bytes_put_u8(w, type);
        bytes_put_u8(w, (uint8_t)count);
        for (unsigned i = 0; i < count; i++) {
            as_put(h, w, done + i == 0 ? h->asn : 1 + pick(h, 60000));
        }
        done += count;
    }
    bytes_patch_u16(w, mark);
}

static void make_long_paths(struct hostile *h) {
    static const uint16_t counts[] = {255, 256, 750, 900, 2047, 2048, 2049, 16000, 4000};
    static const uint8_t each[] = {255, 255, 255, 1, 255, 255, 64, 255, 1};
    struct byte_writer w;
    struct attrs a;
    unsigned row = (unsigned)(h->index % 9);
    attrs_basic(h, &a);
    size_t mark = update_begin(h, &w);
    for (unsigned i = 0; i < a.count; i++) {
        if (a.list[i].code != ATTR_AS_PATH) {
            attr_put(&w, a.list[i].flags, a.list[i].code, a.list[i].data, a.list[i].size);
        }
    }
    long_path(h, &w, counts[row], each[row]);
    h->stage = HOSTILE_ESTABLISHED;
    update_end(h, &w, mark, 1);
}

static void make_many(struct hostile *h) {
    static const uint8_t zeros[65000];
    static const uint16_t counts[] = {255, 256, 1000, 64, 65, 63};
    struct byte_writer w;
    struct attrs a;
    size_t mark = update_begin(h, &w), room = h->extended ? 64000 : 4000;
    attrs_basic(h, &a);
    for (unsigned i = 0; i < a.count; i++) {
        attr_put(&w, a.list[i].flags, a.list[i].code, a.list[i].data, a.list[i].size);
    }
    unsigned kind = (unsigned)(h->index % 8);
    for (unsigned i = 0; kind < 6 && i < counts[kind] && w.at + 64 < room; i++) {
        attr_put(&w, 0xC0, (uint8_t)(36 + i % 220), zeros, pick(h, 4));
    }
    if (kind >= 6) {
        size_t size = room - w.at - 64;
        attr_put(&w, 0xC0, kind == 6 ? 99 : ATTR_COMMUNITIES, zeros, size / 4 * 4);
    }
    h->stage = HOSTILE_ESTABLISHED;
    update_end(h, &w, mark, 1);
}

static void make_capabilities(struct hostile *h) {
    static const uint8_t codes[] = {1, 2, 5, 6, 9, 64, 65, 66, 67, 69, 70, 71, 73, 75, 128, 255};
    uint8_t parameters[255];
    uint8_t code = codes[h->index % sizeof codes];
    unsigned size = (unsigned)(h->index / sizeof codes % 250);
    struct byte_writer w = bytes_writer(parameters, sizeof parameters);
    bytes_put_u8(&w, 2);
    bytes_put_u8(&w, (uint8_t)(size + 2));
    bytes_put_u8(&w, code);
    bytes_put_u8(&w, (uint8_t)(pick(h, 8) ? size : pick(h, 256)));
    for (unsigned i = 0; i < size; i++) {
        bytes_put_u8(&w, (uint8_t)(pick(h, 3) ? pick(h, 4) : pick(h, 256)));
    }
    open_put(h, parameters, w.at);
    if (pick(h, 32) == 0) { /* RFC 9072, cut short */
        static const uint8_t extended[] = {255, 0, 9, 2, 0, 6, 1, 4};
        open_put(h, extended, pick(h, sizeof extended + 1));
        h->data[BGP_HEADER_SIZE + 9] = 255;
    }
    h->stage = HOSTILE_FRESH;
}

static void make_shutdown(struct hostile *h) {
    static const char *const pieces[] = {"\x1b[2J", "\xff\xfe", "\xc3", "\r\n", "ok", "\xf0\x9f"};
    struct byte_writer w = message_begin(h, 3);
    unsigned size = (unsigned)(h->index % 256), there = pick(h, 4) ? size : pick(h, 256);
    bytes_put_u8(&w, (uint8_t)(pick(h, 8) ? 6 : pick(h, 10)));
    bytes_put_u8(&w, (uint8_t)(pick(h, 8) ? 2 + 2 * pick(h, 2) : pick(h, 12)));
    if (pick(h, 4) == 0) { /* inside a hard reset */
        h->data[w.at - 1] = 9;
        bytes_put_u8(&w, 6);
        bytes_put_u8(&w, 2);
    }
    bytes_put_u8(&w, (uint8_t)size);
    for (unsigned done = 0; done < there;) {
        const char *piece = pieces[pick(h, 6)];
        size_t octets = pick(h, 5) ? strlen(piece) : 1;
        octets = octets < there - done ? octets : there - done;
        bytes_put(&w, octets == 1 ? "" : piece, octets); /* one octet: NUL */
        done += (unsigned)octets;
    }
    h->stage = (enum hostile_stage)(h->index / 256 % HOSTILE_STAGES);
    message_end(h, &w);
}

static void make_unexpected(struct hostile *h) {
    unsigned kind = (unsigned)(h->index / 3 % 4);
    h->stage = (enum hostile_stage)(h->index % HOSTILE_STAGES);
    if (kind == 0) {
        open_usual(h);
        return;
    }
    uint8_t type = (uint8_t)(kind == 1 ? h->index / 12 : kind == 2 ? 3 : 4 + pick(h, 2));
    struct byte_writer w = message_begin(h, type);
    for (unsigned i = kind == 2 ? 2 : pick(h, 12); i > 0; i--) {
        bytes_put_u8(&w, (uint8_t)pick(h, 10));
    }
    message_end(h, &w);
    for (size_t one = h->size; kind == 2 && h->size + one < 2000;) { /* a storm of them */
        memcpy(h->data + h->size, h->data, one);
        h->size += one;
    }
}

static void make_foreign(struct hostile *h) {
    static const struct {
        uint16_t afi;
        uint8_t safi;
    } families[] = {{1, 133}, {2, 133}, {25, 70}, {16388, 71}, {1, 128}, {2, 128},
                    {1, 2},   {1, 4},   {25, 65}, {1, 132},    {0, 0},   {65535, 255}};
    static const uint8_t sizes[] = {0, 1, 2, 5, 20, 60};
    unsigned row = (unsigned)(h->index % (sizeof families / sizeof families[0]));
    unsigned size = sizes[h->index / 12 % sizeof sizes];
    update_mp(h, families[row].afi, families[row].safi, pick(h, 2) ? 0 : pick(h, 33), size,
              h->index / 72 % 2);
    h->stage = HOSTILE_ESTABLISHED;
}

/* Paths of four hops, /24s, a few communities; one octet changed in half of them. */
static void make_realistic(struct hostile *h) {
    static const uint8_t lengths[] = {24, 24, 24, 24, 24, 24, 23, 22,
                                      22, 21, 20, 19, 18, 16, 12, 8};
    struct byte_writer w;
    uint8_t path[80];
    struct attrs a;
    if (pick(h, 5) == 0) {
        update_withdraw(h);
    } else {
        attrs_basic(h, &a);
        a.list[1].size = (uint16_t)path_put(h, path, sizeof path, 2 + pick(h, 3) + pick(h, 4));
        memcpy(a.list[1].data, path, a.list[1].size);
        size_t mark = update_begin(h, &w);
        for (unsigned i = 0; i < a.count; i++) {
            attr_put(&w, a.list[i].flags, a.list[i].code, a.list[i].data, a.list[i].size);
        }
        uint32_t communities[20];
        for (unsigned i = 0; i < 20; i++) {
            communities[i] = (uint32_t)rng_next(&h->rng);
        }
        if (pick(h, 4)) {
            attr_put(&w, 0xC0, ATTR_COMMUNITIES, communities, 4u * (1 + pick(h, 20)));
        }
        bytes_patch_u16(&w, mark);
        for (unsigned n = 1 + pick(h, 2) * pick(h, 12); n > 0; n--) {
            uint8_t length = lengths[pick(h, sizeof lengths)];
            bytes_put_u8(&w, length);
            for (unsigned i = 0; i < (length + 7u) / 8; i++) {
                bytes_put_u8(&w, (uint8_t)(i == 0 ? 20 + pick(h, 8) : pick(h, 8)));
            }
        }
        message_end(h, &w);
    }
    if (h->index % 2) {
        h->data[MARKER_SIZE + pick(h, (uint32_t)(h->size - MARKER_SIZE))] =
            (uint8_t)rng_next(&h->rng);
    }
    h->stage = HOSTILE_ESTABLISHED;
}

static void (*const makers[HOSTILE_CLASS_COUNT])(struct hostile *h) = {
    [HOSTILE_MALFORMED] = make_malformed,
    [HOSTILE_TRUNCATED] = make_truncated,
    [HOSTILE_LENGTHS] = make_lengths,
    [HOSTILE_ATTRIBUTES] = make_attributes,
    [HOSTILE_ORDER] = make_order,
    [HOSTILE_INCOMPLETE] = make_incomplete,
    [HOSTILE_LONG_PATHS] = make_long_paths,
    [HOSTILE_MANY] = make_many,
    [HOSTILE_CAPABILITIES] = make_capabilities,
    [HOSTILE_SHUTDOWN] = make_shutdown,
    [HOSTILE_UNEXPECTED] = make_unexpected,
    [HOSTILE_FOREIGN] = make_foreign,
    [HOSTILE_REALISTIC] = make_realistic,
};

struct hostile *hostile_new(enum hostile_class class, uint64_t seed) {
    struct hostile *h = calloc(1, sizeof *h);
    assert(h);
    h->class = class;
    h->rng = seed;
    h->stride = 1;
    return h;
}

static bool ends_inside(const struct hostile *h) {
    size_t at = 0;
    while (h->size - at >= BGP_HEADER_SIZE) {
        size_t length = (size_t)h->data[at + MARKER_SIZE] << 8 | h->data[at + MARKER_SIZE + 1];
        if (length < BGP_HEADER_SIZE || length > h->size - at) {
            return true;
        }
        at += length;
    }
    return at < h->size;
}

void hostile_next(struct hostile *h) {
    makers[h->class](h);
    h->ends_inside = ends_inside(h) && pick(h, 16) > 0;
    h->index += h->stride;
}

size_t hostile_greeting(const struct hostile *h, enum hostile_stage stage, uint32_t router_id,
                        uint8_t *out, size_t out_size) {
    const struct bgp_open open = {.asn = h->asn,
                                  .hold_time_s = 240,
                                  .router_id = router_id,
                                  .has_capabilities = true,
                                  .mp_present = true,
                                  .families = {true, true},
                                  .refresh = true,
                                  .gr = true,
                                  .gr_notification = true,
                                  .gr_time_s = 120,
                                  .gr_families = {{true, true}, {true, true}},
                                  .as4 = h->as4,
                                  .extended_message = h->extended};
    if (stage == HOSTILE_FRESH) {
        return 0;
    }
    size_t size = open_encode(&open, out, out_size);
    assert(size > 0);
    return stage == HOSTILE_CONFIRMING ? size
                                       : size + keepalive_encode(out + size, out_size - size);
}

/* Of the sanitizer's run time, whose allocator mallinfo2 knows nothing of. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

size_t hostile_heap(void) {
    if (__sanitizer_get_current_allocated_bytes) {
        return __sanitizer_get_current_allocated_bytes();
    }
    return mallinfo2().uordblks;
}
