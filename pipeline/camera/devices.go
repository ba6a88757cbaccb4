// Package camera reads this machine's cameras through pion/mediadevices, of which it is the only importer. It also has
// devices that replace a camera: a synthetic picture, a video that is played, and a stream of the network. All use the
// same code.
package camera

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/mediadevices/pkg/driver"
	v4l2 "github.com/pion/mediadevices/pkg/driver/camera" // lists /dev/video* at the start of the program
)

// Device is a camera, or a replacement for one.
type Device struct {
	Name string // of the device, such as "HD Pro Webcam C920"
	Path string // such as /dev/video0; empty for a replacement

	driver driver.Driver
	player *player // nil for a camera of this machine, and for a drawn picture
	ends   bool    // set for a video; a camera that ends is lost
}

func (d Device) String() string {
	if d.Path == "" {
		return d.Name
	}
	return fmt.Sprintf("%s (%s)", d.Path, d.Name)
}

// Devices returns the cameras that were there when the program started, in order of their numbers.
func Devices() []Device {
	var devices []Device
	for _, d := range driver.GetManager().Query(driver.FilterDeviceType(driver.Camera)) {
		// Label is "the link's name;video0", Name "the device's name;the bus".
		link, node, found := strings.Cut(d.Info().Label, v4l2.LabelSeparator)
		if !found {
			continue
		}
		name, _, _ := strings.Cut(d.Info().Name, v4l2.LabelSeparator)
		devices = append(devices, Device{Name: cmp.Or(name, link), Path: "/dev/" + node, driver: d})
	}
	slices.SortFunc(devices, func(a, b Device) int {
		return cmp.Or(cmp.Compare(number(a.Path), number(b.Path)), strings.Compare(a.Path, b.Path))
	})
	return devices
}

// number returns the N of /dev/videoN, or -1 for another path.
func number(path string) int {
	digits, found := strings.CutPrefix(path, "/dev/video")
	n, err := strconv.Atoi(digits)
	if !found || err != nil {
		return -1
	}
	return n
}

// ErrNone is the error of a machine without a camera that programs may use.
var ErrNone = errors.New("no camera is connected (there is no /dev/video*)")

// Find returns the camera that want names: the N of /dev/videoN, its path, or a part of its name; with "" it is the
// first. Errors list the cameras, and are ErrNone where there is none.
func Find(want string) (Device, error) {
	devices := Devices()
	if len(devices) == 0 {
		return Device{}, ErrNone
	}
	if want == "" {
		return devices[0], nil
	}
	path := want
	if n, err := strconv.Atoi(want); err == nil {
		path = fmt.Sprintf("/dev/video%d", n)
	} else if target, err := filepath.EvalSymlinks(want); err == nil { // such as /dev/v4l/by-id/…
		path = target
	}
	var named []Device
	for _, d := range devices {
		if d.Path == path {
			return d, nil
		}
		if strings.Contains(strings.ToLower(d.Name), strings.ToLower(want)) {
			named = append(named, d)
		}
	}
	switch len(named) {
	case 1:
		return named[0], nil
	case 0:
		return Device{}, fmt.Errorf("no camera is called %q; there is %s", want, list(devices))
	}
	return Device{}, fmt.Errorf("%q fits several cameras: %s; name one by its path", want, list(named))
}

func list(devices []Device) string {
	texts := make([]string, len(devices))
	for i, d := range devices {
		texts[i] = d.String()
	}
	return strings.Join(texts, ", ")
}

// install registers a with mediadevices, like a real camera, and removes it from the list of cameras.
func install(a driver.Adapter, name string) (Device, error) {
	manager, label := driver.GetManager(), fmt.Sprintf("%s %p", name, a)
	if err := manager.Register(a, driver.Info{Label: label, DeviceType: driver.Camera}); err != nil {
		return Device{}, fmt.Errorf("install %s: %w", name, err)
	}
	found := manager.Query(func(d driver.Driver) bool { return d.Info().Label == label })
	if len(found) != 1 {
		return Device{}, fmt.Errorf("install %s: mediadevices lists %d of it, want 1", name, len(found))
	}
	manager.Delete(found[0].ID())
	return Device{Name: name, driver: found[0]}, nil
}
