#include "scenario/defences.h"
#include "scenario/schema_table.h"

#define OF_LIBIBAKE(name, word, text) {word, IBK_DEFENCE_##name},
#define OF_UE(name, word, text)       {word, (int64_t)SCN_DEFENCE(name)},

const scn_word scn_user_defence_words[] = {IBK_USER_DEFENCES(OF_LIBIBAKE) SCN_UE_DEFENCES(OF_UE){NULL, 0}};
const scn_word scn_kms_defence_words[] = {{"clock-skew", IBK_DEFENCE_CLOCK_SKEW},
                                          IBK_KMS_DEFENCES(OF_LIBIBAKE){NULL, 0}};
