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
    bool has_initial; /* a SYN began it */
    bool cut;         /* what follows `data` was not captured, and will not come */
    bool lost; /* octets are missing before `data`: set by a skipped gap, cleared by the user */
    uint32_t initial; /* the SYN's sequence number */
    uint32_t next;    /* sequence number behind `data` */
    uint64_t time_ns; /* when the last octet of `data` was there */
    uint8_t *data;    /* in order, not consumed; inside `buffer` */
    size_t size;
    uint8_t *buffer;
    size_t capacity;
    struct stream_segment *pending; /* by sequence number */
    size_t pending_bytes, pending_count;
    bool no_memory;
};

void stream_deinit(struct stream *s);
/* A SYN: a new connection begins, what was there is forgotten. */
void stream_start(struct stream *s, uint32_t initial_sequence);
/* The connection is over: the next segment begins the stream as if nothing had been there. */
void stream_stop(struct stream *s);
/* A segment that came at `time_ns`. Without a SYN before, the first one begins the stream, with
 * `lost` set. `cut`: it had more than these octets, but the capture left them out. */
void stream_put(struct stream *s, uint32_t sequence, const uint8_t *data, size_t size, bool cut,
                uint64_t time_ns);
/* Appends the next segment that waited, once nothing is missing before it any more. False: there is
 * none. */
bool stream_go_on(struct stream *s);
void stream_consume(struct stream *s, size_t size);
/* Goes on behind the gap: drops `data`, sets `lost`, and appends the first segment that waits
 * there. False: there is none. */
bool stream_skip_gap(struct stream *s);
/* Will the gap, behind which something waits, not be filled: because it was cut out, or because so
 * much waits there already? */
bool stream_is_stuck(const struct stream *s);

#endif
