/* Trees of fields: what PDML and JSON make of places, of octets inside a node, and of what is hidden. */
#include "cli/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t outer[] = {0x10, 0x81, 0xAA, 0xBB}, inside[] = {0x01, 0x5E, 0xC7};

static char *text_of(ibk_buf *buf) {
    assert_int_equal(ibk_buf_append(buf, "", 1), IBK_OK);
    return (char *)buf->data;
}

/* A payload of four octets; in it a number, a flag of the same octet, and content with a field of its own. */
static tree_node *make(tree *t) {
    tree_node *payload = tree_add(t, NULL, "Key <data>");
    tree_place(payload, 0, sizeof outer);
    tree_node *type = tree_add(t, payload, "CS ID map #type");
    tree_place(type, 0, 1);
    tree_number(type, 16);
    tree_text(t, type, "16 (a \"name\")");
    tree_node *flag = tree_add(t, payload, "V");
    tree_place(flag, 1, 1);
    tree_number(flag, 1);
    tree_node *content = tree_add(t, payload, "decrypted content");
    tree_inside(t, content, ibk_span_of(inside, sizeof inside));
    tree_node *part = tree_add(t, tree_add(t, content, "SK"), "key");
    tree_place(part, 1, 2);
    tree_octets(t, part, ibk_span_of(inside + 1, 2), false);
    return part;
}

static void contains(const char *text, const char *part, bool wanted) {
    if ((strstr(text, part) != NULL) != wanted)
        fail_msg("%s: %s", wanted ? part : "not to be there", text);
}

static void pdml_names_places_and_values(void **state) {
    (void)state;
    tree t = {0};
    xml_out out = {0};
    make(&t);
    tree_pdml(&out, &t, "m", ibk_span_of(outer, sizeof outer));
    assert_int_equal(out.err, IBK_OK);
    const char *text = text_of(&out.buf);
    contains(text, "<field name=\"m.key_data\" showname=\"Key &#x3c;data&#x3e;\" size=\"4\" pos=\"0\"", true);
    contains(
        text,
        "name=\"m.key_data.cs_id_map_type\" showname=\"CS ID map #type: 16 (a &#x22;name&#x22;)\" size=\"1\" "
        "pos=\"0\" show=\"16\" value=\"10\"/>",
        true);
    contains(text,
             "name=\"m.key_data.v\" showname=\"V\" size=\"1\" pos=\"1\" show=\"1\" value=\"1\" "
             "unmaskedvalue=\"81\"/>",
             true);
    contains(text,
             "name=\"m.decrypted_content\" showname=\"decrypted content\" size=\"3\" pos=\"0\" show=\"\" "
             "value=\"015ec7\">",
             true);
    contains(text,
             "name=\"m.sk.key\" showname=\"key: 5ec7\" size=\"2\" pos=\"1\" show=\"5e:c7\" value=\"5ec7\"/>",
             true);
    ibk_buf_free(&out.buf);
    tree_free(&t);
}

static void what_is_hidden_is_shown_by_nobody(void **state) {
    (void)state;
    for (int hide = 0; hide < 2; hide++) {
        tree t = {0};
        xml_out pdml = {0};
        ibk_buf json = {0};
        tree_node *part = make(&t);
        part->hidden = hide;
        if (hide)
            tree_text(&t, part, "(secret)");
        tree_pdml(&pdml, &t, "m", ibk_span_of(outer, sizeof outer));
        assert_int_equal(tree_json(&json, &t, UINT64_MAX), IBK_OK);
        for (int i = 0; i < 2; i++) {
            const char *text = text_of(i ? &json : &pdml.buf);
            contains(text, "5ec7", !hide);
            contains(text, "5e:c7", !hide && !i);
            contains(text, "015ec7", !hide);
        }
        contains((const char *)pdml.buf.data, "value=\"1081aabb\"", true); /* the ciphertext is no secret */
        ibk_buf_free(&pdml.buf);
        ibk_buf_free(&json);
        tree_free(&t);
    }
}

static void a_place_past_the_end_has_no_value(void **state) {
    (void)state;
    tree t = {0};
    xml_out out = {0};
    make(&t);
    tree_pdml(&out, &t, "m", ibk_span_of(outer, 1));
    contains(text_of(&out.buf), "name=\"m.key_data.v\" showname=\"V\" size=\"0\" pos=\"0\" show=\"1\"/>",
             true);
    ibk_buf_free(&out.buf);
    tree_free(&t);
}

static void text_from_anywhere_is_fit_for_xml(void **state) {
    (void)state;
    xml_out out = {0};
    xml_text(&out, ibk_span_of((const uint8_t *)"a\0<&\"'>\n\xFF~", 10));
    xml_hex(&out, ibk_span_of(outer, 2), ":");
    assert_string_equal(text_of(&out.buf), "a\\x00&#x3c;&#x26;&#x22;&#x27;&#x3e;\\x0a\\xff~10:81");
    char longest[600];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    xml_putf(&out, "%s", longest);
    assert_int_equal(out.err, IBK_ERR_LIMIT);
    size_t before = out.buf.len;
    xml_put(&out, "more");
    assert_int_equal(out.buf.len, before);
    ibk_buf_free(&out.buf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pdml_names_places_and_values),
        cmocka_unit_test(what_is_hidden_is_shown_by_nobody),
        cmocka_unit_test(a_place_past_the_end_has_no_value),
        cmocka_unit_test(text_from_anywhere_is_fit_for_xml),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
