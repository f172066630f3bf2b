/*
 * Fuzzes a whole speaker with what a remote and time can do to it: calls, octets in any split,
 * connections that break, output that is taken or not, hours that pass. Two peers, one with
 * a prefix limit; a third address belongs to a listen range. With the upper bit of the first octet
 * everything is offered that can be, graceful restart and a role among it.
 *
 * Whatever comes, the speaker must stay whole: asserts, sanitizers and the checks below watch. An
 * observer's session must never drop. Without the upper two bits a model that shares no code with
 * the speaker reads along: it says which message ends a session, and what the observer must hold.
 *
 * The input is a list of operations: an octet that says which, then what it needs.
 */
#include "bgp.h"

#include "../base/fuzz.h"
#include "model_fixture.h"
#include "observer_fixture.h"

#include <assert.h>

#define CONNS 4
#define PEERS 3
#define OBSERVER 2
#define SETTLE_TURNS_MAX 100000
#define OWN_ADDR UINT32_C(0x0A000001)
#define FIRST_ADDR UINT32_C(0x0A000002)

struct fuzz_conn {
    struct bgp_conn_id id;
    unsigned source;                    /* the model's table: 10.0.0.2 is 0 */
    uint8_t rest[BGP_MESSAGE_SIZE_MAX]; /* of a message that has not come whole */
    size_t rest_size;
    bool up;      /* what comes before is nobody's */
    bool garbled; /* no message can be found in what comes */
};

struct fuzz {
    struct bgp_speaker *s;
    struct fuzz_conn conns[CONNS];
    uint32_t at;
    struct nanotime now;
    struct observer observer;
    struct model_table sources[MODEL_SOURCES];
    bool judged; /* the model follows */
};

static void fuzz_conn_add(struct fuzz *f, struct bgp_conn_id id, struct ip_addr remote, bool up) {
    struct fuzz_conn *c = &f->conns[f->at++ % CONNS];
    *c = (struct fuzz_conn){.id = id, .source = ip4_to_u32(remote) - FIRST_ADDR, .up = up};
    assert(c->source < MODEL_SOURCES);
}

static void fuzz_state(struct fuzz *f, const struct bgp_event *e) {
    const struct bgp_neighbor *p = bgp_peer_config(f->s, e->peer);
    if (e->state.old_state != BGP_ESTABLISHED) {
        return;
    }
    for (unsigned i = 0; i < MODEL_SOURCES; i++) {
        if (!p || ip_equal(p->remote_addr, ip4(FIRST_ADDR + i))) {
            f->judged = f->judged && p; /* it went with its session */
            model_table_clear(&f->sources[i]);
        }
    }
}

static void fuzz_events(struct fuzz *f) {
    struct bgp_event e;
    while (bgp_next_event(f->s, &e)) {
        observer_event(&f->observer, &e);
        if (e.kind == BGP_EVENT_CONNECT)
            fuzz_conn_add(f, e.conn, bgp_peer_config(f->s, e.peer)->remote_addr, false);
        else if (e.kind == BGP_EVENT_TRACK && e.track.wanted)
            bgp_nexthop_set(f->s, e.track.address, true, 0, f->now);
        else if (e.kind == BGP_EVENT_STATE)
            fuzz_state(f, &e);
    }
    assert(!f->observer.lost);
}

static void fuzz_pass(struct fuzz *f, uint64_t ms) {
    struct nanotime end = nanotime_add_ms(f->now, ms);
    observer_run(&f->observer, f->now);
    for (int i = 0; i < 50; i++) {
        struct nanotime next = bgp_next_deadline(f->s);
        if (nanotime_before(end, next))
            break;
        if (nanotime_before(f->now, next))
            f->now = next;
        bgp_advance(f->s, f->now);
        fuzz_events(f);
        observer_run(&f->observer, f->now);
    }
    if (nanotime_before(f->now, end))
        f->now = end;
}

static void fuzz_take(struct fuzz *f, struct bgp_conn_id c, size_t limit) {
    struct bgp_part part;
    while (limit > 0 && bgp_conn_pull(f->s, c, &part, 1, f->now) > 0) {
        size_t size = part.size < limit ? part.size : limit;
        assert(size > 0);
        bgp_conn_sent(f->s, c, size, f->now);
        limit -= size;
    }
}

/* ---- with the model ---- */

