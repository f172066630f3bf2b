/*
 * From libyaml's events to a tree with places.
 *
 * Owns: what of YAML is accepted. Anchors, aliases, tags (but !!str), merge keys and non-scalar
 * keys are refused with their place, duplicate keys with both lines; depth, nodes and bytes are
 * capped before they are spent, so that no text of a few KiB can cost more than a few KiB.
 * Leaves to others: files (yaml_file.c), marks of pasting (yaml_pasted.c), what a scalar means
 * (yaml_read.c), parameters (yaml_substitute.c).
 *
 * Invariants: the tree lives in the caller's arena, holds no NULL item and no cycle (there are no
 * aliases), and every scalar is NUL-terminated without a NUL inside. Parsing is a loop over events
 * with an explicit stack; nothing recurses. What is refused but still has a shape stands in the
 * tree as an empty node, so that the reader finds the other mistakes too.
 */

#include "yaml.h"
#include "yaml_limits.h"
#include "yaml_pasted.h"

#include "../../speaker/base/arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct frame {
    struct yaml_node *node;
    size_t first; /* index into builder.pending of its first child */
};

struct builder {
    struct arena *arena;
    struct diag_list *diags;
    const char *file;
    const char *text;
    size_t size;
    struct frame frames[YAML_DEPTH_MAX];
    size_t depth;
    struct yaml_node **pending; /* children of the open collections, in order */
    size_t pending_count, pending_capacity;
    struct yaml_document *documents;
    size_t document_count, document_capacity;
    size_t node_count;
    bool out_of_memory;
    bool stopped; /* a limit was met: what follows is not worth reading */
};

