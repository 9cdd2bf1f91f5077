/* ibakelab: results on the terminal: a line for each, and below it what did not pass. */
#include "reports/terminal.h"

#include <string.h>

enum { CHECKS_SHOWN = 10 };

static void write_check(const term *t, const report_item *item, size_t index) {
    const json_t *check = json_array_get(item->checks, index);
    const char *requirement = report_text_of(check, "requirement"), *detail = report_text_of(check, "detail");
    char line[200];
    snprintf(line, sizeof line, "%.*s", detail ? (int)strcspn(detail, "\n") : 0, detail ? detail : "");
    fprintf(t->file, "    %s%s%s", term_begin(t, TERM_RED), report_check_word(item, index),
            term_begin(t, TERM_PLAIN));
    term_text(t, "  ", report_text_of(check, "id"), "");
    if (requirement)
        term_text(t, " (", requirement, ")");
    term_text(t, *line ? ": " : "", line, "\n");
}

static void write_failures(const term *t, const report_item *item) {
    size_t shown = 0, left = 0;
    for (size_t i = 0; i < json_array_size(item->checks); i++) {
        model_outcome outcome = report_check_outcome(json_array_get(item->checks, i));
        if (outcome != MODEL_FAIL && outcome != MODEL_ERROR)
            continue;
        if (shown == CHECKS_SHOWN)
            left++;
        else
            shown++, write_check(t, item, i);
    }
    if (left)
        fprintf(t->file, "    … and %zu more\n", left);
}

static void write_item(const term *t, const report_item *item) {
    const char *verdict = report_verdict(item);
    bool pass = strcmp(verdict, "pass") == 0;
    size_t n[MODEL_OUTCOMES], all = json_array_size(item->checks);
    report_count(item, n);
    fprintf(t->file, "%s%-5s%s %-11s ", term_begin(t, pass ? TERM_GREEN : TERM_RED), verdict,
            term_begin(t, TERM_PLAIN), report_kind(item));
    term_text(t, "", report_title(item), "\n");
    if (all)
        fprintf(t->file, "    %zu of %zu checks passed", n[MODEL_PASS], all);
    else
        fputs("    measured, not judged", t->file);
    for (model_outcome o = MODEL_FAIL; o < MODEL_OUTCOMES; o++)
        if (n[o])
            fprintf(t->file, ", %zu %s", n[o], model_outcome_name(o));
    term_text(t, "; ", report_place(item) ? report_place(item) : report_subject(item), "\n");
    write_failures(t, item);
}

void report_text(const term *t, const report_item *items, size_t count) {
    size_t good = 0;
    for (size_t i = 0; i < count; i++) {
        write_item(t, &items[i]);
        good += strcmp(report_verdict(&items[i]), "pass") == 0;
    }
    fprintf(t->file, "%zu result%s, %zu passed, %zu did not\n", count, count == 1 ? "" : "s", good,
            count - good);
}
