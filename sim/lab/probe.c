/*
 * Packets that arrive: ICMP and ICMPv6 echo between any addresses of the lab.
 *
 * Owns: one raw socket per source host and family, the matching of answers with probes.
 * Leaves to others: which pairs should reach each other; the packets themselves (icmp.c).
 *
 * The kernel of the other host answers. All probes go at once, in rounds ROUND_MS apart until all
 * have arrived or the deadline has come; within a round at most BURST probes are sent before
 * answers are read, so that no receive buffer overflows.
 */
#include "../../speaker/base/arena.h"
#include "icmp.h"
#include "lab_internal.h"
#include "netns.h"

#include <poll.h>
#include <unistd.h>

#define ROUND_MS 200u
#define BURST 128u

struct source {
    int fd4, fd6; /* -1: not opened */
};

struct prober {
    struct lab *lab;
    struct lab_probe *probes;
    uint64_t *sent_ns;
    size_t count, left;
    uint16_t series;
    struct source *sources; /* by host */
    struct pollfd *polls;   /* every open socket */
    size_t poll_count;
};

/* ---- what came back ---- */

static void note_reply(struct prober *p, uint32_t index, struct ip_addr from) {
    struct lab_probe *q;

    if (index >= p->count)
        return;
    q = &p->probes[index];
    if (q->arrived || !ip_equal(from, q->destination))
        return;
    q->arrived = true;
    q->rtt_ns = lab_now().ns - p->sent_ns[index];
    q->error = "";
    p->left--;
}

static void note_error(struct prober *p, uint32_t index, const char *text) {
    if (index < p->count && !p->probes[index].arrived)
        p->probes[index].error = text;
}

static void take(void *context, uint32_t index, struct ip_addr from, const char *error) {
    if (error == NULL)
        note_reply(context, index, from);
    else
        note_error(context, index, error);
}

static void read_all(struct prober *p, int timeout_ms) {
    int ready = poll(p->polls, p->poll_count, timeout_ms);

    for (size_t i = 0; ready > 0 && i < p->poll_count; i++)
        if (p->polls[i].revents != 0)
            icmp_receive(p->polls[i].fd, p->series, take, p);
}

/* ---- sending ---- */

static void send_probe(struct prober *p, uint32_t index) {
    struct lab_probe *q = &p->probes[index];
    const struct source *from = &p->sources[q->from];
    struct icmp_request r = {q->source, q->destination, index};
    int error;

    q->attempts++;
    p->sent_ns[index] = lab_now().ns;
    error = icmp_send(q->destination.family == IP_V4 ? from->fd4 : from->fd6, p->series, &r);
    if (error != 0)
        q->error = icmp_errno_text(error);
    else if (q->attempts == 1)
        q->error = "no answer";
}

/* ---- sockets ---- */

static bool open_source(struct prober *p, uint32_t host, bool v4) {
    int *slot = v4 ? &p->sources[host].fd4 : &p->sources[host].fd6;
    int fd;

    if (*slot >= 0)
        return true;
    if (!netns_enter(p->lab->nodes[host].netns_fd))
        return false;
    fd = icmp_open(v4 ? IP_V4 : IP_V6);
    if (fd < 0)
        return false;
    *slot = fd;
    p->polls[p->poll_count++] = (struct pollfd){.fd = fd, .events = POLLIN};
    return true;
}

static bool open_prober(struct prober *p) {
    size_t hosts = p->lab->node_count;
    bool ok = true;

    p->sources = alloc_zero(hosts + 1, sizeof(*p->sources));
    p->polls = alloc_zero(2 * hosts + 1, sizeof(*p->polls));
    p->sent_ns = alloc_zero(p->count + 1, sizeof(*p->sent_ns));
    if (p->sources == NULL || p->polls == NULL || p->sent_ns == NULL)
        return false;
    for (size_t h = 0; h < hosts; h++)
        p->sources[h] = (struct source){-1, -1};
    for (size_t i = 0; ok && i < p->count; i++) {
        struct lab_probe *q = &p->probes[i];
        q->arrived = false;
        q->attempts = 0;
        q->rtt_ns = 0;
        q->error = "not sent";
        ok = q->from < hosts && q->source.family == q->destination.family &&
             open_source(p, q->from, q->destination.family == IP_V4);
    }
    return netns_enter(p->lab->home_fd) && ok;
}

static void close_prober(struct prober *p) {
    for (size_t i = 0; i < p->poll_count; i++)
        close(p->polls[i].fd);
    alloc_free(p->sources);
    alloc_free(p->polls);
    alloc_free(p->sent_ns);
}

static void run_round(struct prober *p, struct nanotime end) {
    size_t burst = 0;

    for (uint32_t i = 0; i < p->count; i++) {
        if (p->probes[i].arrived)
            continue;
        send_probe(p, i);
        if (++burst % BURST == 0)
            read_all(p, 0);
    }
    while (p->left > 0) { /* once at least: what has come counts, however late we are */
        uint64_t left_ms = nanotime_since(end, lab_now()) / NANOS_PER_MS;
        read_all(p, (int)left_ms + 1);
        if (!nanotime_before(lab_now(), end))
            return;
    }
}

bool lab_ping(struct lab *lab, struct lab_probe *probes, size_t count, uint32_t deadline_ms) {
    struct prober p = {
        .lab = lab, .probes = probes, .count = count, .left = count, .series = ++lab->icmp_series};
    bool ready = open_prober(&p);
    struct nanotime deadline =
        nanotime_add_ms(lab_now(), deadline_ms); /* of waiting, not opening */

    while (ready && p.left > 0) {
        struct nanotime end = nanotime_add_ms(lab_now(), ROUND_MS);
        run_round(&p, nanotime_before(end, deadline) ? end : deadline);
        if (!nanotime_before(lab_now(), deadline))
            break;
        lab_pump(lab, lab_now(), -1, NULL); /* logs and deaths do not wait */
    }
    close_prober(&p);
    return ready && p.left == 0;
}
