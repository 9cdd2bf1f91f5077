/* The page as C writes it: what comes from outside stays text, the data come back as they were, only our
 * script runs. */
#include "reports/html.h"
#include "reports/html_assets.h"
#include "reports/html_internal.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HOSTILE "</script></noscript></title><img src=x onerror=alert(1)>\"'&\xE2\x80\xA8<!--"

/* A benchmark whose title is `title`, with `measures` measures. */
static report_item benchmark(const char *title, size_t measures) {
    json_t *list = json_array();
    for (size_t i = 0; i < measures; i++) {
        char name[32];
        snprintf(name, sizeof name, "measure %zu", i);
        json_array_append_new(list, json_pack("{s:s, s:f, s:s}", "name", name, "value", 0.5, "unit", "s"));
    }
    json_t *result = json_pack("{s:s, s:s, s:s, s:s, s:s, s:n, s:{}, s:[], s:o, s:s, s:n, s:b, s:{}}",
                               "schema", "ibakelab-result/1", "kind", "benchmark", "title", title, "subject",
                               "crypto", "verdict", "pass", "error", "versions", "checks", "measures", list,
                               "timestamp", "2026-11-24T12:00:00", "machine", "quick", false, "details");
    char error[800] = "";
    report_item item;
    if (report_take(&item, result, error, sizeof error) != IBK_OK)
        fail_msg("%s", error);
    return item;
}

static char *page_of(const report_item *items, size_t count) {
    char *page = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&page, &size);
    assert_int_equal(report_write_html(out, items, count), IBK_OK);
    fclose(out);
    assert_int_equal(strlen(page), size);
    return page;
}

static size_t occurrences(const char *text, const char *word) {
    size_t count = 0;
    for (const char *p = text; (p = strstr(p, word)) != NULL; p += strlen(word))
        count++;
    return count;
}

/* The page without our own script and style, which may hold any text. */
static char *without_assets(const char *page) {
    char *rest = strdup(page);
    const html_asset *assets[] = {&html_style, &html_script};
    for (size_t i = 0; i < 2; i++) {
        char *asset = strndup((const char *)assets[i]->data, assets[i]->size), *at = strstr(rest, asset);
        assert_non_null(at);
        memmove(at, at + assets[i]->size, strlen(at + assets[i]->size) + 1);
        free(asset);
    }
    return rest;
}

/* What stands between `begin` and the next `end`; the caller frees it. */
static char *between(const char *page, const char *begin, const char *end) {
    const char *from = strstr(page, begin);
    assert_non_null(from);
    from += strlen(begin);
    const char *to = strstr(from, end);
    assert_non_null(to);
    return strndup(from, (size_t)(to - from));
}

/* The one item of the page's data is `item`. */
static void assert_data(const char *json, const report_item *item) {
    json_error_t error;
    json_t *page = json_loads(json, 0, &error), *one = json_array_get(json_object_get(page, "items"), 0);
    if (!page)
        fail_msg("%s", error.text);
    assert_string_equal(json_string_value(json_object_get(page, "schema")), "ibakelab-page/1");
    assert_true(json_equal(json_object_get(one, "result"), item->result));
    assert_true(json_equal(json_object_get(one, "checks"), item->checks));
    assert_true(json_equal(json_object_get(one, "measures"), item->measures));
    json_decref(page);
}

static void hostile_text_stays_text(void **state) {
    (void)state;
    report_item item = benchmark(HOSTILE, 1);
    char *page = page_of(&item, 1), *rest = without_assets(page);
    assert_int_equal(occurrences(rest, "<img"), 0);
    assert_int_equal(occurrences(rest, "<!--"), 0);
    assert_int_equal(occurrences(rest, "\xE2\x80\xA8") > 0, true); /* harmless in HTML text … */
    assert_int_equal(occurrences(rest, "<script"), 2);             /* the data, and our own */
    assert_int_equal(occurrences(rest, "</script"), 2);
    assert_int_equal(occurrences(rest, "</noscript"), 1);
    assert_int_equal(occurrences(rest, "</title"), 1);
    char *data = between(page, "id=\"data\">", "</script>");
    assert_int_equal(occurrences(data, "<"), 0);
    assert_int_equal(occurrences(data, "\xE2\x80\xA8"), 0); /* … and escaped in the data */
    assert_data(data, &item);
    free(data);
    free(rest);
    free(page);
    report_item_free(&item);
}

static char *escaped(const char *text) {
    char *out = NULL;
    size_t size;
    FILE *file = open_memstream(&out, &size);
    html_text(file, text);
    fclose(file);
    return out;
}

static void each_character_is_escaped(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"<b a='1' c=\"2\">&amp;", "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;amp;"},
        {"a\x01\x7F\r\n\tb", "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\n\tb"},
        {"\xC2\x9B"
         "2J\xC2\xA0",
         "\xEF\xBF\xBD"
         "2J\xC2\xA0"},
        {"gr\xC3\xBC\xC3\x9F", "gr\xC3\xBC\xC3\x9F"},
        {NULL, ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = escaped(cases[i][0]);
        assert_string_equal(text, cases[i][1]);
        free(text);
    }
}

