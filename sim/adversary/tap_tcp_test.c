/* SIP and HTTP over TCP on a tapped link: what one end sends, what the other gets, and how connections end.
 */
#include "adversary/tap.h"
#include "ns3shim/n3_test.h"

#define LOSS_5_PERCENT 50000000u

typedef struct end {
    n3_tcp *tcp;
    n3_sim *sim;
    ibk_buf got;
    bool peer_closed, ended, stays_open;
    size_t got_at_close;
    n3_tcp_end why;
    uint64_t last_ns;
} end;

enum { CONNECTIONS = 20 };

typedef struct scene {
    world w;
    tap *t;
    n3_listener *listener;
    n3_endpoint server_at;
    end client[CONNECTIONS], server[CONNECTIONS];
    size_t clients, servers;
    size_t shown[TAP_KINDS], shown_octets;
    bool drop_packets;
    uint64_t delay_ns;
    tap_message last;
} scene;

static scene s;

/* ---- ends ---------------------------------------------------------------------------------------------- */

static void on_received(void *user, n3_tcp *tcp, const uint8_t *data, size_t len) {
    end *e = user;
    (void)tcp;
    e->last_ns = n3_now(e->sim);
    assert_int_equal(ibk_buf_append(&e->got, data, len), IBK_OK);
}

static void on_peer_closed(void *user, n3_tcp *tcp) {
    end *e = user;
    e->peer_closed = true;
    e->got_at_close = e->got.len;
    if (!e->stays_open)
        OK(n3_tcp_close(tcp));
}

static void on_ended(void *user, n3_tcp *tcp, n3_tcp_end why) {
    end *e = user;
    (void)tcp;
    e->ended = true;
    e->why = why;
}

static n3_tcp_config handlers(end *e) {
    e->sim = s.w.sim;
    return (n3_tcp_config){.handlers = {NULL, on_received, NULL, on_peer_closed, on_ended},
                           .user = e,
                           .connect_timeout_ns = 100 * (uint64_t)SEC,
                           .max_queue = 8 << 20};
}

static void on_accept(void *user, n3_tcp *tcp) {
    (void)user;
    assert_true(s.servers < CONNECTIONS);
    end *e = &s.server[s.servers++];
    n3_tcp_config config = handlers(e);
    e->tcp = tcp;
    OK(n3_tcp_configure(tcp, &config));
}

static end *connect(void) {
    end *e = &s.client[s.clients++];
    n3_tcp_config config = handlers(e);
    OK(n3_tcp_connect(&e->tcp, s.w.a, NULL, &s.server_at, &config));
    return e;
}

/* ---- messages --------------------------------------------------------------------------------------------
 */

/* Appends a SIP message: what the adversary does with it, which one it is, and a body. */
static void put_sip(ibk_buf *out, const char *what, unsigned number, size_t body) {
    char head[200];
    int len = snprintf(head, sizeof head,
                       "MESSAGE sip:%s SIP/2.0\r\nCSeq: %u MESSAGE\r\nContent-Length: %zu\r\n\r\n", what,
                       number, body);
    assert_int_equal(ibk_buf_append(out, head, (size_t)len), IBK_OK);
    size_t at = out->len;
    assert_int_equal(ibk_buf_resize(out, at + body), IBK_OK);
    for (size_t i = 0; i < body; i++)
        out->data[at + i] = (uint8_t)(number * 31 + i * 7 + i / 253);
}

static bool says(ibk_span octets, const char *what) {
    char start[40];
    int len = snprintf(start, sizeof start, "MESSAGE sip:%s ", what);
    return octets.len >= (size_t)len && memcmp(octets.data, start, (size_t)len) == 0;
}

static ibk_buf made; /* the adversary's */

#define SHORT_BODY 10
#define LONG_BODY  30000

