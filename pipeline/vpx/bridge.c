#include "bridge.h"

#include <stdlib.h>
#include <string.h>
#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

struct vpxenc {
  vpx_codec_ctx_t codec;
  vpx_image_t image; /* its planes are lent for a call */
};

/* configure sets what a live conversation needs: no frame is held back, the rate is held within a second,
 * and key frames come when they are asked for. */
static vpx_codec_err_t configure(vpx_codec_enc_cfg_t *cfg, int width, int height, int bitrate) {
  vpx_codec_err_t err = vpx_codec_enc_config_default(vpx_codec_vp8_cx(), cfg, 0);
  if (err != VPX_CODEC_OK) return err;
  cfg->g_w = (unsigned)width;
  cfg->g_h = (unsigned)height;
  cfg->g_timebase.num = 1;
  cfg->g_timebase.den = 90000;
  cfg->g_lag_in_frames = 0;
  cfg->g_pass = VPX_RC_ONE_PASS;
  cfg->g_threads = width * height > 640 * 480 ? 2 : 1;
  cfg->g_error_resilient = 0; /* what is lost is sent again, or a key frame asked for */
  cfg->rc_end_usage = VPX_CBR;
  cfg->rc_target_bitrate = (unsigned)bitrate;
  cfg->rc_dropframe_thresh = 0; /* the mailbox before the encoder drops */
  cfg->rc_resize_allowed = 0;
  cfg->rc_min_quantizer = 2;
  cfg->rc_max_quantizer = 56;
  cfg->rc_undershoot_pct = 100;
  cfg->rc_overshoot_pct = 15;
  cfg->rc_buf_sz = 1000; /* ms, as the two below */
  cfg->rc_buf_initial_sz = 500;
  cfg->rc_buf_optimal_sz = 600;
  cfg->kf_mode = VPX_KF_AUTO;
  cfg->kf_max_dist = 3000; /* frames */
  return VPX_CODEC_OK;
}

struct vpxenc *vpxenc_open(int width, int height, int bitrate, const char **error) {
  vpx_codec_enc_cfg_t cfg;
  vpx_codec_err_t err = configure(&cfg, width, height, bitrate);
  if (err != VPX_CODEC_OK) {
    *error = vpx_codec_err_to_string(err);
    return NULL;
  }
  struct vpxenc *e = calloc(1, sizeof *e);
  if (!e) {
    *error = "out of memory";
    return NULL;
  }
  err = vpx_codec_enc_init(&e->codec, vpx_codec_vp8_cx(), &cfg, 0);
  if (err != VPX_CODEC_OK) {
    *error = vpx_codec_err_to_string(err);
    free(e);
    return NULL;
  }
  /* -6: a fixed speed that real time needs; 0 would take all the time there is between two frames. A still
   * background is not coded again and again. A key frame may have three frames' share: it must not stall. */
  err = vpx_codec_control(&e->codec, VP8E_SET_CPUUSED, -6);
  if (err == VPX_CODEC_OK) err = vpx_codec_control(&e->codec, VP8E_SET_STATIC_THRESHOLD, 1u);
  if (err == VPX_CODEC_OK) err = vpx_codec_control(&e->codec, VP8E_SET_MAX_INTRA_BITRATE_PCT, 300u);
  if (err != VPX_CODEC_OK) {
    *error = vpx_codec_err_to_string(err);
    vpxenc_close(e);
    return NULL;
  }
  uint8_t none = 0; /* wrapping lays out the image; the planes come with each picture */
  vpx_img_wrap(&e->image, VPX_IMG_FMT_I420, (unsigned)width, (unsigned)height, 1, &none);
  return e;
}

const char *vpxenc_encode(struct vpxenc *e, const struct vpxenc_picture *p, int64_t pts,
                          unsigned long duration, int key, struct vpxenc_unit *out) {
  vpx_image_t *i = &e->image;
  i->planes[VPX_PLANE_Y] = (uint8_t *)p->y;
  i->planes[VPX_PLANE_U] = (uint8_t *)p->u;
  i->planes[VPX_PLANE_V] = (uint8_t *)p->v;
  i->stride[VPX_PLANE_Y] = p->y_stride;
  i->stride[VPX_PLANE_U] = i->stride[VPX_PLANE_V] = p->c_stride;
  vpx_codec_err_t err =
      vpx_codec_encode(&e->codec, i, pts, duration, key ? VPX_EFLAG_FORCE_KF : 0, VPX_DL_REALTIME);
  memset(i->planes, 0, sizeof i->planes);
  if (err != VPX_CODEC_OK) return vpx_codec_err_to_string(err);
  vpx_codec_iter_t iter = NULL;
  const vpx_codec_cx_pkt_t *packet;
  while ((packet = vpx_codec_get_cx_data(&e->codec, &iter))) {
    if (packet->kind != VPX_CODEC_CX_FRAME_PKT) continue;
    out->data = packet->data.frame.buf;
    out->size = packet->data.frame.sz;
    out->key = (packet->data.frame.flags & VPX_FRAME_IS_KEY) != 0;
    return NULL;
  }
  return "the encoder gave nothing for a picture";
}

void vpxenc_close(struct vpxenc *e) {
  vpx_codec_destroy(&e->codec);
  free(e);
}

const char *vpxenc_version(void) { return vpx_codec_version_str(); }
