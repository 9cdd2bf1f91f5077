/* ibakelab: the ladder as SVG. A row is laid out first (how high, how wide its text), then drawn from the
 * top. */
#include "reports/ladder_draw.h"
#include "reports/svg.h"
#include "reports/words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LEFT = 96, MARGIN = 20, NARROWEST = 130, WIDEST = 250, LINE = 20 };
enum { LEGEND_X = 56, LEGEND_LINES = 8, LEGEND_NAMES = 8 };

typedef struct picture {
    FILE *out;
    const ladder_view *v;
    unsigned spacing, width;
} picture;

static int lane_x(const picture *p, int lane) {
    return (int)(LEFT + p->spacing / 2 + (unsigned)lane * p->spacing);
}

static bool is_box(const ladder_item *item) {
    return item->kind == LADDER_NOTE || item->kind == LADDER_ATTACK;
}

static bool has_pill(const ladder_item *item) {
    return item->mikey && !is_box(item);
}

static unsigned row_height(const ladder_item *item) {
    return is_box(item) ? 28 : has_pill(item) ? 44 : item->kind == LADDER_MEDIA ? 32 : 25;
}

/* "183 Session Progress #2 ×3" */
static void label_of(const ladder_item *item, char *out, size_t size) {
    char dialog[24] = "", copies[24] = "";
    if (item->dialog)
        snprintf(dialog, sizeof dialog, " #%zu", item->dialog);
    if (item->copies > 1)
        snprintf(copies, sizeof copies, " ×%u", item->copies);
    snprintf(out, size, "%s%s%s%s", is_box(item) ? item->note : item->label, is_box(item) ? "" : dialog,
             is_box(item) ? "" : copies, item->lost ? " lost" : "");
}

void ladder_party_names(const ladder_view *v, uint32_t parties, char *out, size_t size) {
    out[0] = 0;
    for (size_t i = 0; i < v->party_count; i++)
        if (parties & UINT32_C(1) << i)
            words_add(out, size, "%s%s", *out ? ", " : "", v->parties[i]->name);
}

/* The widest label between neighbours decides, and the names of the nodes. */
static void lay_out(picture *p) {
    char text[256];
    unsigned widest = NARROWEST;
    for (size_t i = 0; i < p->v->item_count; i++) {
        const ladder_item *item = &p->v->items[i];
        unsigned hops = (unsigned)abs(item->from - item->to);
        label_of(item, text, sizeof text);
        unsigned need = hops ? (svg_width(text, 12, false) + 24) / hops : 0;
        if (has_pill(item) && hops && (svg_width(item->mikey, 11, true) + 60) / hops > need)
            need = (svg_width(item->mikey, 11, true) + 60) / hops;
        widest = need > widest ? need : widest;
    }
    p->spacing = widest > WIDEST ? WIDEST : widest;
    p->width = LEFT + p->spacing * (unsigned)p->v->rows.lane_count + MARGIN;
    if (p->width < 480)
        p->width = 480;
}

/* ---- nodes --------------------------------------------------------------------------------------------- */

static const char *role_of(ladder_node_kind kind) {
    static const char *const names[] = {"user", "P-CSCF",  "I-CSCF",    "S-CSCF", "HSS",
                                        "KMS",  "mailbox", "adversary", ""};
    return names[kind];
}

static void draw_nodes(const picture *p, int top) {
    for (size_t i = 0; i < p->v->rows.lane_count; i++) {
        const char *name = p->v->lanes[i], *dot = strchr(name, '.');
        const char *role = role_of(p->v->lane_kinds[i]);
        bool function = dot && p->v->lane_kinds[i] >= LADDER_PCSCF && p->v->lane_kinds[i] <= LADDER_KMS;
        bool adversary = p->v->lane_kinds[i] == LADDER_ADVERSARY_NODE;
        int x = lane_x(p, (int)i), half = (int)p->spacing / 2 - 6;
        fprintf(p->out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"38\" rx=\"4\"/>\n",
                adversary ? "attack" : "box", x - half, top, 2 * half);
        svg_text(p->out, x, top + 16, adversary ? "b r" : "b", "middle", function ? role : name);
        svg_text(p->out, x, top + 31, "d s", "middle", function ? dot + 1 : role);
    }
}

