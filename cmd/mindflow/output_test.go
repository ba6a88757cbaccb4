package main

import (
	"bytes"
	be "encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"mindflow/cmd/mindflow/internal/clitest"
	"mindflow/pipeline/testkit"
)

// flatPicture writes a picture of one grey value.
func flatPicture(t *testing.T, w, h int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), strconv.Itoa(w)+"x"+strconv.Itoa(h)+".png")
	var data bytes.Buffer
	if err := png.Encode(&data, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// refused runs a program, which must fail with one line that contains all of want.
func refused(t *testing.T, cmd *exec.Cmd, want ...string) {
	t.Helper()
	var said bytes.Buffer
	cmd.Stderr = &said
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || strings.Count(said.String(), "\n") != 1 {
		t.Errorf("%v, said %q", err, said.String())
	}
	for _, w := range want {
		if !strings.Contains(said.String(), w) {
			t.Errorf("said %q, want %q", said.String(), w)
		}
	}
}

// TestImageOutputFails: an error names once what cannot be printed or written, and no incomplete file stays.
func TestImageOutputFails(t *testing.T) {
	exe, engine := clitest.Binary(t), clitest.EngineArgs(t)
	file := flatPicture(t, 640, 480)
	noise := image.NewRGBA(image.Rect(0, 0, 640, 480))
	rand.NewChaCha8([32]byte{}).Read(noise.Pix)
	var data bytes.Buffer
	if err := png.Encode(&data, noise); err != nil {
		t.Fatal(err)
	}
	large := filepath.Join(t.TempDir(), "noise.png")
	if err := os.WriteFile(large, data.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	command := func(args ...string) *exec.Cmd {
		return exec.CommandContext(t.Context(), exe, append(append([]string{"image"}, args...), engine...)...)
	}
	for _, form := range [][]string{nil, {"--json"}} {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Skip(err)
		}
		cmd := command(append(form, file, file, file)...)
		cmd.Stdout = full
		refused(t, cmd, "no space left", "print")
		if err := full.Close(); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	refused(t, command(file, "--annotate", filepath.Join(dir, "absent", "a.png")), "a.png", "folder")
	for _, name := range []string{"a.png", "a.jpg", "a.bmp", "a.tiff", "a.webp"} {
		args := append([]string{"-c", `ulimit -f 8; exec "$@"`, "bash", exe, "image", large, "--annotate",
			filepath.Join(dir, name)}, engine...)
		refused(t, exec.CommandContext(t.Context(), "bash", args...), name, "space")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v (%v)", entries, err)
	}
}

// TestImageInterrupted: an interrupt ends the run at the current picture, with one line on how many are left. No
// incomplete file stays.
func TestImageInterrupted(t *testing.T) {
	exe, engine := clitest.Binary(t), clitest.EngineArgs(t)
	dir := t.TempDir()
	one := flatPicture(t, 1600, 1200)
	var files []string
	for i := range 300 {
		path := filepath.Join(dir, strconv.Itoa(i)+".png")
		if err := os.Link(one, path); err != nil {
			t.Fatal(err)
		}
		files = append(files, path)
	}
	out := filepath.Join(t.TempDir(), "out")
	cmd := exec.CommandContext(t.Context(), exe, append(append([]string{"image", "--annotate", out}, files...),
		engine...)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	printed, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := printed.Read(make([]byte, 1)); err != nil { // the first is done
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, printed); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(said.String(),
		"interrupted") || strings.Count(said.String(), "\n") != 1 {
		t.Errorf("%v, said %.500q", err, said.String())
	}
	half, err := filepath.Glob(filepath.Join(out, ".part-*"))
	if err != nil || len(half) > 0 {
		t.Errorf("left behind: %v, %v", half, err)
	}
}

// TestImageSaysNoMore: a file that is cut short is one line of ours, and a bad colour profile none. libpng would print
// lines for both.
func TestImageSaysNoMore(t *testing.T) {
	whole, err := os.ReadFile(flatPicture(t, 64, 48))
	if err != nil {
		t.Fatal(err)
	}
	chunk := []byte("iCCPprofile\x00\x00what is no profile")
	profile := slices.Concat([]byte{0, 0, 0, byte(len(chunk) - 4)}, chunk, be.BigEndian.AppendUint32(nil,
		crc32.ChecksumIEEE(chunk)))
	dir := t.TempDir()
	half, odd := filepath.Join(dir, "half.png"), filepath.Join(dir, "odd.png")
	for path, data := range map[string][]byte{half: whole[:len(whole)-20], odd: slices.Concat(whole[:33], profile,
		whole[33:])} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(clitest.Binary(t), append([]string{"image", half, odd}, clitest.EngineArgs(t)...)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	printed, err := cmd.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || string(printed) != odd+": 0 faces\n" || !strings.Contains(said.String(),
		"half.png: damaged picture") || strings.Count(said.String(), "\n") != 1 {
		t.Errorf("%v: it printed %q and said %q", err, printed, said.String())
	}
}

// TestVideoFullDisk: a limit on the size of files acts as a full disk does. It is an error, and no incomplete file
// stays.
func TestVideoFullDisk(t *testing.T) {
	exe, engine := clitest.Binary(t), clitest.EngineArgs(t)
	clip := testkit.MakeVideo(t, "clip.mp4", "-i", testkit.Clip(t), "-t", "2", "-c:v", "libx264")
	for _, c := range []struct{ option, file string }{{"--annotate", "out.mp4"}, {"--out", "out.jsonl"}} {
		dir := t.TempDir()
		args := append([]string{"-c", `ulimit -f 8; exec "$@"`, "bash", exe, "video", clip, "--json", c.option,
			filepath.Join(dir, c.file)}, engine...)
		cmd := exec.Command("bash", args...)
		var said bytes.Buffer
		cmd.Stderr = &said
		err := cmd.Run()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(said.String(), c.file) ||
			strings.Count(said.String(), "\n") != 1 {
			t.Errorf("%s: %v, said %q", c.option, err, said.String())
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
			t.Errorf("%s left behind: %v (%v)", c.option, entries, err)
		}
	}
}
