#ifndef RIBCAGE_CALICO_READ_SCALAR_H
#define RIBCAGE_CALICO_READ_SCALAR_H

#include <stdbool.h>
#include <stdint.h>

/* What an unquoted scalar is to the YAML that calicoctl and kubectl read. */
enum read_scalar_kind { SCALAR_TEXT, SCALAR_BOOL, SCALAR_INTEGER, SCALAR_FRACTION };

struct read_scalar {
    enum read_scalar_kind kind;
    bool truth;         /* SCALAR_BOOL */
    bool negative;      /* SCALAR_INTEGER, with the magnitude beside it */
    uint64_t magnitude; /* … */
    double fraction;    /* SCALAR_FRACTION; finite */
};

#define READ_SCALAR_TEXT_MAX 40

struct read_scalar read_scalar(const char *text);
/* The text that stands where one is wanted; `text` itself for SCALAR_TEXT. */
const char *read_scalar_format(const struct read_scalar *s, const char *text,
                               char buffer[READ_SCALAR_TEXT_MAX]);
/* A number without a fraction, as JSON carries it; false: it is none, or is negative. */
bool read_scalar_u64(const struct read_scalar *s, uint64_t *ret_value);

#endif
