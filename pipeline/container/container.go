// Package container recognises picture and video files by their first bytes, and finds how much of a file is missing.
// Missing bytes are known where a container states a length (MP4, Matroska, AVI) or starts a part that does not end
// (transport streams, live WebM, DV). They are not known for a transport stream that ends with a packet, nor for Ogg,
// FLV, ASF and MPEG program streams.
package container

import "bytes"

// Kind is the kind of a file, by its first bytes.
type Kind string

// Kinds of files. HEIF has pictures in ISO media files: HEIC and AVIF.
const (
	ISOMedia  Kind = "MP4"      // ISO/IEC 14496-12, with QuickTime
	Matroska  Kind = "Matroska" // RFC 9559, with WebM
	AVI       Kind = "AVI"      // RIFF
	Transport Kind = "MPEG-TS"  // ISO/IEC 13818-1
	DV        Kind = "DV"       // IEC 61834-2
	Video     Kind = "video"    // another, which states no length
	Sound     Kind = "sound"    // with or without a cover picture
	Picture   Kind = "picture"
	HEIF      Kind = "HEIF" // ISO/IEC 23008-12
	Unknown   Kind = ""
)

// signatures are bytes at an offset of files, in order of preference. Files of other kinds do not reach FFmpeg, which
// also reads play lists that refer to other files, and renders text as a video.
var signatures = []struct {
	at    int
	bytes string
	kind  Kind
}{
	{4, "ftypM4A ", Sound}, {4, "ftypM4B ", Sound}, {0, "ID3", Sound}, {0, "fLaC", Sound}, {8, "WAVE", Sound},
	{0, "\xff\xfb", Sound}, {0, "\xff\xf1", Sound}, // MPEG audio and ADTS frames
	{4, "ftyphei", HEIF}, {4, "ftyphevc", HEIF}, {4, "ftyphevx", HEIF}, {4, "ftypmif1", HEIF}, {4, "ftypmsf1", HEIF},
	{4, "ftypavif", HEIF}, {4, "ftypavis", HEIF},
	{4, "ftyp", ISOMedia}, {4, "moov", ISOMedia}, {4, "mdat", ISOMedia}, {4, "wide", ISOMedia}, {4, "free", ISOMedia},
	{4, "skip", ISOMedia},
	{0, "\x1a\x45\xdf\xa3", Matroska},
	{8, "AVI ", AVI},
	{0, "OggS", Video}, {0, "FLV\x01", Video}, {0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", Video}, // Ogg, Flash, ASF (WMV)
	{0, "\x00\x00\x01\xba", Video}, {0, "\x00\x00\x01\xb3", Video}, // MPEG program stream, MPEG-1 and 2 video
	{188, "\x47", Transport}, {196, "\x47", Transport}, // second packet; the same with time codes (M2TS)
	{0, "\x1f\x07\x00\x3f", DV}, {0, "\x1f\x07\x00\xbf", DV}, // of 60 and 50 fields a second
	{0, "DKIF", Video}, {0, "YUV4MPEG2 ", Video}, {0, "GIF8", Video},
	{0, "\x00\x00\x00\x01", Video}, {0, "\x00\x00\x01\x67", Video}, // H264 byte stream
	{0, "\x89PNG", Picture}, {0, "\xff\xd8\xff", Picture}, {8, "WEBPVP8", Picture}, {0, "II*\x00", Picture},
	{0, "MM\x00*", Picture},
	// BMP's headers, by their length
	{14, "\x28\x00\x00\x00", Picture}, {14, "\x6c\x00\x00\x00", Picture}, {14, "\x7c\x00\x00\x00", Picture},
}

// Known lists the kinds of videos, for error messages.
const Known = "MP4, MOV, MKV, WebM, AVI, MPEG, Ogg, FLV, WMV or DV"

// HeadSize is the number of bytes that Of needs.
const HeadSize = 256

// Of returns the kind of a file by its first bytes.
func Of(head []byte) Kind {
	for _, s := range signatures {
		if s.at <= len(head) && bytes.HasPrefix(head[s.at:], []byte(s.bytes)) {
			return s.kind
		}
	}
	return Unknown
}
