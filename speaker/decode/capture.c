/*
 * Connections of a capture and the messages in them.
 *
 * Owns the table of connections (a fixed array of chains, and a list in order of their first
 * packets: the hash orders nothing that is seen) and the cutting of streams into messages. Octets
 * that are no message are passed over up to the next marker: once said as a message with a header
 * error, not for every octet.
 */
#include "capture.h"

#include "../base/arena.h"
#include "../base/hash.h"
#include "../core/limits.h"
#include "packet.h"
#include "stream.h"

#include <string.h>

#define CHAINS 4096u
#define MARKER_SIZE 16

struct side {
    struct stream stream;
    bool has_open;
    struct bgp_open open;
};

struct flow {
    struct flow *next;  /* in its chain */
    struct flow *newer; /* in order of first packets */
    struct capture_end_point ends[2];
    struct side sides[2]; /* sides[i]: sent by ends[i] */
};

struct capture {
    struct decode_options how;
    capture_fn *each;
    void *context;
    struct arena *scratch;
    struct flow *chains[CHAINS];
    struct flow *oldest, *newest;
    size_t flow_count;
    bool incomplete;
    uint64_t time_ns;
};

struct capture *capture_new(const struct decode_options *how, capture_fn *each, void *context) {
    struct capture *c = alloc_zero(1, sizeof *c);
    if (!c)
        return NULL;
    *c = (struct capture){.how = *how, .each = each, .context = context, .scratch = arena_new()};
    if (c->scratch)
        return c;
    alloc_free(c);
    return NULL;
}

void capture_free(struct capture *c) {
    if (!c)
        return;
    for (struct flow *f = c->oldest, *newer; f; f = newer) {
        newer = f->newer;
        stream_deinit(&f->sides[0].stream);
        stream_deinit(&f->sides[1].stream);
        alloc_free(f);
    }
    arena_free(c->scratch);
    alloc_free(c);
}

/* ---- connections ---- */

static bool is_end(const struct capture_end_point *e, struct ip_addr addr, uint16_t port) {
    return e->port == port && ip_equal(e->addr, addr);
}

/* The same for both directions. */
static size_t chain_of(const struct packet_tcp *t) {
    uint64_t from = hash_bytes(&t->from, sizeof t->from, t->from_port);
    uint64_t to = hash_bytes(&t->to, sizeof t->to, t->to_port);
    return (from ^ to) % CHAINS;
}

static bool has_marker(const uint8_t *data, size_t size) {
    for (size_t i = 0; i < MARKER_SIZE; i++)
        if (i >= size || data[i] != 0xFF)
            return false;
    return true;
}

/* The connection, made when it looks like one of BGP; *ret_side: whose packet it is. */
static struct flow *find_flow(struct capture *c, const struct packet_tcp *t, int *ret_side) {
    struct flow **at = &c->chains[chain_of(t)];
    for (; *at; at = &(*at)->next) {
        for (int i = 0; i < 2; i++) {
            if (is_end(&(*at)->ends[i], t->from, t->from_port) &&
                is_end(&(*at)->ends[!i], t->to, t->to_port)) {
                *ret_side = i;
                return *at;
            }
        }
    }
    if (t->from_port != BGP_PORT && t->to_port != BGP_PORT && !has_marker(t->data, t->size))
        return NULL;
    struct flow *f = c->flow_count < CAPTURE_FLOWS_MAX ? alloc_zero(1, sizeof *f) : NULL;
    if (!f) {
        c->incomplete = true;
        return NULL;
    }
    f->ends[0] = (struct capture_end_point){t->from, t->from_port};
    f->ends[1] = (struct capture_end_point){t->to, t->to_port};
    *at = f;
    *(c->newest ? &c->newest->newer : &c->oldest) = f;
    c->newest = f;
    *ret_side = 0;
    c->flow_count++;
    return f;
}

/* ---- messages ---- */

