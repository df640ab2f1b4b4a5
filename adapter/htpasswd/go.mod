module github.com/promwire/promwire/adapter/htpasswd

go 1.25.0

require (
	github.com/promwire/promwire v0.0.0
	golang.org/x/crypto v0.55.0
)

require github.com/klauspost/compress v1.20.3 // indirect

replace github.com/promwire/promwire => ../..
