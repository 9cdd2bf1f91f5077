/* Writes docs/scenario-reference.md, or the text for a terminal, to standard output. */
#include "scenario/model.h"
#include <string.h>

int main(int argc, char **argv) {
    ibk_buf out = {0};
    bool text = argc == 2 && strcmp(argv[1], "--text") == 0;
    if (argc > 1 && !text) {
        fprintf(stderr, "usage: %s [--text]\n", argv[0]);
        return 2;
    }
    ibk_err err = text ? scn_reference_text(&out) : scn_reference_markdown(&out);
    bool ok = err == IBK_OK && fwrite(out.data, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
    ibk_buf_free(&out);
    return ok ? 0 : 3;
}
