#ifndef RIBCAGE_DECODE_STREAM_H
#define RIBCAGE_DECODE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One direction of a TCP connection put together again from captured segments: out of order, sent
 * again, overlapping, missing. What is there in order is a run of octets, consumed from its front.
 */

#define STREAM_PENDING_BYTES (256u << 10) /* held behind a gap; more: the gap is given up */
#define STREAM_PENDING_MAX 512u           /* segments */

struct stream_segment;

struct stream {
    bool started;
    bool cut;      /* what follows `data` was not captured, and will not come */
    bool lost;     /* octets are missing before `data`: set by a skipped gap, cleared by the user */
    uint32_t next; /* sequence number behind `data` */
    uint8_t *data; /* in order, not consumed */
    size_t size, capacity;
    struct stream_segment *pending; /* by sequence number */
    size_t pending_bytes, pending_count;
    bool no_memory;
};

void stream_deinit(struct stream *s);
/* A SYN: a new connection begins, what was there is forgotten. */
void stream_start(struct stream *s, uint32_t initial_sequence);
/* Without a SYN before, the first segment begins the stream, with `lost` set. `cut`: the segment
 * had more than these octets, but the capture left them out. */
void stream_put(struct stream *s, uint32_t sequence, const uint8_t *data, size_t size, bool cut);
void stream_consume(struct stream *s, size_t size);
/* Goes on behind the gap: drops `data` and sets `lost`. False: nothing waits there. */
bool stream_skip_gap(struct stream *s);
/* Will the gap, behind which something waits, not be filled: because it was cut out, or because so
 * much waits there already? */
bool stream_is_stuck(const struct stream *s);

#endif
