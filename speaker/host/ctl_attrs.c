/*
 * Path attributes as words on a command line: `announce 192.0.2.0/24 as-path "65001 {65002 65003}"
 * communities 65001:1,no-export unknown 99:c0:0102`.
 *
 * Owns the words. Origin, MED and next hop are members of the route; all others become the octets
 * of an UPDATE (attr_encode), which is what `attributes` of a route is: the speaker judges them.
 */
#include "ctl_attrs.h"

#include "../base/arena.h"
#include "../base/bytes.h"
#include "../base/text.h"
#include "../core/attr.h"
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
            if (*value == marks[i].open) {
                head = segment_begin(w, marks[i].type);
                close = marks[i].close;
                opened = true;
            }
        if (opened || *value == ' ' || *value == ',') {
            value++;
        } else if (close && *value == close) {
            head = NULL;
            close = 0;
            value++;
        } else {
            if (!text_read_u64(&value, &asn) || asn > UINT32_MAX ||
                w->v.as_path.word_count + 2 > 2 * LIST_MAX)
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
        if (!community_parse(item, &w->communities[w->v.community_count++]))
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

static bool word_extended(struct words *w, const char *value) {
    char item[20], *end;
    w->v.ext_communities = w->extended;
    while (w->v.ext_community_count < LIST_MAX && next_item(&value, ',', item, sizeof item)) {
        w->extended[w->v.ext_community_count++] = strtoull(item, &end, 16);
        if (*end || strlen(item) != 16)
            return false;
    }
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

static bool read_octet(const char *text, uint8_t *ret_octet) {
    char two[3] = {text[0], text[0] ? text[1] : (char)0, 0}, *end;
    *ret_octet = (uint8_t)strtoul(two, &end, 16);
    return end == two + 2 && two[0] != ' ' && two[0] != '+' && two[0] != '-';
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
    {"next-hop", word_next_hop},
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

/* ---- octets ---- */

static bool put_hex(struct words *w, const uint8_t *data, size_t size) {
    struct text hex;
    text_init(&hex);
    for (size_t i = 0; i < size; i++)
        text_printf(&hex, "%02x", data[i]);
    bool ok = !hex.failed &&
              json_object_set_new(w->route, "attributes", json_string(text_str(&hex))) == 0;
    text_deinit(&hex);
    return ok;
}

static int by_code(const void *a, const void *b) {
    return ((const struct attr_unknown *)a)->code - ((const struct attr_unknown *)b)->code;
}

/* ORIGIN, MED and NEXT_HOP are members of the route; AS_PATH may stay empty. */
static bool put_octets(struct words *w) {
    uint8_t data[2 * OCTETS_MAX], kept[2 * OCTETS_MAX];
    struct attr_encoding how = {.as4 = true, .family = BGP_IPV6_UNICAST}; /* without NEXT_HOP */
    struct byte_writer out = bytes_writer(data, sizeof data);
    qsort(w->unknown, w->v.unknown_count, sizeof w->unknown[0], by_code);
    w->v.next_hop = ip6((const uint8_t[16]){0});
    if (!attr_encode(&w->v, &how, &out) || out.at < 4)
        return false;
    size_t skip = 4; /* ORIGIN comes first */
    memcpy(kept, data + skip, out.at - skip);
    return out.at == skip || put_hex(w, kept, out.at - skip);
}

const char *ctl_attrs_put(json_t *route, char *const *words, int count) {
    struct words *w = alloc_zero(1, sizeof *w);
    const char *wrong = w ? NULL : "out of memory";
    if (w)
        w->route = route;
    for (int at = 0; w && !wrong && at < count; at += 2) {
        bool known = false;
        for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++)
            if (at + 1 < count && strcmp(words[at], readers[i].name) == 0)
                known = readers[i].read(w, words[at + 1]);
        if (!known)
            wrong = words[at];
    }
    if (w && !wrong && !put_octets(w))
        wrong = words[0];
    alloc_free(w);
    return wrong;
}
