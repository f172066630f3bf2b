/*
 * The whole speaker under hostile input over TCP: in one namespace the speaker, in the second an
 * honest one, in the third this test, which sends every class of core/hostile_fixture.h. The honest
 * speaker's session must never drop, the other one must live, answer and announce to the end.
 *
 * A tenth of HOSTILE_MESSAGES messages (10,000 by default).
 */
#include "../base/text.h"
#include "../core/hostile_fixture.h"
#include "nodes_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define NODES 3
#define TARGET 0
#define HONEST 1
#define ATTACKER 2
#define ATTACKER_AS 65001
#define MESSAGES_DEFAULT 10000
#define SAMPLE_STRIDE 11
#define TURN 4
#define CALLS_MAX 10000000
#define FIRST_ADDR 0x0A000081 /* 10.0.0.129 */
#define ADDRESSES 120

static const char target_config[] =
    "{\"profile\":\"fast\",\"hostname\":\"target\",\"local_as\":64512,\"router_id\":\"10.0.0.1\","
    "\"listen_ranges\":[{\"prefix\":\"10.0.0.128/25\",\"peer\":{\"name\":\"attacker\","
    "\"remote_as\":65001,\"families\":[\"ipv4\",\"ipv6\"],\"extended_messages\":true,"
    "\"import\":{\"ipv4\":{\"accept_by_default\":true},\"ipv6\":{\"accept_by_default\":true}}}}],"
    "\"peers\":[{\"name\":\"honest\",\"remote_addr\":\"10.0.0.2\",\"remote_as\":64512,\"rr_"
    "client\":true,"
    "\"passive\":true,\"families\":[\"ipv4\",\"ipv6\"],"
    "\"export\":{\"ipv4\":{\"accept_by_default\":true},\"ipv6\":{\"accept_by_default\":true}}}]}";

static const char honest_config[] =
    "{\"profile\":\"fast\",\"hostname\":\"honest\",\"local_as\":64512,\"router_id\":\"10.0.0.2\","
    "\"peers\":[{\"name\":\"target\",\"remote_addr\":\"10.0.0.1\",\"remote_as\":64512,"
    "\"families\":[\"ipv4\",\"ipv6\"],"
    "\"import\":{\"ipv4\":{\"accept_by_default\":true},\"ipv6\":{\"accept_by_default\":true}}}]}";

struct attack {
    int fd; /* -1: not connected */
    enum hostile_stage stage;
    uint32_t calls, sent;
};

/* ---- the attacker's end ---- */

static void hang_up(struct attack *a) {
    static const struct linger abort_it = {.l_onoff = 1};
    if (a->fd >= 0) {
        setsockopt(a->fd, SOL_SOCKET, SO_LINGER, &abort_it, sizeof abort_it);
        close(a->fd);
    }
    a->fd = -1;
}

/* From the next address: one that was in error has to wait before it is heard again. False: it is
 * refused still, by a reset that was there before connect() has returned. */
static bool call(struct attack *a) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(179)};
    struct sockaddr_in from = {.sin_family = AF_INET};
    hang_up(a);
    to.sin_addr.s_addr = htonl(0x0A000001);
    from.sin_addr.s_addr = htonl(FIRST_ADDR + a->calls % ADDRESSES);
    nodes_enter(nodes.at[ATTACKER].ns);
    a->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    nodes_enter(nodes.home_ns);
    assert_true(a->fd >= 0);
    assert_true(++a->calls < CALLS_MAX);
    assert_int_equal(bind(a->fd, (const struct sockaddr *)&from, sizeof from), 0);
    if (connect(a->fd, (const struct sockaddr *)&to, sizeof to) == 0)
        return true;
    assert_int_equal(errno, ECONNRESET);
    return false;
}

/* Reads messages until one of this type came; false: the connection ended before. */
static bool hear(struct attack *a, uint8_t type) {
    uint8_t message[BGP_MESSAGE_EXTENDED_MAX];
    size_t size = 0;
    for (;;) {
        size_t want = BGP_HEADER_SIZE;
        if (size >= BGP_HEADER_SIZE)
            want = (size_t)message[16] << 8 | message[17];
        if (size >= BGP_HEADER_SIZE && size == want) {
            if (message[18] == type)
                return true;
            size = 0;
            continue;
        }
        struct pollfd p = {.fd = a->fd, .events = POLLIN};
        assert_int_equal(poll(&p, 1, NODES_DEADLINE_MS), 1);
        ssize_t got = recv(a->fd, message + size, want - size, 0);
        if (got <= 0)
            return false;
        size += (size_t)got;
    }
}

/* False: the connection is gone. What the speaker says is read and forgotten. */
static bool say(struct attack *a, const uint8_t *data, size_t size) {
    static uint8_t heard[65536];
    size_t at = 0;
    while (at < size) {
        struct pollfd p = {.fd = a->fd, .events = POLLIN | POLLOUT};
        assert_int_equal(poll(&p, 1, NODES_DEADLINE_MS), 1);
        if (p.revents & (POLLIN | POLLHUP | POLLERR) &&
            recv(a->fd, heard, sizeof heard, MSG_DONTWAIT) <= 0 && errno != EAGAIN)
            return false;
        ssize_t sent = send(a->fd, data + at, size - at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN)
            return false;
        at += sent > 0 ? (size_t)sent : 0;
    }
    return true;
}

