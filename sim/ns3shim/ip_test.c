/* IP packets read: headers, extension headers, fragments, and anything at all. */
#include "ns3shim/ip.h"

#include "n3_test.h"

static void test_datagrams(void **state) {
    (void)state;
    static const char *const ends[2][2] = {{"10.0.0.1:1000", "10.0.0.2:5060"},
                                           {"[fd00::1]:1000", "[fd00::2]:5060"}};
    for (int i = 0; i < 2; i++) {
        n3_endpoint from, to;
        uint8_t packet[100];
        size_t len = sizeof packet;
        n3_ip ip;
        n3_datagram d;
        n3_segment s;
        OK(n3_endpoint_parse(&from, ends[i][0]));
        OK(n3_endpoint_parse(&to, ends[i][1]));
        OK(n3_packet_udp(packet, &len, &from, &to, "hello", 5));
        assert_true(n3_ip_read(&ip, packet, sizeof packet)); /* what follows is not of it */
        assert_true(n3_addr_equal(&ip.from, &from.addr));
        assert_false(n3_ip_is_fragment(&ip));
        assert_true(n3_datagram_read(&d, &ip));
        assert_true(n3_endpoint_equal(&d.from, &from));
        assert_true(n3_endpoint_equal(&d.to, &to));
        assert_int_equal(d.len, 5);
        assert_int_equal(d.total, 5);
        assert_memory_equal(d.data, "hello", 5);
        assert_false(n3_segment_read(&s, &ip));
        for (size_t cut = 0; cut < len - 5; cut++)
            assert_false(n3_ip_read(&ip, packet, cut) && n3_datagram_read(&d, &ip));
    }
}

/* The middle of a datagram has no ports; its beginning tells how long the whole is. */
static void test_fragments(void **state) {
    (void)state;
    static const uint8_t first4[28] = {0x45, 0,         0,         28,          0xab, 0xcd, 0x20, 0,    64,
                                       17,   [12] = 10, [16] = 10, [20] = 0x13, 0xc4, 0x13, 0xc4, 0x01, 0x08};
    static const uint8_t later6[56] = {0x60, [5] = 16, 44, 64, [40] = 17, 0, 0x05, 0xa8, 1, 2, 3, 4};
    uint8_t with_options[64] = {0x60, [5] = 24, 0, 64, [40] = 60, 0, [48] = 17, 0, [56] = 0, 7, 0, 9, 0, 8};
    n3_ip ip;
    n3_datagram d;
    assert_true(n3_ip_read(&ip, first4, sizeof first4));
    assert_true(ip.more && ip.offset == 0 && ip.id == 0xabcd);
    assert_true(n3_datagram_read(&d, &ip));
    assert_int_equal(d.total, 256);
    assert_int_equal(d.len, 0);
    assert_int_equal(d.from.port, 5060);
    assert_true(n3_ip_read(&ip, later6, sizeof later6));
    assert_true(!ip.more && ip.offset == 0x5a8 && ip.id == 0x01020304 && ip.protocol == N3_PROTOCOL_UDP);
    assert_int_equal(ip.len, 8);
    assert_true(n3_ip_is_fragment(&ip));
    assert_false(n3_datagram_read(&d, &ip));
    assert_true(n3_ip_read(&ip, with_options, sizeof with_options)); /* hop-by-hop, destination */
    assert_true(n3_datagram_read(&d, &ip));
    assert_int_equal(d.to.port, 9);
    const uint8_t first6[] = {0x60, [5] = 24, 44, 64, [40] = 60, 0, 0, 1, [48] = 17, [63] = 0};
    assert_true(
        n3_ip_read(&ip, first6, sizeof first6)); /* options inside what was fragmented are its content */
    assert_true(ip.more && ip.protocol == 60 && ip.len == 16);
    with_options[49] = 1; /* reaches beyond the packet */
    with_options[5] = 23;
    assert_false(n3_ip_read(&ip, with_options, sizeof with_options));
}

static void test_segments(void **state) {
    (void)state;
    static const uint8_t packet[47] = {
        0x45, 0, 0, 47, [9] = 6, [12] = 10,       [16] = 10, [20] = 0, 80,       0, 81, 1, 2,   3,   4,
        5,    6, 7, 8,  0x60,    N3_ACK | N3_FIN, 0x12,      0x34,     [40] = 3, 3, 2,  0, 'a', 'b', 'c'};
    uint8_t copy[sizeof packet];
    n3_ip ip;
    n3_segment s;
    assert_true(n3_ip_read(&ip, packet, sizeof packet));
    assert_true(n3_segment_read(&s, &ip));
    assert_int_equal(s.from.port, 80);
    assert_int_equal(s.to.port, 81);
    assert_int_equal(s.seq, 0x01020304);
    assert_int_equal(s.ack, 0x05060708);
    assert_int_equal(s.flags, N3_ACK | N3_FIN);
    assert_int_equal(s.window, 0x1234);
    assert_int_equal(s.options_len, 4);
    assert_int_equal(s.options[2], 2);
    assert_int_equal(s.len, 3);
    assert_memory_equal(s.data, "abc", 3);
    for (size_t cut = 0; cut < 44; cut++)
        assert_false(n3_ip_read(&ip, packet, cut) && n3_segment_read(&s, &ip));
    memcpy(copy, packet, sizeof copy);
    copy[32] = 0x40; /* a header shorter than it can be */
    assert_true(n3_ip_read(&ip, copy, sizeof copy));
    assert_false(n3_segment_read(&s, &ip));
    copy[32] = 0xf0; /* longer than the packet */
    assert_false(n3_segment_read(&s, &ip));
}

/* What is read stays inside the packet. */
static void test_anything(void **state) {
    (void)state;
    uint32_t random = 1;
    for (int i = 0; i < 200000; i++) {
        size_t len = (random >> 9) % 100;
        uint8_t *packet = malloc(len + 1); /* so that ASan sees what is read beyond it */
        assert_non_null(packet);
        for (size_t j = 0; j < len; j++) {
            random = random * 1664525 + 1013904223;
            packet[j] = (uint8_t)(random >> 24);
        }
        if (len > 48) {
            packet[0] = (uint8_t)((i & 1 ? 0x40 : 0x60) | (packet[0] & 15));
            packet[6] = (uint8_t[]){0, 43, 44, 60, 17, 6, packet[6], 0}[packet[6] & 7];
            packet[40] = (uint8_t[]){0, 43, 44, 60, 17, 6, 17, 6}[packet[40] & 7];
        }
        n3_ip ip;
        n3_datagram d;
        n3_segment s;
        if (n3_ip_read(&ip, packet, len)) {
            assert_true(ip.payload >= packet && ip.payload + ip.len <= packet + len);
            if (n3_datagram_read(&d, &ip))
                assert_true(d.data >= packet && d.data + d.len <= packet + len);
            if (n3_segment_read(&s, &ip))
                assert_true(s.data >= packet && s.data + s.len <= packet + len && s.options <= s.data);
        }
        free(packet);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_datagrams),
        cmocka_unit_test(test_fragments),
        cmocka_unit_test(test_segments),
        cmocka_unit_test(test_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
