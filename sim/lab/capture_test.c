/*
 * Captures that lose packets say how many. What they see is tested where it comes from: OPENs in
 * process_test.c, encapsulated packets in overlay_test.c.
 */
#include "lab_fixture.h"
#include "wire.h"

#include <dlfcn.h>
#include <pcap/pcap.h>

/* Drops that a capture has beside its own: libpcap's function, with more to say. */
static unsigned more_drops;

int pcap_stats(pcap_t *pcap, struct pcap_stat *stat) {
    int (*real)(pcap_t *, struct pcap_stat *);
    int result;

    *(void **)&real = dlsym(RTLD_NEXT, "pcap_stats");
    result = real(pcap, stat);
    stat->ps_drop += more_drops;
    return result;
}

/* More frames than a small buffer has room for, and nobody reads: the kernel counts them. */
static int overflow_body(int fd, void *argument) {
    struct diag_list *d = diag_list_new();
    struct lab_open *opens = NULL;
    struct lab_probe p[200];
    struct lab_wire wires[2];
    char error[PCAP_ERRBUF_SIZE];
    uint64_t lost = 0;
    struct network n;
    struct pcap *pcap;
    struct lab *lab;

    (void)fd;
    (void)argument;
    network_make(&n, 2, LAB_FABRIC_L2, false);
    lab = build_network(&n);
    CHECK(lab != NULL);
    for (size_t i = 0; i < 200; i++)
        p[i] = (struct lab_probe){
            .from = 0, .to = 1, .source = host_addr4(0), .destination = host_addr4(1)};
    CHECK(lab_ping(lab, p, 1, FIXTURE_DEADLINE_MS)); /* the link carries */
    pcap = capture_open(lab, "icmp", 32 << 10, error);
    CHECK(pcap != NULL && capture_lost(pcap) == 0);
    CHECK(lab_ping(lab, p, 200, FIXTURE_DEADLINE_MS));
    CHECK(capture_lost(pcap) > 100);
    pcap_close(pcap);
    CHECK(lab_ping_on_wire(lab, p, 2, FIXTURE_DEADLINE_MS, wires, &lost, d) && lost == 0);
    more_drops = 5;
    CHECK(lab_ping_on_wire(lab, p, 2, FIXTURE_DEADLINE_MS, wires, &lost, d) && lost == 5);
    CHECK(lab_capture_start(lab, NULL, d) && diag_count(d) == 0);
    CHECK(lab_capture_opens(lab, &opens, &lost) == 0 && lost == 5);
    alloc_free(opens);
    more_drops = 0;
    CHECK(lab_capture_opens(lab, &opens, &lost) == 0 && lost == 0);
    alloc_free(opens);
    diag_list_free(d);
    lab_teardown(lab);
    network_free(&n);
    return 0;
}

static void test_overflow(void **state) {
    (void)state;
    assert_int_equal(run_supervised(overflow_body, NULL), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
