/* ibakelab conform: its options. */
#ifndef CLI_CONFORM_OPTIONS_H
#define CLI_CONFORM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFORM_COMMAND "conform"

enum { CONFORM_FILTERS_MAX = 32 };

typedef struct conform_options {
    const char *iut, *level, *junit, *json, *tap, *baseline, *keep, *data;
    const char *filters[CONFORM_FILTERS_MAX], *roles[CONFORM_FILTERS_MAX];
    size_t n_filters, n_roles;
    uint64_t strength, jobs, timeout;
    const char *mutants; /* their glob; NULL: the suite judges no mutants */
    bool list, update, quiet, verbose;
} conform_options;

/* Takes the command line; what it does not say is a default. *help: it asks for help, and help was given. An
 * exit status, after a message if need be. */
int conform_options_take(conform_options *o, int argc, char **argv, bool *help);

/* Does any of the reports go to standard output? */
bool conform_options_piped(const conform_options *o);

#endif
