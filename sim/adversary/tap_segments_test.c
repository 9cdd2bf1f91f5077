/* A client made by hand, segment by segment: what no well-behaved end does, and what the tap sends when. */
#include "adversary/tap.h"
#include "ns3shim/ip.h"
#include "ns3shim/n3_test.h"

#define ISN     1000u
#define MESSAGE "MESSAGE sip:x SIP/2.0\r\nContent-Length: 4\r\n\r\nbody"

typedef struct arrival {
    uint64_t time_ns;
    uint32_t seq, ack;
    uint8_t flags;
    uint16_t window;
    size_t len;
} arrival;

typedef struct scene {
    world w;
    tap *t;
    n3_listener *listener;
    n3_tcp *server;
    ibk_buf got, sent;
    bool ended;
    n3_tcp_end why;
    size_t shown;
    n3_endpoint from, to;
    arrival in[3000]; /* what the client gets */
    size_t count;
    bool sack_left, stamps_left; /* options that the client's SYN came through with */
    n3_capture *watch;
    uint32_t their_isn;
    uint64_t delay_ns;
} scene;

static scene s;

static void on_received(void *user, n3_tcp *tcp, const uint8_t *data, size_t len) {
    (void)user, (void)tcp;
    assert_int_equal(ibk_buf_append(&s.got, data, len), IBK_OK);
}

static void on_peer_closed(void *user, n3_tcp *tcp) {
    (void)user;
    OK(n3_tcp_close(tcp));
}

static void on_ended(void *user, n3_tcp *tcp, n3_tcp_end why) {
    (void)user, (void)tcp;
    s.ended = true;
    s.why = why;
}

static void on_accept(void *user, n3_tcp *tcp) {
    (void)user;
    n3_tcp_free(s.server); /* of the connection before */
    s.server = tcp;
    OK(n3_tcp_configure(
        tcp, &(n3_tcp_config){
                 .handlers = {.received = on_received, .peer_closed = on_peer_closed, .ended = on_ended}}));
}

static void seen(void *user, const tap_message *message, tap_verdict *verdict) {
    (void)user;
    s.shown += message->kind == TAP_SIP;
    verdict->delay_ns = s.delay_ns;
}

static bool has_option(const n3_segment *segment, uint8_t kind) {
    for (size_t i = 0; i < segment->options_len && segment->options[i];
         i += segment->options[i] == 1 ? 1 : segment->options[i + 1])
        if (segment->options[i] == kind)
            return true;
    return false;
}

/* The client's host must not hear of this: it knows of no connection and would reset it. */
static void intercept(void *user, n3_link *link, n3_direction direction, const uint8_t *packet, size_t len,
                      n3_verdict *verdict) {
    n3_ip ip;
    n3_segment segment;
    (void)user, (void)link;
    if (direction != N3_BA || !n3_ip_read(&ip, packet, len) || !n3_segment_read(&segment, &ip))
        return;
    verdict->action = N3_DROP;
    if (segment.flags & N3_SYN)
        s.their_isn = segment.seq;
    if (s.count < sizeof s.in / sizeof *s.in)
        s.in[s.count++] =
            (arrival){n3_now(s.w.sim), segment.seq, segment.ack, segment.flags, segment.window, segment.len};
}

/* What goes to the server: of a packet and its replacement, the latter comes last. */
static bool watch(void *user, const n3_link *link, n3_direction direction, const uint8_t *packet,
                  size_t len) {
    n3_ip ip;
    n3_segment segment;
    (void)user, (void)link;
    if (direction == N3_AB && n3_ip_read(&ip, packet, len) && n3_segment_read(&segment, &ip) &&
        segment.flags & N3_SYN) {
        s.sack_left = has_option(&segment, 4);
        s.stamps_left = has_option(&segment, 8);
    }
    return false;
}

