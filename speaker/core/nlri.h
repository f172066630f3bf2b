#ifndef RIBCAGE_CORE_NLRI_H
#define RIBCAGE_CORE_NLRI_H

#include "message.h"

/*
 * Prefix lists inside messages (RFC 4271 4.3, 4760 5). The public part is in message.h.
 */

/* Octets of a path identifier. */
#define NLRI_PATH_ID_SIZE 4u
/* Does a list of this family have only whole prefixes with possible lengths? `add_path`: each has a
 * path identifier before it (RFC 7911 3). */
bool nlri_valid(enum bgp_family family, bool add_path, const uint8_t *data, size_t size);

/* No destination of unicast (RFC 4271 6.3: a semantic error, which concerns that prefix only). */
bool nlri_is_martian(const struct ip_prefix *p);

#endif
