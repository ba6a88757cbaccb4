#include "bridge.h"

#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/time.h>
#include <libswscale/swscale.h>

// is_still reports whether a codec is of single pictures, as covers are.
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
	const AVPacketSideData *d = av_packet_side_data_get(s->codecpar->coded_side_data,
		s->codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
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
	if (a->patience)
		a->codec->flags |= AV_CODEC_FLAG_LOW_DELAY;
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

// interrupted ends what libavformat waits for.
static int interrupted(void *opaque)
{
	struct avfile *a = opaque;
	return __atomic_load_n(&a->stopped, __ATOMIC_RELAXED) || a->deadline && av_gettime_relative() > a->deadline;
}

void avfile_stop(struct avfile *a)
{
	__atomic_store_n(&a->stopped, 1, __ATOMIC_RELAXED);
}

void avfile_wait(struct avfile *a)
{
	a->deadline = av_gettime_relative() + a->patience;
}

// begin opens what url names, and finds its streams.
static int begin(struct avfile *a, const char *url, AVDictionary **options)
{
	a->packet = av_packet_alloc();
	a->frame = av_frame_alloc();
	a->planar = av_frame_alloc();
	a->packed = av_frame_alloc();
	a->deep = av_frame_alloc();
	a->mapped = av_frame_alloc();
	a->format = avformat_alloc_context();
	if (!a->packet || !a->frame || !a->planar || !a->packed || !a->deep || !a->mapped || !a->format)
		return AVERROR(ENOMEM);
	a->format->interrupt_callback = (AVIOInterruptCB){interrupted, a};
	int error = avformat_open_input(&a->format, url, NULL, options); // frees the context when it fails
	return error < 0 ? error : examine(a);
}

// take chooses the video and opens its decoder.
static enum avfile_status take(struct avfile *a, int threads)
{
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
	int error = open_decoder(a, threads);
	return error < 0 ? avfile_failed(a, error) : AVFILE_DONE;
}

enum avfile_status avfile_open(struct avfile *a, const char *path, const char *formats, int64_t max_pixels, int threads)
{
	memset(a, 0, sizeof *a);
	a->max_pixels = max_pixels;
	AVDictionary *options = NULL;
	av_dict_set(&options, "protocol_whitelist", "file", 0);
	av_dict_set(&options, "format_whitelist", formats, 0);
	int error = begin(a, path, &options);
	av_dict_free(&options);
	return error < 0 ? avfile_failed(a, error) : take(a, threads);
}

enum avfile_status avfile_open_live(struct avfile *a, const char *url, const char *formats, int64_t max_pixels,
	int64_t patience)
{
	a->max_pixels = max_pixels;
	a->patience = patience;
	avfile_wait(a);
	AVDictionary *options = NULL;
	av_dict_set(&options, "protocol_whitelist", "tcp,udp,rtp,http,https,tls", 0);
	av_dict_set(&options, "format_whitelist", formats, 0);
	av_dict_set(&options, "tls_verify", "1", 0);
	av_dict_set(&options, "analyzeduration", "2000000", 0); // microseconds
	av_dict_set(&options, "rtsp_transport", "tcp+udp", 0);
	av_dict_set(&options, "rtsp_flags", "prefer_tcp", 0);
	av_dict_set(&options, "allowed_media_types", "video", 0); // of RTSP
	int error = begin(a, url, &options);
	av_dict_free(&options);
	if (error < 0)
		return avfile_failed(a, error);
	a->session = !strcmp(a->format->iformat->name, "rtsp");
	return take(a, 1);
}

void avfile_error_text(int error, char *text, int size)
{
	av_strerror(error, text, size);
}

void avfile_close(struct avfile *a)
{
	avcodec_free_context(&a->codec);
	avformat_close_input(&a->format);
	av_packet_free(&a->packet);
	av_frame_free(&a->frame);
	av_frame_free(&a->planar);
	av_frame_free(&a->packed);
	av_frame_free(&a->deep);
	av_frame_free(&a->mapped);
	sws_freeContext(a->to_planar);
	sws_freeContext(a->to_packed);
	sws_freeContext(a->to_deep);
	a->to_planar = a->to_packed = a->to_deep = NULL;
	free(a->hdr);
	a->hdr = NULL;
}
