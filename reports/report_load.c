/* ibakelab: reads result folders, and derives of a run what other kinds write themselves. See report.h. */
#include "reports/report.h"
#include "reports/schema.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { DEPTH_MAX = 32 }; /* of folders in each other */

typedef struct loader {
    report_items *items;
    json_t *schema;
    char *error;
    size_t size;
} loader;

static ibk_err refuse(const loader *l, ibk_err err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static ibk_err refuse(const loader *l, ibk_err err, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(l->error, l->size, format, args);
    va_end(args);
    return err;
}

/* ---- a run's checks and measures ----------------------------------------------------------------------- */

/* "expect/users: registered all", and for the second of that text "expect/users: registered all (2)". */
static void add_unique(result_model *m, json_t *seen, model_check_row *row, const char *group,
                       const char *text) {
    char id[600];
    int len = snprintf(id, sizeof id - 16, "%s/%s", group, text ? text : "");
    json_int_t before = json_integer_value(json_object_get(seen, id));
    jb_set(seen, id, json_integer(before + 1), &m->ok);
    if (before > 0 && len > 0)
        snprintf(id + strlen(id), 16, " (%d)", (int)before + 1);
    row->id = id;
    model_check(m, row);
}

/* The scenario is about an attack that succeeds, and says so: "security: broken [terms]". */
static bool expected_broken(const json_t *run, const char *property) {
    static const char start[] = "security: broken ";
    size_t i, len = strlen(property);
    const json_t *one;
    json_array_foreach(json_object_get(run, "expectations"), i, one) {
        const char *text = report_text_of(one, "text");
        if (!text || strncmp(text, start, sizeof start - 1) != 0 ||
            !json_is_true(json_object_get(one, "held")))
            continue;
        for (text += sizeof start - 1; *text; text += strspn(text, "[], ")) {
            size_t word = strcspn(text, "[], ");
            if (word == len && strncmp(text, property, len) == 0)
                return true;
            text += word;
        }
    }
    return false;
}

static void derive_property(result_model *m, json_t *seen, const json_t *run, const json_t *property) {
    char text[200];
    const char *name = report_text_of(property, "name");
    name = name ? name : "";
    snprintf(text, sizeof text, "the security property %.150s holds", name);
    model_check_row row = {.text = text,
                           .outcome = json_is_true(json_object_get(property, "holds")) ? MODEL_PASS
                                      : expected_broken(run, name)                     ? MODEL_KNOWN
                                                                                       : MODEL_FAIL,
                           .detail = report_text_of(property, "detail")};
    add_unique(m, seen, &row, "security", name);
}

static void derive_checks(result_model *m, const json_t *run) {
    json_t *seen = json_object();
    size_t i;
    const json_t *one;
    json_array_foreach(json_object_get(run, "expectations"), i, one) {
        model_check_row row = {.text = report_text_of(one, "text"),
                               .outcome =
                                   json_is_true(json_object_get(one, "held")) ? MODEL_PASS : MODEL_FAIL,
                               .detail = report_text_of(one, "observed"),
                               .line = (unsigned)json_integer_value(json_object_get(one, "line"))};
        row.file = row.line ? report_text_of(one, "file") : NULL; /* else it names an option: --set … */
        add_unique(m, seen, &row, "expect", row.text);
    }
    json_array_foreach(json_object_get(run, "properties"), i, one) derive_property(m, seen, run, one);
    json_decref(seen);
}

static void derive_measures(result_model *m, const json_t *run) {
    static const char *const counts[] = {"calls", "established", "failed", "dropped"};
    static const char *const times[] = {"min", "median", "max"};
    const json_t *summary = json_object_get(run, "summary"), *setup = json_object_get(summary, "setup_ns");
    char name[32];
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        model_measure(m, counts[i], json_number_value(json_object_get(summary, counts[i])), "calls");
    for (size_t i = 0; json_is_object(setup) && i < sizeof times / sizeof *times; i++) {
        snprintf(name, sizeof name, "setup-time-%s", times[i]);
        model_measure(m, name, json_number_value(json_object_get(setup, times[i])) / 1e9, "s");
    }
    model_measure(m, "virtual-time", json_number_value(json_object_get(run, "virtual_ns")) / 1e9, "s");
    model_measure(m, "simulator-events", json_number_value(json_object_get(run, "events")), "events");
}

/* A result that is no pass says so in a check, also where none of its own does. */
static void add_verdict(result_model *m, const report_item *item) {
    const char *verdict = report_verdict(item);
    size_t i;
    const json_t *check;
    bool failed = false;
    json_array_foreach(item->checks, i, check) {
        model_outcome o = report_check_outcome(check);
        failed |= o == MODEL_FAIL || o == MODEL_ERROR;
    }
    if (failed || strcmp(verdict, "pass") == 0)
        return;
    bool error = strcmp(verdict, "error") == 0;
    const char *why = report_text_of(item->result, "error");
    model_check(m, &(model_check_row){.id = "verdict",
                                      .text = error ? "it was completed" : "the verdict is pass",
                                      .outcome = error ? MODEL_ERROR : MODEL_FAIL,
                                      .detail = why ? why : "the verdict is fail"});
}

static ibk_err derive(report_item *item) {
    result_model m;
    bool run = strcmp(report_kind(item), "run") == 0;
    model_begin(&m, "run", NULL, NULL);
    if (run) {
        derive_checks(&m, item->result);
        derive_measures(&m, item->result);
    }
    item->checks = run ? json_incref(m.checks) : json_copy(json_object_get(item->result, "checks"));
    item->measures = json_incref(run ? m.measures : json_object_get(item->result, "measures"));
    size_t before = json_array_size(m.checks);
    add_verdict(&m, item);
    if (!run && json_array_size(m.checks) > before)
        json_array_append(item->checks, json_array_get(m.checks, before));
    ibk_err err = m.ok && item->checks ? IBK_OK : IBK_ERR_NO_MEMORY;
    model_free(&m);
    return err;
}

/* ---- one result -------------------------------------------------------------------------------------- */

/* Takes `result` over. `file`: for messages. */
static ibk_err take(const loader *l, report_item *out, json_t *result, const char *file) {
    char why[400];
    *out = (report_item){.result = result};
    if (!schema_permits(l->schema, result, why, sizeof why)) {
        report_item_free(out);
        return refuse(l, IBK_ERR_BAD_TEXT, "%s%s%s", file ? file : "", file ? ": " : "", why);
    }
    ibk_err err = derive(out);
    const char *timestamp = report_text_of(out->result, "timestamp");
    if (!err && timestamp && !(out->timestamp = strdup(timestamp)))
        err = IBK_ERR_NO_MEMORY;
    if (err) {
        report_item_free(out);
        return refuse(l, err, "%s", ibk_err_text(err));
    }
    return IBK_OK;
}

ibk_err report_take(report_item *out, json_t *result, char *error, size_t size) {
    loader l = {.schema = schema_of_results(), .error = error, .size = size};
    ibk_err err;
    if (l.schema) {
        err = take(&l, out, result, NULL);
    } else {
        json_decref(result);
        err = refuse(&l, IBK_ERR_NO_MEMORY, "%s", ibk_err_text(IBK_ERR_NO_MEMORY));
    }
    json_decref(l.schema);
    return err;
}

char *report_folder_of(const char *file) {
    const char *slash = strrchr(file, '/');
    return slash ? strndup(file, slash > file ? (size_t)(slash - file) : 1) : strdup(".");
}

static ibk_err load_file(loader *l, const char *file) {
    json_t *result = NULL;
    ibk_diag diag = {0};
    time_t changed;
    struct tm tm;
    char written[32];
    report_items *all = l->items;
    report_item *grown = realloc(all->list, (all->count + 1) * sizeof *grown);
    if (!grown)
        return refuse(l, IBK_ERR_NO_MEMORY, "%s", ibk_err_text(IBK_ERR_NO_MEMORY));
    all->list = grown;
    report_item *item = &all->list[all->count];
    ibk_err err = jb_read(&result, file, &changed, &diag);
    if (err)
        return refuse(l, err, "%s: %s", file, diag.detail);
    err = take(l, item, result, file);
    if (err)
        return err;
    all->count++; /* from here on report_items_free frees it */
    gmtime_r(&changed, &tm);
    strftime(written, sizeof written, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!item->timestamp)
        item->timestamp = strdup(written);
    item->file = strdup(file);
    item->dir = report_folder_of(file);
    return item->timestamp && item->file && item->dir
               ? IBK_OK
               : refuse(l, IBK_ERR_NO_MEMORY, "%s", ibk_err_text(IBK_ERR_NO_MEMORY));
}

/* ---- folders ----------------------------------------------------------------------------------------- */

static ibk_err join(const loader *l, char out[PATH_MAX], const char *dir, const char *name) {
    int len = snprintf(out, PATH_MAX, "%s/%s", dir, name);
    return len > 0 && len < PATH_MAX ? IBK_OK
                                     : refuse(l, IBK_ERR_REFUSED, "%s/%s: the path is too long", dir, name);
}

static bool is_folder(const char *path) {
    struct stat about;
    return lstat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* A path that a result names stays in its folder. */
static bool stays_inside(const char *path) {
    for (const char *at = path; *at; at += strcspn(at, "/"), at += *at == '/')
        if (strcspn(at, "/") == 0 || (strcspn(at, "/") == 2 && strncmp(at, "..", 2) == 0))
            return false;
    return *path != '\0';
}

/* The runs that an attack names. */
static ibk_err load_named(loader *l, const char *dir) {
    static const char *const members[] = {"run", "twin"};
    size_t attack = l->items->count - 1;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const json_t *found = json_object_get(l->items->list[attack].result, "found");
        const char *name = report_text_of(found, members[i]);
        char folder[PATH_MAX], file[PATH_MAX];
        if (!name)
            continue;
        if (!stays_inside(name))
            return refuse(l, IBK_ERR_BAD_TEXT, "%s/result.json: found.%s: '%s' leads out of the folder", dir,
                          members[i], name);
        ibk_err err = join(l, folder, dir, name);
        err = err ? err : join(l, file, folder, "result.json");
        err = err ? err : load_file(l, file);
        if (err)
            return err;
    }
    return IBK_OK;
}

static ibk_err load_folder(loader *l, const char *dir, unsigned depth);

static int visible(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static ibk_err load_below(loader *l, const char *dir, unsigned depth) {
    struct dirent **entries;
    char path[PATH_MAX];
    int count = scandir(dir, &entries, visible, alphasort);
    if (count < 0)
        return refuse(l, IBK_ERR_REFUSED, "%s: %s", dir, strerror(errno));
    ibk_err err = IBK_OK;
    for (int i = 0; i < count; i++) {
        err = err ? err : join(l, path, dir, entries[i]->d_name);
        if (!err && is_folder(path))
            err = load_folder(l, path, depth + 1);
        free(entries[i]);
    }
    free(entries);
    return err;
}

static ibk_err load_folder(loader *l, const char *dir, unsigned depth) {
    char file[PATH_MAX];
    if (depth > DEPTH_MAX)
        return refuse(l, IBK_ERR_REFUSED, "%s: folders are nested too deeply", dir);
    ibk_err err = join(l, file, dir, "result.json");
    if (err)
        return err;
    struct stat about; /* whatever it is: what is no file is refused */
    if (lstat(file, &about) != 0)
        return load_below(l, dir, depth);
    err = load_file(l, file);
    return err ? err : load_named(l, dir);
}

ibk_err report_load(report_items *items, const char *path, char *error, size_t size) {
    loader l = {.items = items, .schema = schema_of_results(), .error = error, .size = size};
    size_t before = items->count, len = strlen(path);
    char *plain = strdup(path);
    while (plain && len > 1 && plain[len - 1] == '/')
        plain[--len] = '\0';
    struct stat about;
    ibk_err err;
    if (!plain || !l.schema)
        err = refuse(&l, IBK_ERR_NO_MEMORY, "%s", ibk_err_text(IBK_ERR_NO_MEMORY));
    else if (stat(path, &about) != 0)
        err = refuse(&l, IBK_ERR_REFUSED, "%s: %s", path, strerror(errno));
    else
        err = S_ISDIR(about.st_mode) ? load_folder(&l, plain, 0) : load_file(&l, plain);
    if (!err && items->count == before)
        err = refuse(&l, IBK_ERR_REFUSED, "%s: neither it nor a folder below it has a result.json", path);
    free(plain);
    json_decref(l.schema);
    return err;
}
