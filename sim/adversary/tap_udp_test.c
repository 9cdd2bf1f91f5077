/* Datagrams on a tapped link: passed, dropped, replaced, delayed, added; whole and in fragments. */
#include "adversary/tap.h"
#include "ns3shim/n3_test.h"

static const n3_family families[] = {N3_IPV4, N3_IPV6};

/* What the handler does with every message. */
typedef struct plan {
    tap *t;
    tap_verdict verdict;
    bool insert, reverse;
    uint64_t insert_delay_ns;
    size_t shown[TAP_KINDS];
    tap_message last; /* its octets are not kept */
    size_t last_len;
    uint32_t last_sum;
} plan;

static uint32_t sum(const uint8_t *data, size_t len) {
    uint32_t value = 0;
    for (size_t i = 0; i < len; i++)
        value = value * 31 + data[i];
    return value;
}

static void seen(void *user, const tap_message *message, tap_verdict *verdict) {
    plan *p = user;
    p->shown[message->kind]++;
    if (message->kind == TAP_PACKET)
        return;
    p->last = *message;
    p->last_len = message->octets.len;
    p->last_sum = sum(message->octets.data, message->octets.len);
    *verdict = p->verdict;
    if (p->insert)
        assert_int_equal(tap_send(p->t, message, p->reverse, p->insert_delay_ns, ibk_span_str("inserted")),
                         IBK_OK);
}

typedef struct scene {
    world w;
    plan p;
    inbox at_a, at_b;
    n3_udp *a, *b;
    n3_endpoint to;
    tap *t;
} scene;

static scene s;
static uint8_t big[20000];

static void scene_open(n3_family family, uint32_t loss_ppb, bool active, uint16_t port) {
    memset(&s, 0, sizeof s);
    s.w = world_new((world_config){.family = family, .path.loss_ppb = loss_ppb, .seed = 5});
    s.at_a.sim = s.at_b.sim = s.w.sim;
    s.to = (n3_endpoint){s.w.address_b, port};
    OK(n3_udp_new(&s.a, s.w.a, &(n3_endpoint){s.w.address_a, 7000}, inbox_take, &s.at_a));
    OK(n3_udp_new(&s.b, s.w.b, &s.to, inbox_take, &s.at_b));
    assert_int_equal(tap_new(&s.t, s.w.sim, s.w.ar, active, seen, &s.p), IBK_OK);
    s.p.t = s.t;
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (uint8_t)(i * 7 + i / 251);
}

static void scene_send(size_t len) {
    OK(n3_udp_send(s.a, &s.to, big, len));
    OK(n3_run(s.w.sim));
}

static tap_stats scene_close(void) {
    tap_stats stats = s.t ? tap_get_stats(s.t) : (tap_stats){0};
    tap_free(s.t);
    n3_udp_free(s.a);
    n3_udp_free(s.b);
    OK(n3_sim_free(s.w.sim));
    s.w.sim = NULL;
    return stats;
}

static void expect(const inbox *box, size_t count, const void *data, size_t len) {
    assert_int_equal(box->count, count);
    assert_int_equal(box->len, len);
    assert_memory_equal(box->data, data, len);
}

static const size_t sizes[] = {10, 1400, 1473, 5000, 20000};

static void test_pass_and_drop(void **state) {
    (void)state;
    for (size_t f = 0; f < 2; f++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            scene_open(families[f], 0, true, 5060);
            scene_send(sizes[i]);
            assert_int_equal(s.p.shown[TAP_SIP], 1);
            assert_int_equal(s.p.last_len, sizes[i]);
            assert_int_equal(s.p.last_sum, sum(big, sizes[i]));
            assert_int_equal(s.p.last.direction, N3_AB);
            assert_ptr_equal(s.p.last.link, s.w.ar);
            assert_false(s.p.last.tcp);
            assert_true(n3_endpoint_equal(&s.p.last.to, &s.to));
            assert_int_equal(s.p.last.from.port, 7000);
            expect(&s.at_b, 1, big, sizes[i]);
            s.p.verdict.what = TAP_DROP;
            scene_send(sizes[i]);
            assert_int_equal(s.p.shown[TAP_SIP], 2);
            assert_int_equal(s.at_b.count, 1);
            tap_stats stats = scene_close();
            assert_int_equal(stats.messages[TAP_SIP], 2);
            assert_int_equal(stats.dropped, 1);
            assert_int_equal(stats.incomplete + stats.over_limit + stats.refused, 0);
        }
}

