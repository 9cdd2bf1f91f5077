/* ibakelab: the ladder as source for mscgen.
 */
#include "reports/ladder_draw.h"
#include "reports/words.h"

#include <inttypes.h>
#include <string.h>

#define LANE ((size_t)190) /* pixels: room for "183 Session Progress [R_MESSAGE_1]" */

/* A quoted string of mscgen: a backslash before quotes; no line ends, no control characters. */
static void quoted(FILE *out, const char *text) {
    fputc('"', out);
    for (size_t left = strlen(text), octets; left; text += octets, left -= octets) {
        bool plain;
        octets = words_character(text, left, &plain);
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        words_show(out, text, octets, "");
    }
    fputc('"', out);
}

static void put_message(FILE *out, const ladder_view *v, const ladder_item *item) {
    static const char *const colours[] = {"#52606d", "#1565c0", "#9a6700", "#c62828"};
    char text[400] = "", names[240];
    const char *arrow = item->lost ? "-x" : item->kind == LADDER_MEDIA ? "=>>" : "=>";
    words_add(text, sizeof text, "%.100s", item->label);
    if (item->mikey)
        words_add(text, sizeof text, " [%.40s]", item->mikey);
    if (item->dialog)
        words_add(text, sizeof text, " #%zu", item->dialog);
    if (item->copies > 1)
        words_add(text, sizeof text, " x%u", item->copies);
    ladder_party_names(v, item->readers, names, sizeof names);
    if (item->secrecy == LADDER_ADVERSARY)
        words_add(text, sizeof text, " known to %s", names);
    fprintf(out, "  n%d %s n%d [label=", item->from, arrow, item->to);
    quoted(out, text);
    fprintf(out, ",linecolor=\"%s\",textcolor=\"%s\"];\n", colours[item->secrecy], colours[item->secrecy]);
}

/* What a node did, or, red, an adversary between two. */
static void put_box(FILE *out, const ladder_item *item) {
    bool attack = item->kind == LADDER_ATTACK;
    fprintf(out, "  n%d %s n%d [label=", item->from, attack ? "abox" : "note", item->to);
    quoted(out, item->note);
    fprintf(out, ",textbgcolor=\"%s\",textcolor=\"%s\"];\n", attack ? "#fdecea" : "#fff8e1",
            attack ? "#b71c1c" : "#7a5200");
}

void ladder_mscgen(FILE *out, const ladder_view *v, const ladder_caption *caption) {
    fputs("# ", out);
    words_show(out, caption->title, strlen(caption->title), "");
    fprintf(out, "\nmsc {\n  width=\"%zu\";\n  ", LANE * (v->rows.lane_count + 1));
    for (size_t i = 0; i < v->rows.lane_count; i++) {
        fprintf(out, "%sn%zu [label=", i ? "," : "", i);
        quoted(out, v->lanes[i]);
        fputc(']', out);
    }
    fputs(";\n", out);
    if (caption->subtitle) {
        fputs("  --- [label=", out);
        quoted(out, caption->subtitle);
        fputs("];\n", out);
    }
    for (size_t i = 0; i < v->item_count; i++) {
        const ladder_item *item = &v->items[i];
        if (item->kind == LADDER_NOTE || item->kind == LADDER_ATTACK)
            put_box(out, item);
        else
            put_message(out, v, item);
    }
    if (v->rows.hidden || caption->along_left_out)
        fprintf(out, "  --- [label=\"not shown: %" PRIu64 " more messages, %zu more conversations\"];\n",
                v->rows.hidden, caption->along_left_out);
    fputs("}\n", out);
}
