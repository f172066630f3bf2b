#ifndef RIBCAGE_CLI_DECODE_INTERNAL_H
#define RIBCAGE_CLI_DECODE_INTERNAL_H

#include "../../speaker/base/arena.h"
#include "../../speaker/base/text.h"
#include "../../speaker/decode/decode.h"
#include "decode_input.h"

/* What the parts of `ribcage decode` share: verb_decode.c, decode_hex.c, decode_mrt.c,
 * decode_stream.c, decode_capture.c. */
struct decode_job {
    struct decode_options how;
    bool json;
    struct arena *scratch;
    struct text out; /* printed and cleared by decode_flush */
    int status;      /* 0; 1: something in the input is damaged */
    bool deaf;       /* what is printed reaches nobody: nothing more need be read */
};

/* Prints what has gathered once it is much, or (`now`) whatever it is. */
void decode_flush(struct decode_job *j, bool now);
/* Decodes and prints one message. */
void decode_print(struct decode_job *j, const uint8_t *data, size_t size);

/* Standard input, a line at a time, answered at once. Exit status. */
int decode_lines(struct decode_job *j);
/* Messages in hexadecimal, or a file with such lines. `why`: what is said behind "not
 * hexadecimal". */
void decode_hex_text(struct decode_job *j, const char *hex, size_t size, const char *why);
void decode_hex_file(struct decode_job *j, struct decode_input *in);
/* Octets as they went over TCP: messages one behind the other. The first octets of a message are
 * its marker (RFC 4271 4.1), which is how such a file is known; a message that does not end where
 * the next one's marker stands takes all that is left. */
bool decode_is_marker(const uint8_t *data, size_t size);
void decode_octets(struct decode_job *j, const uint8_t *data, size_t size);
void decode_stream_file(struct decode_job *j, struct decode_input *in);
/* Lines or JSON of an MRT file. */
void decode_mrt_file(struct decode_job *j, struct decode_input *in, const char *name);
/* The BGP messages of a capture. */
void decode_pcap_file(struct decode_job *j, struct decode_input *in, const char *name);
void decode_pcapng_file(struct decode_job *j, struct decode_input *in, const char *name);

#endif
