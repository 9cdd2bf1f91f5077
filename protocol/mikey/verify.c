/* What V and SIGN cover, and V: RFC 6267 §5.4, RFC 3830 §5.2, P-8. */
#include "mikey/payload.h"

/* The last payload if it is of this type, else NULL. */
static const ibk_payload *closing(const ibk_msg *msg, uint8_t type) {
    if (msg->chain.count == 0)
        return NULL;
    const ibk_payload *last = &msg->chain.items[msg->chain.count - 1];
    return last->type == type ? last : NULL;
}

/* The message without ESK payloads and with an empty MAC or signature field: everything before that field.
 * A signature's length stays in its own field, so it is written and cut off again. */
static ibk_err write_covered(ibk_buf *out, const ibk_msg *msg) {
    ibk_msg bare = {.hdr = msg->hdr};
    for (size_t i = 0; i < msg->chain.count; i++)
        if (msg->chain.items[i].type != IBK_PL_ESK) // RFC 6267 §5.4
            ibk_chain_add(&bare.chain, &msg->chain.items[i]);
    const ibk_payload *last = &msg->chain.items[msg->chain.count - 1];
    size_t cut = last->type == IBK_PL_V ? ibk_mac_len(last->v.mac_alg) : last->sign.signature.len;
    ibk_err err = ibk_msg_write(&bare, out);
    if (!err)
        err = ibk_buf_resize(out, out->len - cut);
    ibk_chain_free(&bare.chain);
    return err;
}

ibk_err ibk_msg_covered(ibk_buf *out, const ibk_msg *msg, const ibk_span *ids, size_t n_ids) {
    if (!closing(msg, IBK_PL_V) && !closing(msg, IBK_PL_SIGN))
        return IBK_ERR_USAGE;
    size_t start = out->len;
    ibk_err err = write_covered(out, msg);
    for (size_t i = 0; i < n_ids && !err; i++)
        err = ibk_buf_append_span(out, ids[i]);
    if (err && out->len > start)
        (void)ibk_buf_resize(out, start);
    return err;
}

static ibk_err compute(uint8_t mac[IBK_MAC_MAX], const ibk_msg *msg, uint8_t mac_alg, ibk_span auth_key,
                       const ibk_span *ids, size_t n_ids) {
    ibk_buf covered = {0};
    ibk_err err = ibk_msg_covered(&covered, msg, ids, n_ids);
    ibk_span all = ibk_buf_span(&covered);
    if (!err)
        err = ibk_mac_compute(mac, mac_alg, auth_key, &all, 1);
    ibk_buf_free(&covered);
    return err;
}

ibk_err ibk_msg_write_v(const ibk_msg *msg, ibk_buf *out, ibk_span auth_key, const ibk_span *ids,
                        size_t n_ids) {
    const ibk_payload *v = closing(msg, IBK_PL_V);
    if (!v)
        return IBK_ERR_USAGE;
    uint8_t mac[IBK_MAC_MAX] = {0};
    ibk_err err = compute(mac, msg, v->v.mac_alg, auth_key, ids, n_ids);
    if (!err)
        err = ibk_msg_write(msg, out);
    if (!err)
        ibk_buf_patch_end(out, ibk_span_of(mac, ibk_mac_len(v->v.mac_alg)));
    return err;
}

ibk_err ibk_msg_check_v(const ibk_msg *msg, ibk_span auth_key, const ibk_span *ids, size_t n_ids,
                        bool allow_null, ibk_diag *diag) {
    const ibk_payload *v = closing(msg, IBK_PL_V);
    if (!v)
        return ibk_fail(diag, IBK_ERR_MISSING_PAYLOAD, "V", msg->octets.len,
                        "the message does not end with V");
    if (v->v.mac_alg == IBK_MAC_NULL) // RFC 3830 §4.2.4: only with secure transport
        return allow_null ? IBK_OK : ibk_fail(diag, IBK_ERR_BAD_MAC, "V", v->offset, "the NULL MAC");
    uint8_t mac[IBK_MAC_MAX] = {0};
    ibk_err err = compute(mac, msg, v->v.mac_alg, auth_key, ids, n_ids);
    if (!err && !ibk_span_equal_ct(ibk_span_of(mac, ibk_mac_len(v->v.mac_alg)), v->v.mac))
        err = IBK_ERR_BAD_MAC;
    ibk_wipe(mac, sizeof mac);
    return err ? ibk_fail(diag, err, "V", v->offset, NULL) : IBK_OK;
}
