/* Requests to the adapter, and what becomes of its answers. */
#include "conformance/suite/adapter.h"
#include "conformance/suite/trial.h"

#include <ibake/ibe.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 10, LIMIT_LARGE = 300 }; /* seconds: IUT.md §8 */

/* ---- one request, one answer ---- */

static void note(suite_trial *t, int end, char direction, const char *line) {
    char head[4] = {end == SUITE_A ? 'A' : 'B', direction, ' ', 0};
    (void)ibk_buf_append(&t->transcript, head, 3); /* a transcript that is cut short is no reason to stop */
    (void)ibk_buf_append(&t->transcript, line, strlen(line));
    (void)ibk_buf_append(&t->transcript, "\n", 1);
}

static double limit(const suite_trial *t) {
    if (t->worker->limit > 0)
        return t->worker->limit;
    return t->size >= 7680 ? LIMIT_LARGE : LIMIT;
}

static _Noreturn void no_line(suite_trial *t, int end, suite_line line) {
    suite_worker *w = t->worker;
    char how[128] = "";
    const char *last = suite_text(t, "%s", suite_process_stderr(w->processes[end]));
    suite_process_kill(w->processes[end], how, sizeof how);
    w->processes[end] = NULL;
    const char *tail = *last ? suite_text(t, "; its standard error ends in: %s", last) : "";
    switch (line) {
    case SUITE_LINE_ENDED:
        suite_end(t, SUITE_CRASH, "the adapter %s%s", how, tail);
    case SUITE_LINE_LATE:
        suite_end(t, SUITE_TIMEOUT, "no answer within %.0f seconds%s", limit(t), tail);
    case SUITE_LINE_LONG:
        suite_end(t, SUITE_GARBAGE, "a line of more than 4,194,304 octets");
    case SUITE_LINE_UNASKED:
        suite_end(t, SUITE_GARBAGE, "more than one line for one request, or a NUL in it");
    default:
        suite_error(t, "cannot talk to the adapter");
    }
}

static json_t *exchange(suite_trial *t, int end, const char *op, json_t *request) {
    suite_worker *w = t->worker;
    char *text = json_dumps(request, JSON_COMPACT), *answer = NULL, why[200];
    double took = 0;
    if (!text)
        suite_error(t, "out of memory");
    suite_defer(t, free, text);
    note(t, end, '>', text);
    suite_line line = suite_process_ask(w->processes[end], text, limit(t), &answer, &took);
    if (line != SUITE_LINE_OK)
        no_line(t, end, line);
    suite_defer(t, free, answer);
    note(t, end, '<', answer);
    t->outcome->slowest = took > t->outcome->slowest ? took : t->outcome->slowest;
    t->outcome->slow |= took > limit(t) / 10;
    json_error_t error;
    json_t *json = json_loads(answer, JSON_REJECT_DUPLICATES, &error);
    if (!json)
        suite_end(t, SUITE_GARBAGE, "an answer that is no JSON: %s", error.text);
    suite_defer(t, (void (*)(void *))json_decref, json);
    if (!suite_answer_good(json, op, w->seq[end], why, sizeof why))
        suite_end(t, SUITE_GARBAGE, "%s", why);
    return json;
}

static json_t *request(suite_trial *t, int end, const char *op, json_t *members) {
    json_t *all = json_object();
    if (!all)
        suite_error(t, "out of memory");
    suite_defer(t, (void (*)(void *))json_decref, all);
    json_object_set_new(all, "op", json_string(op));
    json_object_set_new(all, "seq", json_integer(++t->worker->seq[end]));
    if (members)
        json_object_update(all, members);
    return all;
}

/* The process at an end, greeted. */
static void wake(suite_trial *t, int end) {
    suite_worker *w = t->worker;
    if (w->processes[end])
        return;
    w->processes[end] = suite_process_start(w->command);
    if (!w->processes[end])
        suite_error(t, "the adapter cannot be started");
    w->seq[end] = 0;
    json_t *hello = suite_json(t, "{'contract': 1, 'suite': 'ibakelab conform'}");
    json_t *answer = exchange(t, end, "hello", request(t, end, "hello", hello));
    if (strcmp(json_string_value(json_object_get(answer, "result")), "ok") != 0)
        suite_end(t, SUITE_FAIL, "hello was not answered with ok");
    if (!w->hello)
        w->hello = json_incref(answer);
}

