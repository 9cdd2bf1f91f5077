/* HTTP on a tapped link, streams and connections that are not for the tap, and listening without a trace. */
#include "adversary/tap_tcp_lab.h"

/* ---- what is not for us -------------------------------------------------------------------------- */

static void test_given_up(void **state) {
    (void)state;
    scene_open((world_config){.path.loss_ppb = LOSS_5_PERCENT}, 5060);
    tap_on(lab.w.ar, true);
    static uint8_t noise[300000];
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)(i * 11 + i / 1000);
    ibk_buf sent = {0}, answer = {0}, insertion = {0};
    put_sip(&sent, "pass", 1, 100);
    assert_int_equal(ibk_buf_append(&sent, noise, sizeof noise), IBK_OK);
    put_sip(&answer, "shorter", 1, 200);
    end *c = connect_client();
    OK(n3_tcp_send(c->tcp, sent.data, sent.len));
    run_for(60 * (uint64_t)SEC);
    check_got(&lab.server[0], &sent);
    put_sip(&insertion, "x", 1, 1);
    assert_int_equal(tap_send(lab.t, &lab.last, false, 0, ibk_buf_span(&insertion)), IBK_ERR_STATE);
    OK(n3_tcp_send(lab.server[0].tcp, answer.data, answer.len)); /* the other direction is SIP still */
    run_for(60 * (uint64_t)SEC);
    ibk_buf_free(&answer);
    put_sip(&answer, "replaced", 1, SHORT_BODY);
    check_got(c, &answer);
    assert_int_equal(scene_close().given_up, 1);
    ibk_buf_free(&sent);
    ibk_buf_free(&answer);
    ibk_buf_free(&insertion);
}

/* What cannot be cut into messages stays behind the messages that came before it. */
static void test_given_up_behind_held(void **state) {
    (void)state;
    ibk_buf sent = {0};
    put_sip(&sent, "delay", 1, 5000);
    assert_int_equal(ibk_buf_append(&sent, "\x01\x02\x03", 3), IBK_OK);
    scene_open((world_config){0}, 5060);
    tap_on(lab.w.ar, true);
    end *c = connect_client();
    OK(n3_tcp_send(c->tcp, sent.data, sent.len));
    run_for(SEC);
    OK(n3_tcp_send(c->tcp, "abc", 3));
    assert_int_equal(ibk_buf_append(&sent, "abc", 3), IBK_OK);
    run_for(10 * (uint64_t)SEC);
    assert_int_equal(lab.server[0].got.len, 0);
    run_for(20 * (uint64_t)SEC);
    check_got(&lab.server[0], &sent);
    assert_int_equal(scene_close().given_up, 1);
    ibk_buf_free(&sent);
}

static void test_other_connections(void **state) {
    (void)state;
    ibk_buf sent = {0};
    put_sip(&sent, "drop", 1, 3000);
    scene_open((world_config){0}, 5060);
    end *before = connect_client(); /* open when the tap comes */
    run_for(SEC);
    tap_on(lab.w.ar, true);
    OK(n3_tcp_send(before->tcp, sent.data, sent.len));
    run_for(SEC);
    check_got(&lab.server[0], &sent);
    assert_int_equal(lab.shown[TAP_SIP], 0);
    assert_true(lab.shown[TAP_PACKET] > 3);
    n3_endpoint https = {lab.w.address_b, 443};
    n3_listener *listener;
    OK(n3_listen(&listener, lab.w.b, &https, lab_accept, NULL));
    lab.server_at = https;
    end *secure = connect_client();
    OK(n3_tcp_send(secure->tcp, sent.data, sent.len));
    run_for(SEC);
    check_got(&lab.server[1], &sent);
    lab.drop_packets = true;
    end *blocked = connect_client();
    run_for(120 * (uint64_t)SEC);
    assert_int_equal(blocked->why, N3_TCP_END_TIMED_OUT);
    n3_listener_free(listener);
    tap_stats stats = scene_close();
    assert_int_equal(stats.streams, 0);
    assert_true(stats.dropped > 0);
    ibk_buf_free(&sent);
}

/* ---- HTTP ---------------------------------------------------------------------------------------- */

static ibk_buf http_changed;

static void change_http(void *user, const tap_message *message, tap_verdict *verdict) {
    (void)user;
    lab.shown[message->kind]++;
    if (message->kind != TAP_HTTP)
        return;
    bool answer = memcmp(message->octets.data, "HTTP/1.1 200", 12) == 0;
    assert_int_equal(answer, message->from.port == lab.server_at.port);
    assert_int_equal(message->direction, answer ? N3_BA : N3_AB);
    if (answer)
        *verdict = (tap_verdict){.what = TAP_REPLACE, .octets = ibk_buf_span(&http_changed)};
}

