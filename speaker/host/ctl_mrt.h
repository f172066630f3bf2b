#ifndef RIBCAGE_HOST_CTL_MRT_H
#define RIBCAGE_HOST_CTL_MRT_H

#include "../base/addr.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct text;

/*
 * `ctl announce-mrt` and `ctl withdraw-mrt`: the routes of an MRT table dump as own routes.
 */

enum ctl_mrt_verb { CTL_MRT_ANNOUNCE, CTL_MRT_WITHDRAW };

struct ctl_mrt_options {
    enum ctl_mrt_verb verb;
    const char *file;       /* "-": standard input */
    struct ip_addr peer;    /* whose routes; not set: */
    uint32_t peer_index;    /* … by its place in the peer table; MRT_NO_PEER: anybody's */
    uint64_t routes_max;    /* at most so many */
    bool recorded_next_hop; /* NEXT_HOP as it stands in the file; false: ours */
    bool progress;          /* on standard error */
};

/* FILE and pairs of a word and its value. False: *ret_error, to which it is appended, says what is
 * wrong. `*ret_options` keeps pointers into `words`. */
bool ctl_mrt_options(enum ctl_mrt_verb verb, char *const *words, int count,
                     struct ctl_mrt_options *ret_options, struct text *ret_error);
/* An answer in the form of a speaker's: `ok`, `error`, and the figures. NULL: the speaker does not
 * answer, which has been said. */
json_t *ctl_mrt_run(int fd, const struct ctl_mrt_options *options);

/* The words, for the help. */
#define CTL_MRT_SELECT_HELP "FILE [peer N|ADDRESS] [max N]"
#define CTL_MRT_ANNOUNCE_HELP CTL_MRT_SELECT_HELP " [next-hop self|recorded]"

#endif
