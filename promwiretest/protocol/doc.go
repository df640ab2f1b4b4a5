// Package protocol holds any remote-write and remote-read endpoint against the specifications, over HTTP.
//
// [Check] sends requests, well-formed and not, compares the answers with what the specifications say, reads back what
// was written where there is a read endpoint, and returns a [Report]: each check with what was sent, what was expected,
// which section says so, what came, and a verdict. [Run] does the same in a test:
//
//	func TestProtocol(t *testing.T) {
//		srv := httptest.NewServer(server.NewHandler(storage))
//		defer srv.Close()
//		protocol.Run(t, srv.URL)
//	}
//
// All series that are written have the name promwire_check and a label run that is new each time; they are as many as
// fit in a few requests, with times within the last ten minutes. Nothing is deleted afterwards.
//
// The package does not import testing, so that programs can use it.
package protocol
