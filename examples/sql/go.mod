module github.com/promwire/promwire/examples/sql

go 1.25.0

require (
	github.com/ncruces/go-sqlite3 v0.30.4
	github.com/promwire/promwire v0.0.0
)

require (
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/ncruces/julianday v1.0.0 // indirect
	github.com/tetratelabs/wazero v1.11.0 // indirect
	golang.org/x/sys v0.39.0 // indirect
)

replace github.com/promwire/promwire => ../..
