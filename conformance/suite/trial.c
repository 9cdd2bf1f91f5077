/* Trials: memory, verdicts, the way out. See suite.h and trial.h. */
#define _GNU_SOURCE /* asprintf, vasprintf */
#include "conformance/suite/trial.h"

#include "conformance/suite/adapter.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const char *suite_verdict_name(suite_verdict verdict) {
    static const char *const names[SUITE_VERDICTS] = {"pass",  "fail",    "skipped", "error",
                                                      "crash", "timeout", "garbage", "nondeterministic"};
    return verdict < SUITE_VERDICTS ? names[verdict] : "unknown";
}

void suite_outcome_free(suite_outcome *outcome) {
    free(outcome->requirement);
    free(outcome->permitted);
    free(outcome->reason);
    free(outcome->sent);
    free(outcome->came);
    free(outcome->transcript);
    *outcome = (suite_outcome){0};
}

const char *suite_name(const suite_trial *t) {
    return t->c->name;
}

/* ---- the way out ---- */

static char *own(const char *text) {
    return text ? strdup(text) : NULL;
}

static _Noreturn void leave(suite_trial *t, suite_verdict verdict, char *reason) {
    t->outcome->verdict = verdict;
    t->outcome->reason = reason;
    longjmp(t->out, 1);
}

#define FORMAT(text, format)                                                                                 \
    char *text = NULL;                                                                                       \
    va_list args;                                                                                            \
    va_start(args, format);                                                                                  \
    if (vasprintf(&text, format, args) < 0)                                                                  \
        text = NULL;                                                                                         \
    va_end(args)

void suite_end(suite_trial *t, suite_verdict verdict, const char *format, ...) {
    FORMAT(reason, format);
    leave(t, verdict, reason);
}

void suite_fail(suite_trial *t, const char *id, const char *permitted, const char *format, ...) {
    FORMAT(reason, format);
    t->outcome->requirement = own(id);
    t->outcome->permitted = own(permitted);
    leave(t, SUITE_FAIL, reason);
}

void suite_require(suite_trial *t, bool holds, const char *id, const char *permitted, const char *format,
                   ...) {
    if (holds)
        return;
    FORMAT(reason, format);
    t->outcome->requirement = own(id);
    t->outcome->permitted = own(permitted);
    leave(t, SUITE_FAIL, reason);
}

void suite_obeyed(suite_trial *t, bool did, const char *asked, const char *format, ...) {
    if (did)
        return;
    FORMAT(is, format);
    char *reason = NULL;
    if (asprintf(&reason, "contradiction: asked for was %s, and there is %s", asked, is ? is : "another") < 0)
        reason = NULL;
    free(is);
    t->outcome->requirement = own("");
    t->outcome->permitted = own("what was asked for, or to be told that it is not done (IUT.md §2)");
    leave(t, SUITE_FAIL, reason);
}

void suite_skip(suite_trial *t, const char *format, ...) {
    FORMAT(reason, format);
    leave(t, SUITE_SKIPPED, reason);
}

void suite_error(suite_trial *t, const char *format, ...) {
    FORMAT(reason, format);
    leave(t, SUITE_ERROR, reason);
}

void suite_sure(suite_trial *t, ibk_err err, const char *what) {
    if (err)
        suite_error(t, "%s: %s", what, ibk_err_text(err));
}

/* ---- memory ---- */

void suite_defer(suite_trial *t, void (*release)(void *), void *object) {
    suite_deferred *d = calloc(1, sizeof *d);
    if (!d) {
        release(object);
        suite_error(t, "out of memory");
    }
    *d = (suite_deferred){release, object, t->deferred};
    t->deferred = d;
}

static void release_all(suite_trial *t) {
    while (t->deferred) {
        suite_deferred *d = t->deferred;
        t->deferred = d->next;
        d->release(d->object);
        free(d);
    }
}

void *suite_alloc(suite_trial *t, size_t size) {
    void *memory = calloc(1, size ? size : 1);
    if (!memory)
        suite_error(t, "out of memory");
    suite_defer(t, free, memory);
    return memory;
}

static void free_buf(void *object) {
    ibk_buf_free(object);
    free(object);
}

ibk_buf *suite_buf(suite_trial *t) {
    ibk_buf *buf = calloc(1, sizeof *buf);
    if (!buf)
        suite_error(t, "out of memory");
    suite_defer(t, free_buf, buf);
    return buf;
}

const char *suite_text(suite_trial *t, const char *format, ...) {
    FORMAT(text, format);
    if (!text)
        suite_error(t, "out of memory");
    suite_defer(t, free, text);
    return text;
}

