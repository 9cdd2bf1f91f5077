/* `impersonate`: the man in the middle. Towards the initiator it is the responder, towards the responder the
 * initiator, with a whole exchange of libibake's on each side; the SIP dialog of the two goes through, and
 * each MIKEY message in it is replaced by its own.
 *
 *     initiator                 adversary                     responder
 *       I_MESSAGE_1  ->  kept; leg[SIDE_R] starts      ->  its I_MESSAGE_1
 *                        leg[SIDE_R] reads it          <-  R_MESSAGE_1
 *       its R_MESSAGE_1 <-  leg[SIDE_I] answers what was kept, with the responder's SSRCs
 *       I_MESSAGE_2  ->  leg[SIDE_I] reads it          ->  the I_MESSAGE_2 that leg[SIDE_R] made
 *                        leg[SIDE_R] reads it          <-  R_MESSAGE_2
 *       its R_MESSAGE_2 <-  that leg[SIDE_I] made
 *
 * Both ends find under V what they offered or were offered: SP, map and SDP identifiers are those of the
 * initiator, with the responder's SSRCs. Without a key for one side the exchange on that side comes to
 * nothing as it would for anybody. A CSB update (RFC 6267 §5.3) is taken on the one side and started on the
 * other. */
#include "adversary/craft_internal.h"

#include <stdlib.h>
#include <string.h>

#define CS_MAX       255
#define POLICIES_MAX 64

/* One message on its way. */
typedef struct work {
    craft *c;
    craft_call *call;
    const ibk_msg *msg;
    const scn_rule *rule;
    ibk_diag *diag;
} work;

static ibk_err keep(ibk_buf *place, ibk_span octets) {
    ibk_buf_clear(place);
    return ibk_buf_append_span(place, octets);
}

/* ---- what the exchange of the two says, for exchanges of its own ------------------------------------------
 */

/* What a configuration borrows. */
typedef struct offer {
    ibk_cs_srtp srtp[CS_MAX];
    ibk_cs_generic generic[CS_MAX];
    ibk_sp policies[POLICIES_MAX];
} offer;

static ibk_identity identity_of(const ibk_msg *msg, uint8_t role) {
    const ibk_payload *p = ibk_msg_find_idr(msg, role, 0);
    return p ? (ibk_identity){.id_type = p->id.id_type, .id = p->id.data} : (ibk_identity){0};
}

static ibk_span sdp_ids_of(const ibk_msg *msg) {
    const ibk_payload *p;
    for (size_t i = 0; (p = ibk_msg_find(msg, IBK_PL_EXT, i)); i++)
        if (p->ext.ext_type == IBK_EXT_SDP_IDS)
            return p->ext.data;
    return (ibk_span){0};
}

static void read_map(ibk_session_config *config, offer *o, const ibk_msg *msg) {
    config->map_type = msg->hdr.map_type;
    config->srtp = o->srtp;
    config->generic = o->generic;
    while (config->n_srtp < CS_MAX && ibk_map_srtp(&msg->hdr, config->n_srtp, &o->srtp[config->n_srtp]))
        config->n_srtp++;
    while (config->n_generic < CS_MAX &&
           ibk_map_generic(&msg->hdr, config->n_generic, &o->generic[config->n_generic]))
        config->n_generic++;
}

static void read_policies(ibk_session_config *config, offer *o, const ibk_msg *msg) {
    const ibk_payload *sp;
    config->policies = o->policies;
    while (config->n_policies < POLICIES_MAX && (sp = ibk_msg_find(msg, IBK_PL_SP, config->n_policies)))
        o->policies[config->n_policies++] = sp->sp;
}

/* What an I_MESSAGE_1 says inside, if it can be read; else as little as its sender may mean. */
typedef struct inside {
    uint8_t curve; /* the answer comes on the same */
    ibk_buf mki;
} inside;

