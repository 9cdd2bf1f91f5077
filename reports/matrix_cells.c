/* ibakelab: who knows what: the cells of the matrix. */
#include "reports/matrix.h"
#include "reports/words.h"

#include <string.h>

#define CALLS_MAX      256
#define IGNORANT_SHOWN 4

const char *const matrix_things[MATRIX_THINGS] = {
    "xP", "yP", "x", "y", "session-key", "media", "content", "private-key", "master-secret", "psk"};

matrix_account matrix_account_of(const result_party *p, const char *thing) {
    matrix_account a = {.given = true};
    for (size_t i = 0; i < p->fact_count; i++) {
        if (strcmp(p->facts[i].what, thing) != 0)
            continue;
        if (!a.any)
            a.first = &p->facts[i];
        a.any = true;
        a.given &= p->facts[i].given;
        a.calls += p->facts[i].call != NULL;
    }
    return a;
}

size_t matrix_calls_of(const result *r) {
    const char *known[CALLS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < r->party_count; i++)
        for (size_t n = 0; n < r->parties[i]->fact_count && count < CALLS_MAX; n++) {
            const char *call = r->parties[i]->facts[n].call;
            size_t k = 0;
            while (call && k < count && strcmp(known[k], call) != 0)
                k++;
            if (call && k == count)
                known[count++] = call;
        }
    return count;
}

void matrix_fill(char cell[MATRIX_CELL], const result_party *p, const matrix_account *a, size_t calls,
                 bool utf8) {
    bool adversary = strcmp(p->kind, "adversary") == 0;
    if (!a->any)
        snprintf(cell, MATRIX_CELL, "%s", utf8 ? "·" : "-");
    else if (adversary && a->given)
        snprintf(cell, MATRIX_CELL, "given");
    else if (a->calls > 0 && a->calls < calls)
        snprintf(cell, MATRIX_CELL, "%zu/%zu", a->calls, calls);
    else
        snprintf(cell, MATRIX_CELL, "%s", utf8 ? "✓" : "yes");
}

bool matrix_found_out(const result_party *p, const matrix_account *a) {
    return strcmp(p->kind, "adversary") == 0 && a->any && !a->given;
}

bool matrix_is_known(const result *r, const char *thing) {
    for (size_t i = 0; i < r->party_count; i++)
        if (matrix_account_of(r->parties[i], thing).any)
            return true;
    return false;
}

bool matrix_has_row(const result_party *p) {
    return p->fact_count > 0 || strcmp(p->kind, "adversary") == 0;
}

bool matrix_ignorant(const result *r, char *out, size_t size) {
    size_t count = 0;
    snprintf(out, size, "none of these: ");
    for (size_t i = 0; i < r->party_count; i++) {
        if (matrix_has_row(r->parties[i]))
            continue;
        if (count < IGNORANT_SHOWN)
            words_add(out, size, "%s%.80s", count ? ", " : "", r->parties[i]->name);
        count++;
    }
    if (count > IGNORANT_SHOWN)
        words_add(out, size, " and %zu more", count - IGNORANT_SHOWN);
    return count > 0;
}
