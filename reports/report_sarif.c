/* ibakelab: results as SARIF 2.1.0: one run for each result, a rule for each requirement that something
 * breaks, and a SARIF result for each check that failed. A place that a check has not (an implementation
 * behind an adapter has no line of ours) is the result.json itself, since CI servers want one. */
#include "reports/report.h"

#include <stdlib.h>
#include <string.h>

#define INFORMATION_URI "https://www.rfc-editor.org/rfc/rfc6267"
#define SCHEMA_URI      "https://json.schemastore.org/sarif-2.1.0.json"

typedef struct sarif {
    const report_item *item;
    json_t *rules, *numbers, *results; /* numbers: the index of a rule by its id */
    bool ok;
} sarif;

static json_t *text_object(const char *member, json_t *text, bool *ok) {
    json_t *o = json_object();
    jb_set(o, member, text, ok);
    return o;
}

/* ---- rules ------------------------------------------------------------------------------------------- */

/* The requirement as a conformance run tells it. */
static const json_t *requirement(const report_item *item, const char *id) {
    size_t i;
    const json_t *one;
    json_array_foreach(json_object_get(item->result, "requirements"), i, one) {
        const char *name = report_text_of(one, "id");
        if (name && strcmp(name, id) == 0)
            return one;
    }
    return NULL;
}

/* "run/expect", "fuzz/finding", "6267-38". */
static void rule_id(char *out, size_t size, const report_item *item, const json_t *check) {
    const char *named = report_text_of(check, "requirement");
    size_t family = report_family(check);
    if (named)
        snprintf(out, size, "%s", named);
    else
        snprintf(out, size, "%s/%.*s", report_kind(item), family ? (int)family : 5,
                 family ? report_text_of(check, "id") : "check");
}

/* "RFC 6267" and "4.2.2.3": the page of that section. NULL: it is none of an RFC. */
static json_t *help_uri(const json_t *requirement) {
    const char *document = report_text_of(requirement, "document"),
               *section = report_text_of(requirement, "section");
    char uri[120];
    if (!document || strncmp(document, "RFC ", 4) != 0 || !document[4] ||
        document[4 + strspn(document + 4, "0123456789")])
        return NULL;
    bool numbered =
        section && section[0] >= '1' && section[0] <= '9' && !section[strspn(section, "0123456789.")];
    snprintf(uri, sizeof uri, "https://www.rfc-editor.org/rfc/rfc%.8s%s%.40s", document + 4,
             numbered ? "#section-" : "", numbered ? section : "");
    return json_string(uri);
}

static json_t *rule_json(sarif *s, const char *id, const json_t *check) {
    const json_t *q = report_text_of(check, "requirement") ? requirement(s->item, id) : NULL;
    const char *text = report_text_of(q, "text");
    json_t *rule = json_object(), *properties = json_object(), *uri = help_uri(q);
    jb_set(rule, "id", jb_text(id), &s->ok);
    jb_set(rule, "shortDescription", text_object("text", jb_text(text ? text : id), &s->ok), &s->ok);
    if (uri)
        jb_set(rule, "helpUri", uri, &s->ok);
    if (report_text_of(check, "section"))
        jb_set(properties, "section", jb_text(report_text_of(check, "section")), &s->ok);
    if (report_text_of(check, "level"))
        jb_set(properties, "level", jb_text(report_text_of(check, "level")), &s->ok);
    jb_set(rule, "properties", properties, &s->ok);
    return rule;
}

static json_int_t rule_number(sarif *s, const char *id, const json_t *check) {
    const json_t *known = json_object_get(s->numbers, id);
    if (known)
        return json_integer_value(known);
    json_int_t number = (json_int_t)json_array_size(s->rules);
    jb_append(s->rules, rule_json(s, id, check), &s->ok);
    jb_set(s->numbers, id, json_integer(number), &s->ok);
    return number;
}

/* ---- results ------------------------------------------------------------------------------------------ */

/* A path as a URI: relative ones stay relative. */
static json_t *path_uri(const char *path) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    while (strncmp(path, "./", 2) == 0)
        path += 2;
    char *uri = malloc(3 * strlen(path) + 8), *to = uri;
    if (!uri)
        return NULL;
    to += sprintf(to, "%s", *path == '/' ? "file://" : "");
    for (; *path; path++)
        to += strchr(plain, *path) ? sprintf(to, "%c", *path) : sprintf(to, "%%%02X", (unsigned char)*path);
    json_t *text = json_string(uri);
    free(uri);
    return text;
}

