/* The reader by its contract: what ibk_rd_peek_u8 finds there, from least to most. */
#ifndef PROVE_CONTRACT_H
#define PROVE_CONTRACT_H

#include <stdint.h>

extern uint8_t contract_peek_least, contract_peek_most;

#endif
