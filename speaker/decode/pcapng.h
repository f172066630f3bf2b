#ifndef RIBCAGE_DECODE_PCAPNG_H
#define RIBCAGE_DECODE_PCAPNG_H

#include "mrt_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The packets of a pcapng file, one after the other, whatever its interfaces are: each has a link
 * type, a snapshot length and a clock of its own, which libpcap refuses to tell apart.
 */

#define PCAPNG_BLOCK_MAX (16u << 20) /* octets; larger blocks are damage */

struct pcapng_interface;

/* Starts with `input` and `context` set, all else zero. */
struct pcapng_file {
    mrt_input_fn *input;
    void *context;
    bool big_endian; /* of the section */
    bool in_section;
    struct pcapng_interface *interfaces; /* of the section */
    uint32_t interface_count, interface_capacity;
    uint8_t *block;
    size_t capacity;
};

struct pcapng_packet {
    int link_type;       /* LINKTYPE_, as link.h has them */
    uint64_t time_ns;    /* since 1970; 0 where the block has none */
    const uint8_t *data; /* until the next call */
    size_t size;
};

enum pcapng_found {
    PCAPNG_PACKET,
    PCAPNG_END,
    PCAPNG_FAULT, /* nothing behind it can be read */
};

/* `*ret_fault` says what is wrong, with PCAPNG_FAULT. */
enum pcapng_found pcapng_next(struct pcapng_file *f, struct pcapng_packet *ret_packet,
                              const char **ret_fault);
void pcapng_deinit(struct pcapng_file *f);

#endif