static json_t *location(sarif *s, const json_t *check) {
    const char *file = report_text_of(check, "file");
    json_t *place = json_object(), *physical = json_object(), *logical = json_array(), *name = json_object();
    const json_t *line = json_object_get(check, "line");
    const char *path = file ? file : s->item->file;
    jb_set(name, "fullyQualifiedName", jb_text(report_text_of(check, "id")), &s->ok);
    jb_append(logical, name, &s->ok);
    if (path) {
        jb_set(physical, "artifactLocation", text_object("uri", path_uri(path), &s->ok), &s->ok);
        if (file && json_is_integer(line))
            jb_set(physical, "region", text_object("startLine", json_copy((json_t *)line), &s->ok), &s->ok);
        jb_set(place, "physicalLocation", physical, &s->ok);
    } else {
        json_decref(physical);
    }
    jb_set(place, "logicalLocations", logical, &s->ok);
    return place;
}

static const char *level_of(const json_t *check) {
    const char *level = report_text_of(check, "level");
    return level && strcmp(level, "SHOULD") == 0 ? "warning"
           : level && strcmp(level, "MAY") == 0  ? "note"
                                                 : "error";
}

static void add_result(sarif *s, const json_t *check) {
    model_outcome outcome = report_check_outcome(check);
    if (outcome == MODEL_PASS || outcome == MODEL_SKIPPED)
        return;
    char id[200];
    const char *text = report_text_of(check, "text"), *detail = report_text_of(check, "detail");
    json_t *result = json_object(), *locations = json_array(), *prints = json_object();
    rule_id(id, sizeof id, s->item, check);
    jb_set(result, "ruleId", jb_text(id), &s->ok);
    jb_set(result, "ruleIndex", json_integer(rule_number(s, id, check)), &s->ok);
    jb_set(result, "level", json_string(level_of(check)), &s->ok);
    jb_set(result, "message",
           text_object("text",
                       json_sprintf("%s%s%s", text ? text : id, detail ? ": " : "", detail ? detail : ""),
                       &s->ok),
           &s->ok);
    jb_append(locations, location(s, check), &s->ok);
    jb_set(result, "locations", locations, &s->ok);
    jb_set(prints, "ibakelabCheck/v1", jb_text(report_text_of(check, "id")), &s->ok);
    jb_set(result, "partialFingerprints", prints, &s->ok);
    if (outcome == MODEL_KNOWN) {
        json_t *suppressions = json_array();
        jb_append(suppressions, text_object("kind", json_string("external"), &s->ok), &s->ok);
        jb_set(result, "suppressions", suppressions, &s->ok);
    }
    jb_append(s->results, result, &s->ok);
}

/* ---- the whole --------------------------------------------------------------------------------------- */

static json_t *tool_json(sarif *s) {
    json_t *driver = json_object();
    const char *version = report_text_of(json_object_get(s->item->result, "versions"), "ibakelab");
    jb_set(driver, "name", json_string("ibakelab"), &s->ok);
    if (version)
        jb_set(driver, "version", jb_text(version), &s->ok);
    jb_set(driver, "informationUri", json_string(INFORMATION_URI), &s->ok);
    jb_set(driver, "rules", json_incref(s->rules), &s->ok);
    return text_object("driver", driver, &s->ok);
}

static json_t *run_json(const report_item *item, bool *ok) {
    sarif s = {
        .item = item, .rules = json_array(), .numbers = json_object(), .results = json_array(), .ok = true};
    json_t *run = json_object(), *invocation = json_object(), *invocations = json_array();
    /* What tells runs apart: a code scanning server takes one of each id from a file. */
    const char *subject = report_place(item) ? report_place(item) : report_subject(item);
    size_t i;
    const json_t *check;
    json_array_foreach(item->checks, i, check) add_result(&s, check);
    jb_set(run, "tool", tool_json(&s), &s.ok);
    jb_set(
        run, "automationDetails",
        text_object("id", json_sprintf("ibakelab/%s/%s/", report_kind(item), subject ? subject : ""), &s.ok),
        &s.ok);
    jb_set(invocation, "executionSuccessful", json_boolean(strcmp(report_verdict(item), "error") != 0),
           &s.ok);
    jb_append(invocations, invocation, &s.ok);
    jb_set(run, "invocations", invocations, &s.ok);
    jb_set(run, "results", json_incref(s.results), &s.ok);
    json_decref(s.rules);
    json_decref(s.numbers);
    json_decref(s.results);
    *ok &= s.ok;
    return run;
}

ibk_err report_write_sarif(FILE *out, const report_item *items, size_t count) {
    bool ok = true;
    json_t *root = json_object(), *runs = json_array();
    for (size_t i = 0; i < count; i++)
        jb_append(runs, run_json(&items[i], &ok), &ok);
    jb_set(root, "$schema", json_string(SCHEMA_URI), &ok);
    jb_set(root, "version", json_string("2.1.0"), &ok);
    jb_set(root, "runs", runs, &ok);
    if (ok && json_dumpf(root, out, JSON_INDENT(2)) == 0)
        fputc('\n', out);
    json_decref(root);
    return ok ? IBK_OK : IBK_ERR_NO_MEMORY;
}
