package pipeline

// IoU returns the intersection over union of two boxes, 0..1.
func (b Box) IoU(o Box) float32 {
	w := min(b.X+b.W, o.X+o.W) - max(b.X, o.X)
	h := min(b.Y+b.H, o.Y+o.H) - max(b.Y, o.Y)
	if w <= 0 || h <= 0 {
		return 0
	}
	inter := w * h
	return inter / (b.W*b.H + o.W*o.H - inter)
}

// Center returns the centre of the box.
func (b Box) Center() Point { return Point{b.X + b.W/2, b.Y + b.H/2} }

// edgeShift returns the largest distance of an edge of b from the same edge of o, in o's sides.
func (b Box) edgeShift(o Box) float32 {
	x := max(abs(b.X-o.X), abs(b.X+b.W-o.X-o.W)) / o.W
	y := max(abs(b.Y-o.Y), abs(b.Y+b.H-o.Y-o.H)) / o.H
	return max(x, y)
}

// Region returns the part of f that the classifier gets for the face in b.
func (r CropRule) Region(b Box, f *Frame) Region {
	fw, fh := float32(f.Width), float32(f.Height)
	x, y, w, h := b.X*fw, b.Y*fh, b.W*fw, b.H*fh
	if r.MarginPx > 0 {
		left, top := max(0, x-r.MarginPx), max(0, y-r.MarginPx)
		right, bottom := min(x+w+r.MarginPx, fw), min(y+h+r.MarginPx, fh)
		return Region{left, top, max(1, right-left), max(1, bottom-top)}
	}
	side := r.Scale * max(w, h)
	cx := x + w/2 + r.Shift[0]*side
	cy := y + h/2 + r.Shift[1]*side
	return Region{cx - side/2, cy - side/2, side, side}
}
