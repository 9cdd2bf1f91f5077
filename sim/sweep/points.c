/* The points of a sweep: which parameters and which seed a number stands for. The seeds vary fastest, then
 * the last parameter of the file; all that the hypercube draws together counts as one, in the place of its
 * first. */
#include "sweep/sweep.h"

#include <string.h>

static bool is_first_sampled(const sweep *s, size_t p) {
    for (size_t i = 0; i < p; i++)
        if (s->parameters[i].sampled)
            return false;
    return s->parameters[p].sampled;
}

static void choose(const sweep *s, size_t rest, sweep_point *out) {
    size_t sample = 0;
    for (size_t p = s->parameter_count; p-- > 0;) {
        bool first = is_first_sampled(s, p);
        if (s->parameters[p].sampled && !first)
            continue;
        size_t count = first ? s->samples : s->parameters[p].count;
        out->choices[p] = rest % count;
        sample = first ? out->choices[p] : sample;
        rest /= count;
    }
    for (size_t p = 0; p < s->parameter_count; p++)
        if (s->parameters[p].sampled)
            out->choices[p] = sample;
}

static void set_all(const sweep *s, sweep_point *out) {
    out->set_count = 0;
    for (size_t i = 0; i < s->fixed_count; i++)
        out->sets[out->set_count++] = s->fixed[i];
    for (size_t p = 0; p < s->parameter_count; p++) {
        const sweep_choice *choice = &s->parameters[p].choices[out->choices[p]];
        for (size_t i = 0; i < choice->set_count; i++)
            out->sets[out->set_count++] = choice->sets[i];
    }
    snprintf(out->seed_text, sizeof out->seed_text, "seed=%llu", (unsigned long long)out->seed);
    out->sets[out->set_count++] = out->seed_text;
}

void sweep_point_at(const sweep *s, size_t index, sweep_point *out) {
    out->index = index;
    out->seed = s->seeds[index % s->seed_count];
    choose(s, index / s->seed_count, out);
    set_all(s, out);
}

void sweep_point_with(const sweep *s, size_t p, size_t i, sweep_point *out) {
    memset(out->choices, 0, sizeof out->choices);
    if (p < s->parameter_count)
        out->choices[p] = i;
    out->index = 0;
    out->seed = s->seeds[0];
    set_all(s, out);
}

const char *sweep_label(const sweep *s, const sweep_point *point, size_t p) {
    return s->parameters[p].choices[point->choices[p]].label;
}

const char *sweep_verdict_name(uint32_t verdict) {
    return verdict == SWEEP_PASS ? "pass" : verdict == SWEEP_FAIL ? "fail" : "error";
}
