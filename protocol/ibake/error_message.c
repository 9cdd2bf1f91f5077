/* Error message = HDR, T, {ERR}, {SP}, [V or SIGN] (RFC 3830 §5.1.2, §6.12). */
#include "ibake/session_internal.h"

/* ---- build
 * ---------------------------------------------------------------------------------------------------- */

/* What the peer is told; NO_ERROR_NO: nothing. P-16: what an attacker could learn from is not told by
 * default. */
static int number_for(const call *c, ibk_err err) {
    ibk_error_policy policy = c->s->policy.errors;
    if (policy == IBK_ERRORS_SILENT || !c->msg || c->msg->hdr.data_type == IBK_MSG_ERROR) {
        return NO_ERROR_NO;
    }
    if (c->error_no != NO_ERROR_NO || policy == IBK_ERRORS_PARAMETERS) {
        return c->error_no;
    }
    if (err == IBK_ERR_BAD_MAC) {
        return IBK_ERRNO_AUTH;
    }
    return err == IBK_ERR_REPLAYED ? IBK_ERRNO_TS : IBK_ERRNO_UNSPECIFIED;
}

/* RFC 3830 §5.1.2 (N34): what we would have accepted. */
static ibk_err add_supported(ibk_msg *msg, ibk_buf *params) {
    ibk_srtp_policy policy = ibk_srtp_policy_default();
    policy.present = 1u << IBK_SRTP_ENCR_ALG | 1u << IBK_SRTP_ENCR_KEY_LEN | 1u << IBK_SRTP_AUTH_ALG |
                     1u << IBK_SRTP_AUTH_KEY_LEN | 1u << IBK_SRTP_SALT_KEY_LEN | 1u << IBK_SRTP_AUTH_TAG_LEN;
    ibk_err err = ibk_srtp_policy_write(params, &policy);
    ibk_add_sp(&msg->chain, 0, IBK_PROT_SRTP, ibk_buf_span(params));
    return err;
}

void error_message_build(call *c, ibk_err err) {
    int number = number_for(c, err);
    const ibk_payload *t = c->msg ? ibk_msg_find(c->msg, IBK_PL_T, 0) : NULL;
    if (number == NO_ERROR_NO || !t) {
        return;
    }
    ibk_buf params = {0};
    ibk_msg msg = {.hdr = c->msg->hdr};
    msg.hdr.data_type = IBK_MSG_ERROR;
    msg.hdr.v_flag = false;
    ibk_add_t(&msg.chain, &t->t); /* of the message that it answers */
    ibk_add_error(&msg.chain, (uint8_t)number);
    ibk_err failed = IBK_OK;
    if ((number == IBK_ERRNO_SP || number == IBK_ERRNO_SPPAR) && msg.hdr.map_type != IBK_MAP_EMPTY) {
        failed = add_supported(&msg, &params); /* RFC 4563 §5: no SP beside an Empty map */
    }
    ibk_buf_clear(&c->s->out);
    if (failed || ibk_msg_write(&msg, &c->s->out) != IBK_OK) {
        ibk_buf_clear(&c->s->out);
    } else {
        c->s->out_type = IBK_MSG_ERROR;
    }
    ibk_msg_free(&msg);
    ibk_buf_free(&params);
}

/* ---- process
 * ---------------------------------------------------------------------------------------------------- */

ibk_err error_message_process(call *c) {
    ibk_session *s = c->s;
    const ibk_payload *t = ibk_msg_find(c->msg, IBK_PL_T, 0), *first = ibk_msg_find(c->msg, IBK_PL_ERR, 0);
    if (!t || !first) {
        call_fail(c, IBK_ERR_MISSING_PAYLOAD, t ? "ERR" : "T", "an Error message needs it");
        return CALL_DISCARD;
    }
    /* Unauthenticated as it is, it has at least to know the T of what we sent last. */
    const ibk_t *sent = s->state == IBK_STATE_I_WAIT_R_MESSAGE_2 ? &s->t2
                        : s->state == IBK_STATE_UPDATING         ? &s->update->t
                                                                 : &s->t1;
    if (!ibk_t_equal(&t->t, sent)) {
        call_fail(c, IBK_ERR_MISMATCH, "T", "an Error message about another message");
        return CALL_DISCARD;
    }
    c->peer_error = first->error.error_no;
    return ibk_fail(c->diag, IBK_ERR_PEER_ERROR, "ERR", first->offset, "%s (unauthenticated)",
                    ibk_error_no_name(first->error.error_no));
}
