/* SIP over TCP on a tapped link: what one end sends, what the other gets, and how connections end. */
#include "adversary/tap_tcp_lab.h"

/* ---- messages change ----------------------------------------------------------------------------- */

static void mixture(world_config config, bool second_link) {
    ibk_buf sent = {0}, arrives = {0}, back = {0};
    make_mixture(&sent, &arrives, &back);
    scene_open(config, 5060);
    tap_on(second_link ? lab.w.rb : lab.w.ar, true);
    end *c = connect_client();
    OK(n3_tcp_send(c->tcp, sent.data, sent.len));
    run_for(200 * (uint64_t)SEC);
    assert_int_equal(lab.servers, 1);
    check_got(&lab.server[0], &arrives);
    check_got(c, &back);
    assert_int_equal(lab.shown[TAP_SIP], 17);
    assert_int_equal(lab.shown_octets, sent.len);
    assert_int_equal(lab.shown[TAP_PACKET], 0);
    OK(n3_tcp_close(c->tcp));
    run_for(100 * (uint64_t)SEC);
    assert_int_equal(c->why, N3_TCP_END_CLOSED);
    assert_int_equal(lab.server[0].why, N3_TCP_END_CLOSED);
    tap_stats stats = scene_close();
    assert_int_equal(stats.streams, 1);
    assert_int_equal(stats.given_up + stats.over_limit + stats.refused, 0);
    assert_int_equal(stats.replaced, 5);
    assert_int_equal(stats.dropped, 5);
    assert_int_equal(stats.sent, 4);
    if (config.path.loss_ppb == 0)
        assert_int_equal(stats.resent, 0);
    else if (!second_link)
        assert_true(stats.resent > 0); /* the link behind the tap loses some */
    ibk_buf_free(&sent);
    ibk_buf_free(&arrives);
    ibk_buf_free(&back);
}

static void test_every_verdict(void **state) {
    (void)state;
    for (n3_family family = N3_IPV4; family <= N3_IPV6; family++)
        for (int second = 0; second < 2; second++)
            mixture((world_config){.family = family}, second);
}

static void test_every_verdict_with_loss(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++)
        for (int second = 0; second < 2; second++)
            mixture((world_config){.family = seed % 2 ? N3_IPV4 : N3_IPV6,
                                   .path.loss_ppb = LOSS_5_PERCENT,
                                   .seed = seed},
                    second);
}

/* Much in both directions at once. */
static void test_both_directions(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        ibk_buf sent = {0}, arrives = {0};
        for (unsigned i = 0; i < 30; i++) {
            put_sip(&sent, i % 2 ? "longer" : "pass", i, 20000);
            if (i % 2)
                put_sip(&arrives, "replaced", 1, LONG_BODY);
            else
                put_sip(&arrives, "pass", i, 20000);
        }
        scene_open((world_config){.path.loss_ppb = seed == 1 ? 0 : LOSS_5_PERCENT, .seed = seed}, 5060);
        tap_on(seed % 2 ? lab.w.ar : lab.w.rb, true);
        end *c = connect_client();
        OK(n3_tcp_send(c->tcp, sent.data, sent.len));
        run_for(300 * MS);
        while (lab.servers == 0)
            run_for(SEC);
        OK(n3_tcp_send(lab.server[0].tcp, sent.data, sent.len));
        run_for(300 * (uint64_t)SEC);
        check_got(c, &arrives);
        check_got(&lab.server[0], &arrives);
        assert_int_equal(lab.shown[TAP_SIP], 60);
        scene_close();
        ibk_buf_free(&sent);
        ibk_buf_free(&arrives);
    }
}

