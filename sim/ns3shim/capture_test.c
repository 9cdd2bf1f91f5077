/* Captures: what is in them, once or on every link, and that they repeat to the octet. */
#include "n3_test.h"

#include <sys/wait.h>
#include <unistd.h>

static bool to_port_7(void *user, const n3_link *link, n3_direction direction, const uint8_t *packet,
                      size_t len) {
    (void)link, (void)direction;
    ++*(int *)user;
    size_t header = packet[0] >> 4 == 4 ? 20 : 40;
    return len > header + 4 && packet[header + 2] == 0 && packet[header + 3] == 7;
}

static void test_every_once_filtered(void **state) {
    (void)state;
    world w = world_new((world_config){0});
    n3_capture *every, *once, *filtered, *one_link;
    OK(n3_capture_new(&every, w.sim, "n3_every.pcap", N3_CAPTURE_EVERY));
    OK(n3_capture_new(&once, w.sim, "n3_once.pcap", N3_CAPTURE_ONCE));
    OK(n3_capture_new(&filtered, w.sim, "n3_filtered.pcap", N3_CAPTURE_ONCE));
    OK(n3_capture_new(&one_link, w.sim, "n3_one.pcap", N3_CAPTURE_EVERY));
    n3_capture *all[] = {every, once, filtered};
    for (size_t i = 0; i < 3; i++) {
        OK(n3_capture_add(all[i], w.ar));
        OK(n3_capture_add(all[i], w.rb));
    }
    OK(n3_capture_add(one_link, w.rb));
    REFUSED(N3_ERR_STATE, n3_capture_add(once, w.ar));
    int asked = 0;
    OK(n3_capture_filter(filtered, to_port_7, &asked));
    n3_udp *a, *b;
    OK(n3_udp_new(&a, w.a, &(n3_endpoint){w.address_a, 8}, NULL, NULL));
    OK(n3_udp_new(&b, w.b, &(n3_endpoint){w.address_b, 7}, NULL, NULL));
    static uint8_t data[4000]; /* three fragments */
    OK(n3_udp_send(a, &(n3_endpoint){w.address_b, 7}, "x", 1));
    OK(n3_udp_send(a, &(n3_endpoint){w.address_b, 7}, data, sizeof data));
    OK(n3_udp_send(b, &(n3_endpoint){w.address_a, 8}, "x", 1));
    OK(n3_run(w.sim));
    assert_int_equal(n3_capture_packets(every), 10);
    assert_int_equal(n3_capture_packets(once), 5);
    assert_int_equal(n3_capture_packets(one_link), 5);
    assert_int_equal(n3_capture_packets(filtered), 2); /* the second fragment on has no ports */
    assert_int_equal(asked, 8);                        /* again for what it did not take */
    /* lost on the first link: recorded there, as sent */
    OK(n3_link_set_loss(w.ar, N3_AB, N3_LOSS_ALWAYS));
    OK(n3_udp_send(a, &(n3_endpoint){w.address_b, 7}, "x", 1));
    OK(n3_run(w.sim));
    assert_int_equal(n3_capture_packets(every), 11);
    assert_int_equal(n3_capture_packets(once), 6);
    assert_int_equal(n3_capture_packets(one_link), 5);
    OK(n3_capture_free(one_link)); /* in the middle: the others go on */
    n3_udp_free(a);
    n3_udp_free(b);
    OK(n3_capture_free(every));
    OK(n3_sim_free(w.sim));
    REFUSED(N3_ERR_CLOSED, n3_capture_filter(once, NULL, NULL));
    OK(n3_capture_free(once));
    OK(n3_capture_free(filtered));
    assert_int_equal(packets_in("n3_every.pcap"), 11);
    assert_int_equal(packets_in("n3_once.pcap"), 6);
    assert_int_equal(packets_in("n3_one.pcap"), 5);
    assert_int_equal(packets_in("n3_filtered.pcap"), 3);
}

