package session

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/pion/dtls/v2"
	"github.com/pion/dtls/v2/pkg/crypto/selfsign"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/sctp"

	"mindflow/server/servertest"
)

// Here the parsers of Pion's are fuzzed that what a session's own publisher sends reaches: a panic in one of their
// goroutines ends the fuzzing, as it would end the server.

// wire is one end of a line that keeps datagrams apart. What comes is put in; what goes out is handed on.
type wire struct {
	net.Conn // none of it: what is not below is not used
	in       chan []byte
	out      func([]byte)
	closed   chan struct{}
	once     sync.Once
}

func newWire(out func([]byte)) *wire {
	return &wire{in: make(chan []byte), out: out, closed: make(chan struct{})}
}

// put gives a datagram to the reader, if there still is one.
func (w *wire) put(p []byte) {
	select {
	case w.in <- bytes.Clone(p):
	case <-w.closed:
	case <-time.After(time.Second): // its reader has ended
	}
}

func (w *wire) Read(p []byte) (int, error) {
	select {
	case d := <-w.in:
		return copy(p, d), nil
	case <-w.closed:
		return 0, io.EOF
	}
}

func (w *wire) Write(p []byte) (int, error) {
	select {
	case <-w.closed:
		return 0, io.ErrClosedPipe
	default:
		w.out(p)
		return len(p), nil
	}
}

func (w *wire) Close() error                     { w.once.Do(func() { close(w.closed) }); return nil }
func (w *wire) LocalAddr() net.Addr              { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9} }
func (w *wire) RemoteAddr() net.Addr             { return w.LocalAddr() }
func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// line is two ends, and what the client said on the way.
func line() (client, server *wire, said func() [][]byte) {
	var mu sync.Mutex
	var packets [][]byte
	server = newWire(func(p []byte) { go client.put(p) })
	client = newWire(func(p []byte) {
		mu.Lock()
		packets = append(packets, bytes.Clone(p))
		mu.Unlock()
		server.put(p)
	})
	return client, server, func() [][]byte {
		mu.Lock()
		defer mu.Unlock()
		return packets
	}
}

// packed puts datagrams behind each other, each behind its length, and each takes them apart.
func packed(packets [][]byte) (all []byte) {
	for _, p := range packets {
		all = append(binary.BigEndian.AppendUint16(all, uint16(len(p))), p...)
	}
	return all
}

func each(all []byte, f func([]byte)) {
	for n := 0; len(all) >= 2 && n < 64; n++ {
		size := min(int(binary.BigEndian.Uint16(all)), len(all)-2)
		f(all[2 : 2+size])
		all = all[2+size:]
	}
}

// FuzzHandshake says to Pion's DTLS server what a client may, past the cookie.
func FuzzHandshake(f *testing.F) {
	cert, err := selfsign.GenerateSelfSigned()
	if err != nil {
		f.Fatal(err)
	}
	config := func() *dtls.Config {
		c := &dtls.Config{
			// as webrtc has it, but for the cookie
			ClientAuth: dtls.RequireAnyClientCert, InsecureSkipVerify: true, InsecureSkipVerifyHello: true,
			SRTPProtectionProfiles: []dtls.SRTPProtectionProfile{
				dtls.SRTP_AEAD_AES_128_GCM,
				dtls.SRTP_AES128_CM_HMAC_SHA1_80,
			},
			LoggerFactory: pionLogs(),
			ConnectContextMaker: func() (context.Context, func()) {
				return context.WithTimeout(context.Background(), servertest.Patience)
			},
		}
		c.Certificates = append(c.Certificates, cert)
		return c
	}
	client, server, said := line()
	serving := make(chan *dtls.Conn, 1)
	go func() { c, _ := dtls.Server(server, config()); serving <- c }()
	c, err := dtls.Client(client, config())
	if err != nil {
		f.Fatal(err)
	}
	_, _ = c.Write([]byte("data"))
	_ = c.Close()
	if s := <-serving; s != nil {
		_ = s.Close()
	}
	f.Add(packed(said()))
	for i := range said() {
		f.Add(packed(said()[:i]))
	}

	f.Fuzz(func(_ *testing.T, data []byte) {
		w := newWire(func([]byte) {})
		over := make(chan struct{})
		go func() {
			defer close(over)
			defer w.Close() // nobody reads any more
			if s, err := dtls.Server(w, config()); err == nil {
				_ = s.Close()
			}
		}()
		each(data, w.put)
		w.put(nil) // is read when the last one has been dealt with
		_ = w.Close()
		<-over
	})
}

