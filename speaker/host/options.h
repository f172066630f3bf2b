#ifndef RIBCAGE_HOST_OPTIONS_H
#define RIBCAGE_HOST_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* The command line of ribcage-speaker (speaker/CONTROL.md). Descriptors are -1 when not given. */
struct host_options {
    const char *config_file, *ios_file;
    int config_fd, ios_fd;
    const char *hostname;   /* IOS */
    const char *interfaces; /* IOS: "eth0=GigabitEthernet0/0,eth1=…" */
    const char *profile;
    const char *control_path;
    const char *log_file;
    const char *mrt_file; /* messages go there too */
    int control_fd;
    int scoreboard_fd, bell_fd;
    uint32_t slot;
    int log_fd;
    bool restart, no_fib, check, schema, version, help;
};

/* False: *ret_error says what is wrong, in words for the terminal (static or from argv). */
struct text;
bool options_parse(struct host_options *o, int argc, char *const argv[], struct text *ret_error);
extern const char options_help[];

#endif
