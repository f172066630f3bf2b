/*
 * bgp-load: the command line of a load.
 *
 * Owns the options; what they do is load.c's.
 */
#include "../base/text.h"
#include "load.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: bgp-load KIND PEERS PREFIXES DEVICE FIRST_ADDR PEER_AS DEADLINE_S\n"
    "  KIND        external: an AS a peer, and a monitor; reflector: clients in one AS\n"
    "  PEERS       neighbours that announce\n"
    "  PREFIXES    routes of each\n"
    "  DEVICE      IPv4 address that the device under test listens on, port 179\n"
    "  FIRST_ADDR  of the first neighbour; the others follow, all on this host\n"
    "  PEER_AS     of the first neighbour; external ones count up from there\n"
    "  DEADLINE_S  of the opening of all sessions, and of the load\n"
    "prints \"established\", waits for a line, announces, prints the result, waits for the end of\n"
    "standard input. Exit status: 0 done, 2 usage, 4 the host cannot do it, 5 sessions missing,\n"
    "6 session lost\n";

static bool number(const char *text, uint64_t max, uint32_t *ret_value) {
    uint64_t value;
    if (!text_to_u64(text, 1, max, &value))
        return false;
    *ret_value = (uint32_t)value;
    return true;
}

static bool parse(char *const argv[], struct load_case *ret_load) {
    struct load_case l = {.reflector = strcmp(argv[1], "reflector") == 0};
    bool ok = (l.reflector || strcmp(argv[1], "external") == 0) &&
              number(argv[2], LOAD_PEERS_MAX, &l.peers) &&
              number(argv[3], LOAD_ROUTES_MAX / l.peers, &l.prefixes) &&
              ip_parse(argv[4], &l.device) && ip_parse(argv[5], &l.first_addr) &&
              l.device.family == IP_V4 && l.first_addr.family == IP_V4 &&
              number(argv[6], UINT32_MAX - LOAD_PEERS_MAX, &l.peer_as) &&
              number(argv[7], 86400, &l.deadline_s);
    *ret_load = l;
    return ok;
}

int main(int argc, char **argv) {
    struct load_case load;
    if (argc != 8 || !parse(argv, &load)) {
        fputs(usage, stderr);
        return LOAD_USAGE;
    }
    return (int)load_run(&load);
}
