#include "scenario/report.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

scn_error *scn_report(scn_ctx *ctx, const scn_where *where, const char *format, ...) {
    scn_errors *errors = ctx->errors;
    scn_error *error = &ctx->overflow;
    if (errors->count < SCN_ERRORS_MAX)
        error = &errors->list[errors->count++];
    else
        errors->more = true;
    *error = (scn_error){.line = where->line, .column = where->column};
    snprintf(error->file, sizeof error->file, "%s", where->file == NULL ? ctx->path : where->file);
    va_list args;
    va_start(args, format);
    vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    return error;
}

void scn_hint(scn_error *error, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int len = vsnprintf(error->hint, sizeof error->hint, format, args);
    va_end(args);
    if (len >= (int)sizeof error->hint)
        memcpy(error->hint + sizeof error->hint - 4, "...", 4);
}

const char *scn_show(scn_ctx *ctx, const char *text) {
    char out[64];
    size_t used = 0, characters = 0;
    const char *at = text;
    for (; *at != '\0' && used + 5 < sizeof out; at++) {
        unsigned char c = (unsigned char)*at;
        if ((c & 0xC0) != 0x80 && ++characters > 48)
            break;
        bool c1 = c == 0xC2 && (unsigned char)at[1] < 0xA0; /* U+0080 to U+009F steer a terminal as well */
        out[used++] = c < 0x20 || c == 0x7F || c1 ? '?' : (char)c;
        at += c1;
    }
    while (*at != '\0' && used > 0 && ((unsigned char)*at & 0xC0) == 0x80)
        used--, at--; /* no half character */
    return scn_printf(ctx->arena, "%.*s%s", (int)used, out, *at == '\0' ? "" : "...");
}

/* ---- places ------------------------------------------------------------------------------------------ */

static int by_place(const void *left, const void *right) {
    const scn_error *a = left, *b = right;
    if ((a->line == 0) != (b->line == 0)) /* --set comes last */
        return a->line == 0 ? 1 : -1;
    if (strcmp(a->file, b->file) != 0)
        return strcmp(a->file, b->file);
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return strcmp(a->message, b->message);
}

static ibk_span line_of(ibk_span text, unsigned line) {
    const uint8_t *at = text.data, *end = text.data + text.len;
    for (unsigned i = 1; i < line && at != NULL; i++) {
        const uint8_t *newline = memchr(at, '\n', (size_t)(end - at));
        at = newline == NULL ? NULL : newline + 1;
    }
    if (at == NULL)
        return (ibk_span){0};
    const uint8_t *newline = memchr(at, '\n', (size_t)(end - at));
    return (ibk_span){at, (size_t)((newline == NULL ? end : newline) - at)};
}

/* Control characters and what is no ASCII would break the terminal or the caret's place. */
static void excerpt(scn_error *error, ibk_span text) {
    ibk_span line = line_of(text, error->line);
    size_t used = 0;
    for (size_t i = 0; i < line.len && used + 1 < sizeof error->excerpt; i++) {
        uint8_t c = line.data[i];
        if (c >= 0x80 && c < 0xC0)
            continue; /* continuation of a UTF-8 sequence: one mark for each character */
        error->excerpt[used++] = c >= 0x80 ? '?' : (c < 0x20 || c == 0x7F) ? ' ' : (char)c;
    }
    while (used > 0 && error->excerpt[used - 1] == ' ')
        used--;
    error->excerpt[used] = '\0';
}

static ibk_span text_of(const scn_ctx *ctx, const char *path) {
    for (const scn_source_file *s = ctx->sources; s != NULL; s = s->next) {
        if (strncmp(s->path, path, sizeof ctx->errors->list[0].file - 1) == 0)
            return s->text;
    }
    return (ibk_span){0};
}

void scn_report_finish(scn_ctx *ctx) {
    scn_errors *errors = ctx->errors;
    qsort(errors->list, errors->count, sizeof *errors->list, by_place);
    for (size_t i = 0; i < errors->count; i++) {
        ibk_span text = text_of(ctx, errors->list[i].file);
        if (errors->list[i].line > 0 && text.len > 0)
            excerpt(&errors->list[i], text);
    }
}

/* ---- suggestions --------------------------------------------------------------------------------------- */

#define WORD_MAX 64

/* Distance of optimal string alignment, in halves: a wrong case costs 1, any other edit 2. */
static size_t edit_distance(const char *a, const char *b) {
    size_t la = strlen(a), lb = strlen(b);
    size_t rows[3][WORD_MAX + 1];
    if (la > WORD_MAX || lb > WORD_MAX)
        return SIZE_MAX;
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= lb; j++)
        above[j] = 2 * j;
    for (size_t i = 1; i <= la; i++) {
        row[0] = 2 * i;
        for (size_t j = 1; j <= lb; j++) {
            unsigned char x = (unsigned char)a[i - 1], y = (unsigned char)b[j - 1];
            size_t cost = x == y ? 0 : tolower(x) == tolower(y) ? 1 : 2;
            size_t best = above[j - 1] + cost;
            best = above[j] + 2 < best ? above[j] + 2 : best;
            best = row[j - 1] + 2 < best ? row[j - 1] + 2 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 2 < best)
                best = before[j - 2] + 2;
            row[j] = best;
        }
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[lb];
}

void scn_nearest_try(scn_nearest *nearest, const char *candidate) {
    size_t allowed = 2 + 2 * (strlen(nearest->word) / 3);
    size_t distance = edit_distance(nearest->word, candidate);
    if (distance > allowed || distance >= 2 * strlen(candidate))
        return;
    if (nearest->best == NULL || distance < nearest->distance) {
        nearest->best = candidate;
        nearest->distance = distance;
    }
}

/* ---- printing ------------------------------------------------------------------------------------------ */

static void print_excerpt(const scn_error *error, FILE *out, const char *mark, const char *plain) {
    fprintf(out, "%6u | %s\n", error->line, error->excerpt);
    if (error->column == 0 || error->column > strlen(error->excerpt) + 1)
        return;
    fprintf(out, "       | %*s%s^%s\n", (int)error->column - 1, "", mark, plain);
}

void scn_errors_print(const scn_errors *errors, FILE *out, bool colour) {
    const char *bold = colour ? "\x1b[1m" : "", *red = colour ? "\x1b[1;31m" : "";
    const char *green = colour ? "\x1b[1;32m" : "", *plain = colour ? "\x1b[0m" : "";
    for (size_t i = 0; i < errors->count; i++) {
        const scn_error *e = &errors->list[i];
        fprintf(out, "%s%s", bold, e->file);
        if (e->line > 0)
            fprintf(out, ":%u:%u", e->line, e->column);
        fprintf(out, ": %serror:%s %s%s%s\n", red, plain, bold, e->message, plain);
        if (e->excerpt[0] != '\0')
            print_excerpt(e, out, green, plain);
        if (e->hint[0] != '\0')
            fprintf(out, "         %s\n", e->hint);
    }
    if (errors->more)
        fprintf(out, "more errors follow; only the first %d are shown\n", SCN_ERRORS_MAX);
}
