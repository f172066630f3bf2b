#ifndef RIBCAGE_CALICO_ENVIRONMENT_H
#define RIBCAGE_CALICO_ENVIRONMENT_H

#include "../../speaker/base/addr.h"

#include <stdbool.h>
#include <stddef.h>

struct calico_plan_options;

#define CALICO_CLUSTER_IPS_MAX 16
#define CALICO_NAMESPACE_MAX 63 /* a DNS-1123 label */

/* What calico-node's environment says beside the resources, the same on every node. All zero: no
 * variable is set. */
struct calico_environment {
    char router_id[16]; /* CALICO_ROUTER_ID: an IPv4 address or "hash"; "": not set */
    bool use_pod_cidr;  /* USE_POD_CIDR */
    struct ip_prefix cluster_ips[CALICO_CLUSTER_IPS_MAX]; /* CALICO_ADVERTISE_CLUSTER_IPS */
    size_t cluster_ip_count;
    char name_space[CALICO_NAMESPACE_MAX +
                    1]; /* NAMESPACE: where Secrets are looked for; "": not set */
};

/* Sets one variable. NULL, or what is wrong with it (then nothing is set). */
const char *calico_environment_set(struct calico_environment *e, const char *name,
                                   const char *value);
/* Into the options, which keep pointing into `e`. */
void calico_environment_apply(const struct calico_environment *e, struct calico_plan_options *o);

#endif
