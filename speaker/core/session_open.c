/*
 * OPEN messages: what ours says, and what we answer to theirs.
 *
 * Leaves to open_decode what is damaged in the bytes; here an intact OPEN meets the
 * configuration. RFC 4271 6.2, 5492 (capabilities, retry without), 6286 2 (identifiers), 6793 (AS
 * numbers), 4724 3 and 8538 2 (restart), 7607 (AS 0), 8654, 8950, 9234 4 (roles).
 *
 * The order of checks is that of 6.2, so that of several errors the same one is always reported.
 */
#include "session.h"

#include "listen.h"

static bool is_other_member(const struct bgp_config *c, uint32_t asn) {
    for (uint32_t i = 0; c->confederation_id && i < c->confederation_member_count; i++) {
        if (c->confederation_members[i] == asn)
            return asn != c->local_as;
    }
    return false;
}

bool session_is_confed(const struct bgp_speaker *s, const struct peer *p) {
    return is_other_member(s->config, p->config->remote_as);
}

/* RFC 5065 4: outside, the confederation is the AS. */
static uint32_t local_as_for(const struct bgp_speaker *s, const struct peer *p,
                             uint32_t remote_as) {
    const struct bgp_config *c = s->config;
    if (p->config->options->local_as)
        return p->config->options->local_as;
    bool inside = remote_as == c->local_as || is_other_member(c, remote_as);
    return c->confederation_id && !inside ? c->confederation_id : c->local_as;
}

uint32_t session_local_as(const struct bgp_speaker *s, const struct peer *p) {
    return local_as_for(s, p, p->config->remote_as);
}

uint16_t session_hold_time(const struct bgp_speaker *s, const struct peer *p) {
    if (p->config->options->hold_time_set)
        return p->config->options->hold_time_s;
    if (s->config->hold_time_set)
        return s->config->hold_time_s;
    return s->profile->hold_time_s;
}

static void offer_restart(const struct bgp_speaker *s, const struct peer *p, struct bgp_open *o) {
    o->gr = p->config->options->graceful_restart != BGP_GR_OFF;
    o->gr_time_s = p->config->options->restart_time_s ? p->config->options->restart_time_s
                                                      : s->profile->restart_time_s;
    if (o->gr_time_s > 4095)
        o->gr_time_s = 4095;                              /* twelve bits on the wire */
    bool restarting = s->restarting && s->env.restarting; /* not only waiting for tables */
    o->gr_restarting = o->gr && restarting;
    o->gr_notification = o->gr && p->config->options->gr_notification;
    if (p->config->options->graceful_restart != BGP_GR_FULL)
        return;
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        o->gr_families[f].present = p->config->options->families[f];
        o->gr_families[f].forwarding = p->config->options->families[f] && restarting;
    }
}

static uint8_t offer_add_path(const struct peer *p, enum bgp_family f) {
    if (!p->config->options->families[f])
        return BGP_ADD_PATH_NONE;
    return (uint8_t)((p->config->options->add_path_receive[f] ? BGP_ADD_PATH_RECEIVE : 0) |
                     (p->config->options->add_path_send[f] ? BGP_ADD_PATH_SEND : 0));
}

/* RFC 7911 4: a direction is used where its sender can send and its receiver can receive. */
uint8_t session_add_path(const struct peer *p, const struct bgp_open *open, enum bgp_family f) {
    uint8_t ours = p->no_capabilities ? BGP_ADD_PATH_NONE : offer_add_path(p, f);
    uint8_t theirs = open->add_path[f];
    return (uint8_t)((ours & BGP_ADD_PATH_RECEIVE && theirs & BGP_ADD_PATH_SEND
                          ? BGP_ADD_PATH_RECEIVE
                          : 0) |
                     (ours & BGP_ADD_PATH_SEND && theirs & BGP_ADD_PATH_RECEIVE ? BGP_ADD_PATH_SEND
                                                                                : 0));
}

void session_open_make(const struct bgp_speaker *s, const struct peer *p,
                       struct bgp_open *ret_open) {
    struct bgp_open o = {
        .asn = session_local_as(s, p),
        .hold_time_s = session_hold_time(s, p),
        .router_id = s->router_id,
    };
    if (!p->no_capabilities) {
        o.has_capabilities = true;
        o.mp_present = true;
        for (unsigned f = 0; f < BGP_FAMILIES; f++) {
            o.families[f] = p->config->options->families[f];
            o.add_path[f] = offer_add_path(p, (enum bgp_family)f);
        }
        o.refresh = true;
        o.refresh_old = s->profile->send_refresh_old; /* IOS: 128 beside 2 */
        o.enhanced_refresh = s->profile->send_enhanced_refresh;
        o.as4 = true;
        o.one_capability_per_parameter = s->profile->one_capability_per_parameter;
        o.extended_message = p->config->options->extended_messages;
        o.extended_next_hop = p->config->options->extended_next_hop;
        o.role = (uint8_t)p->config->options->role;
        offer_restart(s, p, &o);
    }
    *ret_open = o;
}