/* The adversary: each message says what is to be done with it. */
static void seen(void *user, const tap_message *message, tap_verdict *verdict) {
    (void)user;
    ibk_span octets = message->octets;
    s.shown[message->kind]++;
    if (message->kind == TAP_PACKET) {
        verdict->what = s.drop_packets ? TAP_DROP : TAP_PASS;
        return;
    }
    s.last = *message;
    s.shown_octets += octets.len;
    ibk_buf_clear(&made);
    verdict->delay_ns = s.delay_ns;
    if (says(octets, "drop")) {
        verdict->what = TAP_DROP;
    } else if (says(octets, "shorter") || says(octets, "longer")) {
        put_sip(&made, "replaced", 1, says(octets, "longer") ? LONG_BODY : SHORT_BODY);
        *verdict = (tap_verdict){.what = TAP_REPLACE, .octets = ibk_buf_span(&made)};
    } else if (says(octets, "delay")) {
        verdict->delay_ns = 20 * (uint64_t)SEC;
    } else if (says(octets, "insert")) {
        put_sip(&made, "inserted", 1, 100);
        assert_int_equal(tap_send(s.t, message, false, 0, ibk_buf_span(&made)), IBK_OK);
    } else if (says(octets, "reverse")) {
        put_sip(&made, "answered", 1, 2000);
        verdict->what = TAP_DROP;
        assert_int_equal(tap_send(s.t, message, true, 0, ibk_buf_span(&made)), IBK_OK);
    }
    if (message->kind == TAP_SIP)
        assert_true(message->tcp);
}

/* ---- scenes
 * ------------------------------------------------------------------------------------------------ */

static void scene_open(world_config config, uint16_t port) {
    memset(&s, 0, sizeof s);
    config.seed = config.seed ? config.seed : 3;
    s.w = world_new(config);
    s.server_at = (n3_endpoint){s.w.address_b, port};
    OK(n3_listen(&s.listener, s.w.b, &s.server_at, on_accept, NULL));
}

static void tap_on(n3_link *link, bool active) {
    assert_int_equal(tap_new(&s.t, s.w.sim, link, active, seen, NULL), IBK_OK);
}

static void run_for(uint64_t ns) {
    OK(n3_run_until(s.w.sim, n3_now(s.w.sim) + ns));
}

static tap_stats scene_close(void) {
    tap_stats stats = s.t ? tap_get_stats(s.t) : (tap_stats){0};
    tap_free(s.t);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        n3_tcp_free(s.client[i].tcp);
        n3_tcp_free(s.server[i].tcp);
        ibk_buf_free(&s.client[i].got);
        ibk_buf_free(&s.server[i].got);
    }
    n3_listener_free(s.listener);
    ibk_buf_free(&made);
    OK(n3_sim_free(s.w.sim));
    s.w.sim = NULL;
    return stats;
}

static void check_got(const end *e, const ibk_buf *want) {
    assert_int_equal(e->got.len, want->len);
    assert_memory_equal(e->got.data, want->data, want->len);
}

/* ---- messages change
 * --------------------------------------------------------------------------------------- */

/* One of everything, and what comes of it; `back`: what the other end gets. */
static void make_mixture(ibk_buf *sent, ibk_buf *arrives, ibk_buf *back) {
    static const char *const what[] = {"pass",    "drop", "longer",  "shorter", "insert", "reverse",
                                       "delay",   "pass", "longer",  "drop",    "pass",   "reverse",
                                       "shorter", "drop", "shorter", "insert",  "pass"};
    for (unsigned i = 0; i < sizeof what / sizeof *what; i++) {
        size_t body = i % 3 == 0 ? 20000 : 700 * (size_t)i;
        put_sip(sent, what[i], i, body);
        if (strcmp(what[i], "insert") == 0)
            put_sip(arrives, "inserted", 1, 100);
        if (strcmp(what[i], "pass") == 0 || strcmp(what[i], "insert") == 0)
            put_sip(arrives, what[i], i, body);
        if (strcmp(what[i], "longer") == 0 || strcmp(what[i], "shorter") == 0)
            put_sip(arrives, "replaced", 1, what[i][0] == 'l' ? LONG_BODY : SHORT_BODY);
        if (strcmp(what[i], "reverse") == 0)
            put_sip(back, "answered", 1, 2000);
    }
    put_sip(arrives, "delay", 6, 20000); /* 20 seconds later */
}

