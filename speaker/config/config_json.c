/*
 * JSON to bgp_config: walks the tables of config_fields.c.
 *
 * Owns reading and its findings; config_write.c is the other direction. What single values may be
 * is checked here (type, range, word, unknown or missing member), what they mean together is
 * bgp_config_check's. All findings are collected; each carries the path of the value
 * (peers[3].remote_as) and, when the text is at hand, its line and column.
 *
 * Depth is bounded by the tables, sizes by their `max`; a text is refused before it is parsed when
 * it is larger than CONFIG_TEXT_MAX or nested deeper than CONFIG_DEPTH_MAX, because the JSON
 * library recurses.
 */
#include "config_json.h"

#include "../base/arena.h"
#include "../base/diag.h"
#include "../core/attr.h"
#include "../core/community.h"
#include "attr_words.h"
#include "config_fields.h"
#include "config_origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    struct arena *arena;
    struct diag_list *diags;
    const char *file;
    const char *text; /* NULL: not known */
    size_t text_size;
    enum bgp_profile profile;
    const json_t *policies; /* the list, for chains that name them; NULL: none */
    struct config_step path[CONFIG_DEPTH_MAX];
    size_t depth;
    bool failed;
};

static bool read_shape(struct reading *r, const struct shape *shape, const json_t *from,
                       void *object);

/* ---- findings ---- */

static void path_print(const struct reading *r, struct text *out) {
    for (size_t i = 0; i < r->depth; i++)
        if (r->path[i].key)
            text_printf(out, "%s%s", i ? "." : "", r->path[i].key);
        else
            text_printf(out, "[%zu]", r->path[i].index);
    text_puts(out, r->depth ? ": " : "");
}

static bool finding(struct reading *r, const char *id, const char *what) {
    struct diag_place place = {.file = r->file};
    struct text path;
    text_init(&path);
    path_print(r, &path);
    /* A value that was left out stands where what should have it does. */
    for (size_t depth = r->depth; r->text && diag_count(r->diags) < CONFIG_PLACES_MAX; depth--)
        if (config_locate(r->text, r->text_size, r->path, depth, &place.line, &place.column) ||
            depth == 0)
            break;
    diag_add(r->diags, DIAG_ERROR, place, id, "%s%s", text_str(&path), what);
    text_deinit(&path);
    r->failed = true;
    return false;
}

static bool no_memory(struct reading *r) {
    return finding(r, "no-memory", "out of memory");
}

static void enter(struct reading *r, const char *key, size_t index) {
    if (r->depth < CONFIG_DEPTH_MAX)
        r->path[r->depth++] = (struct config_step){key, index};
}

static void leave(struct reading *r) {
    r->depth--;
}

/* A word that is none of the known ones. */
static bool finding_near(struct reading *r, const char *id, const char *problem, const char *word,
                         const char *const *known, size_t count) {
    const char *near = text_nearest(word, known, count);
    struct text what;
    text_init(&what);
    text_printf(&what, "%s \"", problem);
    text_put_escaped(&what, word, strlen(word));
    text_puts(&what, "\"");
    if (near)
        text_printf(&what, " (did you mean \"%s\"?)", near);
    finding(r, id, text_str(&what));
    text_deinit(&what);
    return false;
}

/* A word of `attributes`, where the members of the route stand? */
static bool is_attribute(const struct shape *shape, const char *name) {
    bool known = false;
    for (size_t i = 0; shape == &shape_origin && attr_words_name(i); i++)
        known = known || strcmp(attr_words_name(i), name) == 0;
    return known;
}

static void unknown_member(struct reading *r, const struct shape *shape, const char *name) {
    const char *names[64];
    size_t count = 0;
    for (uint32_t i = 0; i < shape->field_count && count < 64; i++)
        names[count++] = shape->fields[i].name;
    enter(r, name, 0);
    if (is_attribute(shape, name))
        finding(r, "unknown-member",
                "a path attribute stands among the \"attributes\" of the route");
    else
        finding_near(r, "unknown-member", "unknown member", name, names, count);
    leave(r);
}

/* ---- single values ---- */