static bool refuse(struct bgp_error *e, uint8_t subcode, const uint8_t *data, uint16_t size) {
    *e = (struct bgp_error){.code = BGP_ERR_OPEN, .subcode = subcode, .size = size};
    for (uint16_t i = 0; i < size; i++)
        e->data[i] = data[i];
    return false;
}

/* The families we need, as capabilities (RFC 5492 5). */
static bool refuse_families(const struct bgp_speaker *s, const struct peer *p,
                            struct bgp_error *e) {
    uint8_t data[6 * BGP_FAMILIES];
    uint16_t size = 0;
    if (s->config->profile == BGP_PROFILE_IOS) /* IOS: 2/8 with three zero octets */
        return refuse(e, 8, (const uint8_t[3]){0}, 3);
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        if (!p->config->options->families[f])
            continue;
        const uint8_t capability[6] = {1, 4, 0, (uint8_t)family_afi((enum bgp_family)f), 0, 1};
        for (unsigned i = 0; i < sizeof capability; i++)
            data[size++] = capability[i];
    }
    return refuse(e, BGP_OPEN_ERR_CAPABILITY, data, size);
}

/* RFC 9234 4.2: provider and customer, route server and its client, peer and peer. Whoever says two
 * different ones is refused by those without a role, too. */
static bool role_agrees(const struct bgp_peer_options *c, const struct bgp_open *open) {
    static const uint8_t opposite[BGP_ROLES] = {
        [BGP_ROLE_PROVIDER] = BGP_ROLE_CUSTOMER, [BGP_ROLE_CUSTOMER] = BGP_ROLE_PROVIDER,
        [BGP_ROLE_RS] = BGP_ROLE_RS_CLIENT,      [BGP_ROLE_RS_CLIENT] = BGP_ROLE_RS,
        [BGP_ROLE_PEER] = BGP_ROLE_PEER,
    };
    if (open->role_conflict)
        return false;
    if (c->role == BGP_ROLE_NONE)
        return true;
    if (open->role == BGP_ROLE_NONE)
        return !c->role_strict;
    return open->role == opposite[c->role];
}

/* Every family of ours in theirs, or any of them. */
static bool families_agree(const struct bgp_peer_options *c, const struct bgp_open *open) {
    bool any = false, all = true;
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        bool theirs = open->mp_present ? open->families[f] : f == BGP_IPV4_UNICAST;
        any = any || (c->families[f] && theirs);
        all = all && (!c->families[f] || theirs);
    }
    return c->strict_families ? all : any;
}

bool session_open_accept(const struct bgp_speaker *s, const struct peer *p,
                         const struct bgp_open *open, struct bgp_error *ret_error) {
    const struct bgp_peer_options *c = p->config->options;
    uint32_t remote_as = listen_remote_as(p, open->asn);
    if (open->asn != remote_as || open->asn == 0) {
        uint16_t as2 = (uint16_t)(open->asn > UINT16_MAX ? AS_TRANS : open->asn);
        return refuse(ret_error, BGP_OPEN_ERR_PEER_AS,
                      (const uint8_t[2]){(uint8_t)(as2 >> 8), (uint8_t)as2}, 2);
    }
    bool internal = local_as_for(s, p, remote_as) == remote_as;
    if (open->router_id == 0 || (internal && open->router_id == s->router_id)) {
        uint32_t id = open->router_id;
        const uint8_t data[4] = {(uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8),
                                 (uint8_t)id};
        return refuse(ret_error, BGP_OPEN_ERR_IDENTIFIER, data, 4);
    }
    if (open->hold_time_s == 1 || open->hold_time_s == 2 || open->hold_time_s < c->hold_time_min_s)
        return refuse(ret_error, BGP_OPEN_ERR_HOLD_TIME, NULL, 0);
    if (!role_agrees(c, open))
        return refuse(ret_error, BGP_OPEN_ERR_ROLE, NULL, 0);
    return families_agree(c, open) || refuse_families(s, p, ret_error);
}
