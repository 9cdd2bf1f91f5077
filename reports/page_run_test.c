#include "reports/page_run.h"

#include "reports/result_read.h"
#include "reports/testing_run.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define START UINT64_C(1000000000000000000) /* as the run's first event has it */
#define MS    UINT64_C(1000000)

/* ---- a folder -------------------------------------------------------------------------------------------
 */

static char dir[64];

static void path_of(char out[128], const char *name) {
    snprintf(out, 128, "%s/%s", dir, name);
}

static void write_text(const char *name, const char *text) {
    char path[128];
    path_of(path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void make_folder(testing_run *run) {
    char path[128];
    strcpy(dir, "/tmp/ibakelab-page-XXXXXX");
    assert_non_null(mkdtemp(dir));
    path_of(path, "capture");
    assert_int_equal(mkdir(path, 0700), 0);
    write_text("capture/all.pcap", "");
    write_text("capture/alice-core.home.example.pcap", "");
    path_of(path, "result.json");
    assert_int_equal(result_write_json(&run->r, path, NULL), IBK_OK);
    trace_jsonl *events;
    path_of(path, "events.jsonl");
    assert_int_equal(trace_jsonl_open(&events, path, NULL), IBK_OK);
    for (size_t i = 0; i < trace_memory_count(run->memory); i++)
        trace_jsonl_event(events, trace_memory_at(run->memory, i));
    assert_int_equal(trace_jsonl_close(events, NULL), IBK_OK);
}

static void remove_folder(void) {
    static const char *const names[] = {"capture/all.pcap", "capture/alice-core.home.example.pcap",
                                        "capture",          "result.json",
                                        "events.jsonl",     ""};
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        path_of(path, names[i]);
        remove(path);
    }
}

/* ---- a decoder -------------------------------------------------------------------------------------------
 */

typedef struct found {
    uint64_t ms;
    const char *from, *to, *call, *cseq, *name, *octets;
} found;

/* On alice's link her own messages, and R_MESSAGE_1 as it came; in the core R_MESSAGE_1 as it went on, and a
 * repetition.
 */
static const found on_link[] = {
    {1000, "10.0.0.1:5060", "10.0.0.3:5060", "c1", "1 INVITE", "I_MESSAGE_1", "i1"},
    {1031, "10.0.0.3:5060", "10.0.0.1:5060", "c1", "1 INVITE", "R_MESSAGE_1", "r1"},
    {9030, "10.0.0.1:5060", "10.0.0.3:5060", "c1", "3 UPDATE", "I_MESSAGE_1", "seen twice"},
};
static const found in_core[] = {
    {15, "[10.0.0.1]:777", "10.0.0.4:80", "", "", "REQUEST_KEY_PSK", "psk"},
    {1001, "10.0.0.1:5060", "10.0.0.3:5060", "c1", "1 INVITE", "I_MESSAGE_1", "i1"},
    {1005, "10.0.0.3:5060", "10.0.0.2:5060", "c1", "1 INVITE", "I_MESSAGE_1", "before it was sent"},
    {1011, "10.0.0.3:5060", "10.0.0.2:5060", "c1", "1 INVITE", "I_MESSAGE_1", "i1"},
    {1021, "10.0.0.2:5060", "10.0.0.3:5060", "c1", "1 INVITE", "R_MESSAGE_1", "r1"},
    {1041, "10.0.0.3:5060", "10.0.0.1:5060", "c1", "1 INVITE", NULL, "broken by mallory"},
    {1042, "10.0.0.1:5060", "10.0.0.2:5060", "c1", "2 PRACK", "I_MESSAGE_2", "i2"},
    {1052, "10.0.0.1:5060", "10.0.0.2:5060", "c1", "2 PRACK", "I_MESSAGE_2", "i2"},
    {1063, "10.9.9.9:5060", "10.0.0.1:5060", "c1", "2 PRACK", "R_MESSAGE_2", "of a stranger"},
    {1064, "10.0.0.2:5060", "10.0.0.1:5060", "c1", "2 PRACK", "R_MESSAGE_2", "r2"},
    {9031, "10.0.0.1:5060", "10.0.0.3:5060", "c1", "3 UPDATE", "I_MESSAGE_1", "seen twice"},
    {9041, "10.0.0.1:5060", "10.0.0.3:5060", "c1", "3 UPDATE", "I_MESSAGE_1", "seen once"},
    {9001, "10.0.0.3:5060", "10.0.0.2:5060", "c1", "3 UPDATE", "I_MESSAGE_1", "of one"},
    {9021, "10.0.0.3:5060", "10.0.0.2:5060", "c1", "3 UPDATE", "I_MESSAGE_1", "of one"},
    {9022, "10.0.0.3:5060", "10.0.0.2:5060", "c1", "3 UPDATE", "I_MESSAGE_1", "of the other"},
    {5001, "10.0.0.5:5060", "10.0.0.2:5060", "c-mallory", "1 INVITE", "I_MESSAGE_1", "i1"},
};

static void give(const page_sink *sink, const found *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const found *f = &list[i];
        char json[100];
        page_frame frame = {.utc_ns = START + f->ms * MS,
                            .from = f->from,
                            .to = f->to,
                            .call_id = ibk_span_str(f->call),
                            .cseq = ibk_span_str(f->cseq),
                            .name = f->name,
                            .octets = ibk_span_str(f->octets)};
        if (!sink->wanted(sink->user, &frame))
            continue;
        snprintf(json, sizeof json, "{\"message\":\"%s\",\"of\":\"%s\"}", f->name ? f->name : "?", f->octets);
        sink->found(sink->user, ibk_span_str(json));
    }
}

