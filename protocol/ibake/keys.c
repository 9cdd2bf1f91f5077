/* From [xy]P to the keys of messages and media (RFC 6267 §5.1, §5.2, RFC 3830 §4.1.3), and their end (P-20).
 */
#include "ibake/session_internal.h"
#include "mikey/ecdh_careless.h"

static unsigned curve_bits(uint8_t curve) {
    return curve == IBK_EC_P521 ? 521 : 8 * (unsigned)ibk_ec_field_len(curve);
}

ibk_err keys_generate(ibk_session *s, ibk_ec_key *out, ibk_draw_label label, uint8_t curve) {
    ibk_err err = ibk_ec_keygen(out, &s->env, label, curve);
    if (!err) {
        call_work(s, IBK_WORK_EC_KEYGEN, curve_bits(curve));
    }
    return err;
}

ibk_err keys_agree(call *c, ibk_ec_key *own, const ibk_ec_point *theirs, uint8_t mpk[MPK_MAX],
                   uint8_t tgk[TGK_LEN]) {
    ibk_session *s = c->s;
    ibk_ec_point shared = {0};
    ibk_err err = guards(s, IBK_DEFENCE_POINT_ON_CURVE) ? ibk_ec_shared(&shared, own, theirs)
                                                        : ibk_ec_shared_careless(&shared, own, theirs);
    if (guards(s, IBK_DEFENCE_WIPE)) {
        ibk_wipe(own->scalar, sizeof own->scalar); /* P-20: not needed any more */
    }
    if (!err) {
        call_work(s, IBK_WORK_EC_DH, curve_bits(own->curve));
        ibk_span k_session = ibk_ec_point_span(&shared); /* P-5 */
        ibk_span rand = ibk_buf_span(&s->rand);
        size_t mpk_len = ibk_prf_hash_len(s->hdr.prf); /* P-6 */
        call_keylog(s, IBK_KEYLOG_KSESSION, 0, k_session);
        err = ibk_derive(mpk, mpk_len, s->hdr.prf, IBK_DERIVE_MPK, k_session, 0, 0, rand);
        err = err ? err : ibk_derive(tgk, TGK_LEN, s->hdr.prf, IBK_DERIVE_TGK, k_session, 0, 0, rand);
    }
    ibk_wipe(&shared, sizeof shared);
    if (err) {
        return call_fail(c, err, "ECCPT", "no session key from these points");
    }
    call_keylog(s, IBK_KEYLOG_MPK, 0, ibk_span_of(mpk, ibk_prf_hash_len(s->hdr.prf)));
    call_keylog(s, IBK_KEYLOG_TGK, 0, ibk_span_of(tgk, TGK_LEN));
    return IBK_OK;
}

ibk_err keys_auth(const ibk_session *s, const v_key *key, uint8_t mac_alg, ibk_msg_keys *out) {
    ibk_span mpk = ibk_span_of(key->mpk, ibk_prf_hash_len(s->hdr.prf));
    ibk_err err = ibk_msg_keys_derive(out, s->hdr.prf, mpk, s->hdr.csb_id, ibk_buf_span(&s->rand),
                                      IBK_ENCR_NULL, mac_alg);
    if (!err && key->log) {
        call_keylog(s, IBK_KEYLOG_AUTHKEY, 0, ibk_span_of(out->auth, out->auth_len));
    }
    return err;
}

void keys_wipe(ibk_session *s) {
    ibk_wipe(&s->own, sizeof s->own);
    ibk_wipe(&s->theirs, sizeof s->theirs);
    ibk_wipe(s->tgk, sizeof s->tgk);
    ibk_wipe(s->mpk, sizeof s->mpk);
    ibk_buf_free(&s->sk);
    update_free(&s->update);
    update_free(&s->previous);
    while (s->left) {
        update *older = s->left->older;
        update_free(&s->left);
        s->left = older;
    }
    s->have_tgk = s->have_theirs = false;
}

void keys_drop(ibk_session *s, update **u) {
    if (*u && !guards(s, IBK_DEFENCE_WIPE)) {
        (*u)->older = s->left;
        s->left = *u;
        *u = NULL;
    }
    update_free(u);
}

static ibk_err derive_media(ibk_session *s, uint8_t *out, size_t len, ibk_derive_kind kind, uint8_t cs_id) {
    if (len == 0) {
        return IBK_OK;
    }
    return ibk_derive(out, len, s->hdr.prf, kind, ibk_span_of(s->tgk, TGK_LEN), cs_id, s->hdr.csb_id,
                      ibk_buf_span(&s->rand));
}

ibk_err ibk_session_tek(ibk_session *session, uint8_t cs_id, uint8_t *tek, size_t tek_len, uint8_t *salt,
                        size_t salt_len) {
    /* P-13: no key for media before R_MESSAGE_2 is verified, or sent */
    bool in_force = session->state == IBK_STATE_ESTABLISHED || session->state == IBK_STATE_UPDATING;
    bool early = session->state == IBK_STATE_I_WAIT_R_MESSAGE_2 &&
                 !guards(session, IBK_DEFENCE_MEDIA_AFTER_VERIFICATION);
    if (!(in_force || early) || !session->have_tgk) {
        return IBK_ERR_STATE;
    }
    uint8_t policy_no;
    bool has_policy;
    if (!offer_has_cs(session, cs_id, &policy_no, &has_policy)) {
        return IBK_ERR_USAGE;
    }
    ibk_err err = derive_media(session, tek, tek_len, IBK_DERIVE_TEK, cs_id);
    err = err ? err : derive_media(session, salt, salt_len, IBK_DERIVE_TGK_SALT, cs_id);
    if (err) {
        ibk_wipe(tek, tek_len);
        ibk_wipe(salt, salt_len);
        return err;
    }
    uint8_t bit = (uint8_t)(1u << cs_id % 8);
    if (tek_len && salt_len &&
        !(session->logged[cs_id / 8] & bit)) { /* once, however often it is asked for */
        session->logged[cs_id / 8] |= bit;
        call_keylog(session, IBK_KEYLOG_TEK, cs_id, ibk_span_of(tek, tek_len));
        call_keylog(session, IBK_KEYLOG_SALT, cs_id, ibk_span_of(salt, salt_len));
    }
    return IBK_OK;
}