/* A thin link: congestion control finds its rate, also with a short queue behind the tap. */
static void thin_link(bool tapped) {
    ibk_buf sent = {0};
    memset(&lab, 0, sizeof lab);
    OK(n3_sim_new(&lab.w.sim, NULL));
    OK(n3_node_new(&lab.w.a, lab.w.sim, "a"));
    OK(n3_node_new(&lab.w.r, lab.w.sim, "r"));
    OK(n3_node_new(&lab.w.b, lab.w.sim, "b"));
    n3_path thin = {.delay_ns = 40 * MS, .rate_bps = tapped ? 8000 : 128000, .queue_packets = tapped ? 0 : 8};
    OK(n3_link_new(&lab.w.ar, lab.w.a, lab.w.r, &(n3_link_config){.ab.delay_ns = MS, .ba.delay_ns = MS}));
    OK(n3_link_new(&lab.w.rb, lab.w.r, lab.w.b, &(n3_link_config){.ab = thin, .ba = thin}));
    OK(n3_routes_build(lab.w.sim));
    OK(n3_node_address(lab.w.b, &lab.server_at.addr, N3_IPV4));
    lab.server_at.port = 5060;
    OK(n3_listen(&lab.listener, lab.w.b, &lab.server_at, lab_accept, NULL));
    tap_on(tapped ? lab.w.rb : lab.w.ar, true);
    for (unsigned i = 0; i < (tapped ? 1 : 10); i++)
        put_sip(&sent, "pass", i, tapped ? 20000 : 40000);
    end *c = connect_client();
    OK(n3_tcp_send(c->tcp, sent.data, sent.len));
    run_for(100 * (uint64_t)SEC);
    check_got(&lab.server[0], &sent);
    if (!tapped)
        assert_true(lab.server[0].last_ns < 40 * (uint64_t)SEC); /* 25.7 s at the rate of the link */
    tap_stats stats = scene_close();
    assert_in_range(stats.resent, 0, tapped ? 0 : 100); /* what waits for the wire is not late */
    ibk_buf_free(&sent);
}

static void test_thin_link(void **state) {
    (void)state;
    thin_link(false);
    thin_link(true);
}

/* More than the tap takes ahead is held: the sender is made to wait, and goes on. */
static void test_window_closes(void **state) {
    (void)state;
    ibk_buf sent = {0};
    for (unsigned i = 0; i < 80; i++)
        put_sip(&sent, "pass", i, 60000);
    scene_open((world_config){.path.rate_bps = 100000000}, 5060);
    tap_on(lab.w.ar, true);
    lab.delay_ns = 10 * (uint64_t)SEC;
    end *c = connect_client();
    OK(n3_tcp_send(c->tcp, sent.data, sent.len));
    run_for(9 * (uint64_t)SEC);
    assert_in_range(lab.shown_octets, TAP_STREAM_WINDOW / 2, TAP_STREAM_WINDOW);
    assert_int_equal(lab.servers, 1);
    assert_int_equal(lab.server[0].got.len, 0);
    run_for(120 * (uint64_t)SEC);
    check_got(&lab.server[0], &sent);
    assert_int_equal(scene_close().over_limit, 0);
    ibk_buf_free(&sent);
}

/* ---- connections begin and end ------------------------------------------------------------------- */

/* A FIN waits for what is held, also for what is only then inserted. */
static void test_fin_waits(void **state) {
    (void)state;
    for (int loss = 0; loss < 2; loss++) {
        ibk_buf sent = {0}, arrives = {0}, late = {0};
        put_sip(&sent, "delay", 1, 3000);
        put_sip(&sent, "pass", 2, 3000);
        put_sip(&arrives, "pass", 2, 3000);
        put_sip(&arrives, "delay", 1, 3000);
        put_sip(&late, "late", 1, 10);
        assert_int_equal(ibk_buf_append_span(&arrives, ibk_buf_span(&late)), IBK_OK);
        scene_open((world_config){.path.loss_ppb = loss ? LOSS_5_PERCENT : 0}, 5060);
        tap_on(lab.w.ar, true);
        end *c = connect_client();
        OK(n3_tcp_send(c->tcp, sent.data, sent.len));
        OK(n3_tcp_close(c->tcp));
        run_for(10 * (uint64_t)SEC);
        assert_false(lab.server[0].peer_closed);
        assert_int_equal(tap_send(lab.t, &lab.last, false, 25 * (uint64_t)SEC, ibk_buf_span(&late)), IBK_OK);
        run_for(20 * (uint64_t)SEC);
        assert_false(lab.server[0].peer_closed);
        run_for(20 * (uint64_t)SEC);
        assert_true(lab.server[0].peer_closed);
        check_got(&lab.server[0], &arrives);
        assert_int_equal(lab.server[0].got_at_close, arrives.len);
        assert_int_equal(tap_send(lab.t, &lab.last, false, 0, ibk_buf_span(&late)), IBK_ERR_STATE);
        run_for(50 * (uint64_t)SEC);
        assert_int_equal(c->why, N3_TCP_END_CLOSED);
        assert_int_equal(lab.server[0].why, N3_TCP_END_CLOSED);
        scene_close();
        ibk_buf_free(&sent);
        ibk_buf_free(&arrives);
        ibk_buf_free(&late);
    }
}

