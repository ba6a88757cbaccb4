// Tone mapping of high dynamic range (ITU-R BT.2100, PQ and HLG) to the range of BT.709. libswscale has none, and
// libavfilter's needs zimg.
#include "bridge.h"

#include <math.h>
#include <stdlib.h>

#include <libavcodec/avcodec.h>
#include <libswscale/swscale.h>

#define STEPS 4096        // of the tables
#define WHITE 203.0       // cd/m2 of diffuse white: ITU-R BT.2408
#define HLG_PEAK 1000.0   // cd/m2 of the display that HLG is shown for
#define HLG_GAMMA 1.2     // of that display: BT.2100
#define KNEE 0.75         // of white, from which highlights are compressed
#define DISPLAY_GAMMA 2.4 // ITU-R BT.1886

struct avfile_hdr {
	int hlg;
	float linear[STEPS];  // light by signal; 1 is diffuse white, with HLG of the scene
	float ootf[STEPS];    // HLG: gain by the square root of the scene's luminance
	uint8_t coded[STEPS]; // 8-bit signal by the square root of light
};

int avfile_is_hdr(const AVFrame *f)
{
	return f->color_trc == AVCOL_TRC_SMPTE2084 || f->color_trc == AVCOL_TRC_ARIB_STD_B67;
}

// pq returns the light of a PQ signal in units of diffuse white.
static double pq(double signal)
{
	const double m1 = 2610.0 / 16384, m2 = 2523.0 / 32, c1 = 3424.0 / 4096, c2 = 2413.0 / 128, c3 = 2392.0 / 128;
	double p = pow(signal, 1 / m2);
	return 10000 / WHITE * pow(fmax(p - c1, 0) / (c2 - c3 * p), 1 / m1);
}

// hlg returns the light of the scene, of 0 to 1, for an HLG signal.
static double hlg(double signal)
{
	const double a = 0.17883277, b = 0.28466892, c = 0.55991073;
	return signal <= 0.5 ? signal * signal / 3 : (exp((signal - c) / a) + b) / 12;
}

static struct avfile_hdr *new_hdr(int is_hlg)
{
	struct avfile_hdr *h = malloc(sizeof *h);
	if (!h)
		return NULL;
	h->hlg = is_hlg;
	for (int i = 0; i < STEPS; i++) {
		double x = i / (STEPS - 1.0);
		h->linear[i] = is_hlg ? hlg(x) : pq(x);
		h->ootf[i] = HLG_PEAK / WHITE * pow(x * x, HLG_GAMMA - 1);
		h->coded[i] = lrint(255 * pow(x * x, 1 / DISPLAY_GAMMA));
	}
	return h;
}

static inline uint8_t code(const struct avfile_hdr *h, float light)
{
	light = light < 0 ? 0 : light > 1 ? 1 : light;
	return h->coded[(int)(sqrtf(light) * (STEPS - 1) + 0.5f)];
}

// map_row converts pixels of red, green and blue of BT.2020, 16 bits each, to blue, green and red of BT.709.
static void map_row(const struct avfile_hdr *h, const uint16_t *from, uint8_t *to, int width)
{
	for (int x = 0; x < width; x++, from += 3, to += 3) {
		float r = h->linear[from[0] >> 4], g = h->linear[from[1] >> 4], b = h->linear[from[2] >> 4];
		float gain = 1;
		if (h->hlg)
			gain = h->ootf[(int)(sqrtf(0.2627f * r + 0.6780f * g + 0.0593f * b) * (STEPS - 1) + 0.5f)];
		float most = gain * (r > g ? r > b ? r : b : g > b ? g : b);
		if (most > KNEE) // one gain for all, which keeps the hue
			gain *= (1 - (1 - KNEE) * expf((KNEE - most) / (1 - KNEE))) / most;
		to[0] = code(h, gain * (-0.0182f * r - 0.1006f * g + 1.1187f * b)); // ITU-R BT.2087
		to[1] = code(h, gain * (-0.1246f * r + 1.1329f * g - 0.0083f * b));
		to[2] = code(h, gain * (1.6605f * r - 0.5876f * g - 0.0728f * b));
	}
}

// room makes memory for a picture of the latest size.
static int room(AVFrame *to, const AVFrame *f, enum AVPixelFormat format)
{
	if (to->width == f->width && to->height == f->height && to->data[0])
		return 0;
	av_frame_unref(to);
	to->format = format;
	to->width = f->width;
	to->height = f->height;
	return av_frame_get_buffer(to, 0);
}

enum avfile_status avfile_map(struct avfile *a)
{
	const AVFrame *f = a->frame;
	int is_hlg = f->color_trc == AVCOL_TRC_ARIB_STD_B67;
	if (!a->hdr || a->hdr->hlg != is_hlg) {
		free(a->hdr);
		a->hdr = new_hdr(is_hlg);
	}
	if (!a->hdr || room(a->deep, f, AV_PIX_FMT_RGB48) < 0 || room(a->mapped, f, AV_PIX_FMT_BGR24) < 0)
		return avfile_failed(a, AVERROR(ENOMEM));
	if (!sws_isSupportedInput(f->format))
		return AVFILE_FORMAT;
	a->to_deep = sws_getCachedContext(a->to_deep, f->width, f->height, f->format, f->width, f->height,
		AV_PIX_FMT_RGB48, SWS_BICUBIC, NULL, NULL, NULL);
	if (!a->to_deep)
		return AVFILE_FORMAT;
	const int *matrix = sws_getCoefficients(SWS_CS_BT2020);
	sws_setColorspaceDetails(a->to_deep, matrix, a->picture.full_range, matrix, 1, 0, 1 << 16, 1 << 16);
	if (sws_scale(a->to_deep, (const uint8_t *const *)f->data, f->linesize, 0, f->height, a->deep->data,
		a->deep->linesize) != f->height)
		return AVFILE_FORMAT;
	for (int y = 0; y < f->height; y++)
		map_row(a->hdr, (const uint16_t *)(a->deep->data[0] + (ptrdiff_t)y * a->deep->linesize[0]),
			a->mapped->data[0] + (ptrdiff_t)y * a->mapped->linesize[0], f->width);
	return AVFILE_PICTURE;
}
