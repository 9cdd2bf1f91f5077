/* The list of deviations: each knob with each message that it applies to. */
#include "peer/knob.h"

#include <stdio.h>
#include <string.h>

static const px_table *const tables[] = {&px_knobs_header, &px_knobs_outer, &px_knobs_ibake,
                                         &px_knobs_mac,    &px_knobs_key,   &px_knobs_sdp};

/* Calls `each` until it returns true. */
typedef bool visit(void *user, const px_knob *knob, px_kind kind);
static bool for_all(visit *each, void *user) {
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (size_t i = 0; i < tables[t]->n; i++)
            for (unsigned kind = 0; kind < PX_KINDS; kind++)
                if ((tables[t]->knobs[i].kinds & PX_OF(kind)) &&
                    each(user, &tables[t]->knobs[i], (px_kind)kind))
                    return true;
    return false;
}

/* ---- requirements
 * ------------------------------------------------------------------------------------------- */

static const char *expand(const char *word, size_t len, px_kind kind) {
    static const struct {
        const char *name;
        px_rule rule;
    } names[] = {{"@parse", PX_RULE_PARSE}, {"@hdr", PX_RULE_HDR}, {"@t", PX_RULE_T},
                 {"@flag", PX_RULE_FLAG},   {"@ids", PX_RULE_IDS}, {"@inner", PX_RULE_INNER},
                 {"@to", PX_RULE_TO},       {"@mac", PX_RULE_MAC}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i].name) == len && memcmp(names[i].name, word, len) == 0)
            return px_rule_of(kind, names[i].rule);
    return NULL;
}

/* Appends a requirement that is not there yet. */
static void add_rule(char *out, size_t size, const char *word, size_t len) {
    size_t used = strlen(out);
    for (const char *w = out; *w;) {
        size_t n = strcspn(w, " ");
        if (n == len && memcmp(w, word, n) == 0)
            return;
        w += n + (w[n] == ' ');
    }
    (void)snprintf(out + used, size - used, "%s%.*s", used ? " " : "", (int)len, word);
}

static void list_rules(const px_knob *knob, px_kind kind, char *out, size_t size) {
    out[0] = 0;
    for (const char *w = knob->rules; *w;) {
        size_t n = strcspn(w, " ");
        const char *meant = *w == '@' ? expand(w, n, kind) : NULL;
        add_rule(out, size, meant ? meant : w, meant ? strlen(meant) : n);
        w += n + (w[n] == ' ');
    }
}

const char *px_knob_rule(const px_knob *knob, px_kind kind) {
    const char *space = strrchr(knob->rules, ' '), *last = space ? space + 1 : knob->rules;
    return *last == '@' ? expand(last, strlen(last), kind) : last;
}

const char *peer_prf_rule(const char *requirement, uint8_t prf) {
    bool of_sha_256 = strcmp(requirement, "6043-1") == 0 || strcmp(requirement, "6043-2") == 0;
    return of_sha_256 && prf == PX_PRF_MIKEY_1 ? "3830-11" : requirement;
}

/* What somebody breaks who errs as the knob does, so that he takes its message for right and not the right
 * one; or who does not pass over what nobody may look at. */
static void put_mistake(const px_knob *knob, px_kind kind, peer_deviation *out) {
    const char *own = "";
    if (px_knob_of_keys(knob) || px_knob_of_kemac(knob))
        own = px_knob_rule(knob, kind);
    else if ((knob->outcome == PEER_TAKE && !px_knob_of_choice(knob)) || px_knob_of_padding(knob))
        own = out->requirements; /* the first */
    (void)snprintf(out->mistake, sizeof out->mistake, "%.*s", (int)strcspn(own, " "), own);
}

/* ---- what peer.h offers
 * -------------------------------------------------------------------------------------- */

