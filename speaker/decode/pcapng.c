/*
 * pcapng: draft-ietf-opsawg-pcapng, section header, interface description and the three kinds of
 * packet blocks; others are passed over.
 *
 * A block is read whole before anything in it is believed; memory is one block and the interfaces
 * of one section, which have each had their octets in the file. Octets are in the order of the
 * machine that wrote the section. Without a way to know where the next block begins a fault ends
 * the file.
 */
#include "pcapng.h"

#include "../base/arena.h"

#include <string.h>

#define BLOCK_HEAD_SIZE 8
#define BLOCK_TAIL_SIZE 4
#define BYTE_ORDER_MAGIC 0x1A2B3C4Du
#define NANOSECONDS 1000000000u

enum block_type {
    BLOCK_INTERFACE = 1,
    BLOCK_OLD_PACKET = 2,
    BLOCK_SIMPLE_PACKET = 3,
    BLOCK_PACKET = 6,
    BLOCK_SECTION = 0x0A0D0D0A,
};

enum { OPTION_END = 0, OPTION_RESOLUTION = 9, OPTION_OFFSET = 14 };

struct pcapng_interface {
    int link_type;
    uint32_t snapshot;  /* 0: no limit */
    uint8_t resolution; /* a negative power of 10, or of 2 if the highest bit is set */
    uint64_t offset_s;
};

static uint16_t u16_at(const struct pcapng_file *f, const uint8_t *p) {
    return (uint16_t)(f->big_endian ? p[0] << 8 | p[1] : p[1] << 8 | p[0]);
}

static uint32_t u32_at(const struct pcapng_file *f, const uint8_t *p) {
    uint32_t first = u16_at(f, p), second = u16_at(f, p + 2);
    return f->big_endian ? first << 16 | second : second << 16 | first;
}

/* ---- time ---- */

static uint64_t power_of_10(unsigned n) {
    uint64_t p = 1;
    while (n-- > 0)
        p *= 10;
    return p;
}

static uint64_t nanoseconds(const struct pcapng_interface *i, uint64_t ticks) {
    unsigned n = i->resolution & 0x7F;
    uint64_t offset = i->offset_s * NANOSECONDS;
    if (i->resolution & 0x80) { /* fewer than 64, see resolution_possible */
        uint64_t rest = ticks & ((UINT64_C(1) << n) - 1);
        unsigned cut = n > 32 ? n - 32 : 0; /* so that the product fits */
        return offset + (ticks >> n) * NANOSECONDS + ((rest >> cut) * NANOSECONDS >> (n - cut));
    }
    return offset + (n <= 9 ? ticks * power_of_10(9 - n) : ticks / power_of_10(n - 9));
}

static bool resolution_possible(uint8_t resolution) {
    return resolution & 0x80 ? (resolution & 0x7F) < 64 : resolution <= 9 + 19;
}

/* ---- blocks: NULL, or what is wrong ---- */

static const char *read_options(struct pcapng_file *f, struct pcapng_interface *i,
                                const uint8_t *data, size_t size) {
    while (size >= 4) {
        uint16_t code = u16_at(f, data), length = u16_at(f, data + 2);
        size_t padded = 4 + ((size_t)length + 3) / 4 * 4;
        if (code == OPTION_END)
            return NULL;
        if (padded > size)
            return "an option longer than its block";
        if (code == OPTION_RESOLUTION && length == 1)
            i->resolution = data[4];
        if (code == OPTION_OFFSET && length == 8) {
            uint64_t first = u32_at(f, data + 4), second = u32_at(f, data + 8);
            i->offset_s = f->big_endian ? first << 32 | second : second << 32 | first;
        }
        data += padded;
        size -= padded;
    }
    return NULL;
}

static const char *read_interface(struct pcapng_file *f, const uint8_t *body, size_t size) {
    if (size < 8)
        return "an interface description too short";
    struct pcapng_interface i = {
        .link_type = u16_at(f, body), .snapshot = u32_at(f, body + 4), .resolution = 6};
    const char *fault = read_options(f, &i, body + 8, size - 8);
    if (fault)
        return fault;
    if (!resolution_possible(i.resolution))
        return "an impossible resolution of time";
    if (f->interface_count == f->interface_capacity) {
        uint32_t capacity = f->interface_capacity ? 2 * f->interface_capacity : 4;
        struct pcapng_interface *grown = alloc_resize(f->interfaces, capacity, sizeof *grown);
        if (!grown)
            return "out of memory";
        f->interfaces = grown;
        f->interface_capacity = capacity;
    }
    f->interfaces[f->interface_count++] = i;
    return NULL;
}

