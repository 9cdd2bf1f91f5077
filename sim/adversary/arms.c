#include "adversary/arms.h"
#include "adversary/inject.h"
#include "ims/address.h"
#include "kms/parameters.h"

#include <stdlib.h>
#include <string.h>

struct arms {
    arms_config config;
    const ibk_ibe_params **params;
    ims_host *host;
    craft *craft;
    agent *agent;
    told *told;
    relay *relay;
    inject *inject;
    flood *flood;
    post_office *office;
    rogue_kms *kms; /* NULL: it has none */
};

ims_host *arms_host(const arms *a) {
    return a->host;
}

/* ---- what crafting asks
 * ---------------------------------------------------------------------------------------- */

static ibk_time craft_now(void *user) {
    return ims_host_time(((arms *)user)->host);
}

/* The home network of an identity, or of an IBE identity: what stands behind its '@', or the owner of its
 * number. */
static const scn_domain *domain_of(const arms *a, ibk_span identity) {
    const scn_scenario *s = a->config.scenario;
    const uint8_t *at = identity.len ? memchr(identity.data, '@', identity.len) : NULL;
    const char *number_domain = at ? NULL : ims_names_domain_of_number(a->host->world->names, identity);
    ibk_span rest = at ? ibk_span_of(at + 1, identity.len - (size_t)(at + 1 - identity.data)) : (ibk_span){0};
    for (size_t i = 0; i < s->domain_count; i++) {
        ibk_span name = ibk_span_str(s->domains[i].name);
        ibk_span begin = ibk_span_of(rest.data, rest.len < name.len ? rest.len : name.len);
        bool dated = rest.len > name.len && rest.data[name.len] >= '0' && rest.data[name.len] <= '9';
        if (ibk_span_equal(begin, name) && (rest.len == name.len || dated))
            return &s->domains[i];
        if (number_domain && strcmp(number_domain, s->domains[i].name) == 0)
            return &s->domains[i];
    }
    return NULL;
}

/* The set first that the user of this identity goes by: the genuine one, but for those whom its own KMS gave
 * keys. The other one is what those may have encrypted with whom that KMS has deceived. */
static const ibk_ibe_params *craft_params(void *user, ibk_span identity, const scn_domain *of, size_t nth) {
    const arms *a = user;
    const scn_domain *domain = of ? of : domain_of(a, identity);
    if (!domain || nth > 1)
        return NULL;
    const ibk_ibe_params *genuine = a->params[domain - a->config.scenario->domains];
    if (!a->kms || a->config.plan->kms->impersonates != domain)
        return nth == 0 ? genuine : NULL;
    bool served = !of && rogue_kms_serves(a->kms, identity);
    return (nth == 0) == served ? rogue_kms_params(a->kms) : genuine;
}

static ibk_granularity craft_granularity(void *user, ibk_span identity) {
    const scn_domain *domain = domain_of(user, identity);
    return domain ? domain->kms.granularity : IBK_GRANULARITY_DAY;
}

/* With P_pub = P everybody has every key: it goes into the wallet when it is first needed. */
static void take_trivial_key(const arms *a, const ibk_ibe_params *params, ibk_span ibe_identity) {
    ibk_buf der = {0};
    wallet_origin origin =
        wallet_from(LEDGER_COMPUTED, ims_host_now(a->host), "P_pub = P: the master secret is 1");
    if (bad_params_trivial_key(&der, params, ibe_identity) == IBK_OK)
        wallet_add_key_der(a->config.wallet, params, ibe_identity, ibk_buf_span(&der), &origin);
    ibk_buf_free(&der);
}

static const ibk_ibe_key *craft_key(void *user, const ibk_ibe_params *params, ibk_span ibe_identity) {
    const arms *a = user;
    const ibk_ibe_key *key = wallet_key(a->config.wallet, params, ibe_identity);
    bool trivial =
        a->kms && a->config.plan->kms->degenerate == SCN_P_PUB_IS_P && params == rogue_kms_params(a->kms);
    if (key || !trivial)
        return key;
    take_trivial_key(a, params, ibe_identity);
    return wallet_key(a->config.wallet, params, ibe_identity);
}

static const uint8_t *craft_generator(void *user, ibk_span identity) {
    const wallet_secret *seed = wallet_generator_of(((arms *)user)->config.wallet, identity);
    return seed ? seed->octets.data : NULL;
}

static void craft_learned(void *user, const char *call, const ibk_keylog_record *record) {
    const arms *a = user;
    wallet_origin origin =
        wallet_from(LEDGER_COMPUTED, ims_host_now(a->host), "from its own exchange in %s", call);
    wallet_add_record(a->config.wallet, record, true, &origin);
}

