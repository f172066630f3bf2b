/*
 * Telnet, as far as a router's terminal line needs it.
 *
 * Owns: the octets of negotiation. An option is answered only where its state changes (RFC 1143's
 * concern): what we offered or asked for is never confirmed a second time, everything else is
 * refused once per request.
 *
 * Invariants: a subnegotiation of any length keeps IOS_TELNET_SUB_MAX octets.
 */
#include "ios_telnet.h"

enum {
    TELNET_BRK = 243,
    TELNET_IP = 244,
    TELNET_SB = 250,
    TELNET_WILL = 251,
    TELNET_WONT = 252,
    TELNET_DO = 253,
    TELNET_DONT = 254,
    TELNET_IAC = 255,
};

enum {
    OPTION_ECHO = 1,
    OPTION_SUPPRESS_GO_AHEAD = 3,
    OPTION_TERMINAL_TYPE = 24,
    OPTION_WINDOW_SIZE = 31,
};

#define CTRL_C '\003'

static void put_command(uint8_t verb, uint8_t option, struct text *out) {
    text_putc(out, (char)TELNET_IAC);
    text_putc(out, (char)verb);
    text_putc(out, (char)option);
}

void ios_telnet_start(struct ios_telnet *t, struct text *out) {
    *t = (struct ios_telnet){.state = TELNET_DATA};
    put_command(TELNET_WILL, OPTION_ECHO, out);
    put_command(TELNET_WILL, OPTION_SUPPRESS_GO_AHEAD, out);
    put_command(TELNET_DO, OPTION_TERMINAL_TYPE, out);
    put_command(TELNET_DO, OPTION_WINDOW_SIZE, out);
}

static void answer(struct ios_telnet *t, uint8_t option, struct text *out) {
    bool asked = option == OPTION_TERMINAL_TYPE || option == OPTION_WINDOW_SIZE;
    bool *offered = option == OPTION_ECHO                ? &t->echoes
                    : option == OPTION_SUPPRESS_GO_AHEAD ? &t->suppresses
                                                         : NULL;
    switch (t->verb) {
    case TELNET_DO:
        if (offered)
            *offered = true;
        else
            put_command(TELNET_WONT, option, out);
        break;
    case TELNET_DONT:
        if (offered && *offered)
            put_command(TELNET_WONT, option, out);
        if (offered)
            *offered = false;
        break;
    case TELNET_WILL:
        if (!asked)
            put_command(TELNET_DONT, option, out);
        break;
    default:
        break; /* WONT: nothing is on that could go off */
    }
}

static void sub_end(struct ios_telnet *t) {
    if (t->sub_size != 5 || t->sub[0] != OPTION_WINDOW_SIZE)
        return;
    t->width = (uint16_t)(t->sub[1] << 8 | t->sub[2]);
    t->height = (uint16_t)(t->sub[3] << 8 | t->sub[4]);
    t->resized = true;
}

static void sub_add(struct ios_telnet *t, uint8_t octet) {
    if (t->sub_size < IOS_TELNET_SUB_MAX)
        t->sub[t->sub_size++] = octet;
}

/* The octet behind IAC. */
static bool command(struct ios_telnet *t, uint8_t octet, char *ret_char) {
    t->state = TELNET_DATA;
    if (octet >= TELNET_WILL && octet <= TELNET_DONT) {
        t->verb = octet;
        t->state = TELNET_OPTION;
    } else if (octet == TELNET_SB) {
        t->sub_size = 0;
        t->state = TELNET_SUB;
    } else if (octet == TELNET_IP || octet == TELNET_BRK) {
        *ret_char = CTRL_C;
        return true;
    } else if (octet == TELNET_IAC) {
        *ret_char = (char)TELNET_IAC;
        return true;
    }
    return false;
}

bool ios_telnet_input(struct ios_telnet *t, uint8_t octet, struct text *out, char *ret_char) {
    switch (t->state) {
    case TELNET_DATA:
        if (octet == TELNET_IAC)
            t->state = TELNET_COMMAND;
        *ret_char = (char)octet;
        return octet != TELNET_IAC;
    case TELNET_COMMAND:
        return command(t, octet, ret_char);
    case TELNET_OPTION:
        answer(t, octet, out);
        t->state = TELNET_DATA;
        return false;
    case TELNET_SUB:
        if (octet == TELNET_IAC)
            t->state = TELNET_SUB_IAC;
        else
            sub_add(t, octet);
        return false;
    case TELNET_SUB_IAC:
        t->state = octet == TELNET_IAC ? TELNET_SUB : TELNET_DATA;
        if (octet == TELNET_IAC)
            sub_add(t, octet);
        else
            sub_end(t);
        return false;
    }
    return false;
}

void ios_telnet_put(const char *data, size_t size, struct text *out) {
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '\n')
            text_putc(out, '\r');
        text_putc(out, data[i]);
        if ((uint8_t)data[i] == TELNET_IAC)
            text_putc(out, data[i]);
    }
}
