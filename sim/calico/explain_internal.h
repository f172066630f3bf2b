#ifndef RIBCAGE_CALICO_EXPLAIN_INTERNAL_H
#define RIBCAGE_CALICO_EXPLAIN_INTERNAL_H

#include "../../speaker/base/text.h"
#include "explain.h"
#include "plan_internal.h"

/* An explanation while it is made: explain.c (who is asked about, the whole), explain_rules.c
 * (which rules spoke), explain_stanza.c (what a session's fields come from). */
struct explain {
    const struct calico_plan *plan;
    const struct calico_plan_node *node;
    const struct calico_plan_node *peer; /* NULL: no Calico node */
    struct ip_addr addrs[BGP_FAMILIES];  /* of the peer; not set: none of that family */
    const char *peer_name;               /* as shown */
    json_t *rules;
    bool failed;
};

/* Appends {"family", "rule", "verdict", "text", "file", "line"}. */
void explain_rule(struct explain *x, int family, const char *rule, const char *verdict,
                  struct diag_place place, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

void explain_mesh(struct explain *x, int family);
void explain_peers(struct explain *x, int family);
/* The list "because" of one session; a new reference. */
json_t *explain_stanza(struct explain *x, const struct calico_session *s);

/* The default BGPConfiguration; NULL: none was given. */
static inline const struct calico_bgp_configuration *explain_config(const struct explain *x) {
    return calico_config_find(x->plan->set, "default");
}

#endif
