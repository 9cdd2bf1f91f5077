/* Messages from scratch, and the answer to who answered a replay. */
#include "adversary/craft_internal.h"

#include <string.h>

enum { RAND_LEN = 16, GARBAGE_LEN = 320 };

/* One point for all: nobody will see that it comes again. */
static ibk_err draw_spare(craft *c) {
    if (c->spare.curve)
        return IBK_OK;
    ibk_err err = ibk_ec_keygen(&c->spare, &c->config.env, IBK_DRAW_X, IBK_EC_P256);
    craft_charge(c, IBK_WORK_EC_KEYGEN, craft_curve_bits(IBK_EC_P256));
    return err;
}

/* ---- the answer to R_MESSAGE_1 without an x
 * ------------------------------------------------------------------- */

/* IDRi || IDRr || ECCPTr, to the responder (RFC 6267 §4.2.2.5). */
static ibk_err echo(craft *c, const ibk_msg *r1, const craft_content *read, const ibk_t *t,
                    ibk_buf *ciphertext) {
    const ibk_payload *idi = ibk_msg_find_idr(r1, IBK_ROLE_I, 0), *idr = ibk_msg_find_idr(r1, IBK_ROLE_R, 0);
    craft_content content = {.idi = {idi->id.id_type, idi->id.data},
                             .idr = {idr->id.id_type, idr->id.data},
                             .curve_r = read->curve_r,
                             .point_r = read->point_r};
    ibk_buf plain = {0};
    ibk_err err = craft_content_write(&plain, &content);
    if (!err)
        err = craft_seal(c, idr->id.data, NULL, t, ibk_buf_span(&plain), ciphertext);
    ibk_buf_free(&plain);
    return err;
}

static ibk_err write_i_message_2(const ibk_msg *i1, const ibk_msg *r1, const ibk_t *t, ibk_span ciphertext,
                                 ibk_buf *out) {
    ibk_msg msg = {.hdr = r1->hdr};
    msg.hdr.data_type = IBK_MSG_I_MESSAGE_2;
    msg.hdr.v_flag = true;
    ibk_add_t(&msg.chain, t);
    ibk_add_rand(&msg.chain, ibk_msg_find(i1, IBK_PL_RAND, 0)->rand.data); /* P-7 */
    ibk_chain_add(&msg.chain, ibk_msg_find_idr(r1, IBK_ROLE_I, 0));
    ibk_chain_add(&msg.chain, ibk_msg_find_idr(r1, IBK_ROLE_R, 0));
    ibk_add_enc(&msg.chain, IBK_PL_IBAKE, ciphertext);
    ibk_err err = ibk_msg_write(&msg, out);
    ibk_msg_free(&msg);
    return err;
}

/* What an I_MESSAGE_2 is made of, besides its content. */
static bool answers(const ibk_msg *i1, const ibk_msg *r1) {
    return ibk_msg_find(r1, IBK_PL_T, 0) && ibk_msg_find(r1, IBK_PL_IBAKE, 0) &&
           ibk_msg_find_idr(r1, IBK_ROLE_I, 0) && ibk_msg_find_idr(r1, IBK_ROLE_R, 0) &&
           ibk_msg_find(i1, IBK_PL_RAND, 0);
}

static ibk_err answer(craft *c, const ibk_msg *i1, const ibk_msg *r1, const craft_content *read,
                      ibk_buf *out) {
    ibk_buf ciphertext = {0};
    ibk_t fresh;
    ibk_err err = ibk_t_from_utc(&fresh, IBK_TS_NTP_UTC, c->config.now(c->config.user).utc_ns);
    if (!err)
        err = echo(c, r1, read, &fresh, &ciphertext);
    if (!err)
        err = write_i_message_2(i1, r1, &fresh, ibk_buf_span(&ciphertext), out);
    ibk_buf_free(&ciphertext);
    return err;
}