/* Everything is worked off, and the observer has taken what there is for it. */
static void fuzz_judge(struct fuzz *f) {
    struct ip_prefix own = ip_prefix_make(ip4(0x0B000000u), 8), about = own;
    for (int i = 0; i < SETTLE_TURNS_MAX; i++) {
        observer_run(&f->observer, f->now);
        fuzz_events(f);
        if (nanotime_before(f->now, bgp_next_deadline(f->s)))
            break;
        bgp_advance(f->s, f->now);
        fuzz_events(f);
    }
    observer_run(&f->observer, f->now);
    fuzz_events(f);
    if (f->judged && !model_agrees(f->sources, &f->observer.view, &own, 1, &about)) {
        char text[IP_PREFIX_TEXT_MAX];
        fprintf(stderr, "the observer and the model disagree about %s\n",
                ip_prefix_format(about, text));
        abort();
    }
}

/* The established session of a connection, as the speaker has it. */
static bool fuzz_session(struct fuzz *f, const struct fuzz_conn *c, struct model_session *ret) {
    struct bgp_peer_info i;
    for (uint32_t n = 0; bgp_peer_at(f->s, n, &i); n++) {
        if (i.state != BGP_ESTABLISHED || i.conn.index != c->id.index ||
            i.conn.generation != c->id.generation)
            continue;
        const struct bgp_config *all = bgp_config_of(f->s);
        bool external = i.config->remote_as != all->local_as;
        *ret = (struct model_session){.as4 = i.as4,
                                      .external = external,
                                      .local_as = all->local_as,
                                      .router_id = ip4_to_u32(all->router_id),
                                      .local_addr = i.local.addr};
        ret->first_as = external && i.config->options->enforce_first_as ? i.config->remote_as : 0;
        for (unsigned n_family = 0; n_family < BGP_FAMILIES; n_family++) {
            ret->families[n_family] = i.families[n_family];
            ret->deny[n_family] = i.import_policy_missing[n_family];
        }
        return true;
    }
    return false;
}

/* A message is whole with `last`: the session it came on ends where the model says so. */
static void fuzz_message(struct fuzz *f, struct fuzz_conn *c, const uint8_t *last, size_t size) {
    struct model_session s, after;
    struct model_update u;
    bool up = fuzz_session(f, c, &s);
    bgp_conn_receive(f->s, c->id, last, size, f->now);
    fuzz_events(f);
    bool still = fuzz_session(f, c, &after);
    uint8_t type = c->rest[BGP_HEADER_SIZE - 1];
    f->judged = f->judged && (type != BGP_MSG_ROUTE_REFRESH || !up);
    if (!up || type != BGP_MSG_UPDATE || c->rest_size < BGP_HEADER_SIZE + 4)
        return;
    model_read(&s, c->rest, c->rest_size, &u);
    f->judged = f->judged && !u.unsure;
    if (!f->judged)
        return;
    /* The peer with a limit may go for another reason. */
    assert(still ? u.outcome != BGP_OUTCOME_SESSION_RESET
                 : u.outcome == BGP_OUTCOME_SESSION_RESET || c->source == 1);
    if (still)
        model_apply(&f->sources[c->source], &s, &u);
}

static void fuzz_receive(struct fuzz *f, struct fuzz_conn *c, const uint8_t *data, size_t size) {
    while (size > 0 && c->up && !c->garbled) {
        size_t want = BGP_HEADER_SIZE;
        if (c->rest_size >= BGP_HEADER_SIZE)
            want = (size_t)c->rest[16] << 8 | c->rest[17];
        size_t step = want - c->rest_size < size ? want - c->rest_size : size;
        memcpy(c->rest + c->rest_size, data, step);
        c->rest_size += step;
        bool head = c->rest_size >= BGP_HEADER_SIZE;
        size_t whole = head ? (size_t)c->rest[16] << 8 | c->rest[17] : 0;
        c->garbled = head && (whole < BGP_HEADER_SIZE || whole > sizeof c->rest);
        if (head && whole == c->rest_size) {
            fuzz_message(f, c, data, step);
            c->rest_size = 0;
        } else {
            bgp_conn_receive(f->s, c->id, data, step, f->now);
            fuzz_events(f);
        }
        data += step;
        size -= step;
    }
    bgp_conn_receive(f->s, c->id, data, size, f->now);
}

/* ---- operations ---- */

