/* A processor's queue, cores, account and statistics. */
#include "cpu/cpu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MS UINT64_C(1000000)

typedef struct stage {
    n3_sim *sim;
    cpu *c;
    unsigned ended;
    unsigned order[16]; /* of the jobs that ended */
    cpu_job_times times[16];
    char log[256]; /* of the observer */
} stage;

typedef struct job {
    stage *s;
    unsigned number;
} job;

static cpu_model model_of(uint64_t decrypt_ns) {
    cpu_model model = {.timed = true, .name = "test"};
    model.times[IBK_WORK_IBE_DECRYPT] =
        (cpu_times){.at = {{1024, decrypt_ns}, {3072, 5 * decrypt_ns}}, .count = 2};
    model.times[IBK_WORK_EC_DH] = (cpu_times){.at = {{256, 1000}}, .count = 1};
    return model;
}

static void done(void *arg, const cpu_job_times *times) {
    job *j = arg;
    j->s->order[j->s->ended] = j->number;
    j->s->times[j->number] = *times;
    j->s->ended++;
}

static void observed(void *user, const char *what, const char *about, const cpu_job_times *times) {
    stage *s = user;
    size_t at = strlen(s->log);
    snprintf(s->log + at, sizeof s->log - at, "%s(%s) %u %llu;", what, about, s->ended,
             (unsigned long long)((times->ended_ns - times->started_ns) / MS));
}

static cpu_job *submit(stage *s, uint64_t cost_ns, job *j) {
    char about[16];
    snprintf(about, sizeof about, "job %u", j->number);
    cpu_work work = {.cost_ns = cost_ns, .what = "test", .about = about};
    cpu_job *made = cpu_submit(s->c, &work, done, j);
    assert_non_null(made);
    return made;
}

static void open_stage(stage *s, unsigned cores) {
    cpu_model model = model_of(10 * MS);
    memset(s, 0, sizeof *s);
    assert_int_equal(n3_sim_new(&s->sim, NULL), N3_OK);
    cpu_config config = {.sim = s->sim, .model = &model, .cores = cores, .ended = observed, .user = s};
    assert_int_equal(cpu_new(&s->c, &config), IBK_OK);
}

static void close_stage(stage *s) {
    cpu_free(s->c);
    assert_int_equal(n3_sim_free(s->sim), N3_OK);
}

/* Eight jobs of 10 ms at once: job i begins after those before it have left a core. */
static void check_row(unsigned cores, uint64_t makespan) {
    stage s;
    job jobs[8];
    open_stage(&s, cores);
    for (unsigned i = 0; i < 8; i++) {
        jobs[i] = (job){&s, i};
        submit(&s, 10 * MS, &jobs[i]);
    }
    assert_int_equal(s.ended, 0);
    assert_int_equal(n3_run(s.sim), N3_OK);
    assert_int_equal(s.ended, 8);
    uint64_t sum = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint64_t wait = i / cores * 10 * MS;
        assert_int_equal(s.order[i], i);
        assert_int_equal(s.times[i].submitted_ns, 0);
        assert_int_equal(s.times[i].started_ns, wait);
        assert_int_equal(s.times[i].ended_ns, wait + 10 * MS);
        sum += wait;
    }
    cpu_stats stats = cpu_get_stats(s.c);
    assert_int_equal(n3_now(s.sim), makespan);
    assert_int_equal(stats.jobs, 8);
    assert_int_equal(stats.busy_ns, 80 * MS);
    assert_int_equal(stats.queue_max, cores < 8 ? 8 - cores : 0);
    assert_int_equal(stats.waited, 8);
    assert_int_equal(stats.wait_min_ns, 0);
    assert_int_equal(stats.wait_max_ns, makespan - 10 * MS);
    assert_int_equal(stats.wait_sum_ns, sum);
    close_stage(&s);
}

static void test_cores(void **state) {
    (void)state;
    check_row(1, 80 * MS);
    check_row(2, 40 * MS);
    check_row(3, 30 * MS);
    check_row(8, 10 * MS);
    check_row(9, 10 * MS);
}

static void submit_third(void *arg) {
    job *j = arg;
    submit(j->s, 5 * MS, j);
}

