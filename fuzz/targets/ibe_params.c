/* DER BFPublicParameters: what is accepted is encoded to the same octets and is one of the five sizes. */
#include "fixture.h"
#include "fuzz.h"

/* Sets that the primality test, which takes most of the time, may be left out for. */
static const ibk_ibe_params *likely(size_t size) {
    return fuzz_params(size < 500 ? 1024 : size < 900 ? 2048 : 3072);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ibk_ibe_params *params = NULL;
    ibk_diag diag = {0};
    ibk_err err = ibk_ibe_params_parse(&params, ibk_span_of(data, size), likely(size), &diag);
    if (err) {
        fuzz_check_refusal(err, &diag, size);
        FUZZ_CHECK(params == NULL);
        return 0;
    }
    ibk_buf out = {0};
    FUZZ_CHECK(ibk_ibe_params_encode(params, &out) == IBK_OK);
    fuzz_check_same(ibk_span_of(data, size), ibk_buf_span(&out));
    FUZZ_CHECK(ibk_ibe_size_of(ibk_ibe_params_n(params)) != NULL);
    ibk_buf_free(&out);
    ibk_ibe_params_free(params);
    return 0;
}