json_t *suite_ask(suite_trial *t, int end, const char *op, json_t *members) {
    wake(t, end);
    return exchange(t, end, op, request(t, end, op, members));
}

bool suite_claims(suite_trial *t, const char *kind, const char *name) {
    return suite_supports(json_object_get(t->worker->hello, "supports"), kind, name);
}

unsigned suite_size(suite_trial *t) {
    for (size_t i = 0; i < IBK_IBE_SIZES; i++)
        if (suite_claims(t, "sizes", suite_text(t, "%u", ibk_ibe_size_at(i)->n)))
            return ibk_ibe_size_at(i)->n;
    return 1024;
}

static const char *member(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* What hello has no word for: an adapter may find out when it is asked. */
static bool unclaimable(const char *op, const char *what) {
    static const char *const words[] = {"what", "policies", "map.sessions", "mki",    "sdp",  "kms",
                                        "ask",  "pke",      "random",       "psk_id", "ssrcs"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strncmp(what, words[i], strlen(words[i])) == 0)
            return true;
    return strcmp(op, "update") == 0 && strcmp(what, "curve") == 0;
}

json_t *suite_do(suite_trial *t, int end, const char *id, const char *op, json_t *members) {
    json_t *answer = suite_ask(t, end, op, members);
    const char *result = member(answer, "result"), *what = member(answer, "what");
    if (strcmp(result, "ok") == 0)
        return answer;
    if (strcmp(result, "unsupported") == 0 && unclaimable(op, what))
        suite_skip(t, "not supported: %s", what);
    if (strcmp(result, "unsupported") == 0)
        suite_fail(t, "", "what hello claims", "contradiction: '%s' of the request is unsupported", what);
    if (strcmp(result, "malformed") == 0)
        suite_error(t, "the adapter calls the request malformed: %s %s", what, member(answer, "detail"));
    bool params = !id && strncmp(what, "params[", 7) == 0;
    suite_fail(t, params ? "5091-9" : id, "ok", "the set-up was refused at '%s' (%s) %s", what,
               member(answer, "error"), member(answer, "detail"));
}

/* ---- begin ---- */

static void add_keys(suite_trial *t, json_t *keys, const suite_node *n, const char *date) {
    for (const char *at = n->users ? n->users : ""; *at; at += strcspn(at, ","), at += *at == ',') {
        const char *user = suite_user(t, suite_text(t, "%.*s", (int)strcspn(at, ","), at));
        user += n->nai ? strlen("sip:") : 0;
        const char *identity = suite_text(t, "%s%s", user, date);
        ibk_span key = suite_private_key(t, t->size, ibk_span_str(identity));
        json_array_append(keys, suite_json(t, "{'identity': {'%s': '%s'}, 'date': '%s', 'der': '%s'}",
                                           n->nai ? "nai" : "uri", user, date, suite_base64(t, key)));
    }
}

/* Is there something at a path as IUT.md has them, "policy.skew_ms", "params[0].der"? */
static bool is_there(const json_t *at, const char *path) {
    while (at && *path) {
        size_t len = strcspn(path, ".[]");
        at =
            json_is_array(at) ? json_array_get(at, strtoul(path, NULL, 10)) : json_object_getn(at, path, len);
        path += len;
        path += strspn(path, ".[]");
    }
    return at != NULL;
}

/* What is ignored and was not asked for is nobody's loss. */
static void heed_ignored(suite_trial *t, const json_t *begin, const json_t *answer) {
    size_t i;
    json_t *path;
    json_array_foreach(json_object_get(answer, "ignored"), i, path) {
        const char *text = json_string_value(path);
        if (!text)
            suite_end(t, SUITE_GARBAGE, "'ignored' has an element that is no string");
        if (is_there(begin, text))
            suite_skip(t, "the adapter ignores %s", text);
    }
}

void suite_begin(suite_trial *t, int end, const suite_node *n) {
    t->size = n->size ? n->size : suite_size(t);
    const char *granularity = n->granularity ? n->granularity : "day";
    int64_t utc_ms = n->utc_ms ? n->utc_ms : suite_now(t);
    json_t *begin = suite_json(t,
                               "{'case': '%s', 'params': [{'der': '%s', 'serves': ['@home.example', "
                               "'tel:+15550100'], 'granularity': '%s'}]}",
                               t->c->name, suite_base64(t, suite_params(t, t->size)), granularity);
    json_t *keys = json_array();
    json_object_set_new(begin, "keys", keys);
    add_keys(t, keys, n, n->date ? n->date : suite_date(t, utc_ms, granularity));
    if (suite_claims(t, "features", "clock"))
        json_object_set_new(begin, "utc_ms", json_integer(utc_ms));
    else if (n->utc_ms)
        suite_skip(t, "the adapter has a clock of its own");
    if (n->policy)
        json_object_set(begin, "policy", suite_json(t, "%s", n->policy));
    if (n->random)
        json_object_set(begin, "random", suite_json(t, "%s", n->random));
    if (n->kms)
        json_object_set(begin, "kms",
                        suite_json(t, "{'identity': {'uri': 'sip:kms@home.example'}, 'master': '%s', %s}",
                                   suite_base64(t, suite_master(t, t->size)), n->kms));
    heed_ignored(t, begin, suite_do(t, end, NULL, "begin", begin));
}

/* ---- sessions ---- */

static suite_report report_of(suite_trial *t, json_t *answer) {
    json_t *json = json_array_get(json_object_get(answer, "reports"), 0);
    json_decref(t->last_report);
    t->last_report = json_incref(json);
    return (suite_report){json, member(json, "event"), member(json, "state"), member(json, "error")};
}

suite_report suite_op(suite_trial *t, int end, const char *op, const char *format, ...) {
    char text[16384];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof text)
        suite_error(t, "a request that is too long");
    if (strcmp(op, "open") == 0)
        t->last_type = 0;
    return report_of(t, suite_do(t, end, NULL, op, suite_json(t, "{%s}", text)));
}