static inside look_inside(const work *w, const ibk_msg *i_message_1, uint8_t recipient) {
    const ibk_payload *t = ibk_msg_find(i_message_1, IBK_PL_T, 0);
    const ibk_payload *ibake = ibk_msg_find(i_message_1, IBK_PL_IBAKE, 0);
    ibk_identity id = identity_of(i_message_1, recipient);
    craft_content content = {0};
    ibk_chain chain = {0};
    ibk_buf plain = {0};
    inside found = {.curve = IBK_EC_P256};
    if (t && ibake && craft_open(w->c, id.id, &t->t, ibake->enc.data, &plain) == IBK_OK &&
        craft_content_read(&content, &chain, ibk_buf_span(&plain), NULL) == IBK_OK) {
        uint8_t curve = content.responder_first ? content.curve_r : content.curve_i;
        if (curve == IBK_EC_P384 || curve == IBK_EC_P521) /* those that may be sent: P-21 */
            found.curve = curve;
        found.mki = content.mki;
        content.mki = (ibk_buf){0};
    }
    craft_content_free(&content);
    ibk_chain_free(&chain);
    ibk_buf_free(&plain);
    return found;
}

static ibk_err refused(const work *w, const ibk_step *step, const char *whose) {
    return ibk_fail(w->diag, step->reason, step->diag.payload, step->diag.offset,
                    "its own exchange with the %s: %.70s", whose,
                    step->diag.detail[0] ? step->diag.detail : ibk_err_text(step->reason));
}

/* ---- the four messages
 * -------------------------------------------------------------------------------------- */

/* Its own I_MESSAGE_1 for the responder. */
static ibk_err start_towards_responder(const work *w, ibk_buf *out) {
    const ibk_msg *msg = w->msg;
    const ibk_payload *esk = ibk_msg_find(msg, IBK_PL_ESK, 0), *t = ibk_msg_find(msg, IBK_PL_T, 0);
    const char *other = w->rule ? w->rule->for_identity : NULL;
    offer *o = calloc(1, sizeof *o);
    ibk_step step = {0};
    inside in = look_inside(w, msg, IBK_ROLE_R);
    ibk_session_config config = {
        .role = IBK_SESSION_INITIATOR,
        .local = identity_of(msg, IBK_ROLE_I),
        .peer = other ? ibk_identity_uri(other) : identity_of(msg, IBK_ROLE_R),
        .policy = {.prf = msg->hdr.prf, .ts_type = t ? t->t.ts_type : 0, .curve = in.curve},
        .sdp_ids = sdp_ids_of(msg),
        .esk = esk ? IBK_ESK_STORED : IBK_ESK_NONE,
        .stored_esk = esk ? esk->enc.data : (ibk_span){0}};
    ibk_buf_free(&in.mki);
    if (!o)
        return IBK_ERR_NO_MEMORY;
    read_map(&config, o, msg);
    read_policies(&config, o, msg);
    ibk_err err = craft_leg_new(&w->call->leg[SIDE_R], w->c, w->call->id, &config,
                                w->rule ? w->rule->parameters_of : NULL);
    if (!err)
        err = ibk_session_start(w->call->leg[SIDE_R]->session, w->c->config.now(w->c->config.user), &step);
    if (!err && step.kind != IBK_STEP_WAIT)
        err = refused(w, &step, "responder");
    free(o);
    return err ? err : ibk_buf_append_span(out, step.message);
}

static ibk_err on_i_message_1(const work *w, ibk_buf *out) {
    if (w->call->leg[SIDE_R])
        return IBK_OK; /* another exchange of this call: it has one already */
    ibk_err err = keep(&w->call->i_message_1, w->msg->octets);
    return err ? err : start_towards_responder(w, out);
}

/* The responder's answer is known: the initiator's I_MESSAGE_1 is answered in its name, with its SSRCs. */
static ibk_err answer_initiator(const work *w, ibk_buf *out) {
    offer *o = calloc(1, sizeof *o);
    ibk_step step = {0};
    ibk_session_config config = {.role = IBK_SESSION_RESPONDER, .local = identity_of(w->msg, IBK_ROLE_R)};
    if (!o)
        return IBK_ERR_NO_MEMORY;
    read_map(&config, o, w->msg);
    config.map_type = IBK_MAP_SRTP_ID; /* of a responder: SSRCs to fill in */
    config.n_generic = 0;
    ibk_err err = craft_leg_new(&w->call->leg[SIDE_I], w->c, w->call->id, &config, NULL);
    if (!err)
        err = craft_leg_receive(w->call->leg[SIDE_I], ibk_buf_span(&w->call->i_message_1), &step);
    if (!err && step.kind != IBK_STEP_WAIT)
        err = refused(w, &step, "initiator");
    free(o);
    return err ? err : ibk_buf_append_span(out, step.message);
}

