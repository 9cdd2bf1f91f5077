/* RFC 5408's XML: what is written is read back, and everything that is not RFC 5408's is refused with its
 * line. */
#include "kms/xml_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NS      "xmlns:ibe=\"urn:ietf:params:xml:ns:ibe\""
#define REQ(b)  "<ibe:request " NS "><ibe:body>" b "</ibe:body></ibe:request>"
#define KEY(b)  REQ("<ibe:keyRequest>" b "</ibe:keyRequest>")
#define ALG     "<ibe:algorithm>BgIqAw==</ibe:algorithm>"
#define ID      "<ibe:id>MAMCAQE=</ibe:id>"
#define RESP(b) "<ibe:response " NS ">" b "</ibe:response>"
#define TYPE(c) "<ibe:responseType value=\"" c "\"/>"

static void requests_round_trip(void **state) {
    (void)state;
    uint8_t octets[1000];
    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)(i * 7);
    for (size_t len = 1; len <= sizeof octets; len = len * 3 + 1) {
        ibk_buf xml = {0};
        ibe_request request;
        ibk_span algorithm = ibk_span_of(octets + 5, 10), identity = ibk_span_of(octets, len);
        assert_int_equal(ibe_request_write(&xml, algorithm, identity), IBK_OK);
        assert_int_equal(ibe_request_read(&request, ibk_buf_span(&xml), NULL), IBK_OK);
        assert_true(ibk_span_equal(ibk_buf_span(&request.algorithm), algorithm));
        assert_true(ibk_span_equal(ibk_buf_span(&request.identity), identity));
        assert_string_equal(request.client, IBE_CLIENT_NAME);
        ibe_request_free(&request);
        ibk_buf_free(&xml);
    }
}

static void responses_round_trip(void **state) {
    (void)state;
    static const ibe_code codes[] = {IBE_KEY_FOLLOWS,         IBE_RESERVED,        IBE_FOLLOW_ENROLL_URI,
                                     IBE_SYSTEM_ERROR,        IBE_INVALID_REQUEST, IBE_CLIENT_OBSOLETE,
                                     IBE_AUTHORIZATION_DENIED};
    ibk_span key = ibk_span_str("a private key");
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        ibk_buf xml = {0};
        ibe_response response;
        assert_int_equal(ibe_response_write(&xml, codes[i], key, "why"), IBK_OK);
        assert_int_equal(ibe_response_read(&response, ibk_buf_span(&xml), NULL), IBK_OK);
        assert_int_equal(response.code, codes[i]);
        assert_true(ibk_span_equal(ibk_buf_span(&response.key), i == 0 ? key : (ibk_span){0}));
        assert_string_not_equal(ibe_code_name(codes[i]), "UNKNOWN");
        ibe_response_free(&response);
        ibk_buf_free(&xml);
    }
    assert_string_equal(ibe_code_name((ibe_code)302), "UNKNOWN");
}

static void accept(const char *xml) {
    ibe_request request;
    ibk_diag diag = {0};
    if (ibe_request_read(&request, ibk_span_str(xml), &diag))
        fail_msg("refused: %s: %s", diag.detail, xml);
    assert_int_equal(request.algorithm.len, 4);
    assert_int_equal(request.identity.len, 5);
    ibe_request_free(&request);
}

static void what_the_rfc_permits(void **state) {
    (void)state;
    accept(KEY(ALG ID));
    accept(KEY(ID ALG)); /* no order is said */
    accept(KEY("<ibe:oid>BgIqAw==</ibe:oid>" ID));
    accept(KEY("<!-- who? -->" ALG "\n\t" ID));
    accept(KEY("<ibe:algorithm> Bg Iq\r\n Aw== </ibe:algorithm>" ID));
    accept(KEY("<ibe:algorithm><![CDATA[BgIqAw==]]></ibe:algorithm>" ID));
    accept(REQ("<ibe:keyRequest>" ALG ID "</ibe:keyRequest><ibe:authData><x>secret</x></ibe:authData>"));
    accept(
        REQ("<vendor:x xmlns:vendor=\"urn:x\"><y/></vendor:x><ibe:keyRequest>" ALG ID "</ibe:keyRequest>"));
    accept(
        "<request xmlns=\"urn:ietf:params:xml:ns:ibe\"><header><client version=\"1\"/></header>"
        "<body><keyRequest><algorithm>BgIqAw==</algorithm><id>MAMCAQE=</id></keyRequest></body></request>");
    accept("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" KEY(ALG ID));
}

/* `line`: where diag has to say that it is. */
static void refuse(const char *xml, ibk_err want, unsigned line) {
    ibe_request request;
    ibk_diag diag = {0};
    char text[24];
    ibk_err err = ibe_request_read(&request, ibk_span_str(xml), &diag);
    if (err != want)
        fail_msg("%s instead of %s (%s): %s", ibk_err_name(err), ibk_err_name(want), diag.detail, xml);
    snprintf(text, sizeof text, "line %u: ", line);
    if (line && strncmp(diag.detail, text, strlen(text)) != 0)
        fail_msg("'%s' is not %s", diag.detail, text);
    ibe_request_free(&request);
}

