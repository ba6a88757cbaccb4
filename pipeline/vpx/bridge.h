#ifndef MINDFLOW_VPX_BRIDGE_H
#define MINDFLOW_VPX_BRIDGE_H

#include <stddef.h>
#include <stdint.h>

/* A VP8 encoder for live video. One thread at a time may use it. */
struct vpxenc;

struct vpxenc_picture { /* I420 */
  const uint8_t *y, *u, *v;
  int y_stride, c_stride;
};

struct vpxenc_unit { /* the encoder's memory, until its next call */
  const uint8_t *data;
  size_t size;
  int key;
};

/* Times are in ticks of a clock of 90 kHz, bitrate in kbit/s. NULL: *error says why, a static text. */
struct vpxenc *vpxenc_open(int width, int height, int bitrate, const char **error);

/* One unit for one picture. pts must rise. Returns NULL, or why it failed. */
const char *vpxenc_encode(struct vpxenc *e, const struct vpxenc_picture *p, int64_t pts,
                          unsigned long duration, int key, struct vpxenc_unit *out);

void vpxenc_close(struct vpxenc *e);

const char *vpxenc_version(void);

#endif
