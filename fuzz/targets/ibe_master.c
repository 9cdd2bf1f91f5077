/* DER BFMasterSecret under the 1024-bit parameters: what is accepted is encoded to the same octets, and lies
 * in 2 … q-1; that of another KMS is told from ours. */
#include "fixture.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ibk_ibe_master *master = NULL;
    ibk_diag diag = {0};
    ibk_buf out = {0}, ours = {0};
    ibk_err err = ibk_ibe_master_parse(&master, fuzz_params(1024), ibk_span_of(data, size), &diag);
    if (err) {
        fuzz_check_refusal(err, &diag, size);
        FUZZ_CHECK(master == NULL);
        return 0;
    }
    FUZZ_CHECK(ibk_ibe_master_encode(master, &out) == IBK_OK);
    fuzz_check_same(ibk_span_of(data, size), ibk_buf_span(&out));
    FUZZ_CHECK(ibk_ibe_master_encode(fuzz_master(), &ours) == IBK_OK);
    bool same = ibk_span_equal(ibk_buf_span(&out), ibk_buf_span(&ours));
    FUZZ_CHECK((ibk_ibe_master_check(fuzz_params(1024), master) == IBK_OK) == same);
    ibk_buf_free(&out);
    ibk_buf_free(&ours);
    ibk_ibe_master_free(master);
    return 0;
}
