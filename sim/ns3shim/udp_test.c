/* UDP over both families: addresses, fragmentation, loss, errors, handles freed in callbacks. */
#include "n3_test.h"

static const n3_family families[] = {N3_IPV4, N3_IPV6};

static void test_there_and_back(void **state) {
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        world w = world_new((world_config){.family = families[i]});
        inbox at_a = {.sim = w.sim}, at_b = {.sim = w.sim};
        n3_udp *a, *b;
        n3_endpoint any = {n3_addr_any(w.family), 5060}, local;
        OK(n3_udp_new(&a, w.a, &(n3_endpoint){w.address_a, 0}, inbox_take, &at_a));
        OK(n3_udp_new(&b, w.b, &any, inbox_take, &at_b));
        OK(n3_udp_local(a, &local));
        assert_true(local.port >= 1024);
        OK(n3_udp_send(a, &(n3_endpoint){w.address_b, 5060}, "hello", 5));
        OK(n3_run(w.sim));
        assert_int_equal(at_b.count, 1);
        assert_memory_equal(at_b.data, "hello", 5);
        assert_true(n3_endpoint_equal(&at_b.from, &local));
        assert_true(n3_endpoint_equal(&at_b.to, &(n3_endpoint){w.address_b, 5060}));
        /* two links of 5 ms and 10 Mbit/s, a frame of 2 + header + 8 + 5 octets */
        uint64_t octets = (w.family == N3_IPV4 ? 20u : 40u) + 15u;
        assert_int_equal(at_b.last_time, 2 * (5 * MS + octets * 800));
        OK(n3_udp_send(b, &at_b.from, "", 0));
        OK(n3_run(w.sim));
        assert_int_equal(at_a.count, 1);
        assert_int_equal(at_a.len, 0);
        assert_true(n3_endpoint_equal(&at_a.from, &(n3_endpoint){w.address_b, 5060}));
        n3_udp_free(a);
        OK(n3_sim_free(w.sim));
        REFUSED(N3_ERR_CLOSED, n3_udp_send(b, &at_b.from, "x", 1));
        n3_udp_free(b);
    }
}

static void test_service_address_and_self(void **state) {
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        world w = world_new((world_config){.family = families[i]});
        n3_addr service, known;
        OK(n3_node_add_planned_address(w.b, &service, w.family));
        OK(n3_routes_build(w.sim));
        OK(n3_node_address(w.b, &known, w.family));
        assert_true(n3_addr_equal(&service, &known));
        assert_ptr_equal(n3_node_by_address(w.sim, &service), w.b);
        char text[N3_ADDR_TEXT];
        assert_string_equal(n3_addr_format(text, &service), w.family == N3_IPV4 ? "10.128.0.3" : "fd01::3");
        inbox box = {.sim = w.sim};
        n3_udp *a, *b;
        n3_endpoint at = {service, 9};
        OK(n3_udp_new(&b, w.b, &at, inbox_take, &box));
        OK(n3_udp_new(&a, w.a, &(n3_endpoint){n3_addr_any(w.family), 9}, NULL, NULL));
        OK(n3_udp_send(a, &at, "x", 1));
        OK(n3_run(w.sim));
        assert_int_equal(box.count, 1);
        assert_true(n3_addr_equal(&box.from.addr, &w.address_a));
        OK(n3_udp_send(b, &at, "to myself", 9));
        OK(n3_run(w.sim));
        assert_int_equal(box.count, 2);
        assert_true(n3_endpoint_equal(&box.from, &at));
        n3_udp_free(a);
        n3_udp_free(b);
        OK(n3_sim_free(w.sim));
    }
}

static void test_fragments(void **state) {
    (void)state;
    static uint8_t data[N3_UDP_MAX];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 7 + i / 251);
    }
    static const size_t sizes[] = {1452, 1473, 3000, 9000, N3_UDP_MAX};
    for (size_t i = 0; i < 2; i++) {
        world w = world_new((world_config){.family = families[i]});
        inbox *box = calloc(1, sizeof *box);
        box->sim = w.sim;
        n3_udp *a, *b;
        n3_endpoint to = {w.address_b, 7};
        OK(n3_udp_new(&a, w.a, &(n3_endpoint){w.address_a, 7}, NULL, NULL));
        OK(n3_udp_new(&b, w.b, &to, inbox_take, box));
        for (size_t j = 0; j < sizeof sizes / sizeof sizes[0]; j++) {
            n3_link_stats before, after;
            OK(n3_link_get_stats(w.ar, &before, N3_AB));
            OK(n3_udp_send(a, &to, data, sizes[j]));
            OK(n3_run_until(w.sim, n3_now(w.sim) + SEC));
            assert_int_equal(box->count, j + 1);
            assert_int_equal(box->len, sizes[j]);
            assert_memory_equal(box->data, data, sizes[j]);
            OK(n3_link_get_stats(w.ar, &after, N3_AB));
            size_t fragments = after.sent_packets - before.sent_packets;
            assert_true(sizes[j] > 1472 ? fragments > sizes[j] / 1480 : fragments == 1);
        }
        REFUSED(N3_ERR_LIMIT, n3_udp_send(a, &to, data, N3_UDP_MAX + 1));
        n3_udp_free(a);
        n3_udp_free(b);
        free(box);
        OK(n3_sim_free(w.sim));
    }
}