static void fuzz_call(struct fuzz *f, uint8_t which) {
    struct bgp_reject reject;
    struct bgp_endpoint remote = {ip4(FIRST_ADDR + which % 3), 4000}, local = {ip4(OWN_ADDR), 179};
    struct bgp_conn_id c;
    if (bgp_conn_accept(f->s, remote, local, f->now, &c, &reject) == BGP_OK)
        fuzz_conn_add(f, c, remote.addr, true);
}

/* One operation; returns the octets it used. */
static size_t fuzz_step(struct fuzz *f, const uint8_t *data, size_t size) {
    uint8_t op = data[0], arg = size > 1 ? data[1] : 0;
    struct fuzz_conn *conn = &f->conns[op >> 3 & (CONNS - 1)];
    struct bgp_conn_id c = conn->id;
    size_t rest = size > 2 ? size - 2 : 0, take = arg < rest ? arg : rest;
    switch (op & 7) {
    case 0:
        fuzz_call(f, arg);
        return 2;
    case 1:
        bgp_conn_up(f->s, c, (struct bgp_endpoint){ip4(OWN_ADDR), 5000}, f->now);
        conn->up = true;
        return 1;
    case 2:
        bgp_conn_down(f->s, c, (enum bgp_conn_end)(arg % 6), f->now);
        return 2;
    case 3:
        fuzz_take(f, c, arg);
        return 2;
    case 4:
        fuzz_pass(f, (uint64_t)arg * arg * 8);
        fuzz_judge(f);
        return 2;
    default:
        fuzz_receive(f, conn, data + (size > 2 ? 2 : size), take);
        return 2 + take;
    }
}

/* All that is optional in an OPEN. */
static void fuzz_offer(struct bgp_peer_config *p) {
    p->extended_messages = p->extended_next_hop = p->gr_notification = true;
    p->graceful_restart = BGP_GR_FULL;
    p->send_hold_time_s = 300;
    p->blackhole_accept = p->graceful_shutdown = true;
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        p->add_path_receive[f] = true;
        p->add_path_send[f] = BGP_ADD_PATH_ALL;
    }
}

static void fuzz_config(struct bgp_config *c, struct bgp_peer_config peers[PEERS],
                        struct bgp_listen_range *range, struct bgp_origin_config *origin,
                        struct bgp_aggregate_config *aggregate, uint8_t profile) {
    bgp_config_init(c, (enum bgp_profile)(profile % BGP_PROFILES));
    c->local_as = 64512;
    c->router_id = ip4(0x0A000001u);
    c->peers = peers;
    c->peer_count = PEERS;
    observer_config(&peers[OBSERVER], c->profile, c->local_as);
    for (uint32_t i = 0; i < OBSERVER; i++) {
        bgp_peer_config_init(&peers[i], c->profile);
        peers[i].name[0] = (char)('a' + i);
        peers[i].remote_addr = ip4(FIRST_ADDR + i);
        peers[i].remote_as = 64512 + i;
        peers[i].families[BGP_IPV6_UNICAST] = true;
        peers[i].graceful_restart = i && profile & 0xC0 ? BGP_GR_FULL : BGP_GR_OFF;
        for (unsigned f = 0; f < BGP_FAMILIES; f++)
            peers[i].import[f].accept_by_default = peers[i].export[f].accept_by_default = true;
        peers[i].prefix_max[0] = i ? 3 : 0;
        if (profile & 0x80)
            fuzz_offer(&peers[i]);
    }
    if (profile & 0x80)
        peers[1].role = BGP_ROLE_CUSTOMER;
    *range = (struct bgp_listen_range){
        .prefix = ip_prefix_make(ip4(0x0A000004u), 31), .limit = 1, .peer = peers[0]};
    range->peer.remote_addr = (struct ip_addr){0};
    range->peer.remote_as = 0;
    c->listen_ranges = range;
    c->listen_range_count = 1;
    *origin = (struct bgp_origin_config){.prefix = ip_prefix_make(ip4(0x0B000000u), 8),
                                         .source = ROUTE_SOURCE_STATIC,
                                         .metric = UINT32_MAX};
    c->origins = origin;
    c->origin_count = 1;
    *aggregate = (struct bgp_aggregate_config){.prefix = ip_prefix_make(ip4(0x0A000000u), 8),
                                               .as_set = true};
    c->aggregates = aggregate;
    c->aggregate_count = profile & 0x80 ? 1 : 0;
    static const uint32_t members[] = {64513};
    c->confederation_id = profile & 0x40 ? 100 : 0;
    c->confederation_members = members;
    c->confederation_member_count = profile & 0x40 ? 1 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bgp_config config;
    struct bgp_peer_config peers[PEERS];
    struct bgp_listen_range range;
    struct bgp_origin_config origin;
    struct bgp_aggregate_config aggregate;
    struct bgp_counters counters;
    struct fuzz f = {.now = {NANOS_PER_S}, .judged = size > 0 && !(data[0] & 0xC0)};
    const struct bgp_env env = {.seed = 1, .work_budget = 8};
    fuzz_config(&config, peers, &range, &origin, &aggregate, size ? data[0] : 0);
    f.s = bgp_speaker_new(&config, &env, f.now);
    if (!f.s)
        abort();
    observer_start(&f.observer, f.s, config.local_as, f.now);
    fuzz_events(&f);
    assert(f.observer.up);
    for (size_t at = 1; at < size;) {
        at += fuzz_step(&f, data + at, size - at);
        fuzz_events(&f);
        bgp_counters_get(f.s, &counters);
        if (counters.sessions[BGP_IDLE] + counters.sessions[BGP_CONNECT] +
                counters.sessions[BGP_ACTIVE] + counters.sessions[BGP_OPEN_SENT] +
                counters.sessions[BGP_OPEN_CONFIRM] + counters.sessions[BGP_ESTABLISHED] !=
            bgp_peer_count(f.s))
            abort();
    }
    fuzz_judge(&f);
    bgp_stop(f.s, "end", f.now);
    f.observer.up = false;
    fuzz_events(&f);
    fuzz_pass(&f, 100000); /* every connection's time to linger is over */
    if (!bgp_stopped(f.s))
        abort();
    bgp_speaker_free(f.s);
    observer_end(&f.observer);
    for (unsigned i = 0; i < MODEL_SOURCES; i++)
        model_table_free(&f.sources[i]);
    return 0;
}

