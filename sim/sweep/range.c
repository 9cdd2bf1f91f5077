#include "sweep/raw.h"

#include <math.h>
#include <string.h>

#define DIGITS 10000 /* a logarithmic value keeps four digits */

/* In the order in which a text is tried: no unit of one is a unit of another. */
static const scn_quantity *const quantities[] = {
    &scn_time_quantity,   &scn_rate_quantity,  &scn_share_quantity,   &scn_packets_quantity,
    &scn_octets_quantity, &scn_hertz_quantity, &scn_priority_quantity};
#define QUANTITIES (sizeof quantities / sizeof quantities[0])

static bool is_text(scn_ctx *ctx, const scn_node *node, const char *place, const char *key) {
    if (node->kind == SCN_SCALAR && !scn_node_is_null(node))
        return true;
    scn_report(ctx, &node->where, "%s.%s must be a single value, not %s", place, key,
               scn_node_kind_name(node));
    return false;
}

static bool read_as(const scn_quantity *quantity, const char *text, int64_t *out) {
    const char *unit = "";
    uint64_t whole;
    if (quantity != NULL)
        return scn_number_read(out, &unit, text, quantity, true) == SCN_NUMBER_OK;
    if (!scn_digits_read(&whole, text) || whole > INT64_MAX)
        return false;
    *out = (int64_t)whole;
    return true;
}

static bool read_both(sweep_range *out, const scn_quantity *quantity, const char *from, const char *to) {
    out->quantity = quantity;
    return read_as(quantity, from, &out->from) && read_as(quantity, to, &out->to);
}

static bool read_ends(sweep_range *out, const char *from, const char *to) {
    if (read_both(out, NULL, from, to))
        return true;
    for (size_t i = 0; i < QUANTITIES; i++)
        if (read_both(out, quantities[i], from, to))
            return true;
    return false;
}

bool sweep_range_read(scn_ctx *ctx, sweep_range *out, const raw_parameter *raw) {
    const char *place = scn_printf(ctx->arena, "parameters.%s", raw->name);
    *out = (sweep_range){.scale = raw->scale};
    if (!is_text(ctx, raw->from, place, "from") || !is_text(ctx, raw->to, place, "to"))
        return false;
    if (!read_ends(out, raw->from->text, raw->to->text)) {
        scn_hint(scn_report(ctx, &raw->from->where, "%s: '%s' and '%s' are not the ends of a range", place,
                            scn_show(ctx, raw->from->text), scn_show(ctx, raw->to->text)),
                 "both are numbers, with units of one kind: 0 %% and 10 %%, 20 ms and 1 s, 1 and 8");
        return false;
    }
    if (out->from >= out->to) {
        scn_report(ctx, &raw->to->where, "%s: 'to' is not above 'from'", place);
        return false;
    }
    if (out->scale == SWEEP_LOG && out->from <= 0) {
        scn_report(ctx, &raw->from->where, "%s: a logarithmic range begins above 0", place);
        return false;
    }
    return true;
}

static int64_t rounded(double value, double grain) {
    double result = grain > 1 ? round(value / grain) * grain : round(value);
    return (int64_t)result;
}

static int64_t within(const sweep_range *range, int64_t value) {
    return value < range->from ? range->from : value > range->to ? range->to : value;
}

/* The power of ten at or below this. */
static double power_of_ten(double value) {
    return value < 1 ? 1 : pow(10, floor(log10(value)));
}

int64_t sweep_range_at(const sweep_range *range, double part, size_t count) {
    double from = (double)range->from, to = (double)range->to;
    if (range->scale == SWEEP_LOG) {
        double value = from * pow(to / from, part);
        return within(range, rounded(value, power_of_ten(value / DIGITS * 10)));
    }
    double grain = power_of_ten((to - from) / (double)count / 100);
    return within(range, rounded(from + part * (to - from), grain));
}

int64_t sweep_range_step(const sweep_range *range, size_t i, size_t n) {
    if (i == 0 || i == n - 1)
        return i == 0 ? range->from : range->to;
    if (range->scale == SWEEP_LOG)
        return sweep_range_at(range, (double)i / (double)(n - 1), n);
    __int128 way = (__int128)range->to - range->from, parts = (__int128)(n - 1);
    return (int64_t)(range->from + (way * (__int128)i + parts / 2) / parts);
}

const char *sweep_range_text(scn_arena *arena, const sweep_range *range, int64_t value) {
    char text[SCN_NUMBER_MAX];
    if (range->quantity == NULL)
        return scn_printf(arena, "%lld", (long long)value);
    scn_number_write(text, value, range->quantity);
    return scn_copy(arena, text, strlen(text));
}
