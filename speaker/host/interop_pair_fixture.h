#ifndef RIBCAGE_HOST_INTEROP_PAIR_FIXTURE_H
#define RIBCAGE_HOST_INTEROP_PAIR_FIXTURE_H

#include "interop_fixture.h"

/* What the rows share: a pair of speakers and what each must hold of the other. Everything that
 * waits fails the running test when it has waited for too long. */

enum { OURS, THEIRS, THIRD, FOURTH };
enum role { WE_CONNECT = 1, THEY_CONNECT = 2, BOTH_CONNECT = 4 };

#define OUR_AS 64512

/* The running row's. */
extern struct pair {
    const struct program *program;
    struct setup setup[2];
    const char *profile; /* ours */
} pair;

/* Both with the timers and without all options; not started. `role` is one of enum role. */
void pair_make(uint32_t our_as, uint32_t their_as, int role);
void pair_start(void);
/* Both sessions between a node of ours and one of theirs, as both see them. */
void pair_wait_up(int ours, int theirs);

/* Until the node has from its neighbour exactly this. */
void pair_expect_route(int node, const char *prefix, int from, const char *expected);
/* Both routes of both families of `of`, as `at` has them from `from`. `tail`: what reflection
 * adds to each line. */
void pair_expect_routes(int at, int of, int from, const char *tail);
/* Its rich route of a family, as pair_expect_routes. */
void pair_expect_rich(int at, int of, int family);
/* As pair_has_route, but a stale one will do. */
bool pair_has_kept(int node, const char *prefix, int from);
bool pair_has_route(int node, const char *prefix, int from);
/* NULL: by whatever gateway. */
bool pair_in_kernel(int node, const char *prefix, const char *gateway);
/* All routes of `of`, unless `at` leaves the kernel's table alone. */
void pair_expect_kernel(int at, int of);

/* Rows of their own files. */
void row_flap(const struct program *p, int argument);
void row_collision(const struct program *p, int ours_is_higher);
void row_restart_theirs(const struct program *p, int argument);
void row_restart_ours(const struct program *p, int argument);
void row_attributes(const struct program *p, int passing);
void row_add_path(const struct program *p, int passing);

/* Stops or continues (SIGSTOP, SIGCONT) all processes of a side. */
void pair_signal(int node, int number);

#endif
