/* PRFs and key derivation against values made by another program (keys_vectors.py), MACs against RFC 2202. */
#include "mikey/samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* As keys_vectors.py prints them. */
static const struct {
    uint8_t prf;
    ibk_derive_kind kind;
    size_t inkey_len, out_len;
    const char *hex;
} vectors[] = {
    {IBK_PRF_MIKEY_1, IBK_DERIVE_MPK, 16, 14, "f2b972436e08e4b0d834cb5e8d40"},
    {IBK_PRF_MIKEY_1, IBK_DERIVE_MPK, 32, 32,
     "1d098a78c54954f4f0154f67a8b5b5406dede1f0aeab643c6d17cd6058940d98"},
    {IBK_PRF_MIKEY_1, IBK_DERIVE_MPK, 65, 100,
     "3b71dbf2690b87e529b1cae43e0d36eab50d1d1ac8b531cdf3ff39592e3c189e123561e3763292f47d8bc0323251504c"
     "131876eb3fdf6e4c06b24ef1e971b1aee3af1ed48ef87f7e5648580d420ff0bc4aeca12e4d7cc391074ac55447e0b54d"
     "9473da5c"},
    {IBK_PRF_MIKEY_1, IBK_DERIVE_TGK, 16, 14, "2686cb4e2130ba15526d12ae02c5"},
    {IBK_PRF_MIKEY_1, IBK_DERIVE_TGK, 32, 32,
     "eff50ed68e5abfbd64d8ad61c49d039f810882e88154de378fc2878409871872"},
    {IBK_PRF_MIKEY_1, IBK_DERIVE_TGK, 65, 100,
     "58c7460c249be635b49faa5f6b33f7ce05dee2f84fc779b627b1fa8326e044f7fdf0ec4e7892238f93a351d513be1a34"
     "fbb62b43446ca8f4a27fecb877c4c96f9ebf56823039fb69b39c4d325e7643e73eab5b59288a3f20858777890d4f2772"
     "3eebc258"},
    {IBK_PRF_MIKEY_1, IBK_DERIVE_MSG_ENCR, 16, 14, "25c2cd64d8bc011df0650ccabfbf"},
    {IBK_PRF_MIKEY_1, IBK_DERIVE_MSG_ENCR, 32, 32,
     "164df1994581da16031dc9b415caa9f9b2ed50de620d945b3c36aaf4b3825a1f"},
    {IBK_PRF_MIKEY_1, IBK_DERIVE_MSG_ENCR, 65, 100,
     "d631c4ddfb97ea03fdcee11f5db14d70560e69cf3c80b71127811406a41ed581e83dec4712677ac050e3bf6b04bae8e1"
     "54a9b62b9f49a9561303172a315aeb5b7f74b4574749222b77afa08a84519f3fbdb09f3116bf53a61b72ea4e8225a97b"
     "d846c876"},
    {IBK_PRF_MIKEY_1, IBK_DERIVE_MSG_AUTH, 16, 14, "dc3efe9d88602d297d608a8cfe7f"},
    {IBK_PRF_MIKEY_1, IBK_DERIVE_MSG_AUTH, 32, 32,
     "0e20caf86504c09051f83efd5d8ac1237ce106027d1effc69343769dad3befad"},
    {IBK_PRF_MIKEY_1, IBK_DERIVE_MSG_AUTH, 65, 100,
     "d8012df0e04e329c1e4e89bcd72eed9b34d6b1c1789977c135205e243ed68e4c5206559f69f45bdb32521614b7a95b87"
     "3acf744f08a0dd532c916ca4b5bd628a40d5f45dbd47cd4e1e75be3f2f20bfad01a9e3fe9124ff349eed05dd39e70ee8"
     "6b0fa63e"},
    {IBK_PRF_MIKEY_1, IBK_DERIVE_MSG_SALT, 16, 14, "22d9d1f0c8d5c9e157f8f4ccfd29"},
    {IBK_PRF_MIKEY_1, IBK_DERIVE_MSG_SALT, 32, 32,
     "54c40938d92ccda317a4d3c384f5f6fabaf79c013f771580ca4ca122b32939d2"},
    {IBK_PRF_MIKEY_1, IBK_DERIVE_MSG_SALT, 65, 100,
     "3ab0c47a03af1898b82ed2eb6bf29746ab4c41490b07f703164717e1dc23f22177e67457ec86b2d797be7dd12fed4a6c"
     "a9a3656c579d29c62b74b49a2b03a7c392bd1038ebafa8205d925cee9a25e3eb19bbef4409a8657a0d7d634b48644e33"
     "17973b28"},
    {IBK_PRF_MIKEY_1, IBK_DERIVE_TEK, 16, 14, "fa0e6e96e213557c481d8ed6954e"},
    {IBK_PRF_MIKEY_1, IBK_DERIVE_TEK, 32, 32,
     "3201e23e16a5037f6019994b8e30134074d065c2e65542005ba605214c69bfdc"},
    {IBK_PRF_MIKEY_1, IBK_DERIVE_TEK, 65, 100,
     "d1133b35227031d5bb66268bfcbee0703f8da86f7cbc15ef0e2cebb5ad34f7b4758cfb731acefa6cd5aee79f22eefa62"
     "98bc26cb56436d52a86ac05395ad1132fb9b22585a06c1cd2f0ee10ddaf1834afb9012b5b9a1ef78fee2054adbc85f76"
     "139b46c6"},
    {IBK_PRF_MIKEY_1, IBK_DERIVE_TGK_AUTH, 16, 14, "da835a0b37cf1c812449efec9779"},
    {IBK_PRF_MIKEY_1, IBK_DERIVE_TGK_AUTH, 32, 32,
     "e86204d1340a50054213a9bf43c217c5d5a61c58624d2950a933677df35f1841"},
    {IBK_PRF_MIKEY_1, IBK_DERIVE_TGK_AUTH, 65, 100,
     "2ef5bc66b3888204c0884f772165c572fcc7ba7ecc14295191d66e7d1cfe905ccf9a16735834c1dc1a7fe68100d50d3e"
     "0451c5de5364201c309628af449cac0a9a6a26271c33d70d853e23fcdae33861992192639d7140fb471c9890f21eb9f5"
     "7fe481f8"},
    {IBK_PRF_MIKEY_1, IBK_DERIVE_TGK_ENCR, 16, 14, "21f63acae6eed73822ea19aef042"},
    {IBK_PRF_MIKEY_1, IBK_DERIVE_TGK_ENCR, 32, 32,
     "4e722599495b900c335e06d35216ceed2780ac2d57e17bd46bf560969fdc1e0b"},
    {IBK_PRF_MIKEY_1, IBK_DERIVE_TGK_ENCR, 65, 100,
     "46819b69c052362652ed212652ede7eed9c56b9ad48165d25d2d00db84d22f71f8eb1ac69b3aa5de0fb82eabc5208678"
     "80f86cf9c689fcea3867a849c7fbb42ee617f65099917b8deaab62992de61bfe725d0dab532bc5455cbe401e8b9d7319"
     "16c3ebaf"},
    {IBK_PRF_MIKEY_1, IBK_DERIVE_TGK_SALT, 16, 14, "6772e068b370594e50c6d3cfe2a4"},
    {IBK_PRF_MIKEY_1, IBK_DERIVE_TGK_SALT, 32, 32,
     "57ae96350033b4e078a00de2347a51dc5dd594801fde6466115a8cd3ee5a21c3"},
    {IBK_PRF_MIKEY_1, IBK_DERIVE_TGK_SALT, 65, 100,
     "4c44800160cb4f4b6b38197d4fcb5e5ecb7ad7100137b10653299064136f6a2218c4d40abca6f6972c572659e9dd3bed"
     "a0697a100526e87de8a339461923594444650ab1a442c422be1505e87b6b01a9ac087cc0118e000e4fcf7f335061cdf7"
     "d70ae535"},
    {IBK_PRF_HMAC_SHA256, IBK_DERIVE_MPK, 16, 14, "f7985f445b9d25c7e9171a82197b"},
    {IBK_PRF_HMAC_SHA256, IBK_DERIVE_MPK, 32, 32,
     "c0b0198fdbec18f1b5b6e880bcf16e1fb84b2aacdbc246e089bd55cc7d05e1bf"},
    {IBK_PRF_HMAC_SHA256, IBK_DERIVE_MPK, 65, 100,
     "7e0fa2e9c20021c6dd0fef8ab8f70e1d1068309ee5f391339db51f860d82d6cf8ac2a9d3751365f244cd06712f132ae6"
     "72a625ee991ca922b1b7f34d9f3649797770a66e5adba9bc11ad69483bfa08b793d51de4c2047ed82d84fa82be7b3939"
     "fb5cec24"},
    {IBK_PRF_HMAC_SHA256, IBK_DERIVE_TGK, 16, 14, "a2865bdbc74af01b9b3ffb89cf84"},
    {IBK_PRF_HMAC_SHA256, IBK_DERIVE_TGK, 32, 32,
     "73653a37369a6d50c938baeb85a85a33e0d05789bf2295c8571dd284aaeaf6f4"},
    {IBK_PRF_HMAC_SHA256, IBK_DERIVE_TGK, 65, 100,
     "8ce1db8a9856ce25b1212c7901e0910925127654fc3745b9ee679312bb15ce0ebe39d04d1af89f9d3ad5b32e3ee89822"
     "85bde263e0589baad77aa9586840104e31251176fbf186f772c79963a7ee052c27c90ee1eb17411844dab61932fbe7db"
     "a9598f94"},
    {IBK_PRF_HMAC_SHA256, IBK_DERIVE_MSG_ENCR, 16, 14, "969bf4a97bba3c871b3421971a33"},
    {IBK_PRF_HMAC_SHA256, IBK_DERIVE_MSG_ENCR, 32, 32,
     "c86a086b807ae0233e5791ff0d5b72bbc501a4dc527d94a6e1519eddeaeffa88"},
    {IBK_PRF_HMAC_SHA256, IBK_DERIVE_MSG_ENCR, 65, 100,
     "106b61deb0c96961ab25f5627a4ca6332e612789e505c1176462a1d81a5ec2ae33b8c89bb5555e65564b25b7e3f7dc58"
     "9c07b72b7fdd24489f4b6121ea65ff0e083996376bcd18ecd9d41eeef194526b5bdef5d515fd45ffa1dd2947cb281dfb"
     "071bd8a2"},
    {IBK_PRF_HMAC_SHA256, IBK_DERIVE_MSG_AUTH, 16, 14, "bc39f4758c36ffb703ea080839d6"},
    {IBK_PRF_HMAC_SHA256, IBK_DERIVE_MSG_AUTH, 32, 32,
     "2e98a2a74e081062406cc6d2860c8f47f70b96a2461e770364a7e084d7619b23"},
    {IBK_PRF_HMAC_SHA256, IBK_DERIVE_MSG_AUTH, 65, 100,
     "ed48f6f934cbdf026efea5f1f6d9c18ae5441350224618be74201f2db8e2e51baca06228906ce07b54e29650ad8cfa48"
     "8540853ed280725977143cd7484eb04b3bdf52cd09beb26f1cbb4ebcdabaf474586cf43f3caf63c7843fc7bf41c53745"
     "4c9fb882"},
    {IBK_PRF_HMAC_SHA256, IBK_DERIVE_MSG_SALT, 16, 14, "a6fc97757cfab60eeac14b7c8226"},
    {IBK_PRF_HMAC_SHA256, IBK_DERIVE_MSG_SALT, 32, 32,
     "b1d9732a33fbab4faef5d52a071afa77c8b352d30679d06185b577a220b34661"},
    {IBK_PRF_HMAC_SHA256, IBK_DERIVE_MSG_SALT, 65, 100,
     "4721642191ec835d9bc158d07ae3ee8c0c3e8187a511d89aeb0951bac4bee1a9240f054a06bbbd36fceeb9ff4981af11"
     "91c50d155d4bded909ec74b5ff110cbf89afcdfa33516cf846d411a3fe608fa851d48b718fd3d3f38e09a9ea27c09f83"
     "a47a6a4b"},
    {IBK_PRF_HMAC_SHA256, IBK_DERIVE_TEK, 16, 14, "da9b9ed5e8d5a5f1e06788f4ade1"},
    {IBK_PRF_HMAC_SHA256, IBK_DERIVE_TEK, 32, 32,
     "c3f24ca5b8eda3fc132ab67f3947d7b8406b1b388fcd5f9cb1dff05b3c509313"},
    {IBK_PRF_HMAC_SHA256, IBK_DERIVE_TEK, 65, 100,
     "04ed1f29188e0b7009862e57b7e226043a7ce675e8a6a7e31253df5d030b0b10e818ad10a3ce679d02afeb490fcaeb21"
     "879fe228b706eb5d1868a3e667838faffeac25995435da909c5bcbdf17c494824702d091134c9439d719083f6a990e7d"
     "ae60d2e9"},
    {IBK_PRF_HMAC_SHA256, IBK_DERIVE_TGK_AUTH, 16, 14, "f16a02c3d60bf3b8f7dafcde0870"},
    {IBK_PRF_HMAC_SHA256, IBK_DERIVE_TGK_AUTH, 32, 32,
     "019196929bc37470c2ca6e73bf5e5814de395baec0b080cb9f6e92b646fbee2d"},
    {IBK_PRF_HMAC_SHA256, IBK_DERIVE_TGK_AUTH, 65, 100,
     "51545ca9a7228cb008b3a43ec519e1b9ff51b5bdf2eeab4f3c3f1ef3d46d2f7a2fc9696580637a1fc1091e130cefd895"
     "26f30cef208370499b0cdf5d04e19bfc994136b37be010b36ca6f57026a522bb1e0967d791523ff57f0fa7bb34abc091"
     "6c940cfc"},
    {IBK_PRF_HMAC_SHA256, IBK_DERIVE_TGK_ENCR, 16, 14, "c06a9af41d4f6a3a9cb94f3f21ae"},
    {IBK_PRF_HMAC_SHA256, IBK_DERIVE_TGK_ENCR, 32, 32,
     "c18ef368ec1ada068708764e2c618902bd4d651a61c5909c563802ca978ca36a"},
    {IBK_PRF_HMAC_SHA256, IBK_DERIVE_TGK_ENCR, 65, 100,
     "b68536f0b812c6510affc5c4e5cdf42988ccca0318b3ff2d0e4c5f603852a82d381cc168219987391ae2cec6c73daf10"
     "e95046f5286689248eea73c74af038f473f86ee7db500f9a7d2bbdfaf435ea1db9e27269a45ab0ccfa5c9ed12598bbe0"
     "da1719d6"},
    {IBK_PRF_HMAC_SHA256, IBK_DERIVE_TGK_SALT, 16, 14, "688dd04775673283c603ebfa8436"},
    {IBK_PRF_HMAC_SHA256, IBK_DERIVE_TGK_SALT, 32, 32,
     "57a5b304eaa68f78f96ec72d38a8bf835206cd7221b15779141a3dc8d5293cf6"},
    {IBK_PRF_HMAC_SHA256, IBK_DERIVE_TGK_SALT, 65, 100,
     "3147eb9c3df7adbf084f3a1f5dec3278faf6690ad98f2dbb57dc54342883d039760b6a0bcbcebe371c376cad62ca562f"
     "efc097bedab025daf1e0cb5cfa9c876fd036deae4787c052bab0d9a426d4005661e568ec7db51fb50c715ddb7e5a7aa7"
     "b6db7bfa"},
};

