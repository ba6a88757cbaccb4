package media

import (
	"testing"

	"mindflow/cmd/mindflow/internal/clitest"
)

func TestMain(m *testing.M) { clitest.Main(m) }
