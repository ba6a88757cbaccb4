package media

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"mindflow/pipeline"
)

// maxListed is how many faces a summary lists. It counts the others.
const maxListed = 10

// summaries prints for each file, at its end, how long each face was seen and with which labels.
type summaries struct {
	out    *table
	labels []string

	faces  map[uint64]*appearance
	latest []pipeline.Label // their time lasts until the next frame
	at     time.Duration    // of the latest frame
}

// appearance is one face over the time of a video.
type appearance struct {
	id          uint64
	first, last time.Duration
	seen        time.Duration
	shares      map[string]time.Duration // by label
}

func (s *summaries) add(p *pass) error {
	if s.faces == nil {
		s.faces = map[uint64]*appearance{}
	}
	s.elapse(p.at - s.at)
	s.at = p.at
	s.latest = append(s.latest[:0], p.message.Faces...)
	for _, face := range s.latest {
		if s.faces[face.ID] == nil {
			s.faces[face.ID] = &appearance{id: face.ID, first: p.at, shares: map[string]time.Duration{}}
		}
		s.faces[face.ID].last = p.at
	}
	return nil
}

// elapse adds time to the latest faces.
func (s *summaries) elapse(d time.Duration) {
	for _, face := range s.latest {
		k := s.faces[face.ID]
		k.seen += d
		k.shares[face.Label] += d
	}
}

func (s *summaries) end(p *pass) error {
	s.elapse(p.at - s.at + time.Duration(float64(time.Second)/p.video.Rate)) // the last frame lasts one interval
	err := s.print(s.out, p)
	s.faces, s.latest, s.at = nil, nil, 0
	if err != nil {
		return err
	}
	return s.out.Flush()
}

func (s *summaries) print(out io.Writer, p *pass) error {
	faces := make([]*appearance, 0, len(s.faces))
	for _, k := range s.faces {
		faces = append(faces, k)
	}
	slices.SortFunc(faces, func(a, b *appearance) int {
		return cmp.Or(cmp.Compare(b.seen, a.seen),
			cmp.Compare(a.id, b.id))
	})
	text := fmt.Sprintf("%s: %.1f s, %d by %d pixels, %d frames", p.name, p.at.Seconds(), p.message.Width,
		p.message.Height, p.read)
	if p.analysed != p.read {
		text += fmt.Sprintf(", %d of them analysed", p.analysed)
	}
	text += fmt.Sprintf("; %s\n", plural(len(faces), "face"))
	for i, k := range faces {
		if i == maxListed {
			text += fmt.Sprintf("  and %s seen for a shorter time\n", plural(len(faces)-maxListed, "face"))
			break
		}
		text += fmt.Sprintf("  face %d, %.1f s between %.1f and %.1f s: %s\n", k.id, k.seen.Seconds(),
			k.first.Seconds(), k.last.Seconds(), s.shares(k))
	}
	_, err := io.WriteString(out, text)
	return err
}

// shares lists the labels of a face, longest shown first.
func (s *summaries) shares(k *appearance) string {
	shown := slices.DeleteFunc(slices.Clone(s.labels), func(label string) bool { return k.shares[label] == 0 })
	slices.SortStableFunc(shown, func(a, b string) int { return cmp.Compare(k.shares[b], k.shares[a]) })
	for i, label := range shown {
		shown[i] = fmt.Sprintf("%s %.0f%%", label, 100*k.shares[label].Seconds()/k.seen.Seconds())
	}
	return strings.Join(shown, ", ")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
