package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"time"
)

//go:embed page
var page embed.FS

// file is one file of the page.
type file struct {
	name, contentType, etag string
	content                 []byte
}

var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// embedded returns the files by the paths at which they are served.
func embedded() map[string]*file {
	files := map[string]*file{}
	entries, err := fs.ReadDir(page, "page")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	for _, e := range entries {
		content, err := page.ReadFile("page/" + e.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(content)
		f := &file{e.Name(), contentTypes[path.Ext(e.Name())], `"` + hex.EncodeToString(sum[:8]) + `"`, content}
		if f.name == "index.html" {
			files["/"] = f
		} else {
			files[Prefix+f.name] = f
		}
	}
	return files
}

// serve answers with the file. Browsers ask each time whether it is still the same, so a new version shows at once.
func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("Cache-Control", "no-cache")
	h.Set("Etag", f.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.content))
}
