package modelcmd

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"mindflow/cmd/mindflow/internal/clitest"
	"mindflow/models/throughput"
)

func TestBench(t *testing.T) {
	var out bytes.Buffer
	args := append([]string{"--batch", "1,2", "--duration", "10ms", "--json"}, clitest.EngineArgs(t)...)
	if err := Bench().Execute(t.Context(), args, nil, &out); err != nil {
		t.Fatal(err)
	}
	var r throughput.Result
	if err := json.Unmarshal(out.Bytes(), &r); err != nil || len(r.Rows) != 2 || r.Device != "cpu" {
		t.Errorf("%v: %s", err, out.String())
	}
}

func TestBenchRefuses(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--batch 0", "--batch 0: use numbers of 1 to 256"},
		{"--batch 1,x", "--batch 1,x"},
		{"--duration 1ms", "--duration"},
		{"--device abacus", "--device abacus: use auto"},
		{"extra", "takes no argument"},
	} {
		args := append(strings.Fields(c.args), clitest.EngineArgs(t)...)
		if err := Bench().Execute(t.Context(), args, nil, &bytes.Buffer{}); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.args, err)
		}
	}
	if list, err := batchSizes("1, 8,64"); err != nil || !slices.Equal(list, []int{1, 8, 64}) {
		t.Error(list, err)
	}
}
