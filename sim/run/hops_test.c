/* When messages of SIP passed the first link on their way: datagrams, fragments, segments, and what is sent
 * again. */
#include "run/hops.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MS    UINT64_C(1000000)
#define RATE  UINT64_C(8000000) /* bit/s: an octet takes a microsecond */
#define DELAY (5 * MS)
enum { UDP = 17, TCP = 6, SYN = 2, ACK = 16, MORE = 0x2000 };

typedef struct bench {
    n3_sim *sim;
    n3_node *node, *other;
    hops *hops;
    uint8_t packet[2000];
} bench;

static int set_up(void **state) {
    bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    assert_int_equal(n3_sim_new(&b->sim, NULL), N3_OK);
    assert_int_equal(n3_node_new(&b->node, b->sim, "a"), N3_OK);
    assert_int_equal(n3_node_new(&b->other, b->sim, "b"), N3_OK);
    b->hops = hops_new();
    assert_non_null(b->hops);
    assert_int_equal(hops_add(b->hops, b->node, RATE, DELAY), IBK_OK);
    *state = b;
    return 0;
}

static int tear_down(void **state) {
    bench *b = *state;
    hops_free(b->hops);
    n3_sim_free(b->sim);
    free(b);
    return 0;
}

static void put(uint8_t *at, uint64_t value, size_t n) {
    for (size_t i = n; i-- > 0; value >>= 8)
        at[i] = (uint8_t)value;
}

/* An IPv4 header to 10.0.0.2; `fragment` is flags and offset. */
static void ipv4(bench *b, uint64_t at_ns, unsigned protocol, unsigned id, unsigned fragment, size_t len) {
    uint8_t *p = b->packet;
    p[0] = 0x45;
    put(p + 2, 20 + len, 2);
    put(p + 4, id, 2);
    put(p + 6, fragment, 2);
    p[9] = (uint8_t)protocol;
    put(p + 16, 0x0A000002, 4);
    hops_packet(b->hops, b->node, at_ns, p, 20 + len);
}

static void ipv6(bench *b, uint64_t at_ns, unsigned next, size_t len) {
    uint8_t *p = b->packet;
    memset(p, 0, 40);
    p[0] = 0x60;
    put(p + 4, len, 2);
    p[6] = (uint8_t)next;
    p[24] = 0xFD;
    p[39] = 2;
    hops_packet(b->hops, b->node, at_ns, p, 40 + len);
}

static void udp_header(uint8_t *at, unsigned port, size_t octets) {
    put(at, 40000, 2);
    put(at + 2, port, 2);
    put(at + 4, 8 + octets, 2);
}

static void datagram(bench *b, uint64_t at_ns, unsigned port, size_t octets) {
    udp_header(b->packet + 20, port, octets);
    ipv4(b, at_ns, UDP, 0, 0, 8 + octets);
}

static void segment(bench *b, uint64_t at_ns, unsigned port, uint32_t sequence, unsigned flags,
                    size_t octets) {
    uint8_t *tcp = b->packet + 20;
    put(tcp, port, 2);
    put(tcp + 2, 5060, 2);
    put(tcp + 4, sequence, 4);
    tcp[12] = 5 << 4;
    tcp[13] = (uint8_t)flags;
    ipv4(b, at_ns, TCP, 0, 0, 20 + octets);
}

/* An IP packet of `octets` has its last bit on the other end then; the link adds two octets. */
static uint64_t arrival(uint64_t at_ns, size_t octets) {
    return at_ns + (octets + 2) * 1000 + DELAY;
}

static bool passed(const bench *b, const char *to, bool tcp, uint64_t octets, uint64_t sent_ns,
                   uint64_t until_ns, hops_passage *out) {
    hops_message m = {
        .from = b->node, .tcp = tcp, .octets = octets, .sent_ns = sent_ns, .until_ns = until_ns};
    assert_int_equal(n3_addr_parse(&m.to, to), N3_OK);
    *out = (hops_passage){0};
    return hops_passed(b->hops, &m, out);
}

