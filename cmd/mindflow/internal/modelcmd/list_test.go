package modelcmd

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mindflow/models"
)

// TestListShowsLicencesAndData: the list shows licence and training data of all weights in full, also of those that are
// still to be imported.
func TestListShowsLicencesAndData(t *testing.T) {
	dir := t.TempDir()
	addEntry(t, dir, "dan-rafdb", models.ImportedFrom("a checkpoint"), []byte("weights")) // its recipe is done
	if err := os.WriteFile(filepath.Join(dir, "broken.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	manifest, err := models.Default()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][2]string{"dan-rafdb": {"CC0", "none: made for a test"}}
	for _, e := range manifest.Models {
		want[e.Name] = [2]string{e.Licence, e.TrainingData}
	}
	for _, r := range manifest.Recipes {
		if r.Name != "dan-rafdb" {
			want[r.Name] = [2]string{r.Licence, r.TrainingData}
		}
	}

	text, err := modelCommand(t, dir, "list")
	if err != nil {
		t.Fatal(err)
	}
	for name, w := range want {
		_, after, found := strings.Cut("\n"+text, "\n"+name)
		_, after, _ = strings.Cut(after, "\n")
		if !found || !strings.HasPrefix(after, "  licence of the weights: "+w[0]+"\n  trained on: "+w[1]+"\n") {
			t.Errorf("of %s the list does not say %q:\n%s", name, w, text)
		}
	}

	if text, err = modelCommand(t, dir, "list", "--json"); err != nil {
		t.Fatal(err)
	}
	states := map[string]string{}
	for line := range strings.Lines(text) {
		var m struct {
			Name, State, Licence, Error string
			TrainingData                string `json:"training_data"`
			Steps                       []string
		}
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		states[m.Name] = m.State
		if w := want[m.Name]; m.Licence != w[0] || m.TrainingData != w[1] ||
			(m.State == toImport) != (len(m.Steps) > 0) || (m.State == faulty) != (m.Error != "") {
			t.Errorf("%+v, want %q", m, w)
		}
	}
	if len(states) != len(want)+1 || states["broken"] != faulty || states["dan-affectnet7"] != toImport ||
		states["dan-rafdb"] != missing {
		t.Errorf("states %v", states)
	}
}
