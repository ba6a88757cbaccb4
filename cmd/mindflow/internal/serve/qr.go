package serve

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"

	"rsc.io/qr"

	"mindflow/cmd/mindflow/internal/terminal"
)

// printAddresses prints where HTTPS is served on this network. On a terminal it draws the first address as a QR code.
func printAddresses(out io.Writer, ips []net.IP, port int) error {
	var text strings.Builder
	for i, ip := range ips {
		if ip.IsLoopback() && i > 0 { // of no use to other machines
			continue
		}
		address := (&url.URL{Scheme: "https", Host: net.JoinHostPort(ip.String(), strconv.Itoa(port)),
			Path: "/"}).String()
		if i == 0 && terminal.Is(out) {
			code, err := halfBlocks(address)
			if err != nil {
				return fmt.Errorf("draw the address as a QR code: %w", err)
			}
			text.WriteString(code)
		}
		fmt.Fprintln(&text, address)
	}
	text.WriteString("The certificate was made on this machine, so the browser asks once whether to go on.\n")
	_, err := io.WriteString(out, text.String())
	return err
}

// quietZone is the width of the white border that scanners need (ISO/IEC 18004, section 7.3.8), in modules.
const quietZone = 4

// halfBlocks draws text as a QR code, two rows of modules a line. It sets colours, so that the code is dark on light on
// every terminal.
func halfBlocks(text string) (string, error) {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for y := -quietZone; y < code.Size+quietZone; y += 2 {
		b.WriteString("\x1b[30;107m")
		for x := -quietZone; x < code.Size+quietZone; x++ {
			switch upper, lower := code.Black(x, y), code.Black(x, y+1); {
			case upper && lower:
				b.WriteRune('█')
			case upper:
				b.WriteRune('▀')
			case lower:
				b.WriteRune('▄')
			default:
				b.WriteRune(' ')
			}
		}
		b.WriteString("\x1b[0m\n")
	}
	return b.String(), nil
}
