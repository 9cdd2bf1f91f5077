/* ibakelab: results as TAP 14, one check a line. `known` is TODO, what did not pass has its detail below it.
 */
#include "reports/report.h"
#include "reports/words.h"

#include <string.h>

/* A description ends at a line's end, and " #" would begin a directive. */
static void describe(FILE *out, const char *text) {
    for (; text && *text; text++)
        if (*text == '#' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else if (words_c1(text))
            fputc(' ', out), text++;
        else
            fputc((unsigned char)*text < 0x20 || *text == 0x7F ? ' ' : *text, out);
}

/* A block of YAML, each line indented; control characters, which YAML does not permit, become '?'. */
static void block(FILE *out, const char *detail) {
    fputs("    ", out);
    for (; *detail; detail++)
        if (*detail == '\n' && detail[1])
            fputs("\n    ", out);
        else if (words_c1(detail))
            fputc('?', out), detail++;
        else if (*detail != '\n')
            fputc(((unsigned char)*detail < 0x20 && *detail != '\t') || *detail == 0x7F ? '?' : *detail, out);
    fputc('\n', out);
}

static void write_check(FILE *out, const report_item *item, size_t index, size_t number) {
    const json_t *check = json_array_get(item->checks, index);
    const char *detail = report_text_of(check, "detail");
    model_outcome outcome = report_check_outcome(check);
    bool ok = outcome == MODEL_PASS || outcome == MODEL_SKIPPED;
    fprintf(out, "%sok %zu - ", ok ? "" : "not ", number);
    if (report_place(item)) {
        describe(out, report_place(item));
        fputs(": ", out);
    }
    describe(out, report_text_of(check, "id"));
    fputs(outcome == MODEL_SKIPPED ? " # SKIP\n"
          : outcome == MODEL_KNOWN ? " # TODO known failure\n"
                                   : "\n",
          out);
    if (ok)
        return;
    fprintf(out, "  ---\n  verdict: %s\n", report_check_word(item, index));
    if (detail) {
        fputs("  report: |2\n", out);
        block(out, detail);
    }
    fputs("  ...\n", out);
}

ibk_err report_write_tap(FILE *out, const report_item *items, size_t count) {
    size_t all = 0, number = 0;
    for (size_t i = 0; i < count; i++)
        all += json_array_size(items[i].checks);
    fprintf(out, "TAP version 14\n1..%zu\n", all);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < json_array_size(items[i].checks); k++)
            write_check(out, &items[i], k, ++number);
    return IBK_OK;
}