static void draw_lifelines(const picture *p, int top, int bottom) {
    for (size_t i = 0; i < p->v->rows.lane_count; i++)
        fprintf(p->out, "<line class=\"life\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", lane_x(p, (int)i),
                top, lane_x(p, (int)i), bottom);
}

/* ---- rows ---------------------------------------------------------------------------------------------- */

/* The tooltip: everything that is known of the row. */
static void put_title(const picture *p, const ladder_item *item) {
    char text[600] = "", names[240];
    const char *from = p->v->lanes[item->from], *to = p->v->lanes[item->to];
    words_add(text, sizeof text, "%" PRIu64 ".%06" PRIu64 " s: %s", item->ns / 1000000000u,
              item->ns / 1000u % 1000000u, from);
    if (item->from != item->to)
        words_add(text, sizeof text, " to %s", to);
    words_add(text, sizeof text, ": %.200s", item->note ? item->note : item->label);
    if (has_pill(item))
        words_add(text, sizeof text, " with %s", item->mikey);
    if (item->octets)
        words_add(text, sizeof text, ", %" PRIu64 " octets", item->octets);
    if (item->transport)
        words_add(text, sizeof text, " by %s", item->transport);
    if (item->copies > 1)
        words_add(text, sizeof text, ", %u times", item->copies);
    if (item->lost)
        words_add(text, sizeof text, ", never arrived");
    ladder_party_names(p->v, item->readers, names, sizeof names);
    if (item->readers)
        words_add(text, sizeof text, "; what it carries encrypted was known to %s", names);
    fputs("<title>", p->out);
    svg_escaped(p->out, text);
    fputs("</title>", p->out);
}

static void draw_arrow(const picture *p, const ladder_item *item, int y) {
    int from = lane_x(p, item->from), to = lane_x(p, item->to), way = to > from ? 1 : -1;
    const char *media = item->kind == LADDER_MEDIA ? " media" : "";
    if (from == to) {
        fprintf(p->out, "<path class=\"l\" d=\"M%d %dh18v8h-12\"/><path class=\"a\" d=\"M%d %dl7 -4v8z\"/>\n",
                from, y - 4, from, y + 4);
        return;
    }
    int end = item->lost ? to - way * (int)p->spacing / 5 : to - way * 7;
    fprintf(p->out, "<line class=\"l%s%s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>",
            item->lost ? " lost" : "", media, from, y, end, y);
    if (item->lost)
        fprintf(p->out, "<path class=\"x\" d=\"M%d %dl10 10m0 -10l-10 10\"/>\n", end - 5, y - 5);
    else
        fprintf(p->out, "<path class=\"a\" d=\"M%d %dl%d %dv%dz\"/>\n", to, y, -way * (*media ? 13 : 9),
                *media ? -7 : -4, *media ? 14 : 8);
}

/* An eye: an adversary knew what is inside. */
static void draw_eye(const picture *p, int x, int y) {
    fprintf(p->out,
            "<path class=\"eye\" d=\"M%d %dq6 -7 12 0q-6 7 -12 0z\"/><circle class=\"eye\" cx=\"%d\" "
            "cy=\"%d\" r=\"1.6\"/>",
            x, y, x + 6, y);
}

static void draw_pill(const picture *p, ladder_secrecy secrecy, const char *text, int centre, int y) {
    bool eye = secrecy == LADDER_ADVERSARY;
    int width = (int)svg_width(text, 11, true) + 18 + (eye ? 17 : 0);
    fprintf(p->out, "<rect class=\"s%d p\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"18\" rx=\"9\"/>",
            (int)secrecy, centre - width / 2, y - 9, width);
    if (eye)
        draw_eye(p, centre - width / 2 + 8, y);
    svg_text(p->out, centre + (eye ? 8 : 0), y + 4, "m w", "middle", text);
}

/* A note at its node, or what was done between two of them. */
static void draw_box(const picture *p, const ladder_item *item, int top) {
    char text[256];
    bool attack = item->kind == LADDER_ATTACK;
    label_of(item, text, sizeof text);
    int width = (int)svg_width(text, 12, false) + 18;
    int left = (lane_x(p, item->from) + lane_x(p, item->to)) / 2 - width / 2;
    if (left + width > (int)p->width - 4)
        left = (int)p->width - 4 - width;
    if (left < LEFT)
        left = LEFT;
    fprintf(p->out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"20\" rx=\"3\"/>",
            attack ? "attack" : "note", left, top + 4, width);
    svg_text(p->out, left + width / 2, top + 18, attack ? "r" : "n", "middle", text);
}

