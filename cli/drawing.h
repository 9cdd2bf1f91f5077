/* ibakelab: what the commands that draw have in common: a picture into a file.
 */
#ifndef CLI_DRAWING_H
#define CLI_DRAWING_H

#include "cli/cli.h"

/* Writes the picture; false: there is nothing to draw. */
typedef bool drawing(FILE *out, const void *what);

/* Draws into memory first, then into the file at `path`, overwriting it, or to standard output for "-". An
 * exit status, after a message. */
int drawing_write(const char *command, const char *path, drawing *draw, const void *what);

#endif
