package modelcmd

import (
	"testing"

	"mindflow/models"
)

// What an import says to do next names the folder of models where that is not the default one.
func TestModelsFlag(t *testing.T) {
	usual, err := models.UserFolder()
	if err != nil {
		t.Skip(err)
	}
	for folder, want := range map[string]string{usual: "", usual + "/": "", "/elsewhere": " --models /elsewhere"} {
		if got := modelsFlag(folder); got != want {
			t.Errorf("%s: %q, want %q", folder, got, want)
		}
	}
}
