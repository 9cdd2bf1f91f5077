/* ibakelab: who knows what, for the terminal: parties down, things across. */
#include "reports/terminal.h"

#include <string.h>

#define PARTIES_SHOWN  12
#define IGNORANT_SHOWN 4
#define REMARKS_SHOWN  4
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

/* Of how many calls anybody knows anything. */
static size_t calls_of(const result *r) {
    size_t count = 0;
    for (size_t i = 0; i < r->call_count; i++) {
        bool found = false;
        for (size_t k = 0; k < r->party_count && !found; k++)
            for (size_t n = 0; n < r->parties[k]->fact_count && !found; n++) {
                const char *call = r->parties[k]->facts[n].call;
                found = call && strcmp(call, r->calls[i]->id) == 0;
            }
        count += found;
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

static void print_party(const term *t, const result *r, const result_party *p, const bool shown[THINGS],
                        unsigned width) {
    char cell[CELL];
    size_t calls = calls_of(r);
    unsigned gap = gap_after(p->name, width);
    term_text(t, "  ", p->name, "");
    for (size_t i = 0; i < THINGS; i++) {
        if (!shown[i])
            continue;
        account a = account_of(p, things[i]);
        bool found_out = strcmp(p->kind, "adversary") == 0 && a.any && !a.given;
        fill(cell, p, &a, calls, t->utf8);
        print_cell(t, gap, found_out ? TERM_RED : a.any ? TERM_PLAIN : TERM_DIM, cell);
        gap = gap_after(cell, (unsigned)strlen(things[i]));
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

static void print_head(const term *t, const result *r, bool shown[THINGS], unsigned width) {
    fprintf(t->file, "\n  %sknows%*s", term_begin(t, TERM_DIM), (int)gap_after("knows", width), "");
    for (size_t i = 0; i < THINGS; i++) {
        shown[i] = is_known(r, things[i]);
        if (shown[i])
            fprintf(t->file, "  %s", things[i]);
    }
    fprintf(t->file, "%s\n", term_begin(t, TERM_PLAIN));
}

void report_matrix(const term *t, const result *r) {
    unsigned width = term_columns("knows");
    size_t rows = 0;
    bool shown[THINGS];
    for (size_t i = 0; i < r->party_count; i++) {
        rows += has_row(r->parties[i]);
        if (has_row(r->parties[i]) && rows <= PARTIES_SHOWN && term_columns(r->parties[i]->name) > width)
            width = term_columns(r->parties[i]->name);
    }
    if (rows == 0)
        return;
    print_head(t, r, shown, width);
    for (size_t i = 0, row = 0; i < r->party_count && row < PARTIES_SHOWN; i++)
        if (has_row(r->parties[i])) {
            print_party(t, r, r->parties[i], shown, width);
            row++;
        }
    if (rows > PARTIES_SHOWN)
        fprintf(t->file, "  and %zu more parties\n", rows - PARTIES_SHOWN);
    print_ignorant(t, r);
    print_remarks(t, r);
}
