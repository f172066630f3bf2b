/*
 * Path attributes as words: `as-path "65001 {65002 65003}" communities 65001:1,no-export unknown
 * 99:c0:0102`, on a command line and in a configuration.
 *
 * Owns the words. Origin, MED and next hop are members of the route; all others become the octets
 * of an UPDATE (attr_encode), which is what `attributes` of a route is: the speaker judges them.
 */
#include "attr_words.h"

#include "../base/arena.h"
#include "../base/bytes.h"
#include "../base/text.h"
#include "../core/attr.h"
#include "../core/community.h"
#include "../core/limits.h"
#include "../core/message.h"

#include <stdlib.h>
#include <string.h>

#define LIST_MAX 256u
#define UNKNOWN_MAX 16u
#define OCTETS_MAX 4000u

struct words {
    json_t *route;
    struct attr_values v;
    uint32_t path[2 * LIST_MAX], communities[LIST_MAX], clusters[LIST_MAX];
    struct large_community large[LIST_MAX];
    uint64_t extended[LIST_MAX];
    struct attr_unknown unknown[UNKNOWN_MAX];
    uint8_t octets[OCTETS_MAX]; /* of the unknown ones */
    size_t octet_count;
};

/* ---- values ---- */

/* The next of a list; false at its end. */
static bool next_item(const char **at, char separator, char *item, size_t size) {
    size_t length = strcspn(*at, (const char[]){separator, 0});
    if (**at == 0 || length >= size)
        return false;
    memcpy(item, *at, length);
    item[length] = 0;
    *at += length + ((*at)[length] == separator);
    return true;
}

static bool put_number(struct words *w, const char *name, const char *value) {
    uint64_t n;
    return text_to_u64(value, 0, UINT32_MAX, &n) &&
           json_object_set_new(w->route, name, json_integer((json_int_t)n)) == 0;
}

static bool word_origin(struct words *w, const char *value) {
    return json_object_set_new(w->route, "origin", json_string(value)) == 0;
}

static bool word_med(struct words *w, const char *value) {
    return put_number(w, "med", value) &&
           json_object_set_new(w->route, "med_set", json_true()) == 0;
}

static bool word_next_hop(struct words *w, const char *value) {
    return json_object_set_new(w->route, "next_hop", json_string(value)) == 0;
}

static bool word_local_pref(struct words *w, const char *value) {
    uint64_t n;
    w->v.has_local_pref = true;
    bool ok = text_to_u64(value, 0, UINT32_MAX, &n);
    w->v.local_pref = ok ? (uint32_t)n : 0;
    return ok;
}

static bool has_room(const struct words *w, uint32_t count) {
    return w->v.as_path.word_count + count <= 2 * LIST_MAX;
}

/* Marks of a segment other than a sequence, as as_path_format writes them. */
static const struct {
    char open, close;
    enum as_segment_type type;
} marks[] = {{'{', '}', AS_SET}, {'(', ')', AS_CONFED_SEQUENCE}, {'[', ']', AS_CONFED_SET}};

static uint32_t *segment_begin(struct words *w, enum as_segment_type type) {
    uint32_t *head = &w->path[w->v.as_path.word_count++];
    *head = (uint32_t)type << 16;
    return head;
}

static bool word_as_path(struct words *w, const char *value) {
    uint32_t *head = NULL;
    char close = 0;
    uint64_t asn;
    w->v.as_path.words = w->path;
    while (*value) {
        bool opened = false;
        for (size_t i = 0; i < 3 && !close; i++)
            if (*value == marks[i].open && has_room(w, 1)) {
                head = segment_begin(w, marks[i].type);
                close = marks[i].close;
                opened = true;
            }
        if (opened || *value == ' ' || *value == ',') {
            value++;
        } else if (close && *value == close) {
            if ((*head & 0xff) == 0) /* a segment without an AS */
                return false;
            head = NULL;
            close = 0;
            value++;
        } else {
            if (!text_read_u64(&value, &asn) || asn > UINT32_MAX || !has_room(w, 2))
                return false;
            if (!head || (*head & 0xff) == 0xff)
                head = segment_begin(w, head ? (enum as_segment_type)(*head >> 16) : AS_SEQUENCE);
            w->path[w->v.as_path.word_count++] = (uint32_t)asn;
            ++*head;
        }
    }
    return !close;
}