/* Sends a segment from the client, with SYN options if given. */
static void say(uint32_t seq, uint32_t ack, uint8_t flags, uint16_t window, ibk_span options, ibk_span data) {
    uint8_t packet[1600] = {0x45, [8] = 64, [9] = N3_PROTOCOL_TCP};
    memcpy(packet + 12, s.from.addr.octets, 4);
    memcpy(packet + 16, s.to.addr.octets, 4);
    uint8_t *tcp = packet + 20;
    const uint32_t field[] = {(uint32_t)s.from.port << 16 | s.to.port, seq, ack,
                              (uint32_t)((20 + options.len) / 4) << 28 | (uint32_t)flags << 16 | window};
    for (size_t i = 0; i < 16; i++)
        tcp[i] = (uint8_t)(field[i / 4] >> (24 - 8 * (i % 4)));
    if (options.len)
        memcpy(tcp + 20, options.data, options.len);
    if (data.len)
        memcpy(tcp + 20 + options.len, data.data, data.len);
    OK(n3_link_inject(s.w.ar, N3_AB, packet, 40 + options.len + data.len));
}

static void say_text(uint32_t offset, const char *text) {
    say(ISN + 1 + offset, s.their_isn + 1, N3_ACK, 8000, (ibk_span){0}, ibk_span_str(text));
}

static void say_ack(uint32_t offset, uint16_t window) {
    say(ISN + 1, s.their_isn + 1 + offset, N3_ACK, window, (ibk_span){0}, (ibk_span){0});
}

static void run_for(uint64_t ns) {
    OK(n3_run_until(s.w.sim, n3_now(s.w.sim) + ns));
}

static void scene_open(bool active, uint16_t window, ibk_span options) {
    memset(&s, 0, sizeof s);
    s.w = world_new((world_config){0});
    s.from = (n3_endpoint){s.w.address_a, 50000};
    s.to = (n3_endpoint){s.w.address_b, 5060};
    OK(n3_listen(&s.listener, s.w.b, &s.to, on_accept, NULL));
    OK(n3_link_set_hook(s.w.ar, intercept, NULL));
    OK(n3_capture_new(&s.watch, s.w.sim, "/dev/null", N3_CAPTURE_EVERY));
    OK(n3_capture_filter(s.watch, watch, NULL));
    OK(n3_capture_add(s.watch, s.w.rb));
    assert_int_equal(tap_new(&s.t, s.w.sim, s.w.rb, active, seen, NULL), IBK_OK);
    say(ISN, 0, N3_SYN, window, options, (ibk_span){0});
    run_for(100 * MS);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.in[0].flags, N3_SYN | N3_ACK);
    say_ack(0, window);
    run_for(SEC);
    assert_non_null(s.server);
}

static tap_stats scene_close(void) {
    tap_stats stats = tap_get_stats(s.t);
    tap_free(s.t);
    OK(n3_capture_free(s.watch));
    n3_tcp_free(s.server);
    n3_listener_free(s.listener);
    ibk_buf_free(&s.got);
    ibk_buf_free(&s.sent);
    OK(n3_sim_free(s.w.sim));
    s.w.sim = NULL;
    return stats;
}

/* The server sends a message of `len` octets. */
static void serve(size_t len) {
    char head[80];
    ibk_buf_clear(&s.sent);
    int n = snprintf(head, sizeof head, "MESSAGE sip:y SIP/2.0\r\nContent-Length: %zu\r\n\r\n", len);
    assert_int_equal(ibk_buf_append(&s.sent, head, (size_t)n), IBK_OK);
    assert_int_equal(ibk_buf_resize(&s.sent, s.sent.len + len), IBK_OK);
    OK(n3_tcp_send(s.server, s.sent.data, s.sent.len));
}

static uint32_t behind(const arrival *a) { /* octets from the server's first one to the end of this */
    return a->seq + (uint32_t)a->len - s.their_isn - 1;
}

static void test_syn_options(void **state) {
    (void)state;
    static const uint8_t options[] = {2, 4, 0x01, 0xf4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 3, 3, 2, 0};
    scene_open(true, 60000, ibk_span_of(options, sizeof options));
    assert_false(s.sack_left || s.stamps_left);
    serve(3000);
    run_for(SEC);
    assert_true(s.count > 7);
    for (size_t i = 1; i < s.count; i++) /* the announced 500 octets at most */
        assert_true(s.in[i].len <= 500);
    scene_close();
    scene_open(false, 60000, ibk_span_of(options, sizeof options));
    assert_true(s.sack_left && s.stamps_left); /* which a listener leaves alone */
    scene_close();
}

