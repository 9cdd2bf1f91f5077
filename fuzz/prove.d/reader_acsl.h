/* What the reader promises, for inputs of any length, in ACSL: a read either fails and leaves its place and
 * what it would have written, or moves on by what it read, inside the input, and gives what lies there.
 * `fuzz/prove contract` shows that wire/reader.c keeps it; contract.c, over which the walk is shown, gives
 * all that it allows. Included before the reader. */
#ifndef PROVE_READER_ACSL_H
#define PROVE_READER_ACSL_H

/* ibk_span_of by what it does; with a type, for the memory of WP has no void. */
/*@ assigns \result \from data, len;
    ensures \result.data == data && \result.len == len; */
ibk_span octets_of(const uint8_t *data, size_t len);
#define ibk_span_of octets_of

/* The place is inside the input, which is nowhere near address 0; `out` is storage of its own. */
/*@ predicate in_order(ibk_rd *rd) =
      \valid(rd) && rd->pos <= rd->len && (rd->len > 0 ==> \valid_read(rd->data + (0 .. rd->len - 1))) &&
      (rd->len > 0 ==> \base_addr(rd->data) != \null);
    predicate apart(ibk_rd *rd, uint8_t *out) = \valid(out) && \separated(rd, out) &&
      (rd->len > 0 ==> \separated(out, rd->data + (0 .. rd->len - 1)));
    predicate apart(ibk_rd *rd, uint16_t *out) = \valid(out) && \separated(rd, out) &&
      (rd->len > 0 ==> \separated(out, rd->data + (0 .. rd->len - 1)));
    predicate apart(ibk_rd *rd, uint32_t *out) = \valid(out) && \separated(rd, out) &&
      (rd->len > 0 ==> \separated(out, rd->data + (0 .. rd->len - 1)));
    predicate apart(ibk_rd *rd, uint64_t *out) = \valid(out) && \separated(rd, out) &&
      (rd->len > 0 ==> \separated(out, rd->data + (0 .. rd->len - 1)));
    predicate apart(ibk_rd *rd, ibk_span *out) = \valid(out) && \separated(rd, out) &&
      (rd->len > 0 ==> \separated(out, rd->data + (0 .. rd->len - 1)));
    predicate moved(ibk_rd *rd, integer from, integer n) = rd->pos == from + n && rd->pos <= rd->len;
*/

/*@ requires diag == \null || \valid(diag);
    assigns *diag; */
ibk_err ibk_fail(ibk_diag *diag, ibk_err err, const char *payload, size_t offset, const char *format, ...);

/*@ requires \valid(rd);
    assigns *rd;
    ensures rd->data == in.data && rd->len == in.len && rd->pos == 0 && rd->need == 0 && rd->why == \null; */
void ibk_rd_init(ibk_rd *rd, ibk_span in);

/*@ requires in_order(rd);
    assigns \nothing;
    ensures \result == rd->len - rd->pos; */
size_t ibk_rd_left(const ibk_rd *rd);

/*@ requires in_order(rd);
    assigns \nothing;
    ensures \result <==> rd->pos == rd->len; */
bool ibk_rd_at_end(const ibk_rd *rd);

/*@ requires in_order(rd) && len > 0 && (rd->pos < rd->len ==> rd->data + rd->pos != \null);
    assigns rd->pos, rd->need;
    ensures \result == \null ==> \old(len > rd->len - rd->pos) && rd->pos == \old(rd->pos);
    ensures \result != \null ==> \result == rd->data + \old(rd->pos) && moved(rd, \old(rd->pos), len); */
static const uint8_t *take(ibk_rd *rd, size_t len);

/*@ requires in_order(rd) && 1 <= len <= 8 && apart(rd, out);
    assigns rd->pos, rd->need, *out;
    ensures !\result ==> rd->pos == \old(rd->pos) && *out == \old(*out);
    ensures \result ==> moved(rd, \old(rd->pos), len); */
static bool number(ibk_rd *rd, size_t len, uint64_t *out);

/*@ requires in_order(rd) && apart(rd, out);
    assigns rd->pos, rd->need, *out;
    ensures !\result ==> rd->pos == \old(rd->pos) && *out == \old(*out);
    ensures \result ==> moved(rd, \old(rd->pos), 1); */
