/*
 * BIRD's words for how a session ended, as `birdcl show protocols` prints them behind the state:
 * an error class and a phrase. Display only: nothing in the core decides by them.
 *
 * RFC 4271 4.5 and 6, 4486, 6608, 7313, 8538, 9687 for the codes.
 */
#include "session.h"

struct row {
    uint8_t code, subcode;
    const char *sent, *received;
};

#define ROW(code, subcode, text)                                                                   \
    { code, subcode, "BGP Error: " text, "Received: " text }

/* Subcode 0 stands for the code alone and for subcodes that are not listed. */
static const struct row rows[] = {
    ROW(1, 0, "Invalid message header"),
    ROW(1, 1, "Connection not synchronized"),
    ROW(1, 2, "Bad message length"),
    ROW(1, 3, "Bad message type"),
    ROW(2, 0, "Invalid OPEN message"),
    ROW(2, 1, "Unsupported version number"),
    ROW(2, 2, "Bad peer AS"),
    ROW(2, 3, "Bad BGP identifier"),
    ROW(2, 4, "Unsupported optional parameter"),
    ROW(2, 5, "Authentication failure"),
    ROW(2, 6, "Unacceptable hold time"),
    ROW(2, 7, "Required capability missing"),
    ROW(2, 8, "No supported AFI/SAFI"),
    ROW(2, 11, "Role mismatch"),
    ROW(3, 0, "Invalid UPDATE message"),
    ROW(3, 1, "Malformed attribute list"),
    ROW(3, 2, "Unrecognized well-known attribute"),
    ROW(3, 3, "Missing mandatory attribute"),
    ROW(3, 4, "Invalid attribute flags"),
    ROW(3, 5, "Invalid attribute length"),
    ROW(3, 6, "Invalid ORIGIN attribute"),
    ROW(3, 8, "Invalid NEXT_HOP attribute"),
    ROW(3, 9, "Optional attribute error"),
    ROW(3, 10, "Invalid network field"),
    ROW(3, 11, "Malformed AS_PATH"),
    ROW(4, 0, "Hold timer expired"),
    ROW(5, 0, "Finite state machine error"),
    ROW(5, 1, "Unexpected message in OpenSent state"),
    ROW(5, 2, "Unexpected message in OpenConfirm state"),
    ROW(5, 3, "Unexpected message in Established state"),
    ROW(6, 0, "Cease"),
    ROW(6, 1, "Maximum number of prefixes reached"),
    ROW(6, 2, "Administrative shutdown"),
    ROW(6, 3, "Peer de-configured"),
    ROW(6, 4, "Administrative reset"),
    ROW(6, 5, "Connection rejected"),
    ROW(6, 6, "Other configuration change"),
    ROW(6, 7, "Connection collision resolution"),
    ROW(6, 8, "Out of Resources"),
    ROW(6, 9, "Hard reset"),
    ROW(7, 0, "Invalid ROUTE-REFRESH message"),
    ROW(7, 1, "Invalid ROUTE-REFRESH message length"),
    ROW(8, 0, "Send hold timer expired"),
    ROW(0, 0, "Unknown error"),
};

const char *session_error_text(uint8_t code, uint8_t subcode, bool received) {
    const struct row *best = NULL;
    for (const struct row *r = rows; r < rows + sizeof rows / sizeof *rows; r++) {
        if (r->code == code && r->subcode == subcode) {
            best = r;
            break;
        }
        if ((r->code == code && r->subcode == 0) || (r->code == 0 && !best))
            best = r;
    }
    return received ? best->received : best->sent;
}

const char *session_end_text(enum bgp_conn_end why) {
    switch (why) {
    case BGP_CONN_CLOSED:
        return "Socket: Connection closed";
    case BGP_CONN_RESET:
        return "Socket: Connection reset by peer";
    case BGP_CONN_REFUSED:
        return "Socket: Connection refused";
    case BGP_CONN_TIMEOUT:
        return "Socket: Connection timed out";
    case BGP_CONN_UNREACHABLE:
        return "Socket: No route to host";
    case BGP_CONN_FAILED:
        return "Socket: Cannot assign requested address";
    }
    return "";
}