static bool read_number(struct reading *r, const json_t *v, uint64_t max, uint64_t *ret_value) {
    json_int_t value = json_integer_value(v);
    if (json_is_integer(v) && value >= 0 && (uint64_t)value <= max) {
        *ret_value = (uint64_t)value;
        return true;
    }
    struct text what;
    text_init(&what);
    text_printf(&what, "expected a number from 0 to %llu", (unsigned long long)max);
    finding(r, "bad-number", text_str(&what));
    text_deinit(&what);
    return false;
}

static bool read_bool(struct reading *r, const json_t *v, bool *ret_value) {
    if (!json_is_boolean(v))
        return finding(r, "bad-type", "expected true or false");
    *ret_value = json_is_true(v);
    return true;
}

static bool bad_word(struct reading *r, const char *const *words, uint32_t count) {
    struct text what;
    text_init(&what);
    text_puts(&what, "expected one of");
    for (uint32_t i = 0; i < count; i++)
        if (words[i])
            text_printf(&what, " \"%s\"", words[i]);
    finding(r, "bad-word", text_str(&what));
    text_deinit(&what);
    return false;
}

static bool read_word(struct reading *r, const json_t *v, const char *const *words, uint32_t count,
                      uint32_t *ret_value) {
    const char *word = json_string_value(v);
    for (uint32_t i = 0; word && i < count; i++)
        if (words[i] && strcmp(words[i], word) == 0) {
            *ret_value = i;
            return true;
        }
    return bad_word(r, words, count);
}

/* The octets of {"octets":[…]}, which may be any; at most `max`. */
static bool read_octets(struct reading *r, const json_t *v, uint8_t *out, size_t max,
                        size_t *ret_count) {
    const json_t *octets = json_object_get(v, "octets");
    size_t count = json_array_size(octets);
    if (json_object_size(v) != 1 || !json_is_array(octets) || count > max)
        return finding(r, "bad-text", "expected text, or its octets, that fits");
    for (size_t i = 0; i < count; i++) {
        uint64_t octet;
        if (!read_number(r, json_array_get(octets, i), 255, &octet))
            return false;
        out[i] = (uint8_t)octet;
    }
    *ret_count = count;
    return true;
}

static bool too_long(struct reading *r, size_t max) {
    struct text what;
    text_init(&what);
    text_printf(&what, "longer than %zu octets", max);
    finding(r, "too-long", text_str(&what));
    text_deinit(&what);
    return false;
}

/* Text that is not UTF-8, of `size` octets with its NUL. */
static bool read_octets_text(struct reading *r, const json_t *v, char *out, size_t size) {
    size_t count = 0;
    if (!read_octets(r, v, (void *)out, size - 1, &count))
        return false;
    out[count] = '\0';
    return strlen(out) == count || finding(r, "bad-text", "expected text without NUL");
}

static bool read_chars(struct reading *r, const json_t *v, char *out, size_t size) {
    if (json_is_object(v))
        return read_octets_text(r, v, out, size);
    const char *text = json_string_value(v);
    if (!text || json_string_length(v) != strlen(text))
        return finding(r, "bad-text", "expected text without NUL");
    if (strlen(text) >= size)
        return too_long(r, size - 1);
    memcpy(out, text, strlen(text) + 1);
    return true;
}

/* `max`: octets; 0: any number. An empty text is none. */
static bool read_text(struct reading *r, const json_t *v, uint32_t max, const char **ret_text) {
    const char *text = json_string_value(v);
    size_t size = json_is_object(v) ? json_array_size(json_object_get(v, "octets")) : 0;
    if (!text && size == 0)
        return finding(r, "bad-text", "expected text");
    size = text ? json_string_length(v) : size;
    if (max && size == 0)
        return true;
    if (max && size > max)
        size = max; /* read_chars says so */
    char *copy = arena_alloc(r->arena, size + 1);
    if (!copy)
        return no_memory(r);
    *ret_text = copy;
    return read_chars(r, v, copy, size + 1);
}

/* A word's value as on a command line; NULL: it is none, which has been said, or no memory. */
static char *word_value(struct reading *r, const json_t *v) {
    char number[24], *copy;
    const char *text = json_string_value(v);
    if (json_is_boolean(v))
        text = json_is_true(v) ? "yes" : "no";
    else if (json_is_integer(v))
        text = number;
    if (!text || (json_is_string(v) && strlen(text) != json_string_length(v))) {
        finding(r, "bad-type", "expected text, a number, true or false");
        return NULL;
    }
    snprintf(number, sizeof number, "%lld", (long long)json_integer_value(v));
    copy = arena_alloc(r->arena, strlen(text) + 1);
    if (copy)
        memcpy(copy, text, strlen(text) + 1);
    else
        no_memory(r);
    return copy;
}

