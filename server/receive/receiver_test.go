package receive

import (
	"errors"
	"io"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"mindflow/pipeline"
)

// script is a source of packets that ends.
type script []*rtp.Packet

func (s *script) ReadRTP() (*rtp.Packet, error) {
	if len(*s) == 0 {
		return nil, io.EOF
	}
	next := (*s)[0]
	*s = (*s)[1:]
	return next, nil
}

// recorder is a sink, a writer of RTCP and a counter at once. It requests key frames where they are needed.
type recorder struct {
	*Receiver
	units   []byte // their numbers
	dropped uint64
	rtcp    []rtcp.Packet
	refuse  byte // a unit that is not used
	broken  bool // RTCP cannot be sent
}

func (r *recorder) Unit(u pipeline.Unit) bool {
	r.units = append(r.units, u.Data[1])
	return u.Data[1] != r.refuse
}

func (r *recorder) Dropped(n uint64) { r.dropped += n }
func (r *recorder) NeedKeyframe()    { r.RequestKeyframe() }

func (r *recorder) WriteRTCP(packets []rtcp.Packet) error {
	if r.broken {
		return errors.New("made by the test")
	}
	r.rtcp = append(r.rtcp, packets...)
	return nil
}

// counter counts.
type counter float64

func (c *counter) Add(n float64) { *c += counter(n) }

// newRecorder makes a recorder whose receiver may give all feedback, and the counters of PLIs and NACKs.
func newRecorder(t *testing.T) (r *recorder, plis, nacks *counter) {
	t.Helper()
	r, plis, nacks = &recorder{}, new(counter), new(counter)
	cfg := Config{
		Codec: pipeline.VP8, SSRC: 7, Feedback: Feedback{NACK: true, REMB: true, TransportCC: true}, RTCP: r,
		Log: slog.New(slog.DiscardHandler),
	}
	cfg.Counters.PLIs, cfg.Counters.NACKs = plis, nacks
	var err error
	if r.Receiver, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	return r, plis, nacks
}

// run receives packets that come 10 ms apart.
func (r *recorder) run(packets []*rtp.Packet) {
	take := func(u pipeline.Unit) { r.take(u, r) }
	for i, p := range packets {
		r.packet(p, epoch.Add(time.Duration(i)*10*time.Millisecond), take, r)
	}
}

// Run ends with its source, after the last packet.
func TestRunEndsWithItsSource(t *testing.T) {
	r, _, _ := newRecorder(t)
	packets := script(stream(0, 0, 2))
	if r.Run(&packets, r); !slices.Equal(r.units, []byte{1, 2}) {
		t.Errorf("units %v", r.units)
	}
}

// A missing packet is requested at once and again, until it is there.
func TestRunRequestsMissingPackets(t *testing.T) {
	packets := stream(0, 0, 5)
	order := slices.Concat(packets[:4], packets[5:11], packets[4:5], packets[11:]) // one comes 60 ms late
	r, plis, nacks := newRecorder(t)
	r.run(order)
	if !slices.Equal(r.units, []byte{1, 2, 3, 4, 5}) || r.dropped != 0 || *plis != 0 || *nacks != 2 ||
		len(r.rtcp) != 2 {
		t.Fatalf("units %v, %d dropped, %v PLIs, %v NACKs, sent %v", r.units, r.dropped, *plis, *nacks, r.rtcp)
	}
	nack, ok := r.rtcp[0].(*rtcp.TransportLayerNack)
	if !ok || nack.MediaSSRC != 7 || len(nack.Nacks) != 1 || nack.Nacks[0].PacketID != 4 ||
		nack.Nacks[0].LostPackets != 0 {
		t.Errorf("the first request is %v", r.rtcp[0])
	}
}

// After heavy loss the rate cap is sent before the request for a key frame, and nothing is requested again.
func TestRunInHeavyLoss(t *testing.T) {
	packets := stream(0, 0, 10)
	r, _, _ := newRecorder(t)
	r.run(slices.Concat(packets[:3], packets[21:]))
	var kinds []string
	for _, p := range r.rtcp {
		switch p := p.(type) {
		case *rtcp.ReceiverEstimatedMaximumBitrate:
			kinds = append(kinds, "REMB")
		case *rtcp.PictureLossIndication:
			kinds = append(kinds, "PLI")
			if p.MediaSSRC != 7 {
				t.Errorf("%v", p)
			}
		default:
			t.Errorf("sent %v", p)
		}
	}
	if !slices.Equal(kinds, []string{"REMB", "PLI"}) || r.dropped == 0 || !slices.Equal(r.units, []byte{1, 10}) {
		t.Errorf("sent %v, %d dropped, units %v", kinds, r.dropped, r.units)
	}
}

// After a unit that is not used only a key unit follows, and a key frame is requested.
func TestUnusedUnit(t *testing.T) {
	r, plis, _ := newRecorder(t)
	r.refuse = 2
	r.run(stream(0, 0, 5))
	if !slices.Equal(r.units, []byte{1, 2, 4, 5}) || r.dropped != 1 || *plis != 1 {
		t.Errorf("units %v, %d dropped, %v PLIs", r.units, r.dropped, *plis)
	}
}

// Key frames are requested at most twice a second, but at once on a new path. What cannot be sent is not counted.
func TestKeyframeRequests(t *testing.T) {
	var k keyframes
	asked := 0
	for ms := range 1600 {
		if k.due(epoch.Add(time.Duration(ms) * time.Millisecond)) {
			asked++
		}
	}
	if asked != 4 {
		t.Errorf("%d requests in 1.6 s, want 4", asked)
	}

	r, plis, _ := newRecorder(t)
	r.RequestKeyframe()
	r.RequestKeyframe()
	if len(r.rtcp) != 1 {
		t.Errorf("sent %v, want one PLI", r.rtcp)
	}
	if r.PathChanged(); len(r.rtcp) != 2 {
		t.Errorf("sent %v, want two PLIs", r.rtcp)
	}
	r.broken = true
	if r.PathChanged(); *plis != 2 {
		t.Errorf("%v PLIs are counted", *plis)
	}
}
