/* The loop of the contract: a line in, a line out (IUT.md §1); hello; the table of requests. */
#include "conformance/iut/iut.h"
#include "conformance/iut/session.h"

#include <stdlib.h>
#include <string.h>

#define LINE_MAX_OCTETS ((size_t)4194304)
enum { CONTRACT = 1 };

typedef struct server {
    FILE *in, *out;
    const char *version;
    bool greeted;
    int64_t seq; /* of the last request that counted */
    iut_proved proved;
    iut_node node;
} server;

/* ---- hello
 * -------------------------------------------------------------------------------------------------- */

static void put_kind(iut_request *r, json_t *supports, const char *member, const iut_kind *kind) {
    json_t *list = json_array();
    if (!iut_put(r, supports, member, list))
        return;
    for (uint8_t v = 0; v < 32; v++)
        if (kind->values & (UINT32_C(1) << v))
            iut_append(r, list, json_string(kind->name(v)));
}

static void put_sizes(iut_request *r, json_t *supports) {
    json_t *list = json_array();
    if (!iut_put(r, supports, "sizes", list))
        return;
    for (size_t i = 0; i < IBK_IBE_SIZES; i++)
        iut_append(r, list, json_integer(ibk_ibe_size_at(i)->n));
}

static void op_hello(server *s, iut_request *r) {
    static const struct {
        const char *member;
        const iut_kind *kind;
    } kinds[] = {{"families", &iut_families},
                 {"roles", &iut_roles},
                 {"curves", &iut_curves},
                 {"own_curves", &iut_own_curves},
                 {"prfs", &iut_prfs},
                 {"encryptions", &iut_encryptions},
                 {"macs", &iut_macs},
                 {"timestamps", &iut_timestamps},
                 {"maps", &iut_maps},
                 {"methods", &iut_methods},
                 {"signatures", &iut_signatures},
                 {"envelopes", &iut_envelopes},
                 {"granularities", &iut_granularities},
                 {"features", &iut_features}};
    iut_place at = iut_top(r);
    int64_t contract = 0;
    const char *suite = "";
    iut_only(&at, "op seq contract suite");
    iut_integer(&at, "contract", IUT_MUST, 1, INT32_MAX, &contract);
    iut_text(&at, "suite", IUT_MUST, 1000, &suite);
    if (s->greeted)
        iut_complain(&at, IUT_MALFORMED, "op", "hello was said before");
    if (!iut_wrong(&at) && contract != CONTRACT)
        iut_complain(&at, IUT_UNSUPPORTED, "contract", "this is version %d", CONTRACT);
    if (iut_wrong(&at))
        return;
    iut_put(r, r->answer, "contract", json_integer(CONTRACT));
    iut_put(r, r->answer, "name", json_string("ibakelab libibake"));
    iut_put(r, r->answer, "version", json_string(s->version));
    json_t *supports = json_object();
    if (!iut_put(r, r->answer, "supports", supports))
        return;
    put_sizes(r, supports);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        put_kind(r, supports, kinds[i].member, kinds[i].kind);
    s->greeted = true;
}

/* ---- begin, end, parse
 * ---------------------------------------------------------------------------------------- */

static void op_begin(server *s, iut_request *r) {
    iut_node_free(&s->node); /* IUT.md §4: a begin ends the case before */
    iut_node_begin(&s->node, &s->proved, r);
    if (!s->node.open)
        iut_node_free(&s->node);
}

static void op_end(server *s, iut_request *r) {
    iut_place at = iut_top(r);
    iut_only(&at, "op seq");
    if (!iut_wrong(&at))
        iut_node_free(&s->node);
}

static void op_parse(server *s, iut_request *r) {
    iut_parse(&s->proved, r);
}

/* ---- the table
 * ------------------------------------------------------------------------------------------------- */

typedef struct operation {
    const char *op;
    void (*of_server)(server *s, iut_request *r);
    void (*of_case)(iut_node *node, iut_request *r); /* only in a case */
} operation;

static const operation operations[] = {
    {"hello", op_hello, NULL}, {"begin", op_begin, NULL},    {"parse", op_parse, NULL},
    {"end", op_end, NULL},     {"open", NULL, iut_open},     {"message", NULL, iut_message},
    {"time", NULL, iut_time},  {"update", NULL, iut_update}, {"settle", NULL, iut_settle},
    {"fork", NULL, iut_fork},  {"close", NULL, iut_close},   {"open-esk", NULL, iut_open_esk},
};

static const operation *find_operation(const char *op) {
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
        if (strcmp(operations[i].op, op) == 0)
            return &operations[i];
    return NULL;
}

