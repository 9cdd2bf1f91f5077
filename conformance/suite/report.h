/* What a run came to: for people on the terminal, and as a result of the house's one model. */
#ifndef CONFORMANCE_SUITE_REPORT_H
#define CONFORMANCE_SUITE_REPORT_H

#include "conformance/requirements/requirements.h"
#include "conformance/suite/run.h"

#include <stdio.h>

typedef struct suite_summary {
    const suite_result *results;
    size_t n;
    const cr_set *requirements;
    const char *command;   /* how the IUT is started, for "repeat" */
    const json_t *hello;   /* may be NULL */
    const char *timestamp; /* "2026-11-24T12:00:00" */
    double seconds;        /* of the run */
    size_t complaints;     /* of the baseline, and how adapters ended */
    const char *complaint; /* all of them, one a line; NULL: none */
} suite_summary;

/* How the cases of a requirement ended. */
typedef struct suite_tally {
    size_t held, broken, skipped, other;
} suite_tally;

/* How many cases have this verdict. */
size_t suite_count(const suite_summary *s, suite_verdict verdict);
/* The requirement of a failure: the one that was named, or the first of the case; NULL: there is none, or it
 * is about the contract. */
const cr_requirement *suite_requirement(const suite_summary *s, const suite_result *result);
suite_tally suite_tally_of(const suite_summary *s, const cr_requirement *requirement);
/* "held", "broken", "not judged", "skipped", "not played", "not testable". */
const char *suite_status(const cr_requirement *requirement, suite_tally t);

/* A failure told to people: requirement, section, what was sent, what came back, what is permitted, how to
 * repeat. */
void suite_report_failure(FILE *out, const suite_summary *s, const suite_result *result, const char *indent);
/* One line a verdict, and the requirements that were not held. */
void suite_report_totals(FILE *out, const suite_summary *s);
/* The run as a result of kind conformance (docs/results.md), from which every other format is made. The
 * caller owns *out (json_decref). IBK_ERR_NO_MEMORY. */
ibk_err suite_result_json(json_t **out, const suite_summary *s);
/* DIRECTORY/<case with / as _>.{txt,pcap,keys.log}: transcript, the MIKEY messages as UDP packets of a
 * capture, and what keys the two ends reported. False: errno. */
bool suite_keep(const char *directory, const suite_summary *s, const suite_result *result);

#endif