static struct diag_place place_of(const struct builder *b, yaml_mark_t mark) {
    return (struct diag_place){b->file, (uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

/* libyaml counts bytes, not lines, when the encoding is wrong. */
static struct diag_place place_of_offset(const struct builder *b, size_t offset) {
    struct diag_place place = {b->file, 1, 1};
    if (offset > b->size)
        offset = b->size;
    for (size_t i = 0; i < offset; i++) {
        if (b->text[i] == '\n') {
            place.line++;
            place.column = 1;
        } else if (((unsigned char)b->text[i] & 0xc0) != 0x80) {
            place.column++;
        }
    }
    return place;
}

static void *grown(void *array, size_t count, size_t *capacity, size_t item_bytes) {
    if (count < *capacity)
        return array;
    size_t wanted = *capacity ? *capacity * 2 : 32;
    void *bigger = alloc_resize(array, wanted, item_bytes);
    if (bigger)
        *capacity = wanted;
    return bigger;
}

static struct yaml_node *node_new(struct builder *b, enum yaml_kind kind, yaml_mark_t mark) {
    struct diag_place place = place_of(b, mark);
    if (++b->node_count > YAML_NODES_MAX) {
        diag_add(b->diags, DIAG_ERROR, place, "yaml-limit", "more than %d values in one text",
                 YAML_NODES_MAX);
        b->stopped = true;
        return NULL;
    }
    struct yaml_node *n = arena_alloc(b->arena, sizeof(*n));
    if (!n) {
        b->out_of_memory = true;
        return NULL;
    }
    n->kind = kind;
    n->text = "";
    n->file = b->file;
    n->line = place.line;
    n->column = place.column;
    return n;
}

static void document_add(struct builder *b, struct yaml_node *root) {
    if (root->kind == YAML_NULL)
        return;
    struct yaml_document *bigger =
        grown(b->documents, b->document_count, &b->document_capacity, sizeof(*b->documents));
    if (!bigger) {
        b->out_of_memory = true;
        return;
    }
    b->documents = bigger;
    b->documents[b->document_count++].root = root;
}

/* Hangs a finished or just opened node under the innermost open collection. */
static void node_add(struct builder *b, struct yaml_node *n) {
    if (!n)
        return;
    if (b->depth == 0) {
        document_add(b, n);
        return;
    }
    struct yaml_node **bigger =
        grown(b->pending, b->pending_count, &b->pending_capacity, sizeof(struct yaml_node *));
    if (!bigger) {
        b->out_of_memory = true;
        return;
    }
    b->pending = bigger;
    b->pending[b->pending_count++] = n;
}

static bool is_key(const struct builder *b) {
    if (b->depth == 0)
        return false;
    const struct frame *f = &b->frames[b->depth - 1];
    return f->node->kind == YAML_MAPPING && (b->pending_count - f->first) % 2 == 0;
}

static bool is_null_text(const char *text) {
    return text[0] == 0 || strcmp(text, "~") == 0 || strcmp(text, "null") == 0 ||
           strcmp(text, "Null") == 0 || strcmp(text, "NULL") == 0;
}

static void check_anchor(struct builder *b, const yaml_char_t *anchor, yaml_mark_t mark) {
    if (anchor)
        diag_add(b->diags, DIAG_ERROR, place_of(b, mark), "yaml-alias",
                 "anchor &%s: anchors and aliases are not accepted; write the value out",
                 (const char *)anchor);
}

/* Returns true for !!str, which makes any scalar a text. */
static bool check_tag(struct builder *b, const yaml_char_t *tag, yaml_mark_t mark) {
    if (!tag)
        return false;
    if (strcmp((const char *)tag, YAML_STR_TAG) == 0 || strcmp((const char *)tag, "!") == 0)
        return true;
    diag_add(b->diags, DIAG_ERROR, place_of(b, mark), "yaml-tag",
             "tag %s: tags are not accepted; what a value means follows from its field",
             (const char *)tag);
    return false;
}

static void check_key(struct builder *b, const struct yaml_node *n) {
    if (!n->quoted && strcmp(n->text, "<<") == 0)
        diag_add(b->diags, DIAG_ERROR, yaml_place(n), "yaml-alias",
                 "merge key <<: merging is not accepted; write the fields out");
}

/* What looks like indentation or quotes and is part of the text. Where the keys have it, the shape
 * of the whole text is lost. */
static void check_pasted(struct builder *b, const struct yaml_node *n, bool key) {
    const char *space = n->quoted ? NULL : yaml_pasted_space(n->text);
    const char *mark = space || n->quoted ? space : yaml_pasted_quote(n->text);
    if (space && key) {
        diag_add(b->diags, DIAG_ERROR, yaml_place(n), "yaml-syntax",
                 "indented with a %s, which is no blank for YAML: replace all of them", space);
        b->stopped = true;
    } else if (mark) {
        diag_add(b->diags, DIAG_WARNING, yaml_place(n), "pasted-mark",
                 "begins with a %s, which is part of the text%s", mark,
                 space ? "" : ": quotes are \" and '");
    }
}

static void on_scalar(struct builder *b, const yaml_event_t *e) {
    const char *value = (const char *)e->data.scalar.value;
    size_t size = e->data.scalar.length;
    bool is_text = check_tag(b, e->data.scalar.tag, e->start_mark);
    check_anchor(b, e->data.scalar.anchor, e->start_mark);
    bool key = is_key(b);
    struct yaml_node *n = node_new(b, YAML_SCALAR, e->start_mark);
    if (!n)
        return;
    n->quoted = is_text || e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (memchr(value, 0, size)) {
        diag_add(b->diags, DIAG_ERROR, yaml_place(n), "yaml-encoding",
                 "a text must not contain the character NUL");
        size = strlen(value);
    }
    if (!key && !n->quoted && is_null_text(value)) {
        n->kind = YAML_NULL;
    } else if (!(n->text = arena_strndup(b->arena, value, size))) {
        b->out_of_memory = true;
        return;
    }
    if (key)
        check_key(b, n);
    check_pasted(b, n, key);
    node_add(b, n);
}

static void on_alias(struct builder *b, const yaml_event_t *e) {
    diag_add(b->diags, DIAG_ERROR, place_of(b, e->start_mark), "yaml-alias",
             "alias *%s: anchors and aliases are not accepted; write the value out",
             (const char *)e->data.alias.anchor);
    node_add(b, node_new(b, is_key(b) ? YAML_SCALAR : YAML_NULL, e->start_mark));
}

static void on_open(struct builder *b, enum yaml_kind kind, yaml_mark_t mark) {
    if (b->depth == YAML_DEPTH_MAX) {
        diag_add(b->diags, DIAG_ERROR, place_of(b, mark), "yaml-limit",
                 "nested deeper than %d levels", YAML_DEPTH_MAX);
        b->stopped = true;
        return;
    }
    if (is_key(b)) {
        diag_add(b->diags, DIAG_ERROR, place_of(b, mark), "yaml-key",
                 "a key must be a plain text, not a list or a mapping");
        b->stopped = true;
        return;
    }
    struct yaml_node *n = node_new(b, kind, mark);
    if (!n)
        return;
    b->frames[b->depth++] = (struct frame){n, b->pending_count};
}

static int compare_keys(const void *a, const void *b) {
    const struct yaml_node *x = *(const struct yaml_node *const *)a;
    const struct yaml_node *y = *(const struct yaml_node *const *)b;
    int order = strcmp(x->text, y->text);
    if (order)
        return order;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return (x->column > y->column) - (x->column < y->column);
}

/* Several objects in one: the first key is there again, and so is another. */
static bool has_lost_separators(const struct yaml_node *mapping, const struct yaml_node **sorted) {
    bool first = false, other = false;
    for (uint32_t i = 1; i < mapping->count; i++) {
        if (strcmp(sorted[i - 1]->text, sorted[i]->text) != 0)
            continue;
        bool is_first = strcmp(sorted[i]->text, mapping->keys[0]->text) == 0;
        first |= is_first;
        other |= !is_first;
    }
    return first && other;
}

/* Sorting keeps a mapping of a million keys from being a quadratic matter. */
static void check_duplicates(struct builder *b, const struct yaml_node *mapping) {
    if (mapping->count < 2)
        return;
    const struct yaml_node **sorted = alloc_zero(mapping->count, sizeof(*sorted));
    if (!sorted) {
        b->out_of_memory = true;
        return;
    }
    for (uint32_t i = 0; i < mapping->count; i++)
        sorted[i] = mapping->keys[i];
    qsort(sorted, mapping->count, sizeof(*sorted), compare_keys);
    const char *first =
        b->depth == 0 && has_lost_separators(mapping, sorted) ? mapping->keys[0]->text : NULL;
    for (uint32_t i = 1; i < mapping->count; i++) {
        const struct yaml_node *k = sorted[i], *before = sorted[i - 1];
        if (strcmp(before->text, k->text) != 0 || (first && strcmp(first, k->text) != 0))
            continue;
        diag_add(b->diags, DIAG_ERROR, yaml_place(k), "duplicate-key",
                 first ? "key \"%s\" stands here and on line %u: a line \"---\" is missing before "
                         "the object that begins here"
                       : "key \"%s\" stands here and on line %u; only one of them can count",
                 k->text, before->line);
    }
    alloc_free(sorted);
}

static bool take_pairs(struct builder *b, struct yaml_node *n, struct yaml_node **children) {
    n->keys = arena_array(b->arena, n->count, sizeof(struct yaml_node *));
    n->items = arena_array(b->arena, n->count, sizeof(struct yaml_node *));
    if (n->count && (!n->keys || !n->items))
        return false;
    assert(n->count == 0 || children);
    for (uint32_t i = 0; i < n->count; i++) {
        n->keys[i] = children[2 * (size_t)i];
        n->items[i] = children[2 * (size_t)i + 1];
    }
    check_duplicates(b, n);
    return true;
}

static bool take_items(struct builder *b, struct yaml_node *n, struct yaml_node **children) {
    n->items = arena_array(b->arena, n->count, sizeof(struct yaml_node *));
    if (n->count == 0)
        return true;
    if (!n->items)
        return false;
    assert(children);
    memcpy(n->items, children, n->count * sizeof(struct yaml_node *));
    return true;
}

static void on_close(struct builder *b) {
    const struct frame f = b->frames[--b->depth];
    size_t count = b->pending_count - f.first;
    bool mapping = f.node->kind == YAML_MAPPING;
    f.node->count = (uint32_t)(mapping ? count / 2 : count);
    b->pending_count = f.first;
    struct yaml_node **children = count ? b->pending + f.first : NULL;
    if (!(mapping ? take_pairs(b, f.node, children) : take_items(b, f.node, children))) {
        b->out_of_memory = true;
        return;
    }
    node_add(b, f.node);
}

static void on_event(struct builder *b, const yaml_event_t *e) {
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        on_scalar(b, e);
        break;
    case YAML_ALIAS_EVENT:
        on_alias(b, e);
        break;
    case YAML_SEQUENCE_START_EVENT:
        check_tag(b, e->data.sequence_start.tag, e->start_mark);
        check_anchor(b, e->data.sequence_start.anchor, e->start_mark);
        on_open(b, YAML_SEQUENCE, e->start_mark);
        break;
    case YAML_MAPPING_START_EVENT:
        check_tag(b, e->data.mapping_start.tag, e->start_mark);
        check_anchor(b, e->data.mapping_start.anchor, e->start_mark);
        on_open(b, YAML_MAPPING, e->start_mark);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        on_close(b);
        break;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
}

/* libyaml's words for the mistakes that pasted manifests have, with what would be right. */
static const struct {
    const char *problem, *hint;
} hints[] = {
    {"mapping values are not allowed in this context",
     "a second \"key:\" on one line, or a line indented deeper than the keys around it; "
     "put every key on a line of its own"},
    {"did not find expected key", "this line is not indented like the keys around it"},
    {"did not find expected '-' indicator",
     "this line is not indented like the list's other items"},
    {"could not find expected ':'", "a key without \":\", or a text that runs over its line"},
    {"found character that cannot start any token",
     "indent with blanks, not tabs, and put texts that start with @, ` or % in quotes"},
    {"did not find expected ',' or ']'", "a list in [ ] that is not closed"},
    {"did not find expected ',' or '}'", "a mapping in { } that is not closed"},
    {"found undefined tag handle", "put texts that start with ! in quotes"},
};

static const char *hint_for(const char *problem) {
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
        if (strcmp(hints[i].problem, problem) == 0)
            return hints[i].hint;
    return NULL;
}

static bool is_utf16(const struct builder *b) {
    return b->size >= 2 &&
           (memcmp(b->text, "\xff\xfe", 2) == 0 || memcmp(b->text, "\xfe\xff", 2) == 0);
}

static void report_syntax(struct builder *b, const char *problem, struct diag_place place) {
    uint32_t line;
    const char *pasted = yaml_pasted_line(b->text, b->size, place.line, &line);
    const char *hint = hint_for(problem);
    if (pasted)
        diag_add(b->diags, DIAG_ERROR, (struct diag_place){b->file, line, 1}, "yaml-syntax", "%s",
                 pasted);
    else
        diag_add(b->diags, DIAG_ERROR, place, "yaml-syntax", "%s%s%s", problem, hint ? ": " : "",
                 hint ? hint : "");
}

static void report_parser_error(struct builder *b, const yaml_parser_t *p) {
    const char *problem = p->problem ? p->problem : "cannot be read";
    if (p->error == YAML_MEMORY_ERROR) {
        b->out_of_memory = true;
    } else if (p->error == YAML_READER_ERROR) {
        diag_add(b->diags, DIAG_ERROR, place_of_offset(b, p->problem_offset), "yaml-encoding",
                 "%s (the text must be UTF-8%s)", problem, is_utf16(b) ? ", this is UTF-16" : "");
    } else {
        report_syntax(b, problem, place_of(b, p->problem_mark));
    }
}

static void parse_events(struct builder *b, yaml_parser_t *parser) {
    bool more = true;
    while (more && !b->out_of_memory && !b->stopped) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event)) {
            report_parser_error(b, parser);
            return;
        }
        more = event.type != YAML_STREAM_END_EVENT;
        on_event(b, &event);
        yaml_event_delete(&event);
    }
}

