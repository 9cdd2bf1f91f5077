/* requirements-check: the requirements are complete, keep their IDs, and each has its cases.
 *
 *     requirements-check [--allow-pending] [--cases FILE] DIRECTORY
 *
 * Loading refuses what is malformed (requirements.h). Beyond that:
 *  - ids.txt lists every ID in a fixed order; an ID that vanished, or is not listed, is an error;
 *  - the numbers of each RFC run from 1 without a gap, and a file holds IDs of its own document only;
 *  - `tested-by: [pending]` promises a case for later, and is an error without --allow-pending;
 *  - FILE has a line for each case: its name, then the IDs that it tests, separated by spaces. A case that
 * names none, or an unknown or untestable one, a glob that no case matches, and a case that names a
 * requirement whose globs do not match it, are errors. Every error is told. Exit status: 0 none, 1 some, 2
 * wrong usage or unreadable. */
#include "conformance/requirements/requirements.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned errors;

static void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void complain(const char *format, ...) {
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    errors++;
}

static bool pending(const cr_requirement *q) {
    return q->n_tested_by == 1 && strcmp(q->tested_by[0], "pending") == 0;
}

/* ---- lines of files ---------------------------------------------------------------------------------------
 */

/* The next line that is neither empty nor a comment, without its LF; false: none is left. */
static bool next_line(FILE *file, char *line, size_t size) {
    while (fgets(line, (int)size, file)) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] && line[0] != '#')
            return true;
    }
    return false;
}

static FILE *open_file(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file)
        complain("%s: cannot be read", path);
    return file;
}

/* ---- IDs
 * ---------------------------------------------------------------------------------------------------- */

/* ids.txt and the set hold the same IDs. */
static void check_permanent(const cr_set *set, const char *directory) {
    char path[4096], id[256];
    snprintf(path, sizeof path, "%s/ids.txt", directory);
    FILE *file = open_file(path);
    bool *listed = calloc(cr_count(set), sizeof *listed);
    while (file && listed && next_line(file, id, sizeof id)) {
        const cr_requirement *q = cr_find(set, id);
        if (!q) {
            complain("ids.txt: %s has vanished: an ID is permanent", id);
            continue;
        }
        bool *mark = &listed[q - cr_at(set, 0)];
        if (*mark)
            complain("ids.txt: %s stands twice", id);
        *mark = true;
    }
    for (size_t i = 0; listed && i < cr_count(set); i++)
        if (!listed[i])
            complain("%s:%zu: %s is not in ids.txt: add it at the end of its document's", cr_at(set, i)->file,
                     cr_at(set, i)->line, cr_at(set, i)->id);
    free(listed);
    if (file)
        fclose(file);
}

/* "RFC 6267" has IDs "6267-1", "6267-2" …; the profile "P-1" …, whose decisions have gaps. */
static void check_numbers(const cr_set *set) {
    unsigned long expected = 1;
    for (size_t i = 0; i < cr_count(set); i++) {
        const cr_requirement *q = cr_at(set, i);
        bool profile = strcmp(q->document, "profile") == 0;
        const char *prefix = profile ? "P" : strncmp(q->document, "RFC ", 4) == 0 ? q->document + 4 : "";
        size_t len = strlen(prefix);
        char *end = NULL;
        if (strncmp(q->id, prefix, len) != 0 || q->id[len] != '-' || !len) {
            complain("%s:%zu: %s is no ID of %s", q->file, q->line, q->id, q->document);
            continue;
        }
        if (i == 0 || strcmp(cr_at(set, i - 1)->document, q->document) != 0)
            expected = 1;
        unsigned long number = strtoul(q->id + len + 1, &end, 10);
        if (*end || number < expected || (number > expected && !profile))
            complain("%s:%zu: %s stands where number %lu is wanted", q->file, q->line, q->id, expected);
        expected = number + 1;
        if (profile != (q->level == CR_PROFILE))
            complain("%s:%zu: %s: level profile is for the profile, and it for that alone", q->file, q->line,
                     q->id);
    }
}

/* ---- cases
 * --------------------------------------------------------------------------------------------------- */

