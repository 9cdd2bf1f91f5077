/* With a file as its argument the program only judges its lines. Else: results are read strictly and told
 * rightly: the schema's faults with their places, what is derived of a run, folders, and what hostile text
 * becomes in each format. */
#define _GNU_SOURCE /* open_memstream, mkdtemp, ftw */
#include "reports/report.h"
#include "reports/schema.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A benchmark is the smallest of results. */
#define HEAD(kind, checks)                                                                                   \
    "{'schema':'ibakelab-result/1','kind':'" kind "','title':'T','subject':'s','verdict':'fail',"            \
    "'error':null,'versions':{'ibakelab':'1'},'checks':[" checks "],'measures':["                            \
    "{'name':'m','value':1.5,'unit':'s'}],"
#define BENCH(checks)                                                                                        \
    HEAD("benchmark", checks) "'timestamp':'2026-01-02T03:04:05','machine':null,'quick':true,'details':{}}"
#define CHECK(id, outcome, detail)                                                                           \
    "{'id':'" id "','text':'it holds','outcome':'" outcome "','detail':" detail                              \
    ",'file':null,'line':null,'requirement':null,'section':null,'level':null}"
#define RUN(expectations, properties, verdict, error)                                                        \
    "{'schema':'ibakelab-result/1','kind':'run','title':'A run','scenario':'a.yaml','verdict':'" verdict     \
    "','error':" error ",'seed':'1','run_number':'0','parameters':null,'virtual_ns':2000000000,'events':7,"  \
    "'expectations':[" expectations "],'properties':[" properties "],"                                       \
    "'summary':{'calls':2,'established':1,'failed':1,'dropped':0,'setup_ns':{'min':5,'median':1500000000,"   \
    "'max':9}},'users':[],'calls':[],'kms':[],'messages':[],'adversaries':[],"                               \
    "'knowledge':{'parties':[],'remarks':[]},'links':[],'versions':{}}"
#define EXPECT(text, held, observed)                                                                         \
    "{'text':'" text "','file':'a.yaml','line':3,'held':" held ",'observed':'" observed "'}"

/* JSON of a text with ' for ". */
static json_t *parse(const char *text) {
    char *copy = strdup(text);
    json_error_t error;
    for (char *p = copy; *p; p++)
        if (*p == '\'')
            *p = '"';
    json_t *json = json_loads(copy, 0, &error);
    if (!json)
        fail_msg("the test's JSON: %s at %d: %s", error.text, error.position, copy);
    free(copy);
    return json;
}

static report_item item_of(const char *text) {
    char why[400];
    report_item item;
    if (report_take(&item, parse(text), why, sizeof why))
        fail_msg("%s", why);
    return item;
}

static void refused(const char *text, const char *expected) {
    char why[400];
    report_item item;
    assert_int_equal(report_take(&item, parse(text), why, sizeof why), IBK_ERR_BAD_TEXT);
    assert_string_equal(why, expected);
}

/* What a writer makes of items; free it. */
static char *written(report_writer *write, const report_item *items, size_t count) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(write(out, items, count), IBK_OK);
    fclose(out);
    return text;
}

static void contains(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("'%s' is not in:\n%s", part, text);
}

/* ---- the schema ---------------------------------------------------------------------------------------- */

