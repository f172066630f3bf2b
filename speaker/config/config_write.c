/*
 * bgp_config to JSON: walks the tables of config_fields.c.
 *
 * A member is left out when it equals its default (shape->init), unless its row says required.
 * Text that is not UTF-8, and a password with a NUL in it, is written as {"octets":[…]}. Running
 * out of memory anywhere gives NULL for the whole.
 */
#include "config_fields.h"
#include "config_json.h"

#include "../base/arena.h"

#include <stdio.h>
#include <string.h>

static json_t *shape_to_json(const struct shape *shape, const void *object,
                             enum bgp_profile profile);

static const void *member(const void *object, uint32_t offset) {
    return (const char *)object + offset;
}

static uint32_t list_count(const void *object, const struct field *f) {
    uint32_t count;
    memcpy(&count, member(object, f->count_offset), sizeof count);
    return count;
}

static const void *list_data(const void *object, const struct field *f) {
    const void *data;
    memcpy(&data, member(object, f->offset), sizeof data);
    return data;
}

static json_t *octets_to_json(const uint8_t *octets, size_t count) {
    bool has_nul = count && memchr(octets, '\0', count);
    json_t *value = has_nul ? NULL : json_stringn((const char *)octets, count);
    if (value)
        return value;
    json_t *bytes = json_array();
    for (size_t i = 0; bytes && i < count; i++)
        if (json_array_append_new(bytes, json_integer(octets[i])) != 0) {
            json_decref(bytes);
            return NULL;
        }
    return bytes ? json_pack("{s:o}", "octets", bytes) : NULL;
}

static json_t *text_to_json(const char *text) {
    return octets_to_json((const uint8_t *)text, strlen(text));
}

static json_t *password_to_json(const struct bgp_password *p) {
    return p ? octets_to_json(p->octets, p->size) : json_string("");
}

static json_t *word_to_json(const void *at, const struct field *f) {
    unsigned value = 0;
    if (f->size == 1)
        value = *(const uint8_t *)at;
    else
        memcpy(&value, at, sizeof value);
    if (value < f->word_count && f->words[value])
        return json_string(f->words[value]);
    return json_integer(value);
}

static json_t *addr_to_json(const void *at) {
    char text[IP_ADDR_TEXT_MAX];
    struct ip_addr a;
    memcpy(&a, at, sizeof a);
    return json_string(ip_format(a, text));
}

static json_t *prefix_to_json(const void *at) {
    char text[IP_PREFIX_TEXT_MAX];
    struct ip_prefix p;
    memcpy(&p, at, sizeof p);
    return json_string(ip_prefix_format(p, text));
}

static json_t *id_to_json(const void *at) {
    char text[IP_ADDR_TEXT_MAX];
    uint32_t id;
    memcpy(&id, at, sizeof id);
    return json_string(ip_format(ip4(id), text));
}

static json_t *large_to_json(const struct large_community *c) {
    char text[40];
    snprintf(text, sizeof text, "%u:%u:%u", c->global, c->local1, c->local2);
    return json_string(text);
}

static json_t *chain_to_json(const struct policy_chain *c) {
    json_t *policies = json_array();
    for (uint32_t i = 0; policies && i < c->count; i++)
        if (json_array_append_new(policies, json_integer(c->policies[i])) != 0) {
            json_decref(policies);
            return NULL;
        }
    if (!policies)
        return NULL;
    return json_pack("{s:o, s:b}", "policies", policies, "accept_by_default",
                     c->accept_by_default ? 1 : 0);
}

static json_t *element_to_json(const struct field *f, const void *data, uint32_t i,
                               enum bgp_profile profile) {
    if (f->kind == FIELD_U32_LIST)
        return json_integer(((const uint32_t *)data)[i]);
    if (f->kind == FIELD_LARGE_LIST)
        return large_to_json((const struct large_community *)data + i);
    return shape_to_json(f->shape, (const char *)data + (size_t)i * f->shape->size, profile);
}

