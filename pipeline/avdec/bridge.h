// A decoder of libavcodec behind four calls. Only what libavcodec 5.1 to 8 have in common is used.
#ifndef MINDFLOW_AVDEC_BRIDGE_H
#define MINDFLOW_AVDEC_BRIDGE_H

#include <stdint.h>

struct AVBufferRef;
struct AVCodec;
struct AVCodecContext;
struct AVFrame;
struct AVPacket;

enum avdec_status {
	AVDEC_DONE,      // the unit has no further frame
	AVDEC_FRAME,     // picture is filled
	AVDEC_FAILED,    // libavcodec's error is in error
	AVDEC_TOO_LARGE, // width and height of picture, where known, are what the unit declares
	AVDEC_DAMAGED,   // a frame was decoded from damaged data
	AVDEC_FORMAT,    // format of picture is not 8-bit 4:2:0
};

// avdec_picture is 8-bit 4:2:0. The planes belong to the decoder and last until its next call.
struct avdec_picture {
	const uint8_t *y, *u, *v;
	int y_stride, c_stride; // bytes, not negative
	int width, height;
	int full_range, bt709;
	const char *format; // libavutil's name of the pixel format
	int64_t serial;     // of the unit it came from
};

// avdec_mover brings pictures from a device's memory to ours. Zeros are one that has brought none.
struct avdec_mover {
	struct AVFrame *moved; // as the device gives them
	uint8_t *chroma;       // U, then V, of pictures that have them interleaved
	int64_t chroma_size;
};

struct avdec {
	const struct AVCodec *codec;    // in use
	const struct AVCodec *software; // that needs no device
	struct AVBufferRef *device;     // that codec decodes on; NULL for the processor
	int device_format;              // AVPixelFormat of pictures in the device's memory
	struct avdec_mover mover;
	int64_t max_pixels;
	int refused; // the frame of the last unit is over the limit
	int refused_width, refused_height;
	struct AVCodecContext *context; // NULL after a restart that failed
	struct AVPacket *packet;
	struct AVFrame *frame;
	struct AVBufferRef *input; // the unit and its padding; used again once the decoder has let go of it
	int input_size;            // of the unit, without padding
	struct avdec_picture picture;
	int on_device; // picture was decoded on the device
	int error;     // AVERROR of AVDEC_FAILED
};

// avdec_quiet turns libav's messages off, for the whole process: it has no switch a decoder, and its
// messages go to stderr with bytes that strangers chose.
void avdec_quiet(void);

// avdec_without_avx512 keeps dav1d, where libavcodec uses it, from AVX-512, for the whole process: in release
// 1.0.0, Debian 12's, its Wiener filter stores 64 bytes at addresses that are multiples of 32 when a stream
// has restoration units of 32 pixels, as the smallest of chroma are. That ends the process, so any stranger could.
// Call it before avdec_open.
void avdec_without_avx512(void);

// avdec_open returns NULL and sets *error when there is no such decoder or no memory. preferred may be
// NULL: the name of a decoder to take where it exists, instead of libavcodec's first for codec_name.
struct avdec *avdec_open(const char *codec_name, const char *preferred, int64_t max_pixels, int *error);

// avdec_use has d decode on a device from its next restart on, with a reference of its own, or on the processor where device is NULL. It
// returns 0, or an AVERROR where libavcodec's decoders cannot use the device.
int avdec_use(struct avdec *d, struct AVBufferRef *device);

// avdec_send decodes one unit, of size > 0; its pictures will carry serial. AVDEC_DONE: call
// avdec_receive until it is not AVDEC_FRAME.
enum avdec_status avdec_send(struct avdec *d, const uint8_t *data, int size, int64_t serial);
enum avdec_status avdec_receive(struct avdec *d);

// avdec_restart makes d as new, after an error, and returns 0 or an AVERROR. avcodec_flush_buffers is
// not enough: after a refused size the VP9 decoder goes on with none, and H264 keeps damage.
int avdec_restart(struct avdec *d);

void avdec_close(struct avdec *d);

// avdec_device opens a device of a kind that libavutil knows, such as cuda, by its name, such as 0. It returns NULL, sets *error, and
// writes libavutil's messages to text.
struct AVBufferRef *avdec_device(const char *kind, const char *name, int *error, char *text, int size);
void avdec_device_close(struct AVBufferRef *device);

// avdec_device_known reports whether libavutil was built with that kind of device, and avdec_device_codec whether
// libavcodec can decode a codec with it.
int avdec_device_known(const char *kind);
int avdec_device_codec(struct AVBufferRef *device, const char *codec_name);

// avdec_device_try brings a picture of width by height whose samples all differ from their neighbours to a device and back, and returns
// the number of samples that changed on the way, or an AVERROR.
int avdec_device_try(struct AVBufferRef *device, int width, int height);

// avdec_move fills picture's planes and format from a frame in a device's memory.
enum avdec_status avdec_move(struct avdec_mover *m, const struct AVFrame *frame, struct avdec_picture *picture, int *error);
void avdec_mover_free(struct avdec_mover *m);

// avdec_split takes width by height pairs apart, as NV12 has them, into two planes without padding.
void avdec_split(const uint8_t *pairs, int stride, int width, int height, uint8_t *u, uint8_t *v);

// avdec_listen has libav's messages on this thread appended to text, of size bytes, until it is called with NULL.
void avdec_listen(char *text, int size);

// avdec_error_text writes what an AVERROR means.
void avdec_error_text(int error, char *text, int size);

#endif