ibk_err craft_answer_replayed(craft *c, const ibk_msg *i_message_1, const ibk_msg *r_message_1, ibk_buf *out,
                              ibk_diag *diag) {
    craft_content content = {0};
    ibk_chain chain = {0};
    ibk_buf plain = {0};
    if (!answers(i_message_1, r_message_1))
        return ibk_fail(diag, IBK_ERR_MISSING_PAYLOAD, "R_MESSAGE_1", 0, "not an answer to I_MESSAGE_1");
    ibk_err err = craft_open(c, ibk_msg_find_idr(r_message_1, IBK_ROLE_I, 0)->id.data,
                             &ibk_msg_find(r_message_1, IBK_PL_T, 0)->t,
                             ibk_msg_find(r_message_1, IBK_PL_IBAKE, 0)->enc.data, &plain);
    if (!err)
        err = craft_content_read(&content, &chain, ibk_buf_span(&plain), diag);
    if (!err)
        err = answer(c, i_message_1, r_message_1, &content, out);
    craft_content_free(&content);
    ibk_chain_free(&chain);
    ibk_buf_free(&plain);
    return err ? ibk_fail(diag, err, "R_MESSAGE_1", 0, "it cannot be read") : IBK_OK;
}

ibk_err craft_answer_unread(craft *c, const ibk_msg *i_message_1, const ibk_msg *r_message_1, ibk_buf *out,
                            ibk_diag *diag) {
    craft_content content = {.curve_r = IBK_EC_P256}; /* P-21 */
    if (!answers(i_message_1, r_message_1))
        return ibk_fail(diag, IBK_ERR_MISSING_PAYLOAD, "R_MESSAGE_1", 0, "not an answer to I_MESSAGE_1");
    ibk_err err = draw_spare(c);
    if (!err)
        err = ibk_buf_append_span(&content.point_r, ibk_ec_point_span(&c->spare.pub));
    if (!err)
        err = answer(c, i_message_1, r_message_1, &content, out);
    craft_content_free(&content);
    return err ? ibk_fail(diag, err, "I_MESSAGE_2", 0, "it cannot be written") : IBK_OK;
}

/* ---- from scratch
 * -------------------------------------------------------------------------------------------------- */

/* A forged message that is being written; the spans in `msg` point into the buffers. */
typedef struct draft {
    craft *c;
    const craft_forgery *forgery;
    ibk_msg msg;
    ibk_t t;
    ibk_buf map, policy, ciphertext;
    uint8_t rand[RAND_LEN];
} draft;

static ibk_err draw(const craft *c, ibk_draw_label label, void *out, size_t len) {
    return c->config.env.draw(c->config.env.user, label, out, len);
}

static bool by_initiator(uint8_t type) {
    return type == IBK_MSG_I_MESSAGE_1 || type == IBK_MSG_I_MESSAGE_2;
}

/* Two crypto sessions, as for one stream (RFC 4567 §7.1); the SSRCs are open. */
static ibk_err begin(draft *d) {
    const ibk_cs_srtp cs = {.policy_no = 0};
    uint8_t csb_id[4];
    bool key_request = d->forgery->type == IBK_MSG_REQUEST_KEY_PSK;
    ibk_err err = draw(d->c, IBK_DRAW_CSB_ID, csb_id, sizeof csb_id);
    if (!err)
        err = draw(d->c, IBK_DRAW_RAND, d->rand, sizeof d->rand);
    if (!err)
        err = ibk_t_from_utc(&d->t, IBK_TS_NTP_UTC, d->c->config.now(d->c->config.user).utc_ns);
    for (int i = 0; !err && !key_request && i < 2; i++)
        err = ibk_map_put_srtp(&d->map, &cs);
    d->msg.hdr = (ibk_hdr){.data_type = d->forgery->type,
                           .v_flag = true,
                           .n_cs = key_request ? 0 : 2,
                           .map_type = key_request ? IBK_MAP_EMPTY : IBK_MAP_SRTP_ID,
                           .map = ibk_buf_span(&d->map)};
    for (int i = 0; i < 4; i++)
        d->msg.hdr.csb_id = d->msg.hdr.csb_id << 8 | csb_id[i];
    ibk_add_t(&d->msg.chain, &d->t);
    return err;
}

static void add_parties(draft *d) {
    const craft_forgery *f = d->forgery;
    bool initiator = by_initiator(f->type);
    ibk_add_idr(&d->msg.chain, IBK_ROLE_I, IBK_ID_URI, initiator ? f->as : f->to);
    ibk_add_idr(&d->msg.chain, IBK_ROLE_R, IBK_ID_URI, initiator ? f->to : f->as);
}

static ibk_err add_policy(draft *d) {
    ibk_srtp_policy srtp = ibk_srtp_policy_default();
    srtp.present = 1u << IBK_SRTP_ENCR_ALG | 1u << IBK_SRTP_AUTH_ALG;
    ibk_err err = ibk_srtp_policy_write(&d->policy, &srtp);
    ibk_add_sp(&d->msg.chain, 0, IBK_PROT_SRTP, ibk_buf_span(&d->policy));
    if (d->forgery->type == IBK_MSG_I_MESSAGE_1)
        ibk_add_ext(&d->msg.chain, IBK_EXT_SDP_IDS, ibk_span_str("mikey"));
    return err;
}

