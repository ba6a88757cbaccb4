package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rule says what the packages in folder (and below, unless a longer rule fits) may import of this
// module, and which libraries belong to them alone.
type rule struct {
	folder  string
	ours    []string // folders of this module that may be imported
	library bool     // may import pinned libraries, apart from those that belong to others
	owns    []string // libraries that only this folder may import
	why     string
}

var rules = []rule{
	{"cmd", []string{"server", "server/loadtest", "pipeline", "models", "models/engine", "models/device", "models/importer", "models/evaluate", "models/gauge", "web"}, true, nil, "cmd wires the parts together and is imported by nobody"},
	{"bench", []string{"cmd", "server", "server/loadtest", "pipeline", "models", "models/engine", "models/importer", "web"}, true, nil, "bench measures the parts and is imported by nobody"},
	{"docs", nil, true, nil, "an example is somebody else's program: it knows the server by its protocol"},
	{"server", []string{"pipeline", "server"}, true, []string{"github.com/pion/"}, "server knows the pipeline's interfaces; decoders and models are handed to it"},
	{"models", []string{"pipeline", "models"}, true, []string{"google.golang.org/protobuf"}, "models describes networks in the pipeline's terms"},
	{"models/engine", []string{"models/device", "pipeline", "pipeline/ort", "pipeline/vision", "pipeline/camera", "models"}, true, nil, "the engine loads the models that the manifest describes"},
	{"models/device", []string{"pipeline/ort"}, true, nil, "device choice tries ONNX Runtime's devices"},
	{"models/importer", []string{"pipeline", "pipeline/ort", "pipeline/vision", "models"}, true, nil, "the importer checks a network on ONNX Runtime"},
	{"models/evaluate", []string{"pipeline", "pipeline/vision", "models", "models/engine"}, true, nil, "evaluation runs classifiers over pictures"},
	{"models/gauge", []string{"pipeline", "pipeline/ort", "pipeline/camera", "models", "models/engine"}, true, nil, "throughput is measured on what the engine loads"},
	{"server/loadtest", []string{"pipeline", "pipeline/vpx", "pipeline/camera", "server"}, true, nil, "the load test publishes as a browser does"},
	{"web", nil, false, nil, "web is what the browser gets: the standard library is enough"},
	{"pipeline", nil, false, nil, "pipeline is the product in pure Go: no cgo, no Pion, no OpenCV"},
	{"pipeline/avdec", []string{"pipeline"}, false, nil, "an adapter knows the pipeline and its own C library, not another adapter"},
	{"pipeline/camera", []string{"pipeline"}, false, []string{"github.com/pion/mediadevices"}, "an adapter knows the pipeline and its own C library, not another adapter"},
	{"pipeline/ort", []string{"pipeline"}, false, []string{"github.com/yalue/onnxruntime_go"}, "an adapter knows the pipeline and its own C library, not another adapter"},
	{"pipeline/vpx", []string{"pipeline"}, false, nil, "an adapter knows the pipeline and its own C library, not another adapter"},
	{"pipeline/vision", []string{"pipeline"}, false, []string{"gocv.io/x/gocv", "golang.org/x/image/bmp", "golang.org/x/image/tiff", "golang.org/x/image/webp"}, "an adapter knows the pipeline and its own C library, not another adapter"},
}

const module = "mindflow/"

// TestLayering holds the arrows of docs/architecture.md: over direct imports, tests left out.
func TestLayering(t *testing.T) {
	root := filepath.Join("..", "..")
	files := 0
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		files++
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		folder := filepath.ToSlash(filepath.Dir(rel))
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if reason := broken(folder, imported); reason != "" {
				t.Errorf("%s imports %s: %s", rel, imported, reason)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 20 {
		t.Errorf("only %d files were looked at", files)
	}
}

// broken gives the reason why a package in folder may not import the other, or "".
func broken(folder, imported string) string {
	r, ok := ruleOf(folder)
	if !ok {
		return "no rule covers this folder; add one to layering_test.go and docs/architecture.md"
	}
	if own, found := strings.CutPrefix(imported, module); found {
		target, _ := ruleOf(own)
		if target.folder == r.folder || slices.Contains(r.ours, target.folder) ||
			(r.folder == "cmd" || r.folder == "bench") && strings.HasPrefix(target.folder, "pipeline") {
			return ""
		}
		return r.why
	}
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return "" // standard library
	}
	if owner, owned := ownerOf(imported); owned && owner.folder == r.folder {
		return ""
	} else if owned {
		return "only " + owner.folder + " may: " + owner.why
	}
	if !r.library {
		return r.why
	}
	return ""
}

// ownerOf finds the rule that owns a library, by the longest name: all of Pion is the server's but for the
// part that another folder names.
func ownerOf(library string) (owner rule, ok bool) {
	longest := 0
	for _, r := range rules {
		for _, name := range r.owns {
			if strings.HasPrefix(library, name) && len(name) > longest {
				owner, ok, longest = r, true, len(name)
			}
		}
	}
	return owner, ok
}

// ruleOf finds the longest rule that covers folder.
func ruleOf(folder string) (best rule, ok bool) {
	for _, r := range rules {
		if (folder == r.folder || strings.HasPrefix(folder, r.folder+"/")) && len(r.folder) >= len(best.folder) {
			best, ok = r, true
		}
	}
	return best, ok
}

func TestLayeringRulesBite(t *testing.T) {
	cases := []struct {
		folder, imported string
		allowed          bool
	}{
		{"cmd/mindflow", "mindflow/pipeline/ort", true},
		{"cmd/mindflow", "mindflow/server", true},
		{"cmd/mindflow", "github.com/pion/webrtc/v3", false},
		{"server", "mindflow/pipeline", true},
		{"server/whipclient", "github.com/pion/webrtc/v3", true},
		{"server", "mindflow/pipeline/avdec", false},
		{"server", "mindflow/cmd/mindflow", false},
		{"pipeline", "mindflow/pipeline/ort", false},
		{"pipeline", "github.com/pion/rtp", false},
		{"pipeline", "encoding/json", true},
		{"pipeline/camera", "github.com/pion/mediadevices/pkg/driver", true},
		{"pipeline/camera", "github.com/pion/webrtc/v3", false},
		{"pipeline/camera", "mindflow/pipeline/vpx", false},
		{"server", "github.com/pion/mediadevices/pkg/driver", false},
		{"cmd/mindflow", "github.com/pion/mediadevices/pkg/driver", false},
		{"pipeline/ort", "mindflow/models", false},
		{"pipeline/ort", "mindflow/pipeline/vision", false},
		{"pipeline/ort", "github.com/yalue/onnxruntime_go", true},
		{"pipeline/vision", "github.com/yalue/onnxruntime_go", false},
		{"pipeline/avdec/avtest", "mindflow/pipeline", true},
		{"models/dan", "mindflow/models/onnx", true},
		{"models", "mindflow/server", false},
		{"web", "mindflow/pipeline", false},
		{"elsewhere", "fmt", false},
	}
	for _, c := range cases {
		if got := broken(c.folder, c.imported); (got == "") != c.allowed {
			t.Errorf("%s imports %s: allowed %v, want %v (%s)", c.folder, c.imported, got == "", c.allowed, got)
		}
	}
}
