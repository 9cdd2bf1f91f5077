/* What crafting has in common: its calls, its sessions with the look-ups that they make, encryption and
 * decryption. */
#include "adversary/craft_internal.h"
#include "random/generator.h"

#include <stdlib.h>
#include <string.h>

ibk_err craft_new(craft **out, const craft_config *config) {
    *out = calloc(1, sizeof **out);
    if (!*out)
        return IBK_ERR_NO_MEMORY;
    (*out)->config = *config;
    return IBK_OK;
}

static void leg_free(craft_leg *leg) {
    ibk_session_free(leg->session);
    ibk_replay_cache_free(leg->replay);
    free(leg->call);
    free(leg);
}

static void call_free(craft_call *call) {
    ibk_wipe(call->own, sizeof call->own);
    ibk_buf_free(&call->rand);
    ibk_buf_free(&call->i_message_1);
    for (int i = 0; i < SIDES; i++) {
        ibk_buf_free(&call->ready[i]);
        ibk_buf_free(&call->planted[i]);
    }
    for (int i = 0; i < EXCHANGE_MESSAGES; i++) {
        ibk_buf_free(&call->swaps[i].in);
        ibk_buf_free(&call->swaps[i].out);
    }
    free(call->id);
    free(call);
}

void craft_free(craft *c) {
    if (!c)
        return;
    for (craft_call *call = c->calls, *next; call; call = next) {
        next = call->next;
        call_free(call);
    }
    for (craft_leg *leg = c->legs, *next; leg; leg = next) {
        next = leg->next;
        leg_free(leg);
    }
    ibk_wipe(&c->spare, sizeof c->spare);
    ibk_ibe_peer_free(c->peer);
    ibk_buf_free(&c->peer_identity);
    free(c);
}

craft_call *craft_call_of(craft *c, const char *id) {
    for (craft_call *call = c->calls; call; call = call->next)
        if (strcmp(call->id, id) == 0)
            return call;
    craft_call *call = calloc(1, sizeof *call);
    if (!call || !(call->id = strdup(id))) {
        free(call);
        return NULL;
    }
    call->next = c->calls;
    c->calls = call;
    return call;
}

craft_legs craft_call_legs(craft *c, const char *id) {
    craft_legs legs = {NULL, NULL};
    for (const craft_call *call = c->calls; call; call = call->next)
        if (strcmp(call->id, id) == 0) {
            legs.towards_initiator = call->leg[SIDE_I] ? call->leg[SIDE_I]->session : NULL;
            legs.towards_responder = call->leg[SIDE_R] ? call->leg[SIDE_R]->session : NULL;
        }
    return legs;
}

void craft_charge(const craft *c, ibk_work what, unsigned size) {
    if (c->config.env.work)
        c->config.env.work(c->config.env.user, what, size);
}

unsigned craft_curve_bits(uint8_t curve) {
    return curve == IBK_EC_P521 ? 521 : 8 * (unsigned)ibk_ec_field_len(curve);
}

/* ---- keys and parameters
 * ------------------------------------------------------------------------------------------ */

ibk_err craft_t_utc(const craft *c, const ibk_t *t, int64_t *utc_ns) {
    *utc_ns = c->config.now(c->config.user).utc_ns;
    return t->ts_type == IBK_TS_COUNTER ? IBK_OK : ibk_t_to_utc(utc_ns, t, *utc_ns);
}

/* One set of parameters, one date. */
static ibk_err open_with(craft *c, const ibk_ibe_params *params, ibk_span ibe_id, ibk_span ciphertext,
                         ibk_buf *plain) {
    const ibk_ibe_key *key = c->config.key(c->config.user, params, ibe_id);
    if (!key)
        return IBK_ERR_NO_KEY;
    ibk_err err = ibk_ibe_decrypt(params, key, ciphertext, plain, NULL);
    if (!err || err == IBK_ERR_DECRYPT) /* what is no ciphertext is refused before the pairing */
        craft_charge(c, IBK_WORK_IBE_DECRYPT, ibk_ibe_params_n(params));
    return err;
}

static ibk_err open_at(craft *c, ibk_span id, int64_t utc_ns, ibk_span ciphertext, ibk_buf *plain) {
    const ibk_ibe_params *params;
    ibk_buf ibe_id = {0};
    ibk_err tried = IBK_ERR_NO_KEY;
    ibk_err err = ibk_ibe_identity(&ibe_id, id, c->config.granularity(c->config.user, id), utc_ns);
    for (size_t i = 0; !err && tried && (params = c->config.params(c->config.user, id, NULL, i)); i++) {
        ibk_err said = open_with(c, params, ibk_buf_span(&ibe_id), ciphertext, plain);
        tried = said == IBK_ERR_NO_KEY ? tried : said;
    }
    ibk_buf_free(&ibe_id);
    return err ? err : tried;
}

