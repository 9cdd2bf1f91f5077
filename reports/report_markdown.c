/* ibakelab: results as Markdown for the summary of a CI job: a table of all, then of each what did not pass,
 * of a sweep what it measured, and the measures folded away. Bounded, since such summaries are (a megabyte on
 * GitHub): what is beyond is counted. */
#include "reports/report.h"
#include "reports/spreads.h"
#include "reports/words.h"

#include <string.h>

enum { CHECKS_SHOWN = 50, MEASURES_SHOWN = 60, DETAIL_SHOWN = 1500 };
enum { COMBINATIONS_SHOWN = 100, SPREADS_SHOWN = 600 }; /* of a measure; of all measures of a sweep */

/* Text in a cell: of Markdown and HTML nothing is left, a line's end becomes <br>. `limit`: octets. */
static void text_part(FILE *out, const char *text, size_t limit) {
    for (size_t i = 0; text && text[i]; i++) {
        unsigned char c = (unsigned char)text[i];
        if (i >= limit && (c & 0xC0) != 0x80) { /* never in the middle of a character */
            fputs(" …", out);
            return;
        }
        if (c == '\n')
            fputs(text[i + 1] ? "<br>" : "", out);
        else if (c == '<')
            fputs("&lt;", out);
        else if (c == '>')
            fputs("&gt;", out);
        else if (c == '&')
            fputs("&amp;", out);
        else if (strchr("\\`*_{}[]#+!|~@", c))
            fprintf(out, "&#%u;", c); /* a backslash would not be understood everywhere */
        else if (words_c1(text + i))
            fputc(' ', out), i++;
        else
            fputc(c >= 0x20 && c != 0x7F ? c : ' ', out);
    }
}

static void text(FILE *out, const char *what) {
    text_part(out, what, 300);
}

static const char *mark(const char *verdict) {
    return strcmp(verdict, "pass") == 0 ? "✅" : strcmp(verdict, "fail") == 0 ? "❌" : "⚠️";
}

static void write_overview(FILE *out, const report_item *items, size_t count) {
    size_t good = 0;
    for (size_t i = 0; i < count; i++)
        good += strcmp(report_verdict(&items[i]), "pass") == 0;
    fprintf(out, "# ibakelab: %zu result%s, %zu passed, %zu did not\n\n", count, count == 1 ? "" : "s", good,
            count - good);
    fputs("| verdict | kind | title | judged | passed | failed | known | skipped |\n"
          "|---|---|---|---|---:|---:|---:|---:|\n",
          out);
    for (size_t i = 0; i < count; i++) {
        size_t n[MODEL_OUTCOMES];
        report_count(&items[i], n);
        fprintf(out, "| %s %s | %s | ", mark(report_verdict(&items[i])), report_verdict(&items[i]),
                report_kind(&items[i]));
        text(out, report_title(&items[i]));
        fputs(" | ", out);
        text(out, report_subject(&items[i]));
        fprintf(out, " | %zu | %zu | %zu | %zu |\n", n[MODEL_PASS], n[MODEL_FAIL] + n[MODEL_ERROR],
                n[MODEL_KNOWN], n[MODEL_SKIPPED]);
    }
}