static void test_schema_tells_places(void **state) {
    (void)state;
    refused("[]", "an object is wanted, not a list");
    refused("{'schema':'ibakelab-result/1'}", "'kind' is missing");
    refused("{'schema':'ibakelab-result/2','kind':'run'}",
            "schema: 'ibakelab-result/1' is wanted, not 'ibakelab-result/2'");
    refused("{'schema':'ibakelab-result/1','kind':'party'}",
            "kind: one of run, sweep, attack, conformance, mutants, fuzz, benchmark is wanted, not 'party'");
    refused("{'schema':'ibakelab-result/1','kind':7}",
            "kind: one of run, sweep, attack, conformance, mutants, fuzz, benchmark is wanted, not 'a whole "
            "number'");
    refused("{'schema':'ibakelab-result/1','kind':'fuzz'}", "'title' is missing");
    refused(BENCH(CHECK("a", "maybe", "null")),
            "checks[0].outcome: one of pass, fail, skipped, known, error is wanted, not 'maybe'");
    refused(BENCH(CHECK("a", "pass", "null") "," CHECK("b", "pass", "5")),
            "checks[1].detail: a text or null is wanted, not a whole number");
    refused(BENCH(CHECK("a", "pass", "null") ",{}"), "checks[1]: 'id' is missing");
    refused(HEAD("benchmark", "") "'timestamp':null,'machine':null,'quick':true,'details':{}}",
            "timestamp: a text is wanted, not null");
    refused(HEAD("benchmark", "") "'timestamp':'','machine':null,'quick':true,'details':{},'more':1}",
            "'more' is unknown here");
    refused(RUN("{'text':'t','file':null,'line':0,'held':true,'observed':null}", "", "pass", "null"),
            "expectations[0].line: it is less than 1");
    refused(RUN("", "", "good", "null"), "verdict: one of pass, fail, error is wanted, not 'good'");
}

/* The reader's own understanding of schemas, where the schema of results does not lead. */
static void test_schema_knows_its_limits(void **state) {
    (void)state;
    static const struct {
        const char *schema, *value, *why;
    } cases[] = {
        {"{'type':'string','maxLength':3}", "['x']", "a text is wanted, not a list"},
        {"{'maxLength':3}", "['x']", "the schema has a keyword that nobody knows"},
        {"{'$ref':'#/$defs/a','$defs':{'a':{'$ref':'#/$defs/a'}}}", "[]", "it is nested too deeply"},
        {"{'$ref':'#/$defs/b','$defs':{'a':{}}}", "[]", "the schema has no #/$defs/b"},
        {"{'items':{'maximum':3}}", "[3,3.5]", "[1]: it is more than 3"},
        {"{'items':{'pattern':'^[0-9]+$'}}", "['12','x']", "[1]: 'x' has another form than is wanted"},
        {"{'additionalProperties':{'type':'integer'}}", "{'a':1,'b':{}}",
         "b: a whole number is wanted, not an object"},
        {"{'if':{'required':['a']},'then':{'required':['b']}}", "{'a':1}", "'b' is missing"},
        {"{'if':{'required':['a']},'then':{'required':['b']}}", "{'c':1}", NULL},
        {"{'const':null}", "[]", "'another value' is wanted, not 'a list'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char why[200];
        json_t *schema = parse(cases[i].schema), *value = parse(cases[i].value);
        assert_int_equal(schema_permits(schema, value, why, sizeof why), cases[i].why == NULL);
        assert_string_equal(why, cases[i].why ? cases[i].why : "");
        json_decref(schema);
        json_decref(value);
    }
}

/* ---- what is derived -------------------------------------------------------------------------------------
 */

static const char *id_at(const report_item *item, size_t i) {
    return report_text_of(json_array_get(item->checks, i), "id");
}

static void test_run_is_derived(void **state) {
    (void)state;
    report_item item = item_of(
        RUN(EXPECT("calls: 1", "true", "1") "," EXPECT("calls: 1", "false", "0") "," EXPECT(
                "security: broken [terms, identity]", "true", "terms"),
            "{'name':'terms','holds':false,'detail':'t'},{'name':'identity','holds':true,'detail':null},"
            "{'name':'term','holds':false,'detail':'not named'}",
            "fail", "null"));
    assert_int_equal(json_array_size(item.checks), 6); /* no more: a check fails, which is why the run does */
    assert_string_equal(id_at(&item, 0), "expect/calls: 1");
    assert_string_equal(id_at(&item, 1), "expect/calls: 1 (2)");
    assert_string_equal(id_at(&item, 3), "security/terms");
    static const model_outcome outcomes[] = {MODEL_PASS,  MODEL_FAIL, MODEL_PASS,
                                             MODEL_KNOWN, MODEL_PASS, MODEL_FAIL};
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(report_check_outcome(json_array_get(item.checks, i)), outcomes[i]);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(item.checks, 1), "line")), 3);
    assert_string_equal(report_subject(&item), "a.yaml");
    const json_t *median = json_array_get(item.measures, 5);
    assert_string_equal(report_text_of(median, "name"), "setup-time-median");
    assert_true(json_number_value(json_object_get(median, "value")) == 1.5);
    report_item_free(&item);
}

