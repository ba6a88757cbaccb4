package operate

import (
	"net/http"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the Prometheus metrics of one server, in their own registry. Units are seconds and bytes. No label names
// a session, an address or a page, so the number of series does not grow with use. Metrics is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry

	Sessions      prometheus.Gauge       // open now
	SessionsLimit prometheus.Gauge       // at a time
	Started       prometheus.Counter     // sessions
	Ended         *prometheus.CounterVec // sessions, by the reason of their bye
	Refused       *prometheus.CounterVec // requests for a session, by reason
	Ready         prometheus.Gauge       // 1 while sessions are admitted, capacity apart
	ICE           *prometheus.CounterVec // by ICE state that a session entered
	Paths         *prometheus.CounterVec // sessions, by protocol and the remote candidate's type

	Dropped        *prometheus.CounterVec // frames without labels, by reason
	Labels         prometheus.Counter     // messages on data channels
	Events         prometheus.Counter     // messages with labels on event streams
	Followed       prometheus.Counter     // frames in which faces were only tracked
	KeyframesAsked prometheus.Counter     // PLIs
	Repairs        prometheus.Counter     // packets requested by NACK
	Errors         *prometheus.CounterVec // logged errors, by part
	Panics         atomic.Uint64          // recovered; each ended one session

	bytes                           prometheus.Counter
	received, decoded, analysed     prometheus.Counter // frames
	queueAge                        prometheus.Histogram
	decode, detect, classify, total prometheus.Observer
	batchFaces                      prometheus.Histogram
	batchSeconds                    prometheus.Histogram
	batchErrors                     prometheus.Counter
}

// seconds are the buckets of durations, from a fast decoder's time to more than anybody waits.
var seconds = []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5}

// NewMetrics returns the metrics of a release.
func NewMetrics(release string) *Metrics {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m := &Metrics{registry: r}
	m.ofSessions()
	m.ofFrames()
	m.ofBatches()
	build := m.gauges("build_info", "The release that runs; always 1.", "version", "goversion")
	build.WithLabelValues(release, runtime.Version()).Set(1)
	return m
}

func (m *Metrics) ofSessions() {
	m.Sessions = m.gauges("sessions", "Sessions that are open.").WithLabelValues()
	m.SessionsLimit = m.gauges("sessions_limit", "Sessions that may be open at a time.").WithLabelValues()
	m.Ready = m.gauges("ready", "Whether newcomers are taken, capacity apart.").WithLabelValues()
	m.Started = m.counter("sessions_started_total", "Sessions that began.")
	m.Ended = m.counters("sessions_ended_total",
		"Sessions that ended, by the reason that the publisher is told.", "reason")
	m.Refused = m.counters("sessions_refused_total", "Offers that no session came of, by reason.", "reason")
	m.ICE = m.counters("ice_states_total", "ICE states that sessions came to.", "state")
	m.Paths = m.counters("ice_paths_total",
		"Connections by the way that ICE found: protocol, and kind of the publisher's address.", "protocol", "remote")
	m.Errors = m.counters("errors_total", "What did not work, by the part where.", "part")
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: prefix + "panics_recovered_total", Help: "Panics that ended one session and no other.",
	}, func() float64 { return float64(m.Panics.Load()) }))
}

func (m *Metrics) ofFrames() {
	m.bytes = m.counter("media_received_bytes_total", "Bytes of video that came, without headers.")
	m.received = m.counter("frames_received_total", "Frames that came whole.")
	m.decoded = m.counter("frames_decoded_total", "Frames that were decoded.")
	m.analysed = m.counter("frames_analysed_total", "Frames that were analysed.")
	m.Dropped = m.counters("frames_dropped_total", "Frames that got no labels, by reason.", "reason")
	m.Labels = m.counter("labels_sent_total", "Messages with labels that were given to data channels.")
	m.Events = m.counter("label_events_sent_total", "Messages with labels that were given to readers of event streams.")
	m.Followed = m.counter("frames_followed_total",
		"Frames in which faces were only followed, while a turn was waited for.")
	m.KeyframesAsked = m.counter("plis_sent_total", "Key frames that were asked for.")
	m.Repairs = m.counter("nacked_packets_total", "Packets that were asked for again.")
	m.queueAge = m.histogram("frame_queue_age_seconds", "Time from a frame's last packet to its turn.", seconds)
	stages := m.histograms("stage_duration_seconds",
		"Time of a frame in a stage; total is from its last packet to its labels.", seconds, "stage")
	m.decode, m.detect = stages.WithLabelValues("decode"), stages.WithLabelValues("detect")
	m.classify, m.total = stages.WithLabelValues("classify"), stages.WithLabelValues("total")
}

func (m *Metrics) ofBatches() {
	faces := []float64{1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 128, 256}
	m.batchFaces = m.histogram("batch_faces", "Faces that were classified at once.", faces)
	m.batchSeconds = m.histogram("batch_duration_seconds", "Time that a batch took to classify.", seconds)
	m.batchErrors = m.counter("batch_errors_total", "Batches that failed; each session then tried its own part alone.")
}

// Received counts bytes of video and the frames that they complete.
func (m *Metrics) Received(bytes int, frames uint64) {
	m.bytes.Add(float64(bytes))
	m.received.Add(float64(frames))
}

// Decoded counts a frame and observes its decoding time.
func (m *Metrics) Decoded(took time.Duration) {
	m.decoded.Inc()
	m.decode.Observe(took.Seconds())
}

// QueueAge observes the age of a frame when its analysis begins.
func (m *Metrics) QueueAge(age time.Duration) { m.queueAge.Observe(age.Seconds()) }

// Analysed counts a frame and observes the milliseconds of its stages.
func (m *Metrics) Analysed(detect, classify, total float64) {
	m.analysed.Inc()
	m.detect.Observe(detect / 1000)
	m.classify.Observe(classify / 1000)
	m.total.Observe(total / 1000)
}

// Batch observes a batch of faces.
func (m *Metrics) Batch(faces int, took time.Duration, err error) {
	m.batchFaces.Observe(float64(faces))
	m.batchSeconds.Observe(took.Seconds())
	if err != nil {
		m.batchErrors.Inc()
	}
}

// Handler serves /metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