/* What the leg answers to a message for it is kept for the other direction. A failure is told in w->diag and
 * keeps nothing: then its peer's message goes on unchanged. */
static ibk_err read(const work *w, int side, ibk_buf *answer) {
    ibk_step step = {0};
    ibk_err err = craft_leg_receive(w->call->leg[side], w->msg->octets, &step);
    if (!err && step.kind != IBK_STEP_WAIT && step.kind != IBK_STEP_ESTABLISHED &&
        step.kind != IBK_STEP_UPDATED)
        return refused(w, &step, side == SIDE_I ? "initiator" : "responder");
    return err || !answer ? err : keep(answer, step.message);
}

static ibk_err on_r_message_1(const work *w, ibk_buf *out) {
    craft_call *call = w->call;
    if (!call->leg[SIDE_R] || call->leg[SIDE_I])
        return IBK_OK; /* none of its own, or a further branch of a forked call */
    ibk_err with_responder = read(w, SIDE_R, &call->ready[SIDE_R]);
    ibk_err with_initiator = answer_initiator(w, out); /* also if the other side is lost already */
    return with_initiator ? with_initiator : with_responder;
}

static ibk_err on_i_message_2(const work *w, ibk_buf *out) {
    craft_call *call = w->call;
    if (!call->leg[SIDE_I])
        return IBK_OK;
    ibk_err err = read(w, SIDE_I, &call->ready[SIDE_I]);
    ibk_err sent = ibk_buf_append_span(out, ibk_buf_span(&call->ready[SIDE_R]));
    ibk_buf_clear(&call->ready[SIDE_R]);
    return sent ? sent : err;
}

static ibk_err on_r_message_2(const work *w, ibk_buf *out) {
    craft_call *call = w->call;
    if (!call->leg[SIDE_R])
        return IBK_OK;
    ibk_err err = read(w, SIDE_R, NULL);
    ibk_err sent = ibk_buf_append_span(out, ibk_buf_span(&call->ready[SIDE_I]));
    ibk_buf_clear(&call->ready[SIDE_I]);
    return sent ? sent : err;
}

/* ---- updates
 * ------------------------------------------------------------------------------------------------- */

/* The leg whose session this message belongs to; -1: none. */
static int side_of(const craft_call *call, uint32_t csb_id) {
    for (int side = 0; side < SIDES; side++)
        if (call->leg[side] && ibk_session_csb_id(call->leg[side]->session) == csb_id)
            return side;
    return -1;
}

/* I_MESSAGE_1 of an update by the party at `side`: kept, and started towards the other, with the same map,
 * policies and MKI. */
static ibk_err on_update(const work *w, int side, ibk_buf *out) {
    ibk_session *other = w->call->leg[side == SIDE_I ? SIDE_R : SIDE_I]->session;
    offer *o = calloc(1, sizeof *o);
    ibk_step step = {0};
    ibk_session_config offered = {0};
    if (!o)
        return IBK_ERR_NO_MEMORY;
    inside in = look_inside(w, w->msg, side == SIDE_I ? IBK_ROLE_R : IBK_ROLE_I);
    read_map(&offered, o, w->msg);
    read_policies(&offered, o, w->msg);
    ibk_update_config config = {.new_dh = ibk_msg_find(w->msg, IBK_PL_IBAKE, 0) != NULL,
                                .mki = ibk_buf_span(&in.mki),
                                .srtp = offered.srtp,
                                .n_srtp = offered.n_srtp,
                                .policies = offered.policies,
                                .n_policies = offered.n_policies};
    config.curve = config.new_dh ? in.curve : 0;
    ibk_err err = keep(&w->call->i_message_1, w->msg->octets);
    if (!err)
        err = ibk_session_update(other, w->c->config.now(w->c->config.user), &config, &step);
    if (!err && step.kind != IBK_STEP_WAIT)
        err = refused(w, &step, "other side of an update");
    ibk_buf_free(&in.mki);
    free(o);
    return err ? err : ibk_buf_append_span(out, step.message);
}

