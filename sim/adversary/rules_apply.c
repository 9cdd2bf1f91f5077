/* What the actions of rules do. */
#include "adversary/edit_mikey.h"
#include "adversary/edit_sip.h"
#include "adversary/rules_inside.h"

#include <string.h>

#define SIP_PORT 5060

static bool needs_mikey(scn_attack act) {
    switch (act) {
    case SCN_ATTACK_SUBSTITUTE:
    case SCN_ATTACK_MODIFY:
    case SCN_ATTACK_REMOVE_PAYLOAD:
    case SCN_ATTACK_ADD_PAYLOAD:
    case SCN_ATTACK_SWAP_IDENTITIES:
    case SCN_ATTACK_IDENTITY:
    case SCN_ATTACK_RE_ENCRYPT:
    case SCN_ATTACK_IMPERSONATE:
    case SCN_ATTACK_STRIP_KEY_MGMT:
        return true;
    default:
        return false;
    }
}

bool rules_can(const scn_rule *rule, const seen *s) {
    if (rule->act == SCN_ATTACK_REROUTE || rule->act == SCN_ATTACK_CONTACT ||
        rule->act == SCN_ATTACK_STRIP_KEY_MGMT)
        return s->sip && (rule->act != SCN_ATTACK_STRIP_KEY_MGMT || s->has_mikey);
    return !needs_mikey(rule->act) || s->has_mikey;
}

/* ---- the message becomes another one
 * ------------------------------------------------------------------------
 */

/* `octets` are what the message is from now on. */
static ibk_err replace(rules *r, rules_pass *pass, ibk_span octets) {
    ibk_buf_clear(&r->octets);
    ibk_err err = ibk_buf_append_span(&r->octets, octets);
    if (err)
        return err;
    pass->message = *pass->now->message;
    pass->message.octets = ibk_buf_span(&r->octets);
    if (pass->now == &pass->edited)
        seen_clear(&pass->edited);
    err = seen_read(&pass->edited, &r->config.world, &pass->message);
    pass->now = &pass->edited;
    if (pass->verdict->what != TAP_DROP)
        pass->verdict->what = TAP_REPLACE;
    pass->verdict->octets = pass->message.octets;
    return err;
}

static ibk_err put_mikey(rules *r, rules_pass *pass, ibk_span mikey) {
    ibk_buf octets = {0};
    ibk_err err = edit_put_mikey(&octets, pass->now, mikey);
    if (!err)
        err = replace(r, pass, ibk_buf_span(&octets));
    ibk_buf_free(&octets);
    return err;
}

static ibk_err edit_message(rules *r, const scn_rule *rule, rules_pass *pass) {
    const seen *s = pass->now;
    ibk_buf octets = {0};
    ibk_err err = IBK_ERR_UNSUPPORTED;
    if (rule->act == SCN_ATTACK_STRIP_KEY_MGMT)
        err = edit_strip_key_mgmt(&octets, s);
    else if (rule->act == SCN_ATTACK_SET_HEADER)
        err = edit_header(&octets, s, rule->header, rule->value.text);
    else if (rule->act == SCN_ATTACK_REPLACE_TEXT)
        err = edit_text(&octets, s, rule->find, rule->with);
    else if (rule->act == SCN_ATTACK_CONTACT)
        err = edit_contact(&octets, s, rule->value.text);
    if (!err)
        err = replace(r, pass, ibk_buf_span(&octets));
    ibk_buf_free(&octets);
    return err;
}

static ibk_err edit_mikey(rules *r, size_t index, rules_pass *pass, ibk_diag *diag) {
    const scn_rule *rule = rules_at(r, index);
    const seen *s = pass->now;
    ibk_buf mikey = {0};
    ibk_err err = IBK_ERR_UNSUPPORTED;
    sim_random *random = rules_random(r, index, &r->states[index].values, "values");
    if (!random)
        err = IBK_ERR_NO_MEMORY;
    else if (rule->act == SCN_ATTACK_MODIFY)
        err = edit_field(&mikey, s, rule->field, &rule->value, random);
    else if (rule->act == SCN_ATTACK_REMOVE_PAYLOAD)
        err = edit_remove_payload(&mikey, s, rule->payload, rule->instance);
    else if (rule->act == SCN_ATTACK_ADD_PAYLOAD)
        err = edit_add_payload(&mikey, s, rule->payload, rule->value.octets,
                               rule->has_before ? &rule->before : NULL);
    else if (rule->act == SCN_ATTACK_SWAP_IDENTITIES)
        err = edit_swap_identities(&mikey, s);
    else if (rule->act == SCN_ATTACK_IDENTITY)
        err = edit_identity(&mikey, s, rule->field, rule->value.octets);
    else if (r->config.hooks.craft)
        err = r->config.hooks.craft(r->config.hooks.user, s, rule, &mikey, diag);
    if (!err && mikey.len)
        err = put_mikey(r, pass, ibk_buf_span(&mikey));
    ibk_buf_free(&mikey);
    return err;
}

