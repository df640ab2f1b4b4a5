module github.com/promwire/promwire/bench

go 1.26.0

require github.com/promwire/promwire v0.0.0

replace github.com/promwire/promwire => ../
