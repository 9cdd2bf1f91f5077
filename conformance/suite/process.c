/* Adapters' processes: see process.h. */
#define _GNU_SOURCE /* pipe2 */
#include "conformance/suite/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STDERR_KEPT = 2000 };

struct suite_process {
    pid_t pid;
    int in, out, err; /* our ends; -1: closed */
    bool reaped;
    int status;
    char *read; /* what was read and not yet handed out */
    size_t len, cap;
    char complaints[STDERR_KEPT + 1];
    size_t complained;
};

double suite_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- start and end ---- */

static void close_fd(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* In the child, between fork and exec: nothing but what is safe after a fork of a program with threads. */
static _Noreturn void become(const char *command, int in, int out, int err) {
    setpgid(0, 0);
    if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(126);
    signal(SIGPIPE, SIG_DFL);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

static bool make_pipes(int fds[6]) {
    for (int i = 0; i < 6; i += 2)
        if (pipe2(fds + i, O_CLOEXEC) != 0)
            return false;
    return fcntl(fds[1], F_SETFL, O_NONBLOCK) == 0 && fcntl(fds[2], F_SETFL, O_NONBLOCK) == 0 &&
           fcntl(fds[4], F_SETFL, O_NONBLOCK) == 0;
}

suite_process *suite_process_start(const char *command) {
    int fds[6] = {-1, -1, -1, -1, -1, -1};
    suite_process *p = calloc(1, sizeof *p);
    bool made = p && make_pipes(fds);
    pid_t pid = made ? fork() : -1;
    if (pid == 0)
        become(command, fds[0], fds[3], fds[5]);
    if (pid > 0) {
        setpgid(pid, pid); /* whoever comes first */
        *p = (suite_process){.pid = pid, .in = fds[1], .out = fds[2], .err = fds[4]};
        fds[1] = fds[2] = fds[4] = -1;
    } else {
        free(p);
        p = NULL;
    }
    for (int i = 0; i < 6; i++)
        close_fd(&fds[i]);
    return p;
}

/* Takes note of the end of the process, waiting for it up to `limit` seconds. */
static bool reap(suite_process *p, double limit) {
    double until = suite_clock() + limit;
    for (;;) {
        if (!p->reaped && waitpid(p->pid, &p->status, WNOHANG) == p->pid)
            p->reaped = true;
        if (p->reaped || suite_clock() >= until)
            return p->reaped;
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
}

static void tell_end(const suite_process *p, char *how, size_t size) {
    if (!how || !size)
        return;
    if (!p->reaped)
        snprintf(how, size, "it did not end");
    else if (WIFSIGNALED(p->status))
        snprintf(how, size, "ended by signal %d (%s)", WTERMSIG(p->status), strsignal(WTERMSIG(p->status)));
    else
        snprintf(how, size, "ended with exit status %d", WEXITSTATUS(p->status));
}

void suite_process_kill(suite_process *p, char *how, size_t size) {
    if (!p)
        return;
    close_fd(&p->in);
    reap(p, p->out < 0 ? 0.2 : 0); /* one that closed its output is about to end */
    tell_end(p, how, size);
    if (!p->reaped) {
        kill(-p->pid, SIGKILL); /* the group is this process's own: see become() */
        waitpid(p->pid, &p->status, 0);
    }
    close_fd(&p->out);
    close_fd(&p->err);
    free(p->read);
    free(p);
}

/* ---- lines ---- */

static bool keep(suite_process *p, const char *octets, size_t n) {
    if (p->len + n + 1 > p->cap) {
        size_t cap = 2 * (p->len + n + 1);
        char *grown = realloc(p->read, cap);
        if (!grown)
            return false;
        p->read = grown;
        p->cap = cap;
    }
    memcpy(p->read + p->len, octets, n);
    p->len += n;
    return true;
}

static void keep_complaints(suite_process *p, const char *octets, size_t n) {
    if (n > STDERR_KEPT) {
        octets += n - STDERR_KEPT;
        n = STDERR_KEPT;
    }
    size_t over = p->complained + n > STDERR_KEPT ? p->complained + n - STDERR_KEPT : 0;
    memmove(p->complaints, p->complaints + over, p->complained - over);
    memcpy(p->complaints + p->complained - over, octets, n);
    p->complained += n - over;
    p->complaints[p->complained] = '\0';
}

/* Reads what there is on one of the two outputs. */
static bool drain(suite_process *p, int *fd) {
    char part[16384];
    ssize_t n = read(*fd, part, sizeof part);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        close_fd(fd);
    if (n <= 0)
        return true;
    if (fd == &p->out)
        return keep(p, part, (size_t)n);
    keep_complaints(p, part, (size_t)n);
    return true;
}

static void feed(suite_process *p, const char **rest, size_t *left) {
    ssize_t n = write(p->in, *rest, *left);
    if (n > 0) {
        *rest += n;
        *left -= (size_t)n;
    } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
        close_fd(&p->in); /* EPIPE: that it ended is seen at its output */
    }
}

/* One turn of waiting and moving octets, of at most `limit` seconds. */
static bool turn(suite_process *p, const char **rest, size_t *left, double limit) {
    struct pollfd fds[3] = {{.fd = p->out, .events = POLLIN},
                            {.fd = p->err, .events = POLLIN},
                            {.fd = *left ? p->in : -1, .events = POLLOUT}};
    int ready = poll(fds, 3, limit > 0 ? (int)(limit * 1000) + 1 : 0);
    if (ready <= 0)
        return ready == 0 || errno == EINTR;
    if (fds[2].revents)
        feed(p, rest, left);
    if (fds[1].revents && !drain(p, &p->err))
        return false;
    return !fds[0].revents || drain(p, &p->out);
}

/* Hands out the line that ends at `end`. */
static suite_line hand_out(suite_process *p, const char *end, char **answer) {
    size_t n = (size_t)(end - p->read);
    *answer = malloc(n + 1);
    if (!*answer)
        return SUITE_LINE_BROKEN;
    memcpy(*answer, p->read, n);
    (*answer)[n] = '\0';
    p->len -= n + 1;
    memmove(p->read, p->read + n + 1, p->len);
    if (strlen(*answer) != n || p->len > 0) { /* NUL is no JSON either */
        free(*answer);
        *answer = NULL;
        return SUITE_LINE_UNASKED;
    }
    return SUITE_LINE_OK;
}

static suite_line wait_for_line(suite_process *p, const char *text, size_t left, double until,
                                char **answer) {
    size_t looked = 0;
    for (;;) {
        const char *end = p->len > looked ? memchr(p->read + looked, '\n', p->len - looked) : NULL;
        looked = p->len;
        if (end && left > 0)
            return SUITE_LINE_UNASKED; /* an answer before the question was over */
        if (end)
            return hand_out(p, end, answer);
        if (p->len > SUITE_LINE_MAX)
            return SUITE_LINE_LONG;
        if (p->out < 0)
            return SUITE_LINE_ENDED;
        double now = suite_clock();
        if (now >= until)
            return SUITE_LINE_LATE;
        if (!turn(p, &text, &left, until - now))
            return SUITE_LINE_BROKEN;
    }
}

suite_line suite_process_ask(suite_process *p, const char *line, double limit, char **answer, double *took) {
    *answer = NULL;
    double begin = suite_clock();
    const char *nothing = "";
    size_t none = 0, n = strlen(line);
    if (!turn(p, &nothing, &none, 0))
        return SUITE_LINE_BROKEN;
    if (p->len > 0)
        return SUITE_LINE_UNASKED;
    char *text = malloc(n + 2);
    if (!text)
        return SUITE_LINE_BROKEN;
    snprintf(text, n + 2, "%s\n", line);
    suite_line result = wait_for_line(p, text, n + 1, begin + limit, answer);
    free(text);
    *took = suite_clock() - begin;
    return result;
}

bool suite_process_end(suite_process *p, double limit, char *how, size_t size) {
    close_fd(&p->in);
    double until = suite_clock() + limit;
    const char *nothing = "";
    size_t none = 0;
    while (p->out >= 0 && suite_clock() < until)
        if (!turn(p, &nothing, &none, until - suite_clock()))
            break;
    bool quiet = p->len == 0;
    reap(p, until > suite_clock() ? until - suite_clock() : 0);
    bool good = p->reaped && WIFEXITED(p->status) && WEXITSTATUS(p->status) == 0 && quiet;
    suite_process_kill(p, how, size);
    if (!quiet && how)
        snprintf(how, size, "wrote a further line that nobody asked for");
    return good;
}

const char *suite_process_stderr(suite_process *p) {
    const char *nothing = "";
    size_t none = 0;
    for (int i = 0; p->err >= 0 && i < 4; i++)
        if (!turn(p, &nothing, &none, 0))
            break;
    return p->complaints;
}