static void mixture(world_config config, bool second_link) {
    ibk_buf sent = {0}, arrives = {0}, back = {0};
    make_mixture(&sent, &arrives, &back);
    scene_open(config, 5060);
    tap_on(second_link ? s.w.rb : s.w.ar, true);
    end *c = connect();
    OK(n3_tcp_send(c->tcp, sent.data, sent.len));
    run_for(200 * (uint64_t)SEC);
    assert_int_equal(s.servers, 1);
    check_got(&s.server[0], &arrives);
    check_got(c, &back);
    assert_int_equal(s.shown[TAP_SIP], 17);
    assert_int_equal(s.shown_octets, sent.len);
    assert_int_equal(s.shown[TAP_PACKET], 0);
    OK(n3_tcp_close(c->tcp));
    run_for(100 * (uint64_t)SEC);
    assert_int_equal(c->why, N3_TCP_END_CLOSED);
    assert_int_equal(s.server[0].why, N3_TCP_END_CLOSED);
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
        tap_on(seed % 2 ? s.w.ar : s.w.rb, true);
        end *c = connect();
        OK(n3_tcp_send(c->tcp, sent.data, sent.len));
        run_for(300 * MS);
        while (s.servers == 0)
            run_for(SEC);
        OK(n3_tcp_send(s.server[0].tcp, sent.data, sent.len));
        run_for(300 * (uint64_t)SEC);
        check_got(c, &arrives);
        check_got(&s.server[0], &arrives);
        assert_int_equal(s.shown[TAP_SIP], 60);
        scene_close();
        ibk_buf_free(&sent);
        ibk_buf_free(&arrives);
    }
}

/* A thin link: congestion control finds its rate, also with a short queue behind the tap. */
static void thin_link(bool tapped) {
    ibk_buf sent = {0};
    memset(&s, 0, sizeof s);
    OK(n3_sim_new(&s.w.sim, NULL));
    OK(n3_node_new(&s.w.a, s.w.sim, "a"));
    OK(n3_node_new(&s.w.r, s.w.sim, "r"));
    OK(n3_node_new(&s.w.b, s.w.sim, "b"));
    n3_path thin = {.delay_ns = 40 * MS, .rate_bps = tapped ? 8000 : 128000, .queue_packets = tapped ? 0 : 8};
    OK(n3_link_new(&s.w.ar, s.w.a, s.w.r, &(n3_link_config){.ab.delay_ns = MS, .ba.delay_ns = MS}));
    OK(n3_link_new(&s.w.rb, s.w.r, s.w.b, &(n3_link_config){.ab = thin, .ba = thin}));
    OK(n3_routes_build(s.w.sim));
    OK(n3_node_address(s.w.b, &s.server_at.addr, N3_IPV4));
    s.server_at.port = 5060;
    OK(n3_listen(&s.listener, s.w.b, &s.server_at, on_accept, NULL));
    tap_on(tapped ? s.w.rb : s.w.ar, true);
    for (unsigned i = 0; i < (tapped ? 1 : 10); i++)
        put_sip(&sent, "pass", i, tapped ? 20000 : 40000);
    end *c = connect();
    OK(n3_tcp_send(c->tcp, sent.data, sent.len));
    run_for(100 * (uint64_t)SEC);
    check_got(&s.server[0], &sent);
    if (!tapped)
        assert_true(s.server[0].last_ns < 40 * (uint64_t)SEC); /* 25.7 s at the rate of the link */
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
    tap_on(s.w.ar, true);
    s.delay_ns = 10 * (uint64_t)SEC;
    end *c = connect();
    OK(n3_tcp_send(c->tcp, sent.data, sent.len));
    run_for(9 * (uint64_t)SEC);
    assert_in_range(s.shown_octets, TAP_STREAM_WINDOW / 2, TAP_STREAM_WINDOW);
    assert_int_equal(s.servers, 1);
    assert_int_equal(s.server[0].got.len, 0);
    run_for(120 * (uint64_t)SEC);
    check_got(&s.server[0], &sent);
    assert_int_equal(scene_close().over_limit, 0);
    ibk_buf_free(&sent);
}

