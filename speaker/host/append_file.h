#ifndef RIBCAGE_HOST_APPEND_FILE_H
#define RIBCAGE_HOST_APPEND_FILE_H

#include <sys/types.h>

/* A descriptor that appends to `path`, made with `mode` where nothing is, and never blocks. -1 with
 * errno: ELOOP where a link stands, EMLINK where the file has another name. */
int append_file_open(const char *path, mode_t mode);

#endif
