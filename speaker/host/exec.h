#ifndef RIBCAGE_HOST_EXEC_H
#define RIBCAGE_HOST_EXEC_H

#include <stdbool.h>

struct host;
struct text;

/* A show command in BIRD's words, for profiles that stand in for BIRD; its output is appended.
 * False: there is no such command. */
bool exec_run(struct host *h, const char *command, struct text *out);

/* exec_route.c: `show route …`, the words behind it. */
void exec_route(struct host *h, char *const words[], int count, struct text *out);
/* A point in time as BIRD shows it: the time of day, or the date when it was another day. */
void exec_since(struct host *h, unsigned long long ns, char text[16]);

#endif
