/* Any text as a selector: it parses or has an error inside the text, and evaluation ends. */
#include "../../speaker/base/arena.h"
#include "../../speaker/base/fuzz.h"
#include "resources.h"
#include "selector.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct calico_label labels[] = {{"a", ""}, {"rack", "rack-1"}};
    struct arena *arena = arena_new();
    const char *text = arena_strndup(arena, (const char *)data, size);
    struct selector_error error = {0};
    const struct selector *s = selector_parse(text, arena, &error);
    if (s) {
        bool first = selector_matches(s, labels, 2);
        assert(first == selector_matches(s, labels, 2));
        selector_uses_global(s);
        selector_matches(s, NULL, 0);
    } else {
        assert(error.message && error.offset <= strlen(text));
    }
    arena_free(arena);
    return 0;
}

static const struct fuzz_seed seeds[] = {
    FUZZ_SEED("rack == 'rack-1' && !has(x) || (a in {'b', \"c\"} && d not in {})"),
    FUZZ_SEED("all() || global() && a contains 'b' && c starts with 'd' && e ends with 'f'"),
    FUZZ_SEED("!!(a != 'b')"),
};
static const char *const words[] = {"==", "!=",   "&&",   "||",    "!",        "(",
                                    ")",  "{",    "}",    "'",     "\"",       "has(",
                                    "in", "not ", "all(", "start", "endswith", "contains"};

FUZZ_MAIN_WORDS(seeds, words)