#define FF "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
#define CALL "\0\0"
#define OPEN_64512                                                                                 \
    "\x05\x2b" FF "\0\x2b\x01\x04\xfc\0\0\x5a\x0a\0\0\x02\x0e\x02\x0c\x01\x04\0\x01\0\x01"         \
    "\x41\x04\0\0\xfc\0"
#define KEEPALIVE "\x05\x13" FF "\0\x13\x04"
#define UPDATE                                                                                     \
    "\x05\x39" FF "\0\x39\x02\0\0\0\x1c\x40\x01\x01\0\x40\x02\0\x40\x03\x04\x0a\0\0\x02\x40\x05"   \
    "\x04\0\0\0\x64\x80\x04\x04\0\0\0\0\x10\xac\x10\x10\xac\x11"
#define OPEN_ALL                                                                                   \
    "\x05\x47" FF "\0\x47\x01\x04\xfc\0\0\x5a\x0a\0\0\x02\x2a\x02\x28\x01\x04\0\x01\0\x01"         \
    "\x02\0\x05\x06\0\x01\0\x01\0\x02\x06\0\x40\x06\xc0\x3c\0\x01\x01\x80"                         \
    "\x41\x04\0\0\xfc\0\x46\0\x45\x04\0\x01\x01\x03"
/* IPv6 too; of 10.0.0.2, on the first connection, and of 10.0.0.4, on the second. */
#define OPEN_BOTH(op, id)                                                                          \
    op "\x31" FF "\0\x31\x01\x04\xfc\0\0\x5a\x0a\0\0" id "\x14\x02\x12\x01\x04\0\x01\0\x01"        \
       "\x01\x04\0\x02\0\x01\x41\x04\0\0\xfc\0"
#define OPEN_64513                                                                                 \
    "\x05\x2b" FF "\0\x2b\x01\x04\xfc\x01\0\x5a\x0a\0\0\x03\x0e\x02\x0c\x01\x04\0\x01\0\x01"       \
    "\x41\x04\0\0\xfc\x01"
#define KEEPALIVE2 "\x0d\x13" FF "\0\x13\x04"
#define UPDATE_AGAIN                                                                               \
    "\x0d\x3e" FF                                                                                  \
    "\0\x3e\x02\0\0\0\x21\x40\x01\x01\x01\x40\x02\x06\x02\x01\0\0\xfd\xe9\x40\x03\x04"             \
    "\x0a\0\0\x04\x40\x05\x04\0\0\0\x64\xc0\x08\x04\xff\xff\xff\x02\x10\xac\x10\x10\xac\x11"
