package loadtest

import (
	"sync"
	"time"

	"mindflow/pipeline"
)

// meter measures one session. It needs a fixed amount of memory. The session's sender and receiver call it.
type meter struct {
	epoch time.Time // of its clock; static

	mu       sync.Mutex // guards all below
	counting bool
	frames   sentFrames
	schedule schedule
	tally    tally
}

// tally is what was counted of one session.
type tally struct {
	session int // from 1 on
	labels  int
	seqs    sequence
	delays  delays // from the sending of a frame to its label
	ages    delays // of the scores of each face, as the server says
	late    delays // by which frames were sent later than planned
}

// sending records that a frame is sent now.
func (m *meter) sending(rtp uint32) {
	now := time.Since(m.epoch)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.frames.add(rtp, now)
	if late := m.schedule.late(rtp, now); m.counting {
		m.tally.late.add(late)
	}
}

// label records that a message came now.
func (m *meter) label(message *pipeline.Message) {
	now := time.Since(m.epoch)
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.counting {
		return
	}
	m.tally.labels++
	m.tally.seqs.add(message.Seq)
	if at, ok := m.frames.find(message.RTP); ok {
		m.tally.delays.add(now - at)
	}
	for i := range message.Faces {
		m.tally.ages.addMS(message.Faces[i].AgeMS)
	}
}

// count begins or stops counting.
func (m *meter) count(on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counting = on
}

// read calls see with what was counted so far, which is valid during the call.
func (m *meter) read(see func(*tally)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	see(&m.tally)
}
