/*
 * Texts from files that may not be what they seem.
 *
 * Owns: opening. A path named inside a scenario is resolved by the kernel beneath the scenario's
 * tree (openat2 with RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS): "..", absolute paths and links
 * that lead out fail, also while somebody renames under our feet. The object is first taken hold of
 * with O_PATH, which opens no device and waits for no FIFO, found to be a regular file, and only
 * then opened for reading through its own descriptor.
 * Leaves to others: what the text means.
 *
 * Invariants: at most YAML_BYTES_MAX bytes are read, whatever st_size said; the text in the arena
 * ends with a NUL that *ret_size does not count.
 */

#include "yaml.h"
#include "yaml_limits.h"

#include "../../speaker/base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define READ_STEP_BYTES 65536
#define OPEN_TRIES_MAX 16

static void report(struct diag_list *diags, struct diag_place place, const char *shown,
                   const char *why) {
    diag_add(diags, DIAG_ERROR, place, "unreadable-file", "cannot read \"%.200s\": %s", shown, why);
}

/* Everything up to the end of the file in a growing buffer (alloc_free). NULL: errno. */
static char *read_all(int fd, size_t *ret_size) {
    size_t size = 0, capacity = 0;
    char *data = NULL;
    for (;;) {
        if (capacity - size < READ_STEP_BYTES) {
            size_t wanted = capacity ? capacity * 2 : READ_STEP_BYTES;
            char *bigger = alloc_resize(data, wanted, 1);
            if (!bigger) {
                alloc_free(data);
                errno = ENOMEM;
                return NULL;
            }
            data = bigger;
            capacity = wanted;
        }
        ssize_t got = read(fd, data + size, capacity - size);
        if (got == 0) {
            *ret_size = size;
            return data;
        }
        if (got > 0)
            size += (size_t)got;
        if ((got < 0 && errno != EINTR) || size > YAML_BYTES_MAX) {
            int error = got < 0 ? errno : EFBIG;
            alloc_free(data);
            errno = error;
            return NULL;
        }
    }
}

static char *read_to_arena(int fd, struct arena *arena, size_t *ret_size) {
    size_t size;
    char *data = read_all(fd, &size);
    if (!data)
        return NULL;
    char *text = arena_alloc(arena, size + 1);
    if (text) {
        memcpy(text, data, size);
        text[size] = 0;
        *ret_size = size;
    } else {
        errno = ENOMEM;
    }
    alloc_free(data);
    return text;
}

/* Reads what an O_PATH descriptor stands for, if that is a regular file. NULL: errno. */
static char *read_held(int held, struct arena *arena, size_t *ret_size) {
    struct stat st;
    char link[32];
    if (fstat(held, &st) < 0)
        return NULL;
    if (!S_ISREG(st.st_mode)) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : ENOTSUP;
        return NULL;
    }
    snprintf(link, sizeof(link), "/proc/self/fd/%d", held);
    int fd = open(link, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    char *text = read_to_arena(fd, arena, ret_size);
    int error = errno;
    close(fd);
    errno = error;
    return text;
}

static const char *reason(int error) {
    switch (error) {
    case EXDEV:
        return "it lies outside the tree that a scenario may read";
    case ENOTSUP:
        return "not a regular file";
    case EFBIG:
        return "larger than 64 MiB";
    case ELOOP:
        return "a link that may not be followed";
    default:
        return strerror(error);
    }
}

static char *read_and_close(int held, const char *shown, struct arena *arena,
                            struct diag_place place, struct diag_list *diags, size_t *ret_size) {
    char *text = held < 0 ? NULL : read_held(held, arena, ret_size);
    if (!text)
        report(diags, place, shown, reason(errno));
    if (held >= 0)
        close(held);
    return text;
}

char *file_read_beneath(int directory_fd, const char *path, const char *shown, struct arena *arena,
                        struct diag_place place, struct diag_list *diags, size_t *ret_size) {
    struct open_how how = {
        .flags = O_PATH | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    int held = -1;
    for (int i = 0; i < OPEN_TRIES_MAX; i++) {
        held = (int)syscall(SYS_openat2, directory_fd, path, &how, sizeof(how));
        if (held >= 0 || (errno != EAGAIN && errno != EINTR))
            break; /* EAGAIN: a rename raced with ".." */
    }
    return read_and_close(held, shown, arena, place, diags, ret_size);
}

char *file_read(const char *path, struct arena *arena, struct diag_list *diags, size_t *ret_size) {
    struct diag_place place = {path, 0, 0};
    if (strcmp(path, "-") == 0) {
        char *text = read_to_arena(STDIN_FILENO, arena, ret_size);
        if (!text)
            report(diags, place, "standard input", reason(errno));
        return text;
    }
    return read_and_close(open(path, O_PATH | O_CLOEXEC), path, arena, place, diags, ret_size);
}
