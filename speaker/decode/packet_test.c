/*
 * C216: the segment inside a captured packet, for every link layer, VLAN tags, IPv4 with options,
 * IPv6 with extension headers; and what is no whole TCP segment.
 *
 * A packet is a row: the link layer's octets, then IP's, then TCP's, in hexadecimal.
 */
#include "packet.h"

#include "../core/codec_test.h"
#include "link.h"

#include <stdlib.h>
#include <string.h>

#define ETHERNET 1
#define RAW 101

#define MAC "020000000001 020000000002 "
#define TAG "8100 0001 "
#define QINQ "88a8 0002 "
/* From 10.0.0.1 to 10.0.0.2, 43 octets: 3 behind a TCP header without options. */
#define IP4 "4500 002b 0000 4000 40 06 0000 0a000001 0a000002 "
#define IP6_HEAD "60000000 "
#define IP6_ENDS "20010db8000000000000000000000001 20010db8000000000000000000000002 "
#define IP6 IP6_HEAD "0017 06 40 " IP6_ENDS
#define TCP(flags) "9c40 00b3 01020304 00000000 50" flags " 0000 0000 0000 "
#define DATA "aabbcc "

struct row {
    const char *name;
    int link_type;
    const char *packet;
    bool v6;
};

static const struct row whole[] = {
    {"Ethernet, IPv4", ETHERNET, MAC "0800 " IP4 TCP("10") DATA, false},
    {"Ethernet, IPv6", ETHERNET, MAC "86dd " IP6 TCP("10") DATA, true},
    {"one VLAN tag", ETHERNET, MAC TAG "0800 " IP4 TCP("10") DATA, false},
    {"two VLAN tags", ETHERNET, MAC QINQ TAG "86dd " IP6 TCP("10") DATA, true},
    {"Ethernet that pads", ETHERNET, MAC "0800 " IP4 TCP("10") DATA "0000000000", false},
    {"Ethernet that pads, IPv6", ETHERNET, MAC "86dd " IP6 TCP("10") DATA "0000000000", true},
    {"an old service VLAN", ETHERNET, MAC "9100 0002 " TAG "0800 " IP4 TCP("10") DATA, false},
    {"MPLS", ETHERNET, MAC "8847 00010040 00011140 " IP4 TCP("10") DATA, false},
    {"MPLS behind a VLAN tag", ETHERNET, MAC TAG "8847 00011140 " IP6 TCP("10") DATA, true},
    {"PPPoE", ETHERNET, MAC "8864 1100 0001 002d 0021 " IP4 TCP("10") DATA, false},
    {"PPPoE alone", 51, "1100 0001 0041 0057 " IP6 TCP("10") DATA, true},
    {"PPP", 9, "ff03 0021 " IP4 TCP("10") DATA, false},
    {"PPP without address and control", 9, "0057 " IP6 TCP("10") DATA, true},
    {"PPP, one octet of protocol", 9, "ff03 21 " IP4 TCP("10") DATA, false},
    {"PPP with MPLS", 9, "ff03 0281 00011140 " IP4 TCP("10") DATA, false},
    {"PPP with a direction", 166, "00 ff03 0021 " IP4 TCP("10") DATA, false},
    {"serial line, PPP", 50, "ff03 0057 " IP6 TCP("10") DATA, true},
    {"serial line, Cisco HDLC", 50, "0f00 0800 " IP4 TCP("10") DATA, false},
    {"Cisco HDLC", 104, "0f00 86dd " IP6 TCP("10") DATA, true},
    {"Cisco HDLC, to all", 50, "8f00 0800 " IP4 TCP("10") DATA, false},
    {"Frame Relay as Cisco has it", 107, "1841 0800 " IP4 TCP("10") DATA, false},
    {"Frame Relay", 107, "1841 03 cc " IP4 TCP("10") DATA, false},
    {"Frame Relay, padding and four octets of address", 107,
     "18005601 03 00 8e " IP6 TCP("10") DATA, true},
    {"Junos", 178, "4d4743 80 0004 01020304 " MAC "0800 " IP4 TCP("10") DATA, false},
    {"Junos without what it may leave out", 178, "4d4743 02 00000002 " IP4 TCP("10") DATA, false},
    {"null", 0, "02000000 " IP4 TCP("10") DATA, false},
    {"loop", 108, "0000001c " IP6 TCP("10") DATA, true},
    {"raw of a BSD", 12, IP4 TCP("10") DATA, false},
    {"raw of OpenBSD", 14, IP6 TCP("10") DATA, true},
    {"raw", RAW, IP4 TCP("10") DATA, false},
    {"cooked", 113, "0000 0001 0006 0200000000010000 0800 " IP4 TCP("10") DATA, false},
    {"cooked, the second", 276,
     "86dd 0000 00000002 0001 00 06 0200000000010000 " IP6 TCP("10") DATA, true},
    {"IPv4 alone", 228, IP4 TCP("10") DATA, false},
    {"IPv6 alone", 229, IP6 TCP("10") DATA, true},
    {"IPv4 options", RAW,
     "4600 002f 0000 4000 40 06 0000 0a000001 0a000002 94040000 " TCP("10") DATA, false},
    {"IPv4, length left to the card", RAW,
     "4500 0000 0000 4000 40 06 0000 0a000001 0a000002 " TCP("10") DATA, false},
    {"IPv6, length left to the card", RAW, IP6_HEAD "0000 06 40 " IP6_ENDS TCP("10") DATA, true},
    {"IPv6 extension headers", RAW,
     IP6_HEAD "0037 00 40 " IP6_ENDS "3c 00 000000000000 2b 00 000000000000 "
              "06 01 0000 000000000000 000000000000 " TCP("10") DATA,
     true},
    {"a fragment that is all of IPv6's packet", RAW,
     IP6_HEAD "001f 2c 40 " IP6_ENDS "06 ff 0000 00000007 " TCP("10") DATA, true},
    {"TCP options", RAW,
     "4500 002f 0000 4000 40 06 0000 0a000001 0a000002 "
     "9c40 00b3 01020304 00000000 6010 0000 0000 0000 01010101 " DATA,
     false},
};

