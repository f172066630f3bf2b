#ifndef RIBCAGE_HOST_CONTROL_H
#define RIBCAGE_HOST_CONTROL_H

#include "../base/nanotime.h"

#include <stdbool.h>
#include <stddef.h>

struct host;
struct control;
struct diag_list;

/* The control connection(s) of speaker/CONTROL.md. NULL with a finding. */
struct control *control_new(struct host *h, struct diag_list *diags);
void control_free(struct control *c);
/* A log line as an event on the inherited connection; dropped when its reader is slow. */
void control_log(struct control *c, const char *line, size_t size);
/* Every answer was taken by the kernel. */
bool control_idle(const struct control *c);
/* Dumps under way go on. True: more is left. */
bool control_work(struct control *c);

#endif