/* Words and values one after the other, as on a command line: a list of values is the word again
 * and again. NULL: a finding. */
static char **word_list(struct reading *r, const json_t *from, int *ret_count) {
    const char *key;
    json_t *value;
    size_t room = 0;
    int count = 0;
    json_object_foreach((json_t *)(uintptr_t)from, key, value) room +=
        2 + 2 * json_array_size(value);
    char **words = arena_array(r->arena, room + 1, sizeof *words);
    if (!words)
        no_memory(r);
    json_object_foreach((json_t *)(uintptr_t)from, key, value) {
        size_t values = json_is_array(value) ? json_array_size(value) : 1;
        for (size_t i = 0; words && i < values; i++) {
            words[count++] = (char *)(uintptr_t)key;
            words[count] = word_value(r, json_is_array(value) ? json_array_get(value, i) : value);
            words = words[count++] ? words : NULL;
        }
    }
    *ret_count = count;
    return words;
}

/* What is said elsewhere: members of the route, in its own words. */
static bool said_beside(struct reading *r, const json_t *words) {
    static const char *const members[][2] = {
        {"origin", "origin"}, {"med", "med"}, {"next-hop", "next_hop"}};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (!json_object_get(words, members[i][0]))
            continue;
        struct text what;
        text_init(&what);
        text_printf(&what, "\"%s\" stands beside the attributes, as \"%s\"", members[i][0],
                    members[i][1]);
        finding(r, "bad-attributes", text_str(&what));
        text_deinit(&what);
        return true;
    }
    return false;
}

/* Hexadecimal as it stands, words as what they are in it. */
static bool read_attributes(struct reading *r, const json_t *v, const char **ret_text) {
    int count = 0;
    if (!json_is_object(v) || json_object_get(v, "octets"))
        return read_text(r, v, 0, ret_text);
    if (said_beside(r, v))
        return false;
    char **words = word_list(r, v, &count);
    if (!words)
        return false;
    json_t *route = json_object();
    struct text wrong;
    text_init(&wrong);
    bool ok = route && attr_words_put(route, words, count, &wrong);
    ok = ok ? read_text(r, json_object_get(route, "attributes"), 0, ret_text)
            : finding(r, "bad-attributes", text_str(&wrong));
    text_deinit(&wrong);
    json_decref(route);
    return ok;
}

/* Text, or any octets; none of either is no password. */
static bool read_password(struct reading *r, const json_t *v, uint32_t max,
                          const struct bgp_password **ret_password) {
    uint8_t octets[UINT8_MAX];
    const char *text = json_string_value(v);
    size_t size = text ? json_string_length(v) : 0;
    if (!text && !json_is_object(v))
        return finding(r, "bad-text", "expected text, or its octets");
    if (text && size > max)
        return too_long(r, max);
    if (!text && !read_octets(r, v, octets, max, &size))
        return false;
    *ret_password = bgp_password_new(r->arena, text ? (const void *)text : octets, size);
    return *ret_password || size == 0 || no_memory(r);
}

static bool read_addr(struct reading *r, const json_t *v, struct ip_addr *ret_addr) {
    const char *text = json_string_value(v);
    if (text && text[0] == '\0') {
        *ret_addr = (struct ip_addr){0};
        return true;
    }
    if (text && strchr(text, '%'))
        return finding(r, "bad-address", "expected an address without an interface behind it");
    if (!text || !ip_parse(text, ret_addr))
        return finding(r, "bad-address", "expected an IPv4 or IPv6 address");
    return true;
}

static bool read_prefix(struct reading *r, const json_t *v, struct ip_prefix *ret_prefix) {
    const char *text = json_string_value(v);
    struct ip_prefix p;
    if (!text || !ip_prefix_parse(text, &p))
        return finding(r, "bad-prefix", "expected a prefix such as 10.0.0.0/24");
    if (!ip_prefix_is_masked(p))
        return finding(r, "bad-prefix", "host bits are set behind the prefix length");
    *ret_prefix = p;
    return true;
}

