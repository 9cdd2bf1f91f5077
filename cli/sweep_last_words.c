#include "cli/sweep_last_words.h"
#include "cli/sweep_campaign.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const int SIGNALS[] = {SIGINT, SIGTERM, SIGHUP};
enum { COUNT = sizeof SIGNALS / sizeof *SIGNALS };

/* A handler gets at nothing else. */
static char words[4400];
static pid_t speaker; /* runs are processes of their own, which inherit the handler and have nothing to say */
static struct sigaction before[COUNT];

static void speak(int number) {
    if (getpid() == speaker)
        for (size_t at = 0, len = strlen(words); at < len;) {
            ssize_t got = write(STDERR_FILENO, words + at, len - at);
            if (got < 0 && errno != EINTR)
                break;
            at += got > 0 ? (size_t)got : 0;
        }
    signal(number, SIG_DFL); /* the signal is held back until this returns */
    raise(number);
}

void sweep_last_words(const char *place) {
    struct sigaction action = {.sa_handler = speak};
    snprintf(words, sizeof words,
             "%sibakelab %s: ended by a signal; the rows so far are in %.4096s, and the same command with "
             "--resume goes "
             "on\n",
             isatty(STDERR_FILENO) ? "\n" : "", SWEEP_COMMAND, place);
    speaker = getpid();
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < COUNT; i++) {
        sigaction(SIGNALS[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN) /* nohup */
            sigaction(SIGNALS[i], &action, NULL);
    }
}

void sweep_last_words_end(void) {
    for (size_t i = 0; i < COUNT && speaker; i++)
        sigaction(SIGNALS[i], &before[i], NULL);
    speaker = 0;
}
