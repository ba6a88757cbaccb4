package testkit

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mindflow/pipeline"
)

// Clock is the rate of a Unit's RTP time in hertz.
const Clock = 90000

// format is how ffmpeg handles one codec.
type format struct {
	encode  []string // like browsers: without delay, without hidden frames
	decoder string   // of the reference pictures: not the decoder under test, where ffmpeg has another
	fourCC  string   // of an IVF file
}

var formats = map[pipeline.Codec]format{
	pipeline.VP8: {
		encode:  strings.Fields("-c:v libvpx -deadline realtime -cpu-used 8 -lag-in-frames 0 -auto-alt-ref 0 -b:v 1M"),
		decoder: "libvpx", fourCC: "VP80",
	},
	pipeline.VP9: {
		encode: strings.Fields("-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -lag-in-frames 0 -auto-alt-ref 0 " +
			"-b:v 1M"),
		decoder: "libvpx-vp9", fourCC: "VP90",
	},
	pipeline.H264: {
		encode:  strings.Fields("-c:v libx264 -preset veryfast -tune zerolatency -profile:v baseline -bf 0 -b:v 1M"),
		decoder: "h264", fourCC: "H264",
	},
	pipeline.AV1: {
		encode:  strings.Fields("-c:v libaom-av1 -usage realtime -cpu-used 8 -lag-in-frames 0 -b:v 1M"),
		decoder: "libaom-av1", fourCC: "AV01",
	},
}

// Encode encodes what args describe: ffmpeg's options for its inputs, then for its output, where they override ours.
// Every 30th frame is a key frame. RTP times start at 0, and Arrived is not set. Encode skips the test where the
// ffmpeg program or its encoder is missing.
func Encode(t testing.TB, codec pipeline.Codec, args ...string) []pipeline.Unit {
	t.Helper()
	f := lookUp(t, codec)
	needEncoder(t, f.encode[1])
	dir := t.TempDir()
	// Two outputs of one encoder: all packets, concatenated, and a text with their sizes and times.
	data, list := filepath.Join(dir, "data"), filepath.Join(dir, "list")
	inputs, output := splitArgs(args)
	ffmpeg(t, nil, slices.Concat(inputs, strings.Fields("-map 0:v:0 -pix_fmt yuv420p -threads 1 -g 30"), f.encode,
		output, []string{"-f", "tee", "[f=data]" + data + "|[f=framecrc]" + list})...)
	units, err := split(data, list)
	if err != nil {
		t.Fatalf("split the %s stream that ffmpeg made: %v", codec, err)
	}
	return units
}

// splitArgs separates the options up to the last input from those after it.
func splitArgs(args []string) (inputs, output []string) {
	for i := len(args) - 2; i >= 0; i-- {
		if args[i] == "-i" {
			return args[:i+2], args[i+2:]
		}
	}
	return nil, args
}

// EncodeFile encodes the start of a media file, scaled to w by h pixels, at fps frames per second.
func EncodeFile(t testing.TB, codec pipeline.Codec, path string, w, h, fps int, dur time.Duration) []pipeline.Unit {
	t.Helper()
	return Encode(t, codec, "-i", path, "-t", fmt.Sprint(dur.Seconds()),
		"-vf", fmt.Sprintf("fps=%d,scale=%d:%d", fps, w, h))
}

// TestSource encodes a moving test picture of w by h pixels at 30 frames per second.
func TestSource(t testing.TB, codec pipeline.Codec, w, h, frames int) []pipeline.Unit {
	t.Helper()
	return Encode(t, codec, "-f", "lavfi", "-i", "testsrc2=size=640x480:rate=30",
		"-frames:v", strconv.Itoa(frames), "-vf", fmt.Sprintf("scale=%d:%d", w, h))
}

