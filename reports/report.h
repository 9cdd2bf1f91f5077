/* ibakelab: result folders of any kind, read, and told in the formats of others. A writer sees of a result
 * what docs/results.md promises of every kind: title, subject, verdict, checks, measures; what it does with
 * the members of one kind is named at its place. */
#ifndef REPORTS_REPORT_H
#define REPORTS_REPORT_H

#include "reports/model.h"

#include <stdio.h>

typedef struct report_item {
    char *dir;       /* the result's folder as it was given, or under which it was found; NULL: it has none */
    char *file;      /* its result.json; NULL: it was never a file */
    char *timestamp; /* "2026-11-24T12:00:00": what the result says, or when the file was written */
    json_t *result;  /* the whole document */
    json_t *checks;  /* of every kind alike; a run's are derived */
    json_t *measures; /* the same */
    json_t *run;      /* what page_run.h makes of the folder of a run; NULL: not asked for */
} report_item;

typedef struct report_items {
    report_item *list;
    size_t count;
} report_items;

/* ---- reading ---------------------------------------------------------------------------------------- */

/* Adds what `path` has: the result.json of that name; a folder's result.json; of a folder without one every
 * result.json below it, in the order of their paths. Behind an attack come the runs that it names: the one
 * that shows what it found, and its twin. What is no result by reports/schema/result.schema.json is refused.
 * IBK_ERR_BAD_TEXT: `error` (of `size`) says which file, where in it, and what is wrong; IBK_ERR_REFUSED:
 * there is no such file, or no result; IBK_ERR_LIMIT: it is too large; IBK_ERR_NO_MEMORY. What was added
 * before stays. */
ibk_err report_load(report_items *items, const char *path, char *error, size_t size);
/* A result in memory; takes `result` over, also on failure. IBK_ERR_BAD_TEXT: it is none, and `error` says
 * why. */
ibk_err report_take(report_item *out, json_t *result, char *error, size_t size);
/* The folder in which a file is, "." for a bare name; NULL: no memory. The caller frees it. */
char *report_folder_of(const char *file);
void report_item_free(report_item *item);    /* legal on the zero value */
void report_items_free(report_items *items); /* legal on the zero value */

/* ---- what every kind has ------------------------------------------------------------------------------ */

model_outcome report_check_outcome(const json_t *check);
/* A member of a result or of a check as text; NULL: null, no text, or not there. */
const char *report_text_of(const json_t *object, const char *name);
const char *report_kind(const report_item *item);    /* "run" */
const char *report_verdict(const report_item *item); /* "pass", "fail", "error" */
const char *report_title(const report_item *item);   /* never NULL */
const char *report_subject(const report_item *item); /* may be NULL */
/* Where it is, for people: its folder, or its file if that is not called result.json; NULL: it was never one.
 */
const char *report_place(const report_item *item);
/* The length of what stands before the first '/' of a check's id; 0 if there is none. */
size_t report_family(const json_t *check);
/* How many checks ended how. */
void report_count(const report_item *item, size_t counts[MODEL_OUTCOMES]);
/* A check's seconds, and the word of its kind for how it ended ("crash"), where the kind knows them. */
double report_check_seconds(const report_item *item, size_t index);
const char *report_check_word(const report_item *item, size_t index);

/* ---- writing ------------------------------------------------------------------------------------------ */

/* Writes all items. IBK_ERR_NO_MEMORY; whether the file took it is the caller's to ask (ferror). */
typedef ibk_err report_writer(FILE *out, const report_item *items, size_t count);

report_writer report_write_junit;    /* JUnit XML, reports/schema/junit.xsd */
report_writer report_write_tap;      /* TAP 14 */
report_writer report_write_markdown; /* for the summary of a CI job */
report_writer
    report_write_csv; /* item,kind,table,row,name,value,unit: every number and text of every result */
report_writer report_write_sarif; /* SARIF 2.1.0: what failed, with rules from requirements */

#endif
