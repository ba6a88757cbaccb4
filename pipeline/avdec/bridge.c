#define _GNU_SOURCE // RTLD_DEFAULT
#include "bridge.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/error.h>
#include <libavutil/log.h>
#include <libavutil/pixdesc.h>

// heard is where messages of this thread go while somebody listens.
static _Thread_local struct {
	char *text;
	int size;
} heard;

static void discard(void *context, int level, const char *format, va_list args)
{
	(void)context;
	if (!heard.text || level > AV_LOG_WARNING)
		return;
	int used = strlen(heard.text);
	vsnprintf(heard.text + used, heard.size - used, format, args);
}

void avdec_listen(char *text, int size)
{
	heard.text = text;
	heard.size = size;
	if (text)
		text[0] = 0;
}

void avdec_quiet(void)
{
	av_log_set_callback(discard);
}

void avdec_without_avx512(void)
{
#ifdef __x86_64__
	const unsigned avx512 = 1 << 4; // the bit in dav1d's flags, of all releases so far
	void (*set_mask)(unsigned);
	*(void **)&set_mask = dlsym(RTLD_DEFAULT, "dav1d_set_cpu_flags_mask"); // exported, but in no header
	if (set_mask)
		set_mask(~avx512);
#endif
}

void avdec_error_text(int error, char *text, int size)
{
	av_strerror(error, text, size);
}

static const AVCodec *find(const char *codec_name, const char *preferred)
{
	const AVCodec *codec = preferred ? avcodec_find_decoder_by_name(preferred) : NULL;
	const AVCodecDescriptor *descriptor = avcodec_descriptor_get_by_name(codec_name);
	if (!codec && descriptor)
		codec = avcodec_find_decoder(descriptor->id);
	return codec;
}

// padding is the most pixels that a coded frame has beyond its picture: rows of up to 63 pixels more, up to 16 rows of
// up to 65535 pixels more. libavcodec counts them in max_pixels.
enum { padding = 80 * 65536 };

// over reports whether a frame has more pixels than the limit. The padding to whole blocks does not count; what a
// stream crops beyond that does, since it takes memory.
static int over(const struct avdec *d, int width, int height, int coded_width, int coded_height)
{
	if (coded_width > width + 64 || coded_height > height + 64) {
		width = coded_width;
		height = coded_height;
	}
	return (int64_t)width * height > d->max_pixels;
}

// refuses notes and reports whether the frame of a context is over the limit.
static int refuses(AVCodecContext *context)
{
	struct avdec *d = context->opaque;
	d->refused = over(d, context->width, context->height, context->coded_width, context->coded_height);
	if (d->refused) {
		d->refused_width = context->width;
		d->refused_height = context->height;
	}
	return d->refused;
}

// get_buffer is called before the memory of each frame is taken.
static int get_buffer(AVCodecContext *context, AVFrame *frame, int flags)
{
	return refuses(context) ? AVERROR(EINVAL) : avcodec_default_get_buffer2(context, frame, flags);
}

// get_format is called before the tables of a picture are made. The H264 decoder checks max_pixels
// only after that, with 60 bytes a macroblock taken and cleared.
static enum AVPixelFormat get_format(AVCodecContext *context, const enum AVPixelFormat *formats)
{
	const struct avdec *d = context->opaque;
	if (refuses(context))
		return AV_PIX_FMT_NONE;
	// Where the device refuses a stream, libavcodec asks again without it.
	for (int i = 0; d->device && formats[i] != AV_PIX_FMT_NONE; i++)
		if (formats[i] == d->device_format)
			return formats[i];
	return avcodec_default_get_format(context, formats);
}

int avdec_restart(struct avdec *d)
{
	avcodec_free_context(&d->context);
	d->context = avcodec_alloc_context3(d->codec);
	if (!d->context)
		return AVERROR(ENOMEM);
	d->context->opaque = d;
	d->context->max_pixels = d->max_pixels; // dav1d counts only the picture's pixels, and reads the limit here
	d->context->get_format = get_format;
	d->context->get_buffer2 = get_buffer;
	d->context->flags |= AV_CODEC_FLAG_LOW_DELAY;
	if (d->device) {
		d->context->hw_device_ctx = av_buffer_ref(d->device);
		if (!d->context->hw_device_ctx) {
			avcodec_free_context(&d->context);
			return AVERROR(ENOMEM);
		}
	}
	d->context->thread_count = 1; // frame threads would each hold a frame back
	int error = avcodec_open2(d->context, d->codec, NULL);
	d->context->max_pixels = d->max_pixels + padding;
	if (error < 0)
		avcodec_free_context(&d->context);
	return error;
}

struct avdec *avdec_open(const char *codec_name, const char *preferred, int64_t max_pixels, int *error)
{
	const AVCodec *codec = find(codec_name, preferred);
	if (!codec) {
		*error = AVERROR_DECODER_NOT_FOUND;
		return NULL;
	}
	*error = AVERROR(ENOMEM);
	struct avdec *d = av_mallocz(sizeof *d);
	if (!d)
		return NULL;
	d->codec = d->software = codec;
	d->max_pixels = max_pixels;
	d->packet = av_packet_alloc();
	d->frame = av_frame_alloc();
	if (d->packet && d->frame)
		*error = avdec_restart(d);
	if (*error < 0) {
		avdec_close(d);
		return NULL;
	}
	return d;
}