/* A packet whose octets begin at `head` of the body. */
static const char *take_packet(struct pcapng_file *f, const uint8_t *body, size_t size, size_t head,
                               uint32_t interface, struct pcapng_packet *ret) {
    if (size < head)
        return "a packet block too short";
    if (interface >= f->interface_count)
        return "a packet of an interface that is not described";
    const struct pcapng_interface *i = &f->interfaces[interface];
    bool is_simple = head == 4;
    uint32_t captured = u32_at(f, body + head - (is_simple ? 4 : 8));
    if (is_simple && i->snapshot > 0 && captured > i->snapshot)
        captured = i->snapshot;
    if (is_simple && captured > size - head)
        captured = (uint32_t)(size - head);
    if (captured > size - head)
        return "a packet longer than its block";
    *ret = (struct pcapng_packet){.link_type = i->link_type, .data = body + head, .size = captured};
    if (!is_simple)
        ret->time_ns = nanoseconds(i, (uint64_t)u32_at(f, body + 4) << 32 | u32_at(f, body + 8));
    return NULL;
}

static const char *read_body(struct pcapng_file *f, uint32_t type, const uint8_t *body, size_t size,
                             struct pcapng_packet *ret) {
    switch (type) {
    case BLOCK_INTERFACE:
        return read_interface(f, body, size);
    case BLOCK_PACKET:
        return take_packet(f, body, size, 20, size < 4 ? 0 : u32_at(f, body), ret);
    case BLOCK_OLD_PACKET:
        return take_packet(f, body, size, 20, size < 2 ? 0 : u16_at(f, body), ret);
    case BLOCK_SIMPLE_PACKET:
        return take_packet(f, body, size, 4, 0, ret);
    default:
        return NULL;
    }
}

/* The order of octets, which the lengths have too: behind the head of a section's header. */
static const char *begin_section(struct pcapng_file *f, const uint8_t magic[4]) {
    f->interface_count = 0;
    f->in_section = true;
    f->big_endian = true;
    if (u32_at(f, magic) == BYTE_ORDER_MAGIC)
        return NULL;
    f->big_endian = false;
    return u32_at(f, magic) == BYTE_ORDER_MAGIC ? NULL : "a section of an unknown order of octets";
}

static const char *reserve(struct pcapng_file *f, size_t size) {
    if (size <= f->capacity)
        return NULL;
    uint8_t *grown = alloc_resize(f->block, size, 1);
    if (!grown)
        return "out of memory";
    f->block = grown;
    f->capacity = size;
    return NULL;
}

/* A block into f->block, from its first octet on. *ret_size 0: the file ended before it. */
static const char *read_block(struct pcapng_file *f, size_t *ret_size) {
    static const char truncated[] = "truncated";
    const char *fault = reserve(f, 65536);
    *ret_size = 0;
    size_t have = fault ? 0 : f->input(f->context, f->block, BLOCK_HEAD_SIZE);
    if (fault || have == 0)
        return fault;
    if (have < BLOCK_HEAD_SIZE)
        return truncated;
    static const uint8_t section[] = {0x0A, 0x0D, 0x0D, 0x0A}; /* in either order */
    if (memcmp(f->block, section, sizeof section) == 0) {
        have += f->input(f->context, f->block + have, 4);
        fault =
            have < BLOCK_HEAD_SIZE + 4 ? truncated : begin_section(f, f->block + BLOCK_HEAD_SIZE);
    }
    if (!fault && !f->in_section)
        fault = "no section is there";
    if (fault)
        return fault;
    size_t size = u32_at(f, f->block + 4);
    if (size < have + BLOCK_TAIL_SIZE || size > PCAPNG_BLOCK_MAX || size % 4 != 0)
        return "a block of an impossible size";
    fault = reserve(f, size);
    if (fault)
        return fault;
    have += f->input(f->context, f->block + have, size - have);
    if (have < size)
        return truncated;
    *ret_size = size;
    return u32_at(f, f->block + size - BLOCK_TAIL_SIZE) == size ? NULL : "a block that is damaged";
}

enum pcapng_found pcapng_next(struct pcapng_file *f, struct pcapng_packet *ret_packet,
                              const char **ret_fault) {
    struct pcapng_packet packet = {0};
    const char *fault;
    size_t size;
    do {
        fault = read_block(f, &size);
        if (!fault && size == 0)
            return PCAPNG_END;
        if (!fault)
            fault = read_body(f, u32_at(f, f->block), f->block + BLOCK_HEAD_SIZE,
                              size - BLOCK_HEAD_SIZE - BLOCK_TAIL_SIZE, &packet);
    } while (!fault && !packet.data);
    if (fault) {
        *ret_fault = fault;
        return PCAPNG_FAULT;
    }
    *ret_packet = packet;
    return PCAPNG_PACKET;
}

void pcapng_deinit(struct pcapng_file *f) {
    alloc_free(f->interfaces);
    alloc_free(f->block);
    *f = (struct pcapng_file){.input = f->input, .context = f->context};
}