static bool word_communities(struct words *w, const char *value) {
    char item[64];
    w->v.communities = w->communities;
    while (w->v.community_count < LIST_MAX && next_item(&value, ',', item, sizeof item))
        if (!community_parse_word(item, &w->communities[w->v.community_count++]))
            return false;
    return *value == 0;
}

static bool word_large(struct words *w, const char *value) {
    char item[64];
    w->v.large_communities = w->large;
    while (w->v.large_community_count < LIST_MAX && next_item(&value, ',', item, sizeof item))
        if (!large_community_parse(item, &w->large[w->v.large_community_count++]))
            return false;
    return *value == 0;
}

/* Two hexadecimal digits. */
static bool read_octet(const char *text, uint8_t *ret_octet) {
    int high = text_hex_digit(text[0]), low = high < 0 ? -1 : text_hex_digit(text[1]);
    if (low < 0)
        return false;
    *ret_octet = (uint8_t)(high << 4 | low);
    return true;
}

/* Eight octets. */
static bool read_extended(const char *text, uint64_t *ret_community) {
    uint8_t octet;
    uint64_t community = 0;
    if (strlen(text) != 16)
        return false;
    for (size_t i = 0; i < 16; i += 2) {
        if (!read_octet(text + i, &octet))
            return false;
        community = community << 8 | octet;
    }
    *ret_community = community;
    return true;
}

static bool word_extended(struct words *w, const char *value) {
    char item[20];
    w->v.ext_communities = w->extended;
    while (w->v.ext_community_count < LIST_MAX && next_item(&value, ',', item, sizeof item))
        if (!read_extended(item, &w->extended[w->v.ext_community_count++]))
            return false;
    return *value == 0;
}

static bool read_id(const char *text, uint32_t *ret_id) {
    struct ip_addr a;
    bool ok = ip_parse(text, &a) && a.family == IP_V4;
    *ret_id = ok ? ip4_to_u32(a) : 0;
    return ok;
}

static bool word_aggregator(struct words *w, const char *value) {
    uint64_t asn;
    w->v.has_aggregator = true;
    bool ok = text_read_u64(&value, &asn) && asn <= UINT32_MAX && *value == ':' &&
              read_id(value + 1, &w->v.aggregator_id);
    w->v.aggregator_as = ok ? (uint32_t)asn : 0;
    return ok;
}

static bool word_atomic(struct words *w, const char *value) {
    w->v.atomic_aggregate = strcmp(value, "yes") == 0;
    return w->v.atomic_aggregate || strcmp(value, "no") == 0;
}

static bool word_originator(struct words *w, const char *value) {
    w->v.has_originator_id = true;
    return read_id(value, &w->v.originator_id);
}

static bool word_clusters(struct words *w, const char *value) {
    char item[20];
    w->v.cluster_list = w->clusters;
    while (w->v.cluster_count < LIST_MAX && next_item(&value, ',', item, sizeof item))
        if (!read_id(item, &w->clusters[w->v.cluster_count++]))
            return false;
    return *value == 0;
}

/* CODE:FLAGS:HEX, code in decimal, flags in hexadecimal. */
static bool word_unknown(struct words *w, const char *value) {
    struct attr_unknown *u = &w->unknown[w->v.unknown_count];
    uint64_t code;
    if (w->v.unknown_count == UNKNOWN_MAX || !text_read_u64(&value, &code) || code > UINT8_MAX ||
        *value++ != ':' || !read_octet(value, &u->flags) || value[2] != ':')
        return false;
    u->code = (uint8_t)code;
    u->data = w->octets + w->octet_count;
    for (value += 3; *value; value += 2, u->size++)
        if (w->octet_count == OCTETS_MAX || !read_octet(value, &w->octets[w->octet_count++]))
            return false;
    w->v.unknown = w->unknown;
    w->v.unknown_count++;
    return true;
}

