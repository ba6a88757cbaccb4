package vision

import "gocv.io/x/gocv"

// Version returns the release of the OpenCV library in use, such as 4.6.0.
func Version() string { return gocv.OpenCVVersion() }
