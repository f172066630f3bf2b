/*
 * How long one call into a speaker with a large table takes: while it lasts, no socket is read and
 * no timer fires. What is long is meant to be done in slices.
 *
 *   call_bench [PREFIXES]
 *
 * One peer announces PREFIXES (1,000,000), ten of which share attributes; others are sent them,
 * join, ask again, change groups, lag, and see all go. Per step: the longest call and all of it, in
 * the process's CPU time, so that a busy machine does not show, and which call that was.
 */
#include "bgp.h"
#include "message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PEERS 5u
#define SOURCE 0u
#define LATE 3u     /* joins when the table is there */
#define ADD_PATH 4u /* … and is sent all paths */
#define PER_UPDATE 10u
#define MESSAGES_MAX 1024u /* pulled at a time */

struct call_bench {
    struct bgp_config config;
    struct bgp_peer_config peers[PEERS];
    struct bgp_speaker *s;
    struct bgp_conn_id conns[PEERS];
    bool up[PEERS], lags[PEERS], has_output[PEERS];
    struct nanotime now;
    double longest, all; /* of this step, seconds */
    const char *which;
};

static double cpu_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void called(struct call_bench *b, const char *what, double since) {
    double took = cpu_seconds() - since;
    b->all += took;
    if (took > b->longest) {
        b->longest = took;
        b->which = what;
    }
}

/* Evaluates the call, which stands last. */
#define CALL(b, what, ...)                                                                         \
    do {                                                                                           \
        double call_start = cpu_seconds();                                                         \
        __VA_ARGS__;                                                                               \
        called(b, what, call_start);                                                               \
    } while (0)

static void step(struct call_bench *b, const char *title) {
    printf("%-36s longest call %7.2f ms (%s), all %8.1f ms\n", title, b->longest * 1e3,
           b->which ? b->which : "none", b->all * 1e3);
    b->longest = b->all = 0;
    b->which = NULL;
}

static struct ip_addr peer_address(uint32_t n) {
    return ip4(0x0A000002u + n);
}

static void take_output(struct call_bench *b, uint32_t i) {
    struct bgp_part parts[8];
    size_t count = 0;
    b->has_output[i] = false;
    for (uint32_t n = 0; n < MESSAGES_MAX; n++) {
        CALL(b, "pull", count = bgp_conn_pull(b->s, b->conns[i], parts, 8, b->now));
        size_t size = 0;
        for (size_t p = 0; p < count; p++) {
            size += parts[p].size;
        }
        if (size == 0) {
            return;
        }
        CALL(b, "sent", bgp_conn_sent(b->s, b->conns[i], size, b->now));
    }
    b->has_output[i] = true;
}

static void take_events(struct call_bench *b) {
    struct bgp_event e;
    while (bgp_next_event(b->s, &e)) {
        for (uint32_t i = 0; e.kind == BGP_EVENT_OUTPUT && i < PEERS; i++) {
            b->has_output[i] |= b->conns[i].index == e.conn.index;
        }
        if (e.kind == BGP_EVENT_TRACK && e.track.wanted) {
            CALL(b, "next hop", bgp_nexthop_set(b->s, e.track.address, true, 10, b->now));
        }
    }
}

/* Until there is nothing left to do now. */
static void run(struct call_bench *b) {
    bool more = true;
    while (more) {
        CALL(b, "advance", bgp_advance(b->s, b->now));
        take_events(b);
        more = bgp_next_deadline(b->s).ns <= b->now.ns;
        for (uint32_t i = 0; i < PEERS; i++) {
            if (b->has_output[i] && !b->lags[i]) {
                take_output(b, i);
                more = true;
            }
        }
    }
}

static void receive(struct call_bench *b, uint32_t i, const uint8_t *message, size_t size) {
    CALL(b, "receive", bgp_conn_receive(b->s, b->conns[i], message, size, b->now));
}

static void establish(struct call_bench *b, uint32_t i) {
    struct bgp_open open = {.asn = 64512,
                            .router_id = 0x0A000002u + i,
                            .has_capabilities = true,
                            .mp_present = true,
                            .families = {true, false},
                            .refresh = true,
                            .as4 = true};
    const struct bgp_endpoint remote = {peer_address(i), 4000}, local = {ip4(0x0A000001u), 179};
    struct bgp_reject reject;
    uint8_t message[512];
    open.add_path[BGP_IPV4_UNICAST] = i == ADD_PATH ? BGP_ADD_PATH_RECEIVE : BGP_ADD_PATH_NONE;
    if (bgp_conn_accept(b->s, remote, local, b->now, &b->conns[i], &reject) != BGP_OK) {
        exit(1);
    }
    receive(b, i, message, open_encode(&open, message, sizeof message));
    receive(b, i, message, keepalive_encode(message, sizeof message));
    b->up[i] = true;
    run(b);
}

static void down(struct call_bench *b, uint32_t i) {
    CALL(b, "down", bgp_conn_down(b->s, b->conns[i], BGP_CONN_RESET, b->now));
    b->up[i] = b->has_output[i] = false;
    run(b);
}

