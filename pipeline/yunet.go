package pipeline

import (
	"cmp"
	"math"
	"slices"
)

// yuNetPoints is the number of key points: right eye, left eye, nose, right and left corner of the mouth.
const yuNetPoints = 5

// YuNetStrides are the sides of the cells of YuNet's three grids, in tensor pixels.
var YuNetStrides = [3]int{8, 16, 32}

// YuNetLevel is YuNet's output for the cells of one grid, row by row: the probabilities that there is a face and that
// the cell sees it, 4 values of a box and 10 of key points.
type YuNetLevel struct{ Class, Object, Boxes, Points []float32 }

// DecodeYuNet appends the faces in one frame's output to dst, best first. width is the tensor's, in pixels, a
// multiple of the longest stride; fit is the frame's place in the tensor. Positions are in cells from the cell's
// corner, sizes are logarithms of cells, and the score is √(class·object) (Wu et al., YuNet, 2023, and OpenCV's
// FaceDetectorYN). Faces under m's threshold are dropped, and so are those that overlap a better one by more than m's
// NMS.
func DecodeYuNet(dst []Face, levels [3]YuNetLevel, width int, fit Fit, m Model) []Face {
	start := len(dst)
	for level, stride := range YuNetStrides {
		l, columns, cell := levels[level], width/stride, float32(stride)
		for i, class := range l.Class {
			product := clampUnit(class) * clampUnit(l.Object[i])
			if !(product >= m.Threshold*m.Threshold) { // also drops NaN
				continue
			}
			corner := Point{float32(i%columns) * cell, float32(i/columns) * cell}
			dst = appendFace(dst)
			f := &dst[len(dst)-1]
			f.Score = float32(math.Sqrt(float64(product)))
			decodeYuNetCell(f, l.Boxes[i*4:i*4+4], l.Points[i*2*yuNetPoints:(i+1)*2*yuNetPoints], corner, cell, fit)
		}
	}
	found := dst[start:]
	slices.SortStableFunc(found, func(a, b Face) int { return cmp.Compare(b.Score, a.Score) })
	return dst[:start+suppress(found, m.NMS)]
}

func decodeYuNetCell(f *Face, box, points []float32, corner Point, cell float32, fit Fit) {
	at := func(x, y float32) Point {
		return Point{(x*cell + corner.X - fit.X) / fit.W, (y*cell + corner.Y - fit.Y) / fit.H}
	}
	centre := at(box[0], box[1])
	w := float32(math.Exp(float64(box[2]))) * cell / fit.W
	h := float32(math.Exp(float64(box[3]))) * cell / fit.H
	f.Box = Box{centre.X - w/2, centre.Y - h/2, w, h}
	for k := range yuNetPoints {
		f.Points = append(f.Points, at(points[2*k], points[2*k+1]))
	}
}

// suppress drops the faces that overlap a better one by more than nms (non-maximum suppression). It moves the others to
// the front and returns their number. faces are sorted, best first.
func suppress(faces []Face, nms float32) int {
	kept := 0
	for i := range faces {
		if slices.ContainsFunc(faces[:kept], func(f Face) bool { return f.Box.IoU(faces[i].Box) > nms }) {
			continue
		}
		faces[kept], faces[i] = faces[i], faces[kept] // a swap, so that each element keeps its own memory of key points
		kept++
	}
	return kept
}

func clampUnit(v float32) float32 { return max(0, min(v, 1)) }
