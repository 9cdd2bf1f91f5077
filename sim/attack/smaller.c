#include "attack/attack.h"

#include <string.h>

static void without_rule(attack *a, size_t index) {
    memmove(&a->rules[index], &a->rules[index + 1], (a->rule_count - index - 1) * sizeof a->rules[0]);
    a->rule_count--;
}

static void without_seat(attack *a, size_t index) {
    memmove(&a->seats[index], &a->seats[index + 1], (a->seat_count - index - 1) * sizeof a->seats[0]);
    a->seat_count--;
}

static void without_key(attack_rule *rule, size_t index) {
    memmove(&rule->keys[index], &rule->keys[index + 1], (rule->count - index - 1) * sizeof rule->keys[0]);
    rule->count--;
}

bool attack_smaller(attack *out, const attack *from, size_t index) {
    *out = *from;
    size_t rules = from->rule_count > 1 ? from->rule_count : 0; /* one has to be left */
    if (index < rules) {
        without_rule(out, from->rule_count - 1 - index); /* the last ones first: they lean on the others */
        return true;
    }
    index -= rules;
    if (index < from->seat_count) {
        without_seat(out, index);
        return true;
    }
    index -= from->seat_count;
    for (size_t i = 0; i < from->rule_count; i++) {
        size_t optional = from->rules[i].count - 2; /* `on` and `do` stay */
        if (index < optional) {
            without_key(&out->rules[i], from->rules[i].count - 1 - index);
            return true;
        }
        index -= optional;
    }
    return false;
}
