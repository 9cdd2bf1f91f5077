/* ibakelab: see schema.h. */
#include "reports/schema.h"

#include "reports/schema_data.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

enum { PLACE_MAX = 200, DEPTH_MAX = 64 };

typedef struct look {
    const json_t *root;
    char place[PLACE_MAX]; /* of the value that is looked at: "calls[3].state" */
    unsigned depth;        /* of schemas in each other: a $ref that leads to itself ends here */
    char *why;
    size_t size;
} look;

static bool permits(look *l, const json_t *schema, const json_t *value);

json_t *schema_of_results(void) {
    return json_loadb((const char *)schema_results, schema_results_len, 0, NULL);
}

/* ---- telling -------------------------------------------------------------------------------------- */

static bool refuse(look *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool refuse(look *l, const char *format, ...) {
    char what[200];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    snprintf(l->why, l->size, "%s%s%s", l->place, *l->place ? ": " : "", what);
    return false;
}

static const char *type_name(const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a text";
    case JSON_INTEGER:
        return "a whole number";
    case JSON_REAL:
        return "a number";
    case JSON_NULL:
        return "null";
    default:
        return "true or false";
    }
}

static const char *wanted_name(const char *type) {
    static const char *const names[][2] = {{"object", "an object"}, {"array", "a list"},
                                           {"string", "a text"},    {"integer", "a whole number"},
                                           {"number", "a number"},  {"boolean", "true or false"},
                                           {"null", "null"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i][0], type) == 0)
            return names[i][1];
    return type;
}

/* ---- keywords: each looks at one member of the schema ------------------------------------------------ */

typedef bool keyword(look *l, const json_t *schema, const json_t *rule, const json_t *value);

static bool is_type(const json_t *value, const char *type) {
    if (strcmp(type, "integer") == 0)
        return json_is_integer(value);
    if (strcmp(type, "number") == 0)
        return json_is_number(value);
    return strcmp(wanted_name(type), type_name(value)) == 0;
}

static bool look_type(look *l, const json_t *schema, const json_t *rule, const json_t *value) {
    (void)schema;
    char names[120] = "";
    size_t i, len = 0;
    const json_t *one;
    if (json_is_string(rule))
        return is_type(value, json_string_value(rule)) ||
               refuse(l, "%s is wanted, not %s", wanted_name(json_string_value(rule)), type_name(value));
    json_array_foreach(rule, i, one) {
        if (is_type(value, json_string_value(one)))
            return true;
        len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", i ? " or " : "",
                                wanted_name(json_string_value(one)));
    }
    return refuse(l, "%s is wanted, not %s", names, type_name(value));
}

static bool look_enum(look *l, const json_t *schema, const json_t *rule, const json_t *value) {
    (void)schema;
    char names[160] = "";
    size_t i, len = 0;
    const json_t *one;
    json_array_foreach(rule, i, one) {
        if (json_equal(one, value))
            return true;
        if (json_is_string(one) && len < sizeof names)
            len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", i ? ", " : "",
                                    json_string_value(one));
    }
    return refuse(l, "one of %s is wanted, not '%.60s'", names,
                  json_is_string(value) ? json_string_value(value) : type_name(value));
}

static bool look_const(look *l, const json_t *schema, const json_t *rule, const json_t *value) {
    (void)schema;
    if (json_equal(rule, value))
        return true;
    return refuse(l, "'%s' is wanted, not '%.60s'",
                  json_is_string(rule) ? json_string_value(rule) : "another value",
                  json_is_string(value) ? json_string_value(value) : type_name(value));
}

static bool look_pattern(look *l, const json_t *schema, const json_t *rule, const json_t *value) {
    (void)schema;
    regex_t pattern;
    if (!json_is_string(value))
        return true;
    if (regcomp(&pattern, json_string_value(rule), REG_EXTENDED | REG_NOSUB) != 0)
        return refuse(l, "the schema's pattern '%s' is none", json_string_value(rule));
    bool fits = regexec(&pattern, json_string_value(value), 0, NULL, 0) == 0;
    regfree(&pattern);
    return fits || refuse(l, "'%.60s' has another form than is wanted", json_string_value(value));
}

static bool look_minimum(look *l, const json_t *schema, const json_t *rule, const json_t *value) {
    (void)schema;
    return !json_is_number(value) || json_number_value(value) >= json_number_value(rule) ||
           refuse(l, "it is less than %g", json_number_value(rule));
}

static bool look_maximum(look *l, const json_t *schema, const json_t *rule, const json_t *value) {
    (void)schema;
    return !json_is_number(value) || json_number_value(value) <= json_number_value(rule) ||
           refuse(l, "it is more than %g", json_number_value(rule));
}

