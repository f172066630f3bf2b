/*
 * The JSON Schema of configurations, by the tables of config_fields.c.
 *
 * Owns nothing but the words of JSON Schema: names, types, limits and which members are required
 * come from the rows the reader walks, so that the schema cannot promise what the reader refuses.
 * Members that config_file.c fills in are not required; that is the one thing said twice.
 */
#include "attr_words.h"
#include "config_fields.h"
#include "config_file.h"

#include <string.h>

static json_t *schema_of_shape(const struct shape *shape);

static json_t *number_schema(uint32_t max) {
    return json_pack("{s:s, s:i, s:I}", "type", "integer", "minimum", 0, "maximum",
                     (json_int_t)max);
}

static json_t *type_schema(const char *type, const char *description) {
    json_t *schema = json_pack("{s:s}", "type", type);
    if (description)
        json_object_set_new(schema, "description", json_string(description));
    return schema;
}

static json_t *words_schema(const char *const *words, uint32_t count) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++)
        if (words[i])
            json_array_append_new(list, json_string(words[i]));
    return json_pack("{s:o}", "enum", list);
}

/* Text, or octets that are not UTF-8. */
static json_t *text_schema(const struct field *f) {
    json_t *text = json_pack("{s:s}", "type", "string");
    uint32_t max = f->kind == FIELD_CHARS ? f->size - 1 : f->max;
    if (max)
        json_object_set_new(text, "maxLength", json_integer(max));
    return json_pack("{s:[o, {s:s, s:{s:{s:s, s:o}}, s:[s], s:b}]}", "anyOf", text, "type",
                     "object", "properties", "octets", "type", "array", "items", number_schema(255),
                     "required", "octets", "additionalProperties", 0);
}

static json_t *array_schema(json_t *items, uint32_t max) {
    return json_pack("{s:s, s:o, s:I}", "type", "array", "items", items, "maxItems",
                     (json_int_t)max);
}

static json_t *per_family_schema(json_t *each) {
    json_t *schema = json_pack("{s:s, s:{s:O, s:O}, s:b}", "type", "object", "properties", "ipv4",
                               each, "ipv6", each, "additionalProperties", 0);
    json_decref(each);
    return schema;
}

static json_t *reference(const char *name) {
    return json_pack("{s:s}", "$ref", name);
}

/* By its name, or as programs write it. */
static json_t *policy_schema(uint32_t max) {
    return json_pack("{s:[o, o]}", "anyOf", type_schema("string", "a policy's name"),
                     number_schema(max));
}

/* One chain for both families, or one for each. */
static json_t *chains_schema(void) {
    return json_pack("{s:[o, o]}", "anyOf", reference("#/$defs/chain"),
                     per_family_schema(reference("#/$defs/chain")));
}

static json_t *list_schema(const struct field *f) {
    if (f->kind == FIELD_LARGE_LIST)
        return array_schema(type_schema("string", "a large community such as 64512:1:2"), f->max);
    if (f->kind == FIELD_U32_LIST)
        return array_schema(json_pack("{s:[o, o]}", "anyOf", number_schema(UINT32_MAX),
                                      type_schema("string", "a community such as 64512:1")),
                            f->max);
    json_t *items = schema_of_shape(f->shape);
    if (f->shape->complete)
        items = json_pack("{s:[o, o]}", "anyOf", items, type_schema("string", "the prefix alone"));
    return array_schema(items, f->max);
}

/* A policy's value is a number, or words where config_file.c knows some. */
static json_t *value_schema(void) {
    json_t *word = type_schema("string", "a source of routes, or an ORIGIN");
    return json_pack("{s:[o, O, {s:s, s:o}]}", "anyOf", number_schema(UINT32_MAX), word, "type",
                     "array", "items", word);
}

/* Octets in hexadecimal, or words. */
static json_t *attributes_schema(void) {
    json_t *words = json_object();
    for (size_t i = 0; attr_words_name(i); i++)
        json_object_set_new(words, attr_words_name(i), reference("#/$defs/attribute"));
    return json_pack("{s:[o, {s:s, s:o, s:b}]}", "anyOf",
                     type_schema("string", "as in an UPDATE with four-octet ASes, hexadecimal"),
                     "type", "object", "properties", words, "additionalProperties", 0);
}