static void craft_planted(void *user, const char *call, uint32_t csb_id, bool responders, uint8_t curve,
                          ibk_span octets) {
    const arms *a = user;
    wallet_origin origin = wallet_from(LEDGER_HELD, ims_host_now(a->host), "planted in %s", call);
    wallet_add_planted(a->config.wallet, csb_id, responders, curve, octets, &origin);
}

static ibk_err start_craft(arms *a) {
    craft_config config = {.env = ims_host_env(a->host),
                           .user = a,
                           .now = craft_now,
                           .params = craft_params,
                           .granularity = craft_granularity,
                           .key = craft_key,
                           .generator = craft_generator,
                           .learned = craft_learned,
                           .planted = craft_planted};
    return craft_new(&a->craft, &config);
}

static ibk_err address_of(const arms *a, const char *name, sip_addr *out, ibk_diag *diag) {
    n3_endpoint endpoint = {.port = 0};
    if (!name || !a->config.address(a->config.user, name, &endpoint.addr))
        return ibk_fail(diag, IBK_ERR_NO_PARAMS, "to", 0, "'%s' has no address", name ? name : "");
    *out = ims_sip_addr(&endpoint);
    return IBK_OK;
}

/* ---- the rogue KMS
 * -------------------------------------------------------------------------------------------------- */

/* The keys of the users whom it impersonates the KMS of, for the day on which the run begins: ciphertexts
 * that only passed by are opened at its end. */
static void take_trivial_keys(const arms *a) {
    const scn_scenario *s = a->config.scenario;
    for (size_t i = 0; i < s->user_count; i++) {
        ibk_buf id = {0};
        const scn_domain *domain = s->users[i].domain;
        if (domain == a->config.plan->kms->impersonates &&
            ibk_ibe_identity(&id, ibk_span_str(s->users[i].identity), domain->kms.granularity,
                             s->start_utc_ns) == IBK_OK)
            take_trivial_key(a, rogue_kms_params(a->kms), ibk_buf_span(&id));
        ibk_buf_free(&id);
    }
}

static ibk_err start_kms(arms *a, ibk_diag *diag) {
    const scn_rogue_kms *plan = a->config.plan->kms;
    rogue_kms_config config = a->config.kms;
    config.host = a->host;
    config.scenario = a->config.scenario;
    config.plan = a->config.plan;
    config.genuine = a->params[plan->impersonates - a->config.scenario->domains];
    char name[256];
    parameters_host(name, plan->impersonates->name);
    ibk_err err = address_of(a, name, &config.genuine_at, diag);
    if (!err)
        err = rogue_kms_new(&a->kms, &config, diag);
    const ibk_ibe_params *params = err ? NULL : rogue_kms_params(a->kms);
    wallet_origin origin = wallet_from(LEDGER_HELD, 0, "of its own KMS");
    if (params)
        err = wallet_add_params(a->config.wallet, params, plan->impersonates->kms.granularity);
    if (!err && params && rogue_kms_master(a->kms))
        err = wallet_add_master(a->config.wallet, params, rogue_kms_master(a->kms), &origin);
    if (!err && plan->degenerate == SCN_P_PUB_IS_P)
        take_trivial_keys(a);
    return err;
}

/* ---- life
 * ------------------------------------------------------------------------------------------------------------
 */

static ibk_err copy_params(arms *a) {
    size_t n = a->config.scenario->domain_count;
    a->params = calloc(n, sizeof *a->params);
    if (!a->params)
        return IBK_ERR_NO_MEMORY;
    memcpy(a->params, a->config.params, n * sizeof *a->params);
    return IBK_OK;
}

ibk_err arms_new(arms **out, const arms_config *config, ibk_diag *diag) {
    *out = NULL;
    arms *a = calloc(1, sizeof *a);
    if (!a)
        return IBK_ERR_NO_MEMORY;
    a->config = *config;
    sip_core core = agent_core(&a->agent);
    ibk_err err = copy_params(a);
    if (!err)
        err = ims_host_new(&a->host, &config->host, &core);
    if (!err)
        err = start_craft(a);
    if (!err)
        err = agent_new(&a->agent, a->host, a->craft);
    if (!err)
        err = (a->told = told_new(config->wallet)) ? IBK_OK : IBK_ERR_NO_MEMORY;
    if (!err)
        err = relay_new(&a->relay, a->craft, a->told);
    if (!err)
        err = inject_new(&a->inject, a->host, a->relay);
    if (!err)
        err = flood_new(&a->flood, a->host, a->craft);
    if (!err)
        err = post_office_new(&a->office, a->host);
    if (!err && config->plan->kms)
        err = start_kms(a, diag);
    if (err)
        arms_free(a);
    else
        *out = a;
    return err;
}

