// Package memory ends work before it takes more memory than the process may have: what a query takes is known only while it runs.
package memory
