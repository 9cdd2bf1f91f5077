/* A SIP message over UDP and TCP: what is accepted is written in a form that is accepted and written alike; a
 * copy is written alike; the readers of single header fields never harm. */
#include "fuzz.h"
#include "ims/sip/digest.h"
#include "ims/sip/message.h"

static void read_addresses(sip_msg *msg) {
    static const char *const names[] = {"Path", "Service-Route", "P-Asserted-Identity",
                                        "P-Preferred-Identity", "P-Associated-URI"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        sip_name_addr *addr;
        size_t count;
        if (sip_header_addrs(msg, names[i], &addr, &count, NULL) == IBK_OK)
            FUZZ_CHECK(count <= SIP_MAX_LIST);
    }
}

static void read_credentials(sip_msg *msg) {
    static const char *const names[] = {"WWW-Authenticate", "Authorization", "Proxy-Authenticate",
                                        "Proxy-Authorization"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        sip_auth auth;
        if (sip_auth_get(msg, &auth, names[i], NULL, NULL) == IBK_OK && auth.response)
            (void)sip_auth_verify(&auth, "REGISTER", "password");
    }
}

static void read_fields(sip_msg *msg) {
    sip_rack rack;
    uint32_t number;
    char label[64];
    (void)sip_rack_get(msg, &rack);
    (void)sip_header_u32(msg, "Expires", &number);
    (void)sip_header_u32(msg, "RSeq", &number);
    (void)sip_header_has_token(msg, "Require", "100rel");
    (void)sip_from_tag(msg);
    (void)sip_to_tag(msg);
    (void)sip_has_body_type(msg, "application/sdp");
    FUZZ_CHECK(sip_top_branch(msg) != NULL);
    sip_msg_label(label, sizeof label, msg);
    sip_msg_cseq(label, sizeof label, msg);
    read_addresses(msg);
    read_credentials(msg);
}

static void check_written(const sip_msg *msg) {
    ibk_buf first = {0}, second = {0};
    sip_msg *again = NULL, *copy = sip_msg_clone(msg);
    FUZZ_CHECK(copy != NULL);
    FUZZ_CHECK(sip_msg_encode(&first, msg) == IBK_OK);
    FUZZ_CHECK(sip_msg_encode(&second, copy) == IBK_OK);
    fuzz_check_same(ibk_buf_span(&first), ibk_buf_span(&second));
    ibk_buf_clear(&second);
    ibk_diag diag = {0};
    ibk_err err = sip_msg_parse(&again, ibk_buf_span(&first), SIP_STREAM, &diag);
    if (err != IBK_ERR_LIMIT) { /* compact forms are written in full, which may pass a limit */
        FUZZ_CHECK(err == IBK_OK);
        FUZZ_CHECK(sip_msg_encode(&second, again) == IBK_OK);
        fuzz_check_same(ibk_buf_span(&first), ibk_buf_span(&second));
    }
    sip_msg_free(again);
    sip_msg_free(copy);
    ibk_buf_free(&first);
    ibk_buf_free(&second);
}

static void try_framing(ibk_span in, sip_framing framing) {
    sip_msg *msg = NULL;
    ibk_diag diag = {0};
    ibk_err err = sip_msg_parse(&msg, in, framing, &diag);
    if (err) {
        FUZZ_CHECK(msg == NULL && diag.err == err && diag.payload != NULL);
        return;
    }
    check_written(msg);
    read_fields(msg);
    sip_msg_free(msg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    FUZZ_CHECK(sip_init() == IBK_OK);
    try_framing(ibk_span_of(data, size), SIP_DATAGRAM);
    try_framing(ibk_span_of(data, size), SIP_STREAM);
    return 0;
}
