/* Which mistake explains what is wrong. A MAC, a TEK or a ciphertext that is not what it has to be says
 * nothing of why; but the mistakes that implementers make are few, and each leaves octets of its own. */
#include "peer/knob.h"

/* ---- V ---- */

static void copy_recipe(px_recipe *to, const px_recipe *from) {
    *to = *from;
    to->secret = to->rand = (px_octets){0};
    px_set(&to->secret, px_span(&from->secret));
    px_set(&to->rand, px_span(&from->rand));
}

/* Whether the message has the V that somebody makes who errs as the knob does. */
static bool is_v_of(peer *p, px_received m, const px_knob *knob, const px_recipe *recipe,
                    const px_octets *covered) {
    px_draft erring = *m.d; /* its chain is only looked at */
    copy_recipe(&erring.recipe, recipe);
    erring.covered = (px_octets){0};
    px_set(&erring.covered, px_span(covered));
    bool is = knob->bend(p, &erring, knob, NULL) && px_v_verifies(m, &erring.recipe, &erring.covered);
    px_free(&erring.recipe.secret);
    px_free(&erring.recipe.rand);
    px_free(&erring.covered);
    return is;
}

void px_explain_v(peer *p, px_received m, const px_recipe *recipe, const px_octets *covered) {
    for (size_t i = 0; i < px_knobs_mac.n; i++) {
        const px_knob *knob = &px_knobs_mac.knobs[i];
        if (!px_knob_of_keys(knob) || !(knob->kinds & PX_OF(p->judging)) ||
            !is_v_of(p, m, knob, recipe, covered))
            continue;
        px_finding(p, px_knob_rule(knob, p->judging), knob->text);
        return;
    }
}

/* ---- TEKs ---- */

enum { LABEL_DATA_AUTH = 0x1B5C7973, LABEL_DATA_ENCR = 0x15798CEF }; /* RFC 3830 §4.1.3 */

static const px_tek_recipe mistakes[] = {
    {.requirement = "6267-95",
     .text = "the TGK is derived with the constant of the MPK",
     .tgk_constant = PX_LABEL_MPK},
    {.requirement = "6267-95",
     .text = "the TGK is derived with the CSB ID of the exchange",
     .tgk_csb_own = true},
    {.requirement = "6267-95", .text = "TEKs are derived from K_SESSION without a TGK", .direct = true},
    {.requirement = "P-6", .text = "the TGK has 160 bits", .tgk_len = 20},
    {.requirement = "P-6", .text = "the TGK has 128 bits", .tgk_len = 16},
    {.requirement = "3830-6",
     .text = "TEKs are derived with the constant of salts",
     .tek_constant = PX_LABEL_TEK_SALT},
    {.requirement = "3830-6",
     .text = "TEKs are derived with the constant of authentication keys",
     .tek_constant = LABEL_DATA_AUTH},
    {.requirement = "3830-6",
     .text = "TEKs are derived with the constant of encryption keys",
     .tek_constant = LABEL_DATA_ENCR},
    {.requirement = "3830-6", .text = "in the labels of TEKs, CS IDs count from 0", .cs_id_less = 1},
    {.requirement = "3830-6", .text = "the labels of TEKs have the CSB ID 0xFFFFFFFF", .tek_csb_none = true},
    {.requirement = "3830-6", .text = "the labels of TEKs have no RAND", .no_rand = true},
    {.requirement = "6043-1",
     .text = "TEKs are derived with another PRF than the header says",
     .other_prf = true},
};

bool peer_explain_tek(const peer *p, size_t i, ibk_span tek, peer_finding *out) {
    peer_cs_keys keys[PX_KEYS_MAX];
    for (size_t m = 0; m < sizeof mistakes / sizeof *mistakes; m++) {
        size_t n = px_keys(p, &mistakes[m], keys, PX_KEYS_MAX);
        bool is = i < n && i < PX_KEYS_MAX && ibk_span_equal(tek, ibk_span_of(keys[i].tek, keys[i].tek_len));
        ibk_wipe(keys, sizeof keys);
        if (is) {
            *out = (peer_finding){.requirement = mistakes[m].requirement, .text = mistakes[m].text};
            return true;
        }
    }
    return false;
}

/* ---- IBE ---- */

/* Whether it is for this ID data, with the date of a moment in the form of `granularity`, or without a date.
 */
static bool is_for(peer *p, const px_part *part, ibk_span id_data, const peer_granularity *granularity,
                   uint64_t seconds) {
    const peer_domain *domain = px_domain_of(p, id_data);
    if (!domain)
        return false;
    peer_domain dated = *domain;
    px_octets identity = {0}, plain = {0};
    if (granularity) {
        dated.granularity = *granularity;
        px_ibe_identity(&identity, id_data, &dated, seconds);
    } else {
        px_put_span(&identity, id_data);
    }
    bool is = !identity.err && px_open(p, part, domain, px_span(&identity), &plain) == IBK_OK;
    px_free(&identity);
    px_free(&plain);
    return is;
}

static const char *wrong_date(peer *p, const px_part *part, ibk_span id_data, peer_granularity right) {
    enum { HOUR = 3600, DAY = 24 * HOUR };
    uint64_t now = px_stamp_seconds(p, &p->t);
    if (is_for(p, part, id_data, &right, now - DAY) || is_for(p, part, id_data, &right, now + DAY))
        return "an IBE identity has the date of another day";
    for (uint64_t away = HOUR; right == PEER_HOUR && away <= 14 * HOUR; away += HOUR) /* as time zones are */
        if (is_for(p, part, id_data, &right, now - away) || is_for(p, part, id_data, &right, now + away))
            return "an IBE identity has the date of another hour";
    if (is_for(p, part, id_data, NULL, now))
        return "an IBE identity has no date";
    for (peer_granularity other = PEER_DAY; other <= PEER_MONTH; other++)
        if (is_for(p, part, id_data, &other, now))
            return "the date of an IBE identity is of another granularity";
    return NULL;
}

bool px_explain_sealed(peer *p, const px_part *part, const px_name *own) {
    const px_name *others[] = {&p->idi, &p->idr, &p->called};
    const peer_domain *domain = px_domain_of(p, px_span(&own->data));
    if (!domain)
        return false;
    const char *text = wrong_date(p, part, px_span(&own->data), domain->granularity);
    if (text) {
        px_finding(p, "P-9", text);
        return true;
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!px_is(&own->data, px_span(&others[i]->data)) &&
            is_for(p, part, px_span(&others[i]->data), &domain->granularity, px_stamp_seconds(p, &p->t))) {
            px_finding_of(p, PX_RULE_TO, "a payload is encrypted to another identity than it has to be");
            return true;
        }
    return false;
}
