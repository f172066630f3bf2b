/*
 * What tables cost, as a host would use them: whole sessions, octets in, output pulled and thrown
 * away after every message.
 *
 *   rib_bench [PREFIXES]
 *
 * Three shapes: PREFIXES (1,000,000) from 4 peers that are sent nothing; a reflector with 500
 * clients of 10 prefixes each; a member of a full mesh with 999 peers of one prefix each. The clock
 * is the process's CPU time, so that a busy machine does not show; bytes are the allocator's, its
 * own overhead included. What a peer costs while idle is that of the core: sockets are the host's.
 */
#include "bgp.h"
#include "message.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PER_UPDATE 1000u /* /24s that fit into one message */

struct rib_bench {
    struct bgp_config config;
    struct bgp_speaker *s;
    struct bgp_conn_id *conns;
    uint32_t peers;
    uint64_t bytes_out;
    size_t configured, established; /* bytes, with all peers configured and with all up */
    struct nanotime now;
};

static double cpu_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t heap_bytes(void) {
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

static struct ip_addr peer_address(uint32_t n) {
    return ip4(0x0A000002u + n);
}

static void take_output(struct rib_bench *b, struct bgp_conn_id c) {
    struct bgp_part parts[8];
    size_t count;
    while ((count = bgp_conn_pull(b->s, c, parts, 8, b->now)) > 0) {
        size_t size = 0;
        for (size_t i = 0; i < count; i++) {
            size += parts[i].size;
        }
        bgp_conn_sent(b->s, c, size, b->now);
        b->bytes_out += size;
    }
}

/* Until there is nothing left to do now. */
static void run(struct rib_bench *b) {
    struct bgp_event e;
    do {
        bgp_advance(b->s, b->now);
        while (bgp_next_event(b->s, &e)) {
            if (e.kind == BGP_EVENT_OUTPUT) {
                take_output(b, e.conn);
            } else if (e.kind == BGP_EVENT_TRACK && e.track.wanted) {
                bgp_nexthop_set(b->s, e.track.address, true, 10, b->now);
            }
        }
    } while (bgp_next_deadline(b->s).ns <= b->now.ns);
}

static void establish(struct rib_bench *b, uint32_t i) {
    struct bgp_open open = {.asn = 64512,
                            .router_id = 0x0A000002u + i,
                            .has_capabilities = true,
                            .mp_present = true,
                            .families = {true, false},
                            .as4 = true};
    const struct bgp_endpoint remote = {peer_address(i), 4000}, local = {ip4(0x0A000001u), 179};
    struct bgp_reject reject;
    uint8_t message[512];
    if (bgp_conn_accept(b->s, remote, local, b->now, &b->conns[i], &reject) != BGP_OK) {
        exit(1);
    }
    bgp_conn_receive(b->s, b->conns[i], message, open_encode(&open, message, sizeof message),
                     b->now);
    bgp_conn_receive(b->s, b->conns[i], message, keepalive_encode(message, sizeof message), b->now);
    run(b);
}

static void begin(struct rib_bench *b, uint32_t peers, bool clients) {
    const struct bgp_env env = {.seed = 1};
    memset(b, 0, sizeof *b);
    b->now.ns = NANOS_PER_S;
    b->peers = peers;
    bgp_config_init(&b->config, BGP_PROFILE_CALICO);
    b->config.local_as = 64512;
    b->config.router_id = ip4(0x0A000001u);
    b->config.peers = calloc(peers, sizeof *b->config.peers);
    b->config.peer_count = peers;
    b->conns = calloc(peers, sizeof *b->conns);
    for (uint32_t i = 0; b->config.peers && i < peers; i++) {
        struct bgp_peer_config *p = &b->config.peers[i];
        bgp_peer_config_init(p, b->config.profile);
        (void)snprintf(p->name, sizeof p->name, "peer%u", i);
        p->remote_addr = peer_address(i);
        p->remote_as = 64512;
        p->passive = true;
        p->rr_client = clients;
        p->families[BGP_IPV4_UNICAST] = true;
        p->import[0].accept_by_default = p->export[0].accept_by_default = true;
    }
    size_t before = heap_bytes();
    b->s = b->conns && b->config.peers ? bgp_speaker_new(&b->config, &env, b->now) : NULL;
    if (!b->s) {
        exit(1);
    }
    run(b);
    b->configured = heap_bytes() - before;
    for (uint32_t i = 0; i < peers; i++) {
        establish(b, i);
    }
    b->established = heap_bytes() - before;
}

static void end(struct rib_bench *b) {
    bgp_speaker_free(b->s);
    free(b->config.peers);
    free(b->conns);
}

/* `count` /24s from the `first` one on; the next hop is the peer. */
static void announce(struct rib_bench *b, uint32_t peer, uint32_t first, uint32_t count) {
    static struct ip_prefix prefixes[PER_UPDATE];
    static uint8_t message[BGP_MESSAGE_SIZE_MAX];
    const struct attr_values v = {
        .next_hop = peer_address(peer), .has_local_pref = true, .local_pref = 100};
    const struct attr_encoding how = {.as4 = true, .family = BGP_IPV4_UNICAST};
    for (uint32_t done = 0; done < count;) {
        uint32_t n = 0;
        while (n < PER_UPDATE && done + n < count) {
            prefixes[n] = ip_prefix_make(ip4(0x10000000u + (first + done + n) * 256u), 24);
            n++;
        }
        size_t size = 0;
        done += (uint32_t)update_encode(&v, &how, prefixes, n, message, sizeof message, &size);
        bgp_conn_receive(b->s, b->conns[peer], message, size, b->now);
        run(b);
    }
}

static void report(const struct rib_bench *b, const char *what, uint32_t routes, double took) {
    struct bgp_counters c;
    bgp_counters_get(b->s, &c);
    printf("%s: %.3f s, %.0f prefixes/s, %llu in Loc-RIB, %u groups, %llu UPDATEs, %llu bytes "
           "out\n",
           what, took, took > 0 ? routes / took : 0.0, (unsigned long long)c.loc_rib[0],
           c.update_groups, (unsigned long long)c.updates_sent, (unsigned long long)b->bytes_out);
}

static void bench_table(uint32_t prefixes) {
    struct rib_bench b;
    begin(&b, 4, false);
    size_t before = heap_bytes();
    double start = cpu_seconds();
    for (uint32_t i = 0; i < 4; i++) {
        announce(&b, i, i * (prefixes / 4), prefixes / 4);
    }
    double took = cpu_seconds() - start;
    size_t after = heap_bytes();
    report(&b, "table, 4 peers", prefixes, took);
    printf("  %.1f bytes per route\n", prefixes ? (double)(after - before) / prefixes : 0.0);
    start = cpu_seconds();
    bgp_conn_down(b.s, b.conns[0], BGP_CONN_RESET, b.now);
    double down = cpu_seconds();
    run(&b);
    printf("  a peer of %u goes: %.3f s in one call, %.3f s in all\n", prefixes / 4, down - start,
           cpu_seconds() - start);
    end(&b);
}

static void bench_shape(const char *what, uint32_t peers, bool clients, uint32_t each) {
    struct rib_bench b;
    double start = cpu_seconds();
    begin(&b, peers, clients);
    double up = cpu_seconds();
    size_t before = heap_bytes();
    for (uint32_t i = 0; i < peers; i++) {
        announce(&b, i, i * each, each);
    }
    double learned = cpu_seconds();
    size_t after = heap_bytes();
    report(&b, what, peers * each, learned - up);
    printf("  %.1f bytes per route\n", (double)(after - before) / (peers * each));
    for (uint32_t i = 0; i < peers; i++) {
        bgp_conn_down(b.s, b.conns[i], BGP_CONN_RESET, b.now);
        run(&b);
    }
    printf("  sessions up %.3f s, down one by one %.3f s\n", up - start, cpu_seconds() - learned);
    end(&b);
}

/* From the difference of two sizes: what every speaker has, whatever its peers, drops out. */
static void bench_idle(uint32_t few, uint32_t many) {
    struct rib_bench small, large;
    begin(&small, few, false);
    begin(&large, many, false);
    double peers = (double)many - few;
    printf(
        "idle peers, %u to %u: %.0f bytes each configured, %.0f more established\n", few, many,
        (double)(large.configured - small.configured) / peers,
        (double)((large.established - large.configured) - (small.established - small.configured)) /
            peers);
    end(&small);
    end(&large);
}

int main(int argc, char **argv) {
    uint32_t prefixes = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000000;
    bench_idle(100, 1100);
    bench_table(prefixes);
    bench_shape("reflector, 500 clients", 500, true, 10);
    bench_shape("mesh, 999 peers", 999, false, 1);
    return 0;
}
