// Package throughput measures how many faces a second a device classifies, and what share of its limit that is.
package throughput

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"mindflow/models/dan"
	"mindflow/models/engine"
	"mindflow/pipeline"
	"mindflow/pipeline/field"
	"mindflow/pipeline/schedule"
	"mindflow/pipeline/synthetic"
)

// Plan lists what is measured.
type Plan struct {
	Engine     engine.Settings // its batch and precision are replaced by those below
	Batches    []int
	Precisions []string
	Time       time.Duration // of each measurement
	Progress   func(text string)
	Text       func(error) string // returns an error's text for the user; optional
}

func (p Plan) text(err error) string {
	if p.Text == nil {
		return err.Error()
	}
	return p.Text(err)
}

// Result holds the measurements.
type Result struct {
	Device  string  `json:"device"`
	Library string  `json:"library"`
	Model   string  `json:"model"`
	Threads int     `json:"threads"` // CPU threads for one batch
	Flops   int     `json:"flops"`   // additions and multiplications for one face; zero means unknown
	Rows    []Row   `json:"rows"`
	Limits  []Limit `json:"limits"`
	Skipped []Skip  `json:"skipped"`
}

// Skip is a precision that could not be measured.
type Skip struct {
	Precision string `json:"precision"`
	Why       string `json:"why"`
}

// Row is one size of batch in one precision.
type Row struct {
	Precision string  `json:"precision"`
	Batch     int     `json:"batch"`
	Median    float64 `json:"p50_ms"` // from faces to their scores, one batch at a time
	P95       float64 `json:"p95_ms"`
	Alone     float64 `json:"faces_per_second"`           // likewise
	InFlight  int     `json:"in_flight"`                  // batches at once, for what follows
	Together  float64 `json:"faces_per_second_in_flight"` // as a server runs them
	Share     float64 `json:"share_of_limit"`             // of the device's limit, 0..1; zero means unknown
	Joule     float64 `json:"joule_per_face"`             // zero means unknown
	Apart     float64 `json:"apart"`                      // largest probability difference from the CPU in float32
	Same      float64 `json:"same_label"`                 // share of the faces with the label that the CPU gives
}

// Run measures what p lists. It opens ONNX Runtime, of which a process has only one.
func Run(ctx context.Context, p Plan) (Result, error) {
	cpu := p.Engine
	cpu.Device = engine.Device{Name: "cpu", Precision: engine.FP32}
	cpu.Batch = schedule.Batching{MaxCrops: pictures}
	p.say("asking the CPU for its answers")
	faces, truth, err := reference(ctx, cpu)
	if err != nil {
		return Result{}, err
	}
	r := Result{Library: p.Engine.Library, Threads: p.Engine.Threads, Skipped: []Skip{}, Rows: []Row{}}
	for _, precision := range p.Precisions {
		err := p.precision(ctx, &r, precision, faces, truth)
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		if err != nil {
			skip := Skip{precision, p.text(err)}
			p.say(fmt.Sprintf("%s skipped: %s", precision, skip.Why))
			r.Skipped = append(r.Skipped, skip)
		}
	}
	if len(r.Rows) == 0 {
		return r, fmt.Errorf("nothing could be measured: %s", r.Skipped[0].Why)
	}
	if r.Limits, err = p.limits(ctx, r); err != nil {
		return r, err
	}
	r.share()
	return r, nil
}

func (p Plan) say(text string) {
	if p.Progress != nil {
		p.Progress(text)
	}
}

// pictures is the number of drawn pictures on which devices are compared.
const pictures = 8

// face is a drawn picture, and where its face is.
type face struct {
	frame pipeline.Frame
	box   pipeline.Box
}

// reference returns the faces and the probabilities that the CPU computes for them.
func reference(ctx context.Context, s engine.Settings) (faces []face, truth [][]float64, err error) {
	e, err := engine.Open(s)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	film := synthetic.NewVideo(640, 480, 2, pictures/2*time.Second)
	for range pictures {
		frame, _, err := film.Next()
		if err != nil {
			return nil, nil, fmt.Errorf("draw a face: %w", err)
		}
		found, err := e.Analysis.Detector.Detect(ctx, nil, frame)
		if err != nil {
			return nil, nil, err
		}
		if len(found) == 0 {
			return nil, nil, field.Errorf("Detector", "the detector finds no face in the drawn picture; choose another")
		}
		own := *frame // the video reuses its frame
		own.Y, own.U, own.V = slices.Clone(frame.Y), slices.Clone(frame.U), slices.Clone(frame.V)
		faces = append(faces, face{own, found[0].Box})
	}
	scores, err := e.Analysis.Classifier.Classify(ctx, nil, crop(e.Analysis.Model, faces))
	return faces, probabilities(scores), err
}

// crop returns the crops of the faces, made as in a session.
func crop(m pipeline.Model, faces []face) (crops []pipeline.Crop) {
	sampler := pipeline.NewSampler(m.Input)
	for i := range faces {
		c, f := m.Input.NewCrop(), &faces[i].frame
		sampler.Crop(c, f, m.Crop.Region(faces[i].box, f))
		crops = append(crops, c)
	}
	return crops
}

