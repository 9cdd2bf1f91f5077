/* Raw rules to rules: what sets them off, what they do, and which keys belong to which of both. */
#include "scenario/expand_adversaries.h"
#include <string.h>

/* ---- which keys belong where ------------------------------------------------------------------------------
 */

#define BIT(trigger) (1u << (trigger))
#define MESSAGES     (BIT(SCN_ON_MIKEY) | BIT(SCN_ON_SIP) | BIT(SCN_ON_HTTP))
#define SIP_ALONE    (BIT(SCN_ON_MIKEY) | BIT(SCN_ON_SIP))
#define MEDIA        BIT(SCN_ON_MEDIA)
#define PACKETS      (MESSAGES | MEDIA | BIT(SCN_ON_PACKET))
#define CLOCK        (BIT(SCN_ON_TIME) | BIT(SCN_ON_STATE))

typedef struct key_rule {
    const char *required, *optional; /* keys between spaces */
    unsigned triggers;               /* that it can stand with */
} key_rule;

/* The keys of each action. */
static const key_rule actions[SCN_ATTACKS] = {
    [SCN_ATTACK_PASS] = {"", "", PACKETS},
    [SCN_ATTACK_DROP] = {"", "", PACKETS},
    [SCN_ATTACK_DELAY] = {"by", "", PACKETS},
    [SCN_ATTACK_DUPLICATE] = {"", "times by", MESSAGES | MEDIA},
    [SCN_ATTACK_REORDER] = {"", "", MESSAGES | MEDIA},
    [SCN_ATTACK_RECORD] = {"as", "", MESSAGES | MEDIA},
    [SCN_ATTACK_SUBSTITUTE] = {"what", "", MESSAGES},
    [SCN_ATTACK_REPLAY] = {"what", "by to fresh", MESSAGES | MEDIA | CLOCK},
    [SCN_ATTACK_MODIFY] = {"field value", "", MESSAGES},
    [SCN_ATTACK_REMOVE_PAYLOAD] = {"payload", "instance", MESSAGES},
    [SCN_ATTACK_ADD_PAYLOAD] = {"payload value", "before", MESSAGES},
    [SCN_ATTACK_SWAP_IDENTITIES] = {"", "", MESSAGES},
    [SCN_ATTACK_IDENTITY] = {"field value", "", MESSAGES},
    [SCN_ATTACK_RE_ENCRYPT] = {"", "point-i point-r inner-idri inner-idrr for parameters-of", SIP_ALONE},
    [SCN_ATTACK_IMPERSONATE] = {"", "for parameters-of", SIP_ALONE},
    [SCN_ATTACK_RELAY_MEDIA] = {"", "", MEDIA},
    [SCN_ATTACK_INJECT_MEDIA] = {"to rate for", "content what", MESSAGES | MEDIA | CLOCK},
    [SCN_ATTACK_FORGE] = {"message as to", "parameters-of", MESSAGES | CLOCK},
    [SCN_ATTACK_FLOOD] = {"message to rate for", "content what as", MESSAGES | CLOCK},
    [SCN_ATTACK_STRIP_KEY_MGMT] = {"", "", SIP_ALONE},
    [SCN_ATTACK_SET_HEADER] = {"header value", "", MESSAGES},
    [SCN_ATTACK_REPLACE_TEXT] = {"find with", "", MESSAGES},
    [SCN_ATTACK_REROUTE] = {"to", "", SIP_ALONE},
    [SCN_ATTACK_CONTACT] = {"value", "", SIP_ALONE},
};

/* The conditions of each trigger. */
static const key_rule conditions[] = {
    [SCN_ON_MIKEY] = {"", "call sender receiver identity nth after until probability more", 0},
    [SCN_ON_SIP] = {"", "call sender receiver identity nth after until probability more", 0},
    [SCN_ON_HTTP] = {"", "sender receiver identity nth after until probability more", 0},
    [SCN_ON_MEDIA] = {"", "call sender receiver nth after until probability more", 0},
    [SCN_ON_PACKET] = {"", "sender receiver nth after until probability more", 0},
    [SCN_ON_TIME] = {"after", "", 0},
    [SCN_ON_STATE] = {"of is", "call nth after until probability", 0},
};

static const scn_section *rule_section(void) {
    const scn_section *adversary = scn_field_of(&scn_root_section, "adversaries")->section;
    return scn_field_of(adversary, "rules")->section;
}

