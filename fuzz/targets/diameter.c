/* A Diameter message as it comes out of a stream: no prefix is taken for more than it is; the AVPs lie
 * inside, and are read alike when they are written anew; the readers of Cx never harm. */
#include "fuzz.h"
#include "ims/core/cx_codec.h"

#include <string.h>

static void check_frame(ibk_span in) {
    size_t whole = diameter_frame(in);
    for (size_t len = 0; len < in.len && len < DIAMETER_HEADER_LEN; len++) {
        size_t part = diameter_frame(ibk_span_of(in.data, len));
        FUZZ_CHECK(part == 0 || part == whole);
    }
    FUZZ_CHECK(whole == 0 || whole == SIZE_MAX ||
               (whole >= DIAMETER_HEADER_LEN && whole <= DIAMETER_MAX_LEN));
}

static void check_inside(const diameter_avp *avp, ibk_span in) {
    FUZZ_CHECK(avp->data.data >= in.data && avp->data.len <= (size_t)(in.data + in.len - avp->data.data));
}

static void check_header(const diameter_header *want, const diameter_header *got) {
    FUZZ_CHECK(want->request == got->request && want->proxiable == got->proxiable &&
               want->error == got->error);
    FUZZ_CHECK(want->command == got->command && want->application == got->application);
    FUZZ_CHECK(want->hop_by_hop == got->hop_by_hop && want->end_to_end == got->end_to_end);
}

/* The writer knows which vendor a code is of. */
static void check_written(const diameter_message *message) {
    ibk_buf out = {0};
    diameter_writer w;
    diameter_message again;
    ibk_diag diag = {0};
    diameter_begin(&w, &out, &message->header);
    for (size_t i = 0; i < message->avp_count; i++)
        diameter_put(&w, message->avp[i].code, message->avp[i].data);
    ibk_err err = diameter_end(&w);
    FUZZ_CHECK(err == IBK_OK || err == IBK_ERR_LIMIT); /* a vendor takes four octets more */
    if (!err) {
        FUZZ_CHECK(diameter_parse(&again, ibk_buf_span(&out), &diag) == IBK_OK);
        check_header(&message->header, &again.header);
        FUZZ_CHECK(again.avp_count == message->avp_count);
    }
    for (size_t i = 0; !err && i < again.avp_count; i++) {
        FUZZ_CHECK(again.avp[i].code == message->avp[i].code);
        fuzz_check_same(message->avp[i].data, again.avp[i].data);
    }
    ibk_buf_free(&out);
}

static void read_answer(const diameter_message *message) {
    cx_answer answer = {0};
    cx_read_answer(&answer, message);
    FUZZ_CHECK(answer.identity_count <= CX_IDENTITIES_MAX && answer.result == diameter_result(message));
    for (size_t i = 0; i < answer.identity_count; i++)
        FUZZ_CHECK(answer.identities[i][0] && strlen(answer.identities[i]) < CX_TEXT_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ibk_span in = ibk_span_of(data, size);
    diameter_message message = {0};
    ibk_diag diag = {0};
    check_frame(in);
    ibk_err err = diameter_parse(&message, in, &diag);
    if (err) {
        fuzz_check_refusal(err, &diag, size);
        return 0;
    }
    for (size_t i = 0; i < message.avp_count; i++)
        check_inside(&message.avp[i], in);
    check_written(&message);
    read_answer(&message);
    return 0;
}