func probabilities(scores []pipeline.Scores) (list [][]float64) {
	for _, s := range scores {
		most, sum := float64(slices.Max(s.Logits)), 0.0
		p := make([]float64, len(s.Logits))
		for i, logit := range s.Logits {
			p[i] = math.Exp(float64(logit) - most)
			sum += p[i]
		}
		for i := range p {
			p[i] /= sum
		}
		list = append(list, p)
	}
	return list
}

// precision measures all batch sizes in one precision.
func (p Plan) precision(ctx context.Context, r *Result, precision string, faces []face, truth [][]float64) (err error) {
	s := p.Engine
	s.Device.Precision, s.Batch.MaxCrops = precision, slices.Max(p.Batches)
	p.say(fmt.Sprintf("loading %s in %s on %s", s.Classifiers[0], precision, s.Device.Name))
	e, err := engine.Open(s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	if len(e.Notes) > 0 && precision != engine.FP32 {
		return errors.New(e.Notes[0])
	}
	m := e.Analysis.Model
	crops := crop(m, faces)
	var scores []pipeline.Scores
	for i := range crops {
		if scores, err = e.Analysis.Classifier.Classify(ctx, scores, crops[i:i+1]); err != nil {
			return err
		}
	}
	r.Device, r.Model = e.Device(), m.Name
	if m.Decoder == "dan" && len(scores) > 0 {
		_, built := dan.Costs(scores[0].Attention.Heads, len(m.Labels), m.Input.Size)
		r.Flops = 2 * built.MACs
	}
	apart, same := compare(probabilities(scores), truth)
	if math.IsNaN(apart) {
		return errors.New("its answers are no numbers")
	}
	for _, batch := range p.Batches {
		p.say(fmt.Sprintf("%s in %s on %s: batches of %d", m.Name, precision, e.Device(), batch))
		row, err := p.measure(ctx, e, crops, batch)
		if err != nil {
			return err
		}
		row.Precision, row.Apart, row.Same = precision, apart, same
		r.Rows = append(r.Rows, row)
	}
	if left := e.Degraded(); len(left) > 0 {
		r.Rows = slices.DeleteFunc(r.Rows, func(row Row) bool { return row.Precision == precision })
		return fmt.Errorf("the device was lost: %v", left)
	}
	return nil
}

func compare(got, truth [][]float64) (apart, same float64) {
	for i := range got {
		for k := range got[i] {
			apart = max(apart, math.Abs(got[i][k]-truth[i][k])) // NaN if one of them is NaN
		}
		if slices.Index(got[i], slices.Max(got[i])) == slices.Index(truth[i], slices.Max(truth[i])) {
			same += 1 / float64(len(got))
		}
	}
	return apart, same
}

// measure times batches of one size: first one at a time, then as many at once as a server runs.
func (p Plan) measure(ctx context.Context, e *engine.Engine, crops []pipeline.Crop, batch int) (row Row, err error) {
	var faces []pipeline.Crop
	for i := range batch {
		faces = append(faces, crops[i%len(crops)])
	}
	classify := func() error {
		_, err := e.Analysis.Classifier.Classify(ctx, nil, faces)
		return err
	}
	for range 3 { // the first calls allocate memory and choose kernels for the shape
		if err := classify(); err != nil {
			return row, err
		}
	}
	times, took, err := repeat(classify, p.Time)
	if err != nil {
		return row, err
	}
	slices.Sort(times)
	row = Row{Batch: batch, Median: times[len(times)/2], P95: times[len(times)*95/100],
		Alone: float64(batch*len(times)) / took.Seconds()}
	row.InFlight = e.InFlight()
	meter := p.startMeter(ctx, e.Device())
	done, took, err := together(classify, row.InFlight, p.Time)
	joule := meter.stop(took)
	if err != nil {
		return row, err
	}
	row.Together = float64(batch) * float64(done) / took.Seconds()
	if joule > 0 {
		row.Joule = joule / (float64(batch) * float64(done))
	}
	return row, nil
}

// leastRounds is the smallest number of calls that are timed, however long they take.
const leastRounds = 5

// repeat calls one after another for about long, and returns the time of each call in milliseconds.
func repeat(call func() error, long time.Duration) (times []float64, took time.Duration, err error) {
	began := time.Now()
	for took < long || len(times) < leastRounds {
		start := time.Now()
		if err := call(); err != nil {
			return nil, 0, err
		}
		times = append(times, float64(time.Since(start))/float64(time.Millisecond))
		took = time.Since(began)
	}
	return times, took, nil
}

// together calls from inFlight goroutines at once for about long, and returns the number of calls.
func together(call func() error, inFlight int, long time.Duration) (done int64, took time.Duration, err error) {
	var count atomic.Int64
	errs := make([]error, inFlight)
	began := time.Now()
	var work sync.WaitGroup
	for i := range inFlight {
		work.Add(1)
		go func() {
			defer work.Done()
			for errs[i] == nil && (time.Since(began) < long || count.Load() < leastRounds) {
				if errs[i] = call(); errs[i] == nil {
					count.Add(1)
				}
			}
		}()
	}
	work.Wait()
	return count.Load(), time.Since(began), errors.Join(errs...)
}

// Processors returns the number of processors that the CPU's figures are measured on.
func Processors() int { return runtime.NumCPU() }