static bool read_id(struct reading *r, const json_t *v, uint32_t *ret_id) {
    struct ip_addr a = {0};
    if (!json_is_string(v) || !ip_parse(json_string_value(v), &a) || a.family != IP_V4)
        return finding(r, "bad-address", "expected an identifier such as 10.0.0.1");
    *ret_id = ip4_to_u32(a);
    return true;
}

static bool read_large(struct reading *r, const json_t *v, struct large_community *ret_value) {
    const char *text = json_string_value(v);
    if (!text || !large_community_parse(text, ret_value))
        return finding(r, "bad-community", "expected a large community such as 64512:1:2");
    return true;
}

/* ---- lists and families ---- */

static uint32_t element_size(const struct field *f) {
    if (f->kind == FIELD_U32_LIST)
        return sizeof(uint32_t);
    if (f->kind == FIELD_LARGE_LIST)
        return sizeof(struct large_community);
    return f->shape->size;
}

static bool read_element(struct reading *r, const struct field *f, const json_t *v, void *at) {
    if (f->kind == FIELD_LARGE_LIST)
        return read_large(r, v, at);
    if (f->kind == FIELD_LIST)
        return read_shape(r, f->shape, v, at);
    if (json_is_string(v))
        return community_parse_word(json_string_value(v), at) ||
               finding(r, "bad-community",
                       "expected a number, or a community such as 64512:1, no-export or "
                       "blackhole");
    uint64_t value;
    if (!read_number(r, v, UINT32_MAX, &value))
        return false;
    *(uint32_t *)at = (uint32_t)value;
    return true;
}

static bool finding_count(struct reading *r, size_t count, uint32_t max) {
    char what[80];
    snprintf(what, sizeof what, "%zu elements, at most %u are possible", count, max);
    return finding(r, "too-many", what);
}

static bool read_list(struct reading *r, const struct field *f, const json_t *v, char *object) {
    size_t count = json_array_size(v), size = element_size(f);
    if (!json_is_array(v))
        return finding(r, "bad-type", "expected an array");
    if (count > f->max)
        return finding_count(r, count, f->max);
    char *data = count ? arena_array(r->arena, count, size) : NULL;
    if (count && !data)
        return no_memory(r);
    for (size_t i = 0; i < count; i++) {
        enter(r, NULL, i);
        read_element(r, f, json_array_get(v, i), data + i * size);
        leave(r);
    }
    uint32_t count32 = (uint32_t)count;
    memcpy(object + f->offset, &data, sizeof data);
    memcpy(object + f->count_offset, &count32, sizeof count32);
    return true;
}

static bool read_family_set(struct reading *r, const json_t *v, bool *families) {
    if (!json_is_array(v))
        return finding(r, "bad-type", "expected an array of \"ipv4\" and \"ipv6\"");
    memset(families, 0, sizeof(bool) * BGP_FAMILIES);
    for (size_t i = 0; i < json_array_size(v); i++) {
        uint32_t family = 0;
        enter(r, NULL, i);
        if (read_word(r, json_array_get(v, i), config_family_names, BGP_FAMILIES, &family))
            families[family] = true;
        leave(r);
    }
    return true;
}

/* A policy by its number, as compilers write it, or by its name. */
static bool read_policy(struct reading *r, const json_t *v, uint16_t *ret_policy) {
    const char *wanted = json_string_value(v), *names[BGP_POLICIES_MAX];
    size_t count = json_array_size(r->policies), known = 0, found = 0;
    uint64_t number = 0;
    if (!wanted) {
        bool ok = read_number(r, v, BGP_POLICIES_MAX - 1, &number);
        *ret_policy = (uint16_t)number;
        return ok;
    }
    for (size_t i = 0; i < count && i < BGP_POLICIES_MAX; i++) {
        const json_t *policy = json_array_get(r->policies, i);
        const char *name = json_string_value(json_object_get(policy, "name"));
        if (!name)
            continue;
        if (strcmp(name, wanted) == 0) {
            *ret_policy = (uint16_t)i;
            found++;
        }
        names[known++] = name;
    }
    if (found > 1)
        return finding(r, "ambiguous-policy", "several policies have this name");
    return found == 1 || finding_near(r, "unknown-policy", "unknown policy", wanted, names, known);
}

