/* Reports: see report.h. */
#include "conformance/suite/report.h"

#include "conformance/suite/baseline.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is common ---- */

static size_t count(const suite_summary *s, suite_verdict verdict) {
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        n += s->results[i].outcome.verdict == verdict;
    return n;
}

static const char *or_nothing(const char *text) {
    return text ? text : "";
}

/* The requirement of a failure: the one that was named, or the first of the case. */
static const cr_requirement *requirement(const suite_summary *s, const suite_result *r) {
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

void suite_report_failure(FILE *out, const suite_summary *s, const suite_result *r, const char *indent) {
    const suite_outcome *o = &r->outcome;
    const cr_requirement *q = requirement(s, r);
    fprintf(out, "%s%s\n", indent, r->c->title);
    if (q)
        fprintf(out, "%s%-11s%s (%s%s%s, %s): %s\n", indent, "demanded:", q->id, q->document,
                q->section[0] >= '0' && q->section[0] <= '9' ? " §" : " ", q->section,
                cr_level_name(q->level), q->text);
    line(out, indent, "sent:", o->sent);
    line(out, indent, "came back:", o->came);
    line(out, indent, "permitted:", o->permitted);
    line(out, indent, "was:", o->reason);
    fprintf(out, "%s%-11sibakelab conform --iut '%s' --filter '%s'\n", indent, "repeat:", s->command,
            r->c->name);
}

/* ---- terminal ---- */

typedef struct tally {
    size_t held, broken, skipped, other;
} tally;

static bool names(const char *requirements, const char *id) {
    size_t len = strlen(id);
    for (const char *at = requirements; (at = strstr(at, id)); at += len)
        if ((at == requirements || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
            return true;
    return false;
}

/* How the cases of a requirement ended. A failure counts against the requirement that it names. */
static tally judge(const suite_summary *s, const cr_requirement *q) {
    tally t = {0};
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

static const char *word(const cr_requirement *q, tally t) {
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
        tally t = judge(s, cr_at(s->requirements, i));
        held += !t.broken && !t.other && t.held;
        broken += t.broken > 0;
    }
    for (size_t i = 0; i < s->n; i++) {
        slow += s->results[i].outcome.slow;
        known += s->results[i].expected;
    }
    fprintf(out, "%zu cases in %.1f s:", s->n, s->seconds);
    for (suite_verdict v = SUITE_PASS; v < SUITE_VERDICTS; v++)
        if (v == SUITE_PASS || count(s, v))
            fprintf(out, " %zu %s%s", count(s, v), suite_verdict_name(v), v + 1 < SUITE_VERDICTS ? "," : "");
    fprintf(out, " %zu known\n%zu requirements held, %zu broken\n", known, held, broken);
    if (slow)
        fprintf(out, "%zu cases had slow answers, of more than a tenth of the limit\n", slow);
}

/* ---- JUnit ---- */

static void xml(FILE *out, const char *text) {
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '&')
            fputs("&amp;", out);
        else if (c == '<')
            fputs("&lt;", out);
        else if (c == '>')
            fputs("&gt;", out);
        else if (c == '"')
            fputs("&quot;", out);
        else if (c >= 0x20 || c == '\n' || c == '\t')
            fputc(c, out);
    }
}

static void junit_case(FILE *out, const suite_summary *s, const suite_result *r) {
    const suite_outcome *o = &r->outcome;
    fprintf(out, "    <testcase classname=\"conform.%.*s\" name=\"", (int)strcspn(r->c->name, "/"),
            r->c->name);
    xml(out, r->c->name);
    fprintf(out, "\" time=\"%.3f\"", o->seconds);
    if (o->verdict == SUITE_PASS) {
        fputs("/>\n", out);
        return;
    }
    bool skipped = o->verdict == SUITE_SKIPPED || r->expected;
    const char *element = skipped ? "skipped" : o->verdict == SUITE_FAIL ? "failure" : "error";
    fprintf(out, ">\n      <%s message=\"%s", element, r->expected ? "known failure: " : "");
    xml(out, or_nothing(o->reason));
    fputs("\"", out);
    if (!skipped)
        fprintf(out, " type=\"%s\"", o->requirement ? o->requirement : suite_verdict_name(o->verdict));
    fputs(">", out);
    char *text = NULL;
    size_t size;
    FILE *memory = skipped ? NULL : open_memstream(&text, &size);
    if (memory) {
        suite_report_failure(memory, s, r, "");
        fclose(memory);
        xml(out, text);
        free(text);
    }
    fprintf(out, "</%s>\n    </testcase>\n", element);
}

/* All cases of one family, which stand together in the list. */
static size_t junit_suite(FILE *out, const suite_summary *s, size_t from) {
    size_t len = strcspn(s->results[from].c->name, "/"), to = from, failures = 0, errors = 0, skipped = 0;
    double seconds = 0;
    for (; to < s->n && strncmp(s->results[to].c->name, s->results[from].c->name, len + 1) == 0; to++) {
        const suite_result *r = &s->results[to];
        bool skip = r->outcome.verdict == SUITE_SKIPPED || r->expected;
        skipped += skip;
        failures += !skip && r->outcome.verdict == SUITE_FAIL;
        errors += !skip && suite_failed(r->outcome.verdict) && r->outcome.verdict != SUITE_FAIL;
        seconds += r->outcome.seconds;
    }
    fprintf(out,
            "  <testsuite name=\"%.*s\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" "
            "time=\"%.3f\" "
            "timestamp=\"%s\" hostname=\"localhost\">\n",
            (int)len, s->results[from].c->name, to - from, failures, errors, skipped, seconds, s->timestamp);
    for (size_t i = from; i < to; i++)
        junit_case(out, s, &s->results[i]);
    fputs("  </testsuite>\n", out);
    return to;
}

void suite_report_junit(FILE *out, const suite_summary *s) {
    size_t failures = 0, errors = 0;
    for (size_t i = 0; i < s->n; i++) {
        const suite_result *r = &s->results[i];
        failures += !r->expected && r->outcome.verdict == SUITE_FAIL;
        errors += !r->expected && suite_failed(r->outcome.verdict) && r->outcome.verdict != SUITE_FAIL;
    }
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"ibakelab conform\" tests=\"%zu\" "
            "failures=\"%zu\" errors=\"%zu\" time=\"%.3f\">\n",
            s->n, failures, errors, s->seconds);
    for (size_t i = 0; i < s->n;)
        i = junit_suite(out, s, i);
    fputs("</testsuites>\n", out);
}

