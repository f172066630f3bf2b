#ifndef RIBCAGE_SIM_CHECK_ORACLE_COMPARE_FIXTURE_H
#define RIBCAGE_SIM_CHECK_ORACLE_COMPARE_FIXTURE_H

/* Speakers over pipes beside the oracle that judges them: the same sessions, and at every node the
 * same best paths, told to the same neighbours. `what` stands at the head of each failure. */

#include "oracle.h"

#include <stddef.h>
#include <stdint.h>

struct pipe_world;

/* Does the oracle expect the end of `node` with this place among its config's peers to come up? */
bool compare_expects_session(const struct oracle *o, uint32_t node, uint32_t peer);
/* How many ends are up: exactly those the oracle has. */
size_t compare_sessions(const struct oracle *o, const struct oracle_input *in,
                        const struct pipe_world *w, const char *what);
/* How many routes of the family the node has: exactly the oracle's, each with its attributes and
 * the neighbour it came from. */
size_t compare_routes(const struct oracle *o, const struct oracle_input *in,
                      const struct pipe_world *w, uint32_t node, enum bgp_family family,
                      const char *what);
/* How many times the node tells a neighbour one of its best paths: exactly those the oracle would
 * send, but for the default route, which may be made for a neighbour alone. */
size_t compare_sent(struct oracle *o, const struct oracle_input *in, const struct pipe_world *w,
                    uint32_t node, const char *what);

#endif
