#ifndef RIBCAGE_CALICO_PLAN_BIRD_H
#define RIBCAGE_CALICO_PLAN_BIRD_H

#include "plan.h"

/*
 * What confd hands to BIRD: a node's bird.cfg (IPv4) or bird6.cfg (IPv6), in one file each; what
 * Calico keeps in bird_ipam.cfg and bird_aggr.cfg stands inlined.
 *
 * Stock BIRD 1.6 reads it and peers as planned. Calico's own build adds `krt_tunnel`; where a file
 * would need that, a comment says so instead. What BIRD would refuse (an AS of 0, two neighbours of
 * one name, an empty prefix range, a quote in a password) is written down as it is, so that BIRD
 * refuses it here as well. Passwords stand in clear text, as in Calico's own file.
 */

/* Appends the file of one family; a family the node has no address of gets no BGP section, as with
 * Calico. False: out of memory. */
bool calico_plan_bird(const struct calico_plan *p, const struct calico_plan_node *n,
                      enum bgp_family family, struct text *out);

/* "bird.cfg" or "bird6.cfg". */
const char *calico_bird_file_name(enum bgp_family family);

#endif
