#include "sweep/store.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORMAT  "ibakelab-sweep/1"
#define BUSY_MS 10000
#define FIRST_PARAMETER                                                                                      \
    3 /* SQLite counts columns of a statement's values from 1: point, seed, parameters … */

struct sweep_store {
    const sweep *sweep;
    sqlite3 *db;
    sqlite3_stmt *put;
    unsigned char *done; /* a bit a point */
    int lock;            /* -1: none */
};

/* ---- SQLite with our errors
 * ------------------------------------------------------------------------------------------------ */

static ibk_err failed(const sweep_store *store, ibk_diag *diag) {
    int code = store->db != NULL ? sqlite3_errcode(store->db) : SQLITE_NOMEM;
    if (code == SQLITE_NOMEM)
        return IBK_ERR_NO_MEMORY;
    if (code == SQLITE_NOTADB)
        return ibk_fail(diag, IBK_ERR_REFUSED, NULL, 0, "it is no database of SQLite");
    if (code == SQLITE_CANTOPEN)
        return ibk_fail(diag, IBK_ERR_REFUSED, NULL, 0, "it cannot be opened");
    return ibk_fail(diag, IBK_ERR_IO, NULL, 0, "%s", sqlite3_errmsg(store->db));
}

static ibk_err execute(sweep_store *store, const char *sql, ibk_diag *diag) {
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ? IBK_OK : failed(store, diag);
}

static ibk_err prepare(sweep_store *store, sqlite3_stmt **out, const char *sql, ibk_diag *diag) {
    return sqlite3_prepare_v2(store->db, sql, -1, out, NULL) == SQLITE_OK ? IBK_OK : failed(store, diag);
}

/* The first number that a query gives. */
static ibk_err ask(sweep_store *store, const char *sql, sqlite3_int64 *out, ibk_diag *diag) {
    sqlite3_stmt *query;
    ibk_err err = prepare(store, &query, sql, diag);
    if (err == IBK_OK && sqlite3_step(query) != SQLITE_ROW)
        err = failed(store, diag);
    if (err == IBK_OK)
        *out = sqlite3_column_int64(query, 0);
    sqlite3_finalize(query);
    return err;
}

/* ---- tables
 * ------------------------------------------------------------------------------------------------ */

static void add_columns(sqlite3_str *sql, const sweep *s, bool types) {
    sqlite3_str_appendall(sql, types ? "point INTEGER PRIMARY KEY, seed INTEGER NOT NULL" : "point, seed");
    for (size_t i = 0; i < s->parameter_count; i++) /* NUMERIC: 1024 is a number, "5 %" stays text */
        sqlite3_str_appendf(sql, ", \"%w\"%s", s->parameters[i].name, types ? " NUMERIC NOT NULL" : "");
    sqlite3_str_appendall(sql, types ? ", verdict TEXT NOT NULL, detail TEXT NOT NULL, kept INTEGER NOT NULL"
                                     : ", verdict, detail, kept");
    for (size_t i = 0; i < s->measure_count; i++)
        sqlite3_str_appendf(sql, ", \"%w\"%s", s->measures[i].name, types ? " REAL" : "");
}

static ibk_err create_points(sweep_store *store, ibk_diag *diag) {
    sqlite3_str *sql = sqlite3_str_new(store->db);
    sqlite3_str_appendall(sql, "CREATE TABLE points(");
    add_columns(sql, store->sweep, true);
    sqlite3_str_appendall(sql, ")");
    char *text = sqlite3_str_finish(sql);
    ibk_err err = text != NULL ? execute(store, text, diag) : IBK_ERR_NO_MEMORY;
    sqlite3_free(text);
    return err;
}

static ibk_err prepare_put(sweep_store *store, ibk_diag *diag) {
    const sweep *s = store->sweep;
    sqlite3_str *sql = sqlite3_str_new(store->db);
    sqlite3_str_appendall(sql, "INSERT OR REPLACE INTO points(");
    add_columns(sql, s, false);
    sqlite3_str_appendall(sql, ") VALUES(?");
    for (size_t i = 1; i < FIRST_PARAMETER - 1 + s->parameter_count + 3 + s->measure_count; i++)
        sqlite3_str_appendall(sql, ", ?");
    sqlite3_str_appendall(sql, ")");
    char *text = sqlite3_str_finish(sql);
    ibk_err err = text != NULL ? prepare(store, &store->put, text, diag) : IBK_ERR_NO_MEMORY;
    sqlite3_free(text);
    return err;
}

static ibk_err note(sweep_store *store, const char *key, const char *value, ibk_diag *diag) {
    sqlite3_stmt *insert;
    ibk_err err = prepare(store, &insert, "INSERT INTO sweep VALUES(?, ?)", diag);
    if (err != IBK_OK)
        return err;
    sqlite3_bind_text(insert, 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 2, value, -1, SQLITE_STATIC);
    if (sqlite3_step(insert) != SQLITE_DONE)
        err = failed(store, diag);
    sqlite3_finalize(insert);
    return err;
}