#define UPDATE_64513                                                                               \
    "\x05\x2e" FF "\0\x2e\x02\0\0\0\x14\x40\x01\x01\0\x40\x02\x06\x02\x01\0\0\xfc\x01\x40\x03\x04" \
    "\x0a\0\0\x03\x10\xac\x10"
#define REACH6                                                                                     \
    "\x05\x42" FF "\0\x42\x02\0\0\0\x2b\x40\x01\x01\0\x40\x02\0\x40\x05\x04\0\0\0\x64\x80\x0e\x1a" \
    "\0\x02\x01\x10\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\0\x20\x20\x01\x0d\xb8"
/* The prefix of UPDATE_64513, with a segment that is longer than its path. */
#define LONG_SEGMENT                                                                               \
    "\x05\x2e" FF "\0\x2e\x02\0\0\0\x14\x40\x01\x01\0\x40\x02\x06\x02\x02\0\0\xfc\x01\x40\x03\x04" \
    "\x0a\0\0\x03\x10\xac\x10"
#define UNREACH6 "\x05\x22" FF "\0\x22\x02\0\0\0\x0b\x80\x0f\x08\0\x02\x01\x20\x20\x01\x0d\xb8"
#define WITHDRAW "\x05\x1a" FF "\0\x1a\x02\0\x03\x10\xac\x10\0\0"
#define BARE "\x05\x1a" FF "\0\x1a\x02\0\0\0\0\x10\xac\x10"
#define ONLY_UNKNOWN "\x05\x1b" FF "\0\x1b\x02\0\0\0\x04\xc0\xc8\x01\0"
#define END_OF_RIB "\x05\x17" FF "\0\x17\x02\0\0\0\0"
#define TAKE "\x03\xff"
#define LATER "\x04\x40"
#define DOWN "\x02\x01"

static const struct fuzz_seed speaker_fuzz_seeds[] = {
    FUZZ_SEED("\0" CALL OPEN_64512 KEEPALIVE TAKE UPDATE LATER TAKE DOWN LATER),
    FUZZ_SEED("\x01" CALL OPEN_64512 KEEPALIVE UPDATE DOWN CALL OPEN_64512 KEEPALIVE LATER),
    FUZZ_SEED("\x02" CALL OPEN_64512 TAKE KEEPALIVE UPDATE LATER KEEPALIVE LATER TAKE),
    FUZZ_SEED("\xc3" CALL OPEN_ALL KEEPALIVE TAKE UPDATE LATER TAKE DOWN LATER),
    FUZZ_SEED("\x83" CALL OPEN_ALL KEEPALIVE TAKE UPDATE LATER TAKE DOWN LATER),
    FUZZ_SEED("\x83\0\x02" OPEN_ALL KEEPALIVE UPDATE DOWN LATER "\0\x02" OPEN_ALL KEEPALIVE LATER),
    FUZZ_SEED("\0" CALL OPEN_BOTH("\x05", "\x02") KEEPALIVE REACH6 LATER UNREACH6 LATER),
    FUZZ_SEED("\0" CALL OPEN_BOTH("\x05", "\x02") KEEPALIVE END_OF_RIB UPDATE REACH6 LATER DOWN),
    FUZZ_SEED("\0" CALL OPEN_64512 KEEPALIVE UPDATE LATER WITHDRAW LATER BARE LATER ONLY_UNKNOWN),
    FUZZ_SEED("\0\0\x01" OPEN_64513 KEEPALIVE UPDATE_64513 LATER WITHDRAW LATER BARE LATER),
    FUZZ_SEED("\0\0\x01" OPEN_64513 KEEPALIVE UPDATE_64513 LATER LONG_SEGMENT LATER),
    FUZZ_SEED("\0" CALL OPEN_BOTH("\x05", "\x02") KEEPALIVE "\0\x02" OPEN_BOTH("\x0d", "\x04")
                  KEEPALIVE2 UPDATE UPDATE_AGAIN LATER WITHDRAW LATER),
    FUZZ_SEED("\x83" CALL OPEN_ALL KEEPALIVE END_OF_RIB ONLY_UNKNOWN UPDATE DOWN CALL OPEN_ALL
                  KEEPALIVE BARE END_OF_RIB LATER),
    FUZZ_SEED("\0\x04\xff\x01" OPEN_64512 KEEPALIVE LATER TAKE LATER),
};

FUZZ_MAIN(speaker_fuzz_seeds)
