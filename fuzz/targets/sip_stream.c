/* SIP messages out of a TCP stream: the same messages come out however the stream was cut into segments. */
#include "fuzz.h"
#include "ims/sip/framing.h"

/* Everything that the framer gives out, each message behind its length; then how it ended. */
static void frame(ibk_buf *log, ibk_span stream, size_t segment) {
    sip_framer framer = {0};
    ibk_err err = IBK_OK;
    for (size_t at = 0; at < stream.len && !err; at += segment) {
        size_t len = stream.len - at < segment ? stream.len - at : segment;
        err = sip_framer_push(&framer, ibk_span_of(stream.data + at, len));
        ibk_span message = {0};
        while (!err && (err = sip_framer_next(&framer, &message, NULL)) == IBK_OK && message.len > 0) {
            FUZZ_CHECK(ibk_buf_append(log, &message.len, sizeof message.len) == IBK_OK);
            FUZZ_CHECK(ibk_buf_append_span(log, message) == IBK_OK);
        }
    }
    FUZZ_CHECK(ibk_buf_append(log, &err, sizeof err) == IBK_OK);
    sip_framer_free(&framer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ibk_buf whole = {0}, pieces = {0};
    if (size > SIP_MAX_MESSAGE) /* whether too much waits at once does depend on the segments */
        return 0;
    frame(&whole, ibk_span_of(data, size), size);
    frame(&pieces, ibk_span_of(data, size), size / 64 + 1); /* octet by octet when it is short */
    fuzz_check_same(ibk_buf_span(&whole), ibk_buf_span(&pieces));
    ibk_buf_free(&whole);
    ibk_buf_free(&pieces);
    return 0;
}
