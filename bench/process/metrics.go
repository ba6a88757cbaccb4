package process

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// Metrics scrapes the server, which was started with --admin. The values are keyed by the name of the series with its
// labels.
func (s *Server) Metrics() (map[string]float64, error) {
	body, err := s.get("/metrics")
	if err != nil {
		return nil, err
	}
	return parseMetrics(body)
}

// Collect has the server collect its garbage, and returns how many bytes of its heap are in use afterwards. Go empties
// a sync.Pool at the second collection after its last use, so there are two. The metrics report more when they are read
// later, since profiles and metrics themselves leave garbage.
func (s *Server) Collect() (inUse float64, err error) {
	var text string
	for range 2 {
		if text, err = s.get("/debug/pprof/heap?gc=1&debug=1"); err != nil {
			return 0, err
		}
	}
	m := heapAlloc.FindStringSubmatch(text)
	if m == nil {
		return 0, errors.New("the heap profile has no HeapAlloc")
	}
	return strconv.ParseFloat(m[1], 64)
}

var heapAlloc = regexp.MustCompile(`(?m)^# HeapAlloc = (\d+)$`)

// HeapProfile returns a profile of the heap for `go tool pprof`.
func (s *Server) HeapProfile() (string, error) { return s.get("/debug/pprof/heap?gc=1") }

// get reads from the operators' port. It closes its connection, which would otherwise count among the server's sockets.
func (s *Server) get(path string) (string, error) {
	if s.Admin == "" {
		return "", errors.New("the server was started without --admin")
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(s.Admin + path)
	if err != nil {
		return "", errors.Join(s.Alive(), err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("GET %s: %s", path, response.Status)
	}
	return string(body), nil
}

// parseMetrics reads Prometheus' text format as the server writes it, in which no value has a time.
func parseMetrics(text string) (map[string]float64, error) {
	values := map[string]float64{}
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := lines.Text()
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || line[0] == '#' {
			continue
		}
		v, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("metrics: %q: %w", line, err)
		}
		values[line[:at]] = v
	}
	return values, lines.Err()
}

// Sockets returns the number of sockets that the server has open.
func (s *Server) Sockets() (n int, err error) {
	folder := fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return 0, errors.Join(s.Alive(), err)
	}
	for _, e := range entries {
		to, err := os.Readlink(folder + "/" + e.Name()) // it may have been closed
		if err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n, nil
}
