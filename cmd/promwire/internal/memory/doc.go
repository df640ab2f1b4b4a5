// Package memory ends work before it takes more memory than the process may have: what a query takes is known only while it runs.
// It also gives back what only the start of the process needed.
package memory
