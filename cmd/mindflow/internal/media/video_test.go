package media

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mindflow/cmd/mindflow/internal/clitest"
	"mindflow/models/engine"
	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
)

// video runs `mindflow video` and returns its output and error.
func video(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := Video().Execute(t.Context(), slices.Concat(args, clitest.EngineArgs(t)), nil, &out)
	return out.String(), err
}

// lines parses the output of `video --json`.
func lines(t *testing.T, text string) (got []videoMessage) {
	t.Helper()
	for line := range strings.Lines(text) {
		var m videoMessage
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&m); err != nil || !strings.HasSuffix(line, "\n") {
			t.Fatalf("line %q: %v", line, err)
		}
		got = append(got, m)
	}
	return got
}

// everyFrame analyses every frame, so that the labels of a frame do not depend on the frames before it.
var everyFrame = []string{"--detect-every", "0s", "--classify-every", "0s", "--rest-every", "0s"}

// TestVideoAgreesWithThePipeline: rows, times, boxes and labels of a clip are those of the pipeline, run frame by frame
// on what ffmpeg decodes. The default policy changes few labels.
func TestVideoAgreesWithThePipeline(t *testing.T) {
	clip := clitest.MediaFile(t, clitest.OneFace)
	text, err := video(t, append([]string{clip, "--json"}, everyFrame...)...)
	if err != nil {
		t.Fatal(err)
	}
	got, want := lines(t, text), analysed(t, clip)
	if len(got) != len(want) || len(want) < 100 {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	faces, agreed, worst := 0, 0, float32(1)
	for i, m := range got {
		if m.Seq != uint64(i+1) || m.V != 1 || m.Width != 640 || m.Height != 360 || m.File != "" ||
			math.Abs(m.T-want[i].T) > 0.001 {
			t.Fatalf("row %d is %+v, want time %v", i, m, want[i].T)
		}
		if len(m.Faces) != len(want[i].Faces) {
			t.Errorf("row %d has %d faces, want %d", i, len(m.Faces), len(want[i].Faces))
			continue
		}
		for j, face := range m.Faces {
			faces++
			worst = min(worst, box(face).IoU(box(want[i].Faces[j])))
			if face.Label == want[i].Faces[j].Label {
				agreed++
			}
			if face.ID != want[i].Faces[j].ID || face.AgeMS < 0 || face.AgeMS > m.MS.Total || m.MS.Decode <= 0 {
				t.Errorf("row %d: face %+v of %+v", i, face, m)
			}
		}
	}
	t.Logf("%d rows, %d faces, worst IoU %.3f, %d labels alike", len(got), faces, worst, agreed)
	if worst < 0.9 || float64(agreed) < 0.98*float64(faces) || faces < len(got)/2 {
		t.Errorf("%d of %d labels are alike, the worst box has an IoU of %.3f", agreed, faces, worst)
	}

	if text, err = video(t, clip, "--json"); err != nil {
		t.Fatal(err)
	}
	shipped := 0
	for i, m := range lines(t, text) {
		if len(m.Faces) == 1 && len(want[i].Faces) == 1 && m.Faces[0].Label == want[i].Faces[0].Label {
			shipped++
		}
	}
	t.Logf("by default %d of %d labels are those of every frame", shipped, faces)
	if float64(shipped) < 0.97*float64(faces) {
		t.Errorf("by default %d of %d labels are those of every frame", shipped, faces)
	}
}

func box(l pipeline.Label) pipeline.Box {
	return pipeline.Box{X: l.Box[0], Y: l.Box[1], W: l.Box[2], H: l.Box[3]}
}

// analysed runs the pipeline on the clip's frames as ffmpeg decodes them, at the times of ffprobe.
func analysed(t *testing.T, clip string) []videoMessage {
	t.Helper()
	const w, h = 640, 360
	raw, err := os.ReadFile(testkit.MakeVideo(t, "frames.yuv", "-i", clip, "-pix_fmt", "yuv420p", "-f", "rawvideo"))
	if err != nil {
		t.Fatal(err)
	}
	args := clitest.EngineArgs(t)
	e, err := engine.Open(engine.Settings{Models: args[1], Library: args[3], Detector: "blazeface-back",
		Classifiers: []string{"dan-ferplus"}, Threads: 1, Smoothing: 300 * time.Millisecond, MaxFaces: 16})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	analyzer, at := e.NewAnalyzer(), clitest.FrameTimes(t, clip)
	var want []videoMessage
	for i := 0; len(raw) >= w*h*3/2; i++ {
		f := &pipeline.Frame{Width: w, Height: h, YStride: w, CStride: w / 2, Y: raw[:w*h], U: raw[w*h : w*h*5/4],
			V: raw[w*h*5/4 : w*h*3/2]}
		f.Arrived = time.Unix(1e9, 0).Add(time.Duration(at[i] * float64(time.Second)))
		var m pipeline.Message
		if err := analyzer.Analyze(t.Context(), &m, f); err != nil {
			t.Fatal(err)
		}
		want = append(want, videoMessage{T: at[i], Faces: slices.Clone(m.Faces)})
		raw = raw[w*h*3/2:]
	}
	return want
}

func TestVideoCSV(t *testing.T) {
	const labels = "neutral,happy,sad,surprise,fear,disgust,anger,contempt"
	clip := testkit.MakeVideo(t, "clip.mp4", "-i", clitest.MediaFile(t, clitest.OneFace), "-t", "1", "-c:v", "libx264")
	text, err := video(t, clip, "--csv", "--rate", "5")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(rows[0], ","); got != "t,frame,face,x,y,w,h,label,confidence,"+labels {
		t.Errorf("header %q", got)
	}
	var frames []string
	for _, row := range rows[1:] {
		frames = append(frames, row[1])
		sum := 0.0
		for _, field := range row[9:] {
			p, err := strconv.ParseFloat(field, 64)
			if err != nil {
				t.Fatal(err)
			}
			sum += p
		}
		if math.Abs(sum-1) > 0.001 || !strings.Contains(labels, row[7]) || row[2] != "1" {
			t.Errorf("row %q", row)
		}
	}
	if got := strings.Join(frames, " "); got != "0 5 10 15 20" { // the first of each fifth of a second
		t.Errorf("frames %s were analysed", got)
	}

	dir := t.TempDir()
	for _, name := range []string{"b.mp4", "a.MP4"} {
		if err := os.Rename(clitest.Blank(t, "x.mp4"), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("not a video"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dir, filepath.Join(dir, "*.[mM][pP]4")} {
		text, err = video(t, name, "--csv")
		if err != nil || text != "file,t,frame,face,x,y,w,h,label,confidence,"+labels+"\n" {
			t.Errorf("%s: %q, %v", name, text, err)
		}
		text, err = video(t, name, "--json")
		got := lines(t, text)
		if err != nil || len(got) != 20 || got[0].File != filepath.Join(dir, "a.MP4") ||
			got[10].File != filepath.Join(dir, "b.mp4") || got[10].T != 0 || got[10].Seq != 1 {
			t.Errorf("%s: %d lines, %v", name, len(got), err)
		}
	}
}

// TestVideoSummary: smoothing uses the video's time, so that a file always gives the same labels.
func TestVideoSummary(t *testing.T) {
	clip := testkit.MakeVideo(t, "clip.mp4", "-i", clitest.MediaFile(t, clitest.OneFace), "-t", "2", "-c:v", "libx264")
	first, err := video(t, clip)
	if err != nil {
		t.Fatal(err)
	}
	again, err := video(t, clip)
	if err != nil || first != again {
		t.Errorf("%q, then %q (%v)", first, again, err)
	}
	for _, want := range []string{clip, "640 by 360", "48 frames; 1 face\n", "face 1, 2.0 s between 0.0 and 2.0 s: ",
		"%"} {
		if !strings.Contains(first, want) {
			t.Errorf("the summary %q lacks %q", first, want)
		}
	}
	if text, err := video(t, clitest.Blank(t, "blank.mp4")); err != nil ||
		!strings.Contains(text, "10 frames; 0 faces\n") {
		t.Errorf("%q, %v", text, err)
	}
}

func TestVideoAnnotate(t *testing.T) {
	clip := testkit.MakeVideo(t, "clip.mov", "-i", clitest.MediaFile(t, clitest.OneFace), "-t", "1", "-c:v", "libx264")
	dir := filepath.Join(t.TempDir(), "out")
	if _, err := video(t, clip, clitest.Blank(t, "blank.mp4"), "--annotate", dir); err != nil {
		t.Fatal(err)
	}
	for name, frames := range map[string]int{"clip.mp4": 24, "blank.mp4": 10} {
		if at := clitest.FrameTimes(t, filepath.Join(dir, name)); len(at) != frames {
			t.Errorf("%s has %d frames, want %d", name, len(at), frames)
		}
	}
	streams, err := exec.Command("ffprobe", "-v", "error", "-show_entries", "stream=codec_type,width,height", "-of",
		"csv=p=0", filepath.Join(dir, "clip.mp4")).Output()
	if err != nil || strings.TrimSpace(string(streams)) != "video,640,360" {
		t.Errorf("the annotated video holds %q (%v)", streams, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("the folder holds %v (%v)", entries, err)
	}
}

// TestVideoOfPixelsThatAreNotSquare: a squeezed video is analysed and annotated as the same one of square pixels.
func TestVideoOfPixelsThatAreNotSquare(t *testing.T) {
	clip := clitest.MediaFile(t, clitest.OneFace)
	filtered := func(name, filter string) string {
		return testkit.MakeVideo(t, name, "-i", clip, "-t", "1", "-vf", filter, "-c:v", "libx264", "-crf", "14")
	}
	square, squeezed := filtered("square.mp4", "null"), filtered("squeezed.mp4", "scale=220:360,setsar=32/11")
	want, err := video(t, append([]string{square, "--json"}, everyFrame...)...)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "annotated.mp4")
	got, err := video(t, append([]string{squeezed, "--json", "--annotate", to}, everyFrame...)...)
	if err != nil {
		t.Fatal(err)
	}
	alike, all := 0, lines(t, want)
	for i, m := range lines(t, got) {
		if m.Width != 640 || m.Height != 360 || len(m.Faces) != 1 {
			t.Fatalf("row %d is %+v", i, m)
		}
		if m.Faces[0].Label == all[i].Faces[0].Label && box(m.Faces[0]).IoU(box(all[i].Faces[0])) > 0.9 {
			alike++
		}
	}
	if alike < len(all)*9/10 {
		t.Errorf("%d of %d rows are those of square pixels", alike, len(all))
	}
	if size := testkit.Probe(t, to, "stream=width,height"); size[0] != 640 || size[1] != 360 {
		t.Errorf("the annotated video is %v", size)
	}
}

func TestSamplingPicksTheFirstOfEachInterval(t *testing.T) {
	cases := []struct {
		rate float64
		at   string // seconds
		want string
	}{
		{0, "0 0.1 0.2", "0 0.1 0.2"},
		{1, "0 0.4 0.999999 1.4 3.5 3.9 4", "0 0.999999 3.5 4"},
		{2, "0.3 0.4 0.6 5", "0.3 0.6 5"},
		{100, "0 0.1 0.2", "0 0.1 0.2"},
	}
	for _, c := range cases {
		s := sampling{rate: c.rate}
		var got []string
		for field := range strings.FieldsSeq(c.at) {
			at, err := strconv.ParseFloat(field, 64)
			if err != nil {
				t.Fatal(err)
			}
			if s.due(time.Duration(at * float64(time.Second))) {
				got = append(got, field)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%v a second of %s: %v, want %s", c.rate, c.at, got, c.want)
		}
	}
}