static void test_verdict_is_never_lost(void **state) {
    (void)state;
    report_item items[] = {item_of(RUN("", "", "error", "'the disk is full'")),
                           item_of(BENCH(CHECK("a", "known", "null")))};
    assert_int_equal(json_array_size(items[0].checks), 1);
    assert_int_equal(report_check_outcome(json_array_get(items[0].checks, 0)), MODEL_ERROR);
    assert_string_equal(report_text_of(json_array_get(items[0].checks, 0), "detail"), "the disk is full");
    assert_int_equal(json_array_size(items[1].checks), 2);
    assert_string_equal(id_at(&items[1], 1), "verdict");
    assert_int_equal(json_array_size(json_object_get(items[1].result, "checks")), 1); /* as it was read */
    char *junit = written(report_write_junit, items, 2);
    contains(junit, "<testsuites name=\"ibakelab\" tests=\"3\" failures=\"1\" errors=\"1\"");
    contains(junit, "<error message=\"the disk is full\" type=\"error\">the disk is full</error>");
    free(junit);
    report_item_free(&items[0]);
    report_item_free(&items[1]);
}

/* ---- formats: text that would be markup -------------------------------------------------------------------
 */

#define HOSTILE "'<b>&|`x`\\\"\\n# next, # line\\u0001\\uffff\\ud83d\\ude00'"

static void test_hostile_text(void **state) {
    (void)state;
    report_item item = item_of(BENCH(CHECK("g/<i>", "fail", HOSTILE) "," CHECK(
        "g/two", "skipped", HOSTILE) "," CHECK("alone", "known", "'k'")));
    char *junit = written(report_write_junit, &item, 1), *markdown = written(report_write_markdown, &item, 1),
         *csv = written(report_write_csv, &item, 1), *tap = written(report_write_tap, &item, 1),
         *sarif = written(report_write_sarif, &item, 1);
    contains(junit, "<failure message=\"&lt;b&gt;&amp;|`x`&quot;\" type=\"fail\">");
    contains(junit, "# next, # line??\xf0\x9f\x98\x80</failure>");
    contains(junit, "<testsuite name=\"g\" tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"1\"");
    contains(junit, "<testcase classname=\"benchmark.g\" name=\"g/&lt;i&gt;\"");
    contains(junit, "<testsuite name=\"benchmark\" tests=\"1\"");
    contains(junit, "<skipped message=\"known failure: k\">");
    contains(markdown, "| fail | g/&lt;i&gt; |  | &lt;b&gt;&amp;&#124;&#96;x&#96;\"<br>&#35; next, &#35; "
                       "line \xef\xbf\xbf\xf0\x9f\x98\x80 |");
    contains(csv, ",checks,1,detail,\"<b>&|`x`\"\"\n# next, # line\x01");
    contains(csv, ",measures,1,m,1.5,s\n");
    contains(tap,
             "not ok 1 - g/<i>\n  ---\n  verdict: fail\n  report: |2\n    <b>&|`x`\"\n    # next, # line?");
    contains(tap, "ok 2 - g/two # SKIP\nnot ok 3 - alone # TODO known failure\n");
    json_t *back = json_loads(sarif, 0, NULL), *run = json_array_get(json_object_get(back, "runs"), 0);
    assert_int_equal(json_array_size(json_object_get(run, "results")), 2); /* what is skipped is no finding */
    assert_non_null(json_object_get(json_array_get(json_object_get(run, "results"), 1), "suppressions"));
    json_decref(back);
    free(junit);
    free(markdown);
    free(csv);
    free(tap);
    free(sarif);
    report_item_free(&item);
}

