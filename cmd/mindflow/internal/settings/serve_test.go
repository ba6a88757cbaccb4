package settings

import "testing"

func TestDecode(t *testing.T) {
	for text, fine := range map[Decode]bool{
		"auto": true, "cpu": true, "cuda": true, "cuda:3": true, "": false, "vaapi": false, "cuda:x": false,
	} {
		if err := text.check(); (err == nil) != fine {
			t.Errorf("%q: %v", text, err)
		}
	}
}
