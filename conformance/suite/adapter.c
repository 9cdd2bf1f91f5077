/* The form of answers: see adapter.h. A form is a text "name:T name:t …": an upper-case type is required, a
 * lower-case one optional. S string, I integer, B boolean, A array, O object. */
#include "conformance/suite/adapter.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char reports_form[] = "seq:I result:S reports:A";
static const struct {
    const char *op, *form;
} answers[] = {{"hello", "seq:I result:S contract:I name:S version:S supports:O"},
               {"begin", "seq:I result:S ignored:A"},
               {"end", "seq:I result:S"},
               {"open-esk", "seq:I result:S sk:S sender:S keys:a"},
               {"parse", "seq:I result:S octets:S payloads:a data_type:i"}};
static const char supports_form[] = "families:A roles:A sizes:A curves:A own_curves:A prfs:A encryptions:A "
                                    "macs:A timestamps:A maps:A methods:A "
                                    "signatures:A envelopes:A granularities:A features:A";
static const char report_form[] = "session:S event:S state:S error:s messages:A peer_error:i csb_id:i peer:o "
                                  "deferred:b keys:a sk:s esk:s updates:i "
                                  "private_keys:a sdp:a sip_status:i warning:i detail:s";
static const char events[] = " accepted refused discarded expired ";
static const char states[] = " new waiting established updating done serving closed ";
static const char classes[] = " malformed encoding unsupported payload mismatch echo identity decryption "
                              "authentication replay clock unexpected "
                              "policy no-key peer-error timeout internal unspecified ";

typedef struct judgement {
    char *why;
    size_t size;
    bool good;
} judgement;

static void complain(judgement *j, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void complain(judgement *j, const char *format, ...) {
    if (!j->good)
        return;
    j->good = false;
    va_list args;
    va_start(args, format);
    vsnprintf(j->why, j->size, format, args);
    va_end(args);
}

static bool of_type(const json_t *value, char type) {
    switch (type | 0x20) {
    case 's':
        return json_is_string(value);
    case 'i':
        return json_is_integer(value);
    case 'b':
        return json_is_boolean(value);
    case 'a':
        return json_is_array(value);
    default:
        return json_is_object(value);
    }
}

/* The type that a form gives a member, or 0. */
static char type_in(const char *form, const char *name) {
    size_t len = strlen(name);
    for (const char *at = form; (at = strstr(at, name)); at++)
        if ((at == form || at[-1] == ' ') && at[len] == ':')
            return at[len + 1];
    return 0;
}

static void judge_form(judgement *j, const json_t *object, const char *form, const char *where) {
    const char *name;
    json_t *value;
    if (!json_is_object(object)) {
        complain(j, "%s is no object", where);
        return;
    }
    json_object_foreach((json_t *)object, name, value) {
        char type = type_in(form, name);
        if (strncmp(name, "x-", 2) == 0)
            continue;
        if (!type)
            complain(j, "%s has an unknown member '%s'", where, name);
        else if (!of_type(value, type))
            complain(j, "'%s' of %s has the wrong type", name, where);
    }
    for (const char *at = form; *at; at += strcspn(at, " "), at += *at == ' ') {
        char required[32];
        size_t len = strcspn(at, ":");
        if (at[len + 1] & 0x20)
            continue;
        snprintf(required, sizeof required, "%.*s", (int)len, at);
        if (!json_object_get(object, required))
            complain(j, "'%s' is missing in %s", required, where);
    }
}

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static void judge_word(judgement *j, const json_t *object, const char *name, const char *words) {
    char word[64];
    snprintf(word, sizeof word, " %s ", text_of(object, name));
    if (json_object_get(object, name) && (!word[2] || !strstr(words, word)))
        complain(j, "'%s' has a value of its own: '%s'", name, text_of(object, name));
}

static void judge_strings(judgement *j, const json_t *array, const char *what) {
    size_t i;
    json_t *value;
    json_array_foreach(array, i, value) if (!json_is_string(value))
        complain(j, "%s has an element that is no string", what);
}

static void judge_reports(judgement *j, const json_t *answer, const char *op) {
    const json_t *reports = json_object_get(answer, "reports");
    size_t i;
    json_t *report;
    json_array_foreach(reports, i, report) {
        judge_form(j, report, report_form, "a report");
        judge_word(j, report, "event", events);
        judge_word(j, report, "state", states);
        judge_word(j, report, "error", classes);
        judge_strings(j, json_object_get(report, "messages"), "messages");
        judge_strings(j, json_object_get(report, "sdp"), "sdp");
        if (strcmp(text_of(report, "event"), "accepted") != 0 && !json_object_get(report, "error"))
            complain(j, "a report of an event other than accepted has no 'error'");
    }
    if (strcmp(op, "time") != 0 && json_array_size(reports) != 1)
        complain(j, "%zu reports where one is due", json_array_size(reports));
}

static void judge_ok(judgement *j, const json_t *answer, const char *op) {
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        if (strcmp(answers[i].op, op) == 0) {
            judge_form(j, answer, answers[i].form, "the answer");
            if (i == 0)
                judge_form(j, json_object_get(answer, "supports"), supports_form, "supports");
            return;
        }
    judge_form(j, answer, reports_form, "the answer");
    judge_reports(j, answer, op);
}

bool suite_answer_good(const json_t *answer, const char *op, json_int_t seq, char *why, size_t size) {
    judgement j = {.why = why, .size = size, .good = true};
    const char *result = text_of(answer, "result");
    if (!json_is_object(answer))
        complain(&j, "the answer is no object");
    else if (json_integer_value(json_object_get(answer, "seq")) != seq)
        complain(&j, "the answer has another 'seq' than the request");
    else if (strcmp(result, "ok") == 0)
        judge_ok(&j, answer, op);
    else if (strcmp(result, "refused") == 0)
        judge_form(&j, answer, "seq:I result:S what:S error:S detail:s", "the answer");
    else if (strcmp(result, "unsupported") == 0 || strcmp(result, "malformed") == 0)
        judge_form(&j, answer, "seq:I result:S what:S detail:s", "the answer");
    else
        complain(&j, "'result' has a value of its own: '%s'", result);
    if (strcmp(result, "refused") == 0)
        judge_word(&j, answer, "error", classes);
    return j.good;
}

/* ---- claims ---- */

bool suite_supports(const json_t *supports, const char *kind, const char *name) {
    size_t i;
    json_t *value;
    json_array_foreach(json_object_get(supports, kind), i, value) {
        if (json_is_string(value) && strcmp(json_string_value(value), name) == 0)
            return true;
        if (json_is_integer(value) && json_integer_value(value) == strtoll(name, NULL, 10))
            return true;
    }
    return false;
}

bool suite_supports_all(const json_t *supports, const char *wants, char *missing, size_t size) {
    char kind[32] = "", name[64];
    while (*wants) {
        size_t len = strcspn(wants, " ,:");
        char end = wants[len];
        snprintf(name, sizeof name, "%.*s", (int)len, wants);
        for (char *at = end == ':' ? NULL : name; at && *at; at++)
            *at = *at == '+' ? ' ' : *at;
        if (end == ':') {
            snprintf(kind, sizeof kind, "%.*s", (int)len, wants);
        } else if (len > 0 && !suite_supports(supports, kind, name)) {
            snprintf(missing, size, "%s: %s", kind, name);
            return false;
        }
        wants += len + (end != '\0');
    }
    return true;
}
