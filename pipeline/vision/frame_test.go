package vision

import "testing"

// Pixels become a picture of their size, whatever picture there was before.
func TestPixels(t *testing.T) {
	bgr := make([]byte, 3*2*3)
	for i := range bgr {
		bgr[i] = byte(i/3*40 + 40) // greys
	}
	p, err := FromPixels(Pixels{BGR: make([]byte, 3), Width: 1, Height: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, w := range []int{3, 2} {
		h := len(bgr) / 3 / w
		if err := p.SetPixels(Pixels{BGR: bgr, Width: w, Height: h}); err != nil {
			t.Fatal(err)
		}
		f, err := p.Frame()
		if err != nil {
			t.Fatal(err)
		}
		if f.Width != w || f.Height != h || f.Y[0] != 40 || f.Y[f.YStride] != byte(40*w+40) {
			t.Errorf("it is %dx%d with rows that begin with %d and %d", f.Width, f.Height, f.Y[0], f.Y[f.YStride])
		}
	}
	if err := p.SetPixels(Pixels{BGR: bgr[:5], Width: 3, Height: 2}); err == nil {
		t.Error("too few bytes became a picture")
	}
}