ibk_err craft_open(craft *c, ibk_span id, const ibk_t *t, ibk_span ciphertext, ibk_buf *plain) {
    int64_t dates[2] = {0, c->config.now(c->config.user).utc_ns};
    ibk_err tried = IBK_ERR_NO_KEY, err = craft_t_utc(c, t, &dates[0]);
    for (int i = 0; !err && tried && i < 2; i++) { /* the second: a responder may go by its own date */
        ibk_err said = open_at(c, id, dates[i], ciphertext, plain);
        tried = said == IBK_ERR_NO_KEY ? tried : said;
    }
    return err ? err : tried;
}

static ibk_err find_peer(craft *c, const ibk_ibe_params *params, ibk_span ibe_id) {
    if (c->peer && c->peer_params == params && ibk_span_equal(ibk_buf_span(&c->peer_identity), ibe_id))
        return IBK_OK;
    ibk_ibe_peer_free(c->peer);
    c->peer = NULL;
    c->peer_params = params;
    ibk_buf_clear(&c->peer_identity);
    ibk_err err = ibk_buf_append_span(&c->peer_identity, ibe_id);
    if (!err)
        err = ibk_ibe_peer_new(&c->peer, params, ibe_id);
    craft_charge(c, IBK_WORK_IBE_PEER, ibk_ibe_params_n(params));
    return err;
}

ibk_err craft_seal(craft *c, ibk_span id, const scn_domain *of, const ibk_t *t, ibk_span plain,
                   ibk_buf *out) {
    const ibk_ibe_params *params = c->config.params(c->config.user, id, of, 0);
    int64_t utc_ns;
    ibk_buf ibe_id = {0};
    if (!params)
        return IBK_ERR_NO_PARAMS;
    ibk_err err = craft_t_utc(c, t, &utc_ns);
    if (!err)
        err = ibk_ibe_identity(&ibe_id, id, c->config.granularity(c->config.user, id), utc_ns);
    if (!err)
        err = find_peer(c, params, ibk_buf_span(&ibe_id));
    if (!err)
        err = ibk_ibe_peer_encrypt(&c->config.env, c->peer, plain, out);
    ibk_buf_free(&ibe_id);
    if (!err)
        craft_charge(c, IBK_WORK_IBE_ENCRYPT, ibk_ibe_params_n(params));
    return err;
}

const ibk_payload *craft_recipient(const ibk_msg *msg) {
    bool to_responder =
        msg->hdr.data_type == IBK_MSG_I_MESSAGE_1 || msg->hdr.data_type == IBK_MSG_I_MESSAGE_2;
    return ibk_msg_find_idr(msg, to_responder ? IBK_ROLE_R : IBK_ROLE_I, 0);
}

/* ---- what its sessions ask
 * ------------------------------------------------------------------------------------------ */

static ibk_lookup leg_params(void *user, const ibk_identity *id, const ibk_ibe_params **out) {
    const craft_leg *leg = user;
    const craft_config *config = &leg->craft->config;
    *out = config->params(config->user, id->id, leg->parameters_of, 0);
    return *out ? IBK_LOOKUP_FOUND : IBK_LOOKUP_ABSENT;
}

static bool opens(const craft_leg *leg, const ibk_ibe_params *params, const ibk_ibe_key *key) {
    ibk_buf plain = {0};
    ibk_err err = ibk_ibe_decrypt(params, key, leg->ciphertext, &plain, NULL);
    ibk_buf_free(&plain);
    return err == IBK_OK;
}

/* Of several keys for one identity, under several sets of parameters, the one that opens what came; else the
 * first. */
static ibk_lookup leg_key(void *user, ibk_span ibe_identity, const ibk_ibe_params **params,
                          const ibk_ibe_key **key) {
    const craft_leg *leg = user;
    const craft_config *config = &leg->craft->config;
    const ibk_ibe_params *candidate;
    *key = NULL;
    for (size_t i = 0; (candidate = config->params(config->user, ibe_identity, NULL, i)); i++) {
        const ibk_ibe_key *held = config->key(config->user, candidate, ibe_identity);
        if (held && (!*key || (!opens(leg, *params, *key) && opens(leg, candidate, held)))) {
            *params = candidate;
            *key = held;
        }
    }
    return *key ? IBK_LOOKUP_FOUND : IBK_LOOKUP_ABSENT;
}

