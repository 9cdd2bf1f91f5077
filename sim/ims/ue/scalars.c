/* Where the x and y of a UE's exchanges come from: from its random streams, or from a generator whose seed
 * the network keeps (random/generator.h). */
#include "ims/ue/internal.h"
#include "random/generator.h"

static ims_host *host_of(void *user) {
    return ((ue_call *)user)->u->host;
}

static ibk_err from_generator(ue_call *call, ibk_draw_label label, uint8_t *out, size_t len) {
    const ue *u = call->u;
    uint8_t seed[GENERATOR_SEED_LEN];
    bool ok = generator_seed(seed, u->host->world->seed, u->user->name) &&
              generator_scalar(out, len, seed, call->generator.csb_id, label == IBK_DRAW_Y,
                               call->generator.drawn++);
    ibk_wipe(seed, sizeof seed);
    return ok ? IBK_OK : IBK_ERR_RANDOM;
}

static ibk_err draw(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    ue_call *call = user;
    if (label == IBK_DRAW_X || label == IBK_DRAW_Y)
        return from_generator(call, label, out, len);
    ibk_env env = ims_host_env(host_of(call));
    ibk_err err = env.draw(env.user, label, out, len);
    if (!err && label == IBK_DRAW_CSB_ID && len == 4)
        call->generator.csb_id =
            (uint32_t)out[0] << 24 | (uint32_t)out[1] << 16 | (uint32_t)out[2] << 8 | out[3];
    return err;
}

static void tell(void *user, const ibk_trace_event *event) {
    ibk_env env = ims_host_env(host_of(user));
    env.trace(env.user, event);
}

static void log_key(void *user, const ibk_keylog_record *record) {
    ibk_env env = ims_host_env(host_of(user));
    env.keylog(env.user, record);
}

static void charge(void *user, ibk_work what, unsigned size) {
    ims_host_charge(host_of(user), what, size);
}

ibk_env ue_call_env(ue_call *call) {
    ibk_env env = ims_host_env(call->u->host);
    if (ue_guards(call->u, SCN_DEFENCE(FRESH_SCALARS)))
        return env;
    return (ibk_env){.user = call,
                     .draw = draw,
                     .trace = tell,
                     .keylog = env.keylog ? log_key : NULL,
                     .work = env.work ? charge : NULL};
}
