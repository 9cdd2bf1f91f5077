/* ibakelab: see html.h. */
#include "reports/html.h"
#include "reports/html_assets.h"
#include "reports/html_internal.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_SCHEMA "ibakelab-page/1"
#define PLAIN_MAX   200000 /* octets of JSON that stand in the page as they are; more is packed */

static ibk_err no_memory(ibk_diag *diag) {
    return ibk_fail(diag, IBK_ERR_NO_MEMORY, NULL, 0, "writing the page");
}

/* The items as the script wants them. The results are shared, not copied. */
static json_t *page_json(const report_item *items, size_t count) {
    json_t *list = json_array();
    json_t *page = json_pack("{s:s, s:o}", "schema", PAGE_SCHEMA, "items", list);
    for (size_t i = 0; page && i < count; i++) {
        json_t *item =
            json_pack("{s:s, s:O}", "dir", items[i].dir ? items[i].dir : "", "result", items[i].result);
        bool ok = item && (!items[i].run || json_object_set(item, "run", items[i].run) == 0);
        if (!ok)
            json_decref(item);
        if (!ok || json_array_append_new(list, item) != 0) {
            json_decref(page);
            return NULL;
        }
    }
    return page;
}

static ibk_err write_data(FILE *out, const report_item *items, size_t count, ibk_diag *diag) {
    json_t *page = page_json(items, count);
    char *json = page ? json_dumps(page, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    json_decref(page);
    if (!json)
        return no_memory(diag);
    ibk_err err = IBK_OK;
    size_t len = strlen(json);
    if (len <= PLAIN_MAX) {
        fputs("<script type=\"application/json\" id=\"data\">", out);
        html_json(out, json);
    } else {
        fputs("<script type=\"application/octet-stream\" id=\"data-gz\">", out);
        err = html_packed(out, json, len);
    }
    fputs("</script>\n", out);
    free(json);
    return err ? ibk_fail(diag, err, NULL, 0, "packing the data of the page") : IBK_OK;
}

/* Nothing is loaded, from anywhere; of scripts and styles only our own run, known by their hash. */
static void write_head(FILE *out, const char *title) {
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n", out);
    fprintf(
        out,
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'sha256-%s'; "
        "style-src 'sha256-%s'; base-uri 'none'; form-action 'none'\">\n",
        html_script.sha256, html_style.sha256);
    fputs("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" "
          "content=\"no-referrer\">\n<title>",
          out);
    html_text(out, title);
    fputs("</title>\n<style>", out);
    fwrite(html_style.data, 1, html_style.size, out);
    fputs("</style>\n</head>\n", out);
}

static void write_plain(FILE *out, const report_item *items, size_t count, const char *title) {
    fputs("<noscript>\n<h1>", out);
    html_text(out, title);
    fputs("</h1>\n<p>Without JavaScript this page shows tables alone.</p>\n", out);
    for (size_t i = 0; i < count; i++)
        html_tables(out, &items[i], i);
    fputs("</noscript>\n", out);
}

ibk_err report_write_html(FILE *out, const report_item *items, size_t count, const char *title,
                          ibk_diag *diag) {
    if (!count)
        return ibk_fail(diag, IBK_ERR_USAGE, NULL, 0, "a page of no results");
    for (size_t i = 0; i < count; i++)
        if (!json_is_object(items[i].result))
            return ibk_fail(diag, IBK_ERR_USAGE, NULL, 0, "item %zu has no result", i);
    write_head(out, title);
    fputs("<body>\n<div id=\"app\"></div>\n", out);
    write_plain(out, items, count, title);
    ibk_err err = write_data(out, items, count, diag);
    if (err)
        return err;
    fputs("<script>", out);
    fwrite(html_script.data, 1, html_script.size, out);
    fputs("</script>\n</body>\n</html>\n", out);
    return fflush(out) || ferror(out) ? ibk_fail(diag, IBK_ERR_IO, NULL, 0, "writing the page") : IBK_OK;
}
