#ifndef RIBCAGE_YAML_H
#define RIBCAGE_YAML_H

#include "../../speaker/base/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/*
 * YAML as a tree with places, from libyaml's events, for texts nobody vouches for: anchors and
 * aliases are refused, and so are duplicate keys (naming both lines), tabs where YAML forbids them,
 * NUL bytes, invalid UTF-8, a depth above 64, more than 4 million nodes or 64 MiB. All problems are
 * reported (libyaml stops at the first syntax error of a document).
 *
 * A scalar keeps its text and whether it was quoted; types are the reader's business, so that
 * "100:6532", 010 and NO mean what the schema says they mean.
 */

enum yaml_kind {
    YAML_NULL, /* empty, ~ or null, unquoted */
    YAML_SCALAR,
    YAML_SEQUENCE,
    YAML_MAPPING,
};

struct yaml_node {
    enum yaml_kind kind;
    bool quoted;      /* scalar: written with quotes or as a block */
    const char *text; /* scalar: NUL-terminated; NULL node: "" */
    const char *file;
    uint32_t line, column;    /* from 1 */
    uint32_t count;           /* items or pairs */
    struct yaml_node **items; /* sequence: count nodes; mapping: values */
    struct yaml_node **keys;  /* mapping: count scalar nodes */
};

struct yaml_document {
    struct yaml_node *root; /* never NULL */
};

/* Parses all documents of a text. `file` is copied into the arena. Returns the number of documents
 * (those after a syntax error are missing), -1: out of memory. Empty documents are left out. */
int yaml_parse(const char *text, size_t size, const char *file, struct arena *arena,
               struct diag_list *diags, struct yaml_document **ret_documents);
/* How many of them stand before the first document with an error, for readers that take a stream
 * document by document: a line that begins with --- ends what a broken one can spoil. `found` is
 * how many findings there were before the text was parsed. */
size_t yaml_sound_documents(const char *text, size_t size, const struct yaml_document *documents,
                            size_t count, const struct diag_list *diags, size_t found);
/* A path named inside a scenario: opened with openat2(RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS)
 * under `directory_fd`, regular files only, size capped. Returns text in `arena` or NULL with a
 * finding at `place`. `shown` is the name used in messages. */
char *file_read_beneath(int directory_fd, const char *path, const char *shown, struct arena *arena,
                        struct diag_place place, struct diag_list *diags, size_t *ret_size);
/* An operator's own path, links followed: regular file, "-" = standard input, size capped at 64
 * MiB. NULL with a finding. */
char *file_read(const char *path, struct arena *arena, struct diag_list *diags, size_t *ret_size);

struct diag_place yaml_place(const struct yaml_node *n);
/* The value of a key, or NULL. */
const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key);
const struct yaml_node *yaml_key(const struct yaml_node *mapping,
                                 const char *key); /* the key's node */
/* Reports every key of `mapping` that is not in `known` as id "unknown-field" with the nearest
 * known one; `what` names the thing: "BGPPeer.spec". Returns how many. */
size_t yaml_check_keys(const struct yaml_node *mapping, const char *const *known,
                       size_t known_count, const char *what, struct diag_list *diags);

/* Typed reading. Each reports what is wrong with file:line:col, the field's `name` and what would
 * be right, and returns false; *ret is untouched then. `n` NULL: false without a finding. */
bool yaml_string(const struct yaml_node *n, const char *name, struct diag_list *diags,
                 const char **ret_text);
bool yaml_u64(const struct yaml_node *n, const char *name, uint64_t min, uint64_t max,
              struct diag_list *diags, uint64_t *ret_value);
bool yaml_bool(const struct yaml_node *n, const char *name, struct diag_list *diags,
               bool *ret_value);
/* "250ms", "5s", "2m30s", "1h": Go duration syntax, in ns. */
bool yaml_duration(const struct yaml_node *n, const char *name, struct diag_list *diags,
                   uint64_t *ret_ns);
/* One of `words`; reports the nearest on failure. */
bool yaml_enum(const struct yaml_node *n, const char *name, const char *const *words, size_t count,
               struct diag_list *diags, size_t *ret_index);

/* "${name}" in scalars replaced from a table (scenario parameters, --set), in place; an unknown
 * name is a finding. "$${" stands for "${". In a sequence, {repeat: 3, as: rack, each: …} becomes
 * three items, with ${rack} from 1 to 3. */
struct yaml_parameter {
    const char *name;
    const char *value;
};
bool yaml_substitute(struct yaml_node *root, const struct yaml_parameter *parameters, size_t count,
                     struct arena *arena, struct diag_list *diags);

#endif
