/*
 * A library for LD_PRELOAD: every capture has lost $CAPTURE_LOSS packets more than it has.
 *
 * Owns pcap_stats of the program it is loaded into.
 */
#include <dlfcn.h>
#include <pcap/pcap.h>
#include <stdlib.h>

int pcap_stats(pcap_t *pcap, struct pcap_stat *ret_stat) {
    int (*real)(pcap_t *, struct pcap_stat *);
    const char *more = getenv("CAPTURE_LOSS");
    *(void **)&real = dlsym(RTLD_NEXT, "pcap_stats");
    int result = real(pcap, ret_stat);
    ret_stat->ps_drop += more ? (u_int)strtoul(more, NULL, 10) : 0;
    return result;
}
