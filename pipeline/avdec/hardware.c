#include "bridge.h"

#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/error.h>
#include <libavutil/hwcontext.h>
#include <libavutil/pixdesc.h>

int avdec_device_known(const char *kind)
{
	enum AVHWDeviceType wanted = av_hwdevice_find_type_by_name(kind);
	enum AVHWDeviceType type = AV_HWDEVICE_TYPE_NONE;
	while ((type = av_hwdevice_iterate_types(type)) != AV_HWDEVICE_TYPE_NONE)
		if (type == wanted)
			return 1;
	return 0;
}

struct AVBufferRef *avdec_device(const char *kind, const char *name, int *error, char *text, int size)
{
	AVBufferRef *device = NULL;
	avdec_quiet(); // OpenCV sets a callback of its own when it opens a video
	avdec_listen(text, size);
	*error = av_hwdevice_ctx_create(&device, av_hwdevice_find_type_by_name(kind), name, NULL, 0);
	avdec_listen(NULL, 0);
	return device;
}

void avdec_device_close(struct AVBufferRef *device)
{
	av_buffer_unref(&device);
}

// config is how a decoder uses a device, or NULL.
static const AVCodecHWConfig *config(const AVCodec *codec, const AVBufferRef *device)
{
	const AVHWDeviceContext *on = (const AVHWDeviceContext *)device->data;
	const AVCodecHWConfig *c;
	for (int i = 0; (c = avcodec_get_hw_config(codec, i)); i++)
		if (c->device_type == on->type && c->methods & AV_CODEC_HW_CONFIG_METHOD_HW_DEVICE_CTX)
			return c;
	return NULL;
}

// find_for is the first decoder of a codec that can use the device. That of AV1 decodes nothing without one.
static const AVCodec *find_for(enum AVCodecID id, const AVBufferRef *device)
{
	const AVCodec *codec;
	void *state = NULL;
	while ((codec = av_codec_iterate(&state)))
		if (codec->id == id && av_codec_is_decoder(codec) && config(codec, device))
			return codec;
	return NULL;
}

int avdec_device_codec(struct AVBufferRef *device, const char *codec_name)
{
	const AVCodecDescriptor *descriptor = avcodec_descriptor_get_by_name(codec_name);
	return descriptor && find_for(descriptor->id, device);
}

int avdec_use(struct avdec *d, struct AVBufferRef *device)
{
	av_buffer_unref(&d->device);
	d->codec = d->software;
	if (!device)
		return 0;
	const AVCodec *codec = find_for(d->software->id, device);
	if (!codec)
		return AVERROR_DECODER_NOT_FOUND;
	d->device = av_buffer_ref(device);
	if (!d->device)
		return AVERROR(ENOMEM);
	d->codec = codec;
	d->device_format = config(codec, device)->pix_fmt;
	return 0;
}

void avdec_split(const uint8_t *pairs, int stride, int width, int height, uint8_t *u, uint8_t *v)
{
	for (int y = 0; y < height; y++, pairs += stride)
		for (int x = 0; x < width; x++) {
			*u++ = pairs[2 * x];
			*v++ = pairs[2 * x + 1];
		}
}

void avdec_mover_free(struct avdec_mover *m)
{
	av_frame_free(&m->moved);
	av_freep(&m->chroma);
	m->chroma_size = 0;
}

// fetch copies a frame from the device's memory, into what an earlier one of the same size was copied into.
static int fetch(struct avdec_mover *m, const AVFrame *frame)
{
	if (!m->moved && !(m->moved = av_frame_alloc()))
		return AVERROR(ENOMEM);
	const AVHWFramesContext *frames = (const AVHWFramesContext *)frame->hw_frames_ctx->data;
	if (m->moved->width != frame->width || m->moved->height != frame->height || m->moved->format != frames->sw_format)
		av_frame_unref(m->moved);
	return av_hwframe_transfer_data(m->moved, frame, 0);
}