static ibk_err seal_forged(draft *d) {
    const craft_forgery *f = d->forgery;
    bool initiator = by_initiator(f->type);
    ibk_identity as = {IBK_ID_URI, f->as}, to = {IBK_ID_URI, f->to};
    craft_content content = {.idi = initiator ? as : to, .idr = initiator ? to : as};
    ibk_buf *point = initiator ? &content.point_i : &content.point_r, plain = {0};
    content.curve_i = content.curve_r = IBK_EC_P256;
    ibk_err err = draw_spare(d->c);
    if (!err)
        err = ibk_buf_append_span(point, ibk_ec_point_span(&d->c->spare.pub));
    if (!err)
        err = craft_content_write(&plain, &content);
    if (!err)
        err = craft_seal(d->c, f->to, f->parameters_of, &d->t, ibk_buf_span(&plain), &d->ciphertext);
    craft_content_free(&content);
    ibk_buf_free(&plain);
    return err;
}

static ibk_err add_ibake(draft *d) {
    ibk_err err = IBK_OK;
    if (d->forgery->encrypted) {
        err = seal_forged(d);
    } else {
        err = ibk_buf_resize(&d->ciphertext, GARBAGE_LEN);
        if (!err)
            err = draw(d->c, IBK_DRAW_RHO, d->ciphertext.data, GARBAGE_LEN);
    }
    ibk_add_enc(&d->msg.chain, IBK_PL_IBAKE, ibk_buf_span(&d->ciphertext));
    return err;
}

/* The MAC: random octets, for no key is known. */
static ibk_err finish_with_v(draft *d, ibk_buf *out) {
    uint8_t mac[IBK_MAC_MAX];
    size_t len = ibk_mac_len(IBK_MAC_HMAC_SHA1_160);
    ibk_err err = draw(d->c, IBK_DRAW_RHO, mac, len);
    ibk_payload v = {.type = IBK_PL_V, .v = {.mac_alg = IBK_MAC_HMAC_SHA1_160, .mac = ibk_span_of(mac, len)}};
    ibk_chain_add(&d->msg.chain, &v);
    return err ? err : ibk_msg_write(&d->msg, out);
}

static ibk_err write_forged(draft *d, ibk_buf *out) {
    ibk_chain *chain = &d->msg.chain;
    ibk_span rand = ibk_span_of(d->rand, sizeof d->rand);
    ibk_err err = begin(d);
    if (err)
        return err;
    switch (d->forgery->type) {
    case IBK_MSG_I_MESSAGE_1:
    case IBK_MSG_I_MESSAGE_2:
    case IBK_MSG_R_MESSAGE_1:
        if (by_initiator(d->forgery->type))
            ibk_add_rand(chain, rand);
        add_parties(d);
        if (d->forgery->type != IBK_MSG_I_MESSAGE_2)
            err = add_policy(d);
        if (!err)
            err = add_ibake(d);
        return err ? err : ibk_msg_write(&d->msg, out);
    case IBK_MSG_R_MESSAGE_2:
        add_parties(d);
        err = add_policy(d);
        return err ? err : finish_with_v(d, out);
    case IBK_MSG_REQUEST_KEY_PSK: /* RFC 6267 §4.2.1.1.1 */
        ibk_add_rand(chain, rand);
        ibk_add_idr(chain, IBK_ROLE_I, IBK_ID_URI, d->forgery->as);
        ibk_add_idr(chain, IBK_ROLE_KMS, IBK_ID_NAI, d->forgery->to);
        return finish_with_v(d, out);
    case IBK_MSG_ERROR:
        ibk_add_error(chain, IBK_ERRNO_UNSPECIFIED);
        return ibk_msg_write(&d->msg, out);
    default:
        return IBK_ERR_UNSUPPORTED;
    }
}

ibk_err craft_forge(craft *c, const craft_forgery *forgery, ibk_buf *out) {
    draft d = {.c = c, .forgery = forgery};
    ibk_err err = write_forged(&d, out);
    ibk_msg_free(&d.msg);
    ibk_buf_free(&d.map);
    ibk_buf_free(&d.policy);
    ibk_buf_free(&d.ciphertext);
    return err;
}
