#ifndef RIBCAGE_CORE_COMMUNITY_H
#define RIBCAGE_CORE_COMMUNITY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Names of communities in IANA's registry that IOS and Calico have no words for ("blackhole",
 * "no-peer"…), beside those of attr.h: for what people read and write of the stand-alone speaker.
 */

/* NULL: it has no such name. */
const char *community_registered_name(uint32_t community);
/* One of those names, or what community_format (attr.h) writes. */
bool community_parse_word(const char *text, uint32_t *ret_community);

#endif
