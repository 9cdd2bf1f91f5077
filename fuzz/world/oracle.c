/* What must hold, whatever a sequence says. Each claim has a twin that breaks it (docs/fuzzing.md, "Broken
 * twins"). */
#include "fuzz.h"
#include "world/accounts.h"
#include "world/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the broken twin
 * ------------------------------------------------------------------------------------------- */

#ifdef FUZZ_TWIN
bool world_broken(const char *what) {
    const char *named = getenv("FUZZ_BREAK");
    return named && strcmp(named, what) == 0;
}
#else
bool world_broken(const char *what) {
    (void)what;
    return false;
}
#endif

uint32_t world_without(void) {
    for (unsigned i = 0; i < IBK_DEFENCES; i++)
        if (world_broken(ibk_defence_name(UINT32_C(1) << i)))
            return UINT32_C(1) << i;
    return 0;
}

/* ---- secrets
 * --------------------------------------------------------------------------------------------------- */

void oracle_output(world *w, ibk_span output) {
    ibk_buf spoilt = {0};
    if (world_broken("secret") && w->secrets.count > 0) {
        FUZZ_CHECK(ibk_buf_append_span(&spoilt, output) == IBK_OK &&
                   ibk_buf_append_span(&spoilt, ibk_buf_span(&w->secrets.octets[0])) == IBK_OK);
        output = ibk_buf_span(&spoilt);
    }
    FUZZ_CHECK(!secrets_in(&w->secrets, output)); /* nothing but the key log carries a secret */
    ibk_buf_free(&spoilt);
}

/* ---- cost
 * ------------------------------------------------------------------------------------------------------- */

/* A message of n octets is held a few times over: parsed, encrypted, written. Payloads of three octets take a
 * struct of 150 in a list that doubles. */
enum { COST_FIXED = 96 * 1024, COST_OCTET = 256, COST_WORK = 12 };

void oracle_cost_begin(world *w) {
    for (size_t i = 0; i < NODES; i++)
        w->nodes[i].work = 0;
    accounts_mark();
    w->held = accounts_held();
}

void oracle_cost_end(world *w, size_t input_len) {
    size_t peak = accounts_peak();
    unsigned work = 0;
    for (size_t i = 0; i < NODES; i++)
        work += w->nodes[i].work;
    if (world_broken("memory"))
        peak += COST_FIXED + COST_OCTET * input_len + 1;
    if (world_broken("work"))
        work += COST_WORK + 1;
    FUZZ_CHECK(peak <= w->held + COST_FIXED + COST_OCTET * input_len);
    FUZZ_CHECK(work <= COST_WORK);
}

/* ---- no message violates a MUST
 * ----------------------------------------------------------------------------------- */

void oracle_rule(const char *broken, const world_player *p, const char *what) {
    if (!broken)
        return;
    fprintf(stderr, "%s %s against %s\n", world_part_name(p->part), what, broken);
    FUZZ_CHECK(!"a rule of the RFCs was broken");
}

static judged *place_of(world_player *p, uint8_t type) {
    judged *places[] = {&p->i1, &p->r1, &p->i2, &p->r2};
    return type >= JUDGE_I1 && type <= JUDGE_R2 ? places[type - JUDGE_I1] : NULL;
}

static bool is_update(const world_player *p, uint8_t type) {
    return p->had_keys && (type == JUDGE_I1 || type == JUDGE_R1);
}

static void judge_one(world *w, world_player *p, ibk_span message, const char *what) {
    uint8_t type = message.len > 1 ? message.data[1] : 0;
    bool update = is_update(p, type);
    judged *place = !update ? place_of(p, type) : type == JUDGE_I1 ? &p->u1 : &p->u2;
    /* Whoever could not read I_MESSAGE_1 answers all the same (§4.2.2.2), and cannot judge what is inside. */
    bool unread = !update && type == JUDGE_I1 && ibk_session_deferred(p->session) && !p->initiator;
    if (place)
        oracle_rule(judge_read(place, message, update, unread ? NULL : world_open_ibe, w), p, what);
}

