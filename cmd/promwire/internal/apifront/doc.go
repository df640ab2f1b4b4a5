// Package apifront is what stands before Prometheus' HTTP API, whoever answers it: bounds on how many queries run, on what
// their parameters take, and on clients that do not take their answers; and errors in the API's form.
package apifront