/* Any size into any other: fragments come and go as needed. */
static void test_replace(void **state) {
    (void)state;
    for (size_t f = 0; f < 2; f++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
                uint8_t other[20000];
                memset(other, 'Z', sizeof other);
                other[0] = 'C';
                scene_open(families[f], 0, true, 4000);
                s.p.verdict = (tap_verdict){.what = TAP_REPLACE, .octets = {other, sizes[j]}};
                scene_send(sizes[i]);
                assert_int_equal(s.p.shown[TAP_MEDIA], 1);
                expect(&s.at_b, 1, other, sizes[j]);
                assert_int_equal(s.at_b.from.port, 7000);
                assert_true(n3_addr_equal(&s.at_b.from.addr, &s.w.address_a));
                assert_int_equal(scene_close().replaced, 1);
            }
}

static void test_empty_replacement(void **state) {
    (void)state;
    scene_open(N3_IPV4, 0, true, 4000);
    s.p.verdict.what = TAP_REPLACE;
    scene_send(10);
    expect(&s.at_b, 1, "", 0);
    scene_close();
}

static void test_delay(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int replaced = 0; replaced < 2; replaced++) {
            scene_open(N3_IPV4, 0, true, 4000);
            scene_send(sizes[i]);
            uint64_t usual = s.at_b.last_time, start = n3_now(s.w.sim);
            s.p.verdict = (tap_verdict){.what = replaced ? TAP_REPLACE : TAP_PASS,
                                        .delay_ns = 700 * (uint64_t)MS,
                                        .octets = {big, sizes[i]}};
            scene_send(sizes[i]);
            expect(&s.at_b, 2, big, sizes[i]);
            assert_in_range(s.at_b.last_time - start, usual + 700 * MS, usual + 702 * MS);
            assert_int_equal(scene_close().delayed, 1);
        }
}

/* A later datagram overtakes one that is delayed. */
static void test_overtaking(void **state) {
    (void)state;
    scene_open(N3_IPV4, 0, true, 4000);
    s.p.verdict.delay_ns = SEC;
    OK(n3_udp_send(s.a, &s.to, "late", 4));
    OK(n3_run_until(s.w.sim, 100 * MS));
    s.p.verdict.delay_ns = 0;
    OK(n3_udp_send(s.a, &s.to, "soon", 4));
    OK(n3_run_until(s.w.sim, 200 * MS));
    expect(&s.at_b, 1, "soon", 4);
    OK(n3_run(s.w.sim));
    expect(&s.at_b, 2, "late", 4);
    scene_close();
}

static void test_insert(void **state) {
    (void)state;
    for (size_t f = 0; f < 2; f++) {
        scene_open(families[f], 0, true, 5060);
        s.p.insert = true;
        s.p.insert_delay_ns = 50 * MS;
        scene_send(10);
        expect(&s.at_b, 2, "inserted", 8);
        assert_int_equal(s.at_b.from.port, 7000);
        s.p.reverse = true;
        s.p.verdict.what = TAP_DROP;
        scene_send(10);
        assert_int_equal(s.at_b.count, 2);
        expect(&s.at_a, 1, "inserted", 8); /* in the place of b */
        assert_true(n3_endpoint_equal(&s.at_a.from, &s.to));
        assert_int_equal(s.p.shown[TAP_SIP], 2); /* what is inserted is not shown */
        n3_endpoint forged = {
            families[f] == N3_IPV4 ? (n3_addr){N3_IPV4, {9, 9, 9, 9}} : (n3_addr){N3_IPV6, {0xfd, 9}}, 666};
        assert_int_equal(tap_send_udp(s.t, N3_AB, &forged, &s.to, 0, ibk_span_of(big, 5000)), IBK_OK);
        OK(n3_run(s.w.sim));
        expect(&s.at_b, 3, big, 5000);
        assert_true(n3_endpoint_equal(&s.at_b.from, &forged));
        assert_int_equal(scene_close().sent, 3);
    }
}

