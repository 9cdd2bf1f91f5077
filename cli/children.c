#include "cli/children.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

bool children_begin(children *c, size_t max) {
    *c = (children){.list = calloc(max, sizeof *c->list), .max = max};
    return c->list != NULL;
}

static child *place_of(children *c, pid_t pid) {
    for (size_t i = 0; i < c->max; i++)
        if (c->list[i].pid == pid)
            return &c->list[i];
    return NULL;
}

static void be_child(pid_t parent, child_work *work, void *user, size_t index, FILE *output) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it has ended before that was said */
        _exit(1);
    int status = work(user, index, output);
    fflush(NULL);
    _exit(status);
}

bool children_start(children *c, size_t index, child_work *work, void *user) {
    child *place = place_of(c, 0);
    pid_t parent = getpid();
    FILE *output = tmpfile();
    if (!output)
        return false;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        be_child(parent, work, user, index, output);
    if (pid < 0) {
        int cause = errno;
        fclose(output);
        errno = cause;
        return false;
    }
    *place = (child){.pid = pid, .index = index, .output = output};
    c->running++;
    return true;
}

bool children_next(children *c, child_end *out, bool wait) {
    while (c->running) {
        pid_t pid = waitpid(-1, &out->status, wait ? 0 : WNOHANG);
        if (pid == 0 || (pid < 0 && errno != EINTR))
            return false;
        child *ended = pid > 0 ? place_of(c, pid) : NULL;
        if (!ended)
            continue;
        out->index = ended->index;
        out->output = ended->output;
        rewind(out->output);
        ended->pid = 0;
        c->running--;
        return true;
    }
    return false;
}

void children_end(children *c) {
    for (size_t i = 0; i < c->max; i++)
        if (c->list[i].pid) {
            kill(c->list[i].pid, SIGKILL);
            waitpid(c->list[i].pid, NULL, 0);
            fclose(c->list[i].output);
        }
    free(c->list);
    *c = (children){0};
}

void children_allow_many_files(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}