static suite_report hand_in(suite_trial *t, int end, const char *session, const char *member,
                            const char *value) {
    json_t *members = json_pack("{s:s, s:s}", "session", session, member, value);
    if (!members)
        suite_error(t, "out of memory, or a description that is no UTF-8");
    suite_defer(t, (void (*)(void *))json_decref, members);
    return report_of(t, suite_do(t, end, NULL, "message", members));
}

suite_report suite_message_in(suite_trial *t, int end, const char *session, ibk_span octets) {
    ibk_buf *words = suite_buf(t);
    const suite_message *m = suite_read(t, octets);
    suite_message_describe(m, words);
    t->last_type = m->data_type;
    t->last_sent = suite_text(t, "%.*s", (int)words->len, (const char *)words->data);
    return hand_in(t, end, session, "octets", suite_base64(t, octets));
}

unsigned suite_last_type(const suite_trial *t) {
    return t->last_type;
}

suite_shown suite_keep_shown(const suite_trial *t) {
    return (suite_shown){t->last_sent, t->last_type, t->last_report};
}

void suite_show(suite_trial *t, suite_shown shown) {
    t->last_sent = shown.sent;
    t->last_type = shown.type;
    json_incref(shown.report); /* alive: each answer lives as long as its trial */
    json_decref(t->last_report);
    t->last_report = shown.report;
}

int *suite_memory(suite_trial *t, unsigned slot) {
    return &t->worker->memory[slot % SUITE_MEMORIES];
}

suite_report suite_sdp_in(suite_trial *t, int end, const char *session, const char *sdp) {
    t->last_sent = sdp;
    return hand_in(t, end, session, "sdp", sdp);
}

suite_report suite_open_initiator(suite_trial *t, int end, const char *more) {
    return suite_op(t, end, "open",
                    "'session': 'a', 'role': 'initiator', 'local': {'uri': 'sip:alice@home.example'}, "
                    "'peer': {'uri': 'sip:bob@home.example'}, %s%s",
                    strstr(more, "'map'")
                        ? ""
                        : "'map': {'type': 'SRTP-ID', 'sessions': [{'policy': 0, 'ssrc': 1}, "
                          "{'policy': 0, 'ssrc': 2}]}",
                    *more && !strstr(more, "'map'") ? suite_text(t, ", %s", more) : more);
}

suite_report suite_open_responder(suite_trial *t, int end, const char *more) {
    return suite_op(t, end, "open",
                    "'session': 'b', 'role': 'responder', 'local': {'uri': 'sip:bob@home.example'}%s%s",
                    *more ? ", " : "", more);
}

