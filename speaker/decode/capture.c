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
#include "link.h"
#include "packet.h"
#include "stream.h"

#include <string.h>

#define CHAINS 4096u
#define MARKER_SIZE 16

struct side {
    struct stream stream;
    bool has_open;
    bool garbled; /* that something here is no message has been said */
    struct bgp_open open;
    bool add_path[BGP_FAMILIES]; /* as its last UPDATE was read */
};

struct flow {
    struct flow *next;  /* in its chain */
    struct flow *newer; /* in order of first packets */
    struct capture_end_point ends[2];
    struct side sides[2]; /* sides[i]: sent by ends[i] */
    bool as4;             /* as the last UPDATE was read */
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
    struct capture_counts counts;
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

/* Nothing is known but what the user said. */
static void forget_readings(const struct capture *c, struct flow *f) {
    f->as4 = c->how.codec.as4;
    for (int i = 0; i < 2; i++)
        memcpy(f->sides[i].add_path, c->how.codec.add_path, sizeof f->sides[i].add_path);
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
    forget_readings(c, f);
    *at = f;
    *(c->newest ? &c->newest->newer : &c->oldest) = f;
    c->newest = f;
    *ret_side = 0;
    c->flow_count++;
    return f;
}

/* ---- messages ---- */

static bool both_open(const struct flow *f) {
    return f->sides[0].has_open && f->sides[1].has_open;
}

/* What the two OPENs agree on, for messages of side `i`: RFC 5492, 6793, 7911 4, 8654, 8950. */
static struct decode_options negotiated(const struct capture *c, const struct flow *f, int i) {
    const struct bgp_open *mine = &f->sides[i].open, *other = &f->sides[!i].open;
    struct decode_options how = c->how;
    how.codec.as4 = mine->as4 && other->as4;
    how.codec.external = mine->asn != other->asn;
    how.extended = mine->extended_message && other->extended_message;
    how.codec.extended_next_hop = mine->extended_next_hop && other->extended_next_hop;
    for (int k = 0; k < BGP_FAMILIES; k++)
        how.codec.add_path[k] =
            (mine->add_path[k] & BGP_ADD_PATH_SEND) && (other->add_path[k] & BGP_ADD_PATH_RECEIVE);
    return how;
}

/* What one OPEN alone rules out does not hold. */
static void rule_out(const struct flow *f, int i, struct decode_options *how) {
    for (int k = 0; k < 2; k++) {
        const struct bgp_open *open = &f->sides[k].open;
        if (!f->sides[k].has_open)
            continue;
        how->codec.as4 &= open->as4;
        how->extended &= open->extended_message;
        for (int family = 0; family < BGP_FAMILIES; family++)
            how->codec.add_path[family] &=
                (open->add_path[family] & (k == i ? BGP_ADD_PATH_SEND : BGP_ADD_PATH_RECEIVE)) != 0;
    }
}

/* As the OPENs say, or without them as the last UPDATE had to be read. */
static struct decode_options reading(const struct capture *c, const struct flow *f, int i) {
    if (both_open(f))
        return negotiated(c, f, i);
    struct decode_options how = c->how;
    how.codec.as4 = f->as4;
    memcpy(how.codec.add_path, f->sides[i].add_path, sizeof how.codec.add_path);
    rule_out(f, i, &how);
    return how;
}

/* How unlikely it is that the message was meant so. A list without identifiers that is read with
 * them may stay sound; one with identifiers that is read without begins with zeros, which are
 * default routes. */
static unsigned strangeness(const struct decode_message *m) {
    const struct bgp_update *u = &m->update;
    unsigned strange = 2 * m->error.outcome;
    if (m->type != BGP_MSG_UPDATE || m->error.outcome == BGP_OUTCOME_SESSION_RESET)
        return strange;
    for (unsigned i = 0; i < (unsigned)u->announced_count + u->withdrawn_count; i++) {
        const struct bgp_nlri *n =
            i < u->announced_count ? &u->announced[i] : &u->withdrawn[i - u->announced_count];
        struct ip_prefix p;
        uint32_t id, at = 0, default_id = 0;
        unsigned defaults = 0;
        while (defaults < 2 && nlri_next_path(n, &at, &p, &id)) {
            if (p.length == 0 && (defaults == 0 || id == default_id)) {
                default_id = id;
                defaults++;
            }
        }
        strange |= defaults == 2;
    }
    return strange;
}

/* Reads the message as the connection is read so far, and if it is strange then, otherwise, which
 * is said. */
static bool read_message(struct capture *c, const struct flow *f, int i, size_t size,
                         struct decode_message *ret) {
    const struct side *s = &f->sides[i];
    struct decode_options how = reading(c, f, i);
    arena_reset(c->scratch);
    decode_message(&how, s->stream.data, size, c->scratch, ret);
    bool guessed = false;
    unsigned least = both_open(f) || ret->type != BGP_MSG_UPDATE ? 0 : strangeness(ret);
    for (unsigned way = 1; way < 4 && least > 0; way++) {
        struct decode_options other = how;
        struct decode_message m;
        other.codec.as4 ^= way & 1;
        for (int k = 0; k < BGP_FAMILIES; k++)
            other.codec.add_path[k] ^= way >> 1;
        rule_out(f, i, &other);
        decode_message(&other, s->stream.data, size, c->scratch, &m);
        if (strangeness(&m) < least) {
            least = strangeness(&m);
            *ret = m;
            guessed = true;
        }
    }
    return guessed;
}

static void emit(struct capture *c, struct flow *f, int i, size_t size) {
    struct side *s = &f->sides[i];
    struct decode_message m;
    bool guessed = read_message(c, f, i, size, &m);
    if (m.type == BGP_MSG_OPEN && m.error.outcome == BGP_OUTCOME_OK) {
        s->open = m.open;
        s->has_open = true;
    }
    struct capture_item item = {.time_ns = c->time_ns,
                                .from = f->ends[i],
                                .to = f->ends[!i],
                                .lost = s->stream.lost,
                                .guessed = guessed,
                                .message = &m};
    f->as4 = m.how.codec.as4;
    memcpy(s->add_path, m.how.codec.add_path, sizeof s->add_path);
    s->stream.lost = false;
    c->counts.messages++;
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

/* What stands at the front is no message: that is said once, then the next marker is looked for. */
static void skip_garbage(struct capture *c, struct flow *f, int i) {
    struct side *s = &f->sides[i];
    size_t head = s->stream.size < BGP_HEADER_SIZE ? s->stream.size : BGP_HEADER_SIZE;
    if (!s->garbled)
        emit(c, f, i, head);
    s->garbled = true;
    stream_consume(&s->stream, 1);
    s->stream.lost = true;
}

/* One message off the stream; false: no whole one is there. */
static bool take_message(struct capture *c, struct flow *f, int i) {
    struct side *s = &f->sides[i];
    struct stream *stream = &s->stream;
    enum bgp_message_type type;
    struct bgp_error error = {0};
    if (stream->lost)
        synchronise(stream);
    bool extended = reading(c, f, i).extended;
    size_t whole = extended ? message_peek_extended(stream->data, stream->size, &type, &error)
                            : message_peek(stream->data, stream->size, &type, &error);
    if (error.code != 0) {
        skip_garbage(c, f, i);
        return true;
    }
    if (whole == 0 || whole > stream->size)
        return false;
    emit(c, f, i, whole);
    s->garbled = false;
    stream_consume(stream, whole);
    return true;
}

static void take_messages(struct capture *c, struct flow *f, int i) {
    while (f->sides[i].stream.size > 0 && take_message(c, f, i)) {
    }
    c->incomplete |= f->sides[i].stream.no_memory;
}

/* False: it has no segment. */
static bool count_packet(struct capture *c, int link_type, enum packet_kind kind,
                         const struct packet_tcp *t) {
    struct capture_counts *n = &c->counts;
    n->packets++;
    n->unknown_link += !link_known(link_type);
    n->other += link_known(link_type) && kind == PACKET_OTHER;
    n->fragments += kind == PACKET_FRAGMENT;
    n->damaged += kind == PACKET_DAMAGED;
    n->cut += kind == PACKET_SEGMENT && t->missing > 0;
    return kind == PACKET_SEGMENT;
}

static void begin_connection(struct capture *c, struct flow *f, struct side *s, uint32_t sequence) {
    forget_readings(c, f);
    stream_start(&s->stream, sequence);
    s->has_open = s->garbled = false;
}

void capture_packet(struct capture *c, int link_type, uint64_t time_ns, const uint8_t *data,
                    size_t size) {
    struct packet_tcp t;
    int i;
    c->time_ns = time_ns;
    if (!count_packet(c, link_type, packet_decode(link_type, data, size, &t), &t))
        return;
    struct flow *f = find_flow(c, &t, &i);
    if (!f)
        return;
    struct side *s = &f->sides[i];
    if (t.syn)
        begin_connection(c, f, s, t.sequence++);
    stream_put(&s->stream, t.sequence, t.data, t.size, t.missing > 0);
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

struct capture_counts capture_counts(const struct capture *c) {
    return c->counts;
}
