/* Scenario loader: what the steps that expand `adversaries:` share. */
#ifndef SCENARIO_EXPAND_ADVERSARIES_H
#define SCENARIO_EXPAND_ADVERSARIES_H

#include "scenario/names.h"

/* Everybody who can be named. */
typedef struct scn_cast {
    scn_ctx *ctx;
    const scn_scenario *s;
    scn_index users, calls, adversaries;
} scn_cast;

/* A text of the file and its place, for reports: "adversaries[0].rules[2].sender". */
typedef struct scn_spot {
    scn_cast *cast;
    const raw_head *head;
    const char *path; /* of the mapping */
    const char *key;
} scn_spot;

/* "PATH.KEY: 'TEXT' PROBLEM", at the key's value; takes a hint. */
scn_error *scn_spot_report(const scn_spot *spot, const char *text, const char *problem);

/* Each finds what the text names, or reports and returns NULL. */
const scn_user *scn_spot_user(const scn_spot *spot, const char *name);
const scn_domain *scn_spot_domain(const scn_spot *spot, const char *name);
const scn_call *scn_spot_call(const scn_spot *spot, const char *name);
/* A user by name or by one of its public identities; *identity is the one that is meant. */
const scn_user *scn_spot_user_or_identity(const scn_spot *spot, const char *text, const char **identity);
/* The identity that the text means: a user's first one, or the text itself if it looks like an identity. */
const char *scn_spot_identity(const scn_spot *spot, const char *text);
/* The text, if it names a user, a node of a core, or an adversary. */
const char *scn_spot_anybody(const scn_spot *spot, const char *name);
/* pcscf.home.example: its domain and *core. */
const scn_domain *scn_spot_core_node(const scn_spot *spot, scn_core_node *core, const char *name);

/* Raw to model; `path` is "adversaries[0].rules[2]". False: reported. */
bool scn_expand_rule(scn_cast *cast, scn_rule *out, const raw_rule *raw, const char *path);
/* The value of a rule's key `value`, by its action and field. False: reported. */
bool scn_rule_value(const scn_spot *spot, scn_edit_value *out, const scn_rule *rule, const char *text);
bool scn_rule_point(const scn_spot *spot, scn_point *out, const char *text);
/* "SP", "General Extension", "99". False: reported. */
bool scn_rule_payload(const scn_spot *spot, uint8_t *out, const char *text);
/* The data type of a MIKEY message's name, or -1. */
int scn_data_type(const char *name);

#endif