static void labels_and_prfs(void **state) {
    (void)state;
    uint8_t out[128];
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        ibk_buf want = unhex(vectors[i].hex);
        assert_int_equal(ibk_derive(out, vectors[i].out_len, vectors[i].prf, vectors[i].kind,
                                    pattern(0x10, vectors[i].inkey_len), 3, 0xC5B1D001, pattern(0x80, 16)),
                         IBK_OK);
        assert_int_equal(want.len, vectors[i].out_len);
        assert_memory_equal(out, want.data, want.len);
        ibk_buf_free(&want);
    }
}

static void a_longer_output_begins_with_the_shorter(void **state) {
    (void)state;
    uint8_t a[14], b[1024];
    for (uint8_t prf = 0; prf < 2; prf++) {
        assert_int_equal(ibk_prf_expand(a, sizeof a, prf, pattern(0, 65), ibk_span_str("label")), IBK_OK);
        assert_int_equal(ibk_prf_expand(b, sizeof b, prf, pattern(0, 65), ibk_span_str("label")), IBK_OK);
        assert_memory_equal(a, b, sizeof a);
    }
}

static void derivation_checks_its_arguments(void **state) {
    (void)state;
    uint8_t out[1025];
    ibk_span key = pattern(0, 16), rand = pattern(0, 16);
    assert_int_equal(ibk_derive(out, 16, 2, IBK_DERIVE_TEK, key, 1, 1, rand), IBK_ERR_UNSUPPORTED);
    assert_int_equal(ibk_derive(out, 16, 0, (ibk_derive_kind)0, key, 1, 1, rand), IBK_ERR_USAGE);
    assert_int_equal(ibk_derive(out, 16, 0, (ibk_derive_kind)10, key, 1, 1, rand), IBK_ERR_USAGE);
    assert_int_equal(ibk_derive(out, 16, 0, IBK_DERIVE_TEK, (ibk_span){0}, 1, 1, rand), IBK_ERR_USAGE);
    assert_int_equal(ibk_derive(out, 16, 0, IBK_DERIVE_TEK, key, 1, 1, pattern(0, 256)), IBK_ERR_USAGE);
    assert_int_equal(ibk_prf_expand(out, 1025, 0, key, rand), IBK_ERR_USAGE);
    assert_int_equal(ibk_prf_expand(out, 16, 0, key, (ibk_span){0}), IBK_ERR_USAGE);
    assert_int_equal(ibk_prf_hash_len(0) * 100 + ibk_prf_hash_len(1), 2032);
    assert_int_equal(ibk_prf_hash_len(2), 0);
}

