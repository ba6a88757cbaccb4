package avdec

import (
	"testing"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
)

// FuzzDecode gives a decoder a stranger's units after a good one. It must not crash or exceed the limit,
// every byte of the frames must be there to be read, and the next good key unit must decode.
func FuzzDecode(f *testing.F) {
	const w, h = 64, 48
	good := make([]pipeline.Unit, len(codecs))
	for i, codec := range codecs {
		units := testkit.TestSource(f, codec, w, h, 3)
		good[i] = units[0]
		f.Add(uint8(i), units[0].Data, units[1].Data)
		f.Add(uint8(i), units[2].Data, units[0].Data)
		if codec != pipeline.AV1 {
			f.Add(uint8(i), declareHuge(codec, units[0].Data), units[1].Data)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, first, second []byte) {
		i := int(which) % len(codecs)
		const limit = 256 * 256
		d := open(t, codecs[i], limit)
		decodeAll(t, d, good[i:i+1])
		var sum byte
		for _, data := range [][]byte{first, second} {
			// An error is as good an answer as a frame.
			_ = d.Decode(pipeline.Unit{Data: data, Key: true}, func(frame *pipeline.Frame) {
				if frame.Width*frame.Height > limit {
					t.Errorf("a frame of %dx%d passed the limit", frame.Width, frame.Height)
				}
				for _, b := range appendI420(nil, frame) {
					sum ^= b
				}
			})
		}
		if err := d.Decode(good[i], func(*pipeline.Frame) {}); err != nil {
			decodeAll(t, d, good[i:i+1]) // the error made the decoder as new
		}
	})
}

// FuzzStream decodes units of a real stream, damaged as a script says; what is fuzzed gets further into
// the decoders than bytes of a fuzzer's own. The stream itself is decoded afterwards.
func FuzzStream(f *testing.F) {
	const w, h, limit = 64, 48, 256 * 256
	streams := make([][]pipeline.Unit, len(codecs))
	for i, codec := range codecs {
		streams[i] = testkit.TestSource(f, codec, w, h, 6)
		f.Add(uint8(i), []byte{})
		for what := range byte(16) { // a change of each kind, in the key unit and after it
			f.Add(uint8(i), []byte{what, 0, 0, 5, 0x55, 9, what, 2, 0, 6, 0xff, 1})
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, script []byte) {
		i := int(which) % len(codecs)
		d := open(t, codecs[i], limit)
		var raw [][]byte
		for _, u := range streams[i] {
			raw = append(raw, u.Data)
		}
		for _, data := range testkit.Damage(raw, script) {
			// An error is as good an answer as a frame.
			_ = d.Decode(pipeline.Unit{Data: data, Key: true}, func(frame *pipeline.Frame) {
				if frame.Width*frame.Height > limit {
					t.Errorf("a frame of %dx%d passed the limit", frame.Width, frame.Height)
				}
				appendI420(nil, frame) // reads every byte of it
			})
		}
		if err := d.Decode(streams[i][0], func(*pipeline.Frame) {}); err != nil {
			decodeAll(t, d, streams[i]) // the error made the decoder as new
		}
	})
}
