package turn

import (
	"hash/maphash"
	"net"
	"time"

	"golang.org/x/time/rate"

	"mindflow/server/ports"
)

const (
	requestBurst = 30 // requests without credentials, of one source: a browser sends two for each of its addresses
	requestRate  = 10 // a second
	limiters     = 4096
)

// requestLimit limits the responses to requests without credentials: their sender's address may be forged, and the
// response is larger than the request. Its size is fixed, so sources share limiters.
type requestLimit struct {
	seed     maphash.Seed
	limiters [limiters]*rate.Limiter
}

func newRequestLimit() *requestLimit {
	l := &requestLimit{seed: maphash.MakeSeed()}
	for i := range l.limiters {
		l.limiters[i] = rate.NewLimiter(requestRate, requestBurst)
	}
	return l
}

// allow reports whether a request may be answered.
func (l *requestLimit) allow(from net.Addr, now time.Time) bool {
	return l.limiters[maphash.Comparable(l.seed, ports.SourceOf(from))%limiters].AllowN(now, 1)
}
