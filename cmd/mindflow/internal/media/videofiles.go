package media

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// videoExtensions are the files of a folder that are taken for videos.
var videoExtensions = []string{
	".mp4", ".m4v", ".mov", ".3gp", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".ogv", ".flv",
	".wmv", ".y4m", ".vob", ".dv",
}

// videoFiles lists the files that names stand for: files, the videos of folders, patterns that the shell did not
// expand, and streams, which stay as they are. err names the patterns and folders without a video. An absent file fails
// where it is opened.
func videoFiles(names []string) (files []string, err error) {
	for _, name := range names {
		if isStream(name) {
			files = append(files, name)
			continue
		}
		matches := []string{name}
		if _, absent := os.Stat(name); absent != nil && strings.ContainsAny(name, "*?[") {
			found, bad := filepath.Glob(name)
			if bad != nil || len(found) == 0 {
				err = errors.Join(err, fmt.Errorf("%s: no file fits this pattern; name a video file or folder", name))
				continue
			}
			matches = found
		}
		for _, match := range matches {
			inside, bad := videosAt(match)
			files, err = append(files, inside...), errors.Join(err, bad)
		}
	}
	return files, err
}

// videosAt returns the file itself, or the videos of a folder by name.
func videosAt(name string) ([]string, error) {
	if info, err := os.Stat(name); err != nil || !info.IsDir() {
		return []string{name}, nil
	}
	entries, err := os.ReadDir(name)
	if err != nil {
		return nil, fmt.Errorf("list folder: %w", err)
	}
	var files []string
	for _, entry := range entries {
		hidden := strings.HasPrefix(entry.Name(), ".") // also what is being written
		if !entry.IsDir() && !hidden && slices.Contains(videoExtensions, strings.ToLower(filepath.Ext(entry.Name()))) {
			files = append(files, filepath.Join(name, entry.Name()))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no video in this folder; it is searched for %s, not its subfolders", name,
			strings.Join(videoExtensions, " "))
	}
	return files, nil
}