/* Of what is tapped on the way, the links lose their part: the tap neither hangs nor invents anything. */
static void test_loss(void **state) {
    (void)state;
    for (size_t f = 0; f < 2; f++)
        for (int second = 0; second < 2; second++) {
            scene_open(families[f], 50000000, true, 4000);
            if (second) {
                tap_free(s.t);
                assert_int_equal(tap_new(&s.t, s.w.sim, s.w.rb, true, seen, &s.p), IBK_OK);
                s.p.t = s.t;
            }
            s.p.insert = true;
            s.p.verdict = (tap_verdict){.what = TAP_REPLACE, .octets = {big, 4000}};
            for (int i = 0; i < 400; i++) {
                OK(n3_udp_send(s.a, &s.to, big, 3000));
                OK(n3_run_until(s.w.sim, n3_now(s.w.sim) + 20 * MS));
            }
            /* A datagram passes a link in one piece or in two or three, of which 5 % each are lost. */
            size_t shown = s.p.shown[TAP_MEDIA];
            assert_in_range(shown, second ? 300 : 400, second ? 390 : 400);
            assert_in_range(s.at_b.count, shown, 2 * shown);
            OK(n3_udp_send(s.a, &s.to, big, 3000));
            OK(n3_run_until(s.w.sim, n3_now(s.w.sim) + 40 * (uint64_t)SEC));
            OK(n3_udp_send(s.a, &s.to, big, 3000)); /* the incomplete ones are given up by now */
            OK(n3_run(s.w.sim));
            shown = s.p.shown[TAP_MEDIA];
            tap_stats stats = scene_close();
            assert_in_range(stats.incomplete, second ? 1 : 0, 402 - shown); /* of some, all is lost */
            assert_int_equal(stats.over_limit, 0);
        }
}

/* A datagram in pieces, as the test says: offset and length each. Its octets are those of `big`. */
static void inject_pieces(const size_t (*piece)[2], size_t count, size_t total) {
    static uint8_t whole[65535], id;
    id++;
    size_t len = sizeof whole;
    n3_endpoint from = {s.w.address_a, 7000};
    OK(n3_packet_udp(whole, &len, &from, &s.to, big, total - 8));
    for (size_t i = 0; i < count; i++) {
        uint8_t packet[2000];
        bool more = piece[i][0] + piece[i][1] < total;
        memcpy(packet, whole, 20);
        packet[4] = id;
        packet[6] = (uint8_t)((more ? 0x20 : 0) | piece[i][0] / 8 >> 8);
        packet[7] = (uint8_t)(piece[i][0] / 8);
        memcpy(packet + 20, whole + 20 + piece[i][0], piece[i][1]);
        OK(n3_link_inject(s.w.ar, N3_AB, packet, 20 + piece[i][1]));
        OK(n3_run_until(s.w.sim, n3_now(s.w.sim) + 50 * MS));
    }
}

static void test_odd_fragments(void **state) {
    (void)state;
    for (int active = 0; active < 2; active++) {
        scene_open(N3_IPV4, 0, active, 4000);
        tap_free(s.t);
        assert_int_equal(tap_new(&s.t, s.w.sim, s.w.rb, active, seen, &s.p), IBK_OK);
        s.p.t = s.t;
        inject_pieces((const size_t[][2]){{800, 200}, {400, 400}, {400, 400}, {0, 400}}, 4, 1000);
        assert_int_equal(s.p.shown[TAP_MEDIA], 1); /* in any order; one came twice */
        assert_int_equal(s.p.last_sum, sum(big, 992));
        expect(&s.at_b, 1, big, 992);
        inject_pieces((const size_t[][2]){{0, 400}, {392, 408}, {800, 200}}, 3, 1000); /* overlapping */
        inject_pieces((const size_t[][2]){{0, 404}, {408, 592}}, 2, 1000);             /* no multiple of 8 */
        assert_int_equal(s.p.shown[TAP_MEDIA], 1);
        assert_int_equal(scene_close().incomplete, 2);
    }
}