/* ---- connections begin and end
 * -------------------------------------------------------------------------------- */

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
        tap_on(s.w.ar, true);
        end *c = connect();
        OK(n3_tcp_send(c->tcp, sent.data, sent.len));
        OK(n3_tcp_close(c->tcp));
        run_for(10 * (uint64_t)SEC);
        assert_false(s.server[0].peer_closed);
        assert_int_equal(tap_send(s.t, &s.last, false, 25 * (uint64_t)SEC, ibk_buf_span(&late)), IBK_OK);
        run_for(20 * (uint64_t)SEC);
        assert_false(s.server[0].peer_closed);
        run_for(20 * (uint64_t)SEC);
        assert_true(s.server[0].peer_closed);
        check_got(&s.server[0], &arrives);
        assert_int_equal(s.server[0].got_at_close, arrives.len);
        assert_int_equal(tap_send(s.t, &s.last, false, 0, ibk_buf_span(&late)), IBK_ERR_STATE);
        run_for(50 * (uint64_t)SEC);
        assert_int_equal(c->why, N3_TCP_END_CLOSED);
        assert_int_equal(s.server[0].why, N3_TCP_END_CLOSED);
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
    tap_on(s.w.rb, true);
    end *c = connect();
    OK(n3_tcp_send(c->tcp, sent.data, sent.len));
    run_for(10 * (uint64_t)SEC);
    assert_int_equal(s.server[0].got.len, 0); /* it may become a message yet */
    s.server[0].stays_open = true;
    OK(n3_tcp_close(c->tcp));
    run_for(10 * (uint64_t)SEC);
    assert_true(s.server[0].peer_closed);
    check_got(&s.server[0], &sent);
    OK(n3_tcp_send(s.server[0].tcp, answer.data, answer.len));
    OK(n3_tcp_close(s.server[0].tcp));
    run_for(40 * (uint64_t)SEC);
    check_got(c, &answer);
    assert_int_equal(c->why, N3_TCP_END_CLOSED);
    assert_int_equal(s.server[0].why, N3_TCP_END_CLOSED);
    assert_int_equal(s.shown[TAP_SIP], 1);
    assert_int_equal(scene_close().given_up, 0);
    ibk_buf_free(&sent);
    ibk_buf_free(&answer);
}

/* The acknowledgement that opens the connection gets lost behind the tap, and nothing else is sent. */
static void test_lost_acknowledgement(void **state) {
    (void)state;
    scene_open((world_config){0}, 5060);
    tap_on(s.w.ar, true);
    end *c = connect();
    run_for(15 * MS); /* the SYN has come to the server */
    OK(n3_link_set_loss(s.w.rb, N3_AB, N3_LOSS_ALWAYS));
    run_for(500 * MS);
    assert_true(n3_tcp_connected(c->tcp));
    assert_int_equal(s.servers, 0);
    OK(n3_link_set_loss(s.w.rb, N3_AB, 0));
    run_for(10 * (uint64_t)SEC);
    assert_int_equal(s.servers, 1);
    scene_close();
}

static void test_reset(void **state) {
    (void)state;
    ibk_buf sent = {0};
    put_sip(&sent, "delay", 1, 3000);
    scene_open((world_config){0}, 5060);
    tap_on(s.w.ar, true);
    end *c = connect();
    OK(n3_tcp_send(c->tcp, sent.data, sent.len));
    run_for(SEC);
    n3_tcp_abort(c->tcp);
    run_for(10 * (uint64_t)SEC);
    assert_false(s.server[0].ended);
    run_for(15 * (uint64_t)SEC);
    check_got(&s.server[0], &sent); /* what was sent before it comes before it */
    assert_int_equal(s.server[0].why, N3_TCP_END_RESET);
    end *again = connect(); /* and the other way round */
    OK(n3_tcp_send(again->tcp, "", 0));
    run_for(SEC);
    n3_tcp_abort(s.server[1].tcp);
    run_for(SEC);
    assert_int_equal(again->why, N3_TCP_END_RESET);
    assert_int_equal(scene_close().given_up, 0);
    ibk_buf_free(&sent);
}

