// Package site makes ready what browsers load: the page's modules are joined and shortened, so that a widget
// comes in one file instead of fifty. The files in web/ work as they are too; nothing is built by hand.
package site

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// Pack gives the files to serve: entries, the modules that pages name, joined with what they import; of what is loaded later each
// part in a file of its own; and all that is no module as it was. Other modules are left out.
func Pack(source fs.FS, entries ...string) (map[string][]byte, error) {
	packed := map[string][]byte{}
	names, err := fs.Glob(source, "*")
	if err != nil {
		return nil, fmt.Errorf("list the page's files: %w", err)
	}
	for _, name := range names {
		if path.Ext(name) == ".js" {
			continue
		}
		data, err := fs.ReadFile(source, name)
		if err != nil {
			return nil, fmt.Errorf("read the page's %s: %w", name, err)
		}
		packed[name] = data
	}
	built := api.Build(api.BuildOptions{
		EntryPoints: entries, Outdir: "/", Bundle: true, Splitting: true, Format: api.FormatESModule, Target: api.ES2022,
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true, ChunkNames: "part-[hash]", LegalComments: api.LegalCommentsNone,
		Plugins: []api.Plugin{modulesOf(source)},
	})
	if len(built.Errors) > 0 {
		e := built.Errors[0]
		if e.Location == nil {
			return nil, errors.New("join the page's modules: " + e.Text)
		}
		return nil, fmt.Errorf("join the page's modules: %s:%d: %s", e.Location.File, e.Location.Line, e.Text)
	}
	for _, f := range built.OutputFiles {
		packed[path.Base(strings.ReplaceAll(f.Path, `\`, "/"))] = f.Contents
	}
	return packed, nil
}

// modulesOf has esbuild read modules from source, and nothing else.
func modulesOf(source fs.FS) api.Plugin {
	const space = "page"
	return api.Plugin{Name: space, Setup: func(b api.PluginBuild) {
		b.OnResolve(api.OnResolveOptions{Filter: ".*"}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
			return api.OnResolveResult{Path: path.Clean(a.Path), Namespace: space}, nil
		})
		b.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: space}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
			data, err := fs.ReadFile(source, a.Path)
			if err != nil {
				return api.OnLoadResult{}, fmt.Errorf("read the page's %s: %w", a.Path, err)
			}
			text := string(data)
			return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, nil
		})
	}}
}

// Entries are the modules that pages name, ours and those of others, and the worker's.
func Entries() []string {
	return []string{"mindflow.js", "page.js", "selftest.js", "embed.js", "frame.js", "watch.js", "stamper.js"}
}
