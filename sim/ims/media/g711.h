/* ITU-T G.711: 16-bit linear samples to and from 8-bit PCMU (mu-law) and PCMA (A-law). */
#ifndef IMS_MEDIA_G711_H
#define IMS_MEDIA_G711_H

#include <stdint.h>

uint8_t g711_ulaw_encode(int16_t sample);
uint8_t g711_alaw_encode(int16_t sample);
int16_t g711_ulaw_decode(uint8_t code);
int16_t g711_alaw_decode(uint8_t code);

#endif
