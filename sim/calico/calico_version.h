#ifndef RIBCAGE_CALICO_VERSION_H
#define RIBCAGE_CALICO_VERSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Which Calico is meant. A version is one number: major * 10000 + minor * 100 + patch; a version
 * given without its patch level is the newest of its minor one. 0 stands for today's Calico.
 */

#define CALICO_VERSION(major, minor, patch) ((uint32_t)((major)*10000 + (minor)*100 + (patch)))
#define CALICO_VERSION_PATCH_NEWEST 99
#define CALICO_VERSION_OLDEST CALICO_VERSION(3, 22, 0)
#define CALICO_VERSION_TODAY CALICO_VERSION(3, 34, 0) /* in development */
#define CALICO_VERSION_TEXT_MAX 16

/* "v3.28", "3.28", "v3.30.2". False: not that form, or outside OLDEST..TODAY. */
bool calico_version_parse(const char *text, uint32_t *ret_version);
/* "v3.28", "v3.30.2". Returns the buffer. */
const char *calico_version_format(uint32_t version, char text[CALICO_VERSION_TEXT_MAX]);

/* programClusterRoutes: which routes of pools BIRD (and not Felix) writes to the kernel. */
enum calico_program_routes {
    CALICO_PROGRAM_NONE,
    CALICO_PROGRAM_NO_ENCAP,
    CALICO_PROGRAM_IPIP,
    CALICO_PROGRAM_ALL,
};

/* The rules on which versions differ. */
struct calico_rules {
    /* v3.31 and before: a mesh neighbour without asNumber has the global AS; since v3.32 ours. */
    bool mesh_peer_global_as;
    enum calico_program_routes program_routes; /* where BGPConfiguration does not say */
    bool priorities;           /* since v3.32: metric <-> local preference, preference 200 */
    bool lb_aggregation;       /* since v3.31: serviceLoadBalancerAggregation is heeded */
    bool reflector_external;   /* since v3.33: reflectors pass on external service ranges */
    bool status_headings_left; /* since v3.33: `node status` with left headings, no wrapping */
};
struct calico_rules calico_rules_of(uint32_t version);

/* Since when a field exists, by "Kind.field"; 0: in every version known here. */
uint32_t calico_field_since(const char *field);
/* All fields that came after CALICO_VERSION_OLDEST, for who checks manifests against a version. */
struct calico_field {
    const char *name; /* "BGPPeer.localASNumber" */
    uint32_t since;
};
extern const struct calico_field calico_fields[];
extern const size_t calico_field_count;

#endif
