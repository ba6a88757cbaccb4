package dataset

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"image"
	"image/png"
	"io"
	"mindflow/models"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var eight = []string{"neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt"}

// write makes a file and its folders.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// listed gives "name class content" of each picture, names without root.
func listed(t *testing.T, root string, pictures []Picture) (list []string) {
	t.Helper()
	for _, p := range pictures {
		data, err := p.Read()
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, strings.TrimPrefix(filepath.ToSlash(p.Name),
			filepath.ToSlash(root)+"/")+" "+p.Class+" "+string(data))
	}
	return list
}

func TestFolders(t *testing.T) {
	cases := []struct {
		name     string
		files    []string
		numbered string
		labels   []string
		want     []string // names and classes; none: an error with the words of fault
		fault    []string
	}{
		{"labels", []string{"happy/a.png", "sad/b.jpg", "sad/c.png"}, "", eight,
			[]string{"happy/a.png happy x", "sad/b.jpg sad x", "sad/c.png sad x"}, nil},
		{"other words and case", []string{"Happiness/a", "ANGRY/b", "Surprised/c", "Sadness/d", "joy/e"}, "", eight,
			[]string{"ANGRY/b anger x", "Happiness/a happy x", "Sadness/d sad x", "Surprised/c surprise x",
				"joy/e happy x"}, nil},
		{"labels of another model", []string{"happy/a", "anger/b"}, "", []string{"Happiness", "Angry"},
			[]string{"anger/b Angry x", "happy/a Happiness x"}, nil},
		{"hidden", []string{"happy/.a", "happy/b", ".git/c"}, "", eight, []string{"happy/b happy x"}, nil},
		{"unknown", []string{"happy/a", "bored/b", "tired/c"}, "", eight, nil,
			[]string{`"bored" "tired"`, "neutral, happy, sad"}},
		{"nothing but a class the model lacks", []string{"contempt/a"}, "", eight[:7], nil, []string{"no picture"}},
		{"numbers not asked for", []string{"0/a", "1/b"}, "", eight, nil, []string{`"0" "1"`,
			"say what the numbers mean: model, rafdb"}},
		{"numbers", []string{"0/a", "7/b"}, OfModel, eight, []string{"0/a neutral x", "7/b contempt x"}, nil},
		{"RAF-DB's numbers", []string{"1/a", "4/b", "7/c"}, models.RAFDB, eight,
			[]string{"1/a surprise x", "4/b happy x", "7/c neutral x"}, nil},
		{"RAF-DB's numbers as the model's", []string{"1/a", "2/b"}, OfModel, eight[:7], nil,
			[]string{"count from 1", "RAF-DB's order is rafdb"}},
		{"RAF-DB's numbers as those of a model of eight", []string{"1/a", "2/b", "3/c"}, OfModel, eight, nil,
			[]string{"count from 1", "an empty folder 0"}},
		{"none of the first class", []string{"0/.keep", "1/b", "2/c"}, OfModel, eight,
			[]string{"1/b happy x", "2/c sad x"}, nil},
		{"AffectNet's numbers for RAF-DB's model", []string{"0/a", "6/b"}, models.AffectNet7,
			[]string{"surprise", "fear", "disgust", "happy", "sad", "anger", "neutral"},
			[]string{"0/a neutral x", "6/b anger x"}, nil},
		{"AffectNet's numbers from 1", []string{"0/a", "8/b"}, models.AffectNet8, eight, nil,
			[]string{`"8"`, "0, 1, 2"}},
		{"a number too high", []string{"0/a", "8/b"}, OfModel, eight, nil, []string{`"8"`}},
		{"no folder", []string{"a.png"}, "", eight, nil, []string{"no folder for a class", "label.csv"}},
		{"empty folders", []string{"happy/.keep"}, "", eight, nil, []string{"no picture"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, f := range c.files {
				write(t, filepath.Join(dir, f), "x")
			}
			pictures, leftOut, err := Read(dir, Options{Labels: c.labels, Numbered: c.numbered, Split: "Valid"})
			if c.want == nil {
				for _, words := range append(c.fault, dir) {
					if err == nil || !strings.Contains(err.Error(), words) {
						t.Errorf("error %v does not say %s", err, words)
					}
				}
				return
			}
			if err != nil || leftOut != 0 {
				t.Fatalf("%d left out, %v", leftOut, err)
			}
			if got := listed(t, dir, pictures); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Seven classes can be measured on a set of eight, whatever word it has for the eighth.
func TestFoldersOfMoreClasses(t *testing.T) {
	dir := t.TempDir()
	for _, f := range []string{"contemptuous/a", "contemptuous/b", "sad/c"} {
		write(t, filepath.Join(dir, f), "x")
	}
	pictures, leftOut, err := Read(dir, Options{Labels: eight[:7], Split: "Valid"})
	if err != nil || leftOut != 2 {
		t.Errorf("%d left out, want 2 (%v)", leftOut, err)
	}
	if got := listed(t, dir, pictures); !slices.Equal(got, []string{"sad/c sad x"}) {
		t.Errorf("got %q", got)
	}
}

// Votes of ten people a picture: neutral, happiness, surprise, sadness, anger, disgust, fear, contempt,
// unknown, no face.
var voted = []struct{ row, majority, plurality string }{
	{`a.png,"(0, 0, 48, 48)",10,0,0,0,0,0,0,0,0,0`, "neutral", "neutral"},
	{`b.png,"(0, 0, 48, 48)",0,0,0,0,5,5,0,0,0,0`, "", "anger"},      // half is not over half; the first of equals
	{`c.png,"(0, 0, 48, 48)",1,4,0,0,1,1,0,3,0,0`, "happy", "happy"}, // single votes go: 4 of 7
	{`d.png,"(0, 0, 48, 48)",0,0,3,0,0,0,2,0,5,0`, "", ""},           // most say unknown
	{`e.png,"(0, 0, 48, 48)",1,1,1,1,1,1,1,1,1,1`, "", ""},           // nothing is left
	{`f.png,"(0, 0, 48, 48)",0,0,0,4,0,0,2,0,3,0`, "", "sad"},        // 4 of 9
	{`g.png,"(0, 0, 48, 48)",0,0,0,0,0,0,0,6,0,4`, "contempt", "contempt"},
	{`h.png,"(0, 0, 48, 48)",0,0,0,0,0,0,0,0,0,10`, "", ""},
}

func TestFERPlus(t *testing.T) {
	dir := t.TempDir()
	split := filepath.Join(dir, "FER2013Valid")
	header := "Image name,box,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"
	rows := ""
	for _, v := range voted {
		rows += v.row + "\n"
		write(t, filepath.Join(split, v.row[:5]), v.row[:1])
	}
	write(t, filepath.Join(split, "label.csv"), rows)
	write(t, filepath.Join(dir, "named", "label.csv"), header+rows)
	for _, v := range voted {
		write(t, filepath.Join(dir, "named", v.row[:5]), v.row[:1])
	}
	archive := filepath.Join(dir, "all.tar.gz")
	pack(t, archive, split)

	for _, rule := range []Rule{Majority, Plurality} {
		for _, labels := range [][]string{eight, eight[:7]} {
			var want []string
			left := 0
			for _, v := range voted {
				class := v.majority
				if rule == Plurality {
					class = v.plurality
				}
				switch {
				case class != "" && slices.Contains(labels, class):
					want = append(want, v.row[:5]+" "+class+" "+v.row[:1])
				case class != "":
					left++
				}
			}
			for path, prefix := range map[string]string{split: split, dir: split, archive: "FER2013Valid",
				filepath.Join(dir, "named"): filepath.Join(dir, "named")} {
				pictures, leftOut, err := Read(path, Options{Labels: labels, Rule: rule, Split: "Valid"})
				if err != nil {
					t.Fatal(err)
				}
				if got := listed(t, prefix, pictures); !slices.Equal(got, want) || leftOut != left {
					t.Errorf("%s, %s, %d labels: %q and %d left out, want %q and %d", path, rule, len(labels), got,
						leftOut, want, left)
				}
			}
		}
	}
	if _, _, err := Read(archive, Options{Labels: eight, Rule: Majority, Split: "Train"}); err == nil ||
		!strings.Contains(err.Error(), "FER2013Train/label.csv") {
		t.Errorf("a part that is not there: %v", err)
	}
}

// pack makes an archive of a folder.
func pack(t *testing.T, out, folder string) {
	t.Helper()
	file, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	zipped := gzip.NewWriter(file)
	archive := tar.NewWriter(zipped)
	if err := archive.AddFS(os.DirFS(filepath.Dir(folder))); err != nil {
		t.Fatal(err)
	}
	for _, c := range []interface{ Close() error }{archive, zipped, file} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.png"), "x")
	write(t, filepath.Join(dir, "b.tar.gz"), "no archive")
	write(t, filepath.Join(dir, "short", "label.csv"), "a.png,1,2\n")
	write(t, filepath.Join(dir, "words", "label.csv"),
		"a.png,box,0,0,0,0,0,0,0,0,0,0\nb.png,box,0,many,0,0,0,0,0,0,0,0\n")
	for name, want := range map[string]string{
		"absent": "no such file", "a.png": "it is a file", "b.tar.gz": "gzip", "short": "row 1: 3 columns",
		"words": `row 2: "many"`,
	} {
		_, _, err := Read(filepath.Join(dir, name), Options{Labels: eight, Rule: Majority, Split: "Valid"})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v does not say %q", name, err, want)
		}
	}
}

func TestUnknownNumbering(t *testing.T) {
	_, _, err := Read(t.TempDir(), Options{Labels: eight, Numbered: "fer"})
	if err == nil || !strings.Contains(err.Error(), "Numbered fer: use one of model, rafdb, affectnet7, affectnet8") {
		t.Error(err)
	}
}

func TestFER2013(t *testing.T) {
	dir := t.TempDir()
	row := func(emotion int, pixels, usage string) string {
		return fmt.Sprintf("%d,%s,%s\n", emotion, pixels, usage)
	}
	good := "emotion,pixels,Usage\n" + row(3, "0 255 7 128", "PublicTest") + row(0, "1 2 3 4", "Training") +
		row(6, "9", "PublicTest") + row(1, "9", "PrivateTest")
	write(t, filepath.Join(dir, "fer2013.csv"), good)
	pictures, leftOut, err := Read(filepath.Join(dir, "fer2013.csv"), Options{Labels: eight[:2], Split: "Valid"})
	if err != nil || leftOut != 0 || len(pictures) != 2 || pictures[0].Class != "happy" ||
		pictures[1].Class != "neutral" {
		t.Fatalf("%v, %d left out, %v", pictures, leftOut, err)
	}
	encoded, err := pictures[0].Read()
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(encoded))
	if grey, ok := picture.(*image.Gray); err != nil || !ok || !slices.Equal(grey.Pix, []byte{0, 255, 7, 128}) {
		t.Errorf("picture %v, %v", picture, err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"header":  {"a,b\n", "emotion and pixels"},
		"emotion": {"emotion,pixels\n7,0\n", `line 2: the emotion is "7", want 0 to 6`},
		"square":  {"emotion,pixels\n0,0 1\n", "line 2: 2 pixels are no square"},
		"pixel":   {"emotion,pixels\n0,256\n", `line 2: pixel 1 is "256"`},
		"columns": {"emotion,pixels\n0\n", "wrong number of fields"},
		"empty":   {"emotion,pixels\n", "no picture"},
	} {
		write(t, filepath.Join(dir, name+".csv"), c.text)
		_, _, err := Read(filepath.Join(dir, name+".csv"), Options{Labels: eight, Split: "Valid"})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v does not say %q", name, err, c.want)
		}
	}
}

// The number of pictures that FER+ valid is known to have by each rule.
func TestFERPlusCounts(t *testing.T) {
	media := os.Getenv("MINDFLOW_TESTDATA")
	if media == "" {
		media = filepath.Join("..", "..", "..", "shared", "media")
	}
	archive := filepath.Join(media, "..", "data", "ferplus-train-valid.tar.gz")
	if _, err := os.Stat(archive); err != nil {
		t.Skip("no FER+ beside the test media:", err)
	}
	file, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	entries := tar.NewReader(unzipped)
	for {
		entry, err := entries.Next()
		if err != nil {
			t.Fatal(err)
		}
		if entry.Name == "FER2013Valid/label.csv" {
			break
		}
	}
	rows, err := io.ReadAll(entries)
	if err != nil {
		t.Fatal(err)
	}
	for rule, want := range map[Rule]int{Majority: 3191, Plurality: 3555} {
		list, err := readVotes(bytes.NewReader(rows), rule)
		if err != nil || len(list) != want {
			t.Errorf("%s: %d pictures, want %d (%v)", rule, len(list), want, err)
		}
	}
}
