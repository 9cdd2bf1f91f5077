/* ibakelab: a random adversary. From a seed it composes rules in the language of docs/adversaries.md; of
 * those that did harm it makes the shortest that still do. An attack is text: keys and values of rules,
 * written as a scenario that extends the one under attack.
 *
 *     attack_compose(&a, scenario, seed, round);
 *     attack_write(&yaml, &a, &(attack_file){.base = path, .title = "…"});    load it, play it, judge it
 *     for (size_t i = 0; attack_smaller(&b, &a, i); i++) …                    simpler ones, to be tried in
 * this order
 */
#ifndef SIM_ATTACK_ATTACK_H
#define SIM_ATTACK_ATTACK_H

#include "scenario/model.h"

#define ATTACK_RULES_MAX 12
#define ATTACK_KEYS_MAX  16
#define ATTACK_SEATS_MAX 8

typedef struct attack_key {
    char key[20], value[140];
} attack_key;

typedef struct attack_rule {
    attack_key keys[ATTACK_KEYS_MAX]; /* the first two are `on` and `do` */
    size_t count;
} attack_rule;

typedef struct attack {
    attack_key seats[ATTACK_SEATS_MAX]; /* "link", "alice"; none if the scenario's own adversary attacks */
    size_t seat_count;
    attack_rule rules[ATTACK_RULES_MAX];
    size_t rule_count;
} attack;

/* The same scenario, seed and round give the same attack, whatever was composed before. Where the scenario
 * has an adversary, that one attacks, with its seats and what it holds, and these rules take the place of its
 * own; else one that sits on the access links of the first call's ends and holds nothing. The scenario must
 * have a call. IBK_ERR_NO_MEMORY. */
ibk_err attack_compose(attack *out, const scn_scenario *scenario, uint64_t seed, uint64_t round);

/* The index-th simplification of an attack: without one of its rules, of its seats, of the keys of a rule.
 * False: there are no more. Some are no rules any more: the loader refuses them. */
bool attack_smaller(attack *out, const attack *from, size_t index);

typedef struct attack_file {
    const char *base;            /* path of the scenario under attack, as seen from where the file will be */
    const char *title, *comment; /* comment: lines, each gets its "# "; NULL: none */
    const char *adversary;       /* its name */
    const char *expect;          /* YAML of the section `expect`, indented by two blanks */
} attack_file;

/* Appends a scenario file. */
ibk_err attack_write(ibk_buf *out, const attack *a, const attack_file *file);
/* The name of the adversary that attacks. */
const char *attack_adversary(const scn_scenario *scenario);

#endif
