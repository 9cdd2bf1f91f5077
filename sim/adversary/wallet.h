/* What an adversary holds: keys and secrets that it was given, broke in for, drew itself or found out, each
 * with how and since when. Things are added at the moment at which they come into its hands, so that what is
 * in a wallet may be used at once. Everything is copied, and wiped when the wallet goes. */
#ifndef SIM_ADVERSARY_WALLET_H
#define SIM_ADVERSARY_WALLET_H

#include "adversary/ledger.h"

struct ue;

#define WALLET_WORDS_MAX 100

typedef struct wallet_origin {
    ledger_how how;
    uint64_t since_ns;
    char words[WALLET_WORDS_MAX]; /* "from alice's memory"; may be "" */
} wallet_origin;

wallet_origin wallet_from(ledger_how how, uint64_t since_ns, const char *words, ...)
    __attribute__((format(printf, 3, 4)));

typedef struct wallet wallet;

wallet *wallet_new(void);    /* NULL: out of memory */
void wallet_free(wallet *w); /* wipes; legal on NULL */

/* ---- putting in
 * --------------------------------------------------------------------------------------------
 *
 * What is there already stays as it is (IBK_OK). IBK_ERR_NO_MEMORY, and the codes of the parsers. */

/* Public parameters under which ciphertexts may stand; borrowed, also by the keys and master secrets of them.
 */
ibk_err wallet_add_params(wallet *w, const ibk_ibe_params *params, ibk_granularity granularity);
ibk_err wallet_add_key(wallet *w, const ibk_ibe_params *params, ibk_span ibe_identity, const ibk_ibe_key *key,
                       const wallet_origin *origin);
/* The same as DER BFPrivateKeyBlock. `params` NULL: that of the sets added to the wallet to which it belongs;
 * IBK_ERR_MISMATCH: there is none. */
ibk_err wallet_add_key_der(wallet *w, const ibk_ibe_params *params, ibk_span ibe_identity, ibk_span der,
                           const wallet_origin *origin);
ibk_err wallet_add_master(wallet *w, const ibk_ibe_params *params, const ibk_ibe_master *master,
                          const wallet_origin *origin);

typedef struct wallet_scalar {
    uint32_t csb_id; /* 0: of any exchange */
    ibk_ec_key key;
    bool responders; /* a y, else an x */
    bool own;        /* this adversary drew it for an exchange of its own: reading its point is no news */
    wallet_origin origin;
} wallet_scalar;

ibk_err wallet_add_scalar(wallet *w, const wallet_scalar *scalar); /* key.pub may be empty: it is computed */

/* A point that is known without being read from a message: out of a memory, or because this adversary made
 * it. It need not lie on the curve. */
typedef struct wallet_point {
    uint32_t csb_id;
    ibk_ec_point point;
    bool responders, own;
    bool small; /* its multiples are few (an invalid curve, or a small subgroup): worth trying all */
    wallet_origin origin;
} wallet_point;

ibk_err wallet_add_point(wallet *w, const wallet_point *point);

/* Octets that serve as one kind of key. */
typedef struct wallet_secret {
    uint32_t csb_id;       /* TGK: of its exchange; 0: of any */
    const scn_user *whose; /* seed of a generator: who draws from it; borrowed */
    ibk_buf octets;
    wallet_origin origin;
} wallet_secret;

ibk_err wallet_add_tgk(wallet *w, uint32_t csb_id, ibk_span tgk, const wallet_origin *origin);
ibk_err wallet_add_sk(wallet *w, ibk_span sk, const wallet_origin *origin);
ibk_err wallet_add_psk(wallet *w, ibk_span psk, const wallet_origin *origin);
/* The seed of a generator (generator.h), GENERATOR_SEED_LEN octets. */
ibk_err wallet_add_generator(wallet *w, const scn_user *whose, ibk_span seed, const wallet_origin *origin);

/* A point that this adversary put into an ECCPT, as SEC 1 octets: its own; worth trying all multiples of if
 * it is no point of the curve. */
ibk_err wallet_add_planted(wallet *w, uint32_t csb_id, bool responders, uint8_t curve, ibk_span octets,
                           const wallet_origin *origin);

/* What is alive in that UE's memory now. */
ibk_err wallet_add_memory(wallet *w, const struct ue *u, const wallet_origin *origin);
/* A record of a key log: of a compromised UE's, or of this adversary's own sessions (`own`). */
ibk_err wallet_add_record(wallet *w, const ibk_keylog_record *record, bool own, const wallet_origin *origin);

/* ---- looking up
 * -------------------------------------------------------------------------------------------- */

typedef struct wallet_params {
    const ibk_ibe_params *params;
    ibk_granularity granularity;
} wallet_params;

typedef struct wallet_ibe_key {
    const ibk_ibe_params *params;
    ibk_buf identity, der;
    ibk_ibe_key *key; /* made of `der` when first asked for */
    bool extracted;   /* with a master secret of this wallet */
    wallet_origin origin;
} wallet_ibe_key;

typedef struct wallet_master {
    const ibk_ibe_params *params;
    ibk_ibe_master *master;
    wallet_origin origin;
} wallet_master;

/* The private key of an IBE identity; extracted if its master secret is held. NULL: neither. Borrowed until
 * the wallet is freed. */
const ibk_ibe_key *wallet_key(wallet *w, const ibk_ibe_params *params, ibk_span ibe_identity);
const wallet_ibe_key *wallet_find_key(wallet *w, const ibk_ibe_params *params, ibk_span ibe_identity);

/* The seed from which the user with this identity draws; NULL: it is not held. Borrowed until the next one is
 * added. */
const wallet_secret *wallet_generator_of(const wallet *w, ibk_span identity);

/* The index-th of each kind; NULL beyond the last. Borrowed until the next one is added. */
const wallet_params *wallet_params_at(const wallet *w, size_t index);
const wallet_ibe_key *wallet_key_at(wallet *w, size_t index);
const wallet_master *wallet_master_at(const wallet *w, size_t index);
const wallet_scalar *wallet_scalar_at(const wallet *w, size_t index);
const wallet_point *wallet_point_at(const wallet *w, size_t index);
const wallet_secret *wallet_tgk_at(const wallet *w, size_t index);
const wallet_secret *wallet_sk_at(const wallet *w, size_t index);
const wallet_secret *wallet_psk_at(const wallet *w, size_t index);
const wallet_secret *wallet_generator_at(const wallet *w, size_t index);

#endif