/* A router with a narrow link behind it: IPv4 fragments there; IPv6 answers Packet Too Big, the sender
 * learns. */
static void test_narrow_link(void **state) {
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        world w = world_new((world_config){.family = families[i], .mtu = 1500, .mtu_rb = 1300});
        static uint8_t data[1400];
        inbox box = {.sim = w.sim};
        n3_udp *a, *b;
        n3_endpoint to = {w.address_b, 7};
        OK(n3_udp_new(&a, w.a, &(n3_endpoint){w.address_a, 7}, NULL, NULL));
        OK(n3_udp_new(&b, w.b, &to, inbox_take, &box));
        OK(n3_udp_send(a, &to, data, sizeof data));
        OK(n3_run_until(w.sim, SEC));
        assert_int_equal(box.count, w.family == N3_IPV4 ? 1 : 0);
        OK(n3_udp_send(a, &to, data, sizeof data));
        OK(n3_run_until(w.sim, 2 * (uint64_t)SEC));
        assert_int_equal(box.count, w.family == N3_IPV4 ? 2 : 1);
        n3_udp_free(a);
        n3_udp_free(b);
        OK(n3_sim_free(w.sim));
    }
}

static void test_loss_rate(void **state) {
    (void)state;
    world w = world_new((world_config){.path = {.rate_bps = 1000000000, .queue_packets = 20000}});
    OK(n3_link_set_loss(w.ar, N3_AB, 50000000)); /* 5 % */
    inbox box = {.sim = w.sim};
    n3_udp *a, *b;
    n3_endpoint to = {w.address_b, 7};
    OK(n3_udp_new(&a, w.a, &(n3_endpoint){w.address_a, 7}, NULL, NULL));
    OK(n3_udp_new(&b, w.b, &to, inbox_take, &box));
    for (int i = 0; i < 10000; i++) {
        OK(n3_udp_send(a, &to, "x", 1));
    }
    OK(n3_run(w.sim));
    n3_link_stats stats;
    OK(n3_link_get_stats(w.ar, &stats, N3_AB));
    assert_int_equal(stats.sent_packets, 10000);
    assert_int_equal(stats.sent_octets, 290000);
    assert_int_equal(stats.lost_packets + stats.delivered_packets, 10000);
    assert_int_equal(box.count, stats.delivered_packets);
    /* mean 500, standard deviation 22: 5 of them */
    assert_in_range(stats.lost_packets, 391, 609);
    OK(n3_link_set_loss(w.ar, N3_AB, N3_LOSS_ALWAYS));
    OK(n3_udp_send(a, &to, "x", 1));
    OK(n3_run(w.sim));
    assert_int_equal(box.count, stats.delivered_packets);
    n3_udp_free(a);
    n3_udp_free(b);
    OK(n3_sim_free(w.sim));
}

static void test_queue_overflow(void **state) {
    (void)state;
    world w = world_new((world_config){.path = {.queue_packets = 10}});
    inbox box = {.sim = w.sim};
    n3_udp *a, *b;
    n3_endpoint to = {w.address_b, 7};
    OK(n3_udp_new(&a, w.a, &(n3_endpoint){w.address_a, 7}, NULL, NULL));
    OK(n3_udp_new(&b, w.b, &to, inbox_take, &box));
    for (int i = 0; i < 50; i++) {
        OK(n3_udp_send(a, &to, "x", 1));
    }
    OK(n3_run(w.sim));
    n3_link_stats stats;
    OK(n3_link_get_stats(w.ar, &stats, N3_AB));
    assert_int_equal(box.count, 11); /* one on the wire, ten waiting */
    assert_int_equal(stats.queue_dropped, 39);
    n3_udp_free(a);
    n3_udp_free(b);
    OK(n3_sim_free(w.sim));
}

