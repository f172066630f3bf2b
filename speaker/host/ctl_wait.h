#ifndef RIBCAGE_HOST_CTL_WAIT_H
#define RIBCAGE_HOST_CTL_WAIT_H

#include "../base/nanotime.h"
#include "ctl.h"

#include <stdbool.h>

/*
 * `ctl wait`: returns when something is so. For scripts, which would ask again and again
 * themselves.
 */

#define CTL_WAIT_HELP "established [NAME] | down NAME | [no-]route PREFIX [from|to NAME]"

struct text;

enum ctl_wait_kind {
    CTL_WAIT_ESTABLISHED,
    CTL_WAIT_DOWN,
    CTL_WAIT_ROUTE,
    CTL_WAIT_NO_ROUTE,
};

/* The texts belong to who gave them. */
struct ctl_wait {
    enum ctl_wait_kind kind;
    const char *name;   /* a neighbour's; NULL: all, or of routes the best path */
    const char *prefix; /* of routes */
    const char *table;  /* of routes, as `rib` has it */
};

/* The words behind `wait`. False: what is wrong is in `wrong`. */
bool ctl_wait_parse(char *const *words, int count, struct ctl_wait *ret_wait, struct text *wrong);

/* Asks on the connection `fd` until it is so (CTL_EXIT_OK), or `end` has come (CTL_EXIT_REFUSED:
 * what is not so was said); CTL_EXIT_UNABLE: nobody answers, which was said. */
enum ctl_exit ctl_wait_run(const struct ctl_wait *w, int fd, struct nanotime end);

#endif
