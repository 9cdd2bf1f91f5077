/* A result of any kind (reports/schema/result.schema.json): refused with a reason, or told in every format;
 * JUnit's is XML, SARIF's JSON, and of a run the model of the drawings is read. */
#include "fuzz.h"
#include "reports/report.h"
#include "reports/result_read.h"

#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>

static char *write_as(report_writer *writer, const report_item *item, size_t *len) {
    char *text = NULL;
    FILE *out = open_memstream(&text, len);
    FUZZ_CHECK(out != NULL);
    FUZZ_CHECK(writer(out, item, 1) == IBK_OK && !ferror(out));
    FUZZ_CHECK(fclose(out) == 0 && *len > 0);
    return text;
}

static void check_xml(const char *text, size_t len) {
    xmlDoc *document = xmlReadMemory(text, (int)len, "junit.xml", NULL,
                                     XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    FUZZ_CHECK(document != NULL);
    xmlFreeDoc(document);
}

static void check_json(const char *text, size_t len) {
    json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    FUZZ_CHECK(value != NULL);
    json_decref(value);
}

static void check_formats(const report_item *item) {
    static report_writer *const writers[] = {report_write_junit, report_write_sarif, report_write_tap,
                                             report_write_markdown, report_write_csv};
    for (size_t i = 0; i < sizeof writers / sizeof writers[0]; i++) {
        size_t len = 0;
        char *text = write_as(writers[i], item, &len);
        FUZZ_CHECK(memchr(text, 0x1b, len) == NULL); /* no terminal is told anything */
        if (writers[i] == report_write_junit)
            check_xml(text, len);
        else if (writers[i] == report_write_sarif)
            check_json(text, len);
        free(text);
    }
}

static void check_run(const report_item *item) {
    result run = {0};
    ibk_diag diag = {0};
    ibk_err err = result_from_json(&run, item->result, &diag);
    FUZZ_CHECK(!err || (diag.err == err && diag.detail[0]));
    result_free(&run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    report_item item = {0};
    char why[512] = "";
    json_t *value = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    if (!value)
        return 0;
    ibk_err err = report_take(&item, value, why, sizeof why);
    FUZZ_CHECK(!err || (err == IBK_ERR_BAD_TEXT && why[0]));
    if (!err) {
        check_formats(&item);
        check_run(&item);
    }
    report_item_free(&item);
    return 0;
}
