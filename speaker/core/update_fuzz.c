/*
 * Fuzzes update_decode and what follows it: any octets as a body, for every kind of session.
 *
 * The first octet picks the session (AS size, external, families, path identifiers), the rest is
 * the body. Beyond "does not crash" it holds the decoder to its word: validated lists can be walked
 * and masked, a reset has a reason, and attributes that were accepted can be interned, written and
 * read again to the same set. A second reading (model_fixture.c) comes to the same outcome and the
 * same lists and values, where there are no path identifiers. Broken promises abort.
 */
#include "message.h"

#include "../base/arena.h"
#include "../base/fuzz.h"
#include "limits.h"
#include "model_fixture.h"

static void update_fuzz_require(bool holds) {
    if (!holds) {
        abort();
    }
}

static void update_fuzz_walk(const struct bgp_nlri *list, uint8_t count) {
    struct ip_prefix p;
    update_fuzz_require(count <= 2);
    for (uint8_t i = 0; i < count; i++) {
        for (uint32_t at = 0; nlri_next(&list[i], &at, &p);) {
            update_fuzz_require(ip_prefix_is_masked(p));
        }
    }
}

/* Writes what was read and reads that again: the same set. Attributes of an OLD speaker may grow
 * past a message when written with four octets; then there is nothing to compare. */
static void update_fuzz_again(const struct bgp_codec *codec, const struct bgp_update *u,
                              struct arena *scratch) {
    uint8_t out[BGP_MESSAGE_SIZE_MAX];
    size_t size;
    struct bgp_codec as4 = *codec;
    as4.as4 = true;
    const uint32_t path_id = 1;
    struct attr_encoding how = {.as4 = true,
                                .family = u->announced[0].family,
                                .path_ids = u->announced[0].add_path ? &path_id : NULL};
    struct ip_prefix p;
    uint32_t at = 0;
    if (!nlri_next(&u->announced[0], &at, &p) ||
        update_encode(&u->attrs, &how, &p, 1, out, sizeof out, &size) == 0) {
        return;
    }
    struct bgp_update again;
    update_decode(&as4, out + BGP_HEADER_SIZE, size - BGP_HEADER_SIZE, scratch, &again);
    update_fuzz_require(again.outcome == BGP_OUTCOME_OK && again.announced_count == 1);
    struct attr_table table;
    attr_table_init(&table);
    uint32_t first = attr_intern(&table, &u->attrs);
    uint32_t second = attr_intern(&table, &again.attrs);
    update_fuzz_require(first != 0 && first == second);
    attr_release(&table, first);
    attr_release(&table, second);
    attr_table_deinit(&table);
}

static void update_fuzz_lists(const struct bgp_nlri *list, unsigned count,
                              const struct model_list *other, unsigned other_count,
                              const uint8_t *body, const uint8_t *other_body) {
    update_fuzz_require(count == other_count);
    for (unsigned i = 0; i < count; i++) {
        update_fuzz_require(list[i].data - body == other[i].data - other_body);
        update_fuzz_require(list[i].size == other[i].size);
        update_fuzz_require((list[i].family == BGP_IPV6_UNICAST) == other[i].ipv6);
    }
}

static void update_fuzz_values(const struct attr_values *v, const struct model_route *other) {
    uint64_t hash = 1;
    for (uint32_t at = 0; at < v->as_path.word_count;) {
        uint32_t head = v->as_path.words[at++], count = head & 0xFFFF;
        hash = model_hash_segment(hash, (uint8_t)(head >> 16), count);
        for (uint32_t end = at + count; at < end; at++) {
            hash = model_hash_as(hash, v->as_path.words[at]);
        }
    }
    update_fuzz_require(hash == other->path_hash);
    update_fuzz_require(as_path_length(v->as_path) == other->path_length);
    update_fuzz_require(v->origin == other->origin);
    update_fuzz_require(!v->has_local_pref || v->local_pref == other->local_pref);
}

