#ifndef RIBCAGE_IOS_LOGIN_H
#define RIBCAGE_IOS_LOGIN_H

#include "ios_router.h"

/* What the configuration asks of somebody who comes to a line: `line vty`, `line console`,
 * `username`, `enable secret`. */

#define IOS_VTY_LINES_MAX 64

enum ios_login {
    IOS_LOGIN_NONE,     /* straight to the prompt */
    IOS_LOGIN_PASSWORD, /* the line's */
    IOS_LOGIN_LOCAL,    /* `username` statements */
};

struct ios_line_config {
    enum ios_login login;
    bool password_set;
    uint8_t privilege;   /* 1 or more; 15: no `enable` needed */
    uint64_t timeout_ms; /* of idleness; 0: none */
    uint32_t length;     /* of the terminal */
};

/* The line's settings: console, or the vty with this number. */
struct ios_line_config ios_line_config(const struct ios_router *r, bool console, uint32_t number);
/* Lines of `line vty` that may be reached by telnet; 0: no listener. */
uint32_t ios_telnet_lines(const struct ios_router *r);

bool ios_check_line_password(const struct ios_router *r, bool console, uint32_t number,
                             const char *password);
/* `username X {password|secret}`; *ret_privilege is the user's. */
bool ios_check_user(const struct ios_router *r, const char *user, const char *password,
                    uint8_t *ret_privilege);
enum ios_enable {
    IOS_ENABLE_UNSET, /* neither secret nor password */
    IOS_ENABLE_WRONG,
    IOS_ENABLE_RIGHT,
};
/* `password` NULL: only, is there one (IOS_ENABLE_WRONG)? */
enum ios_enable ios_check_enable(const struct ios_router *r, const char *password);

#endif
