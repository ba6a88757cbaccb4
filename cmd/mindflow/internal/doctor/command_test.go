package doctor

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mindflow/cmd/mindflow/internal/clitest"
)

// freePorts are settings under which both ports are free.
var freePorts = []string{"--listen", "127.0.0.1:0", "--media", "127.0.0.1:0"}

// diagnose runs `mindflow doctor --json` and returns its list and error.
func diagnose(t *testing.T, args ...string) ([]Result, error) {
	t.Helper()
	var out bytes.Buffer
	err := Doctor().Execute(t.Context(), append([]string{"--json"}, args...), nil, &out)
	var results []Result
	d := json.NewDecoder(&out)
	d.DisallowUnknownFields()
	if e := d.Decode(&results); e != nil {
		t.Fatalf("%v (the command: %v)", e, err)
	}
	return results, err
}

func TestDoctorHealthy(t *testing.T) {
	results, err := diagnose(t, append(freePorts, clitest.EngineArgs(t)...)...)
	if err != nil {
		t.Error(err)
	}
	var checks []string
	for _, r := range results {
		if !strings.HasPrefix(r.Check, "device ") { // which the library lists
			checks = append(checks, r.Check)
		}
		if r.Status == Failure || r.Detail == "" || (r.Status == OK) != (r.Cure == "") {
			t.Errorf("%+v", r)
		}
	}
	want := []string{"ONNX Runtime", "GPU drivers", "detector", "classifier", "inference", "decoder VP8",
		"decoder VP9", "decoder H264",
		"decoder AV1", "decoder device", "encoder VP8", "OpenCV", "HTTP port", "visitors", "media port", "addresses",
		"public address", "browsers", "cameras"}
	if !slices.Equal(checks, want) {
		t.Errorf("checks %q, want %q", checks, want)
	}
}

// TestDoctorFindsFaults: a fault fails its own check, with a cure, and the other checks still run.
func TestDoctorFindsFaults(t *testing.T) {
	engine := clitest.EngineArgs(t)
	models, library := engine[1], engine[3]
	taken, media := clitest.UsedPorts(t)
	notLibrary := filepath.Join(models, "dan-ferplus.onnx")
	cases := []struct {
		name, check, status string
		detail, cure        string // parts of them
		args                []string
		others              []string // checks that fail, too
	}{
		{"models missing", "classifier", Failure, "dan-ferplus.onnx is missing", "make build",
			[]string{"--models", t.TempDir()}, []string{"detector"}},
		{"device missing", "device tensorrt", Failure, "no libonnxruntime_providers_tensorrt.so", "make gpu",
			[]string{"--device", "tensorrt"}, nil}, // not beside npm's library
		{"model altered", "classifier", Failure, "was altered", "make build",
			[]string{"--models", clitest.AlteredModels(t, models)}, nil},
		{"model unknown", "classifier", Failure, "dan-ferpus", "nearest: dan-ferplus",
			[]string{"--model", "dan-ferpus"}, nil},
		{"model of another role", "detector", Failure, "is there to classify", "detect",
			[]string{"--detector", "dan-ferplus"}, nil},
		{"library missing", "ONNX Runtime", Failure, "/nowhere/lib.so", "make build",
			[]string{"--ort-lib", "/nowhere/lib.so"}, nil},
		{"not a library", "ONNX Runtime", Failure, notLibrary, "make build", []string{"--ort-lib", notLibrary}, nil},
		{"nothing to infer with", "inference", Warning, "not tried", "mend", []string{"--ort-lib", "/nowhere/lib.so"},
			[]string{"ONNX Runtime"}},
		{"no such decoder", "decoder device", Failure, "cuda: ", "decode on the CPU",
			[]string{"--decode", "cuda:63"}, nil},
		{"HTTP port taken", "HTTP port", Failure, taken + " is in use", "--listen",
			[]string{"--listen", taken}, nil},
		{"media port taken", "media port", Failure, media + " is in use", "--media",
			[]string{"--media", media}, nil},
		{"no address", "HTTP port", Failure, "8080:x", "host:port", []string{"--listen", "8080:x"},
			[]string{"browsers"}},
		{"another machine's address", "media port", Failure, "192.0.2.77", "--media",
			[]string{"--media", "192.0.2.77:8189"}, []string{"addresses"}},
		{"only loopback", "addresses", Warning, "other machines", "--media", nil, nil},
		{"no secure origin", "browsers", Warning, "no secure origin", "HTTPS", []string{"--listen", ":0", "--open"},
			nil},
		{"nobody said who may", "visitors", Failure, "does not start", "--open", []string{"--listen", ":0"}, nil},
		{"everybody may", "visitors", Warning, "everybody who reaches :0", "--token-file", []string{"--listen", ":0",
			"--open"}, nil},
		{"tokens in the clear", "visitors", Warning, "plain HTTP", "--tls-domain", []string{"--listen", ":0",
			"--token-file", "FILE"}, nil},
		{"tokens over HTTPS", "visitors", OK, "over HTTPS", "", []string{"--listen", ":0", "--token-file", "FILE",
			"--tls-self-signed", "--tls-folder", t.TempDir()}, nil},
		{"decoder over the limit", "decoder VP8", Failure, "over the limit of 100 pixels", "--max-pixels",
			[]string{"--max-pixels", "100"}, []string{"decoder VP9", "decoder H264", "decoder AV1"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			results, err := diagnose(t, slices.Concat(freePorts, []string{"--models", models, "--ort-lib", library},
				c.args)...)
			failures := slices.Clone(c.others)
			if c.status == Failure {
				failures = append(failures, c.check)
			}
			if (err != nil) != (len(failures) > 0) {
				t.Errorf("error %v with failures %q", err, failures)
			}
			found := false
			for _, r := range results {
				if fails := r.Status == Failure; fails != slices.Contains(failures, r.Check) &&
					!(c.check == r.Check && c.status != Failure) {
					t.Errorf("%+v, want failures of %q", r, failures)
				}
				if r.Check == c.check && r.Status == c.status {
					found = strings.Contains(r.Detail, c.detail) && strings.Contains(r.Cure, c.cure) || found
				}
			}
			if !found {
				t.Errorf("no %s of %s says %q and %q: %+v", c.status, c.check, c.detail, c.cure, results)
			}
		})
	}
}

func TestDoctorText(t *testing.T) {
	var out bytes.Buffer
	err := Doctor().Execute(t.Context(), slices.Concat(freePorts, clitest.EngineArgs(t),
		[]string{"--ort-lib", "/nowhere/lib.so"}), nil, &out)
	if err == nil || !strings.Contains(err.Error(), "1 check failed") {
		t.Errorf("error %v", err)
	}
	for _, want := range []string{"failure  ONNX Runtime  ", "→ run \"make build\"", "warning  inference  ",
		"ok       OpenCV  "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("colours without a terminal")
	}
}

func TestDoctorRefuses(t *testing.T) {
	for _, c := range []struct{ args, want string }{{"now", `"now"`}, {"--threads=0", "1 to 256"}} {
		if err := Doctor().Execute(t.Context(), []string{c.args}, nil, &bytes.Buffer{}); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.args, err)
		}
	}
}