static void structures_that_are_not_rfc5408s(void **state) {
    (void)state;
    refuse("<x/>", IBK_ERR_BAD_VALUE, 1);
    refuse("<request/>", IBK_ERR_BAD_VALUE, 1); /* no namespace */
    refuse("<ibe:request xmlns:ibe=\"urn:other\"/>", IBK_ERR_BAD_VALUE, 1);
    refuse("<ibe:request " NS "/>", IBK_ERR_BAD_VALUE, 1);
    refuse(REQ(""), IBK_ERR_BAD_VALUE, 1);
    refuse("\n" KEY(ALG), IBK_ERR_BAD_VALUE, 2);
    refuse("\n\n" KEY(ID), IBK_ERR_BAD_VALUE, 3);
    refuse(KEY(ALG ALG ID), IBK_ERR_BAD_VALUE, 1);
    refuse(KEY("\n" ALG "\n" ID "\n" ID), IBK_ERR_BAD_VALUE, 4);
    refuse(KEY(ALG "<ibe:oid>BgIqAw==</ibe:oid>" ID), IBK_ERR_BAD_VALUE, 1);
    refuse(KEY(ALG ID "<ibe:more/>"), IBK_ERR_BAD_VALUE, 1);
    refuse(KEY(ALG ID "text"), IBK_ERR_BAD_VALUE, 1);
    refuse(KEY(ALG ID "<?php x?>"), IBK_ERR_BAD_VALUE, 1);
    refuse(KEY(ALG "<ibe:id><b>MAMCAQE=</b></ibe:id>"), IBK_ERR_BAD_VALUE, 1);
    refuse(REQ("text<ibe:keyRequest>" ALG ID "</ibe:keyRequest>"), IBK_ERR_BAD_VALUE, 1);
    refuse(REQ("<ibe:keyRequest>" ALG ID "</ibe:keyRequest><ibe:keyRequest>" ALG ID "</ibe:keyRequest>"),
           IBK_ERR_BAD_VALUE, 1);
    refuse("<ibe:request " NS "><ibe:header><ibe:client/></ibe:header><ibe:body/></ibe:request>",
           IBK_ERR_BAD_VALUE, 1);
    refuse(RESP(TYPE("IBE100")), IBK_ERR_BAD_VALUE, 1);
}

static void texts_that_are_no_xml_of_ours(void **state) {
    (void)state;
    refuse("hello", IBK_ERR_BAD_TEXT, 1);
    refuse("<ibe:request " NS ">\n<ibe:body>", IBK_ERR_BAD_TEXT, 2);
    refuse("<a>\n\n</b>", IBK_ERR_BAD_TEXT, 3);
    refuse("<ibe:request/>", IBK_ERR_BAD_TEXT, 1); /* an undeclared prefix */
    refuse(KEY(ALG "<ibe:id>!!</ibe:id>"), IBK_ERR_BAD_TEXT, 1);
    refuse(KEY(ALG "\n<ibe:id></ibe:id>"), IBK_ERR_BAD_TEXT, 2);
    refuse(KEY(ALG "<ibe:id>MAMCAQE</ibe:id>"), IBK_ERR_BAD_TEXT, 1);
    refuse(KEY(ALG "<ibe:id>M&auml;MCAQE=</ibe:id>"), IBK_ERR_BAD_TEXT, 1);
    refuse(KEY(ALG ID) "<more/>", IBK_ERR_BAD_TEXT, 1);
    refuse(KEY(ALG "\n<ibe:id>M\xc3\xa4MCAQE=</ibe:id>"), IBK_ERR_BAD_TEXT, 2);
    refuse("\xff\xfe<\0r\0", IBK_ERR_BAD_TEXT, 1);
    refuse("", IBK_ERR_LIMIT, 0);
}

static void no_dtd_and_no_entities(void **state) {
    (void)state;
    refuse("<!DOCTYPE a>\n" KEY(ALG ID), IBK_ERR_BAD_TEXT, 1);
    refuse(
        "<?xml version=\"1.0\"?>\n<!DOCTYPE a [<!ENTITY x \"MAMCAQE=\">]>\n" KEY(ALG "<ibe:id>&x;</ibe:id>"),
        IBK_ERR_BAD_TEXT, 2);
    refuse("<!DOCTYPE a SYSTEM \"file:///etc/passwd\">" KEY(ALG ID), IBK_ERR_BAD_TEXT, 1);
    refuse("<!DOCTYPE lolz [<!ENTITY l \"l\"><!ENTITY m \"&l;&l;&l;&l;&l;&l;&l;&l;\">]>" KEY(ALG ID),
           IBK_ERR_BAD_TEXT, 1);
    /* an encoding in which the octets would say something else: it is not believed */
    refuse("<?xml version=\"1.0\" encoding=\"UTF-7\"?>+ADwAIQ-DOCTYPE a+AD4-" KEY(ALG ID), IBK_ERR_BAD_TEXT,
           1);
    accept("<?xml version=\"1.0\" encoding=\"EBCDIC-US\"?>" KEY(ALG ID));
}