void arms_free(arms *a) {
    if (!a)
        return;
    rogue_kms_free(a->kms);
    post_office_free(a->office);
    flood_free(a->flood);
    inject_free(a->inject);
    relay_free(a->relay);
    told_free(a->told);
    agent_free(a->agent);
    craft_free(a->craft);
    ims_host_free(a->host);
    free(a->params);
    free(a);
}

arms_stats arms_get_stats(const arms *a) {
    arms_stats stats = {.calls = agent_get_stats(a->agent),
                        .flood = flood_get_stats(a->flood),
                        .posts = post_get_stats(a->office),
                        .media = *relay_get_stats(a->relay),
                        .injected = inject_sent(a->inject)};
    if (a->kms)
        stats.kms = rogue_kms_get_stats(a->kms);
    if (a->host->cpu)
        stats.cpu = cpu_get_stats(a->host->cpu);
    return stats;
}

bool arms_is_idle(const arms *a) {
    return agent_is_idle(a->agent) && flood_is_idle(a->flood) && post_is_idle(a->office) &&
           inject_is_idle(a->inject);
}

/* ---- messages that pass
 * ------------------------------------------------------------------------------------------------- */

/* One of its two exchanges has come to nothing, yet there is something to go on with: that the rule was
 * applied is true. */
static void log_half(const arms *a, const seen *s, ibk_err err, const ibk_diag *diag) {
    trace *t = a->host->world->trace;
    trace_begin(t, TRACE_ERROR, a->host->name, "own-exchange-failed");
    trace_str(t, "call", s->call_id);
    trace_diag(t, err, diag);
    trace_end(t);
}

ibk_err arms_craft(void *user, const seen *s, const scn_rule *rule, ibk_buf *mikey, ibk_diag *diag) {
    arms *a = user;
    ibk_err err = IBK_ERR_UNSUPPORTED;
    if (!s->parsed)
        return ibk_fail(diag, IBK_ERR_BAD_VALUE, "MIKEY", 0, "the message cannot be taken apart");
    if (rule->act == SCN_ATTACK_RE_ENCRYPT)
        err = craft_reencrypt(a->craft, s->call_id, &s->msg, rule, mikey, diag);
    else if (rule->act == SCN_ATTACK_IMPERSONATE)
        err = craft_impersonate(a->craft, s->call_id, &s->msg, rule, mikey, diag);
    ims_host_work(a->host, scn_attack_name(rule->act), s->call_id, NULL, NULL);
    if (!err || mikey->len == 0)
        return err;
    log_half(a, s, err, diag);
    return IBK_OK;
}

ibk_err arms_media(void *user, const seen *s, const scn_rule *rule, ibk_buf *octets, ibk_diag *diag) {
    arms *a = user;
    (void)rule, (void)diag;
    return relay_media(a->relay, s->message->octets, octets);
}

void arms_note_mikey(arms *a, const seen *s) {
    if (s->parsed)
        told_note(a->told, &s->msg);
}

void arms_note_media(arms *a, const seen *s) {
    inject_note(a->inject, s->receiver, &s->message->to, s->message->octets);
}

/* ---- from its own node
 * ---------------------------------------------------------------------------------------------------- */

/* The KMS whose node this is; NULL: of none. */
static const scn_kms *kms_of(const arms *a, const char *node) {
    const char *prefix = "kms.";
    size_t len = strlen(prefix);
    const scn_domain *domain =
        strncmp(node, prefix, len) == 0 ? scn_find_domain(a->config.scenario, node + len) : NULL;
    return domain ? &domain->kms : NULL;
}

/* A name may be a user's or an identity already. */
static const char *identity_of(const arms *a, const char *name) {
    const scn_user *user = name ? scn_find_user(a->config.scenario, name) : NULL;
    return user ? user->identity : name;
}

/* In whose name, if the rule does not say: somebody of the victim's own domain, whose parameters it is sure
 * to have. */
static void name_sender(const arms *a, const char *wanted, const char *victim,
                        char out[IBK_IDENTITY_MAX + 1]) {
    const scn_domain *domain = domain_of(a, ibk_span_str(victim));
    const char *given = identity_of(a, wanted);
    if (given)
        snprintf(out, IBK_IDENTITY_MAX + 1, "%s", given);
    else
        snprintf(out, IBK_IDENTITY_MAX + 1, "sip:nobody@%s", domain ? domain->name : "invalid");
}

/* The identity that a message to this node or user is for: the KMS's, or the user's. */
static const char *victim_of(const arms *a, const char *to) {
    const scn_kms *kms = kms_of(a, to);
    return kms ? kms->identity : identity_of(a, to);
}

/* I_MESSAGE_1 as a whole exchange in a dialog; any other message as the only one in an INVITE, or to a KMS.
 */
