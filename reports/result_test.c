/* The result model and result.json. With a path as its argument the program only writes a sample there, which
 * schema_test.py validates. */
#include "reports/result.h"
#include "reports/terminal.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void fill(result *r) {
    r->title = result_text(r, "First call");
    r->scenario = result_textf(r, "scenarios/%s.yaml", "first");
    r->seed = UINT64_MAX;
    r->virtual_ns = 12345678901;
    result_add_version(r, "ns-3", "3.37");
    for (int i = 0; i < 5; i++) {
        result_expectation *e = result_add_expectation(r);
        e->text = result_textf(r, "calls.established >= %d", i);
        e->line = (unsigned)i;
        e->held = i < 3;
        e->observed = "2";
    }
    result_user *u = result_add_user(r);
    u->name = "alice";
    u->registered = result_at(0);
    u->failure = "the KMS answered 403\x1b[31m";
    for (int i = 0; i < 3; i++) {
        result_call *c = result_add_call(r);
        c->id = result_textf(r, "call-%d", i + 1);
        c->from = "alice";
        c->to = "b\xff";
        c->state = i < 2 ? RESULT_CALL_ESTABLISHED : RESULT_CALL_FAILED;
        c->invite = result_at(1000000000);
        if (i < 2)
            c->established = result_at(1412300000u + 1000000000u * (unsigned)i);
        else
            c->failure = "404 Not Found\n";
        c->csb_id = 0x0a0b0c0d;
        c->keys_agree = true;
        result_add_mikey(r, c, "I_MESSAGE_1", 900);
        result_add_mikey(r, c, "R_MESSAGE_1", 950);
        result_media *m = result_add_media(r, c);
        m->stream = "audio";
        m->from = "alice";
        m->sent = 250;
        m->received = 249;
        m->protected_ = true;
    }
    for (int i = 0; i < 2; i++) {
        result_message *m = result_add_message(r);
        m->call = "call-1";
        m->from = "alice";
        m->to = "bob";
        m->via = i ? NULL : "voice\x1b[2Jmail";
        m->stored = i ? (result_time){0} : result_at(7000000000);
        m->packets = 200;
        m->intact = i == 0;
        m->refused = i == 1;
        m->reason = i ? "the MAC does not match" : NULL;
    }
    result_link *l = result_add_link(r);
    l->name = "a-p";
    l->packets_ab = 17;
}

static void fill_adversaries(result *r) {
    for (uint64_t i = 0; i < 2; i++) {
        result_adversary *a = result_add_adversary(r);
        a->name = i ? "eve" : "mal\x1blory";
        a->seen = 7 + i;
        a->dropped = 2;
        if (i)
            a->own = (result_effort){
                .flood_sent = 60, .flood_answered = 58, .cpu = "a server", .busy_ns = 1234000000};
        for (uint64_t k = 0; k < 4 * i; k++)
            result_add_rule(r, a,
                            &(result_rule){.on = "R_MESSAGE_1",
                                           .text = "drop",
                                           .fired = k == 2 ? 3 : k == 1,
                                           .failed = k == 3,
                                           .why = k == 3 ? "no key" : NULL});
    }
}

static void add_party(result *r, const char *name, const char *kind, const char *call, const char *what,
                      const char *how) {
    result_party *p = result_add_party(r);
    p->name = result_text(r, name);
    p->kind = result_text(r, kind);
    result_fact fact = {.what = what,
                        .call = call,
                        .how = how,
                        .at = result_at(5),
                        .step = "found",
                        .given = strcmp(how, "broken-in") == 0};
    if (what)
        result_add_fact(r, p, &fact);
}

static void fill_knowledge(result *r) {
    add_party(r, "mal\x1blory", "adversary", "call-2", "media", "decrypted");
    result_fact more = {.what = "private-key", .how = "broken-in", .step = "taken", .given = true};
    result_add_fact(r, r->parties[0], &more);
    add_party(r, "alice", "user", "call-1", "media", "received");
    more = (result_fact){.what = "media", .call = "call-2", .how = "received", .step = "heard"};
    result_add_fact(r, r->parties[1], &more);
    more = (result_fact){.what = "xP", .call = "call-1", .how = "held", .step = "drawn", .given = true};
    result_add_fact(r, r->parties[1], &more);
    add_party(r, "kms.home.example", "kms", NULL, "master-secret", "held");
    add_party(r, "hss.home.example", "function", NULL, NULL, "held");
    result_add_remark(r, "mallory: 3 packets were not kept");
}