static const struct {
    const char *name;
    bool (*read)(struct words *w, const char *value);
} readers[] = {
    {"origin", word_origin},
    {"med", word_med},
    {"next-hop", word_next_hop}, /* so many are members of the route: */
#define ROUTE_MEMBERS ((size_t)3)
    {"as-path", word_as_path},
    {"local-pref", word_local_pref},
    {"communities", word_communities},
    {"large-communities", word_large},
    {"ext-communities", word_extended},
    {"aggregator", word_aggregator},
    {"atomic-aggregate", word_atomic},
    {"originator-id", word_originator},
    {"cluster-list", word_clusters},
    {"unknown", word_unknown},
};
#define READERS (sizeof readers / sizeof readers[0])

/* ---- octets ---- */

static bool put_hex(json_t *route, const uint8_t *data, size_t size) {
    static const char digits[] = "0123456789abcdef";
    char *hex = alloc_zero(2 * size + 1, 1);
    for (size_t i = 0; hex && i < size; i++) {
        hex[2 * i] = digits[data[i] >> 4];
        hex[2 * i + 1] = digits[data[i] & 0xf];
    }
    bool ok = hex && json_object_set_new(route, "attributes", json_stringn(hex, 2 * size)) == 0;
    alloc_free(hex);
    return ok;
}

bool attr_words_put_values(json_t *route, const struct attr_values *v, bool with_origin) {
    const size_t skip = with_origin ? 0 : 4;                              /* it comes first */
    struct attr_encoding how = {.as4 = true, .family = BGP_IPV6_UNICAST}; /* without NEXT_HOP */
    uint8_t data[BGP_MESSAGE_EXTENDED_MAX];
    struct byte_writer out = bytes_writer(data, sizeof data);
    return attr_encode(v, &how, &out) && out.at >= skip &&
           (out.at == skip || put_hex(route, data + skip, out.at - skip));
}

static int by_code(const void *a, const void *b) {
    return ((const struct attr_unknown *)a)->code - ((const struct attr_unknown *)b)->code;
}

/* ORIGIN, MED and NEXT_HOP are members of the route; AS_PATH may stay empty. */
static bool put_octets(struct words *w) {
    qsort(w->unknown, w->v.unknown_count, sizeof w->unknown[0], by_code);
    return attr_words_put_values(w->route, &w->v, false);
}

const char *attr_words_name(size_t index) {
    return index < READERS - ROUTE_MEMBERS ? readers[ROUTE_MEMBERS + index].name : NULL;
}

/* A word nobody knows: what may have been meant. */
static void put_nearest(const char *word, struct text *out) {
    const char *names[READERS];
    for (size_t i = 0; i < READERS; i++)
        names[i] = readers[i].name;
    const char *near = text_nearest(word, names, READERS);
    text_printf(out, "no attribute \"%.60s\"", word);
    if (near)
        text_printf(out, " (did you mean \"%s\"?)", near);
}

/* `value` is NULL behind the last word. */
static bool read_word(struct words *w, const char *word, const char *value, struct text *error) {
    for (size_t i = 0; i < READERS; i++) {
        if (strcmp(word, readers[i].name) != 0)
            continue;
        bool ok = value && readers[i].read(w, value);
        if (!value)
            text_printf(error, "no value for \"%s\"", word);
        else if (!ok)
            text_printf(error, "%s cannot be \"%.60s\"", word, value);
        return ok;
    }
    put_nearest(word, error);
    return false;
}

bool attr_words_put(json_t *route, char *const *words, int count, struct text *ret_error) {
    struct words *w = alloc_zero(1, sizeof *w);
    bool ok = w != NULL;
    if (w)
        w->route = route;
    else
        text_puts(ret_error, "out of memory");
    for (int at = 0; ok && at < count; at += 2)
        ok = read_word(w, words[at], at + 1 < count ? words[at + 1] : NULL, ret_error);
    if (ok && !put_octets(w)) {
        ok = false;
        text_puts(ret_error, "the attributes are too long for a message");
    }
    alloc_free(w);
    return ok;
}
