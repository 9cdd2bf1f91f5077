/* What an adversary makes of the MIKEY messages that pass it, where that takes cryptography: IBAKE encrypted
 * anew, a whole exchange of its own in the middle of another, answers to what it replayed. It uses what it
 * holds and what anybody may use, nothing else: everybody can encrypt to an identity, and only who has its
 * private key (or the master secret) reads what came for it. Knows nothing of SIP and of packets.
 *
 * Calls are told apart by their Call-ID; what belongs to one is kept until craft_free. All functions append
 * to `out`, and append nothing if they fail, unless they say otherwise. */
#ifndef SIM_ADVERSARY_CRAFT_H
#define SIM_ADVERSARY_CRAFT_H

#include "scenario/model.h"

typedef struct craft craft;

/* What it asks of its surroundings; `user` comes back in each call. */
typedef struct craft_config {
    ibk_env env; /* of its node: draws, and the charges of its processor. Copied; its key log is not used */
    void *user;
    ibk_time (*now)(void *user);
    /* The nth set of public parameters that `identity` may be served by: 0 is what the network's users go by,
     * further ones may follow (those of a rogue KMS). With `of`: that domain's, whoever the identity is.
     * NULL: no more. */
    const ibk_ibe_params *(*params)(void *user, ibk_span identity, const scn_domain *of, size_t nth);
    ibk_granularity (*granularity)(void *user, ibk_span identity); /* of the KMS that serves it */
    /* A private key that it holds, or can extract. NULL: none. */
    const ibk_ibe_key *(*key)(void *user, const ibk_ibe_params *params, ibk_span ibe_identity);
    /* The seed of the generator (random/generator.h) from which the UE with this identity draws x and y;
     * NULL: it is not held. The callback may be NULL. */
    const uint8_t *(*generator)(void *user, ibk_span identity);
    /* A secret of an exchange of its own: kinds X, Y, KSESSION, MPK, TGK. Borrowed for the call. */
    void (*learned)(void *user, const char *call, const ibk_keylog_record *record);
    /* A point that it put into an ECCPT in the place of the initiator's or responder's, as SEC 1 octets; it
     * need not lie on the curve. May be NULL. */
    void (*planted)(void *user, const char *call, uint32_t csb_id, bool responders, uint8_t curve,
                    ibk_span octets);
} craft_config;

ibk_err craft_new(craft **out, const craft_config *config);
void craft_free(craft *c); /* wipes */

/* ---- one message anew
 * -------------------------------------------------------------------------------------- */

/* `re-encrypt`: the IBAKE of `msg` (parsed) is opened if a key for its recipient is there, else begun from
 * scratch with the identities outside; points and identities inside become what the rule says; the result is
 * encrypted to the recipient, or to rule->for_identity. In a start from scratch a point that the rule does
 * not name is the genuine one if an earlier message of the call gave it away, else its own. An R_MESSAGE_2
 * gets a V under the key that its own point and the initiator's yield. IBK_ERR_NO_KEY: a point is wanted
 * (`reflected`, `compressed`, a V) that it does not know. IBK_ERR_MISSING_PAYLOAD: there is nothing to
 * encrypt. */
ibk_err craft_reencrypt(craft *c, const char *call, const ibk_msg *msg, const scn_rule *rule, ibk_buf *out,
                        ibk_diag *diag);

/* ---- the man in the middle
 * ------------------------------------------------------------------------------------ */

/* `impersonate`: two exchanges of its own for one call, as its responder towards the initiator and as its
 * initiator towards the responder. `msg` is a message of either of the two parties; what is to go on in its
 * place is appended. It goes on unchanged (nothing is appended) if it is one of its own or belongs to no
 * exchange of its own, or if its own exchange in that direction has failed for want of a key. A repeated
 * message is replaced by the same octets. An error tells that its own exchange with one of the two has come
 * to its end; what was appended goes on all the same. */
ibk_err craft_impersonate(craft *c, const char *call, const ibk_msg *msg, const scn_rule *rule, ibk_buf *out,
                          ibk_diag *diag);

/* Its two exchanges of a call, for the media between them; NULL: there is none. Borrowed. `towards_initiator`
 * shares its keys with the caller. */
typedef struct craft_legs {
    ibk_session *towards_initiator, *towards_responder;
} craft_legs;
craft_legs craft_call_legs(craft *c, const char *call);

/* ---- exchanges from its own node
 * ------------------------------------------------------------------------------- */

/* An exchange in whatever name: the session reads with the keys that it holds. Owned by the craft, freed with
 * it. `call` names it in `learned`. `config`: role, identities, policy, map, policies; the node is filled in.
 */
typedef struct craft_leg craft_leg;
ibk_err craft_session(craft_leg **out, craft *c, const char *call, const ibk_session_config *config);
ibk_session *craft_leg_session(const craft_leg *leg);
/* ibk_session_recv; the diag and the reason stand in the step. */
ibk_err craft_leg_receive(craft_leg *leg, ibk_span message, ibk_step *step);

/* I_MESSAGE_2 to a responder who answered a replayed I_MESSAGE_1 by R_MESSAGE_1. Whoever can read R_MESSAGE_1
 * can echo [y]P, without knowing x. IBK_ERR_NO_KEY: it cannot read it. */
ibk_err craft_answer_replayed(craft *c, const ibk_msg *i_message_1, const ibk_msg *r_message_1, ibk_buf *out,
                              ibk_diag *diag);

/* The same from who cannot read R_MESSAGE_1: a point of its own where [y]P belongs. Anybody can encrypt it to
 * the responder, and a responder that looks refuses it (RFC 6267 §4.2.2.5, P-16). */
ibk_err craft_answer_unread(craft *c, const ibk_msg *i_message_1, const ibk_msg *r_message_1, ibk_buf *out,
                            ibk_diag *diag);

/* A message of any type, every field well-formed, its ciphertext really encrypted to `to` (else random
 * octets), its MAC random: it costs who takes it seriously. With `type` I_MESSAGE_1 and a real ciphertext it
 * is one, of an x that nobody keeps. `to` and `as` are ID data octets of URIs. REQUEST_KEY_PSK: a request of
 * `as` to the KMS `to` (a NAI). */
typedef struct craft_forgery {
    uint8_t type; /* enum ibk_data_type */
    ibk_span as, to;
    bool encrypted;
    const scn_domain *parameters_of; /* NULL: those of `to` */
} craft_forgery;
ibk_err craft_forge(craft *c, const craft_forgery *forgery, ibk_buf *out);

#endif