/* A copy of exact size, so that a read behind the end is seen; `cut` octets are left out. */
static enum packet_kind decode(int link_type, const char *hex, size_t cut, struct packet_tcp *ret,
                               uint8_t *ret_data) {
    uint8_t packet[256];
    size_t size = codec_hex(hex, packet, 0, sizeof packet) - cut;
    uint8_t *exact = malloc(size ? size : 1);
    assert_non_null(exact);
    memcpy(exact, packet, size);
    enum packet_kind kind = packet_decode(link_type, exact, size, ret);
    if (kind == PACKET_SEGMENT && ret->size <= 3)
        memcpy(ret_data, ret->data, ret->size);
    free(exact);
    return kind;
}

static void test_C216_layers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        const struct row *row = &whole[i];
        struct packet_tcp t;
        uint8_t data[3] = {0};
        char from[IP_ADDR_TEXT_MAX], to[IP_ADDR_TEXT_MAX];
        if (decode(row->link_type, row->packet, 0, &t, data) != PACKET_SEGMENT)
            fail_msg("%s: no segment", row->name);
        assert_string_equal(ip_format(t.from, from), row->v6 ? "2001:db8::1" : "10.0.0.1");
        assert_string_equal(ip_format(t.to, to), row->v6 ? "2001:db8::2" : "10.0.0.2");
        assert_int_equal(t.from_port, 40000);
        assert_int_equal(t.to_port, 179);
        assert_int_equal(t.sequence, 0x01020304);
        if (t.size != 3 || t.missing != 0)
            fail_msg("%s: %zu octets, %zu missing", row->name, t.size, t.missing);
        assert_true(link_known(row->link_type));
        assert_memory_equal(data, "\xaa\xbb\xcc", 3);
        assert_false(t.syn || t.fin || t.rst);
    }
}

static void test_C216_flags(void **state) {
    static const struct {
        const char *packet;
        bool fin, syn, rst;
    } rows[] = {
        {IP4 TCP("11") DATA, true, false, false},
        {IP4 TCP("12") DATA, false, true, false},
        {IP4 TCP("14") DATA, false, false, true},
        {IP4 TCP("08") DATA, false, false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct packet_tcp t;
        uint8_t data[3];
        assert_int_equal(decode(RAW, rows[i].packet, 0, &t, data), PACKET_SEGMENT);
        assert_int_equal(t.fin, rows[i].fin);
        assert_int_equal(t.syn, rows[i].syn);
        assert_int_equal(t.rst, rows[i].rst);
    }
}

/* What a capture left out of the data is counted; without the whole of TCP's header there is
 * nothing to be had. */
static void test_C216_cut(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        const struct row *row = &whole[i];
        bool counted = !strstr(row->name, "card"); /* else the data ends where the capture does */
        uint8_t packet[256], data[3] = {0};
        struct packet_tcp t;
        size_t size = codec_hex(row->packet, packet, 0, sizeof packet);
        size_t padding = strstr(row->name, "pads") ? 5 : 0;
        for (size_t cut = padding + 1; cut <= size; cut++) {
            enum packet_kind kind = decode(row->link_type, row->packet, cut, &t, data);
            size_t without = cut - padding; /* octets of the data, then of the headers */
            if ((kind == PACKET_SEGMENT) != (without <= 3))
                fail_msg("%s: %zu octets less: kind %d", row->name, cut, kind);
            if (without > 3)
                continue;
            assert_int_equal(t.size, 3 - without);
            assert_int_equal(t.missing, counted ? without : 0);
            assert_memory_equal(data, "\xaa\xbb\xcc", t.size);
        }
    }
}

