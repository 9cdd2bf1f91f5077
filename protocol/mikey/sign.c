/* Messages that end with SIGN: RFC 3830 §5.2 and §6.5, RFC 6267 §5.4. */
#include "mikey/payload.h"
#include "mikey/rsa_pss.h"

static const ibk_payload *sign_of(const ibk_msg *msg) {
    if (msg->chain.count == 0 || msg->chain.items[msg->chain.count - 1].type != IBK_PL_SIGN)
        return NULL;
    return &msg->chain.items[msg->chain.count - 1];
}

/* Puts a payload in the place of the last one of a copy of the message. */
static ibk_err copy_with(ibk_msg *out, const ibk_msg *msg, ibk_span signature) {
    *out = (ibk_msg){.hdr = msg->hdr};
    size_t last = msg->chain.count - 1;
    for (size_t i = 0; i < last; i++)
        ibk_chain_add(&out->chain, &msg->chain.items[i]);
    ibk_add_sign(&out->chain, msg->chain.items[last].sign.sig_type, signature);
    return out->chain.err;
}

ibk_err ibk_msg_write_sign(const ibk_msg *msg, ibk_buf *out, const ibk_env *env, uint8_t hash,
                           ibk_span private_key, const ibk_span *ids, size_t n_ids) {
    if (!sign_of(msg))
        return IBK_ERR_USAGE;
    ibk_buf blank = {0}, covered = {0}, signature = {0};
    ibk_msg copy = {0};
    size_t len = 0;
    /* The signature's length is covered: a blank one stands in until it is known. */
    ibk_err err = ibk_rsa_signature_len(&len, private_key);
    if (!err)
        err = ibk_buf_resize(&blank, len);
    if (!err)
        err = copy_with(&copy, msg, ibk_buf_span(&blank));
    if (!err)
        err = ibk_msg_covered(&covered, &copy, ids, n_ids);
    if (!err)
        err = ibk_rsa_sign(&signature, env, sign_of(msg)->sign.sig_type, hash, private_key,
                           ibk_buf_span(&covered));
    ibk_msg_free(&copy);
    if (!err)
        err = copy_with(&copy, msg, ibk_buf_span(&signature));
    if (!err)
        err = ibk_msg_write(&copy, out);
    ibk_msg_free(&copy);
    ibk_buf_free(&signature);
    ibk_buf_free(&covered);
    ibk_buf_free(&blank);
    return err;
}

ibk_err ibk_msg_check_sign(const ibk_msg *msg, uint8_t hash, ibk_span public_key, const ibk_span *ids,
                           size_t n_ids, ibk_diag *diag) {
    const ibk_payload *p = sign_of(msg);
    if (!p)
        return ibk_fail(diag, IBK_ERR_MISSING_PAYLOAD, "SIGN", msg->octets.len,
                        "the message does not end with SIGN");
    ibk_buf covered = {0};
    ibk_err err = ibk_msg_covered(&covered, msg, ids, n_ids);
    if (!err)
        err = ibk_rsa_verify(p->sign.sig_type, hash, public_key, ibk_buf_span(&covered), p->sign.signature);
    ibk_buf_free(&covered);
    return err ? ibk_fail(diag, err, "SIGN", p->offset, NULL) : IBK_OK;
}
