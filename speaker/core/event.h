#ifndef RIBCAGE_CORE_EVENT_H
#define RIBCAGE_CORE_EVENT_H

#include "speaker.h"

/* The queue behind event_push and bgp_next_event. False: out of memory. */
bool event_queue_new(struct bgp_speaker *s);
void event_queue_free(struct bgp_speaker *s);
/* Waiting events. */
uint32_t event_count(const struct bgp_speaker *s);

/* Shorthands for the events of sessions. */
struct conn;
void event_conn(struct bgp_speaker *s, enum bgp_event_kind kind, const struct conn *c);
void event_log(struct bgp_speaker *s, uint32_t peer, enum bgp_log_id id, uint64_t value1,
               uint64_t value2, struct ip_addr address);

#endif