/* What a terminal obeys does not stand in what is read on one, C1 (here U+009B) as little as C0. */
static void test_nothing_steers_a_terminal(void **state) {
    (void)state;
    report_writer *const writers[] = {report_write_junit, report_write_markdown, report_write_tap};
    report_item item = item_of(BENCH(CHECK("g/\\u001b[2J\\u009b2J", "fail", "'\\u007f\\u009b2J\\n\\u0085'")));
    for (size_t i = 0; i < 3; i++) {
        char *text = written(writers[i], &item, 1);
        assert_null(strchr(text, 0x1B));
        assert_null(strstr(text, "\xC2\x9B"));
        assert_null(strstr(text, "\xC2\x85"));
        contains(text, "2J");
        free(text);
    }
    report_item_free(&item);
}

/* ---- a sweep's summary ------------------------------------------------------------------------------------
 */

#define SPREAD(n, mean, half) "{'n':" n ",'mean':" mean ",'half_width':" half ",'min':1,'max':2e-7}"
#define SWEEP(units, summary)                                                                                \
    HEAD("sweep", "")                                                                                        \
    units "'parameters':[{'name':'loss','path':'l','values':['0 %','|']},"                                   \
          "{'name':'size','path':'s','values':[1024]}],'points':[],'summary':[" summary "]}"
#define COMBINATION(loss, measures) "{'parameters':{'loss':" loss ",'size':1024},'measures':{" measures "}}"

static void test_sweep_is_summed_up(void **state) {
    (void)state;
    report_item item = item_of(SWEEP(
        "'units':{'setup':'s','share':''},",
        COMBINATION(
            "'0 %'",
            "'setup':" SPREAD("5", "1.25", "0.5") ",'share':" SPREAD(
                "1", "7", "null")) "," COMBINATION("'|'",
                                                   "'setup':" SPREAD("0", "null", "null") ",'share':" SPREAD(
                                                       "1", "1", "null"))));
    char *markdown = written(report_write_markdown, &item, 1);
    contains(markdown, "\n**setup (s)**\n\n"
                       "| loss | size | n | mean | ± (95 %) | min | max |\n"
                       "|---|---|---:|---:|---:|---:|---:|\n"
                       "| 0 % | 1024 | 5 | 1.25 | 0.5 | 1 | 2e-07 |\n"
                       "| &#124; | 1024 | 0 | – | – | 1 | 2e-07 |\n");
    contains(markdown, "\n**share**\n\n| loss |");
    free(markdown);
    report_item_free(&item);
}

/* Of a result without units, and with more combinations than a summary has room for. */
static void test_long_summaries_are_cut(void **state) {
    (void)state;
    report_item item = item_of(SWEEP("", COMBINATION("'0 %'", "'m':" SPREAD("1", "7", "null"))));
    json_t *summary = json_object_get(item.result, "summary"), *first = json_array_get(summary, 0);
    for (size_t i = 1; i < 103; i++)
        json_array_append(summary, first);
    char *markdown = written(report_write_markdown, &item, 1);
    contains(markdown, "\n**m**\n");
    contains(markdown, "| 0 % | 1024 | 1 | 7 | – | 1 | 2e-07 |\n\n… and 3 more combinations.\n");
    free(markdown);
    report_item_free(&item);
}

/* ---- folders
 * ------------------------------------------------------------------------------------------------ */

static void put(const char *folder, const char *name, const char *json) {
    char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (; *json; json++)
        fputc(*json == '\'' ? '"' : *json, file);
    fclose(file);
}

