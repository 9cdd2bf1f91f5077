#include <ibake/defences.h>

static const struct {
    const char *word, *text;
} list[] = {
#define ENTRY(name, word, text) {word, text},
    IBK_DEFENCE_LIST(ENTRY)
#undef ENTRY
};

/* -1: no single bit of the list. */
static int index_of(uint32_t defence) {
    for (int i = 0; i < IBK_DEFENCES; i++) {
        if (defence == UINT32_C(1) << i) {
            return i;
        }
    }
    return -1;
}

const char *ibk_defence_name(uint32_t defence) {
    int i = index_of(defence);
    return i < 0 ? "unknown" : list[i].word;
}

const char *ibk_defence_text(uint32_t defence) {
    int i = index_of(defence);
    return i < 0 ? "unknown" : list[i].text;
}