bool ibk_rd_u8(ibk_rd *rd, uint8_t *out);

/*@ requires in_order(rd) && apart(rd, out);
    assigns rd->pos, rd->need, *out;
    ensures !\result ==> rd->pos == \old(rd->pos) && *out == \old(*out);
    ensures \result ==> moved(rd, \old(rd->pos), 2); */
bool ibk_rd_u16(ibk_rd *rd, uint16_t *out);

/*@ requires in_order(rd) && apart(rd, out);
    assigns rd->pos, rd->need, *out;
    ensures !\result ==> rd->pos == \old(rd->pos) && *out == \old(*out);
    ensures \result ==> moved(rd, \old(rd->pos), 4); */
bool ibk_rd_u32(ibk_rd *rd, uint32_t *out);

/*@ requires in_order(rd) && apart(rd, out);
    assigns rd->pos, rd->need, *out;
    ensures !\result ==> rd->pos == \old(rd->pos) && *out == \old(*out);
    ensures \result ==> moved(rd, \old(rd->pos), 8); */
bool ibk_rd_u64(ibk_rd *rd, uint64_t *out);

/*@ requires in_order(rd) && apart(rd, out);
    assigns rd->pos, rd->need, *out;
    ensures rd->pos == \old(rd->pos);
    ensures !\result ==> *out == \old(*out); */
bool ibk_rd_peek_u8(ibk_rd *rd, uint8_t *out);

/*@ requires in_order(rd) && apart(rd, out);
    assigns rd->pos, rd->need, *out;
    ensures !\result ==> rd->pos == \old(rd->pos) && len > 0;
    ensures !\result ==> out->data == \old(out->data) && out->len == \old(out->len);
    ensures \result ==> moved(rd, \old(rd->pos), len) && out->len == len;
    ensures \result && out->len == 0 ==> out->data == \null;
    ensures \result && out->len > 0 ==> out->data == rd->data + (\old(rd->pos)); */
bool ibk_rd_span(ibk_rd *rd, size_t len, ibk_span *out);

/*@ requires in_order(rd) && apart(rd, out);
    assigns rd->pos, rd->need, *out;
    ensures !\result ==> rd->pos == \old(rd->pos);
    ensures !\result ==> out->data == \old(out->data) && out->len == \old(out->len);
    ensures \result ==> moved(rd, \old(rd->pos), 1 + out->len) && out->len <= 255;
    ensures \result && out->len == 0 ==> out->data == \null;
    ensures \result && out->len > 0 ==> out->data == rd->data + (\old(rd->pos) + 1); */
bool ibk_rd_span8(ibk_rd *rd, ibk_span *out);

/*@ requires in_order(rd) && apart(rd, out);
    assigns rd->pos, rd->need, *out;
    ensures !\result ==> rd->pos == \old(rd->pos);
    ensures !\result ==> out->data == \old(out->data) && out->len == \old(out->len);
    ensures \result ==> moved(rd, \old(rd->pos), 2 + out->len) && out->len <= 65535;
    ensures \result && out->len == 0 ==> out->data == \null;
    ensures \result && out->len > 0 ==> out->data == rd->data + (\old(rd->pos) + 2); */
bool ibk_rd_span16(ibk_rd *rd, ibk_span *out);

/*@ requires in_order(rd);
    assigns \nothing;
    ensures from >= rd->pos ==> \result.data == \null && \result.len == 0;
    ensures from < rd->pos ==> \result.data == rd->data + from && from + \result.len == rd->pos; */
ibk_span ibk_rd_since(const ibk_rd *rd, size_t from);

/*@ requires in_order(rd);
    assigns rd->pos, rd->why;
    ensures \result == err && rd->why == why;
    ensures rd->pos == (at <= rd->len ? at : \old(rd->pos)); */
ibk_err ibk_rd_refuse(ibk_rd *rd, ibk_err err, size_t at, const char *why);

/*@ requires in_order(rd) && (diag == \null || \valid(diag)) && base + rd->pos <= SIZE_MAX;
    assigns *diag; */
ibk_err ibk_rd_fail(const ibk_rd *rd, ibk_err err, const char *payload, size_t base, ibk_diag *diag);

#endif
