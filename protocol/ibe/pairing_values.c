/* Prints, for pairing_gp_test.sh, what PARI/GP needs to compute pairings of its own, as GP assignments: usage
 * pairing_values DIR N, DIR holding the shipped sets. */
#include <ibake/ibe.h>
#include <stdio.h>
#include <stdlib.h>

static void print_integer(const char *name, const uint8_t *octets, size_t len) {
    printf("%s = 0x", name);
    for (size_t i = 0; i < len; i++)
        printf("%02x", octets[i]);
    printf(";\n");
}

static void print_pair(const char *name, const uint8_t *octets, size_t len) {
    char part[16];
    snprintf(part, sizeof part, "%s0", name);
    print_integer(part, octets, len);
    snprintf(part, sizeof part, "%s1", name);
    print_integer(part, octets + len, len);
}

static void need(ibk_err err, const char *what) {
    if (err == IBK_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, ibk_err_text(err));
    exit(1);
}

static ibk_ibe_params *load(const char *dir, const char *n) {
    char path[512];
    uint8_t octets[8192];
    ibk_ibe_params *params = NULL;
    snprintf(path, sizeof path, "%s/ibe-%s.params.der", dir, n);
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        perror(path);
        exit(1);
    }
    size_t len = fread(octets, 1, sizeof octets, f);
    fclose(f);
    need(ibk_ibe_params_parse(&params, ibk_span_of(octets, len), NULL, NULL), path);
    return params;
}

int main(int argc, char **argv) {
    static uint8_t a[2 * IBK_IBE_FIELD_MAX], b[2 * IBK_IBE_FIELD_MAX], e[2 * IBK_IBE_FIELD_MAX];
    ibk_buf p = {NULL, 0, 0}, q = {NULL, 0, 0};
    if (argc != 3)
        return 2;
    ibk_ibe_params *params = load(argv[1], argv[2]);
    size_t len = ibk_ibe_params_field_len(params);
    need(ibk_ibe_params_p(params, &p), "p");
    need(ibk_ibe_params_q(params, &q), "q");
    need(ibk_ibe_params_public(params, a), "P_pub");
    need(ibk_ibe_hash_to_point(params, ibk_span_str("sip:bob@b.example20261124"), b), "Q_id");
    need(ibk_ibe_pairing(params, a, b, e), "pairing");
    print_integer("p", p.data, p.len);
    print_integer("q", q.data, q.len);
    print_pair("a", a, len);
    print_pair("b", b, len);
    print_pair("e", e, len);
    ibk_buf_free(&p);
    ibk_buf_free(&q);
    ibk_ibe_params_free(params);
    return 0;
}
