/* ibakelab: who knows what, as a picture. */
#include "reports/matrix.h"
#include "reports/svg.h"
#include "reports/words.h"

#include <inttypes.h>
#include <string.h>

enum { MARGIN = 20, HEAD = 92, ROW = 26, LINE = 18, REMARKS = 6 };

typedef struct layout {
    size_t calls, rows, remarks;
    unsigned name, columns[MATRIX_THINGS], width; /* 0: a column that is not shown */
} layout;

static unsigned larger(unsigned a, unsigned b) {
    return a > b ? a : b;
}

static layout lay_out(const result *r, size_t max) {
    layout l = {.calls = matrix_calls_of(r),
                .remarks = r->remark_count < REMARKS ? r->remark_count : REMARKS};
    for (size_t i = 0; i < r->party_count; i++)
        if (matrix_has_row(r->parties[i]) && l.rows < max) {
            l.name = larger(l.name, svg_width(r->parties[i]->name, 12, false));
            l.rows++;
        }
    l.width = MARGIN + l.name + 24;
    for (size_t i = 0; i < MATRIX_THINGS; i++)
        if (matrix_is_known(r, matrix_things[i]))
            l.width += l.columns[i] = larger(svg_width(matrix_things[i], 11, true) + 16, 50);
    l.width = larger(l.width + MARGIN, svg_width(r->title, 16, false) + 2 * MARGIN);
    for (size_t i = 0; i < l.remarks; i++)
        l.width = larger(l.width, svg_width(r->remarks[i], 11, false) + 2 * MARGIN);
    char ignorant[400];
    if (matrix_ignorant(r, ignorant, sizeof ignorant))
        l.width = larger(l.width, svg_width(ignorant, 11, false) + 2 * MARGIN);
    l.width = larger(l.width, 560);
    return l;
}

/* Why: the step of the first fact, and since when. */
static void put_step(FILE *out, const result_party *p, const char *thing, const matrix_account *a) {
    fputs("<title>", out);
    svg_escaped(out, p->name);
    fputs(a->any ? " knows " : " does not know ", out);
    svg_escaped(out, thing);
    if (a->first) {
        const result_fact *f = a->first;
        fprintf(out, " since %" PRIu64 ".%06" PRIu64 " s: ", f->at.ns / 1000000000u,
                f->at.ns / 1000u % 1000000u);
        svg_escaped(out, f->how);
        fputs(", ", out);
        svg_escaped(out, f->step);
    }
    fputs("</title>", out);
}

static void draw_row(FILE *out, const result_party *p, const layout *l, int y) {
    char cell[MATRIX_CELL];
    bool adversary = strcmp(p->kind, "adversary") == 0;
    int x = MARGIN + (int)l->name + 24;
    fprintf(out, "<line class=\"rule\" x1=\"%d\" y1=\"%d\" x2=\"%u\" y2=\"%d\"/>\n", MARGIN, y + ROW,
            l->width - MARGIN, y + ROW);
    svg_text(out, MARGIN, y + 18, adversary ? "b r" : "b", "start", p->name);
    for (size_t i = 0; i < MATRIX_THINGS; i++) {
        int width = (int)l->columns[i];
        if (!width)
            continue;
        matrix_account a = matrix_account_of(p, matrix_things[i]);
        bool found_out = matrix_found_out(p, &a);
        matrix_fill(cell, p, &a, l->calls, true);
        fputs("<g>", out);
        put_step(out, p, matrix_things[i], &a);
        fprintf(out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"3\"/>",
                found_out ? "attack"
                : a.any   ? "have"
                          : "bg",
                x + 2, y + 3, width - 4, ROW - 6);
        svg_text(out, x + width / 2, y + 18, found_out ? "b r" : a.any ? "" : "d", "middle", cell);
        fputs("</g>\n", out);
        x += width;
    }
}

static void draw_columns(FILE *out, const layout *l) {
    int x = MARGIN + (int)l->name + 24;
    svg_text(out, MARGIN, HEAD - 10, "d", "start", "knows");
    for (size_t i = 0; i < MATRIX_THINGS; i++)
        if (l->columns[i]) {
            svg_text(out, x + (int)l->columns[i] / 2, HEAD - 10, "m", "middle", matrix_things[i]);
            x += (int)l->columns[i];
        }
    fprintf(out, "<line class=\"life\" x1=\"%d\" y1=\"%d\" x2=\"%u\" y2=\"%d\"/>\n", MARGIN, HEAD,
            l->width - MARGIN, HEAD);
}

/* "mallory: xP, yP. alice: …": what the picture shows, in words. */
static void describe(char *out, size_t size, const result *r, size_t rows) {
    snprintf(out, size, "Table of who knows what.");
    for (size_t i = 0; i < r->party_count && rows; i++) {
        bool any = false;
        if (!matrix_has_row(r->parties[i]))
            continue;
        rows--;
        words_add(out, size, " %.80s knows", r->parties[i]->name);
        for (size_t k = 0; k < MATRIX_THINGS; k++)
            if (matrix_account_of(r->parties[i], matrix_things[k]).any) {
                words_add(out, size, "%s %s", any ? "," : "", matrix_things[k]);
                any = true;
            }
        words_add(out, size, "%s.", any ? "" : " nothing of it");
    }
}

bool matrix_svg(FILE *out, const result *r, size_t max) {
    layout l = lay_out(r, max);
    char ignorant[400];
    bool any_ignorant = matrix_ignorant(r, ignorant, sizeof ignorant);
    char text[4096];
    int y = HEAD;
    if (l.rows == 0)
        return false;
    describe(text, sizeof text, r, l.rows);
    svg_begin(out, "matrix", l.width,
              (unsigned)(HEAD + ROW * (int)l.rows + LINE * ((int)l.remarks + any_ignorant) + 34), r->title,
              text);
    svg_text(out, MARGIN, 26, "h", "start", r->title);
    svg_text(out, MARGIN, 47, "d", "start", "red: what an adversary found out. 2/5: of two of five calls");
    draw_columns(out, &l);
    for (size_t i = 0, row = 0; i < r->party_count && row < l.rows; i++)
        if (matrix_has_row(r->parties[i])) {
            draw_row(out, r->parties[i], &l, y);
            y += ROW;
            row++;
        }
    if (any_ignorant) {
        svg_text(out, MARGIN, y + 22, "s d", "start", ignorant);
        y += LINE;
    }
    for (size_t i = 0; i < l.remarks; i++)
        svg_text(out, MARGIN, y + 22 + LINE * (int)i, "s d", "start", r->remarks[i]);
    svg_end(out);
    return true;
}
