// Command build turns a DAN checkpoint into the ONNX file that is run:
//
//	go run ./models/build -checkpoint dan-ferplus.pth -out models/weights/dan-ferplus.onnx
package main

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"mindflow/models/checkpoint"
	"mindflow/models/dan"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "build:", err)
		}
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	fs := flag.NewFlagSet("build", flag.ContinueOnError)
	from := fs.String("checkpoint", "", "PyTorch `file` with the weights")
	to := fs.String("out", "", "ONNX `file` to write")
	precision := fs.String("precision", string(dan.FP16), "how weights are stored: fp32 or fp16")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *from == "" || *to == "" {
		return errors.New("name both files: -checkpoint FILE.pth -out FILE.onnx")
	}
	tensors, err := checkpoint.Read(*from)
	if err != nil {
		return err
	}
	model, summary, err := dan.Build(tensors, dan.Precision(*precision))
	if err != nil {
		return fmt.Errorf("%s: %w", *from, err)
	}
	data := model.Marshal()
	if err := os.WriteFile(*to, data, 0o644); err != nil {
		return fmt.Errorf("write model: %w", err)
	}
	_, err = fmt.Fprintf(out, "%s: %d heads, %d classes, %d parameters, %d bytes, sha256 %x\n",
		*to, summary.Heads, summary.Classes, summary.Parameters, len(data), sha256.Sum256(data))
	return err
}
