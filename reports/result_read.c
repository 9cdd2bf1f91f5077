/* ibakelab: reading result.json. What is missing or of another type than the schema says is refused by its
 * name. */
#include "reports/result_read.h"

#include "reports/json_build.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct reader {
    result *r;
    const char *bad; /* the first member that is not as it should be */
    const char *in;  /* the list it is in */
    char place[80];
} reader;

static void refuse(reader *rd, const char *key) {
    if (rd->bad)
        return;
    snprintf(rd->place, sizeof rd->place, "%s%s%s", rd->in ? rd->in : "", rd->in ? "[]." : "", key);
    rd->bad = rd->place;
}

/* Text; NULL where the member is null or, being new, absent. */
static const char *text_or_null(reader *rd, const json_t *o, const char *key) {
    const json_t *value = json_object_get(o, key);
    if (value && !json_is_null(value) && !json_is_string(value))
        refuse(rd, key);
    return result_text(rd->r, json_string_value(value));
}

static const char *text(reader *rd, const json_t *o, const char *key) {
    const char *value = text_or_null(rd, o, key);
    if (!value)
        refuse(rd, key);
    return value ? value : "";
}

static uint64_t count(reader *rd, const json_t *o, const char *key) {
    const json_t *value = json_object_get(o, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        refuse(rd, key);
    return (uint64_t)json_integer_value(value);
}

static result_time moment(reader *rd, const json_t *o, const char *key) {
    const json_t *value = json_object_get(o, key);
    if (!value || json_is_null(value))
        return (result_time){0};
    return result_at(count(rd, o, key));
}

static bool flag(reader *rd, const json_t *o, const char *key) {
    const json_t *value = json_object_get(o, key);
    if (!json_is_boolean(value))
        refuse(rd, key);
    return json_is_true(value);
}

static const json_t *list(reader *rd, const json_t *o, const char *key) {
    const json_t *value = json_object_get(o, key);
    if (!json_is_array(value))
        refuse(rd, key);
    return value;
}

static void read_media(reader *rd, result_call *call, const json_t *o) {
    result_media *m = result_add_media(rd->r, call);
    m->stream = text(rd, o, "stream");
    m->from = text(rd, o, "from");
    m->to = text(rd, o, "to");
    m->codec = text(rd, o, "codec");
    m->protected_ = flag(rd, o, "protected");
    m->sent = count(rd, o, "sent");
    m->received = count(rd, o, "received");
    m->first = moment(rd, o, "first_ns");
    m->content_matches = flag(rd, o, "content_matches");
}

static void read_call(reader *rd, const json_t *o) {
    static const result_call_state states[] = {RESULT_CALL_FAILED, RESULT_CALL_ESTABLISHED,
                                               RESULT_CALL_DROPPED};
    result_call *c = result_add_call(rd->r);
    c->id = text(rd, o, "id");
    c->call_id = text_or_null(rd, o, "call_id");
    c->from = text(rd, o, "from");
    c->to = text(rd, o, "to");
    c->answered_by = text_or_null(rd, o, "answered_by");
    const char *state = text(rd, o, "state");
    size_t known = 0;
    while (known < 3 && strcmp(state, result_call_state_name(states[known])) != 0)
        known++;
    if (known == 3)
        refuse(rd, "state");
    else
        c->state = states[known];
    c->failure = text_or_null(rd, o, "failure");
    c->invite = moment(rd, o, "invite_ns");
    c->established = moment(rd, o, "established_ns");
    c->ended = moment(rd, o, "ended_ns");
    const json_t *media = list(rd, o, "media");
    for (size_t i = 0; i < json_array_size(media); i++)
        read_media(rd, c, json_array_get(media, i));
}

static void read_user(reader *rd, const json_t *o) {
    result_user *u = result_add_user(rd->r);
    u->name = text(rd, o, "name");
    u->impu = text(rd, o, "impu");
    u->node = text_or_null(rd, o, "node");
}

static void read_kms(reader *rd, const json_t *o) {
    result_kms *k = result_add_kms(rd->r);
    k->domain = text(rd, o, "domain");
    k->identity = text(rd, o, "identity");
}

static void read_adversary(reader *rd, const json_t *o) {
    result_add_adversary(rd->r)->name = text(rd, o, "name");
}

static void read_link(reader *rd, const json_t *o) {
    result_link *l = result_add_link(rd->r);
    l->name = text(rd, o, "name");
    l->a = text(rd, o, "a");
    l->b = text(rd, o, "b");
    const json_t *ab = json_object_get(o, "a_to_b"), *ba = json_object_get(o, "b_to_a");
    l->packets_ab = count(rd, ab, "packets");
    l->packets_ba = count(rd, ba, "packets");
    l->octets_ab = count(rd, ab, "octets");
    l->octets_ba = count(rd, ba, "octets");
    l->lost_ab = count(rd, ab, "lost");
    l->lost_ba = count(rd, ba, "lost");
}

static void read_fact(reader *rd, result_party *p, const json_t *o) {
    result_fact f = {.what = text(rd, o, "what"),
                     .call = text_or_null(rd, o, "call"),
                     .how = text(rd, o, "how"),
                     .step = text(rd, o, "step"),
                     .at = moment(rd, o, "at_ns")};
    f.given = strcmp(f.how, "held") == 0 || strcmp(f.how, "broken-in") == 0;
    result_add_fact(rd->r, p, &f);
}

static void read_party(reader *rd, const json_t *o) {
    result_party *p = result_add_party(rd->r);
    const json_t *facts = list(rd, o, "knows");
    p->name = text(rd, o, "party");
    p->kind = text(rd, o, "kind");
    for (size_t i = 0; i < json_array_size(facts); i++)
        read_fact(rd, p, json_array_get(facts, i));
}

static void read_list(reader *rd, const json_t *o, const char *key,
                      void (*one)(reader *rd, const json_t *o)) {
    const json_t *entries = list(rd, o, key);
    rd->in = key;
    for (size_t i = 0; i < json_array_size(entries); i++)
        one(rd, json_array_get(entries, i));
    rd->in = NULL;
}

static void read_lists(reader *rd, const json_t *root) {
    const json_t *knowledge = json_object_get(root, "knowledge"), *remarks = list(rd, knowledge, "remarks");
    read_list(rd, root, "users", read_user);
    read_list(rd, root, "kms", read_kms);
    read_list(rd, root, "calls", read_call);
    read_list(rd, root, "adversaries", read_adversary);
    read_list(rd, root, "links", read_link);
    read_list(rd, knowledge, "parties", read_party);
    for (size_t i = 0; i < json_array_size(remarks); i++)
        if (json_is_string(json_array_get(remarks, i)))
            result_add_remark(rd->r, json_string_value(json_array_get(remarks, i)));
}

static void read_head(reader *rd, const json_t *root) {
    const char *verdict = text(rd, root, "verdict");
    rd->r->title = text(rd, root, "title");
    rd->r->scenario = text_or_null(rd, root, "scenario");
    rd->r->error = text_or_null(rd, root, "error");
    rd->r->parameters = text_or_null(rd, root, "parameters");
    rd->r->seed = strtoull(text(rd, root, "seed"), NULL, 10);
    rd->r->virtual_ns = count(rd, root, "virtual_ns");
    if (strcmp(verdict, "pass") == 0)
        rd->r->verdict = RESULT_PASS;
    else if (strcmp(verdict, "fail") == 0)
        rd->r->verdict = RESULT_FAIL;
    else if (strcmp(verdict, "error") != 0)
        refuse(rd, "verdict");
}

ibk_err result_from_json(result *out, const json_t *root, ibk_diag *diag) {
    const char *schema = json_string_value(json_object_get(root, "schema"));
    const char *kind = json_string_value(json_object_get(root, "kind"));
    if (!schema || strcmp(schema, RESULT_SCHEMA) != 0)
        return ibk_fail(diag, IBK_ERR_REFUSED, NULL, 0, "the schema is '%.40s', not " RESULT_SCHEMA,
                        schema ? schema : "missing");
    const char *found = json_string_value(json_object_get(json_object_get(root, "found"), "run"));
    if (kind && strcmp(kind, "run") != 0)
        return ibk_fail(diag, IBK_ERR_REFUSED, NULL, 0,
                        "a result of the kind '%.20s' has no calls to draw%s%.60s", kind,
                        found ? "; its run is in its folder " : "", found ? found : "");
    reader rd = {.r = out};
    read_head(&rd, root);
    read_lists(&rd, root);
    if (rd.bad)
        return ibk_fail(diag, IBK_ERR_REFUSED, NULL, 0,
                        "the member '%s' is missing or not what the schema says", rd.bad);
    return out->out_of_memory ? ibk_fail(diag, IBK_ERR_NO_MEMORY, NULL, 0, NULL) : IBK_OK;
}

ibk_err result_load(json_t **out, const char *dir, ibk_diag *diag) {
    char path[4096];
    *out = NULL;
    if (snprintf(path, sizeof path, "%s/result.json", dir) >= (int)sizeof path)
        return ibk_fail(diag, IBK_ERR_REFUSED, NULL, 0, "the path is too long");
    if (access(path, R_OK) != 0)
        return ibk_fail(diag, IBK_ERR_REFUSED, NULL, 0, "cannot be opened; is this the folder of a run?");
    if (jb_read(out, path, NULL, diag)) {
        if (diag)
            diag->err = IBK_ERR_REFUSED; /* the detail stays */
        return IBK_ERR_REFUSED;
    }
    if (json_is_object(*out))
        return IBK_OK;
    json_decref(*out);
    *out = NULL;
    return ibk_fail(diag, IBK_ERR_REFUSED, NULL, 0, "not a JSON object");
}