static bool look_required(look *l, const json_t *schema, const json_t *rule, const json_t *value) {
    (void)schema;
    size_t i;
    const json_t *name;
    if (json_is_object(value))
        json_array_foreach(rule, i, name) {
            if (!json_object_get(value, json_string_value(name)))
                return refuse(l, "'%s' is missing", json_string_value(name));
        }
    return true;
}

/* Looks at a value one step further down; the place grows by ".name" or "[index]". */
static bool step(look *l, const json_t *schema, const json_t *value, const char *name, size_t index) {
    size_t len = strlen(l->place);
    if (name)
        snprintf(l->place + len, PLACE_MAX - len, "%s%.60s", len ? "." : "", name);
    else
        snprintf(l->place + len, PLACE_MAX - len, "[%zu]", index);
    bool good = permits(l, schema, value);
    l->place[len] = '\0';
    return good;
}

static bool look_properties(look *l, const json_t *schema, const json_t *rule, const json_t *value) {
    (void)schema;
    const char *name;
    json_t *member;
    json_object_foreach((json_t *)value, name, member) {
        const json_t *one = json_object_get(rule, name);
        if (one && !step(l, one, member, name, 0))
            return false;
    }
    return true;
}

static bool look_additional(look *l, const json_t *schema, const json_t *rule, const json_t *value) {
    const json_t *known = json_object_get(schema, "properties");
    const char *name;
    json_t *member;
    json_object_foreach((json_t *)value, name, member) {
        if (json_object_get(known, name))
            continue;
        if (json_is_false(rule))
            return refuse(l, "'%.60s' is unknown here", name);
        if (!step(l, rule, member, name, 0))
            return false;
    }
    return true;
}

static bool look_items(look *l, const json_t *schema, const json_t *rule, const json_t *value) {
    (void)schema;
    size_t i;
    const json_t *one;
    json_array_foreach(value, i, one) {
        if (!step(l, rule, one, NULL, i))
            return false;
    }
    return true;
}

static bool look_all(look *l, const json_t *schema, const json_t *rule, const json_t *value) {
    (void)schema;
    size_t i;
    const json_t *one;
    json_array_foreach(rule, i, one) {
        if (!permits(l, one, value))
            return false;
    }
    return true;
}

static bool look_if(look *l, const json_t *schema, const json_t *rule, const json_t *value) {
    char nobody[8];
    look quiet = *l;
    quiet.why = nobody;
    quiet.size = sizeof nobody;
    return !permits(&quiet, rule, value) || permits(l, json_object_get(schema, "then"), value);
}

static bool look_ref(look *l, const json_t *schema, const json_t *rule, const json_t *value) {
    (void)schema;
    static const char start[] = "#/$defs/";
    const char *name = json_string_value(rule);
    const json_t *target = strncmp(name, start, sizeof start - 1) == 0
                               ? json_object_get(json_object_get(l->root, "$defs"), name + sizeof start - 1)
                               : NULL;
    return target ? permits(l, target, value) : refuse(l, "the schema has no %s", name);
}

/* ---- the whole -------------------------------------------------------------------------------------- */

/* In the order in which faults are told: a wrong kind of value first, then what is in it. */
static const struct {
    const char *name;
    keyword *look; /* NULL: it says nothing of the value */
} KEYWORDS[] = {
    {"$schema", NULL},
    {"$defs", NULL},
    {"title", NULL},
    {"description", NULL},
    {"then", NULL}, /* looked at with "if" */
    {"$ref", look_ref},
    {"type", look_type},
    {"const", look_const},
    {"enum", look_enum},
    {"pattern", look_pattern},
    {"minimum", look_minimum},
    {"maximum", look_maximum},
    {"required", look_required},
    {"properties", look_properties},
    {"additionalProperties", look_additional},
    {"items", look_items},
    {"allOf", look_all},
    {"if", look_if},
};
#define N_KEYWORDS (sizeof KEYWORDS / sizeof *KEYWORDS)

static bool permits(look *l, const json_t *schema, const json_t *value) {
    size_t known = 0;
    bool good = ++l->depth < DEPTH_MAX || refuse(l, "it is nested too deeply");
    for (size_t i = 0; good && i < N_KEYWORDS; i++) {
        const json_t *rule = json_object_get(schema, KEYWORDS[i].name);
        known += rule != NULL;
        if (rule && KEYWORDS[i].look)
            good = KEYWORDS[i].look(l, schema, rule, value);
    }
    l->depth--;
    if (good && known != json_object_size(schema))
        return refuse(l, "the schema has a keyword that nobody knows");
    return good;
}

bool schema_permits(const json_t *schema, const json_t *value, char *why, size_t size) {
    look l = {.root = schema, .why = why, .size = size};
    if (size)
        *why = '\0';
    return permits(&l, schema, value);
}
