/* ibakelab: who knows what, for the terminal: parties down, things across. */
#include "reports/matrix.h"
#include "reports/terminal.h"

#include <string.h>

#define PARTIES_SHOWN 12
#define REMARKS_SHOWN 4

/* `gap`: what the cell before lacks of its column's width. */
static void print_cell(const term *t, unsigned gap, term_style style, const char *text) {
    fprintf(t->file, "%*s  %s%s%s", (int)gap, "", style ? term_begin(t, style) : "", text,
            style ? term_begin(t, TERM_PLAIN) : "");
}

static unsigned gap_after(const char *text, unsigned width) {
    return width > term_columns(text) ? width - term_columns(text) : 0;
}

/* The rows that are shown, and how wide the columns are; 0: a column that is not shown. */
typedef struct layout {
    size_t calls;
    unsigned name, width[MATRIX_THINGS];
} layout;

static void print_party(const term *t, const result_party *p, const layout *l) {
    char cell[MATRIX_CELL];
    unsigned gap = gap_after(p->name, l->name);
    term_text(t, "  ", p->name, "");
    for (size_t i = 0; i < MATRIX_THINGS; i++) {
        if (!l->width[i])
            continue;
        matrix_account a = matrix_account_of(p, matrix_things[i]);
        bool found_out = matrix_found_out(p, &a);
        matrix_fill(cell, p, &a, l->calls, t->utf8);
        print_cell(t, gap, found_out ? TERM_RED : a.any ? TERM_PLAIN : TERM_DIM, cell);
        gap = gap_after(cell, l->width[i]);
    }
    fputc('\n', t->file);
}

static void print_ignorant(const term *t, const result *r) {
    char text[400];
    if (matrix_ignorant(r, text, sizeof text))
        term_text(t, "  ", text, "\n");
}

static void print_remarks(const term *t, const result *r) {
    for (size_t i = 0; i < r->remark_count && i < REMARKS_SHOWN; i++)
        term_text(t, "  ", r->remarks[i], "\n");
    if (r->remark_count > REMARKS_SHOWN)
        fprintf(t->file, "  and %zu more remarks\n", r->remark_count - REMARKS_SHOWN);
}

static void print_head(const term *t, const layout *l) {
    unsigned gap = gap_after("knows", l->name);
    fprintf(t->file, "\n  %sknows", term_begin(t, TERM_DIM));
    for (size_t i = 0; i < MATRIX_THINGS; i++)
        if (l->width[i]) {
            print_cell(t, gap, TERM_PLAIN, matrix_things[i]);
            gap = gap_after(matrix_things[i], l->width[i]);
        }
    fprintf(t->file, "%s\n", term_begin(t, TERM_PLAIN));
}

static void widen(unsigned *width, const char *text) {
    *width = term_columns(text) > *width ? term_columns(text) : *width;
}

static size_t lay_out(layout *l, const result *r, bool utf8) {
    size_t rows = 0;
    *l = (layout){.calls = matrix_calls_of(r), .name = term_columns("knows")};
    for (size_t i = 0; i < MATRIX_THINGS; i++)
        l->width[i] = matrix_is_known(r, matrix_things[i]) ? (unsigned)strlen(matrix_things[i]) : 0;
    for (size_t i = 0; i < r->party_count; i++) {
        const result_party *p = r->parties[i];
        if (!matrix_has_row(p) || ++rows > PARTIES_SHOWN)
            continue;
        widen(&l->name, p->name);
        for (size_t k = 0; k < MATRIX_THINGS; k++) {
            char cell[MATRIX_CELL];
            matrix_account a = matrix_account_of(p, matrix_things[k]);
            matrix_fill(cell, p, &a, l->calls, utf8);
            if (l->width[k])
                widen(&l->width[k], cell);
        }
    }
    return rows;
}

void report_matrix(const term *t, const result *r) {
    layout l;
    size_t rows = lay_out(&l, r, t->utf8);
    if (rows == 0)
        return;
    print_head(t, &l);
    for (size_t i = 0, row = 0; i < r->party_count && row < PARTIES_SHOWN; i++)
        if (matrix_has_row(r->parties[i])) {
            print_party(t, r->parties[i], &l);
            row++;
        }
    if (rows > PARTIES_SHOWN)
        fprintf(t->file, "  and %zu more parties\n", rows - PARTIES_SHOWN);
    print_ignorant(t, r);
    print_remarks(t, r);
}
