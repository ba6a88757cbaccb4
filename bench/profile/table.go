package profile

import (
	"fmt"
	"math"
	"time"
)

// of returns the time of the wanted shares. What the profiler itself takes is left out.
func (m *measured) of(wanted func(share) bool) (sum time.Duration) {
	for i, d := range m.time {
		if share(i) != profiling && wanted(share(i)) {
			sum += d
		}
	}
	return sum
}

// ms converts a time to milliseconds a received frame. On loopback every frame that is sent is received.
func (m *measured) ms(d time.Duration) float64 { return d.Seconds() * 1000 / m.frames }

func beyond(s share) bool { return s != libavcodec && s != onnxRuntime }

// outside returns the milliseconds that a frame takes outside libavcodec and ONNX Runtime.
func (m *measured) outside() float64 { return m.ms(m.of(beyond)) }

// table returns the table of the shares.
func (m *measured) table() string {
	all, outside := m.of(func(share) bool { return true }), m.of(beyond)
	percent := func(d time.Duration) float64 { return 100 * d.Seconds() / all.Seconds() }
	text := "| share | CPU ms a received frame | % |\n|---|---|---|\n"
	for i, d := range m.time {
		if share(i) != profiling {
			text += fmt.Sprintf("| %s | %.3f | %.1f |\n", names[i], m.ms(d), percent(d))
		}
	}
	deviation := time.Duration(math.Sqrt(float64(outside) * float64(m.period))) // of the number of samples
	text += fmt.Sprintf("| **all** | %.3f | 100 |\n", m.ms(all))
	text += fmt.Sprintf("| **outside libavcodec and ONNX Runtime** | **%.2f ± %.2f** | %.1f |\n\n",
		m.ms(outside), m.ms(deviation), percent(outside))
	taking := m.time[profiling]
	return text + fmt.Sprintf("%.0f frames of 640×480 received, %.0f of them labelled; the goal is %.1f ms. "+
		"The profile has %.2f s of processor time a second, the kernel counted %.2f; "+
		"taking the profile (%.3f ms a frame) is left out.\n",
		m.frames, m.labels, goal, (all+taking).Seconds()/m.duration.Seconds(), m.kernel, m.ms(taking))
}