static void datagrams(void **state) {
    bench *b = *state;
    hops_passage p;
    datagram(b, 10 * MS, 5060, 400);
    assert_true(passed(b, "10.0.0.2", false, 400, 10 * MS, 50 * MS, &p));
    assert_int_equal(p.passed_ns, arrival(10 * MS, 428));
    assert_int_equal(p.resent_ns, 0);
    assert_true(passed(b, "10.0.0.2", false, 400, 9 * MS, arrival(10 * MS, 428), &p));
    assert_false(passed(b, "10.0.0.2", false, 400, 9 * MS, arrival(10 * MS, 428) - 1, &p)); /* too late */
    assert_false(passed(b, "10.0.0.2", false, 400, 10 * MS + 1, 50 * MS, &p)); /* before it was sent */
    assert_false(passed(b, "10.0.0.3", false, 400, 10 * MS, 50 * MS, &p));
    assert_false(passed(b, "10.0.0.2", false, 401, 10 * MS, 50 * MS, &p));
    assert_false(passed(b, "10.0.0.2", true, 400, 10 * MS, 50 * MS, &p));
}

static void other_traffic_is_not_noted(void **state) {
    bench *b = *state;
    hops_passage p;
    datagram(b, 10 * MS, 4000, 400); /* no SIP */
    assert_false(passed(b, "10.0.0.2", false, 400, 0, 50 * MS, &p));
    udp_header(b->packet + 20, 5060, 400);
    ipv4(b, 10 * MS, 1, 0, 0, 408); /* ICMP */
    assert_false(passed(b, "10.0.0.2", false, 400, 0, 50 * MS, &p));
    hops_packet(b->hops, b->other, 10 * MS, b->packet, 428); /* a host that is not watched */
    hops_message m = {.from = b->other, .octets = 400, .until_ns = 50 * MS};
    assert_false(hops_passed(b->hops, &m, &p));
}

/* Whatever a packet says of its own lengths, nothing beyond it is read: ASan watches. */
static void cut_packets(void **state) {
    bench *b = *state;
    segment(b, MS, 40000, 1, ACK, 100);
    uint8_t whole[140];
    memcpy(whole, b->packet, sizeof whole);
    for (int version = 4; version <= 6; version += 2)
        for (size_t len = 0; len < sizeof whole; len++) {
            uint8_t *exact = malloc(len ? len : 1);
            assert_non_null(exact);
            memcpy(exact, whole, len);
            if (len)
                exact[0] = (uint8_t)(version << 4 | 15); /* the longest header */
            hops_packet(b->hops, b->node, 2 * MS, exact, len);
            if (len)
                exact[0] = (uint8_t)(version << 4 | 5);
            hops_packet(b->hops, b->node, 2 * MS, exact, len);
            free(exact);
        }
}

static void fragments_of_ipv4(void **state) {
    bench *b = *state;
    hops_passage p;
    udp_header(b->packet + 20, 5060, 2000);
    ipv4(b, 10 * MS, UDP, 77, MORE, 1480);
    ipv4(b, 11 * MS, UDP, 78, 185, 100); /* of another datagram, whose first part was not seen */
    assert_true(passed(b, "10.0.0.2", false, 2000, 10 * MS, 50 * MS, &p));
    assert_int_equal(p.passed_ns, arrival(10 * MS, 1500));
    ipv4(b, 12 * MS, UDP, 77, 185, 528);
    assert_true(passed(b, "10.0.0.2", false, 2000, 10 * MS, 50 * MS, &p));
    assert_int_equal(p.passed_ns, arrival(12 * MS, 548)); /* the last one counts */
    assert_false(passed(b, "10.0.0.2", false, 2000, 10 * MS, arrival(12 * MS, 548) - 1, &p));
}

