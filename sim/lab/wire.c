/*
 * Probes and the frames they travel in.
 *
 * Owns: the decoding of an echo request with up to one encapsulation around it; a capture for the
 * time of one lab_ping.
 * Leaves to others: opening captures (capture.c), sending and answers (probe.c).
 *
 * The first frame of a probe counts. It is captured when it comes in from its host, so its size is
 * what that host put on the wire. Sizes are those of the captured frame itself, no header's word.
 */
#include "wire.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/bytes.h"
#include "lab_internal.h"

#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_BYTES (8 << 20)
#define SLL_HEADER_BYTES 16u
#define ETHERNET_HEADER_BYTES 14u
#define UDP_HEADER_BYTES 8u
#define VXLAN_HEADER_BYTES 8u
#define VXLAN_PORT 4789
#define ETHERTYPE_IP4 0x0800
#define ETHERTYPE_IP6 0x86dd
#define PROTOCOL_ICMP 1
#define PROTOCOL_IPIP 4
#define PROTOCOL_UDP 17
#define PROTOCOL_ICMP6 58
#define ICMP_ECHO_REQUEST 8
#define ICMP6_ECHO_REQUEST 128

static const char filter[] = "inbound and (icmp or icmp6 or ip proto 4 or udp port 4789)";

const char *wire_encapsulation_name(enum wire_encapsulation e) {
    static const char *const names[WIRE_ENCAPSULATIONS] = {
        [WIRE_PLAIN] = "no encapsulation", [WIRE_IPIP] = "IPIP", [WIRE_VXLAN] = "VXLAN"};

    return names[e];
}

/* ---- decoding ---- */

/* Takes an IP header; its protocol, or -1. `left` octets of the frame stand before the reader and
 * are reduced by the header's. */
static int take_ip(struct byte_reader *r, size_t *left, struct wire_echo *e) {
    size_t before = bytes_left(r), header;
    int protocol;
    uint8_t first = bytes_u8(r);
    const uint8_t *rest;

    if (first >> 4 == 4) {
        header = (size_t)(first & 15) * 4;
        rest = bytes_take(r, 19);
        if (rest == NULL || header < 20 || bytes_take(r, header - 20) == NULL)
            return -1;
        protocol = rest[8];
        e->source = ip4((uint32_t)rest[11] << 24 | (uint32_t)rest[12] << 16 |
                        (uint32_t)rest[13] << 8 | rest[14]);
        e->destination = ip4((uint32_t)rest[15] << 24 | (uint32_t)rest[16] << 16 |
                             (uint32_t)rest[17] << 8 | rest[18]);
    } else {
        rest = first >> 4 == 6 ? bytes_take(r, 39) : NULL;
        if (rest == NULL)
            return -1;
        protocol = rest[5];
        e->source = ip6(rest + 7);
        e->destination = ip6(rest + 23);
    }
    *left -= before - bytes_left(r);
    return protocol;
}

/* What of UDP 4789 stands before the inner IP packet. */
static bool take_vxlan(struct byte_reader *r, size_t *left) {
    const size_t size = UDP_HEADER_BYTES + VXLAN_HEADER_BYTES + ETHERNET_HEADER_BYTES;
    const uint8_t *h = bytes_take(r, size);
    uint16_t type;

    if (h == NULL || (h[2] << 8 | h[3]) != VXLAN_PORT)
        return false;
    type = (uint16_t)(h[size - 2] << 8 | h[size - 1]);
    *left -= size;
    return type == ETHERTYPE_IP4 || type == ETHERTYPE_IP6;
}

static bool take_echo(struct byte_reader *r, int protocol) {
    uint8_t type = bytes_u8(r);

    return bytes_ok(r) && ((protocol == PROTOCOL_ICMP && type == ICMP_ECHO_REQUEST) ||
                           (protocol == PROTOCOL_ICMP6 && type == ICMP6_ECHO_REQUEST));
}

