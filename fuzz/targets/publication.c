/* DER of RFC 5408: IBESysParams, IBEIdentityInfo, IBEPrivateKeyReply, OBJECT IDENTIFIER. Whatever one of them
 * accepts is written back to the same octets, and no two of the structures accept the same. */
#include "fixture.h"
#include "fuzz.h"

static bool parameters(ibk_span in, ibk_buf *out) {
    ibk_sysparams p;
    ibk_diag diag = {0};
    ibk_err err = ibk_sysparams_parse(&p, in, &diag);
    if (err) {
        fuzz_check_refusal(err, &diag, in.len);
        return false;
    }
    ibk_span uri;
    FUZZ_CHECK(ibk_sysparams_write(out, &p) == IBK_OK);
    FUZZ_CHECK(p.not_before_s <= p.not_after_s && p.n_algorithms > 0);
    (void)ibk_sysparams_usable(&p, fuzz_now().utc_ns, NULL);
    (void)ibk_sysparams_covers(&p, fuzz_bob_today(), NULL);
    (void)ibk_sysparams_pkg_uri(&uri, &p, NULL);
    return true;
}

static bool identity(ibk_span in, ibk_buf *out) {
    ibk_identity_info info;
    ibk_diag diag = {0};
    ibk_err err = ibk_identity_info_parse(&info, in, &diag);
    if (err) {
        fuzz_check_refusal(err, &diag, in.len);
        return false;
    }
    FUZZ_CHECK(ibk_identity_info_write(out, &info) == IBK_OK);
    return true;
}

static bool reply(ibk_span in, ibk_buf *out) {
    ibk_key_reply r;
    ibk_diag diag = {0};
    ibk_err err = ibk_key_reply_parse(&r, in, &diag);
    if (err) {
        fuzz_check_refusal(err, &diag, in.len);
        return false;
    }
    FUZZ_CHECK(ibk_key_reply_write(out, &r) == IBK_OK);
    FUZZ_CHECK(ibk_key_reply_check(&r, &r.identity, NULL) != IBK_ERR_MISMATCH);
    return true;
}

static bool oid(ibk_span in, ibk_buf *out) {
    ibk_span o;
    ibk_diag diag = {0};
    ibk_err err = ibk_oid_parse(&o, in, &diag);
    if (err) {
        fuzz_check_refusal(err, &diag, in.len);
        return false;
    }
    FUZZ_CHECK(ibk_oid_write(out, o) == IBK_OK);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static bool (*const parsers[])(ibk_span, ibk_buf *) = {parameters, identity, reply, oid};
    int accepted = 0;
    for (size_t i = 0; i < sizeof parsers / sizeof *parsers; i++) {
        ibk_buf out = {0};
        if (parsers[i](ibk_span_of(data, size), &out)) {
            accepted++;
            fuzz_check_same(ibk_span_of(data, size), ibk_buf_span(&out));
        }
        ibk_buf_free(&out);
    }
    FUZZ_CHECK(accepted <= 1);
    return 0;
}
