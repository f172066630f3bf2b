/*
 * Messages as they went over TCP, one behind the other: what a program dumped of its socket, or
 * `xxd -r -p` of a hex dump.
 *
 * Nothing is known of the session but what the options say: OPENs among the messages change
 * nothing. Where a length is wrong, nobody knows where the next message begins: the rest is left.
 */
#include "cli.h"

#include "../../speaker/core/limits.h"
#include "decode_internal.h"

#include <string.h>

#define MARKER_SIZE 16

bool decode_is_marker(const uint8_t *data, size_t size) {
    static const uint8_t marker[MARKER_SIZE] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                                0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    return size >= sizeof marker && memcmp(data, marker, sizeof marker) == 0;
}

/* What a header says of its message's length; 0: no header is there. */
static size_t length_of(const uint8_t *data, size_t size) {
    if (size < BGP_HEADER_SIZE || !decode_is_marker(data, size))
        return 0;
    size_t length = (size_t)data[MARKER_SIZE] << 8 | data[MARKER_SIZE + 1];
    return length < BGP_HEADER_SIZE ? 0 : length;
}

void decode_octets(struct decode_job *j, const uint8_t *data, size_t size) {
    size_t length;
    do {
        length = length_of(data, size);
        if (length == 0 || length >= size || !decode_is_marker(data + length, size - length))
            length = size;
        decode_print(j, data, length);
        data += length;
        size -= length;
    } while (size > 0 && !j->deaf);
}

void decode_stream_file(struct decode_job *j, struct decode_input *in) {
    static uint8_t message[BGP_MESSAGE_EXTENDED_MAX];
    size_t got, length = 1;
    while (length > 0 && !j->deaf && (got = decode_input_read(in, message, BGP_HEADER_SIZE)) > 0) {
        length = length_of(message, got);
        if (length > got)
            got += decode_input_read(in, message + got, length - got);
        decode_print(j, message, got);
    }
}
