package checkpoint

import (
	"bytes"
	"strings"
)

// foreign returns what a file is that begins so and is no checkpoint, with the cure.
func foreign(begin []byte) string {
	is := func(magic string) bool { return bytes.HasPrefix(begin, []byte(magic)) }
	text := strings.ToLower(string(bytes.TrimLeft(bytes.TrimPrefix(begin, []byte("\xef\xbb\xbf")), " \t\r\n")))
	switch {
	case len(begin) == 0:
		return "an empty file, not one that torch.save wrote; download it again"
	case strings.HasPrefix(text, "<!doctype html"), strings.HasPrefix(text, "<html"):
		return "an HTML page, not a checkpoint: open the link in a browser, and save the file that the page offers"
	case strings.HasPrefix(text, "<?xml"), strings.HasPrefix(text, "<error"):
		return "an XML document, as storage services answer when a file cannot be had; download it again"
	case is("version https://git-lfs"):
		return "a pointer of Git LFS, not the file: fetch it by git lfs pull"
	case strings.HasPrefix(text, "{"), strings.HasPrefix(text, "["):
		return "a JSON text, not a checkpoint; read it: it may say why the download failed"
	case is("\x1f\x8b"):
		return "compressed by gzip; unpack it by gunzip or tar xzf, and import what is in it"
	case is("BZh"), is("\xfd7zXZ\x00"), is("\x28\xb5\x2f\xfd"), is("7z\xbc\xaf\x27\x1c"), is("Rar!"):
		return "a compressed archive; unpack it, and import what is in it"
	case len(begin) > 262 && string(begin[257:262]) == "ustar":
		return "a tar archive; unpack it, or if PyTorch before 0.1.10 wrote it, load it there and save it with a " +
			"newer one"
	case is("\x89HDF"):
		return "an HDF5 file, as Keras writes them; a checkpoint of PyTorch is needed"
	case len(begin) > 2 && begin[0] == 8 && begin[1] < 32 && (begin[2] == 0x12 || begin[2] == 0x3a):
		return "an ONNX model, which needs no import: describe it in an entry beside it"
	case is("PK"):
		return "a damaged zip archive; download it again"
	case is("\x80"):
		return "a pickle that torch.save did not write; save the weights by torch.save(model.state_dict(), FILE)"
	}
	return "neither a zip archive nor of PyTorch's older format: not a file that torch.save wrote, or cut off at its " +
		"beginning"
}
