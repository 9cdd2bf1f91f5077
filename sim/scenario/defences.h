/* Defences that a scenario switches off (`without`, docs/defences.md): those of libibake (ibake/defences.h),
 * and those of a UE that libibake knows nothing of, as further bits. */
#ifndef SCENARIO_DEFENCES_H
#define SCENARIO_DEFENCES_H

#include <ibake.h>

/* name, word, what it does */
#define SCN_UE_DEFENCES(X)                                                                                   \
    X(REQUIRE_KEY_MGMT, "require-key-mgmt", "there is no call without a=key-mgmt")                           \
    X(CERTIFICATE_CHECK, "certificate-check", "a KMS's certificate leads to the trust anchor, and names it") \
    X(PARAMETERS_VALIDITY, "parameters-validity", "no parameters are used outside their validity")           \
    X(RESTART_GRACE, "restart-grace", "what a restart may have lost from the replay cache is refused")       \
    X(FRESH_SCALARS, "fresh-scalars", "x and y are random, and known to nobody")

enum scn_defence_index {
#define SCN_DEFENCE_INDEX(name, word, text) SCN_DEFENCE_INDEX_##name,
    SCN_UE_DEFENCES(SCN_DEFENCE_INDEX)
#undef SCN_DEFENCE_INDEX
};

/* The bit of one: SCN_DEFENCE(FRESH_SCALARS). */
#define SCN_DEFENCE(name) (UINT64_C(1) << (32 + SCN_DEFENCE_INDEX_##name))

/* Those of libibake in a set. */
static inline uint32_t scn_ibk_without(uint64_t without) {
    return (uint32_t)without;
}

#endif
