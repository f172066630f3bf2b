#ifndef RIBCAGE_HOST_CTL_ATTRS_H
#define RIBCAGE_HOST_CTL_ATTRS_H

#include <jansson.h>
#include <stdbool.h>

/* What `announce` says of a route, pairs of a word and its value, into the members of an origin
 * (config/config_fields.c). NULL: done; else the word that is wrong. */
const char *ctl_attrs_put(json_t *route, char *const *words, int count);

/* The words, for the help. */
#define CTL_ATTRS_HELP                                                                              \
    "[origin WORD] [med N] [next-hop A] [as-path P] [local-pref N] [communities C,…]\n"           \
    "    [large-communities C,…] [ext-communities HEX,…] [aggregator AS:ID] [atomic-aggregate " \
    "yes]\n    [originator-id ID] [cluster-list ID,…] [unknown CODE:FLAGS:HEX]"

#endif