static ibk_err relay_media(rules *r, const scn_rule *rule, rules_pass *pass, ibk_diag *diag) {
    const rules_hooks *hooks = &r->config.hooks;
    ibk_buf octets = {0};
    ibk_err err =
        hooks->media ? hooks->media(hooks->user, pass->now, rule, &octets, diag) : IBK_ERR_UNSUPPORTED;
    if (!err && octets.len)
        err = replace(r, pass, ibk_buf_span(&octets));
    ibk_buf_free(&octets);
    return err;
}

/* ---- recordings
 * ---------------------------------------------------------------------------------------------
 */

static ibk_err keep(rules_kept *kept, const rules_pass *pass) {
    ibk_err err = seen_record_set(&kept->record, pass->now);
    kept->t = pass->t;
    kept->set = !err;
    return err;
}

static ibk_err nothing_recorded(ibk_diag *diag, const char *name) {
    return ibk_fail(diag, IBK_ERR_MISSING_PAYLOAD, "recording", 0, "nothing was recorded as '%s' so far",
                    name);
}

static ibk_err substitute(rules *r, const scn_rule *rule, rules_pass *pass, ibk_diag *diag) {
    const rules_kept *kept = rules_recording(r, rule->what);
    if (!kept || kept->record.mikey.len == 0)
        return nothing_recorded(diag, rule->what);
    return put_mikey(r, pass, ibk_buf_span(&kept->record.mikey));
}

/* The connection in which it came is gone: SIP goes as a datagram, HTTP over a connection of its own. */
static ibk_err resend(rules *r, const rules_kept *kept, ibk_diag *diag) {
    const tap_message *message = &kept->record.message;
    const rules_hooks *hooks = &r->config.hooks;
    n3_endpoint from = message->from, to = message->to;
    from.port = to.port = SIP_PORT;
    if (message->kind == TAP_SIP)
        return tap_send_udp(kept->t, message->direction, &from, &to, 0, ibk_buf_span(&kept->record.octets));
    return hooks->resend ? hooks->resend(hooks->user, &kept->record, diag) : IBK_ERR_UNSUPPORTED;
}

/* Octet by octet to its old receiver: into the old connection if it is still there. */
static ibk_err replay(rules *r, const rules_kept *kept, ibk_diag *diag) {
    const seen_record *what = &kept->record;
    ibk_err err = tap_send(kept->t, &what->message, false, 0, ibk_buf_span(&what->octets));
    if (err == IBK_ERR_STATE && what->message.tcp)
        err = resend(r, kept, diag);
    r->totals.sent += !err;
    return err;
}

/* ---- the way of the message
 * -----------------------------------------------------------------------------------
 */

static ibk_err send_copy(rules *r, const rules_pass *pass, uint64_t delay_ns) {
    ibk_err err = tap_send(pass->t, pass->now->message, false, delay_ns, pass->now->message->octets);
    r->totals.sent += !err;
    return err;
}

static ibk_err duplicate(rules *r, const scn_rule *rule, const rules_pass *pass) {
    ibk_err err = IBK_OK;
    uint64_t step = rule->by_ns ? rule->by_ns : RULES_STEP_NS;
    for (uint32_t i = 1; !err && i <= rule->times; i++)
        err = send_copy(r, pass, pass->verdict->delay_ns + i * step);
    return err;
}

/* Kept until the next message of its direction has gone by; one that was kept before goes now. */
static ibk_err reorder(rules *r, size_t index, rules_pass *pass) {
    rules_kept *held = &r->states[index].held[pass->now->message->direction == N3_BA];
    ibk_err err = IBK_OK;
    if (held->set) {
        held->set = false;
        err = tap_send(held->t, &held->record.message, false, 0, ibk_buf_span(&held->record.octets));
        r->totals.sent += !err;
    }
    if (!err)
        err = keep(held, pass);
    if (!err)
        pass->verdict->what = TAP_DROP;
    return err;
}

