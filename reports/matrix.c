/* ibakelab: who knows what, for the terminal: parties down, things across. */
#include "reports/terminal.h"

#include <string.h>

#define PARTIES_SHOWN  12
#define IGNORANT_SHOWN 4
#define REMARKS_SHOWN  4
#define CALLS_MAX      256
#define CELL           48

static const char *const things[] = {
    "xP", "yP", "x", "y", "session-key", "media", "content", "private-key", "master-secret", "psk"};
enum { THINGS = sizeof things / sizeof *things };

/* What a party's facts about one thing come to. */
typedef struct account {
    size_t calls; /* of how many */
    bool any;
    bool given; /* all of them are */
} account;

static account account_of(const result_party *p, const char *thing) {
    account a = {.given = true};
    for (size_t i = 0; i < p->fact_count; i++) {
        if (strcmp(p->facts[i].what, thing) != 0)
            continue;
        a.any = true;
        a.given &= p->facts[i].given;
        a.calls += p->facts[i].call != NULL;
    }
    return a;
}

/* Of how many calls anybody knows anything, a mailbox's for a message among them. */
static size_t calls_of(const result *r) {
    const char *known[CALLS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < r->party_count; i++)
        for (size_t n = 0; n < r->parties[i]->fact_count && count < CALLS_MAX; n++) {
            const char *call = r->parties[i]->facts[n].call;
            size_t k = 0;
            while (call && k < count && strcmp(known[k], call) != 0)
                k++;
            if (call && k == count)
                known[count++] = call;
        }
    return count;
}

static void fill(char cell[CELL], const result_party *p, const account *a, size_t calls, bool utf8) {
    bool adversary = strcmp(p->kind, "adversary") == 0;
    if (!a->any)
        snprintf(cell, CELL, "%s", utf8 ? "·" : "-");
    else if (adversary && a->given)
        snprintf(cell, CELL, "given");
    else if (a->calls > 0 && a->calls < calls)
        snprintf(cell, CELL, "%zu/%zu", a->calls, calls);
    else
        snprintf(cell, CELL, "%s", utf8 ? "✓" : "yes");
}

static bool is_known(const result *r, const char *thing) {
    for (size_t i = 0; i < r->party_count; i++)
        if (account_of(r->parties[i], thing).any)
            return true;
    return false;
}

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
    unsigned name, width[THINGS];
} layout;

static void print_party(const term *t, const result_party *p, const layout *l) {
    char cell[CELL];
    unsigned gap = gap_after(p->name, l->name);
    term_text(t, "  ", p->name, "");
    for (size_t i = 0; i < THINGS; i++) {
        if (!l->width[i])
            continue;
        account a = account_of(p, things[i]);
        bool found_out = strcmp(p->kind, "adversary") == 0 && a.any && !a.given;
        fill(cell, p, &a, l->calls, t->utf8);
        print_cell(t, gap, found_out ? TERM_RED : a.any ? TERM_PLAIN : TERM_DIM, cell);
        gap = gap_after(cell, l->width[i]);
    }
    fputc('\n', t->file);
}

static bool has_row(const result_party *p) {
    return p->fact_count > 0 || strcmp(p->kind, "adversary") == 0;
}

/* Those without a row, in one line. */
static void print_ignorant(const term *t, const result *r) {
    size_t count = 0;
    for (size_t i = 0; i < r->party_count; i++) {
        if (has_row(r->parties[i]))
            continue;
        if (count < IGNORANT_SHOWN)
            term_text(t, count ? ", " : "  none of these: ", r->parties[i]->name, "");
        count++;
    }
    if (count > IGNORANT_SHOWN)
        fprintf(t->file, " and %zu more", count - IGNORANT_SHOWN);
    if (count)
        fputc('\n', t->file);
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
    for (size_t i = 0; i < THINGS; i++)
        if (l->width[i]) {
            print_cell(t, gap, TERM_PLAIN, things[i]);
            gap = gap_after(things[i], l->width[i]);
        }
    fprintf(t->file, "%s\n", term_begin(t, TERM_PLAIN));
}

static void widen(unsigned *width, const char *text) {
    *width = term_columns(text) > *width ? term_columns(text) : *width;
}

static size_t lay_out(layout *l, const result *r, bool utf8) {
    size_t rows = 0;
    *l = (layout){.calls = calls_of(r), .name = term_columns("knows")};
    for (size_t i = 0; i < THINGS; i++)
        l->width[i] = is_known(r, things[i]) ? (unsigned)strlen(things[i]) : 0;
    for (size_t i = 0; i < r->party_count; i++) {
        const result_party *p = r->parties[i];
        if (!has_row(p) || ++rows > PARTIES_SHOWN)
            continue;
        widen(&l->name, p->name);
        for (size_t k = 0; k < THINGS; k++) {
            char cell[CELL];
            account a = account_of(p, things[k]);
            fill(cell, p, &a, l->calls, utf8);
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
        if (has_row(r->parties[i])) {
            print_party(t, r->parties[i], &l);
            row++;
        }
    if (rows > PARTIES_SHOWN)
        fprintf(t->file, "  and %zu more parties\n", rows - PARTIES_SHOWN);
    print_ignorant(t, r);
    print_remarks(t, r);
}
