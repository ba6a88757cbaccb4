package operate

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"
)

func TestReadiness(t *testing.T) {
	var s Readiness
	failed, none := map[string]string{"classifier": "the GPU failed; on the CPU"}, map[string]string{}
	for _, row := range []struct {
		do     func()
		status int
		want   ReadyReport
	}{
		{func() {}, 503, ReadyReport{false, Loading, []string{"the models are being loaded"}, map[string]string{}}},
		{func() { s.Set(Serving) }, 200, ReadyReport{true, Serving, []string{}, map[string]string{}}},
		{func() {
			s.SetDegraded(func() map[string]string { return failed })
		}, 200, ReadyReport{true, Serving, []string{}, failed}},
		{func() { s.SetDegraded(nil); s.Set(Draining) }, 503,
			ReadyReport{false, Draining, []string{"the server is about to stop and takes no newcomers"}, none}},
		{func() { s.Set(Stopping) }, 503, ReadyReport{false, Stopping, []string{"the server is stopping"}, none}},
	} {
		row.do()
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
		var got ReadyReport
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if w.Code != row.status || !reflect.DeepEqual(got, row.want) ||
			w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%d %+v, want %d %+v", w.Code, got, row.status, row.want)
		}
	}
}
