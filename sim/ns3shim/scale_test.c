/* A thousand hosts at one router, and many simulations in one process. */
#include "n3_test.h"

#include <unistd.h>

#define HOSTS 1000

static long resident_kib(void) {
    FILE *file = fopen("/proc/self/statm", "r");
    long size = 0, resident = 0;
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld", &size, &resident), 2);
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void star(unsigned families, n3_family family) {
    long before = resident_kib();
    n3_sim *sim;
    OK(n3_sim_new(&sim, &(n3_sim_config){.families = families}));
    n3_node *hub, *host[HOSTS];
    static n3_udp *udp[HOSTS];
    static n3_addr at[HOSTS];
    OK(n3_node_new(&hub, sim, "hub"));
    inbox *box = calloc(1, sizeof *box);
    box->sim = sim;
    for (int i = 0; i < HOSTS; i++) {
        char name[16];
        n3_link *link;
        snprintf(name, sizeof name, "host-%d", i);
        OK(n3_node_new(&host[i], sim, name));
        OK(n3_link_new(&link, host[i], hub, NULL));
        OK(n3_node_address(host[i], &at[i], family));
        OK(n3_udp_new(&udp[i], host[i], &(n3_endpoint){at[i], 7}, inbox_take, box));
    }
    OK(n3_routes_build(sim));
    print_message("%ld KiB a host\n", (resident_kib() - before) / HOSTS);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < HOSTS; i++) {
            OK(n3_udp_send(udp[i], &(n3_endpoint){at[(i * 7 + round + 1) % HOSTS], 7}, "hello", 5));
        }
        OK(n3_run(sim));
    }
    assert_int_equal(box->count, 10 * HOSTS);
    for (int i = 0; i < HOSTS; i++) {
        n3_udp_free(udp[i]);
    }
    free(box);
    OK(n3_sim_free(sim));
}

static void test_star(void **state) {
    (void)state;
    star(N3_IPV4, N3_IPV4);
    star(N3_IPV6, N3_IPV6);
    star(N3_IPV4 | N3_IPV6, N3_IPV6);
}

/* Memory does not grow from one simulation to the next. */
static void test_many_simulations(void **state) {
    (void)state;
    long early = 0;
    for (int i = 0; i < 200; i++) {
        world w = world_new((world_config){.family = i & 1 ? N3_IPV6 : N3_IPV4});
        n3_udp *a, *b;
        n3_tcp *tcp;
        inbox box = {.sim = w.sim};
        OK(n3_udp_new(&a, w.a, &(n3_endpoint){w.address_a, 7}, NULL, NULL));
        OK(n3_udp_new(&b, w.b, &(n3_endpoint){w.address_b, 7}, inbox_take, &box));
        OK(n3_udp_send(a, &(n3_endpoint){w.address_b, 7}, "x", 1));
        OK(n3_tcp_connect(&tcp, w.a, NULL, &(n3_endpoint){w.address_b, 80}, NULL));
        OK(n3_run_until(w.sim, 15 * MS)); /* left in the middle */
        assert_int_equal(box.count, 1);
        n3_udp_free(a);
        OK(n3_sim_free(w.sim));
        n3_udp_free(b);
        n3_tcp_free(tcp);
        if (i == 50) {
            early = resident_kib();
        }
    }
#ifndef __SANITIZE_ADDRESS__ /* which keeps what is freed for a while */
    assert_true(resident_kib() - early < 1024);
#else
    (void)early;
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_star),
        cmocka_unit_test(test_many_simulations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
