/* ibakelab: results as JUnit XML (schema/junit.xsd). A suite is a family of checks of one result; a check is
 * a case: `known` and `skipped` are skipped, `error` is an error, whose type is the kind's own word for it.
 */
#include "reports/markup.h"
#include "reports/report.h"
#include "reports/words.h"

#include <string.h>

#define NO_TIME "1970-01-01T00:00:00" /* the schema wants one */

/* `len` octets of UTF-8 as text of an element or attribute; what XML 1.0 cannot hold becomes '?', and what it
 * advises against, the characters of C1. */
static void xml_part(FILE *out, const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        const char *entity = markup_entity(text[i]);
        if (entity) {
            fputs(entity, out);
        } else if (i + 1 < len && words_c1(text + i)) {
            fputc('?', out);
            i++;
        } else if (c == 0xEF && i + 2 < len && (unsigned char)text[i + 1] == 0xBF &&
                   (unsigned char)text[i + 2] >= 0xBE) {
            fputc('?', out); /* U+FFFE and U+FFFF */
            i += 2;
        } else
            fputc(c >= 0x20 || c == '\n' || c == '\t' ? c : '?', out);
    }
}

static void xml(FILE *out, const char *text) {
    xml_part(out, text, text ? strlen(text) : 0);
}

/* The first line of a text, and of a long one its begin. */
static void xml_line(FILE *out, const char *text) {
    size_t len = text ? strcspn(text, "\n") : 0;
    for (len = len < 400 ? len : 400; len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80;)
        len--; /* never in the middle of a character */
    xml_part(out, text, len);
}

static void write_case(FILE *out, const report_item *item, size_t index) {
    static const char *const elements[MODEL_OUTCOMES] = {"", "failure", "skipped", "skipped", "error"};
    const json_t *check = json_array_get(item->checks, index);
    const char *id = report_text_of(check, "id"), *detail = report_text_of(check, "detail"),
               *requirement = report_text_of(check, "requirement");
    model_outcome outcome = report_check_outcome(check);
    fprintf(out, "    <testcase classname=\"%s.", report_kind(item));
    if (report_family(check))
        xml_part(out, id, report_family(check));
    else
        fputs("result", out);
    fputs("\" name=\"", out);
    xml(out, id);
    fprintf(out, "\" time=\"%.3f\"", report_check_seconds(item, index));
    if (outcome == MODEL_PASS) {
        fputs("/>\n", out);
        return;
    }
    fprintf(out, ">\n      <%s message=\"%s", elements[outcome],
            outcome == MODEL_KNOWN ? "known failure: " : "");
    xml_line(out, detail);
    fputs("\"", out);
    if (outcome == MODEL_FAIL || outcome == MODEL_ERROR) {
        fputs(" type=\"", out);
        xml(out, requirement && outcome == MODEL_FAIL ? requirement : report_check_word(item, index));
        fputs("\">", out);
        xml(out, detail);
    } else {
        fputs(">", out);
    }
    fprintf(out, "</%s>\n    </testcase>\n", elements[outcome]);
}

typedef struct tally {
    size_t count[MODEL_OUTCOMES], all;
    double seconds;
} tally;

static void add(tally *t, const report_item *item, size_t index) {
    t->count[report_check_outcome(json_array_get(item->checks, index))]++;
    t->all++;
    t->seconds += report_check_seconds(item, index);
}

static bool same_family(const json_t *a, const json_t *b) {
    size_t len = report_family(a);
    return len == report_family(b) && strncmp(report_text_of(a, "id"), report_text_of(b, "id"), len) == 0;
}

/* The name of a suite: the result's folder, if it has one, and the family or else the kind. */
static void write_name(FILE *out, const report_item *item, const json_t *check) {
    if (report_place(item)) {
        xml(out, report_place(item));
        fputs(": ", out);
    }
    if (check && report_family(check))
        xml_part(out, report_text_of(check, "id"), report_family(check));
    else
        fputs(report_kind(item), out);
}

/* All checks of the family of check `from`; they may stand apart. */
static void write_suite(FILE *out, const report_item *item, size_t from) {
    const json_t *first = json_array_get(item->checks, from);
    size_t n = json_array_size(item->checks);
    tally t = {0};
    for (size_t i = from; i < n; i++)
        if (same_family(first, json_array_get(item->checks, i)))
            add(&t, item, i);
    fputs("  <testsuite name=\"", out);
    write_name(out, item, first);
    fprintf(out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" time=\"%.3f\"", t.all,
            t.count[MODEL_FAIL], t.count[MODEL_ERROR], t.count[MODEL_SKIPPED] + t.count[MODEL_KNOWN],
            t.seconds);
    fprintf(out, " timestamp=\"%s\" hostname=\"localhost\">\n", item->timestamp ? item->timestamp : NO_TIME);
    for (size_t i = from; i < n; i++)
        if (same_family(first, json_array_get(item->checks, i)))
            write_case(out, item, i);
    fputs("  </testsuite>\n", out);
}

static bool seen_before(const report_item *item, size_t index) {
    const json_t *check = json_array_get(item->checks, index);
    for (size_t i = 0; i < index; i++)
        if (same_family(check, json_array_get(item->checks, i)))
            return true;
    return false;
}

/* A result without checks is a suite without cases: a CI server shows that it was there. */
static void write_empty(FILE *out, const report_item *item) {
    fputs("  <testsuite name=\"", out);
    write_name(out, item, NULL);
    fprintf(out,
            "\" tests=\"0\" failures=\"0\" errors=\"0\" skipped=\"0\" time=\"0.000\" timestamp=\"%s\" "
            "hostname=\"localhost\"/>\n",
            item->timestamp ? item->timestamp : NO_TIME);
}

ibk_err report_write_junit(FILE *out, const report_item *items, size_t count) {
    tally t = {0};
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < json_array_size(items[i].checks); k++)
            add(&t, &items[i], k);
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"ibakelab\" tests=\"%zu\" "
            "failures=\"%zu\" errors=\"%zu\" time=\"%.3f\">\n",
            t.all, t.count[MODEL_FAIL], t.count[MODEL_ERROR], t.seconds);
    for (size_t i = 0; i < count; i++) {
        size_t n = json_array_size(items[i].checks);
        for (size_t k = 0; k < n; k++)
            if (!seen_before(&items[i], k))
                write_suite(out, &items[i], k);
        if (n == 0)
            write_empty(out, &items[i]);
    }
    fputs("</testsuites>\n", out);
    return IBK_OK;
}
