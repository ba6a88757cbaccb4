// Package testkit holds what tests and measurements of several packages share: the test media, real streams of every
// codec that browsers send (made by the ffmpeg program) with the pictures that ffmpeg decodes from them, damaged
// copies of those streams, free ports, and the check that no goroutine stays.
package testkit
