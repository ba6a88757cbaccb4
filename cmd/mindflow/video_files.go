package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mindflow/pipeline/vision"
)

// videoExtensions are the files of a folder that are taken for videos.
var videoExtensions = []string{
	".mp4", ".m4v", ".mov", ".3gp", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".ogv", ".flv", ".wmv", ".y4m",
}

// videoFiles lists the files that names stand for: files, the videos of folders, and patterns that the
// shell did not expand. err names those that stand for none; an absent file is left to who opens it.
func videoFiles(names []string) (files []string, err error) {
	for _, name := range names {
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

// videosAt is the file itself, or the videos of a folder by name.
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
		return nil, fmt.Errorf("%s: no video in this folder; it is searched for %s, not its subfolders", name, strings.Join(videoExtensions, " "))
	}
	return files, nil
}

// videoTargets names the file that each annotated video becomes, "" for none: out itself, or an MP4 file of
// the same name in the folder out. Nothing is overwritten that is read, and no two videos share a name.
func videoTargets(out string, files []string) ([]string, error) {
	targets := make([]string, len(files))
	if out == "" {
		return targets, nil
	}
	if len(files) > 1 {
		if err := os.MkdirAll(out, 0o755); err != nil {
			return nil, fmt.Errorf("create the folder for annotated videos: %w", err)
		}
	}
	info, err := os.Stat(out)
	folder := err == nil && info.IsDir()
	from := map[string]string{}
	for i, file := range files {
		target := out
		if folder {
			base := filepath.Base(file)
			target = filepath.Join(out, strings.TrimSuffix(base, filepath.Ext(base))+".mp4")
		}
		if other, taken := from[target]; taken {
			return nil, fmt.Errorf("--annotate: %s and %s would both become %s; annotate them one by one", other, file, target)
		}
		if slices.ContainsFunc(files, func(f string) bool { return same(f, target) }) {
			return nil, fmt.Errorf("--annotate: %s would be overwritten; name another file or folder", target)
		}
		if err := vision.CheckRecordable(target); err != nil {
			return nil, fmt.Errorf("--annotate: %w", err)
		}
		from[target], targets[i] = file, target
	}
	return targets, nil
}
