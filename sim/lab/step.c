/*
 * Fault injection for the build of a lab.
 *
 * Owns: one thread-local counter of system steps and the number of the step that shall fail.
 * Leaves to others: what a step is. By convention everything that asks the kernel for something
 * new (a namespace, a descriptor, a netlink batch, a process) calls step_ok once before it asks.
 * Invariant: with no step chosen, step_ok only counts.
 */
#include "step.h"

#include <errno.h>

static _Thread_local unsigned long taken, failing;

void step_fail_at(unsigned long k) {
    taken = 0;
    failing = k;
}

unsigned long step_count(void) {
    return taken;
}

bool step_ok(void) {
    taken++;
    if (taken != failing)
        return true;
    errno = ECANCELED;
    return false;
}
