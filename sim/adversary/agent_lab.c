#include "adversary/agent_lab.h"
#include "ims/media/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static ibk_time now(void *user) {
    return ims_host_time(((side *)user)->host);
}

static const ibk_ibe_params *params(void *user, ibk_span identity, const scn_domain *of, size_t nth) {
    (void)user, (void)of;
    if (nth)
        return NULL;
    return memmem(identity.data, identity.len, "@away", 5) ? lab_away.params : lab_home.params;
}

static ibk_granularity granularity(void *user, ibk_span identity) {
    (void)user, (void)identity;
    return IBK_GRANULARITY_DAY;
}

static const ibk_ibe_key *key(void *user, const ibk_ibe_params *of, ibk_span ibe_identity) {
    side *s = user;
    const lab_domain *d = of == lab_away.params ? &lab_away : &lab_home;
    if (!s->key_of || ibe_identity.len < strlen(s->key_of) ||
        memcmp(ibe_identity.data, s->key_of, strlen(s->key_of)) != 0)
        return NULL;
    assert_true(s->n_kept < sizeof s->kept / sizeof *s->kept);
    assert_int_equal(ibk_ibe_extract(d->params, d->master, ibe_identity, &s->kept[s->n_kept]), IBK_OK);
    return s->kept[s->n_kept++];
}

static void learned(void *user, const char *call_id, const ibk_keylog_record *record) {
    (void)call_id;
    ((side *)user)->tgks += record->kind == IBK_KEYLOG_TGK;
}

void side_open(side *s, stage *network, const char *name, const char *key_of, const cpu_model *model) {
    *s = (side){.key_of = key_of};
    ims_host_config host = stage_host(network, name);
    host.cpu = model;
    sip_core core = agent_core(&s->agent);
    assert_int_equal(ims_host_new(&s->host, &host, &core), IBK_OK);
    craft_config config = {.env = ims_host_env(s->host),
                           .user = s,
                           .now = now,
                           .params = params,
                           .granularity = granularity,
                           .key = key,
                           .learned = learned};
    assert_int_equal(craft_new(&s->craft, &config), IBK_OK);
    assert_int_equal(agent_new(&s->agent, s->host, s->craft), IBK_OK);
}

void side_close(side *s) {
    agent_free(s->agent);
    craft_free(s->craft);
    ims_host_free(s->host);
    for (size_t i = 0; i < s->n_kept; i++)
        ibk_ibe_key_free(s->kept[i]);
}

int agent_lab_setup(void **state) {
    return sip_init() == IBK_OK && media_library_start() ? lab_group_setup(state) : -1;
}

int agent_lab_teardown(void **state) {
    media_library_stop();
    return lab_group_teardown(state);
}
