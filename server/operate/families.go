package operate

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

func (m *Metrics) histogram(name, help string, buckets []float64) prometheus.Histogram {
	return m.histograms(name, help, buckets).WithLabelValues().(prometheus.Histogram)
}

func (m *Metrics) histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: prefix + name, Help: help, Buckets: buckets}, labels)
	m.registry.MustRegister(v)
	return v
}

// CounterVecFunc adds counters that are kept elsewhere. read returns them by the value of their label, of which there
// are few, and they never decrease. It is called at each scrape, by several goroutines.
func (m *Metrics) CounterVecFunc(name, help, label string, read func() map[string]uint64) {
	m.vecFunc(name, help, label, prometheus.CounterValue, read)
}

// GaugeVecFunc is CounterVecFunc for values that may decrease.
func (m *Metrics) GaugeVecFunc(name, help, label string, read func() map[string]uint64) {
	m.vecFunc(name, help, label, prometheus.GaugeValue, read)
}

// GaugeFunc adds a gauge that is kept elsewhere. read is called at each scrape, by several goroutines.
func (m *Metrics) GaugeFunc(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + name, Help: help}, read))
}

func (m *Metrics) vecFunc(name, help, label string, kind prometheus.ValueType, read func() map[string]uint64) {
	m.registry.MustRegister(&vecFunc{prometheus.NewDesc(prefix+name, help, []string{label}, nil), kind, read})
}

// vecFunc is a family whose values are read at each scrape.
type vecFunc struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func() map[string]uint64
}

func (v *vecFunc) Describe(to chan<- *prometheus.Desc) { to <- v.desc }

func (v *vecFunc) Collect(to chan<- prometheus.Metric) {
	for value, n := range v.read() {
		to <- prometheus.MustNewConstMetric(v.desc, v.kind, float64(n), value)
	}
}
