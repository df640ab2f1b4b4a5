// Package browser drives a headless Chromium for tests, over the pipe of its DevTools protocol: no port, no library.
package browser
