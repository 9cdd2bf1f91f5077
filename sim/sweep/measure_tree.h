/* Measures: the tree between the parser and the evaluation. */
#ifndef SWEEP_MEASURE_TREE_H
#define SWEEP_MEASURE_TREE_H

#include "sweep/measure.h"

typedef enum measure_kind {
    MEASURE_NUMBER = 1,
    MEASURE_PATH,     /* exactly one number or truth value */
    MEASURE_FUNCTION, /* `function` of all that `path` gives */
    MEASURE_OPERATOR, /* `op` of left and right */
    MEASURE_IS        /* the text that `path` gives is, or with '!' is not, `word` */
} measure_kind;

typedef enum measure_function {
    MEASURE_COUNT,
    MEASURE_ANY,
    MEASURE_SUM,
    MEASURE_MEAN,
    MEASURE_MEDIAN,
    MEASURE_MIN,
    MEASURE_MAX,
    MEASURE_PERCENTILE,
    MEASURE_FUNCTIONS
} measure_function;
extern const char *const measure_function_names[MEASURE_FUNCTIONS + 1]; /* ends with NULL */

typedef enum measure_step_kind {
    MEASURE_MEMBER, /* .text */
    MEASURE_ALL,    /* [] */
    MEASURE_INDEX,  /* [3] */
    MEASURE_NAMED,  /* [text]: the entry of that name; of an object, the member */
    MEASURE_WHERE   /* [key=text] or, negated, [key!=text] */
} measure_step_kind;

typedef struct measure_step {
    measure_step_kind kind;
    const char *text, *key;
    size_t index;
    bool negated;
} measure_step;

typedef struct measure_path {
    const char *text; /* as written */
    measure_step *steps;
    size_t count;
} measure_path;

/* Operators are their character; 'l' is <= and 'g' is >=, '!' is !=. */
struct measure_node {
    measure_kind kind;
    double number; /* NUMBER; of PERCENTILE its second argument */
    measure_function function;
    measure_path path;
    char op;
    const char *word;
    const measure_node *left, *right;
};

/* The members that can name an entry of a list, in the order in which they are tried; ends with NULL. */
extern const char *const measure_name_keys[];
/* The text of an entry's name, or NULL. */
const char *measure_entry_name(const json_t *entry);

#endif
