#include "bridge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

static enum avfile_status failed(struct avfile *a, int error)
{
	a->error = error;
	return AVFILE_FAILED;
}

// is_still says whether a codec is of single pictures, as covers are.
static int is_still(enum AVCodecID id)
{
	return id == AV_CODEC_ID_MJPEG || id == AV_CODEC_ID_PNG || id == AV_CODEC_ID_BMP || id == AV_CODEC_ID_WEBP;
}

// choose takes the first video that is not the cover picture of sound: by its mark, or one picture beside sound.
static enum avfile_status choose(struct avfile *a)
{
	int sound = 0, cover = 0;
	for (unsigned i = 0; i < a->format->nb_streams; i++)
		sound |= a->format->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_AUDIO;
	for (unsigned i = 0; i < a->format->nb_streams; i++) {
		const AVStream *s = a->format->streams[i];
		if (s->codecpar->codec_type != AVMEDIA_TYPE_VIDEO)
			continue;
		if (s->disposition & AV_DISPOSITION_ATTACHED_PIC || sound && s->nb_frames == 1 && is_still(s->codecpar->codec_id)) {
			cover = 1;
			continue;
		}
		a->stream = i;
		return AVFILE_DONE;
	}
	return cover ? AVFILE_COVER : AVFILE_NO_VIDEO;
}