enum avdec_status avdec_move(struct avdec_mover *m, const struct AVFrame *frame, struct avdec_picture *picture, int *error)
{
	if ((*error = fetch(m, frame)) < 0)
		return AVDEC_FAILED;
	const AVFrame *f = m->moved;
	int64_t cw = (f->width + 1) / 2, ch = (f->height + 1) / 2;
	picture->format = av_get_pix_fmt_name(f->format);
	if (f->linesize[0] < f->width)
		return AVDEC_FORMAT;
	picture->y = f->data[0];
	picture->y_stride = f->linesize[0];
	if (f->format == AV_PIX_FMT_YUV420P && f->linesize[1] >= cw && f->linesize[1] == f->linesize[2]) {
		picture->u = f->data[1];
		picture->v = f->data[2];
		picture->c_stride = f->linesize[1];
		return AVDEC_FRAME;
	}
	if (f->format != AV_PIX_FMT_NV12 || f->linesize[1] < 2 * cw)
		return AVDEC_FORMAT;
	if (m->chroma_size < 2 * cw * ch) {
		av_freep(&m->chroma);
		m->chroma_size = 0;
		if (!(m->chroma = av_malloc(2 * cw * ch))) {
			*error = AVERROR(ENOMEM);
			return AVDEC_FAILED;
		}
		m->chroma_size = 2 * cw * ch;
	}
	avdec_split(f->data[1], f->linesize[1], cw, ch, m->chroma, m->chroma + cw * ch);
	picture->u = m->chroma;
	picture->v = m->chroma + cw * ch;
	picture->c_stride = cw;
	return AVDEC_FRAME;
}

// sample is what the picture of avdec_device_try has in a plane.
static uint8_t sample(int plane, int x, int y)
{
	return 16 + (x * 7 + y * 29 + plane * 83) % 211;
}

// send fills picture by sample and copies it to the device's memory, of which there takes a piece.
static int send(AVBufferRef *frames, AVFrame *there, AVFrame *picture)
{
	int error = av_frame_get_buffer(picture, 0);
	if (error < 0)
		return error;
	for (int y = 0; y < picture->height; y++)
		for (int x = 0; x < picture->width; x++)
			picture->data[0][y * picture->linesize[0] + x] = sample(0, x, y);
	for (int y = 0; y < (picture->height + 1) / 2; y++)
		for (int x = 0; x < (picture->width + 1) / 2; x++)
			for (int c = 0; c < 2; c++)
				picture->data[1][y * picture->linesize[1] + 2 * x + c] = sample(1 + c, x, y);
	if ((error = av_hwframe_get_buffer(frames, there, 0)) < 0)
		return error;
	return av_hwframe_transfer_data(there, picture, 0);
}

// differs counts the samples that are not as they were sent.
static int differs(const struct avdec_picture *p, int width, int height)
{
	int changed = 0;
	for (int y = 0; y < height; y++)
		for (int x = 0; x < width; x++)
			changed += p->y[y * p->y_stride + x] != sample(0, x, y);
	for (int y = 0; y < (height + 1) / 2; y++)
		for (int x = 0; x < (width + 1) / 2; x++) {
			changed += p->u[y * p->c_stride + x] != sample(1, x, y);
			changed += p->v[y * p->c_stride + x] != sample(2, x, y);
		}
	return changed;
}

// pool makes the device's memory for pictures like one.
static int pool(AVBufferRef *device, const AVFrame *picture, AVBufferRef **made)
{
	AVHWFramesConstraints *known = av_hwdevice_get_hwframe_constraints(device, NULL);
	AVBufferRef *frames = av_hwframe_ctx_alloc(device);
	int error = AVERROR(ENOMEM);
	if (known && frames) {
		AVHWFramesContext *c = (AVHWFramesContext *)frames->data;
		c->format = known->valid_hw_formats[0];
		c->sw_format = picture->format;
		c->width = picture->width;
		c->height = picture->height;
		error = av_hwframe_ctx_init(frames);
	}
	av_hwframe_constraints_free(&known);
	if (error < 0)
		av_buffer_unref(&frames);
	*made = frames;
	return error;
}

int avdec_device_try(struct AVBufferRef *device, int width, int height)
{
	struct avdec_mover mover = {0};
	struct avdec_picture got = {0};
	AVFrame *there = av_frame_alloc(), *picture = av_frame_alloc();
	AVBufferRef *frames = NULL;
	int error = AVERROR(ENOMEM), result = AVERROR(ENOMEM);
	if (there && picture) {
		picture->format = AV_PIX_FMT_NV12;
		picture->width = width;
		picture->height = height;
		result = pool(device, picture, &frames);
		if (result >= 0)
			result = send(frames, there, picture);
		for (int i = 0; result >= 0 && i < 2; i++) { // the second time into the same memory
			enum avdec_status status = avdec_move(&mover, there, &got, &error);
			result = status == AVDEC_FAILED ? error : status == AVDEC_FRAME ? differs(&got, width, height) : AVERROR(EINVAL);
		}
	}
	av_frame_free(&there);
	av_frame_free(&picture);
	av_buffer_unref(&frames);
	avdec_mover_free(&mover);
	return result;
}
