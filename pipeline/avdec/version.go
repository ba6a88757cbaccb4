package avdec

// #include <libavcodec/avcodec.h>
import "C"

import "fmt"

// Version returns the release of the libavcodec library in use, such as 59.37.100.
func Version() string {
	v := uint(C.avcodec_version())
	return fmt.Sprintf("%d.%d.%d", v>>16, v>>8&0xff, v&0xff)
}