/* RFC 9293 §3.8.6.1: a closed window is probed, as long as the receiver answers. */
static void test_zero_window(void **state) {
    (void)state;
    scene_open(true, 1000, (ibk_span){0});
    serve(3000);
    run_for(100 * MS);
    assert_int_equal(behind(&s.in[s.count - 1]), 1000); /* not more than the window */
    say_ack(1000, 0);
    run_for(100 * MS);
    for (int i = 0; i < 10; i++) {
        size_t before = s.count;
        while (s.count == before && n3_now(s.w.sim) < 2000 * (uint64_t)SEC)
            run_for(100 * MS);
        assert_int_equal(s.count, before + 1);
        assert_int_equal(s.in[before].len, 1);
        assert_int_equal(behind(&s.in[before]), 1001);
        say_ack(1000, 0);
    }
    size_t before = s.count;
    say_ack(1000, 5000);
    run_for(100 * MS);
    assert_true(s.count > before);
    assert_int_equal(behind(&s.in[before]) - s.in[before].len, 1000); /* with the octet of the probes */
    assert_int_equal(behind(&s.in[s.count - 1]), s.sent.len);
    assert_false(s.ended);
    scene_close();
}

/* RFC 6298 §5: sent again after 1, 2, 4, … seconds; then both ends are told. */
static void test_silent_receiver(void **state) {
    (void)state;
    scene_open(true, 8000, (ibk_span){0});
    size_t before = s.count;
    serve(100);
    run_for(300 * (uint64_t)SEC);
    assert_int_equal(s.count,
                     before + 1 + 6 + 2); /* the resets: the tap's, and the answer of the server to its own */
    uint64_t wait = SEC;
    for (size_t i = before + 2; i < before + 7; i++) {
        wait *= 2;
        assert_in_range(s.in[i].time_ns - s.in[i - 1].time_ns, wait, wait + 10 * MS);
        assert_int_equal(behind(&s.in[i]), s.sent.len);
    }
    assert_true(s.in[s.count - 2].flags & N3_RST);
    assert_true(s.ended);
    assert_int_equal(s.why, N3_TCP_END_RESET);
    assert_int_equal(tap_get_stats(s.t).resent, 6);
    scene_close();
}

/* RFC 6928: ten segments at first. RFC 5681 §3.2: three repeated acknowledgements, and the missing segment is
 * sent again at once. RFC 6582 §3.2: the next one that is missing as soon as that is known. */
static void test_fast_retransmit(void **state) {
    (void)state;
    scene_open(true, 60000, (ibk_span){0});
    size_t before = s.count;
    serve(20000);
    run_for(50 * MS);
    assert_int_equal(s.count, before + 10);
    const uint32_t size = (uint32_t)s.in[before].len;
    for (int i = 0; i < 2; i++)
        say_ack(0, 60000);
    run_for(50 * MS);
    assert_int_equal(s.count, before + 10);
    say_ack(0, 60000);
    run_for(50 * MS);
    assert_int_equal(s.in[before + 10].seq, s.their_isn + 1);
    size_t now = s.count;
    say_ack(3 * size, 60000); /* the fourth is missing too */
    run_for(50 * MS);
    assert_int_equal(s.in[now].seq, s.their_isn + 1 + 3 * size);
    say_ack((uint32_t)s.sent.len, 60000); /* of what was not sent yet: to be ignored */
    run_for(50 * MS);
    say_ack(10 * size, 60000);
    run_for(100 * MS);
    say_ack((uint32_t)s.sent.len, 60000);
    now = s.count;
    run_for(300 * (uint64_t)SEC);
    assert_int_equal(s.count, now); /* and nothing more */
    assert_int_equal(behind(&s.in[now - 1]), s.sent.len);
    assert_int_equal(scene_close().resent, 2);
}

