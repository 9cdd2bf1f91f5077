/* An adapter's process: started by the shell, spoken to line by line, never trusted (IUT.md §1, §8). */
#ifndef CONFORMANCE_SUITE_PROCESS_H
#define CONFORMANCE_SUITE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#define SUITE_LINE_MAX ((size_t)4194304) /* IUT.md §1 */

typedef struct suite_process suite_process;

typedef enum suite_line {
    SUITE_LINE_OK = 0,
    SUITE_LINE_ENDED,   /* the process ended, or closed its standard output */
    SUITE_LINE_LATE,    /* no complete line within the limit */
    SUITE_LINE_LONG,    /* more than SUITE_LINE_MAX octets without an end */
    SUITE_LINE_UNASKED, /* more than the one line that answers */
    SUITE_LINE_BROKEN   /* the suite's own: no memory, no descriptors */
} suite_line;

/* Runs `command` under /bin/sh in a process group of its own. NULL: it could not be started (errno). */
suite_process *suite_process_start(const char *command);
/* Writes `line` and LF, and waits for one line: a text without its LF, which the caller frees. `*took` are
 * the seconds that it took. */
suite_line suite_process_ask(suite_process *process, const char *line, double limit, char **answer,
                             double *took);
/* Ends the standard input and waits up to `limit` seconds for the end; then everything in its group is
 * killed. True: it ended by itself, with exit status 0 and without a further word. Frees. */
bool suite_process_end(suite_process *process, double limit, char *how, size_t size);
/* Kills the group, says how the process had ended if it had ("signal 11"), frees. Legal on NULL. */
void suite_process_kill(suite_process *process, char *how, size_t size);
/* The last octets of its standard error, so far. */
const char *suite_process_stderr(suite_process *process);
/* Seconds of a clock that never goes back. */
double suite_clock(void);

#endif
