/* Parser cases: messages that are cut, lengthened, relabelled. See parser_der.c and parser_contents.c for the
 * rest. */
#include "conformance/cases/cases.h"
#include "conformance/cases/parse.h"

#include <string.h>

static json_t *ask(suite_trial *t, const char *what, ibk_span octets, const char *more) {
    json_t *members = suite_json(t, "{'what': '%s', 'octets': '%s'%s%s}", what, suite_base64(t, octets),
                                 *more ? ", " : "", more);
    return suite_ask(t, SUITE_A, "parse", members);
}

static const char *text_in(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

json_t *parse_taken(suite_trial *t, const char *what, ibk_span octets, const char *more, ibk_span same,
                    const char *id) {
    json_t *answer = ask(t, what, octets, more);
    if (strcmp(text_in(answer, "result"), "unsupported") == 0)
        suite_skip(t, "not supported: parsing %s", what);
    suite_require(t, strcmp(text_in(answer, "result"), "ok") == 0, id, "ok", "%s:%s (%s)",
                  text_in(answer, "result"), text_in(answer, "error"), text_in(answer, "detail"));
    suite_require(t, ibk_span_equal(suite_octets(t, text_in(answer, "octets")), same), id,
                  "the same octets, written from what was parsed", "other octets");
    return answer;
}

static bool among(const char *word, const char *classes) {
    size_t len = strlen(word);
    for (const char *at = classes; (at = strstr(at, word)); at += len)
        if ((at == classes || at[-1] == '|') && (at[len] == '|' || !at[len]))
            return true;
    return strcmp(word, "unspecified") == 0;
}

void parse_refused(suite_trial *t, const char *what, ibk_span octets, const char *more, const char *classes,
                   const char *id) {
    json_t *answer = ask(t, what, octets, more);
    if (strcmp(text_in(answer, "result"), "unsupported") == 0)
        suite_skip(t, "not supported: parsing %s", what);
    const char *permitted = suite_text(t, "refused:%s", classes);
    suite_require(t, strcmp(text_in(answer, "result"), "refused") == 0, id, permitted, "%s for %zu octets",
                  text_in(answer, "result"), octets.len);
    suite_require(t, among(text_in(answer, "error"), classes), id, permitted, "refused:%s",
                  text_in(answer, "error"));
}

/* ---- changes of a message ---- */

typedef struct change {
    const char *name, *what, *classes;
    /* Changes `b`, a copy of the well-formed message that `m` describes; false: there is nothing to change.
     */
    bool (*make)(suite_trial *t, const suite_message *m, ibk_buf *b);
    const char *id; /* NULL: that of the kind of message */
} change;

static bool cut_last(suite_trial *t, const suite_message *m, ibk_buf *b) {
    (void)m;
    suite_sure(t, ibk_buf_resize(b, b->len - 1), "cutting");
    return true;
}

static bool cut_header(suite_trial *t, const suite_message *m, ibk_buf *b) {
    (void)m;
    suite_sure(t, ibk_buf_resize(b, 9), "cutting");
    return true;
}

static bool cut_all(suite_trial *t, const suite_message *m, ibk_buf *b) {
    (void)t, (void)m;
    ibk_buf_clear(b);
    return true;
}

static bool add_octet(suite_trial *t, const suite_message *m, ibk_buf *b) {
    (void)m;
    suite_sure(t, ibk_buf_append(b, "\0", 1), "adding");
    return true;
}

static bool set(ibk_buf *b, size_t at, uint8_t value) {
    b->data[at] = value;
    return true;
}

static bool version_0(suite_trial *t, const suite_message *m, ibk_buf *b) {
    (void)t, (void)m;
    return set(b, 0, 0);
}

static bool version_2(suite_trial *t, const suite_message *m, ibk_buf *b) {
    (void)t, (void)m;
    return set(b, 0, 2);
}

static bool data_type(suite_trial *t, const suite_message *m, ibk_buf *b) {
    (void)t, (void)m;
    return set(b, 1, 99);
}

static bool map_type(suite_trial *t, const suite_message *m, ibk_buf *b) {
    (void)t, (void)m;
    return set(b, 9, 9);
}

static bool map_count(suite_trial *t, const suite_message *m, ibk_buf *b) {
    (void)t;
    return m->map_type == 0 && set(b, 8, 0xFE);
}

static bool unknown_payload(suite_trial *t, const suite_message *m, ibk_buf *b) {
    (void)t, (void)m;
    return set(b, 2, 99);
}

static bool chain_early(suite_trial *t, const suite_message *m, ibk_buf *b) {
    (void)t, (void)m;
    return set(b, 2, 0);
}

static bool chain_late(suite_trial *t, const suite_message *m, ibk_buf *b) {
    (void)t;
    const suite_payload *last = &m->payloads[m->n - 1];
    return last->type != SUITE_SIGN && set(b, last->offset, SUITE_RAND);
}

static bool timestamp_type(suite_trial *t, const suite_message *m, ibk_buf *b) {
    (void)t;
    const suite_payload *p = suite_message_find(m, SUITE_T, 0);
    return p && set(b, p->offset + 1, 9);
}

static bool length(const suite_message *m, ibk_buf *b, unsigned type, int by) {
    const suite_payload *p = suite_message_find(m, type, 0);
    if (!p)
        return false;
    size_t value = (size_t)(b->data[p->data - 2] << 8 | b->data[p->data - 1]) + (size_t)by;
    b->data[p->data - 2] = (uint8_t)(value >> 8);
    b->data[p->data - 1] = (uint8_t)value;
    return true;
}

static bool id_longer(suite_trial *t, const suite_message *m, ibk_buf *b) {
    (void)t;
    return length(m, b, SUITE_IDR, 1);
}

static bool id_shorter(suite_trial *t, const suite_message *m, ibk_buf *b) {
    (void)t;
    return length(m, b, SUITE_IDR, -1);
}

static bool id_endless(suite_trial *t, const suite_message *m, ibk_buf *b) {
    (void)t;
    return length(m, b, SUITE_IDR, 0xFF00);
}

static bool ibake_longer(suite_trial *t, const suite_message *m, ibk_buf *b) {
    (void)t;
    return length(m, b, SUITE_IBAKE, 1);
}

static bool ibake_shorter(suite_trial *t, const suite_message *m, ibk_buf *b) {
    (void)t;
    return length(m, b, SUITE_IBAKE, -1);
}

static bool mac_algorithm(suite_trial *t, const suite_message *m, ibk_buf *b) {
    (void)t;
    const suite_payload *p = suite_message_find(m, SUITE_V, 0);
    return p && set(b, p->offset + 1, 9);
}

/* A payload of a type between the header and the first one. */
static bool insert(suite_trial *t, const suite_message *m, ibk_buf *b, uint8_t type, const uint8_t *body,
                   size_t len) {
    uint8_t first = b->data[2];
    suite_sure(t, ibk_buf_resize(b, b->len + len + 1), "growing");
    memmove(b->data + m->header_len + len + 1, b->data + m->header_len, m->octets.len - m->header_len);
    b->data[m->header_len] = first;
    memcpy(b->data + m->header_len + 1, body, len);
    return set(b, 2, type);
}

static bool eccpt_in_clear(suite_trial *t, const suite_message *m, ibk_buf *b) {
    /* the generator of P-256, uncompressed, on a 32-bit boundary (P-3) */
    static const uint8_t eccpt[] = {8,    4,    0x6B, 0x17, 0xD1, 0xF2, 0xE1, 0x2C, 0x42, 0x47, 0xF8, 0xBC,
                                    0xE6, 0xE5, 0x63, 0xA4, 0x40, 0xF2, 0x77, 0x03, 0x7D, 0x81, 0x2D, 0xEB,
                                    0x33, 0xA0, 0xF4, 0xA1, 0x39, 0x45, 0xD8, 0x98, 0xC2, 0x96, 0x4F, 0xE3,
                                    0x42, 0xE2, 0xFE, 0x1A, 0x7F, 0x9B, 0x8E, 0xE7, 0xEB, 0x4A, 0x7C, 0x0F,
                                    0x9E, 0x16, 0x2B, 0xCE, 0x33, 0x57, 0x6B, 0x31, 0x5E, 0xCE, 0xCB, 0xB6,
                                    0x40, 0x68, 0x37, 0xBF, 0x51, 0xF5, 0,    0,    0,    0,    0};
    return insert(t, m, b, 25, eccpt, sizeof eccpt);
}

static bool sk_in_clear(suite_trial *t, const suite_message *m, ibk_buf *b) {
    static const uint8_t sk[] = {1 << 4, 0, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    return insert(t, m, b, 24, sk, sizeof sk);
}

/* A RAND, well-formed, behind V, which is to be the last. */
static bool behind_v(suite_trial *t, const suite_message *m, ibk_buf *b) {
    static const uint8_t rand[18] = {0, 16};
    const suite_payload *v = suite_message_find(m, SUITE_V, 0);
    suite_sure(t, ibk_buf_append(b, rand, sizeof rand), "adding");
    return v && set(b, v->offset, SUITE_RAND);
}

static const change changes[] = {
    {"cut-last", "the last octet is missing", "malformed", cut_last, NULL},
    {"cut-header", "nine octets of the header alone", "malformed", cut_header, NULL},
    {"cut-all", "no octet at all", "malformed", cut_all, NULL},
    {"trailing", "an octet follows the last payload", "malformed", add_octet, NULL},
    {"version-0", "version 0", "unsupported|malformed", version_0, NULL},
    {"version-2", "version 2", "unsupported|malformed", version_2, NULL},
    {"data-type-unknown", "an unknown data type", "unsupported|malformed|payload", data_type, NULL},
    {"map-type-unknown", "an unknown CS ID map type", "unsupported|malformed", map_type, NULL},
    {"map-count", "254 crypto sessions that are not there", "malformed|encoding|unsupported|payload",
     map_count, NULL},
    {"payload-unknown", "an unknown payload behind the header", "malformed|unsupported|payload",
     unknown_payload, NULL},
    {"chain-early", "next payload 0 in front of the payloads", "malformed|payload", chain_early, NULL},
    {"chain-late", "the last payload announces another", "malformed|payload", chain_late, NULL},
    {"timestamp-type-unknown", "an unknown type of timestamp", "malformed|unsupported", timestamp_type, NULL},
    {"id-length-longer", "the length of an IDR is one too large", "malformed|unsupported|payload", id_longer,
     NULL},
    {"id-length-shorter", "the length of an IDR is one too small", "malformed|unsupported|payload",
     id_shorter, NULL},
    {"id-length-endless", "the length of an IDR passes the end", "malformed", id_endless, NULL},
    {"ibake-length-longer", "the length of IBAKE is one too large", "malformed|unsupported|payload",
     ibake_longer, NULL},
    {"ibake-length-shorter", "the length of IBAKE is one too small", "malformed|unsupported|payload",
     ibake_shorter, NULL},
    {"mac-algorithm-unknown", "an unknown algorithm in V", "malformed|unsupported", mac_algorithm, NULL},
    {"behind-v", "a payload behind V", "malformed|payload", behind_v, "3830-62"},
    {"eccpt-in-clear", "an ECCPT outside IBAKE", "malformed|payload|unsupported", eccpt_in_clear, "6267-98"},
    {"sk-in-clear", "an SK outside ESK", "malformed|payload|unsupported", sk_in_clear, "6267-101"},
};

static const char *const kind_ids[CASE_KINDS] = {"6267-32", "6267-44", "6267-57", "6267-68",
                                                 "6267-15", "6267-27", "3830-33"};

typedef struct changed {
    case_kind kind;
    const change *change;
} changed;

static void run_changed(suite_trial *t, const void *arg) {
    const changed *c = arg;
    const suite_message *m = suite_read(t, case_sample(t, c->kind, "parser"));
    if (m->wrong)
        suite_error(t, "the peer's sample: %s", m->wrong);
    ibk_buf *b = suite_buf(t);
    suite_sure(t, ibk_buf_append_span(b, m->octets), "copying");
    if (!c->change->make(t, m, b))
        suite_error(t, "nothing to change in this message");
    parse_refused(t, "message", ibk_buf_span(b), "", c->change->classes,
                  c->change->id ? c->change->id : kind_ids[c->kind]);
}

static void run_whole(suite_trial *t, const void *arg) {
    const case_kind *kind = arg;
    const suite_message *m = suite_read(t, case_sample(t, *kind, "parser"));
    const char *id = kind_ids[*kind];
    json_t *answer = parse_taken(t, "message", m->octets, "", m->octets, id);
    suite_require(t, json_integer_value(json_object_get(answer, "data_type")) == m->data_type, id,
                  "its data type", "another data type");
    const json_t *payloads = json_object_get(answer, "payloads");
    suite_require(t, json_array_size(payloads) == m->n, "3830-45", "the payloads of the message",
                  "%zu payloads for %zu", json_array_size(payloads), m->n);
    for (size_t i = 0; i < m->n; i++)
        suite_require(t, json_integer_value(json_array_get(payloads, i)) == m->payloads[i].type, id,
                      "the payload types in order", "another type at place %zu", i + 1);
}

/* No beginning of a message is a message. */
static void run_prefixes(suite_trial *t, const void *arg) {
    const case_kind *kind = arg;
    ibk_span whole = case_sample(t, *kind, "parser");
    for (size_t n = 0; n < whole.len; n += n < 64 ? 1 : 7)
        parse_refused(t, "message", ibk_span_of(whole.data, n), "", "malformed|payload", kind_ids[*kind]);
}

/* Does the change find something in a message of this kind? */
static bool applies(const change *c, case_kind kind) {
    bool request = kind == CASE_REQUEST_KEY_PSK || kind == CASE_REQUEST_KEY_RESP;
    if (c->make == map_count)
        return kind <= CASE_R_MESSAGE_2;
    if (c->make == ibake_longer || c->make == ibake_shorter)
        return kind <= CASE_I_MESSAGE_2;
    if (c->make == mac_algorithm || c->make == behind_v)
        return kind == CASE_R_MESSAGE_2 || request;
    if (c->make == id_longer || c->make == id_shorter || c->make == id_endless)
        return kind != CASE_ERROR;
    return true;
}

static void add_kind(suite_list *list, case_kind kind) {
    const char *name = case_kind_names[kind];
    case_kind *copy = suite_list_alloc(list, sizeof *copy);
    *copy = kind;
    suite_case whole = {suite_list_text(list, "parser/%s/whole", name),
                        "a well-formed message is taken and written again",
                        suite_list_text(list, "%s 3830-45 3830-64", kind_ids[kind]),
                        "roles:parser",
                        run_whole,
                        copy};
    suite_add(list, &whole);
    suite_case prefixes = {suite_list_text(list, "parser/%s/prefixes", name),
                           "no beginning of a message is taken",
                           kind_ids[kind],
                           "roles:parser",
                           run_prefixes,
                           copy};
    suite_add(list, &prefixes);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        if (!applies(&changes[i], kind))
            continue;
        changed *arg = suite_list_alloc(list, sizeof *arg);
        *arg = (changed){kind, &changes[i]};
        suite_case c = {suite_list_text(list, "parser/%s/%s", name, changes[i].name),
                        changes[i].what,
                        changes[i].id ? changes[i].id : kind_ids[kind],
                        "roles:parser",
                        run_changed,
                        arg};
        suite_add(list, &c);
    }
}

/* ---- the attribute (RFC 4567) ---- */

typedef struct attribute {
    const char *name, *before, *after, *what, *ids; /* around the base64 of a message */
    bool whole;                                     /* the message is in it */
    bool taken;
} attribute;

static const attribute attributes[] = {
    {"whole", "mikey ", "", "mikey and base64", "4567-1 4567-52", true, true},
    {"upper-case", "MIKEY ", "", "the identifier in upper case", "4567-2 4567-52", true, false},
    {"mixed-case", "Mikey ", "", "the identifier in mixed case", "4567-2 4567-52", true, false},
    {"no-data", "mikey", "", "no data at all", "4567-1", false, false},
    {"other-protocol", "other ", "", "another protocol", "4567-2", true, false},
    {"no-identifier", "", "", "no identifier", "4567-2", true, false},
    {"bad-base64", "mikey !!!!", "", "no base64", "4567-1", false, false},
    {"base64-cut", "mikey AQ", "", "base64 that is cut", "4567-1", false, false},
    {"base64-followed", "mikey ", "====", "padding without end", "4567-1", true, false},
};

static void run_attribute(suite_trial *t, const void *arg) {
    const attribute *a = arg;
    ibk_span message = case_sample(t, CASE_I_MESSAGE_1, "parser");
    const char *text = suite_text(t, "%s%s%s", a->before, a->whole ? suite_base64(t, message) : "", a->after);
    const char *id = suite_text(t, "%.*s", (int)strcspn(a->ids, " "), a->ids);
    if (a->taken)
        parse_taken(t, "key-mgmt", ibk_span_str(text), "", message, id);
    else
        parse_refused(t, "key-mgmt", ibk_span_str(text), "", "malformed|unsupported|payload", id);
}

void cases_parser(suite_list *list) {
    for (case_kind kind = 0; kind < CASE_KINDS; kind++)
        add_kind(list, kind);
    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
        suite_case c = {suite_list_text(list, "parser/key-mgmt/%s", attributes[i].name),
                        attributes[i].what,
                        attributes[i].ids,
                        "roles:parser features:sdp",
                        run_attribute,
                        &attributes[i]};
        suite_add(list, &c);
    }
    cases_parser_points(list);
    cases_parser_der(list);
    cases_parser_contents(list);
}
