#ifndef RIBCAGE_HOST_MRT_TABLE_H
#define RIBCAGE_HOST_MRT_TABLE_H

#include <stdbool.h>
#include <stdint.h>

struct host;
struct mrt_table;

/*
 * All paths the speaker may use as TABLE_DUMP_V2, written to a new file that has its name only once
 * it is whole; in slices, between which the speaker goes on.
 */

/* NULL: *ret_error says why. */
struct mrt_table *mrt_table_begin(struct host *h, const char *path, const char **ret_error);
/* Writes at most so many prefixes. False: nothing is left to write, or it failed. */
bool mrt_table_step(struct mrt_table *w, uint32_t prefixes);
/* Names the file when everything is in it, else removes it; frees `w`. NULL, or what went wrong;
 * *ret_prefixes: how many records of prefixes were written. */
const char *mrt_table_end(struct mrt_table *w, uint64_t *ret_prefixes);

#endif
