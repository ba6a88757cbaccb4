package vision

import (
	"fmt"
	"image"
	"image/color"

	"gocv.io/x/gocv"

	"mindflow/pipeline"
)

// colours are those of the boxes, by face, from a palette that colour-blind people can distinguish (Okabe and Ito,
// 2008).
var colours = []color.RGBA{
	{0, 158, 115, 255}, {230, 159, 0, 255}, {86, 180, 233, 255}, {213, 94, 0, 255}, {204, 121, 167, 255},
}

// Draw draws a box, the label and its confidence on each face.
func (p *Picture) Draw(faces []pipeline.Label) {
	w, h := float64(p.mat.Cols()), float64(p.mat.Rows())
	thick := max(2, int(min(w, h)/300))
	for i, face := range faces {
		x, y := float64(face.Box[0])*w, float64(face.Box[1])*h
		box := image.Rect(int(x), int(y), int(x+float64(face.Box[2])*w), int(y+float64(face.Box[3])*h))
		colour := colours[i%len(colours)]
		gocv.Rectangle(&p.mat, box, colour, thick)
		p.caption(caption(face), box, colour, thick)
	}
}

func caption(face pipeline.Label) string {
	if face.Uncertain {
		return fmt.Sprintf("%s? %.0f%%", face.Label, 100*face.Confidence)
	}
	return fmt.Sprintf("%s %.0f%%", face.Label, 100*face.Confidence)
}

// caption writes text on a filled bar above the box, or inside it at the picture's top edge.
func (p *Picture) caption(text string, box image.Rectangle, colour color.RGBA, thick int) {
	scale, pen := max(0.4, float64(thick)*0.25), max(1, thick/2)
	size, below := gocv.GetTextSizeWithBaseline(text, gocv.FontHersheySimplex, scale, pen)
	height := size.Y + below + thick
	top := max(0, box.Min.Y-height)
	left := max(0, min(box.Min.X, p.mat.Cols()-size.X-2*thick))
	bar := image.Rect(left, top, left+size.X+2*thick, top+height)
	gocv.Rectangle(&p.mat, bar, colour, -1)
	at := image.Pt(left+thick, top+size.Y+thick)
	gocv.PutTextWithParams(&p.mat, text, at, gocv.FontHersheySimplex, scale, color.RGBA{A: 255}, pen, gocv.LineAA,
		false)
}
