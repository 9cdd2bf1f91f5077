/* ibakelab: the results as plain tables, for browsers that run no script. What stands where is data: a table
 * is a list of objects in the result, a column one of their members. */
#include "reports/html_internal.h"
#include "reports/spreads.h"

#include <inttypes.h>
#include <string.h>

#define ROWS_MAX    20000 /* of one table; a page is to be read */
#define COLUMNS_MAX 10
#define UNIT_SPACE  "\xC2\xA0" /* no line ends between a number and its unit */

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
    {"run",
     "adversaries",
     "Adversaries",
     {{"name", "adversary"}, {"seats", "sits on"}, {"messages", "messages"}, {"rules", "rules"}}},
    {"run",
     "kms",
     "KMSs",
     {{"domain", "domain"},
      {"identity", "identity"},
      {"requests", "requests"},
      {"served", "served"},
      {"refused_for", "refused for"},
      {"keys_issued", "keys issued"},
      {"first_request_ns", "first request at"},
      {"last_answer_ns", "last answer at"}}},
    {"run",
     "messages",
     "Deferred messages",
     {{"call", "call"},
      {"from", "from"},
      {"to", "to"},
      {"via", "mailbox"},
      {"stored_ns", "stored at"},
      {"delivered_ns", "delivered at"},
      {"packets", "packets stored"},
      {"opened", "packets opened"},
      {"readable", "the mailbox could read it"},
      {"reason", "why it was refused"}}},
    {"run",
     "links",
     "Links",
     {{"name", "link"}, {"a", "from"}, {"b", "to"}, {"a_to_b", "there"}, {"b_to_a", "and back"}}},
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

static bool is_time(const char *member) { /* nanoseconds of virtual time */
    size_t len = strlen(member);
    return len > 3 && strcmp(member + len - 3, "_ns") == 0;
}

static void write_number(FILE *out, const char *member, const json_t *value) {
    if (json_is_real(value))
        fprintf(out, "%.6g", json_real_value(value));
    else if (is_time(member))
        fprintf(out, "%.6f" UNIT_SPACE "s", (double)json_integer_value(value) / 1e9);
    else
        fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
}

