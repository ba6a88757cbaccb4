package receive

import (
	"slices"
	"testing"
	"time"

	"mindflow/pipeline"
)

// Of a line that carries a part of what is sent nothing is asked for again, until a key unit came or some time has
// passed.
func TestHeavyLoss(t *testing.T) {
	const wait = 700 * time.Millisecond
	packets := stream(65500, 0, 40) // over the wrap
	for _, row := range []struct {
		name  string
		steps []step // the last of them shows what is missing after it
		units []byte
		ask   int // packets that are asked for
		key   bool
	}{
		{"as many as are repaired", append(inOrder(0, 6), step{18, 10}), []byte{1, 2}, 12, false},
		{"one more", append(inOrder(0, 6), step{19, 10}), []byte{1, 2}, 0, true},
		{"scattered", append(inOrder(0, 3), step{5, 0}, step{8, 0}, step{11, 0}, step{14, 0}, step{17, 0}, step{20, 0},
			step{23, 0}), []byte{1}, 0, true},
		{"over a longer time", append(inOrder(0, 3),
			append(inOrder(9, 24), append(inOrder(30, 45), inOrder(51, 66)...)...)...), []byte{1}, 18, false},
		{"packets that were overtaken", append(inOrder(0, 6), step{20, 10}, step{22, 20}, step{23, 20}, step{24, 20},
			step{21, 75}, step{25, 75}, step{26, 75}, step{27, 75}, step{29, 75}, step{28,
				130}), []byte{1, 2, 10}, 0, true},
		{"with a gap before a key unit", append(inOrder(0, 6), step{19, 10}, step{22, 20}, step{27, 20}, step{28, 20},
			step{29, 20}, step{30, 80}), []byte{1, 2, 10}, 0, true},
		{"after the key unit", append(inOrder(0, 6), step{19, 10}, step{20, 10}, step{27, 90}, step{28, 90},
			step{29, 90}, step{30, 150}, step{32, 150}), []byte{1, 2, 10}, 1, true},
		{"then a while", append(inOrder(0, 6), step{19, 10}, step{20, 290}, step{21, 580}, step{22, 700},
			step{24, 710}), []byte{1, 2}, 1, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			a, err := newAssembler(pipeline.VP8, limits{Wait: wait})
			if err != nil {
				t.Fatal(err)
			}
			var units []byte
			key := false
			for _, s := range row.steps {
				needKey := a.push(
					packets[s.packet],
					epoch.Add(time.Duration(s.ms)*time.Millisecond),
					func(u pipeline.Unit) { units = append(units, u.Data[1]) },
				)
				key = key || needKey
			}
			if ask := a.missing(nil); len(ask) != row.ask {
				t.Errorf("asks for %v, want %d", ask, row.ask)
			}
			if heavyLoss := a.stats.HeavyLoss > 0; heavyLoss != row.key {
				t.Errorf("heavyLoss %t, want %t", heavyLoss, row.key)
			}
			if !slices.Equal(units, row.units) || key != row.key {
				t.Errorf("units %v, key asked for %t; want %v, %t", units, key, row.units, row.key)
			}
		})
	}
}