/* The party at `side` has answered: so is the one who began, with its SSRCs for further streams. */
static ibk_err on_update_answer(const work *w, int side, ibk_buf *out) {
    craft_leg *other = w->call->leg[side == SIDE_I ? SIDE_R : SIDE_I];
    offer *o = calloc(1, sizeof *o);
    ibk_step step = {0};
    ibk_session_config answered = {0};
    if (!o)
        return IBK_ERR_NO_MEMORY;
    read_map(&answered, o, w->msg);
    ibk_err err = read(w, side, NULL);
    if (!err)
        err = ibk_session_fill_ssrcs(other->session, answered.srtp, answered.n_srtp);
    if (!err)
        err = craft_leg_receive(other, ibk_buf_span(&w->call->i_message_1), &step);
    if (!err && step.kind != IBK_STEP_UPDATED)
        err = refused(w, &step, "one who began an update");
    free(o);
    return err ? err : ibk_buf_append_span(out, step.message);
}

/* ---- which is which
 * -------------------------------------------------------------------------------------------- */

/* A further branch of a forked call: another responder than the one whose answer it took. */
static bool of_other_branch(const work *w) {
    const craft_call *call = w->call;
    ibk_identity idr = identity_of(w->msg, IBK_ROLE_R);
    if (!call->leg[SIDE_I] || !call->leg[SIDE_R] || !idr.id.len)
        return false;
    ibk_identity taken = ibk_session_peer(call->leg[SIDE_R]->session);
    return !ibk_identity_equal(&taken, &idr);
}

static ibk_err dispatch(const work *w, ibk_buf *out) {
    const craft_call *call = w->call;
    int side = side_of(call, w->msg->hdr.csb_id);
    bool up = call->leg[SIDE_I] && call->leg[SIDE_R] && side >= 0 &&
              ibk_session_get_state(call->leg[side]->session) >= IBK_STATE_ESTABLISHED;
    if (of_other_branch(w))
        return IBK_OK;
    switch (w->msg->hdr.data_type) {
    case IBK_MSG_I_MESSAGE_1:
        return up ? on_update(w, side, out) : on_i_message_1(w, out);
    case IBK_MSG_R_MESSAGE_1:
        return up ? on_update_answer(w, side, out) : on_r_message_1(w, out);
    case IBK_MSG_I_MESSAGE_2:
        return on_i_message_2(w, out);
    case IBK_MSG_R_MESSAGE_2:
        return on_r_message_2(w, out);
    default:
        return IBK_OK;
    }
}

/* The latest message of this type: a repetition by SIP gets the same answer, and its own message, seen again
 * at a further seat, passes. */
static craft_swap *swap_of(craft_call *call, const ibk_msg *msg) {
    return &call->swaps[msg->hdr.data_type - IBK_MSG_I_MESSAGE_1];
}

static bool by_itself(const craft_call *call, ibk_span octets) {
    for (int i = 0; i < EXCHANGE_MESSAGES; i++)
        if (call->swaps[i].out.len && ibk_span_equal(ibk_buf_span(&call->swaps[i].out), octets))
            return true;
    return false;
}

ibk_err craft_impersonate(craft *c, const char *id, const ibk_msg *msg, const scn_rule *rule, ibk_buf *out,
                          ibk_diag *diag) {
    if (msg->hdr.data_type < IBK_MSG_I_MESSAGE_1 || msg->hdr.data_type > IBK_MSG_R_MESSAGE_2)
        return IBK_OK;
    work w = {.c = c, .call = craft_call_of(c, id), .msg = msg, .rule = rule, .diag = diag};
    if (!w.call)
        return IBK_ERR_NO_MEMORY;
    craft_swap *swap = swap_of(w.call, msg);
    if (by_itself(w.call, msg->octets))
        return IBK_OK;
    if (swap->in.len && ibk_span_equal(ibk_buf_span(&swap->in), msg->octets))
        return ibk_buf_append_span(out, ibk_buf_span(&swap->out));
    ibk_buf made = {0};
    ibk_err err = dispatch(&w, &made);
    ibk_err kept = ibk_buf_append_span(out, ibk_buf_span(&made));
    bool another =
        made.len == 0 && swap->out.len > 0; /* of another branch: does not displace what was replaced */
    if (!kept && !another)
        kept = keep(&swap->in, msg->octets);
    if (!kept && !another)
        kept = keep(&swap->out, ibk_buf_span(&made));
    ibk_buf_free(&made);
    return kept ? kept : err;
}