static ibk_err decode(void *user, const char *capture, const char *keylog, const page_sink *sink,
                      ibk_diag *diag) {
    (void)diag;
    size_t *calls = user;
    assert_null(keylog); /* the run left none */
    ++*calls;
    if (strstr(capture, "alice-core"))
        give(sink, on_link, sizeof on_link / sizeof *on_link);
    else
        give(sink, in_core, sizeof in_core / sizeof *in_core);
    return IBK_OK;
}

/* ---- tests
 * ------------------------------------------------------------------------------------------------- */

static const char *text_at(const json_t *o, const char *key) {
    return json_string_value(json_object_get(o, key));
}

static const json_t *row_of(const json_t *run, size_t ladder, const char *label, const char *mikey,
                            size_t nth) {
    size_t i;
    const json_t *row,
        *rows = json_object_get(json_array_get(json_object_get(run, "ladders"), ladder), "rows");
    json_array_foreach(rows, i, row) {
        const char *name = text_at(row, "mikey");
        if (strcmp(text_at(row, "label"), label) == 0 && (mikey ? name && strcmp(name, mikey) == 0 : !name) &&
            nth-- == 0)
            return row;
    }
    fail_msg("no row %s %s", label, mikey ? mikey : "");
    return NULL;
}

static void check_message(const json_t *run, const json_t *row, const char *octets) {
    const json_t *index = json_object_get(row, "message");
    if (!octets) {
        assert_true(json_is_null(index));
        return;
    }
    const json_t *messages = json_object_get(run, "messages");
    assert_true(json_is_integer(index));
    assert_true(json_integer_value(index) < (json_int_t)json_array_size(messages));
    const json_t *message = json_array_get(messages, (size_t)json_integer_value(index));
    assert_string_equal(text_at(json_object_get(message, "tree"), "of"), octets);
    assert_int_equal(strlen(text_at(message, "octets")), 2 * strlen(octets));
}

static json_t *make(testing_run *run, size_t *calls) {
    json_t *out;
    ibk_diag diag = {0};
    testing_run_make(run);
    make_folder(run);
    if (page_run(&out, dir, NULL, decode, calls, &diag))
        fail_msg("%s", diag.detail);
    return out;
}

static void test_messages(void **state) {
    (void)state;
    testing_run run;
    size_t calls = 0;
    json_t *out = make(&run, &calls);
    assert_int_equal(calls, 2); /* alice's link, since mallory sat there, and the core */
    check_message(out, row_of(out, 0, "INVITE", "I_MESSAGE_1", 0), "i1");
    check_message(out, row_of(out, 0, "INVITE", "I_MESSAGE_1", 1), "i1");
    check_message(out, row_of(out, 0, "183 Session Progress", "R_MESSAGE_1", 0), "r1");
    check_message(out, row_of(out, 0, "183 Session Progress", "R_MESSAGE_1", 1), "r1");
    check_message(out, row_of(out, 0, "mallory: modify <SP> & \"V\"", "R_MESSAGE_1", 0), "broken by mallory");
    check_message(out, row_of(out, 0, "PRACK", "I_MESSAGE_2", 0), "i2");
    check_message(out, row_of(out, 0, "200 OK", "R_MESSAGE_2", 0), "r2");
    check_message(out, row_of(out, 0, "INVITE", "I_MESSAGE_1", 2), "i1"); /* mallory's */
    check_message(out, row_of(out, 0, "INVITE", "I_MESSAGE_1", 3), NULL); /* the mailbox's: in no capture */
    check_message(out, row_of(out, 0, "BYE", NULL, 0), NULL);
    check_message(out, row_of(out, 1, "POST /mikey", "REQUEST_KEY_PSK", 0), "psk");
    assert_int_equal(json_array_size(json_object_get(out, "messages")), 6); /* each of them once */
    json_decref(out);
    remove_folder();
    testing_run_free(&run);
}