static bool read_chain_policies(struct reading *r, const json_t *v, struct policy_chain *chain) {
    size_t count = json_array_size(v);
    if (!json_is_array(v) || count > BGP_POLICY_CHAIN_MAX)
        return finding(r, "bad-chain", "expected an array of at most 64 policies");
    uint16_t *policies = count ? arena_array(r->arena, count, sizeof *policies) : NULL;
    if (count && !policies)
        return no_memory(r);
    for (size_t i = 0; i < count; i++) {
        enter(r, NULL, i);
        read_policy(r, json_array_get(v, i), &policies[i]);
        leave(r);
    }
    chain->policies = policies;
    chain->count = (uint16_t)count;
    return true;
}

/* Short forms: "accept", "reject", and a list of policies, of which none may mean no. */
static bool read_chain(struct reading *r, const json_t *v, struct policy_chain *chain) {
    static const char *const words[] = {"reject", "accept"};
    const char *key;
    json_t *value;
    uint32_t word;
    if (json_is_string(v)) {
        if (!read_word(r, v, words, 2, &word))
            return false;
        *chain = (struct policy_chain){.accept_by_default = word == 1};
        return true;
    }
    if (json_is_array(v)) {
        chain->accept_by_default = false;
        return read_chain_policies(r, v, chain);
    }
    if (!json_is_object(v))
        return finding(r, "bad-type", "expected \"accept\", \"reject\", policies or an object");
    json_object_foreach((json_t *)(uintptr_t)v, key, value) {
        enter(r, key, 0);
        if (strcmp(key, "policies") == 0)
            read_chain_policies(r, value, chain);
        else if (strcmp(key, "accept_by_default") == 0)
            read_bool(r, value, &chain->accept_by_default);
        else
            finding(r, "unknown-member", "expected \"policies\" or \"accept_by_default\"");
        leave(r);
    }
    return true;
}

/* Not one for each family, but one for both? */
static bool is_chain(const json_t *v) {
    return !json_is_object(v) || json_object_get(v, "policies") ||
           json_object_get(v, "accept_by_default");
}

static bool read_chain_of_both(struct reading *r, const json_t *v, struct policy_chain *chains) {
    if (!read_chain(r, v, &chains[BGP_IPV4_UNICAST]))
        return false;
    chains[BGP_IPV6_UNICAST] = chains[BGP_IPV4_UNICAST];
    return true;
}

/* A policy, if that is what the member is, by its name, too: its place from 1. */
static bool read_u32(struct reading *r, const struct field *f, const json_t *v, uint32_t *ret) {
    bool policy = f->kind == FIELD_POLICY || f->kind == FIELD_FAMILY_POLICY;
    uint64_t number = 0;
    uint16_t place;
    if (policy && json_is_string(v)) {
        if (!read_policy(r, v, &place))
            return false;
        number = place + UINT64_C(1);
    } else if (!read_number(r, v, UINT32_MAX, &number)) {
        return false;
    }
    *ret = (uint32_t)number;
    return true;
}

static bool read_number_of_both(struct reading *r, const struct field *f, const json_t *v,
                                uint32_t *at) {
    uint32_t number;
    if (!read_u32(r, f, v, &number))
        return false;
    at[BGP_IPV4_UNICAST] = at[BGP_IPV6_UNICAST] = number;
    return true;
}

static bool read_per_family(struct reading *r, const struct field *f, const json_t *v, void *at) {
    const char *key;
    json_t *value;
    if (f->kind == FIELD_FAMILY_CHAINS && is_chain(v))
        return read_chain_of_both(r, v, at);
    if (json_is_integer(v) || (f->kind == FIELD_FAMILY_POLICY && json_is_string(v))) /* of both */
        return read_number_of_both(r, f, v, at);
    if (!json_is_object(v))
        return finding(r, "bad-type",
                       f->kind == FIELD_FAMILY_POLICY
                           ? "expected a policy's name, or an object with \"ipv4\" and \"ipv6\""
                           : "expected a number, or an object with \"ipv4\" and \"ipv6\"");
    json_object_foreach((json_t *)(uintptr_t)v, key, value) {
        uint32_t family = strcmp(key, "ipv6") == 0 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST;
        enter(r, key, 0);
        if (strcmp(key, config_family_names[family]) != 0)
            finding(r, "unknown-member", "expected \"ipv4\" or \"ipv6\"");
        else if (f->kind == FIELD_FAMILY_CHAINS)
            read_chain(r, value, (struct policy_chain *)at + family);
        else
            read_u32(r, f, value, (uint32_t *)at + family);
        leave(r);
    }
    return true;
}

