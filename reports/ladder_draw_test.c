#include "reports/ladder_draw.h"
#include "reports/matrix.h"
#include "reports/svg.h"
#include "reports/testing_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct drawn {
    testing_run run;
    conversations c;
    trace_memory *selected;
    ladder_options options;
    ladder_view v;
} drawn;

/* What the reader of a folder does: first all events, then those of the call. */
static void draw(drawn *d, size_t call, bool mikey_only) {
    memset(d, 0, sizeof *d);
    testing_run_make(&d->run);
    assert_int_equal(conversations_begin(&d->c, &d->run.r), IBK_OK);
    for (size_t i = 0; i < trace_memory_count(d->run.memory); i++)
        conversations_event(&d->c, trace_memory_at(d->run.memory, i));
    d->selected = trace_memory_new(1000);
    for (size_t i = 0; i < trace_memory_count(d->run.memory); i++) {
        const trace_event *e = trace_memory_at(d->run.memory, i);
        const conversation *part = conversations_find(&d->c, trace_event_text(e, "call"));
        if (part ? part->call == call : call == LADDER_NO_CALL)
            trace_memory_event(d->selected, e);
    }
    d->options.mikey_only = mikey_only;
    ladder_options_of(&d->options, &d->c, call);
    assert_int_equal(ladder_view_make(&d->v, d->selected, &d->options, &d->run.r, &d->c, call), IBK_OK);
}

static void end(drawn *d) {
    ladder_view_free(&d->v);
    trace_memory_free(d->selected);
    conversations_end(&d->c);
    testing_run_free(&d->run);
}

static const ladder_item *item_of(const drawn *d, const char *label, const char *mikey) {
    for (size_t i = 0; i < d->v.item_count; i++) {
        const ladder_item *item = &d->v.items[i];
        if (item->label && strcmp(item->label, label) == 0 && item->mikey && strcmp(item->mikey, mikey) == 0)
            return item;
    }
    fail_msg("no %s with %s", label, mikey);
    return NULL;
}

static void test_conversations(void **state) {
    (void)state;
    drawn d;
    draw(&d, 0, false);
    assert_int_equal(d.c.count, 3);
    assert_true(d.c.attacked[0]);
    const conversation *first = conversations_find(&d.c, ibk_span_str("c1"));
    const conversation *own = conversations_find(&d.c, ibk_span_str("c-mallory"));
    const conversation *delivery = conversations_find(&d.c, ibk_span_str("c-delivery"));
    assert_true(first->own && !first->adversary);
    assert_true(own->adversary && !own->own && own->call == 0);
    assert_string_equal(delivery->name, "delivery of first");
    assert_false(delivery->adversary);
    assert_null(conversations_find(&d.c, ibk_span_str("reg")));
    assert_null(conversations_find(&d.c, (ibk_span){0}));
    const conversation *beside[1];
    size_t left_out;
    assert_int_equal(conversations_beside(&d.c, 0, beside, 1, &left_out), 1);
    assert_int_equal(left_out, 1);
    assert_int_equal(d.options.along_count, 2);
    end(&d);
}

static void test_readers(void **state) {
    (void)state;
    drawn d;
    char names[200];
    draw(&d, 0, false);
    const ladder_item *invite = item_of(&d, "INVITE", "I_MESSAGE_1"); /* xP */
    ladder_party_names(&d.v, invite->readers, names, sizeof names);
    assert_string_equal(names, "alice, bob");
    assert_int_equal(invite->secrecy, LADDER_ENDS);
    assert_int_equal(invite->arrived_ns - invite->ns, 10000000);
    const ladder_item *answer = item_of(&d, "183 Session Progress", "R_MESSAGE_1"); /* yP */
    ladder_party_names(&d.v, answer->readers, names, sizeof names);
    assert_string_equal(names, "mallory, alice, bob");
    assert_int_equal(answer->secrecy, LADDER_ADVERSARY);
    assert_int_equal(item_of(&d, "200 OK", "R_MESSAGE_2")->secrecy, LADDER_NOTHING);
    const ladder_item *prack = item_of(&d, "PRACK", "I_MESSAGE_2");
    assert_int_equal(prack->copies, 2);
    assert_false(prack->lost);
    ladder_party_names(&d.v, UINT32_MAX, names, 12); /* cut, and terminated */
    assert_int_equal(strlen(names), 11);
    end(&d);
}

/* The adversary's own call is there, and nothing is claimed of who could read it; the mailbox's is judged by
 * its own name. */
static void test_beside(void **state) {
    (void)state;
    drawn d;
    draw(&d, 0, false);
    size_t found = 0;
    for (size_t i = 0; i < d.v.item_count; i++) {
        const ladder_item *item = &d.v.items[i];
        const char *from = d.v.lanes[item->from];
        if (strcmp(from, "mallory") == 0) {
            assert_int_equal(item->readers, 0);
            assert_int_equal(d.v.lane_kinds[item->from], LADDER_ADVERSARY_NODE);
            found++;
        } else if (strcmp(from, "voicemail") == 0) {
            char names[64];
            ladder_party_names(&d.v, item->readers, names, sizeof names);
            assert_string_equal(names, "voicemail");
            assert_int_equal(d.v.lane_kinds[item->from], LADDER_MAILBOX);
            found++;
        }
    }
    assert_int_equal(found, 2);
    end(&d);
}

