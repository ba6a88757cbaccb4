package vision

import "testing"

// Pixels become a picture of their size, turned upright, whatever picture there was before.
func TestPixelsTurn(t *testing.T) {
	const w, h = 3, 2
	bgr := make([]byte, w*h*3)
	for i := range bgr {
		bgr[i] = byte(i / 3 * 40) // greys
	}
	p, err := FromPixels(Pixels{BGR: bgr, Width: w, Height: h})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for turns, first := range []byte{0, 120, 200, 80} { // the grey in the upper left corner
		if err := p.SetPixels(Pixels{BGR: bgr, Width: w, Height: h, Turns: turns}); err != nil {
			t.Fatal(err)
		}
		f, err := p.Frame()
		if err != nil {
			t.Fatal(err)
		}
		if lies := f.Width == w && f.Height == h; f.Y[0] != first || lies != (turns%2 == 0) {
			t.Errorf("after %d turns it is %dx%d and begins with %d, want %d", turns, f.Width, f.Height, f.Y[0], first)
		}
	}
	if err := p.SetPixels(Pixels{BGR: bgr[:5], Width: w, Height: h}); err == nil {
		t.Error("too few bytes became a picture")
	}
}
