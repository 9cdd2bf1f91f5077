/* The XML of RFC 5408's key request (§5.3) and of its answer (§5.6): what is read is written as a document
 * that reads alike, and no document is both. */
#include "fuzz.h"
#include "kms/xml_request.h"

#include <string.h>

static bool request(ibk_span in) {
    ibe_request read, again;
    ibk_diag diag = {0};
    ibk_buf out = {0};
    ibk_err err = ibe_request_read(&read, in, &diag);
    if (err) {
        fuzz_check_refusal(err, &diag, in.len);
        ibe_request_free(&read);
        return false;
    }
    FUZZ_CHECK(strlen(read.client) < IBE_XML_CLIENT);
    FUZZ_CHECK(ibe_request_write(&out, ibk_buf_span(&read.algorithm), ibk_buf_span(&read.identity)) ==
               IBK_OK);
    FUZZ_CHECK(ibe_request_read(&again, ibk_buf_span(&out), NULL) == IBK_OK);
    fuzz_check_same(ibk_buf_span(&read.algorithm), ibk_buf_span(&again.algorithm));
    fuzz_check_same(ibk_buf_span(&read.identity), ibk_buf_span(&again.identity));
    ibe_request_free(&read);
    ibe_request_free(&again);
    ibk_buf_free(&out);
    return true;
}

static bool response(ibk_span in) {
    ibe_response read, again;
    ibk_diag diag = {0};
    ibk_buf out = {0};
    ibk_err err = ibe_response_read(&read, in, &diag);
    if (err) {
        fuzz_check_refusal(err, &diag, in.len);
        ibe_response_free(&read);
        return false;
    }
    FUZZ_CHECK((read.code == IBE_KEY_FOLLOWS) == (read.key.len > 0)); /* §5.6: nothing else brings a key */
    FUZZ_CHECK(ibe_response_write(&out, read.code, ibk_buf_span(&read.key), ibe_code_name(read.code)) ==
               IBK_OK);
    FUZZ_CHECK(ibe_response_read(&again, ibk_buf_span(&out), NULL) == IBK_OK);
    FUZZ_CHECK(read.code == again.code);
    fuzz_check_same(ibk_buf_span(&read.key), ibk_buf_span(&again.key));
    ibe_response_free(&read);
    ibe_response_free(&again);
    ibk_buf_free(&out);
    return true;
}

/* libxml2 is made ready at first use. */
int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    (void)request((ibk_span){0});
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bool asks = request(ibk_span_of(data, size)), answers = response(ibk_span_of(data, size));
    FUZZ_CHECK(!asks || !answers);
    return 0;
}