static void draw_message(const picture *p, const ladder_item *item, int top) {
    char text[256];
    int from = lane_x(p, item->from), to = lane_x(p, item->to), centre = (from + to) / 2;
    int y = top + (has_pill(item) ? 30 : item->kind == LADDER_MEDIA ? 23 : 19);
    label_of(item, text, sizeof text);
    draw_arrow(p, item, y);
    if (from == to)
        svg_text(p->out, from + 26, y + 4, item->lost ? "t r" : "t", "start", text);
    else
        svg_text(p->out, centre, top + 13, item->lost ? "t r" : "t", "middle", text);
    if (has_pill(item))
        draw_pill(p, item->secrecy, item->mikey, from == to ? from + 90 : centre, y);
}

static void draw_item(const picture *p, const ladder_item *item, int top) {
    char time[32];
    snprintf(time, sizeof time, "%" PRIu64 ".%06" PRIu64, item->ns / 1000000000u,
             item->ns / 1000u % 1000000u);
    fprintf(p->out, "<g class=\"hop s%d\">", (int)item->secrecy);
    put_title(p, item);
    svg_text(p->out, LEFT - 18, top + (is_box(item) ? 18 : 14), "m d", "end", time);
    if (is_box(item))
        draw_box(p, item, top);
    else
        draw_message(p, item, top);
    fputs("</g>\n", p->out);
}

/* ---- legend -------------------------------------------------------------------------------------------- */

/* Things that the same parties knew, with their names. */
typedef struct legend_set {
    ladder_secrecy secrecy;
    uint32_t readers;
    bool plain; /* R_MESSAGE_2: there is nothing to read */
    const char *names[LEGEND_NAMES];
    size_t name_count;
} legend_set;

typedef struct legend {
    legend_set sets[LEGEND_LINES];
    size_t set_count;
    bool lost, attack, hidden;
    unsigned lines;
} legend;

static void note_name(legend_set *set, const char *name) {
    for (size_t i = 0; i < set->name_count; i++)
        if (strcmp(set->names[i], name) == 0)
            return;
    if (set->name_count < LEGEND_NAMES)
        set->names[set->name_count++] = name;
}

static void note_item(legend *l, const ladder_item *item) {
    bool media = item->kind == LADDER_MEDIA;
    if (!has_pill(item) && (!media || !item->readers))
        return;
    size_t i = 0;
    bool plain = !item->readers && strcmp(item->mikey, "R_MESSAGE_2") == 0;
    while (i < l->set_count && (l->sets[i].secrecy != item->secrecy || l->sets[i].readers != item->readers ||
                                l->sets[i].plain != plain))
        i++;
    if (i == LEGEND_LINES)
        return;
    if (i == l->set_count)
        l->sets[l->set_count++] =
            (legend_set){.secrecy = item->secrecy, .readers = item->readers, .plain = plain};
    note_name(&l->sets[i], media ? "media" : item->mikey);
}

static legend make_legend(const ladder_view *v, size_t along_left_out) {
    legend l = {.hidden = v->rows.hidden || along_left_out};
    for (size_t i = 0; i < v->item_count; i++) {
        note_item(&l, &v->items[i]);
        l.lost |= v->items[i].lost;
        l.attack |= v->items[i].kind == LADDER_ATTACK;
    }
    l.lines = (unsigned)l.set_count + l.lost + l.attack + l.hidden;
    return l;
}

