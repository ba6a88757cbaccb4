package importer

import "testing"

// A published checkpoint that is named as its recipe says has the recipe's licence.
func TestProvenance(t *testing.T) {
	licence, data, err := (&Options{Name: "dan-rafdb"}).provenance()
	if err != nil || licence != "none stated by the authors: ask them before you use it in earnest" ||
		data != "MS-Celeb-1M (faces), then RAF-DB (research only, on request)" {
		t.Errorf("%q, %q, %v", licence, data, err)
	}
	if licence, data, err = (&Options{Name: "mine"}).provenance(); err != nil || licence != data ||
		licence[:10] != "not stated" {
		t.Errorf("%q, %q, %v", licence, data, err)
	}
}
