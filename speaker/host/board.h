#ifndef RIBCAGE_HOST_BOARD_H
#define RIBCAGE_HOST_BOARD_H

#include "../base/nanotime.h"
#include "../base/scoreboard.h"

#include <stdbool.h>

struct host;
struct board;

/* Maps the lab's scoreboard; without one the board does nothing. NULL with errno. */
struct board *board_new(struct host *h);
void board_free(struct board *b);
void board_phase(struct board *b, enum scoreboard_phase phase);
/* After each turn: writes the slot if anything in it changed and rings the bell. */
void board_update(struct board *b);
/* When the figures that change by themselves (CPU time) want to be refreshed. */
struct nanotime board_next_deadline(const struct board *b);
uint64_t board_cpu_ns(void);
uint32_t board_slots(const struct board *b); /* nodes of the lab; 0: no scoreboard */
/* The lab's word on when the present rush of kernel routes ends: told (it only grows), asked. */
void board_rush(struct board *b, struct nanotime until);
struct nanotime board_rush_until(const struct board *b);
/* Does this speaker hear of the kernel's changes at once? */
void board_listening(struct board *b, bool listening);

#endif
