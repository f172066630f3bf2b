#ifndef RIBCAGE_CORE_OBSERVER_FIXTURE_H
#define RIBCAGE_CORE_OBSERVER_FIXTURE_H

#include "bgp.h"
#include "model_fixture.h"

/*
 * A peer that does nothing wrong, for tests and fuzzers of what others do: an internal client whose
 * session must stay, and what it was sent. It calls the speaker, offers a hold time of 0 and reads
 * every message with the model's code; a message that it cannot read, or a loss of the session,
 * fails an assertion.
 */

struct observer {
    struct bgp_speaker *s;
    struct bgp_conn_id conn;
    struct ip_addr addr;
    struct model_session session;
    struct model_table view;
    uint8_t rest[BGP_MESSAGE_SIZE_MAX]; /* of a message that has not come whole */
    size_t rest_size;
    uint64_t updates;
    bool keeps_view; /* false: messages are only counted and checked */
    bool up, lost;
};

/* Makes a peer's configuration the observer's: client, both families, nothing filtered. */
void observer_config(struct bgp_peer_config *p, enum bgp_profile profile, uint32_t local_as);
/* Calls, says OPEN and KEEPALIVE. The caller drains events. */
void observer_start(struct observer *o, struct bgp_speaker *s, uint32_t local_as,
                    struct nanotime now);
/* To be told every event of the speaker. */
void observer_event(struct observer *o, const struct bgp_event *e);
/* Takes what it is sent. */
void observer_run(struct observer *o, struct nanotime now);
void observer_end(struct observer *o);

#endif
