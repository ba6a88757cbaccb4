// Package web holds what the browser gets: the page, the element <mindflow-live> and its modules.
package web

import "embed"

// Files are the files to serve, by their path in this folder.
//
//go:embed *.html *.js *.css *.svg
var Files embed.FS
