/* The model of a processor: refused with a reason, or written as a file that gives the same model. */
#include "cpu/model.h"
#include "fuzz.h"

#include <string.h>

static void check_times(const cpu_times *want, const cpu_times *got) {
    FUZZ_CHECK(want->count > 0 && want->count <= CPU_MODEL_SIZES && got->count == want->count);
    for (size_t i = 0; i < want->count; i++) {
        FUZZ_CHECK(i == 0 || want->at[i - 1].size < want->at[i].size);
        FUZZ_CHECK(want->at[i].ns <= CPU_MODEL_MAX_NS);
        FUZZ_CHECK(got->at[i].size == want->at[i].size && got->at[i].ns == want->at[i].ns);
    }
}

static void check_written(const cpu_model *model) {
    ibk_buf text = {0};
    cpu_model again;
    char why[CPU_MODEL_WHY];
    FUZZ_CHECK(cpu_model_write(&text, model, "once more") == IBK_OK);
    FUZZ_CHECK(cpu_model_read(&again, "again", ibk_buf_span(&text), why) == IBK_OK);
    FUZZ_CHECK(again.timed == model->timed && strcmp(again.name, model->name) == 0);
    for (int what = 1; what < CPU_MODEL_OPERATIONS; what++)
        check_times(&model->times[what], &again.times[what]);
    ibk_buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cpu_model model;
    char why[CPU_MODEL_WHY] = "";
    if (cpu_model_read(&model, "input", ibk_span_of(data, size), why))
        FUZZ_CHECK(strncmp(why, "input", strlen("input")) == 0);
    else
        check_written(&model);
    return 0;
}
