/* ibakelab sweep: what is said when a signal ends it (Ctrl-C, a batch system, mpirun after the loss of a
 * worker): that nothing is lost, and how to go on. */
#ifndef CLI_SWEEP_LAST_WORDS_H
#define CLI_SWEEP_LAST_WORDS_H

/* From now on SIGINT, SIGTERM and SIGHUP say so on standard error, and end the program as they would have.
 * `place`: where the rows are. */
void sweep_last_words(const char *place);
/* No longer: the rows are all there. */
void sweep_last_words_end(void);

#endif
