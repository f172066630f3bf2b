#ifndef RIBCAGE_CONFIG_FIELDS_H
#define RIBCAGE_CONFIG_FIELDS_H

#include "../core/config.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What bgp_config consists of, as tables: one row per member, read by the writer and the reader
 * alike, so that neither can know a member the other does not.
 */

enum field_kind {
    FIELD_BOOL,
    FIELD_U8,
    FIELD_U16,
    FIELD_U32,
    FIELD_VALUE,         /* uint32_t; by hand, words that config_file.c makes a number */
    FIELD_WORD,          /* an enum (or uint8_t) as one of `words` */
    FIELD_CHARS,         /* char[size], NUL-terminated */
    FIELD_TEXT,          /* const char *, NULL when absent; `max` octets */
    FIELD_ATTRIBUTES,    /* the same in hexadecimal; by hand, an object of attr_words.h's words */
    FIELD_OCTETS,        /* const struct bgp_password *, NULL when absent; text or its octets */
    FIELD_ADDR,          /* struct ip_addr, "" when not set */
    FIELD_PREFIX,        /* struct ip_prefix */
    FIELD_ID,            /* uint32_t in host order as a dotted quad */
    FIELD_U32_LIST,      /* const uint32_t * and a uint32_t count */
    FIELD_LARGE_LIST,    /* const struct large_community *, as "a:b:c" */
    FIELD_STRUCT,        /* embedded, `shape` */
    FIELD_LIST,          /* pointer to structs of `shape` and a uint32_t count */
    FIELD_FAMILY_SET,    /* bool[BGP_FAMILIES] as ["ipv4","ipv6"] */
    FIELD_FAMILY_U32,    /* uint32_t[BGP_FAMILIES] as {"ipv4":…,"ipv6":…} */
    FIELD_FAMILY_CHAINS, /* struct policy_chain[BGP_FAMILIES], the same way */
    FIELD_POLICY,        /* uint32_t: a policy's place from 1, 0: none; by hand its name */
    FIELD_FAMILY_POLICY, /* uint32_t[BGP_FAMILIES] of those */
};

struct shape;
struct arena;
struct diag_list;

struct field {
    const char *name;
    enum field_kind kind;
    bool required; /* always written, must be there */
    uint32_t offset;
    uint32_t size;         /* of the member */
    uint32_t count_offset; /* lists */
    uint32_t max;          /* lists: elements; numbers: 0 = what the type holds */
    const struct shape *shape;
    const char *const *words;
    uint32_t word_count;
};

struct shape {
    const struct field *fields;
    uint32_t field_count;
    uint32_t size; /* of the struct */
    /* Fills in the defaults of a zeroed object. NULL: zero is the default. */
    void (*init)(void *object, enum bgp_profile profile);
    /* Not NULL: the text of the first member may stand for the object, and this does the rest. */
    void (*complete)(void *object);
};

extern const struct shape shape_config;
extern const struct shape shape_peer;
extern const struct shape shape_origin;
extern const struct shape shape_prefix;                /* of a policy */
extern const struct shape *const shape_range_template; /* a peer made by a listen range */

extern const char *const config_family_names[BGP_FAMILIES];
#define CONFIG_MATCH_WORDS (POLICY_MATCH_NEVER + 1)
#define CONFIG_ACTION_WORDS (POLICY_SET_DAMPENING + 1)
extern const char *const config_match_words[CONFIG_MATCH_WORDS];
extern const char *const config_action_words[CONFIG_ACTION_WORDS];
extern const char *const config_origin_words[3];
/* By enum route_source; [0] is NULL. */
#define CONFIG_SOURCE_WORDS (ROUTE_SOURCE_AGGREGATE + 1)
extern const char *const config_source_words[CONFIG_SOURCE_WORDS];

/* Nesting of a configuration's text; beyond it is an error. */
#define CONFIG_DEPTH_MAX 16
/* Findings that get a place: finding it costs a walk over the text. */
#define CONFIG_PLACES_MAX 100
#define CONFIG_TEXT_MAX ((size_t)64 << 20)

/*
 * Where the value at a path stands in a text that is known to be valid JSON: keys and indices from
 * the root. A step with a key names an object's member, one without an array's element.
 */
struct config_step {
    const char *key;
    size_t index;
};
/* Line and column from 1; false: not there. */
bool config_locate(const char *text, size_t size, const struct config_step *path, size_t depth,
                   uint32_t *ret_line, uint32_t *ret_column);
/* Blanks what stands behind a # outside strings to the end of its line: positions stay. */
void config_blank_comments(char *text, size_t size);

/* A text as JSON, and what was parsed (and perhaps completed) as a configuration. */
json_t *config_parse(const char *text, size_t size, const char *file, struct diag_list *diags);
struct bgp_config *config_from_parsed(const json_t *root, const char *text, size_t size,
                                      const char *file, struct arena *arena,
                                      struct diag_list *diags);

/* The deepest nesting of brackets, outside strings; valid for any text. */
size_t config_text_depth(const char *text, size_t size);

#endif