static void begin(struct call_bench *b) {
    const struct bgp_env env = {.seed = 1};
    memset(b, 0, sizeof *b);
    b->now.ns = NANOS_PER_S;
    bgp_config_init(&b->config, BGP_PROFILE_PLAIN);
    b->config.local_as = 64512;
    b->config.router_id = ip4(0x0A000001u);
    b->config.fib.install = false;
    b->config.peers = b->peers;
    b->config.peer_count = PEERS;
    for (uint32_t i = 0; i < PEERS; i++) {
        struct bgp_peer_config *p = &b->peers[i];
        bgp_peer_config_init(p, b->config.profile);
        (void)snprintf(p->name, sizeof p->name, "peer%u", i);
        p->remote_addr = peer_address(i);
        p->remote_as = 64512;
        p->passive = p->rr_client = true;
        p->families[BGP_IPV4_UNICAST] = true;
        p->import[0].accept_by_default = p->export[0].accept_by_default = true;
    }
    b->peers[ADD_PATH].add_path_send[BGP_IPV4_UNICAST] = BGP_ADD_PATH_ALL;
    b->s = bgp_speaker_new(&b->config, &env, b->now);
    if (!b->s) {
        exit(1);
    }
    run(b);
}

/* /24s; ten each have a MED of their own. */
static void say(struct call_bench *b, uint32_t prefixes, bool announce) {
    static struct ip_prefix some[PER_UPDATE];
    static uint8_t message[BGP_MESSAGE_SIZE_MAX];
    const struct attr_encoding how = {.as4 = true, .family = BGP_IPV4_UNICAST};
    for (uint32_t done = 0; done < prefixes; done += PER_UPDATE) {
        const struct attr_values v = {.next_hop = peer_address(SOURCE),
                                      .has_local_pref = true,
                                      .local_pref = 100,
                                      .has_med = true,
                                      .med = done / PER_UPDATE};
        size_t size = 0;
        for (uint32_t i = 0; i < PER_UPDATE; i++) {
            some[i] = ip_prefix_make(ip4(0x10000000u + (done + i) * 256u), 24);
        }
        (void)update_encode(announce ? &v : NULL, &how, some, PER_UPDATE, message, sizeof message,
                            &size);
        receive(b, SOURCE, message, size);
        if (done % (100 * PER_UPDATE) == 0) {
            run(b);
        }
    }
    run(b);
}

static void refresh(struct call_bench *b, uint32_t i) {
    const struct bgp_refresh r = {.afi = 1, .safi = 1};
    uint8_t message[64];
    receive(b, i, message, refresh_encode(&r, message, sizeof message));
    run(b);
}

/* Its group becomes another one's; what it is sent stays the same but for the next hop. */
static void regroup(struct call_bench *b, uint32_t i) {
    enum bgp_status status = BGP_OK;
    b->peers[i].next_hop_mode = BGP_NEXT_HOP_SELF;
    CALL(b, "configure", status = bgp_configure(b->s, &b->config, b->now));
    if (status != BGP_OK) {
        exit(1);
    }
    run(b);
}

static void dump(struct call_bench *b) {
    struct bgp_rib_order *o = bgp_rib_order_new(b->s, BGP_IPV4_UNICAST, BGP_RIB_ORDER_BATCH);
    enum bgp_status status = o ? BGP_OK : BGP_NO_MEMORY;
    struct ip_prefix prefix;
    while (status == BGP_OK || status == BGP_REFUSED) {
        uint32_t budget = 16384;
        CALL(b, "order", status = bgp_rib_order_next(b->s, o, &budget, &prefix));
    }
    bgp_rib_order_free(o);
}

static void late_members(struct call_bench *b) {
    establish(b, LATE);
    step(b, "another joins the group");
    establish(b, ADD_PATH);
    step(b, "one joins that is sent all paths");
    refresh(b, 1);
    step(b, "one asks again");
    regroup(b, 2);
    step(b, "one changes groups");
    dump(b);
    step(b, "prefixes in order");
}

int main(int argc, char **argv) {
    static struct call_bench b;
    uint32_t prefixes = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000000;
    begin(&b);
    for (uint32_t i = 0; i < LATE; i++) {
        establish(&b, i);
    }
    step(&b, "sessions");
    say(&b, prefixes, true);
    step(&b, "the table comes");
    late_members(&b);
    b.lags[1] = true;
    say(&b, prefixes, false);
    step(&b, "all is withdrawn, one lags");
    b.lags[1] = false;
    b.has_output[1] = true;
    run(&b);
    step(&b, "it catches up");
    say(&b, prefixes, true);
    step(&b, "the table comes back");
    down(&b, ADD_PATH);
    down(&b, LATE);
    step(&b, "the late ones leave");
    establish(&b, ADD_PATH);
    step(&b, "one comes back");
    down(&b, SOURCE);
    step(&b, "the source leaves");
    bgp_speaker_free(b.s);
    return 0;
}
