/* A page from folders, for the tests of the page: html_page OUT DIR…
 * DIR/result.json, and as `run` what DIR/page-run.json holds, if it is there. */
#include "reports/html.h"

#include <stdlib.h>
#include <string.h>

/* A run's messages; none of a folder without them. */
static bool load_run(report_item *item) {
    char path[4096];
    json_error_t why;
    snprintf(path, sizeof path, "%s/page-run.json", item->dir);
    FILE *file = fopen(path, "rb");
    if (!file)
        return true;
    item->run = json_loadf(file, 0, &why);
    fclose(file);
    if (!item->run)
        fprintf(stderr, "%s:%d: %s\n", path, why.line, why.text);
    return item->run != NULL;
}

int main(int argc, char **argv) {
    char error[800];
    report_items items = {0};
    int status = 0;
    if (argc < 3) {
        fprintf(stderr, "usage: html_page OUT DIR...\n");
        return 2;
    }
    for (int i = 2; !status && i < argc; i++)
        if (report_load(&items, argv[i], error, sizeof error) != IBK_OK) {
            fprintf(stderr, "%s\n", error);
            status = 2;
        }
    for (size_t i = 0; !status && i < items.count; i++)
        status = load_run(&items.list[i]) ? 0 : 2;
    FILE *out = status ? NULL : fopen(argv[1], "wb");
    if (!status && (!out || report_write_html(out, items.list, items.count) != IBK_OK))
        status = 3;
    if (out && fclose(out) != 0)
        status = 3;
    report_items_free(&items);
    return status;
}
