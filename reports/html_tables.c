/* ibakelab: the results as plain tables, for browsers that run no script. What stands where is data: a table
 * is a list of objects in the result, a column one of their members. */
#include "reports/html_internal.h"

#include <inttypes.h>
#include <string.h>

#define ROWS_MAX    20000 /* of one table; a page is to be read */
#define COLUMNS_MAX 10

typedef struct column {
    const char *member, *head;
} column;

typedef struct table {
    const char *kind;   /* of the result */
    const char *member; /* the list in it */
    const char *caption;
    column columns[COLUMNS_MAX]; /* ends with a column without a member */
} table;

static const table tables[] = {
    {"run",
     "calls",
     "Calls",
     {{"id", "call"},
      {"from", "from"},
      {"to", "to"},
      {"state", "state"},
      {"invite_ns", "INVITE at"},
      {"setup_ns", "set-up"},
      {"keys_agree", "keys agree"},
      {"sip_status", "SIP"},
      {"retransmissions", "resent"},
      {"failure", "why it failed"}}},
    {"run",
     "users",
     "Users",
     {{"name", "user"},
      {"impu", "identity"},
      {"registered_ns", "registered at"},
      {"keys", "private keys"},
      {"failure", "failure"}}},
    {"sweep",
     "points",
     "Points",
     {{"index", "point"},
      {"parameters", "parameters"},
      {"seed", "seed"},
      {"verdict", "verdict"},
      {"measures", "measures"},
      {"dir", "run"}}},
    {"conformance",
     "requirements",
     "Requirements",
     {{"id", "requirement"},
      {"document", "document"},
      {"section", "section"},
      {"level", "level"},
      {"status", "status"},
      {"passed", "cases passed"},
      {"failed", "failed"},
      {"text", "what it demands"}}},
    {"conformance",
     "cases",
     "Cases",
     {{"case", "case"},
      {"verdict", "verdict"},
      {"requirement", "broken"},
      {"sent", "sent"},
      {"came_back", "came back"},
      {"permitted", "permitted"},
      {"reason", "was"}}},
    {"mutants",
     "mutants",
     "Mutants",
     {{"id", "mutant"},
      {"text", "the fault"},
      {"breaks", "breaks"},
      {"verdict", "verdict"},
      {"case", "killed by"}}},
    {"fuzz", "findings", "Findings", {{"file", "input"}, {"what", "what"}, {"text", "what was said"}}},
};

static const table measures_table = {
    "any kind", "measures", "Measures", {{"name", "measure"}, {"value", "value"}, {"unit", "unit"}}};
static const table checks_table = {"any kind",
                                   "checks",
                                   "What was judged",
                                   {{"outcome", "outcome"},
                                    {"text", "what"},
                                    {"detail", "what there was"},
                                    {"requirement", "requirement"},
                                    {"section", "section"},
                                    {"level", "level"},
                                    {"file", "file"},
                                    {"line", "line"}}};

static void write_number(FILE *out, const char *member, const json_t *value) {
    size_t len = strlen(member);
    if (json_is_real(value))
        fprintf(out, "%.6g", json_real_value(value));
    else if (len > 3 && strcmp(member + len - 3, "_ns") == 0) /* nanoseconds of virtual time */
        fprintf(out, "%.6f s", (double)json_integer_value(value) / 1e9);
    else
        fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
}

/* One value as text: a list as "a, b", an object of scalars as "name value, name value". */
static void write_value(FILE *out, const char *member, const json_t *value) {
    const char *name;
    json_t *part;
    size_t i;
    if (json_is_string(value)) {
        html_text(out, json_string_value(value));
    } else if (json_is_boolean(value)) {
        fputs(json_is_true(value) ? "yes" : "no", out);
    } else if (json_is_number(value)) {
        write_number(out, member, value);
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, part) {
            fputs(i ? ", " : "", out);
            if (!json_is_array(part) && !json_is_object(part)) /* deeper than that no table goes */
                write_value(out, "", part);
        }
    } else if (json_is_object(value)) {
        bool first = true;
        json_object_foreach((json_t *)value, name, part) {
            fputs(first ? "" : ", ", out);
            first = false;
            html_text(out, name);
            putc(' ', out);
            if (!json_is_array(part) && !json_is_object(part))
                write_value(out, name, part);
        }
    } else {
        fputs("–", out); /* null, or not there */
    }
}