static ibk_err forge(arms *a, const scn_rule *rule, const sip_addr *at, ibk_diag *diag) {
    ibk_buf mikey = {0};
    const scn_kms *kms = kms_of(a, rule->to);
    const char *to = victim_of(a, rule->to);
    char as[IBK_IDENTITY_MAX + 1];
    name_sender(a, rule->as_identity, to, as);
    agent_call call = {.at = *at, .as = as, .to = to};
    craft_forgery forgery = {.type = rule->message,
                             .as = ibk_span_str(as),
                             .to = ibk_span_str(to),
                             .encrypted = true,
                             .parameters_of = rule->parameters_of};
    ibk_err err = IBK_OK;
    if (rule->message != IBK_MSG_I_MESSAGE_1 || rule->parameters_of)
        err = craft_forge(a->craft, &forgery, &mikey);
    call.i_message_1 = ibk_buf_span(&mikey);
    if (!err)
        err = kms ? post_mikey(a->office, at, ibk_buf_span(&mikey)) : agent_place_call(a->agent, &call);
    ibk_buf_free(&mikey);
    return err ? ibk_fail(diag, err, "forge", 0, "%s", ibk_err_text(err)) : IBK_OK;
}

/* A recorded I_MESSAGE_1 in a dialog of its own, in the name of whom it names; what was for a KMS in a
 * request of its own. */
static ibk_err replay(arms *a, const scn_rule *rule, const seen_record *what, const sip_addr *at,
                      ibk_diag *diag) {
    ibk_peek peek;
    char as[IBK_IDENTITY_MAX + 1];
    if (!what || !what->mikey.len)
        return ibk_fail(diag, IBK_ERR_MISSING_PAYLOAD, "recording", 0, "there is no MIKEY message in it");
    ibk_err err = ibk_message_peek(&peek, ibk_buf_span(&what->mikey), diag);
    if (err)
        return err;
    if (kms_of(a, rule->to))
        return post_mikey(a->office, at, ibk_buf_span(&what->mikey));
    bool named = peek.initiator.id.len && peek.initiator.id.len < sizeof as;
    if (named)
        snprintf(as, sizeof as, "%.*s", (int)peek.initiator.id.len, (const char *)peek.initiator.id.data);
    else
        name_sender(a, NULL, victim_of(a, rule->to), as);
    agent_call call = {
        .at = *at, .as = as, .to = identity_of(a, rule->to), .i_message_1 = ibk_buf_span(&what->mikey)};
    return agent_place_call(a->agent, &call);
}

static ibk_err start_flood(arms *a, const scn_rule *rule, const seen_record *what, const sip_addr *at) {
    const char *to = victim_of(a, rule->to);
    char as[IBK_IDENTITY_MAX + 1];
    name_sender(a, rule->as_identity, to, as);
    flood_plan plan = {.at = *at,
                       .as = as,
                       .to = to,
                       .message = rule->message,
                       .content = rule->content,
                       .recording = what ? ibk_buf_span(&what->mikey) : (ibk_span){0},
                       .rate = rule->rate,
                       .lasts_ns = rule->lasts_ns};
    return flood_start(a->flood, &plan);
}

ibk_err arms_send(void *user, const scn_rule *rule, const seen_record *what, ibk_diag *diag) {
    arms *a = user;
    sip_addr at;
    ibk_err err = address_of(a, rule->to, &at, diag);
    if (err)
        return err;
    if (rule->act == SCN_ATTACK_INJECT_MEDIA) {
        inject_plan plan = {.receiver = rule->to,
                            .content = rule->content,
                            .recording = what ? ibk_buf_span(&what->octets) : (ibk_span){0},
                            .rate = rule->rate,
                            .lasts_ns = rule->lasts_ns};
        err = inject_start(a->inject, &plan);
        if (err == IBK_ERR_NO_KEY || err == IBK_ERR_NO_PARAMS)
            ibk_fail(diag, err, "inject-media", 0, "%s",
                     err == IBK_ERR_NO_KEY ? "it has no keys of that stream" : "no media went there so far");
    } else if (rule->act == SCN_ATTACK_FLOOD) {
        err = start_flood(a, rule, what, &at);
    } else if (rule->act == SCN_ATTACK_REPLAY) {
        err = replay(a, rule, what, &at, diag);
    } else {
        err = forge(a, rule, &at, diag);
    }
    ims_host_work(a->host, scn_attack_name(rule->act), NULL, NULL, NULL);
    return err;
}

ibk_err arms_resend(void *user, const seen_record *what, ibk_diag *diag) {
    arms *a = user;
    sip_addr at = ims_sip_addr(&what->message.to);
    ibk_err err = post_octets(a->office, &at, ibk_buf_span(&what->octets), NULL, NULL);
    return err ? ibk_fail(diag, err, "replay", 0, "%s", ibk_err_text(err)) : IBK_OK;
}
