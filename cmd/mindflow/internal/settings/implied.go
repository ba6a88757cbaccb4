package settings

import (
	"flag"
	"fmt"

	"mindflow/models/engine"
)

// presets has the flags that each preset implies where nothing else sets them.
var presets = map[string]map[string]string{
	"notebook": {"detector": "haar", "smoothing": "0s", "detect-every": "0s", "classify-every": "0s",
		"rest-every": "0s"},
}

// implied sets the flags that have no source yet to what other flags imply.
func implied(fs *flag.FlagSet, from Sources) error {
	if chosen := fs.Lookup("preset"); chosen != nil {
		name := chosen.Value.String()
		if _, err := engine.LookupPreset(name); err != nil {
			return err
		}
		if err := imply(fs, from, "--preset "+name, presets[name]); err != nil {
			return err
		}
	}
	by, values := impliedByTLS(fs, from)
	return imply(fs, from, by, values)
}

// impliedByTLS returns the addresses that HTTPS is served on with the chosen kind of certificate.
func impliedByTLS(fs *flag.FlagSet, from Sources) (by string, values map[string]string) {
	for _, name := range []string{"tls-cert", "tls-domain"} {
		if isSet(fs, name) && from["listen"] == "" {
			return "--" + name, map[string]string{"listen": ":443", "http-redirect": ":80"}
		} else if isSet(fs, name) {
			return "", nil
		}
	}
	if isSet(fs, "tls-self-signed") {
		return "--tls-self-signed", map[string]string{"listen": ":8443"}
	}
	return "", nil
}

func isSet(fs *flag.FlagSet, name string) bool {
	f := fs.Lookup(name)
	return f != nil && f.Value.String() != "" && f.Value.String() != "false"
}

func imply(fs *flag.FlagSet, from Sources, by string, values map[string]string) error {
	for name, value := range values {
		if from[name] != "" {
			continue
		}
		if err := fs.Set(name, value); err != nil {
			return fmt.Errorf("%s: --%s: %w", by, name, err)
		}
		from[name] = by
	}
	return nil
}
