#ifndef RIBCAGE_CLI_MANIFESTS_H
#define RIBCAGE_CLI_MANIFESTS_H

#include "../../speaker/base/arena.h"
#include "../../speaker/base/diag.h"
#include "../yaml/yaml.h"

#include <stdbool.h>
#include <stddef.h>

/* The documents an operator names by files, folders or "-", in the order of reading. */
struct manifests {
    struct arena *arena;     /* the caller's: documents live in it */
    struct diag_list *diags; /* the caller's: what cannot be read is an error there */
    struct yaml_document *documents;
    size_t count, capacity;
    bool by_document; /* as kubectl: of each file what stands before a broken document is kept */
    bool unreadable;  /* something could not be read at all */
};

/* A file, "-" (standard input), or a folder: all *.yaml, *.yml and *.json in it and below, files in
 * order of name, then folders in order of name. */
void manifests_read(struct manifests *in, const char *path);

#endif