static json_t *schema_of(const struct field *f) {
    switch (f->kind) {
    case FIELD_BOOL:
        return type_schema("boolean", NULL);
    case FIELD_U8:
        return number_schema(UINT8_MAX);
    case FIELD_U16:
        return number_schema(UINT16_MAX);
    case FIELD_U32:
        return number_schema(UINT32_MAX);
    case FIELD_VALUE:
        return value_schema();
    case FIELD_WORD:
        return words_schema(f->words, f->word_count);
    case FIELD_CHARS:
    case FIELD_TEXT:
    case FIELD_OCTETS:
        return text_schema(f);
    case FIELD_ATTRIBUTES:
        return attributes_schema();
    case FIELD_ADDR:
        return type_schema("string", "an IPv4 or IPv6 address");
    case FIELD_PREFIX:
        return type_schema("string", "a prefix such as 192.0.2.0/24 or 2001:db8::/32");
    case FIELD_ID:
        return type_schema("string", "an identifier such as 10.0.0.1");
    case FIELD_STRUCT:
        return schema_of_shape(f->shape);
    case FIELD_U32_LIST:
    case FIELD_LARGE_LIST:
    case FIELD_LIST:
        return list_schema(f);
    case FIELD_FAMILY_SET:
        return array_schema(words_schema(config_family_names, BGP_FAMILIES), BGP_FAMILIES);
    case FIELD_FAMILY_U32:
        return json_pack("{s:[o, o]}", "anyOf", number_schema(UINT32_MAX),
                         per_family_schema(number_schema(UINT32_MAX)));
    case FIELD_FAMILY_CHAINS:
        return chains_schema();
    case FIELD_POLICY:
        return policy_schema(BGP_POLICIES_MAX);
    case FIELD_FAMILY_POLICY:
        return json_pack("{s:[o, o, o]}", "anyOf", type_schema("string", "a policy's name"),
                         number_schema(BGP_POLICIES_MAX),
                         per_family_schema(policy_schema(BGP_POLICIES_MAX)));
    }
    return NULL;
}

/* What config_file.c fills in. A range's template has a name of its own, but any AS. */
static bool may_be_left_out(const struct shape *shape, const char *name) {
    if (shape == &shape_config)
        return strcmp(name, "profile") == 0;
    if (shape == &shape_peer)
        return strcmp(name, "name") == 0;
    if (shape == &shape_origin)
        return strcmp(name, "source") == 0;
    if (shape == &shape_prefix)
        return strcmp(name, "prefix") != 0;
    return shape == shape_range_template && strcmp(name, "remote_as") == 0;
}

static json_t *schema_of_shape(const struct shape *shape) {
    json_t *properties = json_object(), *required = json_array();
    for (uint32_t i = 0; i < shape->field_count; i++) {
        const struct field *f = &shape->fields[i];
        json_object_set_new(properties, f->name, schema_of(f));
        if (f->required && !may_be_left_out(shape, f->name))
            json_array_append_new(required, json_string(f->name));
    }
    return json_pack("{s:s, s:o, s:o, s:b}", "type", "object", "properties", properties, "required",
                     required, "additionalProperties", 0);
}

static json_t *chain_schema(void) {
    json_t *policies = array_schema(policy_schema(BGP_POLICIES_MAX - 1), BGP_POLICY_CHAIN_MAX);
    return json_pack("{s:[{s:[s, s]}, O, {s:s, s:{s:o, s:{s:s}}, s:b}]}", "anyOf", "enum", "accept",
                     "reject", policies, "type", "object", "properties", "policies", policies,
                     "accept_by_default", "type", "boolean", "additionalProperties", 0);
}

/* The value of a word, or a list of them. */
static json_t *attribute_schema(void) {
    json_t *value = json_pack("{s:[s, s, s]}", "type", "string", "integer", "boolean");
    return json_pack("{s:[O, {s:s, s:o}]}", "anyOf", value, "type", "array", "items", value);
}

json_t *config_schema(void) {
    json_t *schema = schema_of_shape(&shape_config);
    json_t *head = json_pack(
        "{s:s, s:s, s:s, s:{s:o, s:o}}", "$schema", "https://json-schema.org/draft/2020-12/schema",
        "title", "The configuration of ribcage-speaker", "description",
        "Members and their meaning: ribcage-speaker(8). Comments run from # to the end of the "
        "line.",
        "$defs", "chain", chain_schema(), "attribute", attribute_schema());
    if (head && schema && json_object_update(head, schema) == 0) {
        json_decref(schema);
        return head;
    }
    json_decref(schema);
    json_decref(head);
    return NULL;
}