/* Nobody listens: ICMP comes back and harms nobody. */
static void test_nobody_there(void **state) {
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        world w = world_new((world_config){.family = families[i]});
        inbox box = {.sim = w.sim};
        n3_udp *a;
        OK(n3_udp_new(&a, w.a, &(n3_endpoint){w.address_a, 7}, inbox_take, &box));
        OK(n3_udp_send(a, &(n3_endpoint){w.address_b, 4711}, "x", 1));
        OK(n3_run(w.sim));
        assert_int_equal(box.count, 0);
        n3_udp_free(a);
        OK(n3_sim_free(w.sim));
    }
}

static n3_udp *suicidal;

static void free_in_callback(void *user, const n3_endpoint *from, const n3_endpoint *to, const uint8_t *data,
                             size_t len) {
    (void)from, (void)to, (void)data, (void)len;
    ++*(int *)user;
    n3_udp_free(suicidal);
    suicidal = NULL;
}

static void test_free_in_callback(void **state) {
    (void)state;
    world w = world_new((world_config){0});
    n3_endpoint to = {w.address_b, 7};
    n3_udp *a;
    int calls = 0;
    OK(n3_udp_new(&a, w.a, &(n3_endpoint){w.address_a, 7}, NULL, NULL));
    OK(n3_udp_new(&suicidal, w.b, &to, free_in_callback, &calls));
    OK(n3_udp_send(a, &to, "x", 1));
    OK(n3_udp_send(a, &to, "x", 1));
    OK(n3_run(w.sim));
    assert_int_equal(calls, 1);
    for (int i = 0; i < 1000; i++) { /* the port is free again, every time */
        OK(n3_udp_new(&suicidal, w.b, &to, NULL, NULL));
        n3_udp_free(suicidal);
    }
    n3_udp_free(a);
    n3_udp_free(NULL);
    OK(n3_sim_free(w.sim));
}

static void test_refusals(void **state) {
    (void)state;
    world w = world_new((world_config){0});
    n3_udp *a, *other = NULL;
    n3_endpoint at = {w.address_a, 7};
    OK(n3_udp_new(&a, w.a, &at, NULL, NULL));
    REFUSED(N3_ERR_ADDRESS, n3_udp_new(&other, w.a, &at, NULL, NULL)); /* in use */
    assert_null(other);
    REFUSED(N3_ERR_ADDRESS, n3_udp_new(&other, w.b, &at, NULL, NULL)); /* not b's */
    REFUSED(N3_ERR_ADDRESS, n3_udp_new(&other, w.a, &(n3_endpoint){n3_addr_any(N3_IPV6), 7}, NULL, NULL));
    REFUSED(N3_ERR_ARGUMENT, n3_udp_new(&other, w.a, &(n3_endpoint){{0}, 7}, NULL, NULL));
    REFUSED(N3_ERR_ARGUMENT, n3_udp_new(&other, w.a, NULL, NULL, NULL));
    REFUSED(N3_ERR_ARGUMENT, n3_udp_new(&other, NULL, &at, NULL, NULL));
    REFUSED(N3_ERR_ARGUMENT, n3_udp_new(NULL, w.a, &at, NULL, NULL));
    n3_endpoint to = {w.address_b, 7};
    REFUSED(N3_ERR_ARGUMENT, n3_udp_send(NULL, &to, "x", 1));
    REFUSED(N3_ERR_ARGUMENT, n3_udp_send(a, NULL, "x", 1));
    REFUSED(N3_ERR_ARGUMENT, n3_udp_send(a, &to, NULL, 1));
    REFUSED(N3_ERR_ARGUMENT, n3_udp_send(a, &(n3_endpoint){w.address_b, 0}, "x", 1));
    n3_endpoint bad;
    OK(n3_endpoint_parse(&bad, "255.255.255.255:7"));
    REFUSED(N3_ERR_ADDRESS, n3_udp_send(a, &bad, "x", 1));
    OK(n3_endpoint_parse(&bad, "[fd00::1]:7"));
    REFUSED(N3_ERR_ADDRESS, n3_udp_send(a, &bad, "x", 1));
    n3_udp *hub;
    OK(n3_udp_new(&hub, w.r, &(n3_endpoint){n3_addr_any(N3_IPV4), 7}, NULL, NULL));
    OK(n3_endpoint_parse(&bad, "10.77.0.1:7"));
    REFUSED(N3_ERR_UNREACHABLE, n3_udp_send(hub, &bad, "x", 1));
    n3_udp_free(hub);
    n3_udp_free(a);
    OK(n3_sim_free(w.sim));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_service_address_and_self),
        cmocka_unit_test(test_fragments),      cmocka_unit_test(test_narrow_link),
        cmocka_unit_test(test_loss_rate),      cmocka_unit_test(test_queue_overflow),
        cmocka_unit_test(test_nobody_there),   cmocka_unit_test(test_free_in_callback),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