static void test_refused_and_unreachable(void **state) {
    (void)state;
    scene_open((world_config){0}, 5060);
    tap_on(s.w.ar, true);
    n3_listener_free(s.listener);
    s.listener = NULL;
    end *refused = connect();
    run_for(5 * (uint64_t)SEC);
    assert_int_equal(refused->why, N3_TCP_END_REFUSED);
    OK(n3_listen(&s.listener, s.w.b, &s.server_at, on_accept, NULL));
    ibk_buf sent = {0};
    put_sip(&sent, "pass", 1, 3000);
    end *cut = connect();
    run_for(SEC);
    OK(n3_link_set_loss(s.w.rb, N3_AB,
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
    tap_on(s.w.ar, true);
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
        end *c = connect();
        OK(n3_tcp_send(c->tcp, sent[i].data, sent[i].len));
        if (i % 2)
            OK(n3_tcp_close(c->tcp));
    }
    run_for(200 * (uint64_t)SEC);
    assert_int_equal(s.servers, CONNECTIONS);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        n3_endpoint local, remote;
        size_t k = 0; /* its server */
        for (; k < CONNECTIONS; k++)
            if (s.server[k].got.len == arrives[i].len &&
                memcmp(s.server[k].got.data, arrives[i].data, arrives[i].len) == 0)
                break;
        assert_true(k < CONNECTIONS);
        assert_int_equal(s.client[i].ended, i % 2);
        if (!s.client[i].ended) {
            OK(n3_tcp_local(s.client[i].tcp, &local));
            OK(n3_tcp_remote(s.server[k].tcp, &remote));
            assert_true(n3_endpoint_equal(&local, &remote));
        }
        ibk_buf_free(&sent[i]);
        ibk_buf_free(&arrives[i]);
    }
    assert_int_equal(scene_close().streams, CONNECTIONS);
}

/* ---- what is not for us
 * ---------------------------------------------------------------------------------------- */

static void test_given_up(void **state) {
    (void)state;
    scene_open((world_config){.path.loss_ppb = LOSS_5_PERCENT}, 5060);
    tap_on(s.w.ar, true);
    static uint8_t noise[300000];
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)(i * 11 + i / 1000);
    ibk_buf sent = {0}, answer = {0}, insertion = {0};
    put_sip(&sent, "pass", 1, 100);
    assert_int_equal(ibk_buf_append(&sent, noise, sizeof noise), IBK_OK);
    put_sip(&answer, "shorter", 1, 200);
    end *c = connect();
    OK(n3_tcp_send(c->tcp, sent.data, sent.len));
    run_for(60 * (uint64_t)SEC);
    check_got(&s.server[0], &sent);
    put_sip(&insertion, "x", 1, 1);
    assert_int_equal(tap_send(s.t, &s.last, false, 0, ibk_buf_span(&insertion)), IBK_ERR_STATE);
    OK(n3_tcp_send(s.server[0].tcp, answer.data, answer.len)); /* the other direction is SIP still */
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
    tap_on(s.w.ar, true);
    end *c = connect();
    OK(n3_tcp_send(c->tcp, sent.data, sent.len));
    run_for(SEC);
    OK(n3_tcp_send(c->tcp, "abc", 3));
    assert_int_equal(ibk_buf_append(&sent, "abc", 3), IBK_OK);
    run_for(10 * (uint64_t)SEC);
    assert_int_equal(s.server[0].got.len, 0);
    run_for(20 * (uint64_t)SEC);
    check_got(&s.server[0], &sent);
    assert_int_equal(scene_close().given_up, 1);
    ibk_buf_free(&sent);
}

static void test_other_connections(void **state) {
    (void)state;
    ibk_buf sent = {0};
    put_sip(&sent, "drop", 1, 3000);
    scene_open((world_config){0}, 5060);
    end *before = connect(); /* open when the tap comes */
    run_for(SEC);
    tap_on(s.w.ar, true);
    OK(n3_tcp_send(before->tcp, sent.data, sent.len));
    run_for(SEC);
    check_got(&s.server[0], &sent);
    assert_int_equal(s.shown[TAP_SIP], 0);
    assert_true(s.shown[TAP_PACKET] > 3);
    n3_endpoint https = {s.w.address_b, 443};
    n3_listener *listener;
    OK(n3_listen(&listener, s.w.b, &https, on_accept, NULL));
    s.server_at = https;
    end *secure = connect();
    OK(n3_tcp_send(secure->tcp, sent.data, sent.len));
    run_for(SEC);
    check_got(&s.server[1], &sent);
    s.drop_packets = true;
    end *blocked = connect();
    run_for(120 * (uint64_t)SEC);
    assert_int_equal(blocked->why, N3_TCP_END_TIMED_OUT);
    n3_listener_free(listener);
    tap_stats stats = scene_close();
    assert_int_equal(stats.streams, 0);
    assert_true(stats.dropped > 0);
    ibk_buf_free(&sent);
}

