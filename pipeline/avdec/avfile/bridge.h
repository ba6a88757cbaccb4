// The pictures of a video file or a network camera, by libavformat and libavcodec, behind a few calls. Only what their
// releases 5.1 to 8 have in common is used.
#ifndef MINDFLOW_AVFILE_BRIDGE_H
#define MINDFLOW_AVFILE_BRIDGE_H

#include <stdint.h>

struct AVCodecContext;
struct AVFormatContext;
struct AVFrame;
struct AVPacket;
struct avfile_hdr;
struct SwsContext;

enum avfile_status {
	AVFILE_DONE,    // of open: it is open; of next: there is no further picture
	AVFILE_PICTURE, // picture is filled
	AVFILE_FAILED,  // libav's error is in error
	AVFILE_NO_VIDEO,
	AVFILE_COVER,  // the only video is a picture that belongs to sound
	AVFILE_FORMAT, // format of picture cannot be converted
	AVFILE_STUCK,  // so many packets gave no picture that nothing more is expected
};

// avfile_picture is 8-bit 4:2:0 of square pixels. The planes last until the next call.
struct avfile_picture {
	const uint8_t *y, *u, *v;
	int y_stride, c_stride; // bytes, not negative
	int width, height;
	int full_range, bt709;
	const char *format; // libavutil's name of the pixel format
	int timed;
	int64_t at; // microseconds from the start of the stream, if timed
};

struct avfile {
	// of open
	int width, height;             // as declared; pictures may have others
	int transpose, flip_x, flip_y; // what puts pictures upright, in this order
	double rate;                   // nominal pictures a second, 0 is unknown
	int64_t stated;                // pictures, exactly, by the file's index; 0 is not stated
	int64_t length;                // microseconds, 0 is unknown

	// of next
	struct avfile_picture picture;
	int64_t packets; // so far, but those that the file says are not to be shown
	int64_t lost;    // packets and pictures so far that were damaged
	int error;

	struct AVFormatContext *format;
	struct AVCodecContext *codec;
	struct AVPacket *packet;
	struct AVFrame *frame, *planar, *packed; // as decoded, in 4:2:0, in BGR
	struct SwsContext *to_planar, *to_packed;
	struct AVFrame *source;            // of the conversions: frame, or mapped
	struct AVFrame *deep, *mapped;     // of tone mapping: RGB with 16 bits; BGR with 8
	struct SwsContext *to_deep;
	struct avfile_hdr *hdr;
	int64_t max_pixels;
	int stream, ended, barren;

	// of a live source
	int session;       // RTSP, where the source sets the pace, also of a recording
	int64_t patience;  // microseconds for opening, and for each picture
	int64_t deadline;  // on the clock of av_gettime_relative; 0 is none
	int stopped;       // atomic
};

// avfile_open opens a file in one of formats, libavformat's names with commas. It leaves a to avfile_close in every case.
enum avfile_status avfile_open(struct avfile *a, const char *path, const char *formats, int64_t max_pixels, int threads);

// avfile_open_live opens an address of the network, of RTSP or HTTP. a is zero but for stopped. It leaves a to
// avfile_close in every case.
enum avfile_status avfile_open_live(struct avfile *a, const char *url, const char *formats, int64_t max_pixels,
	int64_t patience);

// avfile_stop ends the call in progress and all later ones. It may be called by another thread.
void avfile_stop(struct avfile *a);

// avfile_wait begins to measure the patience for the next picture.
void avfile_wait(struct avfile *a);

// avfile_next decodes up to the next picture that is to be shown and is not damaged.
enum avfile_status avfile_next(struct avfile *a);

// avfile_bgr converts the latest picture to *rows of blue, green and red bytes, *stride bytes from one to the next.
enum avfile_status avfile_bgr(struct avfile *a, const uint8_t **rows, int *stride);

void avfile_close(struct avfile *a);

void avfile_error_text(int error, char *text, int size);

// avfile_is_hdr reports whether a picture is of PQ or HLG.
int avfile_is_hdr(const struct AVFrame *f);

// avfile_map converts the latest picture, of PQ or HLG, to mapped.
enum avfile_status avfile_map(struct avfile *a);

static inline enum avfile_status avfile_failed(struct avfile *a, int error)
{
	a->error = error;
	return AVFILE_FAILED;
}

#endif
