/* ibakelab: results as one long table (RFC 4180, lines end in LF): item,kind,table,row,name,value,unit. Every
 * value of every result stands in a line of its own, so that rows of all kinds fit one header and a
 * spreadsheet, a data frame or SQLite can pick what they want. docs/results.md tells what stands in which
 * column. */
#include "reports/report.h"

#include <string.h>

typedef struct line {
    FILE *out;
    const char *item, *kind, *table, *unit;
    const json_t *units; /* of a sweep's measures; NULL */
    size_t row;
    char name[400];
} line;

static void field(FILE *out, const char *text) {
    if (!text || !text[strcspn(text, ",\"\r\n")]) {
        fputs(text ? text : "", out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

/* Of a sweep's measure in a point or, with ".mean" and the like behind its name, in the summary. NULL: none.
 */
static const char *sweep_unit(const line *l) {
    static const char start[] = "measures.";
    char name[sizeof l->name];
    if (!l->units || strncmp(l->name, start, sizeof start - 1) != 0)
        return NULL;
    snprintf(name, sizeof name, "%s", l->name + sizeof start - 1);
    if (strcmp(l->table, "summary") == 0) {
        char *dot = strrchr(name, '.');
        if (!dot || strcmp(dot, ".n") == 0)
            return NULL;
        *dot = '\0';
    }
    return report_text_of(l->units, name);
}

static const char *unit_of(const line *l, const json_t *value) {
    size_t len = strlen(l->name);
    if (l->unit || !json_is_number(value))
        return l->unit;
    return len > 3 && strcmp(l->name + len - 3, "_ns") == 0 ? "ns" : sweep_unit(l);
}

static void write_value(line *l, const json_t *value) {
    field(l->out, l->item);
    fprintf(l->out, ",%s,", l->kind);
    field(l->out, l->table);
    fprintf(l->out, ",%zu,", l->row);
    field(l->out, l->name);
    fputc(',', l->out);
    if (json_is_string(value))
        field(l->out, json_string_value(value));
    else if (json_is_integer(value))
        fprintf(l->out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        fprintf(l->out, "%.15g", json_real_value(value));
    else if (json_is_boolean(value))
        fputs(json_is_true(value) ? "true" : "false", l->out);
    fputc(',', l->out);
    field(l->out, unit_of(l, value));
    fputc('\n', l->out);
}

static void write_tree(line *l, const json_t *value);

/* One step further down: ".name", or ".1" for the first of a list. */
static void write_step(line *l, const char *name, size_t index, const json_t *value) {
    size_t len = strlen(l->name);
    if (name)
        snprintf(l->name + len, sizeof l->name - len, "%s%s", len ? "." : "", name);
    else
        snprintf(l->name + len, sizeof l->name - len, "%s%zu", len ? "." : "", index + 1);
    write_tree(l, value);
    l->name[len] = '\0';
}

static void write_tree(line *l, const json_t *value) {
    const char *name;
    size_t i;
    json_t *member;
    if (json_is_object(value)) {
        json_object_foreach((json_t *)value, name, member) write_step(l, name, 0, member);
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, member) write_step(l, NULL, i, member);
    } else {
        write_value(l, value);
    }
}

/* An element of a table: the name of a lone value in a list is "value". */
static void write_row(line *l, const json_t *value, size_t row) {
    l->row = row;
    if (json_is_object(value))
        write_tree(l, value);
    else
        write_step(l, "value", 0, value);
}

static void write_table(line *l, const char *name, const json_t *value) {
    size_t i;
    const json_t *one;
    l->table = name;
    if (json_is_array(value)) {
        json_array_foreach(value, i, one) write_row(l, one, i + 1);
    } else {
        write_row(l, value, 1);
    }
}

static void write_measures(line *l, const json_t *measures) {
    size_t i;
    const json_t *one;
    l->table = "measures";
    json_array_foreach(measures, i, one) {
        l->row = i + 1;
        l->unit = report_text_of(one, "unit");
        write_step(l, report_text_of(one, "name"), 0, json_object_get(one, "value"));
    }
    l->unit = NULL;
}

static void write_item(FILE *out, const report_item *item, size_t index) {
    char number[24];
    const char *name;
    json_t *member;
    snprintf(number, sizeof number, "%zu", index + 1);
    line l = {.out = out,
              .item = report_place(item) ? report_place(item) : number,
              .kind = report_kind(item),
              .units = json_object_get(item->result, "units"),
              .row = 1};
    l.table = "result";
    json_object_foreach(item->result, name, member) {
        if (!json_is_object(member) && !json_is_array(member))
            write_step(&l, name, 0, member);
    }
    write_table(&l, "checks", item->checks);
    write_measures(&l, item->measures);
    json_object_foreach(item->result, name, member) {
        if ((json_is_object(member) || json_is_array(member)) && strcmp(name, "checks") != 0 &&
            strcmp(name, "measures") != 0)
            write_table(&l, name, member);
    }
}

ibk_err report_write_csv(FILE *out, const report_item *items, size_t count) {
    fputs("item,kind,table,row,name,value,unit\n", out);
    for (size_t i = 0; i < count; i++)
        write_item(out, &items[i], i);
    return IBK_OK;
}
