#ifndef RIBCAGE_IOS_TELNET_H
#define RIBCAGE_IOS_TELNET_H

#include "../base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The server's side of telnet (RFC 854, 855, 857, 858, 1073, 1091): what the client says about
 * options is taken out of the stream and answered.
 */

enum ios_telnet_state {
    TELNET_DATA,
    TELNET_COMMAND, /* IAC was read */
    TELNET_OPTION,  /* … and WILL, WONT, DO or DONT */
    TELNET_SUB,     /* within a subnegotiation */
    TELNET_SUB_IAC, /* … after IAC */
};

#define IOS_TELNET_SUB_MAX 16

struct ios_telnet {
    enum ios_telnet_state state;
    uint8_t verb; /* WILL… */
    uint8_t sub[IOS_TELNET_SUB_MAX];
    uint32_t sub_size;       /* may count beyond what is kept */
    bool echoes, suppresses; /* what we offered was answered */
    uint16_t width, height;  /* of the client's window; 0: not told */
    bool resized;            /* told since last looked at */
};

/* Offers echo and suppress-go-ahead, asks for terminal type and window size. */
void ios_telnet_start(struct ios_telnet *t, struct text *out);
/* One octet of the client. True: it is input, *ret_char (an interrupt comes as ^C). Answers are
 * appended to `out`. */
bool ios_telnet_input(struct ios_telnet *t, uint8_t octet, struct text *out, char *ret_char);
/* Text for the client: newlines as CR LF, 255 doubled. */
void ios_telnet_put(const char *data, size_t size, struct text *out);

#endif
