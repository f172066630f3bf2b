/*
 * Answers that are somebody else's, against probes and a stream that wait for theirs.
 *
 * The host that is asked keeps silent; what comes in its place is written here: from the wrong
 * host, for a probe that was not sent, of another series, twice. Each kind is seen to be let in
 * when it is right, so that what is refused is not refused by the network.
 */
#include "icmp.h"
#include "lab_fixture.h"
#include "netns.h"

#include <netinet/in.h>
#include <signal.h>

/* Hosts: 0 asks, 1 is asked and silent, 2 is a stranger. */
#define ASKED 1
#define STRANGER 2

static struct lab *silent_lab(const struct network *n) {
    struct lab *lab = build_network(n);
    struct lab_probe p[2] = {
        {.to = ASKED, .source = host_addr4(0), .destination = host_addr4(ASKED)},
        {.to = STRANGER, .source = host_addr4(0), .destination = host_addr4(STRANGER)}};

    if (lab == NULL || !lab_ping(lab, p, 2, FIXTURE_DEADLINE_MS) || /* links carry */
        !netns_enter(lab_host_netns(lab, ASKED)) ||
        !netns_write_sysctl("net/ipv4/icmp_echo_ignore_all", "1") || !netns_enter(lab->home_fd))
        return NULL;
    return lab;
}

struct forged {
    uint32_t from; /* host */
    int series;    /* beside the one that counts */
    uint32_t index;
};

static bool send_forged(int fd, uint16_t series, const struct forged *f) {
    struct sockaddr_in to = {.sin_family = AF_INET};
    uint8_t packet[16] = {[4] = (uint8_t)(f->index >> 24),
                          (uint8_t)(f->index >> 16),
                          (uint8_t)(f->index >> 8),
                          (uint8_t)f->index};
    uint16_t tagged = (uint16_t)(series + f->series);

    memcpy(packet + 8, "ribcag", 6);
    packet[14] = (uint8_t)(tagged >> 8);
    packet[15] = (uint8_t)tagged;
    memcpy(&to.sin_addr, host_addr4(0).bytes, 4);
    return sendto(fd, packet, sizeof(packet), 0, (struct sockaddr *)&to, sizeof(to)) ==
           (ssize_t)sizeof(packet);
}

static int open_inside(struct lab *lab, uint32_t host) {
    int fd = netns_enter(lab_host_netns(lab, host)) ? icmp_open(IP_V4) : -1;

    return netns_enter(lab->home_fd) ? fd : -1;
}

/* ---- a stream ---- */

/* One forged answer to host 0, and a real one behind it, so that it has come. */
static bool answer_stream(struct lab *lab, struct lab_stream *s, uint16_t series,
                          const struct forged *f) {
    struct lab_probe behind = {
        .from = 0, .to = STRANGER, .source = host_addr4(0), .destination = host_addr4(STRANGER)};
    int fd = open_inside(lab, f->from);
    bool ok = fd >= 0 && send_forged(fd, series, f);

    if (fd >= 0)
        close(fd);
    ok = ok && lab_ping(lab, &behind, 1, FIXTURE_DEADLINE_MS);
    (void)lab_stream_drained(s);
    return ok;
}

