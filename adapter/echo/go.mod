module github.com/promwire/promwire/adapter/echo

go 1.25.0

require (
	github.com/labstack/echo/v5 v5.4.4
	github.com/promwire/promwire v0.0.0
)

require (
	github.com/klauspost/compress v1.20.3 // indirect
	golang.org/x/time v0.15.0 // indirect
)

replace github.com/promwire/promwire => ../..