static ibk_err create(sweep_store *store, const sweep_stamp *stamp, const char *shard, ibk_diag *diag) {
    const sweep *s = store->sweep;
    char points[24];
    snprintf(points, sizeof points, "%zu", s->points);
    const char *const notes[][2] = {{"format", FORMAT},
                                    {"title", s->title},
                                    {"file", s->path},
                                    {"scenario", s->scenario},
                                    {"points", points},
                                    {"digest", stamp->digest},
                                    {"versions", stamp->versions},
                                    {"shard", shard}};
    ibk_err err = execute(store,
                          "BEGIN IMMEDIATE; DROP TABLE IF EXISTS sweep; DROP TABLE IF EXISTS points; "
                          "CREATE TABLE sweep(key TEXT PRIMARY KEY, value TEXT NOT NULL)",
                          diag);
    err = err ? err : create_points(store, diag);
    for (size_t i = 0; err == IBK_OK && i < sizeof notes / sizeof notes[0]; i++)
        err = note(store, notes[i][0], notes[i][1], diag);
    return err ? err : execute(store, "COMMIT", diag);
}

/* ---- whose rows are these
 * ------------------------------------------------------------------------------------------------ */

static ibk_err same(sweep_store *store, const char *key, const char *value, const char *what,
                    ibk_diag *diag) {
    sqlite3_stmt *query;
    ibk_err err = prepare(store, &query, "SELECT value FROM sweep WHERE key = ?", diag);
    if (err != IBK_OK)
        return err;
    sqlite3_bind_text(query, 1, key, -1, SQLITE_STATIC);
    const char *there =
        sqlite3_step(query) == SQLITE_ROW ? (const char *)sqlite3_column_text(query, 0) : NULL;
    if (there == NULL || strcmp(there, value) != 0)
        err = ibk_fail(diag, IBK_ERR_REFUSED, NULL, 0, "%s; --out names another folder", what);
    sqlite3_finalize(query);
    return err;
}

static ibk_err is_ours(sweep_store *store, const sweep_stamp *stamp, ibk_diag *diag) {
    ibk_err err = same(store, "format", FORMAT, "its rows have another format", diag);
    err = err ? err : same(store, "versions", stamp->versions, "its rows were made by other versions", diag);
    return err ? err
               : same(store, "digest", stamp->digest,
                      "its rows are of another sweep, or the sweep or its scenario has changed", diag);
}

static ibk_err mark(void *user, const sweep_row *row) {
    sweep_store *store = user;
    if (row->verdict != SWEEP_ERROR && row->point < store->sweep->points)
        store->done[row->point / 8] |= (unsigned char)(1u << row->point % 8);
    return IBK_OK;
}

static ibk_err look(sweep_store *store, const sweep_stamp *stamp, const char *shard, sweep_store_mode mode,
                    ibk_diag *diag) {
    sqlite3_int64 tables = 0, rows = 0;
    ibk_err err =
        ask(store, "SELECT count(*) FROM sqlite_master WHERE name IN ('sweep', 'points')", &tables, diag);
    if (err == IBK_OK && tables == 2)
        err = ask(store, "SELECT count(*) FROM points", &rows, diag);
    if (err != IBK_OK)
        return err;
    if (mode == SWEEP_STORE_READ && tables != 2)
        return ibk_fail(diag, IBK_ERR_REFUSED, NULL, 0, "it holds no sweep");
    if (mode == SWEEP_STORE_NEW && rows > 0)
        return ibk_fail(diag, IBK_ERR_REFUSED, NULL, 0,
                        "it has %lld rows already: --resume goes on, --out names another folder", rows);
    if (rows == 0 && mode != SWEEP_STORE_READ)
        return create(store, stamp, shard, diag);
    err = is_ours(store, stamp, diag);
    return err ? err : sweep_store_read(store, mark, store, diag);
}

/* ---- opening
 * ------------------------------------------------------------------------------------------------ */

/* A lock of POSIX belongs to the process: it ends with it, however it ends, and its children do not have it.
 */
static ibk_err lock(sweep_store *store, const char *path, ibk_diag *diag) {
    char name[4200];
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    snprintf(name, sizeof name, "%s.lock", path);
    store->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (store->lock < 0)
        return ibk_fail(diag, IBK_ERR_REFUSED, NULL, 0, "its folder: %s", strerror(errno));
    if (fcntl(store->lock, F_SETLK, &whole) == 0)
        return IBK_OK;
    return ibk_fail(diag, IBK_ERR_REFUSED, NULL, 0, "another sweep is writing to it");
}

