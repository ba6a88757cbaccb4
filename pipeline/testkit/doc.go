// Package testkit has what tests and measurements of several packages share: test media, streams of every codec that
// browsers send (made by the ffmpeg program) with the pictures that ffmpeg decodes from them, damaged copies of these
// streams, free ports, and leak checks.
package testkit
