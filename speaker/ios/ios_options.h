#ifndef RIBCAGE_IOS_OPTIONS_H
#define RIBCAGE_IOS_OPTIONS_H

#include "ios_edit.h"
#include "ios_router.h"

/* The options of a neighbour, applied one line at a time. */

/* Names of filters of one family and direction; NULL: none. They point into statements. */
struct ios_filters {
    const char *route_map, *prefix_list, *filter_list, *distribute_list;
};

#define IOS_ADD_PATH_ALL 1u
#define IOS_ADD_PATH_BEST 2u

/* What a neighbour's own lines say of additional paths in one family. */
struct ios_add_path {
    bool said, send, receive; /* additional-paths … */
    bool all;                 /* advertise additional-paths all */
    uint32_t best;            /* … best N; 0: not said */
};

#define IOS_ADVERTISE_MAPS_MAX 32 /* of one neighbour */

/* advertise-map MAP exist-map|non-exist-map EXIST */
struct ios_advertise_map {
    int family;
    const char *map, *exist;
    bool absent; /* non-exist-map */
};

struct ios_neighbor {
    struct bgp_peer_config *peer;
    struct arena *arena;   /* of its texts */
    enum ip_family family; /* of its address */
    const char *update_source;
    bool interval_set[BGP_FAMILIES];
    struct ios_add_path add_path[BGP_FAMILIES];
    struct ios_filters in[BGP_FAMILIES], out[BGP_FAMILIES];
    const char *default_map[BGP_FAMILIES], *unsuppress_map[BGP_FAMILIES]; /* NULL: none */
    struct ios_advertise_map advertise[IOS_ADVERTISE_MAPS_MAX];
    uint32_t advertise_count;
    const struct ios_stmt *advertise_lost; /* one more than there is room for */
};

/* The line's option begins at word `at`. `family`: of the line, -1 for the router level. What a
 * session has one of, whatever the family (send-community, next-hop-self…), the last line sets. */
void ios_option_apply(struct ios_neighbor *n, const struct ios_stmt *s, uint16_t at, int family);

/* A password of type 7 as plain text; what is no such password gives "". */
void ios_password_type7(const char *text, char *out, size_t out_size);
/* A plain password as one of type 7: the same one each time. Appended. */
void ios_put_password_type7(const char *plain, struct text *out);

#endif