/* ---- the packed form -------------------------------------------------------------------------------- */

/* Base64 with line ends, and the gzip in it, undone by others' code. */
static unsigned char *unpack(const char *text, size_t *len, size_t max) {
    unsigned char *packed = malloc(strlen(text) + 4), *out = malloc(max + 1);
    EVP_ENCODE_CTX *context = EVP_ENCODE_CTX_new();
    int size = 0, rest = 0;
    EVP_DecodeInit(context);
    assert_int_not_equal(
        EVP_DecodeUpdate(context, packed, &size, (const unsigned char *)text, (int)strlen(text)), -1);
    assert_int_equal(EVP_DecodeFinal(context, packed + size, &rest), 1);
    EVP_ENCODE_CTX_free(context);
    z_stream z = {
        .next_in = packed, .avail_in = (uInt)(size + rest), .next_out = out, .avail_out = (uInt)max + 1};
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.avail_in, 0);
    *len = z.total_out;
    inflateEnd(&z);
    free(packed);
    return out;
}

static void what_is_packed_comes_back(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 3, 4, 1000, 1000003};
    char *data = malloc(1000003);
    uint32_t noise = 1;
    for (size_t i = 0; i < 1000003; i++)
        data[i] = (char)((noise = noise * 1664525u + 1013904223u) >> 24); /* hardly gets shorter */
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *text = NULL;
        size_t size, len;
        FILE *file = open_memstream(&text, &size);
        assert_int_equal(html_packed(file, data, sizes[i]), IBK_OK);
        fclose(file);
        unsigned char *back = unpack(text, &len, sizes[i]);
        assert_int_equal(len, sizes[i]);
        assert_memory_equal(back, data, len);
        free(back);
        free(text);
    }
    free(data);
}

static void long_data_are_packed(void **state) {
    (void)state;
    report_item item = benchmark("long", 3000);
    char *page = page_of(&item, 1), *again = page_of(&item, 1);
    assert_string_equal(page, again); /* no time, no chance in it */
    assert_null(strstr(page, "id=\"data\">"));
    char *text = between(page, "id=\"data-gz\">", "</script>");
    size_t len;
    unsigned char *json = unpack(text, &len, 4000000);
    json[len] = 0;
    assert_data((char *)json, &item);
    free(json);
    free(text);
    free(again);
    free(page);
    report_item_free(&item);
}

/* ---- the policy ---------------------------------------------------------------------------------------- */

static void assert_hash(const char *page, const char *directive, const html_asset *asset) {
    unsigned char digest[32];
    char text[64], wanted[128];
    assert_int_equal(EVP_Digest(asset->data, asset->size, digest, NULL, EVP_sha256(), NULL), 1);
    EVP_EncodeBlock((unsigned char *)text, digest, sizeof digest);
    snprintf(wanted, sizeof wanted, "%s 'sha256-%s'", directive, text);
    assert_non_null(strstr(page, wanted));
}

static void only_our_script_runs(void **state) {
    (void)state;
    report_item item = benchmark("policy", 1);
    char *page = page_of(&item, 1);
    char *policy = between(page, "Content-Security-Policy\" content=\"", "\"");
    assert_non_null(strstr(policy, "default-src 'none'"));
    assert_null(strstr(policy, "unsafe"));
    assert_hash(policy, "script-src", &html_script);
    assert_hash(policy, "style-src", &html_style);
    assert_null(strstr(page, "src=\"http"));
    free(policy);
    free(page);
    report_item_free(&item);
}

/* ---- the tables ------------------------------------------------------------------------------------------
 */

static char *tables_of(const report_item *item) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    html_tables(out, item, 7);
    fclose(out);
    return text;
}

/* Of any shape, also such as no schema permits: nothing in it may surprise the tables. */
static report_item loose(const char *json) {
    json_error_t error;
    json_t *result = json_loads(json, 0, &error);
    if (!result)
        fail_msg("%s", error.text);
    return (report_item){.result = result, .checks = json_array(), .measures = json_array()};
}

static void values_are_shown_by_their_type(void **state) {
    (void)state;
    report_item item = loose("{\"kind\":\"run\",\"title\":\"t\",\"verdict\":\"pass\",\"calls\":[{\"id\":\"<a>"
                             "\",\"from\":null,\"invite_ns\":1500000000,"
                             "\"setup_ns\":null,\"keys_agree\":true,\"sip_status\":200,\"to\":[\"x\",\"y\",["
                             "1]],\"state\":{\"k\":1.5,\"l\":\"<\"}}, 5],"
                             "\"knowledge\":{\"parties\":[{\"party\":\"m\",\"kind\":\"adversary\",\"knows\":["
                             "{\"what\":\"xP\",\"call\":null,"
                             "\"how\":\"held\",\"at_ns\":2000000,\"step\":\"s\"}]}]}}");
    char *text = tables_of(&item);
    assert_non_null(strstr(text, "<tr><th scope=\"row\">&lt;a&gt;</th><td>x, y, </td><td>k 1.5, l &lt;</td>"
                                 "<td>1.500000\xC2\xA0s</td><td>yes</td><td>200</td></tr>"));
    assert_non_null(strstr(text, "<th "
                                 "scope=\"row\">m</th><td>adversary</td><td>xP</td><td>–</td><td>held</"
                                 "td><td>0.002000\xC2\xA0s</td><td>s</td>"));
    assert_non_null(strstr(text, "<h2 id=\"plain-7\">t</h2>"));
    free(text);
    report_item_free(&item);
}

