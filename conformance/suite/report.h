/* What a run came to, for people and for programs: the terminal, JUnit XML, TAP 14, JSON. */
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
} suite_summary;

/* A failure told to people: requirement, section, what was sent, what came back, what is permitted, how to
 * repeat. */
void suite_report_failure(FILE *out, const suite_summary *s, const suite_result *result, const char *indent);
/* One line a verdict, and the requirements that were not held. */
void suite_report_totals(FILE *out, const suite_summary *s);
void suite_report_junit(FILE *out, const suite_summary *s);
void suite_report_tap(FILE *out, const suite_summary *s);
void suite_report_json(FILE *out, const suite_summary *s);
/* DIRECTORY/<case with / as _>.{txt,pcap,keys.log}: transcript, the MIKEY messages as UDP packets of a
 * capture, and what keys the two ends reported. False: errno. */
bool suite_keep(const char *directory, const suite_summary *s, const suite_result *result);

#endif
