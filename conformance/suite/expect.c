/* What a report is permitted to say. */
#include "conformance/suite/trial.h"

#include <string.h>

/* `word` of `len` letters among alternatives that are separated by '|'; "*" is any. */
static bool among(const char *word, const char *alternatives, size_t len) {
    size_t n = strlen(word);
    for (size_t at = 0; at < len;) {
        size_t one = at;
        while (one < len && alternatives[one] != '|')
            one++;
        if ((one - at == 1 && alternatives[at] == '*') ||
            (one - at == n && memcmp(alternatives + at, word, n) == 0))
            return true;
        at = one + 1;
    }
    return false;
}

/* One permission: EVENT[:CLASS|CLASS…][/STATE|STATE…]. */
static bool permits(const char *permission, size_t len, suite_report r) {
    const char *slash = memchr(permission, '/', len);
    size_t before = slash ? (size_t)(slash - permission) : len;
    const char *colon = memchr(permission, ':', before);
    size_t event = colon ? (size_t)(colon - permission) : before;
    if (slash && !among(r.state, slash + 1, len - before - 1))
        return false;
    if (!among(r.event, permission, event))
        return false;
    if (!colon)
        return true;
    return strcmp(r.error, "unspecified") == 0 || among(r.error, colon + 1, before - event - 1);
}

bool suite_is(suite_report r, const char *permitted) {
    for (const char *at = permitted; *at; at += strcspn(at, " "), at += *at == ' ')
        if (permits(at, strcspn(at, " "), r))
            return true;
    return false;
}

void suite_expect(suite_trial *t, suite_report r, const char *id, const char *permitted) {
    if (!suite_is(r, permitted))
        suite_fail(t, id, permitted, "%s%s%s, state %s", r.event, *r.error ? ":" : "", r.error, r.state);
}

size_t suite_sent_count(suite_report r) {
    return json_array_size(json_object_get(r.json, "messages"));
}

ibk_span suite_sent_at(suite_trial *t, suite_report r, size_t index) {
    return suite_octets(t, json_string_value(json_array_get(json_object_get(r.json, "messages"), index)));
}

ibk_span suite_sent(suite_trial *t, suite_report r, const char *id) {
    if (suite_sent_count(r) != 1)
        suite_fail(t, id, "one message", "%s%s%s with %zu messages", r.event, *r.error ? ":" : "", r.error,
                   suite_sent_count(r));
    return suite_sent_at(t, r, 0);
}

static const char *text_in(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

void suite_same_keys(suite_trial *t, suite_report a, suite_report b, const char *id) {
    suite_expect(t, a, id, "accepted/established");
    suite_expect(t, b, id, "accepted/established");
    if (!suite_claims(t, "features", "keys"))
        return;
    const json_t *ours = json_object_get(a.json, "keys"), *theirs = json_object_get(b.json, "keys");
    suite_require(t, json_array_size(ours) == json_array_size(theirs), id, "as many keys at both ends",
                  "%zu and %zu", json_array_size(ours), json_array_size(theirs));
    for (size_t i = 0; i < json_array_size(ours); i++) {
        const json_t *one = json_array_get(ours, i), *other = json_array_get(theirs, i);
        suite_require(t, strcmp(text_in(one, "tek"), text_in(other, "tek")) == 0, id,
                      "the same TEK at both ends", "the TEKs of crypto session %zu differ", i + 1);
        suite_require(t, strcmp(text_in(one, "salt"), text_in(other, "salt")) == 0, id,
                      "the same salt at both ends", "the salts of crypto session %zu differ", i + 1);
        for (size_t j = 0; j < i; j++)
            suite_require(t, strcmp(text_in(one, "tek"), text_in(json_array_get(ours, j), "tek")) != 0, id,
                          "a TEK for each crypto session", "crypto sessions %zu and %zu have the same", i + 1,
                          j + 1);
    }
}
