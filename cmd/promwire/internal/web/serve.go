package web

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// policy allows what this server has, and nothing written into the page. Trusted Types forbid scripts to make elements
// of text, so that no label can become one.
const policy = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"object-src 'none'; require-trusted-types-for 'script'"

// serve answers for the page, its files and its data.
func (u *UI) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "want GET", http.StatusMethodNotAllowed)
		return
	}
	switch r.URL.Path {
	case Prefix + "live":
		u.serveLive(w, r)
	case Prefix + "status":
		u.serveStatus(w, r)
	default:
		f := u.files[r.URL.Path]
		if f == nil {
			http.Error(w, "no such page; the page of promwire is at /", http.StatusNotFound)
			return
		}
		f.serve(w, r)
	}
}

// serveLive tells what has arrived since the request with number since, and has requests shown for a while.
func (u *UI) serveLive(w http.ResponseWriter, r *http.Request) {
	if foreign(r) {
		http.Error(w, "only for the page itself", http.StatusForbidden)
		return
	}
	since, _ := strconv.ParseUint(r.URL.Query().Get("since"), 10, 64) // what is no number asks for all
	now := u.now()
	if r.Method == http.MethodGet && r.URL.Query().Get("tap") != "0" {
		u.watch.begin(now)
	}
	writeJSON(w, struct {
		Now      int64    `json:"now"` // milliseconds, as all times are
		Started  int64    `json:"started"`
		Requests []shown  `json:"requests"` // oldest first
		Traffic  snapshot `json:"traffic"`
	}{now.UnixMilli(), u.started.UnixMilli(), u.ring.since(since), u.traffic.snapshot(now)})
}

// foreign says that a browser sends r for a page of another origin. It could not read the answer, but keep us busy.
func foreign(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site != "" && site != "same-origin" && site != "none"
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(v) // the reader may be gone
}