static void limits_hold(void **state) {
    (void)state;
    ibe_request request;
    size_t len = IBE_XML_MAX + 1;
    char *xml = malloc(len);
    assert_non_null(xml);
    memset(xml, ' ', len);
    static const char text[] = KEY(ALG ID);
    memcpy(xml, text, sizeof text - 1);
    assert_int_equal(ibe_request_read(&request, ibk_span_of(xml, len), NULL), IBK_ERR_LIMIT);
    assert_int_equal(ibe_request_read(&request, ibk_span_of(xml, len - 1), NULL), IBK_OK);
    ibe_request_free(&request);
    for (size_t i = 0; i + 3 <= len; i += 3) /* deep */
        memcpy(xml + i, "<a>", 3);
    assert_int_equal(ibe_request_read(&request, ibk_span_of(xml, len - 1), NULL), IBK_ERR_BAD_TEXT);
    free(xml);
}

static void refuse_response(const char *xml, ibk_err want) {
    ibe_response response;
    ibk_diag diag = {0};
    ibk_err err = ibe_response_read(&response, ibk_span_str(xml), &diag);
    if (err != want)
        fail_msg("%s (%s): %s", ibk_err_name(err), diag.detail, xml);
    assert_int_equal(response.key.len, 0);
    ibe_response_free(&response);
}

static void responses_that_are_refused(void **state) {
    (void)state;
    ibe_response response;
    refuse_response(RESP(""), IBK_ERR_BAD_VALUE);
    refuse_response(RESP(TYPE("IBE999")), IBK_ERR_BAD_VALUE);
    refuse_response(RESP("<ibe:responseType/>"), IBK_ERR_BAD_VALUE);
    refuse_response(RESP(TYPE("IBE100")), IBK_ERR_BAD_VALUE);
    refuse_response(RESP(TYPE("IBE100") "<ibe:body/>"), IBK_ERR_BAD_VALUE);
    refuse_response(RESP(TYPE("IBE100") "<ibe:body><ibe:privateKey/></ibe:body>"), IBK_ERR_BAD_TEXT);
    refuse_response(RESP(TYPE("IBE100") TYPE("IBE304") "<ibe:body/>"), IBK_ERR_BAD_VALUE);
    refuse_response("<!DOCTYPE a>" RESP(TYPE("IBE300")), IBK_ERR_BAD_TEXT);
    refuse_response(KEY(ALG ID), IBK_ERR_BAD_VALUE);
    /* §5.6: what stands beside another code is dropped */
    static const char with_key[] =
        RESP(TYPE("IBE304") "<ibe:body>Helpful <ibe:privateKey>AAAA</ibe:privateKey></ibe:body>");
    assert_int_equal(ibe_response_read(&response, ibk_span_str(with_key), NULL), IBK_OK);
    assert_int_equal(response.code, IBE_AUTHORIZATION_DENIED);
    assert_int_equal(response.key.len, 0);
    ibe_response_free(&response);
}

/* Every octet changed, and every length: no crash (the sanitizers watch), and nothing kept. */
static void damaged_documents(void **state) {
    (void)state;
    static const char text[] = "<?xml version=\"1.0\"?>" REQ(
        "<ibe:keyRequest>" ALG "<!-- c -->" ID "</ibe:keyRequest><ibe:authData a=\"b\">&amp;</ibe:authData>");
    static const char marks[] = "<>&\"'/!?]=- a0\n\x01\x80";
    char xml[sizeof text];
    for (size_t i = 0; i + 1 < sizeof text; i++)
        for (size_t m = 0; m + 1 < sizeof marks; m++) {
            ibe_request request;
            memcpy(xml, text, sizeof text);
            xml[i] = marks[m];
            ibe_request_read(&request, ibk_span_of(xml, sizeof text - 1), NULL);
            ibe_request_free(&request);
            if (m == 0 && ibe_request_read(&request, ibk_span_of(text, i), NULL) == IBK_OK)
                fail_msg("accepted after %zu octets", i);
            if (m == 0)
                ibe_request_free(&request);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_round_trip),
        cmocka_unit_test(responses_round_trip),
        cmocka_unit_test(what_the_rfc_permits),
        cmocka_unit_test(structures_that_are_not_rfc5408s),
        cmocka_unit_test(texts_that_are_no_xml_of_ours),
        cmocka_unit_test(no_dtd_and_no_entities),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(responses_that_are_refused),
        cmocka_unit_test(damaged_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
