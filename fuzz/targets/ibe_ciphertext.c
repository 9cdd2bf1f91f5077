/* DER BFCiphertextBlock: what is accepted is encoded to the same octets. (Decryption is `responder`'s.) */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ibk_ibe_ciphertext ct;
    ibk_diag diag = {0};
    ibk_err err = ibk_ibe_ciphertext_parse(&ct, ibk_span_of(data, size), &diag);
    if (err) {
        fuzz_check_refusal(err, &diag, size);
        return 0;
    }
    ibk_buf out = {0};
    FUZZ_CHECK(ibk_ibe_ciphertext_encode(&ct, &out) == IBK_OK);
    fuzz_check_same(ibk_span_of(data, size), ibk_buf_span(&out));
    ibk_buf_free(&out);
    return 0;
}
