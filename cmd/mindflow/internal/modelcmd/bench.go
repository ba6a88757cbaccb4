// Package modelcmd holds the commands for models: list, info, pull, verify, remove, import, eval and bench.
package modelcmd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/models/engine"
	"mindflow/models/throughput"
)

// largestBatch is also the largest value of serve's --batch.
const largestBatch = 256

// Bench measures how many faces a second a device classifies.
func Bench() settings.Command {
	fs := settings.NewFlags("bench")
	chosen := engine.Default()
	settings.ThroughputFlags(fs, &chosen)
	batches := fs.String("batch", "1,2,4,8,16,32,64", "`sizes` of batch, in faces")
	precisions := fs.String("precision", engine.FP32, "what to compute in: `some` of fp32, fp16 and int8")
	each := fs.Duration("duration", 2*time.Second, "time of each measurement")
	asJSON := fs.Bool("json", false, "print one JSON object")
	return settings.Command{Flags: fs, Run: func(ctx context.Context, call settings.Call, out io.Writer) error {
		if len(call.Args) > 0 {
			return fmt.Errorf("bench takes no argument %q; mindflow bench --help lists the flags", call.Args[0])
		}
		plan := throughput.Plan{
			Precisions: strings.Split(*precisions, ","), Time: *each,
			Progress: func(text string) { fmt.Fprintln(os.Stderr, text) },
			Text:     func(err error) string { return settings.WithFlag(err).Error() },
		}
		var err error
		if plan.Batches, err = batchSizes(*batches); err != nil {
			return err
		}
		if *each < 10*time.Millisecond || *each > time.Hour {
			return fmt.Errorf("--duration %v: use 10ms to 1h", *each)
		}
		settings.ProbeAuto(ctx, &chosen)
		plan.Engine = chosen.WithFirstClassifier()
		result, err := throughput.Run(ctx, plan)
		if err != nil {
			return err
		}
		if *asJSON {
			lines := json.NewEncoder(out)
			lines.SetIndent("", "  ")
			return lines.Encode(result)
		}
		return result.Table(out)
	}}
}

// batchSizes parses a list of sizes.
func batchSizes(text string) (list []int, err error) {
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 1 || n > largestBatch {
			return nil, fmt.Errorf("--batch %s: use numbers of 1 to %d with commas, such as 1,8,64", text, largestBatch)
		}
		list = append(list, n)
	}
	return list, nil
}