static void message_keys_have_the_lengths_of_their_algorithms(void **state) {
    (void)state;
    ibk_msg_keys keys;
    ibk_span psk = pattern(1, 32), rand = pattern(2, 16);
    assert_int_equal(
        ibk_msg_keys_derive(&keys, 1, psk, 7, rand, IBK_ENCR_AES_CM_256, IBK_MAC_HMAC_SHA256_256), IBK_OK);
    assert_true(keys.encr_len == 32 && keys.auth_len == 32);
    uint8_t want[32];
    assert_int_equal(ibk_derive(want, 32, 1, IBK_DERIVE_MSG_ENCR, psk, 0, 7, rand), IBK_OK);
    assert_memory_equal(keys.encr, want, 32);
    assert_int_equal(ibk_derive(want, 14, 1, IBK_DERIVE_MSG_SALT, psk, 0, 7, rand), IBK_OK);
    assert_memory_equal(keys.salt, want, 14);
    assert_int_equal(ibk_msg_keys_derive(&keys, 0, psk, 7, rand, IBK_ENCR_AES_CM_128, IBK_MAC_HMAC_SHA1_160),
                     IBK_OK);
    assert_true(keys.encr_len == 16 && keys.auth_len == 20);
    assert_int_equal(ibk_msg_keys_derive(&keys, 0, psk, 7, rand, IBK_ENCR_NULL, IBK_MAC_NULL), IBK_OK);
    assert_true(keys.encr_len == 0 && keys.auth_len == 0);
    assert_int_equal(ibk_msg_keys_derive(&keys, 0, psk, 7, rand, 4, 0), IBK_ERR_UNSUPPORTED);
    assert_int_equal(ibk_msg_keys_derive(&keys, 0, psk, 7, rand, 0, 3), IBK_ERR_UNSUPPORTED);
    assert_int_equal(ibk_msg_keys_derive(&keys, 9, psk, 7, rand, 1, 1), IBK_ERR_UNSUPPORTED);
}

