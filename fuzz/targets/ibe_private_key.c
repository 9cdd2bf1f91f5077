/* DER BFPrivateKeyBlock under the 1024-bit parameters: what is accepted is encoded to the same octets. */
#include "fixture.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ibk_ibe_key *key = NULL;
    ibk_diag diag = {0};
    ibk_err err = ibk_ibe_key_parse(&key, fuzz_params(1024), ibk_span_of(data, size), &diag);
    if (err) {
        fuzz_check_refusal(err, &diag, size);
        FUZZ_CHECK(key == NULL);
        return 0;
    }
    ibk_buf out = {0};
    FUZZ_CHECK(ibk_ibe_key_encode(key, &out) == IBK_OK);
    fuzz_check_same(ibk_span_of(data, size), ibk_buf_span(&out));
    ibk_buf_free(&out);
    ibk_ibe_key_free(key);
    return 0;
}
