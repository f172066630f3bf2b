#ifndef RIBCAGE_IOS_COMPILE_H
#define RIBCAGE_IOS_COMPILE_H

#include "ios_policy.h"

/* One run of the compiler: ios_compile.c, ios_process.c and ios_origin.c share it. */

struct ios_subject;

struct ios_compile {
    struct ios_router *r;
    struct arena *arena;
    struct diag_list *diags;
    struct ios_policies policies;
    struct bgp_config *config;
    const struct ios_block *bgp;
    const struct ios_block *families[BGP_FAMILIES]; /* NULL: no such address family */
    struct ios_subject *subjects;                   /* neighbour lines, sorted by neighbour */
    uint32_t subject_count;
    uint16_t hold_time_min_s; /* of `timers bgp` */
    bool no_memory;
};

/* A finding at a statement (NULL: no place): `text` followed by `detail`. */
void ios_compile_note(struct ios_compile *c, const struct ios_stmt *s, const char *id,
                      const char *text, const char *detail);
uint32_t ios_number(const char *word); /* 0: none */
/* A route-map as the core names it: index + 1, 0: none is named or memory is out. */
uint32_t ios_compile_map(struct ios_compile *c, const char *map);

/* ios_process.c: router id, timers, decision rules, confederation, multipath, dampening. */
void ios_process_compile(struct ios_compile *c);
/* ios_origin.c: network, redistribute, aggregate-address. */
void ios_origins_compile(struct ios_compile *c);
/* Does a policy (index + 1) accept one of the router's connected or static routes? */
bool ios_own_route_accepted(struct ios_compile *c, enum bgp_family f, uint32_t policy);

#endif
