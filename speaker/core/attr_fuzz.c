/*
 * Fuzzes each path attribute alone, in an UPDATE that is sound but for it: the outcome must be the
 * one RFC 7606 and the attributes' own RFCs ask for, computed here from a table of rules that
 * shares nothing with the decoder. What is accepted must be written and read again to the same set.
 *
 * The input: an octet for the session (bit 0 four-octet ASes, bit 1 external), the code, the flags,
 * then the value. MP_REACH and MP_UNREACH have no rule here: they must only do no harm.
 */
#include "message.h"

#include "../base/arena.h"
#include "../base/fuzz.h"
#include "limits.h"

#include <assert.h>

#define ATTR_FUZZ_FLAGS_CLASS (ATTR_FLAG_OPTIONAL | ATTR_FLAG_TRANSITIVE)

struct value {
    const uint8_t *data;
    size_t size;
    bool as4, external;
};

static uint32_t word(const uint8_t *data, size_t size) {
    uint32_t w = 0;
    for (size_t i = 0; i < size; i++) {
        w = w << 8 | data[i];
    }
    return w;
}

/* ---- the rules: is a value of this attribute sound? ---- */

static bool origin_sound(const struct value *v) {
    return v->size == 1 && v->data[0] <= 2;
}

static bool path_sound(const struct value *v, size_t as_size, bool confederations) {
    size_t at = 0, total = 0;
    while (at < v->size) {
        if (v->size - at < 2) {
            return false;
        }
        size_t type = v->data[at], count = v->data[at + 1], end = at + 2 + count * as_size;
        if (type < 1 || type > (confederations ? 4 : 2) || count == 0 || end > v->size) {
            return false;
        }
        for (at += 2; at < end; at += as_size) {
            if (word(v->data + at, as_size) == 0) { /* RFC 7607 */
                return false;
            }
        }
        total += count;
    }
    return total <= BGP_AS_PATH_MAX;
}

static bool as_path_sound(const struct value *v) {
    return path_sound(v, v->as4 ? 4 : 2, !v->external);
}

static bool next_hop_sound(const struct value *v) {
    return v->size == 4 && v->data[0] != 0 && v->data[0] != 127 && v->data[0] < 224;
}

static bool four_octets_sound(const struct value *v) {
    return v->size == 4;
}

static bool empty_sound(const struct value *v) {
    return v->size == 0;
}

static bool aggregator_sound(const struct value *v) {
    size_t as_size = v->as4 ? 4 : 2;
    return v->size == as_size + 4 && word(v->data, as_size) != 0;
}

static bool words_sound(const struct value *v) {
    return v->size > 0 && v->size % 4 == 0;
}

static bool ext_sound(const struct value *v) {
    return v->size > 0 && v->size % 8 == 0;
}

static bool large_sound(const struct value *v) {
    return v->size > 0 && v->size % 12 == 0;
}

static bool as4_path_sound(const struct value *v) {
    return !v->as4 && v->size > 0 && path_sound(v, 4, true); /* RFC 6793 6: one AS at least */
}

static bool as4_aggregator_sound(const struct value *v) {
    return !v->as4 && v->size == 8 && word(v->data, 4) != 0;
}

static bool otc_sound(const struct value *v) {
    return v->size == 4 && word(v->data, 4) != 0;
}