/* How one part of a list reads: a seat and a rule of an adversary as words, of others the value. */
static void write_value(FILE *out, const char *member, const json_t *value, const json_t *units);
static void write_part(FILE *out, const char *member, const json_t *part) {
    if (strcmp(member, "seats") == 0) {
        const char *inside = report_text_of(part, "inside");
        fputs("link ", out);
        html_text(out, report_text_of(part, "link"));
        fputs(inside ? ", in " : "", out);
        html_text(out, inside);
    } else if (strcmp(member, "rules") == 0) {
        html_text(out, report_text_of(part, "on"));
        fputs(": ", out);
        html_text(out, report_text_of(part, "do"));
        fprintf(out, ", ×%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(part, "fired")));
    } else if (!json_is_array(part) && !json_is_object(part)) { /* deeper than that no table goes */
        write_value(out, "", part, NULL);
    }
}

/* "name value unit, name value unit" */
static void write_members(FILE *out, const json_t *object, const json_t *units) {
    const char *name, *before = "";
    json_t *part;
    json_object_foreach((json_t *)object, name, part) {
        const char *unit = json_is_number(part) ? json_string_value(json_object_get(units, name)) : NULL;
        fputs(before, out);
        before = ", ";
        html_text(out, name);
        putc(' ', out);
        if (!json_is_array(part) && !json_is_object(part))
            write_value(out, name, part, NULL);
        fputs(unit && *unit ? UNIT_SPACE : "", out);
        html_text(out, unit);
    }
}

/* One value as text: a list as "a, b", an object of scalars by its members. `units`: of these, or NULL. */
static void write_value(FILE *out, const char *member, const json_t *value, const json_t *units) {
    json_t *part;
    size_t i;
    if (json_is_string(value)) {
        html_text(out, json_string_value(value));
    } else if (json_is_boolean(value)) {
        fputs(json_is_true(value) ? "yes" : "no", out);
    } else if (json_is_number(value)) {
        write_number(out, member, value);
    } else if (json_array_size(value)) {
        json_array_foreach(value, i, part) {
            fputs(i == 0 ? "" : json_is_object(part) ? "; " : ", ", out);
            write_part(out, member, part);
        }
    } else if (json_object_size(value)) {
        write_members(out, value, units);
    } else {
        fputs("–", out); /* null, empty, or not there */
    }
}

static bool is_empty(const json_t *value) {
    return !value || json_is_null(value) || (json_is_array(value) && !json_array_size(value)) ||
           (json_is_object(value) && !json_object_size(value));
}

/* A column in which no row has anything is left out, unless it is the first. */
static size_t columns_of(const table *t, const json_t *list, const column *used[COLUMNS_MAX]) {
    size_t count = 0;
    for (const column *c = t->columns; c < t->columns + COLUMNS_MAX && c->member; c++) {
        size_t i = 0;
        while (count && i < json_array_size(list) &&
               is_empty(json_object_get(json_array_get(list, i), c->member)))
            i++;
        if (i < json_array_size(list))
            used[count++] = c;
    }
    return count;
}

/* `units`: of the members of a column `measures`; NULL: none. */
static void write_table(FILE *out, const table *t, const json_t *list, const json_t *units) {
    const column *used[COLUMNS_MAX];
    size_t count = json_array_size(list), columns = columns_of(t, list, used), i, k;
    json_t *row;
    fprintf(out, "<table>\n<caption>%s</caption>\n<thead><tr>", t->caption);
    for (k = 0; k < columns; k++)
        fprintf(out, "<th scope=\"col\">%s</th>", used[k]->head);
    fputs("</tr></thead>\n<tbody>\n", out);
    json_array_foreach(list, i, row) {
        if (i == ROWS_MAX)
            break;
        fputs("<tr>", out);
        for (k = 0; k < columns; k++) {
            const char *member = used[k]->member;
            fputs(k ? "<td>" : "<th scope=\"row\">", out);
            write_value(out, member, json_object_get(row, member),
                        strcmp(member, "measures") == 0 ? units : NULL);
            fputs(k ? "</td>" : "</th>", out);
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
                write_value(out, members[m], json_object_get(fact, members[m]), NULL);
            }
            fputs("</td></tr>\n", out);
        }
    }
    fputs("</tbody>\n</table>\n", out);
    if (rows > ROWS_MAX)
        fprintf(out, "<p>%zu further rows stand in result.json alone.</p>\n", rows - ROWS_MAX);
}

/* ---- what a sweep measured -------------------------------------------------------------------------- */

static void spread_begin(FILE *out, const char *title) {
    fputs("<table>\n<caption>", out);
    html_text(out, title);
    fputs("</caption>\n", out);
}

static void spread_row(FILE *out, bool head) {
    fputs(head ? "<thead><tr>" : "<tr>", out);
}

static void spread_cell(FILE *out, const char *text, bool head, bool number) {
    const char *tag = head || !number ? "th" : "td";
    fprintf(out, "<%s%s>", tag, head ? " scope=\"col\"" : number ? "" : " scope=\"row\"");
    html_text(out, text);
    fprintf(out, "</%s>", tag);
}

static void spread_row_end(FILE *out, bool head, size_t names, size_t numbers) {
    (void)names, (void)numbers;
    fputs(head ? "</tr></thead>\n<tbody>\n" : "</tr>\n", out);
}

static void spread_end(FILE *out, size_t left_out) {
    fputs("</tbody>\n</table>\n", out);
    if (left_out)
        fprintf(out, "<p>%zu further rows stand in result.json alone.</p>\n", left_out);
}

static void write_spreads(FILE *out, const report_item *item) {
    static const spreads_format format = {spread_begin, spread_row, spread_cell, spread_row_end, spread_end};
    spreads_tell(out, item, &format, ROWS_MAX);
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
    write_spreads(out, item); /* a sweep is about these; of its checks there are as many as points */
    if (json_array_size(item->checks))
        write_table(out, &checks_table, item->checks, NULL);
    if (json_array_size(item->measures))
        write_table(out, &measures_table, item->measures, NULL);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        const json_t *list = json_object_get(item->result, tables[i].member);
        if (strcmp(tables[i].kind, report_kind(item)) == 0 && json_array_size(list))
            write_table(out, &tables[i], list, json_object_get(item->result, "units"));
    }
    const json_t *parties = json_object_get(json_object_get(item->result, "knowledge"), "parties");
    if (json_array_size(parties))
        write_knowledge(out, parties);
    fputs("</section>\n", out);
}