static json_t *list_to_json(const void *object, const struct field *f, enum bgp_profile profile) {
    json_t *array = json_array();
    const void *data = list_data(object, f);
    uint32_t count = list_count(object, f);
    for (uint32_t i = 0; array && i < count; i++)
        if (json_array_append_new(array, element_to_json(f, data, i, profile)) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static json_t *family_set_to_json(const bool *families) {
    json_t *array = json_array();
    for (int i = 0; array && i < BGP_FAMILIES; i++)
        if (families[i] && json_array_append_new(array, json_string(config_family_names[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static json_t *per_family_to_json(const struct field *f, const void *at) {
    json_t *object = json_object();
    for (int i = 0; object && i < BGP_FAMILIES; i++) {
        json_t *value = f->kind == FIELD_FAMILY_CHAINS
                            ? chain_to_json((const struct policy_chain *)at + i)
                            : json_integer(((const uint32_t *)at)[i]);
        if (json_object_set_new(object, config_family_names[i], value) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *number_to_json(const struct field *f, const void *at) {
    uint32_t value = 0;
    if (f->kind == FIELD_U8)
        value = *(const uint8_t *)at;
    else if (f->kind == FIELD_U16)
        value = *(const uint16_t *)at;
    else
        value = *(const uint32_t *)at;
    return json_integer(value);
}

static json_t *field_to_json(const struct field *f, const void *object, enum bgp_profile profile) {
    const void *at = member(object, f->offset);
    switch (f->kind) {
    case FIELD_BOOL:
        return json_boolean(*(const bool *)at);
    case FIELD_U8:
    case FIELD_U16:
    case FIELD_U32:
    case FIELD_VALUE:
    case FIELD_POLICY:
        return number_to_json(f, at);
    case FIELD_WORD:
        return word_to_json(at, f);
    case FIELD_CHARS:
        return text_to_json(at);
    case FIELD_TEXT:
    case FIELD_ATTRIBUTES:
        return text_to_json(list_data(object, f) ? list_data(object, f) : "");
    case FIELD_OCTETS:
        return password_to_json(list_data(object, f));
    case FIELD_ADDR:
        return addr_to_json(at);
    case FIELD_PREFIX:
        return prefix_to_json(at);
    case FIELD_ID:
        return id_to_json(at);
    case FIELD_STRUCT:
        return shape_to_json(f->shape, at, profile);
    case FIELD_U32_LIST:
    case FIELD_LARGE_LIST:
    case FIELD_LIST:
        return list_to_json(object, f, profile);
    case FIELD_FAMILY_SET:
        return family_set_to_json(at);
    case FIELD_FAMILY_U32:
    case FIELD_FAMILY_CHAINS:
    case FIELD_FAMILY_POLICY:
        return per_family_to_json(f, at);
    }
    return NULL;
}

static bool chains_default(const struct policy_chain *a, const struct policy_chain *b) {
    for (int i = 0; i < BGP_FAMILIES; i++)
        if (a[i].count != 0 || b[i].count != 0 || a[i].accept_by_default != b[i].accept_by_default)
            return false;
    return true;
}

/* A text with a limit may be empty to say that there is none. */
static bool is_none(const struct field *f, const char *text) {
    return !text || (f->max && text[0] == '\0');
}

/* Does the member say what the default says anyway? A nested struct is compared as bytes, which may
 * keep it for the sake of padding: harmless. */
static bool field_is_default(const struct field *f, const void *object, const void *standard) {
    const void *a = member(object, f->offset), *b = member(standard, f->offset);
    switch (f->kind) {
    case FIELD_CHARS:
        return strncmp(a, b, f->size) == 0;
    case FIELD_TEXT:
    case FIELD_ATTRIBUTES:
        return is_none(f, list_data(object, f));
    case FIELD_OCTETS:
        return !list_data(object, f);
    case FIELD_U32_LIST:
    case FIELD_LARGE_LIST:
    case FIELD_LIST:
        return list_count(object, f) == 0;
    case FIELD_FAMILY_CHAINS:
        return chains_default(a, b);
    case FIELD_BOOL:
    case FIELD_U8:
    case FIELD_U16:
    case FIELD_U32:
    case FIELD_VALUE:
    case FIELD_WORD:
    case FIELD_ADDR:
    case FIELD_PREFIX:
    case FIELD_ID:
    case FIELD_STRUCT:
    case FIELD_FAMILY_SET:
    case FIELD_FAMILY_U32:
    case FIELD_POLICY:
    case FIELD_FAMILY_POLICY:
        return memcmp(a, b, f->size) == 0;
    }
    return false;
}

static json_t *shape_to_json(const struct shape *shape, const void *object,
                             enum bgp_profile profile) {
    void *standard = alloc_zero(1, shape->size);
    json_t *out = standard ? json_object() : NULL;
    if (!out)
        goto out;
    if (shape->init)
        shape->init(standard, profile);
    for (uint32_t i = 0; i < shape->field_count; i++) {
        const struct field *f = &shape->fields[i];
        if (!f->required && field_is_default(f, object, standard))
            continue;
        if (json_object_set_new(out, f->name, field_to_json(f, object, profile)) != 0) {
            json_decref(out);
            out = NULL;
            break;
        }
    }
out:
    alloc_free(standard);
    return out;
}

json_t *config_to_json(const struct bgp_config *c) {
    return shape_to_json(&shape_config, c, c->profile);
}
