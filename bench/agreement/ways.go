package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// way is one of the ways by which a clip gets to its labels.
type way struct {
	name string
	run  func(ctx context.Context, p place) ([]line, error)
}

// place is where everything is.
type place struct {
	root, binary, clip string
}

var ways = []way{
	{"video", video},
	{"browser", browser},
	{"aiortc", aiortc},
	{"camera", camera},
}

// errAbsent says that this machine or build lacks a way; the others are still compared.
var errAbsent = errors.New("absent")

func video(ctx context.Context, p place) ([]line, error) {
	return messages(exec.CommandContext(ctx, p.binary, "video", "--json", p.clip))
}

func browser(ctx context.Context, p place) ([]line, error) {
	script := filepath.Join(p.root, "bench", "agreement", "browser.js")
	return messages(exec.CommandContext(ctx, "node", script, p.binary, p.clip))
}

func aiortc(ctx context.Context, p place) ([]line, error) {
	const python = "/usr/bin/python3"
	if exec.CommandContext(ctx, python, "-c", "import aiortc").Run() != nil {
		return nil, fmt.Errorf("%w: make test installs python3-aiortc", errAbsent)
	}
	return served(ctx, p, func(url string) ([]line, error) {
		script := filepath.Join(p.root, "server", "strangers", "publish_aiortc.py")
		return messages(exec.CommandContext(ctx, python, "-B", script, url+"/whip", p.clip, "--codec", "VP8"))
	})
}

func camera(ctx context.Context, p place) ([]line, error) {
	if exec.CommandContext(ctx, p.binary, "camera", "--help").Run() != nil {
		return nil, fmt.Errorf("%w: %s has no camera command", errAbsent, p.binary)
	}
	return served(ctx, p, func(url string) ([]line, error) {
		return messages(exec.CommandContext(ctx, p.binary, "camera", "--input", p.clip, "--publish", url, "--json"))
	})
}

// served runs f beside a server of its own. url has no path.
func served(ctx context.Context, p place, f func(url string) ([]line, error)) (list []line, err error) {
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := probe.Addr().String()
	if err := probe.Close(); err != nil {
		return nil, err
	}
	server := exec.CommandContext(ctx, p.binary, "serve", "--listen", address, "--media", ":0")
	var log bytes.Buffer
	server.Stderr = &log
	if err := server.Start(); err != nil {
		return nil, err
	}
	defer func() {
		if failed := errors.Join(server.Process.Signal(syscall.SIGTERM), server.Wait()); failed != nil {
			err = errors.Join(err, fmt.Errorf("serve: %w: %s", failed, log.String()))
		}
	}()
	for {
		res, err := http.Get("http://" + address + "/readyz")
		if err == nil {
			_ = res.Body.Close()
			return f("http://" + address)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// messages runs a command that prints messages, one a line, and gives those with labels.
func messages(cmd *exec.Cmd) (list []line, err error) {
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	list, err = parse(out)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cmd.Args[0], err)
	}
	return list, nil
}

// parse gives the messages with labels of text, which has one message a line.
func parse(text []byte) (list []line, err error) {
	in := json.NewDecoder(bytes.NewReader(text))
	for {
		var text json.RawMessage
		if err := in.Decode(&text); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		var control struct{ Type string }
		if err := json.Unmarshal(text, &control); err != nil {
			return nil, err
		}
		if control.Type != "" { // hello or bye
			continue
		}
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return nil, err
		}
		list = append(list, l)
	}
}
