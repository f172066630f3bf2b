/*
 * Fuzzes JSON configurations. What is accepted, written and read again, is the same; what is
 * refused has a finding with a place inside the text. What passes the check as well must make a
 * speaker, be taken by a living one, and leave it whole.
 */
#include "config_json.h"

#include "../base/arena.h"
#include "../base/diag.h"
#include "../base/fuzz.h"
#include "../core/bgp.h"

#include <assert.h>

#define PEERS_RUN_MAX 64u /* larger ones are only read: a speaker costs memory for each */

static struct bgp_config *read_text(const char *text, size_t size, struct arena *arena) {
    struct diag_list *diags = diag_list_new();
    assert(diags);
    struct bgp_config *c = config_from_text(text, size, "fuzz", arena, diags);
    assert((c != NULL) == (diag_error_count(diags) == 0));
    diag_list_free(diags);
    return c;
}

static char *written(const struct bgp_config *c) {
    json_t *json = config_to_json(c);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    assert(text);
    json_decref(json);
    return text;
}

static void drain(struct bgp_speaker *s) {
    struct bgp_event e;
    while (bgp_next_event(s, &e)) {
    }
}

/* A speaker begins with it; another one is changed to it and back. */
static void put_in_force(const struct bgp_config *c) {
    const struct bgp_env env = {.seed = 1, .work_budget = 64};
    struct nanotime now = {NANOS_PER_S};
    struct bgp_config plain;
    bgp_config_init(&plain, c->profile);
    plain.local_as = 64512;
    plain.router_id = ip4(0x0A000001);
    struct bgp_speaker *with = bgp_speaker_new(c, &env, now);
    struct bgp_speaker *other = bgp_speaker_new(&plain, &env, now);
    assert(with && other);
    bgp_advance(with, nanotime_add_ms(now, 10000));
    drain(with);
    const struct bgp_config *turns[] = {c, &plain, c};
    for (size_t i = 0; i < sizeof turns / sizeof turns[0]; i++) {
        enum bgp_status status = bgp_configure(other, turns[i], now);
        assert(status == BGP_OK && bgp_peer_count(other) == turns[i]->peer_count);
        drain(other);
        now = nanotime_add_ms(now, 3000);
        bgp_advance(other, now);
        drain(other);
    }
    bgp_speaker_free(with);
    bgp_speaker_free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_new();
    assert(arena);
    struct bgp_config *c = read_text((const char *)data, size, arena);
    if (c) {
        struct diag_list *diags = diag_list_new();
        char *once = written(c);
        struct bgp_config *back = read_text(once, strlen(once), arena);
        assert(back && diags);
        char *twice = written(back);
        assert(strcmp(once, twice) == 0);
        if (bgp_config_check(c, "fuzz", diags) && c->peer_count <= PEERS_RUN_MAX) {
            put_in_force(c);
        }
        diag_list_free(diags);
        free(once);
        free(twice);
    }
    arena_free(arena);
    return 0;
}

#define HEAD "{\"profile\":\"fast\",\"local_as\":64512,\"router_id\":\"10.0.0.1\""
#define PEER                                                                                       \
    "{\"name\":\"a\",\"remote_addr\":\"10.0.0.2\",\"remote_as\":64512,\"families\":[\"ipv4\"]"
static const struct fuzz_seed seeds[] = {
    FUZZ_SEED(HEAD "}"),
    FUZZ_SEED(HEAD ",\"peers\":[" PEER "},{\"name\":\"b\",\"remote_addr\":\"fd00::2\","
                   "\"remote_as\":65001,\"password\":\"x\",\"graceful_restart\":\"full\"}]}"),
    FUZZ_SEED(HEAD ",\"peers\":[" PEER ",\"import\":{\"ipv4\":{\"policies\":[0],"
                   "\"accept_by_default\":true}}}],\"policies\":[{\"name\":\"p\",\"otherwise\":"
                   "\"accept\",\"terms\":[{\"name\":\"t\",\"verdict\":\"reject\",\"matches\":[{"
                   "\"kind\":\"prefix\",\"prefixes\":[{\"prefix\":\"10.0.0.0/8\",\"length_min\":8,"
                   "\"length_max\":32}]}]}]}]}"),
    FUZZ_SEED(HEAD ",\"origins\":[{\"prefix\":\"10.244.1.0/26\",\"source\":\"static\","
                   "\"blackhole_in_kernel\":true}],\"fib\":{\"install\":true}}"),
};
static const char *const words[] = {
    "\"ipv6\"",
    "\"ipv4\"",
    "true",
    "false",
    "null",
    "4294967295",
    "65535",
    "0",
    "-1",
    "1e9",
    ",\"cluster_id\":\"0.0.0.9\"",
    ",\"listen_port\":",
    ",\"passive\":true",
    ",\"rr_client\":true",
    ",\"shutdown\":true",
    ",\"multihop\":2",
    ",\"ttl_security_hops\":1",
    ",\"role\":\"customer\"",
    ",\"extended_messages\":true",
    ",\"hold_time_s\":3",
    ",\"prefix_max\":{\"ipv4\":1}",
    ",\"add_path_send\":{\"ipv4\":2}",
    ",\"confederation_id\":100",
    ",\"local_as\":65002",
    ",\"aggregates\":[{\"prefix\":\"10.0.0.0/8\"}]",
    ",\"peers\":[]",
    "[",
    "]",
    "{",
    "}",
    ",",
    "\"10.0.0.2\"",
    "\"::\"",
    "\\u0000",
    "\xff",
    "\"profile\":\"ios\"",
    "\"profile\":\"plain\"",
    ",\"listen_ranges\":[{\"prefix\":\"10.9.0.0/24\",\"peer\":{\"name\":\"r\"}}]",
};

FUZZ_MAIN_WORDS(seeds, words)
