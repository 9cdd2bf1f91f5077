/* A MIKEY message: what parses is written back to the same octets, and what parsing holds on the heap is
 * bounded by the message's length. What a message says is another target's (mikey_meaning.c). */
#include "fuzz.h"
#include "world/accounts.h"

/* A payload of three octets takes a struct of 150 in a list that doubles. */
enum { HEAP_FIXED = 4096, HEAP_OCTET = 256 };

static void check_written_back(const ibk_msg *msg, ibk_span in) {
    ibk_buf out = {0};
    FUZZ_CHECK(ibk_msg_write(msg, &out) == IBK_OK);
#ifdef FUZZ_BROKEN_CSB_ID /* the deliberately broken twin: proves that a finding is noticed */
    if (msg->hdr.csb_id == FUZZ_BROKEN_CSB_ID)
        out.data[4] ^= 1;
#endif
    fuzz_check_same(in, ibk_buf_span(&out));
    ibk_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ibk_span in = ibk_span_of(data, size);
    ibk_msg msg = {0};
    ibk_diag diag = {0};
    accounts_mark();
    size_t before = accounts_held();
    ibk_err err = ibk_msg_parse(&msg, in, &diag);
    FUZZ_CHECK(accounts_peak() - before <= HEAP_FIXED + HEAP_OCTET * size);
    if (err) {
        fuzz_check_refusal(err, &diag, size);
        FUZZ_CHECK(msg.chain.count == 0);
        return 0;
    }
    check_written_back(&msg, in);
    ibk_msg_free(&msg);
    return 0;
}