/* ---- TAP ---- */

void suite_report_tap(FILE *out, const suite_summary *s) {
    fprintf(out, "TAP version 14\n1..%zu\n", s->n);
    for (size_t i = 0; i < s->n; i++) {
        const suite_result *r = &s->results[i];
        const char *verdict = suite_verdict_name(r->outcome.verdict);
        bool ok = !suite_failed(r->outcome.verdict);
        fprintf(out, "%sok %zu - %s%s\n", ok ? "" : "not ", i + 1, r->c->name,
                r->outcome.verdict == SUITE_SKIPPED ? " # SKIP"
                : r->expected                       ? " # TODO known failure"
                                                    : "");
        if (ok)
            continue;
        fprintf(out, "  ---\n  verdict: %s\n  report: |\n", verdict);
        suite_report_failure(out, s, r, "    ");
        fputs("  ...\n", out);
    }
}

/* ---- JSON ---- */

static void set_text(json_t *object, const char *name, const char *text) {
    if (text)
        json_object_set_new(object, name, json_string(text));
}

static json_t *json_case(const suite_summary *s, const suite_result *r) {
    const suite_outcome *o = &r->outcome;
    const cr_requirement *q = suite_failed(o->verdict) ? requirement(s, r) : NULL;
    json_t *json = json_pack("{s:s, s:s, s:s, s:f, s:b}", "case", r->c->name, "title", r->c->title, "verdict",
                             suite_verdict_name(o->verdict), "seconds", o->seconds, "known", r->expected);
    json_t *ids = json_array();
    for (const char *at = r->c->requirements; *at; at += strcspn(at, " "), at += *at == ' ')
        json_array_append_new(ids, json_stringn(at, strcspn(at, " ")));
    json_object_set_new(json, "requirements", ids);
    if (q) {
        set_text(json, "requirement", q->id);
        set_text(json, "section", q->section);
        set_text(json, "document", q->document);
    }
    set_text(json, "reason", o->reason);
    if (suite_failed(o->verdict)) {
        set_text(json, "permitted", o->permitted);
        set_text(json, "sent", o->sent);
        set_text(json, "came_back", o->came);
    }
    return json;
}

static json_t *json_requirement(const suite_summary *s, const cr_requirement *q) {
    tally t = judge(s, q);
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i}", "id", q->id, "document",
                             q->document, "section", q->section, "level", cr_level_name(q->level), "text",
                             q->text, "status", word(q, t), "passed", (int)t.held, "failed", (int)t.broken,
                             "skipped", (int)t.skipped, "other", (int)t.other);
    set_text(json, "not_testable", q->not_testable);
    return json;
}

void suite_report_json(FILE *out, const suite_summary *s) {
    json_t *root = json_pack("{s:i, s:s, s:s, s:f, s:i}", "format", 1, "iut", s->command, "timestamp",
                             s->timestamp, "seconds", s->seconds, "baseline_complaints", (int)s->complaints);
    json_t *verdicts = json_object(), *cases = json_array(), *all = json_array();
    for (suite_verdict v = SUITE_PASS; v < SUITE_VERDICTS; v++)
        json_object_set_new(verdicts, suite_verdict_name(v), json_integer((json_int_t)count(s, v)));
    for (size_t i = 0; i < s->n; i++)
        json_array_append_new(cases, json_case(s, &s->results[i]));
    for (size_t i = 0; i < cr_count(s->requirements); i++)
        json_array_append_new(all, json_requirement(s, cr_at(s->requirements, i)));
    if (s->hello)
        json_object_set(root, "hello", (json_t *)s->hello);
    json_object_set_new(root, "verdicts", verdicts);
    json_object_set_new(root, "cases", cases);
    json_object_set_new(root, "requirements", all);
    json_dumpf(root, out, JSON_INDENT(1));
    fputc('\n', out);
    json_decref(root);
}
