package media

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mindflow/cmd/mindflow/internal/clitest"
	"mindflow/pipeline/testkit"
)

// TestVideoGoesOnAfterABadOne: one line names each bad file and its cure, and the others are still labelled.
func TestVideoGoesOnAfterABadOne(t *testing.T) {
	dir := t.TempDir()
	empty, text, cut := filepath.Join(dir, "empty.mp4"), filepath.Join(dir, "text.mp4"), filepath.Join(dir, "cut.mp4")
	whole, err := os.ReadFile(testkit.MakeVideo(t, "whole.mp4", "-f", "lavfi", "-i",
		"testsrc2=size=320x180:rate=25:duration=1",
		"-c:v", "libx264", "-movflags", "faststart"))
	if err != nil {
		t.Fatal(err)
	}
	for path, data := range map[string][]byte{empty: nil, text: []byte("a letter"), cut: whole[:len(whole)/2]} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sound := testkit.MakeVideo(t, "sound.mp4", "-f", "lavfi", "-i", "sine=duration=1")
	bare, absent, good := t.TempDir(), filepath.Join(dir, "absent.mp4"), clitest.Blank(t, "good.mp4")
	out, err := video(t, empty, text, sound, absent, bare, filepath.Join(dir, "*.mkv"), cut, good, "--json")
	if err == nil {
		t.Fatal("no error")
	}
	for name, want := range map[string]string{
		empty: "empty", text: "known format", sound: "sound only", absent: "no such file",
		bare:                        "no video in this folder",
		filepath.Join(dir, "*.mkv"): "no file fits", cut: "cut short",
	} {
		found := 0
		for line := range strings.Lines(err.Error()) {
			if strings.Contains(line, name) {
				found++
				if !strings.Contains(line, want) {
					t.Errorf("%q, want %q", line, want)
				}
			}
		}
		if found != 1 {
			t.Errorf("%d lines name %s in %q", found, name, err)
		}
	}
	rows := map[string]int{}
	for _, m := range lines(t, out) {
		rows[m.File]++
	}
	if rows[good] != 10 || rows[cut] < 2 || rows[cut] > 24 || len(rows) != 2 {
		t.Errorf("rows: %v", rows)
	}
}

func TestVideoRefusesSettings(t *testing.T) {
	clip := clitest.Blank(t, "clip.mp4")
	dir := t.TempDir()
	cases := []struct {
		name string
		args []string
		want string
	}{
		{"no file", nil, "name at least one"},
		{"two forms", []string{clip, "--json", "--csv"}, "choose"},
		{"negative rate", []string{clip, "--rate", "-1"}, "--rate -1"},
		{"no number", []string{clip, "--rate", "nan"}, "--rate NaN"},
		{"annotated over the video", []string{clip, "--annotate", clip}, "would be overwritten"},
		{"annotated over another of them", []string{clip, clitest.Blank(t, "b.mp4"), "--annotate", filepath.Dir(clip)},
			"would be overwritten"},
		{"two of one name", []string{"x/a.mov", "y/a.mp4", "--annotate", dir}, "would both become"},
		{"annotated in another format", []string{clip, "--annotate", filepath.Join(dir, "a.gif")}, ".mp4"},
		{"annotated into nowhere", []string{clip, "--annotate", filepath.Join(dir, "absent", "a.mp4")},
			"can be written"},
		{"results over the video", []string{clip, "--out", clip}, "would be overwritten"},
		{"results over the annotated", []string{clip, "--annotate", filepath.Join(dir, "a.mp4"), "--out",
			filepath.Join(dir, "a.mp4")}, "would be overwritten"},
		{"results into nowhere", []string{clip, "--out", filepath.Join(dir, "absent", "a.csv")}, "can be written"},
		{"results into a folder", []string{clip, "--out", dir}, "is a folder"},
		{"a full disk", []string{clip, "--json", "--out", "/dev/full"}, "no space left"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if out, err := video(t, c.args...); err == nil || !strings.Contains(err.Error(), c.want) ||
				strings.Contains(err.Error(), "\n") {
				t.Errorf("printed %q, error %v, want one line with %q", out, err, c.want)
			}
		})
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v (%v)", entries, err)
	}
}

