/* The names of the contract (IUT.md §1) and the values of libibake behind them, both ways; error classes. */
#ifndef CONFORMANCE_IUT_NAMES_H
#define CONFORMANCE_IUT_NAMES_H

#include <ibake/base.h>

/* A kind of name: the name of a value, and the values below 32 that we support. */
typedef struct iut_kind {
    const char *(*name)(uint8_t value);
    uint32_t values;
} iut_kind;

extern const iut_kind iut_prfs, iut_encryptions, iut_macs, iut_curves, iut_own_curves, iut_timestamps,
    iut_maps, iut_signatures, iut_envelopes, iut_granularities, iut_methods, iut_issues, iut_error_policies,
    iut_kms_errors, iut_accepts, iut_levels, iut_roles, iut_families, iut_features;

/* accept_responders */
enum iut_accept { IUT_ACCEPT_NONE = 0, IUT_ACCEPT_ECHOED, IUT_ACCEPT_ANY };
/* sdp.level */
enum iut_level { IUT_LEVEL_SESSION = 0, IUT_LEVEL_MEDIA };

enum iut_role {
    IUT_INITIATOR = 0,
    IUT_RESPONDER,
    IUT_MAILBOX,
    IUT_KMS,
    IUT_USER,
    IUT_PARSER /* no session: the op "parse" */
};

/* The value of a name of `len` octets; false: not one that we support. */
bool iut_kind_find(const iut_kind *kind, const char *name, size_t len, uint8_t *value);
/* IUT.md §7; never NULL. */
const char *iut_error_class(ibk_err err);

#endif
