/* Someone on the wire: pass, drop, delay, replace, inject. */
#include "n3_test.h"

static const n3_family families[] = {N3_IPV4, N3_IPV6};

typedef struct plan {
    n3_action action;
    uint64_t delay_ns;
    size_t calls, bad;
    n3_direction direction;
    uint8_t packet[2000];
    size_t len;
    size_t grow;   /* N3_REPLACE: octets added to the UDP payload */
    bool spoil;    /* N3_REPLACE: with something that is no IP packet */
    bool inject;   /* besides, sends the packet a second time */
    n3_udp *chime; /* besides, sends a datagram of its own */
    n3_endpoint to;
} plan;

static void hook(void *user, n3_link *link, n3_direction direction, const uint8_t *packet, size_t len,
                 n3_verdict *verdict) {
    plan *p = user;
    p->calls++;
    p->direction = direction;
    assert_int_equal(verdict->action, N3_PASS);
    if (len > sizeof p->packet - 100) {
        return;
    }
    memcpy(p->packet, packet, len);
    p->len = len;
    verdict->action = p->action;
    verdict->delay_ns = p->delay_ns;
    if (p->action == N3_REPLACE) {
        memset(p->packet + len, 'Z', p->grow);
        p->packet[len - 1] = 'Y';
        p->len += p->grow;
        if (p->spoil) {
            p->packet[0] = 0x15;
        }
        verdict->packet = p->packet;
        verdict->len = p->len;
    }
    if (p->inject) {
        OK(n3_link_inject(link, direction, packet, len));
    }
    if (p->chime) {
        n3_udp *chime = p->chime;
        p->chime = NULL; /* its datagram passes here too */
        OK(n3_udp_send(chime, &p->to, "chime", 5));
    }
    /* the packet is still what it was */
    p->bad += p->action != N3_REPLACE && memcmp(p->packet, packet, len) != 0;
}

typedef struct scene {
    world w;
    plan p;
    inbox box;
    n3_udp *a, *b;
    n3_endpoint to;
} scene;

static void scene_open(scene *s, n3_family family) {
    memset(s, 0, sizeof *s);
    s->w = world_new((world_config){.family = family});
    s->box.sim = s->w.sim;
    s->to = (n3_endpoint){s->w.address_b, 7};
    OK(n3_udp_new(&s->a, s->w.a, &(n3_endpoint){s->w.address_a, 7}, NULL, NULL));
    OK(n3_udp_new(&s->b, s->w.b, &s->to, inbox_take, &s->box));
    OK(n3_link_set_hook(s->w.rb, hook, &s->p));
}

static void scene_send(scene *s) {
    OK(n3_udp_send(s->a, &s->to, "0123456789", 10));
    OK(n3_run(s->w.sim));
}

static n3_link_stats scene_close(scene *s) {
    n3_link_stats stats;
    OK(n3_link_get_stats(s->w.rb, &stats, N3_AB));
    assert_int_equal(s->p.bad, 0);
    n3_udp_free(s->a);
    n3_udp_free(s->b);
    OK(n3_sim_free(s->w.sim));
    return stats;
}

static scene s;

static uint64_t usual_time(n3_family family) { /* two links of 5 ms and 10 Mbit/s */
    return 2 * (5 * MS + ((family == N3_IPV4 ? 20 : 40) + 8 + 10 + 2) * 800);
}

static void test_pass_and_drop(void **state) {
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        scene_open(&s, families[i]);
        scene_send(&s);
        assert_int_equal(s.p.calls, 1);
        assert_int_equal(s.p.direction, N3_AB);
        assert_int_equal(s.p.packet[0] >> 4, s.w.family == N3_IPV4 ? 4 : 6);
        assert_int_equal(s.box.count, 1);
        assert_int_equal(s.box.last_time, usual_time(s.w.family));
        s.p.action = N3_DROP;
        scene_send(&s);
        assert_int_equal(s.p.calls, 2);
        assert_int_equal(s.box.count, 1);
        OK(n3_link_set_hook(s.w.rb, NULL, NULL));
        scene_send(&s);
        assert_int_equal(s.p.calls, 2);
        assert_int_equal(s.box.count, 2);
        n3_link_stats stats = scene_close(&s);
        assert_int_equal(stats.sent_packets, 3);
        assert_int_equal(stats.delivered_packets, 2);
        assert_int_equal(stats.hook_dropped, 1);
    }
}

static void test_delay(void **state) {
    (void)state;
    scene_open(&s, N3_IPV4);
    s.p.action = N3_DELAY;
    s.p.delay_ns = 123456789;
    scene_send(&s);
    assert_int_equal(s.box.count, 1);
    assert_int_equal(s.box.last_time, usual_time(N3_IPV4) + 123456789);
    assert_int_equal(scene_close(&s).hook_delayed, 1);
}

static void test_replace(void **state) {
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        scene_open(&s, families[i]);
        s.p.action = N3_REPLACE;
        scene_send(&s);
        assert_int_equal(s.box.count, 1); /* ns-3 would drop it if a checksum were wrong */
        assert_int_equal(s.box.len, 10);
        assert_memory_equal(s.box.data, "012345678Y", 10);
        s.p.grow = 90;
        scene_send(&s);
        assert_int_equal(s.box.count, 2);
        assert_int_equal(s.box.len, 100);
        assert_memory_equal(s.box.data, "012345678YZZZ", 13);
        s.p.spoil = true;
        scene_send(&s);
        assert_int_equal(s.box.count, 2);
        n3_link_stats stats = scene_close(&s);
        assert_int_equal(stats.hook_replaced, 2);
        assert_int_equal(stats.hook_rejected, 1);
    }
}