/* The server goes on when the client has closed; what is no whole message passes as it is. */
static void test_half_closed_and_partial(void **state) {
    (void)state;
    ibk_buf sent = {0}, answer = {0};
    put_sip(&sent, "pass", 1, 3000);
    sent.len -= 500;
    put_sip(&answer, "pass", 2, 20000);
    scene_open((world_config){.path.loss_ppb = LOSS_5_PERCENT}, 5060);
    tap_on(lab.w.rb, true);
    end *c = connect_client();
    OK(n3_tcp_send(c->tcp, sent.data, sent.len));
    run_for(10 * (uint64_t)SEC);
    assert_int_equal(lab.server[0].got.len, 0); /* it may become a message yet */
    lab.server[0].stays_open = true;
    OK(n3_tcp_close(c->tcp));
    run_for(10 * (uint64_t)SEC);
    assert_true(lab.server[0].peer_closed);
    check_got(&lab.server[0], &sent);
    OK(n3_tcp_send(lab.server[0].tcp, answer.data, answer.len));
    OK(n3_tcp_close(lab.server[0].tcp));
    run_for(40 * (uint64_t)SEC);
    check_got(c, &answer);
    assert_int_equal(c->why, N3_TCP_END_CLOSED);
    assert_int_equal(lab.server[0].why, N3_TCP_END_CLOSED);
    assert_int_equal(lab.shown[TAP_SIP], 1);
    assert_int_equal(scene_close().given_up, 0);
    ibk_buf_free(&sent);
    ibk_buf_free(&answer);
}

/* The acknowledgement that opens the connection gets lost behind the tap, and nothing else is sent. */
static void test_lost_acknowledgement(void **state) {
    (void)state;
    scene_open((world_config){0}, 5060);
    tap_on(lab.w.ar, true);
    end *c = connect_client();
    run_for(15 * MS); /* the SYN has come to the server */
    OK(n3_link_set_loss(lab.w.rb, N3_AB, N3_LOSS_ALWAYS));
    run_for(500 * MS);
    assert_true(n3_tcp_connected(c->tcp));
    assert_int_equal(lab.servers, 0);
    OK(n3_link_set_loss(lab.w.rb, N3_AB, 0));
    run_for(10 * (uint64_t)SEC);
    assert_int_equal(lab.servers, 1);
    scene_close();
}

static void test_reset(void **state) {
    (void)state;
    ibk_buf sent = {0};
    put_sip(&sent, "delay", 1, 3000);
    scene_open((world_config){0}, 5060);
    tap_on(lab.w.ar, true);
    end *c = connect_client();
    OK(n3_tcp_send(c->tcp, sent.data, sent.len));
    run_for(SEC);
    n3_tcp_abort(c->tcp);
    run_for(10 * (uint64_t)SEC);
    assert_false(lab.server[0].ended);
    run_for(15 * (uint64_t)SEC);
    check_got(&lab.server[0], &sent); /* what was sent before it comes before it */
    assert_int_equal(lab.server[0].why, N3_TCP_END_RESET);
    end *again = connect_client(); /* and the other way round */
    OK(n3_tcp_send(again->tcp, "", 0));
    run_for(SEC);
    n3_tcp_abort(lab.server[1].tcp);
    run_for(SEC);
    assert_int_equal(again->why, N3_TCP_END_RESET);
    assert_int_equal(scene_close().given_up, 0);
    ibk_buf_free(&sent);
}