bool wire_echo_decode(const uint8_t *data, size_t size, size_t frame_bytes,
                      struct wire_echo *ret_echo) {
    struct byte_reader r = bytes_reader(data, size);
    struct wire_echo e;
    size_t left = frame_bytes - SLL_HEADER_BYTES;
    int protocol;

    memset(&e, 0, sizeof(e));
    if (frame_bytes < size || bytes_take(&r, SLL_HEADER_BYTES) == NULL)
        return false;
    e.wire_bytes = e.packet_bytes = (uint32_t)left;
    protocol = take_ip(&r, &left, &e);
    if (protocol == PROTOCOL_IPIP)
        e.encapsulation = WIRE_IPIP;
    else if (protocol == PROTOCOL_UDP && take_vxlan(&r, &left))
        e.encapsulation = WIRE_VXLAN;
    if (e.encapsulation != WIRE_PLAIN) {
        e.packet_bytes = (uint32_t)left;
        protocol = take_ip(&r, &left, &e);
    }
    if (!take_echo(&r, protocol))
        return false;
    *ret_echo = e;
    return true;
}

/* ---- matching frames to probes ---- */

struct sighting {
    const struct lab_probe *probe;
    struct lab_wire *wire;
};

struct watch {
    struct sighting *sightings; /* sorted by source, destination */
    size_t count;
};

static int compare_ends(struct ip_addr s1, struct ip_addr d1, struct ip_addr s2,
                        struct ip_addr d2) {
    int order = ip_compare(s1, s2);

    return order != 0 ? order : ip_compare(d1, d2);
}

static int compare_sightings(const void *a, const void *b) {
    const struct lab_probe *x = ((const struct sighting *)a)->probe;
    const struct lab_probe *y = ((const struct sighting *)b)->probe;

    return compare_ends(x->source, x->destination, y->source, y->destination);
}

static int compare_echo(const void *key, const void *item) {
    const struct wire_echo *e = key;
    const struct lab_probe *p = ((const struct sighting *)item)->probe;

    return compare_ends(e->source, e->destination, p->source, p->destination);
}

static void take_frame(u_char *user, const struct pcap_pkthdr *h, const u_char *data) {
    const struct watch *w = (const void *)user;
    struct wire_echo e;
    struct sighting *s;

    if (!wire_echo_decode(data, h->caplen, h->len, &e))
        return;
    s = bsearch(&e, w->sightings, w->count, sizeof(*s), compare_echo);
    if (s != NULL && !s->wire->seen)
        *s->wire = (struct lab_wire){.seen = true, .echo = e};
}

bool lab_ping_on_wire(struct lab *lab, struct lab_probe *probes, size_t count, uint32_t deadline_ms,
                      struct lab_wire *ret_wires, uint64_t *ret_lost, struct diag_list *diags) {
    struct watch w = {.sightings = alloc_zero(count + 1, sizeof(*w.sightings)), .count = count};
    char error[PCAP_ERRBUF_SIZE] = "no memory";
    pcap_t *pcap = w.sightings == NULL ? NULL : capture_open(lab, filter, BUFFER_BYTES, error);

    if (pcap == NULL) {
        diag_add(diags, DIAG_ERROR, (struct diag_place){0}, "capture",
                 "cannot capture in the fabric: %s", error);
        alloc_free(w.sightings);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        ret_wires[i] = (struct lab_wire){0};
        w.sightings[i] = (struct sighting){&probes[i], &ret_wires[i]};
    }
    qsort(w.sightings, count, sizeof(*w.sightings), compare_sightings);
    (void)lab_ping(lab, probes, count, deadline_ms);
    while (pcap_dispatch(pcap, 4096, take_frame, (u_char *)&w) > 0)
        continue;
    *ret_lost = capture_lost(pcap);
    pcap_close(pcap);
    alloc_free(w.sightings);
    return true;
}
