#include "scenario/schema_table.h"
#include "sweep/raw.h"

#define NODE(member)    .type = SCN_T_NODE, AT(raw_parameter, member)
#define NAME_OF(struct) SCN_T_NAME, AT(struct, name), .min = 1, .max = 40

static const scn_word scale_words[] = {{"linear", SWEEP_LINEAR}, {"log", SWEEP_LOG}, {NULL, 0}};

static const scn_field parameter_fields[] = {
    {"name", NAME_OF(raw_parameter), .meaning = "what the parameter is called"},
    {"set", NODE(set), .meaning = "the path in the scenario that it sets, or a list of paths"},
    {"values", NODE(values), .meaning = "a list of its values"},
    {"cases", NODE(cases),
     .meaning = "instead of set: names of cases, each with the paths and values that it sets"},
    {"from", NODE(from), .meaning = "the first value of a range"},
    {"to", NODE(to), .meaning = "the last value of a range"},
    {"steps", SCN_T_UINT, AT(raw_parameter, steps), .min = 2, .max = SWEEP_MAX_CHOICES,
     .meaning = "how many values the range has; without it the hypercube draws them"},
    {"scale", SCN_T_ENUM, AT(raw_parameter, scale), .words = scale_words, .fallback = "linear",
     .meaning = "how the values lie between from and to"},
};
const scn_section sweep_parameter_section = {"a parameter", FIELDS(parameter_fields),
                                             .size = sizeof(raw_parameter)};

static const scn_field measure_fields[] = {
    {"name", NAME_OF(raw_measure), .meaning = "what the measure is called"},
    {"value", SCN_T_LINE, AT(raw_measure, value), .required = true, .min = 1, .max = 400,
     .meaning = "a number of the run's result, e.g. median(calls[].setup_ns) / 1e6"},
    {"unit", SCN_T_LINE, AT(raw_measure, unit), .fallback = "", .max = 20, .meaning = "its unit, for people"},
};
static const scn_section measure_section = {"a measure", FIELDS(measure_fields), .size = sizeof(raw_measure)};

static const scn_field hypercube_fields[] = {
    {"samples", SCN_T_UINT, AT(raw_hypercube, samples), .required = true, .min = 2, .max = SWEEP_MAX_CHOICES,
     .meaning = "how many samples are drawn"},
    {"seed", SCN_T_UINT, AT(raw_hypercube, seed), .fallback = "1", .max = INT64_MAX,
     .meaning = "what they are drawn from"},
};
static const scn_section hypercube_section = {"a hypercube", FIELDS(hypercube_fields),
                                              .size = sizeof(raw_hypercube), .optional = true};

static const scn_field root_fields[] = {
    {"sweep", SCN_T_UINT, AT(raw_sweep, version), .required = true, .min = SWEEP_VERSION,
     .max = SWEEP_VERSION, .meaning = "version of the language of sweep files"},
    {"title", SCN_T_LINE, AT(raw_sweep, title), .required = true, .min = 1, .max = 200,
     .meaning = "one line for reports"},
    {"description", SCN_T_TEXT, AT(raw_sweep, description), .fallback = "", .max = 4000,
     .meaning = "what the sweep shows"},
    {"scenario", SCN_T_FILE, AT(raw_sweep, scenario), .required = true, .min = 1, .max = 1000,
     .meaning = "the scenario that is played; its path starts at the folder of the sweep file"},
    {"set", SCN_T_NODE, AT(raw_sweep, set), .meaning = "paths and values that hold at every point"},
    {"parameters", SCN_T_LIST, AT(raw_sweep, parameters), .by_name = true,
     .section = &sweep_parameter_section, .meaning = "what varies"},
    {"hypercube", SECTION(raw_sweep, hypercube, hypercube_section),
     .meaning = "draws the ranges that have no steps, all of them together"},
    {"seeds", SCN_T_NODE, AT(raw_sweep, seeds), .meaning = "the seeds of each point: 1 to 10, or a list"},
    {"measures", SCN_T_LIST, AT(raw_sweep, measures), .required = true, .by_name = true,
     .section = &measure_section, .meaning = "what is measured"},
};
const scn_section sweep_root_section = {"a sweep", FIELDS(root_fields), .size = sizeof(raw_sweep)};
