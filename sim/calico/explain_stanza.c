/*
 * Owns what the fields of one session come from: AS numbers, source address, who dials, reflection,
 * password, TTL, next hop, filters, each with the resource that says so.
 */
#include "explain_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct reasons {
    struct explain *x;
    const struct calico_session *s;
    const struct calico_bgp_peer *origin; /* NULL: the mesh */
    json_t *list;
};

static void because(struct reasons *r, const char *field, struct diag_place place,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

static void because(struct reasons *r, const char *field, struct diag_place place,
                    const char *format, ...) {
    char text[512];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    json_t *o = json_pack("{s:s,s:s,s:o,s:o}", "field", field, "text", text, "file",
                          place.file && *place.file ? json_string(place.file) : json_null(), "line",
                          place.line ? json_integer(place.line) : json_null());
    r->x->failed |= json_array_append_new(r->list, o) != 0;
}

static struct diag_place config_place(const struct reasons *r) {
    const struct calico_bgp_configuration *c = explain_config(r->x);
    return c ? c->place : (struct diag_place){0};
}

static struct diag_place origin_place(const struct reasons *r) {
    return r->origin ? r->origin->place : config_place(r);
}

/* ---- AS numbers ---- */

static void global_as(struct reasons *r, const char *field, uint32_t as, const char *who) {
    const struct calico_bgp_configuration *c = explain_config(r->x);
    if (c && c->as_number)
        because(r, field, c->place, "%u: %s has no asNumber of its own; this is the cluster's", as,
                who);
    else
        because(r, field, (struct diag_place){0},
                "%u: %s has no asNumber of its own, the cluster sets none: Calico's default", as,
                who);
}

static void explain_peer_as(struct reasons *r) {
    const struct calico_session *s = r->s;
    const struct calico_plan_node *peer = r->x->peer;
    bool own = peer && peer->node->as_number;
    if (r->origin && (r->origin->has_peer_ip || r->origin->local_workload_selector) &&
        !s->reverse) {
        if (r->origin->as_number)
            because(r, "peerAS", r->origin->place, "%u: asNumber of the BGPPeer", s->peer_as);
        else
            because(r, "peerAS", r->origin->place,
                    "0: the BGPPeer has peerIP without asNumber; BIRD refuses the whole file");
    } else if (own) {
        because(r, "peerAS", peer->node->place, "%u: the peer node's own asNumber", s->peer_as);
    } else if (!r->origin && !r->x->plan->rules.mesh_peer_global_as) {
        because(r, "peerAS", (struct diag_place){0},
                "%u: the peer node has no asNumber, so this node expects its own", s->peer_as);
    } else {
        global_as(r, "peerAS", s->peer_as, "the peer node");
    }
}

static void explain_local_as(struct reasons *r) {
    const struct calico_session *s = r->s;
    if (s->local_as_override)
        because(r, "localAS", r->origin->place, "%u: localASNumber of the BGPPeer", s->local_as);
    else if (r->x->node->node->as_number)
        because(r, "localAS", r->x->node->node->place, "%u: the node's own asNumber", s->local_as);
    else
        global_as(r, "localAS", s->local_as, "the node");
}

/* ---- who dials ---- */

/* Only where Calico compares addresses does the smaller one wait. */
static bool compares_addresses(const struct reasons *r) {
    const struct calico_session *s = r->s;
    return s->kind == CALICO_MESH ||
           (s->kind == CALICO_GLOBAL && s->peer_node && r->origin->has_peer_ip);
}

static void explain_passive(struct reasons *r) {
    const struct calico_session *s = r->s;
    char mine[IP_ADDR_TEXT_MAX], theirs[IP_ADDR_TEXT_MAX];
    struct diag_place nowhere = {0};
    ip_format(plan_addr(r->x->node->node, (int)s->family), mine);
    ip_format(s->neighbor, theirs);
    if (s->kind == CALICO_LOCAL_WORKLOAD)
        because(r, "passive", nowhere, "yes: a workload always dials");
    else if (s->passive)
        because(r, "passive", nowhere,
                "yes: \"%s\" is the larger text beside \"%s\", and the larger one dials", theirs,
                mine);
    else if (compares_addresses(r))
        because(r, "passive", nowhere, "no: \"%s\" is the larger text beside \"%s\"", mine, theirs);
    else
        because(r, "passive", nowhere, "no: %s always dial",
                !s->peer_node              ? "peers outside the cluster"
                : s->kind == CALICO_GLOBAL ? "both ends of a peerSelector"
                                           : "node specific peers");
}

/* ---- the rest ---- */

static void explain_reflection(struct reasons *r) {
    const struct calico_node *n = r->x->node->node;
    char id[IP_ADDR_TEXT_MAX];
    if (!n->has_cluster_id)
        return;
    ip_format(n->cluster_id, id);
    if (r->s->rr_client)
        because(r, "rrClient", n->place,
                "yes: the node has cluster id %s, the peer has its AS and is not known to have the "
                "same cluster id",
                id);
    else
        because(r, "rrClient", n->place, "no: %s",
                r->s->internal ? "the peer has the same cluster id" : "the peer has another AS");
}

static void explain_password(struct reasons *r) {
    const struct calico_bgp_configuration *c = explain_config(r->x);
    const struct calico_secret_ref *ref = r->origin ? &r->origin->password
                                          : c       ? &c->mesh_password
                                                    : NULL;
    if (!ref || !ref->name)
        return;
    if (r->s->kind == CALICO_LOCAL_WORKLOAD)
        because(r, "password", origin_place(r), "none: a workload's session never has one");
    else if (r->s->password_state == CALICO_PASSWORD_MISSING)
        because(r, "password", origin_place(r),
                "missing: Secret %s has no key %s where calico-node looks; the session is made "
                "without a password",
                ref->name, ref->key);
    else
        because(r, "password", origin_place(r), "present: key %s of Secret %s", ref->key,
                ref->name);
}

static void explain_address(struct reasons *r) {
    char a[IP_ADDR_TEXT_MAX];
    if (ip_is_set(r->s->source_address))
        because(r, "sourceAddress", r->x->node->node->place, "%s: the node's own address",
                ip_format(r->s->source_address, a));
    else
        because(r, "sourceAddress", origin_place(r), "none: %s",
                r->s->kind == CALICO_LOCAL_WORKLOAD ? "a workload's session"
                                                    : "sourceAddress None");
    if (r->s->ttl_security)
        because(r, "ttlSecurity", origin_place(r), "%u hops: both ends need it",
                r->s->ttl_security);
    if (r->s->next_hop == CALICO_NEXT_HOP_SELF)
        because(r, "nextHop", origin_place(r), "self: nextHopMode");
    if (r->s->next_hop == CALICO_NEXT_HOP_KEEP)
        because(r, "nextHop", origin_place(r), "keep: %s",
                r->origin && r->origin->next_hop_mode == CALICO_NEXT_HOP_UNSET
                    ? "keepOriginalNextHop, as the AS differs"
                    : "nextHopMode");
}

static void explain_filter(struct reasons *r, size_t i) {
    struct diag_place place =
        r->origin->filter_places ? r->origin->filter_places[i] : origin_place(r);
    const char *name = r->origin->filters[i];
    const struct calico_bgp_filter *f = calico_filter_find(r->x->plan->set, name);
    int family = (int)r->s->family;
    if (!f)
        because(r, "filters", place, "%s: there is no such BGPFilter; it is skipped", name);
    else
        because(r, "filters", place, "%s: %zu import and %zu export rules for this family", name,
                f->rule_count[0][family], f->rule_count[1][family]);
}

json_t *explain_stanza(struct explain *x, const struct calico_session *s) {
    struct reasons r = {
        .x = x, .s = s, .origin = calico_peer_find(x->plan->set, s->origin), .list = json_array()};
    explain_peer_as(&r);
    explain_local_as(&r);
    explain_address(&r);
    explain_passive(&r);
    explain_reflection(&r);
    explain_password(&r);
    for (size_t i = 0; r.origin && i < r.origin->filter_count; i++)
        explain_filter(&r, i);
    if (!r.origin)
        because(&r, "filters", (struct diag_place){0}, "none: no BGPFilter applies to the mesh");
    return r.list;
}
