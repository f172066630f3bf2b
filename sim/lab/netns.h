#ifndef RIBCAGE_NETNS_H
#define RIBCAGE_NETNS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Network namespaces held by descriptors, and sysctls of the one the calling thread is in.
 */

/* The calling thread's namespace; -1 with errno. */
int netns_open_current(void);
/* A new namespace, which the calling thread is in afterwards; -1 with errno. */
int netns_create(void);
/* Moves the calling thread. */
bool netns_enter(int fd);

/* `path` below /proc/sys, opened while inside the namespace. */
bool netns_write_sysctl(const char *path, const char *value);
/* At most size - 1 bytes, newline cut off. */
bool netns_read_sysctl(const char *path, char *ret_value, size_t size);

#endif
