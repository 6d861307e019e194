/* What launcher.c and pool.c know of each other. */

#ifndef POOL_H
#define POOL_H

/* An interpreter with what it needs for TLS and DNS; below ENOUGH a soft limit is raised, below LEAST there is no starting. */
#define ENOUGH (256L << 20)
#define LEAST (20L << 20)
#define FEWEST 4 /* descriptors */

/* One program as it was called. `title`: HOME/bin/NAME. `queue`: it is qmail-queue, which trusts nothing of its caller. */
struct work {
    const char *program, *title;
    int argc;
    char **argv, **envp;
    int queue;
};

/* Whether an entry of the environment is one that qmail-queue may look at. */
int is_trusted(const char *entry);

/* Has a resident pool do the work, and then exits with the status that it tells. Returns if the work must be done cold. */
void pool_run(const struct work *work);

#endif