static void macs(void **state) {
    (void)state;
    uint8_t key[20], out[IBK_MAC_MAX];
    memset(key, 0x0b, sizeof key);
    ibk_span parts[2] = {ibk_span_str("Hi "), ibk_span_str("There")};
    ibk_buf want = unhex("b617318655057264e28bc0b6fb378c8ef146be00"); /* RFC 2202, test case 1 */
    assert_int_equal(ibk_mac_compute(out, IBK_MAC_HMAC_SHA1_160, ibk_span_of(key, 20), parts, 2), IBK_OK);
    assert_memory_equal(out, want.data, 20);
    ibk_buf_free(&want);
    assert_int_equal(ibk_mac_compute(out, IBK_MAC_HMAC_SHA256_256, ibk_span_of(key, 20), parts, 2),
                     IBK_ERR_USAGE);
    assert_int_equal(ibk_mac_compute(out, 3, ibk_span_of(key, 20), parts, 2), IBK_ERR_UNSUPPORTED);
    assert_int_equal(ibk_mac_compute(out, IBK_MAC_NULL, (ibk_span){0}, NULL, 0), IBK_OK);
    assert_int_equal(ibk_mac_compute(out, IBK_MAC_HMAC_SHA256_256, pattern(0, 32), NULL, 0), IBK_OK);

    ibk_kemac kemac = {.encr_alg = 1, .mac_alg = IBK_MAC_HMAC_SHA1_160, .data = ibk_span_str("data")};
    uint8_t expected[IBK_MAC_MAX];
    ibk_span covered = ibk_span_of("\0\x01\0\x04"
                                   "data\x01",
                                   9);
    assert_int_equal(ibk_kemac_mac(out, &kemac, ibk_span_of(key, 20)), IBK_OK);
    assert_int_equal(ibk_mac_compute(expected, IBK_MAC_HMAC_SHA1_160, ibk_span_of(key, 20), &covered, 1),
                     IBK_OK);
    assert_memory_equal(out, expected, 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_and_prfs),
        cmocka_unit_test(a_longer_output_begins_with_the_shorter),
        cmocka_unit_test(derivation_checks_its_arguments),
        cmocka_unit_test(message_keys_have_the_lengths_of_their_algorithms),
        cmocka_unit_test(macs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
