/*
 * The marks of pasting in a text.
 *
 * Owns: which characters and lines these are, and what to do about each. It judges nothing that is
 * YAML: whoever calls has met an error, or knows that a text stands where it makes no sense.
 */

#include "yaml_pasted.h"

#include <stdbool.h>
#include <string.h>

#define LINES_ABOVE 3 /* libyaml notices a line that is no key at a later one */

struct mark {
    const char *octets, *name;
};

static const struct mark spaces[] = {
    {"\xc2\xa0", "no-break space U+00A0"},       {"\xe2\x80\x82", "en space U+2002"},
    {"\xe2\x80\x83", "em space U+2003"},         {"\xe2\x80\x87", "figure space U+2007"},
    {"\xe2\x80\x89", "thin space U+2009"},       {"\xe2\x80\x8b", "zero width space U+200B"},
    {"\xe2\x80\xaf", "no-break space U+202F"},   {"\xe3\x80\x80", "ideographic space U+3000"},
    {"\xef\xbb\xbf", "zero width space U+FEFF"},
};

static const struct mark quotes[] = {
    {"\xe2\x80\x98", "typographic quote U+2018"}, {"\xe2\x80\x99", "typographic quote U+2019"},
    {"\xe2\x80\x9a", "typographic quote U+201A"}, {"\xe2\x80\x9c", "typographic quote U+201C"},
    {"\xe2\x80\x9d", "typographic quote U+201D"}, {"\xe2\x80\x9e", "typographic quote U+201E"},
};

static const struct mark dashes[] = {
    {"\xe2\x80\x93", "en dash"},
    {"\xe2\x80\x94", "em dash"},
    {"\xe2\x80\x95", "horizontal bar"},
    {"\xe2\x88\x92", "minus sign"},
};

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static const struct mark *begins_with(const struct mark *list, size_t count, const char *text,
                                      size_t size) {
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(list[i].octets);
        if (length <= size && memcmp(text, list[i].octets, length) == 0)
            return &list[i];
    }
    return NULL;
}

const char *yaml_pasted_space(const char *text) {
    const struct mark *m = begins_with(spaces, COUNT(spaces), text, strlen(text));
    return m ? m->name : NULL;
}

const char *yaml_pasted_quote(const char *text) {
    const struct mark *m = begins_with(quotes, COUNT(quotes), text, strlen(text));
    return m ? m->name : NULL;
}

/* ---- lines ---- */

struct line {
    const char *text; /* from the first character that is no blank, without blanks behind */
    size_t size;
    size_t indent; /* blanks and tabs before */
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

/* The line that ends at `*end`, which becomes the end of the one above. */
static struct line line_before(const char *text, size_t *end) {
    size_t start = *end, indent = 0;
    while (start > 0 && text[start - 1] != '\n')
        start--;
    size_t stop = *end;
    while (stop > start && is_blank(text[stop - 1]))
        stop--;
    while (start + indent < stop && is_blank(text[start + indent]))
        indent++;
    *end = start;
    return (struct line){text + start + indent, stop - start - indent, indent};
}

static bool is_dashes(const struct line *l) {
    size_t at = 0;
    for (const struct mark *m;
         (m = begins_with(dashes, COUNT(dashes), l->text + at, l->size - at));)
        at += strlen(m->octets);
    while (at > 0 && at < l->size && l->text[at] == '-')
        at++;
    return at > 0 && at == l->size;
}

static const char *judge(const struct line *l) {
    if (l->size >= 3 && memcmp(l->text, "```", 3) == 0)
        return "a line of ``` is Markdown around the text, not YAML: leave it out";
    if (is_dashes(l))
        return "this dash is no \"---\": three hyphens separate the documents of a file";
    if (l->size == 3 && l->indent && memcmp(l->text, "---", 3) == 0)
        return "\"---\" separates documents only at the beginning of its line";
    if (begins_with(spaces, COUNT(spaces), l->text, l->size))
        return "this line is indented with spaces that are no blanks (such as no-break spaces "
               "U+00A0): replace them";
    return NULL;
}

static size_t end_of_line(const char *text, size_t size, uint32_t line) {
    size_t at = 0;
    while (at < size && line > 0) {
        const char *next = memchr(text + at, '\n', size - at);
        at = next ? (size_t)(next - text) + 1 : size + 1;
        line--;
    }
    return at > 0 ? at - 1 : 0;
}

const char *yaml_pasted_line(const char *text, size_t size, uint32_t line, uint32_t *ret_line) {
    size_t end = end_of_line(text, size, line);
    for (uint32_t above = 0; above <= LINES_ABOVE && above < line; above++) {
        struct line l = line_before(text, &end);
        const char *wrong = judge(&l);
        if (wrong) {
            *ret_line = line - above;
            return wrong;
        }
        if (end == 0)
            break;
        end--; /* the line feed */
    }
    return NULL;
}
