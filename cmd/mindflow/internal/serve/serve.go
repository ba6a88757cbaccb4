// Package serve holds the commands for a server: serve with its supervisor, token and ready.
package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/cmd/mindflow/internal/terminal"
	"mindflow/models/engine"
	"mindflow/pipeline/avdec"
	"mindflow/server"
	"mindflow/server/operate"
	"mindflow/server/session"
	"mindflow/web"
)

// Serve serves the page and analyses the cameras of those who open it. release is the program's.
func Serve(release string) settings.Command {
	fs := settings.NewFlags("serve")
	s := settings.ServeFlags(fs)
	onlyPrint := fs.Bool(settings.PrintFlag, false, "print the settings and where each comes from, as a settings "+
		"file, and end")
	return settings.Command{Flags: fs, Run: func(ctx context.Context, call settings.Call, out io.Writer) error {
		if len(call.Args) > 0 {
			return fmt.Errorf("serve takes no argument %q; mindflow serve --help lists the flags", call.Args[0])
		}
		if err := s.Check(); err != nil {
			return err
		}
		if err := s.Access.CheckAccess(s.Server.Listen, call.From); err != nil {
			return err
		}
		if *onlyPrint {
			return settings.PrintConfig(out, fs, call.From)
		}
		if s.Supervise {
			return supervise(call.Words, s.Log.Open(os.Stderr))
		}
		return serve(ctx, s, release, out)
	}}
}

// serve serves until ctx ends.
func serve(ctx context.Context, s *settings.Serve, release string, out io.Writer) (err error) {
	cfg := s.Server
	cfg.Version, cfg.Log = release, s.Log.Open(os.Stderr)
	cfg.Metrics, cfg.Readiness = operate.NewMetrics(release), &operate.Readiness{}
	if cfg.Access, err = openGate(&s.Access, cfg.Log); err != nil {
		return err
	}
	if cfg.Site, err = web.Site(); err != nil {
		return err
	}
	if s.Admin != "" { // first, so that operators can watch while the models are loaded
		a, failed := operate.ListenAdmin(s.Admin, map[string]http.Handler{
			"/metrics": cfg.Metrics.Handler(), "/readyz": cfg.Readiness,
		})
		if failed != nil {
			return failed
		}
		defer func() { err = errors.Join(err, a.Close()) }()
		cfg.Log.Info("serving operators", "http", a.Addr().String())
	}
	var held heldLog
	e, err := openEngine(ctx, s.Engine, &cfg, &held)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	countCObjects(cfg.Metrics)
	https, err := openTLS(s.TLS, cfg.Listen, cfg.Log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, https.close()) }()
	cfg.TLS = https.config
	addresses := openAddresses(s.ICE, &cfg)
	defer func() { err = errors.Join(err, addresses.Close()) }()
	opener, err := openDecoders(s.Decode, s.MaxPixels, &held, cfg.Log, cfg.Metrics)
	if err != nil {
		return err
	}
	defer opener.close()
	cfg.Degraded = e.Degraded
	running, err := server.New(cfg, session.Engine{OpenDecoder: opener.decoder, Analyses: e.Analyses,
		Scheduler: e.Scheduler})
	if err != nil {
		return err
	}
	held.writeTo(cfg.Log)
	if err := https.begin(running.Addr(), out); err != nil {
		return errors.Join(err, running.Close())
	}
	defer terminal.OnSecondInterrupt(running.Hurry)()
	return running.Serve(ctx)
}

// openEngine loads the models and prepares them for all sizes of batch.
func openEngine(ctx context.Context, chosen engine.Settings, cfg *server.Config, held *heldLog) (*engine.Engine,
	error) {
	chosen.Batch.OnBatch = cfg.Metrics.Batch
	chosen.OnFallback = func(network, device string, why error) {
		cfg.Metrics.Errors.WithLabelValues("device").Inc()
		cfg.Log.Error("a network failed on its device and goes on on the CPU", "network", network, "device", device,
			"err", why)
	}
	chosen.Device.Log = func(text string) { held.info("choosing what networks run on", "device", text) }
	chosen.OnWarmUp = func(network string, batch, most int) {
		cfg.Log.Info("preparing a network for a size of batch", "network", network, "batch", batch, "most", most)
	}
	settings.ProbeDevices(ctx, &chosen)
	e, err := engine.Open(chosen)
	if err != nil {
		return nil, err
	}
	for _, note := range e.Notes {
		cfg.Log.Warn(note)
	}
	if err := e.WarmUp(chosen); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// heldLog holds log lines about the machine until the server stands. A start that fails prints its cause alone.
type heldLog struct{ lines []func(*slog.Logger) }

func (h *heldLog) info(text string, args ...any) {
	h.lines = append(h.lines, func(log *slog.Logger) { log.Info(text, args...) })
}

func (h *heldLog) writeTo(log *slog.Logger) {
	for _, line := range h.lines {
		line(log)
	}
}

// countCObjects adds a gauge of the objects in C's memory, which a session frees when it ends.
func countCObjects(m *operate.Metrics) {
	m.GaugeVecFunc("c_objects", "Objects in C's memory that belong to sessions.", "kind", func() map[string]uint64 {
		return map[string]uint64{"decoder": uint64(avdec.Live())}
	})
}

// supervise runs `serve` with the same arguments in a process of its own and restarts it when it fails.
func supervise(args []string, log *slog.Logger) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, terminal.Interrupts()...)
	defer signal.Stop(signals)
	return supervisor{
		command: func() *exec.Cmd {
			cmd := exec.Command(exe, slices.Concat([]string{"serve"}, args, []string{"--supervise=false"})...)
			cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
			return cmd
		},
		signals: signals,
		log:     log,
	}.run()
}
