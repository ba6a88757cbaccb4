// Package web holds the pages and the element <mindflow-live> with its modules. Site packs them into the files that a
// server serves. The modules also work unpacked: nothing is built by hand.
package web

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

//go:embed client live pages words entries.json
var files embed.FS

// Site returns the files to serve, by their paths. Each module of entries.json is joined with its imports into one
// file, under its own name; shared parts, and parts that are loaded on demand, are files of their own. The other files
// of the pages are unchanged.
func Site() (map[string][]byte, error) {
	var entries []string
	data, err := files.ReadFile("entries.json")
	if err != nil {
		return nil, fmt.Errorf("read the list of entry points: %w", err)
	}
	if err := json.Unmarshal(data, &entries); err != nil {
		return nil, fmt.Errorf("read the list of entry points: %w", err)
	}
	site, err := bundle(files, entries)
	if err != nil {
		return nil, fmt.Errorf("bundle the page's modules: %w", err)
	}
	pages, err := files.ReadDir("pages")
	if err != nil {
		return nil, fmt.Errorf("list the pages' files: %w", err)
	}
	for _, page := range pages {
		if path.Ext(page.Name()) == ".js" {
			continue
		}
		if site[page.Name()], err = files.ReadFile("pages/" + page.Name()); err != nil {
			return nil, fmt.Errorf("read the pages' files: %w", err)
		}
	}
	return site, nil
}

// bundle joins and minifies the entry modules of source with what they import.
func bundle(source fs.FS, entries []string) (map[string][]byte, error) {
	built := api.Build(api.BuildOptions{
		EntryPoints: entries, Outdir: "/", EntryNames: "[name]", ChunkNames: "part-[hash]",
		Bundle: true, Splitting: true, Format: api.FormatESModule, Target: api.ES2022,
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true, LegalComments: api.LegalCommentsNone,
		Plugins: []api.Plugin{readFrom(source)},
	})
	if len(built.Errors) > 0 {
		e := built.Errors[0]
		if e.Location == nil {
			return nil, errors.New(e.Text)
		}
		return nil, fmt.Errorf("%s:%d: %s", e.Location.File, e.Location.Line, e.Text)
	}
	site := map[string][]byte{}
	for _, f := range built.OutputFiles {
		site[path.Base(strings.ReplaceAll(f.Path, `\`, "/"))] = f.Contents
	}
	return site, nil
}

// readFrom makes esbuild read modules from source, and nothing else.
func readFrom(source fs.FS) api.Plugin {
	const namespace = "web"
	return api.Plugin{Name: namespace, Setup: func(b api.PluginBuild) {
		b.OnResolve(api.OnResolveOptions{Filter: ".*"}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
			return api.OnResolveResult{Path: path.Join(path.Dir(a.Importer), a.Path), Namespace: namespace}, nil
		})
		all := api.OnLoadOptions{Filter: ".*", Namespace: namespace}
		b.OnLoad(all, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
			data, err := fs.ReadFile(source, a.Path)
			if err != nil {
				return api.OnLoadResult{}, err
			}
			text := string(data)
			return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, nil
		})
	}}
}