static void free_json(void *json) {
    json_decref(json);
}

json_t *suite_json(suite_trial *t, const char *format, ...) {
    FORMAT(text, format);
    if (!text)
        suite_error(t, "out of memory");
    for (char *at = text; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    json_error_t error;
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    free(text);
    if (!json)
        suite_error(t, "a case wrote JSON that is none: %s", error.text);
    suite_defer(t, free_json, json);
    return json;
}

ibk_span suite_copy(suite_trial *t, ibk_span octets) {
    uint8_t *copy = suite_alloc(t, octets.len);
    if (octets.len)
        memcpy(copy, octets.data, octets.len);
    return ibk_span_of(copy, octets.len);
}

const suite_message *suite_read(suite_trial *t, ibk_span octets) {
    suite_message *m = suite_alloc(t, sizeof *m);
    suite_message_read(m, octets);
    return m;
}

/* ---- base64 (RFC 4648 §4) ---- */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const char *suite_base64(suite_trial *t, ibk_span octets) {
    char *text = suite_alloc(t, octets.len / 3 * 4 + 5), *out = text;
    for (size_t i = 0; i < octets.len; i += 3) {
        size_t n = octets.len - i < 3 ? octets.len - i : 3;
        uint32_t group = (uint32_t)octets.data[i] << 16 | (n > 1 ? (uint32_t)octets.data[i + 1] << 8 : 0) |
                         (n > 2 ? octets.data[i + 2] : 0);
        *out++ = digits[group >> 18];
        *out++ = digits[group >> 12 & 63];
        *out++ = n > 1 ? digits[group >> 6 & 63] : '=';
        *out++ = n > 2 ? digits[group & 63] : '=';
    }
    return text;
}

ibk_span suite_octets(suite_trial *t, const char *text) {
    size_t len = strlen(text), n = 0, pad = 0;
    uint8_t *out = suite_alloc(t, len);
    uint32_t group = 0;
    for (size_t i = 0; i < len; i++) {
        const char *digit = strchr(digits, text[i]);
        pad += text[i] == '=';
        if ((!digit && text[i] != '=') || (pad && text[i] != '=') || pad > 2 || len % 4)
            suite_end(t, SUITE_GARBAGE, "octets that are no base64: '%.40s'", text);
        group = group << 6 | (digit ? (uint32_t)(digit - digits) : 0);
        if (i % 4 == 3) {
            out[n++] = (uint8_t)(group >> 16);
            out[n++] = (uint8_t)(group >> 8);
            out[n++] = (uint8_t)group;
        }
    }
    return ibk_span_of(out, n - pad);
}

/* ---- playing a case ---- */

static char *buf_text(const ibk_buf *buf) {
    return buf->len ? strndup((const char *)buf->data, buf->len) : strdup("");
}

/* After a verdict about the adapter itself its processes are killed: the next case gets new ones. */
static void finish(suite_trial *t) {
    suite_outcome *o = t->outcome;
    bool killed = o->verdict == SUITE_TIMEOUT || o->verdict == SUITE_GARBAGE || o->verdict == SUITE_CRASH ||
                  o->verdict == SUITE_ERROR;
    for (int i = 0; killed && i < 2; i++) {
        suite_process_kill(t->worker->processes[i], NULL, 0);
        t->worker->processes[i] = NULL;
    }
    o->sent = own(t->last_sent);
    o->came = t->last_report ? json_dumps(t->last_report, JSON_COMPACT) : NULL;
    o->transcript = buf_text(&t->transcript);
    ibk_buf_free(&t->transcript);
    json_decref(t->last_report);
    release_all(t);
}

void suite_trial_force(suite_worker *worker, const suite_case *c, suite_outcome *out) {
    suite_trial t = {.worker = worker, .c = c, .outcome = out};
    double begin = suite_clock();
    *out = (suite_outcome){0};
    if (setjmp(t.out) == 0)
        c->run(&t, c->arg);
    finish(&t);
    out->seconds = suite_clock() - begin;
}

void suite_trial_play(suite_worker *worker, const suite_case *c, suite_outcome *out) {
    char missing[128], wants[256];
    snprintf(wants, sizeof wants, "families:%.*s %s", (int)strcspn(c->name, "/"), c->name, c->wants);
    if (suite_supports_all(json_object_get(worker->hello, "supports"), wants, missing, sizeof missing)) {
        suite_trial_force(worker, c, out);
        return;
    }
    *out = (suite_outcome){.verdict = SUITE_SKIPPED};
    if (asprintf(&out->reason, "not supported, says hello: %s", missing) < 0)
        out->reason = NULL;
}
