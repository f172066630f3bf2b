/*
 * Any bytes into the YAML reader, and the tree it makes checked.
 *
 * Checked besides the absence of crashes: every node has a place and its children, nothing is
 * deeper than the limit, and a text without findings parses the same way twice.
 */

#include "yaml.h"
#include "yaml_limits.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/fuzz.h"
#include "../../speaker/base/hash.h"

#include <assert.h>
#include <string.h>

/* At most YAML_DEPTH_MAX deep; that is what is asserted. Returns a hash of the shape. */
static uint64_t check_node(const struct yaml_node *n, unsigned depth) {
    assert(depth <= YAML_DEPTH_MAX);
    assert(n->line >= 1 && n->column >= 1 && n->file && n->text);
    uint64_t hash = hash_mix(hash_bytes(n->text, strlen(n->text), (uint64_t)n->kind), n->count);
    for (uint32_t i = 0; i < n->count; i++) {
        assert(n->kind == YAML_SEQUENCE || n->kind == YAML_MAPPING);
        if (n->kind == YAML_MAPPING)
            hash = hash_mix(hash, check_node(n->keys[i], depth + 1));
        hash = hash_mix(hash, check_node(n->items[i], depth + 1));
    }
    return hash;
}

static uint64_t parse_once(const uint8_t *data, size_t size) {
    static const struct yaml_parameter parameters[] = {{"n", "10"}, {"name", "x y"}};
    struct arena *arena = arena_new();
    struct diag_list *diags = diag_list_new();
    struct yaml_document *documents = NULL;
    uint64_t hash = 0;
    int count = yaml_parse((const char *)data, size, "fuzz", arena, diags, &documents);
    assert(count >= 0);
    for (int i = 0; i < count; i++) {
        uint64_t ns;
        hash = hash_mix(hash, check_node(documents[i].root, 0));
        (void)yaml_substitute(documents[i].root, parameters, 2, arena, diags);
        (void)yaml_duration(documents[i].root, "root", diags, &ns);
        hash = hash_mix(hash, check_node(documents[i].root, 0));
    }
    hash = hash_mix(hash, diag_count(diags));
    diag_list_free(diags);
    arena_free(arena);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint64_t first = parse_once(data, size);
    assert(parse_once(data, size) == first);
    return 0;
}

static const struct fuzz_seed seeds[] = {
    FUZZ_SEED("kind: BGPPeer\nmetadata:\n  name: a\nspec:\n  peerIP: 1.2.3.4\n"),
    FUZZ_SEED("a: [1, {b: \"c\\n\"}, 'd', ~]\n---\n- |\n  text\n- >-\n  folded\n"),
    FUZZ_SEED("{\"a\": [true, null, 1e3], \"b\": {}}"),
    FUZZ_SEED("? k\n: v\n\"${n}\": $${x} ${name}\n"),
    FUZZ_SEED("x: &a 1\ny: *a\n<<: *a\n!!str z: !t 1\n"),
    FUZZ_SEED("- {repeat: 3, as: r, each: {a: \"${r}${n}\"}}\n- repeat: 2\n  each: [b, c]\n"),
    FUZZ_SEED("%YAML 1.1\n---\na: 1\n...\n"),
};
static const char *const words[] = {
    ":",   "-",       "?",    "[",        "]",        "{",      "}",    ",",     "&a ",   "*a",
    "!t ", "|\n",     ">-",   "'",        "\"",       "%",      "@",    "`",     "#",     "  ",
    "\n",  "\t",      "~",    "<<: *a\n", "\\",       "\xff",   "\xc3", "---\n", "...\n", "${n}",
    "$${", "${name}", "null", "1e3",      "repeat: ", "each: ", "as: ",
};

FUZZ_MAIN_WORDS(seeds, words)
