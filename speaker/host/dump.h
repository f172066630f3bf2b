#ifndef RIBCAGE_HOST_DUMP_H
#define RIBCAGE_HOST_DUMP_H

#include "../base/addr.h"
#include "../core/bgp.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct host;
struct text;
struct dump;

enum dump_table { DUMP_LOC, DUMP_IN, DUMP_OUT, DUMP_FIB, DUMP_ALL /* every path, own ones too */ };

struct dump_request {
    enum dump_table table;
    bool families[BGP_FAMILIES];
    struct ip_prefix prefix; /* with one_prefix */
    bool one_prefix;
    struct bgp_peer_id peer; /* index 0: all (not for DUMP_OUT) */
};

/* The members of an answer up to and with `"routes":[…]}` and a newline, in steps. NULL: out of
 * memory. */
struct dump *dump_new(struct host *h, const struct dump_request *r);
void dump_free(struct dump *d);
struct mrt_table;
/* The same for an MRT file: nothing is said before it is written, then the members of the answer
 * (taken over). NULL: out of memory. */
struct dump *dump_mrt(struct mrt_table *table, json_t *answer);
bool dump_is_silent(const struct dump *d);
/* Appends about `bytes` more. False: it was the last piece. */
bool dump_step(struct dump *d, struct text *out, size_t bytes);

#endif
