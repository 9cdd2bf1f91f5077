/* What a MIKEY message says: its description covers every octet once; peeking at it agrees with parsing it;
 * its map has as many entries as the header says; a policy that is understood means the same after it was
 * written. That parsing keeps every octet is another target's (mikey_message.c), which is faster without
 * this. */
#include "fuzz.h"

/* Where the description has come to. */
typedef struct tiles {
    size_t at, end;
} tiles;

/* The next field begins where the last one ended, or shares its octet. */
static void check_tile(void *user, const ibk_field *field) {
    tiles *t = user;
    FUZZ_CHECK(field->name != NULL && field->text != NULL && field->len > 0);
    FUZZ_CHECK(field->offset == t->end || field->offset == t->at);
    t->at = field->offset;
    t->end = field->offset + field->len;
}

static void check_description(const ibk_msg *msg, size_t size) {
    tiles t = {0};
    ibk_describe_hdr(msg, check_tile, &t);
    for (size_t i = 0; i < msg->chain.count; i++)
        ibk_describe_payload(&msg->chain.items[i], check_tile, &t);
    FUZZ_CHECK(t.end == size);
}

static void walk_map(const ibk_hdr *hdr) {
    ibk_cs_srtp srtp;
    ibk_cs_generic generic;
    ibk_srtp_session session;
    size_t count = 0;
    while (ibk_map_srtp(hdr, count, &srtp))
        count++;
    while (ibk_map_generic(hdr, count, &generic)) {
        (void)ibk_srtp_session_parse(&session, &generic);
        count++;
    }
    FUZZ_CHECK(hdr->map_type == IBK_MAP_EMPTY || count == hdr->n_cs);
}

/* A policy that is understood means the same after it was written. */
static void check_policy(const ibk_sp *sp) {
    ibk_srtp_policy policy, again;
    ibk_buf params = {0}, second = {0};
    if (ibk_srtp_policy_parse(&policy, sp, NULL) != IBK_OK)
        return;
    FUZZ_CHECK(ibk_srtp_policy_write(&params, &policy) == IBK_OK);
    ibk_sp written = {
        .policy_no = sp->policy_no, .prot_type = sp->prot_type, .params = ibk_buf_span(&params)};
    FUZZ_CHECK(ibk_srtp_policy_parse(&again, &written, NULL) == IBK_OK);
    FUZZ_CHECK(ibk_srtp_policy_write(&second, &again) == IBK_OK);
    fuzz_check_same(ibk_buf_span(&params), ibk_buf_span(&second));
    ibk_buf_free(&params);
    ibk_buf_free(&second);
}

static void check_peek(const ibk_msg *msg, ibk_span in) {
    ibk_peek peek;
    ibk_diag diag = {0};
    ibk_err err = ibk_message_peek(&peek, in, &diag);
    if (err) {
        FUZZ_CHECK(diag.err == err);
        return;
    }
    FUZZ_CHECK(peek.data_type == msg->hdr.data_type && peek.csb_id == msg->hdr.csb_id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ibk_span in = ibk_span_of(data, size);
    ibk_msg msg = {0};
    if (ibk_msg_parse(&msg, in, NULL) != IBK_OK)
        return 0;
    check_description(&msg, size);
    check_peek(&msg, in);
    walk_map(&msg.hdr);
    for (size_t i = 0; i < ibk_chain_count(&msg.chain, IBK_PL_SP); i++)
        check_policy(&ibk_msg_find(&msg, IBK_PL_SP, i)->sp);
    ibk_msg_free(&msg);
    return 0;
}
