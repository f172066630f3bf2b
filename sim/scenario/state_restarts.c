/*
 * What must hold after speakers were started again: as a rule what held before.
 *
 * Owns the question whether it hangs on who was started when. It does where a fault cuts nodes off
 * (a session that was up outlives the cut, a new one does not come up) and where a node has several
 * stanzas for one neighbour (BIRD: the one that ran keeps the lock). Then a whole state is made, as
 * for any change; else the present one goes on, which in a mesh of a thousand saves five seconds of
 * computing for every batch of a roll.
 */
#include "../../speaker/base/hash.h"
#include "../../speaker/base/table.h"
#include "engine.h"

static bool address_equal(const void *context, uint32_t index, const void *key) {
    const struct bgp_config *c = context;
    return ip_equal(c->peers[index - 1].remote_addr, *(const struct ip_addr *)key);
}

/* Several stanzas for one address; also where there is no memory to tell. */
static bool has_rivals(const struct bgp_config *c) {
    struct table seen;
    bool found = false;
    table_init(&seen);
    for (uint32_t i = 0; !found && i < c->peer_count; i++) {
        const struct ip_addr *a = &c->peers[i].remote_addr;
        uint64_t hash = hash_bytes(a, sizeof *a, 0);
        found =
            table_find(&seen, hash, address_equal, c, a) != 0 || !table_insert(&seen, hash, i + 1);
    }
    table_deinit(&seen);
    return found;
}

static bool was_restarted(const struct engine *e, uint32_t node) {
    return e->state->nodes[node].incarnation != e->nodes[node].incarnation;
}

/* Is what holds without these restarts what holds with them? */
static bool goes_on(const struct engine *e) {
    bool same = e->cut_count == 0;
    for (uint32_t i = 0; same && i < e->count; i++) {
        const struct bgp_config *c = e->state->configs[i];
        same =
            e->state->nodes[i].up == e->nodes[i].up && !(c && was_restarted(e, i) && has_rivals(c));
    }
    return same;
}

bool state_restarted(struct engine *e, struct diag_list *diags) {
    if (!goes_on(e))
        return state_replace(e, NULL, diags, NULL);
    for (uint32_t i = 0; i < e->count; i++)
        e->state->nodes[i].incarnation = e->nodes[i].incarnation;
    return true;
}
