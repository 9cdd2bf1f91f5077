/* Decrypted content of an IBAKE, ESK or KEMAC payload, chosen by the first octet: what parses is written back
 * to the same octets. Any caller can have such octets decrypted by the callee. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t containers[] = {IBK_PL_IBAKE, IBK_PL_ESK, IBK_PL_KEMAC};
    if (size == 0)
        return 0;
    ibk_span in = ibk_span_of(data + 1, size - 1);
    ibk_chain chain = {0};
    ibk_buf out = {0};
    ibk_diag diag = {0};
    ibk_err err = ibk_chain_parse(&chain, containers[data[0] % sizeof containers], IBK_PL_IDR, in, &diag);
    if (err) {
        fuzz_check_refusal(err, &diag, in.len);
        FUZZ_CHECK(chain.count == 0);
        return 0;
    }
    FUZZ_CHECK(ibk_chain_write(&chain, &out) == IBK_OK);
    fuzz_check_same(in, ibk_buf_span(&out));
    ibk_buf_free(&out);
    ibk_chain_free(&chain);
    return 0;
}