static void test_inject(void **state) {
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        scene_open(&s, families[i]);
        uint8_t packet[200];
        size_t len = sizeof packet;
        n3_endpoint forged;
        OK(n3_endpoint_parse(&forged, families[i] == N3_IPV4 ? "10.66.6.6:666" : "[fd66::6]:666"));
        OK(n3_packet_udp(packet, &len, &forged, &s.to, "surprise", 8));
        OK(n3_link_inject(s.w.rb, N3_AB, packet, len));
        OK(n3_run(s.w.sim));
        assert_int_equal(s.p.calls, 0);
        assert_int_equal(s.box.count, 1);
        assert_memory_equal(s.box.data, "surprise", 8);
        assert_true(n3_endpoint_equal(&s.box.from, &forged));
        assert_int_equal(s.box.last_time, 5 * MS + (len + 2) * 800);
        OK(n3_link_inject(s.w.ar, N3_AB, packet, len)); /* upstream: the router forwards it */
        OK(n3_run(s.w.sim));
        assert_int_equal(s.box.count, 2);
        s.p.inject = true; /* from inside the hook: everything twice */
        scene_send(&s);
        assert_int_equal(s.box.count, 4);
        assert_int_equal(scene_close(&s).injected, 2);
    }
}

/* The hook may send: what it was shown stays as it is meanwhile. */
static void test_send_from_hook(void **state) {
    (void)state;
    scene_open(&s, N3_IPV4);
    n3_capture *capture;
    OK(n3_capture_new(&capture, s.w.sim, "n3_hook_test.pcap", N3_CAPTURE_EVERY));
    OK(n3_capture_add(capture, s.w.rb));
    n3_udp *r;
    OK(n3_udp_new(&r, s.w.r, &(n3_endpoint){n3_addr_any(N3_IPV4), 7}, NULL, NULL));
    s.p.chime = r;
    s.p.to = s.to;
    s.p.action = N3_DELAY;
    scene_send(&s);
    assert_int_equal(s.p.calls, 2);
    assert_int_equal(s.box.count, 2);
    assert_int_equal(n3_capture_packets(capture), 2);
    OK(n3_capture_free(capture));
    assert_int_equal(packets_in("n3_hook_test.pcap"), 2);
    n3_udp_free(r);
    scene_close(&s);
}

static void test_packets(void **state) {
    (void)state;
    uint8_t packet[300];
    size_t len = sizeof packet;
    n3_endpoint a, b, six;
    OK(n3_endpoint_parse(&a, "10.0.0.1:1"));
    OK(n3_endpoint_parse(&b, "10.0.0.2:2"));
    OK(n3_endpoint_parse(&six, "[fd00::1]:2"));
    OK(n3_packet_udp(packet, &len, &a, &b, "abc", 3));
    assert_int_equal(len, 31);
    uint8_t copy[31];
    memcpy(copy, packet, len);
    packet[2] = packet[3] = packet[10] = packet[11] = packet[24] = packet[26] = packet[27] = 0xaa;
    OK(n3_packet_fix(packet, len));
    assert_memory_equal(packet, copy, len);
    REFUSED(N3_ERR_ARGUMENT, n3_packet_udp(packet, &len, &a, &six, "abc", 3));
    REFUSED(N3_ERR_ARGUMENT, n3_packet_udp(packet, &len, &a, &b, NULL, 3));
    len = 30;
    REFUSED(N3_ERR_LIMIT, n3_packet_udp(packet, &len, &a, &b, "abc", 3));
    /* anything at all is either made right or refused */
    uint32_t random = 1;
    for (int i = 0; i < 100000; i++) {
        for (size_t j = 0; j < 100; j++) {
            random = random * 1664525 + 1013904223;
            packet[j] = (uint8_t)(random >> 24);
        }
        packet[0] = (uint8_t)((i & 1 ? 0x40 : 0x60) | (packet[0] & 15));
        if (i & 2) {
            packet[6] = (uint8_t[]){0, 43, 44, 60}[packet[6] & 3];
            packet[40] = (uint8_t[]){0, 43, 44, 60}[packet[40] & 3];
        }
        (void)n3_packet_fix(packet, packet[99] % 101u);
    }
    REFUSED(N3_ERR_ARGUMENT, n3_packet_fix(NULL, 20));
    REFUSED(N3_ERR_ARGUMENT, n3_packet_fix(packet, 0));
    REFUSED(N3_ERR_ARGUMENT, n3_packet_fix(packet, 70000));
}

static void test_arguments(void **state) {
    (void)state;
    scene_open(&s, N3_IPV4);
    REFUSED(N3_ERR_ARGUMENT, n3_link_set_hook(NULL, hook, NULL));
    REFUSED(N3_ERR_ARGUMENT, n3_link_inject(NULL, N3_AB, "x", 1));
    REFUSED(N3_ERR_ARGUMENT, n3_link_inject(s.w.rb, N3_AB, "x", 1));
    REFUSED(N3_ERR_ARGUMENT, n3_link_inject(s.w.rb, N3_AB, NULL, 20));
    REFUSED(N3_ERR_ARGUMENT, n3_link_inject(s.w.rb, (n3_direction)2, "x", 1));
    scene_close(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pass_and_drop),  cmocka_unit_test(test_delay),
        cmocka_unit_test(test_replace),        cmocka_unit_test(test_inject),
        cmocka_unit_test(test_packets),        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_send_from_hook),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