static void put_http(ibk_buf *out, const char *start, size_t body) {
    char head[120];
    int len = snprintf(head, sizeof head, "%s\r\nContent-Length: %zu\r\n\r\n", start, body);
    assert_int_equal(ibk_buf_append(out, head, (size_t)len), IBK_OK);
    size_t at = out->len;
    assert_int_equal(ibk_buf_resize(out, at + body), IBK_OK);
    memset(out->data + at, 'h', body);
}

static void test_http(void **state) {
    (void)state;
    static const uint16_t ports[] = {80, 8080};
    for (size_t i = 0; i < 2; i++) {
        ibk_buf request = {0}, answer = {0};
        put_http(&request, "POST /keys HTTP/1.1", 1 << 20); /* the most that HTTP_BODY_MAX admits */
        put_http(&answer, "HTTP/1.1 200 OK", 5000);
        put_http(&http_changed, "HTTP/1.1 200 OK", 900000);
        scene_open((world_config){.path = {.rate_bps = 100000000, .loss_ppb = LOSS_5_PERCENT / 10}},
                   ports[i]);
        assert_int_equal(tap_new(&lab.t, lab.w.sim, lab.w.ar, true, change_http, NULL), IBK_OK);
        end *c = connect_client();
        OK(n3_tcp_send(c->tcp, request.data, request.len));
        run_for(100 * (uint64_t)SEC);
        check_got(&lab.server[0], &request);
        OK(n3_tcp_send(lab.server[0].tcp, answer.data, answer.len));
        run_for(100 * (uint64_t)SEC);
        check_got(c, &http_changed);
        assert_int_equal(lab.shown[TAP_HTTP], 2);
        assert_int_equal(scene_close().given_up, 0);
        ibk_buf_free(&request);
        ibk_buf_free(&answer);
        ibk_buf_free(&http_changed);
    }
}

/* ---- listening only ------------------------------------------------------------------------------ */

static uint8_t *run_passive(const char *path, bool tapped, size_t *len) {
    ibk_buf sent = {0}, arrives = {0}, back = {0};
    make_mixture(&sent, &arrives, &back);
    scene_open((world_config){.path.loss_ppb = LOSS_5_PERCENT}, 5060);
    n3_capture *capture;
    OK(n3_capture_new(&capture, lab.w.sim, path, N3_CAPTURE_EVERY));
    OK(n3_capture_add(capture, lab.w.ar));
    OK(n3_capture_add(capture, lab.w.rb));
    if (tapped)
        assert_int_equal(tap_new(&lab.t, lab.w.sim, lab.w.rb, false, NULL, NULL), IBK_OK);
    for (int i = 0; i < 5; i++) {
        end *c = connect_client();
        OK(n3_tcp_send(c->tcp, sent.data, sent.len));
        if (i % 2)
            OK(n3_tcp_close(c->tcp));
    }
    run_for(300 * (uint64_t)SEC);
    for (size_t i = 0; i < 5; i++)
        check_got(&lab.server[i], &sent);
    if (tapped)
        assert_int_equal(tap_get_stats(lab.t).messages[TAP_SIP], 5 * 17);
    OK(n3_capture_free(capture));
    tap_stats stats = scene_close();
    assert_int_equal(stats.given_up + stats.over_limit + stats.dropped, 0);
    ibk_buf_free(&sent);
    ibk_buf_free(&arrives);
    ibk_buf_free(&back);
    return read_all(path, len);
}

static void test_passive(void **state) {
    (void)state;
    size_t with_len, without_len;
    uint8_t *with = run_passive("tap_tcp_test_with.pcap", true, &with_len);
    uint8_t *without = run_passive("tap_tcp_test_without.pcap", false, &without_len);
    assert_int_equal(with_len, without_len);
    assert_memory_equal(with, without, with_len);
    free(with);
    free(without);
}

/* Freed in the middle of everything. */
static void test_freed(void **state) {
    (void)state;
    ibk_buf sent = {0}, arrives = {0}, back = {0};
    make_mixture(&sent, &arrives, &back);
    for (uint64_t after = 10; after <= 1000; after += 90) {
        scene_open((world_config){0}, 5060);
        tap_on(lab.w.ar, true);
        end *c = connect_client();
        OK(n3_tcp_send(c->tcp, sent.data, sent.len));
        run_for(after * MS);
        tap_free(lab.t);
        lab.t = NULL;
        run_for(5 * (uint64_t)SEC);
        scene_close();
    }
    ibk_buf_free(&sent);
    ibk_buf_free(&arrives);
    ibk_buf_free(&back);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_given_up, close_scene),
        cmocka_unit_test_teardown(test_given_up_behind_held, close_scene),
        cmocka_unit_test_teardown(test_other_connections, close_scene),
        cmocka_unit_test_teardown(test_http, close_scene),
        cmocka_unit_test_teardown(test_passive, close_scene),
        cmocka_unit_test_teardown(test_freed, close_scene),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
