// Crowd measures whether a session with one face suffers from the company of a session with ten: a server gets two
// sessions, the clip with one face beside itself, and beside a picture of five people twice. The face's rate beside the
// crowd is given as a share of its rate beside one.
//
//	go run ./bench/crowd [-five FIVE-FACES.jpg] [-- FLAGS of serve]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"mindflow/bench/child"
	"mindflow/pipeline/testkit"
	"mindflow/server/loadtest"
)

const least = 0.8 // of the rate beside one face

func main() { child.Main("crowd", run) }

func run(ctx context.Context) (err error) {
	dir, _ := testkit.MediaDir()
	binary := flag.String("binary", child.Binary(), "mindflow, a `file`")
	clip := flag.String("clip", child.Clip(), "video `file` with one face")
	five := flag.String("five", filepath.Join(dir, "five-faces.jpg"), "picture `file` of five faces")
	duration := flag.Duration("duration", 15*time.Second, "time that is measured")
	flag.Parse()
	folder, err := os.MkdirTemp("", "crowd")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	crowd := filepath.Join(folder, "crowd.mp4")
	if err := film(ctx, *five, crowd); err != nil {
		return err
	}
	fmt.Println("| company | the face's labels/s | its p95, ms | the company's labels/s |\n|---|---|---|---|")
	var rates []float64
	for _, company := range []struct{ name, clip string }{{"one face", *clip}, {"ten faces", crowd}} {
		face, other, err := beside(ctx, *binary, *clip, company.clip, *duration, flag.Args())
		if err != nil {
			return err
		}
		fmt.Printf("| %s | %.1f | %.1f | %.1f |\n", company.name, face.Overall.Rate, *face.Overall.P95, other.Overall.Rate)
		rates = append(rates, face.Overall.Rate)
	}
	share := rates[1] / rates[0]
	fmt.Printf("\nBeside ten faces, one keeps %.0f %% of the rate that it has beside one.\n", 100*share)
	if share < least {
		return fmt.Errorf("one face keeps %.2f of its rate, the goal is %.2f", share, least)
	}
	return nil
}

// film makes a video of the picture twice, which sways so that no face rests.
func film(ctx context.Context, picture, to string) error {
	const filter = "split[a][b];[a][b]vstack,crop=iw*0.96:ih*0.96:x='iw*(0.02+0.015*sin(3*t))':y='ih*(0.02+0.015*sin(2*t))'," +
		"scale=640:480:force_original_aspect_ratio=decrease,pad=640:480:-1:-1,format=yuv420p"
	out, err := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-loop", "1", "-i", picture, "-t", "20", "-r", "30",
		"-filter_complex", filter, to).CombinedOutput()
	if err != nil {
		return fmt.Errorf("make a crowd of %s: %w: %s", picture, err, out)
	}
	return nil
}

// beside publishes two clips at the same time, each from a tester of its own.
func beside(ctx context.Context, binary, clip, company string, long time.Duration, serve []string) (face, other *loadtest.Result, err error) {
	server, err := child.Serve(ctx, binary, serve...)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	type answer struct {
		result *loadtest.Result
		err    error
	}
	beyond := make(chan answer, 1)
	go func() { // longer at both ends, since it begins when its clip is coded
		r, err := child.LoadTest(ctx, binary, server.URL, company, 1, long+10*time.Second)
		beyond <- answer{r, err}
	}()
	face, err = child.LoadTest(ctx, binary, server.URL, clip, 1, long)
	a := <-beyond
	if err := errors.Join(err, a.err); err != nil {
		return nil, nil, err
	}
	if face.Overall.P95 == nil {
		return nil, nil, errors.New("no labels came")
	}
	return face, a.result, nil
}