static ibk_granularity leg_granularity(void *user, const ibk_identity *id) {
    const craft_leg *leg = user;
    return leg->craft->config.granularity(leg->craft->config.user, id->id);
}

/* It does not care who answers. */
static bool leg_accepts(void *user, const ibk_identity *asked, const ibk_identity *answered, bool echoed) {
    (void)user, (void)asked, (void)answered, (void)echoed;
    return true;
}

/* Nor what is agreed, as long as it is agreed. */
static ibk_err leg_accepts_policies(void *user, const ibk_sp *policies, size_t n) {
    (void)user, (void)policies, (void)n;
    return IBK_OK;
}

/* Who holds the seed of the generator of the one in whose name it speaks draws x and y from it: then the
 * exchange is, scalar by scalar, one that this UE might have made. */
static ibk_err leg_draw(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    craft_leg *leg = user;
    const ibk_env *env = &leg->craft->config.env;
    if (leg->generator && (label == IBK_DRAW_X || label == IBK_DRAW_Y))
        return generator_scalar(out, len, leg->generator, leg->csb_id, label == IBK_DRAW_Y, leg->drawn++)
                   ? IBK_OK
                   : IBK_ERR_RANDOM;
    ibk_err err = env->draw(env->user, label, out, len);
    if (!err && label == IBK_DRAW_CSB_ID && len == 4)
        leg->csb_id = (uint32_t)out[0] << 24 | (uint32_t)out[1] << 16 | (uint32_t)out[2] << 8 | out[3];
    return err;
}

static void leg_work(void *user, ibk_work what, unsigned size) {
    craft_charge(((craft_leg *)user)->craft, what, size);
}

static void leg_keylog(void *user, const ibk_keylog_record *record) {
    const craft_leg *leg = user;
    const craft_config *config = &leg->craft->config;
    if (config->learned && record->kind >= IBK_KEYLOG_X && record->kind <= IBK_KEYLOG_TGK)
        config->learned(config->user, leg->call, record);
}

ibk_err craft_leg_new(craft_leg **out, craft *c, const char *call, const ibk_session_config *config,
                      const scn_domain *parameters_of) {
    craft_leg *leg = calloc(1, sizeof *leg);
    ibk_session_config full = *config;
    ibk_env env = {.user = leg, .draw = leg_draw, .keylog = leg_keylog, .work = leg_work};
    *out = NULL;
    if (!leg)
        return IBK_ERR_NO_MEMORY;
    *leg = (craft_leg){.craft = c, .call = strdup(call), .parameters_of = parameters_of};
    leg->generator = c->config.generator ? c->config.generator(c->config.user, config->local.id) : NULL;
    full.local_granularity = c->config.granularity(c->config.user, config->local.id);
    full.policy.allow_missing_echo = full.policy.allow_null_srtp = true;
    full.policy.without |= IBK_DEFENCE_CLOCK_SKEW; /* who has a key of yesterday minds no T of yesterday */
    full.policy.ignore_peer_errors = true;
    ibk_err err = leg->call ? ibk_replay_cache_new(&leg->replay, NULL) : IBK_ERR_NO_MEMORY;
    full.node = (ibk_node){.user = leg,
                           .params = leg_params,
                           .private_key = leg_key,
                           .accept_responder = leg_accepts,
                           .accept_policies = leg_accepts_policies,
                           .replay = leg->replay,
                           .timestamps = &leg->timestamps,
                           .granularity = leg_granularity};
    if (!err)
        err = ibk_session_new(&leg->session, &env, &full);
    if (err) {
        leg_free(leg);
        return err;
    }
    leg->next = c->legs;
    c->legs = leg;
    *out = leg;
    return IBK_OK;
}

ibk_err craft_session(craft_leg **out, craft *c, const char *call, const ibk_session_config *config) {
    return craft_leg_new(out, c, call, config, NULL);
}

ibk_session *craft_leg_session(const craft_leg *leg) {
    return leg->session;
}

ibk_err craft_leg_receive(craft_leg *leg, ibk_span message, ibk_step *step) {
    ibk_msg msg = {0};
    const craft_config *config = &leg->craft->config;
    const ibk_payload *ibake = NULL;
    if (ibk_msg_parse(&msg, message, NULL) == IBK_OK) {
        ibake = ibk_msg_find(&msg, IBK_PL_IBAKE, 0);
        leg->csb_id = msg.hdr.csb_id;
    }
    leg->ciphertext = ibake ? ibake->enc.data : (ibk_span){0};
    ibk_err err = ibk_session_recv(leg->session, config->now(config->user), message, step);
    leg->ciphertext = (ibk_span){0};
    ibk_msg_free(&msg);
    return err;
}