static void update_fuzz_judge(const struct bgp_codec *codec, const uint8_t *body, size_t size,
                              const struct bgp_update *u) {
    uint8_t message[BGP_HEADER_SIZE + BGP_MESSAGE_SIZE_MAX];
    struct model_session s = {.as4 = codec->as4, .external = codec->external};
    struct model_update m;
    if (codec->add_path[0] || codec->add_path[1]) {
        return;
    }
    memcpy(message + BGP_HEADER_SIZE, body, size);
    memcpy(s.families, codec->families, sizeof s.families);
    model_read(&s, message, BGP_HEADER_SIZE + size, &m);
    if (m.unsure) {
        return;
    }
    update_fuzz_require(u->outcome == m.outcome);
    if (u->outcome == BGP_OUTCOME_SESSION_RESET) {
        return;
    }
    if (u->outcome <= BGP_OUTCOME_DISCARD_ATTRIBUTE && u->announced_count > 0) {
        update_fuzz_values(&u->attrs, &m.values);
    }
    update_fuzz_lists(u->announced, u->announced_count, m.announced, m.announced_count, body,
                      message + BGP_HEADER_SIZE);
    update_fuzz_lists(u->withdrawn, u->withdrawn_count, m.withdrawn, m.withdrawn_count, body,
                      message + BGP_HEADER_SIZE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1 || size > BGP_MESSAGE_SIZE_MAX) {
        return 0;
    }
    struct bgp_codec codec = {
        .as4 = data[0] & 1,
        .external = data[0] & 2,
        .families = {!(data[0] & 4), !(data[0] & 8)},
        .add_path = {data[0] & 16, data[0] & 32},
    };
    struct arena *scratch = arena_new();
    struct bgp_update u;
    update_decode(&codec, data + 1, size - 1, scratch, &u);
    update_fuzz_walk(u.announced, u.announced_count);
    update_fuzz_walk(u.withdrawn, u.withdrawn_count);
    update_fuzz_require((u.error.code != 0) == (u.outcome == BGP_OUTCOME_SESSION_RESET));
    update_fuzz_judge(&codec, data + 1, size - 1, &u);
    if (u.outcome <= BGP_OUTCOME_DISCARD_ATTRIBUTE && u.announced_count > 0) {
        update_fuzz_again(&codec, &u, scratch);
    }
    arena_free(scratch);
    return 0;
}

#define BASE "\x40\x01\x01\x00\x40\x02\x06\x02\x01\x00\x00\xfd\xe9\x40\x03\x04\x0a\x00\x00\x02"
#define BASE2 "\x40\x01\x01\x00\x40\x02\x04\x02\x01\x5b\xa0\x40\x03\x04\x0a\x00\x00\x02"
#define G6 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"

static const struct fuzz_seed update_fuzz_seeds[] = {
    FUZZ_SEED("\x03\0\0\0\0"),
    FUZZ_SEED("\x03\0\x04\x18\xc0\0\x02\0\0"),
    FUZZ_SEED("\x03\0\0\0\x14" BASE "\x08\x0a\x18\x0a\x01\x02\0"),
    FUZZ_SEED("\x01\0\0\0\x42" BASE "\x80\x04\x04\0\0\0\x01\x40\x05\x04\0\0\0\x64\x40\x06\0"
              "\xc0\x08\x04\0\x01\0\x01\x80\x09\x04\x01\x02\x03\x04\x80\x0a\x04\x05\x06\x07\x08"
              "\xc0\x63\x01\x07\x08\x0a"),
    FUZZ_SEED("\x03\0\0\0\x42" BASE "\xc0\x07\x08\0\0\xfd\xe9\x01\x02\x03\x04\xc0\x10\x08\0\x02"
              "\0\x01\0\0\0\x01\xc0\x20\x0c\0\0\0\x01\0\0\0\x02\0\0\0\x03\xc0\x23\x04\0\0\xfd\xe9"
              "\x80\x0f\x03\0\x02\x01\x08\x0a"),
    FUZZ_SEED("\x03\0\0\0\x31\x80\x0e\x1a\0\x02\x01\x10" G6 "\0\x20\x20\x01\x0d\xb8" BASE),
    FUZZ_SEED("\x03\0\0\0\x09\x80\x0f\x06\0\x02\x01\x10\x20\x01"),
    FUZZ_SEED("\x02\0\0\0\x2f" BASE2 "\xc0\x07\x06\x5b\xa0\x01\x02\x03\x04\xc0\x11\x06\x02\x01"
              "\0\x01\0\0\xc0\x12\x08\0\x01\0\0\x05\x06\x07\x08\x08\x0a"),
    FUZZ_SEED("\0\0\0\0\x20\x40\x01\x01\x00\x40\x02\x08\x03\x01\xfc\0\x02\x01\x5b\xa0\x40\x03\x04"
              "\x0a\x00\x00\x02\xc0\x11\x06\x02\x01\0\x01\0\0\x08\x0a"),
    FUZZ_SEED("\x02\0\0\0\x1d\xc0\x11\x06\x02\x01\0\x01\0\0\x40\x01\x01\x00\x40\x02\x06\x02\x02"
              "\xfd\xe9\x5b\xa0\x40\x03\x04\x0a\x00\x00\x02\x08\x0a"),
};

FUZZ_MAIN(update_fuzz_seeds)
