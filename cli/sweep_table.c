#include "cli/sweep_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CELL 64

/* Rows of cells as text; row 0 is the head. */
typedef struct grid {
    size_t rows, columns;
    char (*cells)[CELL];
} grid;

static char *cell(const grid *g, size_t row, size_t column) {
    return g->cells[row * g->columns + column];
}

/* Half the width with two digits, and the mean as exact as that: "785 ± 490", "0.3719 ± 0.0018". */
static void write_interval(char out[CELL], const statistics *n, const char *sign) {
    double half = n->half_width;
    int places = half > 0 ? 1 - (int)floor(log10(half)) : 9;
    if (places > 8 || fabs(n->mean) >= 1e12 || half >= 1e12)
        snprintf(out, CELL, "%.4g %s %.2g", n->mean, sign, half);
    else if (places >= 0)
        snprintf(out, CELL, "%.*f %s %.*f", places, n->mean, sign, places, half);
    else {
        double unit = pow(10, -places);
        snprintf(out, CELL, "%.0f %s %.0f", n->mean, sign, round(half / unit) * unit);
    }
}

static void write_number(char out[CELL], const statistics *n, bool utf8) {
    if (n->n == 0)
        snprintf(out, CELL, "-");
    else if (isnan(n->half_width))
        snprintf(out, CELL, "%.4g", n->mean);
    else
        write_interval(out, n, utf8 ? "±" : "+-");
}

static void fill_head(const grid *g, const sweep *s) {
    size_t column = 0;
    for (size_t p = 0; p < s->parameter_count; p++)
        snprintf(cell(g, 0, column++), CELL, "%s", s->parameters[p].name);
    for (size_t i = 0; i < s->measure_count; i++)
        snprintf(cell(g, 0, column++), CELL, s->measures[i].unit[0] ? "%s (%s)" : "%s", s->measures[i].name,
                 s->measures[i].unit);
}

static void fill_row(const grid *g, const sweep_results *r, sweep_point *point, size_t group, bool utf8) {
    const sweep *s = r->sweep;
    size_t column = 0;
    sweep_point_at(s, group * s->seed_count, point);
    for (size_t p = 0; p < s->parameter_count; p++)
        snprintf(cell(g, group + 1, column++), CELL, "%s", sweep_label(s, point, p));
    for (size_t i = 0; i < s->measure_count; i++) {
        statistics n = sweep_group_statistics(r, group, i);
        write_number(cell(g, group + 1, column++), &n, utf8);
    }
}

static void print(const term *t, const grid *g) {
    for (size_t row = 0; row < g->rows; row++) {
        fputs(row ? "" : term_begin(t, TERM_BOLD), t->file);
        for (size_t column = 0; column < g->columns; column++) {
            unsigned width = 0, own = term_columns(cell(g, row, column));
            for (size_t i = 0; i < g->rows; i++)
                width = term_columns(cell(g, i, column)) > width ? term_columns(cell(g, i, column)) : width;
            term_text(t, "", cell(g, row, column), "");
            if (column + 1 < g->columns)
                fprintf(t->file, "%*s", (int)(width - own) + 2, "");
        }
        fprintf(t->file, "%s\n", row ? "" : term_begin(t, TERM_PLAIN));
    }
}

bool sweep_table(const term *t, const sweep_results *r, size_t max) {
    const sweep *s = r->sweep;
    size_t groups = sweep_groups(s), shown = groups < max ? groups : max;
    grid g = {.rows = shown + 1, .columns = s->parameter_count + s->measure_count};
    sweep_point *point = malloc(sizeof *point);
    g.cells = calloc(g.rows * g.columns, sizeof *g.cells);
    bool memory = point && g.cells;
    if (memory) {
        fill_head(&g, s);
        for (size_t i = 0; i < shown; i++)
            fill_row(&g, r, point, i, t->utf8);
        print(t, &g);
        if (shown < groups)
            fprintf(t->file, "and %zu more\n", groups - shown);
    }
    free(g.cells);
    free(point);
    return memory;
}
