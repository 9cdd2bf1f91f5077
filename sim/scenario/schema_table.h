/* Scenario loader: shorthands in which the table of keys is written, for the files that hold parts of it. */
#ifndef SCENARIO_SCHEMA_TABLE_H
#define SCENARIO_SCHEMA_TABLE_H

#include "scenario/schema.h"

#define MS INT64_C(1000000)
#define S  INT64_C(1000000000)
#define H  (3600 * S)
#define D  (24 * H)

#define AT(type, member)        .offset = offsetof(type, member), .width = sizeof(((type *)0)->member)
#define FIELDS(list)            .fields = (list), .count = sizeof(list) / sizeof((list)[0])
#define SECTION(raw, member, s) .type = SCN_T_SECTION, AT(raw, member), .section = &(s)
#define TIME                    .type = SCN_T_QUANTITY, .quantity = &scn_time_quantity
#define WORDS(...)              ((const scn_word[]){__VA_ARGS__, {NULL, 0}})

/* Defences that a laboratory can switch off, of a UE and of a KMS (defences.c) */
extern const scn_word scn_user_defence_words[], scn_kms_defence_words[];

extern const scn_section scn_adversary_section; /* schema_adversaries.c */
extern const scn_section scn_expect_section;    /* schema_expect.c */

#endif
