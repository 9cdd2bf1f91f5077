/* A page from folders, for the tests of the page: html_page OUT TITLE DIR…
 * DIR/result.json, and DIR/page-run.json if it is there. */
#include "reports/html.h"

#include <stdlib.h>
#include <string.h>

static json_t *load(const char *dir, const char *name, bool wanted) {
    char path[4096];
    json_error_t error;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "rb");
    if (!file) {
        if (wanted)
            fprintf(stderr, "%s: cannot be read\n", path);
        return NULL;
    }
    json_t *json = json_loadf(file, 0, &error);
    fclose(file);
    if (!json)
        fprintf(stderr, "%s:%d: %s\n", path, error.line, error.text);
    return json;
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: html_page OUT TITLE DIR...\n");
        return 2;
    }
    size_t count = (size_t)argc - 3;
    report_item *items = calloc(count, sizeof *items);
    FILE *out = fopen(argv[1], "wb");
    int status = items && out ? 0 : 2;
    for (size_t i = 0; !status && i < count; i++) {
        items[i].dir = argv[3 + i];
        items[i].result = load(items[i].dir, "result.json", true);
        items[i].run = load(items[i].dir, "page-run.json", false);
        if (!items[i].result)
            status = 2;
    }
    ibk_diag diag = {0};
    if (!status && report_write_html(out, items, count, argv[2], &diag) != IBK_OK) {
        fprintf(stderr, "%s\n", diag.detail);
        status = 3;
    }
    for (size_t i = 0; items && i < count; i++) {
        json_decref(items[i].result);
        json_decref(items[i].run);
    }
    free(items);
    if (out && fclose(out) != 0)
        status = 3;
    return status;
}