/* ---- structs ---- */

static bool read_field_number(struct reading *r, const struct field *f, const json_t *v, void *at) {
    uint64_t value;
    uint64_t max = f->size == 1 ? UINT8_MAX : f->size == 2 ? UINT16_MAX : UINT32_MAX;
    if (f->kind == FIELD_VALUE && !json_is_integer(v))
        return finding(r, "bad-value",
                       "expected a number, or a word that the kind has: \"bgp\" \"static\" "
                       "\"kernel\" \"direct\" \"aggregate\" (source), \"igp\" \"egp\" "
                       "\"incomplete\" (set-origin)");
    if (!read_number(r, v, max, &value))
        return false;
    if (f->size == 1)
        *(uint8_t *)at = (uint8_t)value;
    else if (f->size == 2)
        *(uint16_t *)at = (uint16_t)value;
    else
        *(uint32_t *)at = (uint32_t)value;
    return true;
}

static bool read_field_word(struct reading *r, const struct field *f, const json_t *v, void *at) {
    uint32_t value;
    if (!read_word(r, v, f->words, f->word_count, &value))
        return false;
    if (f->size == 1)
        *(uint8_t *)at = (uint8_t)value;
    else
        memcpy(at, &value, sizeof value);
    return true;
}

static bool read_field(struct reading *r, const struct field *f, const json_t *v, void *object) {
    void *at = (char *)object + f->offset;
    switch (f->kind) {
    case FIELD_BOOL:
        return read_bool(r, v, at);
    case FIELD_U8:
    case FIELD_U16:
    case FIELD_U32:
    case FIELD_VALUE:
        return read_field_number(r, f, v, at);
    case FIELD_WORD:
        return read_field_word(r, f, v, at);
    case FIELD_CHARS:
        return read_chars(r, v, at, f->size);
    case FIELD_TEXT:
        return read_text(r, v, f->max, at);
    case FIELD_ATTRIBUTES:
        return read_attributes(r, v, at);
    case FIELD_OCTETS:
        return read_password(r, v, f->max, at);
    case FIELD_ADDR:
        return read_addr(r, v, at);
    case FIELD_PREFIX:
        return read_prefix(r, v, at);
    case FIELD_ID:
        return read_id(r, v, at);
    case FIELD_STRUCT:
        return read_shape(r, f->shape, v, at);
    case FIELD_U32_LIST:
    case FIELD_LARGE_LIST:
    case FIELD_LIST:
        return read_list(r, f, v, object);
    case FIELD_FAMILY_SET:
        return read_family_set(r, v, at);
    case FIELD_FAMILY_U32:
    case FIELD_FAMILY_CHAINS:
    case FIELD_FAMILY_POLICY:
        return read_per_family(r, f, v, at);
    case FIELD_POLICY:
        return read_u32(r, f, v, at);
    }
    return false;
}

static const struct field *field_find(const struct shape *shape, const char *name) {
    for (uint32_t i = 0; i < shape->field_count; i++)
        if (strcmp(shape->fields[i].name, name) == 0)
            return &shape->fields[i];
    return NULL;
}

static void missing_members(struct reading *r, const struct shape *shape, const json_t *from) {
    for (uint32_t i = 0; i < shape->field_count; i++) {
        const struct field *f = &shape->fields[i];
        if (!f->required || json_object_get(from, f->name))
            continue;
        struct text what;
        text_init(&what);
        text_printf(&what, "member \"%s\" is missing", f->name);
        finding(r, "missing-member", text_str(&what));
        text_deinit(&what);
    }
}

/* A shape that has a short form: one member's value stands for the whole. */
static bool read_brief(struct reading *r, const struct shape *shape, const json_t *from,
                       void *object) {
    if (shape->init)
        shape->init(object, r->profile);
    return read_field(r, &shape->fields[0], from, object) && (shape->complete(object), true);
}