static int finish(struct builder *b, struct yaml_document **ret_documents) {
    struct yaml_document *out = NULL;
    if (!b->out_of_memory && b->document_count) {
        out = arena_array(b->arena, b->document_count, sizeof(*out));
        if (out)
            memcpy(out, b->documents, b->document_count * sizeof(*out));
        else
            b->out_of_memory = true;
    }
    alloc_free(b->documents);
    alloc_free(b->pending);
    if (b->out_of_memory)
        return -1;
    *ret_documents = out;
    return (int)b->document_count;
}

int yaml_parse(const char *text, size_t size, const char *file, struct arena *arena,
               struct diag_list *diags, struct yaml_document **ret_documents) {
    size_t mark = text_byte_order_mark(text, size); /* it takes no column */
    struct builder b = {.arena = arena, .diags = diags, .text = text + mark, .size = size - mark};
    b.file = arena_strdup(arena, file ? file : "");
    yaml_parser_t parser;
    if (!b.file || !yaml_parser_initialize(&parser))
        return -1;
    if (b.size > YAML_BYTES_MAX) {
        diag_add(diags, DIAG_ERROR, (struct diag_place){b.file, 0, 0}, "yaml-limit",
                 "larger than %d MiB", YAML_BYTES_MAX >> 20);
    } else {
        yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&parser, (const unsigned char *)b.text, b.size);
        parse_events(&b, &parser);
    }
    yaml_parser_delete(&parser);
    return finish(&b, ret_documents);
}

