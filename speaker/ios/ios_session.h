#ifndef RIBCAGE_IOS_SESSION_H
#define RIBCAGE_IOS_SESSION_H

#include "ios.h"

/*
 * Somebody at a line of the router: telnet octets in, telnet octets out. Login, prompts, editing,
 * help, pages, configuration modes; each session has its own place in the configuration.
 *
 *   telnet  ios_telnet.c   options, window size, CR LF
 *   editor  ios_editor.c   keys, history
 *   help    ios_help.c     ? and Tab
 *   login   ios_login.c    what `line vty`, `username`, `enable secret` ask
 */

struct ios_session;

/* `console`: line con 0, else the vty `number`; `remote`: for `show users` and the log, "" if
 * unknown. The router keeps a reference until ios_session_free. NULL: out of memory. */
struct ios_session *ios_session_new(struct ios_router *r, const struct ios_view *view, bool console,
                                    uint32_t number, const char *remote);
void ios_session_free(struct ios_session *s, struct ios_router *r);
/*
 * Takes octets from the terminal up to the end of a line that was run, and returns how many: after
 * each call the caller does what the line asked for (ios_take_request, ios_config_pending,
 * ios_take_log) and hands in the rest.
 */
size_t ios_session_input(struct ios_session *s, struct ios_router *r, const struct ios_view *view,
                         const char *data, size_t size);
/* Octets for the terminal; the caller takes them off. */
struct text *ios_session_output(struct ios_session *s);
/* Log lines, to be shown if the terminal monitors (a console always does, but for `no logging
 * console`). */
void ios_session_log(struct ios_session *s, struct ios_router *r, const char *lines);
/* Over: exit, timeout, login refused. Output may be left. */
bool ios_session_ended(const struct ios_session *s);
/* When ios_session_advance is due: idle for too long. */
struct nanotime ios_session_deadline(const struct ios_session *s);
void ios_session_advance(struct ios_session *s, struct ios_router *r, struct nanotime now);

/* Lines open to telnet (`line vty 0 4` with `transport input telnet` gives 5). */
uint32_t ios_telnet_lines(const struct ios_router *r);
/* A router takes another's place: the terminals stay, out of configuration mode. */
void ios_router_adopt(struct ios_router *r, struct ios_router *old);

#endif
