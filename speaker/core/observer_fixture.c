/* The observer: a session in good order, and the view it builds of what the speaker says. */
#include "observer_fixture.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define OWN_ADDR UINT32_C(0x0A000001)
#define OBSERVER_ADDR UINT32_C(0x0A0000C8) /* 10.0.0.200 */

void observer_config(struct bgp_peer_config *p, enum bgp_profile profile, uint32_t local_as) {
    bgp_peer_config_init(p, profile);
    snprintf(p->name, sizeof p->name, "observer");
    p->remote_addr = ip4(OBSERVER_ADDR);
    p->remote_as = local_as;
    p->rr_client = p->passive = true;
    p->send_communities = p->send_ext_communities = true;
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        p->families[f] = true;
        p->import[f].accept_by_default = p->export[f].accept_by_default = true;
    }
}

void observer_start(struct observer *o, struct bgp_speaker *s, uint32_t local_as,
                    struct nanotime now) {
    const struct bgp_endpoint remote = {ip4(OBSERVER_ADDR), 5000},
                              local = {ip4(OWN_ADDR), BGP_PORT};
    const struct bgp_open open = {.asn = local_as,
                                  .hold_time_s = 0,
                                  .router_id = OBSERVER_ADDR,
                                  .has_capabilities = true,
                                  .mp_present = true,
                                  .families = {true, true},
                                  .refresh = true,
                                  .as4 = true};
    uint8_t message[512];
    struct bgp_reject reject;
    *o = (struct observer){.s = s,
                           .addr = remote.addr,
                           .keeps_view = true,
                           .session = {.as4 = true, .families = {true, true}, .observer = true}};
    enum bgp_status status = bgp_conn_accept(s, remote, local, now, &o->conn, &reject);
    assert(status == BGP_OK);
    bgp_conn_receive(s, o->conn, message, open_encode(&open, message, sizeof message), now);
    bgp_conn_receive(s, o->conn, message, keepalive_encode(message, sizeof message), now);
}

void observer_event(struct observer *o, const struct bgp_event *e) {
    if (e->kind == BGP_EVENT_STATE) {
        const struct bgp_neighbor *p = bgp_peer_config(o->s, e->peer);
        if (p && ip_equal(p->remote_addr, o->addr)) {
            o->lost |= o->up && e->state.new_state != BGP_ESTABLISHED;
            o->up = e->state.new_state == BGP_ESTABLISHED;
        }
    }
}

static void message_in(struct observer *o, const uint8_t *message, size_t size) {
    struct model_update u;
    assert(!o->up || message[18] != BGP_MSG_NOTIFICATION);
    if (message[18] != BGP_MSG_UPDATE) {
        return;
    }
    o->updates++;
    model_read(&o->session, message, size, &u);
    assert(u.outcome == BGP_OUTCOME_OK);
    if (o->keeps_view) {
        model_apply(&o->view, &o->session, &u);
    }
}

static void octets_in(struct observer *o, const uint8_t *data, size_t size) {
    while (size > 0) {
        size_t want = BGP_HEADER_SIZE;
        if (o->rest_size >= BGP_HEADER_SIZE) {
            want = (size_t)o->rest[16] << 8 | o->rest[17];
        }
        assert(want >= BGP_HEADER_SIZE && want <= sizeof o->rest);
        size_t step = want - o->rest_size < size ? want - o->rest_size : size;
        memcpy(o->rest + o->rest_size, data, step);
        o->rest_size += step;
        data += step;
        size -= step;
        if (o->rest_size >= BGP_HEADER_SIZE &&
            o->rest_size == ((size_t)o->rest[16] << 8 | o->rest[17])) {
            message_in(o, o->rest, o->rest_size);
            o->rest_size = 0;
        }
    }
}

void observer_run(struct observer *o, struct nanotime now) {
    struct bgp_part part;
    while (bgp_conn_pull(o->s, o->conn, &part, 1, now) > 0) {
        octets_in(o, part.data, part.size);
        bgp_conn_sent(o->s, o->conn, part.size, now);
    }
}

void observer_end(struct observer *o) {
    model_table_free(&o->view);
}
