/* Any sequence of reads over any octets: no read leaves the input, and no arithmetic overflows.
 * fuzz/prove includes wire/reader.h, an inner header of libibake that no other file outside protocol/ sees.
 */
#include "nondet.h"

enum { OCTETS = 16, READS = 10 };

static void one_read(ibk_rd *rd, int read) {
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    ibk_span span;
    switch (read) {
    case 0:
        (void)ibk_rd_u8(rd, &u8);
        break;
    case 1:
        (void)ibk_rd_u16(rd, &u16);
        break;
    case 2:
        (void)ibk_rd_u32(rd, &u32);
        break;
    case 3:
        (void)ibk_rd_u64(rd, &u64);
        break;
    case 4:
        (void)ibk_rd_peek_u8(rd, &u8);
        break;
    case 5:
        (void)ibk_rd_span(rd, any_size(), &span);
        break;
    case 6:
        (void)ibk_rd_span8(rd, &span);
        break;
    case 7:
        (void)ibk_rd_span16(rd, &span);
        break;
    case 8:
        span = ibk_rd_since(rd, any_size());
        break;
    default:
        (void)ibk_rd_refuse(rd, IBK_ERR_BAD_VALUE, any_size(), "why");
    }
}

/* Each read from each state that a reader can be in (pos <= len <= OCTETS): it stays in such a state. By
 * induction over the reads that holds for all sequences of them. */
int main(void) {
    uint8_t octets[OCTETS];
    any_octets(octets, OCTETS);
    for (size_t len = 0; len <= OCTETS; len++)
        for (size_t pos = 0; pos <= len; pos++)
            for (int read = 0; read < READS; read++) {
                ibk_rd rd;
                ibk_rd_init(&rd, ibk_span_of(octets, len));
                rd.pos = pos;
                one_read(&rd, read);
                /*@ assert rd.pos <= rd.len; */
            }
    return 0;
}