/* Segments in any order, twice, and overlapping: one message. */
static void test_disorder(void **state) {
    (void)state;
    for (int active = 0; active < 2; active++) {
        scene_open(active, 8000, (ibk_span){0});
        const size_t whole = strlen(MESSAGE);
        char part[sizeof MESSAGE];
        static const size_t piece[][2] = {{30, 40}, {10, 20}, {30, 40}, {15, 35},
                                          {5, 12},  {38, 47}, {20, 25}};
        for (size_t i = 0; i < sizeof piece / sizeof *piece; i++) {
            snprintf(part, sizeof part, "%.*s", (int)(piece[i][1] - piece[i][0]), &MESSAGE[piece[i][0]]);
            say_text((uint32_t)piece[i][0], part);
            run_for(50 * MS);
        }
        if (active) /* each was answered with what is missing */
            assert_int_equal(s.in[s.count - 1].ack, ISN + 1);
        assert_int_equal(s.shown, 0);
        snprintf(part, sizeof part, "%.5s", MESSAGE);
        say_text(0, part);
        run_for(50 * MS);
        assert_int_equal(whole, 48);
        if (active) /* a SYN that was on its way for long */
            say(ISN, 0, N3_SYN, 8000, (ibk_span){0}, (ibk_span){0});
        run_for(50 * MS);
        say_text(47, "y");
        run_for(SEC);
        assert_int_equal(s.shown, 1);
        assert_int_equal(s.got.len, whole);
        assert_memory_equal(s.got.data, MESSAGE, whole);
        size_t before = s.count;
        say_text(10, "twice"); /* of long ago: acknowledged again */
        run_for(SEC);
        assert_int_equal(s.count, before + 1);
        assert_int_equal(s.in[before].ack, ISN + 1 + whole);
        scene_close();
    }
}

static void test_resets(void **state) {
    (void)state;
    scene_open(true, 8000, (ibk_span){0});
    say_text(0, MESSAGE);
    run_for(SEC);
    say(ISN - 100, 0, N3_RST, 0, (ibk_span){0}, (ibk_span){0}); /* old, and far ahead */
    say(ISN + 100000000, 0, N3_RST, 0, (ibk_span){0}, (ibk_span){0});
    run_for(SEC);
    assert_false(s.ended);
    say(ISN + 1 + (uint32_t)strlen(MESSAGE), 0, N3_RST, 0, (ibk_span){0}, (ibk_span){0});
    run_for(SEC);
    assert_true(s.ended);
    assert_int_equal(s.why, N3_TCP_END_RESET);
    scene_close();
}

/* The same ports again, before the tap knows that the old connection is gone. */
static void test_ports_again(void **state) {
    (void)state;
    scene_open(true, 8000, (ibk_span){0});
    s.delay_ns = SEC;
    say_text(0, MESSAGE);
    run_for(100 * MS);
    n3_tcp_abort(s.server); /* its reset the client never heard of */
    say(ISN + 5000, 0, N3_SYN, 8000, (ibk_span){0}, (ibk_span){0});
    run_for(10 * (uint64_t)SEC);
    assert_int_equal(s.got.len, 0);
    s.delay_ns = 0;
    say(ISN + 5001, s.their_isn + 1, N3_ACK, 8000, (ibk_span){0}, ibk_span_str(MESSAGE));
    run_for(SEC);
    assert_int_equal(s.shown, 2);
    assert_int_equal(s.got.len, strlen(MESSAGE));
    assert_int_equal(tap_get_stats(s.t).streams, 2);
    scene_close();
}

/* RFC 9293 §3.10.7.4: a repeated FIN is acknowledged, also when all is over. */
static void test_fin_again(void **state) {
    (void)state;
    scene_open(true, 8000, (ibk_span){0});
    say(ISN + 1, s.their_isn + 1, N3_ACK | N3_FIN, 8000, (ibk_span){0}, (ibk_span){0});
    run_for(SEC); /* the server closes too, and we acknowledge that */
    say(ISN + 2, s.their_isn + 2, N3_ACK, 8000, (ibk_span){0}, (ibk_span){0});
    run_for(5 * (uint64_t)SEC);
    assert_int_equal(s.why, N3_TCP_END_CLOSED);
    size_t before = s.count;
    say(ISN + 1, s.their_isn + 1, N3_ACK | N3_FIN, 8000, (ibk_span){0}, (ibk_span){0});
    run_for(SEC);
    assert_int_equal(s.count, before + 1);
    assert_int_equal(s.in[before].ack, ISN + 2);
    assert_int_equal(s.in[before].flags, N3_ACK);
    say(ISN + 9000, 0, N3_SYN, 8000, (ibk_span){0}, (ibk_span){0}); /* another connection of the same ports */
    run_for(SEC);
    say(ISN + 9001, s.their_isn + 1, N3_ACK, 8000, (ibk_span){0}, ibk_span_str(MESSAGE));
    run_for(SEC);
    assert_int_equal(s.shown, 1);
    assert_int_equal(s.got.len, strlen(MESSAGE));
    assert_int_equal(tap_get_stats(s.t).streams, 2);
    scene_close();
}

