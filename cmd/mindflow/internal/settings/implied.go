// Package settings holds the flags of the commands and the other places that settings come from.
package settings

// Presets has the flags that each preset implies where nothing else sets them.
var Presets = map[string]map[string]string{
	"notebook": {"detector": "haar", "smoothing": "0s", "detect-every": "0s", "classify-every": "0s", "rest-every": "0s"},
}