static void dispatch(server *s, iut_request *r) {
    iut_place at = iut_top(r);
    const char *op = "";
    int64_t seq = 0;
    iut_integer(&at, "seq", IUT_MUST, s->seq + 1, s->seq + 1, &seq);
    iut_text(&at, "op", IUT_MUST, 100, &op);
    if (iut_wrong(&at))
        return;
    s->seq = seq;
    const operation *o = find_operation(op);
    bool case_needed = o && (o->of_case || o->of_server == op_end);
    if (!o)
        iut_complain(&at, IUT_UNSUPPORTED, "op", "'%.60s' is not known here", op);
    else if (!s->greeted && o->of_server != op_hello)
        iut_complain(&at, IUT_MALFORMED, "op", "hello comes first");
    else if (case_needed && !s->node.open)
        iut_complain(&at, IUT_MALFORMED, "op", "no case is open");
    else if (o->of_case)
        o->of_case(&s->node, r);
    else
        o->of_server(s, r);
}

/* ---- lines
 * ----------------------------------------------------------------------------------------------------- */

/* {"seq", "result", …}; NULL: no memory. */
static json_t *finish(iut_request *r) {
    static const char *const results[] = {"ok", "refused", "unsupported", "malformed"};
    const json_t *seq = r->json ? json_object_get(r->json, "seq") : NULL;
    bool usable = json_is_integer(seq) && json_integer_value(seq) > 0;
    json_t *answer = json_object();
    json_object_set_new(answer, "seq", usable ? json_integer(json_integer_value(seq)) : json_null());
    json_object_set_new(answer, "result", json_string(results[r->result]));
    if (r->result == IUT_OK) {
        json_object_update(answer, r->answer);
        return answer;
    }
    json_object_set_new(answer, "what", json_string(r->what));
    if (r->result == IUT_REFUSED)
        json_object_set_new(answer, "error", json_string(iut_error_class(r->error)));
    json_t *detail = json_string(r->detail);
    if (detail) /* NULL: cut within a UTF-8 character */
        json_object_set_new(answer, "detail", detail);
    return answer;
}

static ibk_err answer_line(server *s, ibk_span line, bool too_long) {
    iut_request r = {.answer = json_object()};
    iut_place at = iut_top(&r);
    json_error_t error;
    if (line.len > 0 && !too_long)
        r.json = json_loadb((const char *)line.data, line.len, JSON_REJECT_DUPLICATES, &error);
    if (too_long)
        iut_complain(&at, IUT_MALFORMED, "line", "is longer than %zu octets", LINE_MAX_OCTETS);
    else if (!json_is_object(r.json))
        iut_complain(&at, IUT_MALFORMED, "line", "is no JSON object");
    else
        dispatch(s, &r);
    json_t *answer = finish(&r);
    char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
    ibk_err err = text ? IBK_OK : IBK_ERR_NO_MEMORY;
    if (text && (fputs(text, s->out) < 0 || fputc('\n', s->out) < 0 || fflush(s->out) != 0))
        err = IBK_ERR_IO;
    free(text);
    json_decref(answer);
    json_decref(r.answer);
    json_decref(r.json);
    iut_store_free(&r.store);
    return err;
}

/* A line into `line`, without its LF. Of one that is longer than LINE_MAX_OCTETS the rest is read and
 * dropped, and *too_long set. False: the input has ended. What ends without LF counts as a line. */
static bool read_line(FILE *in, ibk_buf *line, bool *too_long, ibk_err *err) {
    char part[4096];
    size_t len = 0;
    int c = EOF;
    ibk_buf_clear(line);
    *too_long = false;
    while (!*err && (c = getc(in)) != EOF && c != '\n') {
        part[len++] = (char)c;
        if (len < sizeof part)
            continue;
        *too_long = *too_long || line->len + len > LINE_MAX_OCTETS;
        *err = *too_long ? IBK_OK : ibk_buf_append(line, part, len);
        len = 0;
    }
    if (!*err && !*too_long)
        *err = ibk_buf_append(line, part, len);
    ibk_wipe(part, sizeof part);
    if (ferror(in))
        *err = IBK_ERR_IO;
    return !*err && (c == '\n' || line->len > 0 || *too_long);
}

ibk_err iut_serve(FILE *in, FILE *out, const char *version) {
    server s = {.in = in, .out = out, .version = version};
    ibk_buf line = {0};
    ibk_err err = IBK_OK;
    bool too_long;
    while (!err && read_line(in, &line, &too_long, &err))
        err = answer_line(&s, ibk_buf_span(&line), too_long);
    iut_node_free(&s.node);
    iut_proved_free(&s.proved);
    ibk_buf_free(&line);
    return err;
}
