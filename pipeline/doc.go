// Package pipeline turns access units of live video into expression labels.
//
//	Unit ─ Decoder ─► Frame ─ Mailbox ─► Analyzer: detect ─ track ─ sample ─ classify ─ smooth ─► Message
//
// It is pure Go and imports only the standard library. What needs C (libavcodec, ONNX Runtime,
// OpenCV) implements its small interfaces in packages of their own below this one; what needs a
// network lives in server.
package pipeline
