/* ibakelab: pictures into files.
 */
#include "cli/drawing.h"

#include <stdlib.h>
#include <string.h>

int drawing_write(const char *command, const char *path, drawing *draw, const void *what) {
    char *text = NULL;
    size_t len = 0;
    ibk_diag diag = {0};
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return cli_fail(command, path, IBK_ERR_NO_MEMORY, NULL);
    bool any = draw(out, what);
    ibk_err err = fclose(out) == 0 ? IBK_OK : IBK_ERR_NO_MEMORY;
    if (!err && !any) {
        free(text);
        return cli_error(command, "%s: there is nothing to draw", path);
    }
    if (!err && strcmp(path, "-") == 0)
        fwrite(text, 1, len, stdout); /* cli_finish() sees a failure */
    else if (!err)
        err = cli_write_file(path, ibk_span_of(text, len), 0644, true, &diag);
    free(text);
    return err ? cli_fail(command, path, err, &diag) : CLI_OK;
}
