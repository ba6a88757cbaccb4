package media

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/cmd/mindflow/internal/terminal"
	"mindflow/pipeline"
	"mindflow/pipeline/synthetic"
	"mindflow/pipeline/vpx"
	"mindflow/server/loadtest"
	"mindflow/server/whipclient"
)

// loadFlags holds the settings of `loadtest`.
type loadFlags struct {
	sessions  int
	duration  time.Duration
	input     string // optional; the drawn face without it
	size      string
	rate      float64
	bitrate   int // kbit/s
	token     settings.Secret
	loss      float64 // percent
	jitter    float64 // milliseconds
	bandwidth int     // kbit/s; 0 is no limit
	limits    loadtest.Limits
	asJSON    bool

	coding loadtest.Coding // set by check
}

func newLoadFlags(fs *flag.FlagSet) *loadFlags {
	f := &loadFlags{}
	fs.IntVar(&f.sessions, "sessions", 1, "sessions at a time")
	fs.DurationVar(&f.duration, "duration", 30*time.Second, "time that is counted, once all sessions stand")
	fs.StringVar(&f.input, "input", "", "video `file` to publish, its first minute over and over; a drawn face where "+
		"none is named")
	fs.StringVar(&f.size, "size", "640x480", "`pixels` of the video that is sent; a clip of another shape gets bars")
	fs.Float64Var(&f.rate, "rate", 30, "frames a second that are sent; those of the clip are repeated or left out")
	fs.IntVar(&f.bitrate, "bitrate", 1000, "kbit/s of the video that is sent")
	fs.Var(&f.token, "token", "bearer `token`; MINDFLOW_TOKEN keeps it out of the list of processes")
	fs.Float64Var(&f.loss, "loss", 0, "`percent` of the video's packets to lose on their way")
	fs.Float64Var(&f.jitter, "jitter", 0, "`milliseconds` by which the video's packets are late at most, each by "+
		"chance")
	fs.IntVar(&f.bandwidth, "bandwidth", 0, "`kbit/s` of each session's way to the server; 0 is no limit")
	fs.Float64Var(&f.limits.MaxP95, "max-p95", 0, "fail when the 95th percentile over all sessions is more "+
		"`milliseconds`; 0 is no limit")
	fs.Float64Var(&f.limits.MinRate, "min-rate", 0, "fail when a session gets fewer `labels` a second")
	fs.BoolVar(&f.asJSON, "json", false, "print the result as JSON")
	return f
}

func (f *loadFlags) check() error {
	w, h, err := parseSize(f.size)
	f.coding = loadtest.Coding{Width: w, Height: h, Rate: f.rate, Bitrate: 1000 * f.bitrate}
	switch { // comparisons that fail for NaN too
	case err != nil:
		return err
	case f.sessions < 1 || f.sessions > 10_000:
		return fmt.Errorf("--sessions %d: use 1 to 10000", f.sessions)
	case f.duration < time.Second || f.duration > 30*24*time.Hour:
		return fmt.Errorf("--duration %v: use 1s to 720h", f.duration)
	case !(f.rate >= 1 && f.rate <= 240):
		return fmt.Errorf("--rate %v: use 1 to 240 frames a second", f.rate)
	case f.bitrate < vpx.MinBitrate/1000 || f.bitrate > vpx.MaxBitrate/1000:
		return fmt.Errorf("--bitrate %d: use %d to %d kbit/s", f.bitrate, vpx.MinBitrate/1000, vpx.MaxBitrate/1000)
	case !(f.loss >= 0 && f.loss <= 100):
		return fmt.Errorf("--loss %v: use 0 to 100 percent", f.loss)
	case !(f.jitter >= 0 && f.jitter <= 10_000):
		return fmt.Errorf("--jitter %v: use 0 to 10000 milliseconds", f.jitter)
	case f.bandwidth != 0 && (f.bandwidth < 10 || f.bandwidth > 1_000_000):
		return fmt.Errorf("--bandwidth %d: use 10 to 1000000 kbit/s, or 0 for no limit", f.bandwidth)
	case !(f.limits.MaxP95 >= 0 && f.limits.MinRate >= 0):
		return errors.New("--max-p95, --min-rate: use numbers of 0 or more")
	}
	return settings.CheckToken(f.token)
}

// line returns the network conditions that the flags ask for.
func (f *loadFlags) conditions() whipclient.Conditions {
	return whipclient.Conditions{Loss: f.loss / 100, Jitter: time.Duration(f.jitter * float64(time.Millisecond)),
		Bandwidth: 1000 * f.bandwidth}
}

// clip encodes what is sent.
func (f *loadFlags) clip(ctx context.Context, show *terminal.Line) ([]pipeline.Unit, error) {
	const period = 24 * time.Second // after which the drawn face is back where it began, with the same smile
	var video pipeline.Video = synthetic.NewVideo(f.coding.Width, f.coding.Height, f.rate, period)
	if f.input != "" {
		var err error
		if video, err = openClip(f.input); err != nil {
			return nil, err
		}
	}
	units, err := loadtest.Code(ctx, video, f.coding, func(frames int) {
		show.Show(fmt.Sprintf("coding the clip: %.1f s", float64(frames)/f.rate))
	})
	if errors.Is(err, context.Canceled) {
		return nil, errors.New("loadtest: interrupted before anything was counted")
	}
	return units, err
}

// LoadTest publishes a clip to a server over many sessions and measures what comes back.
func LoadTest() settings.Command {
	fs := settings.NewFlags("loadtest")
	how := newLoadFlags(fs)
	return settings.Command{Flags: fs, Run: func(ctx context.Context, call settings.Call, out io.Writer) error {
		if len(call.Args) != 1 {
			return errors.New("loadtest: name one server, such as mindflow loadtest http://localhost:8080 --sessions 4")
		}
		server, err := whipURL(call.Args[0])
		if err != nil {
			return fmt.Errorf("loadtest: %w", err)
		}
		if err := how.check(); err != nil {
			return err
		}
		return how.run(ctx, server, out)
	}}
}

func (f *loadFlags) run(ctx context.Context, server string, out io.Writer) error {
	show := terminal.NewLine(os.Stderr, 100*time.Millisecond)
	defer show.Clear()
	units, err := f.clip(ctx, show)
	if err != nil {
		return err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	result, err := loadtest.Run(ctx, loadtest.Plan{
		URL: server, Token: string(f.token), Client: &http.Client{Transport: transport},
		Sessions: f.sessions, Duration: f.duration, Units: units, Rate: f.rate,
		Conditions: f.conditions(), Progress: show.Show,
	})
	show.Clear()
	if err != nil {
		return fmt.Errorf("loadtest: %w", err)
	}
	if f.asJSON {
		err = json.NewEncoder(out).Encode(result)
	} else {
		err = result.Table(out)
	}
	if err != nil {
		return fmt.Errorf("print the result: %w", err)
	}
	return result.Check(f.limits)
}