static const struct rule {
    uint8_t code, flags;
    bool internal; /* from outside it is discarded, whatever is in it */
    bool (*sound)(const struct value *v);
    enum bgp_outcome otherwise;
} rules[] = {
    {1, 0x40, false, origin_sound, BGP_OUTCOME_TREAT_AS_WITHDRAW},
    {2, 0x40, false, as_path_sound, BGP_OUTCOME_TREAT_AS_WITHDRAW},
    {3, 0x40, false, next_hop_sound, BGP_OUTCOME_TREAT_AS_WITHDRAW},
    {4, 0x80, false, four_octets_sound, BGP_OUTCOME_TREAT_AS_WITHDRAW},
    {5, 0x40, true, four_octets_sound, BGP_OUTCOME_TREAT_AS_WITHDRAW},
    {6, 0x40, false, empty_sound, BGP_OUTCOME_DISCARD_ATTRIBUTE},
    {7, 0xC0, false, aggregator_sound, BGP_OUTCOME_DISCARD_ATTRIBUTE},
    {8, 0xC0, false, words_sound, BGP_OUTCOME_TREAT_AS_WITHDRAW},
    {9, 0x80, true, four_octets_sound, BGP_OUTCOME_TREAT_AS_WITHDRAW},
    {10, 0x80, true, words_sound, BGP_OUTCOME_TREAT_AS_WITHDRAW},
    {16, 0xC0, false, ext_sound, BGP_OUTCOME_TREAT_AS_WITHDRAW},
    {17, 0xC0, false, as4_path_sound, BGP_OUTCOME_DISCARD_ATTRIBUTE},
    {18, 0xC0, false, as4_aggregator_sound, BGP_OUTCOME_DISCARD_ATTRIBUTE},
    {32, 0xC0, false, large_sound, BGP_OUTCOME_TREAT_AS_WITHDRAW},
    {35, 0xC0, false, otc_sound, BGP_OUTCOME_TREAT_AS_WITHDRAW},
};

static enum bgp_outcome expected(uint8_t code, uint8_t flags, const struct value *v) {
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct rule *r = &rules[i];
        if (r->code != code) {
            continue;
        }
        if ((flags & ATTR_FUZZ_FLAGS_CLASS) != r->flags) {
            return BGP_OUTCOME_TREAT_AS_WITHDRAW; /* RFC 7606 3 c */
        }
        if (r->internal && v->external) {
            return BGP_OUTCOME_DISCARD_ATTRIBUTE;
        }
        return r->sound(v) ? BGP_OUTCOME_OK : r->otherwise;
    }
    /* RFC 4271 6.3: only an unknown well-known attribute is an error. */
    return flags & ATTR_FLAG_OPTIONAL ? BGP_OUTCOME_OK : BGP_OUTCOME_SESSION_RESET;
}

/* ---- the UPDATE around it ---- */

static void put_attribute(struct byte_writer *w, uint8_t flags, uint8_t code, const void *value,
                          size_t size) {
    flags = (uint8_t)(size > UINT8_MAX ? flags | ATTR_FLAG_EXTENDED : flags);
    bytes_put_u8(w, flags);
    bytes_put_u8(w, code);
    if (flags & ATTR_FLAG_EXTENDED) {
        bytes_put_u16(w, (uint16_t)size);
    } else {
        bytes_put_u8(w, (uint8_t)size);
    }
    bytes_put(w, value, size);
}

static size_t put_body(uint8_t *out, size_t out_size, uint8_t flags, uint8_t code,
                       const struct value *v) {
    static const uint8_t path2[] = {2, 1, 0xFD, 0xE9}, path4[] = {2, 1, 0, 0, 0xFD, 0xE9};
    static const uint8_t origin[] = {0}, next_hop[] = {10, 0, 0, 2}, nlri[] = {8, 10};
    struct byte_writer w = bytes_writer(out, out_size);
    bytes_put_u16(&w, 0);
    size_t mark = bytes_mark_u16(&w);
    put_attribute(&w, flags, code, v->data, v->size);
    if (code != ATTR_ORIGIN) {
        put_attribute(&w, 0x40, ATTR_ORIGIN, origin, sizeof origin);
    }
    if (code != ATTR_AS_PATH) {
        put_attribute(&w, 0x40, ATTR_AS_PATH, v->as4 ? path4 : path2,
                      v->as4 ? sizeof path4 : sizeof path2);
    }
    if (code != ATTR_NEXT_HOP) {
        put_attribute(&w, 0x40, ATTR_NEXT_HOP, next_hop, sizeof next_hop);
    }
    bytes_patch_u16(&w, mark);
    bytes_put(&w, nlri, sizeof nlri);
    assert(!w.failed);
    return w.at;
}

