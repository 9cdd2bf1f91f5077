#include "cli/bench_result.h"

#include "cli/cli.h"

#include <openssl/crypto.h>
#include <string.h>

void bench_processor(char *out, size_t size) {
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "r");
    out[0] = 0;
    while (file && !*out && fgets(line, sizeof line, file))
        if (strncmp(line, "model name", 10) == 0 && strchr(line, ':')) {
            line[strcspn(line, "\n")] = 0;
            snprintf(out, size, "%s", strchr(line, ':') + 1 + strspn(strchr(line, ':') + 1, " \t"));
        }
    if (file)
        fclose(file);
}

void bench_result_begin(result_model *m, const char *subject, const char *title, bool quick) {
    char timestamp[20], processor[128];
    model_begin(m, "benchmark", title, subject);
    model_version(m, "ibakelab", IBAKELAB_VERSION);
    model_version(m, "openssl", OpenSSL_version(OPENSSL_FULL_VERSION_STRING));
    model_timestamp(timestamp);
    model_set(m, "timestamp", jb_text(timestamp));
    bench_processor(processor, sizeof processor);
    model_set(m, "machine", jb_text(*processor ? processor : NULL));
    model_set(m, "quick", json_boolean(quick));
}

int bench_result_end(result_model *m, const char *command, const char *path) {
    ibk_diag diag = {0};
    ibk_err err = model_write(m, path, &diag);
    model_free(m);
    return err ? cli_fail(command, "--json", err, &diag) : CLI_OK;
}
