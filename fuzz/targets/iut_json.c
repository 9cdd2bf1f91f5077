/* The contract of an implementation under test (conformance/IUT.md): the input is what the suite writes,
 * lines of JSON. Each line has one answer, which is a JSON object with `result` and with the `seq` of its
 * request. */
#include "conformance/iut/iut.h"
#include "fixture.h"
#include "fuzz.h"

#include <jansson.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

/* Cases that name no seed draw from the system's generator: here a stream that begins anew with each input.
 */
static fuzz_random stream;
int __wrap_RAND_priv_bytes(unsigned char *out, int len);

int __wrap_RAND_priv_bytes(unsigned char *out, int len) {
    ibk_env env = fuzz_env(&stream);
    return len >= 0 && env.draw(env.user, IBK_DRAW_X, out, (size_t)len) == IBK_OK;
}

static size_t lines_of(ibk_span text) {
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += text.data[i] == '\n';
    return n + (text.len > 0 && text.data[text.len - 1] != '\n');
}

static void check_answer(const char *line, size_t len) {
    static const char *const results[] = {"ok", "refused", "unsupported", "malformed"};
    json_t *answer = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
    const char *result = json_string_value(json_object_get(answer, "result"));
    const json_t *seq = json_object_get(answer, "seq");
    bool known = false;
    for (size_t i = 0; result && i < 4; i++)
        known = known || strcmp(result, results[i]) == 0;
    FUZZ_CHECK(known);
    FUZZ_CHECK(json_is_integer(seq) || json_is_null(seq));
    FUZZ_CHECK(strcmp(result, "ok") == 0 || json_is_string(json_object_get(answer, "what")));
    json_decref(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *answers = NULL;
    size_t len = 0;
    stream = (fuzz_random){0};
    if (size == 0)
        return 0;
    FILE *in = fmemopen((void *)(uintptr_t)data, size, "r"), *out = open_memstream(&answers, &len);
    FUZZ_CHECK(in && out);
    FUZZ_CHECK(iut_serve(in, out, "fuzz") == IBK_OK);
    fclose(in);
    fclose(out);
    FUZZ_CHECK(lines_of(ibk_span_of(answers, len)) == lines_of(ibk_span_of(data, size)));
    for (char *at = answers, *end; at < answers + len; at = end + 1) {
        end = memchr(at, '\n', len - (size_t)(at - answers));
        FUZZ_CHECK(end);
        check_answer(at, (size_t)(end - at));
    }
    free(answers);
    return 0;
}