static void write_check(FILE *out, const json_t *check, const char *word) {
    const char *section = report_text_of(check, "section"), *level = report_text_of(check, "level"),
               *file = report_text_of(check, "file");
    fprintf(out, "| %s | ", word);
    text(out, report_text_of(check, "id"));
    fputs(" | ", out);
    text(out, report_text_of(check, "requirement"));
    fputs(section ? " §" : "", out);
    text(out, section);
    fputs(level ? " " : "", out);
    text(out, level);
    fputs(" | ", out);
    text_part(out, report_text_of(check, "detail"), DETAIL_SHOWN);
    fputs(" | ", out);
    text(out, file);
    if (file && json_is_integer(json_object_get(check, "line")))
        fprintf(out, ":%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(check, "line")));
    fputs(" |\n", out);
}

/* A table of the checks that did not pass; known failures stand in the overview alone. */
static void write_failures(FILE *out, const report_item *item) {
    size_t shown = 0, left = 0;
    for (size_t i = 0; i < json_array_size(item->checks); i++) {
        const json_t *check = json_array_get(item->checks, i);
        model_outcome outcome = report_check_outcome(check);
        if (outcome != MODEL_FAIL && outcome != MODEL_ERROR)
            continue;
        if (shown == 0)
            fputs("\n| | check | requirement | what there was | where |\n|---|---|---|---|---|\n", out);
        if (shown == CHECKS_SHOWN)
            left++;
        else
            shown++, write_check(out, check, report_check_word(item, i));
    }
    if (left)
        fprintf(out, "\n… and %zu more.\n", left);
}

/* ---- a sweep's summary ------------------------------------------------------------------------------------
 */

static void spread_begin(FILE *out, const char *title) {
    fputs("\n**", out);
    text(out, title);
    fputs("**\n\n", out);
}

static void spread_row(FILE *out, bool head) {
    (void)head;
    fputs("|", out);
}

static void spread_cell(FILE *out, const char *what, bool head, bool number) {
    (void)head, (void)number;
    fputs(" ", out);
    text(out, what);
    fputs(" |", out);
}

static void spread_row_end(FILE *out, bool head, size_t names, size_t figures) {
    fputs("\n", out);
    if (!head)
        return;
    fputs("|", out);
    for (size_t i = 0; i < names + figures; i++)
        fputs(i < names ? "---|" : "---:|", out);
    fputs("\n", out);
}

static void spread_end(FILE *out, size_t left_out) {
    if (left_out)
        fprintf(out, "\n… and %zu more combinations.\n", left_out);
}

static void write_spreads(FILE *out, const report_item *item) {
    static const spreads_format format = {spread_begin, spread_row, spread_cell, spread_row_end, spread_end};
    size_t measures = spreads_count(item), each = measures ? SPREADS_SHOWN / measures : 0;
    spreads_tell(out, item, &format, each < COMBINATIONS_SHOWN ? each : COMBINATIONS_SHOWN);
}

static void write_measures(FILE *out, const report_item *item) {
    size_t i, n = json_array_size(item->measures);
    const json_t *one;
    if (n == 0)
        return;
    fputs("\n<details><summary>Measures</summary>\n\n| measure | value | unit |\n|---|---:|---|\n", out);
    json_array_foreach(item->measures, i, one) {
        if (i == MEASURES_SHOWN)
            break;
        fputs("| ", out);
        text(out, report_text_of(one, "name"));
        fprintf(out, " | %.6g | ", json_number_value(json_object_get(one, "value")));
        text(out, report_text_of(one, "unit"));
        fputs(" |\n", out);
    }
    if (n > MEASURES_SHOWN)
        fprintf(out, "\n… and %zu more.\n", n - MEASURES_SHOWN);
    fputs("\n</details>\n", out);
}

static void write_item(FILE *out, const report_item *item) {
    fprintf(out, "\n## %s ", mark(report_verdict(item)));
    text(out, report_title(item));
    fprintf(out, "\n\n%s", report_kind(item));
    if (report_subject(item)) {
        fputs(" of ", out);
        text(out, report_subject(item));
    }
    if (report_place(item)) {
        fputs(", in ", out);
        text(out, report_place(item));
    }
    fputs("\n", out);
    if (report_text_of(item->result, "error")) {
        fputs("\n**", out);
        text(out, report_text_of(item->result, "error"));
        fputs("**\n", out);
    }
    write_failures(out, item);
    write_spreads(out, item);
    write_measures(out, item);
}

ibk_err report_write_markdown(FILE *out, const report_item *items, size_t count) {
    write_overview(out, items, count);
    for (size_t i = 0; i < count; i++)
        write_item(out, &items[i]);
    return IBK_OK;
}
