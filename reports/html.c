/* ibakelab: see html.h. */
#include "reports/html.h"
#include "reports/html_assets.h"
#include "reports/html_internal.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_SCHEMA "ibakelab-page/1"
#define PLAIN_MAX   200000 /* octets of JSON that stand in the page as they are; more is packed */

/* An item as the script wants it (docs/reports.md). What it consists of is shared, not copied. */
static json_t *item_json(const report_item *item) {
    bool ok = true;
    json_t *o = json_object();
    jb_set(o, "dir", jb_text(item->dir ? item->dir : ""), &ok);
    jb_set(o, "result", json_incref(item->result), &ok);
    jb_set(o, "checks", json_incref(item->checks), &ok);
    jb_set(o, "measures", json_incref(item->measures), &ok);
    if (item->run)
        jb_set(o, "run", json_incref(item->run), &ok);
    if (!ok) {
        json_decref(o);
        return NULL;
    }
    return o;
}

static char *page_json(const report_item *items, size_t count) {
    bool ok = true;
    json_t *page = json_object(), *list = json_array();
    for (size_t i = 0; i < count; i++)
        jb_append(list, item_json(&items[i]), &ok);
    jb_set(page, "schema", json_string(PAGE_SCHEMA), &ok);
    jb_set(page, "items", list, &ok);
    char *text = ok ? json_dumps(page, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    json_decref(page);
    return text;
}

static ibk_err write_data(FILE *out, const report_item *items, size_t count) {
    char *json = page_json(items, count);
    if (!json)
        return IBK_ERR_NO_MEMORY;
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
    return err;
}

static void write_title(FILE *out, const report_item *items, size_t count) {
    if (count == 1)
        html_text(out, report_title(&items[0]));
    else
        fprintf(out, "%zu results", count);
}

/* Nothing is loaded, from anywhere; of scripts and styles only our own run, known by their hash. */
static void write_head(FILE *out, const report_item *items, size_t count) {
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
    write_title(out, items, count);
    fputs("</title>\n<style>", out);
    fwrite(html_style.data, 1, html_style.size, out);
    fputs("</style>\n</head>\n", out);
}

static void write_plain(FILE *out, const report_item *items, size_t count) {
    fputs("<noscript>\n<h1>", out);
    write_title(out, items, count);
    fputs("</h1>\n<p>Without JavaScript this page shows tables alone.</p>\n", out);
    for (size_t i = 0; i < count; i++)
        html_tables(out, &items[i], i);
    fputs("</noscript>\n", out);
}

ibk_err report_write_html(FILE *out, const report_item *items, size_t count) {
    write_head(out, items, count);
    fputs("<body>\n<div id=\"app\"></div>\n", out);
    write_plain(out, items, count);
    ibk_err err = write_data(out, items, count);
    if (err)
        return err;
    fputs("<script>", out);
    fwrite(html_script.data, 1, html_script.size, out);
    fputs("</script>\n</body>\n</html>\n", out);
    return IBK_OK;
}
