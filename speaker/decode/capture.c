/*
 * Connections of a capture and the messages in them.
 *
 * Owns the table of connections (a fixed array of chains, and a list in order of their first
 * packets: the hash orders nothing that is seen; another of those that nothing more is expected of)
 * and the cutting of streams into messages. Octets that are no message are passed over up to the
 * next marker: once said as a message with a header error, not for every octet.
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
    bool met;     /* a message has been said */
    bool ended;   /* FIN */
    struct bgp_open open;
    bool add_path[BGP_FAMILIES]; /* as its last UPDATE was read */
};

struct place {
    struct flow *older, *newer;
};
struct list {
    struct flow *oldest, *newest;
};
enum { LIST_ALL, LIST_IDLE, LISTS };

struct flow {
    struct flow *next;          /* in its chain */
    struct place places[LISTS]; /* in order of first packets; of those that are idle, since when */
    bool idle;                  /* no octets yet, or it is over */
    struct capture_end_point ends[2];
    struct side sides[2];        /* sides[i]: sent by ends[i] */
    bool as4, extended_next_hop; /* as the last UPDATE was read */
};

struct capture {
    struct decode_options how;
    capture_fn *each;
    void *context;
    struct arena *scratch;
    struct flow *chains[CHAINS];
    struct list lists[LISTS];
    size_t flow_count;
    bool incomplete;
    uint64_t time_ns; /* of the packet at hand */
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

static void flow_free(struct flow *f) {
    stream_deinit(&f->sides[0].stream);
    stream_deinit(&f->sides[1].stream);
    alloc_free(f);
}

void capture_free(struct capture *c) {
    if (!c)
        return;
    for (struct flow *f = c->lists[LIST_ALL].oldest, *newer; f; f = newer) {
        newer = f->places[LIST_ALL].newer;
        flow_free(f);
    }
    arena_free(c->scratch);
    alloc_free(c);
}

/* ---- connections ---- */

static bool is_end(const struct capture_end_point *e, struct ip_addr addr, uint16_t port) {
    return e->port == port && ip_equal(e->addr, addr);
}

static uint64_t hash_end(const struct capture_end_point *e) {
    return hash_bytes(&e->addr, sizeof e->addr, e->port);
}

/* The same for both directions. */
static struct flow **chain_of(struct capture *c, const struct capture_end_point ends[2]) {
    return &c->chains[(hash_end(&ends[0]) ^ hash_end(&ends[1])) % CHAINS];
}

static void list_put(struct capture *c, int which, struct flow *f) {
    struct list *l = &c->lists[which];
    f->places[which] = (struct place){.older = l->newest};
    *(l->newest ? &l->newest->places[which].newer : &l->oldest) = f;
    l->newest = f;
}

static void list_take(struct capture *c, int which, struct flow *f) {
    struct list *l = &c->lists[which];
    struct place *at = &f->places[which];
    *(at->older ? &at->older->places[which].newer : &l->oldest) = at->newer;
    *(at->newer ? &at->newer->places[which].older : &l->newest) = at->older;
}

static void set_idle(struct capture *c, struct flow *f, bool idle) {
    if (idle && !f->idle)
        list_put(c, LIST_IDLE, f);
    else if (!idle && f->idle)
        list_take(c, LIST_IDLE, f);
    f->idle = idle;
}

/* As far as it is there. */
static bool begins_marker(const uint8_t *data, size_t size) {
    for (size_t i = 0; i < MARKER_SIZE && i < size; i++)
        if (data[i] != 0xFF)
            return false;
    return true;
}

static bool has_marker(const uint8_t *data, size_t size) {
    return size >= MARKER_SIZE && begins_marker(data, size);
}

/* Nothing is known but what the user said. */
static void forget_readings(const struct capture *c, struct flow *f) {
    f->as4 = c->how.codec.as4;
    f->extended_next_hop = c->how.codec.extended_next_hop;
    for (int i = 0; i < 2; i++)
        memcpy(f->sides[i].add_path, c->how.codec.add_path, sizeof f->sides[i].add_path);
}

static void finish_flow(struct capture *c, struct flow *f);

static void forget_flow(struct capture *c, struct flow *f) {
    struct flow **at = chain_of(c, f->ends);
    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    set_idle(c, f, false);
    list_take(c, LIST_ALL, f);
    flow_free(f);
    c->flow_count--;
}

/* NULL: there are too many already, and all of them are alive; or memory is out. */
static struct flow *make_flow(struct capture *c, const struct capture_end_point ends[2]) {
    struct flow *idle = c->lists[LIST_IDLE].oldest;
    if (c->flow_count == CAPTURE_FLOWS_MAX && idle) {
        finish_flow(c, idle);
        forget_flow(c, idle);
    }
    struct flow *f = c->flow_count < CAPTURE_FLOWS_MAX ? alloc_zero(1, sizeof *f) : NULL;
    if (!f) {
        c->incomplete = true;
        return NULL;
    }
    memcpy(f->ends, ends, sizeof f->ends);
    forget_readings(c, f);
    struct flow **chain = chain_of(c, ends);
    f->next = *chain;
    *chain = f;
    list_put(c, LIST_ALL, f);
    set_idle(c, f, true);
    c->flow_count++;
    return f;
}

/* The connection, made when it looks like one of BGP; *ret_side: whose packet it is. */
static struct flow *find_flow(struct capture *c, const struct packet_tcp *t, int *ret_side) {
    const struct capture_end_point ends[2] = {{t->from, t->from_port}, {t->to, t->to_port}};
    for (struct flow *f = *chain_of(c, ends); f; f = f->next) {
        for (int i = 0; i < 2; i++) {
            if (is_end(&f->ends[i], t->from, t->from_port) &&
                is_end(&f->ends[!i], t->to, t->to_port)) {
                *ret_side = i;
                return f;
            }
        }
    }
    bool of_bgp = t->from_port == BGP_PORT || t->to_port == BGP_PORT;
    bool says_something = t->syn || t->size > 0 || t->missing > 0;
    *ret_side = 0;
    return says_something && (of_bgp || has_marker(t->data, t->size)) ? make_flow(c, ends) : NULL;
}

/* ---- messages ---- */

static bool both_open(const struct flow *f) {
    return f->sides[0].has_open && f->sides[1].has_open;
}

/* What the two OPENs agree on, for messages of side `i`: RFC 5492, 6793, 7911 4, 8654 4, 8950. */
static struct decode_options negotiated(const struct capture *c, const struct flow *f, int i) {
    const struct bgp_open *mine = &f->sides[i].open, *other = &f->sides[!i].open;
    struct decode_options how = c->how;
    how.codec.as4 = mine->as4 && other->as4;
    how.codec.external = mine->asn != other->asn;
    how.extended = other->extended_message;
    how.codec.extended_next_hop = mine->extended_next_hop && other->extended_next_hop;
    for (int k = 0; k < BGP_FAMILIES; k++)
        how.codec.add_path[k] =
            (mine->add_path[k] & BGP_ADD_PATH_SEND) && (other->add_path[k] & BGP_ADD_PATH_RECEIVE);
    return how;
}

/* What one OPEN alone rules out does not hold; what its sender takes, the receiver alone says. */
static void rule_out(const struct flow *f, int i, struct decode_options *how) {
    for (int k = 0; k < 2; k++) {
        const struct bgp_open *open = &f->sides[k].open;
        if (!f->sides[k].has_open)
            continue;
        how->codec.as4 &= open->as4;
        how->codec.extended_next_hop &= open->extended_next_hop;
        if (k != i)
            how->extended = open->extended_message;
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
    how.codec.extended_next_hop = f->extended_next_hop;
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

/* What may be otherwise than thought, a bit each, and all of these ways, fewer changes first. */
enum { WAY_AS4 = 1, WAY_NEXT_HOP = 2, WAY_IDS4 = 4, WAY_IDS6 = 8 };
static const uint8_t ways[] = {1, 2, 4, 8, 3, 5, 9, 6, 10, 12, 7, 11, 13, 14, 15};

static void change(struct bgp_codec *codec, unsigned way) {
    codec->as4 ^= (way & WAY_AS4) != 0;
    codec->extended_next_hop ^= (way & WAY_NEXT_HOP) != 0;
    codec->add_path[BGP_IPV4_UNICAST] ^= (way & WAY_IDS4) != 0;
    codec->add_path[BGP_IPV6_UNICAST] ^= (way & WAY_IDS6) != 0;
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
    for (size_t k = 0; k < sizeof ways && least > 0; k++) {
        struct decode_options other = how;
        struct decode_message m;
        change(&other.codec, ways[k]);
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
    bool opens = m.type == BGP_MSG_OPEN && m.error.outcome == BGP_OUTCOME_OK;
    if (opens) {
        s->open = m.open;
        s->has_open = true;
    }
    /* Nothing is sent before an OPEN, whether or not the capture saw the SYN. */
    struct capture_item item = {.time_ns = s->stream.time_ns,
                                .from = f->ends[i],
                                .to = f->ends[!i],
                                .lost = s->stream.lost && (s->met || !opens),
                                .guessed = guessed,
                                .message = &m};
    f->as4 = m.how.codec.as4;
    f->extended_next_hop = m.how.codec.extended_next_hop;
    memcpy(s->add_path, m.how.codec.add_path, sizeof s->add_path);
    s->stream.lost = false;
    s->met = true;
    c->counts.messages++;
    c->each(c->context, &item);
}

/* Drops octets up to the next marker, or to where one may begin. */
static void synchronise(struct stream *s) {
    size_t at = 0;
    while (at < s->size && !begins_marker(s->data + at, s->size - at))
        at++;
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

/* All that is there, and what waited for it. */
static void take_messages(struct capture *c, struct flow *f, int i) {
    struct stream *s = &f->sides[i].stream;
    do {
        while (s->size > 0 && take_message(c, f, i)) {
        }
    } while (stream_go_on(s));
    c->incomplete |= s->no_memory;
}

/* What waits behind gaps that nothing will fill. */
static void finish_side(struct capture *c, struct flow *f, int i) {
    while (stream_skip_gap(&f->sides[i].stream))
        take_messages(c, f, i);
}

static void finish_flow(struct capture *c, struct flow *f) {
    finish_side(c, f, 0);
    finish_side(c, f, 1);
}

/* False: it has no segment. */
static bool count_packet(struct capture *c, int link_type, enum packet_kind kind,
                         const struct packet_tcp *t) {
    struct capture_counts *n = &c->counts;
    n->packets++;
    if (!link_known(link_type)) {
        n->unknown_link++;
        n->unknown_link_type = link_type;
    }
    n->other += link_known(link_type) && kind == PACKET_OTHER;
    n->fragments += kind == PACKET_FRAGMENT;
    n->damaged += kind == PACKET_DAMAGED;
    n->cut += kind == PACKET_SEGMENT && t->missing > 0;
    return kind == PACKET_SEGMENT;
}

static void forget_side(struct capture *c, struct flow *f, int i) {
    finish_side(c, f, i);
    stream_stop(&f->sides[i].stream);
    f->sides[i].has_open = f->sides[i].garbled = f->sides[i].met = f->sides[i].ended = false;
}

/* A SYN of side `i`, unless it is one that was sent, or captured, again. What the other side has
 * said belongs to the connection before, unless its own SYN was new, too, or is acknowledged. */
static void begin_connection(struct capture *c, struct flow *f, int i, const struct packet_tcp *t) {
    struct stream *s = &f->sides[i].stream, *other = &f->sides[!i].stream;
    if (s->has_initial && s->initial == t->sequence)
        return;
    bool is_fresh = other->has_initial && other->next == other->initial + 1;
    bool is_met = other->has_initial && t->ack && other->initial + 1 == t->acknowledgment;
    if (!is_fresh && !is_met)
        forget_side(c, f, !i);
    forget_side(c, f, i);
    forget_readings(c, f);
    stream_start(s, t->sequence);
    set_idle(c, f, true);
}

static void take_octets(struct capture *c, struct flow *f, int i, const struct packet_tcp *t) {
    struct stream *s = &f->sides[i].stream;
    if (t->size > 0 && !f->sides[0].ended && !f->sides[1].ended)
        set_idle(c, f, false);
    stream_put(s, t->syn ? t->sequence + 1 : t->sequence, t->data, t->size, t->missing > 0,
               c->time_ns);
    take_messages(c, f, i);
    while (stream_is_stuck(s) && stream_skip_gap(s))
        take_messages(c, f, i);
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
    if (t.syn)
        begin_connection(c, f, i, &t);
    if (!t.rst) /* RFC 9293 3.10.7: what a reset has with it is a reason, and for nobody's stream */
        take_octets(c, f, i, &t);
    f->sides[i].ended |= t.fin || t.rst;
    if (t.rst || (f->sides[0].ended && f->sides[1].ended))
        set_idle(c, f, true);
}

bool capture_finish(struct capture *c) {
    for (struct flow *f = c->lists[LIST_ALL].oldest; f; f = f->places[LIST_ALL].newer)
        finish_flow(c, f);
    return !c->incomplete;
}

struct capture_counts capture_counts(const struct capture *c) {
    return c->counts;
}
