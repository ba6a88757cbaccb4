package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
)

// release is set by the Makefile with -ldflags -X.
var release = "dev"

func version(_ context.Context, _ []string, out io.Writer) error {
	_, err := fmt.Fprintf(out, "mindflow %s (%s, %s/%s)\n", release, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