static ibk_err connect(sweep_store *store, const char *path, sweep_store_mode mode, ibk_diag *diag) {
    int flags = mode == SWEEP_STORE_READ ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    if (sqlite3_open_v2(path, &store->db, flags, NULL) != SQLITE_OK)
        return failed(store, diag);
    sqlite3_busy_timeout(store->db, BUSY_MS);
    if (mode == SWEEP_STORE_READ)
        return IBK_OK;
    return execute(store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", diag);
}

ibk_err sweep_store_open(sweep_store **out, const char *path, const sweep *s, const sweep_stamp *stamp,
                         const char *shard, sweep_store_mode mode, ibk_diag *diag) {
    sweep_store *store = calloc(1, sizeof *store);
    *out = NULL;
    if (store == NULL)
        return IBK_ERR_NO_MEMORY;
    store->sweep = s;
    store->lock = -1;
    store->done = calloc(s->points / 8 + 1, 1);
    ibk_err err = store->done != NULL ? IBK_OK : IBK_ERR_NO_MEMORY;
    if (err == IBK_OK && mode != SWEEP_STORE_READ)
        err = lock(store, path, diag);
    err = err ? err : connect(store, path, mode, diag);
    err = err ? err : look(store, stamp, shard, mode, diag);
    err = err ? err : prepare_put(store, diag);
    if (err == IBK_OK)
        *out = store;
    else
        sweep_store_close(store);
    return err;
}

void sweep_store_close(sweep_store *store) {
    if (store == NULL)
        return;
    sqlite3_finalize(store->put);
    sqlite3_close(store->db);
    if (store->lock >= 0)
        close(store->lock);
    free(store->done);
    free(store);
}

/* ---- rows
 * ------------------------------------------------------------------------------------------------ */

bool sweep_store_has(const sweep_store *store, size_t point) {
    return store->done[point / 8] >> point % 8 & 1;
}

static void bind_row(sqlite3_stmt *put, const sweep *s, const sweep_point *point, const sweep_row *row) {
    int at = FIRST_PARAMETER;
    sqlite3_bind_int64(put, 1, (sqlite3_int64)row->point);
    sqlite3_bind_int64(put, 2, (sqlite3_int64)point->seed);
    for (size_t p = 0; p < s->parameter_count; p++)
        sqlite3_bind_text(put, at++, sweep_label(s, point, p), -1, SQLITE_STATIC);
    sqlite3_bind_text(put, at++, sweep_verdict_name(row->verdict), -1, SQLITE_STATIC);
    sqlite3_bind_text(put, at++, row->detail, -1, SQLITE_STATIC);
    sqlite3_bind_int(put, at++, row->kept != 0);
    for (size_t i = 0; i < s->measure_count; i++) /* NaN is bound as NULL */
        sqlite3_bind_double(put, at++, row->values[i]);
}

ibk_err sweep_store_put(sweep_store *store, const sweep_row *row, ibk_diag *diag) {
    sweep_point *point = malloc(sizeof *point);
    if (point == NULL)
        return IBK_ERR_NO_MEMORY;
    sweep_point_at(store->sweep, row->point, point);
    bind_row(store->put, store->sweep, point, row);
    ibk_err err = sqlite3_step(store->put) == SQLITE_DONE ? mark(store, row) : failed(store, diag);
    sqlite3_reset(store->put);
    free(point);
    return err;
}

static void row_of(sqlite3_stmt *query, const sweep *s, sweep_row *row) {
    int at = FIRST_PARAMETER - 1 + (int)s->parameter_count;
    memset(row, 0, sizeof *row);
    row->point = (uint64_t)sqlite3_column_int64(query, 0);
    const char *verdict = (const char *)sqlite3_column_text(query, at);
    while (row->verdict < SWEEP_FAIL && strcmp(sweep_verdict_name(row->verdict), verdict ? verdict : "") != 0)
        row->verdict++;
    const char *detail = (const char *)sqlite3_column_text(query, at + 1);
    snprintf(row->detail, sizeof row->detail, "%s", detail != NULL ? detail : "");
    row->kept = sqlite3_column_int(query, at + 2) != 0;
    for (size_t i = 0; i < SWEEP_MAX_MEASURES; i++) {
        int column = at + 3 + (int)i;
        bool there = i < s->measure_count && sqlite3_column_type(query, column) != SQLITE_NULL;
        row->values[i] = there ? sqlite3_column_double(query, column) : NAN;
    }
}

ibk_err sweep_store_read(sweep_store *store, ibk_err (*each)(void *user, const sweep_row *row), void *user,
                         ibk_diag *diag) {
    sqlite3_stmt *query;
    sweep_row row;
    int step = SQLITE_DONE;
    ibk_err err = prepare(store, &query, "SELECT * FROM points ORDER BY point", diag);
    while (err == IBK_OK && (step = sqlite3_step(query)) == SQLITE_ROW) {
        row_of(query, store->sweep, &row);
        err = each(user, &row);
    }
    if (err == IBK_OK && step != SQLITE_DONE)
        err = failed(store, diag);
    sqlite3_finalize(query);
    return err;
}
