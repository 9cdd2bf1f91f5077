/* ibakelab: what a run shows on the terminal: progress, the table of calls, the ladder diagram. */
#ifndef REPORTS_TERMINAL_H
#define REPORTS_TERMINAL_H

#include "reports/report.h"
#include "reports/result.h"
#include "trace/trace.h"
#include <stdio.h>

/* What the output can do. Filled by term_probe(); tests fill it by hand. */
typedef struct term {
    FILE *file;
    bool is_tty;
    bool colour;    /* a terminal, NO_COLOR unset or empty, TERM not "dumb" */
    bool utf8;      /* the locale's character set is UTF-8 */
    unsigned width; /* columns; 100 where it is no terminal */
} term;

void term_probe(term *t, FILE *file);

typedef enum term_style {
    TERM_PLAIN = 0,
    TERM_BOLD,
    TERM_DIM,
    TERM_RED,
    TERM_GREEN,
    TERM_YELLOW,
    TERM_CYAN
} term_style;
/* Escape sequence that begins a style (or ends all with TERM_PLAIN), "" without colour. */
const char *term_begin(const term *t, term_style style);
/* Characters of this UTF-8 text: one column each, as names and labels here have it. */
unsigned term_columns(const char *text);
/* Writes before, text, after; what would steer the terminal in `text`, which may come from the network,
 * becomes '?' (words.h). */
void term_text(const term *t, const char *before, const char *text, const char *after);

/* ---- the table of calls ------------------------------------------------------------------------- */

/* Verdict, each expectation that failed (all with `verbose`), and a row for each of the first `max_calls`
 * calls. */
void report_table(const term *t, const result *r, size_t max_calls, bool verbose);

/* Who knows what: a row for each adversary and each party that knows something, as far as there is room, a
 * column for each thing that somebody knows; then who knows nothing, and the first remarks. Nothing if there
 * are no rows. */
void report_matrix(const term *t, const result *r);

/* Results of any kind: a line for each, what did not pass, and how many passed. */
void report_text(const term *t, const report_item *items, size_t count);

/* ---- the ladder ----------------------------------------------------------------------------------- */

#define LADDER_MAX_ALONG 16

typedef struct ladder_options {
    const char *call; /* Call-ID to show; NULL: the first call seen */
    /* Call-IDs to show with it: conversations_beside(). Of those that had no room `along_left_out` are told
     * of. */
    const char *along[LADDER_MAX_ALONG];
    size_t along_count, along_left_out;
    const char *title; /* above it; may be NULL */
    uint32_t kinds;    /* 0: TRACE_SIP | TRACE_HTTP | TRACE_MIKEY */
    size_t max_rows;   /* 0: 200; the rest is counted in a last line */
    bool all;          /* all conversations, not one call */
    bool mikey_only;   /* of messages only those that carry MIKEY */
} ladder_options;

/* Draws the messages of recorded events (trace_message_begin): nodes across in the order in which they first
 * appear, time down, an arrow for each message sent, MIKEY messages named, lost ones marked, retransmissions
 * collapsed into a count. Fits t->width columns (at least 60; at most 16 nodes; what
 * is beyond a limit is counted in a last line). IBK_ERR_NO_MEMORY, or IBK_OK, also when there is nothing to
 * draw. */
ibk_err report_ladder(const term *t, const trace_memory *events, const ladder_options *options);

/* ---- progress ------------------------------------------------------------------------------------- */

/* A bar in virtual time, on a terminal only; nothing in the first second and at most 10 times a second of
 * wall time after that. The zero value does nothing. */
typedef struct progress {
    term t;
    const char *what;
    uint64_t total_ns;
    uint64_t begun_wall_ns, last_wall_ns;
    bool enabled, shown;
} progress;

void progress_begin(progress *p, FILE *file, const char *what, uint64_t total_virtual_ns);
void progress_update(progress *p, uint64_t virtual_ns); /* cheap; call it as often as you like */
void progress_end(progress *p);                         /* erases the bar */

#endif
