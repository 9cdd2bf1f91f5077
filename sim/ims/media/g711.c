#include "ims/media/g711.h"

/* The segment (0..7) of a magnitude: the position of its highest bit above bit 7 (of 15-bit magnitudes). */
static unsigned segment_of(unsigned magnitude) {
    unsigned segment = 7;
    for (unsigned bit = 0x4000; segment > 0 && !(magnitude & bit); bit >>= 1)
        segment--;
    return segment;
}

#define ULAW_BIAS 132
#define ULAW_CLIP 32635

uint8_t g711_ulaw_encode(int16_t sample) {
    unsigned sign = sample < 0 ? 0x80 : 0;
    unsigned magnitude = (unsigned)(sample < 0 ? -(int)sample : sample);
    if (magnitude > ULAW_CLIP)
        magnitude = ULAW_CLIP;
    magnitude += ULAW_BIAS;
    unsigned segment = segment_of(magnitude);
    unsigned mantissa = magnitude >> (segment + 3) & 0x0F;
    return (uint8_t) ~(sign | segment << 4 | mantissa);
}

int16_t g711_ulaw_decode(uint8_t code) {
    unsigned bits = (uint8_t)~code;
    int magnitude = (int)((((bits & 0x0F) << 3) + ULAW_BIAS) << (bits >> 4 & 7)) - ULAW_BIAS;
    return (int16_t)(bits & 0x80 ? -magnitude : magnitude);
}

uint8_t g711_alaw_encode(int16_t sample) {
    unsigned sign = sample >= 0 ? 0x80 : 0;
    unsigned magnitude = (unsigned)(sample < 0 ? -(int)sample - 1 : sample);
    unsigned segment = segment_of(magnitude);
    unsigned mantissa = magnitude >> (segment ? segment + 3 : 4) & 0x0F;
    return (uint8_t)((sign | segment << 4 | mantissa) ^ 0x55);
}

int16_t g711_alaw_decode(uint8_t code) {
    unsigned bits = code ^ 0x55u, segment = bits >> 4 & 7;
    int magnitude = (int)((bits & 0x0F) << 4) + 8;
    if (segment)
        magnitude = (magnitude + 256) << (segment - 1);
    return (int16_t)(bits & 0x80 ? magnitude : -magnitude);
}
