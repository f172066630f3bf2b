/*
 * How long a lab takes to build and to take down, by fabric and number of hosts.
 *
 *   lab_bench [HOSTS…]    default: 100 1000
 *
 * One line each: milliseconds, and microseconds per host. l2 with n hosts also writes n(n-1)
 * permanent neighbours, which is where its time goes above a few hundred hosts.
 */
#include "lab_fixture.h"

struct bench_case {
    uint32_t hosts;
    enum lab_fabric fabric;
};

static int bench_body(int fd, void *argument) {
    const struct bench_case *c = argument;
    struct nanotime start, built, gone;
    struct network n;
    struct lab *lab;

    (void)fd;
    network_make(&n, c->hosts, c->fabric, false);
    start = lab_now();
    lab = build_network(&n);
    built = lab_now();
    CHECK(lab != NULL);
    lab_teardown(lab);
    gone = lab_now();
    printf("%-6s %5u hosts: build %7.1f ms (%6.1f us/host), teardown %7.1f ms\n",
           c->fabric == LAB_FABRIC_L2 ? "l2" : "routed", c->hosts,
           (double)nanotime_since(built, start) / 1e6,
           (double)nanotime_since(built, start) / 1e3 / c->hosts,
           (double)nanotime_since(gone, built) / 1e6);
    fflush(stdout);
    network_free(&n);
    return 0;
}

int main(int argc, char **argv) {
    static const uint32_t defaults[] = {100, 1000};
    int count = argc > 1 ? argc - 1 : 2;

    for (int i = 0; i < count; i++)
        for (int f = 0; f < 2; f++) {
            uint64_t hosts = defaults[i % 2];
            struct bench_case c = {.fabric = f == 0 ? LAB_FABRIC_L2 : LAB_FABRIC_ROUTED};
            if (argc > 1 && !text_to_u64(argv[i + 1], 2, LAB_HOSTS_MAX, &hosts))
                return 2;
            c.hosts = (uint32_t)hosts;
            if (run_supervised(bench_body, &c) != 0)
                return 1;
        }
    return 0;
}
