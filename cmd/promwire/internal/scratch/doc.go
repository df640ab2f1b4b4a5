// Package scratch runs the program as a container without anything else in it has it: a static binary in an empty root, as a
// user that has no name, with one folder that it may write to.
package scratch
