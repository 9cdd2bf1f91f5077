/* ibakelab: what the writers of JSON share. Members are added in the order in which a reader should see them;
 * a failure anywhere is collected in `ok`, and looked at once at the end. */
#ifndef REPORTS_JSON_BUILD_H
#define REPORTS_JSON_BUILD_H

#include <ibake/base.h>
#include <jansson.h>
#include <time.h>

/* Takes the value over; NULL, an allocation that failed, is a failure. */
void jb_set(json_t *object, const char *key, json_t *value, bool *ok);
void jb_append(json_t *array, json_t *value, bool *ok);

/* NULL gives null. Text from outside (SIP, a scenario, an adapter) may not be UTF-8: the octets above 0x7F
 * then become '?'. */
json_t *jb_text(const char *text);
json_t *jb_count(uint64_t count);
/* 64 bits do not survive every JSON reader as a number: seeds are strings of decimal digits. */
json_t *jb_decimal(uint64_t value);
/* "a b c" as an array of texts. */
json_t *jb_words(const char *words);

/* Writes the text with a newline behind it. "-" is standard output; a file is written under a temporary name
 * and renamed, so that nobody ever sees half of it; what is no regular file (/dev/stdout, a pipe) is written
 * as it is. IBK_ERR_REFUSED: it cannot be made there; IBK_ERR_IO: it
 * could not be written; *diag says why. */
ibk_err jb_write(const json_t *root, const char *path, ibk_diag *diag);

#define JB_FILE_MAX ((size_t)256 << 20) /* octets of a file that is read */

/* Reads a JSON file, in which no member stands twice; *written (may be NULL): when it was last changed. The
 * caller drops its reference. IBK_ERR_REFUSED: it cannot be opened or is no regular file
 * (regular_file.h); IBK_ERR_LIMIT: it is too large; IBK_ERR_BAD_TEXT: it is no JSON. diag->detail says why,
 * and of text in which line. */
ibk_err jb_read(json_t **out, const char *path, time_t *written, ibk_diag *diag);

#endif