// canceler ends ctx once it has written so many rows.
type canceler struct {
	bytes.Buffer
	rows   int
	cancel context.CancelFunc
}

func (c *canceler) Write(p []byte) (int, error) {
	if c.rows--; c.rows == 0 {
		c.cancel()
	}
	return c.Buffer.Write(p)
}

// TestVideoInterrupted: an interrupted run keeps complete rows and a video that plays, and reports how far it came.
func TestVideoInterrupted(t *testing.T) {
	clip, next := testkit.Clip(t), clitest.Blank(t, "next.mp4")
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &canceler{rows: 12, cancel: cancel}
	args := append([]string{clip, next, "--json", "--annotate", dir}, clitest.EngineArgs(t)...)
	err := Video().Execute(ctx, args, nil, out)
	if err == nil || !strings.Contains(err.Error(), clip+": interrupted after 12 frames, at 0.5 s") ||
		!strings.Contains(err.Error(), "1 of 2 files were not begun") {
		t.Errorf("error %v", err)
	}
	if got := lines(t, out.String()); len(got) != 12 {
		t.Errorf("%d rows, want 12", len(got))
	}
	name := strings.TrimSuffix(filepath.Base(clip), filepath.Ext(clip)) + ".mp4"
	if at := clitest.FrameTimes(t, filepath.Join(dir, name)); len(at) != 12 {
		t.Errorf("%d frames are annotated, want 12", len(at))
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v (%v)", entries, err)
	}
}

// TestVideoScaledMidway: where a recording changes its size, as browsers' do on a bad network, faces stay where they
// are and the annotated video has one size.
func TestVideoScaledMidway(t *testing.T) {
	clip, list := clitest.MediaFile(t, clitest.OneFace), filepath.Join(t.TempDir(), "list.txt")
	text := ""
	for _, size := range []string{"640:360", "320:180"} {
		part := testkit.MakeVideo(t, "part.webm", "-i", clip, "-t", "0.5", "-an", "-vf", "scale="+size, "-c:v",
			"libvpx", "-deadline", "realtime", "-b:v", "2M")
		text += "file '" + part + "'\n"
	}
	if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	file := testkit.MakeVideo(t, "scaled.webm", "-f", "concat", "-safe", "0", "-i", list, "-c", "copy")
	annotated := filepath.Join(t.TempDir(), "a.mp4")
	out, err := video(t, file, "--json", "--annotate", annotated)
	if err != nil {
		t.Fatal(err)
	}
	got := lines(t, out)
	widths := map[int]int{}
	for _, m := range got {
		widths[m.Width]++
		if len(m.Faces) != 1 || m.Faces[0].ID != 1 || m.Width*360 != m.Height*640 ||
			box(m.Faces[0]).IoU(box(got[0].Faces[0])) < 0.6 {
			t.Errorf("at %v s %dx%d has %+v, at first there was %+v", m.T, m.Width, m.Height, m.Faces, got[0].Faces)
		}
	}
	if widths[640] != 12 || widths[320] != 12 || len(widths) != 2 {
		t.Errorf("frames by their width: %v", widths)
	}
	if at := clitest.FrameTimes(t, annotated); len(at) != 24 {
		t.Errorf("%d frames are annotated", len(at))
	}
}

// TestVideoWithDamage: both ends of a file with damage in its middle are read, and the error reports the damage.
func TestVideoWithDamage(t *testing.T) {
	file := testkit.MakeVideo(t, "damaged.mp4", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=2",
		"-c:v", "libx264", "-g", "10")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	clear(data[len(data)*3/10 : len(data)*6/10])
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	annotated := filepath.Join(t.TempDir(), "a.mp4")
	out, err := video(t, file, "--json", "--annotate", annotated)
	got := lines(t, out)
	if want := fmt.Sprintf("%s: the file is damaged: %d of 50 frames could be decoded", file, len(got)); err == nil ||
		!strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
	if len(got) == 0 {
		t.Fatal("no frame")
	}
	if len(got) < 15 || got[len(got)-1].T < 1.9 {
		t.Errorf("%d frames up to %v s", len(got), got[len(got)-1].T)
	}
	// a picture stands while others are missing
	if at := clitest.FrameTimes(t, annotated); len(at) < 49 || len(at) > 51 {
		t.Errorf("%d frames are annotated", len(at))
	}
}
