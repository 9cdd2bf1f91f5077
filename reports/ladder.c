/* ibakelab: drawing the ladder: a row is a line of cells, on which lanes, arrow and texts are laid in turn.
 */
#include "reports/ladder.h"
#include "reports/words.h"

#include <inttypes.h>
#include <string.h>

#define MAX_WIDTH  240
#define TIME_WIDTH 11 /* "  12.345678" and its blank are left of the first lane's name */

typedef struct cell {
    char glyph[5]; /* one UTF-8 character */
    uint8_t style;
} cell;

typedef struct canvas {
    const term *t;
    unsigned width, first, spacing; /* columns; centre of lane i is first + i * spacing */
    cell line[MAX_WIDTH];
} canvas;

static void clear(canvas *c) {
    for (unsigned i = 0; i < c->width; i++)
        c->line[i] = (cell){" ", TERM_PLAIN};
}

static unsigned lane_column(const canvas *c, int lane) {
    return c->first + (unsigned)lane * c->spacing;
}

static void put(canvas *c, unsigned column, const char *utf8, const char *ascii, term_style style) {
    if (column >= c->width)
        return;
    snprintf(c->line[column].glyph, sizeof c->line[column].glyph, "%s", c->t->utf8 ? utf8 : ascii);
    c->line[column].style = (uint8_t)style;
}

/* Characters that text takes at most `room` columns of; what is not printable ASCII becomes '?' if the output
 * has no UTF-8, control characters always. Returns the columns used. */
static unsigned put_text(canvas *c, unsigned column, ibk_span text, unsigned room, term_style style) {
    unsigned used = 0;
    for (size_t i = 0; i < text.len && used < room;) {
        bool plain;
        const char *at = (const char *)text.data + i;
        size_t len = words_character(at, text.len - i, &plain);
        char glyph[5] = "?";
        if (plain && (len == 1 || c->t->utf8))
            memcpy(glyph, at, len);
        i += len;
        put(c, column + used++, glyph, glyph, style);
    }
    return used;
}

static unsigned span_columns(ibk_span text) {
    unsigned columns = 0;
    for (size_t i = 0; i < text.len; i++)
        columns += (text.data[i] & 0xC0) != 0x80;
    return columns;
}

static void put_lanes(canvas *c, const ladder *l) {
    for (size_t i = 0; i < l->lane_count; i++)
        put(c, lane_column(c, (int)i), "│", "|", TERM_DIM);
}

static void flush(canvas *c) {
    unsigned end = c->width;
    while (end && strcmp(c->line[end - 1].glyph, " ") == 0)
        end--;
    uint8_t style = TERM_PLAIN;
    for (unsigned i = 0; i < end; i++) {
        if (c->line[i].style != style && c->t->colour) {
            fputs(term_begin(c->t, TERM_PLAIN), c->t->file);
            if (c->line[i].style)
                fputs(term_begin(c->t, c->line[i].style), c->t->file);
        }
        style = c->line[i].style;
        fputs(c->line[i].glyph, c->t->file);
    }
    if (style != TERM_PLAIN)
        fputs(term_begin(c->t, TERM_PLAIN), c->t->file);
    fputc('\n', c->t->file);
}

/* Names above their lanes, centred, cut to the spacing. */
static void draw_names(canvas *c, const ladder *l) {
    clear(c);
    put_text(c, 0, ibk_span_str("  seconds"), TIME_WIDTH, TERM_DIM);
    for (size_t i = 0; i < l->lane_count; i++) {
        unsigned room = c->spacing > 1 ? c->spacing - 1 : 1, len = span_columns(l->lanes[i]);
        if (len > room)
            len = room;
        unsigned centre = lane_column(c, (int)i), start = centre > len / 2 ? centre - len / 2 : 0;
        if (start + len > c->width)
            start = c->width - len;
        put_text(c, start, l->lanes[i], len, TERM_BOLD);
    }
    flush(c);
}

/* What a row says: label, MIKEY message, dialog, number of sendings, loss. Longest form first; `form` 0 to 3.
 */
static ibk_span describe(const ladder *l, const ladder_row *row, int form, char *out, size_t size) {
    if (ladder_is_note(row->event))
        return ladder_row_note(row, out, size);
    bool lost = ladder_row_lost(l, row);
    size_t dialog = ladder_row_dialog(l, row);
    ibk_span label = trace_event_text(row->event, "label");
    ibk_span mikey = trace_event_text(row->event, "mikey");
    size_t label_len = label.len;
    bool is_response = label.len >= 3 && label.data[0] >= '1' && label.data[0] <= '6' &&
                       label.data[1] >= '0' && label.data[1] <= '9';
    if (form >= 1 && is_response) /* the status alone */
        label_len = 3;
    int len = snprintf(out, size, "%.*s", (int)label_len, (const char *)label.data);
    size_t used = len < 0 ? 0 : (size_t)len < size ? (size_t)len : size - 1;
    if (mikey.len && form < 2)
        snprintf(out + used, size - used, " %.*s", (int)mikey.len, (const char *)mikey.data);
    used += strlen(out + used);
    if (dialog)
        snprintf(out + used, size - used, " #%zu", dialog);
    used += strlen(out + used);
    if (row->sent > 1)
        snprintf(out + used, size - used, " x%u", row->sent);
    used += strlen(out + used);
    if (lost)
        snprintf(out + used, size - used, " lost");
    return ibk_span_str(out);
}