/* ---- what was accepted ----------------------------------------------------------------------------------
 */

static void judge_initial(world *w, world_player *p, uint8_t type) {
    const judged *j = place_of(p, type);
    bool echo_wanted = !(w->settings[0] & SET_MISSING_ECHO);
    if (type == JUDGE_I1 || type == JUDGE_I2)
        oracle_rule(judge_time(j, w->now.utc_ns, IBK_REPLAY_DEFAULT_SKEW_NS), p, "accepted a time");
    if (type == JUDGE_R1)
        oracle_rule(judge_r1(&p->i1, j, echo_wanted), p, "accepted R_MESSAGE_1");
    if (type == JUDGE_I2)
        oracle_rule(judge_i2(&p->i1, &p->r1, j), p, "accepted I_MESSAGE_2");
    if (type == JUDGE_R2)
        oracle_rule(judge_r2(&p->i1, &p->r1, &p->i2, j, world_logged(w, IBK_KEYLOG_AUTHKEY, j->csb_id)), p,
                    "accepted R_MESSAGE_2");
}

static void judge_accepted(world *w, world_player *p, ibk_span received) {
    uint8_t type = received.data[1];
    judge_one(w, p, received, "accepted a message");
    if (is_update(p, type) && type == JUDGE_I1)
        oracle_update_offer(w, p);
    else if (is_update(p, type))
        oracle_update_answer(w, p, p->initiator, "accepted the answer to an update");
    else if (type >= JUDGE_I1 && type <= JUDGE_R2)
        judge_initial(w, p, type);
}

static void judge_sent(world *w, world_player *p, ibk_span message) {
    judge_one(w, p, message, "sent a message");
    if (message.len > 1 && message.data[1] == JUDGE_I1 && is_update(p, JUDGE_I1))
        oracle_update_sent(p);
    if (message.len > 1 && message.data[1] == JUDGE_R1 && is_update(p, JUDGE_R1))
        oracle_update_answer(w, p, !p->initiator, "sent the answer to an update");
}

/* ---- states
 * ------------------------------------------------------------------------------------------------------- */

static bool has_keys(const world_player *p) {
    ibk_session_state state = ibk_session_get_state(p->session);
    return state == IBK_STATE_ESTABLISHED || state == IBK_STATE_UPDATING;
}

/* RFC 6267 §4.2.2: keys follow from a whole exchange, in which each end has seen its own point again. The
 * rules that judge_accepted holds against each message say so of what was accepted; this says that it was. */
static void keys_only_after_echoes(world_player *p) {
    uint8_t tek[16];
    if (has_keys(p)) {
        FUZZ_CHECK(p->i1.there && p->r1.there && p->i2.there && p->r2.there);
        if (p->initiator)
            FUZZ_CHECK(judge_same_point(&p->i1.x, &p->r1.x) || judge_same_point(&p->i2.x, &p->r2.x));
        FUZZ_CHECK(judge_same_point(&p->r1.y, &p->i2.y));
        if (!p->had_keys)
            oracle_established(p);
        p->had_keys = true;
        oracle_in_force(p);
    } else if (ibk_session_header(p->session)) {
        FUZZ_CHECK(ibk_session_tek(p->session, 1, tek, sizeof tek, NULL, 0) == IBK_ERR_STATE);
    }
}

void oracle_settled(world_player *p) {
    if (has_keys(p))
        oracle_in_force(p);
}

/* RFC 3830 §6.1: a CSB ID is unique between two parties. Forks share one until they are answered; of two that
 * are answered under one identity the caller drops one (ibk_session_fork), which is Alice's part here. */
static void one_csb_id(world *w) {
    for (size_t i = 0; i < PARTS; i++)
        for (size_t j = i + 1; j < PARTS; j++) {
            const world_player *a = &w->players[i], *b = &w->players[j];
            if (!a->session || !b->session || a->node != b->node || a->initiator != b->initiator ||
                a->forked || b->forked)
                continue;
            ibk_identity pa = ibk_session_peer(a->session), pb = ibk_session_peer(b->session);
            bool both = has_keys(a) && has_keys(b) && ibk_identity_equal(&pa, &pb);
            FUZZ_CHECK(!both || ibk_session_csb_id(a->session) != ibk_session_csb_id(b->session));
        }
}