static void test_json_is_complete_and_repeatable(void **state) {
    (void)state;
    result r = {0}, again = {0};
    ibk_buf text = {0}, other = {0};
    fill(&r);
    fill(&again);
    fill_adversaries(&r);
    fill_adversaries(&again);
    assert_int_equal(result_judge(&r), RESULT_FAIL);
    result_judge(&again);
    assert_int_equal(result_json(&text, &r), IBK_OK);
    assert_int_equal(result_json(&other, &again), IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&text), ibk_buf_span(&other)));
    json_t *root = json_loadb((char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    const char *verdict, *seed, *to, *csb;
    json_int_t setup, median;
    json_t *calls;
    assert_int_equal(json_unpack(root, "{s:s,s:s,s:o,s:{s:{s:I}}}", "verdict", &verdict, "seed", &seed,
                                 "calls", &calls, "summary", "setup_ns", "median", &median),
                     0);
    assert_string_equal(verdict, "fail");
    assert_string_equal(seed, "18446744073709551615");
    assert_int_equal(median, 412300000);
    assert_int_equal(json_array_size(calls), 3);
    assert_int_equal(
        json_unpack(json_array_get(calls, 0), "{s:I,s:s,s:s}", "setup_ns", &setup, "to", &to, "csb_id", &csb),
        0);
    assert_int_equal(setup, 412300000);
    assert_string_equal(to, "b?");
    assert_string_equal(csb, "0a0b0c0d");
    assert_true(json_is_null(json_object_get(json_array_get(calls, 2), "setup_ns")));
    json_decref(root);
    ibk_buf_free(&text);
    ibk_buf_free(&other);
    result_free(&r);
    result_free(&again);
    result_free(NULL);
}

static void test_verdicts(void **state) {
    (void)state;
    result r = {0};
    assert_int_equal(result_judge(&r), RESULT_PASS);
    result_add_expectation(&r)->held = true;
    assert_int_equal(result_judge(&r), RESULT_PASS);
    result_add_expectation(&r);
    assert_int_equal(result_judge(&r), RESULT_FAIL);
    r.error = "it broke";
    assert_int_equal(result_judge(&r), RESULT_ERROR);
    result_free(&r);
}

static void test_many_entries(void **state) {
    (void)state;
    result r = {0};
    result_call *first = result_add_call(&r);
    first->id = "first";
    for (int i = 0; i < 1000; i++)
        result_add_media(&r, result_add_call(&r))->sent = (uint64_t)i;
    assert_string_equal(r.calls[0]->id, "first");
    assert_int_equal(r.call_count, 1001);
    assert_int_equal(r.calls[1000]->media[0].sent, 999);
    result_free(&r);
}

static void test_exhaustion_is_told(void **state) {
    (void)state;
    result r = {.out_of_memory = true};
    ibk_buf text = {0};
    ibk_diag diag = {0};
    assert_int_equal(result_json(&text, &r), IBK_ERR_NO_MEMORY);
    r.out_of_memory = false;
    assert_int_equal(result_write_json(&r, "/nonexistent/result.json", &diag), IBK_ERR_REFUSED);
    assert_non_null(strstr(diag.detail, "/nonexistent/result.json"));
    ibk_buf_free(&text);
    result_free(&r);
}

/* What fits no buffer (IBK_BUF_MAX) fits a file. */
static void test_ten_thousands_of_calls_are_written(void **state) {
    (void)state;
    char path[] = "/tmp/result_test.XXXXXX";
    int fd = mkstemp(path);
    struct stat about;
    result r = {0};
    ibk_diag diag;
    assert_true(fd >= 0);
    close(fd);
    for (int i = 0; i < 30000; i++)
        result_add_call(&r)->id = "a call";
    assert_int_equal(result_write_json(&r, path, &diag), IBK_OK);
    assert_int_equal(stat(path, &about), 0);
    assert_true((size_t)about.st_size > IBK_BUF_MAX);
    remove(path);
    result_free(&r);
}

static void test_table(void **state) {
    (void)state;
    char *text = NULL;
    size_t len = 0;
    result r = {0};
    fill(&r);
    fill_adversaries(&r);
    result_judge(&r);
    r.calls[0]->from = "zo\xc3\xab";
    term t = {.file = open_memstream(&text, &len), .utf8 = true, .width = 100};
    report_table(&t, &r, 2, false);
    fclose(t.file);
    assert_string_equal(
        text, "FAIL  First call   seed 18446744073709551615, 12.346 s of virtual time\n"
              "  ✗ calls.established >= 3   observed: 2   (scenarios/first.yaml:3)\n"
              "  ✗ calls.established >= 4   observed: 2   (scenarios/first.yaml:4)\n"
              "  3 of 5 expectations held\n"
              "  alice: the KMS answered 403?[31m\n"
              "\n"
              "  call    from   to  state        set-up    keys   media         resent\n"
              "  call-1  zoë    b?  established  412.3 ms  agree  SRTP 249/250  0\n"
              "  call-2  alice  b?  established  1.412 s   agree  SRTP 249/250  0\n"
              "  and 1 more calls: 2 of 3 established in all\n"
              "  message alice → bob via voice?[2Jmail  stored 7.000 s  intact\n"
              "  message alice → bob  refused: the MAC does not match\n"
              "  eve rule 1, on R_MESSAGE_1 drop: never\n"
              "  eve rule 2, on R_MESSAGE_1 drop: once\n"
              "  eve rule 3, on R_MESSAGE_1 drop: 3 times\n"
              "  eve rule 4, on R_MESSAGE_1 drop: failed once (no key)\n"
              "  eve's own node: 60 messages of floods, 58 of them answered; 1.234 s of computing\n");
    free(text);
    result_free(&r);
}

static void test_matrix(void **state) {
    (void)state;
    for (int utf8 = 0; utf8 < 2; utf8++) {
        char *text = NULL;
        size_t len = 0;
        result r = {0};
        fill(&r);
        term t = {.file = open_memstream(&text, &len), .utf8 = utf8, .width = 100};
        report_matrix(&t, &r); /* nobody: nothing */
        fflush(t.file);
        assert_int_equal(len, 0);
        fill_knowledge(&r);
        report_matrix(&t, &r);
        fclose(t.file);
        assert_string_equal(text, utf8 ? "\n"
                                         "  knows             xP   media  private-key  master-secret\n"
                                         "  mal?lory          ·    1/2    given        ·\n"
                                         "  alice             1/2  ✓      ·            ·\n"
                                         "  kms.home.example  ·    ·      ·            ✓\n"
                                         "  none of these: hss.home.example\n"
                                         "  mallory: 3 packets were not kept\n"
                                       : "\n"
                                         "  knows             xP   media  private-key  master-secret\n"
                                         "  mal?lory          -    1/2    given        -\n"
                                         "  alice             1/2  yes    -            -\n"
                                         "  kms.home.example  -    -      -            yes\n"
                                         "  none of these: hss.home.example\n"
                                         "  mallory: 3 packets were not kept\n");
        free(text);
        result_free(&r);
    }
}

static int write_sample(const char *path) {
    result r = {0};
    fill(&r);
    fill_adversaries(&r);
    fill_knowledge(&r);
    result_judge(&r);
    ibk_err err = result_write_json(&r, path, NULL);
    result_free(&r);
    return err ? 1 : 0;
}

int main(int argc, char **argv) {
    if (argc == 2)
        return write_sample(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_is_complete_and_repeatable),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_many_entries),
        cmocka_unit_test(test_exhaustion_is_told),
        cmocka_unit_test(test_ten_thousands_of_calls_are_written),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_matrix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
