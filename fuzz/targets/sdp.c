/* A session description: what is accepted is written in a form that is accepted and written alike; it can be
 * answered, and the answer is well-formed. */
#include "ims/sip/sdp.h"
#include "fuzz.h"

static void check_written(const sip_sdp *sdp) {
    ibk_buf first = {0}, second = {0};
    sip_sdp *again = NULL;
    FUZZ_CHECK(sip_sdp_encode(&first, sdp) == IBK_OK);
    ibk_err err = sip_sdp_parse(&again, ibk_buf_span(&first), NULL);
    if (err != IBK_ERR_LIMIT) { /* defaults are written in full, which may pass a limit */
        FUZZ_CHECK(err == IBK_OK);
        FUZZ_CHECK(sip_sdp_encode(&second, again) == IBK_OK);
        fuzz_check_same(ibk_buf_span(&first), ibk_buf_span(&second));
    }
    sip_sdp_free(again);
    ibk_buf_free(&first);
    ibk_buf_free(&second);
}

/* As the callee of the scenarios answers. */
static void check_answer(const sip_sdp *offer) {
    static const sip_rtpmap formats[] = {
        {.payload_type = 0, .encoding = "PCMU", .clock = 8000, .channels = 1},
        {.payload_type = 8, .encoding = "PCMA", .clock = 8000, .channels = 1}};
    static const sip_rtpmap video = {.payload_type = 96, .encoding = "H264", .clock = 90000, .channels = 1};
    const sip_sdp_stream streams[] = {
        {.type = "audio",
         .port = 20000,
         .proto = "RTP/SAVP",
         .format = formats,
         .format_count = 2,
         .ptime_ms = 20},
        {.type = "video", .port = 20002, .proto = "RTP/SAVP", .format = &video, .format_count = 1}};
    sip_sdp_params params = {.local = {.family = 4, .octets = {10, 0, 0, 9}},
                             .session_id = 1,
                             .session_version = 1,
                             .streams = streams,
                             .stream_count = 2};
    sip_sdp *answer = NULL;
    ibk_err err = sip_sdp_answer(&answer, offer, &params);
    FUZZ_CHECK(err == IBK_OK || (err == IBK_ERR_MISMATCH && !answer));
    if (err)
        return;
    FUZZ_CHECK(answer->media_count == offer->media_count);
    check_written(answer);
    sip_sdp_free(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    FUZZ_CHECK(sip_init() == IBK_OK);
    sip_sdp *sdp = NULL;
    ibk_diag diag = {0};
    ibk_err err = sip_sdp_parse(&sdp, ibk_span_of(data, size), &diag);
    if (err) {
        FUZZ_CHECK(sdp == NULL && diag.err == err && diag.payload != NULL);
        return 0;
    }
    for (size_t i = 0; i < sdp->media_count; i++) {
        sip_addr addr;
        (void)sip_sdp_key_mgmt(sdp, i, "mikey");
        (void)sip_sdp_address(sdp, i, &addr);
    }
    check_written(sdp);
    check_answer(sdp);
    sip_sdp_free(sdp);
    return 0;
}
