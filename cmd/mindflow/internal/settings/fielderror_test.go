package settings

import (
	"errors"
	"fmt"
	"testing"

	"mindflow/pipeline/field"
)

func TestWithFlag(t *testing.T) {
	cause := errors.New("port 80 is taken")
	for _, c := range []struct {
		err  error
		want string
	}{
		{&field.Error{Field: "Media", Err: cause}, "--media: port 80 is taken"},
		{fmt.Errorf("start: %w", &field.Error{Field: "TurnTLS", Err: cause}), "start: --turn-tls: port 80 is taken"},
		{errors.Join(&field.Error{Field: "Listen", Err: cause}, errors.New("and more")),
			"--listen: port 80 is taken\nand more"},
		{errors.Join(field.Errorf("MaxP95", "slow"), &field.Error{Field: "MinRate", Err: cause}),
			"--max-p95: slow\n--min-rate: port 80 is taken"},
		{&field.Error{Field: "unknown", Err: cause}, "unknown: port 80 is taken"},
		{cause, "port 80 is taken"},
	} {
		if got := WithFlag(c.err); got.Error() != c.want || !errors.Is(got, cause) {
			t.Errorf("%v became %v, want %s", c.err, got, c.want)
		}
	}
	if WithFlag(nil) != nil {
		t.Error("no error became one")
	}
}
