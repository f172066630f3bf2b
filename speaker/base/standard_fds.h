#ifndef RIBCAGE_BASE_STANDARD_FDS_H
#define RIBCAGE_BASE_STANDARD_FDS_H

#include <fcntl.h>
#include <stdbool.h>

/* Descriptors 0 to 2 that a program was started without become /dev/null: one of its own that got
 * such a number would have our output, or our log, written into it. First thing in main(). Here
 * and not in a .c, because this folder's objects open no files. False: errno. */
static inline bool standard_fds_hold(void) {
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
            return false;
    }
    return true;
}

#endif
