package avfile

import (
	"errors"
	"fmt"
	"io"
	"os"

	"mindflow/pipeline/container"
)

// check finds faults that a user can correct, and refuses files that are no videos, before libavformat reads them. It
// returns how many bytes are missing, and whether parts do not follow each other. Errors call the file name.
func check(path, name string) (missing int64, gaps bool, err error) {
	info, err := os.Stat(path) // before opening, which would wait for the writer of a pipe
	if err != nil {
		return 0, false, fmt.Errorf("read video: %w", err)
	}
	switch {
	case info.IsDir():
		return 0, false, fmt.Errorf("read %s: it is a folder; name the video files in it", name)
	case !info.Mode().IsRegular():
		return 0, false, fmt.Errorf("read %s: not a regular file; save the video to a file first", name)
	case info.Size() == 0:
		return 0, false, fmt.Errorf("read %s: the file is empty; copy or record it again", name)
	}
	file, err := os.Open(path)
	if err != nil {
		return 0, false, fmt.Errorf("read video: %w", err)
	}
	defer file.Close()
	head := make([]byte, container.HeadSize)
	n, err := io.ReadFull(file, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, false, fmt.Errorf("read %s: %w", name, err)
	}
	kind := container.Of(head[:n])
	switch kind {
	case container.Sound:
		return 0, false, fmt.Errorf("read %s: it holds sound only; name a file with a video track", name)
	case container.Picture:
		return 0, false, fmt.Errorf("read %s: it is a picture; use mindflow image", name)
	case container.HEIF:
		return 0, false, fmt.Errorf("read %s: a HEIC or AVIF picture, which is not read; convert it to JPEG and use "+
			"mindflow image", name)
	case container.Unknown:
		return 0, false, fmt.Errorf("read %s: not a video of a known format; use %s", name, container.Known)
	}
	return container.Missing(kind, file, info.Size()), container.HasGaps(kind, file, info.Size()), nil
}