static int stream_body(int fd, void *argument) {
    static const struct {
        struct forged f;
        uint64_t answered; /* then */
    } rows[] = {
        {{STRANGER, 0, 0}, 0}, {{ASKED, 0, 3}, 0},  {{ASKED, 0, UINT32_MAX}, 0},
        {{ASKED, 1, 0}, 0},    {{ASKED, -1, 0}, 0}, {{ASKED, 256, 0}, 0},
        {{ASKED, 0, 0}, 1},    {{ASKED, 0, 0}, 1},  {{ASKED, 0, 1}, 2},
    };
    struct lab_flow f = {
        .from = 0, .to = ASKED, .source = host_addr4(0), .destination = host_addr4(ASKED)};
    struct lab_stream *s;
    struct network n;
    struct lab *lab;
    uint16_t series;

    (void)fd;
    (void)argument;
    network_make(&n, 3, LAB_FABRIC_L2, false);
    lab = silent_lab(&n);
    CHECK(lab != NULL);
    series = (uint16_t)(lab->icmp_series + 1);
    s = lab_stream_start(lab, &f, 1);
    CHECK(s != NULL && lab->icmp_series == series); /* one of its own */
    while (f.sent < 3)
        (void)lab_wait(lab, lab_stream_tick(s), -1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK(answer_stream(lab, s, series, &rows[i].f));
        if (f.answered != rows[i].answered)
            fprintf(stderr, "row %zu: %lu answered\n", i, (unsigned long)f.answered);
        CHECK(f.answered == rows[i].answered);
    }
    lab_stream_end(s);
    CHECK(f.answered == 2 && f.sent == 3);
    CHECK(f.outage_ns >= LAB_STREAM_INTERVAL_MS * NANOS_PER_MS / 2); /* the third's */
    lab_teardown(lab);
    network_free(&n);
    return 0;
}

static void test_stream(void **state) {
    (void)state;
    assert_int_equal(run_supervised(stream_body, NULL), 0);
}

/* ---- probes ---- */

/* Sends without end what is to be no answer; ended by a signal. */
static pid_t start_forging(int fd, uint16_t series, const struct forged *list, size_t count) {
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    for (struct pollfd p = {.fd = fd, .events = POLLOUT};; (void)poll(&p, 1, -1))
        for (size_t i = 0; i < count; i++)
            (void)send_forged(fd, series, &list[i]);
}

/* Two probes to the silent host; how many arrive while `list` comes from `from`. -1: trouble. */
static int probes_answered(struct lab *lab, const struct forged *list, size_t count,
                           uint32_t deadline_ms) {
    struct lab_probe p[2] = {
        {.to = ASKED, .source = host_addr4(0), .destination = host_addr4(ASKED)},
        {.to = ASKED, .source = host_addr4(0), .destination = host_addr4(ASKED)}};
    uint16_t series = (uint16_t)(lab->icmp_series + 1);
    int fd = open_inside(lab, list[0].from), status;
    pid_t pid = fd < 0 ? -1 : start_forging(fd, series, list, count);
    bool all;

    if (pid < 0)
        return -1;
    all = lab_ping(lab, p, 2, deadline_ms);
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, &status, 0); /* the lab may have reaped it */
    close(fd);
    return all == (p[0].arrived && p[1].arrived) && lab->icmp_series == series
               ? p[0].arrived + p[1].arrived
               : -1;
}

/* Until one has arrived: the forger may have to wait for a processor longer than we wait for it. */
static int probes_answered_at_last(struct lab *lab, const struct forged *list, size_t count) {
    int answered = 0;

    for (uint32_t ms = 1000; answered == 0 && ms <= FIXTURE_DEADLINE_MS; ms *= 3)
        answered = probes_answered(lab, list, count, ms);
    return answered;
}

static int probe_body(int fd, void *argument) {
    static const struct forged from_stranger[] = {{STRANGER, 0, 0}, {STRANGER, 0, 1}};
    static const struct forged of_others[] = {
        {ASKED, 0, 2},  {ASKED, 0, UINT32_MAX}, {ASKED, 1, 0},
        {ASKED, -1, 0}, {ASKED, -1, 1},         {ASKED, 0, 1}}; /* the last one is an answer */
    static const struct forged both[] = {{ASKED, 0, 0}, {ASKED, 0, 1}};
    struct network n;
    struct lab *lab;

    (void)fd;
    (void)argument;
    network_make(&n, 3, LAB_FABRIC_L2, false);
    lab = silent_lab(&n);
    CHECK(lab != NULL);
    CHECK(probes_answered(lab, from_stranger, 2, 1000) == 0);
    CHECK(probes_answered_at_last(lab, of_others, 6) == 1);
    CHECK(probes_answered(lab, both, 2, FIXTURE_DEADLINE_MS) == 2);
    lab_teardown(lab);
    network_free(&n);
    return 0;
}

static void test_probes(void **state) {
    (void)state;
    assert_int_equal(run_supervised(probe_body, NULL), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_probes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