/* Anything at all in place of segments: nothing breaks, and what is kept is bounded. */
static void test_anything(void **state) {
    (void)state;
    for (uint32_t seed = 1; seed <= 30; seed++) {
        uint32_t random = seed * 2654435761u;
        scene_open(seed % 4 != 0, 8000, (ibk_span){0});
        s.delay_ns = seed % 3 ? 0 : 100 * MS;
        serve(20000);
        for (int i = 0; i < 1500; i++) {
            static char noise[1400];
            random = random * 1664525 + 1013904223;
            static const uint8_t flags[] = {N3_ACK, N3_ACK, N3_ACK, N3_ACK,          N3_ACK, N3_ACK,
                                            N3_ACK, N3_ACK, N3_ACK, N3_ACK | N3_FIN, N3_PSH, N3_SYN};
            uint8_t flag = flags[(random >> 8) % (i > 1000 ? sizeof flags : 9)];
            flag = i > 1400 && random >> 30 == 0 ? N3_RST : flag;
            uint32_t offset = (random >> 12) % 3000, ack = (random >> 16) % 22000;
            size_t len = (random >> 20) % 5 == 0 ? (random >> 5) % sizeof noise : 0;
            size_t at = offset % strlen(MESSAGE);
            for (size_t k = 0; k < len; k++)
                noise[k] = MESSAGE[(at + k) % strlen(MESSAGE)];
            say(ISN + 1 + offset, s.their_isn + 1 + ack, flag, (uint16_t)(random >> 16), (ibk_span){0},
                ibk_span_of(noise, len));
            run_for(((random >> 3) % 40) * MS);
        }
        run_for(300 * (uint64_t)SEC);
        assert_true(s.shown > 0);
        scene_close();
    }
}

/* More SYNs than connections are followed: the rest are packets, until the old ones are forgotten. */
static void test_flood(void **state) {
    (void)state;
    scene_open(true, 8000, (ibk_span){0});
    OK(n3_link_set_loss(s.w.rb, N3_AB, N3_LOSS_ALWAYS));
    for (unsigned i = 1; i < TAP_MAX_STREAMS + 10; i++) {
        s.from.port = (uint16_t)(10000 + i);
        say(ISN, 0, N3_SYN, 8000, (ibk_span){0}, (ibk_span){0});
        run_for(MS / 10);
    }
    run_for(SEC);
    tap_stats stats = tap_get_stats(s.t);
    assert_int_equal(stats.streams, TAP_MAX_STREAMS);
    assert_int_equal(stats.over_limit, 10);
    assert_int_equal(stats.messages[TAP_PACKET], 10);
    run_for(601 * (uint64_t)SEC);
    say(ISN, 0, N3_SYN, 8000, (ibk_span){0}, (ibk_span){0});
    run_for(SEC);
    assert_int_equal(tap_get_stats(s.t).streams, TAP_MAX_STREAMS + 1);
    OK(n3_link_set_loss(s.w.rb, N3_AB, 0));
    s.from.port = 50000; /* the one that was open before lives on */
    say(ISN + 1, s.their_isn + 1, N3_ACK, 8000, (ibk_span){0}, ibk_span_str(MESSAGE));
    run_for(SEC);
    assert_int_equal(s.shown, 1);
    assert_int_equal(s.got.len, strlen(MESSAGE));
    scene_close();
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
        cmocka_unit_test_teardown(test_syn_options, close_scene),
        cmocka_unit_test_teardown(test_zero_window, close_scene),
        cmocka_unit_test_teardown(test_silent_receiver, close_scene),
        cmocka_unit_test_teardown(test_fast_retransmit, close_scene),
        cmocka_unit_test_teardown(test_disorder, close_scene),
        cmocka_unit_test_teardown(test_resets, close_scene),
        cmocka_unit_test_teardown(test_ports_again, close_scene),
        cmocka_unit_test_teardown(test_anything, close_scene),
        cmocka_unit_test_teardown(test_flood, close_scene),
        cmocka_unit_test_teardown(test_fin_again, close_scene),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
