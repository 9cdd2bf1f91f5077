/* Scenario loader: the readers behind scn_value_read, one file a family. */
#ifndef SCENARIO_VALUE_H
#define SCENARIO_VALUE_H

#include "scenario/schema.h"

/* What is being read; every reader reports through value_refuse. */
typedef struct scn_value {
    scn_ctx *ctx;
    const scn_field *field;
    const scn_node *node;
    const char *path;
} scn_value;

/* "PATH: 'TEXT' PROBLEM" with the field's expectation as hint; false. */
bool scn_value_refuse(const scn_value *v, const char *problem);
bool scn_value_in_range(const scn_value *v, int64_t value);

bool scn_read_quantity(const scn_value *v, int64_t *out, const char *text, const scn_quantity *quantity,
                       bool signed_);
bool scn_read_word(const scn_value *v, int64_t *out);
bool scn_read_bound(const scn_value *v, scn_bound *out);
bool scn_read_text(const scn_value *v, const char **out);
bool scn_read_file(const scn_value *v, const char **out);
bool scn_read_cpu(const scn_value *v, scn_cpu *out);
/* An even number of hexadecimal digits, at least two, "0x" before them or not, single blanks between octets,
 * to octets in the arena. */
bool scn_octets_read(scn_arena *arena, ibk_span *out, const char *text);
bool scn_read_key(const scn_value *v, raw_key *out);
bool scn_read_source(const scn_value *v, scn_source *out);
bool scn_read_words(const scn_value *v, uint64_t *out);
const char *scn_words_text(scn_arena *arena, const scn_field *field, uint64_t set);

extern const char *const scn_bound_words[]; /* by scn_bound_op, up to SCN_BELOW; then NULL */

#endif