static uint32_t word(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void test_format(void **state) {
    (void)state;
    n3_sim *sim;
    OK(n3_sim_new(&sim, &(n3_sim_config){.start_utc_ns = 1700000000999999999}));
    n3_node *a, *b;
    n3_link *link;
    OK(n3_node_new(&a, sim, "a"));
    OK(n3_node_new(&b, sim, "b"));
    OK(n3_link_new(&link, a, b, NULL));
    n3_capture *capture;
    OK(n3_capture_new(&capture, sim, "n3_format.pcap", N3_CAPTURE_EVERY));
    OK(n3_capture_add(capture, link));
    OK(n3_run_until(sim, 2)); /* the clock carries into the seconds */
    n3_udp *udp;
    n3_endpoint to = {.port = 7};
    OK(n3_node_address(b, &to.addr, N3_IPV4));
    OK(n3_udp_new(&udp, a, &(n3_endpoint){n3_addr_any(N3_IPV4), 7}, NULL, NULL));
    OK(n3_udp_send(udp, &to, "abc", 3));
    n3_udp_free(udp);
    OK(n3_sim_free(sim)); /* writes it */
    OK(n3_capture_free(capture));
    size_t len;
    uint8_t *file = read_all("n3_format.pcap", &len);
    assert_int_equal(len, 24 + 16 + 2 + 20 + 8 + 3);
    assert_int_equal(word(file), 0xa1b23c4d);
    assert_int_equal(word(file + 4), 0x00040002);
    assert_int_equal(word(file + 20), 9); /* DLT_PPP */
    assert_int_equal(word(file + 24), 1700000001);
    assert_int_equal(word(file + 28), 1);
    assert_int_equal(word(file + 32), 33);
    assert_int_equal(word(file + 36), 33);
    assert_memory_equal(file + 40, "\x00\x21\x45", 3);
    assert_memory_equal(file + 70, "abc", 3);
    free(file);
}

static void test_errors(void **state) {
    (void)state;
    world w = world_new((world_config){0});
    n3_capture *capture;
    REFUSED(N3_ERR_IO, n3_capture_new(&capture, w.sim, "/nonexistent/x.pcap", N3_CAPTURE_EVERY));
    assert_null(capture);
    assert_non_null(strstr(n3_last_error(), "/nonexistent/x.pcap"));
    REFUSED(N3_ERR_ARGUMENT, n3_capture_new(&capture, w.sim, "", N3_CAPTURE_EVERY));
    REFUSED(N3_ERR_ARGUMENT, n3_capture_new(&capture, w.sim, "x", (n3_capture_mode)2));
    REFUSED(N3_ERR_ARGUMENT, n3_capture_new(&capture, NULL, "x", N3_CAPTURE_EVERY));
    REFUSED(N3_ERR_ARGUMENT, n3_capture_add(NULL, w.ar));
    OK(n3_capture_free(NULL));
    REFUSED(N3_ERR_IO, n3_capture_new(&capture, w.sim, "/dev/full", N3_CAPTURE_EVERY));
    OK(n3_sim_free(w.sim));
}

/* A bit of everything, with loss: UDP with fragments, TCP, over the family. */
static void swallow(void *user, n3_tcp *tcp) {
    *(n3_tcp **)user = tcp;
}

static void play(const char *path, n3_family family, uint64_t seed) {
    world w = world_new((world_config){.family = family, .path = {.loss_ppb = 50000000}, .seed = seed});
    n3_capture *capture;
    OK(n3_capture_new(&capture, w.sim, path, N3_CAPTURE_EVERY));
    OK(n3_capture_add(capture, w.ar));
    OK(n3_capture_add(capture, w.rb));
    n3_udp *udp;
    n3_listener *listener;
    n3_tcp *out, *in = NULL;
    static uint8_t data[50000];
    OK(n3_udp_new(&udp, w.a, &(n3_endpoint){w.address_a, 7}, NULL, NULL));
    OK(n3_listen(&listener, w.b, &(n3_endpoint){w.address_b, 80}, swallow, &in));
    OK(n3_tcp_connect(&out, w.a, NULL, &(n3_endpoint){w.address_b, 80}, NULL));
    OK(n3_tcp_send(out, data, sizeof data));
    for (int i = 0; i < 100; i++) {
        OK(n3_udp_send(udp, &(n3_endpoint){w.address_b, 7}, data, (size_t)i * 50));
        OK(n3_run_until(w.sim, n3_now(w.sim) + 20 * MS));
    }
    n3_udp_free(udp);
    n3_listener_free(listener);
    OK(n3_sim_free(w.sim));
    n3_tcp_free(out);
    n3_tcp_free(in);
    OK(n3_capture_free(capture));
}

static bool same(const char *path_a, const char *path_b) {
    size_t len_a, len_b;
    uint8_t *a = read_all(path_a, &len_a), *b = read_all(path_b, &len_b);
    bool equal = len_a == len_b && memcmp(a, b, len_a) == 0;
    assert_true(len_a > 50000);
    free(a);
    free(b);
    return equal;
}

static void play_in_process_of_its_own(const char *path, n3_family family, uint64_t seed) {
    pid_t child = fork();
    if (child == 0) {
        play(path, family, seed);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_determinism(void **state) {
    (void)state;
    static const n3_family families[] = {N3_IPV4, N3_IPV6};
    for (size_t i = 0; i < 2; i++) {
        play_in_process_of_its_own("n3_child.pcap", families[i], 1);
        play("n3_first.pcap", families[i], 1);
        play("n3_other.pcap", families[1 - i], 3); /* leaves ns-3's globals in another state */
        play("n3_again.pcap", families[i], 1);
        play("n3_seed2.pcap", families[i], 2);
        play_in_process_of_its_own("n3_late.pcap", families[i], 1);
        assert_true(same("n3_first.pcap", "n3_again.pcap"));
        assert_true(same("n3_first.pcap", "n3_child.pcap"));
        assert_true(same("n3_first.pcap", "n3_late.pcap"));
        assert_false(same("n3_first.pcap", "n3_seed2.pcap"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_once_filtered),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_determinism),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
