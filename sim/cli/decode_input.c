/*
 * Where decode reads from: one buffer over zlib's reader, which passes over what is not gzip.
 *
 * A damaged gzip file reads as one that ends early; `failed` says so. Memory: the buffer.
 */
#include "decode_input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool decode_input_open(struct decode_input *in, const char *path) {
    *in = (struct decode_input){0};
    int fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                    : open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        close(fd);
        errno = EISDIR;
        return false;
    }
    in->file = gzdopen(fd, "rb");
    if (!in->file)
        close(fd);
    return in->file != NULL;
}

void decode_input_close(struct decode_input *in) {
    gzclose_r(in->file);
    in->file = NULL;
}

static void fill(struct decode_input *in) {
    memmove(in->buffer, in->buffer + in->at, in->size - in->at);
    in->size -= in->at;
    in->at = 0;
    int got = gzread(in->file, in->buffer + in->size, (unsigned)(sizeof in->buffer - in->size));
    in->failed |= got < 0;
    in->ended = got <= 0;
    in->size += got > 0 ? (size_t)got : 0;
}

size_t decode_input_peek(struct decode_input *in, size_t wanted, const uint8_t **ret_data) {
    while (in->size - in->at < wanted && !in->ended && wanted <= sizeof in->buffer)
        fill(in);
    *ret_data = in->buffer + in->at;
    return in->size - in->at;
}

size_t decode_input_read(struct decode_input *in, uint8_t *out, size_t size) {
    size_t done = 0;
    const uint8_t *data;
    while (done < size) {
        size_t have = decode_input_peek(in, 1, &data);
        if (have == 0)
            break;
        have = have < size - done ? have : size - done;
        if (out)
            memcpy(out + done, data, have);
        in->at += have;
        done += have;
    }
    return done;
}

static ssize_t stream_read(void *cookie, char *out, size_t size) {
    return (ssize_t)decode_input_read(cookie, (uint8_t *)out, size);
}

FILE *decode_input_stream(struct decode_input *in) {
    return fopencookie(in, "rb", (cookie_io_functions_t){.read = stream_read});
}
