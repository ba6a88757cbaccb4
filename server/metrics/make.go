package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
)

const prefix = "mindflow_"

func (m *Metrics) counters(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, labels)
	m.registry.MustRegister(v)
	return v
}

func (m *Metrics) counter(name, help string) prometheus.Counter {
	return m.counters(name, help).WithLabelValues()
}

func (m *Metrics) gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: prefix + name, Help: help}, labels)
	m.registry.MustRegister(v)
	return v
}

func (m *Metrics) histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: prefix + name, Help: help, Buckets: buckets}, labels)
	m.registry.MustRegister(v)
	return v
}

// CountsOf adds counters that are kept elsewhere: read gives them by the value of their one label, of which there are
// few, and never fewer than before. It is called at each scrape, by several goroutines.
func (m *Metrics) CountsOf(name, help, label string, read func() map[string]uint64) {
	m.elsewhere(name, help, label, prometheus.CounterValue, read)
}

// LevelsOf is CountsOf for what may also fall.
func (m *Metrics) LevelsOf(name, help, label string, read func() map[string]uint64) {
	m.elsewhere(name, help, label, prometheus.GaugeValue, read)
}

// LevelOf adds a level that is kept elsewhere. read is called at each scrape, by several goroutines.
func (m *Metrics) LevelOf(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + name, Help: help}, read))
}

func (m *Metrics) elsewhere(name, help, label string, kind prometheus.ValueType, read func() map[string]uint64) {
	m.registry.MustRegister(&elsewhere{prometheus.NewDesc(prefix+name, help, []string{label}, nil), kind, read})
}

// elsewhere is a family whose values are read when they are asked for.
type elsewhere struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func() map[string]uint64
}

func (e *elsewhere) Describe(to chan<- *prometheus.Desc) { to <- e.desc }

func (e *elsewhere) Collect(to chan<- prometheus.Metric) {
	for value, n := range e.read() {
		to <- prometheus.MustNewConstMetric(e.desc, e.kind, float64(n), value)
	}
}
