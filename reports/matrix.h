/* ibakelab: inside of the matrix of who knows what: its cells (matrix_cells.c), which matrix.c prints and
 * matrix_svg.c draws.
 */
#ifndef REPORTS_MATRIX_H
#define REPORTS_MATRIX_H

#include "reports/result.h"

enum { MATRIX_THINGS = 10, MATRIX_CELL = 48 };
extern const char *const matrix_things[MATRIX_THINGS]; /* "xP": the columns, in order */

/* What a party's facts about one thing come to. */
typedef struct matrix_account {
    size_t calls; /* of how many */
    bool any;
    bool given;               /* all of them are */
    const result_fact *first; /* that it has of it; NULL: none */
} matrix_account;

matrix_account matrix_account_of(const result_party *p, const char *thing);
/* Of how many calls anybody knows anything, a mailbox's for a message among them; at most 256 are told apart.
 */
size_t matrix_calls_of(const result *r);
/* "✓", "2/5", "given"; "·" for nothing. */
void matrix_fill(char cell[MATRIX_CELL], const result_party *p, const matrix_account *a, size_t calls,
                 bool utf8);
/* An adversary found it out, rather than being given it. */
bool matrix_found_out(const result_party *p, const matrix_account *a);
bool matrix_is_known(const result *r, const char *thing); /* to anybody */
bool matrix_has_row(const result_party *p);               /* an adversary, or one that knows something */

/* "none of these: scscf.home.example, hss.home.example and 3 more": those without a row; false: there are
 * none. */
bool matrix_ignorant(const result *r, char *out, size_t size);

/* The matrix as an SVG that stands alone, in light and dark, with a row for each party that has one, at most
 * `max`, the remarks below, and in each cell by which step it came about. False, and nothing is written, if
 * there is no row.
 */
bool matrix_svg(FILE *out, const result *r, size_t max);

#endif
