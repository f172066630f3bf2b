/*
 * Files that grow under a fixed name: the log, the messages in MRT.
 *
 * Owns how they are opened. The speaker may be root in a folder that somebody else may write to,
 * and opens the file anew whenever it is told to: a link, or a second name of a file that was never
 * ours, would have it write wherever that leads. Both are refused, before the first octet. Opening
 * waits for nobody (a FIFO without a reader), and neither does writing.
 */
#include "append_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int append_file_open(const char *path, mode_t mode) {
    struct stat s;
    int fd = open(
        path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, mode);
    if (fd < 0 || fstat(fd, &s) != 0 || !S_ISREG(s.st_mode) || s.st_nlink <= 1)
        return fd;
    close(fd);
    errno = EMLINK;
    return -1;
}