/* Two dialogs of a call send messages of one name and CSeq over the same hop; a repetition of the first is
 * not taken for the second. */
static void test_repetitions(void **state) {
    (void)state;
    testing_run run;
    size_t calls = 0;
    json_t *out;
    testing_message m = {.from = "pcscf.home.example",
                         .to = "bob",
                         .label = "UPDATE",
                         .mikey = "I_MESSAGE_1",
                         .call = "c1",
                         .to_tag = "one"};
    testing_run_make(&run);
    run.now = 9000 * MS;
    run.cseq = "3 UPDATE";
    testing_run_pass(&run, &m);
    m.to_tag = "other";
    testing_run_pass(&run, &m);
    m.to_tag = "one";
    m.again = true;
    testing_run_pass(&run, &m);
    run.now = 9030 * MS; /* two at one moment, of which one stands in two captures */
    for (int i = 0; i < 2; i++) {
        testing_run_pass(&run, &(testing_message){.from = "alice",
                                                  .to = "pcscf.home.example",
                                                  .label = "UPDATE",
                                                  .mikey = "I_MESSAGE_1",
                                                  .call = "c1",
                                                  .to_tag = i ? "b" : "a",
                                                  .lost = true});
        run.now = 9030 * MS;
    }
    make_folder(&run);
    assert_int_equal(page_run(&out, dir, NULL, decode, &calls, NULL), IBK_OK);
    check_message(out, row_of(out, 0, "UPDATE", "I_MESSAGE_1", 2), "seen twice");
    check_message(out, row_of(out, 0, "UPDATE", "I_MESSAGE_1", 3), "seen once");
    assert_int_equal(
        json_integer_value(json_object_get(row_of(out, 0, "UPDATE", "I_MESSAGE_1", 0), "copies")), 2);
    check_message(out, row_of(out, 0, "UPDATE", "I_MESSAGE_1", 0), "of one");
    check_message(out, row_of(out, 0, "UPDATE", "I_MESSAGE_1", 1), "of the other");
    json_decref(out);
    remove_folder();
    testing_run_free(&run);
}

static void test_nodes_links_states(void **state) {
    (void)state;
    testing_run run;
    size_t calls = 0, i;
    json_t *out = make(&run, &calls), *entry;
    static const char *const kinds[][2] = {
        {"alice", "ue"},          {"pcscf.home.example", "pcscf"}, {"mallory", "adversary"},
        {"voicemail", "mailbox"}, {"kms.home.example", "kms"},     {"core.home.example", "other"}};
    size_t seen = 0;
    json_array_foreach(json_object_get(out, "nodes"), i, entry) {
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            if (strcmp(text_at(entry, "name"), kinds[k][0]) == 0) {
                assert_string_equal(text_at(entry, "kind"), kinds[k][1]);
                seen++;
            }
        if (strcmp(text_at(entry, "name"), "mallory") != 0)
            assert_string_equal(text_at(entry, "domain"), "home.example");
    }
    assert_int_equal(seen, sizeof kinds / sizeof *kinds);
    const json_t *link = json_array_get(json_object_get(out, "links"), 0);
    assert_string_equal(text_at(link, "capture"), "capture/alice-core.home.example.pcap");
    /* REGISTER, POST, INVITE, 183, PRACK twice, 200, BYE */
    assert_int_equal(json_integer_value(json_object_get(link, "messages")), 8);
    assert_int_equal(json_integer_value(json_object_get(link, "octets")), 300);
    assert_int_equal(json_integer_value(json_object_get(link, "lost")), 1);
    assert_true(json_is_null(json_object_get(json_array_get(json_object_get(out, "links"), 1), "capture")));
    assert_int_equal(json_array_size(json_object_get(out, "captures")), 2);
    json_t *states = json_object_get(out, "states");
    static const char *const expected[] = {"I_WAIT_R_MESSAGE_1", "R_WAIT_I_MESSAGE_2", "established",
                                           "incoming"};
    assert_int_equal(json_array_size(states), 4);
    json_array_foreach(states, i, entry) {
        assert_string_equal(text_at(entry, "what"), expected[i]);
        assert_int_equal(json_integer_value(json_object_get(entry, "call")), 0);
    }
    json_decref(out);
    remove_folder();
    testing_run_free(&run);
}