static bool read_shape(struct reading *r, const struct shape *shape, const json_t *from,
                       void *object) {
    const char *key;
    json_t *value;
    if (shape->complete && json_is_string(from))
        return read_brief(r, shape, from, object);
    if (!json_is_object(from))
        return finding(r, "bad-type", "expected an object");
    if (shape->init)
        shape->init(object, r->profile);
    json_object_foreach((json_t *)(uintptr_t)from, key, value) {
        const struct field *f = field_find(shape, key);
        if (!f) {
            unknown_member(r, shape, key);
            continue;
        }
        enter(r, key, 0);
        read_field(r, f, value, object);
        leave(r);
    }
    missing_members(r, shape, from);
    return !r->failed;
}

/* ---- entry points ---- */

/* Defaults depend on the profile, so it is read before everything else. */
static void read_profile(struct reading *r, const json_t *root) {
    const struct field *f = field_find(&shape_config, "profile");
    const char *word = json_string_value(json_object_get(root, "profile"));
    for (uint32_t i = 0; word && i < f->word_count; i++)
        if (strcmp(f->words[i], word) == 0)
            r->profile = (enum bgp_profile)i;
}

/* A configuration lists its routes in order; who wrote the text need not have. */
static int origin_compare(const void *a, const void *b) {
    const struct bgp_origin_config *x = a, *y = b;
    int order = ip_prefix_compare(x->prefix, y->prefix);
    return order ? order : (x->source > y->source) - (x->source < y->source);
}

static struct bgp_config *read_config(struct reading *r, const json_t *root) {
    struct bgp_config *c = arena_alloc(r->arena, sizeof *c);
    r->profile = BGP_PROFILE_PLAIN;
    if (!c) {
        no_memory(r);
        return NULL;
    }
    read_profile(r, root);
    r->policies = json_object_get(root, "policies");
    if (!read_shape(r, &shape_config, root, c))
        return NULL;
    if (c->origin_count)
        qsort(c->origins, c->origin_count, sizeof *c->origins, origin_compare);
    return c;
}

struct bgp_config *config_from_json(const json_t *root, const char *file, struct arena *arena,
                                    struct diag_list *diags) {
    struct reading r = {.arena = arena, .diags = diags, .file = file};
    return read_config(&r, root);
}

bool origin_from_json(const json_t *from, const char *file, struct arena *arena,
                      struct diag_list *diags, struct bgp_origin_config *ret_origin) {
    struct reading r = {.arena = arena, .diags = diags, .file = file, .profile = BGP_PROFILE_PLAIN};
    struct bgp_origin_config origin = {0};
    if (!read_shape(&r, &shape_origin, from, &origin))
        return false;
    *ret_origin = origin;
    return true;
}

json_t *config_parse(const char *text, size_t size, const char *file, struct diag_list *diags) {
    struct diag_place place = {.file = file};
    json_error_t error;
    if (size > CONFIG_TEXT_MAX || config_text_depth(text, size) > CONFIG_DEPTH_MAX) {
        place.line = place.column = 1;
        diag_add(diags, DIAG_ERROR, place, "too-deep",
                 "larger than 64 MiB or nested deeper than 16 levels");
        return NULL;
    }
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (root)
        return root;
    place.line = error.line > 0 ? (uint32_t)error.line : 0;
    place.column = error.column > 0 ? (uint32_t)error.column : 0;
    diag_add(diags, DIAG_ERROR, place, "bad-json", "%s", error.text);
    return NULL;
}

struct bgp_config *config_from_parsed(const json_t *root, const char *text, size_t size,
                                      const char *file, struct arena *arena,
                                      struct diag_list *diags) {
    struct reading r = {
        .arena = arena, .diags = diags, .file = file, .text = text, .text_size = size};
    return read_config(&r, root);
}

struct bgp_config *config_from_text(const char *text, size_t size, const char *file,
                                    struct arena *arena, struct diag_list *diags) {
    json_t *root = config_parse(text, size, file, diags);
    struct bgp_config *c = root ? config_from_parsed(root, text, size, file, arena, diags) : NULL;
    json_decref(root);
    return c;
}
