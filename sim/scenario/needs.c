/*
 * What a run needs of the host, counted from its plan before anything is built.
 */
#include "engine.h"

struct lab_needs engine_needs(const struct engine *e) {
    const struct oracle_session *sessions = NULL;
    struct lab_needs n = {
        .hosts = e->count,
        .sessions = oracle_sessions(e->state->oracle, &sessions),
        .ipv6 = e->ipv6,
        .routed = e->routed,
        .capture = true,
    };
    for (uint32_t i = 0; i < e->count; i++) {
        struct oracle_totals t = oracle_totals(e->state->oracle, i);
        const struct bgp_config *c = e->state->configs[i];
        n.routes += (size_t)(t.loc_rib[0] + t.loc_rib[1]);
        for (uint32_t k = 0; c && k < c->peer_count; k++)
            n.password |= c->peers[k].password != NULL;
        if (c && c->peer_count > n.sockets_per_speaker_max)
            n.sockets_per_speaker_max = c->peer_count;
    }
    return n;
}
