#ifndef RIBCAGE_IOS_LOG_H
#define RIBCAGE_IOS_LOG_H

#include "ios_router.h"

/* Log lines that have another cause than the speaker. */

/* %SYS-5-CONFIG_I, into r->log. `t` NULL: the console. */
void ios_log_configured(struct ios_router *r, const struct ios_view *view,
                        const struct ios_terminal *t);

#endif