/* The speaker has turned to the connection and read what there was, for it has answered other
 * questions since. False: and ended it. */
static bool taken(struct attack *a) {
    static uint8_t heard[65536];
    ssize_t got;
    for (int i = 0; i < 2; i++)
        assert_true(nodes_ask(TARGET, "{\"op\":\"hello\"}\n", "\"ok\":true"));
    while ((got = recv(a->fd, heard, sizeof heard, MSG_DONTWAIT)) > 0)
        continue;
    return got < 0 && errno == EAGAIN;
}

/* Calls and says the greeting, up to the stage that it leads to; false: nobody heard it out. */
static bool greet(struct attack *a, enum hostile_stage stage, const uint8_t *greeting,
                  size_t size) {
    return call(a) && send(a->fd, greeting, size, MSG_NOSIGNAL) == (ssize_t)size &&
           hear(a, stage == HOSTILE_ESTABLISHED ? 4 : 1);
}

/* Until it was said whole, or taken as a reason to hang up. */
static void attack_with(struct attack *a, struct hostile *h) {
    uint8_t greeting[1024];
    hostile_next(h);
    bool fresh = a->fd < 0 || h->stage != HOSTILE_ESTABLISHED || a->stage != h->stage;
    if (fresh) {
        size_t size = hostile_greeting(h, h->stage, FIRST_ADDR, greeting, sizeof greeting);
        while (!greet(a, h->stage, greeting, size))
            continue;
        a->stage = h->stage;
    }
    if (!say(a, h->data, h->size) || (++a->sent % TURN == 0 && !taken(a)) || h->ends_inside)
        hang_up(a);
}

static uint32_t messages_of(unsigned class) {
    const char *wanted = getenv("HOSTILE_MESSAGES");
    uint64_t all = wanted ? strtoull(wanted, NULL, 10) / 10 : MESSAGES_DEFAULT, listed = 0;
    for (unsigned i = 0; i < HOSTILE_CLASS_COUNT; i++)
        listed += hostile_rows[i].per_million;
    uint32_t share = hostile_rows[class].per_million;
    return (uint32_t)((share ? share : 1000000 - listed) * all / 1000000) + 1;
}

/* ---- the test ---- */

static bool honest_has(int node, uint64_t value) {
    (void)value;
    struct text answer;
    text_init(&answer);
    nodes_request(node, "{\"op\":\"rib\",\"table\":\"loc\",\"prefix\":\"10.99.0.0/24\"}\n",
                  &answer);
    bool has = strstr(text_str(&answer), "\"prefix\":\"10.99.0.0/24\"") != NULL;
    text_deinit(&answer);
    return has;
}

static void test_hostile_peer(void **state) {
    struct attack a = {.fd = -1};
    (void)state;
    if (nodes_forbidden())
        skip();
    nodes_ip(ATTACKER, "route", "add", "local", "10.0.0.128/25", "dev", "lo", NULL);
    nodes_start(TARGET, target_config, "--config-fd");
    WAIT_FOR(running, TARGET, SCOREBOARD_RUNNING);
    nodes_start(HONEST, honest_config, "--config-fd");
    WAIT_FOR(established, HONEST, 1);
    for (unsigned class = 0; class < HOSTILE_CLASS_COUNT; class ++) {
        struct hostile *h = hostile_new((enum hostile_class) class, 21 + class);
        h->as4 = h->extended = true;
        h->asn = ATTACKER_AS;
        h->stride = SAMPLE_STRIDE;
        for (uint32_t n = messages_of(class); n > 0; n--)
            attack_with(&a, h);
        free(h);
        assert_true(nodes_ask(TARGET, "{\"op\":\"hello\"}\n", "\"ok\":true"));
        assert_true(established(HONEST, 1) && dropped(HONEST, 0));
    }
    hang_up(&a);
    assert_true(nodes_ask(TARGET,
                          "{\"op\":\"originate\",\"routes\":[{\"prefix\":\"10.99.0.0/24\","
                          "\"source\":\"static\"}]}\n",
                          "\"ok\":true"));
    WAIT_FOR(honest_has, HONEST, 1);
    assert_true(established(HONEST, 1) && dropped(HONEST, 0));
    json_t *counters = nodes_request_json(TARGET, "{\"op\":\"counters\"}\n");
    json_int_t arrived = json_integer_value(json_object_get(counters, "updates_received"));
    json_decref(counters);
    print_message("%u stimuli on %u connections, %lld UPDATEs arrived\n", a.sent, a.calls,
                  (long long)arrived);
    assert_true(arrived > a.sent / 4);
    assert_int_equal(nodes_stop(HONEST), 0);
    assert_int_equal(nodes_stop(TARGET), 0);
}

static int lab_up(void **state) {
    (void)state;
    return nodes_group_up(NODES);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hostile_peer)};
    return cmocka_run_group_tests_name("hostile over TCP", tests, lab_up, nodes_group_down);
}