static void step_shape(world_player *p, const ibk_step *step) {
    FUZZ_CHECK(step->state == ibk_session_get_state(p->session));
    FUZZ_CHECK((step->message.len > 0) == (step->message_type != 0));
    if (step->kind == IBK_STEP_CLOSED) {
        FUZZ_CHECK(step->state == IBK_STATE_CLOSED && step->reason != IBK_OK &&
                   step->diag.err == step->reason);
        FUZZ_CHECK(ibk_err_category(step->reason) != IBK_CAT_INTERNAL);
        FUZZ_CHECK(ibk_session_deadline(p->session) == UINT64_MAX);
    }
    if (step->kind == IBK_STEP_WAIT)
        FUZZ_CHECK(step->waits_for != 0 && ibk_session_deadline(p->session) != UINT64_MAX);
}

/* ---- two ends
 * -------------------------------------------------------------------------------------------------------- */

static bool pair(const world_player *a, const world_player *b) {
    if (!a->session || !b->session || !a->initiator || b->initiator || !has_keys(a) || !has_keys(b))
        return false;
    ibk_identity ap = ibk_session_peer(a->session), bl = ibk_session_local(b->session);
    return ibk_session_csb_id(a->session) == ibk_session_csb_id(b->session) && ibk_identity_equal(&ap, &bl) &&
           ibk_session_updates(a->session) == 0 && ibk_session_updates(b->session) == 0;
}

/* Whoever believes to have agreed has the keys that the other end has. */
static void same_keys(world_player *a, world_player *b) {
    uint8_t ka[16], kb[16];
    FUZZ_CHECK(ibk_session_header(a->session)->n_cs == ibk_session_header(b->session)->n_cs);
    if (ibk_session_tek(a->session, 1, ka, sizeof ka, NULL, 0) != IBK_OK ||
        ibk_session_tek(b->session, 1, kb, sizeof kb, NULL, 0) != IBK_OK)
        return;
    if (world_broken("keys"))
        ka[0] ^= 1;
    FUZZ_CHECK(memcmp(ka, kb, sizeof ka) == 0);
}

void oracle_end(world *w) {
    for (size_t i = 0; i < PARTS; i++)
        for (size_t j = 0; j < PARTS; j++)
            if (pair(&w->players[i], &w->players[j]))
                same_keys(&w->players[i], &w->players[j]);
}

/* ---- for people
 * -------------------------------------------------------------------------------------------------- */

void oracle_show(const char *format, ...) {
    va_list args;
    if (!getenv("FUZZ_SHOW"))
        return;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
}

const char *world_part_name(world_part part) {
    static const char *const names[PARTS] = {"alice", "fork", "bob", "bob2", "box", "carrier", "kms", "user"};
    return names[part];
}

/* ---- a step
 * ------------------------------------------------------------------------------------------------------------
 */

void oracle_step(world *w, world_player *p, ibk_span received, const ibk_step *step) {
    bool accepted =
        step->kind == IBK_STEP_WAIT || step->kind == IBK_STEP_ESTABLISHED || step->kind == IBK_STEP_UPDATED;
    oracle_show("%-8s received %3zu, sends %-12s now %s%s%s %s\n", world_part_name(p->part), received.len,
                step->message_type ? ibk_msg_type_name(step->message_type) : "nothing,",
                ibk_session_state_name(step->state), step->reason ? ": " : "",
                step->reason ? ibk_err_name(step->reason) : "", step->diag.detail);
    step_shape(p, step);
    if (received.len > 0 && accepted)
        judge_accepted(w, p, received);
    if (step->message.len > 0) {
        judge_sent(w, p, step->message);
        fuzz_check_message(step->message);
        oracle_output(w, step->message);
        world_sent(w, p->part, step->message);
    }
    oracle_output(w, ibk_span_str(step->diag.detail));
    keys_only_after_echoes(p);
    one_csb_id(w);
}
