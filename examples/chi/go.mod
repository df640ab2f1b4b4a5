module github.com/promwire/promwire/examples/chi

go 1.25.0

require (
	github.com/go-chi/chi/v5 v5.5.0
	github.com/promwire/promwire v0.0.0
)

require github.com/klauspost/compress v1.20.3 // indirect

replace github.com/promwire/promwire => ../..
