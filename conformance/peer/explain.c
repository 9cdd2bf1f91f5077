/* Which mistake explains what is wrong. A MAC, a TEK or a ciphertext that is not what it has to be says
 * nothing of why; but the mistakes that implementers make are few, and each leaves octets of its own. */
#include "peer/knob.h"

#include <string.h>
#include <time.h>

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
    {"6267-95", "the TGK is derived with the constant of the MPK", PX_LABEL_MPK, PX_LABEL_TEK, 32, 0, 0, 0, 0,
     0, 0},
    {"6267-95", "the TGK is derived with the CSB ID of the exchange", PX_LABEL_TGK, PX_LABEL_TEK, 32, 0, 1, 0,
     0, 0, 0},
    {"6267-95", "TEKs are derived from K_SESSION without a TGK", PX_LABEL_TGK, PX_LABEL_TEK, 32, 0, 0, 0, 1,
     0, 0},
    {"P-6", "the TGK has 160 bits", PX_LABEL_TGK, PX_LABEL_TEK, 20, 0, 0, 0, 0, 0, 0},
    {"P-6", "the TGK has 128 bits", PX_LABEL_TGK, PX_LABEL_TEK, 16, 0, 0, 0, 0, 0, 0},
    {"3830-6", "TEKs are derived with the constant of salts", PX_LABEL_TGK, PX_LABEL_TEK_SALT, 32, 0, 0, 0, 0,
     0, 0},
    {"3830-6", "TEKs are derived with the constant of authentication keys", PX_LABEL_TGK, LABEL_DATA_AUTH, 32,
     0, 0, 0, 0, 0, 0},
    {"3830-6", "TEKs are derived with the constant of encryption keys", PX_LABEL_TGK, LABEL_DATA_ENCR, 32, 0,
     0, 0, 0, 0, 0},
    {"3830-6", "in the labels of TEKs, CS IDs count from 0", PX_LABEL_TGK, PX_LABEL_TEK, 32, 1, 0, 0, 0, 0,
     0},
    {"3830-6", "the labels of TEKs have the CSB ID 0xFFFFFFFF", PX_LABEL_TGK, PX_LABEL_TEK, 32, 0, 0, 1, 0, 0,
     0},
    {"3830-6", "the labels of TEKs have no RAND", PX_LABEL_TGK, PX_LABEL_TEK, 32, 0, 0, 0, 0, 1, 0},
    {"6043-1", "TEKs are derived with another PRF than the header says", PX_LABEL_TGK, PX_LABEL_TEK, 32, 0, 0,
     0, 0, 0, 1},
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

static bool opens_with(peer *p, const px_part *part, ibk_span id_data, const char *date) {
    const peer_domain *domain = px_domain_of(p, id_data);
    px_octets identity = {0}, plain = {0};
    px_put_span(&identity, id_data);
    px_put(&identity, date, strlen(date));
    bool opens = domain && !identity.err && px_open(p, part, domain, px_span(&identity), &plain) == IBK_OK;
    px_free(&identity);
    px_free(&plain);
    return opens;
}

/* The date of a moment in one of the three forms, or none. */
static void date_of(uint64_t seconds, size_t digits, char out[16]) {
    time_t t = (time_t)seconds;
    struct tm tm;
    out[0] = '\0';
    if (gmtime_r(&t, &tm))
        (void)strftime(out, 16, "%Y%m%d%H", &tm);
    out[digits] = '\0';
}

static const char *wrong_date(peer *p, const px_part *part, ibk_span id_data) {
    static const struct {
        const char *text;
        size_t digits;
        int days;
    } dates[] = {{"an IBE identity has the date of the day before", 8, -1},
                 {"an IBE identity has the date of the day after", 8, 1},
                 {"an IBE identity has no date", 0, 0},
                 {"the date of an IBE identity is of another granularity", 6, 0},
                 {"the date of an IBE identity is of another granularity", 8, 0},
                 {"the date of an IBE identity is of another granularity", 10, 0}};
    char date[16];
    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        date_of(px_stamp_seconds(p, &p->t) + (uint64_t)(86400LL * dates[i].days), dates[i].digits, date);
        if (opens_with(p, part, id_data, date))
            return dates[i].text;
    }
    return NULL;
}

bool px_explain_sealed(peer *p, const px_part *part, const px_name *own) {
    const px_name *others[] = {&p->idi, &p->idr, &p->called};
    const peer_domain *domain = px_domain_of(p, px_span(&own->data));
    const char *text = wrong_date(p, part, px_span(&own->data));
    if (text) {
        px_finding(p, "P-9", text);
        return true;
    }
    for (size_t i = 0; domain && i < sizeof others / sizeof *others; i++) {
        char date[16];
        date_of(px_stamp_seconds(p, &p->t),
                domain->granularity == PEER_MONTH  ? 6
                : domain->granularity == PEER_HOUR ? 10
                                                   : 8,
                date);
        if (!px_is(&own->data, px_span(&others[i]->data)) &&
            opens_with(p, part, px_span(&others[i]->data), date)) {
            px_finding_of(p, PX_RULE_TO, "a payload is encrypted to another identity than it has to be");
            return true;
        }
    }
    return false;
}