static void put_arrow(canvas *c, unsigned left, unsigned right, bool rightwards, bool lost,
                      term_style style) {
    for (unsigned i = left + 1; i < right; i++)
        put(c, i, lost ? "╌" : "─", "-", style);
    if (rightwards)
        put(c, right - 1, lost ? "✗" : "►", lost ? "x" : ">", lost ? TERM_RED : style);
    else
        put(c, left + 1, lost ? "✗" : "◄", lost ? "x" : "<", lost ? TERM_RED : style);
}

/* The text goes into the arrow in its longest form that fits; else beside it, where there is more room. */
static void put_label(canvas *c, const ladder *l, const ladder_row *row, unsigned left, unsigned right,
                      term_style style) {
    char text[160];
    unsigned inside = right - left > 5 ? right - left - 5 : 0;
    ibk_span mikey = trace_event_text(row->event, "mikey");
    int forms = mikey.len ? 2 : 3; /* a MIKEY message is named in any case */
    for (int form = 0; form < forms; form++) {
        ibk_span label = describe(l, row, form, text, sizeof text);
        unsigned len = span_columns(label);
        if (len > inside)
            continue;
        unsigned start = left + 1 + (right - left - 1 - len) / 2;
        put(c, start - 1, " ", " ", TERM_PLAIN);
        put_text(c, start, label, len, style);
        put(c, start + len, " ", " ", TERM_PLAIN);
        return;
    }
    ibk_span label = describe(l, row, 1, text, sizeof text);
    unsigned len = span_columns(label), after = c->width > right + 2 ? c->width - right - 2 : 0;
    unsigned before = left > TIME_WIDTH + 1 ? left - TIME_WIDTH - 1 : 0;
    if (len <= after || after >= before)
        put(c, right + 2 + put_text(c, right + 2, label, after, style), " ", " ", TERM_PLAIN);
    else
        put_text(c, left - 1 - (len < before ? len : before), label, before, style);
}

static void draw_row(canvas *c, const ladder *l, const ladder_row *row) {
    char time[24];
    bool lost = ladder_row_lost(l, row);
    bool keyed = trace_event_text(row->event, "mikey").len > 0;
    bool note = ladder_is_note(row->event), attack = ladder_is_attack(row->event);
    term_style style = lost || attack ? TERM_RED : note ? TERM_YELLOW : keyed ? TERM_CYAN : TERM_PLAIN;
    unsigned from = lane_column(c, row->from), to = lane_column(c, row->to);
    if (attack) /* on the way */
        from = to = (from + to) / 2;
    clear(c);
    put_lanes(c, l);
    snprintf(time, sizeof time, "%4" PRIu64 ".%06" PRIu64, row->event->time_ns / 1000000000u,
             row->event->time_ns / 1000u % 1000000u);
    put_text(c, 0, ibk_span_str(time), TIME_WIDTH + 1, TERM_DIM);
    if (from == to) {
        put(c, from, note ? "◆" : "↻", note ? "*" : "o", style);
        put_label(c, l, row, from, from, style);
    } else {
        unsigned left = from < to ? from : to, right = from < to ? to : from;
        put_arrow(c, left, right, from < to, lost, style);
        put_label(c, l, row, left, right, style);
    }
    flush(c);
}

/* Lanes spread evenly; the last one keeps half a name's room at its right. */
static void lay_out(canvas *c, const ladder *l) {
    unsigned room = c->width - TIME_WIDTH - 2;
    unsigned lanes = l->lane_count ? (unsigned)l->lane_count : 1;
    c->spacing = room / lanes;
    if (c->spacing > 32)
        c->spacing = 32;
    c->first = TIME_WIDTH + 1 + c->spacing / 2;
}

/* "  dialogs: #1 bob, #2 bob-tablet" */
static void draw_dialogs(const term *t, const ladder *l) {
    bool any = false;
    for (size_t i = 0; i < l->dialog_count; i++) {
        char name[64];
        ibk_span lane = l->lanes[l->dialog_lanes[i]];
        if (!ladder_dialog_is_one_of_several(l, i))
            continue;
        snprintf(name, sizeof name, "%.*s", lane.len < 60 ? (int)lane.len : 60, (const char *)lane.data);
        fprintf(t->file, "%s #%zu ", any ? "," : "  dialogs:", i + 1);
        term_text(t, "", name, "");
        any = true;
    }
    if (any)
        fputc('\n', t->file);
}

ibk_err report_ladder(const term *t, const trace_memory *events, const ladder_options *options) {
    ladder l;
    ibk_err err = ladder_collect(&l, events, options);
    if (err || l.row_count == 0) {
        ladder_free(&l);
        return err;
    }
    canvas c = {.t = t, .width = t->width < 60 ? 60 : t->width > MAX_WIDTH ? MAX_WIDTH : t->width};
    lay_out(&c, &l);
    if (options->title)
        term_text(t, term_begin(t, TERM_BOLD), options->title, "");
    if (options->title)
        fprintf(t->file, "%s\n", term_begin(t, TERM_PLAIN));
    draw_dialogs(t, &l);
    draw_names(&c, &l);
    for (size_t i = 0; i < l.row_count; i++)
        draw_row(&c, &l, &l.rows[i]);
    if (l.row_count > 30)
        draw_names(&c, &l);
    if (options->along_left_out)
        fprintf(t->file, "  %zu more conversations of others about this call are not shown\n",
                options->along_left_out);
    if (l.hidden)
        fprintf(t->file, "  %" PRIu64 " more messages are not shown\n", l.hidden);
    ladder_free(&l);
    return IBK_OK;
}
