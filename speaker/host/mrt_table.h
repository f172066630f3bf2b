#ifndef RIBCAGE_HOST_MRT_TABLE_H
#define RIBCAGE_HOST_MRT_TABLE_H

#include <stdint.h>

struct host;

/* Writes all paths the speaker may use as TABLE_DUMP_V2 to a new file, which has its name only once
 * it is whole. NULL, or what went wrong; *ret_prefixes: how many were written. */
const char *mrt_table_write(struct host *h, const char *path, uint64_t *ret_prefixes);

#endif
