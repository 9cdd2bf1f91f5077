/* Scenario loader: decimal numbers with units, exactly: no floating point between the file and the model. */
#ifndef SCENARIO_NUMBER_H
#define SCENARIO_NUMBER_H

#include <ibake.h>

typedef struct scn_unit {
    const char *name;
    uint64_t factor; /* base units in one of it */
} scn_unit;

/* A kind of physical quantity. */
typedef struct scn_quantity {
    const char *what;      /* "a time" */
    const char *examples;  /* "20 ms" */
    const char *unit_list; /* "ns, us, ms, s, min, h, d" */
    const char *base;      /* "1 ns": the finest step */
    const scn_unit *units; /* smallest first, ends with a NULL name */
    bool is_share;         /* written in the last unit, with decimals */
} scn_quantity;

extern const scn_quantity scn_time_quantity;     /* base: ns */
extern const scn_quantity scn_rate_quantity;     /* bit/s */
extern const scn_quantity scn_share_quantity;    /* 10^-9 */
extern const scn_quantity scn_packets_quantity;  /* packets */
extern const scn_quantity scn_octets_quantity;   /* octets */
extern const scn_quantity scn_hertz_quantity;    /* Hz */
extern const scn_quantity scn_priority_quantity; /* q-value, without a unit; thousandths */

typedef enum scn_number_result {
    SCN_NUMBER_OK = 0,
    SCN_NUMBER_NONE,      /* does not begin with a number */
    SCN_NUMBER_NO_UNIT,   /* a bare number */
    SCN_NUMBER_BAD_UNIT,  /* *unit points to what stands there */
    SCN_NUMBER_TOO_FINE,  /* more digits than the base unit has */
    SCN_NUMBER_TOO_LARGE, /* does not fit into 63 bits */
} scn_number_result;

/* "0.5 s", "-2 min" (sign only if `signed_`), "20ms". */
scn_number_result scn_number_read(int64_t *out, const char **unit, const char *text,
                                  const scn_quantity *quantity, bool signed_);
/* Plain decimal digits. */
bool scn_digits_read(uint64_t *out, const char *text);

#define SCN_NUMBER_MAX 48
/* The shortest exact form: "20 ms", "0.5 %", "-2 min". */
void scn_number_write(char out[SCN_NUMBER_MAX], int64_t value, const scn_quantity *quantity);

/* RFC 3339 in UTC, "2026-03-02T09:00:00Z" or with a fraction of up to nine digits; ns since 1970. */
bool scn_date_read(int64_t *utc_ns, const char *text);
void scn_date_write(char out[SCN_NUMBER_MAX], int64_t utc_ns);

#endif
