/* ibakelab: a sweep: one scenario, played at many points of a space of parameters with several seeds each.
 *
 *     sweep *s;
 *     if (sweep_load(&s, &errors, "scenarios/sweeps/loss.yaml", NULL, 0) || sweep_check(s, &errors, &stamp))
 *         scn_errors_print(&errors, stderr, colour), exit(2);
 *     for (size_t i = 0; i < s->points; i++)
 *         sweep_play(s, i, NULL, &row);
 *     sweep_free(s);
 *
 * The points are numbered from 0. Which parameters and which seed a point has follows from its number and the
 * file alone, so that points can be played in any order, by several processes, on several machines. */
#ifndef SWEEP_SWEEP_H
#define SWEEP_SWEEP_H

#include "scenario/arena.h"
#include "scenario/model.h"

#define SWEEP_VERSION        1 /* the value of the key `sweep` */
#define SWEEP_MAX_POINTS     1000000
#define SWEEP_MAX_CHOICES    10000 /* values of one parameter; samples of a hypercube */
#define SWEEP_MAX_PARAMETERS 32
#define SWEEP_MAX_MEASURES   64
#define SWEEP_MAX_SEEDS      10000
#define SWEEP_MAX_SETS       512      /* of one point */
#define SWEEP_MAX_VALUE      16384    /* octets of one value */
#define SWEEP_MAX_TEXT       67108864 /* octets of all paths and values together */

struct measure_node;

/* One value of a parameter: how it is shown, and the "path=value" texts that it stands for. */
typedef struct sweep_choice {
    const char *label;
    const char **sets;
    size_t set_count;
} sweep_choice;

typedef struct sweep_parameter {
    const char *name;
    const char *path; /* what it sets, for people: "links.access.loss"; of cases "" */
    scn_where where;
    sweep_choice *choices; /* a sampled one: choice i belongs to sample i */
    size_t count;
    bool sampled; /* by the Latin hypercube */
} sweep_parameter;

typedef struct sweep_measure {
    const char *name, *text, *unit; /* unit may be "" */
    const struct measure_node *value;
} sweep_measure;

typedef struct sweep {
    const char *path, *title, *description;
    const char *scenario;        /* path of the scenario, to be opened from the working directory */
    const char **fixed;          /* "path=value" that hold at every point: of the file, then of the command */
    size_t fixed_count;          /* line */
    sweep_parameter *parameters; /* in the order of the file */
    size_t parameter_count;
    size_t samples; /* of the hypercube; 0: there is none */
    uint64_t *seeds;
    size_t seed_count;
    sweep_measure *measures;
    size_t measure_count;
    size_t points;
    scn_arena *arena;
} sweep;

/* Reads a sweep file, strictly, as scenarios are read (scn_load_file: the same errors). `sets` are further
 * "path=value" for every point. IBK_OK: *out is owned by the caller. IBK_ERR_BAD_VALUE, IBK_ERR_IO: *errors
 * tells why; IBK_ERR_NO_MEMORY. */
ibk_err sweep_load(sweep **out, scn_errors *errors, const char *path, const char *const *sets,
                   size_t set_count);
/* The same of a text; `path` is used in messages, and its folder to find the scenario. */
ibk_err sweep_load_text(sweep **out, scn_errors *errors, const char *path, ibk_span text,
                        const char *const *sets, size_t set_count);
void sweep_free(sweep *s); /* legal on NULL */

/* What makes two sweeps the same: their results may lie in one database. */
typedef struct sweep_stamp {
    char digest[65];    /* of points, measures and of the scenario with each value of each parameter */
    char versions[256]; /* of ibakelab and of the libraries that results depend on */
} sweep_stamp;

/* Loads the scenario with every value of every parameter, each beside the first values of the others, so that
 * a wrong one is found before anything runs, and stamps the sweep. IBK_ERR_BAD_VALUE: *errors tells which
 * value is refused and why. */
ibk_err sweep_check(const sweep *s, scn_errors *errors, sweep_stamp *stamp);

/* One point. `sets` are borrowed from the sweep and from the point itself. */
typedef struct sweep_point {
    size_t index;
    uint64_t seed;
    size_t choices[SWEEP_MAX_PARAMETERS]; /* by parameter */
    const char *sets[SWEEP_MAX_SETS];
    size_t set_count;
    char seed_text[32];
} sweep_point;

void sweep_point_at(const sweep *s, size_t index, sweep_point *out);
/* The point that has choice `i` of parameter `p`, the first of every other one, and the first seed; `index`
 * is not meant (what the hypercube draws together is taken apart). */
void sweep_point_with(const sweep *s, size_t p, size_t i, sweep_point *out);
/* The label that parameter `p` has at this point. */
const char *sweep_label(const sweep *s, const sweep_point *point, size_t p);

/* What became of a point. Plain octets: a process hands it to another as it is, on machines of one kind. */
typedef enum sweep_verdict { SWEEP_ERROR = 0, SWEEP_PASS, SWEEP_FAIL } sweep_verdict;
typedef struct sweep_row {
    uint64_t point;
    uint32_t verdict; /* sweep_verdict; ERROR: there was no run, and no value */
    uint32_t kept;    /* the run's folder is there (sweep_folder) */
    char detail[240]; /* ERROR: why; else the first expectation that failed, or why a measure has no
                         value, or "" */
    double values[SWEEP_MAX_MEASURES]; /* NaN: the measure has no value here */
} sweep_row;

const char *sweep_verdict_name(uint32_t verdict); /* "pass", "fail", "error" */

/* Plays a point and measures it; *out is complete in any case. With `folder` everything is written there that
 * `ibakelab run` writes. */
void sweep_play(const sweep *s, size_t index, const char *folder, sweep_row *out);
/* A row for a point whose process did not come to its end. */
void sweep_row_failed(sweep_row *out, size_t index, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