/* Written for a four-octet session and read again: the same set. */
static void again(struct bgp_codec codec, const struct bgp_update *u, struct arena *scratch) {
    uint8_t out[BGP_MESSAGE_SIZE_MAX];
    struct attr_encoding how = {.as4 = true, .family = BGP_IPV4_UNICAST};
    struct ip_prefix p = ip_prefix_make(ip4(0x0A000000), 8);
    struct bgp_update back;
    struct attr_table table;
    size_t size;
    codec.as4 = true;
    if (update_encode(&u->attrs, &how, &p, 1, out, sizeof out, &size) == 0) {
        return; /* four octets each, the ASes need more than a message */
    }
    update_decode(&codec, out + BGP_HEADER_SIZE, size - BGP_HEADER_SIZE, scratch, &back);
    assert(back.outcome == BGP_OUTCOME_OK);
    attr_table_init(&table);
    uint32_t first = attr_intern(&table, &u->attrs), second = attr_intern(&table, &back.attrs);
    assert(first != 0 && first == second);
    attr_release(&table, first);
    attr_release(&table, second);
    attr_table_deinit(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t body[BGP_MESSAGE_SIZE_MAX + 64];
    if (size < 3 || size > BGP_MESSAGE_SIZE_MAX) {
        return 0;
    }
    struct value v = {data + 3, size - 3, data[0] & 1, data[0] & 2};
    struct bgp_codec codec = {.as4 = v.as4, .external = v.external, .families = {true, true}};
    uint8_t code = data[1], flags = data[2];
    struct arena *scratch = arena_new();
    struct bgp_update u;
    assert(scratch);
    update_decode(&codec, body, put_body(body, sizeof body, flags, code, &v), scratch, &u);
    if (code != ATTR_MP_REACH && code != ATTR_MP_UNREACH) {
        assert(u.outcome == expected(code, flags, &v));
        assert(u.outcome == BGP_OUTCOME_OK || u.worst_attribute == code);
    }
    if (u.outcome <= BGP_OUTCOME_DISCARD_ATTRIBUTE) {
        assert(u.announced_count >= 1);
        again(codec, &u, scratch);
    }
    arena_free(scratch);
    return 0;
}

static const struct fuzz_seed attr_fuzz_seeds[] = {
    FUZZ_SEED("\1\x01\x40\0"),
    FUZZ_SEED("\1\x02\x40\2\2\0\0\xfd\xe9\0\0\xfd\xea\1\1\0\0\xfd\xeb"),
    FUZZ_SEED("\0\x02\x40\2\2\xfd\xe9\x5b\xa0\3\1\xfd\xeb"),
    FUZZ_SEED("\1\x03\x40\x0a\0\0\2"),
    FUZZ_SEED("\1\x04\x80\0\0\0\1"),
    FUZZ_SEED("\1\x05\x40\0\0\0\x64"),
    FUZZ_SEED("\3\x06\x40"),
    FUZZ_SEED("\1\x07\xc0\0\0\xfd\xe9\1\2\3\4"),
    FUZZ_SEED("\0\x07\xc0\xfd\xe9\1\2\3\4"),
    FUZZ_SEED("\1\x08\xc0\xff\xff\xff\1\0\1\0\1"),
    FUZZ_SEED("\1\x09\x80\1\2\3\4"),
    FUZZ_SEED("\1\x0a\x80\1\2\3\4\5\6\7\x08"),
    FUZZ_SEED("\1\x0e\x80\0\2\1\x10\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\x20\x20\1\x0d\xb8"),
    FUZZ_SEED("\1\x0f\x80\0\2\1\x20\x20\1\x0d\xb8"),
    FUZZ_SEED("\1\x10\xc0\0\2\xfd\xe9\0\0\0\1"),
    FUZZ_SEED("\0\x11\xc0\2\1\0\1\0\0"),
    FUZZ_SEED("\0\x12\xc0\0\1\0\0\1\2\3\4"),
    FUZZ_SEED("\1\x19\xc0\0\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13"),
    FUZZ_SEED("\1\x1a\x80\1\0\x0b\0\0\0\0\0\0\0\1"),
    FUZZ_SEED("\1\x20\xc0\0\0\0\1\0\0\0\2\0\0\0\3"),
    FUZZ_SEED("\3\x23\xc0\0\0\xfd\xe9"),
    FUZZ_SEED("\1\x28\xc0\1\0\7\0\0\0\0\0\0\1"),
    FUZZ_SEED("\1\xfe\xd0\xde\xad"),
};

FUZZ_MAIN(attr_fuzz_seeds)
