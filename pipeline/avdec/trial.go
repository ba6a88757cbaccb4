package avdec

import (
	"encoding/hex"
	"fmt"

	"mindflow/pipeline"
)

// greyUnits are key frames of a grey picture of 256 by 256 pixels, in hex, made with FFmpeg:
//
//	ffmpeg -f lavfi -i color=c=gray:s=256x256:r=1 -frames:v 1 -pix_fmt yuv420p -c:v ENCODER
//
// with libvpx, libvpx-vp9, libx264 (-profile:v baseline, its SEI removed) and libaom-av1. Graphics cards refuse AV1
// and VP9 of under 128 by 128. That a decoder can be opened is not enough: libavcodec's own for AV1 opens everywhere
// and decodes nothing without a GPU.
var greyUnits = map[pipeline.Codec]string{
	pipeline.VP8: "" +
		"d00f009d012a00010001004708858588998488020200061604f70681649f6bdb9b27387b27387b27387b27387b27387b" +
		"27387b27387b27387b27387b27387b27387b27387b27387b27387b27387b27387b27387b27387b27387b27387b27387b" +
		"27387b27387b27387b27387b27387b27387b27387b27387b27387b27387b27387b27387b27386400fec3e000",
	pipeline.VP9: "" +
		"82498342000ff00ff60038241c184a00003060000013b818000262632a38282c80",
	pipeline.H264: "" +
		"000000016742c00bd9010086c044000003000400000300083c50a9200000000168cb83cb20000001658884057c98a000" +
		"205b2727272727272727272727272727275d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d" +
		"75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d" +
		"75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d" +
		"75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d" +
		"75d75d75d780",
	pipeline.AV1: "" +
		"12000a0b00000003bffff9fff300803214100090000000a000008001b54886d49e420c4380",
}

// Grey returns a key frame of a grey picture of 256 by 256 pixels.
func Grey(codec pipeline.Codec) ([]byte, error) {
	data, err := hex.DecodeString(greyUnits[codec])
	if err != nil {
		return nil, fmt.Errorf("read test picture: %w", err)
	}
	return data, nil
}

// Try decodes the key frame of a grey picture as the decoder's first unit, and checks the centre of the result.
func (d *Decoder) Try(data []byte) error {
	frames := 0
	var luma byte
	err := d.Decode(pipeline.Unit{Key: true, Data: data}, func(f *pipeline.Frame) {
		frames++
		luma = f.Y[f.Height/2*f.YStride+f.Width/2]
	})
	switch {
	case err != nil:
		return err
	case frames != 1:
		return fmt.Errorf("a test unit gave %d pictures, want 1", frames)
	case luma < 120 || luma > 132: // 126 is grey in limited range
		return fmt.Errorf("a grey test picture has luma %d, want 126", luma)
	}
	return nil
}
