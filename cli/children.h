/* ibakelab: pieces of work, several at a time, each in a process of its own: what one does to its memory, or
 * how it ends, is no matter to the others. */
#ifndef CLI_CHILDREN_H
#define CLI_CHILDREN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

typedef struct child {
    pid_t pid; /* 0: the place is free */
    size_t index;
    FILE *output;
} child;

typedef struct children {
    child *list;
    size_t max, running;
} children;

/* The work of a child; its result is its exit status, and what it writes to `output`, a file without a name.
 */
typedef int child_work(void *user, size_t index, FILE *output);

bool children_begin(children *c, size_t max); /* false: out of memory */
/* Starts one; there must be room (running < max). It ends, too, when this process does. False: errno says
 * why. */
bool children_start(children *c, size_t index, child_work *work, void *user);

typedef struct child_end {
    size_t index;
    int status;   /* as waitpid gives it */
    FILE *output; /* rewound; the caller closes it */
} child_end;
/* One that has ended, with `wait` the next one that does; false: none. */
bool children_next(children *c, child_end *out, bool wait);
/* Ends those that still run, and frees. Legal on the zero value. */
void children_end(children *c);

/* Every link of a run has a capture of its own: a thousand users need as many open files. Children inherit
 * it. */
void children_allow_many_files(void);

#endif
