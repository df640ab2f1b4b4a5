// Package realserver tests promwire against real Prometheus servers, as receivers and senders of remote write and on both
// ends of remote read. It holds tests only.
//
// Package proc finds the servers. "make compat" installs two versions and runs the tests against both.
//
// # What servers do differently
//
// The tests hold promwire to these as well:
//
//   - 2.42 answers 204 to Remote Write 2.0 and stores nothing (TestWriteToOldServer).
//   - Over 1.0, exemplars that come with the first native histogram of a series are dropped, and series with invalid labels
//     are skipped without a word; 2.42 stores some of these, and answers 500 to a repeated label (refusedCases).
//   - 3.15 answers 204 although it drops an exemplar with too long labels; the counts in 2.0 show it.
//   - -0 becomes 0 in samples answers and in what Prometheus sends (withoutMinusZero).
//   - 2.42 has no native histograms in samples answers, does not see any over remote read, and breaks off a stream at a part of
//     a chunk of gauge histograms (inSamples, TestReadBreaksOff).
//   - 3.15 stores start timestamps that it scrapes, not those that it receives, and sends metadata in 2.0 of what it has
//     received, not of what it has scraped (TestReadNewEncodings, TestSendOn).
package realserver
