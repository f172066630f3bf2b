#ifndef RIBCAGE_YAML_PASTED_H
#define RIBCAGE_YAML_PASTED_H

#include <stddef.h>
#include <stdint.h>

/* What a browser, a chat or a word processor leaves in a text that is pasted from there. */

/* Looks at `line` (from 1) and the few above it, where a syntax error was found: what the nearest
 * of them has that is no YAML, and in *ret_line which. NULL: nothing of that sort. */
const char *yaml_pasted_line(const char *text, size_t size, uint32_t line, uint32_t *ret_line);
/* The name of the space that is no blank with which a text begins ("no-break space U+00A0"), or of
 * a typographic quote; NULL: none. */
const char *yaml_pasted_space(const char *text);
const char *yaml_pasted_quote(const char *text);

#endif
