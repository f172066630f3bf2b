/*
 * A stream of echo requests on a few flows while something happens to the network.
 *
 * Owns: a socket per flow, when each round was sent, what was answered, lost and for how long.
 * Leaves to others: which flows, when to call (the caller waits for other things meanwhile), the
 * packets (icmp.c).
 *
 * A request's index is round * flows + flow. Every round is remembered, so an answer counts however
 * late it comes before the end; ROUNDS_MAX of them are an hour, then no more are sent. An outage
 * lasts from the first lost packet to the next answered one, or to the end: its accuracy is the
 * interval between packets.
 */
#include "../../speaker/base/arena.h"
#include "icmp.h"
#include "lab_internal.h"
#include "netns.h"

#include <unistd.h>

#define ROUNDS_MAX 180000u

struct lab_stream {
    struct lab_flow *flows;
    int *fds;
    uint64_t *answered; /* a bit per index */
    uint64_t *sent_ns;  /* by round */
    size_t count;
    uint16_t series;
    uint32_t rounds; /* sent so far */
    struct nanotime due;
};

static bool is_answered(const struct lab_stream *s, uint32_t round, size_t flow) {
    uint64_t index = (uint64_t)round * s->count + flow;

    return (s->answered[index / 64] >> (index % 64) & 1) != 0;
}

static void take(void *context, uint32_t index, struct ip_addr from, const char *error) {
    struct lab_stream *s = context;
    struct lab_flow *f = &s->flows[index % s->count];
    uint32_t round = index / (uint32_t)s->count;

    if (error != NULL || round >= s->rounds || !ip_equal(from, f->destination) ||
        is_answered(s, round, index % s->count))
        return;
    s->answered[index / 64] |= UINT64_C(1) << (index % 64);
    f->answered++;
}

static void read_all(struct lab_stream *s) {
    for (size_t i = 0; i < s->count; i++)
        icmp_receive(s->fds[i], s->series, take, s);
}

/* ---- sending ---- */

/* What the kernel refuses to send, for want of a route, is lost like any other packet. */
static void send_round(struct lab_stream *s, struct nanotime now) {
    uint32_t first = s->rounds * (uint32_t)s->count;

    s->sent_ns[s->rounds++] = now.ns;
    for (uint32_t i = 0; i < s->count; i++) {
        struct lab_flow *f = &s->flows[i];
        struct icmp_request r = {f->source, f->destination, first + i};
        (void)icmp_send(s->fds[i], s->series, &r);
        f->sent++;
    }
}

struct nanotime lab_stream_tick(struct lab_stream *s) {
    struct nanotime now = lab_now();

    read_all(s);
    if (nanotime_before(now, s->due))
        return s->due;
    if (s->rounds < ROUNDS_MAX)
        send_round(s, now);
    s->due = nanotime_add_ms(now, LAB_STREAM_INTERVAL_MS);
    return s->due;
}

bool lab_stream_drained(struct lab_stream *s) {
    read_all(s);
    for (size_t i = 0; i < s->count; i++)
        if (s->flows[i].answered < s->flows[i].sent)
            return false;
    return true;
}

/* ---- beginning and end ---- */

static bool open_flow(struct lab *lab, struct lab_stream *s, size_t i) {
    struct lab_flow *f = &s->flows[i];

    f->sent = f->answered = f->outage_ns = 0;
    if (f->from >= lab->node_count || !netns_enter(lab->nodes[f->from].netns_fd))
        return false;
    s->fds[i] = icmp_open(f->destination.family);
    return s->fds[i] >= 0;
}

static void stream_free(struct lab_stream *s) {
    for (size_t i = 0; s->fds != NULL && i < s->count; i++)
        if (s->fds[i] >= 0)
            close(s->fds[i]);
    alloc_free(s->fds);
    alloc_free(s->answered);
    alloc_free(s->sent_ns);
    alloc_free(s);
}

struct lab_stream *lab_stream_start(struct lab *lab, struct lab_flow *flows, size_t count) {
    struct lab_stream *s = alloc_zero(1, sizeof(*s));
    bool ok;

    if (s == NULL)
        return NULL;
    *s = (struct lab_stream){.flows = flows,
                             .fds = alloc_zero(count + 1, sizeof(*s->fds)),
                             .answered = alloc_zero(ROUNDS_MAX * count / 64 + 1, sizeof(uint64_t)),
                             .sent_ns = alloc_zero(ROUNDS_MAX, sizeof(uint64_t)),
                             .count = count,
                             .series = ++lab->icmp_series};
    for (size_t i = 0; s->fds != NULL && i < count; i++)
        s->fds[i] = -1;
    ok = s->fds != NULL && s->answered != NULL && s->sent_ns != NULL && count <= LAB_FLOWS_MAX;
    for (size_t i = 0; ok && i < count; i++)
        ok = open_flow(lab, s, i);
    if (netns_enter(lab->home_fd) && ok)
        return s;
    stream_free(s);
    return NULL;
}

static uint64_t longest_outage(const struct lab_stream *s, size_t flow, uint64_t end_ns) {
    uint64_t longest = 0, lost_ns = 0; /* 0: the last one was answered */

    for (uint32_t r = 0; r < s->rounds; r++) {
        if (is_answered(s, r, flow))
            lost_ns = 0;
        else if (lost_ns == 0)
            lost_ns = s->sent_ns[r];
        uint64_t next_ns = r + 1 < s->rounds ? s->sent_ns[r + 1] : end_ns;
        if (lost_ns != 0 && next_ns - lost_ns > longest)
            longest = next_ns - lost_ns;
    }
    return longest;
}

void lab_stream_end(struct lab_stream *s) {
    if (s == NULL)
        return;
    read_all(s);
    for (size_t i = 0; i < s->count; i++)
        s->flows[i].outage_ns = longest_outage(s, i, s->due.ns);
    stream_free(s);
}