/* ---- the questions about honesty (IUT.md §2) ---- */

typedef struct probe {
    const char *op, *before, *after,
        *what; /* op: NULL: the random word; which stands between before and after */
} probe;

static const probe probes[] = {
    {"begin", "{'case': '", "/zzz'}", "case"},
    {NULL, "{'session': '", "'}", "op"},
    {"begin", "{'case': '@/any', 'needs': ['", "']}", "needs"},
};

/* A family that hello claims: a case of another would be unsupported for that alone. */
static const char *family(suite_trial *t) {
    const json_t *families = json_object_get(json_object_get(t->worker->hello, "supports"), "families");
    const char *name = json_string_value(json_array_get(families, 0));
    return name ? name : "flow";
}

static void ask_probe(suite_trial *t, const probe *p, const char *word) {
    const char *at = strchr(p->before, '@');
    json_t *answer = suite_ask(t, SUITE_A, p->op ? p->op : word,
                               suite_json(t, "%.*s%s%s%s%s", (int)(at ? at - p->before : 0), p->before,
                                          at ? family(t) : "", at ? at + 1 : p->before, word, p->after));
    const char *what = member(answer, "what");
    bool modest = at && strcmp(what, "case") == 0; /* an adapter that plays no case at all: a parser */
    if (strcmp(member(answer, "result"), "unsupported") != 0 || (strcmp(what, p->what) != 0 && !modest))
        suite_fail(t, NULL, "unsupported",
                   "the adapter is dishonest: asked with a random %s, '%s', it answers '%s'", p->what, word,
                   member(answer, "result"));
}

/* False: the adapter plays no case. */
static bool ask_policy(suite_trial *t, const char *word) {
    json_t *begin = suite_json(t, "{'case': '%s/any', 'policy': {'%s': true}}", family(t), word);
    json_t *answer = suite_ask(t, SUITE_A, "begin", begin);
    if (strcmp(member(answer, "result"), "ok") != 0 && strcmp(member(answer, "what"), "case") == 0)
        return false;
    const char *path = suite_text(t, "policy.%s", word);
    size_t i;
    json_t *value;
    bool told = false;
    json_array_foreach(json_object_get(answer, "ignored"), i, value) told |=
        json_is_string(value) && strcmp(json_string_value(value), path) == 0;
    if (!told)
        suite_fail(t, NULL, "'ignored' with its path",
                   "the adapter is dishonest: it does not say that it ignores policy.%s", word);
    return true;
}

static void ask_role(suite_trial *t, const char *word) {
    json_t *open = suite_json(t, "{'session': 'x', 'role': '%s'}", word);
    json_t *answer = suite_ask(t, SUITE_A, "open", open);
    if (strcmp(member(answer, "result"), "unsupported") != 0)
        suite_fail(t, NULL, "unsupported", "the adapter is dishonest: it opens a session of the role '%s'",
                   word);
    suite_do(t, SUITE_A, NULL, "end", NULL);
}

static void run_probe(suite_trial *t, const void *arg) {
    const char *word = arg;
    for (size_t i = 0; i < sizeof probes / sizeof probes[0]; i++)
        ask_probe(t, &probes[i], word);
    if (ask_policy(t, word))
        ask_role(t, word);
}

bool suite_worker_probe(suite_worker *w, const char *random, char *why, size_t size) {
    static const suite_case c = {.name = "probe/honesty", .wants = "", .run = run_probe};
    suite_case probing = c;
    probing.arg = random;
    suite_outcome outcome;
    suite_trial_force(w, &probing, &outcome);
    bool good = outcome.verdict == SUITE_PASS;
    if (!good)
        snprintf(why, size, "%s: %s", suite_verdict_name(outcome.verdict),
                 outcome.reason ? outcome.reason : "");
    suite_outcome_free(&outcome);
    return good;
}

bool suite_worker_stop(suite_worker *w, char *how, size_t size) {
    bool good = true;
    for (int i = 0; i < 2; i++)
        if (w->processes[i]) {
            char end[128] = "";
            bool one = suite_process_end(w->processes[i], LIMIT, end, sizeof end);
            w->processes[i] = NULL;
            if (!one && good)
                snprintf(how, size, "at the end of its standard input the adapter %s", end);
            good = good && one;
        }
    return good;
}
