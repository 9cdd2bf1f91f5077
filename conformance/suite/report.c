/* What a run came to, for people: see report.h. */
#include "conformance/suite/report.h"

#include "conformance/suite/baseline.h"

#include <string.h>

/* ---- what is common ---- */

size_t suite_count(const suite_summary *s, suite_verdict verdict) {
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        n += s->results[i].outcome.verdict == verdict;
    return n;
}

const cr_requirement *suite_requirement(const suite_summary *s, const suite_result *r) {
    char id[32];
    if (r->outcome.requirement)
        snprintf(id, sizeof id, "%s", r->outcome.requirement);
    else
        snprintf(id, sizeof id, "%.*s", (int)strcspn(r->c->requirements, " "), r->c->requirements);
    return cr_find(s->requirements, id);
}

static void line(FILE *out, const char *indent, const char *label, const char *text) {
    if (text && *text)
        fprintf(out, "%s%-11s%s\n", indent, label, text);
}

/* The quotation mark that ends a string of JSON, or the end of the text. */
static const char *string_end(const char *at) {
    while (*at && *at != '"')
        at += at[0] == '\\' && at[1] ? 2 : 1;
    return at;
}

/* The last report. Nobody reads long strings: they stand in the transcript (--keep) and in the result
 * (--json). */
static void line_of_report(FILE *out, const char *indent, const char *text) {
    enum { LONG = 60, SHOWN = 24 };
    if (!text)
        return;
    fprintf(out, "%s%-11s", indent, "came back:");
    while (*text) {
        const char *end = *text == '"' ? string_end(text + 1) : text;
        bool cut = end - text > LONG;
        fwrite(text, 1, cut ? SHOWN : (size_t)(end - text), out);
        fputs(cut ? "…" : "", out);
        text = end;
        if (*text)
            fputc(*text++, out);
    }
    fputc('\n', out);
}

void suite_report_failure(FILE *out, const suite_summary *s, const suite_result *r, const char *indent) {
    const suite_outcome *o = &r->outcome;
    const cr_requirement *q = suite_requirement(s, r);
    fprintf(out, "%s%s\n", indent, r->c->title);
    if (q)
        fprintf(out, "%s%-11s%s (%s%s%s, %s): %s\n", indent, "demanded:", q->id, q->document,
                q->section[0] >= '0' && q->section[0] <= '9' ? " §" : " ", q->section,
                cr_level_name(q->level), q->text);
    else if (o->requirement && !*o->requirement)
        line(out, indent, "demanded:", "IUT.md §2: the adapter owns up to what it does not do");
    line(out, indent, "sent:", o->sent);
    line_of_report(out, indent, o->came);
    line(out, indent, "permitted:", o->permitted);
    line(out, indent, "was:", o->reason);
    fprintf(out, "%s%-11sibakelab conform --iut '%s' --filter '%s'\n", indent, "repeat:", s->command,
            r->c->name);
}

/* ---- terminal ---- */

static bool names(const char *requirements, const char *id) {
    size_t len = strlen(id);
    for (const char *at = requirements; (at = strstr(at, id)); at += len)
        if ((at == requirements || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
            return true;
    return false;
}

/* A failure counts against the requirement that it names. */
suite_tally suite_tally_of(const suite_summary *s, const cr_requirement *q) {
    suite_tally t = {0};
    for (size_t i = 0; i < s->n; i++) {
        const suite_outcome *o = &s->results[i].outcome;
        bool named = names(s->results[i].c->requirements, q->id);
        if (o->verdict == SUITE_FAIL && o->requirement ? strcmp(o->requirement, q->id) == 0 : named)
            switch (o->verdict) {
            case SUITE_PASS:
                t.held++;
                break;
            case SUITE_FAIL:
                t.broken++;
                break;
            case SUITE_SKIPPED:
                t.skipped++;
                break;
            default:
                t.other++;
            }
    }
    return t;
}

const char *suite_status(const cr_requirement *q, suite_tally t) {
    if (q->not_testable)
        return "not testable";
    if (t.broken)
        return "broken";
    if (t.other)
        return "not judged";
    return t.held ? "held" : t.skipped ? "skipped" : "not played";
}

void suite_report_totals(FILE *out, const suite_summary *s) {
    size_t held = 0, broken = 0, slow = 0, known = 0;
    for (size_t i = 0; i < cr_count(s->requirements); i++) {
        suite_tally t = suite_tally_of(s, cr_at(s->requirements, i));
        held += !t.broken && !t.other && t.held;
        broken += t.broken > 0;
    }
    for (size_t i = 0; i < s->n; i++) {
        slow += s->results[i].outcome.slow;
        known += s->results[i].expected;
    }
    fprintf(out, "%zu cases in %.1f s:", s->n, s->seconds);
    for (suite_verdict v = SUITE_PASS; v < SUITE_VERDICTS; v++)
        if (v == SUITE_PASS || suite_count(s, v))
            fprintf(out, " %zu %s%s", suite_count(s, v), suite_verdict_name(v),
                    v + 1 < SUITE_VERDICTS ? "," : "");
    fprintf(out, " %zu known\n%zu requirements held, %zu broken\n", known, held, broken);
    if (slow)
        fprintf(out, "%zu cases had slow answers, of more than a tenth of the limit\n", slow);
}
