package pipeline

import (
	"cmp"
	"math"
	"slices"
)

// blazeFacePoints is the number of key points: right eye, left eye, nose, mouth, right ear, left ear.
const blazeFacePoints = 6

// blazeFaceLevels are the anchor grids of both models, "front" of 128×128 pixels and "back" of 256×256: a grid of 16×16
// cells with two anchors each, then one of 8×8 with six, all at the cell's centre.
var blazeFaceLevels = [2]struct{ anchors, grid int }{{2, 16}, {6, 8}}

// DecodeBlazeFace appends the faces in one frame's output to dst, best first. scores holds one logit for each anchor of
// the two grids ([512] and [384]). boxes holds 16 values for each anchor: centre, size and six key points, in tensor
// pixels relative to the anchor. fit is the frame's place in the tensor. Faces under m's threshold (a probability) are
// dropped. Overlapping predictions are not only suppressed but averaged by score, which keeps the box of a still face
// still (BlazeFace, arXiv 1907.05047, section 4.2).
func DecodeBlazeFace(dst []Face, scores, boxes [2][]float32, fit Fit, m Model) []Face {
	start := len(dst)
	least := float32(math.Log(float64(m.Threshold / (1 - m.Threshold))))
	for level, grid := range blazeFaceLevels {
		stride := float32(m.Input.Size) / float32(grid.grid)
		for i, logit := range scores[level] {
			if logit < least {
				continue
			}
			cell := i / grid.anchors
			anchor := Point{
				(float32(cell%grid.grid) + 0.5) * stride,
				(float32(cell/grid.grid) + 0.5) * stride,
			}
			dst = appendFace(dst)
			decodeBlazeFaceAnchor(&dst[len(dst)-1], boxes[level][i*16:(i+1)*16], anchor, fit)
			dst[len(dst)-1].Score = float32(1 / (1 + math.Exp(-float64(logit))))
		}
	}
	found := dst[start:]
	slices.SortStableFunc(found, func(a, b Face) int { return cmp.Compare(b.Score, a.Score) })
	return dst[:start+blend(found, m.NMS)]
}

// appendFace grows faces by one. It reuses the memory of key points beyond the slice's length.
func appendFace(faces []Face) []Face {
	if len(faces) < cap(faces) {
		faces = faces[:len(faces)+1]
		f := &faces[len(faces)-1]
		*f = Face{Points: f.Points[:0]}
		return faces
	}
	return append(faces, Face{})
}

func decodeBlazeFaceAnchor(f *Face, v []float32, anchor Point, fit Fit) {
	w, h := v[2]/fit.W, v[3]/fit.H
	f.Box = Box{(v[0]+anchor.X-fit.X)/fit.W - w/2, (v[1]+anchor.Y-fit.Y)/fit.H - h/2, w, h}
	for k := range blazeFacePoints {
		f.Points = append(f.Points, Point{(v[4+2*k] + anchor.X - fit.X) / fit.W, (v[5+2*k] + anchor.Y - fit.Y) / fit.H})
	}
}

// blend replaces each group of faces that overlap the group's best by more than nms with their average, weighted by
// score. It moves these to the front and returns their number. faces are sorted, best first.
func blend(faces []Face, nms float32) int {
	kept := 0
	for i := range faces {
		best := faces[i]
		if best.Score == 0 { // part of an earlier group
			continue
		}
		box, total := scaled(best.Box, best.Score), best.Score
		for k := range best.Points {
			best.Points[k] = Point{best.Points[k].X * best.Score, best.Points[k].Y * best.Score}
		}
		for j := i + 1; j < len(faces); j++ {
			o := &faces[j]
			if o.Score == 0 || best.Box.IoU(o.Box) <= nms {
				continue
			}
			box = Box{box.X + o.Box.X*o.Score, box.Y + o.Box.Y*o.Score, box.W + o.Box.W*o.Score, box.H +
				o.Box.H*o.Score}
			for k := range best.Points {
				best.Points[k].X += o.Points[k].X * o.Score
				best.Points[k].Y += o.Points[k].Y * o.Score
			}
			total += o.Score
			o.Score = 0
		}
		best.Box = scaled(box, 1/total)
		for k := range best.Points {
			best.Points[k] = Point{best.Points[k].X / total, best.Points[k].Y / total}
		}
		faces[i] = faces[kept] // a swap, so that each element keeps its own memory of key points
		faces[kept] = best
		kept++
	}
	return kept
}

func scaled(b Box, k float32) Box { return Box{b.X * k, b.Y * k, b.W * k, b.H * k} }
