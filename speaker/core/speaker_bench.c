/*
 * What a speaker costs per idle established peer: time to bring the sessions up, heap per peer,
 * and the time of an idle hour of keepalives.
 *
 *   speaker_bench [PEERS]
 */
#include "bgp.h"
#include "message.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct ip_addr address(uint32_t n) {
    return ip4(0x0A000002u + n);
}

static void make_config(struct bgp_config *c, uint32_t count) {
    bgp_config_init(c, BGP_PROFILE_CALICO);
    c->local_as = 64512;
    c->router_id = ip4(0x0A000001u);
    c->peers = calloc(count, sizeof *c->peers);
    c->peer_count = count;
    for (uint32_t i = 0; c->peers && i < count; i++) {
        struct bgp_peer_config *p = &c->peers[i];
        bgp_peer_config_init(p, c->profile);
        snprintf(p->name, sizeof p->name, "peer%u", i);
        p->remote_addr = address(i);
        p->remote_as = 64512;
        p->passive = true;
        p->rr_client = true;
    }
}

/* Takes all output and throws it away. */
static void drain(struct bgp_speaker *s, struct nanotime now) {
    struct bgp_event e;
    struct bgp_part parts[8];
    size_t count;
    while (bgp_next_event(s, &e)) {
        while (e.kind == BGP_EVENT_OUTPUT &&
               (count = bgp_conn_pull(s, e.conn, parts, 8, now)) > 0) {
            for (size_t i = 0; i < count; i++)
                bgp_conn_sent(s, e.conn, parts[i].size, now);
        }
    }
}

static void establish(struct bgp_speaker *s, struct bgp_conn_id *conns, uint32_t count,
                      struct nanotime now) {
    struct bgp_open open = {.asn = 64512,
                            .hold_time_s = 0,
                            .has_capabilities = true,
                            .mp_present = true,
                            .families = {true, false},
                            .as4 = true};
    struct bgp_reject reject;
    uint8_t message[512];
    for (uint32_t i = 0; i < count; i++) {
        const struct bgp_endpoint remote = {address(i), 4000}, local = {ip4(0x0A000001u), 179};
        if (bgp_conn_accept(s, remote, local, now, &conns[i], &reject) != BGP_OK)
            continue;
        open.router_id = 0x0A000002u + i;
        open.hold_time_s = 240;
        bgp_conn_receive(s, conns[i], message, open_encode(&open, message, sizeof message), now);
        bgp_conn_receive(s, conns[i], message, keepalive_encode(message, sizeof message), now);
        drain(s, now);
        bgp_advance(s, now);
    }
    drain(s, now);
}

/* An hour: keepalives both ways. Returns the calls of bgp_advance. */
static uint64_t idle_hour(struct bgp_speaker *s, const struct bgp_conn_id *conns, uint32_t count,
                          struct nanotime now) {
    uint8_t message[BGP_HEADER_SIZE];
    size_t size = keepalive_encode(message, sizeof message);
    uint64_t calls = 0;
    for (int minute = 0; minute < 60; minute++) {
        struct nanotime end = nanotime_add_ms(now, 60000), next;
        for (uint32_t i = 0; i < count; i++)
            bgp_conn_receive(s, conns[i], message, size, now);
        while (next = bgp_next_deadline(s), nanotime_before(next, end)) {
            now = nanotime_before(now, next) ? next : now;
            bgp_advance(s, now);
            drain(s, now);
            calls++;
        }
        now = end;
    }
    return calls;
}

int main(int argc, char **argv) {
    uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : BGP_PEERS_MAX;
    struct nanotime now = {NANOS_PER_S};
    const struct bgp_env env = {.seed = 1};
    struct bgp_config config;
    struct bgp_counters counters;
    struct bgp_conn_id *conns = calloc(count ? count : 1, sizeof *conns);
    make_config(&config, count);
    if (!conns || !config.peers)
        return 1;
    double start = seconds();
    struct bgp_speaker *s = bgp_speaker_new(&config, &env, now);
    if (!s)
        return 1;
    drain(s, now);
    size_t idle = mallinfo2().uordblks;
    double made = seconds();
    establish(s, conns, count, now);
    double up = seconds();
    size_t full = mallinfo2().uordblks;
    bgp_counters_get(s, &counters);
    uint64_t calls = idle_hour(s, conns, count, now);
    double end = seconds();
    printf("peers %u, established %u\n", count, counters.sessions[BGP_ESTABLISHED]);
    printf("configure %.3f s, establish %.3f s, idle hour %.3f s (%llu calls)\n", made - start,
           up - made, end - up, (unsigned long long)calls);
    printf("per session beside the configured peer: %zu bytes\n",
           count ? (full - idle) / count : 0);
    bgp_counters_get(s, &counters);
    printf("established after the hour: %u\n", counters.sessions[BGP_ESTABLISHED]);
    bgp_speaker_free(s);
    free(config.peers);
    free(conns);
    return 0;
}
