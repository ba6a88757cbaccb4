package evaluate

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"mindflow/models"
	"mindflow/pipeline/field"
)

// Measures of a matrix, in pixels.
const (
	cellW, cellH = 84, 52
	leftMargin   = 124
	topMargin    = 104
	edge         = 20
)

// CheckPlot returns an error unless Plot can write to the file.
func CheckPlot(file string) error {
	if strings.ToLower(filepath.Ext(file)) != ".png" {
		return field.Valuef("Plot", file, "the matrix is drawn as PNG; name a file that ends in .png")
	}
	if info, err := os.Stat(filepath.Dir(file)); err != nil || !info.IsDir() {
		return field.Valuef("Plot", file, "there is no folder %s; make it first", filepath.Dir(file))
	}
	return nil
}

// Plot draws the confusion matrix, or two side by side, to a PNG file, which it writes atomically. The shade of a
// cell is its share of its row, which has the pictures of one class.
func Plot(file string, r *Result, model string) (err error) {
	typeface, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return fmt.Errorf("draw the matrix: %w", err)
	}
	titles, reports := []string{model}, []Report{r.Report}
	if r.Versus != nil {
		titles, reports = append(titles, r.Versus.Model), append(reports, r.Versus.Report)
	}
	classes := len(r.PerClass)
	w, h := leftMargin+classes*cellW+edge, topMargin+classes*cellH+edge
	canvas := image.NewRGBA(image.Rect(0, 0, w*len(reports), h))
	draw.Draw(canvas, canvas.Bounds(), image.White, image.Point{}, draw.Src)
	pen := &pen{canvas: canvas}
	defer func() { err = errors.Join(err, pen.close()) }()
	if err := pen.load(typeface); err != nil {
		return err
	}
	for i, report := range reports {
		pen.matrix(i*w, titles[i], report)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, canvas); err != nil {
		return fmt.Errorf("draw the matrix: %w", err)
	}
	return models.WriteFile(file, func(w io.Writer) error {
		_, err := w.Write(out.Bytes())
		return err
	})
}

// pen draws text on the canvas in two sizes.
type pen struct {
	canvas       *image.RGBA
	small, large font.Face
}

func (p *pen) load(typeface *opentype.Font) (err error) {
	for _, f := range []struct {
		face *font.Face
		size float64
	}{{&p.small, 14}, {&p.large, 18}} {
		if *f.face, err = opentype.NewFace(typeface,
			&opentype.FaceOptions{Size: f.size, DPI: 72, Hinting: font.HintingFull}); err != nil {
			return fmt.Errorf("draw the matrix: %w", err)
		}
	}
	return nil
}

func (p *pen) close() (err error) {
	for _, face := range []font.Face{p.small, p.large} {
		if face != nil {
			err = errors.Join(err, face.Close())
		}
	}
	return err
}

var (
	ink  = color.RGBA{30, 30, 30, 255}
	pale = color.RGBA{110, 110, 110, 255}
)

// matrix draws one matrix with its left edge at x.
func (p *pen) matrix(x int, title string, r Report) {
	p.text(p.large, x+leftMargin, 32, 0, title, ink)
	p.text(p.small, x+leftMargin, 56, 0, fmt.Sprintf("%d pictures, accuracy %s, macro recall %s, ECE %.3f",
		r.N, percent(r.Accuracy), percent(r.MacroRecall), r.ECE), pale)
	p.text(p.small, x+leftMargin-10, topMargin-10, 1, "is \\ said", pale)
	for i, c := range r.PerClass {
		p.text(p.small, x+leftMargin+i*cellW+cellW/2, topMargin-10, 0.5, c.Label, ink)
		p.text(p.small, x+leftMargin-10, topMargin+i*cellH+cellH/2+5, 1, c.Label, ink)
		for k, n := range r.Confusion[i] {
			p.cell(x+leftMargin+k*cellW, topMargin+i*cellH, n, c.N)
		}
	}
}

// cell shades a cell by its share of the row, from white to a blue on which white text is readable.
func (p *pen) cell(x, y, n, row int) {
	share := 0.0
	if row > 0 {
		share = float64(n) / float64(row)
	}
	mix := func(to uint8) uint8 { return uint8(255 + share*(float64(to)-255)) }
	box := image.Rect(x, y, x+cellW-2, y+cellH-2)
	draw.Draw(p.canvas, box, image.NewUniform(color.RGBA{mix(8), mix(69), mix(140), 255}), image.Point{}, draw.Src)
	number, note := ink, pale
	switch {
	case n == 0:
		number = color.RGBA{150, 150, 150, 255}
	case share > 0.6:
		number, note = color.RGBA{255, 255, 255, 255}, color.RGBA{235, 242, 250, 255}
	case share > 0.15:
		note = ink
	}
	middle := x + cellW/2 - 1
	if n == 0 {
		p.text(p.small, middle, y+cellH/2+5, 0.5, "0", number)
		return
	}
	p.text(p.small, middle, y+cellH/2-2, 0.5, strconv.Itoa(n), number)
	p.text(p.small, middle, y+cellH/2+16, 0.5, fmt.Sprintf("%.0f %%", 100*share), note)
}

// text draws text on the baseline y. align is the share of its width to the left of x: 0, a half or 1.
func (p *pen) text(face font.Face, x, y int, align float64, text string, c color.Color) {
	d := font.Drawer{Dst: p.canvas, Src: image.NewUniform(c), Face: face}
	left := fixed.I(x) - fixed.Int26_6(align*float64(d.MeasureString(text)))
	d.Dot = fixed.Point26_6{X: left, Y: fixed.I(y)}
	d.DrawString(text)
}
