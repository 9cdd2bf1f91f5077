/* Which requirement stands behind which part of which message, and the findings. */
#include "peer/internal.h"

const char *px_rule_of(px_kind kind, px_rule rule) {
    /* parse, header as before, T, V flag, identities, content of IBAKE, encrypted to, MAC */
    static const char *const rules[PX_KINDS][PX_RULES] = {
        [PX_I1] = {"6267-32", "6267-32", "6267-28", "6267-84", "6267-30", "6267-92", "6267-92", "6267-32"},
        [PX_R1] = {"6267-44", "6267-37", "6267-39", "6267-38", "6267-40", "6267-93", "6267-93", "6267-44"},
        [PX_R1D] = {"6267-44", "6267-37", "6267-39", "6267-38", "6267-40", "6267-43", "6267-93", "6267-44"},
        [PX_I2] = {"6267-57", "6267-49", "6267-48", "6267-84", "6267-50", "6267-54", "6267-55", "6267-57"},
        [PX_I2D] = {"6267-57", "6267-49", "6267-48", "6267-84", "6267-50", "6267-52", "6267-55", "6267-57"},
        [PX_R2] = {"6267-68", "6267-60", "6267-63", "6267-61", "6267-64", "6267-65", "6267-66", "6267-67"},
        [PX_R2D] = {"6267-68", "6267-60", "6267-63", "6267-61", "6267-64", "6267-66", "6267-66", "6267-67"},
        [PX_U1] = {"6267-32", "6267-32", "6267-75", "6267-84", "P-30", "P-30", "P-30", "6267-32"},
        [PX_U2] = {"6267-44", "6267-37", "6267-39", "P-30", "P-30", "P-30", "P-30", "6267-79"},
        [PX_QPSK] = {"6267-15", "6267-15", "6267-2", "6267-84", "6267-8", "6267-15", "6267-15", "6267-12"},
        [PX_QPKE] = {"6267-15", "6267-15", "6267-2", "6267-84", "6267-8", "6267-15", "6267-15", "6267-82"},
        [PX_RESP] = {"6267-27", "6267-18", "6267-21", "6267-19", "P-10", "6267-90", "6267-23", "6267-25"},
        [PX_ERROR] = {"3830-32", "3830-32", "3830-32", "3830-32", "3830-32", "3830-32", "3830-32", "3830-32"},
        [PX_SDP] = {"4567-12", "4567-12", "4567-12", "4567-12", "4567-12", "4567-12", "4567-12", "4567-12"}};
    return rules[kind][rule];
}

static void add(peer *p, const char *requirement, const char *text, uint8_t should) {
    if (p->n_findings < PX_FINDINGS_MAX)
        p->findings[p->n_findings++] = (peer_finding){requirement, text, px_data_type(p->judging), should};
}

void px_finding(peer *p, const char *requirement, const char *text) {
    add(p, requirement, text, 0);
}

void px_finding_should(peer *p, const char *requirement, const char *text) {
    add(p, requirement, text, 1);
}

void px_finding_of(peer *p, px_rule rule, const char *text) {
    add(p, px_rule_of(p->judging, rule), text, 0);
}

static void note(void *user, const char *requirement, const char *text) {
    peer *p = user;
    px_finding(p, requirement ? requirement : px_rule_of(p->judging, PX_RULE_PARSE), text);
}

px_reader px_reader_of(peer *p) {
    return (px_reader){.note = note, .user = p};
}

size_t peer_findings(const peer *p) {
    return p->n_findings;
}

const peer_finding *peer_finding_at(const peer *p, size_t i) {
    return i < p->n_findings ? &p->findings[i] : NULL;
}

void peer_forget_findings(peer *p) {
    p->n_findings = 0;
}