// DecodeI420 returns the pictures of a stream as ffmpeg decodes them: I420 without padding, concatenated. All frames
// must have the same size.
func DecodeI420(t testing.TB, codec pipeline.Codec, units []pipeline.Unit) []byte {
	t.Helper()
	f := lookUp(t, codec)
	return ffmpeg(t, ivf(f.fourCC, units), "-threads", "1", "-c:v", f.decoder, "-f", "ivf", "-i", "pipe:0",
		"-fps_mode", "passthrough", "-pix_fmt", "yuv420p", "-f", "rawvideo", "pipe:1")
}

func lookUp(t testing.TB, codec pipeline.Codec) format {
	t.Helper()
	f, ok := formats[codec]
	if !ok {
		t.Fatalf("codec %q has no row in testkit's table", codec)
	}
	return f
}

// ffmpeg runs the program and returns its output.
func ffmpeg(t testing.TB, input []byte, args ...string) []byte {
	t.Helper()
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("the ffmpeg program is not installed, so there is no video to test with")
	}
	cmd := exec.CommandContext(t.Context(), path, append([]string{"-hide_banner", "-loglevel", "error"}, args...)...)
	cmd.Stdin = bytes.NewReader(input)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		t.Fatalf("ffmpeg %s: %v\n%s", strings.Join(args, " "), err, complaint.Bytes())
	}
	return out.Bytes()
}

func needEncoder(t testing.TB, name string) {
	t.Helper()
	for line := range strings.Lines(string(ffmpeg(t, nil, "-encoders"))) {
		if words := strings.Fields(line); len(words) > 1 && words[1] == name {
			return
		}
	}
	t.Skipf("this ffmpeg has no encoder %s", name)
}

// split splits the packets of the file data by the framecrc list: "stream, dts, pts, duration, size, sum", then
// "F=flags" where the only flag is not that of a key frame.
func split(data, list string) ([]pipeline.Unit, error) {
	rest, err := os.ReadFile(data)
	if err != nil {
		return nil, err
	}
	lines, err := os.Open(list)
	if err != nil {
		return nil, err
	}
	defer lines.Close()
	var units []pipeline.Unit
	var num, den uint64
	scan := bufio.NewScanner(lines)
	for scan.Scan() {
		line := scan.Text()
		if _, err := fmt.Sscanf(line, "#tb 0: %d/%d", &num, &den); err == nil || strings.HasPrefix(line, "#") {
			continue
		}
		var stream, dts, duration, flags int
		var pts uint64
		var size int
		if _, err := fmt.Sscanf(line, "%d, %d, %d, %d, %d,", &stream, &dts, &pts, &duration, &size); err != nil {
			return nil, fmt.Errorf("line %q: %w", line, err)
		}
		if size > len(rest) || den == 0 {
			return nil, fmt.Errorf("line %q: %d bytes are left, the time base is %d/%d", line, len(rest), num, den)
		}
		key := true
		if _, after, found := strings.Cut(line, "F="); found {
			if _, err := fmt.Sscanf(after, "%v", &flags); err != nil {
				return nil, fmt.Errorf("line %q: %w", line, err)
			}
			key = flags&1 != 0
		}
		units = append(units, pipeline.Unit{Data: rest[:size:size], RTP: uint32(pts * num * Clock / den), Key: key})
		rest = rest[size:]
	}
	return units, scan.Err()
}

// ivf writes units as an IVF file: a header of 32 bytes, then size and time before each unit.
func ivf(fourCC string, units []pipeline.Unit) []byte {
	b := append([]byte("DKIF\x00\x00\x20\x00"), fourCC...)
	b = append(b, 0, 0, 0, 0) // the size is in the stream
	b = binary.LittleEndian.AppendUint32(b, Clock)
	b = binary.LittleEndian.AppendUint32(b, 1)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(units)))
	for _, u := range units {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(u.Data)))
		b = binary.LittleEndian.AppendUint64(b, uint64(u.RTP))
		b = append(b, u.Data...)
	}
	return b
}