static void write_table(FILE *out, const table *t, const json_t *list) {
    size_t count = json_array_size(list), i;
    json_t *row;
    fprintf(out, "<table>\n<caption>%s</caption>\n<thead><tr>", t->caption);
    for (const column *c = t->columns; c < t->columns + COLUMNS_MAX && c->member; c++)
        fprintf(out, "<th scope=\"col\">%s</th>", c->head);
    fputs("</tr></thead>\n<tbody>\n", out);
    json_array_foreach(list, i, row) {
        if (i == ROWS_MAX)
            break;
        fputs("<tr>", out);
        for (const column *c = t->columns; c < t->columns + COLUMNS_MAX && c->member; c++) {
            fputs(c == t->columns ? "<th scope=\"row\">" : "<td>", out);
            write_value(out, c->member, json_object_get(row, c->member));
            fputs(c == t->columns ? "</th>" : "</td>", out);
        }
        fputs("</tr>\n", out);
    }
    fputs("</tbody>\n</table>\n", out);
    if (count > ROWS_MAX)
        fprintf(out, "<p>%zu further rows stand in result.json alone.</p>\n", count - ROWS_MAX);
}

/* Who knows what: a row for each fact, the adversaries' first, as they stand in the result. */
static void write_knowledge(FILE *out, const json_t *parties) {
    size_t i, k, rows = 0;
    json_t *party, *fact;
    fputs("<table>\n<caption>What each party learned</caption>\n<thead><tr><th scope=\"col\">party</th>"
          "<th scope=\"col\">kind</th><th scope=\"col\">secret</th><th scope=\"col\">of call</th><th "
          "scope=\"col\">how</th>"
          "<th scope=\"col\">since</th><th scope=\"col\">step</th></tr></thead>\n<tbody>\n",
          out);
    json_array_foreach(parties, i, party) {
        json_array_foreach(json_object_get(party, "knows"), k, fact) {
            static const char *const members[] = {"what", "call", "how", "at_ns", "step"};
            if (rows++ >= ROWS_MAX)
                continue;
            fputs("<tr><th scope=\"row\">", out);
            html_text(out, report_text_of(party, "party"));
            fputs("</th><td>", out);
            html_text(out, report_text_of(party, "kind"));
            for (size_t m = 0; m < sizeof members / sizeof *members; m++) {
                fputs("</td><td>", out);
                write_value(out, members[m], json_object_get(fact, members[m]));
            }
            fputs("</td></tr>\n", out);
        }
    }
    fputs("</tbody>\n</table>\n", out);
    if (rows > ROWS_MAX)
        fprintf(out, "<p>%zu further rows stand in result.json alone.</p>\n", rows - ROWS_MAX);
}

static void write_summary(FILE *out, const report_item *item) {
    const char *subject = report_subject(item), *error = report_text_of(item->result, "error");
    fputs("<p>Verdict: <strong>", out);
    html_text(out, report_verdict(item));
    fputs("</strong>. ", out);
    html_text(out, report_kind(item));
    if (subject) {
        fputs(" of <code>", out);
        html_text(out, subject);
        fputs("</code>", out);
    }
    if (report_place(item)) {
        fputs(", in <code>", out);
        html_text(out, report_place(item));
        fputs("</code>", out);
    }
    fputs("</p>\n", out);
    if (error) {
        fputs("<p>", out);
        html_text(out, error);
        fputs("</p>\n", out);
    }
}

void html_tables(FILE *out, const report_item *item, size_t index) {
    fprintf(out, "<section aria-labelledby=\"plain-%zu\">\n<h2 id=\"plain-%zu\">", index, index);
    html_text(out, report_title(item));
    fputs("</h2>\n", out);
    write_summary(out, item);
    if (json_array_size(item->checks))
        write_table(out, &checks_table, item->checks);
    if (json_array_size(item->measures))
        write_table(out, &measures_table, item->measures);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        const json_t *list = json_object_get(item->result, tables[i].member);
        if (strcmp(tables[i].kind, report_kind(item)) == 0 && json_array_size(list))
            write_table(out, &tables[i], list);
    }
    const json_t *parties = json_object_get(json_object_get(item->result, "knowledge"), "parties");
    if (json_array_size(parties))
        write_knowledge(out, parties);
    fputs("</section>\n", out);
}