/* "I_MESSAGE_1, media: what they carry encrypted was known to alice, bob" */
static void draw_set(const picture *p, const legend_set *set, int y) {
    char text[600] = "", readers[240];
    const char *they = set->name_count == 1 ? "it carries" : "they carry";
    for (size_t i = 0; i < set->name_count; i++)
        words_add(text, sizeof text, "%s%.40s", i ? ", " : "", set->names[i]);
    ladder_party_names(p->v, set->readers, readers, sizeof readers);
    if (set->readers)
        words_add(text, sizeof text, ": what %s encrypted was known to %s", they, readers);
    else if (set->plain)
        words_add(text, sizeof text, ": nothing in it is encrypted");
    else
        words_add(text, sizeof text, ": the result tells of nobody who knew what %s encrypted", they);
    bool media = strcmp(set->names[0], "media") == 0;
    draw_pill(p, set->secrecy, media ? "media" : "MIKEY", LEGEND_X, y);
    svg_text(p->out, LEGEND_X + 48, y + 4, "s", "start", text);
}

static void draw_legend(const picture *p, const legend *l, int y, size_t along_left_out) {
    char text[120];
    for (size_t i = 0; i < l->set_count; i++, y += LINE)
        draw_set(p, &l->sets[i], y);
    if (l->lost) {
        fprintf(p->out,
                "<line class=\"l lost\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/><path class=\"x\" "
                "d=\"M%d %dl10 10m0 -10l-10 10\"/>",
                LEGEND_X - 25, y, LEGEND_X + 15, y, LEGEND_X + 13, y - 5);
        svg_text(p->out, LEGEND_X + 48, y + 4, "s", "start", "lost: no copy arrived");
        y += LINE;
    }
    if (l->attack) {
        fprintf(p->out, "<rect class=\"attack\" x=\"%d\" y=\"%d\" width=\"50\" height=\"14\" rx=\"3\"/>",
                LEGEND_X - 25, y - 7);
        svg_text(p->out, LEGEND_X + 48, y + 4, "s", "start",
                 "what an adversary did to a message between two nodes");
        y += LINE;
    }
    if (l->hidden) {
        snprintf(text, sizeof text, "not shown: %" PRIu64 " more messages, %zu more conversations",
                 p->v->rows.hidden, along_left_out);
        svg_text(p->out, LEGEND_X + 48, y + 4, "s d", "start", text);
    }
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

static void describe(const ladder_view *v, char *out, size_t size) {
    size_t messages = 0, mikey = 0, lost = 0, attacks = 0;
    for (size_t i = 0; i < v->item_count; i++) {
        const ladder_item *item = &v->items[i];
        messages += !is_box(item) && item->kind != LADDER_MEDIA;
        mikey += has_pill(item);
        lost += item->lost;
        attacks += item->kind == LADDER_ATTACK;
    }
    out[0] = 0;
    words_add(out, size,
              "Ladder diagram, time running down, of %zu messages, %zu of them with MIKEY, between", messages,
              mikey);
    for (size_t i = 0; i < v->rows.lane_count; i++)
        words_add(out, size, "%s %.80s", i ? "," : "", v->lanes[i]);
    words_add(out, size, ". %zu lost; %zu acts of adversaries.", lost, attacks);
}

void ladder_svg(FILE *out, const ladder_view *v, const ladder_caption *caption) {
    picture p = {.out = out, .v = v};
    char text[2048], title[400];
    legend l = make_legend(v, caption->along_left_out);
    int head = caption->subtitle ? 64 : 44, top = head + 50;
    unsigned height = (unsigned)top;
    lay_out(&p);
    for (size_t i = 0; i < v->item_count; i++)
        height += row_height(&v->items[i]);
    int bottom = (int)height + 6;
    height = (unsigned)bottom + (l.lines ? 24 + l.lines * LINE : 10);
    snprintf(title, sizeof title, "%s%s%s", caption->title, caption->subtitle ? ". " : "",
             caption->subtitle ? caption->subtitle : "");
    describe(v, text, sizeof text);
    svg_begin(out, "ladder", p.width, height, title, text);
    svg_text(out, MARGIN, 26, "h", "start", caption->title);
    if (caption->subtitle)
        svg_text(out, MARGIN, 47, "d", "start", caption->subtitle);
    svg_text(out, LEFT - 18, head + 24, "d s", "end", "seconds");
    draw_lifelines(&p, head + 38, bottom);
    draw_nodes(&p, head);
    for (size_t i = 0; i < v->item_count; i++) {
        draw_item(&p, &v->items[i], top);
        top += (int)row_height(&v->items[i]);
    }
    draw_legend(&p, &l, bottom + 22, caption->along_left_out);
    svg_end(out);
}
