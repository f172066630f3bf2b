#ifndef RIBCAGE_CONFIG_ATTR_WORDS_H
#define RIBCAGE_CONFIG_ATTR_WORDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct attr_values;
struct text;

/* What `announce` says of a route, pairs of a word and its value, into the members of an origin
 * (config/config_fields.c). False: *ret_error, to which it is appended, says what is wrong. */
bool attr_words_put(json_t *route, char *const *words, int count, struct text *ret_error);

/* All of `v` but NEXT_HOP, and ORIGIN only `with_origin`, as the route's `attributes`. False: they
 * are too long for any message (RFC 8654), or memory is out. */
bool attr_words_put_values(json_t *route, const struct attr_values *v, bool with_origin);

/* The words that become `attributes`, not members of the route, from 0; NULL: there are no more. */
const char *attr_words_name(size_t index);

/* The words, for the help. */
#define ATTR_WORDS_HELP                                                                             \
    "[origin WORD] [med N] [next-hop A] [as-path P] [local-pref N] [communities C,…]\n"           \
    "    [large-communities C,…] [ext-communities HEX,…] [aggregator AS:ID] [atomic-aggregate " \
    "yes]\n    [originator-id ID] [cluster-list ID,…] [unknown CODE:FLAGS:HEX]"

#endif
