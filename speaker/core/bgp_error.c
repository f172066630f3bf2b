/*
 * The words of RFC 4271 4.5 and its successors for NOTIFICATION codes and subcodes.
 *
 * Two tables and two look-ups: nothing here decides. Sources: RFC 4271 (codes 1-6), 4486 and 8538
 * (Cease), 5492 (2/7), 6608 (FSM), 7313 (ROUTE-REFRESH), 9687 (send hold timer). A code the tables
 * do not know gets the empty name: the caller prints the number, never a guess.
 */
#include "message.h"

struct bgp_error_row {
    uint8_t code, subcode; /* subcode 0: the code itself */
    const char *name;
};

static const struct bgp_error_row bgp_error_rows[] = {
    {BGP_ERR_HEADER, 0, "Message Header Error"},
    {BGP_ERR_HEADER, BGP_HEADER_ERR_SYNC, "Connection Not Synchronized"},
    {BGP_ERR_HEADER, BGP_HEADER_ERR_LENGTH, "Bad Message Length"},
    {BGP_ERR_HEADER, BGP_HEADER_ERR_TYPE, "Bad Message Type"},
    {BGP_ERR_OPEN, 0, "OPEN Message Error"},
    {BGP_ERR_OPEN, BGP_OPEN_ERR_VERSION, "Unsupported Version Number"},
    {BGP_ERR_OPEN, BGP_OPEN_ERR_PEER_AS, "Bad Peer AS"},
    {BGP_ERR_OPEN, BGP_OPEN_ERR_IDENTIFIER, "Bad BGP Identifier"},
    {BGP_ERR_OPEN, BGP_OPEN_ERR_PARAMETER, "Unsupported Optional Parameter"},
    {BGP_ERR_OPEN, BGP_OPEN_ERR_AUTHENTICATION, "Authentication Failure"},
    {BGP_ERR_OPEN, BGP_OPEN_ERR_HOLD_TIME, "Unacceptable Hold Time"},
    {BGP_ERR_OPEN, BGP_OPEN_ERR_CAPABILITY, "Unsupported Capability"},
    {BGP_ERR_OPEN, BGP_OPEN_ERR_ROLE, "Role Mismatch"},
    {BGP_ERR_UPDATE, 0, "UPDATE Message Error"},
    {BGP_ERR_UPDATE, BGP_UPDATE_ERR_LIST, "Malformed Attribute List"},
    {BGP_ERR_UPDATE, BGP_UPDATE_ERR_UNRECOGNIZED, "Unrecognized Well-known Attribute"},
    {BGP_ERR_UPDATE, BGP_UPDATE_ERR_MISSING, "Missing Well-known Attribute"},
    {BGP_ERR_UPDATE, BGP_UPDATE_ERR_FLAGS, "Attribute Flags Error"},
    {BGP_ERR_UPDATE, BGP_UPDATE_ERR_LENGTH, "Attribute Length Error"},
    {BGP_ERR_UPDATE, BGP_UPDATE_ERR_ORIGIN, "Invalid ORIGIN Attribute"},
    {BGP_ERR_UPDATE, BGP_UPDATE_ERR_AS_LOOP, "AS Routing Loop"},
    {BGP_ERR_UPDATE, BGP_UPDATE_ERR_NEXT_HOP, "Invalid NEXT_HOP Attribute"},
    {BGP_ERR_UPDATE, BGP_UPDATE_ERR_OPTIONAL, "Optional Attribute Error"},
    {BGP_ERR_UPDATE, BGP_UPDATE_ERR_NETWORK, "Invalid Network Field"},
    {BGP_ERR_UPDATE, BGP_UPDATE_ERR_AS_PATH, "Malformed AS_PATH"},
    {BGP_ERR_HOLD_TIMER, 0, "Hold Timer Expired"},
    {BGP_ERR_FSM, 0, "Finite State Machine Error"},
    {BGP_ERR_FSM, BGP_FSM_ERR_OPEN_SENT, "Receive Unexpected Message in OpenSent State"},
    {BGP_ERR_FSM, BGP_FSM_ERR_OPEN_CONFIRM, "Receive Unexpected Message in OpenConfirm State"},
    {BGP_ERR_FSM, BGP_FSM_ERR_ESTABLISHED, "Receive Unexpected Message in Established State"},
    {BGP_ERR_CEASE, 0, "Cease"},
    {BGP_ERR_CEASE, BGP_CEASE_PREFIX_LIMIT, "Maximum Number of Prefixes Reached"},
    {BGP_ERR_CEASE, BGP_CEASE_SHUTDOWN, "Administrative Shutdown"},
    {BGP_ERR_CEASE, BGP_CEASE_DECONFIGURED, "Peer De-configured"},
    {BGP_ERR_CEASE, BGP_CEASE_RESET, "Administrative Reset"},
    {BGP_ERR_CEASE, BGP_CEASE_REJECTED, "Connection Rejected"},
    {BGP_ERR_CEASE, BGP_CEASE_CONFIG_CHANGE, "Other Configuration Change"},
    {BGP_ERR_CEASE, BGP_CEASE_COLLISION, "Connection Collision Resolution"},
    {BGP_ERR_CEASE, BGP_CEASE_OUT_OF_RESOURCES, "Out of Resources"},
    {BGP_ERR_CEASE, BGP_CEASE_HARD_RESET, "Hard Reset"},
    {BGP_ERR_CEASE, BGP_CEASE_BFD_DOWN, "BFD Down"},
    {BGP_ERR_REFRESH, 0, "ROUTE-REFRESH Message Error"},
    {BGP_ERR_REFRESH, BGP_REFRESH_ERR_LENGTH, "Invalid Message Length"},
    {BGP_ERR_SEND_HOLD, 0, "Send Hold Timer Expired"},
};

static const char *bgp_error_find(uint8_t code, uint8_t subcode) {
    for (size_t i = 0; i < sizeof bgp_error_rows / sizeof bgp_error_rows[0]; i++) {
        const struct bgp_error_row *row = &bgp_error_rows[i];
        if (row->code == code && row->subcode == subcode) {
            return row->name;
        }
    }
    return "";
}

const char *bgp_error_name(uint8_t code) {
    return bgp_error_find(code, 0);
}

const char *bgp_suberror_name(uint8_t code, uint8_t subcode) {
    return subcode ? bgp_error_find(code, subcode) : "";
}

const char *bgp_outcome_name(enum bgp_outcome o) {
    switch (o) {
    case BGP_OUTCOME_OK:
        return "ok";
    case BGP_OUTCOME_DISCARD_ATTRIBUTE:
        return "discard";
    case BGP_OUTCOME_TREAT_AS_WITHDRAW:
        return "withdraw";
    case BGP_OUTCOME_SESSION_RESET:
        return "session-reset";
    }
    return "";
}