/* What replaces a packet looks as if it came as far. */
static void test_replacement_looks_alike(void **state) {
    (void)state;
    for (size_t f = 0; f < 2; f++) {
        scene_open(families[f], 0, true, 4000);
        tap_free(s.t);
        assert_int_equal(tap_new(&s.t, s.w.sim, s.w.rb, true, seen, &s.p), IBK_OK);
        s.p.verdict = (tap_verdict){.what = TAP_REPLACE, .octets = ibk_span_str("changed")};
        n3_capture *capture;
        OK(n3_capture_new(&capture, s.w.sim, "tap_udp_test_alike.pcap", N3_CAPTURE_EVERY));
        OK(n3_capture_add(capture, s.w.rb));
        scene_send(7);
        OK(n3_capture_free(capture));
        size_t len, header = families[f] == N3_IPV4 ? 20 : 40, packet = header + 8 + 7;
        uint8_t *pcap = read_all("tap_udp_test_alike.pcap", &len);
        const uint8_t *first = pcap + 24 + 16 + 2, *second = first + packet + 16 + 2;
        assert_int_equal(len, 24 + 2 * (16 + 2 + packet));
        assert_memory_equal(second, first, header + 6); /* up to the checksum */
        assert_memory_equal(second + header + 8, "changed", 7);
        free(pcap);
        scene_close();
    }
}

static void *run_once(const char *path, int tapped, size_t *len) {
    scene_open(N3_IPV4, 50000000, false, 4000);
    if (!tapped) {
        tap_free(s.t);
        s.t = NULL;
    }
    s.p.verdict = (tap_verdict){.what = TAP_DROP, .delay_ns = SEC}; /* which does not count */
    n3_capture *capture;
    OK(n3_capture_new(&capture, s.w.sim, path, N3_CAPTURE_EVERY));
    OK(n3_capture_add(capture, s.w.ar));
    OK(n3_capture_add(capture, s.w.rb));
    for (int i = 0; i < 200; i++) {
        OK(n3_udp_send(s.a, &s.to, big, 100 + 40 * (size_t)i));
        if (s.at_b.count)
            OK(n3_udp_send(s.b, &s.at_b.from, big, 5000));
        OK(n3_run_until(s.w.sim, n3_now(s.w.sim) + 20 * MS));
    }
    OK(n3_run(s.w.sim));
    OK(n3_capture_free(capture));
    if (tapped) {
        assert_true(s.p.shown[TAP_MEDIA] > 200);
        tap_stats stats = tap_get_stats(s.t);
        assert_int_equal(stats.dropped + stats.delayed, 0);
        assert_int_equal(tap_send(s.t, &s.p.last, false, 0, ibk_span_str("x")), IBK_ERR_STATE);
    }
    scene_close();
    return read_all(path, len);
}

static void test_passive(void **state) {
    (void)state;
    size_t with_len, without_len;
    void *with = run_once("tap_udp_test_with.pcap", 1, &with_len);
    void *without = run_once("tap_udp_test_without.pcap", 0, &without_len);
    assert_int_equal(with_len, without_len);
    assert_memory_equal(with, without, with_len);
    free(with);
    free(without);
}

static void on_packets(void *user, const tap_message *message, tap_verdict *verdict) {
    plan *p = user;
    p->shown[message->kind]++;
    if (message->kind == TAP_PACKET) {
        assert_int_equal(message->octets.data[0] >> 4, 4);
        assert_int_equal(message->from.port, 0);
        *verdict = p->verdict;
    }
}

