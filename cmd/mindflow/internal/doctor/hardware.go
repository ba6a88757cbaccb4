package doctor

import (
	"fmt"
	"slices"
	"strings"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/pipeline/avdec"
)

// hardware tries the device that decodes video instead of the CPU. A device that is named must be there.
func hardware(d settings.Decode) Result {
	const check = "decoder device"
	device := d.Device()
	if device == "" {
		return ok(check, "none is wanted: video is decoded on the CPU")
	}
	h, err := avdec.OpenHardware(device)
	if err != nil && !d.Auto() {
		return failed(check, err, "")
	}
	if err != nil {
		r := failed(check, err, "")
		return ok(check, "video is decoded on the CPU, as "+r.Detail)
	}
	defer h.Close()
	var there, here []string
	for codec, why := range h.Codecs() {
		if why == nil {
			there = append(there, string(codec))
		} else {
			here = append(here, fmt.Sprintf("%s (%v)", codec, why))
		}
	}
	slices.Sort(there)
	slices.Sort(here)
	detail := device + " decodes " + strings.Join(there, ", ")
	if len(here) > 0 {
		detail += "; on the CPU " + strings.Join(here, ", ")
	}
	return ok(check, detail)
}