static bool has_word(const char *list, const char *word) {
    size_t len = strlen(word);
    for (const char *at = list; (at = strstr(at, word)) != NULL; at += len) {
        if ((at == list || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return true;
    }
    return false;
}

static void hint_keys(scn_error *e, const key_rule *keys) {
    const char *between = keys->required[0] != '\0' && keys->optional[0] != '\0' ? " " : "";
    if (keys->required[0] == '\0' && keys->optional[0] == '\0')
        scn_hint(e, "it takes none");
    else
        scn_hint(e, "its keys are: %s%s%s", keys->required, between, keys->optional);
}

/* Every key of the file must belong to what the rule is; every key that it needs must be there. */
static bool check_keys(scn_cast *cast, const raw_rule *raw, const char *path, const key_rule *keys,
                       size_t first, size_t end, const char *what) {
    const scn_section *section = rule_section();
    bool ok = true;
    for (size_t i = first; i < end; i++) {
        const char *key = section->fields[i].key;
        bool written = scn_written(&raw->head, key);
        if (written && !has_word(keys->required, key) && !has_word(keys->optional, key)) {
            hint_keys(scn_report(cast->ctx, scn_where_of(&raw->head, key), "%s: '%s' does not belong to %s",
                                 path, key, what),
                      keys);
            ok = false;
        } else if (!written && has_word(keys->required, key)) {
            scn_hint(
                scn_report(cast->ctx, &raw->head.node->where, "%s: %s lacks the key '%s'", path, what, key),
                "%s: %s", key, section->fields[i].meaning);
            ok = false;
        }
    }
    return ok;
}

static bool check_all_keys(scn_cast *cast, const scn_rule *rule, const raw_rule *raw, const char *path) {
    const scn_section *section = rule_section();
    const key_rule *action = &actions[rule->act];
    size_t divide = (size_t)(scn_field_of(section, "do") - section->fields);
    const char *trigger = scn_printf(cast->ctx->arena, "'on: %s'", scn_show(cast->ctx, rule->on_text));
    const char *what = scn_printf(cast->ctx->arena, "'do: %s'", scn_attack_name(rule->act));
    bool ok = check_keys(cast, raw, path, &conditions[rule->on], 1, divide, trigger);
    ok &= check_keys(cast, raw, path, action, divide + 1, section->count, what);
    if ((action->triggers & BIT(rule->on)) == 0) {
        scn_report(cast->ctx, scn_where_of(&raw->head, "do"), "%s: %s cannot be done %s", path, what,
                   trigger);
        ok = false;
    }
    return ok;
}

/* ---- triggers ---------------------------------------------------------------------------------------------
 */

static const struct {
    const char *word;
    scn_trigger on;
} triggers[] = {{"mikey", SCN_ON_MIKEY}, {"sip", SCN_ON_SIP},       {"http", SCN_ON_HTTP},
                {"media", SCN_ON_MEDIA}, {"packet", SCN_ON_PACKET}, {"time", SCN_ON_TIME},
                {"state", SCN_ON_STATE}};

static const char *const methods[] = {"INVITE",    "ACK",    "BYE",     "CANCEL", "REGISTER",
                                      "OPTIONS",   "PRACK",  "UPDATE",  "INFO",   "REFER",
                                      "SUBSCRIBE", "NOTIFY", "MESSAGE", "PUBLISH"};

int scn_data_type(const char *name) {
    for (int type = 0; type <= IBK_MSG_R_MESSAGE_2; type++) {
        if (strcmp(ibk_msg_type_name((uint8_t)type), name) == 0)
            return type;
    }
    return -1;
}

static unsigned status_of(const char *text) {
    uint64_t number = 0;
    return scn_digits_read(&number, text) && number >= 100 && number <= 699 ? (unsigned)number : 0;
}

static void unknown_trigger(const scn_spot *spot, const char *text) {
    scn_nearest nearest = {.word = text};
    for (size_t i = 0; i < sizeof triggers / sizeof triggers[0]; i++)
        scn_nearest_try(&nearest, triggers[i].word);
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        scn_nearest_try(&nearest, methods[i]);
    for (int type = 0; type <= IBK_MSG_R_MESSAGE_2; type++)
        scn_nearest_try(&nearest, ibk_msg_type_name((uint8_t)type));
    scn_error *e = scn_spot_report(spot, text, "sets nothing off");
    if (nearest.best != NULL)
        scn_hint(e, "did you mean '%s'?", nearest.best);
    else
        scn_hint(
            e, "expected a MIKEY message, a SIP method or status, or mikey, sip, http, media, packet, time, "
               "state");
}

static bool read_trigger(const scn_spot *spot, scn_rule *rule, const char *text) {
    rule->on_text = text;
    rule->data_type = SCN_ANY_TYPE;
    for (size_t i = 0; i < sizeof triggers / sizeof triggers[0]; i++) {
        if (strcmp(triggers[i].word, text) == 0) {
            rule->on = triggers[i].on;
            return true;
        }
    }
    rule->data_type = scn_data_type(text);
    rule->on = rule->data_type != -1 ? SCN_ON_MIKEY : SCN_ON_SIP;
    rule->status = status_of(text);
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (strcmp(methods[i], text) == 0)
            rule->method = methods[i];
    }
    if (rule->on == SCN_ON_MIKEY || rule->status != 0 || rule->method != NULL)
        return true;
    unknown_trigger(spot, text);
    return false;
}

/* ---- conditions -------------------------------------------------------------------------------------------
 */

static scn_spot at_key(scn_cast *cast, const raw_rule *raw, const char *path, const char *key) {
    return (scn_spot){cast, &raw->head, path, key};
}

static bool expand_conditions(scn_cast *cast, scn_rule *rule, const raw_rule *raw, const char *path) {
    const scn_spot call = at_key(cast, raw, path, "call"), sender = at_key(cast, raw, path, "sender");
    const scn_spot receiver = at_key(cast, raw, path, "receiver"), of = at_key(cast, raw, path, "of");
    const scn_spot identity = at_key(cast, raw, path, "identity");
    bool ok = true;
    if (raw->call != NULL)
        ok &= (rule->call = scn_spot_call(&call, raw->call)) != NULL;
    if (rule->sender != NULL)
        ok &= scn_spot_anybody(&sender, rule->sender) != NULL;
    if (rule->receiver != NULL)
        ok &= scn_spot_anybody(&receiver, rule->receiver) != NULL;
    if (rule->identity != NULL)
        ok &= (rule->identity = scn_spot_identity(&identity, rule->identity)) != NULL;
    if (rule->of != NULL)
        ok &= scn_spot_anybody(&of, rule->of) != NULL;
    if (!scn_written(&raw->head, "until"))
        rule->until_ns = UINT64_MAX;
    if (!scn_written(&raw->head, "probability"))
        rule->probability_ppb = 1000000000;
    if (rule->until_ns >= rule->after_ns)
        return ok;
    scn_hint(
        scn_report(cast->ctx, scn_where_of(&raw->head, "until"), "%s: 'until' comes before 'after'", path),
        "nothing could set the rule off");
    return false;
}

/* ---- what is done -----------------------------------------------------------------------------------------
 */

static bool read_message(const scn_spot *spot, scn_rule *rule, const char *text) {
    int type = scn_data_type(text);
    bool flood = rule->act == SCN_ATTACK_FLOOD;
    bool known = type == IBK_MSG_I_MESSAGE_1 || type == IBK_MSG_REQUEST_KEY_PSK || (!flood && type != -1);
    if (!known) {
        scn_hint(scn_spot_report(spot, text, flood ? "floods nobody" : "is no MIKEY message"),
                 flood ? "expected I_MESSAGE_1 or REQUEST_KEY_PSK" : "e.g. I_MESSAGE_1");
        return false;
    }
    rule->message = (uint8_t)type;
    return true;
}

/* A time for what lasts, an identity for what is encrypted. */
static bool read_for(const scn_spot *spot, scn_rule *rule, const char *text) {
    if (rule->act == SCN_ATTACK_RE_ENCRYPT || rule->act == SCN_ATTACK_IMPERSONATE)
        return (rule->for_identity = scn_spot_identity(spot, text)) != NULL;
    int64_t ns = 0;
    const char *unit = "";
    if (scn_number_read(&ns, &unit, text, &scn_time_quantity, false) == SCN_NUMBER_OK && ns > 0) {
        rule->lasts_ns = (uint64_t)ns;
        return true;
    }
    scn_hint(scn_spot_report(spot, text, "is no time"), "expected a time such as 10 s");
    return false;
}

static bool read_inner(const scn_spot *spot, scn_inner *out, const char *text) {
    *out = (scn_inner){.given = true};
    if (strcmp(text, "none") == 0)
        return true;
    return (out->identity = scn_spot_identity(spot, text)) != NULL;
}

static bool expand_texts(scn_cast *cast, scn_rule *rule, const raw_rule *raw, const char *path) {
    const scn_spot payload = at_key(cast, raw, path, "payload"), before = at_key(cast, raw, path, "before");
    const scn_spot value = at_key(cast, raw, path, "value"), message = at_key(cast, raw, path, "message");
    const scn_spot for_ = at_key(cast, raw, path, "for"), of = at_key(cast, raw, path, "parameters-of");
    bool ok = true;
    if (raw->payload != NULL)
        ok &= scn_rule_payload(&payload, &rule->payload, raw->payload);
    if (raw->before != NULL)
        ok &= rule->has_before = scn_rule_payload(&before, &rule->before, raw->before);
    if (raw->value != NULL)
        ok &= scn_rule_value(&value, &rule->value, rule, raw->value);
    if (raw->message != NULL)
        ok &= read_message(&message, rule, raw->message);
    if (raw->for_ != NULL)
        ok &= read_for(&for_, rule, raw->for_);
    if (raw->parameters_of != NULL)
        ok &= (rule->parameters_of = scn_spot_domain(&of, raw->parameters_of)) != NULL;
    return ok;
}

static bool expand_points(scn_cast *cast, scn_rule *rule, const raw_rule *raw, const char *path) {
    const scn_spot point_i = at_key(cast, raw, path, "point-i"), point_r = at_key(cast, raw, path, "point-r");
    const scn_spot inner_i = at_key(cast, raw, path, "inner-idri"),
                   inner_r = at_key(cast, raw, path, "inner-idrr");
    bool ok = true;
    if (raw->point_i != NULL)
        ok &= scn_rule_point(&point_i, &rule->point_i, raw->point_i);
    if (raw->point_r != NULL)
        ok &= scn_rule_point(&point_r, &rule->point_r, raw->point_r);
    if (raw->inner_i != NULL)
        ok &= read_inner(&inner_i, &rule->inner_i, raw->inner_i);
    if (raw->inner_r != NULL)
        ok &= read_inner(&inner_r, &rule->inner_r, raw->inner_r);
    return ok;
}

static bool expand_target(scn_cast *cast, scn_rule *rule, const raw_rule *raw, const char *path) {
    const scn_spot as = at_key(cast, raw, path, "as"), to = at_key(cast, raw, path, "to");
    const scn_spot what = at_key(cast, raw, path, "what");
    if (rule->to != NULL) {
        if (scn_spot_anybody(&to, rule->to) == NULL)
            return false;
        const scn_named *user = scn_index_find(&cast->users, rule->to);
        rule->to_user = user == NULL ? NULL : &cast->s->users[user->index];
    }
    if (rule->as != NULL && rule->act != SCN_ATTACK_RECORD &&
        (rule->as_identity = scn_spot_identity(&as, rule->as)) == NULL)
        return false;
    if (rule->act == SCN_ATTACK_REPLAY && rule->fresh != (rule->to != NULL)) {
        scn_hint(
            scn_report(cast->ctx, &raw->head.node->where, "%s: 'fresh: true' and 'to' belong together", path),
            "without both it goes to its old receiver, octet by octet");
        return false;
    }
    bool content = rule->act == SCN_ATTACK_FLOOD || rule->act == SCN_ATTACK_INJECT_MEDIA;
    if (!content || (rule->content == SCN_FLOOD_RECORDED) == (rule->what != NULL))
        return true;
    scn_hint(scn_report(cast->ctx, scn_where_of(&raw->head, rule->what != NULL ? what.key : "content"),
                        "%s: 'content: recorded' and 'what' belong together", path),
             "'what' names the recording");
    return false;
}

/* What the action is about, for reports: "SP" of "modify SP". */
static const char *object_of(const scn_rule *rule, const raw_rule *raw) {
    for (const scn_word *w = scn_field_of(rule_section(), "field")->words; w->text != NULL; w++) {
        if ((int64_t)rule->field == w->value)
            return w->text;
    }
    const char *const objects[] = {raw->payload, rule->what, raw->message, rule->header};
    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
        if (objects[i] != NULL)
            return objects[i];
    }
    return NULL;
}

static const char *text_of(scn_cast *cast, const scn_rule *rule, const raw_rule *raw) {
    const char *name = scn_attack_name(rule->act), *object = object_of(rule, raw);
    return object == NULL ? name : scn_printf(cast->ctx->arena, "%s %s", name, object);
}

bool scn_expand_rule(scn_cast *cast, scn_rule *out, const raw_rule *raw, const char *path) {
    const scn_spot on = at_key(cast, raw, path, "on");
    *out = raw->rule;
    if (raw->on == NULL || out->act == SCN_ATTACK_NONE) /* reported when they were read */
        return false;
    if (!read_trigger(&on, out, raw->on) || !check_all_keys(cast, out, raw, path))
        return false;
    if (out->times == 0)
        out->times = 1;
    if (out->instance == 0)
        out->instance = 1;
    bool ok = expand_conditions(cast, out, raw, path);
    ok &= expand_texts(cast, out, raw, path);
    ok &= expand_points(cast, out, raw, path);
    ok &= expand_target(cast, out, raw, path);
    out->text = text_of(cast, out, raw);
    return ok;
}