static void adversaries_sit_somewhere(void **state) {
    (void)state;
    report_item item = loose(
        "{\"kind\":\"run\",\"title\":\"t\",\"verdict\":\"pass\",\"adversaries\":["
        "{\"name\":\"eve\",\"seats\":[{\"link\":\"access-bob\",\"inside\":null},{\"link\":\"core\","
        "\"inside\":\"scscf\"}],"
        "\"messages\":{\"seen\":3},\"rules\":[{\"on\":\"INVITE\",\"do\":\"drop\",\"fired\":2}]},"
        "{\"name\":\"off\",\"seats\":[],\"rules\":[]}],"
        "\"links\":[{\"name\":\"l\",\"a\":\"x\",\"b\":\"y\",\"a_to_b\":{\"packets\":1,\"octets\":90}}]}");
    char *text = tables_of(&item);
    assert_non_null(strstr(text, "<th scope=\"row\">eve</th><td>link access-bob; link core, in scscf</td>"
                                 "<td>seen 3</td><td>INVITE: drop, ×2</td>"));
    assert_non_null(strstr(text, "<th scope=\"row\">off</th><td>–</td><td>–</td><td>–</td>"));
    assert_non_null(
        strstr(text, "<th scope=\"row\">l</th><td>x</td><td>y</td><td>packets 1, octets 90</td>"));
    free(text);
    report_item_free(&item);
}

static void numbers_of_a_sweep_have_units(void **state) {
    (void)state;
    report_item item = loose(
        "{\"kind\":\"sweep\",\"title\":\"t\",\"verdict\":\"pass\",\"units\":{\"setup\":\"<s>\",\"share\":"
        "\"\"},"
        "\"parameters\":[{\"name\":\"loss\"}],\"points\":[{\"index\":4,\"parameters\":{\"loss\":\"2 %\"},"
        "\"measures\":{\"setup\":1.5,\"share\":1,\"none\":null}}],\"summary\":[{\"parameters\":{\"loss\":\"2 "
        "%\"},"
        "\"measures\":{\"setup\":{\"n\":1,\"mean\":1.5,\"half_width\":null,\"min\":1.5,\"max\":1.5}}}]}");
    char *text = tables_of(&item);
    assert_non_null(strstr(text, "<td>setup 1.5\xC2\xA0&lt;s&gt;, share 1, none –</td>"));
    assert_non_null(
        strstr(text, "<caption>setup (&lt;s&gt;)</caption>\n<thead><tr><th scope=\"col\">loss</th>"));
    assert_non_null(strstr(text,
                           "</tr></thead>\n<tbody>\n<tr><th scope=\"row\">2 %</th><td>1</td><td>1.5</td>"
                           "<td>–</td><td>1.5</td><td>1.5</td></tr>\n</tbody>"));
    free(text);
    report_item_free(&item);
}

static void long_tables_end_with_a_note(void **state) {
    (void)state;
    report_item item = loose("{\"kind\":\"fuzz\",\"title\":\"t\",\"verdict\":\"fail\"}");
    json_t *findings = json_array();
    for (size_t i = 0; i < 20007; i++)
        json_array_append_new(findings, json_pack("{s:s}", "file", "f"));
    json_object_set_new(item.result, "findings", findings);
    char *text = tables_of(&item);
    assert_int_equal(occurrences(text, "<tr><th scope=\"row\">"), 20000);
    assert_non_null(strstr(text, "<p>7 further rows stand in result.json alone.</p>"));
    free(text);
    report_item_free(&item);
}

static void several_results_have_a_part_each(void **state) {
    (void)state;
    report_item items[2] = {benchmark("first", 1), benchmark("second", 2)};
    char *page = page_of(items, 2);
    assert_non_null(strstr(page, "<title>2 results</title>"));
    assert_non_null(strstr(page, "<h2 id=\"plain-0\">first</h2>"));
    assert_non_null(strstr(page, "<h2 id=\"plain-1\">second</h2>"));
    assert_int_equal(occurrences(page, "<caption>Measures</caption>"), 2); /* once in each part */
    free(page);
    report_item_free(&items[0]);
    report_item_free(&items[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_text_stays_text),     cmocka_unit_test(each_character_is_escaped),
        cmocka_unit_test(what_is_packed_comes_back),   cmocka_unit_test(long_data_are_packed),
        cmocka_unit_test(only_our_script_runs),        cmocka_unit_test(values_are_shown_by_their_type),
        cmocka_unit_test(adversaries_sit_somewhere),   cmocka_unit_test(numbers_of_a_sweep_have_units),
        cmocka_unit_test(long_tables_end_with_a_note), cmocka_unit_test(several_results_have_a_part_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
