package receive

import (
	"sync"
	"time"

	"github.com/pion/rtcp"
)

// KeyframeInterval is the least time between two key frame requests. A key frame costs many packets: to request another
// while one is under way makes a bad line worse.
const KeyframeInterval = 500 * time.Millisecond

// keyframes limits how often key frames are requested. It is safe for use by several goroutines.
type keyframes struct {
	mu   sync.Mutex
	last time.Time // of the last request; guarded by mu
}

// due reports whether a key frame may be requested now, and takes note of the request.
func (k *keyframes) due(now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now.Sub(k.last) < KeyframeInterval {
		return false
	}
	k.last = now
	return true
}

// reset lets the next request through, whenever the last one was.
func (k *keyframes) reset() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last = time.Time{}
}

// RequestKeyframe requests a key frame by PLI (RFC 4585, section 6.3.1), at most every KeyframeInterval: call it for
// each unit that cannot be used. It is safe for use by several goroutines.
func (r *Receiver) RequestKeyframe() {
	if !r.keyframes.due(time.Now()) {
		return
	}
	if r.send("PLI", &rtcp.PictureLossIndication{MediaSSRC: r.cfg.SSRC}) {
		r.cfg.Counters.PLIs.Add(1)
	}
}

// PathChanged requests a key frame at once: what was sent on the old path is lost, and so is an earlier request.
func (r *Receiver) PathChanged() {
	r.keyframes.reset()
	r.RequestKeyframe()
}