/* Marks the globs that match a case, one flag for each glob of the whole set; true: one of q's does. */
static bool mark_globs(const cr_requirement *q, const char *name, bool *marks) {
    bool any = false;
    for (size_t g = 0; g < q->n_tested_by; g++)
        if (fnmatch(q->tested_by[g], name, 0) == 0)
            any = marks[g] = true;
    return any;
}

/* Where the flags of each requirement's globs begin; the last element is their number. */
static size_t *glob_places(const cr_set *set) {
    size_t *places = calloc(cr_count(set) + 1, sizeof *places);
    for (size_t i = 0; places && i < cr_count(set); i++)
        places[i + 1] = places[i] + cr_at(set, i)->n_tested_by;
    return places;
}

static void check_case(const cr_set *set, char *line, const size_t *places, bool *marks) {
    char *rest = NULL, *name = strtok_r(line, " \t", &rest), *id;
    size_t named = 0;
    if (!name)
        return;
    for (; (id = strtok_r(NULL, " \t", &rest)); named++) {
        const cr_requirement *q = cr_find(set, id);
        if (!q)
            complain("case %s names %s, which is no requirement", name, id);
        else if (q->not_testable)
            complain("case %s names %s, which is said to be not testable", name, id);
        else if (!pending(q) && !mark_globs(q, name, marks + places[q - cr_at(set, 0)]))
            complain("case %s names %s, whose tested-by does not name the case", name, id);
    }
    if (named == 0)
        complain("case %s names no requirement", name);
}

static void check_cases(const cr_set *set, const char *path) {
    static char line[65536];
    FILE *file = open_file(path);
    size_t *places = glob_places(set), total = places ? places[cr_count(set)] : 0;
    bool *marks = calloc(total + 1, sizeof *marks);
    while (file && places && marks && next_line(file, line, sizeof line))
        check_case(set, line, places, marks);
    for (size_t i = 0; places && marks && i < cr_count(set); i++) {
        const cr_requirement *q = cr_at(set, i);
        for (size_t g = 0; g < q->n_tested_by && !pending(q); g++)
            if (!marks[places[i] + g])
                complain("%s:%zu: no case that names %s matches '%s'", q->file, q->line, q->id,
                         q->tested_by[g]);
    }
    free(marks);
    free(places);
    if (file)
        fclose(file);
}

/* ---- all of it
 * ------------------------------------------------------------------------------------------------ */

static void check_pending(const cr_set *set) {
    for (size_t i = 0; i < cr_count(set); i++)
        if (pending(cr_at(set, i)))
            complain("%s:%zu: %s has no case yet", cr_at(set, i)->file, cr_at(set, i)->line,
                     cr_at(set, i)->id);
}

static void count(const cr_set *set) {
    size_t untestable = 0, waiting = 0;
    for (size_t i = 0; i < cr_count(set); i++) {
        untestable += cr_at(set, i)->not_testable != NULL;
        waiting += pending(cr_at(set, i));
    }
    printf("%zu requirements, %zu with cases, %zu pending, %zu not testable\n", cr_count(set),
           cr_count(set) - untestable - waiting, waiting, untestable);
}

int main(int argc, char **argv) {
    const char *directory = NULL, *cases = NULL;
    bool allow_pending = false, wrong = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--allow-pending") == 0)
            allow_pending = true;
        else if (strcmp(argv[i], "--cases") == 0 && i + 1 < argc)
            cases = argv[++i];
        else if (argv[i][0] != '-' && !directory)
            directory = argv[i];
        else
            wrong = true;
    }
    if (!directory || wrong) {
        fputs("usage: requirements-check [--allow-pending] [--cases FILE] DIRECTORY\n", stderr);
        return 2;
    }
    char error[512];
    cr_set *set = cr_load(directory, error, sizeof error);
    if (!set) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    check_permanent(set, directory);
    check_numbers(set);
    if (!allow_pending)
        check_pending(set);
    if (cases)
        check_cases(set, cases);
    count(set);
    cr_free(set);
    return errors ? 1 : 0;
}