static void fragments_of_ipv6(void **state) {
    bench *b = *state;
    hops_passage p;
    uint8_t *extension = b->packet + 40;
    udp_header(b->packet + 48, 5060, 1500);
    extension[0] = UDP;
    put(extension + 2, 1, 2); /* offset 0, more follow */
    put(extension + 4, 0xABCDEF01, 4);
    ipv6(b, 10 * MS, 44, 8 + 1232);
    put(extension + 2, 1232, 2);
    ipv6(b, 13 * MS, 44, 8 + 276);
    assert_true(passed(b, "fd00::2", false, 1500, 10 * MS, 50 * MS, &p));
    assert_int_equal(p.passed_ns, arrival(13 * MS, 40 + 8 + 276));
    assert_false(passed(b, "fd00::3", false, 1500, 10 * MS, 50 * MS, &p));
}

static void segments(void **state) {
    bench *b = *state;
    hops_passage p;
    segment(b, 10 * MS, 40000, 999, SYN, 0);
    segment(b, 20 * MS, 40000, 1000, ACK, 1460);
    assert_false(passed(b, "10.0.0.2", true, 1600, 10 * MS, 90 * MS, &p)); /* not all of it */
    segment(b, 22 * MS, 40000, 2460, ACK, 140);
    assert_true(passed(b, "10.0.0.2", true, 1600, 10 * MS, 90 * MS, &p));
    assert_int_equal(p.passed_ns, arrival(22 * MS, 180));
    assert_int_equal(p.resent_ns, 0);
    segment(b, 30 * MS, 40000, 2600, ACK, 300); /* the next message of the connection */
    assert_true(passed(b, "10.0.0.2", true, 300, 30 * MS, 90 * MS, &p));
    assert_int_equal(p.passed_ns, arrival(30 * MS, 340));
}

/* A lost segment holds the message up until it is sent again; a lost SYN all that comes behind it. */
static void segments_that_are_sent_again(void **state) {
    bench *b = *state;
    hops_passage p;
    segment(b, 10 * MS, 40000, 999, SYN, 0);
    segment(b, 1010 * MS, 40000, 999, SYN, 0);
    segment(b, 1020 * MS, 40000, 1000, ACK, 1460);
    segment(b, 1022 * MS, 40000, 2460, ACK, 140);
    segment(b, 1300 * MS, 40000, 1000, ACK, 1460);
    assert_true(passed(b, "10.0.0.2", true, 1600, 10 * MS, 2000 * MS, &p));
    assert_int_equal(p.passed_ns, arrival(1300 * MS, 1500));
    assert_int_equal(p.resent_ns, 1000 * MS + arrival(1300 * MS, 1500) - arrival(1022 * MS, 180));
    assert_true(passed(b, "10.0.0.2", true, 1600, 10 * MS, 1200 * MS, &p)); /* nobody knew yet */
    assert_int_equal(p.resent_ns, 1000 * MS);
}

/* Of several connections to one node it is the one whose segments end where the message does. */
static void several_connections(void **state) {
    bench *b = *state;
    hops_passage p;
    segment(b, 10 * MS, 40000, 1000, ACK, 700);
    segment(b, 11 * MS, 40002, 5000, ACK, 500);
    assert_true(passed(b, "10.0.0.2", true, 500, 10 * MS, 90 * MS, &p));
    assert_int_equal(p.passed_ns, arrival(11 * MS, 540));
    assert_true(passed(b, "10.0.0.2", true, 700, 10 * MS, 90 * MS, &p));
    assert_int_equal(p.passed_ns, arrival(10 * MS, 740));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(datagrams),
        TEST(other_traffic_is_not_noted),
        TEST(cut_packets),
        TEST(fragments_of_ipv4),
        TEST(fragments_of_ipv6),
        TEST(segments),
        TEST(segments_that_are_sent_again),
        TEST(several_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
