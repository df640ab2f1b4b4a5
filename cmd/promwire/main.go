// Command promwire pushes, stores and reads Prometheus metrics over remote write and remote read.
package main

func main() {}