/* What the two OPENs agree on, for messages of side `i`: RFC 5492, 6793, 7911 4, 8654, 8950. */
static struct decode_options negotiated(const struct capture *c, const struct flow *f, int i) {
    const struct bgp_open *mine = &f->sides[i].open, *other = &f->sides[!i].open;
    struct decode_options how = c->how;
    if (!f->sides[0].has_open || !f->sides[1].has_open)
        return how;
    how.codec.as4 = mine->as4 && other->as4;
    how.codec.external = mine->asn != other->asn;
    how.extended = mine->extended_message && other->extended_message;
    how.codec.extended_next_hop = mine->extended_next_hop && other->extended_next_hop;
    for (int k = 0; k < BGP_FAMILIES; k++)
        how.codec.add_path[k] =
            (mine->add_path[k] & BGP_ADD_PATH_SEND) && (other->add_path[k] & BGP_ADD_PATH_RECEIVE);
    return how;
}

static void emit(struct capture *c, struct flow *f, int i, const struct decode_options *how,
                 size_t size) {
    struct side *s = &f->sides[i];
    struct decode_message m;
    arena_reset(c->scratch);
    decode_message(how, s->stream.data, size, c->scratch, &m);
    if (m.type == BGP_MSG_OPEN && m.error.outcome == BGP_OUTCOME_OK) {
        s->open = m.open;
        s->has_open = true;
    }
    struct capture_item item = {.time_ns = c->time_ns,
                                .from = f->ends[i],
                                .to = f->ends[!i],
                                .lost = s->stream.lost,
                                .message = &m};
    s->stream.lost = false;
    c->each(c->context, &item);
}

/* Drops octets up to the next marker, or to where one may begin. */
static void synchronise(struct stream *s) {
    size_t at = 0;
    while (s->size - at >= MARKER_SIZE && !has_marker(s->data + at, s->size - at))
        at++;
    if (s->size - at < MARKER_SIZE && s->size - at > 0) {
        while (at < s->size && s->data[at] != 0xFF)
            at++;
    }
    if (at > 0)
        stream_consume(s, at);
}

/* One message off the stream; false: no whole one is there. */
static bool take_message(struct capture *c, struct flow *f, int i) {
    struct stream *s = &f->sides[i].stream;
    enum bgp_message_type type;
    struct bgp_error error = {0};
    if (s->lost)
        synchronise(s);
    struct decode_options how = negotiated(c, f, i);
    size_t whole = how.extended ? message_peek_extended(s->data, s->size, &type, &error)
                                : message_peek(s->data, s->size, &type, &error);
    if (error.code != 0) {
        bool known = s->lost; /* that something is wrong has been said */
        if (!known)
            emit(c, f, i, &how, s->size < BGP_HEADER_SIZE ? s->size : BGP_HEADER_SIZE);
        stream_consume(s, 1);
        s->lost = true;
        return true;
    }
    if (whole == 0 || whole > s->size)
        return false;
    emit(c, f, i, &how, whole);
    stream_consume(s, whole);
    return true;
}

static void take_messages(struct capture *c, struct flow *f, int i) {
    while (f->sides[i].stream.size > 0 && take_message(c, f, i)) {
    }
    c->incomplete |= f->sides[i].stream.no_memory;
}

void capture_packet(struct capture *c, int link_type, uint64_t time_ns, const uint8_t *data,
                    size_t size) {
    struct packet_tcp t;
    int i;
    c->time_ns = time_ns;
    if (!packet_decode(link_type, data, size, &t))
        return;
    struct flow *f = find_flow(c, &t, &i);
    if (!f)
        return;
    struct side *s = &f->sides[i];
    if (t.syn) {
        stream_start(&s->stream, t.sequence);
        s->has_open = false;
        t.sequence++;
    }
    stream_put(&s->stream, t.sequence, t.data, t.size);
    take_messages(c, f, i);
    while (stream_is_stuck(&s->stream) && stream_skip_gap(&s->stream))
        take_messages(c, f, i);
}

bool capture_finish(struct capture *c) {
    for (struct flow *f = c->oldest; f; f = f->newer) {
        for (int i = 0; i < 2; i++) {
            while (stream_skip_gap(&f->sides[i].stream))
                take_messages(c, f, i);
        }
    }
    return !c->incomplete;
}