static void make(const char *folder, const char *name) {
    char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place) {
    (void)about, (void)kind, (void)place;
    return remove(path);
}

static void loads(const char *folder, const char *name, size_t expected) {
    char path[300], error[600];
    report_items items = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (report_load(&items, path, error, sizeof error))
        fail_msg("%s", error);
    assert_int_equal(items.count, expected);
    for (size_t i = 0; i < items.count; i++)
        assert_true(items.list[i].dir && items.list[i].file && strlen(items.list[i].timestamp) == 19);
    report_items_free(&items);
}

static void does_not_load(const char *folder, const char *name, ibk_err expected, const char *part) {
    char path[300], error[600];
    report_items items = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(report_load(&items, path, error, sizeof error), expected);
    contains(error, path);
    contains(error, part);
    report_items_free(&items);
}

#define ATTACK(run)                                                                                          \
    HEAD("attack", "")                                                                                       \
    "'seed':'1','adversary':'m','set':[],'rounds_planned':1,'rounds':1,'rules':1,'found':{'round':1,"        \
    "'property':'terms','broken':['terms'],'detail':null,'rules_before':1,'tries':0,'rules':[],"             \
    "'file':'a.yaml','run':'" run "','twin':null}}"

static void test_folders(void **state) {
    (void)state;
    char folder[] = "/tmp/report_test.XXXXXX";
    assert_non_null(mkdtemp(folder));
    static const char *const folders[] = {"good", "good/a", "good/b", "good/a/below", "good/empty",
                                          "bad",  "away",   "near",   "near/run"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        make(folder, folders[i]);
    put(folder, "good/a/result.json", BENCH(""));
    put(folder, "good/b/result.json", RUN("", "", "pass", "null"));
    put(folder, "good/a/below/result.json", BENCH("")); /* belongs to the result in whose folder it is */
    loads(folder, "good", 2);
    loads(folder, "good/", 2);
    loads(folder, "good/a/result.json", 1);
    does_not_load(folder, "good/empty", IBK_ERR_REFUSED,
                  "neither it nor a folder below it has a result.json");
    does_not_load(folder, "nowhere", IBK_ERR_REFUSED, "No such file");
    put(folder, "near/result.json", ATTACK("run"));
    does_not_load(folder, "near", IBK_ERR_REFUSED, "run/result.json: No such file");
    put(folder, "near/run/result.json", RUN("", "", "pass", "null"));
    loads(folder, "near", 2);
    put(folder, "away/result.json", ATTACK("../near/run"));
    does_not_load(folder, "away", IBK_ERR_BAD_TEXT, "found.run: '../near/run' leads out of the folder");
    put(folder, "bad/result.json", "{'schema': 'ibakelab-result/1',\n 'kind'");
    does_not_load(folder, "bad", IBK_ERR_BAD_TEXT, "result.json: line 2:");
    put(folder, "bad/result.json", "{'schema': 1, 'schema': 2}");
    does_not_load(folder, "bad", IBK_ERR_BAD_TEXT, "duplicate");
    put(folder, "bad/result.json", BENCH("7"));
    does_not_load(folder, "bad", IBK_ERR_BAD_TEXT,
                  "result.json: checks[0]: an object is wanted, not a whole number");
    char path[300];
    snprintf(path, sizeof path, "%s/bad/result.json", folder);
    assert_int_equal(truncate(path, (off_t)JB_FILE_MAX + 1), 0); /* sparse */
    does_not_load(folder, "bad", IBK_ERR_LIMIT, "more than");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0); /* nobody ever writes into it */
    does_not_load(folder, "bad", IBK_ERR_REFUSED, "it is a pipe, and a file is wanted");
    assert_int_equal(unlink(path), 0);
    make(folder, "bad/result.json");
    put(folder, "bad/result.json/result.json", BENCH(""));
    does_not_load(folder, "bad", IBK_ERR_REFUSED, "it is a folder, and a file is wanted");
    snprintf(path, sizeof path, "%s/good/empty/result.json", folder);
    assert_int_equal(symlink("/dev/zero", path), 0);
    does_not_load(folder, "good", IBK_ERR_REFUSED, "it is a device, and a file is wanted");
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- the writer of a result
 * ------------------------------------------------------------------------------------ */

static void test_model_judges(void **state) {
    (void)state;
    static const struct {
        model_outcome outcome;
        const char *verdict;
    } cases[] = {{MODEL_PASS, "pass"},
                 {MODEL_FAIL, "fail"},
                 {MODEL_SKIPPED, "pass"},
                 {MODEL_KNOWN, "pass"},
                 {MODEL_ERROR, "fail"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int error = 0; error < 2; error++) {
            result_model m;
            json_t *json;
            model_begin(&m, "benchmark", "T", NULL);
            model_check(&m, &(model_check_row){.id = "a", .outcome = cases[i].outcome});
            if (error)
                model_error(&m, "it broke down");
            assert_int_equal(model_json(&m, &json), IBK_OK);
            assert_string_equal(report_text_of(json, "verdict"), error ? "error" : cases[i].verdict);
            json_decref(json);
            model_free(&m);
        }
}

static void test_files_are_whole(void **state) {
    (void)state;
    char folder[] = "/tmp/report_test.XXXXXX", path[300];
    ibk_diag diag;
    assert_non_null(mkdtemp(folder));
    json_t *json = parse("{'a':1}");
    snprintf(path, sizeof path, "%s/result.json", folder);
    assert_int_equal(jb_write(json, path, &diag), IBK_OK);
    snprintf(path, sizeof path, "%s/result.json.tmp", folder);
    assert_int_not_equal(access(path, F_OK), 0);
    snprintf(path, sizeof path, "%s/nowhere/result.json", folder);
    assert_int_equal(jb_write(json, path, &diag), IBK_ERR_REFUSED);
    contains(diag.detail, "No such file");
    assert_int_equal(jb_write(json, folder, &diag), IBK_ERR_REFUSED);
    contains(diag.detail, "Is a directory");
    /* What is no regular file is written, and not replaced. */
    snprintf(path, sizeof path, "%s/full", folder);
    assert_int_equal(symlink("/dev/full", path), 0);
    assert_int_equal(jb_write(json, path, &diag), IBK_ERR_IO);
    contains(diag.detail, "No space left");
    struct stat about;
    assert_int_equal(lstat(path, &about), 0);
    assert_true(S_ISLNK(about.st_mode));
    json_decref(json);
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    rmdir(folder);
}

/* For formats_test.py: of each line of a file, is it a result? "good", or why not. */
static int judge_lines(const char *path) {
    char *line = NULL, why[400];
    size_t size = 0;
    FILE *file = fopen(path, "r");
    json_t *schema = schema_of_results();
    while (file && getline(&line, &size, file) > 0) {
        json_t *json = json_loads(line, JSON_DECODE_ANY, NULL);
        snprintf(why, sizeof why, "it is no JSON");
        puts(json && schema_permits(schema, json, why, sizeof why) ? "good" : why);
        json_decref(json);
    }
    free(line);
    json_decref(schema);
    return !file || fclose(file) != 0;
}

int main(int argc, char **argv) {
    if (argc == 2)
        return judge_lines(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schema_tells_places),
        cmocka_unit_test(test_schema_knows_its_limits),
        cmocka_unit_test(test_run_is_derived),
        cmocka_unit_test(test_verdict_is_never_lost),
        cmocka_unit_test(test_hostile_text),
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_nothing_steers_a_terminal),
        cmocka_unit_test(test_sweep_is_summed_up),
        cmocka_unit_test(test_long_summaries_are_cut),
        cmocka_unit_test(test_model_judges),
        cmocka_unit_test(test_files_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