/* Those that failed come before those that did not, and no more than there is room for. */
static void test_limits(void **state) {
    (void)state;
    testing_run run;
    json_t *out;
    testing_run_make(&run);
    for (int i = 0; i < 2 * PAGE_MAX_LADDERS; i++) {
        result_call *c = result_add_call(&run.r);
        c->id = result_textf(&run.r, "more-%d", i);
        c->call_id = result_textf(&run.r, "more-id-%d", i);
        c->from = "alice";
        c->to = "bob";
        c->state = i == 2 * PAGE_MAX_LADDERS - 1 ? RESULT_CALL_FAILED : RESULT_CALL_ESTABLISHED;
        c->invite = result_at(6000 * MS);
    }
    make_folder(&run);
    assert_int_equal(page_run(&out, dir, NULL, NULL, NULL, NULL), IBK_OK);
    json_t *ladders = json_object_get(out, "ladders");
    assert_int_equal(json_array_size(ladders), PAGE_MAX_LADDERS + 1); /* and what is of no call */
    assert_int_equal(json_integer_value(json_object_get(out, "left_out")), PAGE_MAX_LADDERS + 1);
    json_t *last = json_array_get(ladders, PAGE_MAX_LADDERS - 1);
    assert_int_equal(json_integer_value(json_object_get(last, "call")), 2 * PAGE_MAX_LADDERS);
    assert_true(json_is_null(json_object_get(json_array_get(ladders, PAGE_MAX_LADDERS), "call")));
    assert_int_equal(json_array_size(json_object_get(out, "messages")), 0); /* no decoder */
    json_decref(out);
    remove_folder();
    testing_run_free(&run);
}

static void check_refused(const char *why) {
    json_t *out;
    ibk_diag diag = {0};
    assert_int_equal(page_run(&out, dir, NULL, NULL, NULL, &diag), IBK_ERR_REFUSED);
    assert_null(out);
    if (!strstr(diag.detail, why))
        fail_msg("'%s' is not in '%s'", why, diag.detail);
}

static void test_bad_folders(void **state) {
    (void)state;
    testing_run run;
    char path[128];
    testing_run_make(&run);
    make_folder(&run);
    write_text("events.jsonl",
               "{\"t\":0.000000000,\"node\":\"a\",\"kind\":\"run\",\"event\":\"start\"}\n{\"t\":1\n");
    check_refused("events.jsonl:2: column 7: the time t is in seconds");
    path_of(path, "events.jsonl");
    remove(path);
    check_refused("events.jsonl: No such file");
    write_text("result.json", "{\"schema\":\"ibakelab-result/1\",\"kind\":\"fuzz\"}");
    check_refused("result.json: a result of the kind 'fuzz' has no calls");
    write_text("result.json", "{\"schema\":\"ibakelab-result/2\"}");
    check_refused("result.json: the schema is 'ibakelab-result/2'");
    write_text("result.json", "{\n\"schema\":");
    check_refused("result.json: line 2");
    write_text("result.json", "[]");
    check_refused("result.json: not a JSON object");
    path_of(path, "result.json");
    remove(path);
    check_refused("result.json: cannot be opened");
    remove_folder();
    testing_run_free(&run);
}

/* What result_read.c refuses, member by member. */
static void test_bad_results(void **state) {
    (void)state;
    testing_run run;
    ibk_buf text = {0};
    testing_run_make(&run);
    assert_int_equal(result_json(&text, &run.r), IBK_OK);
    static const char *const paths[][2] = {{NULL, "title"},        {NULL, "verdict"},   {NULL, "calls"},
                                           {NULL, "seed"},         {"calls", "state"},  {"calls", "from"},
                                           {"users", "impu"},      {"links", "a_to_b"}, {"kms", "domain"},
                                           {"adversaries", "name"}};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        json_t *root = json_loadb((char *)text.data, text.len, 0, NULL);
        json_t *list = paths[i][0] ? json_object_get(root, paths[i][0]) : NULL;
        assert_int_equal(json_object_set_new(list ? json_array_get(list, 0) : root, paths[i][1], json_true()),
                         0);
        result r = {0};
        ibk_diag diag = {0};
        assert_int_equal(result_from_json(&r, root, &diag), IBK_ERR_REFUSED);
        assert_non_null(strstr(diag.detail, paths[i][0] ? paths[i][0] : paths[i][1]));
        result_free(&r);
        json_decref(root);
    }
    json_t *root = json_loadb((char *)text.data, text.len, 0, NULL);
    result r = {0};
    assert_int_equal(result_from_json(&r, root, NULL), IBK_OK);
    assert_string_equal(r.calls[0]->call_id, "c1");
    assert_int_equal(r.calls[0]->media[0].received, 49);
    assert_int_equal(r.parties[0]->facts[0].at.ns, 1500 * MS);
    result_free(&r);
    json_decref(root);
    ibk_buf_free(&text);
    testing_run_free(&run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),           cmocka_unit_test(test_repetitions),
        cmocka_unit_test(test_nodes_links_states), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_bad_folders),        cmocka_unit_test(test_bad_results),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
