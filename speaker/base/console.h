#ifndef RIBCAGE_BASE_CONSOLE_H
#define RIBCAGE_BASE_CONSOLE_H

/* A mock Cisco's console: a stream socket of this name in the abstract namespace of unix sockets,
 * of which each network namespace has its own. It speaks telnet. */
#define CONSOLE_NAME "ribcage-console"

#endif