// display_matrix returns a stream's matrix, or NULL. Those that H264 and HEVC have for single pictures are ignored, as
// players do: decoders give them with the first picture only.
static const int32_t *display_matrix(const AVStream *s)
{
#if LIBAVFORMAT_VERSION_MAJOR >= 61
	const AVPacketSideData *d = av_packet_side_data_get(s->codecpar->coded_side_data, s->codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
	return d && d->size >= 9 * sizeof(int32_t) ? (const int32_t *)d->data : NULL;
#else
	size_t size = 0;
	const uint8_t *data = av_stream_get_side_data(s, AV_PKT_DATA_DISPLAYMATRIX, &size);
	return size >= 9 * sizeof(int32_t) ? (const int32_t *)data : NULL;
#endif
}

// orient reads the orientation from the display matrix, in which (x, y) is shown at (m0 x + m3 y, m1 x + m4 y). An
// angle between quarter turns becomes the nearest of them.
static void orient(struct avfile *a)
{
	const int32_t *m = display_matrix(a->format->streams[a->stream]);
	if (!m)
		return;
	int64_t straight = llabs(m[0]) + llabs(m[4]), across = llabs(m[1]) + llabs(m[3]);
	a->transpose = across > straight;
	a->flip_x = (a->transpose ? m[3] : m[0]) < 0;
	a->flip_y = (a->transpose ? m[1] : m[4]) < 0;
}

// refuse_large is called before the tables of a picture are made. The H264 decoder checks max_pixels only after that.
static enum AVPixelFormat refuse_large(AVCodecContext *codec, const enum AVPixelFormat *formats)
{
	if ((int64_t)codec->coded_width * codec->coded_height > codec->max_pixels)
		return AV_PIX_FMT_NONE;
	return avcodec_default_get_format(codec, formats);
}

static int open_decoder(struct avfile *a, int threads)
{
	const AVStream *s = a->format->streams[a->stream];
	const AVCodec *decoder = NULL;
	if (s->codecpar->codec_id == AV_CODEC_ID_AV1)
		decoder = avcodec_find_decoder_by_name("libdav1d"); // libavcodec's own needs a GPU
	if (!decoder)
		decoder = avcodec_find_decoder(s->codecpar->codec_id);
	if (!decoder)
		return AVERROR_DECODER_NOT_FOUND;
	a->codec = avcodec_alloc_context3(decoder);
	if (!a->codec)
		return AVERROR(ENOMEM);
	int error = avcodec_parameters_to_context(a->codec, s->codecpar);
	if (error < 0)
		return error;
	a->codec->pkt_timebase = s->time_base;
	a->codec->max_pixels = a->max_pixels;
	a->codec->get_format = refuse_large;
	// Threads hold pictures back and find other damage each time, so only what is slow to decode gets several.
	a->codec->thread_count = (int64_t)s->codecpar->width * s->codecpar->height > 1280 * 720 ? threads : 1;
	return avcodec_open2(a->codec, decoder, NULL);
}

// examine is avformat_find_stream_info, which decodes pictures itself, with the limit of pixels.
static int examine(struct avfile *a)
{
	unsigned n = a->format->nb_streams;
	AVDictionary **options = av_calloc(n + 1, sizeof *options);
	if (!options)
		return AVERROR(ENOMEM);
	for (unsigned i = 0; i < n; i++)
		av_dict_set_int(&options[i], "max_pixels", a->max_pixels, 0);
	int error = avformat_find_stream_info(a->format, options);
	for (unsigned i = 0; i < n; i++)
		av_dict_free(&options[i]);
	av_free(options);
	return error;
}

enum avfile_status avfile_open(struct avfile *a, const char *path, const char *formats, int64_t max_pixels, int threads)
{
	memset(a, 0, sizeof *a);
	a->max_pixels = max_pixels;
	a->packet = av_packet_alloc();
	a->frame = av_frame_alloc();
	a->planar = av_frame_alloc();
	a->packed = av_frame_alloc();
	if (!a->packet || !a->frame || !a->planar || !a->packed)
		return failed(a, AVERROR(ENOMEM));
	AVDictionary *options = NULL;
	av_dict_set(&options, "protocol_whitelist", "file", 0);
	av_dict_set(&options, "format_whitelist", formats, 0);
	int error = avformat_open_input(&a->format, path, NULL, &options); // frees the context when it fails
	av_dict_free(&options);
	if (error >= 0)
		error = examine(a);
	if (error < 0)
		return failed(a, error);
	enum avfile_status status = choose(a);
	if (status != AVFILE_DONE)
		return status;
	for (unsigned i = 0; i < a->format->nb_streams; i++)
		a->format->streams[i]->discard = (int)i == a->stream ? AVDISCARD_DEFAULT : AVDISCARD_ALL;

	AVStream *s = a->format->streams[a->stream];
	a->width = s->codecpar->width;
	a->height = s->codecpar->height;
	orient(a);
	AVRational rate = av_guess_frame_rate(a->format, s, NULL);
	a->rate = rate.num > 0 && rate.den > 0 ? av_q2d(rate) : 0;
	a->stated = s->nb_frames;
	if (s->duration != AV_NOPTS_VALUE && s->duration > 0)
		a->length = av_rescale_q(s->duration, s->time_base, AV_TIME_BASE_Q);
	else if (a->format->duration != AV_NOPTS_VALUE && a->format->duration > 0)
		a->length = a->format->duration;
	error = open_decoder(a, threads);
	return error < 0 ? failed(a, error) : AVFILE_DONE;
}

void avfile_close(struct avfile *a)
{
	avcodec_free_context(&a->codec);
	avformat_close_input(&a->format);
	av_packet_free(&a->packet);
	av_frame_free(&a->frame);
	av_frame_free(&a->planar);
	av_frame_free(&a->packed);
	sws_freeContext(a->to_planar);
	sws_freeContext(a->to_packed);
	a->to_planar = a->to_packed = NULL;
}

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
	const AVFrame *f = a->frame;
	int width = a->picture.width, height = a->picture.height;
	if (to->width != width || to->height != height) {
		av_frame_unref(to);
		to->format = format;
		to->width = width;
		to->height = height;
		int error = av_frame_get_buffer(to, 0);
		if (error < 0)
			return failed(a, error);
	}
	if (!sws_isSupportedInput(f->format))
		return AVFILE_FORMAT;
	*scaler = sws_getCachedContext(*scaler, f->width, f->height, f->format, width, height, format, SWS_BICUBIC, NULL, NULL, NULL);
	return *scaler ? AVFILE_PICTURE : AVFILE_FORMAT;
}

static enum avfile_status convert(struct avfile *a, AVFrame *to, struct SwsContext *scaler)
{
	const AVFrame *f = a->frame;
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
