#ifndef RIBCAGE_CORE_HOSTILE_FIXTURE_H
#define RIBCAGE_CORE_HOSTILE_FIXTURE_H

#include "bgp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a speaker must survive, as seeded generators: classes of octets that brought BGP
 * implementations down or made them drop sessions that had nothing to do with it. A class gives
 * stimuli one after the other, equal seeds the same ones; each is one or more messages, mostly
 * damaged, and belongs to a stage of the session it is sent on.
 */

#define HOSTILE_CLASSES(X)                                                                         \
    X(MALFORMED, "I1", "attributes with each kind of damage", 6822)                                \
    X(TRUNCATED, "I2", "every proper prefix of valid messages", 40000)                             \
    X(LENGTHS, "I3", "octets that may be lengths at their edges", 30000)                           \
    X(ATTRIBUTES, "I4", "every code, flags, lengths, contents", 81920)                             \
    X(ORDER, "I5", "orders of attributes, and twice the same", 5000)                               \
    X(INCOMPLETE, "I6", "without mandatory attributes, or only unknown ones", 2000)                \
    X(LONG_PATHS, "I7", "AS_PATHs of up to 16,000 ASes and 4,000 segments", 2000)                  \
    X(MANY, "I8", "hundreds of unknown attributes, and large ones", 2000)                          \
    X(CAPABILITIES, "I9", "capabilities of every length", 4000)                                    \
    X(SHUTDOWN, "I10", "shutdown texts of every length, not UTF-8, with escapes", 2000)            \
    X(UNEXPECTED, "I11", "unknown types, a second OPEN, NOTIFICATIONs, at every stage", 3000)      \
    X(FOREIGN, "I14", "families that were not negotiated", 2000)                                   \
    X(REALISTIC, "I16", "UPDATEs as the Internet's tables have them, one octet changed", 0)

enum hostile_class {
#define HOSTILE_MEMBER(name, id, text, count) HOSTILE_##name,
    HOSTILE_CLASSES(HOSTILE_MEMBER)
#undef HOSTILE_MEMBER
};
#define HOSTILE_CLASS_COUNT ((unsigned)HOSTILE_REALISTIC + 1)
/* In 1,000,000 messages so many are of a class; of the last one: the rest. */
struct hostile_row {
    const char *id, *text;
    uint32_t per_million;
};
extern const struct hostile_row hostile_rows[HOSTILE_CLASS_COUNT];

enum hostile_stage {
    HOSTILE_FRESH,       /* the connection is up, nothing was said */
    HOSTILE_CONFIRMING,  /* behind the OPEN */
    HOSTILE_ESTABLISHED, /* behind OPEN and KEEPALIVE */
};
#define HOSTILE_STAGES 3

#define HOSTILE_SIZE_MAX 65536

struct hostile {
    enum hostile_class class;
    uint64_t index, rng;
    uint32_t stride;    /* of index: 1 gives all there is of a class in order, more a sample */
    bool as4, extended; /* of the session: four-octet ASes, messages of up to 65,535 octets */
    uint32_t asn;       /* who sends */
    enum hostile_stage stage; /* set with each stimulus */
    uint8_t data[HOSTILE_SIZE_MAX];
    size_t size;
    /* What follows on the connection would be read as the rest of a message: the sender had better
     * begin anew. Now and then it is false although that is so. */
    bool ends_inside;
};

struct hostile *hostile_new(enum hostile_class class, uint64_t seed); /* free() */
/* The next stimulus: stage, data and size. */
void hostile_next(struct hostile *h);
/* The OPEN that goes with the session above, then a KEEPALIVE if the stage asks for it; size. */
size_t hostile_greeting(const struct hostile *h, enum hostile_stage stage, uint32_t router_id,
                        uint8_t *out, size_t out_size);

/* Octets of heap in use, by the allocator's own count. */
size_t hostile_heap(void);

#endif
