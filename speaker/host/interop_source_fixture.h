#ifndef RIBCAGE_HOST_INTEROP_SOURCE_FIXTURE_H
#define RIBCAGE_HOST_INTEROP_SOURCE_FIXTURE_H

#include <stdint.h>

/*
 * An external peer that is this test itself: it calls, says OPEN, announces one route as written
 * here octet by octet, and stays silent. Its hold time is longer than any test.
 *
 * 10.9.0.0/24 and fd09::/64 are announced by sources on the nodes 2 and 3. The first has every
 * attribute that an external peer may send, the second few.
 */

#define SOURCE_NODE 2 /* of the first */
#define SOURCE_AS(node) (65075u + (uint32_t)(node))
/* The first's attributes in the lines of interop_fixture.h, without next hop and LOCAL_PREF. */
#define SOURCE_AS_PATH "65077 4200000077 {65101,65102}"
#define SOURCE_SECOND_AS_PATH "65078 65101"
#define SOURCE_TAIL                                                                                \
    "communities=65077:1 large=65077:1:2 ext=rt:65077:100 aggregator=4200000009:10.0.9.9 atomic"
#define SOURCE_UNKNOWN " unknown=213:cafe"

const char *source_prefix(int family);
/* Calls a node from another one in the family, until it takes the call, and announces. A
 * descriptor: the session ends when it is closed. */
int source_start(int node, int to, int family);

#endif