/* ICMP (port unreachable) is a packet: it can be dropped, and not be replaced. */
static void test_other_packets(void **state) {
    (void)state;
    scene_open(N3_IPV4, 0, true, 4000);
    tap_free(s.t);
    assert_int_equal(tap_new(&s.t, s.w.sim, s.w.ar, true, on_packets, &s.p), IBK_OK);
    s.to.port = 4001; /* nobody there */
    n3_link_stats before, after;
    scene_send(10);
    assert_int_equal(s.p.shown[TAP_PACKET], 1);
    OK(n3_link_get_stats(s.w.ar, &before, N3_BA));
    assert_int_equal(before.delivered_packets, 1);
    s.p.verdict.what = TAP_REPLACE;
    scene_send(10);
    OK(n3_link_get_stats(s.w.ar, &after, N3_BA));
    assert_int_equal(after.delivered_packets, 2);
    assert_int_equal(tap_get_stats(s.t).refused, 1);
    s.p.verdict.what = TAP_DROP;
    scene_send(10);
    OK(n3_link_get_stats(s.w.ar, &after, N3_BA));
    assert_int_equal(after.delivered_packets, 2);
    scene_close();
}

static void test_arguments(void **state) {
    (void)state;
    scene_open(N3_IPV4, 0, true, 4000);
    tap *t;
    n3_endpoint six = {n3_addr_any(N3_IPV6), 1};
    tap_message like = {.kind = TAP_PACKET, .from = s.to, .to = s.to};
    ibk_span x = ibk_span_str("x");
    assert_int_equal(tap_new(&t, NULL, s.w.ar, true, seen, NULL), IBK_ERR_USAGE);
    assert_int_equal(tap_new(&t, s.w.sim, NULL, true, seen, NULL), IBK_ERR_USAGE);
    assert_null(t);
    assert_int_equal(tap_send(s.t, &like, false, 0, x), IBK_ERR_USAGE);
    like.kind = TAP_SIP;
    assert_int_equal(tap_send(s.t, &like, false, N3_MAX_LINK_DELAY + 1, x), IBK_ERR_USAGE);
    like.tcp = true;
    assert_int_equal(tap_send(s.t, &like, false, 0, x), IBK_ERR_STATE); /* no such connection */
    assert_int_equal(tap_send_udp(s.t, N3_AB, &six, &s.to, 0, x), IBK_ERR_USAGE);
    assert_int_equal(tap_send_udp(s.t, (n3_direction)2, &s.to, &s.to, 0, x), IBK_ERR_USAGE);
    static uint8_t huge[N3_UDP_MAX + 1];
    assert_int_equal(tap_send_udp(s.t, N3_AB, &s.to, &s.to, 0, ibk_span_of(huge, sizeof huge)),
                     IBK_ERR_LIMIT);
    s.p.verdict = (tap_verdict){.what = TAP_REPLACE, .octets = {huge, sizeof huge}};
    scene_send(10);
    expect(&s.at_b, 1, big, 10); /* the original passes */
    s.p.verdict = (tap_verdict){.what = (tap_do)17};
    scene_send(10);
    assert_int_equal(s.at_b.count, 2);
    assert_int_equal(scene_close().refused, 2);
    tap_free(NULL);
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
        cmocka_unit_test_teardown(test_pass_and_drop, close_scene),
        cmocka_unit_test_teardown(test_replace, close_scene),
        cmocka_unit_test_teardown(test_empty_replacement, close_scene),
        cmocka_unit_test_teardown(test_delay, close_scene),
        cmocka_unit_test_teardown(test_overtaking, close_scene),
        cmocka_unit_test_teardown(test_insert, close_scene),
        cmocka_unit_test_teardown(test_loss, close_scene),
        cmocka_unit_test_teardown(test_passive, close_scene),
        cmocka_unit_test_teardown(test_odd_fragments, close_scene),
        cmocka_unit_test_teardown(test_replacement_looks_alike, close_scene),
        cmocka_unit_test_teardown(test_other_packets, close_scene),
        cmocka_unit_test_teardown(test_arguments, close_scene),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
