#ifndef RIBCAGE_DECODE_ATTR_H
#define RIBCAGE_DECODE_ATTR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text;

/* Path attributes as readers know them: names, shapes, the look of their items. */

enum decode_kind {
    DECODE_OPAQUE, /* carried, not read: octets */
    DECODE_TEXT,   /* one item of item_size octets */
    DECODE_NUMBER, /* four octets */
    DECODE_FLAG,   /* present or not */
    DECODE_LIST,   /* items of item_size octets */
    DECODE_PATH,   /* AS_PATH */
    DECODE_AGGREGATOR,
    DECODE_HIDDEN, /* in JSON shown elsewhere: MP_*, merged: AS4_* */
};

struct decode_attr_row {
    uint8_t code;
    uint8_t flags;   /* optional and transitive bits it must have */
    uint8_t subcode; /* of "UPDATE Message Error" when its value is wrong */
    enum decode_kind kind;
    uint8_t item_size;
    const char *name; /* RFC words: "AS_PATH" */
    const char *key;  /* in JSON; NULL: none */
    /* Appends the item at `data`, item_size octets. */
    void (*put)(const uint8_t *data, struct text *out);
    /* The same in words, without blanks; NULL: as `put` does it. */
    void (*say)(const uint8_t *data, struct text *out);
    const char *said_key; /* in JSON, beside `key`, what is said; NULL: not there */
};

/* NULL: not known by name. */
const struct decode_attr_row *decode_attr_row(uint8_t code);

struct decode_attr;
/* Has the value the size its row promises? The codec may not look into all of them. */
bool decode_attr_well_sized(const struct decode_attr *a, const struct decode_attr_row *row);

#endif
