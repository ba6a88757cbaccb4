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

// Metrics scrapes the server, which was started with --admin: a value a series, by its name with its labels.
func (s *Server) Metrics() (map[string]float64, error) {
	body, err := s.ask("/metrics")
	if err != nil {
		return nil, err
	}
	return parseMetrics(body)
}

// Collect has the server collect its garbage, and says how many bytes of its heap are in use then. Go empties a sync.Pool at the
// second collection after its last use. What the metrics say later is more: profiles and metrics leave garbage themselves.
func (s *Server) Collect() (inUse float64, err error) {
	var text string
	for range 2 {
		if text, err = s.ask("/debug/pprof/heap?gc=1&debug=1"); err != nil {
			return 0, err
		}
	}
	m := heapAlloc.FindStringSubmatch(text)
	if m == nil {
		return 0, errors.New("the profile of the heap does not say how much of it is in use")
	}
	return strconv.ParseFloat(m[1], 64)
}

var heapAlloc = regexp.MustCompile(`(?m)^# HeapAlloc = (\d+)$`)

// Profile is one of the heap (`go tool pprof`).
func (s *Server) Profile() (string, error) { return s.ask("/debug/pprof/heap?gc=1") }

// ask asks operators' port, by a connection of its own, which would otherwise be counted among the server's.
func (s *Server) ask(path string) (string, error) {
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

// parseMetrics reads Prometheus' text format, as far as we write it: no value has a time.
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

// Sockets is the number of them that the server has open.
func (s *Server) Sockets() (n int, err error) {
	folder := fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return 0, errors.Join(s.Alive(), err)
	}
	for _, e := range entries {
		if to, err := os.Readlink(folder + "/" + e.Name()); err == nil && strings.HasPrefix(to, "socket:") { // it may be closed by now
			n++
		}
	}
	return n, nil
}