static peer_role sender_of(px_kind kind) {
    static const peer_role roles[PX_KINDS] = {
        [PX_I1] = PEER_INITIATOR,    [PX_R1] = PEER_RESPONDER, [PX_I2] = PEER_INITIATOR,
        [PX_R2] = PEER_RESPONDER,    [PX_R1D] = PEER_MAILBOX,  [PX_I2D] = PEER_INITIATOR,
        [PX_R2D] = PEER_MAILBOX,     [PX_U1] = PEER_INITIATOR, [PX_U2] = PEER_RESPONDER,
        [PX_QPSK] = PEER_USER,       [PX_QPKE] = PEER_USER,    [PX_RESP] = PEER_KMS,
        [PX_ERROR] = PEER_RESPONDER, [PX_SDP] = PEER_INITIATOR};
    return roles[kind];
}

static void describe(const px_knob *knob, px_kind kind, peer_deviation *out) {
    memset(out, 0, sizeof *out);
    (void)snprintf(out->message, sizeof out->message, "%s", px_kind_name(kind));
    (void)snprintf(out->knob, sizeof out->knob, "%s", knob->name);
    (void)snprintf(out->name, sizeof out->name, "%s/%s", px_kind_name(kind), knob->name);
    list_rules(knob, kind, out->requirements, sizeof out->requirements);
    out->text = knob->text;
    out->sender = sender_of(kind);
    out->outcome = knob->outcome;
    out->tolerated = knob->outcome != PEER_REFUSE;
    put_mistake(knob, kind, out);
    out->prf = px_knob_prf(knob);
    out->encryption = px_knob_encryption(knob);
    out->timestamp = px_knob_timestamp(knob);
    out->unnoticed = knob->unnoticed;
}

static bool count(void *user, const px_knob *knob, px_kind kind) {
    (void)knob, (void)kind;
    ++*(size_t *)user;
    return false;
}

size_t peer_deviations(void) {
    size_t n = 0;
    (void)for_all(count, &n);
    return n;
}

typedef struct search {
    size_t index;     /* counts down … */
    const char *name; /* … unless there is a name */
    const px_knob *knob;
    px_kind kind;
} search;

static bool is_it(void *user, const px_knob *knob, px_kind kind) {
    search *s = user;
    size_t len = strlen(px_kind_name(kind));
    bool found = s->name ? strncmp(s->name, px_kind_name(kind), len) == 0 && s->name[len] == '/' &&
                               strcmp(s->name + len + 1, knob->name) == 0
                         : s->index-- == 0;
    s->knob = knob;
    s->kind = kind;
    return found;
}

bool peer_deviation_at(size_t i, peer_deviation *out) {
    search s = {.index = i};
    bool found = for_all(is_it, &s);
    if (found)
        describe(s.knob, s.kind, out);
    return found;
}

bool px_knob_find(const char *name, const px_knob **knob, px_kind *kind) {
    static const char family[] = "deviation/";
    search s = {.name = strncmp(name, family, strlen(family)) == 0 ? name + strlen(family) : name};
    bool found = for_all(is_it, &s);
    *knob = found ? s.knob : NULL;
    *kind = s.kind;
    return found;
}

bool peer_deviation_find(const char *name, peer_deviation *out) {
    const px_knob *knob;
    px_kind kind;
    bool found = px_knob_find(name, &knob, &kind);
    if (found)
        describe(knob, kind, out);
    return found;
}

/* ---- turning the knob
 * ------------------------------------------------------------------------------------------ */

static void bend(peer *p, px_draft *d, px_stage stage, px_octets *octets) {
    if (p->knob && d->kind == p->knob_kind && p->knob->stage == stage &&
        p->knob->bend(p, d, p->knob, octets)) {
        p->result.deviated = true;
        p->result.outcome = p->knob->outcome;
    }
}

void px_bend(peer *p, px_draft *d, px_stage stage) {
    bend(p, d, stage, NULL);
}

void px_bend_octets(peer *p, px_draft *d, px_octets *octets) {
    bend(p, d, PX_AT_OCTETS, octets);
}
