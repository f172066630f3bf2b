#ifndef RIBCAGE_IOS_TERMINAL_H
#define RIBCAGE_IOS_TERMINAL_H

#include "ios_router.h"

#include <stdbool.h>
#include <stdint.h>

/* What a terminal is set to, and what a command typed on it asks of it. A command that came
 * another way (control protocol, file) has no terminal. */

#define IOS_TERMINAL_LENGTH 24
#define IOS_TERMINAL_WIDTH 80
#define IOS_HISTORY_LINES 20
#define IOS_INPUT_BYTES_MAX 254

enum ios_wish {
    IOS_WISH_NONE,
    IOS_WISH_ENABLE,
    IOS_WISH_DISABLE,
    IOS_WISH_EXIT,
};

struct ios_terminal {
    uint32_t length; /* lines of a page; 0: no pages */
    uint32_t width;
    bool monitor;       /* log lines are shown */
    uint8_t privilege;  /* 1, or 15 after `enable` */
    enum ios_wish wish; /* of the last command */
    char name[16];      /* "vty0", "console" */
    char user[64];      /* "" without `login local` */
    char remote[IP_ADDR_TEXT_MAX];
    struct nanotime active;                                   /* last input */
    char history[IOS_HISTORY_LINES][IOS_INPUT_BYTES_MAX + 1]; /* ring */
    uint32_t history_count;                                   /* lines ever */
    uint32_t history_size; /* how many are kept, IOS_HISTORY_LINES at most */
    /* Where in the configuration it is. */
    struct ios_level levels[IOS_LEVELS_MAX];
    uint32_t depth;
    bool in_config;
    struct ios_terminal *next; /* of the same router */
};

#endif
