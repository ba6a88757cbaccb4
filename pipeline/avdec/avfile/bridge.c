#include "bridge.h"

#include <math.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/common.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

// most_barren packets in a row without a picture: minutes of damage.
#define MOST_BARREN 10000

// Pixel aspects up to MOST_ASPECT, and their inverses, are taken for true; LEAST_ASPECT is the least that is visible.
#define MOST_ASPECT 8.0
#define LEAST_ASPECT 1.01

// feed gives the decoder the next packet of the video, or tells it of the end.
static void feed(struct avfile *a)
{
	int error, again = 0, other;
	do {
		av_packet_unref(a->packet);
		error = av_read_frame(a->format, a->packet);
		// A packet of size 0 would be taken for the end.
		other = error >= 0 ? a->packet->stream_index != a->stream || a->packet->size == 0 : error == AVERROR(EAGAIN) && ++again < MOST_BARREN;
	} while (other);
	if (error < 0) {
		a->ended = 1;
		a->error = error;
		a->lost += error != AVERROR_EOF;
		avcodec_send_packet(a->codec, NULL);
		return;
	}
	a->packets += !(a->packet->flags & AV_PKT_FLAG_DISCARD);
	if (avcodec_send_packet(a->codec, a->packet) < 0)
		a->lost++;
	av_packet_unref(a->packet);
	a->barren++;
}

// stretch sets the size of the latest picture in square pixels. It enlarges one side, or shrinks the other where the
// picture would be over the limit.
static void stretch(struct avfile *a)
{
	const AVFrame *f = a->frame;
	AVRational aspect = av_guess_sample_aspect_ratio(a->format, a->format->streams[a->stream], a->frame);
	double by = aspect.num > 0 && aspect.den > 0 ? av_q2d(aspect) : 1;
	double factor = by > 1 ? by : 1 / by;
	a->picture.width = f->width;
	a->picture.height = f->height;
	if (factor < LEAST_ASPECT || factor > MOST_ASPECT)
		return;
	int shrink = (double)f->width * f->height * factor > a->max_pixels;
	if (by > 1 && !shrink)
		a->picture.width = lrint(f->width * by);
	else if (by > 1)
		a->picture.height = FFMAX(lrint(f->height / by), 1);
	else if (!shrink)
		a->picture.height = lrint(f->height / by);
	else
		a->picture.width = FFMAX(lrint(f->width * by), 1);
}

// prepare makes memory for the latest picture in another format and in square pixels, and what converts it.
static enum avfile_status prepare(struct avfile *a, AVFrame *to, struct SwsContext **scaler, enum AVPixelFormat format)
{
	const AVFrame *f = a->source;
	int width = a->picture.width, height = a->picture.height;
	if (to->width != width || to->height != height) {
		av_frame_unref(to);
		to->format = format;
		to->width = width;
		to->height = height;
		int error = av_frame_get_buffer(to, 0);
		if (error < 0)
			return avfile_failed(a, error);
	}
	if (!sws_isSupportedInput(f->format))
		return AVFILE_FORMAT;
	*scaler = sws_getCachedContext(*scaler, f->width, f->height, f->format, width, height, format, SWS_BICUBIC,
		NULL, NULL, NULL);
	return *scaler ? AVFILE_PICTURE : AVFILE_FORMAT;
}

static enum avfile_status convert(struct avfile *a, AVFrame *to, struct SwsContext *scaler)
{
	const AVFrame *f = a->source;
	int rows = sws_scale(scaler, (const uint8_t *const *)f->data, f->linesize, 0, f->height, to->data, to->linesize);
	return rows == to->height ? AVFILE_PICTURE : AVFILE_FORMAT;
}

// planar makes the latest picture 8-bit 4:2:0 of limited range.
static enum avfile_status planar(struct avfile *a)
{
	enum avfile_status status = prepare(a, a->planar, &a->to_planar, AV_PIX_FMT_YUV420P);
	if (status != AVFILE_PICTURE)
		return status;
	const int *matrix = sws_getCoefficients(a->picture.bt709 ? SWS_CS_ITU709 : SWS_CS_ITU601);
	sws_setColorspaceDetails(a->to_planar, matrix, a->picture.full_range, matrix, 0, 0, 1 << 16, 1 << 16);
	a->picture.full_range = 0;
	return convert(a, a->planar, a->to_planar);
}

enum avfile_status avfile_bgr(struct avfile *a, const uint8_t **rows, int *stride)
{
	enum avfile_status status = prepare(a, a->packed, &a->to_packed, AV_PIX_FMT_BGR24);
	if (status == AVFILE_PICTURE)
		status = convert(a, a->packed, a->to_packed);
	*rows = a->packed->data[0];
	*stride = a->packed->linesize[0];
	return status;
}

static enum avfile_status fill(struct avfile *a)
{
	const AVStream *s = a->format->streams[a->stream];
	const AVFrame *f = a->frame;
	int64_t start = s->start_time == AV_NOPTS_VALUE ? 0 : s->start_time;
	int64_t pts = f->best_effort_timestamp;
	a->picture = (struct avfile_picture){
		.full_range = f->color_range == AVCOL_RANGE_JPEG || f->format == AV_PIX_FMT_YUVJ420P,
		.bt709 = f->colorspace == AVCOL_SPC_BT709,
		.format = av_get_pix_fmt_name(f->format),
		.timed = pts != AV_NOPTS_VALUE,
	};
	stretch(a);
	if (a->picture.timed)
		a->picture.at = av_rescale_q(av_sat_sub64(pts, start), s->time_base, AV_TIME_BASE_Q);
	a->source = a->frame;
	if (avfile_is_hdr(f)) {
		enum avfile_status status = avfile_map(a);
		if (status != AVFILE_PICTURE)
			return status;
		f = a->source = a->mapped;
		a->picture.full_range = 0;
		a->picture.bt709 = 1;
	}
	int fits = f->format == AV_PIX_FMT_YUV420P || f->format == AV_PIX_FMT_YUVJ420P;
	fits = fits && f->width == a->picture.width && f->height == a->picture.height;
	fits = fits && f->linesize[0] >= f->width && f->linesize[1] >= (f->width + 1) / 2 && f->linesize[1] == f->linesize[2];
	if (!fits) {
		enum avfile_status status = planar(a);
		if (status != AVFILE_PICTURE)
			return status;
		f = a->planar;
	}
	a->picture.y = f->data[0];
	a->picture.u = f->data[1];
	a->picture.v = f->data[2];
	a->picture.y_stride = f->linesize[0];
	a->picture.c_stride = f->linesize[1];
	return AVFILE_PICTURE;
}

enum avfile_status avfile_next(struct avfile *a)
{
	for (a->barren = 0; a->barren < MOST_BARREN; ) {
		int error = avcodec_receive_frame(a->codec, a->frame);
		if (error == AVERROR_EOF)
			return AVFILE_DONE;
		if (error == AVERROR(EAGAIN)) {
			if (a->ended) // not so after the end, and not for ever in any case
				return AVFILE_DONE;
			feed(a);
			continue;
		}
		int damaged = error < 0 || a->frame->decode_error_flags || a->frame->flags & AV_FRAME_FLAG_CORRUPT;
		if (!damaged)
			return fill(a);
		a->lost++;
		a->barren++;
	}
	return AVFILE_STUCK;
}