ibk_err rules_release(rules *r, const rules_pass *pass, size_t index) {
    const tap_message *message = pass->now->message;
    rules_kept *held = &r->states[index].held[message->direction == N3_BA];
    if (!held->set || held->t != pass->t || held->record.message.kind != message->kind ||
        held->record.message.now_ns == message->now_ns)
        return IBK_OK;
    held->set = false;
    ibk_err err = tap_send(held->t, &held->record.message, false, pass->verdict->delay_ns + RULES_STEP_NS,
                           ibk_buf_span(&held->record.octets));
    r->totals.sent += !err;
    return err == IBK_ERR_NO_MEMORY ? err : IBK_OK;
}

/* To another node, as a datagram. The seat is at a host: from there the way leads to the router. */
static ibk_err reroute(rules *r, const scn_rule *rule, rules_pass *pass, ibk_diag *diag) {
    const tap_message *message = pass->now->message;
    const rules_hooks *hooks = &r->config.hooks;
    n3_endpoint from = message->from, to = {.port = SIP_PORT};
    if (!hooks->address || !hooks->address(hooks->user, rule->to, &to.addr))
        return ibk_fail(diag, IBK_ERR_NO_PARAMS, "to", 0, "'%s' has no address", rule->to);
    if (message->tcp)
        from.port = SIP_PORT; /* where its sender listens for datagrams */
    ibk_err err = tap_send_udp(pass->t, N3_AB, &from, &to, 0, message->octets);
    r->totals.sent += !err;
    if (!err)
        pass->verdict->what = TAP_DROP;
    return err;
}

/* ---- all
 * ----------------------------------------------------------------------------------------------------
 */

/* Does the action begin something that goes on by itself? */
static bool is_performed(scn_attack act) {
    return act == SCN_ATTACK_REPLAY || act == SCN_ATTACK_INJECT_MEDIA || act == SCN_ATTACK_FORGE ||
           act == SCN_ATTACK_FLOOD;
}

ibk_err rules_perform(rules *r, size_t index, ibk_diag *diag) {
    const scn_rule *rule = rules_at(r, index);
    const rules_hooks *hooks = &r->config.hooks;
    const rules_kept *kept = rule->what ? rules_recording(r, rule->what) : NULL;
    bool again = rule->act == SCN_ATTACK_REPLAY && !rule->fresh;
    if (!kept && (rule->what || again))
        return nothing_recorded(diag, rule->what);
    if (again)
        return replay(r, kept, diag);
    if (!hooks->send)
        return IBK_ERR_UNSUPPORTED;
    return hooks->send(hooks->user, rule, kept ? &kept->record : NULL, diag);
}

ibk_err rules_apply(rules *r, size_t index, rules_pass *pass, ibk_diag *diag) {
    const scn_rule *rule = rules_at(r, index);
    if (is_performed(rule->act))
        return rules_later(r, index, rule->by_ns, true);
    switch (rule->act) {
    case SCN_ATTACK_PASS:
        return IBK_OK;
    case SCN_ATTACK_DROP:
        pass->verdict->what = TAP_DROP;
        r->totals.dropped++;
        return IBK_OK;
    case SCN_ATTACK_DELAY:
        pass->verdict->delay_ns += rule->by_ns;
        return IBK_OK;
    case SCN_ATTACK_DUPLICATE:
        return duplicate(r, rule, pass);
    case SCN_ATTACK_REORDER:
        return reorder(r, index, pass);
    case SCN_ATTACK_RECORD:
        return keep(&r->states[index].recording, pass);
    case SCN_ATTACK_SUBSTITUTE:
        return substitute(r, rule, pass, diag);
    case SCN_ATTACK_RELAY_MEDIA:
        return relay_media(r, rule, pass, diag);
    case SCN_ATTACK_STRIP_KEY_MGMT:
    case SCN_ATTACK_SET_HEADER:
    case SCN_ATTACK_REPLACE_TEXT:
    case SCN_ATTACK_CONTACT:
        return edit_message(r, rule, pass);
    case SCN_ATTACK_REROUTE:
        return reroute(r, rule, pass, diag);
    default:
        return edit_mikey(r, index, pass, diag);
    }
}
