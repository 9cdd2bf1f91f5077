#include "attack/attack.h"
#include "random/random.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MS UINT64_C(1000000)

/* What a composition draws from, and draws. */
typedef struct composer {
    const scn_scenario *s;
    const scn_call *call; /* the one that the moves are about, in the main */
    sim_random *random;
    attack *out;
    unsigned recordings;
} composer;

/* ---- chance
 * ----------------------------------------------------------------------------------------------------- */

static size_t below(composer *c, size_t n) {
    return (size_t)(sim_random_u64(c->random) % n);
}

static bool one_in(composer *c, size_t n) {
    return below(c, n) == 0;
}

#define PICK(c, list) ((list)[below((c), sizeof(list) / sizeof((list)[0]))])

static const char *user(composer *c) {
    return c->s->users[below(c, c->s->user_count)].name;
}

/* A moment between the call's beginning and some seconds after its end. */
static uint64_t moment_ms(composer *c) {
    uint64_t length = (c->call->ring_ns + c->call->duration_ns) / MS + 3000;
    return c->call->at_ns / MS + below(c, (size_t)length);
}

/* ---- rules
 * ------------------------------------------------------------------------------------------------------ */

static void put(attack_rule *rule, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void put(attack_rule *rule, const char *key, const char *format, ...) {
    if (rule->count == ATTACK_KEYS_MAX)
        return;
    attack_key *k = &rule->keys[rule->count++];
    va_list args;
    va_start(args, format);
    snprintf(k->key, sizeof k->key, "%s", key);
    vsnprintf(k->value, sizeof k->value, format, args);
    va_end(args);
}

/* A new rule; beyond the last one, a scratch one that is lost. */
static attack_rule *rule(composer *c, const char *on, const char *what) {
    static attack_rule scratch;
    attack_rule *r = &scratch;
    if (c->out->rule_count < ATTACK_RULES_MAX)
        r = &c->out->rules[c->out->rule_count++];
    *r = (attack_rule){0};
    put(r, "on", "%s", on);
    put(r, "do", "%s", what);
    return r;
}

static const char *const exchange[] = {"I_MESSAGE_1", "R_MESSAGE_1", "I_MESSAGE_2", "R_MESSAGE_2"};
static const char *const sip_messages[] = {"INVITE", "183", "PRACK", "200", "180", "ACK", "BYE", "UPDATE"};

static const char *a_message(composer *c) {
    return one_in(c, 5) ? PICK(c, sip_messages) : PICK(c, exchange);
}

/* Now and then a rule is for some of the messages alone. Beyond two keys of its own: the rest follows. */
static void narrow(composer *c, attack_rule *r) {
    if (one_in(c, 3))
        put(r, "nth", "%zu", 1 + below(c, 3));
    if (one_in(c, 8))
        put(r, "probability", "%zu %%", 10 + below(c, 90));
    if (one_in(c, 6))
        put(r, "after", "%llu ms", (unsigned long long)moment_ms(c));
    if (one_in(c, 4))
        put(r, "more", "true");
}

/* ---- moves
 * ------------------------------------------------------------------------------------------------------ */

static void move_delivery(composer *c) {
    static const char *const ways[] = {"drop", "delay", "duplicate", "reorder"};
    const char *way = PICK(c, ways);
    attack_rule *r = rule(c, a_message(c), way);
    if (strcmp(way, "delay") == 0 || strcmp(way, "duplicate") == 0)
        put(r, "by", "%zu ms", 1 + below(c, 4000));
    if (strcmp(way, "duplicate") == 0)
        put(r, "times", "%zu", 1 + below(c, 3));
    narrow(c, r);
}

/* Some values mean something: SRTP without encryption, with a short tag, without authentication. */
static void put_value(composer *c, attack_rule *r, const char *field) {
    static const char *const words[] = {"flip", "random", "zero"};
    static const char *const policies[] = {"0b0104", "0b0104", "000100", "070100", "0a0100", "000100080100"};
    put(r, "field", "%s", field);
    if (strcmp(field, "SP") == 0 && !one_in(c, 3))
        put(r, "value", "%s", PICK(c, policies));
    else if (strcmp(field, "T") == 0 && one_in(c, 2))
        put(r, "value", "%s%zu s", one_in(c, 2) ? "-" : "+", 1 + below(c, 900));
    else if (strcmp(field, "PRF") == 0 && one_in(c, 2))
        put(r, "value", "%zu", below(c, 2));
    else if (strcmp(field, "SDP-IDs") == 0 && one_in(c, 2))
        put(r, "value", "mikey;null");
    else
        put(r, "value", "%s", PICK(c, words));
}

static void move_modify(composer *c) {
    static const char *const fields[] = {"version", "data-type", "V-flag", "PRF",  "CSB-ID",   "#CS",
                                         "map",     "T",         "RAND",   "IDRi", "IDRr",     "SP",
                                         "SP",      "SDP-IDs",   "IBAKE",  "U",    "V-of-IBE", "W",
                                         "ESK",     "MAC",       "MAC"};
    attack_rule *r = rule(c, PICK(c, exchange), "modify");
    put_value(c, r, PICK(c, fields));
    narrow(c, r);
}

/* The same lie in the offer and in its repetition: what P-14 is to notice must be changed twice. */
static void move_modify_pair(composer *c) {
    static const char *const fields[] = {"SP", "SP", "SP", "SDP-IDs", "PRF", "map"};
    const char *field = PICK(c, fields);
    attack_rule *first = rule(c, "I_MESSAGE_1", "modify");
    put_value(c, first, field);
    const attack_key value = first->keys[first->count - 1];
    attack_rule *second = rule(c, one_in(c, 2) ? "R_MESSAGE_1" : "R_MESSAGE_2", "modify");
    put(second, "field", "%s", field);
    put(second, "value", "%s", value.value);
}

static void move_payload(composer *c) {
    static const char *const payloads[] = {"SP",    "IDR", "T", "RAND", "General Extension",
                                           "IBAKE", "ESK", "V"};
    bool add = one_in(c, 3);
    attack_rule *r = rule(c, PICK(c, exchange), add ? "add-payload" : "remove-payload");
    put(r, "payload", "%s", add ? "SP" : PICK(c, payloads));
    if (add)
        put(r, "value", "000003000100");
    narrow(c, r);
}

static void move_identity(composer *c) {
    if (one_in(c, 3)) {
        narrow(c, rule(c, PICK(c, exchange), "swap-identities"));
        return;
    }
    attack_rule *r = rule(c, PICK(c, exchange), "identity");
    put(r, "field", "%s", one_in(c, 2) ? "IDRi" : "IDRr");
    put(r, "value", "%s", user(c));
    narrow(c, r);
}

static void move_re_encrypt(composer *c) {
    static const char *const points[] = {"own",      "own",         "reflected", "off-curve",
                                         "infinity", "small-order", "twist"};
    attack_rule *r = rule(c, PICK(c, exchange), "re-encrypt");
    put(r, one_in(c, 2) ? "point-i" : "point-r", "%s", PICK(c, points));
    if (one_in(c, 4))
        put(r, one_in(c, 2) ? "inner-idri" : "inner-idrr", "%s", one_in(c, 3) ? "none" : user(c));
    narrow(c, r);
}

/* Records a message and brings it back: octet by octet, in a dialog of its own, or inside a later one. */
static void move_replay(composer *c) {
    const char *message = one_in(c, 2) ? "I_MESSAGE_1" : PICK(c, exchange);
    char name[16];
    snprintf(name, sizeof name, "r%u", ++c->recordings);
    attack_rule *first = rule(c, message, "record");
    put(first, "as", "%s", name);
    put(first, "nth", "1");
    put(first, "more", "true");
    if (one_in(c, 3)) {
        attack_rule *later = rule(c, message, "substitute");
        put(later, "what", "%s", name);
        put(later, "nth", "2");
        return;
    }
    attack_rule *later = rule(c, "time", "replay");
    put(later, "what", "%s", name);
    put(later, "after", "%llu ms", (unsigned long long)moment_ms(c));
    if (!one_in(c, 3)) {
        put(later, "to", "%s", c->call->to->name);
        put(later, "fresh", "true");
    }
}

static void move_sip(composer *c) {
    static const char *const carriers[] = {"INVITE", "INVITE", "183", "PRACK", "200"};
    switch (below(c, 4)) {
    case 0:
    case 1:
        narrow(c, rule(c, PICK(c, carriers), "strip-key-mgmt"));
        return;
    case 2: {
        attack_rule *r = rule(c, PICK(c, carriers), "replace-text");
        put(r, "find", "RTP/SAVP");
        put(r, "with", "RTP/AVP");
        narrow(c, r);
        return;
    }
    default: {
        attack_rule *r = rule(c, PICK(c, carriers), "contact");
        put(r, "value", "sip:nobody@%s", c->s->domains[0].name);
        narrow(c, r);
    }
    }
}

static void move_forge(composer *c) {
    attack_rule *r = rule(c, "time", "forge");
    put(r, "after", "%llu ms", (unsigned long long)moment_ms(c));
    put(r, "message", "I_MESSAGE_1");
    put(r, "as", "%s", c->call->from->name);
    put(r, "to", "%s", c->call->to->name);
}

static void move_impersonate(composer *c) {
    rule(c, "mikey", "impersonate");
    if (one_in(c, 2))
        rule(c, "media", "relay-media");
}

typedef void move(composer *c);

static move *const moves[] = {move_delivery,    move_delivery, move_modify,   move_modify, move_modify,
                              move_modify_pair, move_payload,  move_identity, move_replay, move_replay,
                              move_re_encrypt,  move_sip,      move_sip,      move_forge,  move_impersonate};

/* ---- the whole
 * ------------------------------------------------------------------------------------------------- */

const char *attack_adversary(const scn_scenario *scenario) {
    return scenario->adversary_count ? scenario->adversaries[0].name : "mallory";
}

static void take_seats(composer *c) {
    const scn_user *ends[] = {c->s->calls[0].from, c->s->calls[0].to};
    for (size_t i = 0; c->s->adversary_count == 0 && i < 2; i++) {
        attack_key *seat = &c->out->seats[c->out->seat_count++];
        snprintf(seat->key, sizeof seat->key, "link");
        snprintf(seat->value, sizeof seat->value, "%s", ends[i]->name);
    }
}

ibk_err attack_compose(attack *out, const scn_scenario *scenario, uint64_t seed, uint64_t round) {
    char label[40];
    snprintf(label, sizeof label, "round %llu", (unsigned long long)round);
    *out = (attack){0};
    composer c = {.s = scenario, .out = out, .random = sim_random_new(seed, "adversary", label)};
    if (!c.random)
        return IBK_ERR_NO_MEMORY;
    c.call = &scenario->calls[below(&c, scenario->call_count)];
    take_seats(&c);
    for (size_t n = 1 + below(&c, 3); n-- > 0;)
        PICK(&c, moves)(&c);
    sim_random_free(c.random);
    return IBK_OK;
}
