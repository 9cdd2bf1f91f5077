#include "ims/media/source.h"
#include "ims/media/g711.h"

#include <math.h>
#include <sndfile.h>
#include <stdlib.h>

#define SAMPLES_MAX (10u * 60 * MEDIA_RATE)

struct media_source {
    media_codec codec;
    unsigned owners;
    unsigned camera;  /* of a picture */
    uint32_t samples; /* length of the period in octets[]; a picture has none */
    uint8_t octets[];
};

static media_source *source_new(media_codec codec, uint32_t samples) {
    media_source *source = calloc(1, sizeof *source + samples);
    if (!source)
        return NULL;
    source->codec = codec;
    source->owners = 1;
    source->samples = samples;
    return source;
}

static void put(media_source *source, uint32_t at, int16_t sample) {
    source->octets[at] = source->codec == MEDIA_PCMU ? g711_ulaw_encode(sample) : g711_alaw_encode(sample);
}

media_source *media_source_tone(media_codec codec, unsigned hertz) {
    if (hertz < 1 || hertz >= MEDIA_RATE / 2)
        return NULL;
    media_source *source =
        source_new(codec, MEDIA_RATE); /* a second holds whole periods of any whole frequency */
    for (uint32_t i = 0; source && i < source->samples; i++)
        put(source, i, (int16_t)lrint(16000 * sin(2 * M_PI * hertz * i / MEDIA_RATE)));
    return source;
}

ibk_err media_source_file(media_source **out, media_codec codec, const char *path, ibk_diag *diag) {
    SF_INFO info = {0};
    SNDFILE *file = sf_open(path, SFM_READ, &info);
    *out = NULL;
    if (!file)
        return ibk_fail(diag, IBK_ERR_IO, "media file", 0, "%s: %s", path, sf_strerror(NULL));
    ibk_err err = IBK_OK;
    if (info.channels != 1 || info.samplerate != MEDIA_RATE)
        err = ibk_fail(diag, IBK_ERR_UNSUPPORTED, "media file", 0,
                       "%s: %d channels at %d Hz; one at 8000 Hz is needed", path, info.channels,
                       info.samplerate);
    else if (info.frames < 1 || info.frames > SAMPLES_MAX)
        err =
            ibk_fail(diag, IBK_ERR_LIMIT, "media file", 0, "%s: needs 1 sample to 10 minutes of sound", path);
    media_source *source = err ? NULL : source_new(codec, (uint32_t)info.frames);
    if (!err && !source)
        err = IBK_ERR_NO_MEMORY;
    for (uint32_t i = 0; !err && i < source->samples; i++) {
        short sample;
        if (sf_read_short(file, &sample, 1) != 1)
            err = ibk_fail(diag, IBK_ERR_IO, "media file", i, "%s: ends before its header says", path);
        else
            put(source, i, sample);
    }
    sf_close(file);
    if (err)
        media_source_free(source);
    else
        *out = source;
    return err;
}

media_source *media_source_picture(unsigned camera) {
    media_source *source = source_new(MEDIA_H264, 0);
    if (source)
        source->camera = camera;
    return source;
}

media_source *media_source_retain(media_source *source) {
    if (source)
        source->owners++;
    return source;
}

void media_source_free(media_source *source) {
    if (source && --source->owners == 0)
        free(source);
}

media_codec media_source_codec(const media_source *source) {
    return source->codec;
}

const char *media_codec_name(media_codec codec) {
    return codec == MEDIA_PCMU ? "PCMU" : codec == MEDIA_PCMA ? "PCMA" : "H264";
}

uint32_t media_codec_rate(media_codec codec) {
    return codec == MEDIA_H264 ? MEDIA_VIDEO_RATE : MEDIA_RATE;
}

/* One slice of a non-IDR picture, then octets from a linear congruential generator (Knuth's MMIX). */
static void draw(const media_source *source, uint32_t timestamp, uint8_t *out, size_t len) {
    uint64_t state = (uint64_t)source->camera << 32 | timestamp;
    for (size_t i = 0; i < len; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        out[i] = i == 0 ? 0x41 : (uint8_t)(state >> 56);
    }
}

void media_source_read(const media_source *source, uint32_t first, uint8_t *out, size_t len) {
    if (source->codec == MEDIA_H264)
        draw(source, first, out, len);
    else
        for (size_t i = 0; i < len; i++)
            out[i] = source->octets[(first + i) % source->samples];
}
