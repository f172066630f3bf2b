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
 * time comes from /proc/stat; what the lab's speakers used of it, and how long they stood in the
 * run queue, is the caller's to say (/proc/PID/schedstat, the scheduler's own count).
 *
 * A lab's own load is no noise: thousands of speakers wait for each other wherever they run, and
 * that is part of what is measured. While one of them waits its processor is somebody's: others'
 * part of that waiting is taken to be their part of all processor time that was used.
 */

struct fidelity {
    uint32_t cpus; /* the machine's */
    uint64_t wall_ns;
    uint64_t ticks; /* of the probe */
    uint64_t timer_lag_p99_ns, timer_lag_max_ns;
    uint64_t busy_cpu_ns;   /* of all processors, interrupts left out */
    uint64_t stolen_cpu_ns; /* taken by the hypervisor */
    uint64_t own_cpu_ns;    /* the lab's processes */
    uint64_t wait_ns;       /* the lab's processes stood runnable and did not run, summed up */
    bool wait_known;        /* this kernel counts it */
    int64_t kernel_bytes;   /* growth of slabs, page tables, kernel stacks and per-CPU memory */
};

/* How late timers were, in classes: class 0 is 0 ns, class n from 2^(n-1) ns to just below 2^n ns;
 * the last one, from 275 s, has no end. */
#define FIDELITY_LAG_CLASSES 40
struct fidelity_lags {
    uint64_t classes[FIDELITY_LAG_CLASSES];
    uint64_t count, max_ns;
};
void fidelity_lag_note(struct fidelity_lags *l, uint64_t lag_ns);
/* The 99th percentile by nearest rank (the smallest lag that 99 in a hundred do not exceed), as
 * the upper end of its class: at most twice too large, never too small. 0: there are none. */
uint64_t fidelity_lag_p99(const struct fidelity_lags *l);

/* NULL: no thread could be made, errno says why. Call from the thread that runs the lab. */
struct fidelity_probe *fidelity_begin(void);
/* Ends the probe and frees it; call while the lab still stands, for it counts the kernel's memory.
 * `speakers_cpu_ns`, `speakers_wait_ns`: of the lab's other processes; CPU time of this one and of
 * its dead children, and this one's waiting, are added. */
void fidelity_end(struct fidelity_probe *p, uint64_t speakers_cpu_ns, uint64_t speakers_wait_ns,
                  struct fidelity *ret_f);

/* Limits beyond which times mean nothing; each is documented in README.md. */
#define FIDELITY_DELAYED_PERCENT 20 /* of the time the lab's processes wanted to run */
#define FIDELITY_STOLEN_PERCENT 20  /* of all processors' time, taken by the hypervisor */
#define FIDELITY_FOREIGN_PERCENT 20 /* the same, taken by others; where waiting is not counted */
#define FIDELITY_LAG_P99_NS UINT64_C(50000000)   /* others' part of it */
#define FIDELITY_WALL_MIN_NS UINT64_C(200000000) /* shorter runs cannot be judged */

/* Percent of all processors' time that neither the lab nor idleness had. */
double fidelity_foreign_percent(const struct fidelity *f);
/* How long others ran while the lab's processes wanted to, summed over these; 0: not known. */
uint64_t fidelity_delayed_ns(const struct fidelity *f);
/* True with the reason appended to `why` when the host spoiled what was measured. */
bool fidelity_spoiled(const struct fidelity *f, struct text *why);

#endif