// FuzzSCTP says to a standing association what its peer may. Each packet gets the header that fits.
func FuzzSCTP(f *testing.F) {
	begin := func() (client, server *sctp.Association, to *wire, said func() [][]byte, err error) {
		near, far, said := line()
		config := func(w *wire) sctp.Config {
			return sctp.Config{NetConn: w, MaxReceiveBufferSize: receiveBuffer, LoggerFactory: pionLogs()}
		}
		serving := make(chan *sctp.Association, 1)
		go func() {
			s, _ := sctp.Server(config(far)) //lint:ignore SA1019 as webrtc v3 begins one
			serving <- s
		}()
		client, err = sctp.Client(config(near)) //lint:ignore SA1019 as webrtc v3 begins one
		server = <-serving
		if err == nil && server == nil {
			err = errors.New("no association")
		}
		return client, server, far, said, err
	}
	const header = 12
	client, server, _, said, err := begin()
	if err != nil {
		f.Fatal(err)
	}
	stream, err := client.OpenStream(0, sctp.PayloadTypeWebRTCString)
	if err != nil {
		f.Fatal(err)
	}
	if _, err := stream.Write(bytes.Repeat([]byte("data"), 2000)); err != nil {
		f.Fatal(err)
	}
	_ = stream.Close()
	client.Abort("over")
	_ = server.Close()
	var chunks [][]byte
	for _, p := range said() {
		chunks = append(chunks, p[header:])
		f.Add(packed([][]byte{p[header:]}))
	}
	f.Add(packed(chunks))

	table := crc32.MakeTable(crc32.Castagnoli)
	f.Fuzz(func(t *testing.T, data []byte) {
		client, server, to, said, err := begin()
		if err != nil {
			t.Skip(err)
		}
		over := make(chan struct{})
		go func() {
			defer close(over)
			for {
				if _, err := server.AcceptStream(); err != nil {
					_ = to.Close() // nobody reads any more
					return
				}
			}
		}()
		own := said()[len(said())-1] // with the right tag
		each(data, func(chunks []byte) {
			p := append(bytes.Clone(own[:header]), chunks...)
			if len(chunks) > 0 && chunks[0] == 1 { // INIT
				clear(p[4:8])
			}
			clear(p[8:12])
			binary.LittleEndian.PutUint32(p[8:], crc32.Checksum(p, table))
			to.put(p)
		})
		to.put(own[:header])
		_ = to.Close()
		_ = server.Close()
		client.Abort("")
		<-over
	})
}

// FuzzFeedback hands RTP and RTCP, as they are after decryption, to what answers senders.
func FuzzFeedback(f *testing.F) {
	f.Add(
		[]byte{0x80, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7, 1, 2, 3},
		[]byte{0x80, 200, 0, 6, 0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1},
	)
	f.Add(
		[]byte{0x90, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7, 0xBE, 0xDE, 0, 1, 0x31, 0, 5, 0},
		[]byte{0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 7, 0, 1, 0, 0},
	)
	f.Add(
		[]byte{0xB0, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7, 0x10, 0, 0, 1, 3, 2, 0, 5, 4, 0, 0, 4},
		[]byte{0x81, 203, 0, 1, 0, 0, 0, 7},
	)
	registry, err := newFeedback()
	if err != nil {
		f.Fatal(err)
	}
	info := &interceptor.StreamInfo{
		SSRC: 7, ClockRate: 90000, MimeType: "video/VP8",
		RTPHeaderExtensions: []interceptor.RTPHeaderExtension{
			{URI: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01", ID: 3},
		},
	}
	f.Fuzz(func(t *testing.T, media, report []byte) {
		chain, err := registry.Build("fuzz")
		if err != nil {
			t.Fatal(err)
		}
		defer chain.Close()
		chain.BindRTCPWriter(
			interceptor.RTCPWriterFunc(func([]rtcp.Packet, interceptor.Attributes) (int, error) { return 0, nil }),
		)
		bring := func(p []byte) func([]byte, interceptor.Attributes) (int, interceptor.Attributes, error) {
			return func(b []byte, a interceptor.Attributes) (int, interceptor.Attributes, error) {
				return copy(b, p), a, nil
			}
		}
		packets := chain.BindRemoteStream(info, interceptor.RTPReaderFunc(bring(media)))
		reports := chain.BindRTCPReader(interceptor.RTCPReaderFunc(bring(report)))
		buf := make([]byte, 1500)
		for range 3 {
			_, _, _ = packets.Read(buf, interceptor.Attributes{})
			_, _, _ = reports.Read(buf, interceptor.Attributes{})
		}
	})
}
