// Frames runs the pipeline on every frame of a YUV4MPEG2 file and prints a message a frame: what the
// browser test holds the boxes against that come back over WebRTC.
//
//	go run ./bench/frames FILE.y4m
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"mindflow/models/engine"
	"mindflow/pipeline"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "frames:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	settings := engine.Flags(flag.CommandLine)
	flag.Parse()
	if flag.NArg() != 1 {
		return errors.New("name one y4m file")
	}
	file, err := os.Open(flag.Arg(0))
	if err != nil {
		return err
	}
	defer file.Close()
	in := bufio.NewReaderSize(file, 1<<20)
	f, interval, err := readHeader(in)
	if err != nil {
		return fmt.Errorf("%s: %w", flag.Arg(0), err)
	}
	e, err := engine.Open(*settings)
	if err != nil {
		return err
	}
	defer e.Close()
	analyzer, out, start := e.NewAnalyzer(), json.NewEncoder(os.Stdout), time.Now()
	for n := 0; ; n++ {
		if err := readFrame(in, f); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("%s, frame %d: %w", flag.Arg(0), n, err)
		}
		at := time.Duration(n) * interval
		f.RTP, f.Arrived = uint32(at*90_000/time.Second), start.Add(at)
		m := pipeline.Message{V: pipeline.Version, Seq: uint64(n), Dropped: map[string]uint64{}}
		if err := analyzer.Analyze(ctx, &m, f); err != nil {
			return err
		}
		if err := out.Encode(m); err != nil {
			return err
		}
	}
}

// readHeader reads a stream header such as "YUV4MPEG2 W640 H480 F30:1 C420jpeg".
func readHeader(in *bufio.Reader) (f *pipeline.Frame, interval time.Duration, err error) {
	line, err := in.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "YUV4MPEG2 ") {
		return nil, 0, errors.New("not a YUV4MPEG2 file")
	}
	f = &pipeline.Frame{}
	for _, field := range strings.Fields(line)[1:] {
		value := field[1:]
		switch field[0] {
		case 'W':
			f.Width, err = strconv.Atoi(value)
		case 'H':
			f.Height, err = strconv.Atoi(value)
		case 'F':
			var num, den int64
			if _, err = fmt.Sscanf(value, "%d:%d", &num, &den); err == nil {
				interval = time.Duration(den * int64(time.Second) / num)
			}
		case 'C':
			if !strings.HasPrefix(value, "420") {
				err = errors.New("only 4:2:0 is read")
			}
		}
		if err != nil {
			return nil, 0, fmt.Errorf("header field %s: %w", field, err)
		}
	}
	luma := f.Width * f.Height
	f.YStride, f.CStride = f.Width, (f.Width+1)/2
	chroma := f.CStride * ((f.Height + 1) / 2)
	f.Y, f.U, f.V = make([]byte, luma), make([]byte, chroma), make([]byte, chroma)
	return f, interval, nil
}

// readFrame fills f's planes. It gives io.EOF between frames only.
func readFrame(in *bufio.Reader, f *pipeline.Frame) error {
	line, err := in.ReadString('\n')
	if err != nil {
		return err
	}
	if !strings.HasPrefix(line, "FRAME") {
		return fmt.Errorf("%q where FRAME should stand", line)
	}
	for _, plane := range [][]byte{f.Y, f.U, f.V} {
		if _, err := io.ReadFull(in, plane); err != nil {
			return io.ErrUnexpectedEOF
		}
	}
	return nil
}
