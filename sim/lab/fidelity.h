#ifndef RIBCAGE_LAB_FIDELITY_H
#define RIBCAGE_LAB_FIDELITY_H

#include <stdbool.h>
#include <stdint.h>

struct text;
struct fidelity_probe;

/*
 * What the host did to a measurement: were timers late, did others take the processors.
 *
 * A probe thread sets itself a timer every 10 ms and notes how late it was woken. The processors'
 * time comes from /proc/stat; what the lab itself used of it is the caller's to say.
 */

struct fidelity {
    uint32_t cpus; /* the machine's */
    uint64_t wall_ns;
    uint64_t ticks; /* of the probe */
    uint64_t timer_lag_p99_ns, timer_lag_max_ns;
    uint64_t busy_cpu_ns;   /* of all processors, interrupts left out */
    uint64_t stolen_cpu_ns; /* taken by the hypervisor */
    uint64_t own_cpu_ns;    /* the lab's processes */
    uint64_t wait_ns;       /* the supervisor's threads stood runnable and did not run */
    int64_t kernel_bytes;   /* growth of slabs, page tables, kernel stacks and per-CPU memory */
};

/* NULL: no thread could be made, errno says why. Call from the thread that runs the lab. */
struct fidelity_probe *fidelity_begin(void);
/* Growth of the kernel's memory since fidelity_begin; call while the lab still stands. */
int64_t fidelity_kernel_bytes(const struct fidelity_probe *p);
/* Ends the probe and frees it. `lab_cpu_ns`: CPU time of the lab's other processes; that of this
 * one and of its dead children is added. */
void fidelity_end(struct fidelity_probe *p, uint64_t lab_cpu_ns, struct fidelity *ret_f);

/* Limits beyond which times mean nothing; each is documented in README.md. */
#define FIDELITY_FOREIGN_PERCENT 20 /* of all processors' time, taken by others or stolen */
#define FIDELITY_LAG_P99_NS UINT64_C(50000000)
#define FIDELITY_WALL_MIN_NS UINT64_C(200000000) /* shorter runs cannot be judged */

/* Percent of all processors' time that neither the lab nor idleness had. */
double fidelity_foreign_percent(const struct fidelity *f);
/* True with the reason appended to `why` when the host spoiled what was measured. */
bool fidelity_spoiled(const struct fidelity *f, struct text *why);

#endif