void avdec_close(struct avdec *d)
{
	avcodec_free_context(&d->context);
	av_packet_free(&d->packet);
	av_frame_free(&d->frame);
	av_buffer_unref(&d->input);
	av_buffer_unref(&d->device);
	avdec_mover_free(&d->mover);
	av_free(d);
}

// fill makes packet a reference to input with a copy of the unit, padded with zeros: decoders read
// past the end. Without a reference of ours libavcodec would allocate and copy each unit itself.
static int fill(struct avdec *d, const uint8_t *data, int size)
{
	size_t need = (size_t)size + AV_INPUT_BUFFER_PADDING_SIZE;
	if (!d->input || d->input->size < need || !av_buffer_is_writable(d->input)) {
		av_buffer_unref(&d->input);
		d->input = av_buffer_alloc(need + need / 2);
		if (!d->input)
			return AVERROR(ENOMEM);
	}
	d->input_size = size;
	memcpy(d->input->data, data, size);
	memset(d->input->data + size, 0, AV_INPUT_BUFFER_PADDING_SIZE);
	d->packet->buf = av_buffer_ref(d->input);
	if (!d->packet->buf)
		return AVERROR(ENOMEM);
	d->packet->data = d->input->data;
	d->packet->size = size;
	return 0;
}

// declared reads the frame size that a unit states; zeros where libavcodec's parser does not tell it.
static void declared(struct avdec *d)
{
	d->picture.width = d->picture.height = 0;
	AVCodecContext *context = avcodec_alloc_context3(d->codec);
	AVCodecParserContext *parser = av_parser_init(d->codec->id);
	if (context && parser) {
		uint8_t *out;
		int out_size;
		parser->flags |= PARSER_FLAG_COMPLETE_FRAMES;
		av_parser_parse2(parser, context, &out, &out_size, d->input->data, d->input_size, 0, 0, 0);
		d->picture.width = parser->width > 0 ? parser->width : parser->coded_width;
		d->picture.height = parser->height > 0 ? parser->height : parser->coded_height;
	}
	av_parser_close(parser);
	avcodec_free_context(&context);
}

// failed tells a frame over the limit from other errors. libavcodec says the same of both, except that
// a bad size is EINVAL and bad data is not.
static enum avdec_status failed(struct avdec *d, int error)
{
	d->error = error;
	if (d->refused) {
		d->refused = 0;
		d->picture.width = d->refused_width;
		d->picture.height = d->refused_height;
		return AVDEC_TOO_LARGE;
	}
	if (!d->input)
		return AVDEC_FAILED;
	declared(d);
	if (error == AVERROR(ERANGE)) { // dav1d says so of a frame over its limit, and of nothing else
		if (!over(d, d->picture.width, d->picture.height, 0, 0))
			d->picture.width = d->picture.height = 0; // of the frame before
		return AVDEC_TOO_LARGE;
	}
	int known = d->picture.width > 0 && d->picture.height > 0;
	if (known ? over(d, d->picture.width, d->picture.height, 0, 0) : error == AVERROR(EINVAL))
		return AVDEC_TOO_LARGE;
	return AVDEC_FAILED;
}

enum avdec_status avdec_send(struct avdec *d, const uint8_t *data, int size, int64_t serial)
{
	int error = fill(d, data, size);
	enum avdec_status status = AVDEC_DONE;
	d->refused = 0;
	d->packet->pts = serial;
	if (error >= 0)
		error = avcodec_send_packet(d->context, d->packet);
	if (error < 0)
		status = failed(d, error);
	av_packet_unref(d->packet);
	return status;
}

enum avdec_status avdec_receive(struct avdec *d)
{
	int error = avcodec_receive_frame(d->context, d->frame);
	if (error == AVERROR(EAGAIN))
		return AVDEC_DONE;
	if (error < 0)
		return failed(d, error);
	const AVFrame *f = d->frame;
	int full = f->color_range == AVCOL_RANGE_JPEG || f->format == AV_PIX_FMT_YUVJ420P;
	d->picture = (struct avdec_picture){
		.y = f->data[0], .u = f->data[1], .v = f->data[2],
		.y_stride = f->linesize[0], .c_stride = f->linesize[1],
		.width = f->width, .height = f->height,
		.full_range = full, .bt709 = f->colorspace == AVCOL_SPC_BT709,
		.format = av_get_pix_fmt_name(f->format),
		.serial = f->pts,
	};
	d->on_device = d->device && f->format == d->device_format;
	if (d->on_device) {
		enum avdec_status status = avdec_move(&d->mover, f, &d->picture, &d->error);
		if (status != AVDEC_FRAME)
			return status;
		return f->decode_error_flags || (f->flags & AV_FRAME_FLAG_CORRUPT) ? AVDEC_DAMAGED : AVDEC_FRAME;
	}
	if (f->format != AV_PIX_FMT_YUV420P && f->format != AV_PIX_FMT_YUVJ420P)
		return AVDEC_FORMAT;
	if (f->linesize[0] < f->width || f->linesize[1] < (f->width + 1) / 2 || f->linesize[1] != f->linesize[2])
		return AVDEC_FORMAT;
	if (f->decode_error_flags || (f->flags & AV_FRAME_FLAG_CORRUPT))
		return AVDEC_DAMAGED;
	return AVDEC_FRAME;
}