static void test_refused_and_unreachable(void **state) {
    (void)state;
    scene_open((world_config){0}, 5060);
    tap_on(lab.w.ar, true);
    n3_listener_free(lab.listener);
    lab.listener = NULL;
    end *refused = connect_client();
    run_for(5 * (uint64_t)SEC);
    assert_int_equal(refused->why, N3_TCP_END_REFUSED);
    OK(n3_listen(&lab.listener, lab.w.b, &lab.server_at, lab_accept, NULL));
    ibk_buf sent = {0};
    put_sip(&sent, "pass", 1, 3000);
    end *cut = connect_client();
    run_for(SEC);
    OK(n3_link_set_loss(lab.w.rb, N3_AB,
                        N3_LOSS_ALWAYS)); /* after the tap has acknowledged it, it cannot go on */
    OK(n3_tcp_send(cut->tcp, sent.data, sent.len));
    run_for(200 * (uint64_t)SEC);
    assert_true(cut->ended);
    assert_int_equal(cut->why, N3_TCP_END_RESET);
    scene_close();
    ibk_buf_free(&sent);
}

static void test_several(void **state) {
    (void)state;
    scene_open((world_config){.path.loss_ppb = LOSS_5_PERCENT / 5}, 5060);
    tap_on(lab.w.ar, true);
    ibk_buf sent[CONNECTIONS] = {{0}}, arrives[CONNECTIONS] = {{0}};
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        bool dropped = i % 3 == 0;
        put_sip(&sent[i], dropped ? "drop" : "insert", i, 500 * (size_t)i);
        put_sip(&sent[i], "pass", i, 100 * (size_t)i);
        if (!dropped) {
            put_sip(&arrives[i], "inserted", 1, 100);
            put_sip(&arrives[i], "insert", i, 500 * (size_t)i);
        }
        put_sip(&arrives[i], "pass", i, 100 * (size_t)i);
        end *c = connect_client();
        OK(n3_tcp_send(c->tcp, sent[i].data, sent[i].len));
        if (i % 2)
            OK(n3_tcp_close(c->tcp));
    }
    run_for(200 * (uint64_t)SEC);
    assert_int_equal(lab.servers, CONNECTIONS);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        n3_endpoint local, remote;
        size_t k = 0; /* its server */
        for (; k < CONNECTIONS; k++)
            if (lab.server[k].got.len == arrives[i].len &&
                memcmp(lab.server[k].got.data, arrives[i].data, arrives[i].len) == 0)
                break;
        assert_true(k < CONNECTIONS);
        assert_int_equal(lab.client[i].ended, i % 2);
        if (!lab.client[i].ended) {
            OK(n3_tcp_local(lab.client[i].tcp, &local));
            OK(n3_tcp_remote(lab.server[k].tcp, &remote));
            assert_true(n3_endpoint_equal(&local, &remote));
        }
        ibk_buf_free(&sent[i]);
        ibk_buf_free(&arrives[i]);
    }
    assert_int_equal(scene_close().streams, CONNECTIONS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_every_verdict, close_scene),
        cmocka_unit_test_teardown(test_every_verdict_with_loss, close_scene),
        cmocka_unit_test_teardown(test_both_directions, close_scene),
        cmocka_unit_test_teardown(test_thin_link, close_scene),
        cmocka_unit_test_teardown(test_window_closes, close_scene),
        cmocka_unit_test_teardown(test_fin_waits, close_scene),
        cmocka_unit_test_teardown(test_half_closed_and_partial, close_scene),
        cmocka_unit_test_teardown(test_lost_acknowledgement, close_scene),
        cmocka_unit_test_teardown(test_reset, close_scene),
        cmocka_unit_test_teardown(test_refused_and_unreachable, close_scene),
        cmocka_unit_test_teardown(test_several, close_scene),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