/* ---- HTTP
 * -------------------------------------------------------------------------------------------------------- */

static ibk_buf http_changed;

static void change_http(void *user, const tap_message *message, tap_verdict *verdict) {
    (void)user;
    s.shown[message->kind]++;
    if (message->kind != TAP_HTTP)
        return;
    bool answer = memcmp(message->octets.data, "HTTP/1.1 200", 12) == 0;
    assert_int_equal(answer, message->from.port == s.server_at.port);
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
        assert_int_equal(tap_new(&s.t, s.w.sim, s.w.ar, true, change_http, NULL), IBK_OK);
        end *c = connect();
        OK(n3_tcp_send(c->tcp, request.data, request.len));
        run_for(100 * (uint64_t)SEC);
        check_got(&s.server[0], &request);
        OK(n3_tcp_send(s.server[0].tcp, answer.data, answer.len));
        run_for(100 * (uint64_t)SEC);
        check_got(c, &http_changed);
        assert_int_equal(s.shown[TAP_HTTP], 2);
        assert_int_equal(scene_close().given_up, 0);
        ibk_buf_free(&request);
        ibk_buf_free(&answer);
        ibk_buf_free(&http_changed);
    }
}

/* ---- listening only
 * -------------------------------------------------------------------------------------------------- */

static uint8_t *run_passive(const char *path, bool tapped, size_t *len) {
    ibk_buf sent = {0}, arrives = {0}, back = {0};
    make_mixture(&sent, &arrives, &back);
    scene_open((world_config){.path.loss_ppb = LOSS_5_PERCENT}, 5060);
    n3_capture *capture;
    OK(n3_capture_new(&capture, s.w.sim, path, N3_CAPTURE_EVERY));
    OK(n3_capture_add(capture, s.w.ar));
    OK(n3_capture_add(capture, s.w.rb));
    if (tapped)
        assert_int_equal(tap_new(&s.t, s.w.sim, s.w.rb, false, NULL, NULL), IBK_OK);
    for (int i = 0; i < 5; i++) {
        end *c = connect();
        OK(n3_tcp_send(c->tcp, sent.data, sent.len));
        if (i % 2)
            OK(n3_tcp_close(c->tcp));
    }
    run_for(300 * (uint64_t)SEC);
    for (size_t i = 0; i < 5; i++)
        check_got(&s.server[i], &sent);
    if (tapped)
        assert_int_equal(tap_get_stats(s.t).messages[TAP_SIP], 5 * 17);
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
        tap_on(s.w.ar, true);
        end *c = connect();
        OK(n3_tcp_send(c->tcp, sent.data, sent.len));
        run_for(after * MS);
        tap_free(s.t);
        s.t = NULL;
        run_for(5 * (uint64_t)SEC);
        scene_close();
    }
    ibk_buf_free(&sent);
    ibk_buf_free(&arrives);
    ibk_buf_free(&back);
}

/* After a failure too: there is one simulation at a time. */
static int close_scene(void **state) {
    (void)state;
    if (s.w.sim)
        scene_close();
    return 0;
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
        cmocka_unit_test_teardown(test_given_up, close_scene),
        cmocka_unit_test_teardown(test_given_up_behind_held, close_scene),
        cmocka_unit_test_teardown(test_other_connections, close_scene),
        cmocka_unit_test_teardown(test_http, close_scene),
        cmocka_unit_test_teardown(test_passive, close_scene),
        cmocka_unit_test_teardown(test_freed, close_scene),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