static void test_media(void **state) {
    (void)state;
    drawn d;
    size_t at = 0;
    draw(&d, 0, false);
    while (at < d.v.item_count && d.v.items[at].kind != LADDER_MEDIA)
        at++;
    assert_true(at > 0 && at + 1 < d.v.item_count);
    assert_string_equal(d.v.items[at].label, "SRTP audio PCMU, 49 of 50 packets");
    assert_int_equal(d.v.items[at].secrecy, LADDER_ENDS);
    for (size_t i = 1; i < d.v.item_count; i++) /* it stands where it began */
        assert_true(d.v.items[i - 1].ns <= d.v.items[i].ns);
    end(&d);
}

static void test_no_call(void **state) {
    (void)state;
    drawn d;
    char title[100];
    draw(&d, LADDER_NO_CALL, false);
    assert_int_equal(d.v.item_count, 2);
    assert_string_equal(d.v.items[0].label, "REGISTER");
    assert_int_equal(d.v.items[1].kind, LADDER_HTTP);
    ladder_title(title, sizeof title, &d.run.r, LADDER_NO_CALL);
    assert_string_equal(title, "Registrations and keys");
    end(&d);
    draw(&d, 0, true);
    for (size_t i = 0; i < d.v.item_count; i++)
        assert_true(d.v.items[i].mikey || d.v.items[i].kind == LADDER_MEDIA);
    end(&d);
}

static char *to_text(const drawn *d, void (*how)(FILE *, const ladder_view *, const ladder_caption *)) {
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    how(out, &d->v, &(ladder_caption){.title = d->run.r.title, .subtitle = "Call <first>"});
    fclose(out);
    return text;
}

static void check_has(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("'%s' is not in:\n%s", part, text);
}

static void test_svg(void **state) {
    (void)state;
    drawn d;
    draw(&d, 0, false);
    char *text = to_text(&d, ladder_svg);
    check_has(text, "<title id=\"ladder-title\">A run &amp; its &lt;title&gt;. Call &lt;first&gt;</title>");
    check_has(text, "mallory: modify &lt;SP&gt; &amp; &quot;V&quot;</text>");
    check_has(text, ">PRACK \xC3\x97"
                    "2</text>");
    check_has(text, ">BYE lost</text>");
    check_has(text, "I_MESSAGE_1, media: what they carry encrypted was known to alice, bob");
    check_has(text, "what they carry encrypted was known to mallory, alice, bob");
    check_has(text, "prefers-color-scheme:dark");
    check_has(text, "1 lost; 1 acts of adversaries.");
    assert_null(strstr(text, "<SP>"));
    char *again = to_text(&d, ladder_svg);
    assert_string_equal(text, again);
    free(again);
    free(text);
    end(&d);
}

static void test_mscgen(void **state) {
    (void)state;
    drawn d;
    draw(&d, 0, false);
    char *text = to_text(&d, ladder_mscgen);
    check_has(text, "msc {");
    check_has(text, "n0 [label=\"alice\"]");
    check_has(text, "n1 abox n0 [label=\"mallory: modify <SP> & \\\"V\\\"\"");
    check_has(text, "n0 -x n2 [label=\"BYE\"");
    check_has(text, "PRACK [I_MESSAGE_2] x2 known to mallory, alice, bob");
    free(text);
    end(&d);
}

static void test_matrix(void **state) {
    (void)state;
    drawn d;
    char *text = NULL;
    size_t len = 0;
    draw(&d, 0, false);
    FILE *out = open_memstream(&text, &len);
    assert_true(matrix_svg(out, &d.run.r, 100));
    fclose(out);
    check_has(text, "mallory knows yP. alice knows xP, yP, media.");
    check_has(text, "<title>mallory knows yP since 1.500000 s: decrypted, read &lt;it&gt;</title>");
    check_has(text, "<title>mallory does not know xP</title>");
    check_has(text, "none of these: pcscf.home.example");
    check_has(text, ">a remark</text>");
    free(text);
    result empty = {.title = ""};
    out = open_memstream(&text, &len);
    assert_false(matrix_svg(out, &empty, 100));
    fclose(out);
    assert_int_equal(len, 0);
    free(text);
    end(&d);
}

/* Labels and names of any length are cut, in all three drawings. */
static void test_long_texts(void **state) {
    (void)state;
    drawn d;
    char label[3000], name[1000];
    memset(label, 'L', sizeof label - 1);
    memset(name, 'n', sizeof name - 1);
    label[sizeof label - 1] = name[sizeof name - 1] = 0;
    draw(&d, 0, false);
    for (size_t i = 0; i < d.v.item_count; i++) {
        d.v.items[i].label = label;
        d.v.items[i].note = d.v.items[i].note ? label : NULL;
    }
    for (size_t i = 0; i < d.run.r.party_count; i++)
        d.run.r.parties[i]->name = name;
    void (*const all[])(FILE *, const ladder_view *, const ladder_caption *) = {ladder_svg, ladder_mscgen};
    for (size_t i = 0; i < 2; i++) {
        char *text = to_text(&d, all[i]);
        check_has(text, "LLLLL");
        assert_true(strlen(text) < 40000);
        free(text);
    }
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_true(matrix_svg(out, &d.run.r, 100));
    fclose(out);
    assert_true(len < 60000);
    free(text);
    end(&d);
}

static void test_escapes(void **state) {
    (void)state;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    svg_escaped(out, "a<b>&\"\x01\xC3\xB6\xFF\xC3");
    fclose(out);
    assert_string_equal(text, "a&lt;b&gt;&amp;&quot;\xEF\xBF\xBD\xC3\xB6\xEF\xBF\xBD\xEF\xBF\xBD");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conversations), cmocka_unit_test(test_readers), cmocka_unit_test(test_beside),
        cmocka_unit_test(test_media),         cmocka_unit_test(test_no_call), cmocka_unit_test(test_svg),
        cmocka_unit_test(test_mscgen),        cmocka_unit_test(test_matrix),  cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_long_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
