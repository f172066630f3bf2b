#ifndef RIBCAGE_CLI_DECODERS_FIXTURE_H
#define RIBCAGE_CLI_DECODERS_FIXTURE_H

#include "../../speaker/base/text.h"
#include "../../speaker/core/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What two decoders say of the same capture, in the same words: `ribcage decode --json` and
 * `tshark -T pdml` become lists of struct told, which told_compare holds against each other.
 */

/* ---- one message as a decoder tells it ---- */

struct told {
    struct text where;   /* "time_ns from > to" */
    struct text what;    /* "update 50": type and length */
    struct text framing; /* of an UPDATE: "code flags size" an attribute, in wire order */
    struct text values;  /* lines: "code value" an attribute, or the body of another message */
    /* Lines: "prefix [path] [via next hop [link-local]]". Both families of their own: decoders
     * list them in different orders. */
    struct text announced[BGP_FAMILIES], withdrawn[BGP_FAMILIES];
    char error[16]; /* ours: class of the error, "": none */
    bool merged;    /* ours: AS4_PATH or AS4_AGGREGATOR are in the values of their elders */
    bool gave_up;   /* theirs: "malformed", the rest of the message is not told */
};

struct told_list {
    struct told *items;
    size_t count, capacity;
};

void told_list_deinit(struct told_list *l);
struct told *told_list_add(struct told_list *l);

/* The objects of `ribcage decode --json CAPTURE`, one a line. */
void told_by_us(const char *lines, size_t size, struct told_list *out);
/* The document of `tshark -n -T pdml`. */
void told_by_tshark(const char *document, size_t size, struct told_list *out);

/* How many messages were compared, by what came of it. */
struct told_counts {
    size_t sound, discarded, withdrawn, reset, gave_up;
};
/* Fails the test, with both tellings, where they differ. */
void told_compare(const struct told_list *ours, const struct told_list *theirs,
                  struct told_counts *ret_counts);

/* ---- the programs ---- */

struct other {
    char program[700], libraries[700];
    const char *const *words;
};

/* Unpacked below RIBCAGE_PEERS or build/peers, or installed; else the test is skipped. */
void other_find(const char *name, struct other *ret_other);
/* Appends what it prints; any status but 0 fails the test. */
void other_run(struct other *o, const char *const *words, struct text *out);
/* The same of `ribcage`; 1, something in the input is damaged, is no failure. */
void ours_run(const char *const *words, struct text *out);

/* Runs a mesh, once a program: the MRT file that one node wrote. Returns `out`. */
const char *fixture_run_mrt(char out[700]);

/* ---- captures ---- */

struct capture_file {
    struct text out;
    bool ng;          /* pcapng, else pcap */
    uint32_t packets; /* one a millisecond */
};

void capture_file_begin(struct capture_file *f, bool ng);
/* A segment of TCP over IPv4 between two of 10.0.0.0/8, `port` and 179; `back`: from 179. */
struct capture_flow {
    uint16_t port;
    uint32_t sequence[2]; /* of the next octet, there and back */
};
void capture_file_open(struct capture_file *f, struct capture_flow *flow);
/* At `offset` from the flow's next octet; the flow stays where it is. */
void capture_file_segment(struct capture_file *f, const struct capture_flow *flow, bool back,
                          uint32_t offset, const uint8_t *data, size_t size);
/* In one segment; the flow goes on behind it. */
void capture_file_send(struct capture_file *f, struct capture_flow *flow, bool back,
                       const uint8_t *data, size_t size);

#endif