/* ---- what stands before an error ---- */

/* UINT32_MAX: there is none. Where findings were not kept any more, the first line. */
static uint32_t first_error_line(const struct diag_list *diags, size_t found) {
    uint32_t line = diag_count(diags) == DIAG_COUNT_MAX ? 1 : UINT32_MAX;
    for (size_t i = found; i < diag_count(diags); i++) {
        const struct diag *d = diag_at(diags, i);
        if (d->severity == DIAG_ERROR && d->line < line)
            line = d->line;
    }
    return line;
}

/* The last line up to `line` that begins with "---"; 0: none does. */
static uint32_t separator_before(const char *text, size_t size, uint32_t line) {
    const char *at = text, *end = text + size;
    uint32_t found = 0;
    for (uint32_t number = 1; at && at < end && number <= line; number++) {
        if (end - at >= 3 && memcmp(at, "---", 3) == 0)
            found = number;
        at = memchr(at, '\n', (size_t)(end - at));
        at = at ? at + 1 : NULL;
    }
    return found;
}

size_t yaml_sound_documents(const char *text, size_t size, const struct yaml_document *documents,
                            size_t count, const struct diag_list *diags, size_t found) {
    uint32_t error = first_error_line(diags, found);
    size_t sound = 0;
    if (error == UINT32_MAX)
        return count;
    uint32_t separator = separator_before(text, size, error);
    while (sound < count && documents[sound].root->line < separator)
        sound++;
    return sound;
}
