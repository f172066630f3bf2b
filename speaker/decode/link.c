/*
 * Link layers. Every length is met by the reader, so any octets may come; what was cut off reads as
 * zeros, which lead nowhere: no type is 0.
 *
 * RFC 1661, 1662 (PPP), 2516 (PPPoE), 2427 (Frame Relay), 3032 (MPLS); IEEE 802.1Q; Cisco HDLC and
 * Cisco's Frame Relay put the EtherType behind their addresses.
 */
#include "link.h"

#define TAGS_MAX 2
#define LABELS_MAX 8

enum ethertype {
    ETHERTYPE_IP4 = 0x0800,
    ETHERTYPE_IP6 = 0x86DD,
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_SERVICE_VLAN = 0x88A8,
    ETHERTYPE_OLD_SERVICE_VLAN = 0x9100,
    ETHERTYPE_MPLS = 0x8847,
    ETHERTYPE_PPPOE = 0x8864,
};

enum { PPP_IP4 = 0x21, PPP_IP6 = 0x57, PPP_MPLS = 0x281 };
enum { NLPID_UI = 0x03, NLPID_IP4 = 0xCC, NLPID_IP6 = 0x8E };
enum { HDLC_UNICAST = 0x0F, HDLC_BROADCAST = 0x8F };
enum { JUNIPER_MAGIC = 0x4D4743, JUNIPER_NO_LAYER_2 = 0x02, JUNIPER_EXTENDED = 0x80 };

/* The octet the reader stands before; 0 at the end. */
static uint8_t peek(const struct byte_reader *r) {
    return bytes_left(r) > 0 ? r->data[r->at] : 0;
}

/* RFC 3032: labels until the one that says it is the last. */
static bool enter_mpls(struct byte_reader *r) {
    for (int i = 0; i < LABELS_MAX && bytes_left(r) > 0; i++) {
        if (bytes_u32(r) & 0x100)
            return bytes_left(r) > 0;
    }
    return false;
}

/* RFC 1661, 1662: address and control may be left out, as may the protocol's first octet. */
static bool enter_ppp(struct byte_reader *r) {
    if (peek(r) == 0xFF)
        (void)bytes_u16(r);
    unsigned protocol = peek(r) & 1 ? bytes_u8(r) : bytes_u16(r);
    return protocol == PPP_MPLS ? enter_mpls(r) : protocol == PPP_IP4 || protocol == PPP_IP6;
}

static bool enter_pppoe(struct byte_reader *r) {
    (void)bytes_take(r, 6);
    return enter_ppp(r);
}

static bool enter_type(uint16_t type, struct byte_reader *r) {
    for (int i = 0; i < TAGS_MAX && (type == ETHERTYPE_VLAN || type == ETHERTYPE_SERVICE_VLAN ||
                                     type == ETHERTYPE_OLD_SERVICE_VLAN);
         i++) {
        (void)bytes_u16(r);
        type = bytes_u16(r);
    }
    switch (type) {
    case ETHERTYPE_MPLS:
        return enter_mpls(r);
    case ETHERTYPE_PPPOE:
        return enter_pppoe(r);
    default:
        return type == ETHERTYPE_IP4 || type == ETHERTYPE_IP6;
    }
}

static bool enter_ethertype(struct byte_reader *r) {
    return enter_type(bytes_u16(r), r);
}

static bool enter_ethernet(struct byte_reader *r) {
    (void)bytes_take(r, 12);
    return enter_ethertype(r);
}

static bool enter_hdlc(struct byte_reader *r) {
    (void)bytes_u16(r);
    return enter_ethertype(r);
}

/* RFC 2427, or Cisco's own way; the last octet of the address is odd. */
static bool enter_frame_relay(struct byte_reader *r) {
    while (bytes_left(r) > 0 && !(bytes_u8(r) & 1)) {
    }
    if (peek(r) != NLPID_UI)
        return enter_ethertype(r);
    (void)bytes_u8(r);
    uint8_t protocol = bytes_u8(r);
    if (protocol == 0) /* padding */
        protocol = bytes_u8(r);
    return protocol == NLPID_IP4 || protocol == NLPID_IP6;
}

static bool enter_juniper(struct byte_reader *r) {
    bool known = bytes_u16(r) == JUNIPER_MAGIC >> 8 && bytes_u8(r) == (JUNIPER_MAGIC & 0xFF);
    uint8_t flags = bytes_u8(r);
    if (flags & JUNIPER_EXTENDED)
        (void)bytes_take(r, bytes_u16(r));
    if (!(flags & JUNIPER_NO_LAYER_2))
        return known && enter_ethernet(r);
    (void)bytes_u32(r); /* the protocol family */
    return known;
}

static bool enter_ip(struct byte_reader *r) {
    return bytes_left(r) > 0;
}

static bool enter_null(struct byte_reader *r) {
    (void)bytes_u32(r); /* the protocol family, in the order of the machine that wrote it */
    return true;
}

static bool enter_cooked(struct byte_reader *r) {
    (void)bytes_take(r, 14);
    return enter_ethertype(r);
}

static bool enter_cooked2(struct byte_reader *r) {
    uint16_t type = bytes_u16(r);
    (void)bytes_take(r, 18);
    return enter_type(type, r);
}

static bool enter_ppp_serial(struct byte_reader *r) {
    return peek(r) == HDLC_UNICAST || peek(r) == HDLC_BROADCAST ? enter_hdlc(r) : enter_ppp(r);
}

static bool enter_ppp_directed(struct byte_reader *r) {
    (void)bytes_u8(r);
    return enter_ppp(r);
}

static const struct link {
    int type; /* libpcap's DLT_ */
    bool (*enter)(struct byte_reader *r);
} links[] = {
    {0, enter_null},           /* NULL */
    {1, enter_ethernet},       /* EN10MB */
    {9, enter_ppp},            /* PPP */
    {12, enter_ip},            /* RAW of most systems */
    {14, enter_ip},            /* RAW of OpenBSD */
    {50, enter_ppp_serial},    /* PPP_SERIAL */
    {51, enter_pppoe},         /* PPP_ETHER */
    {101, enter_ip},           /* RAW in files */
    {104, enter_hdlc},         /* C_HDLC */
    {107, enter_frame_relay},  /* FRELAY */
    {108, enter_null},         /* LOOP */
    {113, enter_cooked},       /* LINUX_SLL */
    {166, enter_ppp_directed}, /* PPP_PPPD */
    {178, enter_juniper},      /* JUNIPER_ETHER */
    {228, enter_ip},           /* IPV4 */
    {229, enter_ip},           /* IPV6 */
    {276, enter_cooked2},      /* LINUX_SLL2 */
};

static const struct link *find(int type) {
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        if (links[i].type == type)
            return &links[i];
    }
    return NULL;
}

bool link_known(int link_type) {
    return find(link_type) != NULL;
}

bool link_enter(int link_type, struct byte_reader *r) {
    const struct link *l = find(link_type);
    return l && l->enter(r) && bytes_ok(r);
}