static void test_C216_not_a_segment(void **state) {
    static const struct {
        const char *name;
        int link_type;
        const char *packet;
        enum packet_kind kind;
    } rows[] = {
        {"a link layer that is not known", 9999, IP4 TCP("10") DATA, PACKET_OTHER},
        {"ARP", ETHERNET, MAC "0806 " IP4 TCP("10") DATA, PACKET_OTHER},
        {"three VLAN tags", ETHERNET, MAC TAG TAG TAG "0800 " IP4 TCP("10") DATA, PACKET_OTHER},
        {"PPP with something else", 9, "ff03 c021 " IP4 TCP("10") DATA, PACKET_OTHER},
        {"MPLS whose labels never end", ETHERNET,
         MAC "8847 00010040 00010040 00010040 "
             "00010040 00010040 00010040 00010040 00010040 00011140 " IP4 TCP("10") DATA,
         PACKET_OTHER},
        {"Frame Relay with something else", 107, "1841 03 08 " IP4 TCP("10") DATA, PACKET_OTHER},
        {"Junos without its mark", 178, "4d4744 02 00000002 " IP4 TCP("10") DATA, PACKET_OTHER},
        {"a fragment of UDP", RAW,
         "4500 002b 0000 2000 40 11 0000 0a000001 0a000002 " TCP("10") DATA, PACKET_OTHER},
        {"IP of version 5", RAW, "5500 002b 0000 4000 40 06 0000 0a000001 0a000002 " TCP("10") DATA,
         PACKET_OTHER},
        {"UDP", RAW, "4500 002b 0000 4000 40 11 0000 0a000001 0a000002 " TCP("10") DATA,
         PACKET_OTHER},
        {"UDP over IPv6", RAW, IP6_HEAD "0017 11 40 " IP6_ENDS TCP("10") DATA, PACKET_OTHER},
        {"a first fragment", RAW,
         "4500 002b 0000 2000 40 06 0000 0a000001 0a000002 " TCP("10") DATA, PACKET_FRAGMENT},
        {"a later fragment", RAW,
         "4500 002b 0000 0001 40 06 0000 0a000001 0a000002 " TCP("10") DATA, PACKET_FRAGMENT},
        {"a fragment of IPv6", RAW,
         IP6_HEAD "001f 2c 40 " IP6_ENDS "06 00 0001 00000000 " TCP("10") DATA, PACKET_FRAGMENT},
        {"a later fragment of IPv6", RAW,
         IP6_HEAD "001f 2c 40 " IP6_ENDS "06 00 0008 00000000 " TCP("10") DATA, PACKET_FRAGMENT},
        {"a fragment of UDP over IPv6", RAW,
         IP6_HEAD "001f 2c 40 " IP6_ENDS "11 00 0001 00000000 " TCP("10") DATA, PACKET_OTHER},
        {"an IPv4 header of 16", RAW,
         "4400 002b 0000 4000 40 06 0000 0a000001 0a000002 " TCP("10") DATA, PACKET_DAMAGED},
        {"IPv4 shorter than its header", RAW,
         "4600 0014 0000 4000 40 06 0000 0a000001 0a000002 94040000 " TCP("10") DATA,
         PACKET_DAMAGED},
        {"a TCP header of 16", RAW, IP4 "9c40 00b3 01020304 00000000 4010 0000 0000 0000 " DATA,
         PACKET_DAMAGED},
        {"TCP options behind the end", RAW,
         IP4 "9c40 00b3 01020304 00000000 6010 0000 0000 0000 " DATA, PACKET_DAMAGED},
        {"too many extension headers", RAW,
         IP6_HEAD "005f 3c 40 " IP6_ENDS
                  "3c00000000000000 3c00000000000000 3c00000000000000 3c00000000000000 "
                  "3c00000000000000 3c00000000000000 3c00000000000000 3c00000000000000 "
                  "0600000000000000 " TCP("10") DATA,
         PACKET_OTHER},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct packet_tcp t;
        uint8_t data[3];
        enum packet_kind kind = decode(rows[i].link_type, rows[i].packet, 0, &t, data);
        if (kind != rows[i].kind)
            fail_msg("%s: kind %d", rows[i].name, kind);
    }
    assert_false(link_known(9999));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C216_layers),
        cmocka_unit_test(test_C216_flags),
        cmocka_unit_test(test_C216_cut),
        cmocka_unit_test(test_C216_not_a_segment),
    };
    return cmocka_run_group_tests_name("packet", tests, NULL, NULL);
}