/* Different lengths on two cores; one job comes later, when the queue is empty and a core is free. */
static void test_uneven(void **state) {
    (void)state;
    stage s;
    job jobs[4];
    open_stage(&s, 2);
    for (unsigned i = 0; i < 4; i++)
        jobs[i] = (job){&s, i};
    submit(&s, 30 * MS, &jobs[0]);
    submit(&s, 10 * MS, &jobs[1]);
    submit(&s, 10 * MS, &jobs[2]); /* after job 1, beside job 0 */
    assert_int_equal(n3_schedule(s.sim, NULL, 25 * MS, submit_third, &jobs[3]), N3_OK);
    assert_int_equal(n3_run_until(s.sim, 22 * MS), N3_OK);
    cpu_stats stats = cpu_get_stats(s.c); /* in the middle of job 0 */
    assert_int_equal(stats.jobs, 2);
    assert_int_equal(stats.busy_ns, (22 + 10 + 10) * MS);
    assert_int_equal(n3_run(s.sim), N3_OK);
    static const unsigned order[] = {1, 2, 0, 3};
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(s.order[i], order[i]);
    assert_int_equal(s.times[2].started_ns, 10 * MS);
    assert_int_equal(s.times[3].started_ns, 25 * MS);
    assert_int_equal(s.times[0].ended_ns, 30 * MS);
    stats = cpu_get_stats(s.c);
    assert_int_equal(stats.queue_max, 1);
    assert_int_equal(stats.busy_ns, 55 * MS);
    close_stage(&s);
}

/* A forgotten job tells nobody, and takes its time all the same. */
static void test_forgotten(void **state) {
    (void)state;
    stage s;
    job jobs[3];
    open_stage(&s, 1);
    for (unsigned i = 0; i < 3; i++)
        jobs[i] = (job){&s, i};
    cpu_job *first = submit(&s, 10 * MS, &jobs[0]), *second = submit(&s, 10 * MS, &jobs[1]);
    submit(&s, 10 * MS, &jobs[2]);
    cpu_forget(first);
    cpu_forget(second);
    cpu_forget(NULL);
    assert_int_equal(n3_run(s.sim), N3_OK);
    assert_int_equal(s.ended, 1);
    assert_int_equal(s.times[2].started_ns, 20 * MS);
    assert_int_equal(cpu_get_stats(s.c).jobs, 3);
    /* the observer hears of all, before the owner */
    assert_string_equal(s.log, "test(job 0) 0 10;test(job 1) 0 10;test(job 2) 0 10;");
    close_stage(&s);
}

static void test_account(void **state) {
    (void)state;
    stage s;
    ibk_work what;
    unsigned size;
    open_stage(&s, 1);
    assert_int_equal(cpu_take(s.c), 0);
    cpu_charge(s.c, IBK_WORK_IBE_DECRYPT, 3072);
    cpu_charge(s.c, IBK_WORK_EC_DH, 256);
    assert_int_equal(cpu_take(s.c), 50 * MS + 1000);
    assert_int_equal(cpu_take(s.c), 0); /* closed */
    assert_false(cpu_missing(s.c, &what, &size));
    cpu_charge(s.c, IBK_WORK_EC_DH, 384);
    cpu_charge(s.c, IBK_WORK_IBE_EXTRACT, 1024);
    assert_int_equal(cpu_take(s.c), 0); /* nothing is made up */
    assert_true(cpu_missing(s.c, &what, &size));
    assert_int_equal(what, IBK_WORK_EC_DH);
    assert_int_equal(size, 384);
    assert_int_equal(cpu_get_stats(s.c).operations, 4);
    close_stage(&s);
}

/* What is under way when the simulation ends tells nobody and is freed. */
static void test_cut_off(void **state) {
    (void)state;
    stage s;
    job j = {&s, 0};
    cpu_model model = model_of(MS);
    cpu *none;
    open_stage(&s, 1);
    cpu_config config = {.sim = s.sim, .model = &model};
    assert_int_equal(cpu_new(&none, &config), IBK_ERR_USAGE);
    assert_null(none);
    config.cores = CPU_MAX_CORES + 1;
    assert_int_equal(cpu_new(&none, &config), IBK_ERR_USAGE);
    for (int i = 0; i < 3; i++)
        submit(&s, 10 * MS, &j);
    assert_int_equal(n3_run_until(s.sim, 5 * MS), N3_OK);
    cpu_free(s.c);
    s.c = NULL;
    assert_int_equal(n3_run(s.sim), N3_OK);
    assert_int_equal(s.ended, 0);
    close_stage(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cores),   cmocka_unit_test(test_uneven),  cmocka_unit_test(test_forgotten),
        cmocka_unit_test(test_account), cmocka_unit_test(test_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
